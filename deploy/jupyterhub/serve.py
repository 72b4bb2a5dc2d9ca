"""Keep a hub and its proxy running: `hub.py` starts this, with the environment's Python.

Ctrl-C ends both. Students' servers go on, and are found again at the next start; a hub that ends by
itself is started again.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import roll

from ddpm_lab.cli.classroom.roster import read_students

HERE = Path(__file__).resolve().parent


def prepared(folder):
    """The facts of hub.json, which then name the accounts; passwords.csv holds everybody."""
    path = folder / "hub.json"
    facts = json.loads(path.read_text())
    students = [student.student for student in read_students(Path(facts["names"]))]
    everybody = [*students, facts["teacher"]]
    facts["accounts"] = roll.accounts(everybody)
    roll.passwords(folder / "passwords.csv", everybody)
    path.write_text(json.dumps(facts, indent=1))
    return facts


def proxy(facts, token):
    """The running proxy, which alone listens to the network."""
    port, api, hub = facts["port"], facts["port"] + 2, facts["port"] + 1
    words = [facts["proxy"], f"--ip={facts['ip']}", f"--port={port}"]
    words += ["--api-ip=127.0.0.1", f"--api-port={api}", "--log-level=warn"]
    words += [f"--default-target=http://127.0.0.1:{hub}"]
    words += [f"--error-target=http://127.0.0.1:{hub}/hub/error"]
    for name in ("ssl_key", "ssl_cert"):
        words += [f"--{name.replace('_', '-')}={facts[name]}"] if facts[name] else []
    return subprocess.Popen(words, env=os.environ | {"CONFIGPROXY_AUTH_TOKEN": token})


def hub(folder, token):
    """The running hub."""
    words = [sys.executable, "-m", "jupyterhub", "-f", HERE / "jupyterhub_config.py"]
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    env = {"CONFIGPROXY_AUTH_TOKEN": token, "DDPM_LAB_HUB": str(folder), "PATH": path}
    child = subprocess.Popen([*map(str, words)], env=os.environ | env, cwd=folder)
    (folder / "hub.pid").write_text(str(child.pid))
    return child


def serve(folder):
    """Until Ctrl-C or SIGTERM."""
    os.umask(0o077)  # what the hub writes is nobody else's business
    facts, token = prepared(folder), secrets.token_hex(32)
    stopped = []
    starts = [lambda: proxy(facts, token), lambda: hub(folder, token)]
    children = [start() for start in starts]
    signal.signal(signal.SIGTERM, lambda *_: stopped.append("SIGTERM"))
    signal.signal(signal.SIGINT, lambda *_: stopped.append("SIGINT"))
    scheme = "https" if facts["ssl_cert"] else "http"
    print(f"The hub: {scheme}://{facts['ip']}:{facts['port']}", flush=True)
    print(f"Names and passwords, to hand out: {folder / 'passwords.csv'}", flush=True)
    while not stopped:
        time.sleep(0.5)
        for place, start in enumerate(starts):
            if children[place].poll() is not None and not stopped:
                print("The hub or its proxy has ended: once more.", flush=True)
                time.sleep(1)
                children[place] = start()
    for child in reversed(children):
        child.terminate()
        child.wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
