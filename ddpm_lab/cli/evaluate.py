"""`ddpm-lab evaluate`: how good is a trained network, on held-out data?"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ddpm_lab.cli import devices, options, shipped
from ddpm_lab.cli.judge import beside


def add(commands) -> None:
    """Add `evaluate` to a parser's commands."""
    text = "measure a trained network on held-out data"
    parser = options.command(commands, "evaluate", run, text)
    options.add_device(parser)
    options.add_sampler(parser)
    parser.add_argument("--data", metavar="PATH", help=options.DATA)
    parser.add_argument("--n", type=int, default=1000, help="images to look at; default 1000")
    parser.add_argument(
        "--strata", type=int, default=50, help="strata of t for the bound; default 50"
    )
    parser.add_argument(
        "--judge", metavar="FILE",
        help="a classifier, for the Fréchet distance: a file, a run's folder that holds one, or "
        f"one of {', '.join(shipped.judges())}",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FILE",
        help="default: metrics.json in a run's folder, NAME.metrics.json beside NAME.safetensors",
    )  # fmt: skip


def run(args) -> int:
    """Measure, print a table, and write all of it; the exit status."""
    from ddpm_lab import _files

    path = shipped.checkpoint(args.path)
    out = Path(args.out or report_of(path))
    try:
        _files.check_writable(out)
    except OSError as error:
        print(f"{error}\nThe report will be printed only.", file=sys.stderr)
        out = None
    found = {"network": args.path, "seed": args.seed, **_measured(path, args)}
    try:
        print("\n".join(_table(found)))
    finally:  # whatever happens to one of the two, the other one is there
        if out is not None:
            _files.write_whole(out, json.dumps(found, indent=1).encode())
    print(f"\n{out}" if out is not None else "")
    return 1 if out is None and args.out else 0


def _measured(path, args):
    """What `evaluation.evaluate` finds."""
    from ddpm_lab.gaussians import seeded
    from ddpm_lab.training import evaluation, models

    model = models.load(path, devices.pick(args.device))
    return evaluation.evaluate(
        model, data=args.data, n=args.n, strata=args.strata, steps=args.steps,
        sampler=args.sampler, guidance_scale=args.guidance, generator=seeded(args.seed),
        judge=_judge(args.judge, model, args.data, path),
    )  # fmt: skip


def _judge(asked, model, data, path):
    """The classifier that was asked for, the run's own, or the course's for these data; or None."""
    from ddpm_lab import training

    data = data or (model.data or {}).get("path")
    own = data is not None and not any(Path(data).glob("*-images-idx3-ubyte*"))
    if asked:
        path = shipped.judge(asked)
        return training.load(beside(path) if path.is_dir() else path)[0]
    if (made := beside(path)).is_file():
        return _of_these_data(made, model)
    name = f"features_{model.config.data.name}"
    if own or name not in shipped.judges():
        return None  # nobody has trained one for these data
    return training.load(shipped.judge(name))[0]


def _of_these_data(path, model):
    """The classifier of a file, if it has learned from what the network has learned from."""
    from ddpm_lab import training

    judge, facts = training.load(path)
    known = (model.data or {}).get("checksum")
    if known is None or facts.get("checksum", known) == known:
        return judge
    print(f"{path} is left alone: it has learned from other data. --judge takes it all the same.",
          file=sys.stderr)  # fmt: skip
    return None


def report_of(path):
    """Where the report of a network stands: each network in a folder has its own."""
    if path.is_dir():
        return path / "metrics.json"
    name = path.name.removesuffix(".safetensors") + ".metrics.json"
    return Path(name) if shipped.is_ours(path) else path.with_name(name)


def _table(found: dict) -> Iterator[str]:
    """The lines of a report for people; metrics.json has all of it."""
    yield f"{found['network']} after {found['step']} steps, {found['images']} held-out images"
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
            yield f"{name:>20}{_with_error(found[name])}    {_baseline(found[name])}".rstrip()
    for name, why in found["left_out"].items():
        yield f"{name:>20}    left out: {why}{_advice(why, found['network'])}"


def _advice(why, network):
    """What to type for what was left out."""
    if why != "no judge was given":
        return ""
    return f"; make one: {options.program()} judge --run {options.quoted(network)}"


def _baseline(each):
    """What real data would get: the median, and the range if it was measured."""
    baseline = each.get("baseline", {"median": 0.5})
    between = "{lowest:.5f} to {highest:.5f}".format(**baseline) if len(baseline) > 1 else ""
    return f"{baseline['median']:.5f}  {between}"


def _with_error(each):
    error = "-" if each["stderr"] is None else f"{each['stderr']:.5f}"
    return f"{each['value']:12.5f}{error:>10}"
