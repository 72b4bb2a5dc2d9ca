"""How does one train, sample and measure without writing code?

    python -m ddpm_lab train --config chapters/configs/digits.json --out runs/digits
    python -m ddpm_lab sample --run runs/digits --label 3
    python -m ddpm_lab evaluate --run runs/digits

A class-conditional U-Net on MNIST, with settings meant for one GPU:

    python -m ddpm_lab train --config chapters/configs/mnist_gpu.json --out runs/mnist

and on a machine with four of them, where each takes a quarter of every batch:

    torchrun --nproc-per-node=4 -m ddpm_lab train --config chapters/configs/mnist_gpu.json \\
        --out runs/mnist

What is trained, and how, stands in the configuration; the work is done by `runs`. Here are the
words of the command line, a bar that shows how far it is, and an ear for Ctrl-C.
"""

import argparse
import ast
import io
import json
import math
import os
import shlex
import signal
import subprocess
import sys
import traceback
from contextlib import contextmanager
from functools import partial
from pathlib import Path

# torch and the modules that need it are imported when a command runs: `--help` shall be quick.

SAMPLERS = ("ddim", "ddpm", "multistep", "flow")
_PATHS = {
    "config": "--config", "out": "--out", "data": "--data", "path": "--run", "judge": "--judge",
    "init": "--init",
}  # fmt: skip
_WORDS = {"true": True, "false": False, "none": None, "null": None}
STOPPED = 130
"""The exit status of a program that Ctrl-C has ended."""


def add(commands) -> None:
    """Add `train`, `sample` and `evaluate` to a parser's commands.

    Parameters
    ----------
    commands : what argparse's `add_subparsers` returns. The chosen command's `run` takes the
        arguments and returns the exit status.

    >>> parser = argparse.ArgumentParser()
    >>> add(parser.add_subparsers())
    >>> parser.parse_args(["train", "--out", "runs/digits", "--set", "steps=200"]).set
    ['steps=200']
    """
    _add_train(commands)
    _add_sample(commands)
    _add_evaluate(commands)


def _add(commands, name, does, text, epilog=""):
    """A command, with the options that all of them have."""
    command = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    command.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "mps"), default="auto",
        help="default auto: a GPU if there is one",
    )  # fmt: skip
    command.set_defaults(run=partial(_run, does))
    return command


def _add_train(commands):
    usage = "".join((__doc__ or "").partition("A class")[1:])  # python -OO leaves no docstrings
    command = _add(commands, "train", _train, "train a U-Net, or go on with a run", usage)
    command.add_argument("--config", metavar="FILE", help="what to train; see chapters/configs")
    command.add_argument("--out", metavar="DIR", required=True, help="the folder of the run")
    command.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    command.add_argument("--data", metavar="DIR", help="MNIST's files; else they are fetched")
    command.add_argument(
        "--set", metavar="KEY=VALUE", nargs="+", action="extend", default=[],
        help="change a setting, as in: --set steps=200 net.width=16; with --resume only steps, "
        "to a larger number: the learning rate then follows the longer curve",
    )  # fmt: skip
    command.add_argument(
        "--init", metavar="FILE",
        help="start a new run from trained weights; a run that is there goes on with its own",
    )  # fmt: skip
    command.add_argument("--compile", action="store_true", help="use torch.compile")


def _add_sample(commands):
    command = _add(commands, "sample", _sample, "make new pictures with a trained network")
    _add_sampler(command)
    command.add_argument("--n", type=int, default=64, help="how many; default 64")
    command.add_argument(
        "--label", type=int, help="what they shall show, counted from 0; default: not said"
    )
    command.add_argument(
        "--out", metavar="FILE", default="samples.png",
        help="a .png, or numbers as .npy or .safetensors; default samples.png",
    )  # fmt: skip


def _add_evaluate(commands):
    command = _add(commands, "evaluate", _evaluate, "measure a trained network on held-out data")
    _add_sampler(command)
    command.add_argument("--data", metavar="DIR", help="MNIST's files; else they are fetched")
    command.add_argument("--n", type=int, default=1000, help="pictures to look at; default 1000")
    command.add_argument("--terms", type=int, default=50, help="stretches of t for the bound")
    command.add_argument("--judge", metavar="FILE", help="a classifier, for the Fréchet distance")
    command.add_argument(
        "--out",
        metavar="FILE",
        help="default: metrics.json in a run's folder, NAME.metrics.json beside NAME.safetensors",
    )


def _add_sampler(command):
    command.add_argument(
        "--run", metavar="DIR|FILE", dest="path", required=True,
        help="the folder of a run, or a copy of its net.safetensors",
    )  # fmt: skip
    command.add_argument("--steps", type=int, help="moves of the sampler; default 50, or T if less")
    command.add_argument("--sampler", choices=SAMPLERS, default="ddim", help="default ddim")
    command.add_argument("--guidance", type=float, default=1.0, help="above 1 exaggerates a label")
    command.add_argument("--seed", type=int, default=0)


def _run(does, args):
    """The exit status of a command. What the user can mend is said in one line, without a trace."""
    try:
        _find_home(args)
        return does(args)
    except KeyboardInterrupt:
        return STOPPED
    except (OSError, ImportError, TypeError, ValueError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1].filename
        if not isinstance(error, OSError) and Path(__file__).parents[1] not in Path(last).parents:
            raise  # no word of ours: a mistake in the code, not in the command
        print(f"python -m ddpm_lab {args.command}: {error}", file=sys.stderr)
        return 1


def _find_home(args):
    """Fill in ~ in the arguments that are paths."""
    from ddpm_lab import _checks

    for name, option in _PATHS.items():
        if getattr(args, name, None) is not None:
            setattr(args, name, str(_checks.path_of(getattr(args, name), option)))


def _leave(status):
    """End a process of several at once, its work being done and stored.

    DistributedDataParallel keeps the threads of gloo alive after the group was destroyed. If one
    of them asks for the interpreter while Python winds down, the process is aborted: rarely, but
    then torchrun reports a failure of a run that has succeeded.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


# ------------------------------------------------------------------------------ train


def _train(args):
    from ddpm_lab.training import runs

    with _processes(args.device) as (rank, world, device):
        config, folder = _wanted(args, rank), Path(args.out)
        follow = _Follow(config, folder, alone=world == 1, quiet=rank > 0)
        with follow:
            run = runs.proceed(
                config, folder, device=device, data=args.data, compile=args.compile,
                init=args.init, watch=follow.watch, show=follow.show, each=follow.each,
            )  # fmt: skip
        if rank == 0 and run.step == config.steps:
            print(f"{folder}: {run.step} steps done, {run.facts['seconds']:.0f} s in all.")
            print(f"See:  python -m ddpm_lab sample --run {_quoted(folder)}")
        elif rank == 0:
            print(f"{folder}: stored at step {run.step} of {config.steps}. Go on with:\n  ", end="")
            print(_again(args))
    status = 0 if run.step == config.steps else STOPPED
    return status if world == 1 else _leave(status)


def _wanted(args, rank):
    """The configuration of a new run, or of the one that shall go on."""
    from ddpm_lab.training import runs

    folder, example = Path(args.out), runs.SHIPPED.parent / "configs" / "digits.json"
    files = [folder / name for name in ("config.json", "run.safetensors")]
    if any(file.exists() for file in files) and not args.resume and rank == 0:
        raise ValueError(
            f"--out must name a folder without a run; {folder} holds one. To go on with it add "
            "--resume, else take another folder."
        )
    if args.config is None and not (args.resume and files[0].exists()):
        raise ValueError(
            f"--config must be given for a new run; {folder} holds none to go on with. "
            f"Try --config {_quoted(example) if example.exists() else 'FILE'}."
        )
    config = runs.read_config(args.config or files[0], **dict(map(_setting, args.set)))
    before = runs.read_config(files[0]).steps if files[0].exists() else config.steps
    if config.steps > before and rank == 0:
        print(
            f"{folder}: lengthened from {before} to {config.steps} steps. The curve of the "
            "learning rate is stretched: it rises now, and falls to 0 once more.",
            file=sys.stderr,
        )
    return config


def _setting(text):
    """'net.width=16' as ('net.width', 16)."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"--set must be given settings like lr=0.001; got {text!r}.")
    return name.strip(), _value(value.strip())


def _value(text):
    """What a person means by a text: true and True, .001, 1_000, 1e4 steps, 1,2,2, or a word."""
    if (word := text.lower()) in _WORDS:
        return _WORDS[word]
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        whole = isinstance(value, float) and value.is_integer() and "." not in text
        return int(value) if whole else value  # 1e4 counts something: settings have no unit
    return text


def _again(args):
    """The command that goes on with a run."""
    words = ["python", "-m", "ddpm_lab", "train", "--out", args.out, "--resume"]
    words += ["--data", args.data] if args.data else []
    words += ["--device", args.device] if args.device != "auto" else []
    return _quoted(*words, *["--compile"] * args.compile)


def _quoted(*words):
    """Words as this system's shell takes them."""
    join = subprocess.list2cmdline if os.name == "nt" else shlex.join
    return join(list(map(str, words)))


class _Follow:
    """What a user sees of a run: a bar, now and then a picture; and what Ctrl-C means to it."""

    def __init__(self, config, folder, *, alone, quiet):
        self.config, self.folder, self.quiet = config, folder, quiet
        self.signals = [signal.SIGINT, signal.SIGTERM] if alone else []
        self.bar, self.asked, self.before = None, False, {}

    def __enter__(self):
        self.before = {each: signal.signal(each, self._ask) for each in self.signals}

    def __exit__(self, *_):
        self._listen_no_more()
        if self.bar is not None:
            self.bar.close()

    def _listen_no_more(self):
        for each, handler in self.before.items():
            signal.signal(each, handler)

    def _ask(self, number, frame):
        self._listen_no_more()  # a second one ends it at once, and the last stored step counts
        self.asked = True
        print("\nStopping after this step. (Once more: at once.)", file=sys.stderr)

    def each(self, step):
        """After each step: move the bar on; is the run to be left?"""
        if self.bar is None and not self.quiet:
            from tqdm import tqdm

            here, batch = step.step - 1, self.config.batch
            self.bar = tqdm(
                total=self.config.steps * batch, initial=here * batch, unit=" images",
                unit_scale=True, dynamic_ncols=True, mininterval=0.5 if sys.stderr.isatty() else 30,
            )  # fmt: skip
        if self.bar is not None:
            self.bar.update(self.config.batch)
        return self.asked

    def watch(self, line):
        """After each line of the log."""
        self.bar.set_postfix(loss=f"{line['loss']:.4f}", step=line["step"], refresh=False)

    def show(self, run):
        """A picture from the same noise each time, a column for each label if there are labels."""
        import torch

        from ddpm_lab import training
        from ddpm_lab.course import figures
        from ddpm_lab.gaussians import seeded
        from ddpm_lab.training import runs

        columns = runs.classes(self.config) or 10
        label = torch.arange(4 * columns, device="cpu") % columns if run.net.labels else None
        x = runs.sample(
            runs.current(self.config, run), 4 * columns, label=label,
            generator=seeded(self.config.seed + 4),
        )  # fmt: skip
        path = self.folder / f"samples_{run.step:06d}.png"
        training.write_whole(path, figures.image_grid(x, columns=columns))


# ------------------------------------------------------------------------------ sample, evaluate


def _sample(args):
    from ddpm_lab import _files
    from ddpm_lab.gaussians import seeded
    from ddpm_lab.training import runs

    kind = Path(args.out).suffix
    if kind not in (".png", ".npy", ".safetensors"):
        raise ValueError(f"--out must end in .png, .npy or .safetensors; got {args.out}.")
    _files.check_writable(args.out)
    model = runs.read(args.path, _device(args.device))
    if args.steps is None:
        args.steps = min(50, runs.schedule(model.config).T)
    x = runs.sample(
        model, args.n, label=args.label, steps=args.steps, sampler=args.sampler,
        guidance=args.guidance, generator=seeded(args.seed),
    )  # fmt: skip
    how = {key: getattr(args, key) for key in ("sampler", "steps", "label", "guidance", "seed")}
    _write(args.out, x.cpu(), how)
    print(f"{args.out}: {args.n} pictures,", ", ".join(f"{k} {v}" for k, v in how.items()))
    return 0


def _write(path, x, how):
    from ddpm_lab import training
    from ddpm_lab.course import figures

    if path.endswith(".png"):
        payload = figures.image_grid(x, columns=math.isqrt(len(x) - 1) + 1)
    elif path.endswith(".npy"):
        import numpy as np

        np.save(buffer := io.BytesIO(), x.numpy())
        payload = buffer.getvalue()
    else:
        from safetensors.torch import save

        payload = save({"x": x.contiguous()}, {key: str(value) for key, value in how.items()})
    training.write_whole(path, payload)


def _evaluate(args):
    from ddpm_lab import _files, training
    from ddpm_lab.gaussians import seeded
    from ddpm_lab.training import runs

    path = Path(args.path)
    out = Path(args.out or _report_of(path))
    try:
        _files.check_writable(out)
    except OSError as error:
        print(f"{error}\nThe report will be printed only.", file=sys.stderr)
        out = None
    model = runs.read(path, _device(args.device))
    judge = Path(args.judge or runs.SHIPPED / f"features_{model.config.data}.safetensors")
    found = runs.evaluate(
        model, data=args.data, n=args.n, terms=args.terms, steps=args.steps, sampler=args.sampler,
        guidance=args.guidance, generator=seeded(args.seed),
        judge=training.load(judge)[0] if args.judge or judge.exists() else None,
    )  # fmt: skip
    found = {"network": str(path), "seed": args.seed, **found}
    try:
        print("\n".join(_table(found)))
    finally:  # whatever happens to one of the two, the other one is there
        if out is not None:
            training.write_whole(out, json.dumps(found, indent=1).encode())
    print(f"\n{out}" if out is not None else "")
    return 1 if out is None and args.out else 0


def _report_of(path):
    """Where the report of a network stands: each network in a folder has its own."""
    if path.is_dir():
        return path / "metrics.json"
    return path.with_name(path.name.removesuffix(".safetensors") + ".metrics.json")


def _table(found):
    """The lines of a report for people; metrics.json has all of it."""
    yield f"{found['network']} after {found['step']} steps, {found['pictures']} held-out pictures"
    yield ""
    yield f"{'t':>12}{'loss':>12}{'stderr':>10}"
    for row in found["loss_per_t"]:
        yield f"{'{}-{}'.format(*row['t']):>12}{_with_error(row)}"
    yield ""
    yield f"{'bits/dim':>20}{'value':>12}{'stderr':>10}"
    for name, each in found["bits_per_dim"].items():
        yield f"{name:>20}{_with_error(each)}"
    yield ""
    yield f"{'samples':>20}{'value':>12}{'stderr':>10}    real against real"
    for name in ("energy_distance", "sliced_wasserstein", "frechet", "memorization_test"):
        if name in found:
            each = found[name]
            floor = each.get("floor", {"median": 0.5})
            between = "{lowest:.5f} to {highest:.5f}".format(**floor) if len(floor) > 1 else ""
            line = f"{name:>20}{_with_error(each)}    "
            yield line + f"{floor['median']:.5f}  {between}".rstrip()


def _with_error(each):
    error = "-" if each["stderr"] is None else f"{each['stderr']:.5f}"
    return f"{each['value']:12.5f}{error:>10}"


# ------------------------------------------------------------------------------ devices


def _device(name):
    """The device of a name; "auto" takes a GPU if there is one."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((each for each in there if there[each]), "cpu")
    if not there.get(name, True):
        raise ValueError(
            f"--device must be there; this PyTorch sees no {name}. Take --device cpu, or see what "
            "is amiss: python -m ddpm_lab doctor."
        )
    return torch.device(name)


def _world_size(device):
    """How many processes there are. torchrun says so, and what else it says is needed then."""
    needed = ["WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"]
    needed += ["LOCAL_RANK"] if device.type == "cuda" else []
    said = {name: os.environ.get(name, "") for name in needed}
    if said["WORLD_SIZE"] in ("", "1"):
        return 1
    whole = all(value.isdecimal() for name, value in said.items() if name != "MASTER_ADDR")
    if not (whole and said["MASTER_ADDR"] and int(said["RANK"]) < int(said["WORLD_SIZE"])):
        raise ValueError(
            f"{', '.join(needed)} must be set as torchrun does it, if WORLD_SIZE is; got "
            f"{' '.join(f'{name}={value}' for name, value in said.items() if value)}. Start with "
            "torchrun, or remove WORLD_SIZE from the environment: then one process does all."
        )
    return int(said["WORLD_SIZE"])


@contextmanager
def _processes(name):
    """(rank, how many, device) of this process; torchrun starts several and numbers them."""
    device = _device(name)
    world = _world_size(device)
    if world == 1:
        yield 0, 1, device
        return
    import torch
    import torch.distributed as dist

    if device.type == "mps":
        raise ValueError(
            "--device must be cpu or cuda for several processes; got mps. Add --device cpu."
        )
    if device.type == "cuda":
        local, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= there:
            raise ValueError(
                f"--nproc-per-node must be at most {there}, the number of GPUs; got more. "
                f"Take --nproc-per-node={there}."
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    yield dist.get_rank(), world, device
    dist.destroy_process_group()  # not after an error: it would wait for the others
