"""How fast is a training step, and how fast are 50 steps of sampling?

    python benchmarks/speed.py [--rounds 8] [--threads 2] [--without-16-bit] [--out FILE]

Every package does one piece of work in turn, round after round, so that whatever else slows the
machine slows all of them. The medians' *ratios* are the result; seconds depend on the machine.
1 x 32 x 32 images, batches of 64, about 1.1 million parameters, forward + backward + optimizer.

The optimizer is the same for all: Adam, fused where the device has that. The network, its
arithmetic, its memory layout and its sampler are each package's own. Two choices of this course
carry over to any package, so their share is shown in rows of their own: pixel-unshuffle (every
2 x 2 pixels are one place of the network, `patch`), and bfloat16 where the processor has it. With
`--without-16-bit` every package works as on a processor of 2013 to 2020 that has no such numbers.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from functools import partial
from importlib import metadata
from pathlib import Path

import torch
from peers import PEERS, ours

from ddpm_lab import training

SIZE, BATCH, STEPS = 32, 64, 50
ROWS = {
    "ddpm-lab": ours,
    "ddpm-lab, float32": partial(ours, precision="float32"),
    "ddpm-lab, patch 1": partial(ours, patch=1),
    "ddpm-lab, patch 1, float32": partial(ours, precision="float32", patch=1),
    **{name: make for name, make in PEERS.items() if make is not ours},
}


def machine(threads):
    """What the figures belong to."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    names = ("torch", "diffusers", "denoising-diffusion-pytorch", "smalldiffusion")
    return {
        "cpu": cpu[0].partition(": ")[2] if cpu else platform.processor(),
        "bfloat16": not isinstance(training.autocast("auto", "cpu"), nullcontext),
        "threads": threads,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
    }


def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def adam(net):
    """The optimizer of every package."""
    try:
        return torch.optim.Adam(net.parameters(), lr=1e-4, fused=True)
    except RuntimeError:  # this device has no fused one
        return torch.optim.Adam(net.parameters(), lr=1e-4)


def contestants(names=ROWS):
    """name -> (the package, its training step), for every package that is installed."""
    found = {}
    for name in names:
        try:
            found[name] = contestant(name)
        except ImportError as error:
            print(f"{name}: left out ({error})")
    return found


def contestant(name, device="cpu", batch=BATCH):
    """(the package, its training step on a batch); ImportError if it is not installed."""
    peer = ROWS[name](SIZE, device=device)
    x = torch.rand(batch, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return peer, step_of(peer, adam(peer.net), x.to(device))


def step_of(peer, optimizer, x):
    def step():
        loss = peer.loss(x)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def seconds(work, device="cpu"):
    """A GPU works on while Python does: so it is waited for, before and after."""
    wait = torch.cuda.synchronize if torch.device(device).type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def memory(name, threads):
    """Peak memory of a process that does three training steps with one package, MiB; Linux."""
    code = f"import torch, speed; torch.set_num_threads({threads}); speed.alone({name!r})"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return round(float(out.stdout.split()[-1])) if out.returncode == 0 else None


def alone(name):
    _, step = contestants([name])[name]
    for _ in range(3):
        step()
    # Linux: the peak of this process alone. (getrusage would also tell that of its parent.)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=ROWS, help="some rows; default: all")
    parser.add_argument("--without-16-bit", action="store_true", help="as with AVX2 at most")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.without_16_bit:
        os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"  # oneDNN reads it at the first convolution
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    found = contestants(args.only or ROWS)
    any_net = next(iter(found.values()))[0].net
    optimizer = f"Adam, {'fused' if adam(any_net).defaults['fused'] else 'not fused'}, for all"
    print(f"optimizer: {optimizer}")
    steps = {name: [] for name in found}
    walks = {name: [] for name in found}
    for round_ in range(-1, args.rounds):  # the first warms up
        for name, (peer, step) in found.items():
            taken = [seconds(step) for _ in range(3)]
            if round_ >= 0:
                steps[name] += taken
            if round_ >= 0 and round_ % 4 == 0:
                walks[name].append(seconds(lambda peer=peer: peer.sample(BATCH, STEPS)))
    rows = [row(name, found[name][0], steps[name], walks[name], args.threads) for name in found]
    first = rows[0]
    heads = ("params", "step s", "x", "50 steps s", "x", "MiB")
    print(f"{'package':28}" + "".join(f"{head:>11}" for head in heads))
    for each in rows:
        print(
            f"{each['package']:28}{each['parameters']:11,}{each['step']:11.3f}"
            f"{each['step'] / first['step']:11.2f}{each['sampling']:11.2f}"
            f"{each['sampling'] / first['sampling']:11.2f}{each['peak_mib'] or '-':>11}"
        )
    if args.out:
        facts = machine(args.threads) | {"optimizer": optimizer}
        result = {"machine": facts, "rows": rows}
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def row(name, peer, steps, walks, threads):
    return {
        "package": name,
        "parameters": sum(p.numel() for p in peer.net.parameters()),
        "step": round(statistics.median(steps), 4),
        "step_quartiles": [round(q, 4) for q in statistics.quantiles(steps, n=4)[::2]],
        "sampling": round(statistics.median(walks), 3),
        "peak_mib": memory(name, threads),
    }


if __name__ == "__main__":
    main()
