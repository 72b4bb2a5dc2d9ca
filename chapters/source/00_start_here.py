# %% [markdown] topics="C001 C003"
# # 00 · What is this, and can I see it work now?
#
# Yes. Click on this sentence and press **Shift + Enter** four times. Two thousand points of pure noise
# will move into eight tight clusters. Nothing was trained.
#
# **After this chapter you can**
#
# - run a diffusion model and read a film of what it does,
# - say what its denoiser estimates on the way, and what even a perfect one cannot do,
# - write a sampler yourself, from three small functions,
# - hand in an exercise, and choose your route through the course.
#
# **You need** a little Python, square roots, mean and variance, and the normal distribution (the bell curve).
# PyTorch is used here for arrays only.
#
# **Time:** about {road} minutes; the detours at the end, which nothing later needs, add {detours}. The notebook runs in
# about 20 seconds.
#
# **In the papers:** [Ho20] Ho, Jain and Abbeel 2020, Sec. 2. But play first.
#
# **To make honest predictions**, first choose *Edit ▸ Clear Outputs of All Cells*: results are stored
# below every cell, and a glance would give the answers away.

# %%
from ddpm_lab import gaussians, ideal_denoisers, samplers, schedules

rng = gaussians.seeded(0)
schedule = schedules.cosine(T=200)  # how fast data turn into noise
mixture = ideal_denoisers.circle_mixture(8)
denoise = ideal_denoisers.mixture_denoiser(mixture, schedule)  # no network yet
x_0 = samplers.sample(schedule, denoise, shape=(2000, 2), sampler="ddim", generator=rng)

print(schedule)
print("samples:", tuple(x_0.shape))

# %%
import torch

from ddpm_lab.course import figures

blobs = ideal_denoisers.circle_mixture(8, std=0.05)  # where we want to arrive
noise = gaussians.normal_like(x_0, generator=gaussians.seeded(0))  # same seed: where it started
frames = {"before: noise": noise, "after: samples": x_0}
figures.show(
    figures.scatter_grid(frames, panel=3.2, limit=2.5),
    alt="Left: a round cloud of noise. Right: the same points in eight clusters on a circle.",
)
for title, points in frames.items():
    distance = torch.cdist(points.double(), blobs.mean).amin(dim=1)
    print(f"{title:<14}  mean distance to the nearest center: {distance.mean():.3f}")

# %% [markdown] topics="C001 C002 C004 C008"
# The line `Schedule('cosine', T=200, abar_T=6.072e-08)` describes the **noise schedule**: 200 steps from data to noise,
# at a pace called cosine. After the last step almost nothing is left of the data, a fraction of 0.00000006 of their
# variance (section 3).
#
# ## 1 · Is it any good?
#
# A pretty figure proves little. So draw 2,000 points directly from the clusters, without any diffusion,
# and compare the two sets. Each cluster is a round normal distribution with standard
# deviation 0.05; "inside" means within three of those.

# %%
truth = ideal_denoisers.sample(blobs, 2000, generator=gaussians.seeded(1))
for name, points in {"noise": noise, "our samples": x_0, "direct samples": truth}.items():
    distance, blob = torch.cdist(points.double(), blobs.mean).min(dim=1)
    inside = distance < 3 * 0.05
    counts = torch.bincount(blob[inside], minlength=8).tolist()
    middle = (points.norm(dim=1) < 0.3).double().mean()
    print(f"{name:<14} inside: {int(inside.sum()):4} of 2000, by cluster {counts}")
    print(f"{'':<14} mean distance {distance.mean():.3f}; in the middle {middle:.1%}")

# %% [markdown]
# Of our samples, 1,981 lie inside a cluster; of the direct samples, 1,979. The mean distances are 0.057
# and 0.061: ours sit slightly too close to the centers, the price of a finite number of steps. No cluster is
# missing. The middle, within 0.3 of the origin, held 4.3 % of the noise; now it is empty, as it should be.
#
# This is what a **generative model** does: it draws new samples from a distribution $p(x)$ that is known only
# through examples. A **diffusion model** does it with a chain
# of small steps. In one direction, the chain turns data into a distribution so simple that anyone can sample from it:
# $x_0 \sim p_\text{data}$ becomes $x_T \sim N(0, I)$. Read $x \sim p$ as "$x$ is drawn from $p$";
# $N(0, I)$ is the distribution of independent normal numbers, each with mean 0 and variance 1. Then the chain is
# run backward. Think of demolishing a building and rebuilding it from the rubble. Keep this analogy in mind; section 4
# tests how far it carries.

# %%
from ddpm_lab.course import diagrams, explorers

figures.show(
    diagrams.chain(),
    alt="The chain x_0 to x_T: arrows q lead to noise, arrows p_theta lead back to data.",
)
print("forward: q(x_t | x_t-1), fixed, adds noise; backward: p_theta(x_t-1 | x_t), learned")

# %% [markdown] topics="C003 C160"
# ## 2 · A film of sampling
#
# At each time $t$ the **denoiser** looks at the noisy points $x_t$ and estimates which clean point each
# came from. The estimate is called `x0_hat`; a hat always marks an estimate. The **sampler** moves a little toward
# it and asks again. There are several samplers: `ddim` re-mixes the estimate with the noise that the
# estimate implies, while `ddpm` adds fresh noise in every step but the last.
#
# **Predict.** The first estimate is made at $t = 200$, where $x_t$ is nothing but noise. The denoiser is
# the best possible one: no other has a smaller mean squared error. What does its estimate look like?

# %%
film = samplers.ddim(schedule, denoise, noise)
by_time = {step.t: step for step in film}
times = [200, 120, 80, 40, 20, 1]
frames = {f"x_t, t = {t}": by_time[t].x_t for t in times}
frames |= {f"x0_hat at {t}": by_time[t].x0_hat for t in times}
figures.show(
    figures.scatter_grid(frames, columns=6, panel=1.35, limit=2.2),
    alt="Top: noise condenses into eight clusters. Bottom: the estimates start as one point in "
    "the middle, spread into a disk, an octagon at t = 40, and the eight clusters.",
)
for t in times:
    x_t, x0_hat = by_time[t].x_t.norm(dim=1).mean(), by_time[t].x0_hat.norm(dim=1).mean()
    print(f"t = {t:3}: mean distance from the origin: x_t {x_t:.2f}, x0_hat {x0_hat:.2f}")


# %% [markdown]
# At first it is the same for all points: the middle, where there are no data. From pure noise every cluster is equally
# likely, and the estimate with the smallest mean squared error is the average of them all. Then the estimates spread: from
# distance 0.00 to 0.42 at $t = 120$, 0.94 at $t = 40$ and 1.00 at the end. This is why sampling takes many steps: jump
# from noise straight to the first estimate and you land on the average of all data.
#
# The octagon at $t = 40$ has a reason, too. By then only two neighboring clusters are still possible for most points, and
# an average of two lies on the line segment between them. Eight such segments form an octagon.
#
# **Predict.** When is it decided which cluster a point goes to: early, halfway, or late? Below, `ddim`, which
# is **deterministic** (the same start always gives the same end), and the random `ddpm` start
# from the same noise. Will they agree?

# %%
def nearest_cluster(x):
    return torch.cdist(x.double(), blobs.mean).argmin(dim=1)


films, times = {}, (200, 120, 80, 40, 20, 0)
for sampler in (samplers.ddim, samplers.ddpm):
    film = sampler(schedule, denoise, noise, generator=gaussians.seeded(2))
    # All points at each time: a step from t ends at step.s with step.x_s; 200 is the start.
    films[sampler.__name__] = {step.s: step.x_s for step in film} | {200: noise}

print("points whose nearest cluster at time t is already the final one")
for t in times:
    same = {}
    for name, x in films.items():
        same[name] = (nearest_cluster(x[t]) == nearest_cluster(x[0])).double().mean()
    print(f"t = {t:3}:  ddim {same['ddim']:4.0%}   ddpm {same['ddpm']:4.0%}")

# %%
fig, axes = figures.new(2, 6, width=8.2, height=3.1)
for (name, x), line in zip(films.items(), axes):
    red = nearest_cluster(x[0]) == 0  # will end in the cluster on the right
    for ax, t in zip(line, times):
        for those, color in ((~red, figures.SKY), (red, figures.RED)):
            across, up = x[t][those].T  # .T turns n rows (across, up) into two rows of n
            ax.scatter(across, up, s=2, color=color, linewidths=0)
        ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal")
        ax.set_title(f"{name}, t = {t}", fontsize=10)
        ax.set_axis_off()
    there = (nearest_cluster(x[200])[red] == 0).double().mean()
    print(f"{name}: {int(red.sum())} points end on the right; {there:.0%} of them began there")
alt = "Red will end on the right. With ddim it is one wedge at once; with ddpm it gathers late."
figures.show(fig, alt=alt)

# %% [markdown]
# They could hardly disagree more. With `ddim` the nearest cluster is the final one for all points at every time: it is
# **decided before the first step**. Nothing is random on the way, so the noise $x_T$ determines the end, and by symmetry
# each wedge of noise goes to its own cluster. With `ddpm` this holds for only 11 % at the start, about one in eight, no
# better than chance. Then it is 43 % at $t = 80$, 76 % at $t = 40$, 97 % at $t = 20$: **decided late**, by fresh noise.
# The same denoiser takes two very different routes to the same eight clusters.

# %% [markdown]
# ## 3 · Real digits dissolve
#
# Clusters are easy. Here are handwritten digits, 8 × 8 pixels, scaled to [−1, 1]. The way from data to
# noise needs no learning, only one line:
#
# $$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\;\epsilon, \qquad
# \epsilon \sim N(0, I) \tag{0.1}$$
#
# The number $\bar\alpha_t$, in code `schedule.abar[t]`, falls from 1 (clean) to almost 0 (noise).

# %%
from ddpm_lab import datasets, forward

images, labels = datasets.digits("train")
three, seven, zero = images[labels == 3][5], images[labels == 7][1], images[labels == 0][0]
digits = torch.stack([three, seven, zero])
eps = gaussians.normal_like(digits, generator=gaussians.seeded(4))
times = [1, 20, 40, 60, 80, 100, 120, 140, 160, 200]
strip = torch.stack([forward.noised(schedule, digits, t, eps) for t in times], dim=1)
fig = figures.images(strip.flatten(0, 1), [f"t = {t}" for t in times], columns=10, panel=0.8)
figures.show(fig, alt="A three, a seven and a zero dissolve into noise from left to right.")
for t in (1, 60, 100, 200):
    signal_t, noise_t = schedule.signal[t], schedule.noise[t]  # the two roots of (0.1)
    print(f"t = {t:3}: factor on x_0 {signal_t:.3f}, factor on eps {noise_t:.3f}")

# %% [markdown]
# Up to which $t$ can *you* read them? Write down your answer, and then let a machine try: a nearest-neighbor classifier,
# which gives a noisy digit the label of the most similar training image. It is tested on digits that are not in the
# training set.
#
# **Predict.** At $t = 100$, will this classifier still get half of them right?

# %%
test, test_labels = datasets.digits("test")
eps = gaussians.normal_like(test, generator=gaussians.seeded(5))
for t in (1, 60, 80, 100, 120, 140, 200):
    x_t = forward.noised(schedule, test, t, eps).flatten(1).double()
    shrunk = schedule.signal[t] * images.flatten(1).double()  # as faint as the digit in x_t
    right = (labels[torch.cdist(x_t, shrunk).argmin(dim=1)] == test_labels).double().mean()
    print(f"t = {t:3}: {right:.0%} classified correctly")

# %% [markdown]
# Far more than half: 78 %. It starts at 99 % and is still at 95 % at $t = 60$; then it falls to 44 % at $t = 140$ and to
# 11 % at the end, no better than guessing. The noise hits each of the 64 pixels independently, and all 64 together often still
# point to the right neighbor when you can no longer read the digit.
#
# ### How exercises work
#
# You write a function and hand it to `check`. It answers in one line: **○** not yet, **✗** with what
# went wrong, **✓** right. It returns your function if it is right and ours if not, so the rest of
# the chapter always runs. If you are stuck, `hint("start.mix")` shows a hint, and the next one each time you call it;
# `solution("start.mix")` shows our solution, after three tries or when you ask twice. To see how it works, here is a
# question whose answer is a number: *at which $t$ are the data clean?* We try three answers.

# %% tags=["demo"]
from ddpm_lab.course.exercises import check, hint, progress, solution

for attempt in (..., 1, 0):
    check("start.clean", attempt)


# %% [markdown]
# ### Exercise 0.1 · Mix signal and noise
#
# Implement (0.1): return $x_t$, given `x_0`, `eps` and the number `abar_t`. Mind the square roots. Replace the three dots.
#
# <details><summary>Hint</summary>
#
# `abar_t` is a tensor that holds one number. For its root use `abar_t.sqrt()`.
#
# </details>

# %% tags=["exercise"]
def my_mix(x_0, eps, abar_t):
    """Return x_t of (0.1), where abar_t is a number from 0 (all noise) to 1 (no noise)."""
    ### BEGIN SOLUTION
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps
    ### END SOLUTION


mix = check("start.mix", my_mix)

# %% [markdown]
# ### Two hundred steps in one
#
# Where does $\bar\alpha_t$ come from? Noise is added in small steps. One step is the same mix again,
# with a number $\alpha_t$ of its own, and $\bar\alpha_t$ is the product of all $\alpha$ up to $t$:
#
# $$x_t = \sqrt{\alpha_t}\; x_{t-1} + \sqrt{1 - \alpha_t}\;\epsilon_t, \qquad
# \bar\alpha_t = \alpha_1\, \alpha_2 \cdots \alpha_t \tag{0.2}$$
#
# So (0.1) claims to give the result of $t$ steps in *one*. Chapter 05 derives it; here it is put to
# the test, with your `mix` as the step.
#
# **Predict.** 100,000 copies of the number 0.8 take all 200 steps. Where is their mean at the end, and
# what is their standard deviation?

# %%
# eq: 0.1, 0.2
x, product, rng = torch.full((100_000, 1), 0.8), 1.0, gaussians.seeded(6)
print("       200 steps: mean    std   by (0.1): mean    std    product of alpha   abar[t]")
for t in range(1, 201):
    x = mix(x, gaussians.normal_like(x, generator=rng), schedule.alpha[t])  # one step of (0.2)
    product = product * schedule.alpha[t]
    if t in (1, 50, 100, 150, 200):
        a, b = schedule.signal[t], schedule.noise[t]
        print(
            f"t = {t:3}  {x.mean():12.3f} {x.std():6.3f} {0.8 * a:15.3f} {b:6.3f} "
            f"{product:19.4g} {schedule.abar[t]:9.4g}"
        )
print(f"largest sum of the two factors in (0.1): {(schedule.signal + schedule.noise).max():.4f}")

# %% [markdown]
# Mean 0 and standard deviation 1, whatever the start was, because $\bar\alpha_{200} \approx 0$. On the way the steps and (0.1)
# agree within 0.005, about what 100,000 samples can resolve.
#
# The two factors in (0.1) are not the weights of an average: their sum can be as large as 1.4142. It is their **squares**
# that add to 1, because variances of independent quantities add. If the data have variance 1, then so has $x_t$ at every
# time, and $\bar\alpha_t$ is the fraction of that variance that comes from the data.

# %% [markdown] topics="C003 C004"
# ## 4 · Digits come back, and which ones
#
# For a finite list of data, too, the perfect denoiser can be written down: the average of all images,
# here the 896 of the training set, each weighted by how likely it is to have become $x_t$.
#
# **Predict.** Start from pure noise and run the chain back, with `ddpm` from now on. What comes out: new digits,
# blurry averages, or something else?

# %%
denoise_digits = ideal_denoisers.dataset_denoiser(images, schedule)
start = gaussians.normal_like(images[:2], generator=gaussians.seeded(7))
rng = gaussians.seeded(8)
film = samplers.ddpm(schedule, denoise_digits, start, generator=rng)
by_time = {step.t: step for step in film}
times = [200, 160, 120, 100, 80, 60, 40, 20, 1]
x_t = torch.stack([by_time[t].x_t for t in times], dim=1)  # (2 samples, 9 times, 1, 8, 8)
x0_hat = torch.stack([by_time[t].x0_hat for t in times], dim=1)
strip = torch.stack([x_t, x0_hat], dim=1).flatten(0, 2)  # per sample a row of x_t, a row of x0_hat
titles, names = [f"t = {t}" for t in times], ["x_t", "x0_hat"] * 2
fig = figures.images(strip, titles, columns=9, panel=0.8, row_labels=names)
figures.show(fig, alt="Two samples, from noise to a digit. The first estimate is one gray digit.")
gap = (x0_hat[0, 0] - images.mean(dim=0)).abs().max()
print(f"first estimate and the mean of all images: no pixel differs by more than {gap:.3f}")


# %%
def nearest_image(x):
    """Distance to the nearest training image, and which one it is."""
    return torch.cdist(x.flatten(1).double(), images.flatten(1).double()).min(dim=1)


shape, rng = (200, 1, 8, 8), gaussians.seeded(9)
x_0 = samplers.sample(schedule, denoise_digits, shape, sampler="ddpm", generator=rng)
distance, which = nearest_image(x_0)
print(f"exact copies: {int((distance < 1e-3).sum())} of 200; largest distance {distance.max():.3f}")
print(f"for scale: a test digit lies {nearest_image(test)[0].median():.2f} away (median)")
plain = torch.randint(len(labels), (200,), generator=rng)  # 200 images at random
for name, drawn in {"by the sampler": which, "at random": plain}.items():
    counts = torch.bincount(labels[drawn], minlength=10).tolist()
    print(f"digits 0 to 9, drawn {name:<14} {counts}")
print(f"expected: about 20 of each, plus or minus {(200 * 0.1 * 0.9) ** 0.5:.0f}")


# %% [markdown]
# Something else: all 200 samples are training images, pixel for pixel. (For comparison, a test digit is typically at
# distance 2.18 from the nearest training image.) So the first lesson of this course is:
# **a perfect denoiser of a finite list of data can only return the list.**
#
# Then why were the points of section 1 new? There the denoiser was perfect for the **distribution**, the clusters
# themselves, which we had as a formula. Here the list of 896 images *is* the distribution, as far as this denoiser
# knows. A denoiser that is perfect for the distribution behind the list would produce new
# digits, but nobody can write that distribution down. A network trained on the list may come close to
# it; whether it does, and when it falls back to copying, is the subject of chapters 11, 12 and 14b.
#
# Second lesson: we did not ask for a certain digit, and could not have. You sample from the training distribution
# and take what comes: between 9 and 32 of each digit. (Picking images at random gave 14 to 26; the standard deviation of each
# count is about 4.) Train on dogs and you get *a* dog, not *that* dog, and never a cat. Asking for something requires a
# **condition**, such as a label or a text (chapter 15b).
#
# ### Is the rebuilt building the old one?
#
# Demolish a little, or a lot: add noise to 200 digits up to a time $t$, and run the chain back from there.
#
# **Predict.** At $t = 80$ the classifier still got 9 of 10 right. How many will return as the very same
# image? And from $t = 200$?

# %%
def there_and_back(x_0, t, rng):
    """Add noise to x_0 up to time t, and run the chain back."""
    x = forward.noised(schedule, x_0, t, gaussians.normal_like(x_0, generator=rng))
    film = samplers.ddpm(schedule, denoise_digits, x, times=range(t, -1, -1), generator=rng)
    return samplers.final(film)  # run through all steps, return where the last one ends


print("noised up to   same image   same digit")
for t in (40, 60, 80, 100, 120, 160, 200):
    _, which = nearest_image(there_and_back(images[:200], t, gaussians.seeded(t)))
    same_image = (which == torch.arange(200)).double().mean()
    same_digit = (labels[which] == labels[:200]).double().mean()
    print(f"t = {t:3}        {same_image:10.0%} {same_digit:12.0%}")

# %%
times = [60, 100, 120, 200]
copies = three.expand(8, -1, -1, -1)
rebuilt = [there_and_back(copies, t, gaussians.seeded(10)) for t in times]
grid = torch.cat([torch.cat([three[None], x]) for x in rebuilt])
titles = ["original"] + [f"rebuilt {i}" for i in range(1, 9)]
names = [f"from t = {t}" for t in times]
fig = figures.images(grid, titles, columns=9, panel=0.8, row_labels=names)
alt = "From t = 60 the same three returns eight times; from later times, ever more other digits."
figures.show(fig, alt=alt)
_, mine = nearest_image(three[None])
for t, x in zip(times, rebuilt):
    _, which = nearest_image(x)
    print(f"from t = {t:3}: same image: {int((which == mine).sum())} of 8", end="; ")
    print(f"digits {labels[which].tolist()}")

# %% [markdown]
# From $t = 80$, 68 % return as the same image and 98 % as the same digit. From $t = 200$ it is 0 % and 10 %: a **new
# sample**. So denoising step by step recovers the original only if the noise was light. The rebuilt building is sound, but it
# need not be the old one.
#
# ### Try it yourself: how much is left?
#
# The explorer noises one digit up to a time $t$ out of 1000, and shows the estimate of the same perfect denoiser. Press
# *play* and watch.
#
# **Predict.** Up to which $t$ does the estimate remain this very digit with the schedule `linear`, and with `cosine`?

# %%
explorer = explorers.how_much_is_left()
print(explorer)
explorer

# %%
for name in ("linear", "cosine"):
    for t in (100, 200, 300, 400):
        said = explorer.describe(schedule=name, t=t)
        print(f"{name}, t = {t}: off by {said.split('off by ')[1].split(' ')[0]} per pixel")

# %% [markdown]
# With `linear` the estimate is exact at $t = 100$ and wrong by 0.184 per pixel at $t = 200$: by then it mixes several
# digits. With `cosine`, which adds noise more slowly, it is still nearly exact at $t = 300$. What counts is not $t$ but how
# much noise there is at $t$; chapter 06 puts all schedules on one scale.

# %% [markdown] topics="C007 C008"
# ## 5 · Your own sampler
#
# You already have `mix`. Two more small functions, and you have a sampler. Both rest on one convention
# of this course: **$t = 0$ is clean data and $t = T$ is noise.** Tables have a row for every $t$, row 0
# included, so that row $t$ belongs to time $t$. A step back goes from $t$ to an earlier $s$. Formulas
# become Python by spelling them out: $\bar\alpha_t$ is `abar[t]`.

# %%
T = schedule.T
symbols = [
    ("β_t", "beta", "variance of the noise that step t adds"),
    ("α_t", "alpha", "1 − β_t"),
    ("ᾱ_t", "abar", "α_1 times α_2 … times α_t, see (0.2)"),
    ("√ᾱ_t", "signal", "factor on x_0 in (0.1)"),
    ("√(1−ᾱ_t)", "noise", "factor on eps, a standard deviation"),
    ("SNR(t)", "snr", "signal-to-noise ratio, ᾱ_t / (1 − ᾱ_t)"),
]
print(f"{'symbol':<9} {'code':<7} {'t = 0':>6} {'t = 1':>8} {'t = T':>9}   what it is")
for symbol, code, meaning in symbols:
    v = getattr(schedule, code)
    print(f"{symbol:<9} {code:<7} {v[0]:6.4g} {v[1]:8.4g} {v[T]:9.4g}   {meaning}")


# %% [markdown]
# ### Exercise 0.2 · The table, with its row 0
#
# Here are $\beta_1, \dots, \beta_T$. Make the table $\bar\alpha_0, \dots, \bar\alpha_T$. How many rows
# are there, what is in row 0, and which row belongs to $t = T$?
#
# <details><summary>Hint</summary>
#
# $\alpha_t = 1 - \beta_t$, and (0.2). For tensors, `cumprod(dim=0)` gives running products, and
# `torch.cat([a, b])` joins two tensors. A loop that fills a list is fine too.
#
# </details>

# %% tags=["exercise"]
def my_table(beta):
    """Return the rows of abar, from t = 0 to t = T; beta holds beta_1, …, beta_T."""
    ### BEGIN SOLUTION
    return torch.cat([torch.ones(1), (1 - beta).cumprod(dim=0)])
    ### END SOLUTION


table = check("start.table", my_table)


# %% [markdown]
# ### Exercise 0.3 · The steps of a sampler
#
# A sampler follows a decreasing list of times, such as `[200, 150, 100, 50, 0]`, which may skip some. Return its steps
# as a list of pairs `(t, s)`: the time where a step starts and the time where it ends.

# %% tags=["exercise"]
def my_steps(times):
    """Return a sampler's steps: [(200, 150), (150, 100), …] for times = [200, 150, 100, …, 0]."""
    ### BEGIN SOLUTION
    return list(zip(times, times[1:]))
    ### END SOLUTION


steps = check("start.steps", my_steps)

# %% [markdown]
# Now look at what you have. The denoiser estimates $x_0$; solving (0.1) for $\epsilon$ gives the noise that
# goes with the estimate; mixing the two *for an earlier time* is a step back. Your three functions are a
# diffusion sampler:

# %%
abar = torch.as_tensor(table(schedule.beta[1:]))  # yours, from the 200 steps
x, times = noise, schedules.timesteps(schedule.T, 20)  # twenty steps instead of 200
for t, s in steps(times):
    x0_hat = denoise(x, t)
    eps_hat = (x - abar[t].sqrt() * x0_hat) / (1 - abar[t]).sqrt()  # (0.1), solved for eps
    x = mix(x0_hat, eps_hat, abar[s])

rng = gaussians.seeded(0)
theirs = samplers.sample(schedule, denoise, (2000, 2), sampler="ddim", times=times, generator=rng)
inside = torch.cdist(x.double(), blobs.mean).amin(dim=1) < 3 * 0.05
print(f"largest difference from samplers.ddim: {(x - theirs).abs().max():.4f}")
print(f"inside a cluster after 20 steps: {int(inside.sum())} of 2000")

# %% [markdown]
# The same points as `samplers.ddim`, to four decimals, in 20 steps instead of 200, and still 1,968
# of 2,000 inside a cluster. You have written DDIM [Song21a] (Song, Meng and Ermon 2021); chapter 10b derives it.
#
# ### The one line that learning will swap
#
# Nothing in your loop knows where `denoise` comes from. For photographs the distribution of the data is
# unknown; there a trained network takes the place of the denoiser, and one line changes:
#
# ```python
# denoise = predictions.denoiser(schedule, net, prediction_type="eps")
# ```
#
# `prediction_type="eps"` says that the network predicts the noise in $x_t$; an estimate of $x_0$ follows by solving
# (0.1) for it. For exact predictors this choice changes nothing. What it changes for trained
# networks is the subject of chapters 09 and 11.

# %% [markdown] topics="C005"
# ## Where to go from here: map of the course
#
# | chapter | the question it answers | minutes |
# |---|---|--:|
# | ★ 00 Start here | What is this, and can I see it work now? | {road} |
# | [01 Bayes](01_bayes.ipynb) | Bayes: how do facts change beliefs, and what makes that hard? | {road 01} |
# | [02 Distributions](02_distributions.ipynb) | Joint, marginal, conditional: what can you do with Gaussians? | {road 02} |
# | [03 Estimators](03_estimators.ipynb) | How good is a Monte Carlo answer? | {road 03} |
# | [04 The bound and the VAE](04_elbo_and_vae.ipynb) | Why maximize a bound, and when is it tight? | {road 04} |
# | [04b A VAE on digits](04b_vae_on_digits.ipynb) | What can one step do, and what does it cost? | {road 04b} |
# | ★ [05 Forward](05_forward.ipynb) | How does data become noise, in one line? | {road 05} |
# | [06 Schedules and SNR](06_schedules_and_snr.ipynb) | How fast should the signal go? | {road 06} |
# | [07 Posterior](07_posterior.ipynb) | Where was the chain a moment ago? | {road 07} |
# | [07b Reverse variance](07b_reverse_variance.ipynb) | How much noise should a step back add? | {road 07b} |
# | [08 Bound](08_bound.ipynb) | What exactly is minimized? | {road 08} |
# | [08b Weights and bits](08b_weights_and_bits.ipynb) | Which weights, and how many bits? | {road 08b} |
# | [09 Predictions](09_predictions.ipynb) | x0, eps, v, score: which should a network predict, and does it matter? | {road 09} |
# | ★ [10 Sampling without learning](10_sampling_without_learning.ipynb) | How do you turn noise into data if the denoiser is perfect? | {road 10} |
# | [10b Fewer steps](10b_fewer_steps.ipynb) | How few steps will do? | {road 10b} |
# | ★ [11 Learning to denoise](11_learning_to_denoise.ipynb) | What if `x0_hat` cannot be computed? | {road 11} |
# | [12 U-Net](12_unet.ipynb) | Which network denoises images? | {road 12} |
# | [12b Build a U-Net](12b_build_a_unet.ipynb) | How do you build a U-Net yourself? | {road 12b} |
# | [13 Training at scale](13_gpu_training.ipynb) | How do you train at scale? | {road 13} |
# | [14 Measuring](14_measuring.ipynb) | How good is it, honestly? | {road 14} |
# | [14b Sample quality](14b_sample_quality.ipynb) | Are the samples as good as real images? | {road 14b} |
# | ★ [15 Fast](15_fast_and_guided.ipynb) | How few steps are enough? | {road 15} |
# | [15b Guided](15b_guidance_and_editing.ipynb) | How do you ask for something? | {road 15b} |
# | [16 Continuous time](16_continuous_time.ipynb) | What remains when T goes to infinity? | {road 16} |
# | [16b Flow matching](16b_flow_matching.ipynb) | Why should the path from noise to data bend? | {road 16b} |
# | [17 Beyond](17_beyond.ipynb) | What lies beside and beyond DDPM? | {road 17} |
# | [17b Systems](17b_systems.ipynb) | How does a denoiser become a system? | {road 17b} |
# | [18 Claims](18_claims.ipynb) | True, false, or under which condition? | {road 18} |
#
# **Short of time?** The chapters with a ★ are a **six-hour route**: how data become noise, how to sample, how to learn the
# denoiser, and how to sample in fewer steps. Of the other chapters it needs only the formula (7.8) of
# [07](07_posterior.ipynb) and, in [09](09_predictions.ipynb), "Four names, one estimate" and "The best prediction is a
# mean, not a sample". Chapters 01 to 04b are the probability behind it all; start there if the words *posterior* or
# *KL divergence* are rusty.
#
# **Detours** are sections that nothing later needs. They start out collapsed: click the "+ cells hidden" below the heading. Their
# code runs with the rest.
#
# **To look things up:** [glossary](glossary.ipynb) of all terms, [all formulas](formulas.ipynb) with their functions, and the
# [cheat sheet](cheat_sheet.ipynb), DDPM on a page.
#
# The next cell shows your progress. Each ✓ is remembered in the small file `progress.jsonl` beside the
# notebooks, which never leaves your machine and may be deleted.

# %%
progress()

# %% [markdown]
# ## Recap
#
# A diffusion model turns data into noise by a fixed rule and comes back with a denoiser. At each time
# the denoiser says which clean data it expects on average, and the sampler moves a little that way.
# Where a perfect denoiser can be written down, all this works without learning, and samplers can be
# tested against the truth. A denoiser that is perfect for a finite list copies the list; one that is perfect for the
# distribution behind the list would make new data. That one is unknown, and a network is trained to come close to it.
#
# **One formula to keep:** $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\;\epsilon$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | from $t = T$ denoising gives a new sample | it recovers the original image | 0 % of 200 |
# | a model samples from the distribution it was given | it can generate any image | 200 of 200 came from its list |
# | the squares of the two factors add to 1 | a weighted average of image and noise | the factors add to 1.4142 |
#
# **Exercises:** 0.1 `start.mix` · 0.2 `start.table` · 0.3 `start.steps`
#
# **Next:** [05 · How does data become noise, in one line?](05_forward.ipynb) derives (0.1) from one
# fact: variances of independent noises add. Or begin with [01 · Bayes](01_bayes.ipynb).

# %% [markdown]
# ## Detour · How to use these notebooks
#
# Running cells, getting help, fixing problems, saving your work.

# %% [markdown] topics="C007"
# - **Run all:** *Run ▸ Run All Cells*. **Start afresh:** *Kernel ▸ Restart Kernel and Run All Cells…* Do
#   so whenever something behaves strangely; cells run out of order are the usual reason.
# - **Get help:** put the cursor on a function's name and press **Shift + Tab**. To see the code behind it,
#   run `figures.show_source(forward.noised)`.
# - **Something fails?** In a terminal (*File ▸ New ▸ Terminal*) run `python -m ddpm_lab doctor`, or
#   `python lab.py doctor` in the project's folder. It says what is wrong and what to do.
# - **Keep your work:** an update replaces the course's own files, so save a copy first, *File ▸ Save
#   Notebook As…*, with a new name such as `my_00.ipynb`.
# - **Study method:** principle, formula and code side by side. Every displayed formula of the course is also run as
#   code. Most confusion comes from mixing up the three.

# %% [markdown]
# ## Detour · Symbols, and what other authors mean by them
#
# A formula from another page may use the same letter for something else.

# %% [markdown] topics="C008 C009"
# | on paper | in code | what it is |
# |---|---|---|
# | $z$ | `z` | fresh noise of a sampler; $\epsilon$ is the noise mixed in on the way to $x_t$ |
# | $x \sim p$ | `draw(p, z)` | $x$ is drawn from the distribution $p$ |
# | $E_{x \sim p}[f(x)]$ | `f(x).mean()` | the mean of $f(x)$, not of $x$, over many samples |
# | $N(\mu, \sigma^2)$ | `Gaussian(mean, var)` | the second slot is a **variance** |

# %%
normal = gaussians.Gaussian(mean=torch.zeros(1_000_000), var=torch.tensor(4.0))  # N(0, 4)
x = gaussians.draw(normal, gaussians.normal_like(normal.mean, generator=gaussians.seeded(11)))
print(f"N(0, 4): standard deviation {x.std():.2f}, mean of x² {(x**2).mean():.1f}")

# %% [markdown]
# **When you read other pages:** authors use the letter α for different things, and a
# formula carried across fails silently. To see which one a page means, compute the last value
# of its α for the classic *linear* schedule (β from 0.0001 to 0.02 in 1000 steps) and find it here:

# %%
linear = schedules.linear()
alpha_T, abar_T = linear.alpha[linear.T], linear.abar[linear.T]
readings = [
    (alpha_T, "our α_T, one step", "Ho, Jain, Abbeel 2020 [Ho20]"),
    (alpha_T.sqrt(), "its root: a step is α x + β eps", "some notes"),
    (abar_T.sqrt(), "our √ᾱ_T, the factor on x_0", "Kingma and others 2021 [Kin21]"),
    (abar_T, "our ᾱ_T", "Song, Meng, Ermon 2021 [Song21a]"),
]
for value, meaning, where in readings:
    print(f"α_T = {value:10.5g}   {meaning:<32} {where}")

# %% [markdown]
# The same goes for **$p$ and $q$.** Here, as in [Ho20], $q$ is the fixed distribution that adds noise, and
# $p_\theta$ the learned distribution that leads back. Some texts swap them. Look for the $\theta$, which stands
# for what is learned. The [cheat sheet](cheat_sheet.ipynb) has a table of seven notations.

# %% [markdown]
# ## Detour · A little history, and what to read or watch
#
# Where diffusion models come from, where they are used, and a reading order.

# %% [markdown] topics="C005 C006 C010 C011 C012 C187"
# Before 2020 there were networks that made sharp images and were hard to train (GANs, two networks in
# a contest), and others that trained smoothly and made blurry images (VAEs, chapter 04b). Diffusion models, since
# 2015 [SD15], took an idea from thermodynamics: destroy the structure of data slowly, and learn to restore it. In that
# paper the form of the forward chain was already fixed; only its rates could be learned.
# In 2020, [Ho20] let the network predict the noise, trained it with a squared error, and reached the
# quality of GANs on small images. Today the idea turns text into images and enlarges small ones,
# designs proteins and predicts their structure (RFdiffusion, AlphaFold 3), and plans what robots do.
#
# **Four questions** guide the course: how to train and sample, what mathematics lies underneath, how later systems improve
# on DDPM, and what all this teaches beyond diffusion models.
#
# **Where careful readers get stuck,** and the chapters that answer: why the square roots in (0.2)? (05) · if training
# raises a lower bound on the likelihood, does the likelihood rise too? (04) · what exactly is minimized, and why may its
# weights be dropped? (08, 08b) · how much fresh noise should a step back add, and why do two choices both work? (07b) · why
# does a sampler drift toward the data, why not jump to $x_0$ at once, and what is sampling without fresh noise good for?
# (10, 10b)
#
# **If all of this is new,** the usual order is autoencoder → VAE → GAN first (chapter 04, or any deep-learning
# course), then a video, then the papers: Hung-yi Lee's lectures on diffusion models (in Chinese, with English
# slides) or a short video on the derivation, then [Ho20], then [Luo22] for every line of algebra, then Lilian Weng's overview.
#
# | read | with chapter |
# |---|---|
# | [Ho20] Ho, Jain and Abbeel, [DDPM](https://arxiv.org/abs/2006.11239), the main text | 05–10 |
# | [KW14] Kingma and Welling, [the VAE](https://arxiv.org/abs/1312.6114) | 04, 04b |
# | [Luo22] Luo, [a unified perspective](https://arxiv.org/abs/2208.11970), every line of algebra | 04, 07, 08 |
# | [Kin21] Kingma and others, [variational diffusion models](https://arxiv.org/abs/2107.00630) | 06, 08 |
# | [SD15] Sohl-Dickstein and others, [the origin](https://arxiv.org/abs/1503.03585) | after 08 |
# | [Song21a] Song, Meng and Ermon, [DDIM](https://arxiv.org/abs/2010.02502) | 10b, 15 |
# | Weng, [What are diffusion models?](https://lilianweng.github.io/posts/2021-07-11-diffusion-models/), an overview | after 10 |
# | [Song21b] Song and others, [score-based models in continuous time](https://arxiv.org/abs/2011.13456) | after 10b |
#
# **Code to compare with:** [hojonathanho/diffusion](https://github.com/hojonathanho/diffusion), the original;
# [bojone/Keras-DDPM](https://github.com/bojone/Keras-DDPM), a short version in Keras;
# [Hugging Face's annotated diffusion](https://huggingface.co/blog/annotated-diffusion), a PyTorch notebook.
