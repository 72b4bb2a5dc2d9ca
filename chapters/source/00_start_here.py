# %% [markdown]
# # 00 · What is this, and can I see it work now?
#
# Yes. Click the gray cell below, press **Shift + Enter**, and do the same with the next one. Two
# thousand points of pure noise will walk into eight neat blobs. Nothing was trained.
#
# **After this chapter you can**
#
# - run a diffusion model, and read a film of what it does,
# - say what its denoiser guesses on the way, and what a perfect one cannot do,
# - read the course's symbols, and unmask other people's,
# - hand in an exercise, and know where to go next.
#
# **You need** a little Python and square roots. About 40 minutes to work through; all of it runs in
# under half a minute. **In the papers:** [Ho20] Ho, Jain and Abbeel 2020, Sec. 2; but play first.

# %%
from ddpm_lab import gaussians, oracles, samplers, schedules

rng = gaussians.seeded(0)
schedule = schedules.cosine(T=200)
denoise = oracles.mixture_denoiser(oracles.ring(8), schedule)  # no network yet
x_0 = samplers.sample(schedule, denoise, shape=(2000, 2), step=samplers.ddim, generator=rng)

print(schedule)
print("samples:", tuple(x_0.shape))

# %%
import torch

from ddpm_lab import figures

blobs = oracles.ring(8, std=0.05)  # the law we want to draw from
noise = gaussians.normal_like(x_0, generator=gaussians.seeded(0))  # same seed: where it started
frames = {"before: noise": noise, "after: samples": x_0}
figures.show(
    figures.clouds(frames, panel=3.2, limit=2.5),
    alt="Left: a round cloud of noise. Right: the same points, now in eight small blobs on a ring.",
)
for title, points in frames.items():
    distance = torch.cdist(points.double(), blobs.mean).amin(dim=1)
    print(f"{title:<14}  mean distance to the nearest blob's center: {distance.mean():.3f}")

# %% [markdown]
# ## 1 · Is it any good?
#
# A pretty picture proves little. So draw 2,000 points from the blobs themselves, with no diffusion
# at all, and ask both clouds the same questions. Each blob is a round Gaussian of standard
# deviation 0.05; "inside" shall mean within three of those.

# %%
truth = oracles.sample(blobs, 2000, generator=gaussians.seeded(1))
for name, points in {"noise": noise, "our samples": x_0, "true draws": truth}.items():
    distance, blob = torch.cdist(points.double(), blobs.mean).min(dim=1)
    inside = distance < 3 * 0.05
    counts = torch.bincount(blob[inside], minlength=8).tolist()
    middle = (points.norm(dim=1) < 0.3).double().mean()
    print(f"{name:<11}  inside: {int(inside.sum()):4} of 2000, by blob {counts}")
    print(f"{'':<11}  mean distance {distance.mean():.3f}; in the middle of the ring {middle:.1%}")

# %% [markdown]
# Of our samples, 1,981 lie inside a blob; of the true draws, 1,979. The mean distances are 0.057
# and 0.061: ours sit a little too tight, the price of a finite number of steps. No blob is
# forgotten. The middle of the ring, within 0.3 of the origin, held 4.3 % of the noise; now it is
# empty, as it is in the truth.
#
# That is the trade of a **generative model**: draw new samples from a law $p(x)$ that is known only
# through examples. (Some models can also say how likely a given sample is.) A **diffusion model**
# does it with a chain. One way, it turns data into a law so plain that anyone can draw from it:
# $x_0 \sim p_\text{data}$ becomes $x_T \sim N(0, I)$. Then it walks back. Think of demolishing a
# building, and building again from the rubble. Keep this image; section 4 tests how far it carries.

# %% [markdown]
# ## 2 · A film of the walk
#
# At each time $t$ the **denoiser** looks at the noisy points $x_t$ and guesses where each came
# from. The guess is called `x0_hat`; a hat always marks a guess. The sampler moves a little toward
# it and asks again.
#
# **Predict.** The first guess is made at $t = 200$, where $x_t$ is nothing but noise. The denoiser is
# the best possible one. What does its guess look like?
#
# <details><summary>Answer</summary>
#
# One point in the middle of the ring. From pure noise any blob is as likely as any other, and the
# guess with the smallest mean squared error is the average of them all. It lies where no data is!
#
# </details>

# %%
film = samplers.reverse(schedule, denoise, noise, step=samplers.ddim, generator=rng)
walks = {walk.t: walk for walk in film}
times = [200, 160, 120, 80, 40, 1]
frames = {f"x_t, t = {t}": walks[t].x_t for t in times}
frames |= {f"guess, t = {t}": walks[t].x0_hat for t in times}
figures.show(
    figures.clouds(frames, columns=6, panel=1.35, limit=2.2),
    alt="Top: noise condenses into eight blobs. Bottom: the guesses start as one point in the "
    "middle and open up into the ring.",
)
for t in times:
    x_t, guess = walks[t].x_t.norm(dim=1).mean(), walks[t].x0_hat.norm(dim=1).mean()
    print(f"t = {t:3}: mean distance from the origin: x_t {x_t:.2f}, guess {guess:.2f}")

# %% [markdown]
# The guesses start at distance 0.00 and open like an umbrella: 0.42 at $t = 120$, 0.94 at
# $t = 40$, 1.00 at the end. This is why the walk has many steps: jump from noise straight to the
# first guess and you land on the average of all data, a point that no blob would own up to.
#
# **Predict.** When is it decided which blob a point goes to: early, halfway, late? Below, the
# deterministic sampler `ddim` and the dice-throwing `ddpm` start from the same noise. Will they
# agree?
#
# <details><summary>Answer</summary>
#
# They disagree as much as they can: `ddim` has decided before its first step, `ddpm` decides late.
#
# </details>


# %%
def nearest_blob(x):
    return torch.cdist(x.double(), blobs.mean).argmin(dim=1)


films = {}
for step in (samplers.ddim, samplers.ddpm):
    film = samplers.reverse(schedule, denoise, noise, step=step, generator=gaussians.seeded(2))
    films[step.__name__] = {walk.s: walk.x_s for walk in film} | {200: noise}

print("share of points whose nearest blob at time t is already the final one")
for t in (200, 160, 120, 80, 40, 20, 0):
    same = {n: (nearest_blob(x[t]) == nearest_blob(x[0])).double().mean() for n, x in films.items()}
    print(f"t = {t:3}:  ddim {same['ddim']:4.0%}   ddpm {same['ddpm']:4.0%}")

# %%
fig, axes = figures.new(2, 6, width=8.2, height=3.1)
for (name, x), line in zip(films.items(), axes):
    chosen = nearest_blob(x[0]) == 0  # will end in the blob on the right
    for ax, t in zip(line, (200, 160, 120, 80, 40, 0)):
        for those, color in ((~chosen, figures.SKY), (chosen, figures.RED)):
            ax.scatter(*x[t][those].T, s=2, color=color, linewidths=0)
        ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal")
        ax.set_title(f"{name}, t = {t}", fontsize=10)
        ax.set_axis_off()
    there = (nearest_blob(x[200])[chosen] == 0).double().mean()
    print(
        f"{name}: {int(chosen.sum())} points end in the right blob; {there:.0%} of them began there"
    )
alt = "Red will end on the right. With ddim it is one wedge at once; with ddpm it gathers late."
figures.show(fig, alt=alt)

# %% [markdown]
# With `ddim`, 100 % at every time: **decided before the first step**. No dice are thrown on the way,
# so the noise $x_T$ fixes the end, and on this symmetric ring each wedge of noise keeps its own
# blob. With `ddpm`, 11 % at the start, near one in eight: pure luck. Then 43 % at $t = 80$, 76 % at
# $t = 40$, 97 % at $t = 20$. **Decided late**, by fresh noise on the way. One denoiser, eight blobs in
# the end both times, by quite different roads.

# %% [markdown]
# ## 3 · Real digits dissolve
#
# Blobs are easy. Here are handwritten digits, 8 × 8 pixels, scaled to [−1, 1]. The way from data to
# noise needs no learning, only one line:
#
# $$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\;\epsilon, \qquad
# \epsilon \sim N(0, I) \tag{0.1}$$
#
# The number $\bar\alpha_t$, in code `schedule.abar[t]`, falls from 1
# (clean) to almost 0 (noise).
#
# **Predict.** $t$ runs to 200. From which $t$ on can you no longer read the digits?
#
# <details><summary>Answer</summary>
#
# That depends on your eyes, so write your number down. After the picture a machine gives its own.
#
# </details>

# %%
from ddpm_lab import datasets, forward

images, labels = datasets.digits("train")
three, seven, zero = images[labels == 3][1], images[labels == 7][1], images[labels == 0][0]
digits = torch.stack([three, seven, zero])
eps = gaussians.normal_like(digits, generator=gaussians.seeded(4))
times = [1, 20, 40, 60, 80, 100, 120, 140, 160, 200]
strip = torch.stack([forward.noised(schedule, digits, t, eps) for t in times], dim=1)
fig = figures.images(strip.flatten(0, 1), [f"t = {t}" for t in times], columns=10, panel=0.8)
figures.show(fig, alt="A three, a seven and a zero dissolve into noise from left to right.")
for t in (1, 60, 120, 200):
    signal_t, noise_t = schedule.signal[t], schedule.noise[t]
    print(f"t = {t:3}: factor on x_0 {signal_t:.3f}, factor on eps {noise_t:.3f}")

# %% [markdown]
# Now the machine. It reads a noisy digit by the label of the most similar training digit, and is
# tested on digits that it does not hold.

# %%
test, test_labels = datasets.digits("test")
eps = gaussians.normal_like(test, generator=gaussians.seeded(5))
for t in (1, 60, 80, 100, 120, 140, 200):
    x_t = forward.noised(schedule, test, t, eps).flatten(1).double()
    similar = torch.cdist(x_t, schedule.signal[t] * images.flatten(1).double()).argmin(dim=1)
    right = (labels[similar] == test_labels).double().mean()
    print(f"t = {t:3}: {right:.0%} read correctly")

# %% [markdown]
# 99 % at first and still 95 % at $t = 60$; then it slides, 78 % at $t = 100$, 44 % at $t = 140$,
# to 11 % at the end, about what a monkey gets with ten keys.
#
# Now two checks of (0.1). It promises the result of a *long* walk in *one* jump, so let 100,000
# copies of the number 0.8 take the long walk. And look at the two factors. Many notes call (0.1) a
# weighted average, but the weights do not add to 1. Their **squares** do.

# %%
# eq: 0.1
walkers = torch.full((100_000, 1), 0.8)
print("         walked: mean    std   by (0.1): mean    std   factors: sum   of squares")
for t, x_t in forward.chain(schedule, walkers, generator=gaussians.seeded(6)):
    if t in (1, 50, 100, 150, 200):
        a, b = schedule.signal[t], schedule.noise[t]
        print(
            f"t = {t:3}  {x_t.mean():12.3f} {x_t.std():6.3f} {0.8 * a:15.3f} {b:6.3f} "
            f"{a + b:14.3f} {a**2 + b**2:12.3f}"
        )
print(f"largest sum of the two factors: {(schedule.signal + schedule.noise).max():.4f}")

# %% [markdown]
# Walk and jump agree within 0.005, about what 100,000 walkers can resolve. The factors add to as
# much as 1.4142, that is $\sqrt 2$; their squares to 1.000 at every $t$. Chapter 05 proves the line.
#
# ### How exercises work
#
# You write a function and hand it to `check`. It answers in one line: **○** not yet, **✗** with what
# went wrong, **✓** right. It hands back your function if it is right and ours if not, so a chapter
# always runs on. Here is a question with a value for an answer: *at which $t$ is the data clean?* We
# answer it three times.

# %% tags=["demo"]
from ddpm_lab.exercises import check

for attempt in (..., 1, 0):
    check("start.clean", attempt)

# %% [markdown]
# ### Exercise 0.1 · Mix signal and noise
#
# Write (0.1): return $x_t$, given `x_0`, `eps` and the number `abar_t`. More than one tutorial has lost
# a square root on this line. Replace the three dots.
#
# <details><summary>Hint</summary>
#
# `abar_t` is a tensor with one number, so `abar_t.sqrt()` works.
#
# </details>


# %% tags=["exercise"]
def my_mix(x_0, eps, abar_t):
    """Return x_t, where abar_t is the share of x_t's variance that comes from the data."""
    ### BEGIN SOLUTION
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps
    ### END SOLUTION


mix = check("start.mix", my_mix)

# %% [markdown]
# ## 4 · Digits come back, and which ones
#
# For a finite data set, too, the perfect denoiser can be written down: the average of all images,
# here the 896 of the training half, each weighted by how likely it is to have become $x_t$.
#
# **Predict.** Start from pure noise and walk back. What comes out: new digits, blurry averages, or
# something else?
#
# <details><summary>Answer</summary>
#
# Something else: the training images themselves, exactly. The cell after the picture counts.
#
# </details>

# %%
denoise_digits = oracles.dataset_denoiser(images, schedule)
start = gaussians.normal_like(images[:2], generator=gaussians.seeded(7))
film = samplers.reverse(schedule, denoise_digits, start, generator=gaussians.seeded(8))
walks = {walk.t: walk for walk in film}
times = [200, 160, 120, 100, 80, 60, 40, 20, 1]
x_t = torch.stack([walks[t].x_t for t in times], dim=1)  # (2 walks, 9 times, 1, 8, 8)
guess = torch.stack([walks[t].x0_hat for t in times], dim=1)
strip = torch.stack([x_t, guess], dim=1).flatten(0, 2)
titles, names = [f"t = {t}" for t in times], ["x_t", "guess"] * 2
fig = figures.images(strip, titles, columns=9, panel=0.8, row_labels=names)
figures.show(fig, alt="Two walks from noise to a digit. The first guess is one gray average digit.")
gap = (guess[0, 0] - images.mean(dim=0)).abs().max()
print(f"first guess and the mean of all images: no pixel differs by more than {gap:.3f}")


# %%
def nearest_image(x):
    """Distance to the nearest training image, and which one it is."""
    return torch.cdist(x.flatten(1).double(), images.flatten(1).double()).min(dim=1)


x_0 = samplers.sample(schedule, denoise_digits, (200, 1, 8, 8), generator=gaussians.seeded(9))
distance, which = nearest_image(x_0)
print(f"exact copies: {int((distance < 1e-3).sum())} of 200; largest distance {distance.max():.3f}")
print(f"for scale: a test digit lies {nearest_image(test)[0].median():.2f} away (median)")
drawn, held = (torch.bincount(y, minlength=10) for y in (labels[which], labels))
print("digits 0 to 9, drawn:   ", drawn.tolist())
print("expected, on average:   ", (held * 200 / len(labels)).round().int().tolist())

# %% [markdown]
# All 200 samples are training images, pixel for pixel. A real digit from outside the training half
# typically lies 2.18 away from it. So the first honest lesson of this course is: **a perfect denoiser of a
# finite data set can only return what it has seen.** A network is never perfect in this sense, and
# the way in which it falls short is where new pictures come from. Chapters 11, 12 and 14 look closer.
#
# Second lesson: nobody asked for a certain digit, and nobody could. You draw from the training law
# and take what comes, about 20 of each. Train on dogs and you get *a* dog, not *that* dog, and never
# a cat. Asking for something needs a **condition**, such as a text (chapter 15).
#
# ### Is the rebuilt building the old one?
#
# Demolish a little, or a lot: noise 200 digits up to a time $t$, and walk back from there.
#
# **Predict.** At $t = 80$ our reader still got 9 of 10 right. How many will return as the very same
# image? And from $t = 200$?
#
# <details><summary>Answer</summary>
#
# From 80, about two thirds. From 200, none but by luck: one chance in 896.
#
# </details>


# %%
def there_and_back(x_0, t, generator):
    """Noise x_0 up to time t, and walk back."""
    x_t = forward.noised(schedule, x_0, t, gaussians.normal_like(x_0, generator=generator))
    back = range(t, -1, -1)
    *_, last = samplers.reverse(schedule, denoise_digits, x_t, times=back, generator=generator)
    return last.x_s


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
names = [f"from t = {t}" for t in times]
fig = figures.images(grid, ["original"], columns=9, panel=0.8, row_labels=names)
figures.show(
    fig, alt="From t = 60 a three returns as a three; from later times, ever more other digits."
)
for t, x in zip(times, rebuilt):
    print(f"from t = {t:3}: the three returns as {labels[nearest_image(x)[1]].tolist()}")

# %% [markdown]
# Popular notes say that removing the noise step by step "recovers the original image". For light
# noise it does. From $t = 80$, 68 % return as the same image and 98 % as the same digit; from
# $t = 200$, 0 % and 10 %: a **new draw**. The rebuilt building is sound. It need not be the old one.

# %% [markdown]
# ## 5 · The one line that learning will swap
#
# For photographs nobody can list all the data and average over them. There a network takes the
# denoiser's place, and one line changes:
#
# ```python
# denoise = predictions.denoiser(schedule, net, kind="eps")
# ```
#
# `kind="eps"` says that the network guesses the noise in $x_t$; a guess of $x_0$ follows by solving
# (0.1) for it. We have no trained network yet, so a stand-in plays it: the *exact* noise predictor.
#
# **Predict.** Some notes say that networks which predict the image memorize, and those which predict
# the noise generalize. Will the exact noise predictor make new digits?
#
# <details><summary>Answer</summary>
#
# No. It is the same knowledge in other units, so the copies stay copies.
#
# </details>

# %%
from ddpm_lab import predictions


def net(x_t, t):
    """A stand-in for a trained network: the best possible guess of the noise in x_t."""
    return predictions.convert(schedule, denoise_digits(x_t, t), "x0", x_t, t).eps


swapped = predictions.denoiser(schedule, net, kind="eps")
x_0 = samplers.sample(schedule, swapped, (200, 1, 8, 8), generator=gaussians.seeded(9))
distance, _ = nearest_image(x_0)
print(f"exact copies: {int((distance < 1e-3).sum())} of 200; largest distance {distance.max():.3f}")

# %% [markdown]
# 200 of 200 copies again. Not what is predicted decides between memory and invention, but the network
# and its training.

# %% [markdown]
# ## 6 · Notation, and one convention for time
#
# **$t = 0$ is clean data and $t = T$ is noise.** Tables have a row for every $t$, row 0 included. A move
# back goes from $t$ to an earlier $s$. LaTeX becomes Python by spelling it out: $\bar\alpha_t$ is
# `abar[t]`. The cell prints the classic *linear* schedule of [Ho20]: $\beta$ grows from 0.0001 to 0.02 in
# $T = 1000$ steps.

# %%
linear = schedules.linear()
T = linear.T
symbols = [
    ("β_t", "beta", "share of new noise in step t"),
    ("α_t", "alpha", "1 − β_t: share of signal that a step keeps"),
    ("ᾱ_t", "abar", "share of signal left at time t"),
    ("√ᾱ_t", "signal", "factor on x_0"),
    ("√(1−ᾱ_t)", "noise", "factor on eps, a standard deviation"),
    ("SNR(t)", "snr", "signal variance over noise variance"),
]
print(f"{'symbol':<9} {'code':<7} {'t = 0':>6} {'t = 1':>8} {'t = T':>9}   what it is")
for symbol, code, meaning in symbols:
    v = getattr(linear, code)
    print(f"{symbol:<9} {code:<7} {v[0]:6.4g} {v[1]:8.4g} {v[T]:9.4g}   {meaning}")

# %% [markdown]
# | on paper | in code | what it is |
# |---|---|---|
# | $x_0$, $x_t$ | `x_0`, `x_t` | clean data; data at time $t$ |
# | $\epsilon$ | `eps` | noise mixed in on the way to $x_t$ |
# | $z$ | `z` | fresh noise thrown by a sampler on the way back |
# | $\hat x_0$ | `x0_hat` | the denoiser's guess of $x_0$ |
# | $x \sim p$ | `draw(p, z)` | $x$ is drawn from the law $p$ |
# | $E_{x \sim p}[f(x)]$ | `f(x).mean()` | the mean of $f(x)$, not of $x$, over many draws |
# | $N(\mu, \sigma^2)$ | `Gaussian(mean, var)` | the second slot is a **variance**, never a standard deviation |

# %%
law = gaussians.Gaussian(mean=torch.zeros(1_000_000), var=torch.tensor(4.0))  # N(0, 4)
x = gaussians.draw(law, gaussians.normal_like(law.mean, generator=gaussians.seeded(11)))
print(f"N(0, 4): standard deviation {x.std():.2f}, mean of x² {(x**2).mean():.1f}")

# %% [markdown]
# ### Whose α is it?
#
# Authors use the same few letters for different things, and a formula carried across a border fails
# without a sound. Compute "$\alpha_T$" of the linear schedule, and see which number a page means:

# %%
alpha_T, abar_T = linear.alpha[T], linear.abar[T]
readings = [
    (alpha_T, "share of signal that one step keeps", "here and in [Ho20]"),
    (alpha_T.sqrt(), "its root: one step is α x + β eps, α² + β² = 1", "some notes"),
    (abar_T.sqrt(), "factor on x_0, our √ᾱ_T", "[Kin21], variational diffusion"),
    (abar_T, "share of signal left, our ᾱ_T", "[Song21a], the DDIM paper"),
]
for value, meaning, where in readings:
    print(f"α_T = {value:10.5g}  {meaning:<47} {where}")

# %% [markdown]
# Four meanings, from 0.98 down to 4.0e-05. One more border: **$p$ and $q$.** Here, as in [Ho20], $q$ is
# the fixed law that adds noise, and $p_\theta$ the learned law that walks back. Some texts swap them,
# $p$ for the encoder and $q$ for the generator. Look for the $\theta$: what has parameters is learned.
#
# ### Exercise 0.2 · Count the rows
#
# Off by one is the commonest bug of this field. How many rows has the table
# $\bar\alpha_0, \dots, \bar\alpha_T$?


# %% tags=["exercise"]
def my_rows(T):
    """Return the number of rows of the table abar of a schedule with T steps."""
    ### BEGIN SOLUTION
    return T + 1
    ### END SOLUTION


rows = check("start.rows", my_rows)

# %%
print(f"rows for T = 1000: counted {rows(1000)}, in the package {len(linear.abar)}")
print(f"abar[0] = {linear.abar[0]:.6f}, abar[1000] = {linear.abar[1000]:.6f}")

# %% [markdown]
# ### Exercise 0.3 · The moves of a walk
#
# A walk is a falling list of times, such as `[200, 150, 100, 50, 0]`. It may skip. Return its moves
# as a list of pairs `(t, s)`: where a move starts, and where it ends.


# %% tags=["exercise"]
def my_moves(times):
    """Return the moves of a walk: [(200, 150), (150, 100), …] for times = [200, 150, 100, …, 0]."""
    ### BEGIN SOLUTION
    return list(zip(times, times[1:]))
    ### END SOLUTION


moves = check("start.back", my_moves)

# %% [markdown]
# Now look what you have. The denoiser guesses $x_0$; solving (0.1) for $\epsilon$ gives the noise that
# goes with the guess; mixing the two *for an earlier time* is a step back. Your two functions are a
# diffusion sampler:

# %%
x, walk_times = noise, schedules.strides(schedule.T, 20)  # twenty moves instead of 200
for t, s in moves(walk_times):
    x0_hat = denoise(x, t)
    eps_hat = (x - schedule.signal[t] * x0_hat) / schedule.noise[t]
    x = mix(x0_hat, eps_hat, schedule.abar[s])

rng = gaussians.seeded(0)
theirs = samplers.sample(
    schedule, denoise, (2000, 2), step=samplers.ddim, times=walk_times, generator=rng
)
inside = torch.cdist(x.double(), blobs.mean).amin(dim=1) < 3 * 0.05
print(f"largest difference from samplers.ddim: {(x - theirs).abs().max():.4f}")
print(f"inside a blob after 20 moves: {int(inside.sum())} of 2000")

# %% [markdown]
# The same points as `samplers.ddim`, to four decimals, with 20 moves instead of 200, and still 1,968
# of 2,000 inside a blob. You have written DDIM [Song21a]. The paper has a few more pages.

# %% [markdown]
# ## 7 · The course
#
# **Four questions guide it.** How does one train such a model and sample from it? Which mathematics is
# underneath? How do later systems improve it? What does it teach beyond itself?
#
# **One method.** Principle, formula and code stand side by side, and every formula is run. Most
# confusion comes from mixing up the three.
#
# **Open points, answered.** The best public notes mark what their authors had not understood yet.
# That is where anybody gets stuck:
#
# | question | chapter |
# |---|---|
# | Where does $x_t = \sqrt{1-\beta_t}\,x_{t-1} + \sqrt{\beta_t}\,\epsilon_t$ come from? | 05 |
# | Does raising the bound (ELBO) raise the likelihood? And what is MCMC for? | 04, 01 |
# | Which $\sigma_t$ belongs into the walk back, and why do two choices both work? | 07 |
# | What exactly is the training objective? Why may its weights be dropped? | 08 |
# | Why does the walk back drift toward data? Why not jump to $x_0$ at once? | 10 |
# | What is a deterministic sampler good for? | 10, 15 |
#
# **Where it is used.** Images, text-to-image, super-resolution; protein design and structure
# (RFdiffusion, AlphaFold 3); planning and reinforcement learning.
#
# **History in four sentences.** Before 2020 you chose between sharp pictures with fragile training
# (GANs) and stable training with blurry ones (VAEs). The idea of diffusion is from 2015 [SD15] and
# comes from thermodynamics: noising of a form fixed in advance, and a learned way back.
# In 2020, [Ho20] fixed its rates as well, let the network predict the noise, and reached the quality
# of GANs on small images with a regression loss. What it minimizes bounds the likelihood; the exact
# value takes one more idea, a deterministic flow [Song21b].
#
# **Reading beside it.** New to all this? Meet the autoencoder, the VAE and the GAN first, in that
# order; a video lecture is a fine start. Then:
#
# | read | with chapter |
# |---|---|
# | [KW14] Kingma and Welling, [the VAE](https://arxiv.org/abs/1312.6114) | 04 |
# | [Ho20] Ho, Jain and Abbeel, [DDPM](https://arxiv.org/abs/2006.11239), the main text | 05–10 |
# | [Luo22] Luo, [a unified perspective](https://arxiv.org/abs/2208.11970), every line of algebra | 04, 07, 08 |
# | [Kin21] Kingma et al., [variational diffusion](https://arxiv.org/abs/2107.00630) | 06, 08 |
# | [SD15] Sohl-Dickstein et al., [the origin](https://arxiv.org/abs/1503.03585) | after 08 |
# | [Song21a] Song, Meng and Ermon, [DDIM](https://arxiv.org/abs/2010.02502) | 10, 15 |
# | Weng, [What are diffusion models?](https://lilianweng.github.io/posts/2021-07-11-diffusion-models/), an overview | after 10 |
# | [Song21b] Song et al., [score-based models](https://arxiv.org/abs/2011.13456) | 16 |

# %% [markdown]
# ### Map
#
# | chapter | the question it answers | minutes | status |
# |---|---|---|---|
# | 00 Start here | What is this, and can I see it work now? | 40 | you are here |
# | 01 Bayes | How do facts change beliefs, and what makes that hard? | 60 | in preparation |
# | 02 Distributions | Joint, marginal, conditional; what can be done to Gaussians? | 60 | in preparation |
# | 03 Estimators | How good is a Monte Carlo answer? | 60 | in preparation |
# | 04 ELBO and VAE | Why maximize a bound, and when is it tight? | 75 | in preparation |
# | [05 Forward](05_forward.ipynb) | How does data become noise, in one line? | 60 | ready |
# | [06 Schedules and SNR](06_schedules_and_snr.ipynb) | How fast should the signal go? | 60 | ready |
# | 07 Posterior | Where was the chain a moment ago? | 60 | in preparation |
# | 08 Bound | What exactly is minimized? | 75 | in preparation |
# | 09 Predictions | x0, eps, v, score: which to predict, and does it matter? | 60 | in preparation |
# | 10 Sampling without learning | How to walk back, if the denoiser were perfect? | 75 | in preparation |
# | 11 Learning to denoise | What if `x0_hat` cannot be computed? | 60 | in preparation |
# | 12 U-Net | How to denoise images? | 75 | in preparation |
# | 13 GPU training | How does it grow up? | 60 | in preparation |
# | 14 Measuring | How good is it, honestly? | 60 | in preparation |
# | 15 Fast and guided | Fewer steps, and can we ask for something? | 60 | in preparation |
# | 16 Beyond | Where does this lead? | 60 | in preparation |
# | 17 Claims | What did the notes get right? | 45 | in preparation |
#
# Chapters "in preparation" are not there yet, and their minutes are plans. **Go to 05 next**: it
# proves (0.1) from one fact, that the variances of independent noises add.
#
# ### How to use these notebooks
#
# - **Run all:** menu *Run ▸ Run All Cells*. **Start afresh:** *Kernel ▸ Restart Kernel and Run All
#   Cells…* Do so whenever things turn strange; cells run out of order are the usual reason.
# - **Ask:** put the cursor on a function's name and press **Shift + Tab**, or run
#   `help(forward.noised)`. To see the code behind it, run `figures.show_source(forward.noised)`.
# - **Something fails?** In a terminal (*File ▸ New ▸ Terminal*) run `python -m ddpm_lab doctor`, or
#   `python lab.py doctor` in the project's folder. It says what is wrong and what to do.
# - **Keep your work:** before you update the course, make a copy of your own, *File ▸ Save Notebook
#   As…*, with a new name such as `my_00.ipynb`. An update replaces the course's own files.

# %% [markdown]
# ## Recap
#
# A diffusion model turns data into noise by a fixed rule and walks back with a denoiser. At each time
# the denoiser says which clean data it expects on average, and the sampler moves a step that way.
# Where a perfect denoiser can be written down, all this works without learning, and samplers can be
# tested against the truth. A perfect denoiser of a finite data set copies it. A network is needed
# where no formula is at hand, and it makes new pictures because it is not perfect.
#
# **One formula to keep:** $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\;\epsilon$
#
# **What notes get wrong here**
#
# - "Denoising recovers the original image." From $t = T$, 0 % of 200 did: it is a new draw.
# - "It can generate any image." It drew 200, and all were training images.
# - "Predicting the noise generalizes." The exact noise predictor copied 200 of 200.
# - "A weighted average of image and noise." The weights add to up to 1.4142; their squares to 1.
#
# **Exercises:** 0.1 `start.mix` · 0.2 `start.rows` · 0.3 `start.back`
#
# **Next:** [05 · How does data become noise, in one line?](05_forward.ipynb) **Further reading:**
# [Ho20, Sec. 2 and Algorithms 1 and 2].
