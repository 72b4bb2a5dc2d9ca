"""A class made up of programs: all log in at once, run a chapter, move a slider, and are measured.

    DIR/env/bin/python deploy/jupyterhub/load.py DIR --users 30 --restart

DIR is the folder of a hub that runs on this machine (`hub.py --folder DIR`). Each student logs in
as a browser would, opens the chapter, runs every cell through the proxy, saves the notebook, and
then moves the slider of the schedule designer, with a second between two moves. With --restart
the hub is ended when half of the cells have run. At the end everybody logs in once more: the
saved notebook must hold every result, and the kernel must still be there. Memory is each
process's share (PSS), read from /proc, so the hub must run on this machine, and for other users'
processes you must be root. In the end the students' servers are stopped.
"""

import argparse
import contextlib
import http.cookiejar
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import roll
import websocket

EXPLORER = """\
from ddpm_lab.course import explorers
designer = explorers.schedule_designer()
designer"""


def options(argv=None):
    parser = argparse.ArgumentParser(
        prog="load.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of the hub")
    parser.add_argument("--users", type=int, default=30, help="%(default)s")
    parser.add_argument("--chapter", default="00_start_here", help="%(default)s")
    parser.add_argument("--moves", type=int, default=20, help="of the slider; %(default)s")
    parser.add_argument("--minutes", type=float, default=20, help="then it stops; %(default)s")
    parser.add_argument("--restart", action="store_true", help="end the hub in the middle")
    parser.add_argument("--start", action="store_true", help="a trial hub, for this test only")
    parser.add_argument("--spare", type=float, default=1.5, help="GB to leave free; %(default)s")
    parser.add_argument("--out", type=Path, help="also write the figures to this file, as JSON")
    return parser.parse_args(argv)


class Browser:
    """Cookies and requests of one student, on the loopback interface only."""

    def __init__(self, port, student, password, deadline):
        self.home = f"http://127.0.0.1:{port}"
        self.user, self.password, self.deadline = roll.account(student), password, deadline
        self.base = f"/user/{self.user}"
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def cookie(self, path):
        """The headers with the cookies that belong to a path."""
        request = urllib.request.Request(self.home + path)
        self.jar.add_cookie_header(request)
        return request.get_header("Cookie") or ""

    def ask(self, path, data=None, method=None):
        """(address at the end, text) of a page; a form or JSON goes along."""
        headers = {"X-XSRFToken": self.token(path)} if data is not None else {}
        if isinstance(data, dict):
            data = json.dumps(data)
            headers["Content-Type"] = "application/json"
        body = None if data is None else data.encode()
        request = urllib.request.Request(self.home + path, body, headers, method=method)
        with self.opener.open(request, timeout=120) as answer:
            return answer.url, answer.read().decode()

    def token(self, path):
        """What proves that a request comes from a page of this place."""
        found = re.search(r"_xsrf=([^;]+)", self.cookie(path))
        return found[1] if found else ""

    def log_in(self):
        """Until the student's own server answers."""
        self.patient(lambda: self.ask("/hub/login"))
        form = {"username": self.user, "password": self.password}
        self.patient(lambda: self.entered(form))
        return self.patient(self.arrived)

    def entered(self, form):
        """Hand in the form of the login page, unless that has been done."""
        if (
            "jupyterhub-session-id" not in self.cookie("/hub/")
            or "login" in self.ask("/hub/home")[0]
        ):
            form |= {"_xsrf": self.token("/hub/login")}
            self.ask("/hub/login?next=%2Fhub%2Fhome", urllib.parse.urlencode(form))
        return "login" not in self.ask("/hub/home")[0]

    def arrived(self):
        """Ask for the server, which a hub that starts many at once may put off; is it there?"""
        self.ask("/hub/spawn")
        address, _ = self.ask(f"{self.base}/lab")
        return urllib.parse.urlparse(address).path.startswith(f"{self.base}/lab")

    def patient(self, act):
        """Once more until it goes well, as a person would reload; the deadline ends it."""
        while time.monotonic() < self.deadline:
            try:
                done = act()
                if done:
                    return done
            except (OSError, ValueError):  # a busy hub, or one that is being started again
                pass
            time.sleep(1)
        raise TimeoutError(f"{self.user}: no answer in the time that was given")

    def json(self, path, data=None, method=None):
        """An answer of the student's server; asked again if there is none, as JupyterLab does."""
        address = f"{self.base}/api/{path}"
        return self.patient(lambda: [json.loads(self.ask(address, data, method)[1])])[0]


class Kernel:
    """A notebook's kernel, through the proxy."""

    def __init__(self, browser, notebook):
        self.deadline = browser.deadline
        facts = {
            "name": notebook,
            "path": notebook,
            "type": "notebook",
            "kernel": {"name": "python3"},
        }
        self.id = browser.json("sessions", facts)["kernel"]["id"]
        path = f"{browser.base}/api/kernels/{self.id}/channels?session_id={uuid.uuid4().hex}"
        address = browser.home.replace("http", "ws") + path
        self.socket = websocket.create_connection(address, cookie=browser.cookie(path), timeout=300)
        self.widgets = {}

    def send(self, kind, content):
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "version": "5.3"}
        header |= {
            "session": "load",
            "username": "load",
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        return header["msg_id"]

    def messages(self):
        """(kind, parent's id, content) of what the kernel says; buffers are left out."""
        while time.monotonic() < self.deadline:
            frame = self.socket.recv()
            if isinstance(frame, bytes):
                first, second = (int.from_bytes(frame[k : k + 4], "big") for k in (4, 8))
                frame = frame[first : second if int.from_bytes(frame[:4], "big") > 1 else None]
            message = json.loads(frame)
            yield (
                message["header"]["msg_type"],
                message["parent_header"].get("msg_id"),
                message["content"],
            )
        raise TimeoutError("the kernel was not ready in the time that was given")

    def run(self, source):
        """The outputs of a cell, as a notebook stores them."""
        told = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
        asked, outputs = self.send("execute_request", {**told, "stop_on_error": True}), []
        for kind, parent, content in self.messages():
            if kind == "comm_open":
                self.widgets[content["comm_id"]] = content["data"].get("state", {})
            if parent != asked:
                continue
            if kind == "status" and content["execution_state"] == "idle":
                return outputs
            if kind in ("stream", "display_data", "execute_result", "error"):
                kept = {name: value for name, value in content.items() if name != "transient"}
                outputs.append({"output_type": kind, **kept})

    def wait(self, event):
        """Until an event; who does not answer a server's ping is taken to have gone."""
        self.socket.settimeout(2)
        while not event.is_set() and time.monotonic() < self.deadline:
            with contextlib.suppress(websocket.WebSocketTimeoutException):
                self.socket.recv()
        self.socket.settimeout(300)

    def move(self, widget, value):
        """Seconds from the move of a slider to the new picture."""
        picture = next(k for k, s in self.widgets.items() if s.get("_model_name") == "ImageModel")
        begun = time.monotonic()
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        self.send("comm_msg", {"comm_id": widget, "data": data})
        for kind, _, content in self.messages():
            if kind == "comm_msg" and content["comm_id"] == picture:
                return time.monotonic() - begun


class Student:
    """One student's lesson, and what became of it."""

    def __init__(self, browser, args):
        self.browser, self.args = browser, args
        self.path = f"{args.chapter}.ipynb"
        self.cells = self.done = 0
        self.there = False
        self.facts, self.moves, self.errors = {}, [], []

    def lesson(self, meeting):
        begun = time.monotonic()
        self.browser.log_in()
        self.facts["in"] = time.monotonic() - begun
        model = self.browser.json(f"contents/{self.path}")
        kernel = Kernel(self.browser, self.path)
        self.kernel = kernel.id
        self.run_all(kernel, model["content"])
        self.facts["run"] = time.monotonic() - begun
        kernel.run(EXPLORER)
        self.there = True
        meeting.arrive()
        kernel.wait(meeting.complete)
        self.slide(kernel)

    def run_all(self, kernel, notebook):
        """Every cell; saved now and then, as JupyterLab does, and at the end."""
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        self.cells = len(code)
        for cell in code:
            cell["outputs"] = kernel.run("".join(cell["source"]))
            self.errors += [o["evalue"] for o in cell["outputs"] if o["output_type"] == "error"]
            self.done += 1
            if self.done % 10 == 0 or self.done == self.cells:
                self.save(notebook)
        self.outputs = [len(cell["outputs"]) for cell in code]

    def save(self, notebook):
        facts = {"type": "notebook", "format": "json", "content": notebook}
        self.browser.json(f"contents/{self.path}", facts, "PUT")

    def slide(self, kernel):
        slider = next(
            k for k, s in kernel.widgets.items() if s.get("_model_name") == "FloatLogSliderModel"
        )
        for move in range(self.args.moves):
            self.moves.append(kernel.move(slider, 0.01 + 0.0005 * move))
            time.sleep(1)

    def nothing_lost(self):
        """After another login: is everything saved, and does the kernel still run?"""
        self.browser.jar.clear()
        self.browser.log_in()
        notebook = self.browser.json(f"contents/{self.path}")["content"]
        saved = [len(cell["outputs"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        running = [session["kernel"]["id"] for session in self.browser.json("sessions")]
        return saved == self.outputs and self.kernel in running


# --- What it costs --------------------------------------------------------------------------------


def processes(user):
    """The processes of a student, by what the hub has told them."""
    mark = f"JUPYTERHUB_USER={user}\0".encode()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes():
                yield path
        except OSError:  # it has ended, or is somebody else's
            continue


def cost(user):
    """MB (each shared page counted by its share) and seconds of processor time of a student."""
    memory = seconds = 0.0
    for path in processes(user):
        try:
            memory += _pss(path)
            spent = (path / "stat").read_text().rpartition(")")[2].split()
            seconds += (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
    return memory, seconds


def _pss(path):
    rollup = (path / "smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]) / 1024


def guard(students, spare, over):
    """Stop the students' servers if the machine has less than `spare` GB left."""
    while not over.wait(1):
        left = re.search(r"^MemAvailable: +(\d+)", Path("/proc/meminfo").read_text(), re.M)
        if int(left[1]) < spare * 2**20:
            for student in students:
                student.errors.append("stopped: the machine's memory was nearly full")
                student.browser.deadline = 0
            return end(students)


def end(students):
    """End the students' own servers."""
    for student in students:
        for path in processes(student.browser.user):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.name), signal.SIGTERM)


# --- The whole class ------------------------------------------------------------------------------


def restart(folder, students, deadline):
    """End the hub once half of the cells have run; seconds until it answers again."""
    while time.monotonic() < deadline:
        time.sleep(0.5)
        wanted = sum(student.cells for student in students)
        if all(s.cells for s in students) and 2 * sum(s.done for s in students) > wanted:
            break
    done, begun = sum(student.done for student in students), time.monotonic()
    old = (folder / "hub.pid").read_text()
    os.kill(int(old), signal.SIGTERM)
    while time.monotonic() < deadline and not _another(folder, old):
        time.sleep(0.5)
    after = sum(student.done for student in students)
    seconds = round(time.monotonic() - begun, 1)
    return {"cells before": done, "cells meanwhile": after - done, "seconds": seconds}


def _another(folder, old):
    """Does another hub than the `old` one answer?"""
    port = json.loads((folder / "hub.json").read_text())["port"]
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/hub/health", timeout=10).read()
        return (folder / "hub.pid").read_text() not in ("", old)
    except OSError:
        return False


def class_of(args):
    """The students, each with a browser that has not been anywhere."""
    facts = json.loads((args.folder / "hub.json").read_text())
    table = roll.read_passwords(args.folder / "passwords.csv")
    table = [pair for pair in table.items() if pair[0] != facts["teacher"]][: args.users]
    deadline = time.monotonic() + 60 * args.minutes
    return [Student(Browser(facts["port"], *row, deadline), args) for row in table]


class Meeting:
    """Somebody measures when everybody is there who has not dropped out."""

    def __init__(self, expected, measure):
        self.expected, self.measure = expected, measure
        self.lock, self.complete = threading.Lock(), threading.Event()

    def arrive(self):
        """One more is there, or will not come."""
        with self.lock:
            self.expected -= 1
            if self.expected == 0:
                threading.Thread(target=self.measured).start()

    def measured(self):
        self.measure()
        self.complete.set()


def lessons(students, args):
    """Hold them all at once; what they cost while every one of them slides."""
    deadline, measured = students[0].browser.deadline, {}

    def measure():
        measured.update({s.browser.user: cost(s.browser.user) for s in students})

    meeting = Meeting(len(students), measure)

    def lesson(student):
        try:
            student.lesson(meeting)
        except Exception as error:
            student.errors.append(f"{type(error).__name__}: {error}")
            if not student.there:
                meeting.arrive()

    with ThreadPoolExecutor(len(students) + 1) as pool:
        ended = pool.submit(restart, args.folder, students, deadline) if args.restart else None
        list(pool.map(lesson, students))
        return measured, ended.result() if ended else None


def report(students, measured, ended, seconds):
    """The figures of a class."""
    moves = sorted(move for student in students for move in student.moves)
    memory, spent = zip(*measured.values()) if measured else ((0,), (0,))
    slow = statistics.quantiles(moves, n=20)[-1] if len(moves) > 1 else float("nan")
    return {
        "students": len(students),
        "finished": sum(not student.errors for student in students),
        "errors": sorted({error for student in students for error in student.errors})[:5],
        "seconds": round(seconds),
        "logged in after (median, last)": _middle_and_last(students, "in"),
        "all cells run after (median, last)": _middle_and_last(students, "run"),
        "MB a student (mean, most)": [round(statistics.mean(memory)), round(max(memory))],
        "processor seconds a student (mean)": round(statistics.mean(spent), 1),
        "slider, ms (median, 95 %)": [
            round(1000 * statistics.median(moves or [0])),
            round(1000 * slow),
        ],
        "restart": ended,
        "machine": {"cores": os.cpu_count(), "load": [round(x, 1) for x in os.getloadavg()]},
    }


def _middle_and_last(students, name):
    times = [s.facts[name] for s in students if name in s.facts] or [0]
    return [round(statistics.median(times)), round(max(times))]


@contextlib.contextmanager
def trial_hub(args):
    """A hub in which all students are this user; it ends with the test."""
    names = args.folder / "names.csv"
    names.write_text("student\n" + "".join(f"s{n:02}\n" for n in range(1, args.users + 1)))
    words = [names, "--folder", args.folder, "--port", _free_port(), "--trial"]
    program = Path(__file__).resolve().parent / "hub.py"
    (args.folder / "hub.pid").unlink(missing_ok=True)
    child = subprocess.Popen([sys.executable, *map(str, [program, *words])])
    try:
        while not ((args.folder / "hub.pid").exists() and _another(args.folder, "")):
            if child.poll() is not None:
                raise ChildProcessError("the trial hub has ended: it says above why")
            time.sleep(1)
        yield
    finally:
        child.terminate()
        child.wait()


def _free_port():
    """The first of three ports in a row that nobody uses."""
    for port in range(18500, 19500, 3):
        with contextlib.ExitStack() as held:
            try:
                for number in range(port, port + 3):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", number))
                return port
            except OSError:
                continue
    raise OSError("three ports in a row between 18500 and 19500 must be free; none are")


def main(argv=None):
    args = options(argv)
    with trial_hub(args) if args.start else contextlib.nullcontext():
        return tried(args)


def tried(args):
    """Hold the lessons and print the figures; 0 if everybody finished and nothing was lost."""
    students, begun, over = class_of(args), time.monotonic(), threading.Event()
    threading.Thread(target=guard, args=(students, args.spare, over), daemon=True).start()
    measured, ended = lessons(students, args)
    found = report(students, measured, ended, time.monotonic() - begun)
    fine = [student for student in students if not student.errors]
    with ThreadPoolExecutor(len(students)) as pool:
        found["nothing lost"] = sum(pool.map(lambda student: student.nothing_lost(), fine))
    over.set()
    end(students)
    text = json.dumps(found, indent=1)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n")
    return 0 if found["finished"] == found["nothing lost"] == len(students) else 1


if __name__ == "__main__":
    sys.exit(main())
