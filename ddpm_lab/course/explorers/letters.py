"""What does a half-covered word still say? The exact denoiser of letters (chapter 17b)."""

import math
from functools import cache
from typing import Any

import torch

from ddpm_lab import discrete
from ddpm_lab.course import figures, words
from ddpm_lab.course.explorers._controls import Count, Menu
from ddpm_lab.course.explorers._drawing import Drawing, ready
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, RED
from ddpm_lab.gaussians import seeded

T = 20
K = len(words.LETTERS)
NOISES = {"absorbing": discrete.absorbing(K + 1), "uniform": discrete.uniform(K)}

QUESTION = "What does a half-covered word still say?"

CONTROLS = {
    "noise": Menu("noise", "absorbing", "What a letter is replaced by", tuple(NOISES)),
    "word": Menu("word", "the", "The clean word, x_0", words.WORDS),
    "t": Count(
        "t (steps)", 10, "The time: at 0 the word is clean, at 20 it is gone", 1, T, plays=True
    ),
    "seed": Count("seed", 0, "Decides which letters are replaced, and when", 0, 20),
}


def what_a_mask_hides(**state: Any) -> Explorer:
    """What does a half-covered word still say? A word, its noise and a time; three linked views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> what_a_mask_hides()
    What does a half-covered word still say? ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """For each of the three letters: what is seen at t, and what the ideal denoiser believes of
    the original, as bars over the alphabet.

    >>> drawing().update(noise="absorbing", word="the", t=20, seed=0)[-58:]
    'guess, and the most probable word has a probability of 3%.'
    """
    figure, axes = figures.new(1, 3, width=8.4, height=3.4, sharey=True)
    bars = [ax.bar(range(K), [0.0] * K, color=BLUE) for ax in axes]
    true = [ax.plot([], [], "v", color=RED, label="x_0")[0] for ax in axes]
    seen = [ax.text(9, 1.22, "", ha="center", fontsize=14, family="monospace") for ax in axes]
    for ax in axes:
        ax.set(ylim=(0, 1.45), yticks=[0, 0.25, 0.5, 0.75, 1], xticks=range(K))
        ax.set_xticklabels(words.LETTERS, fontsize=8)
        ax.set(xlabel="letter")
    axes[0].set_ylabel("probability of x_0, given x_t")
    axes[2].legend(loc="upper right", fontsize=9)

    def update(noise, word, t, seed):
        x_t = _covered(noise, word, t, seed)
        p, items = _belief(noise, x_t, t)
        shown = words.decode(x_t)[0]
        for d in range(3):
            for bar, height in zip(bars[d], p[d].tolist()):
                bar.set_height(height)
            true[d].set_data([words.LETTERS.index(word[d])], [1.08])
            seen[d].set_text(f"x_t: {shown[d]}")
        best = items.max()
        bits = float(-torch.xlogy(items, items).sum()) / math.log(2)
        return (
            f"What does a half-covered word still say? {word} at t = {t} reads {shown}: of 5 bits "
            f"{bits:.2f} are left to guess, and the most probable word has a probability of "
            f"{best:.0%}."
        )

    return ready(figure, QUESTION, [b for each in bars for b in each] + true + seen, update)


@cache
def _covered(noise, word, t, seed):
    """(1, 3) x_t. A letter that is replaced at t is replaced at all later times, too: each letter
    has a random number of its own, and is kept while that lies below abar_t."""
    rng = seeded(seed)
    dice = torch.rand(1, 3, generator=rng, dtype=torch.float64, device="cpu")
    fresh = discrete.draw(NOISES[noise].expand(1, 3, -1), generator=rng)
    return words.encode([word]).where(dice < words.even(T).abar[t], fresh)


def _belief(noise, x_t, t):
    """(3, K) probability of each letter, and (N,) of each word, given x_t."""
    schedule, items = words.even(T), words.encode(words.WORDS)
    p = discrete.dataset_denoiser(items, schedule, NOISES[noise])(x_t, t)[0, :, :K]
    q = discrete.marginal(schedule, NOISES[noise], items, t)  # (N, 3, K)
    joint = q.gather(2, x_t.expand(len(items), 3)[..., None])[..., 0].prod(1)
    return p, joint / joint.sum()
