"""How fast is a training step, and how fast are 50 steps of sampling?

    python benchmarks/speed.py [--rounds 8] [--threads 2] [--out FILE]

Every package does one piece of work in turn, round after round, so that whatever else slows the
machine slows all of them. The medians' *ratios* are the result; seconds depend on the machine.
1 x 32 x 32 pictures, batches of 64, about 1.1 million parameters, forward + backward + Adam.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import torch
from peers import PEERS

SIZE, BATCH, STEPS = 32, 64, 50


def machine(threads):
    """What the figures belong to."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    names = ("torch", "diffusers", "denoising-diffusion-pytorch", "smalldiffusion")
    return {
        "cpu": cpu[0].partition(": ")[2] if cpu else platform.processor(),
        "threads": threads,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
    }


def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def contestants():
    """name -> (training step, sampling), for every package that is installed."""
    x = torch.rand(BATCH, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = {}
    for name, make in PEERS.items():
        try:
            peer = make(SIZE)
        except ImportError as error:
            print(f"{name}: left out ({error})")
            continue
        optimizer = torch.optim.Adam(peer.net.parameters(), lr=1e-4, fused=name == "ddpm-lab")
        found[name] = (peer, step_of(peer, optimizer, x))
    return found


def step_of(peer, optimizer, x):
    def step():
        loss = peer.loss(x)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def memory(name, threads):
    """Peak memory of a process that does three training steps with one package, MiB; Linux."""
    code = (
        f"import torch, speed; torch.set_num_threads({threads}); speed.PEERS = "
        f"{{{name!r}: speed.PEERS[{name!r}]}}; speed.alone()"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return round(float(out.stdout.split()[-1])) if out.returncode == 0 else None


def alone():
    (_, step), *_ = contestants().values()
    for _ in range(3):
        step()
    # Linux: the peak of this process alone. (getrusage would also tell that of its parent.)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    found = contestants()
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
    ours = rows[0]
    heads = ("params", "step s", "x", "50 steps s", "x", "MiB")
    print(f"{'package':28}" + "".join(f"{head:>11}" for head in heads))
    for each in rows:
        print(
            f"{each['package']:28}{each['parameters']:11,}{each['step']:11.3f}"
            f"{each['step'] / ours['step']:11.2f}{each['sampling']:11.2f}"
            f"{each['sampling'] / ours['sampling']:11.2f}{each['peak_mib'] or '-':>11}"
        )
    if args.out:
        result = {"machine": machine(args.threads), "rows": rows}
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
