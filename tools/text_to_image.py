"""Train the text-to-image system of chapter 17b, and measure it: minutes on one core.

    python tools/text_to_image.py train --data DIR      autoencoder, then denoiser; DIR holds MNIST
    python tools/text_to_image.py race --data DIR       codes against pixels, into the tables
    python tools/text_to_image.py guidance --data DIR   the curve of guidance scales, likewise
    python tools/text_to_image.py again --scale 2       one entry of the curve, without MNIST

The parts are kept in chapters/checkpoints/text_to_image.safetensors, the tables in
text_to_image_results.json beside it (text_to_image.json would be a model card).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # run as a program: find the packages beside tools/
    sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from ddpm_lab import datasets, elbo, metrics, training  # noqa: E402
from ddpm_lab._checks import path_of  # noqa: E402
from ddpm_lab.course import text_to_image as t2i  # noqa: E402
from ddpm_lab.course.text_to_image import system as parts  # noqa: E402
from ddpm_lab.gaussians import normal_like, seeded  # noqa: E402
from ddpm_lab.training import models, pretrained  # noqa: E402
from tools import arithmetic  # noqa: E402

FOLDER = ROOT / "chapters" / "checkpoints"
SYSTEM, RESULTS = FOLDER / "text_to_image.safetensors", FOLDER / "text_to_image_results.json"
BATCH, VAE_STEPS, NET_STEPS = 128, 6000, 8000


def facts_of(x, digit, place):
    """What is true of images: thin and bold are the thirds with least and most ink of a digit."""
    stroke = torch.full_like(digit, t2i.UNSAID)
    inks = t2i.ink(x)
    for d in range(10):
        low, high = inks[digit == d].quantile(torch.tensor([0.35, 0.65]))
        stroke[(digit == d) & (inks < low)] = 0
        stroke[(digit == d) & (inks > high)] = 1
    return t2i.Facts(digit, stroke, place)


def usual_ink(x, digit):
    return torch.stack([t2i.ink(x[digit == d]).median() for d in range(10)])


def train_vae(x, say):
    """Raise the bound on digits that are shifted anew in each batch."""
    vae, rng = parts.new().vae, seeded(1)
    optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, VAE_STEPS)
    for step in range(1, VAE_STEPS + 1):
        rows = torch.randint(len(x), (BATCH,), generator=rng)
        batch = t2i.placed(x[rows], torch.randint(5, (BATCH,), generator=rng))
        eps = normal_like(torch.empty(BATCH, parts.LATENTS), generator=rng)
        loss = elbo.loss(vae, batch, eps).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
        if step % 500 == 0:
            say(f"autoencoder {step}: {loss.item():.1f} nats")
    return vae


@torch.no_grad()
def codes_of(vae, x, rng, size=4096):
    """Samples of q(z | x), in parts."""
    found = []
    for part in x.split(size):
        q = elbo.encode(vae, part)
        found.append(q.mean + q.var.sqrt() * normal_like(q.mean, generator=rng))
    return torch.cat(found)


def captioned_codes(codes, facts, rng):
    """Endless batches of codes, each with a caption that says some of its facts."""
    while True:
        rows = torch.randint(len(codes), (BATCH,), generator=rng)
        few = t2i.Facts(*(fact[rows] for fact in facts))
        yield codes[rows], t2i.random_captions(few, generator=rng)


def train(data, say):
    """All parts, one after the other."""
    x, digit = datasets.idx(data, "train")
    begun = time.process_time()
    vae = train_vae(x, say).eval().requires_grad_(False)
    rng = seeded(2)
    place = torch.arange(5).repeat_interleave(len(x))
    raw = torch.cat([codes_of(vae, t2i.placed(x, p), rng) for p in place.reshape(5, -1)])
    facts = facts_of(x, digit, place)
    facts = t2i.Facts(facts.digit.repeat(5), facts.stroke.repeat(5), place)
    mean, std = raw.mean(0), raw.std(0)
    net = parts.new().net
    ema = training.EMA(net, decay=0.999)
    loader = captioned_codes((raw - mean) / std, facts, rng)
    fit(net, ema, loader, "codes", say)
    say(f"{time.process_time() - begun:.0f} s of CPU")
    return parts.System(vae, ema.net, mean, std, usual_ink(x, digit))


# --- The tables ---------------------------------------------------------------------------------

IMAGES, SEEDS, STEPS, FEW = 400, 4, 10, 200
SCALES = (0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


class Judge:
    """The shipped classifier of MNIST, and its features of real training digits."""

    def __init__(self):
        self.net, _ = training.load(pretrained.path("features_mnist"))
        stored = load_file(pretrained.path("features_mnist_real"))
        self.real, self.labels = stored["train_features"].double(), stored["train_labels"].long()

    def frechet(self, x):
        """How far images, brought to the middle, are from real training digits."""
        return metrics.frechet(self.features(x), self.real).value

    def features(self, x):
        """(N, 64) features of images that are brought to the middle."""
        return metrics.features(self.net, t2i.centered(x))


def asked(n, seed):
    """Facts as frequent as in training: digit, place and stroke at random, some left out."""
    rng = seeded(1000 + seed)
    stroke = torch.tensor([0, t2i.UNSAID, 1])[
        torch.multinomial(torch.tensor([0.35, 0.3, 0.35]), n, replacement=True, generator=rng)
    ]
    place = torch.randint(-1, 5, (n,), generator=rng)
    return t2i.Facts(torch.randint(10, (n,), generator=rng), stroke, place)


def captions_of(facts):
    rows = zip(*(fact.tolist() for fact in facts))
    return [t2i.caption(digit, stroke, place) for digit, stroke, place in rows]


def agreement(judge, system, said, x):
    """Share of the images that show what was said: all of it, and each kind of fact."""
    seen = t2i.measured(x, judge.net, system.usual_ink)
    good = t2i.agrees(said, seen)
    whole = good.digit & good.stroke & good.place
    named = {"all": whole, **good._asdict()}
    return {name: round(float(share.double().mean()), 4) for name, share in named.items()}


def variety(features, digit):
    """How far features of one digit are apart, on average over the ten digits."""
    apart = [torch.pdist(features[digit == d]).mean() for d in range(10)]
    return round(float(torch.stack(apart).mean()), 3)


def guidance_entry(system, judge, w, seed):
    """One cell of the curve: IMAGES captions at one guidance scale."""
    said = asked(IMAGES, seed)
    x = t2i.sample(system, captions_of(said), guidance_scale=w, steps=STEPS, generator=seeded(seed))
    own = variety(judge.features(x), said.digit)
    frechet = round(judge.frechet(x), 3)
    return {**agreement(judge, system, said, x), "frechet": frechet, "variety": own}


def real_entries(judge, system, x, digit):
    """The same for real held-out digits, captioned with what is true of them."""
    found, facts = [], facts_of(x, digit, None)
    for seed in range(SEEDS):
        rng = seeded(seed)
        rows = torch.randperm(len(x), generator=rng)[:IMAGES]
        place = torch.randint(5, (IMAGES,), generator=rng)
        said = t2i.Facts(digit[rows], facts.stroke[rows], place)
        shown = t2i.placed(x[rows], place)
        real = {**agreement(judge, system, said, shown), "frechet": round(judge.frechet(shown), 3)}
        again = elbo.decode(system.vae, elbo.encode(system.vae, shown).mean).mean.clamp(-1, 1)
        real["variety"] = variety(judge.features(shown), digit[rows])
        found.append({**real, "reconstructed": round(judge.frechet(again), 3)})
    return found


def fit(net, ema, loader, name, say):
    """NET_STEPS updates of a denoiser that hears captions."""
    steps = training.train(
        parts.SCHEDULE,
        net,
        loader,
        prediction_type="v",
        steps=NET_STEPS,
        lr=2e-3,
        label_dropout=0.1,
        ema=ema,
        generator=seeded(3),
    )
    for step in steps:
        if step.step % 1000 == 0:
            say(f"{name} {step.step}: {step.loss:.3f}")


def flops_of(call):
    """Floating-point operations of one call."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return counter.get_total_flops()


def costs(system):
    """Floating-point operations for one image: of a call of each network, and of the decoder."""
    t, unet = torch.ones(1, dtype=torch.int64), pretrained.load("mnist")
    code = torch.zeros(1, parts.LATENTS)
    return {
        "codes": flops_of(lambda: system.net(code, t)),
        "decoder": flops_of(lambda: system.decode(code)),
        "U-Net": flops_of(lambda: unet.net(torch.zeros(1, *unet.shape), t)),
    }


def makers(system):
    """name -> what is said -> FEW images; each sampler takes STEPS steps."""
    unet = pretrained.load("mnist")

    def of_codes(w):
        return lambda said: t2i.sample(
            system, captions_of(said), guidance_scale=w, steps=STEPS, generator=seeded(0)
        )

    def of_unet(said):
        rng = seeded(0)
        return models.sample(
            unet, FEW, label=said.digit, steps=STEPS, sampler="dpmpp_2m", generator=rng
        )

    def of_prior(said):
        z = normal_like(torch.empty(FEW, parts.LATENTS), generator=seeded(0))
        return system.vae.decode(z).clamp(-1, 1)

    return {
        "codes from the prior": of_prior,
        "codes, w = 1": of_codes(1.0),
        "codes, w = 2": of_codes(2.0),
        "U-Net on pixels, w = 1": of_unet,
    }


@torch.no_grad()
def race(system, judge, x, say):
    """name -> Fréchet distance of FEW images with its standard error, digits as asked, seconds."""
    place = torch.randint(5, (FEW,), generator=seeded(0))
    shown = t2i.placed(x[torch.randperm(len(x), generator=seeded(0))[:FEW]], place)
    again = elbo.decode(system.vae, elbo.encode(system.vae, shown).mean).mean.clamp(-1, 1)
    real = {"real": lambda said: shown, "encoded and decoded": lambda said: again}
    found, said = {}, asked(FEW, 0)
    for name, make in (real | makers(system)).items():
        begun = time.process_time()
        made = make(said)
        seconds = round(time.process_time() - begun, 2)
        distance = metrics.frechet(judge.features(made), judge.real)
        found[name] = {
            "frechet": [round(number, 3) for number in distance],
            "digit": agreement(judge, system, said, made)["digit"],
            "seconds": seconds,
        }
        say(f"{name}: {found[name]}")
    return found


def measure_race(data, say):
    """The table of codes against pixels."""
    system, x = parts.load(SYSTEM), datasets.idx(data, "test")[0]
    found = {"few": FEW, "flops": costs(system), "race": race(system, Judge(), x, say)}
    return {"steps": STEPS, **found}


def measure_guidance(data, say):
    """The curve of guidance scales, and what real digits get."""
    system, judge = parts.load(SYSTEM), Judge()
    found = {"real": real_entries(judge, system, *datasets.idx(data, "test")), "guidance": {}}
    for w in SCALES:
        entries = [guidance_entry(system, judge, w, seed) for seed in range(SEEDS)]
        found["guidance"][f"{w:g}"] = entries
        say(f"w = {w:g}: {entries[0]}")
    return found


def add_to_results(found):
    """Replace some tables of the results, and keep the others."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    table = {"images": IMAGES, "seeds": SEEDS, **kept, **found}
    RESULTS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["train", "race", "guidance", "again"])
    parser.add_argument("--data", type=path_of, help="folder of MNIST's files")
    parser.add_argument("--scale", type=float, default=1.0, help="of `again`")
    parser.add_argument("--out", type=path_of, default=SYSTEM, help="file to write, of `train`")
    args = parser.parse_args()
    if args.what == "train":
        parts.save(args.out, train(args.data, say))
    elif args.what == "again":
        print(json.dumps(guidance_entry(parts.load(SYSTEM), Judge(), args.scale, 0)))
    else:
        measure = measure_race if args.what == "race" else measure_guidance
        add_to_results(measure(args.data, say))
    return 0


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(arithmetic.with_the_same(main))
