# %% [markdown]
# # 09 · x0, eps, v, score: which should a network predict, and does it matter?
#
# In one paper the network predicts the noise, in the next it predicts the image, in a third something called v, and in a
# fourth the score. Are these four different models?
#
# **After this chapter you can**
#
# - convert any of the four predictions into the other three, with formulas that you have checked,
# - say which of them breaks down at which end of time, and by how much,
# - say what the best possible prediction *is*,
# - read the score off a denoiser, and vice versa,
# - choose a target for a network of your own.
#
# **You need** the closed form (5.11) of [05](05_forward.ipynb), section 1 (the signal-to-noise ratio) of
# [06](06_schedules_and_snr.ipynb), and for one section the score of [07b](07b_reverse_variance.ipynb).
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about 30 seconds.
#
# **For what comes next you need** "Four names, one estimate" and the score (chapter 10), and everything up to and including
# "Does it matter?" (chapters 11 to 15).
#
# **In the papers:** [Ho20] Sec. 3.2 (eps), [SH22] Salimans and Ho 2022, Sec. 4 and Appendix D (v),
# [Kar22] Karras et al. 2022 (preconditioning), [Vin11] and [Efr11] (denoising score matching and
# Tweedie's formula).

# %%
import textwrap

import sympy as sp
import torch

from ddpm_lab import datasets, forward, ideal_denoisers, networks, predictions
from ddpm_lab.course import explorers, figures
from ddpm_lab import schedules, training
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import coef, row

schedule = schedules.linear()
data = ideal_denoisers.two_modes()  # two bumps at -0.97 and +0.97; mean 0, variance 1
exact = ideal_denoisers.mixture_denoiser(data, schedule)  # the best estimate of x_0, in closed form

# %% [markdown] topics="C139"
# ## A first look: one denoiser, four names
#
# **Predict.** Below are the best predictions of x0, eps, v and the score, for data with two modes. As in chapter 08,
# $v = \sqrt{\bar\alpha_t}\,\epsilon - \sqrt{1-\bar\alpha_t}\,x_0$. Which of the other curves is closest to that of v at
# $t = 100$? And at $t = 900$?

# %%
x = torch.linspace(-2.5, 2.5, 401, dtype=torch.float64)[:, None]
fig, axes = figures.new(1, 3, width=8.4, height=2.9, sharey=True)
for ax, t in zip(axes, (100, 400, 900)):
    names = predictions.convert(schedule, exact(x, t), "x0", x, t)._asdict()  # name -> values
    curves = {name: value[:, 0] for name, value in names.items()}
    figures.curves(x[:, 0], curves, ax=ax, title=f"t = {t}", xlabel="x_t, data units", ylabel="")
    ax.set_ylim(-3, 3)
    print(f"t = {t}: at x_t = 2.5 " + ", ".join(f"{n} {c[-1]:+.3f}" for n, c in curves.items()))
axes[0].set_ylabel("best prediction (cut at ±3)")
for ax in axes[1:]:
    ax.get_legend().remove()
figures.show(fig, alt="The best x0, eps, v and score as functions of x_t; at t = 900 v lies on x0.")

# %% [markdown]
# Each panel shows **one** denoiser, the best there is for these data, under its four names. At
# $t = 100$ there is little noise: away from 0 the x0 curve changes slowly, most of the change in $x_t$ goes to eps, and v
# stays close to eps (0.95 eps minus 0.32 x0). At $t = 900$ it is the other way around: eps copies $x_t$ (2.5 in,
# about 2.5 out), x0 carries hardly any information, and v lies on x0, near zero.

# %% [markdown] topics="C139 C142"
# ## Four names, one estimate
#
# Write $a = \sqrt{\bar\alpha_t}$ for the signal factor and $b = \sqrt{1-\bar\alpha_t}$ for the noise factor, so
# $a^2 + b^2 = 1$. What a network's output stands for is its **parameterization** or **prediction type**: x0 (sometimes
# called "sample"), eps (**noise prediction**), the score, or **v** ("velocity"; **v-prediction**). The noisy data and v mix the same two quantities:
#
# $$x_t = a\,x_0 + b\,\epsilon, \tag{9.1}$$
#
# $$v = a\,\epsilon - b\,x_0. \tag{9.2}$$
#
# $x_t$ is known. So one estimate, of $x_0$, of $\epsilon$ or of $v$, determines the other two: two equations, two
# unknowns. From (9.1),
#
# $$\hat x_0 = \frac{x_t - b\,\hat\epsilon}{a}, \qquad
# \hat\epsilon = \frac{x_t - a\,\hat x_0}{b}. \tag{9.3}$$
#
# Now take $a$ times (9.1) minus $b$ times (9.2): $a\,x_t - b\,v = (a^2 + b^2)\,x_0$. In the same way
# $b\,x_t + a\,v = (b^2 + a^2)\,\epsilon$. So
#
# $$\hat x_0 = a\,x_t - b\,\hat v, \qquad \hat\epsilon = b\,x_t + a\,\hat v. \tag{9.4}$$
#
# The second pair contains **no division**. That will matter.

# %%
# eq: 9.1, 9.2, 9.3, 9.4
phi = sp.symbols("phi", positive=True)
a, b = sp.cos(phi), sp.sin(phi)  # two numbers with a^2 + b^2 = 1
x0, eps = sp.symbols("x_0 epsilon")
x_t, v = a * x0 + b * eps, a * eps - b * x0
print("(9.3):", sp.simplify((x_t - b * eps) / a - x0), sp.simplify((x_t - a * x0) / b - eps))
print("(9.4):", sp.simplify(a * x_t - b * v - x0), sp.simplify(b * x_t + a * v - eps))
print("length: x_t^2 + v^2 - (x_0^2 + eps^2) =", sp.simplify(x_t**2 + v**2 - x0**2 - eps**2))


# %% [markdown]
# All differences are 0. The last line says what v is: $(x_0, \epsilon)$ and $(x_t, v)$ have the same length, so the
# second pair of coordinates is the first one **rotated** by the angle $\varphi$ with $\cos\varphi = a$ and
# $\sin\varphi = b$. As $t$ runs from 0 to $T$, the angle runs from 0 to almost 90°. At small $t$, v is nearly
# $\epsilon$; at large $t$ it is nearly $-x_0$. And v is the direction in which $x_t$ moves as $\varphi$ grows: the
# derivative of $\cos\varphi\,x_0 + \sin\varphi\,\epsilon$ with respect to $\varphi$ is
# $-\sin\varphi\,x_0 + \cos\varphi\,\epsilon = v$. (The rotation acts on the coefficients. As vectors of pixels, $x_t$
# and v are orthogonal at every $t$ only if $x_0$ and $\epsilon$ are orthogonal and of equal length. In many
# dimensions, and for data of unit variance, that is nearly so.)

# %% [markdown]
# ### Exercise 9.1 · From the noise to the image
#
# "Predict the noise and subtract it from the image" is not quite enough. Implement the first half of (9.3).
# `coef(row(table, t), x_t)` gives a factor that broadcasts over the batch.

# %% tags=["exercise"]
def my_eps_to_x0(schedule, x_t, eps, t):
    """Return the estimate of x_0 that belongs to the estimate `eps` of the noise in x_t."""
    ### BEGIN SOLUTION
    signal = coef(row(schedule.signal, t), x_t)
    noise = coef(row(schedule.noise, t), x_t)
    return (x_t - noise * eps) / signal
    ### END SOLUTION


eps_to_x0 = check("predictions.eps_to_x0", my_eps_to_x0)

# %%
# claim: E40
rng = seeded(1)
x_0 = ideal_denoisers.sample(data, 1000, generator=rng).double()
eps = normal_like(x_0, generator=rng)
x_t = forward.noised(schedule, x_0, 500, eps)
for name, x0_hat in (("x_t - eps", x_t - eps), ("(9.3)", eps_to_x0(schedule, x_t, eps, 500))):
    print(f"{name:>9}: root mean square error of x0_hat {((x0_hat - x_0) ** 2).mean().sqrt():.3f}")


# %% [markdown]
# Even with the *true* noise, $x_t - \epsilon$ misses the data by 0.725 at $t = 500$, almost three quarters of their
# standard deviation of 1. Formula (9.3) is exact.
#
# ### Exercise 9.2 · The target v
#
# `forward.noised(schedule, x_0, t, eps)` returns $x_t = a\,x_0 + b\,\epsilon$. Compute v with this function alone,
# in a single call and without the tables. What must play the role of the data, and what the role of the noise, so that the
# result is $x_t$ rotated by another 90°?

# %% tags=["exercise"]
def my_v(schedule, x_0, eps, t):
    """Return v for clean data x_0 and noise eps at time t."""
    ### BEGIN SOLUTION
    return forward.noised(schedule, eps, t, -x_0)  # a quarter turn: eps for x_0, -x_0 for eps
    ### END SOLUTION


v_target = check("predictions.v_target", my_v)


# %% [markdown]
# ### Exercise 9.3 · From v to the image
#
# $(x_t, v)$ is $(x_0, \epsilon)$ rotated by $\varphi$, so finding $x_0$ means rotating back. Again a single call of
# `forward.noised` does it, with the same factors $a$ and $b$. Which sign changes when a rotation goes the other way?

# %% tags=["exercise"]
def my_v_to_x0(schedule, x_t, v, t):
    """Return the estimate of x_0 that belongs to the estimate `v`."""
    ### BEGIN SOLUTION
    return forward.noised(schedule, x_t, t, -v)  # turn by -phi: the cosine stays, the sine flips
    ### END SOLUTION


v_to_x0 = check("predictions.v_to_x0", my_v_to_x0)

# %% [markdown]
# The package has one function for all conversions. Its argument `prediction_type` says what the output stands for.
# (Lines with `check` reject bad input with a message.)

# %%
figures.show_source(predictions.convert)
p = predictions.convert(schedule, x_0, "x0", x_t, 500)
back = [predictions.convert(schedule, getattr(p, kind), kind, x_t, 500).x0 for kind in ("eps", "v")]
worst = max(float((each - x_0).abs().max()) for each in back)
print(f"x0 to eps or v and back, largest error below 1e-14: {worst < 1e-14}")

# %% [markdown]
# ### Detour · Whose letters?
#
# Papers that use v write $\alpha_t, \sigma_t$ for $a, b$. This is not the notation of [Ho20].

# %% [markdown]
# If you insert $\alpha_t = 1-\beta_t$ of [Ho20], and the standard deviation of a reverse step for $\sigma_t$, you get two
# numbers whose squares do not add up to 1:

# %%
# claim: E84
alpha, sigma2 = schedule.alpha[300], schedule.posterior_var[300]  # Ho's alpha_300 and a step's var
print(f"Ho's letters at t = 300: alpha^2 + sigma^2 = {alpha**2 + sigma2:.4f}")
a2, b2 = schedule.signal[300] ** 2, schedule.noise[300] ** 2
print(f"v's letters at t = 300:  a^2 + b^2         = {a2 + b2:.4f}")

# %% [markdown] topics="C140 C141"
# ## What does an error of size 1 do?
#
# The four parameterizations are equivalent as long as the prediction is perfect. A network's prediction never is.
# Suppose it is off by 1. How far off is the image? Read the factors off (9.3) and (9.4):
#
# $$|\hat x_0 - x_0| = \frac{b}{a}\,|\hat\epsilon - \epsilon| = b\,|\hat v - v|. \tag{9.5}$$
#
# **Predict.** How large is $b/a$ at $t = 1$, and at $t = 1000$? (One over its square is the
# signal-to-noise ratio.)

# %%
# eq: 9.5
# claim: E79
for t in (1, 260, 500, 1000):
    one = torch.ones(1, 1, dtype=torch.float64)
    per_eps = predictions.convert(schedule, one, "eps", 0 * one, t).x0.abs().item()
    per_v = predictions.convert(schedule, one, "v", 0 * one, t).x0.abs().item()
    print(f"t = {t:4}: 1 in eps is {per_eps:8.4f} in x0; 1 in v is {per_v:.4f}")

fig = figures.curves(
    range(1, 1001),
    {"x0 off by 1": torch.ones(1000), "eps off by 1": schedule.noise[1:] / schedule.signal[1:],
     "v off by 1": schedule.noise[1:]},
    xlabel="time t, steps", ylabel="error in x0, data units", log_y=True, height=2.8,
)
figures.show(fig, alt="An error in eps grows to 157 in x0 at t = 1000; one in v never exceeds 1.")

# %% [markdown]
# On the way to the image, the error of an eps-network is divided by 100 at $t = 1$ and multiplied by 157 at $t = 1000$.
# With v the factor never exceeds 1. So "predicting noise is easier" is half the truth: eps is the better-scaled output
# where there is **little** noise, x0 where there is **much**. To match an eps-error of 1, an x0-network must be
# accurate to 0.01 at $t = 1$; to match an x0-error of 1, an eps-network must be accurate to $1/157 = 0.006$ at
# $t = 1000$. The curve of v lies below both everywhere. (Errors of size 1 can be compared because all three targets
# have variance 1 here.)
#
# An analogy often given for eps is that it is easier to wipe ink off a painting than to paint it. This fits $t$ near 0,
# where most of $x_t$ is painting. Near $T$ it is all ink, and wiping it off *is* painting. Another argument says that
# noise is *local*, independent in each pixel, while an image is global. The noise is local, but its best prediction is
# not: by (9.3) it contains the best estimate of the image.

# %% [markdown]
# ### Detour · Zero terminal SNR, and exercise 9.4
#
# At the very end the division can fail altogether.

# %% [markdown]
# A schedule with zero terminal SNR has $a = 0$, so $\hat x_0 = 0\,x_t - 1\,\hat v$. Try $\hat v = 1$:

# %%
ends_in_noise = schedules.zero_terminal(schedule)
one = torch.ones(1, 1, dtype=torch.float64)
try:
    predictions.convert(ends_in_noise, one, "eps", one, 1000)
except ValueError as error:
    print(textwrap.fill(str(error), 88))
print("v still works: x0 =", predictions.convert(ends_in_noise, one, "v", one, 1000).x0.item())


# %% [markdown]
# #### Exercise 9.4 · The factor
#
# Return $|\hat x_0 - x_0|$ for an eps-error of 1, for a given schedule and time. (The check uses a small schedule of its
# own.)

# %% tags=["exercise"]
def my_amplification(schedule, t):
    """Return the error in x0 that an error of 1 in eps causes at time t (an int)."""
    ### BEGIN SOLUTION
    return schedule.noise[t] / schedule.signal[t]
    ### END SOLUTION


amplify = check("predictions.amplify", my_amplification)

# %% [markdown]
# ## The best prediction is a mean, not a sample
#
# **Predict.** A network is trained with squared error to predict eps from $x_t$. At $t = 1$, where $x_t$ is nearly
# clean, what does a *perfect* network return: the noise, a random sample like the noise, or about zero?
#
# Squared error is smallest for the *conditional mean*: for any estimate $c$ of a random $y$,
# $E(y-c)^2 = \operatorname{Var} y + (E y - c)^2$, and the second
# term vanishes at $c = E y$. Because (9.3) and (9.4) are linear for fixed $x_t$, the best predictions convert
# into each other just as the quantities themselves do:
#
# $$\hat\epsilon^\ast = E[\epsilon \mid x_t] = \frac{x_t - a\,E[x_0 \mid x_t]}{b}. \tag{9.6}$$
#
# How much do the best predictions vary, and how much error remains that *no* network can avoid (the **irreducible loss**)?
# The table gives the loss as a fraction of the target's variance.

# %%
# eq: 9.6
# claim: E79, E80
rng = seeded(2)
x_0 = ideal_denoisers.sample(data, 100_000, generator=rng).double()
print("   t   variance of the best eps   irreducible loss: eps     x0      v")
for t in (1, 10, 100, 300, 1000):
    eps = normal_like(x_0, generator=rng)
    x_t = forward.noised(schedule, x_0, t, eps)
    best = predictions.convert(schedule, exact(x_t, t), "x0", x_t, t)
    v = predictions.target(schedule, "v", x_0, eps, t)
    left = [((best_one - truth) ** 2).mean() / truth.var() for best_one, truth in
            ((best.eps, eps), (best.x0, x_0), (best.v, v))]  # as a share of the target's variance
    print(f"{t:4}   {best.eps.var():24.3f}   {left[0]:21.5f} {left[1]:7.5f} {left[2]:7.5f}")

# %% [markdown]
# About zero: at $t = 1$ the best eps has variance 0.002, and 0.99845 of the noise's variance remains as error. The tiny
# noise cannot be recovered from a nearly clean $x_t$. At $t = 1000$ the best eps has variance 1: it copies $x_t$, and
# hardly any error remains. The loss that a network *can* reach varies with $t$ by a factor of 25,000 for eps, 10,000
# for x0, and only two for v. A loss of 0.1 may be excellent at one time and terrible at another. That is why chapter 11
# compares losses with this irreducible loss.
#
# Hard to predict is not the same as harmful. At $t = 1$ the noise is nearly unpredictable,
# but its error is multiplied by 0.01; at $t = 1000$ the unavoidable eps-error of $\sqrt{0.00004} = 0.006$,
# times 157, is just the unavoidable x0-error of 1. What does harm is the **avoidable** part.

# %% [markdown]
# ### Detour · Must an x0-network invent an image from nothing at large t?
#
# No: its best answer there is the mean of the data.

# %%
# claim: E81
x_T = forward.noised(schedule, x_0, 1000, normal_like(x_0, generator=seeded(3)))
best = predictions.convert(schedule, exact(x_T, 1000), "x0", x_T, 1000)
print(f"std of the best x0 at t = 1000: {best.x0.std():.4f} (the data's: {x_0.std():.2f})")
print(f"best eps minus x_T, largest:    {(best.eps - x_T).abs().max():.0e}")

# %% [markdown]
# Both predictions are trivial there: the x0-network returns the mean (its estimates have a standard deviation of
# 0.006), and the eps-network copies its input.

# %% [markdown] topics="C176"
# ## The score
#
# The score, or score function, of chapter 07b is the gradient of the log-density with respect to $x_t$: the direction
# in which the density grows fastest. (Chapter 03 has another "score", the derivative with respect to a *parameter*,
# used to estimate gradients. For the mean of a Gaussian the two differ only in sign.) Equation (7.17) of
# [chapter 07b](07b_reverse_variance.ipynb) links it with denoising. In the letters of this chapter it reads
#
# $$\nabla \log q(x_t) = -\frac{x_t - a\,E[x_0 \mid x_t]}{b^2} = -\frac{E[\epsilon \mid x_t]}{b}. \tag{9.7}$$
#
# So training a network on eps is **denoising score matching**: it learns the score up to the factor $-b$. Solved for
# the data, (9.7) is Tweedie's formula:
#
# $$E[x_0 \mid x_t] = \frac{x_t + b^2\, \nabla \log q(x_t)}{a}. \tag{9.8}$$
#
# We check both against a score that is computed without any denoiser, by automatic differentiation of the log-density.

# %%
# eq: 9.7, 9.8
# claim: E16
for t in (1, 100, 300, 1000):
    point = torch.tensor([[-0.4], [1.3]], dtype=torch.float64, requires_grad=True)
    log_q = ideal_denoisers.log_density(data, schedule, point, t)
    (gradient,) = torch.autograd.grad(log_q.sum(), point)
    score = predictions.convert(schedule, exact(point, t), "x0", point, t).score
    tweedie = (point + (1 - schedule.abar[t]) * gradient) / schedule.signal[t]
    agree = torch.allclose(score, gradient, rtol=1e-9) and torch.allclose(tweedie, exact(point, t))
    print(f"t = {t:4}: score at x = 1.3 is {gradient[1].item():+.3f}; (9.7), (9.8) agree: {agree}")
clean = torch.tensor([[1.3]], dtype=torch.float64, requires_grad=True)
log_q = ideal_denoisers.log_density(data, schedule, clean, 0)
(gradient,) = torch.autograd.grad(log_q.sum(), clean)
print(f"t =    0: score at x = 1.3 is {gradient.item():+.3f}, that of the data")


# %% [markdown]
# They agree. Note *which* scores these are: not the score of the data alone but the scores of all the **noised**
# distributions. −5.576 at $t = 1$ is close to the data's −5.584, but
# −2.444 at $t = 100$ and −1.300 at $t = 1000$ belong to other distributions.
#
# ### Exercise 9.5 · Read the score off a denoiser
#
# Return the score that belongs to the denoiser's output `x0_hat`: the last line of (9.7).

# %% tags=["exercise"]
def my_score(schedule, x_t, x0_hat, t):
    """Return the score of q(x_t) that belongs to the estimate x0_hat of the clean data."""
    ### BEGIN SOLUTION
    abar_t = coef(row(schedule.abar, t), x_t)
    return (abar_t.sqrt() * x0_hat - x_t) / (1 - abar_t)
    ### END SOLUTION


score = check("predictions.score", my_score)

# %% [markdown] topics="C140 C144 C145"
# ## Does it matter?
#
# Square (9.5), and use that $a^2/b^2$ is the signal-to-noise ratio SNR. One and the same estimate has three
# squared errors:
#
# $$\|\epsilon - \hat\epsilon\|^2 = \mathrm{SNR}\;\|x_0 - \hat x_0\|^2, \qquad
# \|v - \hat v\|^2 = (\mathrm{SNR} + 1)\;\|x_0 - \hat x_0\|^2. \tag{9.9}$$
#
# So training on eps *is* training on x0 with a weight that depends on $t$. What changes is (1) how much each $t$
# counts, and (2) which function the network has to represent. The *best* predictions are equivalent: nothing in the
# algebra makes one of them memorize and another generalize.

# %%
# eq: 9.9
# claim: E83
rng = seeded(4)
x_0 = ideal_denoisers.sample(data, 1000, generator=rng).double()
eps, wrong_x0 = normal_like(x_0, generator=rng), normal_like(x_0, generator=rng)
for t in (1, 100, 500, 1000):
    x_t = forward.noised(schedule, x_0, t, eps)
    wrong = predictions.convert(schedule, wrong_x0, "x0", x_t, t)
    v = predictions.target(schedule, "v", x_0, eps, t)
    on_x0 = ((x_0 - wrong_x0) ** 2).sum()
    ratios = [float(((a - b) ** 2).sum() / on_x0) for a, b in ((eps, wrong.eps), (v, wrong.v))]
    print(f"t = {t:4}: SNR {schedule.snr[t]:10.5f}; error as eps / as x0 {ratios[0]:10.5f}, "
          f"as v / as x0 {ratios[1]:11.5f}")


# %% [markdown]
# ### Exercise 9.6 · One estimate, three losses
#
# By which factor must a squared x0-error be multiplied to become a squared error of the given kind (`kind`, the
# prediction type)?

# %% tags=["exercise"]
def my_loss_factor(schedule, kind, t):
    """Return the factor for kind "x0", "eps" or "v" at time t (an int)."""
    ### BEGIN SOLUTION
    snr = schedule.snr[t]
    return {"x0": 1.0, "eps": snr, "v": snr + 1}[kind]
    ### END SOLUTION


same_loss = check("predictions.same_loss", my_loss_factor)


# %% [markdown]
# Which of the two matters in practice? We train the same small network on the same points with the same seeds (chapter
# 11 explains the training), once for each prediction type. As a control we train two more, with an x0- and an
# eps-output that is converted to v before the loss, so that errors are **weighted as for v** ("x0 like v" and "eps like
# v" in the table). Then we compare the squared error of $\hat x_0$ with that of the exact denoiser. A ratio of 1.00 is
# perfect.
#
# **Predict.** Which type will be worst at large $t$, and which at small $t$? Will the weights of v repair them?

# %%
class CountsLikeV(torch.nn.Module):
    """A network whose output means `kind`, converted to v before the loss sees it."""

    def __init__(self, net, kind):
        super().__init__()
        self.net, self.kind = net, kind

    def forward(self, x_t, t):
        return predictions.convert(schedule, self.net(x_t, t), self.kind, x_t, t).v


rng = seeded(5)
points = ideal_denoisers.sample(data, 20_000, generator=rng)
fresh = ideal_denoisers.sample(data, 20_000, generator=rng)

# %%
learned = {}
for name in figures.track(("x0", "eps", "v", "x0 like v", "eps like v"), "networks trained"):
    output, judged_as = name.split()[0], name.split()[-1]
    net = networks.build(networks.MLP, seed=0, dim=1, width=64, depth=3)
    if output != judged_as:
        net = CountsLikeV(net, output)
    ema = training.EMA(net, decay=0.99)  # a running average of the weights
    rng = seeded(6)
    batches = datasets.batches(points, 512, generator=rng)
    for _ in training.train(schedule, net, batches, prediction_type=judged_as, steps=1500, lr=5e-3,
                            ema=ema, generator=rng):
        pass  # each turn of this loop is one training step; chapter 11 looks at them
    learned[name] = predictions.denoiser(schedule, ema.net, judged_as)
print("trained:", ", ".join(learned))

# %% tolerance={"abs": 0.3}
times = (1, 10, 50, 200, 400, 600, 800, 950, 990, 1000)
ratios = {name: [] for name in learned}
for t in times:
    x_t = forward.noised(schedule, fresh, t, normal_like(fresh, generator=seeded(t)))
    least = ((exact(x_t, t) - fresh) ** 2).mean()
    for name, denoise in learned.items():
        with torch.no_grad():
            ratios[name].append(float(((denoise(x_t, t) - fresh) ** 2).mean() / least))
print("   t" + "".join(f"{name:>12}" for name in ratios))
for i, t in enumerate(times):
    print(f"{t:4}" + "".join(f"{values[i]:12.2f}" for values in ratios.values()))

# %% tolerance={"abs": 0.3}
log_snr = schedule.log_snr[torch.tensor(times)]  # spreads both ends of time
fig = figures.curves(log_snr, ratios, xlabel="log-SNR, nats (clean data at the right)",
                     ylabel="error / least possible", log_y=True, height=3.2)
for line in fig.axes[0].lines:
    line.set_marker("o")
figures.show(fig, alt="x0 is poor at the clean end, eps at the noisy; weighted like v, both heal.")
worst = {name: max(values) for name, values in ratios.items()}
print("worst ratio:", ", ".join(f"{name} {value:.2f}" for name, value in worst.items()))

# %% [markdown]
# From $t = 200$ to 600 the three types agree with the exact denoiser to about 1 %: there the choice does **not**
# matter. At the ends it does. The x0-network makes 37 times the least possible squared error at $t = 1$, and the
# eps-network 15 times at $t = 1000$; v stays within about 1 % everywhere.
#
# The control shows why. The same two outputs, with errors weighted as for v, have worst ratios of only about 1.1 and 1.4.
# So most of the damage was (1), the **weight**: the x0-loss is hardly affected by an error at $t = 1$ that is large
# compared with 0.01 but small compared with the data, and the eps-loss is hardly affected by an error that is
# multiplied by 157 afterwards. What remains is (2), the function to be represented. (This is one seed, one small
# network and one dimension, so do not read more into the digits.)
#
# How bad is 15 times? The least possible error of x0 at $t = 1000$ is 1, the variance of the data, so such an
# estimate is far off. A sampler with many steps partly corrects it later: from $t = 1000$ to 999 it moves only a tiny bit
# toward the estimate. A single jump from $t = 1000$ cannot correct anything.

# %% [markdown]
# ## Detour · EDM's preconditioning is v-prediction
#
# The networks of Karras et al. (EDM) look different, but for data of variance 1 they predict $-v$.

# %% [markdown] topics="C142"
# They feed a scaled input into the raw network $F$ and combine its output with the input,
# $D = c_\text{skip}\,x + c_\text{out}\,F$ (**preconditioning**), with a noise level $\sigma = b/a$, the input
# $x = x_t/a$, and, for data of variance 1,
#
# $$D = \frac{1}{1+\sigma^2}\,x + \frac{\sigma}{\sqrt{1+\sigma^2}}\,F. \tag{9.10}$$
#
# (This $\sigma$ is a third meaning of the letter: it is neither the $b$ of the papers on v nor the standard deviation of a
# reverse step.) Insert
# $1/(1+\sigma^2) = a^2$ and $\sigma/\sqrt{1+\sigma^2} = b$ to get $D = a\,x_t + b\,F$. Compare with (9.4),
# $\hat x_0 = a\,x_t - b\,\hat v$: the raw output $F$ **is $-v$**.

# %%
# eq: 9.10
t = 500
sigma = schedule.noise[t] / schedule.signal[t]
x_0 = ideal_denoisers.sample(data, 5, generator=seeded(7)).double()
x_t = forward.noised(schedule, x_0, t, normal_like(x_0, generator=seeded(8)))
v = predictions.convert(schedule, exact(x_t, t), "x0", x_t, t).v
D = (x_t / schedule.signal[t]) / (1 + sigma**2) + sigma / (1 + sigma**2).sqrt() * -v
print("their D with F = -v equals our x0_hat:", torch.allclose(D, exact(x_t, t), rtol=1e-12))

# %% [markdown]
# ## Explore: move t yourself
#
# **Predict** before you move it: at which $t$ does the eps-curve become a straight line? Where does v change from
# following eps to lying flat?
#
# <details><summary>Answer</summary>
#
# Both between $t = 400$ and 500. There $q(x_t)$ is nearly $N(0, 1)$, so $\hat\epsilon$ is nearly $b\,x_t$ and
# $\hat x_0$ nearly $a\,x_t$: in $\hat v = a\,\hat\epsilon - b\,\hat x_0$ they cancel.
#
# </details>

# %%
explorer = explorers.four_names()
print(explorer)
explorer

# %% [markdown] topics="C143"
# ## Recap
#
# x0, eps, v and the score are one estimate in four parameterizations, related by (9.1), (9.2) and (9.7). The best prediction is a
# conditional mean, so it converts like the quantity itself; for eps it is near zero at small $t$ and a copy of
# $x_t$ at large $t$. The score is $-\hat\epsilon/b$, exactly, for the noised distribution. The names differ in how an
# output error reaches the image: eps multiplies it by up to 157 on the usual schedule, v by at most 1.
#
# **Which one should you choose?**
#
# | | x0 | eps | v |
# |---|---|---|---|
# | error in x0 for an output error of 1 | 1 | $b/a$: 0.01 … 157 | $b$: 0.01 … 1 |
# | well scaled at | large $t$ | small $t$ | all $t$ |
# | at zero terminal SNR | works | undefined | works |
# | irreducible loss varies over $t$ | 10,000-fold | 25,000-fold | 2-fold |
# | worst ratio to the least squared error, above | 37 at $t = 1$ | 15 at $t = 1000$ | within 1 % |
# | the unweighted loss weights squared x0-errors by | 1 | SNR | SNR + 1 |
#
# Take **v** if you start from scratch, or need few sampling steps or zero terminal SNR. Take **eps**, which works well
# with many steps, if you follow [Ho20] or continue from a checkpoint that uses it. Take **x0** if the output must be
# meaningful at large $t$, as in distillation. Whatever you choose, choose the *weights over t* deliberately: they did
# most of the damage above.
#
# **One formula to keep**
#
# $$\hat x_0 = a\,x_t - b\,\hat v, \qquad \hat\epsilon = b\,x_t + a\,\hat v$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | $\hat x_0 = (x_t - b\,\hat\epsilon)/a$ | predict the noise and subtract it | subtracting misses by 0.725 |
# | the network outputs $E[\epsilon \mid x_t]$ | it outputs a sample of $N(0,I)$ | variance 0.002 at $t = 1$ |
# | it learns the scores of all noised distributions | it learns the score of the data | −5.584, −5.576, −2.444, −1.300 |
#
# **Exercises:** 9.1 `predictions.eps_to_x0` · 9.2 `predictions.v_target` · 9.3 `predictions.v_to_x0` · 9.4
# `predictions.amplify` · 9.5 `predictions.score` · 9.6 `predictions.same_loss`
#
# **To think about.** Other targets exist, for instance the difference from the previous frame for video. What must hold
# so that a sampler can use such a prediction? (It must determine $\hat x_0$.) Cold Diffusion [Ban23] keeps
# the target x0 and replaces the noise by another degradation, such as blur.
#
# **Before:** [08b · Which weights, and how many bits?](08b_weights_and_bits.ipynb) ·
# **Next:** [10 · How do you turn noise into data, if the denoiser is perfect?](10_sampling_without_learning.ipynb)
