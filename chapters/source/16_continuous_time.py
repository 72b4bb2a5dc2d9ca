# %% [markdown]
# # 16 · What remains when T goes to infinity?
#
# A thousand steps, a hundred, ten: throughout the course T was a number that somebody chose. What happens if you
# make the steps ever shorter and more numerous? The chain becomes a stochastic differential equation, sampling
# becomes a choice from a whole family of processes, and one member of the family, an ordinary differential
# equation, gives the *exact* likelihood of a data point, where until now we had a bound.
#
# **After this chapter you can**
#
# - write DDPM's chain as a stochastic differential equation, and check that its marginals agree,
# - say how a density moves, and derive the ways back from noise to data from that,
# - choose how much noise a sampler uses, from the ODE to the SDE and beyond,
# - compute an exact log-likelihood along an ODE, with an exact or an estimated divergence,
# - write the bound as an integral over log-SNR, and say what of the schedule matters to it.
#
# **You need** the score from [09 · Predictions](09_predictions.ipynb), the probability-flow ODE from
# [10b](10b_fewer_steps.ipynb), for "The bound as an integral" sections 5 and 6 of [08](08_bound.ipynb), and for one
# detour the bits per dimension of [14](14_measuring.ipynb). Nothing here builds on [15b](15b_guidance_and_editing.ipynb).
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 20 seconds.
#
# **For what comes next:** [16b](16b_flow_matching.ipynb) uses one argument from "How does a density move?" and "All the
# ways back"; a detour of [17](17_beyond.ipynb) uses "The bound as an integral". Nothing else builds on this chapter.
#
# **In the papers:** [Song21b] Sec. 3 and 4, App. B to D; [And82]; [Kin21] Sec. 4 and 5; [Hyv05], [Vin11] and
# [Song19] for score matching; [Che18] and [Gra19] for the likelihood.

# %%
import json
import math

import torch

from ddpm_lab import datasets, ideal_denoisers, schedules, sde
from ddpm_lab.course import figures, ode_likelihood
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, log_prob, normal_like, seeded
from ddpm_lab.training import pretrained

modes = ideal_denoisers.two_modes()  # the data: half N(-0.97, 0.0591), half N(0.97, 0.0591)
vp = sde.variance_preserving()  # beta(t) rises from 0.1 at t = 0 to 20 at t = 1
print(vp, "with beta(0), beta(1/2) and beta(1) =",
      ", ".join(f"{vp.diffusion_var(torch.tensor(t)):.4g}" for t in (0.0, 0.5, 1.0)))


def line(start, end, points):
    return torch.linspace(start, end, points, dtype=torch.float64)

# %% [markdown]
# ## A first look: the same noise in ever finer steps
#
# Here is one data point on its way to noise, in 25, 100 and 1000 steps between the same two ends. The noise is the
# same in all three: the coarse chains use sums of the fine chain's noises. **Predict.** Do the paths settle down as the
# steps become finer, or do they move apart?

# %%
fine, chains = normal_like(torch.empty(1000, dtype=torch.float64), generator=seeded(3)), {}
for T in (25, 100, 1000):
    beta = vp.diffusion_var(torch.arange(1, T + 1, dtype=torch.float64) / T) / T
    eps = fine.view(T, -1).sum(1) / math.sqrt(1000 / T)  # sums of fine noises, variance 1 again
    x = [0.97 * torch.ones((), dtype=torch.float64)]
    for k in range(T):
        x.append((1 - beta[k]).sqrt() * x[-1] + beta[k].sqrt() * eps[k])
    chains[T] = torch.stack(x)

# %%
fig, ax = figures.new(height=2.8)
for (T, x), color in zip(chains.items(), (figures.ORANGE, figures.BLUE, figures.GRAY)):
    width = 0.6 if T == 1000 else 1.4
    ax.plot(line(0, 1, T + 1), x, color=color, linewidth=width, label=f"T = {T}")
    apart = (x[:: T // 25] - chains[1000][::40]).square().mean().sqrt()
    print(f"T = {T:4}: at 25 common times {apart:.2f} from T = 1000 (root mean square)")
ax.set(xlabel="time t = step / T, no unit", ylabel="x_t, data units")
ax.legend(fontsize=9)
figures.show(fig, alt="Three noisy paths with the same noise: the finer ones lie on each other.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# They settle down: at the times that all three share, the path with 25 steps is 0.15 away from the one with 1000
# steps, the path with 100 steps 0.03.
#
# </details>
#
# So there is a limit, a path with noise at every moment. Let us find its equation.

# %% [markdown] topics="C177"
# ## From steps to a differential equation
#
# From here on $t$ is a real number, from 0 (clean data) to 1 (noise); a chain of $T$ steps visits
# $t = 1/T, 2/T, \dots, 1$, so one step takes $h = 1/T$. Shorter steps must add less noise each. Write the noise
# variance of a step as $\beta(t)\,h$: then $\beta(t)$ is a *rate*, variance per unit of time. For a small $h$, a step
# of DDPM is
#
# $$x_{t+h} = \sqrt{1-\beta(t) h}\;x_t + \sqrt{\beta(t) h}\;\epsilon
# \;\approx\; x_t - \tfrac12\beta(t)\,x_t\,h + \sqrt{\beta(t)}\,\sqrt h\;\epsilon. \tag{16.1}$$
#
# The first change is proportional to $h$, the second to $\sqrt h$. Noise over time has that scaling because
# *variances* add: ten steps of length $h$ have ten times the variance, so $\sqrt{10}$ times the standard deviation.
# As $h \to 0$ one writes $dt$ for $h$ and $dw$ for $\sqrt h\,\epsilon$, the increment of a **Wiener process** (Brownian
# motion). The result is a **stochastic differential equation** (SDE):
#
# $$dx = f(t)\,x\,dt + g(t)\,dw, \qquad f(t) = -\tfrac12\beta(t), \quad g(t)^2 = \beta(t). \tag{16.2}$$
#
# The factor of $dt$ is the drift, and $g$ is the **diffusion coefficient**. This SDE is called variance preserving
# (VP), like its chain. Simulating an SDE by short steps of the form (16.1), right side, is the **Euler–Maruyama
# method**.
#
# ### Exercise 16.1 · A step of Euler–Maruyama
#
# `f` and `g` are functions of time; the drift is $f(t)\,x$. Return $x_{t+h}$ after one step of length `h` with the
# standard normal noise `eps`.

# %% tags=["exercise"]
def my_step(f, g, x, t, h, eps):
    """Return x at time t + h, shaped like x."""
    ### BEGIN SOLUTION
    return x + f(t) * x * h + g(t) * math.sqrt(h) * eps
    ### END SOLUTION


em_step = check("continuous.step", my_step)

# %%
# eq: 16.1, 16.2
beta = vp.diffusion_var(torch.tensor(0.5, dtype=torch.float64))
x, eps = torch.tensor([0.97, 1.3], dtype=torch.float64)
for h in (1e-2, 1e-3, 1e-4):
    exact = (1 - beta * h).sqrt() * x + (beta * h).sqrt() * eps
    ours = em_step(lambda t: -beta / 2, lambda t: beta.sqrt(), x, 0.5, h, eps)
    print(f"h = {h:g}: step of DDPM {exact:.6f}, Euler-Maruyama {ours:.6f}, "
          f"difference over h²: {(exact - ours) / h**2:.1f}")

# %% [markdown]
# The difference is of order $h^2$ per step, so of order $h$ over all $1/h$ steps: it vanishes in the limit.
#
# **The marginals have a closed form.** In a chain $\bar\alpha$ is a product; its logarithm is the sum
# $\sum \log(1-\beta(t)h) \approx -\sum \beta(t)\,h$, which becomes an integral:
#
# $$x_t = a(t)\,x_0 + b(t)\,\epsilon, \qquad a(t)^2 = \exp\Big(-\int_0^t \beta(s)\,ds\Big), \quad b(t)^2 = 1 - a(t)^2. \tag{16.3}$$
#
# With $\beta(t) = 0.1 + 19.9\,t$ the step variances $\beta(t)/T$ at $T = 1000$ run from about $10^{-4}$ to 0.02: these
# are the numbers of [Ho20]. **Predict.** How far is $\bar\alpha$ of the thousand-step chain from its limit at $t = 1/2$:
# about 0.1, 0.01 or 0.001?

# %%
# eq: 16.3
half = torch.tensor(0.5, dtype=torch.float64)
limit = float(vp.signal(half) ** 2)
print(f"limit: {limit:.5f}, by (16.3): {math.exp(-(0.1 * 0.5 + 19.9 * 0.5**2 / 2)):.5f}")
for T in (50, 100, 1000, 10_000):
    beta = vp.diffusion_var(torch.arange(1, T + 1, dtype=torch.float64) / T) / T
    abar = float(schedules.from_beta(beta).abar[T // 2])
    print(f"T = {T:6}: abar at t = 1/2 {abar:.5f}, difference times T {T * (limit - abar):.2f}")
print(f"[Ho20]'s schedule, t = 500: {float(schedules.linear().abar[500]):.5f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# About 0.001. The difference falls like $1/T$, and with $T = 1000$ it is 0.0011.
#
# </details>
#
# As far as the forward process is concerned, a thousand steps are nearly infinitely many.

# %% [markdown]
# ### Detour · The same process in other units
#
# Some models leave the signal alone and only add noise. Measured in other units, they are the same process.

# %% [markdown]
# In this family $dx = g(t)\,dw$ and $x_t = x_0 + \sigma(t)\,\epsilon$, with $\sigma(1)$ far larger than the data. Since
# its variance keeps growing, it is called **variance exploding** (VE). Divide $x_t$ of (16.3) by $a(t)$:
#
# $$y_t = \frac{x_t}{a(t)} = x_0 + \sigma(t)\,\epsilon, \qquad \sigma(t) = \frac{b(t)}{a(t)}, \qquad
# dy = \frac{g(t)}{a(t)}\,dw. \tag{16.4}$$
#
# A VP process in other units *is* a VE process. (The drift is gone because $a' = f a$.) The two have the same SNR, hence
# the same best estimates and, by (16.4), the same paths. What differs is what the network sees, so its input has to be
# rescaled, and which times a solver calls evenly spaced. (The last column below is a VE process with its own $\sigma(t)$.)

# %%
# eq: 16.4
y, ve = sde.rescaled(vp), sde.variance_exploding(sigma_min=0.01, sigma_max=50.0)
for t in (0.1, 0.5, 1.0):
    print(f"t = {t}: VP has log-SNR {vp.log_snr(t):7.3f}, divided by a(t) {y.log_snr(t):7.3f}; "
          f"VE with sigma up to 50 {ve.log_snr(t):7.3f}")
h, t = 1e-5, torch.tensor(0.5, dtype=torch.float64)
growth = (y.noise_var(t + h) - y.noise_var(t - h)) / (2 * h)
print(f"d sigma²/dt {growth:.3f}, (g / a)² {vp.diffusion_var(t) / vp.signal(t) ** 2:.3f}")

# %% [markdown]
# ## How does a density move?
#
# A single path is random, but the density $q(x, t)$ of all paths is not. Think of a thin cell on the line.
# Probability flows in on one side and out on the other; the flow through a point per unit of time is the **flux** $F$.
# Drift carries $f(t)\,x\,q$ through it. Random motion carries probability from where there is more of it to where there
# is less: $-\tfrac12 g^2\,\partial q/\partial x$. (The factor $\tfrac12 g^2$ is the one with which the variance grows by
# $g^2\,dt$.) What a cell gains is what flows in minus what flows out:
#
# $$\frac{\partial q}{\partial t} = -\frac{\partial F}{\partial x}, \qquad
# F = f(t)\,x\,q - \tfrac12\,g(t)^2\,\frac{\partial q}{\partial x}. \tag{16.5}$$
#
# This is the **Fokker–Planck equation**. (In more dimensions $\partial F/\partial x$ becomes the divergence of a vector
# $F$; every step below stays the same.) We solve it on a grid of 200 cells, without any sample, and compare with the exact
# marginals: a mixture stays a mixture.

# %%
# eq: 16.5
edges, moments = line(-4, 4, 201), line(0, 1, 201)
middle = (edges[1:] + edges[:-1]) / 2


def exact(t):
    """The density of x_t at the middle of each cell."""
    return sde.log_density(sde.mixture_at(vp, modes, t), middle[:, None]).exp()


# %%
on_grid = sde.fokker_planck(vp.drift, vp.diffusion, exact(0.0), edges, moments)
fig, axes = figures.new(1, 4, width=8.4, height=2.2, sharey=True)
for ax, t in zip(axes, (0.0, 0.15, 0.3, 1.0)):
    p = on_grid[round(200 * t)]
    ax.plot(middle, exact(t), color=figures.RED, label="exact")
    ax.plot(middle, p, color=figures.BLUE, linestyle=":", linewidth=2.2, label="grid")
    ax.set(title=f"t = {t:g}", xlabel="x, data units", xlim=(-3, 3))
    print(f"t = {t:4}: largest difference {(p - exact(t)).abs().max():.4f}, "
          f"total probability {p.sum() * 0.04:.6f}")
axes[0].set_ylabel("density")
axes[3].legend(fontsize=8)
figures.show(fig, alt="Two peaks merge into one bell; grid and exact density lie on each other.")

# %% [markdown]
# The two agree to 0.0003 or better, and the total probability stays at 1: what leaves one cell enters the next.
#
# ## All the ways back
#
# Sampling means running the film backward. Which equation does that? Take (16.5) and use that the score
# $s = \nabla \log q$ is $(\partial q/\partial x)/q$, so $\partial q/\partial x = s\,q$. Then the diffusion term becomes a
# *drift* term:
#
# $$\frac{\partial q}{\partial t} = -\frac{\partial}{\partial x}\Big[\Big(f x - \tfrac12 g^2 s\Big)\,q\Big]. \tag{16.6}$$
#
# Read this as a Fokker–Planck equation *without* diffusion: particles that all follow
#
# $$\frac{dx}{dt} = f(t)\,x - \tfrac12\,g(t)^2\,s(x, t) \tag{16.7}$$
#
# have the same density at every time as those of the SDE. This is the probability-flow ODE of chapter 10b, now derived.
# An ODE can be run in either direction, so it leads back.
#
# It is not the only way. Add and subtract the same term,
# $\tfrac12\kappa^2 g^2\,\partial^2 q/\partial x^2 = \tfrac12\kappa^2 g^2\,\partial(s\,q)/\partial x$, for any number $\kappa \ge 0$:
#
# $$\frac{\partial q}{\partial t} = -\frac{\partial}{\partial x}\Big[\Big(f x - \tfrac{1+\kappa^2}{2}\,g^2 s\Big)\,q\Big]
# - \tfrac12\,\kappa^2 g^2\,\frac{\partial^2 q}{\partial x^2}. \tag{16.8}$$
#
# The last sign looks wrong: densities do not un-diffuse. But reverse the clock: with $\tau = 1 - t$ every sign on the right
# flips, and (16.8) is the Fokker–Planck equation of an ordinary process with noise $\kappa\,g$. So, with time running
# *backward* from 1 to 0,
#
# $$dx = \Big[f(t)\,x - \tfrac{1+\kappa^2}{2}\,g(t)^2\,s(x, t)\Big]dt + \kappa\,g(t)\,dw \tag{16.9}$$
#
# has the marginals $q(x, t)$ for **every** $\kappa$, if it starts from $q(x, 1)$. $\kappa = 0$ is the ODE, and $\kappa = 1$ the
# **reverse-time SDE** [And82], the limit of ancestral sampling. A network enters only through its estimate of $s$.

# %%
# eq: 16.6, 16.8
score = sde.mixture_score(vp, modes)
x, t, h = line(-2, 2, 9)[:, None].requires_grad_(), 0.3, 1e-5


def q(t):
    return sde.log_density(sde.mixture_at(vp, modes, t), x).exp()


def d(y):
    """Derivative with respect to x at each point."""
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0][:, 0]


left = (q(t + h) - q(t - h)) / (2 * h)
for kappa in (0.0, 0.5, 1.0, 2.0):
    drift = sde.reverse_drift(vp, score, x, t, kappa)[:, 0]
    right = -d(drift * q(t)) - kappa**2 * vp.diffusion(t) ** 2 / 2 * d(d(q(t)))
    print(f"kappa = {kappa}: (16.8) holds within 1e-6: {bool((left - right).abs().max() < 1e-6)}")

# %% [markdown]
# ### Exercise 16.2 · The drift of every way back
#
# `f` and `g` are functions of time, `score` is a function of `(x, t)`. Return the factor of $dt$ in (16.9).

# %% tags=["exercise"]
def my_reverse_drift(f, g, score, x, t, kappa):
    """Return dx/dt without the noise, shaped like x."""
    ### BEGIN SOLUTION
    return f(t) * x - (1 + kappa**2) / 2 * g(t) ** 2 * score(x, t)
    ### END SOLUTION


reverse_drift = check("continuous.reverse_drift", my_reverse_drift)

# %% [markdown]
# **Predict.** We start 4000 points from noise and follow (16.9) with $\kappa = 0$, 0.5, 1 and 1.5 in 500 steps. For which
# $\kappa$ does a point's start decide where it ends? Which one ends closest to the data? And with 20 steps? (The measure is
# the Wasserstein distance W1 of chapter 10: the mean distance of the sorted points from the quantiles of the data.)

# %%
# eq: 16.7, 16.9
places = line(-3, 3, 60_001)
F = torch.special.ndtr((places[:, None] - modes.mean[:, 0]) / modes.var.sqrt()).mean(1)
quantiles = places[torch.searchsorted(F, (torch.arange(4000) + 0.5) / 4000)]
x_1 = torch.special.ndtri((torch.arange(4000).double() + 0.5) / 4000)[:, None]  # N(0, 1) exactly


def back(kappa, steps, start=x_1):
    """Follow (16.9) from t = 1 to 0; x after every step."""
    x, rng, film = start, seeded(5), [start]
    for t, s in zip(line(1, 0, steps + 1)[:-1], line(1, 0, steps + 1)[1:]):
        z = normal_like(x, generator=rng)
        drift = reverse_drift(vp.rate, vp.diffusion, score, x, t, kappa)
        film.append(film[-1] - (t - s) * drift + kappa * vp.diffusion(t) * (t - s).sqrt() * z)
        x = film[-1]
    return torch.stack(film)[:, :, 0]


def w1(x):
    return (x.sort().values - quantiles).abs().mean()

# %%
fig, axes = figures.new(1, 4, width=8.4, height=2.5, sharey=True)
seven = [150, 600, 1200, 1900, 2500, 3200, 3800]
for ax, kappa in zip(axes, (0.0, 0.5, 1.0, 1.5)):
    film = back(kappa, 500)
    for i, color in zip(seven, figures.COLORS):
        ax.plot(line(1, 0, 501), film[:, i], color=color, linewidth=0.8)
    ax.set(title=f"kappa = {kappa:g}", xlabel="time t", xlim=(1, 0), ylim=(-3.3, 3.3))
    stay = ((film[0] > 0) == (film[-1] > 0)).double().mean()
    few = {n: w1(back(kappa, n)[-1]) for n in (20, 50, 150)}
    print(f"kappa = {kappa:3}: W1 in 500 steps {w1(film[-1]):.3f}; "
          + ", ".join(f"{n}: {value:.3f}" for n, value in few.items())
          + f"; {stay:.0%} stay")
axes[0].set_ylabel("x_t, data units")
figures.show(fig, alt="Smooth paths for kappa = 0; with more noise rougher; all reach two modes.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# With $\kappa = 0$: all points stay on their side, and the paths do not cross. With $\kappa = 1$ half of them change
# sides: the start decides nothing. All four reach the data. With 500 steps the ODE comes closest, W1 0.001: it adds
# no randomness, and we start it from the quantiles of $N(0, 1)$. The others have 0.014 to 0.023, as random points do
# (the next code cell prints W1 of 4000 real ones).
#
# With 20 steps the order is clear: 0.015, 0.019, 0.040 and 0.101. Euler–Maruyama makes an error in each step, and
# with a larger $\kappa$ both the noise and the pull against it are larger.
#
# </details>
#
# So with few steps, less noise is better. (A solver of higher order would help the ODE further, as in chapter 10b.)
#
# ### What is noise good for, then?
#
# So far the score was exact and the start was right. **Predict.** Now start from a wrong distribution, $N(0.5, 0.5^2)$
# instead of $N(0, 1)$. Which sampler is affected least?

# %%
wrong, real = 0.5 + 0.5 * x_1, ideal_denoisers.sample(modes, 4000, generator=seeded(6)).double()
print(f"4000 real points: W1 {w1(real[:, 0]):.3f}")
for kappa in (0.0, 0.5, 1.0, 1.5):
    end = back(kappa, 500, wrong)[-1]
    share = (end > 0).double().mean()
    print(f"kappa = {kappa}: W1 {w1(end):.3f}, {share:.0%} end at the mode on the right")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The ODE is affected most: it carries the wrong start along, 84 % of its points end at the mode on the right, and W1
# is 0.689. The reverse-time SDE *forgets* its start, W1 0.012; with $\kappa = 0.5$ it forgets slowly, 0.127.
#
# </details>
#
# With noise, the score pulls the points back to $q(x, t)$ whatever went wrong before: a wrong start, or a network's
# errors at large $t$. So noise costs steps and repairs errors, and the best $\kappa$ depends on whether you are short
# of steps or of accuracy.
#
# ### Try it yourself: the dial
#
# The dial is $\kappa$; set it, and choose the number of steps. With 20 steps, from which $\kappa$ on are the two modes
# visibly too wide?

# %%
from ddpm_lab.course import explorers

explorer = explorers.sde_or_ode()
print(explorer)
explorer

# %%
for dial, steps in ((0.0, 20), (0.5, 20), (1.0, 20), (1.5, 20), (2.0, 20), (2.0, 150)):
    print(explorer.describe(dial=dial, steps=steps).split("? ")[1])

# %% [markdown]
# ## An exact likelihood
#
# How probable is a data point under a diffusion model? Chapter 08 could only bound that. With the ODE we can compute it.
# Follow a point along $dx/dt = v(x, t)$, and ask how the logarithm of the density *at the moving point* changes. By the
# chain rule and (16.6), which says $\partial q/\partial t = -\partial(v q)/\partial x$,
#
# $$\frac{d}{dt}\log q(x_t, t) = \frac{1}{q}\Big(\frac{\partial q}{\partial t} + v\,\frac{\partial q}{\partial x}\Big)
# = -\frac{\partial v}{\partial x}. \tag{16.10}$$
#
# Where neighboring points move apart, the density falls. In $D$ dimensions $\partial v/\partial x$ is the **divergence**
# $\nabla\!\cdot v = \sum_i \partial v_i/\partial x_i$. Integrate from 0 to 1, where the density is (almost) $N(0, I)$:
#
# $$\log p(x_0) = \log N(x_1; 0, I) + \int_0^1 \nabla\!\cdot v(x_t, t)\,dt. \tag{16.11}$$
#
# This is the **instantaneous change of variables** [Che18]; a model with such a density is a **continuous normalizing
# flow**. It needs one ODE for the point and one integral along the way.
#
# ### Exercise 16.3 · A log-density along the way
#
# Follow `x` through `times` (rising from 0) with Euler steps: at each time `v(x, t)` is the velocity and `div(x, t)` its
# divergence, shape `(B,)`. Return (16.11), shape `(B,)`; `log_prior` gives the log-density at the end.

# %% tags=["exercise"]
def my_log_density(v, div, log_prior, x, times):
    """Return log p of x at times[0], nats, shape (B,)."""
    ### BEGIN SOLUTION
    total = 0.0
    for t, s in zip(times, times[1:]):
        total = total + (s - t) * div(x, t)
        x = x + (s - t) * v(x, t)
    return log_prior(x) + total
    ### END SOLUTION


euler_log_density = check("continuous.log_density", my_log_density)

# %% [markdown]
# Now a test in two dimensions with a known answer: five Gaussians on a circle. `sde.log_likelihood` replaces your Euler
# steps by a method of order 4.

# %%
# eq: 16.10, 16.11
circle = ideal_denoisers.circle_mixture(5, std=0.3)
flow = sde.probability_flow(vp, sde.mixture_score(vp, circle))
points = ideal_denoisers.sample(circle, 50, generator=seeded(7)).double()
truth = sde.log_density(circle, points)


def standard(x):
    return log_prob(Gaussian(torch.zeros_like(x), torch.ones_like(x[:1])), x)


def div(x, t):
    return sde.divergence(lambda x: flow(x, t), x)[1]


for n in (50, 200):
    found = euler_log_density(flow, div, standard, points, line(0, 1, n + 1))
    print(f"Euler, {n:3} steps: largest error {(found - truth).abs().max():.3f} nats")
for n in (10, 20, 40):
    found = sde.log_likelihood(flow, points, times=line(0, 1, n + 1), log_prior=standard).log_prob
    print(f"order 4, {n:2} steps: largest error {(found - truth).abs().max():.5f} nats")

# %%
def at_the_end(x):
    """The exact density at t = 1, which is only almost N(0, I)."""
    return sde.log_density(sde.mixture_at(vp, circle, 1.0), x)


for name, prior in (("N(0, I)", standard), ("the exact one", at_the_end)):
    runs = [sde.log_likelihood(flow, points, times=line(0, 1, n + 1), log_prior=prior)
            for n in (40, 80)]
    off = [(run.log_prob - truth).abs().max() for run in runs]
    print(f"density at t = 1 {name:>13}: error in nats with 40 steps {off[0]:.6f}, "
          f"with 80 {off[1]:.6f}")

# %% [markdown]
# Euler's error falls from 0.152 to 0.038 nats with four times as many steps, as expected of order 1; the method of
# order 4 has 0.00007 with 40. With 80 steps it hardly improves, but that is not the solver's fault: the density at
# $t = 1$ is only almost normal, which costs up to 0.00006 nats here. With the exact one the error falls to 0.000004. So
# the likelihood is exact up to the error of the solver, which you can make as small as you like, and that of the
# density at the end.
#
# In high dimensions the divergence is expensive: it takes one derivative per dimension. It can be estimated from a
# *single* derivative, by **Hutchinson's estimator**; the detour shows how.

# %% [markdown]
# ## Detour · The divergence from one derivative
#
# A small color image has 3072 dimensions, so its divergence would take 3072 derivatives at every step. This detour replaces
# them by one.

# %% [markdown]
# Take a random vector $\xi$ of independent signs; since
# $E[\xi_i\xi_j]$ is 1 for $i = j$ and 0 otherwise,
#
# $$E\Big[\xi^{\mathsf T}\,\frac{\partial v}{\partial x}\,\xi\Big] = \sum_{i,j} E[\xi_i \xi_j]\,\frac{\partial v_i}{\partial x_j}
# = \nabla\!\cdot v. \tag{16.12}$$
#
# ### Exercise 16.4 · The trace from one derivative
#
# `v` is a function of `x` (shape `(B, D)`), and `xi` holds one random vector per item. Return the estimate in (16.12),
# shape `(B,)`, from **one** call of `torch.autograd.grad`. (The gradient of $\sum v(x)\cdot\xi$ with respect to $x$ is
# $\xi^{\mathsf T}\,\partial v/\partial x$.)

# %% tags=["exercise"]
def my_hutchinson(v, x, xi):
    """Return the estimate of the divergence of v at x, shape (B,)."""
    ### BEGIN SOLUTION
    x = x.detach().requires_grad_()
    (pulled,) = torch.autograd.grad((v(x) * xi).sum(), x)
    return (pulled * xi).sum(1)
    ### END SOLUTION


hutchinson = check("continuous.hutchinson", my_hutchinson)

# %%
# eq: 16.12
x = points[:1].repeat(4, 1)
signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 2)
each = hutchinson(lambda x: flow(x, 0.1), x, signs)
print("all four vectors of signs:", [round(float(e), 3) for e in each], f"mean {each.mean():.3f}, "
      f"exact {div(points[:1], 0.1).item():.3f}")
many = ideal_denoisers.sample(circle, 200, generator=seeded(7)).double()
for probes in (1, 10, 100):
    found = sde.log_likelihood(flow, many, times=line(0, 1, 21), log_prior=standard,
                               probes=probes, generator=seeded(8)).log_prob
    off = found - sde.log_density(circle, many)
    print(f"{probes:3} probes: mean error {off.mean():+.3f} ± {off.std() / 200**0.5:.3f}, "
          f"one point ± {off.std():.3f} nats")

# %% [markdown]
# One probe is right on average, with a standard deviation of 0.578 nats per point. A hundred independent probes divide that
# by about ten, to 0.061. For the mean over a test set one probe per image is enough, because the errors average out.

# %% [markdown] topics="C175 C179"
# ## The bound as an integral
#
# Back to the bound, and to the first question: what remains of it when $T \to \infty$? Each step costs
# $\tfrac12(\mathrm{SNR}_s - \mathrm{SNR}_t)\,E\|x_0 - \hat x_0\|^2$, by (8.17). Write $\lambda = \log \mathrm{SNR}$. For short steps
# $\mathrm{SNR}_s - \mathrm{SNR}_t$ becomes $\mathrm{SNR}\,|d\lambda|$, and $\mathrm{SNR}\,\|x_0 - \hat x_0\|^2$ is
# $\|\epsilon - \hat\epsilon\|^2$, by (8.18). So [Kin21]
#
# $$\sum_{t} L_{t-1} \;\longrightarrow\; \tfrac12 \int_{\lambda_{\min}}^{\lambda_{\max}}
# E\,\|\epsilon - \hat\epsilon(x_\lambda, \lambda)\|^2\,d\lambda. \tag{16.13}$$
#
# Neither $t$ nor $\beta$ is left: **of the schedule only the two ends matter**. The path between them is a change of
# variables. This is the view of the **variational diffusion model** (VDM) [Kin21]: a hierarchical VAE whose encoder only
# adds noise, with one layer per step, in the limit of infinitely many layers. Each layer is conditioned on the one above
# it; in this sense the model is autoregressive in the noise level.
#
# We test it on the two modes, with the exact denoiser and integrals on a grid. **Predict.** Three paths lead from
# $\lambda = 12$ to $-10$. Will their bounds with 10 steps agree? With 1000?

# %%
# eq: 16.13
grid = line(-6, 6, 2401)


def eps_error(lam):
    """E (eps - eps_hat)² at one log-SNR: SNR (E x_0² - E x0_hat²), and E x_0² is 1."""
    a_2, b_2 = torch.sigmoid(lam), torch.sigmoid(-lam)
    now = modes._replace(mean=a_2.sqrt() * modes.mean, var=a_2 * modes.var + b_2)
    x = grid[:, None].clone().requires_grad_()
    log_q = sde.log_density(now, x)
    (s,) = torch.autograd.grad(log_q.sum(), x)
    x0_hat = (grid + b_2 * s[:, 0]) / a_2.sqrt()  # Tweedie's formula (9.8)
    return lam.exp() * (1 - (log_q.detach().exp() * x0_hat**2).sum() * (grid[1] - grid[0]))


paths = {"straight": lambda u: 12 - 22 * u, "S-shaped": lambda u: 1 + 11 * torch.cos(math.pi * u),
         "linear beta": lambda u: vp.log_snr(0.003 + 0.997 * u)}

# %%
lam = line(-10, 12, 441)
error = torch.stack([eps_error(x) for x in lam])
integral = torch.trapezoid(error, lam) / 2


def stretched(path, u):
    """The path with its ends moved to 12 and -10."""
    x = path(u)
    return 12 - 22 * (x[0] - x) / (x[0] - x[-1])


def interpolated(x):
    """The eps-error at any log-SNR, from the table."""
    k = ((x + 10) / 22 * 440).clamp(0, 439.999)
    low = k.long()
    return error[low] + (k - low) * (error[low + 1] - error[low])


# %%
for name, path in paths.items():
    sums = []
    for n in (10, 100, 1000):
        x = stretched(path, line(0, 1, n + 1))  # log-SNR falls along it
        snr = x.exp()
        sums.append((0.5 * (snr[:-1] - snr[1:]) / snr[1:] * interpolated(x[1:])).sum())
    print(f"{name:>11}: 10 steps {sums[0]:8.3f}, 100 steps {sums[1]:.4f}, 1000 steps {sums[2]:.4f}")
print(f"the integral: {integral:.4f} nats")

# %% [markdown]
# <details><summary>Answer</summary>
#
# With 10 steps they do not agree at all: they range from 17.3 to 524 nats. With 1000 they are within 0.05, 0.06 and 0.28
# nats of the integral, 5.279, and getting closer.
#
# </details>
#
# The sum is a Riemann sum, and each path has its own error. A path that hurries through a part where the integrand is
# large, as "linear beta" does near the data, needs more steps.
#
# **And the gap?** On average, a bound on $-\log p(x_0)$ cannot be below the entropy of the data. Is the limit above it?

# %%
log_q0 = sde.log_density(modes, grid[:, None])
entropy = -(log_q0.exp() * log_q0).sum() * (grid[1] - grid[0])
prior = -0.5 * torch.log(torch.sigmoid(torch.tensor(10.0, dtype=torch.float64)))  # E KL at the end
last = 0.5 * math.log(2 * math.pi * math.e * float(error[-1]) / math.exp(12))  # best Gaussian at 12
print(f"prior {prior:.5f} + integral {integral:.4f} + last step {last:.4f} = "
      f"{prior + integral + last:.4f} nats")
print(f"entropy of the data: {entropy:.4f} nats")

# %% [markdown]
# It is not: both are 0.6977 nats. With the exact denoiser and infinitely many steps the bound is *tight*. In chapter 08 the
# gap was a KL divergence between the true reverse steps and the Gaussian ones of the model. The shorter a step, the closer
# the true one is to a Gaussian, so in the limit this gap is gone, and what remains is the error of the network alone.

# %% [markdown]
# ### Detour · Does the path matter in training?
#
# A training step sees one random $t$. Its loss is one term of the integral, and the path decides how much the terms differ.

# %% [markdown]
# #### Exercise 16.5 · One term of the integral
#
# In training one draws $t$ uniformly from 0 … 1 and has the squared error of $\epsilon$ at $\lambda(t)$. `error` holds such
# errors, and `slope` the derivatives $d\lambda/dt$ at the same times (log-SNR falls, so they are negative). Return, for each
# time, an estimate whose mean is (16.13).

# %% tags=["exercise"]
def my_bound_term(error, slope):
    """Return one estimate of the integral for each time, nats, shape (N,)."""
    ### BEGIN SOLUTION
    return -0.5 * slope * error
    ### END SOLUTION


bound_term = check("continuous.bound_term", my_bound_term)

# %%
u = ((torch.arange(100_000) + 0.5) / 100_000).double()  # uniform, without randomness
for name, path in paths.items():
    x = stretched(path, u)
    (slope,) = torch.gradient(x, spacing=(u[1] - u[0]).item())
    each = bound_term(interpolated(x), slope)
    print(f"{name:>11}: mean {each.mean():.4f}, one draw of t ± {each.std():.2f} nats")

# %% [markdown]
# The mean is the integral, 5.28, for all three. The standard deviations differ: 4.57 nats for the straight path and 15.17
# for "linear beta". So the schedule does matter: for the *variance* of the estimate in training (VDM learns the path that
# makes it smallest), for a finite number of steps, and for sampling. Only the limit does not depend on it.

# %% [markdown]
# ## Detour · Bits per dimension by the ODE
#
# Now a trained network: that of chapter 12 for 8 × 8 digits, with labels. Is its likelihood by the ODE better than its bound?

# %% [markdown]
# Pixels have 17 levels, and a density *at* a
# level is not a probability. Section 4 of [chapter 14](14_measuring.ipynb) adds uniform noise, which is called
# dequantization. A diffusion model has a more natural noise for that: its own. Stop the ODE at a small time $t$ instead of
# 0 and use $x_t$ as the one latent variable of a bound (Jensen's inequality, as in (8.5)):
#
# $$-\log P(x_0) \;\le\; E_{q(x_t \mid x_0)}\big[\log q(x_t \mid x_0) - \log p(x_t) - \log P(x_0 \mid x_t)\big]. \tag{16.14}$$
#
# The density $p(x_t)$ comes from the ODE, exactly. The last term is the cost of a level given $x_t$, the same $L_0$ as
# in the chain that ends at this time (chapter 14). With uniform noise $q$ and $P(x_0 \mid x_t) = 1$ it becomes (14.4).
# First a test with two levels: with the right $P(x_0 \mid x_t)$ the bound is tight, with a poor one it is loose.

# %%
# eq: 16.14
levels, noise = torch.tensor([-1.0, 1.0], dtype=torch.float64), 0.7  # data: two levels, half each
x_0 = levels[torch.randint(2, (4000,), generator=seeded(9))]
x_t = x_0 + noise * normal_like(x_0, generator=seeded(10))
log_q = torch.distributions.Normal(levels[:, None], noise).log_prob(x_t)  # (2, 4000)
own = torch.where(x_0 < 0, log_q[0], log_q[1])
log_p = log_q.logsumexp(0) - math.log(2)
right = own - math.log(2) - log_p  # log P(x_0 | x_t) by Bayes' rule
for name, decoder in (("right decoder", right), ("always 50 %", math.log(0.5) + 0 * own)):
    cost = own - log_p - decoder
    print(f"{name:>13}: {cost.mean():.4f} ± {cost.std() / 4000**0.5:.4f} nats; "
          f"-log P(x_0) is {math.log(2):.4f}")

# %% [markdown]
# The ODE of the network with its divergence takes minutes for 200 images, so a tool has done it once
# (`tools/ode_likelihood.py`), with the divergence estimated from one probe per image, and stored the bits of each image.
# Here we repeat ten of them.
#
# For comparison the tool also stored the bound of the chain and its limit, the integral (16.13). **Predict.** All three use
# the same network, images and last step. Which of them will be lowest?

# %%
model, (images, labels) = pretrained.load("digits"), datasets.digits("test")
nats = ode_likelihood.noise_cost(model, images[:10], labels[:10], first=60, steps=8,
                                 generator=seeded(1000))
print(f"ten digits, 8 steps: noise part {nats.mean() / 64 / math.log(2):.2f} bits/dim")
stored = json.loads(pretrained.path("digits").with_name("ode_likelihood.json").read_text())["bits"]
print(f"the same ten, stored, 20 steps:  {sum(stored['60']['ode'][:10]) / 10:.2f}")
said = ", ".join(f"t = {t}: {8 * float(model.schedule.noise[t]):.2f}" for t in (1, 10, 60))
print("standard deviation of the noise in levels:", said)

# %%
def mean(rows):
    x = torch.tensor(rows, dtype=torch.float64)
    return f"{x.mean():.3f} ± {x.std() / len(x)**0.5:.3f}"


label = math.log2(10) / 64  # naming the label costs this much
for first, row in stored.items():
    last = sum(row["last"]) / 200 + label
    print(f"end at t = {first}, 200 digits; the last step and the label cost {last:.3f}")
    for name in ("chain", "integral", "ode"):
        print(f"{name:>10}: noise part {mean(row[name])}, total {sum(row[name]) / 200 + last:.2f}")
    gain = [a - b for a, b in zip(row["integral"], row["ode"])]
    print(f"{'':>10}  integral minus ODE, image by image: {mean(gain)}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# If the chain ends at $t = 60$, where the noise has a standard deviation of 1.6 levels, none of them is: 0.515, 0.515
# and 0.519 ± 0.012. The closer to the data the chain ends, the more they differ, and the ODE is lowest. At $t = 1$ the
# chain pays 2.844 and the integral 2.520: these 0.32 bits per pixel are the price of *finite* steps, which are long in
# log-SNR where $t$ is small. The ODE pays 2.442, which is 0.077 ± 0.012 less than the integral.
#
# </details>
#
# With the exact score, integral and ODE would agree: SDE and ODE would have the same density, and (16.13) would be
# tight. With a network's score they are two different models, and neither has to be better [Song21c].
#
# In total, ending at $t = 10$ is the best of the three: 1.89 bits by the chain, as in chapter 14, and 1.83 by the
# ODE. The second number, too, is an upper bound, because of (16.14), and it is estimated from random noises and
# probes. Only $p(x_t)$ is exact in principle.

# %% [markdown] topics="C177"
# ## Detour · Four kinds of score matching
#
# Where did the idea of fitting a score come from? It is older than diffusion models: [Hyv05] wanted to fit densities whose
# normalizing constant is unknown. Four losses do it, and all four have the same minimizer.

# %% [markdown]
# What one wants is **explicit score matching**: with the true score $s^\ast = \nabla\log q$ and a model $s_\theta$,
#
# $$J(\theta) = \tfrac12\,E_q\,\|s_\theta(x) - s^\ast(x)\|^2. \tag{16.15}$$
#
# But $s^\ast$ is unknown. Expand the square. The term without $\theta$ is a constant; the mixed term is
# $-\int q\,s^\ast\!\cdot s_\theta\,dx = -\int \nabla q\cdot s_\theta\,dx = \int q\,\nabla\!\cdot s_\theta\,dx$, by
# integration by parts. That is **implicit score matching** [Hyv05]:
#
# $$J(\theta) = E_q\big[\tfrac12\|s_\theta\|^2 + \nabla\!\cdot s_\theta\big] + \text{const}. \tag{16.16}$$
#
# It needs samples only, but the divergence is expensive. **Sliced score matching** [Song19] replaces it by Hutchinson's
# estimate (16.12), $\xi^{\mathsf T}(\partial s_\theta/\partial x)\,\xi$. Denoising score matching [Vin11] adds noise with a
# standard deviation $b$, and fits the score of the *noised* density to the noise, which is known:
#
# $$E\,\tfrac12\Big\|s_\theta(x_t) + \frac{\epsilon}{b}\Big\|^2 = E_{q(x_t)}\,\tfrac12\|s_\theta(x_t) - \nabla\log q(x_t)\|^2
# + \text{const}. \tag{16.17}$$
#
# This is how the networks of this course are trained, up to a weight; (9.7) is why it works. No derivative of the network
# with respect to its input is needed.
#
# ### Exercise 16.6 · Implicit score matching in one dimension
#
# `model(x)` is a score for points `x` of shape `(N,)`, each independent of the others. Return $\tfrac12 s^2 + ds/dx$ at each
# point.

# %% tags=["exercise"]
def my_implicit(model, x):
    """Return the implicit loss of each point, shape (N,)."""
    ### BEGIN SOLUTION
    x = x.detach().requires_grad_()
    s = model(x)
    (slope,) = torch.autograd.grad(s.sum(), x)
    return 0.5 * s.detach() ** 2 + slope
    ### END SOLUTION


implicit = check("continuous.implicit", my_implicit)

# %% [markdown]
# A family in which the answer is known: Gaussians in the plane with variances 1 and correlation $\rho$, noised with
# $b = 0.5$. The scores are $-(\Sigma_\rho + b^2 I)^{-1}x$, and the data have $\rho = 0.6$. **Predict.** Do the four *losses*
# agree, or only their minimizers?

# %%
# eq: 16.15, 16.16, 16.17
b, rhos, rng = 0.5, line(0.3, 0.9, 25), seeded(11)


def precision(rho):
    cov = torch.tensor([[1 + b**2, rho], [rho, 1 + b**2]], dtype=torch.float64)
    return torch.linalg.inv(cov)


def model_score(rho):
    P = precision(rho)
    return lambda x: -x @ P


root = torch.linalg.cholesky(torch.tensor([[1, 0.6], [0.6, 1]], dtype=torch.float64))
x_0 = normal_like(torch.empty(50_000, 2).double(), generator=rng) @ root.T
eps = normal_like(x_0, generator=rng)
x, xi = x_0 + b * eps, normal_like(x_0, generator=rng).sign()
kinds = {"explicit": lambda s: sde.explicit_score_matching(s, x, -x @ precision(0.6)),
         "implicit": lambda s: sde.implicit_score_matching(s, x),
         "sliced": lambda s: sde.sliced_score_matching(s, x, xi),
         "denoising": lambda s: sde.denoising_score_matching(s, x_0, eps, noise=b)}

# %%
fig, ax = figures.new(height=2.8)
for (name, kind), color, dash in zip(kinds.items(), figures.COLORS, figures.DASHES):
    found = torch.stack([kind(model_score(float(rho))).mean().detach() for rho in rhos])
    ax.plot(rhos, found - found.min(), color=color, linestyle=dash, label=name)
    at = kind(model_score(0.6)).detach()
    print(f"{name:>9}: smallest at rho = {float(rhos[found.argmin()]):.3f}; at 0.6 the loss is "
          f"{at.mean():+.3f}, one point ± {at.std():.2f}")
ax.set(xlabel="correlation of the model, no unit", ylabel="loss above its minimum")
ax.legend(fontsize=9)
figures.show(fig, alt="Four curves with one minimum at rho = 0.6.")
fisher = precision(0.6).trace()
print(f"constants: explicit - implicit should be {fisher / 2:.3f}, "
      f"denoising - implicit {2 / (2 * b**2):.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Only the minimizers. All four curves have their minimum at $\rho = 0.6$, and up to sampling error they are one
# curve, moved up or down by the constants of (16.16) and (16.17).
#
# </details>
#
# What differs is the noise of the estimate and its cost. At the optimum the explicit
# loss of every point is 0; the other three have standard deviations of 1.14 (implicit), 1.52 (sliced, because of the random
# direction) and 2.98 (denoising, because of $\epsilon/b$). In 3072 dimensions implicit score matching needs 3072
# derivatives, sliced one, and denoising none. That is why diffusion models are trained by denoising. And it fits the score
# of the noised density, which is the one that sampling needs.

# %% [markdown]
# ## Popular claims, checked
#
# - **SDE and ODE have the same marginals, not the same paths**: with $\kappa = 0$ every start determines its sample, with
#   $\kappa = 1$ half of the points change sides. A network's score is not exact, and then the marginals differ, too.
# - **Noise in the sampler repairs errors and costs steps**: SDE against ODE, W1 is 0.012 against 0.689 from a wrong start,
#   and 0.040 against 0.015 from the right start with 20 steps. Neither is better in general.
# - **The bound does not depend on the schedule if there are infinitely many steps and the ends are fixed.** With 10 steps
#   it was 17.3 nats for one path and 524 for another; and an estimate from one random $t$ has three times the standard
#   deviation.

# %% [markdown]
# ## Recap
#
# Let the steps of the chain become infinitely short: what remains is an SDE with the same marginals. Its Fokker–Planck equation
# says how the density moves, and rewriting the diffusion as a drift along the score gives every way back, with as much
# noise as you like. The one without noise is an ODE; following it with its divergence gives an exact likelihood. The bound
# becomes an integral over log-SNR, in which no schedule is left but its ends.
#
# **One formula to keep**
#
# $$dx = \Big[f x - \tfrac{1+\kappa^2}{2}\,g^2\,\nabla\log q\Big]dt + \kappa\,g\,dw$$
#
# **Exercises:** 16.1 `continuous.step` · 16.2 `continuous.reverse_drift` · 16.3 `continuous.log_density` · 16.4
# `continuous.hutchinson` · 16.5 `continuous.bound_term` · 16.6 `continuous.implicit`
#
# **To think about.** (16.9) has the right marginals for every $\kappa$, so $\kappa$ could depend on time. At which times would
# you add noise if the network's score is poor near $t = 0$?
#
# **Before:** [15b · How do you ask for something?](15b_guidance_and_editing.ipynb) · **Next:**
# [16b · Why should the path from noise to data bend?](16b_flow_matching.ipynb)
#
# **Read on:** [Song21b] Sec. 3 and 4 and App. D; [Kin21] Sec. 5; [Kar22] on schedules and solvers in other units; [Song21c] on
# likelihoods of the SDE and of the ODE.
