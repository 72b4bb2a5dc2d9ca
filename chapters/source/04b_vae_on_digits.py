# %% [markdown] topics="C061"
# # 04b · What can one step do, and what does it cost?
#
# The bound of chapter 04 can be maximized by gradient descent. Here two small networks learn to turn digits into codes of 16
# numbers and back, in less than a minute. What do such codes contain? Why are the images soft? And why do some of the 16
# numbers never get used?
#
# **After this chapter you can**
#
# - write the loss of a variational autoencoder (VAE) and train one on real digits,
# - read its loss in nats, and estimate the gap to $\log p(x)$,
# - say why some of its latents stay unused and why its images are blurred.
#
# **You need** sections 1, 3 and 6 of [04 · The bound](04_elbo_and_vae.ipynb), and the reparameterization trick of
# [03 · Estimators](03_estimators.ipynb). The equations share one numbering with chapter 04: (4.10) to (4.14) are here,
# the others there.
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in about a minute.
#
# **For what comes next you need** nothing of this chapter. It shows what the many small steps of a diffusion model improve.
#
# **In the papers:** [KW14] Kingma and Welling 2014. In the detours: [TB99] Tipping and Bishop 1999, [Luc19] Lucas et al. 2019,
# [Hig17] Higgins et al. 2017.

# %%
import math

import torch

from ddpm_lab import datasets, elbo, gaussians, ideal_denoisers, networks, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded

z = torch.linspace(-8, 8, 1601, dtype=torch.float64)  # latent values on a grid, spacing 0.01


def normal(x, mean, var):
    """The density of N(mean, var) at x."""
    return torch.exp(-((x - mean) ** 2) / (2 * var)) / math.sqrt(2 * math.pi * var)

# %% [markdown]
# ## The data
#
# 896 handwritten digits to train on, and 901 others to test with, $8 \times 8$ pixels each.

# %%
train, test = (datasets.digits(split)[0] for split in ("train", "test"))
figures.show(figures.images(train[:10], columns=10, panel=0.7), alt="Ten small handwritten digits.")
print(f"training {tuple(train.shape)}, test {tuple(test.shape)}; "
      f"gray values from {train.min():g} to {train.max():g}")

# %% [markdown] topics="C063"
# ## 1 · The two terms as functions
#
# The latent variable is a list of 16 numbers with the prior $N(0, I)$. The encoder turns an image into the mean $m_\phi(x)$
# and the variance $v_\phi(x)$ of $q_\phi(z \mid x)$, a Gaussian with independent axes. The decoder turns a code into the mean
# image $\mu_\theta(z)$ of $p_\theta(x \mid z) = N(\mu_\theta(z), \sigma^2 I)$, where $\sigma^2$ is one constant. The loss is minus the
# ELBO (4.9): the cost of the code minus the reconstruction term.
#
# The cost of the code has a closed form. Chapter 02 had it for one axis; independent axes add up:
#
# $$\mathrm{KL}\big(N(m, \operatorname{diag} v) \,\|\, N(0, I)\big) = \tfrac12 \sum_k \big[v_k + m_k^2 - 1 - \log v_k\big]. \tag{4.10}$$
#
# ### Exercise 4.3 · The cost of a code
#
# The encoder gives `mean` and `log_var`, the *logarithm* of the variance, each of shape `(B, K)`: `B` images, `K`
# latents. (A network may output any number, and the exponential of any number is a valid variance.) Return (4.10) for
# each image, shape `(B,)`.

# %% tags=["exercise"]
def my_kl(mean, log_var):
    """Return KL(N(mean, exp(log_var)) || N(0, I)) for each item, nats: (B,)."""
    ### BEGIN SOLUTION
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(dim=1)
    ### END SOLUTION


code_cost = check("elbo.kl", my_kl)

# %%
# eq: 4.10
q = normal(z, 0.3, 0.25) * 0.01  # the guess of chapter 04
to_prior = (q * (q / (normal(z, 0, 1) * 0.01)).log()).sum()
mean, log_var = torch.tensor([[0.3]]), torch.tensor([[0.25]]).log()
by_formula = code_cost(mean, log_var).item()
print(f"q = N(0.3, 0.25): by the grid {to_prior:.4f}, by (4.10) {by_formula:.4f}")
for m, v in ((0.0, 1.0), (1.0, 1.0), (0.0, 0.01), (2.0, 0.01)):
    cost = code_cost(torch.tensor([[m]]), torch.tensor([[v]]).log()).item()
    print(f"q = N({m:g}, {v:4g}) costs {cost:.3f} nats")

# %% [markdown] topics="C062"
# A $q$ equal to the prior costs nothing and says nothing. Fixing a latent to within 0.1 costs 1.8 nats, and
# 3.8 if its value is unusual, here 2. The KL is the price of the information in the code.
#
# The reconstruction term is a squared error in disguise. For $D$ pixels,
#
# $$\log p_\theta(x \mid z) = -\frac{\|x - \mu_\theta(z)\|^2}{2\sigma^2} - \frac{D}{2}\log(2\pi\sigma^2). \tag{4.11}$$
#
# ### Exercise 4.4 · The reconstruction term
#
# Return (4.11) for each item. `x` and `x_mean` have shape `(B, …)`, so flatten the errors first:
# `(x - x_mean).flatten(1)` is `(B, D)`. `var` is $\sigma^2$, a tensor with one number in it, so take `var.log()`.
# (`math.log(var)` would give the right number and cut the gradient.)

# %% tags=["exercise"]
def my_reconstruction(x, x_mean, var):
    """Return log N(x; x_mean, var I) for each item, nats: (B,)."""
    ### BEGIN SOLUTION
    error = (x - x_mean).flatten(1)
    constant = error.shape[1] * (2 * math.pi * var).log()
    return -0.5 * (error.square().sum(dim=1) / var + constant)
    ### END SOLUTION


reconstruction = check("elbo.reconstruction", my_reconstruction)

# %%
# eq: 4.11
average = train.mean(0).expand_as(test)  # predict the mean image for every digit
independent = torch.distributions.Normal(average, math.sqrt(0.1))  # another implementation
theirs = independent.log_prob(test).sum((1, 2, 3)).mean()
ours = reconstruction(test, average, torch.tensor(0.1)).mean()
print(f"predicting the mean image, sigma^2 = 0.1: {ours:.2f} nats; PyTorch's own: {theirs:.2f}")

# %% [markdown] topics="C064"
# ### Exercise 4.5 · The loss
#
# Put it together. The mean over $q$ is estimated with **one** sample of the code. So that the gradient passes through the
# sample, write it as $z = m + \sqrt{v}\,\epsilon$ with noise `eps` that does not depend on the weights, the
# reparameterization trick of chapter 03. An optimizer *minimizes*, so the loss is **minus** the ELBO. `beta` multiplies
# the KL; for the ELBO it is 1.
#
# `x` is a batch of `B` images, and `eps` has the shape of their codes, `(B, K)`. `vae.encode(x)` gives `mean, log_var`;
# `vae.decode(z)` gives the mean image; `vae.var` is $\sigma^2$, a tensor. (You can use your `reconstruction` and
# `code_cost`.)

# %% tags=["exercise"]
def my_loss(vae, x, eps, beta=1.0):
    """Return beta * KL - reconstruction for each item, nats: (B,)."""
    ### BEGIN SOLUTION
    mean, log_var = vae.encode(x)
    code = mean + (0.5 * log_var).exp() * eps
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(code), vae.var)
    ### END SOLUTION


loss_of = check("elbo.loss", my_loss)

# %% [markdown] topics="C060"
# ## 2 · Training
#
# (In the package the loss is `elbo.loss`.) Training is gradient descent on this loss over random batches. A batch of 64
# digits stands for all 896: its mean gradient is unbiased, like the mean of any random sample. That alone does not make the
# weights settle: with a constant step size they would keep fluctuating, so `fit` lets the step size decay to 0
# ([chapter 11](11_learning_to_denoise.ipynb) measures this).

# %%
def fit(vae, x, loss_of=loss_of, steps=1500, size=64, lr=2e-3):
    """Raise the bound on batches of x; return the loss of every step."""
    rng, history = seeded(1), []
    optimizer = torch.optim.Adam(vae.parameters(), lr=lr)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)  # lr falls to 0
    for _, batch in zip(range(steps), datasets.batches(x, size, generator=rng)):
        eps = normal_like(batch.new_empty(size, vae.latents), generator=rng)
        loss = loss_of(vae, batch, eps).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
        history.append(loss.item())
    return torch.tensor(history)

# %%
vae = networks.build(networks.VAE, seed=0, shape=(1, 8, 8), latents=16, var=0.1)
history = fit(vae, train)
smooth = history.reshape(-1, 50).mean(1)  # means of 50 steps
fig = figures.curves(torch.arange(25, 1500, 50), {"": smooth}, xlabel="step", height=2.4,
                     ylabel="loss = -ELBO, nats")
figures.show(fig, alt="The loss falls from above 100 to 16 nats, fast at first.")
print("mean loss of steps 1-50, 451-500, 951-1000, 1451-1500:",
      ", ".join(f"{smooth[i]:.2f}" for i in (0, 9, 19, 29)))

# %%
@torch.no_grad()
def judge(vae, x, samples=20):
    """Reconstruction, KL, ELBO: means over x and samples, nats; and the ELBO's standard error."""
    eps = normal_like(x.new_empty(samples, len(x), vae.latents), generator=seeded(9))
    found = [elbo.terms(vae, x, noise) for noise in eps]
    rec = torch.stack([terms.reconstruction for terms in found]).mean(0)  # one number for each item
    total = rec - found[0].kl
    stderr = total.std() / math.sqrt(len(x))
    return rec.mean().item(), found[0].kl.mean().item(), total.mean().item(), stderr.item()


for name, x in (("training", train), ("new", test)):
    rec, cost, total, stderr = judge(vae, x)
    print(f"{name:>8} digits: reconstruction {rec:6.2f}, KL {cost:5.2f} "
          f"({cost / math.log(2):.1f} bits), ELBO {total:6.2f} ± {stderr:.2f} nats")
var = ((average - test) ** 2).mean()  # the best variance for it
print(f"always the mean image: {reconstruction(test, average, var).mean():.2f}")

# %% [markdown]
# For a new digit the bound is −18.47 nats (mean over digits ± standard error). That is the honest number: for the
# training digits it is 3 nats higher. On average a code carries at most 12.17 nats of information about its digit,
# 17.6 bits. (A density may exceed 1, so these bounds have no natural zero. Compare them with each other: always
# predicting the mean image has −51.78.)
#
# **Predict.** Below: new digits, the same after encoding and decoding, images decoded from random codes of the prior,
# and a straight line between the codes of a 0 and a 1. How will the second and third rows differ from the first?

# %%
with torch.no_grad():
    codes = normal_like(torch.empty(8, 16), generator=seeded(3))
    start, end = elbo.encode(vae, test[[6, 3]]).mean  # the codes of a 0 and a 1
    between = start + torch.linspace(0, 1, 8)[:, None] * (end - start)
    rows = [test[:8], vae(test[:8]), vae.decode(codes), vae.decode(between)]
names = ["new digits", "reconstructed", "from the prior", "between two codes"]
fig = figures.images(torch.cat(rows), columns=8, row_labels=names)
figures.show(fig, alt="Digits, softer reconstructions, soft digit-like samples, and a morph.")
print(f"squared error per pixel of the reconstructions: {((vae(test) - test) ** 2).mean():.4f}")
print(f"of the mean image:                              {((average - test) ** 2).mean():.4f}")

# %% [markdown] topics="C067"
# Sixteen numbers keep most of a digit; random codes give digit-like images; and between two codes lie plausible
# images, so a code can be edited. Encoding and decoding each take a single call of a network. But all the images are
# soft, as if out of focus. Section 5 says why.

# %% [markdown] topics="C058 C059"
# ## 3 · How large is the gap?
#
# The bound itself cannot say. But many importance weights $w = p(x, z)/q(z \mid x)$, as in (4.3), can:
# $\log\frac1S\sum_s w(z_s)$ with $S$ samples of $q$ rises toward $\log p(x)$ as $S$ grows (chapter 03). The same
# weights show what the encoder is good for, because we could sample the codes from the prior instead.

# %%
few = test[:100]
eps = normal_like(torch.empty(2000, 100, 16), generator=seeded(4))
print(f"ELBO, the average of 1 sample:   {elbo.log_evidence(vae, few, eps[:1]).mean():8.2f}")
for S in (10, 100, 2000):
    print(f"{S:5} samples of the encoder:    {elbo.log_evidence(vae, few, eps[:S]).mean():8.2f}")
with torch.no_grad():
    decoded = elbo.decode(vae, eps[:, 0])  # 2000 codes of the prior
    from_prior = [gaussians.log_prob(decoded, x.expand_as(decoded.mean)).logsumexp(0)
                  for x in few]
print(f" 2000 samples of the prior:      {torch.stack(from_prior).mean() - math.log(2000):8.2f}")

# %% [markdown]
# The bound of these 100 digits is −17.76 nats, from one sample each; 2000 samples of the encoder say that, on average,
# $\log p(x)$ is about −15.88 or more. So the gap is about 2 nats or more: the encoder's $q$ is not quite this decoder's
# posterior. And 2000 samples of the prior do not even reach the bound, since nearly all of them miss the digit. The
# encoder knows where to look. (One can also maximize that tighter bound. A detour of chapter 03 shows the price: importance
# weights enter its gradient, which is noisier, and still biased for $\log p(x)$ at every finite $S$.)

# %% [markdown]
# ## 4 · Latents that collapse
#
# We set $\sigma^2 = 0.1$ without a reason. Train the same network with other values, and count the latents in use:
# those that cost more than 0.1 nats.
#
# **Predict.** If the decoder may treat more of the image as noise, does the code carry more information or less?

# %%
vaes = {0.1: vae}
for var in figures.track((0.02, 0.5, 2.0), "networks trained"):
    vaes[var] = networks.build(networks.VAE, seed=0, shape=(1, 8, 8), latents=16, var=var)
    _ = fit(vaes[var], train)
for var, net in sorted(vaes.items()):
    with torch.no_grad():
        costs = elbo.latent_kl(elbo.encode(net, test)).mean(0)
        error = ((net(test) - test) ** 2).mean()
    print(f"sigma^2 = {var:4}: {int((costs > 0.1).sum()):2} in use, KL {costs.sum():5.2f}, "
          f"squared error {error:.3f}, ELBO of new digits {judge(net, test)[2]:7.2f}")

# %%
with torch.no_grad():
    rows = [test[:10], *(vaes[var](test[:10]) for var in (0.02, 0.1, 0.5, 2.0))]
names = ["new digits", *(f"variance {var}" for var in (0.02, 0.1, 0.5, 2))]
fig = figures.images(torch.cat(rows), columns=10, panel=0.7, row_labels=names)
figures.show(fig, alt="Reconstructions as the variance grows: sharp, soft, then one gray blob.")
print("contrast (standard deviation of a pixel over these ten digits, mean over pixels):",
      ", ".join(f"{row.std(0).mean():.2f}" for row in rows), sep="\n")

# %% [markdown]
# Less information: from 16 latents in use down to one, and from sharp images to one gray blob. All four bounds are about
# the *same* digits, so they can be compared: 0.1 is the best of these on new ones. If $\sigma^2$ is too small, every missed
# pixel is expensive; if it is too large, the digits themselves count as noise.
#
# A latent whose $q$ equals the prior, whatever $x$ is, has collapsed. This is **posterior collapse**. It costs nothing and
# says nothing. Nothing went wrong in training: roughly, what varies by less than $\sigma^2$ is cheaper to treat as noise
# than to encode. For a VAE that can be solved by hand, the next detour makes that exact.

# %% [markdown]
# ### Detour · A VAE that can be solved by hand
#
# With a linear decoder the best ELBO has a closed form, and it shows exactly when a latent collapses.

# %% [markdown]
# Let $\mu(z) = c + \sum_k a_k z_k$ with vectors $a_k$. In one dimension $x$ is $N(c, a^2 + \sigma^2)$. Data of variance
# $\lambda$ are fitted best by $a^2 + \sigma^2 = \lambda$; but $a^2$ cannot be negative. So if $\lambda < \sigma^2$ the best
# is $a = 0$: the code is not used. The same holds in every direction; this is **probabilistic PCA** [TB99]. Turn the axes
# so that the data along them are uncorrelated, the *principal* directions, and call the variances along them
# $\lambda_1 \ge \lambda_2 \ge \dots$. At the maximum $a_k$ points along the $k$-th of them, with
#
# $$\|a_k\|^2 = \max(0,\ \lambda_k - \sigma^2), \qquad
# \text{mean } \mathrm{KL}_k = \tfrac12 \log\max\!\Big(1,\ \frac{\lambda_k}{\sigma^2}\Big), \tag{4.12}$$
#
# and the posterior is Gaussian with independent axes, so the bound is tight [Luc19]. A latent with $a_k = 0$ has
# collapsed; the others are *active*.
#
# #### Exercise 4.6 · How many latents are active?
#
# `spread` holds the variances of the data along all principal directions, in any order. The code has `latents` numbers;
# `var` is $\sigma^2$. How many latents are active at the optimum? (`spread.sort(descending=True).values` may help.)

# %% tags=["exercise"]
def my_active(spread, latents, var):
    """Return the number of latents that the best linear VAE uses, an int."""
    ### BEGIN SOLUTION
    largest = spread.sort(descending=True).values[:latents]
    return int((largest > var).sum())
    ### END SOLUTION


active = check("elbo.active_units", my_active)

# %% [markdown]
# **Predict.** Three uncorrelated numbers with variances 4, 1 and 0.25, and three latents. How many are active for
# $\sigma^2 = 0.1$, 0.5, 2 and 5? And will training find that? (The data below are eight corner points with exactly these
# variances. `depth=0` makes encoder and decoder linear.)

# %%
# eq: 4.12
# claim: E57
corners = torch.cartesian_prod(*(torch.tensor([-s, s]) for s in (2.0, 1.0, 0.5))).repeat(25, 1)
spread = torch.tensor([4.0, 1.0, 0.25])
for var in (0.1, 0.5, 2.0, 5.0):
    best = elbo.ppca(corners, latents=3, var=var)  # (4.12)
    line = networks.build(networks.VAE, seed=0, shape=(3,), latents=3, depth=0, var=var)
    _ = fit(line, corners, steps=1000, size=200, lr=0.1)
    with torch.no_grad():
        costs = elbo.latent_kl(elbo.encode(line, corners)).mean(0).sort(descending=True).values
    trained, formula = ([round(c, 2) for c in kl.tolist()] for kl in (costs, best.kl))
    print(f"sigma^2 = {var}: {active(spread, 3, var)} active; "
          f"ELBO {judge(line, corners, 500)[2]:.2f}, best {best.log_evidence:.2f}; "
          f"KL {trained}\n{'best KL':>66} {formula}")

# %% [markdown]
# 3, 2, 1, 0. Training comes within 0.01 nats of the best. Collapse is often blamed on the bound, but here the
# likelihood itself is at its maximum. And for the digits?

# %%
spread = torch.linalg.eigvalsh(torch.cov(train.flatten(1).T))  # variances along the principal axes
print("active latents of the best linear VAE:",
      {var: active(spread, 16, var) for var in (0.02, 0.1, 0.5, 2.0)})
straight = elbo.ppca(train, latents=16, var=0.1).log_evidence
print(f"0.1, training digits: ELBO {judge(vae, train)[2]:.2f}, best linear VAE {straight:.2f}")

# %% [markdown]
# At $\sigma^2 = 0.1$ a linear VAE would use all 16 latents, and the network uses 9. Even so, its bound is better,
# −15.56 against −23.13 on the training digits: one curved latent does the work of several straight ones.

# %% [markdown]
# ### Detour · The variance, learned or hidden
#
# $\sigma^2$ can be learned with the same ELBO. And many implementations fix it implicitly, by the form of their loss.

# %%
for steps in figures.track((1500, 3000), "networks trained"):
    learned = networks.build(networks.VAE, seed=0, shape=(1, 8, 8), latents=16, learn_var=True)
    _ = fit(learned, train, elbo.loss, steps=steps)
    print(f"{steps} steps: sigma^2 from 0.1 to {learned.var:.3f}, "
          f"ELBO of new digits {judge(learned, test)[2]:.2f}")

# %% [markdown]
# Learned, it sinks to 0.086 in the same number of steps, and new digits gain 1.3 nats. With twice the steps it sinks
# further: the better the decoder gets, the less it has to treat as noise. So "the best $\sigma^2$" is a property of model,
# data *and* training.
#
# Much code trains on the mean squared error over the pixels plus the KL. That is (4.9) times −1 with $\|x-\mu\|^2/D$ in
# place of $\|x-\mu\|^2/(2\sigma^2)$, so $\sigma^2 = D/2$: for 64 pixels, 32, and for $32 \times 32$ pixels in three colors,
# 1536. By (4.12) not one linear latent of our digits survives that. In other words, a *mean* where the log-density has a *sum* multiplies
# the KL by $D$:

# %%
# claim: E58
eps = normal_like(torch.empty(901, 16), generator=seeded(6))
with torch.no_grad():
    found = elbo.terms(vae, test, eps)
    mean_over_pixels = (-found.reconstruction / 64 + found.kl).mean()
    print(f"64 (mean over pixels + KL) = {64 * mean_over_pixels:.2f}; "
          f"loss with beta = 64: {elbo.loss(vae, test, eps, beta=64).mean():.2f}")
constant = 0.5 * math.log(2 * math.pi * 0.1**2)
print(f"constant in -log p(x|z) at sigma = 0.1, per pixel: {constant:.4f} nats")
print(f"largest variance {spread.max():.2f}: "
      f"{active(spread, 16, 32.0)} of 16 active at sigma^2 = 32")

# %% [markdown] topics="C065"
# ## Detour · The beta-VAE: another weight for the KL
#
# What if the KL counts more than once, or less? And is that still a bound?

# %% [markdown]
# The **beta-VAE** [Hig17] maximizes $E_q[\log p(x \mid z)] - \beta\,\mathrm{KL}$ with $\beta > 1$, to get few,
# well-separated latents. ($\beta < 1$, for sharper images, is later practice.)
#
# **Predict.** Is it still a lower bound on $\log p(x)$ for $\beta = 4$? For $\beta = 0.25$?
#
# A KL is never negative. So with $\beta > 1$ we subtract more, and a bound stays a bound, only looser. With $\beta < 1$ we
# subtract too little. How much too little? Divide by $\beta$: what is left is an ELBO, with $p(x \mid z)^{1/\beta}$ in place of
# $p(x \mid z)$. Its largest value is the log of *its* evidence, reached by *its* posterior (section 3 of 04). Multiply by
# $\beta$ again:
#
# $$\max_q \big\{E_q[\log p(x \mid z)] - \beta\,\mathrm{KL}(q \,\|\, p(z))\big\} =
# \beta \log E_{p(z)}\big[p(x \mid z)^{1/\beta}\big], \qquad q \propto p(z)\,p(x \mid z)^{1/\beta}. \tag{4.13}$$

# %%
# eq: 4.13
# claim: E59
p_z, p_x = normal(z, 0, 1) * 0.01, normal(1.0, z, 1.0)  # z ~ N(0, 1), x ~ N(z, 1), datum x = 1
print(f"log p(x) = {(p_z * p_x).sum().log():.4f}")
for beta in (0.1, 0.25, 1.0, 4.0):
    best = p_z * p_x ** (1 / beta)
    formula = beta * best.sum().log()  # the right side
    best = best / best.sum()
    value = (best * p_x.log()).sum() - beta * (best * (best / p_z).log()).sum()  # the left side
    print(f"beta = {beta:4}: best value {value:.4f}, by formula {formula:.4f}; "
          f"its q has variance {(best * (z - (best * z).sum()) ** 2).sum():.3f}")

# %% [markdown]
# For $\beta = 0.1$ and 0.25 the "bound" lies *above* $\log p(x) = -1.5155$: no bound at all. For 4 it is one.
#
# With a Gaussian decoder, $\beta$ is a variance in disguise. Factor it out: up to constants
#
# $$-\frac{\|x - \mu\|^2}{2\sigma^2} - \beta\,\mathrm{KL} \;=\; \beta\,\Big[-\frac{\|x - \mu\|^2}{2\,\beta\sigma^2} - \mathrm{KL}\Big], \tag{4.14}$$
#
# and the bracket is, up to a constant, the ELBO of a decoder with the variance $\beta\sigma^2$. Both have the same optimal
# networks, so section 4 already showed what $\beta$ does.

# %%
# eq: 4.14
eps = normal_like(torch.empty(901, 16), generator=seeded(6))
with torch.no_grad():
    x_mean = vae.decode(draw(elbo.encode(vae, test), eps))
    square, cost = ((x_mean - test) ** 2).flatten(1).sum(1), elbo.terms(vae, test, eps).kl
    left_side = -square / (2 * 0.1) - 5 * cost
    right_side = 5 * (-square / (2 * 5 * 0.1) - cost)
print(f"beta = 5 with sigma^2 = 0.1: {left_side.mean():.3f}; "
      f"5 times sigma^2 = 0.5: {right_side.mean():.3f}")

# %% [markdown] topics="C067 C068"
# ## 5 · Where the blur comes from
#
# So far we have looked at the decoder's **mean**. But the model says that an image is the mean *plus* noise of
# variance $\sigma^2$ in every pixel. Here are both.

# %%
with torch.no_grad():
    codes = normal_like(torch.empty(2000, 16), generator=seeded(3))
    decoded = elbo.decode(vae, codes)  # p(x | z) for 2000 codes of the prior
    sampled = draw(decoded, normal_like(decoded.mean, generator=seeded(7)))
rows = torch.cat([train[:8], decoded.mean[:8], sampled[:8]])
fig = figures.images(rows, columns=8, row_labels=["digits", "means", "samples"])
figures.show(fig, alt="Real digits; soft decoded means; the same means with grain in every pixel.")
for name, x in (("digits", train), ("means", decoded.mean), ("samples", sampled)):
    print(f"{name:>7}: variance of a pixel {x.var(0).mean():.3f}, "
          f"pixels beyond -0.75 or 0.75: {(x.abs() > 0.75).float().mean():.2f}")

# %% [markdown]
# The means lack almost half of the variance of the digits (0.163 of 0.292), and the model's real samples put most of it
# back, as grain. A code of 16 numbers does not say exactly where the pen went. With squared error the decoder then returns the
# *average* of all images that share the code, and an average of sharp images is blurred. The rest is treated as
# independent noise in each pixel.
#
# Relatives of the VAE make other choices. In a *conditional* VAE both networks also receive a label $c$, and the bound is one
# on $\log p(x \mid c)$. A GAN (*generative adversarial network*) has no $q$ and no likelihood: a second network, the
# discriminator, learns to distinguish real images from generated ones, and the two play a min–max game. In a
# conditional GAN both receive $c$. Diffusion returns to plain regression.

# %% [markdown]
# ## Popular claims, checked
#
# - **The decoder's variance decides how many latents are used:** 16, 9, 4 and 1 here (section 4). It is often left out as an
#   irrelevant constant.
# - **A mean over the pixels is not the ELBO:** it multiplies the KL by the number of pixels (detour of section 4). The loss is
#   minus the ELBO, with a *sum* over pixels.
# - **A beta-VAE maximizes a bound for $\beta \ge 1$.** For $\beta < 1$ its optimum can lie above $\log p(x)$: −1.0843 above
#   −1.5155 (detour).

# %% [markdown]
# ## Detour · What can a Gaussian decoder do?
#
# Are a Gaussian prior, encoder and decoder too simple? And which network gives the decoder's mean?

# %% [markdown]
# **A Gaussian prior and a Gaussian decoder can make nearly any distribution**, if the decoder's mean is curved. Let $F$ be
# the distribution function of data with two modes, and $\Phi$ that of the normal distribution. The decoder
# $N\big(F^{-1}(\Phi(z)),\ s^2\big)$ makes these data with noise of variance $s^2$ on top:

# %%
# claim: E18, E38
two = ideal_denoisers.two_modes()
log_data = ideal_denoisers.log_density(two, schedules.linear(T=1), z[:, None], 0)
for s in (0.5, 0.2, 0.05, 0.01):
    blurred = ideal_denoisers.Mixture(two.weight, two.mean, two.var + s**2)  # decoded
    log_made = ideal_denoisers.log_density(blurred, schedules.linear(T=1), z[:, None], 0)
    nats = (log_data.exp() * (log_data - log_made)).sum() * 0.01
    print(f"decoder's standard deviation {s:4}: KL from the data to the model {nats:.2e} nats")

# %% [markdown]
# As close as you like. This decoder was written down without an encoder, so a generative model need not learn generation
# *and* inference: GANs and autoregressive models (which write an image pixel by pixel) learn no $q(z \mid x)$, and
# diffusion fixes one. (And $p(\text{label} \mid x)$, which a classifier learns, is not $q(\text{latent} \mid x)$.) The
# limit of a one-step VAE lies on the other side, in its encoder. As $s$ shrinks, the decoder's posterior becomes narrow and
# irregular in shape for *every* $x$ (remember the star of chapter 04), and a Gaussian with independent axes cannot follow
# it.
#
# **The decoder's mean is $\mu_\theta(z)$, with the decoder's weights.** With $\mu_\phi(x)$, the output of the encoder, in its
# place, the reconstruction term would not depend on $\theta$, and the decoder would learn nothing. To try it, take as
# many latents as pixels, so that the encoder's mean has the shape of an image:

# %%
# claim: E56
square_vae = networks.build(networks.VAE, seed=0, shape=(1, 8, 8), latents=64, var=0.1)
code = square_vae.encode(train)[0]
theta = list(square_vae.decoder.parameters())
for name, mean in (("mu_theta(z)", square_vae.decode(code)), ("mu_phi(x)", code.view_as(train))):
    term = gaussians.log_prob(Gaussian(mean, square_vae.var), train).mean()
    grads = torch.autograd.grad(term, theta, allow_unused=True, retain_graph=True)
    size = sum(0.0 if g is None else g.square().sum().item() for g in grads) ** 0.5
    print(f"mean {name:>11}: length of the gradient by theta {size:.1f}")

# %% [markdown]
# ## Recap
#
# A VAE learns $q(z \mid x)$ and $p(x \mid z)$ together by gradient descent on minus the ELBO, with one reparameterized sample of the
# code. The decoder's variance decides how many latents are worth their nats; the others collapse. Doing everything in one step
# costs a gap of about 2 nats or more, because the encoder's $q$ is not the posterior, and what the code does not
# contain becomes blur. Diffusion models replace the one step by many small ones, and the learned encoder by a fixed one.
#
# **One formula to keep**
#
# $$-\mathrm{ELBO} = \frac{E\,\|x - \mu_\theta(z)\|^2}{2\sigma^2} + \frac D2 \log(2\pi\sigma^2) + \tfrac12 \sum_k \big[v_k + m_k^2 - 1 - \log v_k\big],
# \qquad z = m + \sqrt v\,\epsilon$$
#
# **Exercises:** 4.3 `elbo.kl` · 4.4 `elbo.reconstruction` · 4.5 `elbo.loss` · 4.6 `elbo.active_units` (detour)
#
# **To think about.** A collapsed latent costs nothing and says nothing. Could a model have *no* active latent and still be
# perfect? (Yes: if the decoder can make the data without a code. What would that take for digits?)
#
# **Before:** [04 · The bound](04_elbo_and_vae.ipynb) · **Next:**
# [05 · How does data become noise, in one line?](05_forward.ipynb)
