# %% [markdown]
# # 15 · How few steps are enough, and how do you ask for something?
#
# A trained network can be asked a thousand times for one picture, or ten times. It can make any digit, or
# the one that you name. Nothing of this needs more training: it is all in how the network is *used*. This
# chapter measures what fewer calls cost, what asking costs, and what one noise has to do with one picture.
#
# **After this chapter you can**
#
# - race samplers on a real network: count calls, show the floor, and say what is within noise,
# - derive guidance from Bayes' rule, and say what it samples from and what it does not,
# - choose a weight of guidance from a measured trade-off,
# - encode a real picture, decode it again, and go from one picture to another,
# - choose the variance of a walk with few steps.
#
# **You need** the samplers of [10 · Sampling without learning](10_sampling_without_learning.ipynb), the best variance of
# [07 · Posterior](07_posterior.ipynb), and energy and Fréchet distance with their floors, which
# [11 · Learning to denoise](11_learning_to_denoise.ipynb) began and chapter 14 completes. About 105 minutes without the optional sections, with a good place for a
# break before "One noise, one picture"; it runs in about a minute.
#
# **In the papers:** [Song21a] and [Lu22] for few steps; [HS22] for guidance; [ND21, Sec. 3.1] for the variance.

# %%
import json
import math
from functools import partial

import torch
from safetensors.torch import load_file

from ddpm_lab import datasets, forward, ideal_denoisers, metrics, networks, predictions
from ddpm_lab import samplers, schedules, training
from ddpm_lab.course import compare_samplers, figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, normal_like, seeded
from ddpm_lab.training import models, pretrained

model = pretrained.load("digits")  # a network that was told the label of most pictures
plan = model.schedule
judge, _ = training.load(pretrained.path("features_digits"))  # names digits, and describes them
train, known = datasets.digits("train")
test, answers = datasets.digits("test")

# %% [markdown]
# ## A first look
#
# `pretrained.load` opens the networks that come with the course. This one makes 8 × 8 digits. It was told the labels of most pictures, and of some not
# (one in eight), so it can be used with a label and without one. (It also learned from digits moved by a pixel, which have labels of their own, 10 to 19; we do not ask for those.) `models.sample` makes pictures. `dpmpp_2m`, called *multistep* in the tables below, is the solver of chapter 10 that
# remembers its last guess: one call of the network for each step.

# %%
ten = torch.arange(10)
few = {n: models.sample(model, 10, label=ten, steps=n, generator=seeded(1))
       for n in (1, 2, 4, 10, 50)}
free = models.sample(model, 10, steps=10, generator=seeded(1))
rows = torch.cat([*few.values(), free])
fig = figures.images(rows, columns=10, panel=0.62,
                     row_labels=[f"{n} calls" for n in few] + ["10 calls, no label"])
figures.show(fig, alt="Ten digits, asked for: gray with 1 call, clear with 4, the same later.")
for n, x in few.items():
    share = metrics.accuracy(judge, x, ten).value
    off = (x - few[50]).square().mean().sqrt()
    print(f"{n:2} calls: {share:.0%} read as asked, {off:.2f} from the picture with 50 calls")

# %% [markdown]
# All rows start from the same noise. One call gives a mean: the blurred average of a digit (chapter 10). With four the pictures
# can be read, and from 10 to 50 they hardly move. So are ten calls as good as a thousand? The eye is a poor judge of *laws*. We need numbers.

# %% [markdown]
# ## 1 · A race on a real network
#
# Chapter 10 raced five samplers with a perfect denoiser, and warned that its ranking holds for a toy. Here is the same race with a network.
# The currency is **calls of the network**; the second-order flow needs two in each step.

# %%
figures.show_source(compare_samplers.walk)
figures.show_source(compare_samplers.start)
RACERS = compare_samplers.RACERS
walk = partial(compare_samplers.walk, plan)
start = partial(compare_samplers.start, known)

# %%
count = 0


def counted(x_t, t):
    """The network, and a count of how often it is called."""
    global count
    count += 1
    return models.denoiser(model)(x_t, t)


for name in RACERS:
    count = 0
    walk(name, counted, start(1, 0)[1], 10)
    print(f"{name:>13}, asked for 10 calls: makes {count}")

# %% [markdown]
# The rulers are those of chapter 11 and 14. The **energy distance** of the pixels is 0 on average if the samples follow the law of the held-out digits. The
# **Fréchet distance** compares the mean and the covariance of 32 *features*, numbers by which a small classifier describes a picture; it is positive even for
# perfect samples, so it means nothing without its **floor**. Here the floor is what 200 real *training* digits score in the place of the samples, against the same 901 held-out ones, ten times.

# %%
label, x_T = start(200, 0)
told = models.denoiser(model, label)
seen_train, seen_test = metrics.features(judge, train), metrics.features(judge, test)


def floor_of(metric, real, target, n, seed=1):
    """(lowest, highest) of ten scores of n real training items in the place of samples."""
    rng = seeded(seed)
    some = [real[torch.randperm(len(real), generator=rng)[:n]] for _ in range(10)]
    scores = [metric(each, target).value for each in some]
    return min(scores), max(scores)


floor_e = floor_of(metrics.energy_distance, train, test, 200)
floor_f = floor_of(metrics.frechet, seen_train, seen_test, 200)
for name, (low, high) in (("energy", floor_e), ("Fréchet", floor_f)):
    print(f"floor, {name}: from {low:.3f} to {high:.3f}")

# %%
# claim: E75
calls = (4, 10)
print("energy distance ± its standard error, then Fréchet distance; calls:", calls)
for name in RACERS:
    line = []
    for n in calls:
        x = walk(name, told, x_T, n)
        energy = metrics.energy_distance(x, test)
        far = metrics.frechet(metrics.features(judge, x), seen_test)
        line.append(f"{energy.value:+.3f} ± {energy.stderr:.3f}, {far.value:.2f}")
    print(f"{name:>13}:  " + "   ".join(line))

# %% [markdown]
# Look at the column of 4 calls first: pictures that can be read, and every energy distance is above the floor, whose highest value is 0.027. The second-order flow is ahead, 0.049, with two moves. With 10 calls all five lie within the floor, from 0.001 to 0.025: 200 pictures and this ruler do not tell them from real digits. The
# Fréchet distance sees nothing at all: every entry lies within its floor.
#
# You may read that leaving the Markov chain is what *allows* few steps. Here, as in chapter 10, `ddpm` runs in 4 or 10 moves as well. It is not better or worse by its right to do so, only by its error.
#
# Two hundred pictures are too few to tell good samplers apart. So the same functions have been run for longer, once: 800 pictures for each
# entry, in four runs of 200 (`python tools/compare_samplers.py`, some minutes). Here is what that found.

# %%
long = json.loads(pretrained.path("digits").with_name("compare_samplers.json").read_text())
low, high = floor_of(metrics.energy_distance, train, test, long["pictures"])
fig, ax = figures.new(width=7.5, height=3.6)
score = {name: torch.tensor(found["energy"]) for name, found in long["walks"].items()}
for (name, e), color, dash in zip(score.items(), figures.COLORS, figures.DASHES):
    mean, error = e.mean(1), e.std(1) / e.shape[1] ** 0.5  # e: (numbers of calls, runs)
    ax.errorbar(long["calls"], mean, yerr=error, color=color, linestyle=dash, marker="o",
                markersize=4, capsize=3, label=name)
    print(f"{name:>13}: " + "  ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, error)))
ax.axhspan(low, high, color=figures.GRAY, alpha=0.25, label="floor")
ax.set(xscale="log", xlabel="calls of the network", ylabel="energy distance, data units")
ax.set_xticks(long["calls"], long["calls"])
ax.legend(fontsize=9)
figures.show(fig, alt="Energy distance against calls: all fall; ddpm needs most calls to get down.")
print(f"calls {long['calls']}; floor from {low:.3f} to {high:.3f}")

# %%
print("energy distance minus that of the flow with as many calls; calls:", long["calls"])
for name, e in score.items():
    if name != "flow, order 2":
        more = e - score["flow, order 2"]
        print(f"{name:>13}: " + "  ".join(f"{m:+.3f} ± {s:.3f}" for m, s in zip(
            more.mean(1), more.std(1) / more.shape[1] ** 0.5)))

# %% [markdown]
# An error bar here is the standard error of the mean of four runs: two thirds of the time the true mean lies within it. Two things can be said from the first table. From 20 calls on every mean is within the floor, which is that of a single set of 200; a mean of four would have a narrower one, so this is a mild test. And the run above was a lucky one: with 10 calls the small variance had 0.025 there, and has 0.045 on average of four. The second table says more. All walks of one run start from the same noise and labels and are held against the same real digits, so that the luck of the run drops out of a *difference*.
#
# - **4 to 10 calls.** The second-order flow is ahead of all others. With 10 calls `multistep` is 0.008 ± 0.001 behind, `ddim` 0.017 ± 0.001, the large variance 0.017 ± 0.004, the small one 0.031 ± 0.005.
# - **20 calls.** `multistep` has nearly caught up, 0.002; `ddim` is 0.007 behind; the small variance 0.012 ± 0.004, the large one 0.004 ± 0.003.
# - **50 and 200 calls.** Nothing is left to be gained. The deterministic walks differ by 0.003 and less, and `ddpm` with either variance is within two of its errors of the flow.
#
# So on this network `ddpm` needs about 20 calls with the large variance and 50 with the small one, the flow 6 to 10. (That is for even stops. We come back to that.) And 200 calls buy nothing that 800 pictures can show.
#
# ### Why can one remember and the other not?
#
# `multistep` is as cheap as `ddim` and better at few calls, because it does not keep its guess fixed during a move. (The flow does not either, but pays two calls.) In $\lambda = \log(\text{signal}/\text{noise})$, half of the log-SNR that chapter 06 calls $\lambda$, with
# $h = \lambda_s - \lambda_t$ for this move and $h'$ for the one before, it goes to
#
# $$x_s = \frac{\text{noise}_s}{\text{noise}_t}\,x_t + \text{signal}_s\,(1 - e^{-h})\,D, \qquad
# D = \hat x_0 + \frac{h}{2h'}\,(\hat x_0 - \hat x_0'), \tag{15.1}$$
#
# where $\hat x_0'$ is the guess one move ago: it *extrapolates* to the middle of the move. That pays if the guess changes steadily. **Predict.** Along which
# walk does it, along that of `ddim` or along that of `ddpm`?

# %%
# eq: 15.1
first, second, *_ = samplers.dpmpp_2m(plan, told, x_T, times=[1000, 800, 650, 400])
lam = (plan.signal / plan.noise).log()
h, h_before = lam[650] - lam[800], lam[800] - lam[1000]
D = second.x0_hat + float(h / (2 * h_before)) * (second.x0_hat - first.x0_hat)
by_hand = plan.noise[650] / plan.noise[800] * second.x_t + plan.signal[650] * -torch.expm1(-h) * D
print("(15.1) is what samplers.dpmpp_2m does:",
      torch.allclose(by_hand.float(), second.x_s, atol=1e-5))

# %%
for name in ("ddim", "ddpm small"):
    moves = list(RACERS[name](plan, told, x_T, generator=seeded(1),
                              times=schedules.timesteps(1000, 20)))
    guess = torch.stack([w.x0_hat.flatten(1) for w in moves[:-1]])
    change = guess[1:] - guess[:-1]
    same_way = torch.cosine_similarity(change[1:], change[:-1], dim=2)
    print(f"{name:>10}: two changes of the guess in a row have cosine {same_way.mean():+.2f}")

# %% [markdown]
# Along `ddim` two changes in a row go much the same way, +0.57, so a line through the last two guesses points to where the next one will be. Along `ddpm` they have nothing to do with each other, −0.07: the fresh noise of each move changes the guess in a new direction,
# and what was learned from the last two guesses is out of date.
#
# So fresh noise rules out extrapolation. It is not the whole reason for many calls: `ddim` throws nothing, keeps its guess fixed during a move, and at 10 calls is no better than `ddpm` with the large variance, 0.031 both. What saves calls is following the changing guess *within* a move, and that needs a walk without dice. For the small variance one thing more counts: over long moves its law (10.4) is too narrow (chapter 07).
#
# ### Where should the stops be?
#
# `schedules.timesteps` spreads them evenly over $t$. Chapter 12 found that the hard times of this task lie at small $t$. So more stops there?
#
# ### Exercise 15.1 · Late stops
#
# Return a falling list of whole times from `T` to 0 whose $k$-th stop from the end, counted from $k = 0$, is $T\,(k/\text{steps})^2$, rounded with `round`. Leave out repetitions: near 0 two stops may
# round to the same time. ([Song21a] use such a list for one of their data sets.)

# %% tags=["exercise"]
def my_late(T, steps):
    """Return [T, …, 0], crowded near 0, strictly falling."""
    ### BEGIN SOLUTION
    stops = {round(T * (k / steps) ** 2) for k in range(steps + 1)}  # a set: no repetitions
    return sorted(stops, reverse=True)
    ### END SOLUTION


late = check("guidance.timesteps", my_late)

# %%
for n in (5, 10):
    print(f"{n} calls, late stops: {late(1000, n)}")
    for name in ("ddim", "multistep", "ddpm large"):
        found = [metrics.energy_distance(walk(name, told, x_T, n, times=times), test)
                 for times in (None, late(1000, n))]
        even, crowded = found
        print(f"{name:>11}: even {even.value:.3f} ± {even.stderr:.3f}, "
              f"late {crowded.value:.3f} ± {crowded.stderr:.3f}")

# %% [markdown]
# With 5 calls late stops bring `multistep` from 0.045 down to 0.006, far inside the floor, and `ddim` from 0.055 to 0.030. The large variance loses, 0.054 to 0.079. With 10 calls all three gain, by no more than 0.012, about one and a half errors. So *where* the stops are matters as much as *which* solver, as
# long as there are few: here late stops gain `multistep` more than a change from `ddim` to `multistep` did. But mind what was tested: one schedule, one network, one list. With another schedule the same list of $t$ means other noise levels.

# %% [markdown]
# ## 2 · How to ask: guidance
#
# The network above was simply told the label. That works, so why is there more to say? Because one can ask *more strongly*. First the
# mathematics, on data for which everything is known: two classes, $y = A$ and $y = B$, each a bell on the line, and they overlap.
#
# Bayes' rule for noisy data says $q(x_t \mid y) = q(x_t)\,q(y \mid x_t)/q(y)$. Take logarithms and the gradient in $x_t$; $q(y)$ does not depend on $x_t$ and drops out:
#
# $$\nabla \log q(x_t \mid y) = \nabla \log q(x_t) + \nabla \log q(y \mid x_t). \tag{15.2}$$
#
# The score (chapter 09) of the data *with* the label is the score *without* it plus a pull: the direction in which a classifier becomes surer of $y$. (A **classifier** is a function that
# gives the probability of each class; this one sees noisy data.)

# %%
half = torch.tensor([0.5, 0.5], dtype=torch.float64)
middles = torch.tensor([[-0.6], [0.6]], dtype=torch.float64)
both = ideal_denoisers.Mixture(half, middles, 0.8 * half)  # two bells of variance 0.4
only_B = ideal_denoisers.Mixture(half[:1] * 2, both.mean[1:], both.var[1:])
smooth = schedules.cosine()
x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None].requires_grad_()

# %%
def score_of(f):
    """The gradient of f at each x; the items do not mix, so one sum serves them all."""
    return torch.autograd.grad(f(x).sum(), x)[0]


def log_q(mixture, t, x):
    return ideal_denoisers.log_density(mixture, smooth, x, t)


def classifier(t, x):
    """log q(y = B | x_t): B's share of the density at x_t."""
    signal, var = smooth.signal[t], (smooth.abar[t] * both.var + 1 - smooth.abar[t])[0]
    return torch.nn.functional.logsigmoid(2 * signal * 0.6 * x[:, 0] / var)


# %%
# eq: 15.2
for t in (1, 300, 700):
    left = score_of(partial(log_q, only_B, t))
    right = score_of(partial(log_q, both, t)) + score_of(partial(classifier, t))
    far = (left - right).abs().max()
    print(f"(15.2) at t = {t}: largest difference below 1e-12: {bool(far < 1e-12)}")

# %% [markdown]
# **Classifier guidance** takes (15.2) and turns up the pull by a factor $w$ (Dhariwal and Nichol 2021):
#
# $$\text{score}_w = \nabla \log q(x_t) + w\,\nabla \log q(y \mid x_t). \tag{15.3}$$
#
# $w = 0$ ignores the label, $w = 1$ is (15.2), $w > 1$ exaggerates. It needs a classifier for *noisy* pictures. **Predict.** Would an ordinary one do? Ours reads clean
# digits well. How many does it read at $t = 300$, where you hardly can?

# %%
for t in (0, 100, 200, 300, 500):
    noisy = forward.noised(plan, test, t, normal_like(test, generator=seeded(t))) if t else test
    share = metrics.accuracy(judge, noisy, answers)
    print(f"t = {t:3}: the classifier names {share.value:.0%} ± {share.stderr:.0%} rightly")

# %% [markdown]
# At $t = 100$ it still names 96 %, at $t = 300$ 42 %, at $t = 500$ 17 %, little more than guessing. It has never seen noise. Its pull would be worthless at just those times at which it is decided what the digit will be.
#
# So one would have to train a second network. **Classifier-free guidance** [HS22] avoids it: by (15.2) the pull is a *difference of two scores*, and one network gives both if it was
# sometimes trained without the label. Insert $\nabla\log q(y \mid x_t) = \nabla\log q(x_t \mid y) - \nabla\log q(x_t)$ into (15.3):
#
# $$\text{score}_w = u + w\,(c - u), \qquad u = \nabla \log q(x_t), \quad c = \nabla \log q(x_t \mid y). \tag{15.4}$$
#
# A network does not give scores, it gives $\hat x_0$, $\hat\epsilon$ or $\hat v$. At a fixed $x_t$ and $t$ each of these is a number times the score plus something that depends on $x_t$ alone: $\hat x_0 = k\,\text{score} + r$ (chapter 09).
# Then, since the weights $1-w$ and $w$ add up to 1, the rule survives:
#
# $$(1-w)\,(k\,u + r) + w\,(k\,c + r) = k\,\big[u + w\,(c-u)\big] + r. \tag{15.5}$$
#
# So guidance may be done with any of the four, and the result is the same.
#
# ### Exercise 15.2 · The guided guess
#
# `asked` and `free` are two denoisers, functions of `(x_t, t)`: one was told the label, one was not. Return the guided guess (15.4) at `x_t`.

# %% tags=["exercise"]
def my_guess(asked, free, x_t, t, w):
    """Return the guided guess, shaped like x_t."""
    ### BEGIN SOLUTION
    c, u = asked(x_t, t), free(x_t, t)
    return u + w * (c - u)
    ### END SOLUTION


guess = check("guidance.classifier_free", my_guess)

# %%
# eq: 15.3, 15.4
asked_B = ideal_denoisers.mixture_denoiser(only_B, smooth)
free_B = ideal_denoisers.mixture_denoiser(both, smooth)
place = x.detach()
pull = score_of(partial(log_q, both, 300)) + 3 * score_of(partial(classifier, 300))  # (15.3)
ours = predictions.convert(smooth, guess(asked_B, free_B, place, 300, 3.0), "x0", place, 300).score
far = (pull - ours).abs().max()
print(f"(15.4) in x0 is (15.3) in the score, within 1e-10: {bool(far < 1e-10)}")

# %%
# eq: 15.5
x_t = forward.noised(plan, test[:50], 400, normal_like(test[:50], generator=seeded(1)))
t = torch.full((50,), 400)
with torch.no_grad():
    outs = [predictions.convert(plan, model.net(x_t, t, y), "v", x_t, 400)
            for y in (answers[:50], None)]
x0 = {kind: predictions.convert(plan, u + 3 * (c - u), kind, x_t, 400).x0
      for kind in ("x0", "eps", "v") for c, u in [[getattr(p, kind) for p in outs]]}
for kind in ("eps", "v"):
    print(f"the network, guided in {kind} and in x0: the same within 0.001: "
          f"{bool((x0[kind] - x0['x0']).abs().max() < 1e-3)}")

# %% [markdown]
# ### Two conventions
#
# [HS22] write $(1+w)\,c - w\,u$. In their letters 0 *follows* the label, and $w = -1$ ignores it; in ours, which most programs use, these are 1 and 0. So a weight from a paper may mean one more in
# a program. **Predict.** A paper reports its best pictures at $w = 0.3$. You type 0.3 into a program. What do you get?

# %%
c, u = asked_B(place, 300), free_B(place, 300)
paper = 1.3 * c - 0.3 * u
for w in (0.3, 1.3):
    off = (guess(asked_B, free_B, place, 300, w) - paper).abs().max()
    print(f"our w = {w}: differs from their w = 0.3 by {off:.3f}")

# %% [markdown]
# You ask for *less* than a plain conditional network would give. The paper's 0.3 is 1.3 here.
#
# ### What does the guided walk sample from?
#
# (15.4) is the gradient of $\log\big[q(x_t)\,q(y \mid x_t)^w\big]$. Therefore, you may read, guidance samples from the *tilted* law
#
# $$q_w(x_0) \propto q(x_0)\; q(y \mid x_0)^w. \tag{15.6}$$
#
# On the line that can be tested: (15.6) is a curve on a grid, and the flow carries quantile to quantile (10.14), so we start it from exact quantiles of the noise and there is no chance in the result.
# **Predict.** Is the claim right at $w = 1$? At $w = 4$?

# %%
grid = torch.linspace(-4, 5, 901, dtype=torch.float64)[:, None]


def tilted(w):
    """Masses of (15.6) on the grid."""
    log_p = log_q(both, 0, grid) + w * classifier(0, grid)
    return torch.softmax(log_p, dim=0)


share = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
quantiles = torch.special.ndtri(share)[:, None]  # of N(0, 1): where the walks start
hundred = schedules.timesteps(1000, 100)


def flow_ends(denoise, x_T):
    return samplers.final(samplers.probability_flow_ode(smooth, denoise, x_T, times=hundred))[:, 0]


def mean_std(p):
    mean = (p * grid[:, 0]).sum()
    return mean, (p * (grid[:, 0] - mean) ** 2).sum().sqrt()


# %%
ends = {w: flow_ends(predictions.guided(asked_B, free_B, w), quantiles)
        for w in (0.0, 1.0, 2.0, 4.0, 8.0)}

# %%
fig, axes = figures.new(1, 3, height=2.6, sharey=True)
for ax, w in zip(axes, (1.0, 2.0, 4.0)):
    ax.hist(ends[w], bins=60, range=(-2.5, 4), density=True, color=figures.SKY, label="guided flow")
    ax.plot(grid, tilted(w) / 0.01, color=figures.RED, label="tilted law")
    ax.set(title=f"w = {w:g}", xlabel="x_0, data units", xlim=(-2.5, 4))
axes[0].legend(fontsize=8)
axes[0].set_ylabel("density")
figures.show(fig, alt="At w = 1 both agree; at w = 2 and 4 the flow ends further right, narrower.")
for w in (1.0, 2.0, 4.0):
    print(f"w = {w:g}: peak of the tilted law at {grid[tilted(w).argmax()].item():.2f}, median of "
          f"the flow's ends {ends[w].median():.2f}")

# %%
# eq: 15.6
for w, y in ends.items():
    mean, std = mean_std(tilted(w))
    exact = grid[torch.searchsorted(tilted(w).cumsum(0), share).clamp(max=900), 0]
    print(f"w = {w:g}: tilted law {mean:.3f} ± {std:.3f} (mean ± std), flow {y.mean():.3f} "
          f"± {y.std():.3f}, W1 {(y - exact).abs().mean():.3f}")

# %% [markdown]
# At $w = 0$ and 1 flow and tilted law agree to the fineness of the grid. At $w = 2$ they do not: the flow ends around 0.982 ± 0.487, the tilted law lies around 0.791 ± 0.546. At $w = 4$ it is 1.449 ± 0.380 instead of 0.959 ± 0.484. The flow overshoots, and its samples are too alike. No network is involved, and no step
# is too long. So "guidance samples from $q(x)\,q(y \mid x)^w$" is a good picture of what it is *for*, and not what it does.
#
# Why not? Noise the tilted law, and ask what its score is at time $t$. Each $x_0$ counts $q(y \mid x_0)^w$ times as much as before, so the noised law is $q(x_t)$ times the *mean of a power*, and
# guidance uses the *power of a mean*:
#
# $$q_w(x_t) \propto q(x_t)\;E\big[q(y \mid x_0)^w \mid x_t\big] \;\neq\; q(x_t)\;E\big[q(y \mid x_0) \mid x_t\big]^w = q(x_t)\;q(y \mid x_t)^w. \tag{15.7}$$
#
# The two agree at $w = 0$ and 1, and at $t = 0$, where nothing is left to average. In between they do not. So the guided scores do not belong to *any* chain of noised laws: at $t = 0$ they are those of the tilted law, so it would have to be its chain, and it is not. Then even the kind of walk matters: with fresh noise, a third law comes out.

# %%
w, t = 4.0, 500
inside = tilted(w)
points = ideal_denoisers.Mixture(inside / inside.sum(), grid, torch.full((901,), 1e-4).double())
right = ideal_denoisers.mixture_denoiser(points, smooth)  # exact for the tilted law
mean, std = mean_std(inside)
y = flow_ends(right, quantiles[::10])
print(f"flow with the left side of (15.7): {y.mean():.3f} ± {y.std():.3f}, "
      f"tilted law {mean:.3f} ± {std:.3f}")

# %%
# eq: 15.7
for place_t in (-1.0, 0.0, 1.0):
    here = torch.tensor([[place_t]], dtype=torch.float64)
    weight = torch.softmax(log_q(both, 0, grid) - (here - smooth.signal[t] * grid[:, 0])[0] ** 2
                           / (2 * (1 - smooth.abar[t])), dim=0)  # q(x_0 | x_t) on the grid
    chance = classifier(0, grid).exp()
    print(f"x_500 = {place_t:+}: mean of the power {(weight * chance**w).sum():.4f}, power of the "
          f"mean {(weight * chance).sum() ** w:.4f}, {classifier(t, here).exp().item() ** w:.4f}")

# %%
x_T = normal_like(torch.empty(2000, 1, dtype=torch.float64), generator=seeded(1))
for w in (2.0, 4.0):
    y = samplers.final(samplers.ddpm(smooth, predictions.guided(asked_B, free_B, w), x_T,
                                     times=schedules.timesteps(1000, 250), generator=seeded(2)))
    print(f"w = {w:g}, with fresh noise (ddpm): {y.mean():.3f} ± {y.std():.3f}, standard error of "
          f"the mean {y.std() / 2000**0.5:.3f}")

# %% [markdown]
# With the left side of (15.7) the flow does reach the tilted law, 0.952 against 0.959. At $x_{500} = 0$ the mean of the power is 0.2369, the power of the mean 0.0625. With fresh noise the mean is 0.905 at $w = 2$, where the flow has 0.982 and the tilted law 0.791. Three laws, one set of scores. ([Bradley and Nakkiran 2024](https://arxiv.org/abs/2408.09000) prove that these differ, and describe what guidance does instead.) None of them is *the* right one: guidance is a recipe that
# is judged by its pictures. That is what the next section does.

# %% [markdown]
# ### Two networks in one
#
# For (15.4) the network must know both $c$ and $u$. In training the label is hidden for a share of the pictures ([HS22] take 10 to 20 %) and replaced by one more "label" that means *none*: for the network it is another row of a table, to be learned like the others. What does the label
# bring, and what if one forgets to hide it?

# %%
def errors(net, t, label):
    """Squared error of x0_hat at one time for each of 300 held-out digits, a mean over pixels."""
    denoise, x_0 = predictions.denoiser(plan, partial(net, label=label), "v"), test[:300]
    x_t = forward.noised(plan, x_0, t, normal_like(x_0, generator=seeded(t)))
    with torch.no_grad():
        return (denoise(x_t, t) - x_0).square().flatten(1).mean(1)


for t in (100, 300, 500, 700, 1000):
    blind, led = errors(model.net, t, None), errors(model.net, t, answers[:300])
    gain = blind - led
    print(f"t = {t:4}: error without the label {blind.mean():.3f}, with it {led.mean():.3f}; the "
          f"label brings {gain.mean():.3f} ± {gain.std() / len(gain) ** 0.5:.3f}")

# %%
def taught(drop):
    """A small network, 400 short steps; the label is hidden for a share `drop` of the pictures."""
    net, rng = networks.build(networks.UNet, seed=0, width=16, mults=(1,), labels=10), seeded(1)
    batches = datasets.batches(train, 32, labels=known, generator=rng)
    for _ in training.train(plan, net, batches, prediction_type="v", steps=400, lr=3e-3,
                            label_dropout=drop, generator=rng):
        pass
    return net.eval()


# %%
label, x_T = start(200, 0)
for drop in (0.0, 0.1):
    net = taught(drop)
    led, blind = (torch.stack([errors(net, t, y).mean() for t in (300, 500, 700, 1000)]).mean()
                  for y in (answers[:300], None))
    print(f"hidden for {drop:.0%}: error with the label {led:.3f}, without it {blind:.3f}")
    for w in (1.0, 2.0):
        denoise = models.denoiser(model._replace(net=net), label, guidance_scale=w)
        energy = metrics.energy_distance(walk("multistep", denoise, x_T, 10), test)
        print(f"   guided with w = {w:g}: energy {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# At small $t$ the label brings next to nothing, 0.002 at $t = 100$: the digit can be seen. At $t = 1000$ it brings 0.124 of 0.292: there the picture cannot be seen, and the label is all one knows. This difference of two guesses is all that guidance has to work with.
#
# And if nobody hides the label? Two small networks, trained for a few seconds each, differ in nothing else. With the label they are equally good, 0.168 and 0.167: hiding a tenth costs nothing that shows. Without it the one that never met *none* is worse, 0.291 against 0.267. And guidance multiplies that error by $w - 1$: at $w = 2$ its pictures are 0.150 away from real
# digits, those of the other 0.062. So hiding is needed for guidance, and 10 % of it is enough here.

# %% [markdown]
# ## 3 · How strongly? A trade-off
#
# Now the digits. **Predict.** As $w$ grows from 0 to 8, what happens to the share of pictures that the classifier reads as asked, to their variety, and to their distance from real digits?

# %%
def guided_digits(label, x_T, w, n=10):
    """Ends of n-step multistep walks that follow the label with weight w."""
    return walk("multistep", models.denoiser(model, label, guidance_scale=w), x_T, n)


def apart(x, label):
    """Variety: the mean distance of two items with the same label, mean over the ten labels."""
    same = [torch.pdist(x[label == y].flatten(1).double()).mean() for y in range(10)]
    return torch.stack(same).mean()


# %%
_, noise = start(10, 1)
sheet = torch.cat([guided_digits(ten, noise, w) for w in (0.0, 1.0, 2.0, 4.0, 8.0)])
fig = figures.images(sheet, columns=10, panel=0.62,
                     row_labels=[f"w = {w}" for w in (0, 1, 2, 4, 8)])
figures.show(fig, alt="Rows for w = 0 to 8: any digits, then those asked for, ever harder.")
for w, x in zip((0, 1, 2, 4, 8), sheet.split(10)):
    full = (x.abs() > 0.99).double().mean()
    print(f"w = {w}: {metrics.accuracy(judge, x, ten).value:.0%} read as asked, "
          f"{full:.0%} of the pixels black or white")

# %%
label, x_T = start(200, 0)
ws, rows = (0.0, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0), []
for w in ws:
    x = guided_digits(label, x_T, w)
    energy, seen = metrics.energy_distance(x, test), metrics.features(judge, x)
    far, read = metrics.frechet(seen, seen_test), metrics.accuracy(judge, x, label).value
    rows.append((w, read, energy.value, energy.stderr))
    print(f"w = {w:3g}: read as asked {read:5.1%}; apart {apart(x, label):.2f}, in features "
          f"{apart(seen, label):.2f}; energy {energy.value:+.3f} ± {energy.stderr:.3f}, Fréchet "
          f"{far.value:.2f} ± {far.stderr:.2f}")
print(f"   real: read rightly {metrics.accuracy(judge, test, answers).value:.1%}; apart "
      f"{apart(test, answers):.2f}, in features {apart(seen_test, answers):.2f}; "
      f"floors up to {floor_e[1]:+.3f} and {floor_f[1]:.2f}")

# %%
_, read, energy, error = (torch.tensor(column) for column in zip(*rows))
fig, ax = figures.new(width=5.5, height=3.2)
ax.errorbar(read, energy, yerr=error, color=figures.BLUE, marker="o", capsize=3)
names = ("w = 0", "0.5", "", "1 to 2", "", "4", "8")  # three points lie on top of each other
for name, a, b in zip(names, read, energy):
    below = -16 if "to" in name else 5
    ax.annotate(name, (a, b), xytext=(-8, below), textcoords="offset points", ha="right")
ax.axhspan(*floor_e, color=figures.GRAY, alpha=0.25, label="floor")
ax.set(xlabel="share read as asked", ylabel="energy distance, data units", xlim=(-0.1, 1.05))
ax.legend(fontsize=9, loc="upper left")
figures.show(fig, alt="The share rises first, then the distance: a corner near w = 1.")
print(f"corner: w = 1 is read as asked in {read[2]:.0%}; at w = 8 the distance is "
      f"{energy[-1] / energy[2]:.0f} times that at w = 1")

# %% [markdown]
# Three things happen, at different weights.
#
# - Up to $w = 1$ the **label** wins: from 10 % read as asked (chance) over 63 % to 98.5 %. Real digits get 98.7 %. Halfway, at 0.5, the distance is 0.031, just above the floor: a hint, no more, that a mean of two guesses may be a guess of neither digit.
# - From $w = 1$ on **variety** goes. Two digits with the same label lie 1.96 apart in features if they are real, 1.65 at $w = 1$, 0.98 at $w = 2$: half. (In pixels it is 4.50, 3.82, 3.53.) The energy distance of 200 pictures does not notice yet: from $w = 1$ to 2 it is within the floor.
# - Beyond 2 the law goes wrong: 0.055 at $w = 4$ and 0.138 at $w = 8$, where the floor ends at 0.027, and the classifier is as content as ever. Variety even *seems* to grow again, 1.38: probably the hard contrasts.
#
# The Fréchet distance in features stays within its floor from $w = 1$ to 8, where the energy distance of the pixels sounds an alarm. A ruler sees what it looks at.
#
# ### Exercise 15.3 · Choose a weight
#
# Each row of `rows` is `(w, share read as asked, distance, its standard error)`. Write a rule that picks a weight: among the rows with a share of at least `wanted`, one whose distance is smallest, or
# not told apart from the smallest. Return its `w`. There may be more than one right answer.

# %% tags=["exercise"]
def my_choose(rows, wanted):
    """Return the w of a row."""
    ### BEGIN SOLUTION
    good = [row for row in rows if row[1] >= wanted]
    return min(good, key=lambda row: row[2])[0]
    ### END SOLUTION


choose = check("guidance.choose", my_choose)

# %%
for wanted in (0.5, 0.9, 0.97):
    if any(row[1] >= wanted for row in rows):
        print(f"read as asked at least {wanted:.0%}: your rule takes w = {choose(rows, wanted):g}")

# %% [markdown]
# Three times the same answer. With $w = 1$ or 2 your rule would be right as well: their distances differ from the smallest by less than an error. What *you* want decides: variety, 1; no misreadings, 1.5.
#
# ### Optional: a word on the ruler
#
# Published trade-off curves put the **FID** on one axis: the Fréchet distance in the features of a large classifier. Two things to know, both often left out. **Predict.** The two-bump law of chapter 10 and $N(0, 1)$ have the same mean and
# variance. What is their Fréchet distance? And that of 200 draws to 200 other draws of one and the same Gaussian in 64 dimensions?

# %%
# claim: E43
a = ideal_denoisers.sample(ideal_denoisers.two_modes(), 20_000, generator=seeded(1)).double()
b = normal_like(a, generator=seeded(2))
print(f"two bumps against N(0, 1): Fréchet {metrics.frechet(a, b).value:.4f}, "
      f"energy {metrics.energy_distance(a[:2000], b[:2000]).value:.3f}")
for n in (200, 1000, 5000):
    a, b = (normal_like(torch.empty(n, 64).double(), generator=seeded(i)) for i in (3, 4))
    print(f"one Gaussian, {n:4} draws twice: Fréchet {metrics.frechet(a, b).value:.2f}, "
          f"energy {metrics.energy_distance(a, b).value:+.3f}")

# %% [markdown]
# Two laws that could not look more different have a Fréchet distance of 0.0002, chance included, because it compares means and covariances and nothing else. And two sets of 200 from *one* law are 10.98 apart; 5000 bring it down to 0.43. So a Fréchet distance can be compared with another one of the same features and the *same number* of
# pictures only. The energy distance has neither fault.
#
# (The best-known trade-off curve of this kind is that of Imagen, a text-to-image system: FID against the agreement of picture and text, one curve for each network, one point for each $w$. It shows there that a larger *text encoder* moves the curve more than a larger U-Net. You may read "than a larger vision encoder"; there is none in that comparison.)
#
# ### Optional: clamped, and without
#
# `models.denoiser` keeps every guess within −1 and 1, where pixels live. A guided guess leaves this range easily: it goes *beyond* the asked one. **Predict.** What happens at $w = 8$ if nobody stops it? (Note that after a
# clamp (15.5) no longer holds: the four forms of guidance then differ.)

# %%
def unclamped(label, w):
    """The guided denoiser as (15.4) has it."""
    asked = predictions.denoiser(plan, partial(model.net, label=label), "v")
    return predictions.guided(asked, predictions.denoiser(plan, model.net, "v"), w)


for w in (1.0, 2.0, 8.0):
    for name, denoise in (("clamped", models.denoiser(model, label[:100], guidance_scale=w)),
                          ("not clamped", unclamped(label[:100], w))):
        x = walk("multistep", denoise, x_T[:100], 10)
        energy = metrics.energy_distance(x, test)
        beyond = (x.abs() > 1.05).double().mean()
        print(f"w = {w:g}, {name:>11}: largest pixel {x.abs().max():.2f}, beyond ±1.05 "
              f"{beyond:.1%}, energy {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# At $w = 1$ the clamp changes nothing that can be measured. At $w = 8$ without it 29.3 % of the pixels leave the range, the largest reaches 3.14, and the distance is 0.380 instead of 0.151. The clamp is no cure, though: what it cuts off becomes pure black or pure white. That is the *saturation* one sees in strongly guided pictures.
#
# ### Try it yourself: the guidance dial
#
# Turn $w$, the label, the number of steps and the noise. **Predict** first: which of the four changes what the digit *is*, and which only how it is *written*?

# %%
from ddpm_lab.course import explorers

explorer = explorers.guidance_dial()
print(explorer)
explorer

# %%
for w, steps in ((0.0, 8), (1.0, 8), (2.0, 8), (8.0, 8), (8.0, 20)):
    said = explorer.describe(label=3, guidance_scale=w, steps=steps, seed=0)
    print(said.split("Asked for ")[1])

# %% [markdown]
# The label decides what the digit is, once $w$ is about 1; below, the noise has a say in it. Noise and steps decide how it is written. The sentences above hold what the dial shows for the digit 3. $w = 0$ draws any digit: 1 of 8 is read as a 3. From $w = 1$ on all eight are. From there to $w = 8$ they do not become more of a 3, only harder: 4.7 apart instead of 3.8, and 35 % of the pixels black or white instead of 30 %. More steps do not help.
#
# ### The same on larger pictures
#
# The MNIST network that comes with the course was told labels too. Here are 50 of its pictures for each weight, the first ten in view. Its pictures are compared in the 32 features of a classifier of MNIST, with
# the features of real held-out pictures, which are stored (the pictures are not).

# %%
large = pretrained.load("mnist")
reader, _ = training.load(pretrained.path("features_mnist"))
stored = load_file(pretrained.path("features_mnist_real"))
of_real, names = stored["features"][:2000].double(), stored["labels"][:2000]

# %%
fifty = torch.arange(10).repeat(5)
shown = []
for w in (0.0, 1.0, 2.0, 4.0, 8.0):
    x = models.sample(large, 50, label=fifty, steps=8, guidance_scale=w, generator=seeded(1))
    seen = metrics.features(reader, x)
    energy = metrics.energy_distance(seen, of_real)
    shown.append(x[:10])
    print(f"w = {w:g}: read as asked {metrics.accuracy(reader, x, fifty).value:.0%}, same label "
          f"{apart(seen, fifty):.1f} apart, energy in features {energy.value:+.2f} "
          f"± {energy.stderr:.2f}")
low, high = floor_of(metrics.energy_distance, stored["features"][2000:].double(), of_real, 50)
print(f"real pictures: {apart(of_real, names):.1f} apart; 50 of them score {low:.2f} to {high:.2f}")

# %%
fig = figures.images(torch.cat(shown), columns=10, panel=0.7,
                     row_labels=[f"w = {w}" for w in (0, 1, 2, 4, 8)])
figures.show(fig, alt="MNIST digits for five weights: as asked from w = 1 on, and bolder later.")
for w, x in zip((0, 1, 2, 4, 8), shown):
    print(f"w = {w}: ink {(x + 1).mean() / 2:.2f} of the paper")

# %% [markdown]
# The same story in larger letters. Asked for plainly, 96 % are read as asked, from $w = 2$ on all of 50. From $w = 1$ on, pictures with one label come closer together in features, 4.4, 3.5, 3.2, 3.2, where real ones have 4.2: variety goes. (The 8.9 at $w = 0$ is no variety of one digit: there the label is ignored.) Strokes grow bold in the ten in view: 0.13 of the paper is ink at $w = 1$, 0.19 at $w = 8$. The energy distances from $w = 1$ on differ by less than an error, so they cannot say which $w$ is best; do not let them. (They lie at the lower end of the floor and below: we asked for each digit five times, which is more even than chance, and this estimate takes evenness for variety.)
#
# *A good place for a break.*

# %% [markdown]
# ## 4 · One noise, one picture
#
# `ddim`, the flow and `multistep` throw no dice: the picture is a function of the noise. **Predict.** Two *different* deterministic solvers start from one noise. How alike are their pictures? And two runs of `ddpm` from one noise?

# %%
label, x_T = label[:30], x_T[:30]
told = models.denoiser(model, label)
ends = {"flow, 40 calls": walk("flow, order 2", told, x_T, 40),
        "multistep, 10": walk("multistep", told, x_T, 10),
        "ddim, 40": walk("ddim", told, x_T, 40),
        "ddpm, 40": walk("ddpm small", told, x_T, 40),
        "ddpm, 40, other dice": walk("ddpm small", told, x_T, 40, seed=2),
        "flow, other noise": walk("flow, order 2", told, start(30, 9)[1], 40)}
first = ends["flow, 40 calls"].flatten(1)
for name, x in list(ends.items())[1:]:
    print(f"flow, 40 calls, and {name}: {(x.flatten(1) - first).norm(dim=1).mean():.2f} apart")
sheet = torch.cat([x[:10] for x in ends.values()])
fig = figures.images(sheet, columns=10, panel=0.6, row_labels=[*ends])
figures.show(fig, alt="Flow, multistep and ddim draw the same digits; ddpm draws others.")

# %% [markdown]
# Three deterministic solvers, one picture: `ddim` and the flow are 0.22 apart, ten calls of `multistep` 0.57, where other noise is 3.96 apart. The picture belongs to the *flow*, and solvers only find it more or less exactly. With `ddpm` the start decides next to nothing: 4.05 apart from the flow's picture, as far as a stranger with the same label.
#
# ### Up and down
#
# So a picture has a **code**: run the flow upward, from the picture to its noise. Chapter 10 did it with a perfect denoiser. Does it work with a network, on real digits that it has never seen?
#
# ### Exercise 15.4 · One move, in either direction
#
# You stand at $x_t$ and have the guess $\hat x_0$. Go to time `s`, which may be earlier *or later* than `t`, without fresh noise. (Both are numbers, `t` at least 1. Solve $x_t = \sqrt{\bar\alpha_t}\,\hat x_0 + \sqrt{1-\bar\alpha_t}\,\hat\epsilon$ for the noise first.)

# %% tags=["exercise"]
def my_move(schedule, x_t, x0_hat, t, s):
    """Return x_s."""
    ### BEGIN SOLUTION
    eps_hat = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps_hat
    ### END SOLUTION


move = check("guidance.ode_step", my_move)

# %%
held = test[:20]
of_held = models.denoiser(model, answers[:20])


def carried(x, times):
    """Follow your moves through these times, falling or rising."""
    x = x.double()
    for t, s in zip(times, times[1:]):
        # at t = 0 clean data are their own guess, and hold no noise: start a hair above
        here = max(t, 1)
        with torch.no_grad():
            x0_hat = of_held(x.float(), torch.full((len(x),), here)).double() if t else x
        x = move(plan, x, x0_hat, here, s) if t else plan.signal[s] * x
    return x


# %%
def there_and_back(times):
    """(codes, digits again) with the second-order flow."""
    up = samplers.final(samplers.probability_flow_ode(plan, of_held, held, times=times[::-1]))
    return up, samplers.final(samplers.probability_flow_ode(plan, of_held, up, times=times))


def miss(again):
    return (again - held).square().mean().sqrt()


# %%
# claim: E21
print("miss: root mean square error of a pixel, up and down again, data units")
for n in (5, 20, 50):
    for name, times in (("even", schedules.timesteps(1000, n)), ("late", late(1000, n))):
        code = carried(held, times[::-1])
        print(f"{n:2} moves, {name}: your moves miss by {miss(carried(code, times)):.3f}, codes "
              f"have std {code.std():.3f}")
    codes, again = there_and_back(late(1000, n))
    print(f"{n:2} moves, late, order 2: miss {miss(again):.3f}, codes have std {codes.std():.3f}")

# %%
pictures = torch.cat([held[:10], codes[:10] / 3, again[:10]])
fig = figures.images(pictures, columns=10, panel=0.62,
                     row_labels=["real, held out", "its code / 3", "back again"])
figures.show(fig, alt="Ten real digits, their codes, which look like noise, and the digits again.")
still = train.std(0) < 0.1  # pixels that are paper in nearly every digit
print(f"codes: std {codes[:, still].std():.2f} at {int(still.sum())} pixels that are always paper, "
      f"{codes[:, ~still].std():.2f} at the others")

# %% [markdown]
# "Diffusion has no latent code, its output is pure chance, nothing can be edited" is true of `ddpm`, as chapter 10 said. Here are codes of real digits that the network never saw, and they lead back: with 50 late moves of order 2 a pixel is missed by 0.001, less than a gray level of the data (0.125).
#
# Two things are worth a second look.
#
# - **Not every round trip that closes has found the code.** 50 even moves come back within 0.039, but their codes have a standard deviation of 0.704, where noise has 1. Up and down make similar errors, and those cancel. The first move up from clean data is to blame: it has no noise to go by, so it should be *short*. Late stops give 0.811, and with order 2, which looks ahead, 0.873.
# - **And the rest?** 13 of the 64 pixels are paper in nearly every digit. Data that never vary have nothing to encode: there the codes have a standard deviation of 0.30 only, at the other pixels 0.96.
#
# ### The same code under another label
#
# The code was made with the true label. Decode it with another one.

# %%
def decoded(denoise, code):
    """The picture of a code: 20 moves of the second-order flow."""
    return samplers.final(samplers.probability_flow_ode(plan, denoise, code, times=late(1000, 20)))


# %%
rows = []
for i in range(6):
    same = codes[i].expand(10, 1, 8, 8).contiguous()  # one code, ten times
    rows.append(torch.cat([held[i : i + 1], decoded(models.denoiser(model, ten), same)]))
titles = ["real"] + [f"as {y}" for y in range(10)]
fig = figures.images(torch.cat(rows), titles, columns=11, panel=0.62)
figures.show(fig, alt="Six rows: a real digit, then its code decoded as 0 to 9 in a like hand.")
ink = torch.stack([(row[1:] + 1).mean() / 2 for row in rows])
real_ink = torch.stack([(row[0] + 1).mean() / 2 for row in rows])
read_as = metrics.accuracy(judge, torch.cat([row[1:] for row in rows]), ten.repeat(6)).value
print(f"{read_as:.0%} of the 60 are read as asked; ink of the real digits and of their rows "
      f"correlates {torch.corrcoef(torch.stack([ink, real_ink]))[0, 1]:+.1f}")

# %% [markdown]
# 97 % of the 60 pictures are read as the label they were decoded with, and each row keeps something of its writer: where the real digit is bold, its row is bold (the ink of a row and that of its real digit correlate with +0.9, over six rows). So the code holds what the label does not say. Editing of this kind needs no new network: encode with what
# the picture shows, decode with what it should show.
#
# ### Between two noises
#
# Which noise lies *between* two noises? The obvious answer is the straight line $(1-\lambda)\,a + \lambda\,b$ ($\lambda$ is now a share between 0 and 1). **Predict.** The lengths of $a$ and $b$ are about $\sqrt{64} = 8$, the number of pixels under the root. How long is their midpoint?
#
# If $a$ and $b$ are independent, each pixel of the mixture has variance $(1-\lambda)^2 + \lambda^2$: half at the middle. So the midpoint is shorter by $\sqrt{1/2}$, and the network is told "pure noise" and gets less. Stay on the sphere instead, on the **great circle** through
# both (*slerp*, spherical interpolation). With $\theta$ the angle between $a$ and $b$,
#
# $$\text{slerp}(a, b, \lambda) = \frac{\sin((1-\lambda)\,\theta)\; a + \sin(\lambda\,\theta)\; b}{\sin\theta}, \qquad
# \cos\theta = \frac{a \cdot b}{\|a\|\,\|b\|}. \tag{15.8}$$
#
# ### Exercise 15.5 · The great circle
#
# `a` and `b` have shape `(B, *D)`, `share` is $\lambda$, a number. Each item has its own angle. (`torch.acos` undoes a cosine. `x.flatten(1)` makes one row of each item.)

# %% tags=["exercise"]
def my_circle(a, b, share):
    """Return the points between a and b on their great circles, shaped like a."""
    ### BEGIN SOLUTION
    flat_a, flat_b = a.flatten(1), b.flatten(1)
    cosine = (flat_a * flat_b).sum(1) / (flat_a.norm(dim=1) * flat_b.norm(dim=1))
    angle = torch.acos(cosine).reshape(-1, *[1] * (a.dim() - 1))  # (B, 1, ...)
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
    ### END SOLUTION


circle = check("guidance.slerp", my_circle)

# %%
def line(a, b, share):
    return (1 - share) * a + share * b


one, two = (start(300, seed)[1] for seed in (20, 21))
flat = one.flatten(1), two.flatten(1)
angle = torch.rad2deg(torch.acos(torch.cosine_similarity(*flat)))
print(f"angles between noises: {angle.mean():.1f} ± {angle.std():.1f} degrees")
for share in (0.0, 0.25, 0.5):
    print(f"lambda = {share}: length on the line "
          f"{line(one, two, share).flatten(1).norm(dim=1).mean():.2f} (in theory "
          f"{8 * math.hypot(1 - share, share):.2f}), on the circle "
          f"{circle(one, two, share).flatten(1).norm(dim=1).mean():.2f}")

# %%
# eq: 15.8
units = [x / x.flatten(1).norm(dim=1)[:, None, None, None] for x in (one, two)]
third = circle(*units, 1 / 3).flatten(1)
turned = torch.rad2deg(torch.acos((third * units[0].flatten(1)).sum(1)))
print("noises of length 1: the point at a third has length 1 and a third of the angle:",
      torch.allclose(third.norm(dim=1), torch.ones(300)) and torch.allclose(turned, angle / 3))

# %%
shares = [k / 8 for k in range(9)]
unled = models.denoiser(model)
a, b = held[[0, 3]], held[[6, 4]]
up = samplers.final(samplers.probability_flow_ode(plan, unled, torch.cat([a, b]),
                                                  times=late(1000, 50)[::-1]))
pictures = {"mixed pixels": torch.stack([line(a, b, s) for s in shares], 1)}
for name, mix in (("line", line), ("circle", circle)):
    mixed = torch.stack([mix(up[:2], up[2:], s) for s in shares], 1)  # (2, 9, 1, 8, 8)
    pictures[f"codes, {name}"] = decoded(unled, mixed.flatten(0, 1)).reshape(mixed.shape)
sheet = torch.cat([pictures[name][i] for i in range(2) for name in pictures])
fig = figures.images(sheet, columns=9, panel=0.62, row_labels=[*pictures] * 2)
figures.show(fig, alt="Between two digits: mixed pixels are double exposures, codes give digits.")
for name, x in pictures.items():
    sure = judge(x[:, 4]).softmax(dim=1).amax(dim=1)
    print(f"{name:>13}, in the middle: the classifier is {sure[0]:.0%} and {sure[1]:.0%} sure")

# %%
mids = {"middle of the line": line(one, two, 0.5), "middle of the circle": circle(one, two, 0.5),
        "fresh noise": start(300, 22)[1]}
mids = {name: walk("multistep", unled, x_T[:200], 10) for name, x_T in mids.items()}
mids["mixed real pixels"] = line(test[:200], test[200:400], 0.5)
for name, x in mids.items():
    energy = metrics.energy_distance(x, test)
    print(f"{name:>20}: energy {energy.value:.3f} ± {energy.stderr:.3f}, "
          f"{torch.pdist(x.flatten(1).double()).mean():.2f} apart on average")

# %% [markdown]
# In the picture the line seems to do as well as the circle. Eighteen pictures cannot show a law; the last cell can. The middles of 200 lines are 0.112 ± 0.029 away from real digits, those of 200 circles 0.032 ± 0.015, and pictures of fresh noise 0.018 ± 0.010: circle and fresh noise cannot be told apart. The line's middles are also more alike, 5.05 apart against 5.49. The network was never shown so short a noise at $t = T$. And a mixture of two real digits' pixels is no digit at all, 0.154.

# %% [markdown]
# ## 5 · Which variance, with few steps?
#
# Back to `ddpm`, whose moves throw noise. Chapter 07 found the best variance of a move from $t$ to $s$, (7.21): $\sigma_*^2 = \tilde\beta_{ts} + w_0^2\,E\operatorname{Var}(x_0 \mid x_t)$, between $\tilde\beta_{ts}$ ("small") and
# $\beta_{ts} = 1 - \bar\alpha_t/\bar\alpha_s$ ("large"). Here $\tilde\beta_{ts} = \beta_{ts}\,(1-\bar\alpha_s)/(1-\bar\alpha_t)$, and $w_0 = \sqrt{\bar\alpha_s}\,\beta_{ts}/(1-\bar\alpha_t)$ is the weight of $\hat x_0$ in the mean of the move; it has nothing to do with the $w$ of guidance, nor $v$ below with the prediction $v$.
# [ND21, Sec. 3.1] let the network choose a number $v$ between 0 and 1 for each pixel, on a *log* scale, since the two ends may differ by a large factor:
#
# $$\sigma^2(v) = \exp\big(v \log \beta_{ts} + (1 - v) \log \tilde\beta_{ts}\big). \tag{15.9}$$
#
# ### Exercise 15.6 · Between the two variances
#
# Write (15.9) for the move from `t` to `s` (numbers, `s` at least 1). `v` may be a tensor.

# %% tags=["exercise"]
def my_learned_var(schedule, t, s, v):
    """Return the variance of the move from t to s, shaped like v."""
    ### BEGIN SOLUTION
    left_t, left_s = schedule.abar[t], schedule.abar[s]
    large = 1 - left_t / left_s
    small = large * (1 - left_s) / (1 - left_t)
    return torch.exp(v * large.log() + (1 - v) * small.log())
    ### END SOLUTION


learned_var = check("guidance.learned_var", my_learned_var)

# %%
# eq: 15.9
def variance(t, s, v):
    """(15.9) for a number v."""
    return learned_var(plan, t, s, torch.tensor(v, dtype=torch.float64))


unit = torch.ones(1, 1, dtype=torch.float64)
low, top = (samplers.ddpm_step(plan, unit, unit, 100, 50, var=name).var
            for name in ("small", "large"))
for v, want in ((0.0, low), (0.5, (low * top).sqrt()), (1.0, top)):
    print(f"100 → 50, v = {v}: variance {variance(100, 50, v):.5f}; "
          f"by samplers.ddpm_step {want:.5f}")

# %% [markdown]
# Our network was not trained to choose. But its own mean squared error *is* an estimate of $E\operatorname{Var}(x_0 \mid x_t)$, the only unknown (Bao et al. 2022): for the best guess the two are the same. So one number $v$ for each move can be computed. A move with variance $\sigma^2$
# where $\sigma_*^2$ is best costs, for each pixel,
#
# $$\tfrac12\left(\frac{\sigma_*^2}{\sigma^2} - 1 - \log\frac{\sigma_*^2}{\sigma^2}\right) \text{ nats} \tag{15.10}$$
#
# more than it must (from (7.19)). **Predict.** For which moves is $v$ near 1, for which near 0?

# %%
def best_v(t, s):
    """The v of (15.9) that gives the best variance, from the network's error on held-out digits."""
    x_t = forward.noised(plan, test[:300], t, normal_like(test[:300], generator=seeded(t)))
    miss = models.denoiser(model, answers[:300])(x_t, t) - test[:300]
    weight = plan.abar[s].sqrt() * (1 - plan.abar[t] / plan.abar[s]) / (1 - plan.abar[t])
    low, top = variance(t, s, 0.0), variance(t, s, 1.0)
    best = low + weight**2 * miss.square().mean()
    return float((best / low).log() / (top / low).log())


# %%
table = {}
for n in (10, 20):
    times = schedules.timesteps(1000, n)
    with torch.no_grad():
        table[n] = {t: best_v(t, s) for t, s in zip(times, times[1:]) if s}
    print(f"{n} moves: v = {', '.join(f'{b:.2f}' for b in table[n].values())}")
    for v, name in ((0.0, "small"), (1.0, "large")):
        r = torch.stack([variance(t, s, best) / variance(t, s, v)
                         for (t, best), s in zip(table[n].items(), times[1:])])
        nats = 0.5 * (r - 1 - r.log())
        print(f"   the {name} variance loses {nats.sum():.3f} nats for each pixel")

# %%
# eq: 15.10
x = torch.linspace(-9, 9, 3001, dtype=torch.float64)  # (15.10) against a sum over a grid


def log_normal(var):
    return -0.5 * (x**2 / var + math.log(2 * math.pi * var))


for wide, used in ((0.5, 0.2), (0.5, 1.3)):
    cost = (log_normal(wide).exp() * (log_normal(wide) - log_normal(used))).sum() * 0.006
    print(f"best {wide}, used {used}: costs {cost:.4f} nats, (15.10) says "
          f"{0.5 * (wide / used - 1 - math.log(wide / used)):.4f}")

# %%
# claim: E101
def ddpm_best(schedule, x_t, x0_hat, t, s):
    """The step of `ddpm` with the best variance."""
    law = samplers.ddpm_step(schedule, x_t, x0_hat, t, s)
    if not s:
        return law
    return Gaussian(law.mean, learned_var(schedule, t, s, torch.tensor(vs[t])))


RACERS["ddpm best"] = partial(samplers.reverse, step=ddpm_best)
label, x_T = start(200, 0)
told = models.denoiser(model, label)
for n in (10, 20):
    vs = table[n]
    for name in ("ddpm small", "ddpm large", "ddpm best"):
        energy = metrics.energy_distance(walk(name, told, x_T, n), test)
        print(f"{n} calls, {name}: energy {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# None is near 1. Since $\sigma_*^2 = \tilde\beta_{ts} + (\beta_{ts} - \tilde\beta_{ts})\,E\operatorname{Var}(x_0 \mid x_t)/(1-\bar\alpha_t)$, far from the data, where $\bar\alpha_t \approx 0$ and the two ends are close, $v$ is about the error itself, 0.168 at $t = 1000$; for $N(0, I)$ it would be 1. It rises toward the data: 0.30 and 0.41 in the last moves that throw noise. Digits are far from $N(0, I)$: the network knows most pixels well. For the log density that matters: over 10 moves the small variance loses 0.041 nats for each pixel, the large one 0.195; over 20 moves 0.096 and 0.232. For *samples* 200 pictures do not show it: 0.025, 0.018 and 0.021 with 10 calls, 0.006, 0.005 and 0.005 with 20, all within one error. (The long race of section 1 could show more: at 10 calls it has 0.045 for the small variance and 0.031 for the large one. "Best" was not in it.)
#
# So "a learned variance brings little", as one set of notes has it, cannot be refuted with these 200 samples, and is false of the likelihood. And this was one $v$ for each move; [ND21] have one for each pixel, which can gain more. Note also which one wins where: the large variance, worse for the likelihood, was better for samples in the long race.
#
# ## 6 · What does it cost? An honest table
#
# Seconds depend on the machine, calls do not. These were measured once, on one core of a server processor, in the long race.

# %%
print("                calls   CPU seconds for 100 digits   energy distance")
for name, n in (("ddpm small", 200), ("ddpm large", 50), ("ddim", 20), ("multistep", 20),
                ("flow, order 2", 10), ("multistep", 4)):
    k = long["calls"].index(n)
    seconds, e = (torch.tensor(long["walks"][name][key][k]) for key in ("seconds", "energy"))
    print(f"{name:>13} {n:7} {seconds.mean() / long['pictures'] * 100:20.1f} {e.mean():24.3f} "
          f"± {e.std() / len(e) ** 0.5:.3f}")
print("Guidance: twice the calls, unless both questions go into one batch.")

# %% [markdown]
# A call costs the same whoever makes it, so calls are the honest currency. Two hundred calls of `ddpm` and twenty of `multistep` end equally far from real digits, 0.015 ± 0.006 and 0.014 ± 0.006; the one takes 3.7 seconds, the other 0.4. But nobody needs those 200 calls: 50 of `ddpm` with the large variance, 0.9 seconds, do as well.
#
# ## Recap
#
# Calls of the network are the currency. Along walks without fresh noise the guess changes steadily, so a solver can extrapolate it and needs few calls; with few calls, late stops helped these walks as much as a clever solver. Guidance moves the guess beyond the asked one by a weight: first the label is obeyed, then variety goes, then the law. What the guided walk samples is not
# $q(x)\,q(y \mid x)^w$. A walk without dice gives every picture a code: encode, change the label or mix on the great circle, decode. The best variance of a noisy walk follows from the network's own error; it pays in likelihood.
#
# **One formula to keep**
#
# $$\text{guess} = u + w\,(c - u): \quad 0 \text{ ignores}, \quad 1 \text{ follows}, \quad \text{more exaggerates}$$
#
# **Popular claims, checked**
#
# | often said | better | shown above |
# |---|---|---|
# | leaving the Markov chain is what allows few steps | `ddpm` runs in few steps too; what differs is the error | all five within the floor of 200 real digits at 20 calls |
# | guidance samples from $q(x)\,q(y \mid x)^w$ | only at $w = 0$ and 1; a power of a mean is no mean of a power | 0.982 instead of 0.791 at $w = 2$ |
# | the $w$ of a paper is the $w$ of the program | [HS22] count from 0, most programs from 1 | their 0.3 is our 1.3 |
# | any classifier can guide | it must read noisy pictures | 17 % right at $t = 500$ |
# | more guidance, better pictures | obedience is bought with variety, later with the law | 1.65 to 0.98 apart; 0.010 to 0.138 |
# | FID says how good pictures are | it compares means and covariances, and depends on the number of pictures | 0.0002 for two different laws; 10.98 for one |
# | diffusion has no code, nothing can be edited | walks without dice have one | 0.001 there and back; 97 % read as the new label |
# | a closed round trip proves the code | errors up and down cancel | codes with std 0.704 |
# | mix two noises along a line | along the great circle | length 5.61 instead of 7.97; 0.112 and 0.032 |
# | a learned variance brings little | not seen in 200 samples; much for the likelihood | 0.041 to 0.232 nats for each pixel |
#
# **Exercises:** 15.1 `guidance.timesteps` · 15.2 `guidance.classifier_free` · 15.3 `guidance.choose` · 15.4 `guidance.ode_step` · 15.5 `guidance.slerp` · 15.6
# `guidance.learned_var`
#
# **To think about.** Guidance at the first moves decides *which* digit, at the last ones how sharp it is. Try a weight that depends on $t$: which half of the walk pays for the trade-off?
#
# **Before:** [14 · How good is it, honestly?](14_measuring.ipynb) · **Next:** 16 · Beyond
#
# **Read on:** [HS22] for guidance; Dhariwal and Nichol 2021 for the classifier; [Bradley and Nakkiran 2024](https://arxiv.org/abs/2408.09000) on what guidance samples; [Lu22] Sec. 4; [ND21] Sec. 3.1; [Song21a] Sec. 5.
