# %% [markdown]
# # 08 · What exactly is minimized?
#
# A denoiser is trained on one plain number: the squared error of its guess. Papers say that this number
# comes from "a bound on the likelihood". Likelihood of what? Bounded from which side? And what was thrown
# away on the road from the bound to the squared error?
#
# **After this chapter you can**
#
# - say what $\log p(x_0)$ is and why nobody can compute it, and prove the bound that is used instead,
# - split the bound into its three kinds of terms and compute each one, in nats or in bits per pixel,
# - turn a term into a weighted squared error, and give its weight for $x_0$, $\epsilon$ and $v$,
# - say which of two estimates of the same number is the noisier one, and why.
#
# **You need** [05 · How does data become noise?](05_forward.ipynb) (it introduces nats and KL) and, from
# [07 · Where was the chain a moment ago?](07_posterior.ipynb), the law $q(x_{t-1} \mid x_t, x_0)$. About 80
# minutes to work through, with a place for a break and without the two parts marked *optional* (15 minutes
# more); it runs in under half a minute.
#
# **In the papers:** [Ho20] Sec. 2, 3.3, 3.4 and Appendix A; [Kin21] Sec. 3 and 4; [Luo22] for the algebra.

# %%
import math

import sympy as sp
import torch

from ddpm_lab import datasets, forward, gaussians, ideal_denoisers, losses
from ddpm_lab.course import figures
from ddpm_lab import samplers, schedules
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, log_prob, normal_like, seeded
from ddpm_lab.schedules import row

schedule = schedules.linear()
print(schedule)

# %% [markdown]
# ## A first bill
#
# Think of a model as a price list. If it gives a picture the probability $p$, then a file of that picture
# needs $-\log_2 p$ bits: likely pictures get short names. That is how compression works, so a model can be
# judged by a **bill**, in bits per pixel. The digits of this course have 64 pixels with 17 gray levels.
# Someone who knows nothing about digits pays $\log_2 17 = 4.09$ bits for each pixel.
#
# Chapter 00 met a perfect denoiser: for the 896 digits of the training half it gives the best guess there
# is, and its samples were flawless digits (copies, all of them). The function `losses.bound` writes its
# bill, one entry for each time from $t = 1000$ down to 1. (An upper limit of the bill, to be exact. What it
# charges for, and why it is a limit, is the subject of this chapter.)
#
# **Predict.** What does the perfect denoiser ask for a digit of the training half? And for a digit that it
# has never seen?
#
# <details><summary>Hint for the first</summary>
#
# All it has to tell the receiver is *which* of the 896 digits it is.
#
# </details>

# %%
train, test = (datasets.digits(split)[0].double() for split in ("train", "test"))
memory = ideal_denoisers.dataset_denoiser(train, schedule)  # perfect for these 896 digits
bills = {}
for name, x_0 in (("a digit of the training half", train[:50]), ("a new digit", test[:50])):
    terms = losses.bound(schedule, memory, x_0, generator=seeded(4), levels=17)  # 17 gray levels
    entries = torch.cat([terms.decoder[:, None], terms.steps], dim=1)  # t = 1 … 1000
    bills[name] = losses.bits_per_dim(entries, x_0).mean(0)  # mean of the 50 digits
    total = losses.bits_per_dim(terms.total, x_0)
    print(f"{name:>28}: {total.mean():8.4f} bits per pixel (mean of 50; {total.min():.4f} "
          f"to {total.max():.4f})")
print(f"{'which of 896':>28}: {math.log2(896) / 64:8.4f}")
print(f"{'knowing nothing':>28}: {math.log2(17):6.2f}")

# %%
fig, ax = figures.new(height=3)
times = torch.arange(1000, 0, -1)
paid = {name: bill.flip(0).cumsum(0) for name, bill in bills.items()}  # from t = 1000 downward
paid["knowing nothing"] = torch.full((1000,), math.log2(17))
figures.curves(times, paid, xlabel="time t, steps (the walk goes from left to right)",
               ylabel="paid so far, bits/pixel", log_y=True, ax=ax)
ax.set(xlim=(1000, 0), ylim=(1e-3, 2e3))
figures.show(fig, alt="Both bills rise alike at first; one levels off at 0.15, one explodes.")
for t in (600, 400, 200, 100, 10, 2, 1):
    seen, new = (paid[name][1000 - t].item() for name in bills)
    print(f"paid when t = {t:3} is done: training half {seen:.4f}, new digit {new:.4f}")

# %% [markdown]
# A digit of the training half costs 0.1536 bits per pixel. That is $\log_2 896$ bits for the whole picture,
# to within 1 %: the denoiser asks "which one?" and nothing else. A new digit costs 926 bits per pixel,
# where knowing nothing costs 4.09. The denoiser is certain that the picture is one of its 896, and pays for
# being wrong. (Each single bill is estimated with random noise, so it scatters a little.)
#
# Look where the two part. Down to $t = 400$ the bills agree: much noise, and all digits look alike. Then
# the denoiser makes up its mind. Its samples could not tell you that it is a terrible model of new digits.
# The bill can. So it is worth knowing what the bill is.

# %% [markdown]
# ## 1 · A number that nobody can compute
#
# The model is the walk back: start at $x_T \sim N(0, I)$, then draw each $x_{t-1}$ from a Gaussian
# $p(x_{t-1} \mid x_t)$ around a mean that the denoiser supplies. A picture can be reached by many walks.
# Write $x_{0:T}$ for a whole walk, $x_0, x_1, \dots, x_T$. The model gives it the density $p(x_{0:T}) =
# p(x_T) \prod_t p(x_{t-1} \mid x_t)$, and the density of a picture is the sum over all walks that end in it:
#
# $$p(x_0) = \int p(x_T) \prod_{t=1}^{T} p(x_{t-1} \mid x_t)\; dx_1 \cdots dx_T. \tag{8.1}$$
#
# The **likelihood** of the model is this number for given data, seen as a function of the model. Good
# models make the data likely, so one would like to maximize the average of $\log p(x_0)$. For our digits
# and $T = 1000$, (8.1) is an integral over 64,000 variables.
#
# In one dimension and with ten steps it can be done on a grid. That will be our laboratory: two-bump data,
# the exact denoiser, ten steps of the cosine schedule, and the reverse variance $\beta_t$, in code
# `var="large"` (`"small"` is the posterior's $\tilde\beta_t$). The first cell below does the integrals one
# by one. The second compares with a simulation: (8.1) is also the mean of $p(x_0 \mid x_1)$ over random
# walks of the model down to $x_1$. Two words for what it prints.
# The **entropy** of the data, $H = -E \log q(x_0)$, is the average bill of someone who knows the true law:
# nobody can pay less. The **cross-entropy** $-E \log p(x_0)$ is the average bill of the model. It is larger
# by $\mathrm{KL}(q(x_0) \,\|\, p(x_0))$.

# %%
# eq: 8.1
ten, data = schedules.cosine(T=10), ideal_denoisers.two_modes()
denoise = ideal_denoisers.mixture_denoiser(data, ten)
x = torch.linspace(-7, 7, 1401, dtype=torch.float64)[:, None]  # the grid, spacing 0.01


def back(x_t, t, var="large"):  # p(x_{t-1} | x_t)
    p = samplers.ddpm_step(ten, x_t, denoise(x_t, t), t, t - 1, var=var)
    return Gaussian(p.mean, ten.beta[1] if t == 1 else p.var)  # a density needs noise at the end


def density(var):
    """p(x_0) on the grid: integrate over x_10, then x_9, …, then x_1."""
    p = torch.exp(-(x[:, 0] ** 2) / 2) / math.sqrt(2 * math.pi)
    for t in range(10, 0, -1):
        step = back(x, t, var)
        kernel = torch.distributions.Normal(step.mean, step.var.sqrt()).log_prob(x.T).exp()
        p = (p[:, None] * kernel).sum(0) * 0.01
    return p

# %%
truth, model = ideal_denoisers.log_density(data, ten, x, 0).exp(), density("large")
entropy = -(truth * truth.log()).sum() * 0.01  # 0.01: the spacing of the grid
cross = -(truth * model.log()).sum() * 0.01
print(f"the model's density integrates to {model.sum() * 0.01:.6f}")
print(f"entropy {entropy:.4f}, cross-entropy {cross:.4f}, KL {cross - entropy:.4f} nats")

walkers = normal_like(torch.empty(200_000, 1, dtype=torch.float64), generator=seeded(1))
rng = seeded(2)
for t in range(10, 1, -1):
    walkers = draw(back(walkers, t), normal_like(walkers, generator=rng))
for place in (0.97, 0.0):
    here = log_prob(back(walkers, 1), torch.full_like(walkers, place)).exp()
    here_too = model[700 + round(100 * place)]  # row 700 of the grid is x = 0
    print(f"p({place}): grid {here_too:.4f}, mean of p({place} | x_1) over "
          f"200,000 walks {here.mean():.4f} ± {here.std() / len(here) ** 0.5:.4f}")

# %% [markdown]
# The simulation agrees with the grid, and it needs no grid. So why not do that for pictures?
#
# **Predict.** The digit model above can end at 896 digits, at all of them equally often. We ask for the
# probability of the first one, by averaging over 200 walks. What will come out? (The truth is $1/896$, a
# bill of $\log 896 = 6.8$ nats.)

# %%
moves = [*range(1000, 0, -10), 0]  # every tenth time is enough here
drawn = samplers.sample(schedule, memory, (200, 1, 8, 8), times=moves, generator=seeded(3))
drawn = drawn.double()  # these are the means of p(x_0 | x_1), one for each walk
wanted = train[:1].expand(200, 1, 8, 8)
# log of the probability of a picture's gray levels; section 9 shows what is inside
each = gaussians.pixel_log_prob(Gaussian(drawn, schedule.beta[1]), wanted, levels=17)
estimate = each.logsumexp(0) - math.log(200)  # log of the mean of p(x_0 | x_1)
print(f"naive bill: {-estimate:.0f} nats; truth: {math.log(896):.1f} nats")
print(f"walks that ended at this digit: {int((each > -1).sum())} of 200; "
      f"with one hit the bill would be {math.log(200):.1f} nats")

# %% [markdown]
# None of the 200 walks came near this digit, and the estimate is absurd. And this is the easiest case, with
# only 896 places to go: so few that we can list them all instead of drawing them.

# %%
def listed_bill(wanted):
    """Average over the 896 ends instead of over random walks; bits per pixel."""
    ends = Gaussian(train, schedule.beta[1])
    each = gaussians.pixel_log_prob(ends, wanted.expand_as(train), levels=17)
    return (math.log(896) - each.logsumexp(0)) / (64 * math.log(2))


for name, x_0 in (("training half", train[:50]), ("new digits", test[:50])):
    price = torch.stack([listed_bill(digit) for digit in x_0]).mean()
    print(f"by listing all ends, {name}: {price:.4f} bits per pixel")

# %% [markdown]
# So the true bills of the first picture are about 0.1532 and 405 bits per pixel (the list leaves out the
# rare walks that end between two digits); 926 was indeed an upper limit, and the truth is not much kinder.
# A real model can end anywhere, and nothing can be listed.
#
# **Almost all walks miss a given picture.** To estimate (8.1) we must look at walks that end in $x_0$. We
# know a way to make such walks: start at $x_0$ and add noise!

# %% [markdown]
# ## 2 · A bound: Jensen's inequality
#
# First the tool. The logarithm is concave: it lies below each of its tangents. At the point $m > 0$ the
# tangent has slope $1/m$, so
#
# $$\log w \;\le\; \log m + \frac{w - m}{m} \qquad\text{for all } w > 0. \tag{8.2}$$
#
# (Why: the difference of the two sides, as a function of $w$, has the derivative $\frac1m - \frac1w$. It
# falls up to $w = m$, rises from there on, and is 0 at $w = m$.) Now let $w$ be random, put $m = E[w]$ and
# take the mean on both sides. The last term becomes $(E[w] - m)/m = 0$, and what is left is **Jensen's
# inequality** for the log:
#
# $$E[\log w] \;\le\; \log E[w], \quad\text{with equality only if } w \text{ is constant.} \tag{8.3}$$

# %%
# eq: 8.2, 8.3
w = torch.linspace(0.05, 5, 400, dtype=torch.float64)
tangent = math.log(2) + (w - 2) / 2
fig = figures.curves(w, {"log w": w.log(), "tangent at m = 2": tangent}, xlabel="w", ylabel="value",
                     height=2.6)
fig.axes[0].plot([1, 3], [0, math.log(3)], "o:", color=figures.GRAY, label="w is 1 or 3")
fig.axes[0].set(ylim=(-1.5, 2.3))
fig.axes[0].legend(fontsize=9)
figures.show(fig, alt="The log lies below its tangent; the chord from 1 to 3 lies below the log.")
print(f"smallest (tangent - log) on the grid: {(tangent - w.log()).min():.6f}")
print(f"w = 1 or 3, evenly: E[log w] = {math.log(3) / 2:.4f}, log E[w] = {math.log(2):.4f}")

# %% [markdown]
# ### Exercise 8.1 · How much is lost?
#
# `w` holds the values that a positive random number can take, `p` their probabilities. Return what Jensen's
# inequality loses, in nats.

# %% tags=["exercise"]
def my_jensen_gap(w, p):
    """Return the gap between the two sides of Jensen's inequality, not negative."""
    ### BEGIN SOLUTION
    return (p * w).sum().log() - (p * w.log()).sum()
    ### END SOLUTION


jensen_gap = check("bound.jensen_gap", my_jensen_gap)

# %% [markdown]
# Now to (8.1). Multiply and divide by the law of the noising chain, $q(x_{1:T} \mid x_0)$, where $x_{1:T}$
# is short for $x_1, \dots, x_T$. The integral becomes a mean over noising walks from $x_0$:
#
# $$p(x_0) = \int q(x_{1:T} \mid x_0)\, \frac{p(x_{0:T})}{q(x_{1:T} \mid x_0)}\, dx_{1:T} = E_q[w],
# \qquad w = \frac{p(x_{0:T})}{q(x_{1:T} \mid x_0)}. \tag{8.4}$$
#
# Put (8.3) on top:
#
# $$\log p(x_0) \;\ge\; E_q[\log w]. \tag{8.5}$$
#
# This is the bound, often called ELBO, the **evidence lower bound** ("evidence" is another name for
# $p(x_0)$). Its negative, $L = -E_q[\log w]$, is an *upper* bound for the bill. It is what is minimized.
#
# And what did we lose? Write $p(x_{0:T}) = p(x_0)\,p(x_{1:T} \mid x_0)$. Then $\log w = \log p(x_0) -
# \log\frac{q(x_{1:T} \mid x_0)}{p(x_{1:T} \mid x_0)}$, and the mean of the last fraction's log is a KL:
#
# $$\log p(x_0) - E_q[\log w] = \mathrm{KL}\big(q(x_{1:T} \mid x_0) \,\|\, p(x_{1:T} \mid x_0)\big). \tag{8.6}$$
#
# So the bound is tight when noising walks from $x_0$ look like the model's own walks to $x_0$. Check it
# where all can be counted: $x_0$ fixed, and three possible walks instead of infinitely many.

# %%
# eq: 8.4, 8.5, 8.6
p_joint = torch.tensor([0.02, 0.05, 0.03], dtype=torch.float64)  # p(x_0 and walk i), i = 1, 2, 3
evidence = p_joint.sum()  # (8.1): the sum over all walks
for q in ([0.2, 0.5, 0.3], [0.4, 0.3, 0.3], [0.98, 0.01, 0.01]):
    q = torch.tensor(q, dtype=torch.float64)
    w = p_joint / q
    kl = (q * (q / (p_joint / evidence)).log()).sum()  # to p(walk | x_0) = p_joint / evidence
    print(f"E_q[w] = {(q * w).sum():.4f} = p(x_0); log p(x_0) = {evidence.log():.4f}, "
          f"bound {(q * w.log()).sum():.4f}, gap {jensen_gap(w, q):.4f}, KL {kl:.4f}")

# %% [markdown]
# $E_q[w]$ is $p(x_0) = 0.1$ for every $q$. The gap is 0 for the first $q$, which is the model's own law of
# walks, and 1.4843 nats for the worst. In each line gap and KL agree.

# %% [markdown]
# ## 3 · Two ways to group one sum
#
# A logarithm turns products into sums. With the joint law under the integral of (8.1), and with
# $q(x_{1:T} \mid x_0) = \prod_t q(x_t \mid x_{t-1})$,
#
# $$\log w = \log p(x_T) + \sum_{t=1}^{T} \big[\log p(x_{t-1} \mid x_t) - \log q(x_t \mid x_{t-1})\big]. \tag{8.7}$$
#
# It is a sum of $2T + 1$ numbers, and they can be grouped in two ways. **In step pairs:** put together the
# two laws *of* $x_t$, one from each side:
#
# $$\log w = \log p(x_0 \mid x_1) + \sum_{t=1}^{T-1} \log\frac{p(x_t \mid x_{t+1})}{q(x_t \mid x_{t-1})}
# + \log\frac{p(x_T)}{q(x_T \mid x_{T-1})}. \tag{8.8}$$
#
# **With the posterior:** turn each noising step round. That is Bayes' rule (7.2), solved for the noising
# step, for $t \ge 2$:
#
# $$q(x_t \mid x_{t-1}) = q(x_{t-1} \mid x_t, x_0)\;\frac{q(x_t \mid x_0)}{q(x_{t-1} \mid x_0)}. \tag{8.9}$$
#
# Insert it. Each $\log q(x_t \mid x_0)$ with $2 \le t < T$ comes twice, once with each sign, and drops out.
# What is left of the fractions is $-\log q(x_T \mid x_0) + \log q(x_1 \mid x_0)$, and the latter cancels the
# noising step $t = 1$, which was not turned round. So
#
# $$\log w = \log\frac{p(x_T)}{q(x_T \mid x_0)}
# + \sum_{t=2}^{T} \log\frac{p(x_{t-1} \mid x_t)}{q(x_{t-1} \mid x_t, x_0)} + \log p(x_0 \mid x_1). \tag{8.10}$$
#
# To test this, take data for which we know the exact way back. If $x_0 \sim N(0, 1)$, then every $x_t$ is
# $N(0, 1)$, and neighbors have the correlation $\sqrt{\alpha_t}$. By (7.4) the exact step back is then
# $p(x_{t-1} \mid x_t) = N(\sqrt{\alpha_t}\,x_t, \beta_t)$: the chain run backward looks like the chain run
# forward. Let 2000 walkers take all 1000 steps. (The `factor` in the code spoils the model on purpose,
# later.)
#
# **Predict.** The model is exact. How much does $\log w$ differ from $\log p(x_0)$, from walk to walk?

# %%
x_0 = normal_like(torch.empty(2000, 1, dtype=torch.float64), generator=seeded(81))
walk = torch.stack([x_0, *(x_t for _, x_t in forward.chain(schedule, x_0, generator=seeded(82)))])
prior = Gaussian(torch.zeros_like(x_0), torch.tensor(1.0))


def logs_at(t, factor):
    """log p(x_{t-1}|x_t), log q(x_{t-1}|x_t, x_0), their KL, log q(x_t|x_{t-1}); all walkers."""
    x_s, x_t = walk[t - 1], walk[t]
    model = Gaussian(factor * schedule.alpha[t].sqrt() * x_t, schedule.beta[t])
    known = forward.posterior(schedule, x_0, x_t, t, t - 1) if t > 1 else model  # unused at t = 1
    ahead = forward.transition(schedule, x_s, t - 1, t)
    kl = gaussians.kl(known, model)
    return torch.stack([log_prob(model, x_s), log_prob(known, x_s), kl, log_prob(ahead, x_t)])


def logs(factor=1.0):
    """The same for all t: four tables (1000, 2000), of which row t - 1 belongs to t."""
    return torch.stack([logs_at(t, factor) for t in range(1, 1001)], dim=1)

# %%
# eq: 8.7, 8.8, 8.9, 8.10
p, known, kl, q = logs()
start = log_prob(prior, walk[-1])
marginals = torch.stack([log_prob(forward.marginal(schedule, x_0, t), walk[t])
                         for t in range(1, 1001)])
plain = start + p.sum(0) - q.sum(0)
pairs = p[0] + (p[1:] - q[:-1]).sum(0) + start - q[-1]
posterior = start - marginals[-1] + (p[1:] - known[1:]).sum(0) + p[0]
bayes = known[1:] + marginals[1:] - marginals[:-1] - q[1:]
for name, difference in (("(8.9), right minus left", bayes), ("(8.8) minus (8.7)", pairs - plain),
                         ("(8.10) minus (8.7)", posterior - plain),
                         ("log w minus log p(x_0)", plain - log_prob(prior, x_0))):
    print(f"{name:>23}: below 1e-10 on every walk: {bool((difference.abs() < 1e-10).all())}")
print(f"mean of log w {plain.mean():.4f}, mean of log p(x_0) {log_prob(prior, x_0).mean():.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Not at all! If the model is exact, $p(x_{1:T} \mid x_0) = q(x_{1:T} \mid x_0)$, so $w = p(x_0)$ on *every*
# walk: a constant, and Jensen loses nothing.
#
# </details>
#
# So both groupings are the same number, walk by walk. But nobody computes 1000 terms for each training
# picture. One takes **one random $t$** and multiplies its term by the number of terms. Then the grouping
# matters. A widely read tutorial says that the pair form is the noisier one, because each of its terms
# averages over *two* random neighbors. Is that the reason? Look for the line that would contradict it.

# %%
# claim: E66
tables = {"exact model": (p, known, kl, q), "means 0.1 % too small": logs(0.999)}
for name, (p_, known_, kl_, q_) in tables.items():
    whole = start + p_.sum(0) - q_.sum(0) - log_prob(prior, x_0)
    print(f"{name}: standard deviations, nats")
    print(f"    whole walk, log w - log p(x_0)          {whole.std():8.4f}")
    print(f"    one random t, step pairs                {999 * (p_[1:] - q_[:-1]).std():8.1f}")
    print(f"    one random t, posterior, x_(t-1) drawn  {999 * (p_[1:] - known_[1:]).std():8.1f}")
    print(f"    one random t, posterior, KL             {999 * kl_[1:].std():8.1f}")

# %% [markdown]
# The whole sum has no noise at all for the exact model, in *either* grouping, and 0.6584 nats if the model is
# slightly off. The noise comes from taking one term out of a sum whose terms cancel. A pair term is half
# the difference of two squared unit normals (the noising step's miss, and the model's), so its standard
# deviation is 1, times 999. Its neighbors would have canceled it. In the posterior grouping the canceling
# is done on paper beforehand, in (8.10), which takes the noise from 998 to 93; and the mean over $x_{t-1}$
# is a KL of two Gaussians, known in closed form, which takes it to 30. That is why training uses
# (8.10). (Taking a mean on paper instead of drawing has a name: **Rao–Blackwellization**.)
#
# ### Optional: a KL that is none
#
# You may meet the pair terms printed as a KL, too: "$-\mathrm{KL}(q(x_t \mid x_{t-1}) \,\|\, p(x_t \mid
# x_{t+1}))$, averaged over $x_{t-1}$ and $x_{t+1}$". **Predict.** Is that the same as the mean of the pair
# term in (8.8)?
#
# For our exact model both can be computed. In a pair term each law is centered at a mean, and
# $E[(x_t - \text{mean})^2]$ is its variance, so only logarithms are left. The KL needs the mean square of
# $\sqrt{\alpha_t}\,x_{t-1} - \sqrt{\alpha_{t+1}}\,x_{t+1}$ (the distance of its two means), and as all
# $x_t$ have variance 1 and $x_{t-1}$, $x_{t+1}$ the covariance $\sqrt{\alpha_t\alpha_{t+1}}$, that is
# $\alpha_t + \alpha_{t+1} - 2\alpha_t\alpha_{t+1}$.

# %%
# claim: E66
beta, alpha = schedule.beta, schedule.alpha
t = torch.arange(1, 1000)
miss = alpha[t] + alpha[t + 1] - 2 * alpha[t] * alpha[t + 1]
log_ratio = (beta[t] / beta[t + 1]).log()
as_kl = -0.5 * (beta[t] / beta[t + 1] - 1 - log_ratio + miss / beta[t + 1])
first = -0.5 * torch.log(2 * math.pi * math.e * beta[1])  # E log p(x_0 | x_1)
last = 0.5 * beta[1000].log()  # E log p(x_T) / q(x_T | x_{T-1})
last_kl = -0.5 * (beta[1000] + alpha[1000] - 1 - beta[1000].log())
print(f"pair terms (8.8): {0.5 * log_ratio.sum() + first + last:.4f} nats")
print(f"printed as a KL:  {as_kl.sum() + first + last_kl:.1f} nats, {as_kl.mean():.3f} per step")
print(f"E log p(x_0) = {-0.5 * math.log(2 * math.pi * math.e):.4f}")

# %% [markdown]
# The pair terms give −1.4189, the exact value. The printed KL gives −985.2: about one nat per step is
# wrong. A KL draws $x_t$ from $q(x_t \mid x_{t-1})$ *without looking at* $x_{t+1}$. But $x_{t+1}$ was made
# from $x_t$; given both neighbors, $x_t$ follows $q(x_t \mid x_{t-1}, x_{t+1})$. It is no bound that is
# merely loose, it is another number. In the posterior form no such thing happens: $x_{t-1}$ is drawn given
# $x_t$ and $x_0$, and no other variable appears.

# %% [markdown]
# ## 4 · The three entries of the bill
#
# Take the mean of (8.10), with a minus sign. For each fixed $x_t$, the mean over $x_{t-1}$ is a KL:
#
# $$L = \underbrace{\mathrm{KL}\big(q(x_T \mid x_0) \,\|\, p(x_T)\big)}_{L_T}
# + \sum_{t=2}^{T} \underbrace{E\,\mathrm{KL}\big(q(x_{t-1} \mid x_t, x_0) \,\|\, p(x_{t-1} \mid x_t)\big)}_{L_{t-1}}
# + \underbrace{E\big[-\log p(x_0 \mid x_1)\big]}_{L_0}. \tag{8.11}$$
#
# **$L_T$, the prior:** how far the end of the chain is from the noise we start with. Nothing to learn.
# **$L_{t-1}$, the steps:** at $x_t$, how well does the model's step imitate the step of someone who knows
# $x_0$? The mean over $x_t \sim q(x_t \mid x_0)$ belongs to it and is sometimes forgotten in print.
# **$L_0$, the last step:** down to the data themselves. (The sum has $T - 1$ terms. You may find it printed
# up to $\infty$; the chain ends at $T$.)
#
# Here is the function that wrote the bill above. It draws one $x_t$ for each $t$. (Leave `strata` aside, it is None here.
# With a number it looks at some of the times only, where a call of the denoiser is dear: chapter 14.)

# %%
figures.show_source(losses.bound)

# %% [markdown]
# **Predict.** Some notes say: only the sum matters, so make $p(x_{t-1} \mid x_t)$ *equal* to
# $q(x_{t-1} \mid x_t, x_0)$, and it becomes 0. For $N(0, 1)$ data we have the exact model, and its total
# bill is the entropy, the least possible. Is its sum 0?
#
# <details><summary>Answer</summary>
#
# No, and it cannot be. The right side knows $x_0$, the left side must not. Every single $L_{t-1}$ is
# positive, also for the exact model, and yet the bound is tight: $L_0$ is *negative* here. It is minus a
# log density, and a density can be larger than 1.
#
# </details>
#
# The exact model's variance is $\beta_t$, the posterior's $\tilde\beta_t$. The posterior's mean scatters
# around the model's mean by some $\Delta\mu_t$, and (7.22) says how far: the two variances add up,
# $\tilde\beta_t + E[\Delta\mu_t^2] = \beta_t$. Insert that into the KL of two Gaussians, and use
# $\tilde\beta_t =
# \beta_t\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}$ ($E$ is now the mean over the data, too):
#
# $$E[L_{t-1}] = \frac12\Big[\underbrace{\frac{\tilde\beta_t + E[\Delta\mu_t^2]}{\beta_t} - 1}_{0}
# + \log\frac{\beta_t}{\tilde\beta_t}\Big] = \frac12\log\frac{1-\bar\alpha_t}{1-\bar\alpha_{t-1}}. \tag{8.12}$$
#
# In the sum over $t$ neighbors cancel again:
#
# $$\sum_{t=2}^{T} E[L_{t-1}] = \frac12\log\frac{1-\bar\alpha_T}{1-\bar\alpha_1}. \tag{8.13}$$

# %%
# eq: 8.11, 8.12, 8.13
# claim: E61, E119
by_8_12 = 0.5 * (1 - schedule.abar[2:]).log() - 0.5 * (1 - schedule.abar[1:-1]).log()
by_beta = 0.5 * (schedule.beta[2:] / schedule.posterior_var[2:]).log()
by_8_13 = 0.5 * ((1 - schedule.abar[-1]) / (1 - schedule.abar[1])).log()
steps = kl[1:].sum(0)  # one draw of each KL, from the 2000 walks of section 3
print(f"(8.12): both logs agree: {torch.allclose(by_8_12, by_beta, rtol=1e-9)}")
print(f"L_1 (t = 2) alone: {by_8_12[0]:.4f} nats")
print(f"{len(by_8_12)} terms: sum {by_8_12.sum():.4f}, (8.13) {by_8_13:.4f}; "
      f"walks {steps.mean():.3f} ± {steps.std() / 2000**0.5:.3f}")
end = -0.5 * (1 - schedule.abar[-1]).log()  # E[L_T], as E[x_0^2] = 1
decoder = 0.5 * (2 * math.pi * math.e * schedule.beta[1]).log()
print(f"L_T {end:.1e} + steps {by_8_13:.4f} + L_0 {decoder:.4f} = {end + by_8_13 + decoder:.4f}; "
      f"entropy {0.5 * math.log(2 * math.pi * math.e):.4f}")

# %% [markdown]
# Three entries, 2.0e-05 + 4.6052 − 3.1862 = 1.4189 nats, exactly the entropy. The step $t = 2$ alone costs
# 0.394 nats. So the bill is paid for **telling**, not for erring: each step tells the receiver a bit more
# about $x_0$ than $x_t$ did, and that has its price, even if nobody makes a mistake. And $L_0$ must not be
# forgotten: it depends on the denoiser as well.

# %% [markdown]
# ## 5 · One step is one squared error
#
# Now the heart of the matter. The model takes the posterior's formula and puts its guess $\hat x_0$ in the
# place of $x_0$, with the same variance. So $L_{t-1}$ compares two Gaussians. Per dimension, with means
# $m_1, m_2$ and variances $v_1, v_2$,
#
# $$\mathrm{KL}\big(N(m_1, v_1) \,\|\, N(m_2, v_2)\big)
# = \tfrac12\Big[\frac{v_1}{v_2} - 1 - \log\frac{v_1}{v_2} + \frac{(m_1 - m_2)^2}{v_2}\Big]. \tag{8.14}$$
#
# Both ratios have the *second* law below. (In print you find them upside down; it does no harm as long as
# the variances are equal.)

# %%
# eq: 8.14
# claim: E63
grid = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
for m_1, v_1, m_2, v_2 in ((0.0, 1.0, 0.0, 2.0), (0.5, 0.7, -0.3, 0.7)):
    one, two = (torch.distributions.Normal(m, v**0.5) for m, v in ((m_1, v_1), (m_2, v_2)))
    log_1, log_2 = one.log_prob(grid), two.log_prob(grid)
    integral = torch.trapezoid(log_1.exp() * (log_1 - log_2), grid)
    formula = 0.5 * (v_1 / v_2 - 1 - math.log(v_1 / v_2) + (m_1 - m_2) ** 2 / v_2)
    swapped = 0.5 * (v_2 / v_1 - 1 - math.log(v_1 / v_2) + (m_1 - m_2) ** 2 / v_1)
    print(f"N({m_1}, {v_1}) to N({m_2}, {v_2}): integral {integral:.4f}, (8.14) {formula:.4f}, "
          f"ratios upside down {swapped:.4f}")

# %% [markdown]
# With equal variances only the squared difference of the means is left, divided by *twice* the variance.
# And the two means differ in one place: both are $w_0\,(\text{clean}) + w_t\,x_t$ by (7.8). For a move from
# $t$ to any earlier $s$, with $\alpha_{ts} = \bar\alpha_t/\bar\alpha_s$ (for $s = t - 1$ this is $\alpha_t$),
#
# $$\mu(x_t, x_0) - \mu(x_t, \hat x_0) = w_0\,(x_0 - \hat x_0),
# \qquad w_0 = \frac{\sqrt{\bar\alpha_s}\,(1-\alpha_{ts})}{1-\bar\alpha_t}. \tag{8.15}$$
#
# ### Exercise 8.2 · What one move costs
#
# Return the KL of the two posteriors, for a move from $t$ to any $s < t$, $s \ge 1$: nats, one number for
# each item of the batch, summed over all of its dimensions. `forward.posterior(schedule, x_0, x_t, t, s)`
# gives a law's `mean` and `var`. But the item's $x_t$ is not given. Why is it not needed?

# %% tags=["exercise"]
def my_step_kl(schedule, x_0, x0_hat, t, s):
    """Return KL(q(x_s | x_t, x_0) || q(x_s | x_t, x0_hat)) for each item, shape (B,)."""
    ### BEGIN SOLUTION
    anywhere = torch.zeros_like(x_0)  # any x_t will do: it cancels in the difference of the means
    one = forward.posterior(schedule, x_0, anywhere, t, s)
    two = forward.posterior(schedule, x0_hat, anywhere, t, s)
    square = ((one.mean - two.mean) ** 2).reshape(len(x_0), -1).sum(1)
    return square / (2 * one.var)
    ### END SOLUTION


step_kl = check("bound.step_kl", my_step_kl)

# %% [markdown]
# There is a much shorter form. With the posterior's variance
# $v = (1-\alpha_{ts})(1-\bar\alpha_s)/(1-\bar\alpha_t)$,
#
# $$\begin{aligned}
# \frac{w_0^2}{2v} &= \frac12\cdot\frac{\bar\alpha_s\,(1-\alpha_{ts})^2}{(1-\bar\alpha_t)^2}\cdot
# \frac{1-\bar\alpha_t}{(1-\alpha_{ts})(1-\bar\alpha_s)}
# && \text{insert} \\
# &= \frac12\cdot\frac{\bar\alpha_s\,(1-\alpha_{ts})}{(1-\bar\alpha_t)(1-\bar\alpha_s)}
# && \text{cancel} \\
# &= \frac12\cdot\frac{\bar\alpha_s-\bar\alpha_t}{(1-\bar\alpha_t)(1-\bar\alpha_s)}
# && \bar\alpha_s\,\alpha_{ts} = \bar\alpha_t \\
# &= \frac12\cdot\frac{\bar\alpha_s(1-\bar\alpha_t)-\bar\alpha_t(1-\bar\alpha_s)}{(1-\bar\alpha_t)(1-\bar\alpha_s)}
# && \text{add and take away } \bar\alpha_s\bar\alpha_t \\
# &= \frac12\Big(\frac{\bar\alpha_s}{1-\bar\alpha_s} - \frac{\bar\alpha_t}{1-\bar\alpha_t}\Big)
# = \frac12\,(\mathrm{SNR}_s - \mathrm{SNR}_t).
# && \text{two fractions}
# \end{aligned} \tag{8.16}$$
#
# So the whole step comes down to one line [Kin21, Eq. 13]:
#
# $$\boxed{\;L_{t-1} = \tfrac12\,(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)\; E\,\|x_0 - \hat x_0(x_t, t)\|^2\;} \tag{8.17}$$

# %%
# eq: 8.15, 8.16
A_s, A_t = sp.symbols("abar_s abar_t", positive=True)
x0, x0_hat, x_t = sp.symbols("x_0 xhat_0 x_t")
a_ts = A_t / A_s
w_0 = sp.sqrt(A_s) * (1 - a_ts) / (1 - A_t)
w_t = sp.sqrt(a_ts) * (1 - A_s) / (1 - A_t)
v = (1 - a_ts) * (1 - A_s) / (1 - A_t)
means = (w_0 * x0 + w_t * x_t) - (w_0 * x0_hat + w_t * x_t)
lines = [w_0**2 / (2 * v), A_s * (1 - a_ts) / (1 - A_t) / (1 - A_s) / 2,
         (A_s - A_t) / (1 - A_t) / (1 - A_s) / 2,
         (A_s * (1 - A_t) - A_t * (1 - A_s)) / (1 - A_t) / (1 - A_s) / 2,
         (A_s / (1 - A_s) - A_t / (1 - A_t)) / 2]
print("(8.15):", sp.simplify(means - w_0 * (x0 - x0_hat)))
print("(8.16), line by line:", [sp.simplify(b - a) for a, b in zip(lines, lines[1:])])

# %%
# eq: 8.17
# claim: E64
rng = seeded(88)
clean, guess, there = (normal_like(torch.empty(3, 5).double(), generator=rng) for _ in range(3))
for t in (2, 100, 1000):
    exact = gaussians.kl(forward.posterior(schedule, clean, there, t, t - 1),
                         forward.posterior(schedule, guess, there, t, t - 1))
    price = losses.weight(schedule, "x0", t, "vlb")
    by_8_17 = price * ((clean - guess) ** 2).sum(1)
    yours = step_kl(schedule, clean, guess, t, t - 1)
    same = torch.allclose(by_8_17, exact, rtol=1e-9), torch.allclose(yours, exact, rtol=1e-9)
    print(f"t = {t:4}: 1/2 (SNR_s - SNR_t) = {price:#.5g}; KL agrees with (8.17) and 8.2: {same}")
print(f"t =    1: {losses.weight(schedule, 'x0', 1, 'vlb'):.4g}")

# %% [markdown]
# Read (8.17) as *price times error*. The price is half the SNR that the step gains. It is 2726.3 nats for a
# squared error of 1 at $t = 2$, 0.089 at $t = 100$ and 4.1e-07 at $t = 1000$. At $t = 1$ it is infinite:
# the posterior at $s = 0$ is a single point, and missing it costs everything. So $t = 1$ is *not* in the
# sum; it has its own entry $L_0$ (section 9).
#
# Now mean bills can be computed without any drawing, if one knows $E(x_0 - \hat x_0)^2$. For the exact
# denoiser and data of variance 1 that is $1 - E[\hat x_0^2]$ (variance of $x_0$, minus what the guess
# explains): a sum over a grid of $x_t$. If the model uses $\beta_t$ instead of $\tilde\beta_t$, (8.14) has
# the ratio $r = \tilde\beta_t/\beta_t$ in it, and the error is multiplied by $r$.

# %%
def errors(mixture, schedule):
    """E(x_0 - x0_hat)^2 of the exact denoiser for t = 1 … T; data of variance 1."""
    guess, explained = ideal_denoisers.mixture_denoiser(mixture, schedule), []
    for t in range(1, schedule.T + 1):
        often = ideal_denoisers.log_density(mixture, schedule, x, t).exp() * 0.01  # x is the grid
        explained.append((often * guess(x, t)[:, 0] ** 2).sum())
    return 1 - torch.stack(explained)


def expected_bill(error, schedule, var):
    """E[L_T], E[L_{t-1}] for t = 2 … T, and E[L_0], nats."""
    price = losses.weight(schedule, "x0", torch.arange(2, schedule.T + 1), "vlb")
    r = schedule.posterior_var[2:] / schedule.beta[2:] if var == "large" else torch.ones(())
    steps = 0.5 * (r - 1 - r.log()) + r * price * error[1:]
    last = 0.5 * ((2 * math.pi * schedule.beta[1]).log() + error[0] / schedule.beta[1])
    return -0.5 * torch.log1p(-schedule.abar[-1]), steps, last

# %%
# claim: E100
parts = (torch.tensor(v, dtype=torch.float64) for v in ([1.0], [[0.0]], [1.0]))
unit = ideal_denoisers.Mixture(*parts)
entropies = {"N(0, 1)": 0.5 * math.log(2 * math.pi * math.e), "two bumps": entropy.item()}
curves = {}
for name, mixture in (("N(0, 1)", unit), ("two bumps", data)):
    error = errors(mixture, schedule)
    for var in ("large", "small"):
        L_T, steps, L_0 = expected_bill(error, schedule, var)
        total = (L_T + steps.sum() + L_0).item()
        curves[f"{name}, var={var!r}"] = steps
        print(f"{name:>9}, {var}: {L_T:.1e} + {steps.sum():.4f} {L_0:+.4f} = {total:.4f} nats; "
              f"entropy {entropies[name]:.4f}, extra {abs(total - entropies[name]):.4f}")

# %%
t = torch.arange(2, 1001)
two = {name: steps for name, steps in curves.items() if "bumps" in name}
two["N(0, 1), var='large'"] = curves["N(0, 1), var='large'"]
fig = figures.curves(t, two, xlabel="time t, steps", ylabel="$E[L_{t-1}]$, nats", log_y=True,
                     height=3)
fig.axes[0].set_xscale("log")
figures.show(fig, alt="Each step's price falls from 0.6 nats at t = 2 by four decades or more.")
for name, steps in two.items():
    share = steps.cumsum(0) / steps.sum()
    print(f"{name}: L_1 {steps[0]:.3f}, L_99 {steps[98]:.1e}, L_999 {steps[998]:.1e} nats; "
          f"up to t = 10 {share[8]:.0%}, up to t = 100 {share[98]:.0%} of the sum")

# %% [markdown]
# With variance $\beta_t$ the exact denoiser pays the entropy: nothing more for $N(0, 1)$, and 0.0057 nats
# more for the two bumps. With $\tilde\beta_t$ it pays 0.4649 and 0.4445 nats more, the price of a wrong
# variance, which chapter 07 met already. And look where the steps' bill stands: at least 32 % of it at
# $t \le 10$, three quarters at $t \le 100$. Keep that in mind for section 6.
#
# "Noise that is the same for every pixel limits what can be modeled", one textbook warns. **Predict.** With round
# Gaussian steps and a perfect denoiser, does the gap to the entropy stop somewhere as the steps get more?

# %%
# claim: E89
for moves in (10, 100, 1000):
    fewer = schedules.respaced(schedule, schedules.timesteps(1000, moves))
    L_T, steps, L_0 = expected_bill(errors(data, fewer), fewer, "large")
    gap = L_T + steps.sum() + L_0 - entropy
    print(f"two bumps, {moves:4} steps: {gap:.4f} nats above the entropy")

# %% [markdown]
# It does not stop: 0.3962, 0.0557, 0.0057 nats, close to a tenth for ten times the steps. Other noise could change how
# many steps are needed, not what can be reached.

# %% [markdown]
# ### How tight is it?
#
# Back to the laboratory with ten steps, where $p(x_0)$ itself is known. Three numbers must come in order:
# entropy ≤ cross-entropy ≤ bound. The first gap is the model's fault, the second is Jensen's. (The second
# is also what chapter 05 found: the KL of the joint laws is never below the KL of the pictures' laws,
# (5.16).)
#
# **Predict.** $\tilde\beta_t$ costs more *in the bound*. Is the model with $\tilde\beta_t$ then also the
# worse model of the data?

# %%
# claim: E72, E77
for var in ("large", "small"):
    L_T, steps, L_0 = expected_bill(errors(data, ten), ten, var)
    bill = L_T + steps.sum() + L_0
    cross = -(truth * density(var).log()).sum() * 0.01
    x_0 = ideal_denoisers.sample(data, 20_000, generator=seeded(86)).double()
    drawn = losses.bound(ten, denoise, x_0, generator=seeded(87), var=var).total
    print(f"var={var!r}: {entropy:.4f} <= {cross:.4f} <= {bill:.4f} nats; above the entropy "
          f"{cross - entropy:.4f}, {bill - entropy:.4f}")
    print(f"    the bound by 20,000 draws: {drawn.mean():.3f} ± {drawn.std() / 20_000**0.5:.3f}")

# %% [markdown]
# The bound of the first model lies 0.2438 nats above the entropy, of which only 0.0683 are the model's
# fault. For the second it is 0.6295 and 0.0245: with $\tilde\beta_t$ the model is *better*, and its bound
# far worse. So a bound can rank two models wrongly; it promises a ceiling, not an order.
#
# "Diffusion models give the exact likelihood", some overviews say. What DDPM minimizes gives a bound. The
# exact value needs one more idea, a deterministic walk [Song21b] (chapter 16). And if someone writes that
# "the cross-entropy is minimized": the cross-entropy is the middle number. What is minimized is the right
# one, and in practice a reweighted version of it. To that we come now.
#
# **A good place for a break.**

# %% [markdown]
# ## 6 · Three names for one error, and three weights
#
# Networks usually guess $\epsilon$, or $v = \sqrt{\bar\alpha_t}\,\epsilon - \sqrt{1-\bar\alpha_t}\,x_0$
# (chapter 09), not $x_0$. All three say the same, because $x_t$ is known: subtract $x_t =
# \sqrt{\bar\alpha_t}\,\hat x_0 + \sqrt{1-\bar\alpha_t}\,\hat\epsilon$ from (5.11), and the errors are tied
# together:
#
# $$\|\epsilon - \hat\epsilon\|^2 = \mathrm{SNR}_t\,\|x_0 - \hat x_0\|^2, \qquad
# \|v - \hat v\|^2 = (\mathrm{SNR}_t + 1)\,\|x_0 - \hat x_0\|^2. \tag{8.18}$$

# %%
# eq: 8.18
e0, signal, noise = sp.symbols("e_0 signal noise", positive=True)  # e_0 = x_0 - x0_hat
e_eps = sp.solve(signal * e0 + noise * sp.Symbol("e"), sp.Symbol("e"))[0]  # x_t has no error
e_v = signal * e_eps - noise * e0
snr = signal**2 / noise**2
print("(8.18), eps:", sp.simplify(e_eps**2 - snr * e0**2))
print("(8.18), v:  ", sp.simplify((e_v**2 - (snr + 1) * e0**2).subs(signal**2, 1 - noise**2)))

# %% [markdown]
# ### Exercise 8.3 · The weight of an $\epsilon$-error
#
# The model's step has a variance `var` of its own choice, $\sigma_t^2$. The part of the KL (8.14) that
# depends on the guess is the squared difference of the means, over $2\sigma_t^2$. Write it as a weight
# times $\|\epsilon - \hat\epsilon\|^2$ and return the weight. (8.15), for $s = t - 1$, and (8.18) are all
# you need; `row(schedule.beta, t)` reads $\beta_t$ for one time or a batch of times.

# %% tags=["exercise"]
def my_weight_eps(schedule, t, var):
    """Return the factor on ||eps - eps_hat||^2 in the KL of the step from t to t - 1."""
    ### BEGIN SOLUTION
    abar_s, abar_t = row(schedule.abar, t - 1), row(schedule.abar, t)
    w_0 = abar_s.sqrt() * row(schedule.beta, t) / (1 - abar_t)
    return w_0**2 / (2 * var) / row(schedule.snr, t)
    ### END SOLUTION


weight_eps = check("bound.weight_eps", my_weight_eps)

# %% [markdown]
# Tidied up it is [Ho20, Eq. 12]
#
# $$\frac{\beta_t^2}{2\sigma_t^2\,\alpha_t\,(1-\bar\alpha_t)}. \tag{8.19}$$
#
# The loss that everybody trains drops it [Ho20, Eq. 14], and draws $t$ evenly:
#
# $$L_{\text{simple}} = E_{t,\,x_0,\,\epsilon}\;\big\|\epsilon - \hat\epsilon\big(\sqrt{\bar\alpha_t}\,x_0 +
# \sqrt{1-\bar\alpha_t}\,\epsilon,\; t\big)\big\|^2. \tag{8.20}$$
#
# **Predict.** Dropping a weight means replacing it by 1. Compared with the bound, does $L_{\text{simple}}$
# make much of the large $t$, or of the small?

# %%
# eq: 8.19
# claim: E20, E86
t = torch.arange(1, 1001)
weights = weight_eps(schedule, t, schedule.beta[t])  # sigma_t^2 = beta_t
formula = schedule.beta[t] / (2 * schedule.alpha[t] * (1 - schedule.abar[t]))
print(f"(8.19) agrees: {torch.allclose(weights, formula, rtol=1e-9)}")
for i in (1, 10, 100, int(weights.argmin()) + 1, 1000):
    print(f"t = {i:4}: weight {weights[i - 1]:.4f}, relative to the mean weight "
          f"{weights[i - 1] / weights.mean():6.3f}")
print(f"largest over smallest: {weights.max() / weights.min():.0f}")

# %%
# eq: 8.20
def net(x_t, t):
    """Some network that predicts eps; any will do here."""
    return 0.8 * x_t


rng, x_0, t = seeded(80), test[:5], torch.tensor([1, 30, 300, 600, 1000])
eps = normal_like(x_0, generator=rng)
signal, noise = (table[t].reshape(5, 1, 1, 1) for table in (schedule.signal, schedule.noise))
by_hand = ((eps - net(signal * x_0 + noise * eps, t)) ** 2).sum((1, 2, 3))  # (8.20), per picture
loss = losses.simple(schedule, net, "eps", x_0, t, eps)
print(f"losses.simple is (8.20), divided by the 64 dimensions: "
      f"{torch.allclose(64 * loss, by_hand)}")
figures.show_source(losses.simple)

# %% [markdown]
# With $\sigma_t^2 = \beta_t$ the weight falls from 0.5001 at $t = 1$ to 0.0050 at $t = 349$ and rises to
# 0.0102 at the end. Measured by its mean it is 50.7 at $t = 1$, about 1 at $t = 100$ and $t = 1000$, and
# 0.5 in the middle. So dropping it takes weight from the first hundred times, where there is little noise
# to see, and raises the others by up to a factor of 101 relative to $t = 1$.
#
# A weight depends on the *name* of what is weighted. **Min-SNR** [Hang23] caps the weight of an $x_0$-error
# at $\gamma = 5$. In the other names it looks different:

# %%
t = torch.arange(2, 1001)
fig, axes = figures.new(1, 3, width=8.4, height=3)
for ax, kind in zip(axes, ("x0", "eps", "v")):
    three = {name: losses.weight(schedule, kind, t, name) for name in ("vlb", "simple", "min_snr")}
    three = {name: w / w[258] for name, w in three.items()}  # 1 at t = 260, where SNR is 1
    figures.curves(t, three, xlabel="time t, steps", ylabel="weight, 1 at t = 260", log_y=True,
                   title=f"on a squared {kind}-error", ax=ax)
    if kind != "x0":
        ax.get_legend().remove()
figures.show(fig, alt="On x0 all weights fall; on eps, simple is flat and vlb a shallow bowl.")
print("weight on          t = 1   t = 100   t = 131  t = 1000")
for kind in ("x0", "eps", "v"):
    for name in ("simple", "min_snr"):
        row_ = losses.weight(schedule, kind, torch.tensor([1, 100, 131, 1000]), name)
        print(f"{kind:>3}, {name:>7} " + "".join(f"{v:10.4g}" for v in row_.tolist()))

# %% [markdown]
# Seen from $x_0$, $L_{\text{simple}}$ is no flat weight at all: 9999 at $t = 1$, 4e-05 at the end. "Min-SNR
# lowers the weight at low noise" is right for all three names, but it is 5, 0.0005 or 0.0005 at $t = 1$,
# for $x_0$, $\epsilon$ and $v$. On $\epsilon$ it becomes 1 from $t = 131$ on.
#
# ### Why may one drop them?
#
# For each $t$ alone, a weight changes nothing. Whatever positive number stands in front, the squared error
# is smallest for the mean $E[x_0 \mid x_t]$. A separate network for every $t$, large enough, would not
# notice the weights. A *shared* one has to compromise, and the weights say for whom.
#
# Take the smallest shared network there is: $\hat\epsilon = w\,x_t$ with one number $w$ for all $t$, and
# $N(0, 1)$ data. The best $w$ for time $t$ alone is $\sqrt{1-\bar\alpha_t}$.

# %%
# claim: E20
n = schedule.noise[t]
price = losses.weight(schedule, "eps", t, "vlb")


def steps_bill(w):
    """Sum of L_{t-1} for eps_hat = w x_t: E(eps - w x_t)^2 = 1 - 2 w n + w^2."""
    return (price * (1 - 2 * w * n + w**2)).sum().item()


print(f"its own w for every t:            bill {steps_bill(n):.4f} nats")
for name in ("vlb", "min_snr", "simple"):
    weight = losses.weight(schedule, "eps", t, name)
    w = ((weight * n).sum() / weight.sum()).item()  # minimizes the weighted sum of squared errors
    error = (1 - 2 * w * n + w**2).mean()
    print(f"one w for all, trained by {name:>7}: w = {w:.4f}, bill {steps_bill(w):.4f} nats, "
          f"mean squared error {error:.4f}")

# %% [markdown]
# With its own $w$ for every $t$ the bill is 5.0700 nats, and any weights would find it. With one $w$ for
# all, each loss is best by its own measure: `vlb` at the bill, `simple` at the plain mean squared error
# (and min-SNR, which cares least about small $t$, has the largest bill). Ho et al. report the same of real
# networks: training with the bound's weights gives the better bound, training without them the
# better-looking samples [Ho20, Sec. 4]. The weights that were dropped insist on noise that no eye can see.
#
# So is "the squared error *is* Gaussian maximum likelihood"? For one step, with $\sigma_t$ fixed and the
# weight $1/(2\sigma_t^2)$ kept: yes. $L_{\text{simple}}$ is a *reweighted* bound.

# %% [markdown]
# ## 7 · Optional: the same loss by the direct route
#
# You may go on with section 8, which does not build on this one. But if you have seen the loss derived with
# *two* noises: there is a way to it without the posterior. Make the two joint laws alike:
#
# $$\mathrm{KL}\big(q(x_{0:T}) \,\|\, p(x_{0:T})\big)
# = \sum_{t=1}^{T} E\big[-\log p(x_{t-1} \mid x_t)\big] + E\big[-\log p(x_T)\big] - H\big(q(x_{0:T})\big). \tag{8.21}$$
#
# Only the first sum contains the model. (It is the same goal: the left side is the mean bill minus the
# entropy of the data, since $q(x_{0:T}) = q(x_0)\,q(x_{1:T} \mid x_0)$.) Some notes write "$\propto$"
# between the KL and the sum. It is "= … + constant", and the constant is huge. For the exact model of
# $N(0, 1)$ data:

# %%
# eq: 8.21
# claim: E12
half = 0.5 * math.log(2 * math.pi * math.e)  # entropy of N(0, 1)
step_entropies = half + 0.5 * schedule.beta[1:].log()  # N(·, beta_t), forward as well as backward
first_sum = step_entropies.sum()  # E[-log p(x_{t-1} | x_t)] of the exact model
joint_entropy = half + step_entropies.sum()  # of x_0, and of every step given the one before
print(f"sum of E[-log p(x_(t-1) | x_t)]: {first_sum:.1f} nats")
print(f"plus E[-log p(x_T)] = {half:.4f}, minus the joint entropy {joint_entropy:.1f}: "
      f"KL = {abs(first_sum + half - joint_entropy):.4f}")

# %% [markdown]
# The KL is 0, the sum −1024.6. Now one term of the sum. All other variables integrate out, so draw $x_0$,
# jump to $x_{t-1}$, take one step to $x_t$. That needs two noises, $\bar\epsilon$ for the jump and
# $\epsilon_t$ for the step. (At $t = 1$ there is no jump.) By (7.14) the step can be solved for $x_{t-1} =
# (x_t - \sqrt{\beta_t}\,\epsilon_t)/\sqrt{\alpha_t}$. Give the model the same form, with
# $\epsilon_\theta(x_t)$ in the place of $\epsilon_t$, and a variance $\sigma_t^2$. In $D$ dimensions
#
# $$E\big[-\log p(x_{t-1} \mid x_t)\big] = \frac{\beta_t}{2\alpha_t\sigma_t^2}\,E\|\epsilon_t - \epsilon_\theta\|^2
# + \frac D2\log(2\pi\sigma_t^2), \tag{8.22}$$
#
# $$x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{\alpha_t(1-\bar\alpha_{t-1})}\;\bar\epsilon + \sqrt{\beta_t}\;\epsilon_t. \tag{8.23}$$
#
# The second part of (8.22) is a constant only **as long as $\sigma_t$ is fixed**. Learn $\sigma_t$ without
# it, and the loss has a way out: with a squared error of 1, going from $\sigma = 1$ to $\sigma = 2$ lowers
# $1/(2\sigma^2)$ from 0.500 to 0.125. The honest total rises, from 1.4189 to 1.7371.

# %%
# eq: 8.22, 8.23
t, count, rng = 500, 1_000_000, seeded(89)
x_0, eps_bar, eps_t = (normal_like(torch.empty(count).double(), generator=rng) for _ in range(3))
beta_t, alpha_t = schedule.beta[t], schedule.alpha[t]
x_s = schedule.signal[t - 1] * x_0 + schedule.noise[t - 1] * eps_bar
x_t = (schedule.signal[t] * x_0 + (alpha_t * (1 - schedule.abar[t - 1])).sqrt() * eps_bar
       + beta_t.sqrt() * eps_t)
model = (x_t - beta_t.sqrt() * 0.5 * x_t) / alpha_t.sqrt()  # eps_theta = x_t / 2, for example
left = -torch.distributions.Normal(model, beta_t.sqrt()).log_prob(x_s)
right = (eps_t - 0.5 * x_t) ** 2 / (2 * alpha_t) + 0.5 * (2 * math.pi * beta_t).log()
step = draw(forward.transition(schedule, x_s[:, None], t - 1, t), eps_t[:, None])[:, 0]
print(f"(8.23) is the step of the chain: {torch.allclose(x_t, step)}; "
      f"(8.22) holds on every walk: {torch.allclose(left, right)}")

# %%
# claim: E26
for std in (1.0, 2.0):
    whole = 0.5 / std**2 + 0.5 * math.log(2 * math.pi * std**2)
    print(f"squared error 1, sigma {std:.0f}: {0.5 / std**2:.3f}, with the log {whole:.4f}")

# %% [markdown]
# Two noises, of which only their sum is in $x_t$. A network can see that sum alone. So **rotate** the two
# noises: with $a^2 = \alpha_t(1-\bar\alpha_{t-1})/(1-\bar\alpha_t)$ and $b^2 = \beta_t/(1-\bar\alpha_t)$,
# whose sum is 1,
#
# $$\epsilon = a\,\bar\epsilon + b\,\epsilon_t, \qquad \omega = b\,\bar\epsilon - a\,\epsilon_t
# \qquad\Longrightarrow\qquad \epsilon_t = b\,\epsilon - a\,\omega. \tag{8.24}$$
#
# A rotation leaves two independent normals independent normals. All of $x_t$'s noise is $\epsilon$;
# $\omega$ is not in $x_t$ at all, so its mean can be taken on paper. It is independent of everything else,
# has mean 0 and $E\|\omega\|^2 = D$:
#
# $$E\|\epsilon_t - \epsilon_\theta\|^2 = E\|b\,\epsilon - a\,\omega - \epsilon_\theta\|^2
# = b^2\,E\Big\|\epsilon - \frac{\epsilon_\theta}{b}\Big\|^2 + a^2 D. \tag{8.25}$$
#
# And there it is: regress the *whole* noise $\epsilon$, with the network scaled by $1/b =
# \sqrt{1-\bar\alpha_t}/\sqrt{\beta_t}$. A network that predicts $\epsilon$ itself is $\hat\epsilon =
# \epsilon_\theta/b$. Its weight in (8.22) is $b^2\beta_t/(2\alpha_t\sigma_t^2)$, which is (8.19) again.
#
# **Predict.** Both sides of (8.25) have the same minimum, up to a constant. Does it matter which of them
# you train on?

# %%
# eq: 8.24, 8.25
b = (beta_t / (1 - schedule.abar[t])).sqrt()
a = (1 - b**2).sqrt()
eps, omega = a * eps_bar + b * eps_t, b * eps_bar - a * eps_t
print(f"correlation of eps and omega {torch.corrcoef(torch.stack([eps, omega]))[0, 1]:+.4f}; "
      f"eps_t is b eps - a omega: {torch.allclose(eps_t, b * eps - a * omega, atol=1e-9)}")
w = torch.tensor(0.5, dtype=torch.float64)  # the network: eps_hat = w x_t, eps_theta = b w x_t
two, one = (eps_t - b * w * x_t) ** 2, b**2 * (eps - w * x_t) ** 2
print(f"(8.25): two noises {two.mean():.4f}; one noise {one.mean():.5f} + a² {a**2:.4f} "
      f"= {one.mean() + a**2:.4f}")

# %%
# claim: E04, E11
slopes = {"two noises": -2 * (eps_t / b - w * x_t) * x_t, "one noise": -2 * (eps - w * x_t) * x_t}
for name, slope in slopes.items():  # d/dw of the loss, divided by b²
    print(f"{name}: gradient {slope.mean():.3f} ± {slope.std() / count**0.5:.3f}, "
          f"variance {slope.var():.2f}")
print(f"ratio of the variances: {slopes['two noises'].var() / slopes['one noise'].var():.0f}")
print(f"ratio of the weights, 1/b²: {1 / b**2:.1f}")

# %% [markdown]
# The expectation is the same, the variance is not: 365 against 2. At $t = 500$ you would need 182 times as
# many pictures for the same precision. And it is the trick of sections 3 and 4 once more: the posterior takes
# the mean over $x_{t-1}$ given $x_t$ and $x_0$, which is the mean over $\omega$. So neither route is cleverer.
#
# And mind the weight: whoever keeps the factor of (8.22) but regresses the whole $\epsilon$ weighs it
# $1/b^2$ times too much, 91.8 times at $t = 500$.

# %% [markdown]
# ## 8 · Which $t$ to draw?
#
# Nobody computes 999 terms for each picture; one draws a single time $t$ and computes one term. With even
# draws that term is multiplied by 999. But the terms differ by four orders of magnitude and more (section
# 5), so even draws mostly pick terms that are nearly 0. **Importance sampling** draws the large ones more
# often, with probabilities $p_t$.
#
# ### Exercise 8.4 · Draw the large terms more often
#
# `t` holds the drawn times, `loss` the term at each of them, and `p[t]` is the probability with which time
# $t$ is drawn (`p` has a row for every time from 0 on). Return one estimate of the **sum** of all terms for
# each draw. Its mean over the draws must be the sum, whatever `p` is. What must a term be multiplied by?
# (Test: for even draws your factor must become 999.)

# %% tags=["exercise"]
def my_importance(loss, t, p):
    """Return one estimate of the sum of all terms for each drawn time, shape (N,)."""
    ### BEGIN SOLUTION
    return loss / p[t]
    ### END SOLUTION


importance = check("bound.importance", my_importance)

# %% [markdown]
# In one line,
#
# $$\sum_{t=2}^{T} L_{t-1} = \sum_{t=2}^{T} p_t\,\frac{L_{t-1}}{p_t} = E_{t \sim p}\Big[\frac{L_{t-1}}{p_t}\Big]. \tag{8.26}$$
#
# The estimate is least noisy for $p_t \propto \sqrt{E[L_{t-1}^2]}$ [ND21, Sec. 3.3]. Try it for $N(0, 1)$
# data with variance $\tilde\beta_t$: the error $x_0 - \hat x_0$ is normal with variance $1 - \bar\alpha_t$,
# so we know the sum, and the best $p_t$ is proportional to the term's mean.

# %%
# eq: 8.26
# claim: E17
every = torch.arange(2, 1001)
term = losses.weight(schedule, "x0", every, "vlb") * (1 - schedule.abar[every])
even, best = (torch.cat([torch.zeros(2).double(), v / v.sum()]) for v in (torch.ones(999), term))
print(f"the sum: {term.sum():.4f} nats; (8.26) holds: "
      f"{[round(float((p[2:] * importance(term, every, p)).sum()), 4) for p in (even, best)]}")
rng = seeded(90)
for name, p in (("even draws", even), ("importance", best)):
    t = torch.multinomial(p, 400_000, replacement=True, generator=rng)
    z = normal_like(torch.empty(400_000, dtype=torch.float64), generator=rng)
    loss = losses.weight(schedule, "x0", t, "vlb") * (1 - schedule.abar[t]) * z**2
    each = importance(loss, t, p)
    print(f"{name}: {each.mean():.3f} ± {each.std() / 400_000**0.5:.3f}, standard deviation of one "
          f"draw {each.std():.1f}; with the factor 999 instead {999 * loss.mean():.1f}")

# %%
theory = [((3 * term**2 / p[2:]).sum() - term.sum() ** 2).item() for p in (even, best)]
print(f"in theory: {theory[0]**0.5:.1f} and {theory[1]**0.5:.1f}, ratio of variances "
      f"{theory[0] / theory[1]:.0f}")

# %% [markdown]
# Both are right on average, and importance sampling has a 39th of the variance. (The theory uses
# $E[z^4] = 3$ for a unit normal. The measured 48.5 is above its 44.8: with even draws, rare huge terms decide.)
# Forget the factor $1/p_t$ and use 999 as before, and you get 133 instead of 5.07. You have then not
# estimated the bound better, you have trained with *other weights*. (That may be what you want; then say
# so.) It is a trick for training with the bound's weights, or for computing the bound; for drawing samples
# it does nothing.

# %% [markdown]
# ## 9 · The last step, and what a pixel costs
#
# $L_0 = E[-\log p(x_0 \mid x_1)]$ is not of the form (8.17). At $t = 1$ the posterior is a point: weight 1
# on $x_0$, weight 0 on $x_1$, variance 0. The model has to bring its own variance $\sigma_1^2 > 0$. This
# package takes $\beta_1$; the released DDPM code puts $\tilde\beta_2$ there.

# %%
# claim: E65
unit_x = torch.ones(1, 1, dtype=torch.float64)
for name, x_0, x_1 in (("x_0", unit_x, 0 * unit_x), ("x_1", 0 * unit_x, unit_x)):
    law = forward.posterior(schedule, x_0, x_1, 1, 0)
    print(f"weight of {name} at t = 1: {law.mean.item():.4f}, variance {law.var.item():.4f}")
print(f"beta_1 = {schedule.beta[1]:.2e}, tilde beta_2 = {schedule.posterior_var[2]:.2e}")
print(f"N(0, 1) data, data units:    L_0 = {decoder:.4f} nats")
print(f"the same, in gray levels of 0 … 255: {decoder + math.log(127.5):.4f} nats")

# %% [markdown]
# With a Gaussian density, $L_0$ is again a squared error, $\|x_0 - \hat x_0\|^2/(2\sigma_1^2)$, plus a
# constant; in this sense it "merges" with the other terms. But minus a log density is not a number of bits.
# It can be negative, and it changes with the unit: the same model in gray levels from 0 to 255 gets
# $\log 127.5$ nats more for each number. Which of the two should one publish? Neither.
#
# Pixels are whole gray levels, and a *level* has a probability: that of its interval. The $n$ levels are
# evenly spaced from −1 to 1. Each owns the interval that reaches half a step to both sides, and the first
# and the last level own their tails as well, so that nothing is lost.
#
# ### Exercise 8.5 · What a pixel costs
#
# `mean` and `x` hold one number for each pixel, `var` is one variance for all. Return what each pixel
# costs, minus the log of its level's probability under $N(\text{mean}, \text{var})$, in nats.
# `torch.special.ndtr` is $\Phi$, the distribution function of $N(0, 1)$: the probability of everything
# below its argument.

# %% tags=["exercise"]
def my_pixel_cost(mean, var, x, levels):
    """Return what each gray level x costs under N(mean, var), nats, shape (N,)."""
    ### BEGIN SOLUTION
    half = 1 / (levels - 1)
    upper = torch.where(x > 1 - half, torch.inf, (x + half - mean) / var.sqrt())
    lower = torch.where(x < -1 + half, -torch.inf, (x - half - mean) / var.sqrt())
    return -(torch.special.ndtr(upper) - torch.special.ndtr(lower)).log()
    ### END SOLUTION


pixel_cost = check("bound.pixel_cost", my_pixel_cost)

# %% [markdown]
# With $h = 1/(n-1)$, half a step, this is [Ho20, Eq. 13]
#
# $$P(x) = \Phi\Big(\frac{x + h - \mu}{\sigma}\Big) - \Phi\Big(\frac{x - h - \mu}{\sigma}\Big),
# \tag{8.27}$$
#
# where the first $\Phi$ is replaced by 1 if $x = 1$, and the second by 0 if $x = -1$.
#
# ### Exercise 8.6 · Bits per dimension
#
# The figure that papers print: `nats` holds the bill of each picture of a batch, `x` the pictures. Return
# bits per dimension, one number for each picture. (A color picture of 32 × 32 pixels has 3072 dimensions.)

# %% tags=["exercise"]
def my_bits_per_dim(nats, x):
    """Return the bill in bits for each number of a picture, shape (B,)."""
    ### BEGIN SOLUTION
    return nats / (x[0].numel() * math.log(2))
    ### END SOLUTION


bits_per_dim = check("bound.bits_per_dim", my_bits_per_dim)

# %% [markdown]
# A yardstick to test any such code with: 8-bit pixels, all 256 levels equally likely. **Predict.** How many
# bits per dimension must the best model pay? And one that puts a Gaussian on each pixel?

# %%
# eq: 8.27
levels = torch.linspace(-1, 1, 256, dtype=torch.float64)
nothing_known = torch.full((1,), 64 * math.log(256))  # 64 pixels, nats
print(f"counting: {bits_per_dim(nothing_known, torch.zeros(1, 1, 8, 8)).item():.3f} bits/dim")
share = 1 / (2 + 2 / 255)  # an even density from half a level below -1 to half a level above 1
print(f"even density times width of a level: {-math.log2(share * 2 / 255):.3f} bits/dim")
for var in (0.1, 0.3, 0.5, 1.0):
    var, zero = torch.tensor(var, dtype=torch.float64), torch.zeros_like(levels)
    cost = pixel_cost(zero, var, levels, 256)
    one_each = gaussians.pixel_log_prob(Gaussian(zero[:, None], var), levels[:, None])
    print(f"N(0, {var:.1f}): probabilities add to {(-cost).exp().sum():.6f}; mean cost "
          f"{bits_per_dim(cost, levels[:, None]).mean():.3f} bits/dim; agrees with the package: "
          f"{torch.allclose(-cost, one_each, rtol=1e-9)}")

# %% [markdown]
# Exactly 8.000 bits: each of 256 equal levels takes one byte. Counting, and the density times the width of
# a level, agree. A Gaussian pays more, whatever its width. If your code gives the even law anything but
# 8.000, look for a mixed-up unit: nats for bits, a picture for a pixel, densities in another scale.
#
# In $L_{\text{simple}}$, by the way, $t = 1$ is treated like any other time. That replaces (8.27) by
# density times width, and ignores both tails and $\sigma_1$ [Ho20, Sec. 3.4].

# %% [markdown]
# ## 10 · The bill as a judge
#
# Back to the digits. The perfect denoiser of 896 digits asked 926 bits per pixel for a new one. The cure is
# to admit that new digits lie *near* the old ones: put a small round Gaussian of standard deviation $h$
# around each training digit. That is a mixture, and its exact denoiser is at hand. We take every tenth time
# only, from $t = 20$ on, so that the last step's $\sigma_1$ is about the size of half a gray level.
#
# **Predict.** As $h$ grows from 0, how does the bill move, for digits of the training half and for new
# ones?

# %%
short = schedules.respaced(schedule, [*range(1000, 10, -10), 0])
print(f"sigma_1 = {short.beta[1].sqrt():.3f}, half a gray level = {1 / 16:.4f}")


def blurred_bill(h, x_0):
    """Bits per pixel for x_0, if a blob of standard deviation h sits on every training digit."""
    even = torch.full((len(train),), 1 / len(train), dtype=torch.float64)
    blobs = ideal_denoisers.Mixture(even, train.flatten(1), torch.full_like(even, h**2))
    guess = ideal_denoisers.mixture_denoiser(blobs, short)
    terms = losses.bound(short, guess, x_0, generator=seeded(4), levels=17, var="large")
    return bits_per_dim(terms.total, x_0)


print(f"h = 0, the memory itself: new digits {blurred_bill(0.0, test[:50]).mean():.1f} bits/pixel")

# %%
widths = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 1.0)
judged = {"training half": [], "new digits": []}
for h in widths:
    judged["training half"].append(blurred_bill(h, train[:50]).mean())
    new = blurred_bill(h, test[:50])
    judged["new digits"].append(new.mean())
    print(f"h = {h:4}: training half {judged['training half'][-1]:6.3f}, "
          f"new digits {new.mean():6.3f} ± {new.std() / 50**0.5:.3f} bits/pixel")

# %%
shown = {name: torch.stack(values) for name, values in judged.items()}
shown["knowing nothing"] = torch.full((len(widths),), math.log2(17))
fig = figures.curves(widths, shown, xlabel="width h of each blob, data units",
                     ylabel="bits per pixel", height=3)
fig.axes[0].set(xscale="log", ylim=(0, 12), xticks=(0.05, 0.1, 0.2, 0.3, 0.6, 1),
                xticklabels=("0.05", "0.1", "0.2", "0.3", "0.6", "1"))
figures.show(fig, alt="Training bill rises with h; the new digits' bill falls, then rises.")
best = int(shown["new digits"].argmin())
print(f"best width for new digits: h = {widths[best]}, {shown['new digits'][best]:.2f} bits/pixel")
# the table: for every pixel, how often each level occurs in training, plus one (so none is 0)
ink = ((train + 1) * 8).round().long().flatten(1)  # levels 0 … 16
table = torch.stack([(ink == k).sum(0) for k in range(17)]) + 1.0
cost = -(table / table.sum(0)).log2().gather(0, ((test + 1) * 8).round().long().flatten(1))
print(f"for comparison, a table of each pixel's gray levels: {cost.mean():.2f} bits/pixel")

# %% [markdown]
# The bill for digits of the training half only rises with $h$: the memory is hard to beat on what it
# remembers. The bill for new digits has a minimum, 3.03 bits per pixel at $h = 0.3$, and there the two
# curves are much closer. (At $h = 0$ it is 14.4 now, and not 926, because the walk ends with one larger and
# more forgiving step.) That is less than knowing nothing, 4.09, and more than a plain table of how often
# each pixel had each gray level, 2.43! (Two cautions: ours is an upper limit, the table's bill is exact.
# And we picked $h$ on the very digits that we judge by, which flatters it a little.) Round blobs do not
# know that some pixels at the margin are nearly always blank. A bill compares models of all kinds, and it
# is not polite about it. Whether it also tells who makes the better *pictures* is another question
# (chapter 14).

# %% [markdown]
# ## Recap
#
# The probability of a picture is an integral over all walks, and almost all walks miss. Looking at noising
# walks from the picture instead, and taking the log inside the mean, gives a bound, tight if noising walks
# look like the model's own. Grouped by the posterior, it is a bill with three entries: prior, steps, last
# step. Each step is a price, half the gain in SNR, times the squared error of the guess. The loss that is
# trained drops the price; with a network per time that would change nothing, with a shared one it moves
# attention from invisible noise to what one can see. Wherever a mean can be taken on paper, take it.
#
# **One formula to keep**
#
# $$L_{t-1} = \tfrac12\,(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)\; E\,\|x_0 - \hat x_0(x_t, t)\|^2$$
#
# **What notes get wrong here**
#
# | often said | better | shown above |
# |---|---|---|
# | the step-pair terms are $-\mathrm{KL}(q(x_t \mid x_{t-1}) \,\Vert\, p(x_t \mid x_{t+1}))$ | they are mean log ratios | −985.2, not −1.4189 |
# | the pair form is noisy because of its two variables | because one random $t$ stops the terms from canceling | 0 over walks, 998 with one $t$ |
# | the sum runs to $\infty$ | to $T$ | 999 terms, 4.6052 |
# | make $p(x_{t-1} \mid x_t)$ equal to $q(x_{t-1} \mid x_t, x_0)$ | impossible; every term stays positive | $L_1 = 0.394$, total 1.4189 |
# | KL with $v_2/v_1$ | $v_1/v_2$: the second law below | 0.0966, not 0.8466 |
# | diffusion gives exact likelihoods; the cross-entropy is minimized | a bound is | 0.6977 ≤ 0.7660 ≤ 0.9415 |
# | the squared error is maximum likelihood | with its weight and a fixed $\sigma$ | weights from 50.7 to 0.5 times the mean |
# | isotropic noise limits what can be modeled | the gap goes to 0 with more steps | 0.3962, 0.0557, 0.0057 nats |
# | $\log\sigma_t$ is a constant | as long as $\sigma_t$ is fixed | 1.4189 → 1.7371, without it 0.500 → 0.125 |
# | joint KL $\propto$ the sum | $=$ sum + constant | 0, not −1024.6 |
# | keep the weight, swap the noise | the weight changes by $1/b^2$ | 91.8 at $t = 500$ |
# | importance sampling of $t$ helps sampling | it helps training, with the factor $1/p_t$ | 5.07, not 133 |
# | the last step has the same form | it needs its own $\sigma_1$; pixels need (8.27) | weight infinite at $t = 1$ |
#
# **Exercises:** 8.1 `bound.jensen_gap` · 8.2 `bound.step_kl` · 8.3 `bound.weight_eps` · 8.4
# `bound.importance` · 8.5 `bound.pixel_cost` · 8.6 `bound.bits_per_dim`
#
# **To think about.** Doubling the number of steps between the same two ends never makes the bound of an
# exact denoiser worse (chapter 06 tried it, below (6.13)). Why? (Compare one move from $t$ to $s$ with two
# moves, in (8.17): which error belongs to which part of the price?)
#
# **Before:** [07 · Where was the chain a moment ago?](07_posterior.ipynb) · **Next:** [09 · x0, eps, v,
# score: which should a network predict, and does it matter?](09_predictions.ipynb)
#
# **Read on:** [Ho20] Sec. 3.4 and Appendix A; [Kin21] Sec. 3–5 for the bound as an integral over SNR;
# [ND21] Sec. 3 for learned variances and importance sampling; [Luo22] for both decompositions.
