"""Few steps by learning: progressive distillation and a consistency model (chapter 17b).

Both start from a teacher that needs many steps, and train a network of type v to land where the
teacher lands. In the plane the teacher is exact, so all the error is the student's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddpm_lab import ideal_denoisers, metrics, networks, predictions, samplers, schedules
from ddpm_lab.forward import noised
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.training import pretrained
from ddpm_lab.types import Data, Denoiser, Times

Draw = Callable[[int, torch.Generator], Data]
"""(n, generator) -> n clean data points."""
BATCH = 256
SCHEDULE = schedules.cosine()
MIXTURE = ideal_denoisers.circle_mixture(8, std=0.1)


def data(n: int, generator: torch.Generator) -> Data:
    """Points of the chapter's example: eight Gaussians on a circle.

    >>> data(3, seeded(0)).shape
    torch.Size([3, 2])
    """
    return ideal_denoisers.sample(MIXTURE, n, generator=generator)


def exact() -> Denoiser:
    """The teacher: the ideal denoiser of these points.

    >>> exact()(torch.tensor([[0.9, 0.1]]), 1).round(decimals=1)      # hardly any noise
    tensor([[0.9000, 0.1000]])
    """
    return ideal_denoisers.mixture_denoiser(MIXTURE, SCHEDULE)


def new() -> networks.MLP:
    """A student that has learned nothing yet.

    >>> new()(torch.ones(1, 2), torch.ones(1, dtype=torch.int64))
    tensor([[0., 0.]], grad_fn=<ViewBackward0>)
    """
    return networks.build(networks.MLP, seed=0, dim=2, width=64)


def one_step_target(schedule: Schedule, x_t: Data, x_s: Data, t: Times, s: Times) -> Data:
    """The estimate of x_0 with which one DDIM step from t to s lands on x_s  [SH22, Algorithm 2].

    x0 = (x_s - ratio x_t) / (signal_s - ratio signal_t),  ratio = noise_s / noise_t

    >>> schedule, x_t, x_0 = schedules.linear(), torch.ones(1, 2), torch.zeros(1, 2)
    >>> x_s = samplers.ddim_step(schedule, x_t, x_0, 500, 200).mean
    >>> one_step_target(schedule, x_t, x_s, 500, 200).abs().max() < 1e-6
    tensor(True)
    """
    ratio = row(schedule.noise, s) / row(schedule.noise, t)
    below = row(schedule.signal, s) - ratio * row(schedule.signal, t)
    return (x_s - coef(ratio, x_t) * x_t) / coef(below, x_t)


def two_steps(schedule: Schedule, teacher: Denoiser, x_t: Data, t: Tensor, m: Tensor, s: Tensor):
    """Where two DDIM steps of the teacher land, from t to m and from m to s.

    >>> t, m, s = torch.tensor([[500], [200], [0]])
    >>> two_steps(SCHEDULE, lambda x, t: torch.zeros_like(x), torch.ones(1, 2), t, m, s)
    tensor([[0., 0.]])
    """
    x_m = samplers.ddim_step(schedule, x_t, teacher(x_t, t), t, m).mean
    return samplers.ddim_step(schedule, x_m, teacher(x_m, m), m, s).mean


def halve(
    schedule: Schedule,
    teacher: Denoiser,
    net: nn.Module,
    times: Sequence[int],
    data: Draw,
    *,
    steps: int,
    lr: float = 1e-3,
    generator: torch.Generator,
) -> Iterator[float]:
    """Progressive distillation, one halving: the student does two of the teacher's steps in one.

    Parameters
    ----------
    teacher : (x_t, t) -> x0_hat, to be followed with the timesteps `times`
    net : network of type v, changed in place; to be used with `times[::2]` afterwards
    times : falling ints, an even number of steps, down to 0

    Yields
    ------
    float, the loss of each update, weighted with max(SNR, 1) as in [SH22]

    >>> times = [1000, 750, 500, 250, 0]
    >>> losses = halve(SCHEDULE, exact(), new(), times, data, steps=2, generator=seeded(0))
    >>> len(list(losses))
    2
    """
    triples = [times[0:-2:2], times[1:-1:2], times[2::2]]
    t_m_s = torch.tensor(triples, dtype=torch.int64, device="cpu")

    def loss(x_0, rng):
        t, m, s = _some(t_m_s, len(x_0), rng)
        x_t = noised(schedule, x_0, t, normal_like(x_0, generator=rng))
        with torch.no_grad():
            x_s = two_steps(schedule, teacher, x_t, t, m, s)
            wanted = one_step_target(schedule, x_t, x_s, t, s)
        estimate = predictions.convert(schedule, net(x_t, t), "v", x_t, t).x0
        weight = coef(row(schedule.snr, t).clamp(min=1), x_t)
        return (weight * (estimate - wanted) ** 2).mean()

    return _fit(net, loss, data, steps, lr, generator)


def consistency(
    schedule: Schedule,
    teacher: Denoiser,
    net: nn.Module,
    times: Sequence[int],
    data: Draw,
    *,
    steps: int,
    lr: float = 1e-3,
    generator: torch.Generator,
) -> Iterator[float]:
    """Consistency distillation: neighbors on one path of the teacher must give one answer [Son23].

    The answer f(x_t, t) is the x0_hat of a network of type v, which is x itself at t = 0. Its
    target is the answer of a slowly following copy, one step of the teacher further down.

    Parameters
    ----------
    times : falling ints down to 0: the teacher's steps

    Yields
    ------
    float, the loss of each update

    >>> times = [1000, 500, 0]
    >>> losses = consistency(SCHEDULE, exact(), new(), times, data, steps=2, generator=seeded(0))
    >>> len(list(losses))
    2
    """
    t_s = torch.tensor([times[:-1], times[1:]], dtype=torch.int64, device="cpu")
    copy = deepcopy(net).requires_grad_(False)

    def loss(x_0, rng):
        t, s = _some(t_s, len(x_0), rng)
        x_t = noised(schedule, x_0, t, normal_like(x_0, generator=rng))
        with torch.no_grad():
            for mine, theirs in zip(copy.parameters(), net.parameters()):
                mine.lerp_(theirs, 0.05)
            x_s = samplers.ddim_step(schedule, x_t, teacher(x_t, t), t, s).mean
            wanted = torch.where((s == 0)[:, None], x_s, answer(schedule, copy, x_s, s))
        return ((answer(schedule, net, x_t, t) - wanted) ** 2).mean()

    return _fit(net, loss, data, steps, lr, generator)


def _some(table, n, rng):
    """n columns of a table of times, drawn with replacement."""
    return table[:, torch.randint(table.shape[1], (n,), generator=rng, device="cpu")]


def answer(schedule: Schedule, net: nn.Module, x_t: Data, t: Tensor) -> Data:
    """f(x_t, t) of a consistency model: the end of the path that x_t lies on.

    >>> x = torch.ones(1, 2)
    >>> (answer(SCHEDULE, new(), x, torch.tensor([1])) - x).abs().max() < 1e-3    # near t = 0
    tensor(True)
    """
    t = t.clamp(min=1)  # at t = 0 it is not used
    return predictions.convert(schedule, net(x_t, t), "v", x_t, t).x0


def _fit(net, loss_of, data, steps, lr, rng):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        loss = loss_of(data(BATCH, rng), rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
        yield float(loss.detach())


# --- The stored students --------------------------------------------------------------------------


def save(path: Path, students: Mapping[str, nn.Module]) -> None:
    """Write all students to one file, in 16 bits.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Path(folder, "few.safetensors"), {"1": new()})
    ...     list(load(Path(folder, "few.safetensors")))
    ['1']
    """
    weights = {f"{k}.{w}": v for k, net in students.items() for w, v in net.state_dict().items()}
    save_file({name: value.half().contiguous() for name, value in weights.items()}, path)


def load(path: Path | None = None) -> dict[str, networks.MLP]:
    """The students: "16", "8", "4", "2", "1" by their number of steps, and "consistency".

    >>> sorted(load())
    ['1', '16', '2', '4', '8', 'consistency']
    """
    found = load_file(pretrained.path("few_steps") if path is None else path)
    students = {name: new() for name in sorted({key.partition(".")[0] for key in found})}
    for name, net in students.items():
        own = {
            key.partition(".")[2]: v.float()
            for key, v in found.items()
            if key.partition(".")[0] == name
        }
        net.load_state_dict(own)
        net.eval().requires_grad_(False)
    return students


def end(denoise: Denoiser, z: Data, steps: int, order: Literal[1, 2] = 1) -> Data:
    """Where a denoiser leads from noise z in so many even steps: DDIM, or order 2.

    >>> end(lambda x_t, t: torch.zeros_like(x_t), torch.ones(1, 2), 4)
    tensor([[0., 0.]])
    """
    times = schedules.timesteps(SCHEDULE.T, 32)[:: 32 // steps] if steps <= 32 else None
    times = times or schedules.timesteps(SCHEDULE.T, steps)
    return samplers.final(
        samplers.probability_flow_ode(SCHEDULE, denoise, z, times=times, order=order)
    )


def judged(students: Mapping[str, nn.Module], n: int = 1000) -> dict[str, tuple[float, float]]:
    """name -> (how far from the end of the teacher's ODE, root mean square; energy distance).

    >>> round(judged({"1": new()}, n=100)["1"][0], 1)           # it says 0: one radius off
    1.0
    """
    z = normal_like(torch.empty(n, 2, dtype=torch.float32, device="cpu"), generator=seeded(5))
    truth, real = end(exact(), z, 250, order=2), data(n, seeded(6))
    found = {}
    for name, net in students.items():
        denoise = predictions.denoiser(SCHEDULE, net, "v")
        x = end(denoise, z, 1 if name == "consistency" else int(name))
        error = float((x - truth).square().sum(1).mean().sqrt())
        found[name] = error, metrics.energy_distance(x, real).value
    return found
