"""Exercises of chapter 12: the scale of a loss."""

import math

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._differences import difference, same
from ddpm_lab.course.exercises._inputs import near, one_of

# unet.same_run: from a mean to a sum -------------------------------------------------------------


def _same_run(n, lr_sgd, lr_adam, eps):
    """Settings that give the same run when the loss is n times as large."""
    return lr_sgd / n, lr_adam, eps * n


def _same_run_cases():
    for n, lr_sgd, lr_adam, eps in (
        (one_of(48, 80, 100), 0.1, 3e-3, 1e-8),
        (3072, 0.5, 1e-4, 1e-6),
        (49, 0.02, 2e-3, 1e-5),
    ):
        yield Case(f"n = {n}", (n, near(lr_sgd), near(lr_adam), eps))


_SGD = {
    1: "SGD: the gradient is n times as long now; the step must stay as long as it was",
    0: "SGD: with the old rate each step is n times as long",
    -0.5: "SGD: n times the loss is n times the gradient, without a root",
    0.5: "SGD: the rate must fall, and without a root",
    -2: "SGD: n once, not squared: a gradient is linear in the loss",
}
_ADAM = {
    -1: "Adam divides by the size of the gradient, so its rate stays",
    1: "Adam's step does not shrink with n: m and sqrt(v) grow alike",
    -0.5: "Adam divides by sqrt(v), which grows n times, not sqrt(n); the rate stays",
    0.5: "Adam's rate: m and sqrt(v) both grow n times, so nothing is left",
    -2: "Adam's rate: m and sqrt(v) both grow n times, so no n is left, let alone n squared",
}
_EPS = {
    0: "eps is added to sqrt(v): what must happen to it if sqrt(v) grows n times?",
    -1: "eps must grow, not shrink: sqrt(v) is n times as large, and eps is added to it",
    0.5: "eps is added to sqrt(v), which grows n times, not sqrt(n) times",
    2: "v grows by n squared, but eps is added to its root",
    -0.5: "eps must grow, and without a root",
    -2: "eps must grow, and by n: v is under a root",
}
_POWERS = (-2, -1, -0.5, 0, 0.5, 1, 2)


def _judge_run(case, answer):
    """Of each number by which power of n it was changed, and why not by that."""
    wanted = _same_run(*case.args)
    trouble = difference(answer, wanted)
    if trouble is None or not trouble.startswith("your value"):
        return trouble
    n, *old = case.args
    said = []
    for words, got, want, was in zip((_SGD, _ADAM, _EPS), answer, wanted, old):
        powers = (p for p in _POWERS if same(float(got), was * n**p))
        if not same(float(got), want):
            said.append(words.get(next(powers, None)))
    return "; ".join(said) if all(said) else trouble


def _run(sgd, adam, eps):
    """The three numbers, each times a power of n."""
    return lambda n, lr_sgd, lr_adam, e: (lr_sgd * n**sgd, lr_adam * n**adam, e * n**eps)


def _swapped(*order):
    """The three right numbers in another order."""
    return lambda *args: tuple(_same_run(*args)[i] for i in order)


def _upside_down(n, lr_sgd, lr_adam, eps):
    return lr_sgd * n, lr_adam, eps / n


SAME_RUN = Exercise(
    reference=_same_run,
    cases=_same_run_cases,
    judge=_judge_run,
    wrong={
        "that would be right from sum to mean; here the loss goes from mean to sum": _upside_down,
        "you change nothing; SGD then takes steps n times as long, and eps is too small": (
            _run(0, 0, 0)
        ),
        "all three divided by n: only SGD's rate is; what does Adam divide its step by?": (
            _run(-1, -1, -1)
        ),
        "all three times n: a longer gradient needs a smaller rate; what does Adam divide by?": (
            _run(1, 1, 1)
        ),
        "all three by the root of n: by what factor does a gradient grow, and by what sqrt(v)?": (
            _run(-0.5, -0.5, -0.5)
        ),
        "you wrote 64 for n; n is a parameter, the number of pixels": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / 64, lr_adam, eps * 64)
        ),
        "Adam's rate and eps come first in yours; we want SGD's rate first": _swapped(1, 2, 0),
        "the two rates are swapped: SGD's first": _swapped(1, 0, 2),
        "eps comes last, after Adam's rate": _swapped(0, 2, 1),
        "in reverse order: SGD's rate, Adam's rate, eps": _swapped(2, 1, 0),
        "eps comes last, after the two rates": _swapped(2, 0, 1),
        "eps is given, and need not be Adam's default 1e-8": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam, 1e-8 * n)
        ),
        "your eps is 1e-8 whatever it was; eps must grow with sqrt(v)": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam, 1e-8)
        ),
        "the third number is Adam's eps; you leave it out": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam)
        ),
        "Adam's two numbers are missing: we want three in all": (
            lambda n, lr_sgd, lr_adam, eps: lr_sgd / n
        ),
        "// rounds down, here to 0; divide with /": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd // n, lr_adam, eps * n)
        ),
        "Adam has a rate of its own, lr_adam; you give it SGD's": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_sgd, eps * n)
        ),
        "n is the number of pixels itself, not n - 1": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / (n - 1), lr_adam, eps * (n - 1))
        ),
        "there is a 2 too many beside n: the sum is n times the mean": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / (2 * n), lr_adam, 2 * n * eps)
        ),
        "n enters as it is, without a logarithm": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / math.log(n), lr_adam, eps * math.log(n))
        ),
        "a rate of 0 learns nothing; does Adam's step depend on n at all?": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, 0.0, eps * n)
        ),
        "the two rates are mixed up: lr_sgd is SGD's, lr_adam Adam's": (
            lambda n, lr_sgd, lr_adam, eps: (lr_adam / n, lr_sgd, eps * n)
        ),
        "a factor n divides or multiplies; you subtract and add it": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd - n, lr_adam, eps + n)
        ),
        "these are factors; we want the three new numbers themselves": (
            lambda n, lr_sgd, lr_adam, eps: (1 / n, 1, n)
        ),
        "eps may not vanish; it must stay as large beside sqrt(v) as it was": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam, 0.0)
        ),
        "eps is multiplied, not increased by n": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam, eps + n)
        ),
        **{hint: _run(power, 0, 1) for power, hint in _SGD.items()},
        **{hint: _run(-1, power, 1) for power, hint in _ADAM.items()},
        **{hint: _run(-1, 0, power) for power, hint in _EPS.items()},
    },
)
