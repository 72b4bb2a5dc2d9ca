# %% [markdown]
# # 17 · What lies beside and beyond DDPM?
#
# DDPM makes many choices: a fixed variance, a fixed encoder, Gaussian noise, a fixed schedule, a U-Net. Each has
# been replaced by something else, and each alternative has a name that you will meet in papers. This chapter visits
# relatives and variants of DDPM. Every section asks one question and answers it with one small experiment.
#
# **After this chapter you can**
#
# - compare a GAN and a denoiser on the same data, and say what each is better at,
# - read off the best variance of a reverse step from the slope of the denoiser,
# - say what a hierarchical VAE learns that DDPM fixes, and what that costs,
# - sample with Langevin dynamics, and say why one noise level is not enough,
# - guide with a classifier, and name the condition under which that equals classifier-free guidance,
# - say what a deterministic degradation such as blur can generate, and what it cannot.
#
# **You need** [07b](07b_reverse_variance.ipynb) (the best variance, the score, Tweedie's formula),
# [10](10_sampling_without_learning.ipynb) (ideal denoisers), [11](11_learning_to_denoise.ipynb) (training) and
# (15.2) to (15.7) of [15b](15b_guidance_and_editing.ipynb).
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about half a
# minute.
#
# **For what comes next:** nothing later builds on this chapter; [17b](17b_systems.ipynb) continues the numbers of its
# exercises. No section needs another one of this chapter: read those that you want.
#
# **In the papers:** [Goo14] for GANs; [ND21] and [Bao22] for the variance; [VK20] for NVAE; [Vin11] and [SE19] for
# scores and Langevin dynamics; [DN21] for classifier guidance; [Ban23] for Cold Diffusion; [Kin21] for a learned
# schedule; [PX23] for transformers.

# %%
import json
import math

import torch
from safetensors.torch import load_file

from ddpm_lab import datasets, ideal_denoisers, networks, predictions, samplers, schedules
from ddpm_lab.course import dit, eight_gaussians, exact_steps, figures, hierarchy, learned_schedule
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import row
from ddpm_lab.training import pretrained

schedule = schedules.linear()
bumps = ideal_denoisers.two_modes()  # two bumps of equal weight on the line, as in chapter 07b


def stored(name):
    """What a long run has left, made by tools/NAME.py."""
    return json.loads((pretrained.FOLDER / f"{name}.json").read_text(encoding="utf-8"))


# %% [markdown] topics="C157 C195"
# ## A first look: a GAN and a denoiser on the same data
#
# A **generative adversarial network** (GAN) [Goo14] has two networks. The *generator* turns a short random vector
# $z$ into a sample, in one call. The *discriminator* learns to tell samples from data; the generator learns to fool
# it. Each one's loss depends on the other: a **min-max game**, not a regression.
#
# We trained small GANs and small denoisers on eight Gaussians on a circle. Generators and denoisers all have about
# 13,000 weights. A training step of the GAN is expensive, though: counting a backward pass as two, it passes a network
# twelve times, a step of the denoiser three times. So the denoiser was trained twice: for as many steps as the GAN,
# and for as much arithmetic, four times as many steps.
#
# **Predict.** Which will find all eight Gaussians? Which will have the sharper samples?

# %%
def loaded(net, name):
    """A network with the stored weights."""
    net.load_state_dict(load_file(pretrained.path(name)))
    return net.eval()


bad_gan, gan = (loaded(eight_gaussians.perceptron(2, 2), f"gan_generator_{i}") for i in (0, 2))
net = loaded(networks.build(networks.MLP, seed=0, width=64, depth=2), "gan_denoiser")
circle = {"GAN, seed 0": eight_gaussians.generated(bad_gan, 2000, seed=1),
          "GAN, seed 2": eight_gaussians.generated(gan, 2000, seed=1),
          "denoiser, seed 0": eight_gaussians.denoised(net, 2000, seed=1),
          "data": ideal_denoisers.sample(eight_gaussians.DATA, 2000, generator=seeded(1))}
fig = figures.scatter_grid(circle, panel=2.1, limit=1.7, size=3)
figures.show(fig, alt="A GAN in one place, another GAN and the denoiser on all eight, the data.")
for name, x in circle.items():
    found = eight_gaussians.judged(x)
    print(f"{name:>16}: {found.modes} of 8 found, {found.near:.3f} of the samples near one")

# %%
runs = stored("compare_gan")
print("six training runs each;          Gaussians found    fraction of the samples near one")
for name, found in runs["runs"].items():
    modes, near = ([run[key] for run in found] for key in ("modes", "near"))
    print(f"{name:>28}:  {' '.join(map(str, modes))}        "
          + " ".join(f"{part:.2f}" for part in near))
calls = {"GAN": 1, "denoiser": 50}
for name, made_by in (("GAN", gan), ("denoiser", net)):
    weights = sum(w.numel() for w in made_by.parameters() if w.dim() == 2)
    print(f"{name:>8}: {weights:,} multiplications per call; calls per sample: {calls[name]}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# All twelve denoisers found all eight; of the six GANs, five did, and one found a single Gaussian. As for sharpness,
# look at the other column. After as many steps only half of a denoiser's samples lie near a center, within three
# standard deviations (of the data 0.990 do), fewer than with four of the six GANs. After as much arithmetic it is 0.93
# or more in every run, as with the best of the GANs.
#
# </details>
#
# What happened to the first GAN is called **mode collapse**. In theory the game is in balance only where the samples have
# the distribution of the data [Goo14]. But in a single step nothing asks a generator to cover all of the data; it must
# only make what the discriminator accepts at the moment. A denoiser cannot forget a mode so easily:
# every training item asks for its own noise to be predicted.
#
# A GAN's sample costs one call, a denoiser's 50 here. That ratio is often quoted; it compares costs only if the calls
# are of similar size, as here.
#
# In sum, diffusion trains stably, covers all modes and bounds the likelihood, but samples slowly. A GAN samples fast,
# and its samples are often sharp, but its training can fail, and it gives no likelihood.

# %% [markdown] topics="C165"
# ## Detour · Does a GAN's code mean something?
#
# A GAN has a latent vector $z$ from which the sample follows. Does each of its coordinates have a meaning of its
# own?

# %% [markdown]
# Rotate $z$ before it enters the generator. Since $N(0, I)$ looks the same from all sides, the rotated generator
# makes samples of exactly the same distribution, and every loss is the same. **Predict.** How well does $z_1$ alone
# determine the height $x_2$ of a sample, before and after a rotation by 45 degrees?

# %%
# claim: E121
z = normal_like(torch.empty(4000, 2, dtype=torch.float32), generator=seeded(4))
half = math.sqrt(0.5)
turn = torch.tensor([[half, -half], [half, half]])
for name, code in (("as trained", z), ("rotated", z @ turn.T)):
    with torch.no_grad():
        x = gan(code)
    found = eight_gaussians.judged(x)
    links = torch.corrcoef(torch.cat([z, x], dim=1).T)[:2, 3]
    print(f"{name:>10}: {found.modes} of 8, {found.near:.3f} near; correlation of x_2 with "
          f"z_1 {links[0]:+.2f}, with z_2 {links[1]:+.2f}")
print("the denoiser, same x_T and the same fresh noise: the same samples:",
      torch.equal(eight_gaussians.denoised(net, 50, seed=3), eight_gaussians.denoised(net, 50, 3)))

# %% [markdown]
# <details><summary>Answer</summary>
#
# The samples are as good as before, but $z_1$'s correlation with the height has risen from 0.72 to 0.83, and $z_2$'s
# has fallen from 0.46 to −0.16.
#
# </details>
#
# What a coordinate means is an accident of the initialization. Neither a GAN's code nor diffusion's is **disentangled** by
# construction. And what a DDPM draws *is* a function of noise: of $x_T$ and all the fresh noise together.

# %% [markdown] topics="C146 C150"
# ## Which variance, if it may depend on x_t?
#
# Chapter 07b found the best variance of a reverse step: $\tilde\beta$ plus what the uncertainty about $x_0$ adds,
# *averaged over all $x_t$*. A network such as [ND21]'s may output a different variance for each $x_t$. What should
# it output, and what does that gain?
#
# If $x_t$ is one number, the ideal denoiser itself says how uncertain $x_0$ is: by its *slope*.
#
# $$\operatorname{Var}(x_0 \mid x_t) = \frac{1-\bar\alpha_t}{\sqrt{\bar\alpha_t}}\;\frac{\partial\,\hat x_0}{\partial x_t},
# \qquad \hat x_0 = E[x_0 \mid x_t]. \tag{17.1}$$
#
# (Differentiate $\int x_0\,q(x_0 \mid x_t)\,dx_0$ with respect to $x_t$. The result is the covariance of $x_0$ with the slope
# of $\log q(x_t \mid x_0)$, and that slope is $\sqrt{\bar\alpha_t}\,x_0/(1-\bar\alpha_t)$ plus something without $x_0$.) Where
# the denoiser is steep, a small change of $x_t$ changes the estimate a lot, so $x_t$ leaves $x_0$ uncertain.
# With (17.1) the variance of a step is (7.21) without the average:
#
# $$\operatorname{Var}(x_s \mid x_t) = \tilde\beta_{ts} + w_0^2\,\operatorname{Var}(x_0 \mid x_t), \qquad
# w_0 = \frac{\sqrt{\bar\alpha_s}\,\beta_{ts}}{1-\bar\alpha_t}, \tag{17.2}$$
#
# with $\beta_{ts} = 1 - \bar\alpha_t/\bar\alpha_s$ and
# $\tilde\beta_{ts} = \beta_{ts}\,(1-\bar\alpha_s)/(1-\bar\alpha_t)$.
#
# ### Exercise 17.1 · From a slope to a variance
#
# `slope` holds the derivative of the denoiser at each $x_t$. Return (17.2), the variance of the step from `t` to
# `s` (two ints), for each of them.

# %% tags=["exercise"]
def my_spread(schedule, slope, t, s):
    """Return Var(x_s | x_t), shaped like slope."""
    ### BEGIN SOLUTION
    beta = 1 - schedule.abar[t] / schedule.abar[s]
    small = beta * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    w_0 = schedule.signal[s] * beta / (1 - schedule.abar[t])
    return small + w_0**2 * (1 - schedule.abar[t]) / schedule.signal[t] * slope
    ### END SOLUTION


spread = check("beyond.spread", my_spread)

# %%
# eq: 17.1, 17.2
# claim: E99
denoise = ideal_denoisers.mixture_denoiser(bumps, schedule)
fine = torch.linspace(-6, 6, 12001, dtype=torch.float64)[:, None]  # possible x_s, or x_0
for t, s, place in ((100, 0, 0.0), (100, 50, 0.0), (100, 50, 1.0)):
    x_t = torch.tensor([[place]], dtype=torch.float64, requires_grad=True)
    slope = torch.autograd.grad(denoise(x_t, t).sum(), x_t)[0]
    ratio = row(schedule.abar, t) / row(schedule.abar, s)
    miss = (x_t.detach() - ratio.sqrt() * fine)[:, 0] ** 2 / (2 * (1 - ratio))
    p = (ideal_denoisers.log_density(bumps, schedule, fine, s) - miss).softmax(0)  # Bayes' rule
    var = (p * fine[:, 0] ** 2).sum() - (p * fine[:, 0]).sum() ** 2
    print(f"x_{t} = {place}: Var(x_{s} | x_{t}) by Bayes' rule {var:.5f}, by the slope "
          f"{spread(schedule, slope, t, s).item():.5f}")

# %% [markdown]
# **Predict.** There are four ways to choose the variance: $\tilde\beta$ ("small"), $\beta$ ("large"), the best one for
# each $t$, the best one for each $x_t$. How much less does the last one lose than the third: a few percent, half, almost
# everything?

# %%
# claim: E08, E100, E101
print("nats lost to the true reverse steps, all moves but the last")
for n in (100, 20, 10):
    times = schedules.timesteps(1000, n)[:-1]
    lost = {name: sum(exact_steps.step_loss(bumps, schedule, t, s, var)
                      for t, s in zip(times, times[1:]))
            for name, var in exact_steps.VARIANCES.items()}
    print(f"{n:3} moves:", ", ".join(f"{name} {nats:.4f}" for name, nats in lost.items()))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Half of it with 10 moves: the loss is 0.7115 nats with $\tilde\beta$, 0.1881 with $\beta$, 0.1831 with the best variance
# for each $t$, and 0.0958 with the best one for each $x_t$. Almost everything with 100 moves: 0.0038 instead of 0.0287.
#
# </details>
#
# Why? Between the bumps a step back may go either way and needs much noise; near a bump it needs little. What remains
# is due to the Gaussian shape: between the bumps the true step has two peaks.
#
# For images (17.1) would take a derivative for each pixel. [ND21]'s network puts out a number $f$ instead,
# $\log\sigma^2 = f\log\beta + (1-f)\log\tilde\beta$, different for each pixel and each $x_t$.

# %% [markdown] topics="C150"
# ### Detour · Is the best variance always between the two?
#
# Averaged over $x_t$ it is, if the data have a variance of at most 1, as shown after (7.22). For which data, and for
# which $x_t$, is it not?

# %%
# claim: E08
def between(best, t, s):
    """beta of a step, and f: 0 for beta-tilde, 1 for beta."""
    beta = 1 - schedule.abar[t] / schedule.abar[s]
    small = beta * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return beta, (best / small).log() / (beta / small).log()


for n in (1000, 10):  # N(0, 4): the denoiser is linear
    times = torch.tensor(schedules.timesteps(1000, n)[:-1])
    t, s = times[:-1], times[1:]
    slope = 4 * schedule.signal[t] / (4 * schedule.abar[t] + 1 - schedule.abar[t])
    best = torch.stack([spread(schedule, k, int(i), int(j)) for k, i, j in zip(slope, t, s)])
    beta, f = between(best, t, s)
    r = best / beta  # the nats lost with beta, the upper end, are (r - 1 - log r) / 2
    print(f"{n:4} moves: above beta at {int((best > beta).sum())} of {len(t)}, f from "
          f"{f.min():.2f} to {f.max():.2f}; beta loses {((r - 1 - r.log()) / 2).sum():.4f} nats")

# %%
x = exact_steps.grid(bumps).requires_grad_()  # places x_100 between -7 and 7
(slope,) = torch.autograd.grad(denoise(x, 100).sum(), x)
best = spread(schedule, slope[:, 0], 100, 50)
q = ideal_denoisers.log_density(bumps, schedule, x.detach(), 100).softmax(0)  # weights
beta, f = between(best, 100, 50)
print(f"two bumps, t = 100 to 50: beta {beta:.4f}, best variance {(best * q).sum():.4f} on "
      f"average over x_t,\n   from {best.min():.4f} to {best.max():.4f}, f up to {f.max():.2f}; "
      f"above beta for {q[best > beta].sum():.1%} of all x_t")

# %% [markdown]
# For $N(0, 4)$ the best variance is above $\beta$ at 999 of 999 steps, with $f$ up to 4. A wrong choice costs 0.0009
# nats with all steps, and 0.0904 with ten. The two bumps have variance 1, and on average over $x_t$ the best
# variance, 0.0488, is below $\beta$, 0.0762. But between the bumps, where $x_0$ is uncertain, it reaches 0.2602, and
# $f$ is 1.97. So $f$ must not be squeezed into $[0, 1]$ by a sigmoid, even for pixels in $[-1, 1]$; [ND21, Sec. 3.1]
# leave it free.

# %% [markdown] topics="C173 C174 C175"
# ## What does a learned encoder buy?
#
# DDPM is a *hierarchical VAE*: $x_1, \dots, x_T$ are latents, and noising is the encoder. Its relative **NVAE**
# [VK20] learns the encoder. With $L$ levels of latents the model is
#
# $$p(x, z_1, \dots, z_L) = p(z_L)\;\prod_{l=1}^{L-1} p(z_l \mid z_{>l})\;\; p(x \mid z_1, \dots, z_L), \tag{17.3}$$
#
# where $z_{>l}$ means all levels above $l$. This is the chain rule, and nothing is left out. In DDPM each factor
# looks at *one* neighbor only, $p(x_{t-1} \mid x_t)$, and the latents are as large as the image.

# %% [markdown]
# ### Detour · A decoder that is not a density
#
# You may meet another formula for NVAE's decoder, $q(x \mid z) = q(x \mid z_1)\prod_l q(z_l \mid z_{l+1})$. Can it be right?

# %% [markdown]
# **Predict.** A density of $x$ integrates to 1. What does the right side integrate to, with two levels, all factors
# $N(\cdot\,; \text{parent}, 1)$, at $z_1 = z_2 = 0$?

# %%
# eq: 17.3
# claim: E13
line = torch.linspace(-12, 12, 2401, dtype=torch.float64)


def normal(x, mean):
    return torch.exp(-((x - mean) ** 2) / 2) / math.sqrt(2 * math.pi)


zero = torch.zeros((), dtype=torch.float64)
printed = normal(line, zero) * normal(zero, zero)  # q(x | z_1) q(z_1 | z_2)
print(f"the printed line, integrated over x: {printed.sum() * 0.01:.4f}")
x, z_1, z_2 = line[::40, None, None], line[None, ::40, None], line[None, None, ::40]
joint = normal(z_2, 0) * normal(z_1, z_2) * normal(x, (z_1 + z_2) / 2)  # (17.3)
print(f"(17.3), integrated over x, z_1 and z_2: {joint.sum() * 0.4**3:.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# To 0.3989, the value of $q(z_1 \mid z_2)$ there.
#
# </details>
#
# The formula is not a density of $x$, but the *joint* density of $x$ and $z_1$ given $z_2$; and it is Markov, which NVAE is
# not.

# %% [markdown]
# ### Two learned levels against many fixed ones
#
# How good is a bound? Its **gap** is its distance above the entropy of the data. For a fixed encoder the gap is a
# sum of KL divergences, by the chain rule:
#
# $$E[-\text{ELBO}] - H(x_0) = \mathrm{KL}\big(q(x_T)\,\|\,p(x_T)\big) + \sum_{(t,\,s)} E\,\mathrm{KL}\big(q(x_s \mid x_t)\,\|\,
# p(x_s \mid x_t)\big). \tag{17.4}$$
#
# For the two bumps we can compute (17.4) with ideal Gaussian steps, whose mean and variance are exact at each
# $x_t$: no Gaussian steps lose less with this noising. Beside it, six hierarchical VAEs with *two* levels and a learned
# encoder (`hierarchy.TwoLevels`). **Predict.** How many fixed levels are as good as two learned ones?

# %%
# eq: 17.4
levels, vae = (1, 2, 4, 8, 16, 32), stored("compare_hierarchies")


def fixed(n):
    """The gap of n fixed levels, evenly spaced in log-SNR, between the better ends of two."""
    ends = ((2.0, -2.0), (4.0, -2.0)) if n > 1 else ((-2.0, -2.0),)
    chains = [schedules.from_log_snr(torch.linspace(*end, n, dtype=torch.float64)) for end in ends]
    exact = exact_steps.VARIANCES["best for each x_t"]
    return min(exact_steps.gap(bumps, chain, range(n, -1, -1), exact) for chain in chains)


gaps = [fixed(n) for n in levels]
size = sum(w.numel() for w in hierarchy.TwoLevels(seed=0).parameters())

# %%
fig = figures.curves(levels, {"fixed encoder, ideal steps": gaps}, log_x=True, log_y=True,
                     points={"learned encoder, six seeds": ([2] * 6, vae["gap"])}, height=2.9,
                     xlabel="levels (log scale)", ylabel="gap, nats (log scale)")
fig.axes[0].set_xscale("log", base=2)
fig.axes[0].set_xticks(levels, labels=levels)
figures.show(fig, alt="The gap falls with fixed levels; two learned ones lie lower, or at 0.72.")
print("\n".join(f"{n:2} fixed levels: gap {nats:.4f}" for n, nats in zip(levels, gaps)))
print(f"2 learned levels, {size} weights, {vae['steps']} training steps:")
print("                    gap:", " ".join(f"{g:.3f}" for g in vae["gap"]))
print("          KL of latents:", " ".join(f"{k:.3f}" for k in vae["kl"]))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Between four and eight: five of the six hierarchical VAEs have a gap of 0.066 to 0.083 nats with two levels. Two
# fixed levels have 0.275, four 0.133 and eight 0.054.
#
# </details>
#
# So a learned encoder saves levels. But the sixth run stayed at 0.721. Its latents carry nothing (their KL is 0.001
# nats), and what is left is one Gaussian: the *posterior collapse* of [chapter 04](04_elbo_and_vae.ipynb). A fixed
# encoder cannot collapse, because noising does not depend on the network. And with 32 levels its gap is 0.005: if you
# can afford levels, you need not learn the encoder.
#
# So the two differ as follows:
#
# | | hierarchical VAE, such as NVAE | DDPM |
# |---|---|---|
# | encoder | learned, $q(z_l \mid z_{>l}, x)$: not Markov | fixed noise, Markov |
# | latents | of any size, the upper ones small | as large as the data |
# | levels | a few dozen at most | hundreds |
# | one training step | all levels, one after the other | one level, drawn at random: the bound is a sum |
# | weights | usually a network for each level; may be shared | one network, with $t$ as an input |
# | theory | a bound; both halves must be learned well | a bound of KLs in closed form, minimized by a conditional mean |
# | what fails | the encoder may collapse | sampling is slow |
#
# In a broad sense DDPM is *autoregressive*: like a language model, it applies one network again and again to its own
# output. But each step sees only the last state, and its output is a whole image, a little less noisy, instead of
# one more part. What does sharing save?

# %%
each = sum(w.numel() for w in hierarchy.Factor(2, seeded(0)).parameters())
for n in (2, 8, 32):
    print(f"{n:2} levels: {2 * n * each:6,} weights with prior and encoder for each level, "
          f"{each:,} with one prior")

# %% [markdown] topics="C178"
# ## Is one noise level enough?
#
# DDPM has two older relatives. A **denoising autoencoder** learns to undo noise of *one* level, and [Vin11] showed
# that it thereby learns the score of the noisy data. An **energy-based model** learns an energy $E(x)$ with
# $q(x) \propto e^{-E(x)}$; its normalizing constant is unknown, but the score $-\nabla E(x)$ does not contain it. (And
# the first diffusion model [SD15] had all noise levels, five years before DDPM.)
#
# With a score you can sample by **Langevin dynamics**: small steps uphill, plus noise.
#
# $$x \leftarrow x + \eta\,\nabla\log q(x) + \sqrt{2\eta}\;z, \qquad z \sim N(0, I). \tag{17.5}$$
#
# In the limit of small steps, and after many of them, $x$ follows $q$.
#
# ### Exercise 17.2 · One step of Langevin dynamics
#
# `score` holds the score at `x`, `z` the noise, `eta` is a number. Return (17.5).

# %% tags=["exercise"]
def my_langevin(x, score, eta, z):
    """Return x after one step."""
    ### BEGIN SOLUTION
    return x + eta * score + math.sqrt(2 * eta) * z
    ### END SOLUTION


langevin = check("beyond.langevin", my_langevin)

# %% [markdown]
# We test it on two bumps of *unequal* weight, 0.8 on the left and 0.2 on the right. We use the exact score at one noise
# level $t$, start from $N(0, 1)$ and take 500 steps. **Predict.** What fraction ends up on the left with little noise
# ($t = 20$), and with much noise ($t = 100$)? How wide will the bumps be?

# %%
# eq: 17.5
uneven = ideal_denoisers.Mixture(torch.tensor([0.8, 0.2]).double(), bumps.mean, bumps.var)
denoise = ideal_denoisers.mixture_denoiser(uneven, schedule)
start = normal_like(torch.empty(1000, 1, dtype=torch.float64), generator=seeded(0))
ends = {}
for t in (20, 50, 100):
    x, rng, noise = start, seeded(1), 1 - schedule.abar[t]
    eta = float(0.1 * (schedule.abar[t] * bumps.var[0] + noise))  # a tenth of a bump's variance
    for _ in range(500):
        score = (schedule.signal[t] * denoise(x, t) - x) / noise
        x = langevin(x, score, eta, normal_like(x, generator=rng))
    ends[f"Langevin, t = {t}"] = x
times = schedules.timesteps(1000, 250)
ends["DDPM, all levels"] = samplers.final(
    samplers.ddpm(schedule, denoise, start, times=times, generator=seeded(1)))

# %%
line = torch.linspace(-2.5, 2.5, 201, dtype=torch.float64)[:, None]
density = ideal_denoisers.log_density(uneven, schedule, line, 0).exp()
fig = figures.histograms(ends, xlabel="x, data units", density=(line[:, 0], density), bins=50,
                         limits=(-2.5, 2.5), names=("samples", "data"), width=9.5)
figures.show(fig, alt="t = 20: equal bumps. t = 100: right fractions, too wide. DDPM: as the data.")
for name, x in ends.items():
    left = x[x < 0]
    print(f"{name:>17}: {len(left) / 1000:.2f} on the left, std there {left.std():.2f}")
print(f"             data: 0.80 on the left, std there {bumps.var[0].sqrt():.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# With little noise 0.53, where 0.80 would be right, and with much noise 0.80. The bumps are 0.26 and 0.40 wide, the
# data's 0.24.
#
# </details>
#
# With little noise a sample hardly ever crosses the valley between the bumps, and the fractions stay near those of
# the start. With much noise the valley fills up. Then the fraction is right, but the bumps are too wide: these are
# samples of *noisy* data.
#
# No single level does both. So use many: begin with much noise, where it is decided which bump a sample goes to,
# and lower it step by step, until the details are decided. [SE19] did that with some Langevin steps at each level;
# ancestral sampling does it with one step per level (0.81 and 0.23).

# %% [markdown] topics="C178"
# ### Detour · Does a denoiser have an energy?
#
# The score of an energy-based model is a gradient by construction. Is the score of a denoising network a gradient, too?

# %% [markdown]
# A field in the plane is a gradient only if its matrix of derivatives, the *Jacobian*, is symmetric. For the ideal
# denoiser it is: the Jacobian is a covariance times a number, (17.1) in more dimensions. For a network nothing
# enforces it.

# %%
points = ideal_denoisers.sample(eight_gaussians.DATA, 200, generator=seeded(7))
trained = predictions.denoiser(schedule, net, "v")
exact = ideal_denoisers.mixture_denoiser(eight_gaussians.DATA, schedule)
for t in (50, 200, 500):
    x_t = schedule.signal[t] * points + schedule.noise[t] * normal_like(points, generator=seeded(t))
    for name, f in (("network", trained), ("ideal", exact)):
        x = x_t.float().requires_grad_()
        rows = [torch.autograd.grad(f(x, t)[:, i].sum(), x)[0] for i in (0, 1)]
        J = torch.stack(rows, dim=1).double()
        odd = (J - J.mT).norm() / (J + J.mT).norm()
        print(f"t = {t:3}, {name:>7}: antisymmetric part / symmetric part {odd:.2f}")

# %% [markdown]
# For the ideal denoiser the antisymmetric part is 0, for the network it is 0.03 to 0.08 of the symmetric part:
# small, but not 0. So the network's score is not exactly the gradient of any log-density. Samplers do not need one; to
# evaluate an energy you do.

# %% [markdown] topics="C194"
# ## Can an ordinary classifier guide?
#
# Chapter 15b derived guidance from Bayes' rule: add $w$ times the gradient of $\log q(y \mid x_t)$ to the score.
# With classifier-free guidance that gradient is a difference of two scores. The older way, *classifier guidance*
# [DN21], takes it from a classifier. Do the two agree, and which classifier may you use?
#
# A sampler wants the change of $\hat x_0$, not of the score. Tweedie's formula says how one follows from the other:
#
# $$\hat x_0^{\,w} = \hat x_0 + w\;\frac{1-\bar\alpha_t}{\sqrt{\bar\alpha_t}}\;\nabla\log q(y \mid x_t). \tag{17.6}$$
#
# ### Exercise 17.3 · The pull on the estimate
#
# `x0_hat` is the unconditional estimate and `gradient` the gradient of $\log q(y \mid x_t)$. Return (17.6); `t` is an
# int.

# %% tags=["exercise"]
def my_pull(schedule, x0_hat, gradient, w, t):
    """Return the guided estimate, shaped like x0_hat."""
    ### BEGIN SOLUTION
    return x0_hat + w * (1 - schedule.abar[t]) / schedule.signal[t] * gradient
    ### END SOLUTION


pull = check("beyond.pull", my_pull)

# %% [markdown]
# There are two classes on the line, $N(-0.6, 0.4)$ and $N(0.6, 0.4)$; we ask for the one on the right. We compare
#
# 1. **noisy**: the exact $q(y \mid x_t)$, which knows how much noise there is,
# 2. **clean**: the exact $q(y \mid x_0)$, applied to $x_t$ as if it were clean,
# 3. **estimate**: the clean one, applied to the estimate $\hat x_0(x_t)$, with the gradient taken through the denoiser.
#
# **Predict.** With $w = 1$ the samples should follow $N(0.6, 0.4)$. Which of the three achieve that?

# %%
half = torch.tensor([0.5, 0.5], dtype=torch.float64)
both = ideal_denoisers.Mixture(half, torch.tensor([[-0.6], [0.6]]).double(), 0.8 * half)
right = ideal_denoisers.Mixture(half[:1] * 2, both.mean[1:], both.var[1:])
free, asked = (ideal_denoisers.mixture_denoiser(m, schedule) for m in (both, right))


def log_right(x, t):
    """log q(y = right | x_t), exactly; t = 0 is the clean classifier."""
    var = (schedule.abar[t] * both.var + 1 - schedule.abar[t])[0]
    return torch.nn.functional.logsigmoid(2 * schedule.signal[t] * 0.6 * x[:, 0] / var)


# %%
CLASSIFIERS = {"noisy": log_right, "clean": lambda x, t: log_right(x, 0),
               "estimate": lambda x, t: log_right(free(x, t), 0)}


def with_classifier(name, w):
    """The denoiser guided by one of the classifiers."""
    def denoise(x_t, t):
        x = x_t.detach().requires_grad_()
        with torch.enable_grad():
            gradient = torch.autograd.grad(CLASSIFIERS[name](x, int(t[0])).sum(), x)[0]
        return pull(schedule, free(x_t, t), gradient, w, int(t[0]))
    return denoise


# %%
# eq: 17.6
levels = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
quantiles = torch.special.ndtri(levels)[:, None]  # of N(0, 1): no randomness, as in chapter 15b
times = schedules.timesteps(1000, 100)


def ends_of(denoise):
    return samplers.final(samplers.probability_flow_ode(schedule, denoise, quantiles, times=times))


print(f"   wanted: mean 0.600, std {math.sqrt(0.4):.3f}")
for name in CLASSIFIERS:
    x = ends_of(with_classifier(name, 1.0))
    print(f"{name:>9}: mean {x.mean():.3f}, std {x.std():.3f}")
for w in (1.0, 3.0):
    x = ends_of(predictions.guided(asked, free, w))
    far = (x - ends_of(with_classifier("noisy", w))).abs().max()
    print(f"classifier-free, w = {w:g}: mean {x.mean():.3f}, std {x.std():.3f}; as with the "
          f"noisy one within 1e-6: {bool(far < 1e-6)}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Only the noisy one: it gives 0.598 ± 0.633. (The missing 0.002 is the chain's own: $x_T$ is not exactly $N(0, 1)$.)
#
# </details>
#
# - **The noisy classifier is right,** and classifier-free guidance gives the same samples, also for $w = 3$: by (15.2) they
#   are one formula. So the choice between the two is a question of training: a classifier for noisy images, or a denoiser
#   that sometimes sees no label.
# - **The clean classifier overshoots:** 1.186 ± 0.155. At large $t$ nobody can know the class of $x_0$, and the true
#   pull is weak. The clean classifier takes $x_t$ for data, is certain, and pulls with full force from the first step.
# - **Classifying the estimate is better, but not exact:** 0.799 ± 0.491. The probability at the mean,
#   $q(y \mid \hat x_0)$, is not the mean of the probabilities, which is $q(y \mid x_t)$; compare (15.7). If you have
#   only a clean classifier, this is the usual way; each step then needs a gradient through the denoiser.

# %% [markdown] topics="C143 C198"
# ## Must the degradation be noise?
#
# **Cold Diffusion** [Ban23] replaces noise by any degradation $D(x, t)$, such as blur, and trains a network to
# restore. It samples with
#
# $$x_s = x_t - D(\hat x_0, t) + D(\hat x_0, s). \tag{17.7}$$
#
# What changes here is the *degradation*; to predict $x_0$, $\epsilon$ or $v$ is to choose one of three outputs for one and
# the same degradation. (For video there is one more, the difference from the previous frame. Progressive distillation
# [SH22] compares such outputs; it does not switch between them during training.)
#
# ### Exercise 17.4 · A step of Cold Diffusion
#
# `degrade` is a function of `(x, t)`. Return (17.7).

# %% tags=["exercise"]
def my_restore(degrade, x_t, x0_hat, t, s):
    """Return x_s, shaped like x_t."""
    ### BEGIN SOLUTION
    return x_t - degrade(x0_hat, t) + degrade(x0_hat, s)
    ### END SOLUTION


restore = check("beyond.restore", my_restore)

# %% [markdown]
# Take the eight Gaussians and a very simple degradation: shrink toward the mean, $D(x, t) = (1 - t/100)\,x$, so
# that at $t = 100$ everything is at the origin. The network is replaced by the best possible one, the conditional
# mean of $x_0$.
#
# **Predict.** Before the end nothing is lost: $x_0 = x_t / (1 - t/100)$, exactly. So restoration is perfect at
# every $t < 100$. What will sampling from $t = 100$ produce?

# %%
def best_estimate(x, keep, std):
    """E[x_0 | x] for x = keep x_0 + std z, the eight Gaussians; exact, also without noise."""
    data = eight_gaussians.DATA
    if std == 0:
        return x / keep if keep else 0 * x
    var = keep**2 * data.var + std**2
    far = x[:, None] - keep * data.mean
    weight = (-far.square().sum(-1) / (2 * var)).softmax(1)
    return (weight[..., None] * (data.mean + (keep * data.var / var)[:, None] * far)).sum(1)


# %%
# eq: 17.7
# claim: E85
cold = {}
for std in (0.0, 0.001, 0.01, 0.1):
    x = std * normal_like(torch.empty(2000, 2, dtype=torch.float64), generator=seeded(3))
    for t in range(100, 0, -1):
        x0_hat = best_estimate(x, 1 - t / 100, std)
        x = restore(lambda x, t: (1 - t / 100) * x, x, x0_hat, t, t - 1)
    cold[f"noise {std:g}"] = best_estimate(x, 1.0, std)  # the last estimate, without the noise

# %%
fig = figures.scatter_grid(cold, panel=2.1, limit=1.4, size=3)
figures.show(fig, alt="No noise: one dot. With 0.001 eight blobs near the center, then in place.")
for name, x in cold.items():
    found = eight_gaussians.judged(x)
    different = len(torch.unique((1e4 * x).round(), dim=0))
    print(f"{name:>11}: {different:4} different samples, {found.modes} of 8 found, "
          f"{found.near:.3f} near one" + (f", std {found.width:.3f}" if found.near else ""))

# %% [markdown]
# <details><summary>Answer</summary>
#
# One sample, 2000 times: the mean of the data, far from all eight. The best restoration of the origin *is* the mean,
# and each later step restores, perfectly, what has already been decided.
#
# </details>
#
# A deterministic sampler cannot put out more variety than its start puts in. A little noise changes that, and [Ban23]
# do add some when they want to generate. With 0.01, all eight are found, and 0.96 of the samples are near one. (With
# 0.001 the first step, from no signal to a signal of 0.01, is too long: it skips the noise levels at which it is
# decided where to go. The estimates stay averages: their eight clusters lie on too small a circle. With 0.1 the blobs
# are too narrow, 0.023 instead of 0.05: the last estimate is a mean, too.)
#
# But then it is diffusion again. For $x_t = a_t\,x_0 + \text{noise}$, (17.7) reads
# $x_s = a_s\,\hat x_0 + (x_t - a_t\,\hat x_0)$: keep the noise that you believe to be in $x_t$, and change the signal. That is DDIM. So Cold
# Diffusion shows that *restoring* works with many degradations, while *generating* needs randomness from somewhere.

# %% [markdown]
# ### Detour · What blur leaves of a digit
#
# The same with images: blur digits until only their mean brightness is left, then restore.

# %%
digits, _ = datasets.digits("train")
bright = digits.mean(dim=(1, 2, 3))
groups = digits[bright.argsort()].tensor_split(8)
means = torch.stack([group.mean(0) for group in groups])
fig = figures.images(torch.cat([torch.stack([g[0] for g in groups]), means]), columns=8, panel=0.7,
                     row_labels=["a digit", "best estimate"])
figures.show(fig, alt="Eight digits, and below the mean digit of its brightness: all a gray blob.")
left = sum(len(g) * (g - m).square().mean() for g, m in zip(groups, means)) / len(digits)
print(f"share of the variance of the pixels that brightness explains: "
      f"{1 - left / (digits - digits.mean(0)).square().mean():.2f} (8 groups of {len(groups[0])})")

# %% [markdown]
# Brightness explains a share of 0.04 of the variance. All best estimates look alike: a gray blob, brighter or darker.
# Their only source of variety is one number, so with any deterministic sampler the samples lie on a curve in the
# space of all images.

# %% [markdown] topics="C111"
# ## Detour · What does a learned schedule change?
#
# [Kin21] learn the schedule together with the network. What can a schedule change, and what not?

# %% [markdown]
# In continuous time the bound is an integral over the log-SNR $\lambda$, between the two ends of the schedule
# (chapter 16):
#
# $$L = \tfrac12 \int_{\lambda_\text{low}}^{\lambda_\text{high}} e^{\lambda}\;E(x_0 - \hat x_0)^2\,d\lambda
# = E_{u \sim U(0,1)}\Big[\tfrac12\,e^{\lambda(u)}\,E(x_0 - \hat x_0)^2\,|\lambda'(u)|\Big]. \tag{17.8}$$
#
# The first form does not contain the curve $\lambda(u)$ at all. The second is what you estimate, with one random
# $u$ for each training item. **Predict.** Which of the two changes if the curve is bent, with its ends fixed: the
# value of $L$, or the variance of the estimate?

# %%
# eq: 17.8
bound = learned_schedule.Bound(-8.0, 8.0)  # two bumps, ideal denoiser
shapes = {"straight": bound.straight(), "linear beta": bound.of(schedule.log_snr[1:]),
          "cosine": bound.of(schedules.cosine().log_snr[1:]), "learned": bound.learned()}
fig = figures.curves(torch.linspace(0, 1, len(shapes["straight"])), shapes, xlabel="u, no unit",
                     ylabel="log-SNR, nats", height=2.8)
figures.show(fig, alt="Four falling curves from 8 to -8; the learned one falls evenly, then drops.")
print(f"L = {bound.value:.4f} nats; no curve's standard deviation is below {bound.least_std():.2f}")
for name, shape in shapes.items():
    drawn = bound.estimates(shape, 200_000, generator=seeded(2))
    print(f"{name:>11}: std of an estimate {bound.std(shape):5.2f}; mean of 200,000 estimates "
          f"{drawn.mean():.2f} ± {drawn.std() / math.sqrt(200_000):.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The variance of the estimate. The value does not depend on the curve: all means are 3.28 within two standard errors.
# The standard deviation of an estimate does: 15.61 for the linear schedule, 7.56 for the straight line, 5.43 for the
# learned curve, close to the 5.24 that no curve can beat. (What remains comes from $x_0$ and the noise.)
#
# </details>
#
# In variances that is a factor of 8 against the linear schedule: as much as a batch eight times as large would give.
# [Kin21] also find such a curve by gradient descent, while the network is trained. (Each of our curves is made of 16
# straight pieces, and cut off at the two ends; the learned one is found by gradient descent on its knots.)
#
# The ends of the curve are part of the bound. Add its two other terms, the prior at the noisy end and the decoder at
# the clean end:

# %%
entropy = exact_steps.entropy(bumps, schedule, 0)
for low, high in ((-8.0, 8.0), (-2.0, 8.0), (-8.0, 4.0), (-8.0, 2.0)):
    ends = torch.tensor([low, high], dtype=torch.float64)
    prior = -0.5 * torch.log1p(-torch.sigmoid(ends[0]))  # KL to N(0, 1): the data have variance 1
    decoder = 0.5 * (2 * math.pi * math.e * learned_schedule.error_moments(ends)[0][1]).log()
    total = prior + learned_schedule.Bound(low, high).value + decoder
    print(f"log-SNR {high:g} to {low:+g}: prior {prior:.4f}, L + decoder {total - prior:.4f}, "
          f"sum above the entropy {total - entropy:.4f}")

# %% [markdown]
# If the clean end lies at a log-SNR of 2 instead of 8, the bound is worse by 0.1542 nats: one Gaussian decoder must
# do what many small steps would have done. The noisy end is more forgiving: at $-2$ the prior costs 0.0635 nats,
# but $L$ is smaller by as much. What counts is that the distribution of $x_T$ is close to $N(0, 1)$, not that $x_T$
# has forgotten $x_0$. So [Kin21] learn the ends to improve the bound, and the curve between them to make its
# estimate less noisy.

# %% [markdown]
# ## Detour · Does a transformer beat the U-Net?
#
# Chapter 12b described a diffusion transformer. Here is one for 8 × 8 digits, with as much arithmetic as the U-Net.

# %% [markdown] topics="C156"
# Its block has no convolution and no resolution. What the time does to it is **adaLN-Zero** [PX23]: the embedding
# of $t$ gives a scale $a$, a shift $b$ and a gate $g$ for each of its two parts $f$, attention and an MLP,
#
# $$x \leftarrow x + g \odot f\big((1 + a) \odot \operatorname{norm}(x) + b\big), \tag{17.9}$$
#
# and they start at 0. `course/dit.py` has such a network on one page. We compare it, with one token for each pixel,
# with chapter 12's U-Net. Both have about 2.2 million multiplications per image, and are trained on the same
# batches, times and noise, each with the better of two learning rates. The loss is that of v on new digits.
# **Predict.** Which is better? And which of them is unaffected if the pixels are *scrambled*, in all images in the
# same way?

# %%
# eq: 17.9
block = dit.Block(8, heads=2).double()
x = normal_like(torch.empty(2, 4, 8, dtype=torch.float64), generator=seeded(1))
print("(17.9) starts as the identity:", torch.equal(block(x, x[:, 0]), x))
race, images = stored("compare_dit"), len(datasets.digits("train")[0])
print(f"loss of v on new digits after {race['steps']} steps on {images} digits, "
      "mean of 3 seeds ± standard error")
for name, found in race["loss"].items():
    kind, settings = dit.NETWORKS[name]
    count = dit.multiplications(networks.build(kind, seed=0, **settings)) / 1e6
    best = min((f"lr {lr:g}" for lr in (1e-3, 3e-3)), key=lambda lr: sum(found[lr]))
    said = {what: torch.tensor(found[key]) for what, key in
            (("in order", best), ("scrambled", "scrambled"))}
    text = ", ".join(f"{what} {v.mean():.4f} ± {v.std() / 3**0.5:.4f}" for what, v in said.items())
    print(f"{name:>11}, {count:.1f} million, {best}: {text}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The U-Net, 0.3228 against 0.3592, far beyond the standard errors. The transformer is unaffected by the scrambling,
# 0.3567 instead of 0.3592: with one token for each pixel, scrambling only renames positions, whose embeddings are
# learned anyway. The U-Net gets worse, 0.3460 instead of 0.3228.
#
# </details>
#
# So part of the U-Net's advantage is that it knows which pixels are neighbors. It is not all: even on scrambled
# digits the U-Net is ahead. With 896 digits and 400 steps, what is built in pays.
#
# This does not contradict [PX23], whose networks are far larger and see a million images. What is built in matters less,
# the more data and steps there are to learn it from.

# %% [markdown] topics="C195 C197 C198 C200"
# ## What does each assumption cost?
#
# None of DDPM's assumptions is a law of nature. Here is what each costs, where the course measured it, and what has
# been proposed instead.
#
# | assumption | what it costs | measured in | remedies |
# |---|---|---|---|
# | a Markov chain, followed step by step | hundreds of calls | [10b](10b_fewer_steps.ipynb), [15](15_fast_and_guided.ipynb) | DDIM and its generalizations: the loss depends on the marginals only, so noising need not be Markov; solvers that remember the last estimate, such as DPM-Solver++(2M), are not Markov either |
# | Gaussian reverse steps | a gap, if steps are few: 0.0958 nats with 10 | above | better variances; a GAN for each step [XKV22] |
# | a fixed encoder | many levels, latents as large as the data | above | NVAE; a learned schedule; diffusion in an autoencoder's space ([17b](17b_systems.ipynb)) |
# | noise of one kind, Gaussian and equal in all directions | no limit on what can be modeled | [08](08_bound.ipynb) | Cold Diffusion; Poisson flow [Xu22]; flow matching ([16b](16b_flow_matching.ipynb)), whose straighter paths are related to optimal transport |
# | no short latent code | editing by encoding the whole image | [15b](15b_guidance_and_editing.ipynb) | an encoder whose code conditions the denoiser [Pre22] |

# %% [markdown]
# ## Popular claims, checked
#
# - **Averaged over $x_t$, the best variance lies between $\tilde\beta$ and $\beta$ if the data have variance at most 1,** not
#   for all data, and not at each $x_t$ (detour). And what is unknown in a reverse step is not $\tilde\beta$, which does not
#   contain $x_0$, but $\operatorname{Var}(x_0 \mid x_t)$, (17.1).
# - **DDPM is not a special case of NVAE.** Both are hierarchical VAEs. NVAE learns an encoder that is not Markov;
#   DDPM fixes one that is. Whether levels share weights is a choice in both.
# - **A GAN's latent code is not disentangled by construction** (detour): rotate it, and all samples are as good as
#   before.
#
# ## Recap
#
# A GAN samples in one call and may lose modes; a denoiser keeps them and samples slowly. The slope of the denoiser
# gives the uncertainty about $x_0$, and so a variance for each $x_t$ that halves what a Gaussian step loses. A learned
# encoder saves levels and may collapse. With one noise level, sampling is either stuck or blurred; with many it is
# not. A classifier may guide if it knows the noise level; if it is exact, it agrees with classifier-free guidance.
# Restoring from a degradation without noise cannot generate.
#
# **One formula to keep**
#
# $$\operatorname{Var}(x_0 \mid x_t) = \frac{1-\bar\alpha_t}{\sqrt{\bar\alpha_t}}\;\frac{\partial\,\hat x_0}{\partial x_t}$$
#
# **Exercises:** 17.1 `beyond.spread` · 17.2 `beyond.langevin` · 17.3 `beyond.pull` · 17.4 `beyond.restore`
#
# **To think about.** (17.1) holds for the *ideal* denoiser. A trained network's slope need not be right where its
# estimate is. How could you test, with samples of $x_0$ and $x_t$ only, whether its variances are too small?
#
# <details><summary>Answer</summary>
#
# Standardize: the mean of $(x_0 - \hat x_0)^2 / \operatorname{Var}(x_0 \mid x_t)$ over held-out pairs should be 1.
# If it is larger, the variances are too small, or the estimate is biased.
#
# </details>
#
# **Before:** [16b · Why should the path from noise to data bend?](16b_flow_matching.ipynb) · **Next:**
# [17b · How does a denoiser become a system?](17b_systems.ipynb)
#
# **Read on:** [VK20] Sec. 3; [SE19] on annealed Langevin dynamics; [DN21] Sec. 4 on classifier guidance; [Ban23];
# [Kin21] Sec. 5; [PX23].
