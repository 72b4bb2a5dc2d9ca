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
# - write a sampler yourself, from three small functions,
# - hand in an exercise, and know where to go next.
#
# **You need** a little Python, square roots, mean and variance, and the normal law (the bell curve).
# PyTorch is used here for arrays only. About 45 minutes to work through; all of it runs in about 20
# seconds. **In the papers:** [Ho20] Ho, Jain and Abbeel 2020, Sec. 2; but play first.
#
# **To predict honestly**, first choose *Edit ▸ Clear Outputs of All Cells*: the results are stored
# below every cell, and a glance would spoil the questions.

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
    alt="Left: a round cloud of noise. Right: the same points, now in eight small blobs on a ring.",
)
for title, points in frames.items():
    distance = torch.cdist(points.double(), blobs.mean).amin(dim=1)
    print(f"{title:<14}  mean distance to the nearest blob's center: {distance.mean():.3f}")

# %% [markdown]
# The line `Schedule('cosine', T=200, abar_T=6.072e-08)` says: 200 steps from data to noise, at a pace
# named cosine, and at the end next to nothing, 0.00000006, is left of the data (section 3).
#
# ## 1 · Is it any good?
#
# A pretty picture proves little. So draw 2,000 points from the blobs themselves, with no diffusion
# at all, and ask both clouds the same questions. Each blob is a round normal law of standard
# deviation 0.05; "inside" shall mean within three of those.

# %%
truth = ideal_denoisers.sample(blobs, 2000, generator=gaussians.seeded(1))
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
# That is the trade of a **generative model**: draw new samples from a **law** (a probability
# distribution) $p(x)$ that is known only through examples. A **diffusion model** does it with a chain
# of small steps. One way, it turns data into a law so plain that anyone can draw from it:
# $x_0 \sim p_\text{data}$ becomes $x_T \sim N(0, I)$. Read $x \sim p$ as "$x$ is drawn from $p$";
# $N(0, I)$ is the law of independent normal numbers, each with mean 0 and variance 1. Then it walks
# back. Think of demolishing a building, and building again from the rubble. Keep this image; section 4
# tests how far it carries.

# %% [markdown]
# ## 2 · A film of the walk
#
# At each time $t$ the **denoiser** looks at the noisy points $x_t$ and guesses where each came
# from. The guess is called `x0_hat`; a hat always marks a guess. The **sampler** moves a little toward
# it and asks again. How it moves is its `step`: `ddim` re-mixes the guess with the noise that the
# guess implies, while `ddpm` adds fresh noise in every step but the last.
#
# **Predict.** The first guess is made at $t = 200$, where $x_t$ is nothing but noise. The denoiser is
# the best possible one: on average over data and noise, no other has a smaller mean squared error (the
# squared distance between guess and truth). What does its guess look like?
#
# <details><summary>Answer</summary>
#
# One point in the middle of the ring. From pure noise any blob is as likely as any other, and the
# guess with the smallest mean squared error is the average of them all. It lies where no data is!
#
# </details>

# %%
film = samplers.ddim(schedule, denoise, noise)
walks = {walk.t: walk for walk in film}
times = [200, 120, 80, 40, 20, 1]
frames = {f"x_t, t = {t}": walks[t].x_t for t in times}
frames |= {f"guess at {t}": walks[t].x0_hat for t in times}
figures.show(
    figures.scatter_grid(frames, columns=6, panel=1.35, limit=2.2),
    alt="Top: noise condenses into eight blobs. Bottom: the guesses start as one point in the "
    "middle, open up into a disk, an octagon at t = 40, and the ring of blobs.",
)
for t in times:
    x_t, guess = walks[t].x_t.norm(dim=1).mean(), walks[t].x0_hat.norm(dim=1).mean()
    print(f"t = {t:3}: mean distance from the origin: x_t {x_t:.2f}, guess {guess:.2f}")

# %% [markdown]
# The guesses start at distance 0.00 and open like an umbrella: 0.42 at $t = 120$, 0.94 at
# $t = 40$, 1.00 at the end. This is why the walk has many steps: jump from noise straight to the
# first guess and you land on the average of all data, a point that no blob would own up to.
#
# The octagon at $t = 40$ is no accident either. By then, for nearly every point, only two neighboring
# blobs are still in question, and an average of two lies on the straight line between them. Eight such
# lines make an octagon.
#
# **Predict.** When is it decided which blob a point goes to: early, halfway, late? Below, `ddim`, which
# is **deterministic** (the same start always gives the same end), and the dice-throwing `ddpm` start
# from the same noise. Will they agree?
#
# <details><summary>Answer</summary>
#
# They disagree as much as they can: `ddim` has decided before its first step, `ddpm` decides late.
#
# </details>


# %%
def nearest_blob(x):
    return torch.cdist(x.double(), blobs.mean).argmin(dim=1)


films, times = {}, (200, 120, 80, 40, 20, 0)
for sampler in (samplers.ddim, samplers.ddpm):
    film = sampler(schedule, denoise, noise, generator=gaussians.seeded(2))
    # All points at each time: a move from t ends at walk.s with walk.x_s; 200 is the start.
    films[sampler.__name__] = {walk.s: walk.x_s for walk in film} | {200: noise}

print("share of points whose nearest blob at time t is already the final one")
for t in times:
    same = {n: (nearest_blob(x[t]) == nearest_blob(x[0])).double().mean() for n, x in films.items()}
    print(f"t = {t:3}:  ddim {same['ddim']:4.0%}   ddpm {same['ddpm']:4.0%}")

# %%
fig, axes = figures.new(2, 6, width=8.2, height=3.1)
for (name, x), line in zip(films.items(), axes):
    red = nearest_blob(x[0]) == 0  # will end in the blob on the right
    for ax, t in zip(line, times):
        for those, color in ((~red, figures.SKY), (red, figures.RED)):
            across, up = x[t][those].T  # .T turns n rows (across, up) into two rows of n
            ax.scatter(across, up, s=2, color=color, linewidths=0)
        ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal")
        ax.set_title(f"{name}, t = {t}", fontsize=10)
        ax.set_axis_off()
    there = (nearest_blob(x[200])[red] == 0).double().mean()
    print(f"{name}: {int(red.sum())} points end in the right blob; {there:.0%} of them began there")
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
# Up to which $t$ can *you* read them? Write your number down, and then let a machine try: a simple one
# that gives a noisy digit the label of the most similar training image. It is tested on digits that it
# does not hold.
#
# **Predict.** At $t = 100$, will this simple reader still get half of them right?
#
# <details><summary>Answer</summary>
#
# Yes, and far more than half: about three in four. The noise hits each of the 64 pixels by itself, and
# all 64 together often still point to the right neighbor when the picture looks lost.
#
# </details>

# %%
test, test_labels = datasets.digits("test")
eps = gaussians.normal_like(test, generator=gaussians.seeded(5))
for t in (1, 60, 80, 100, 120, 140, 200):
    x_t = forward.noised(schedule, test, t, eps).flatten(1).double()
    shrunk = schedule.signal[t] * images.flatten(1).double()  # as faint as the digit in x_t
    right = (labels[torch.cdist(x_t, shrunk).argmin(dim=1)] == test_labels).double().mean()
    print(f"t = {t:3}: {right:.0%} read correctly")

# %% [markdown]
# 99 % at first and still 95 % at $t = 60$; then it slides, 78 % at $t = 100$, 44 % at $t = 140$,
# to 11 % at the end, about what a monkey gets with ten keys.
#
# ### How exercises work
#
# You write a function and hand it to `check`. It answers in one line: **○** not yet, **✗** with what
# went wrong, **✓** right. It hands back your function if it is right and ours if not, so a chapter
# always runs on. If you are stuck, `hint("start.mix")` shows a hint, and again the next one;
# `solution("start.mix")` shows how we did it, after three tries or when you ask twice. Here is a
# question with a value for an answer: *at which $t$ is the data clean?* We answer it three times.

# %% tags=["demo"]
from ddpm_lab.course.exercises import check, hint, progress, solution

for attempt in (..., 1, 0):
    check("start.clean", attempt)

# %% [markdown]
# ### Exercise 0.1 · Mix signal and noise
#
# Write (0.1): return $x_t$, given `x_0`, `eps` and the number `abar_t`. Mind the square roots; they are
# easily lost on this line. Replace the three dots.
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
# ### A long walk in one jump
#
# Where does $\bar\alpha_t$ come from? Noise is added in small steps. One step is the same mix again,
# with a number $\alpha_t$ of its own, and $\bar\alpha_t$ is the product of all $\alpha$ up to $t$:
#
# $$x_t = \sqrt{\alpha_t}\; x_{t-1} + \sqrt{1 - \alpha_t}\;\epsilon_t, \qquad
# \bar\alpha_t = \alpha_1\, \alpha_2 \cdots \alpha_t \tag{0.2}$$
#
# So (0.1) claims to know the end of $t$ steps in *one* jump. Chapter 05 derives it; here it is put to
# the test, with your `mix` for the steps.
#
# **Predict.** 100,000 copies of the number 0.8 walk all 200 steps. Where is their mean at the end, and
# what is their standard deviation?
#
# <details><summary>Answer</summary>
#
# By (0.1) with $\bar\alpha_{200} \approx 0$: mean 0, standard deviation 1, whatever the start was.
#
# </details>

# %%
# eq: 0.1, 0.2
x, product, rng = torch.full((100_000, 1), 0.8), 1.0, gaussians.seeded(6)
print("         walked: mean    std   by (0.1): mean    std    product of alpha   abar[t]")
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
# Walk and jump agree within 0.005, about what 100,000 walkers can resolve.
#
# Some notes call (0.1) a weighted average of image and noise. The weights of an average add to 1; these
# two add to as much as 1.4142, that is $\sqrt 2$. It is their **squares** that add to 1, and no test is
# needed for that: $\bar\alpha_t + (1 - \bar\alpha_t) = 1$. Why squares? Variances of independent things
# add. If the data have variance 1, then so has $x_t$ at every time, and $\bar\alpha_t$ is the share of
# it that comes from the data. (Our digits have another variance. The formula holds all the same, but
# $\bar\alpha_t$ is then not exactly that share.)

# %% [markdown]
# ## 4 · Digits come back, and which ones
#
# For a finite list of data, too, the perfect denoiser can be written down: the average of all images,
# here the 896 of the training half, each weighted by how likely it is to have become $x_t$.
#
# **Predict.** Start from pure noise and walk back, with `ddpm` from now on. What comes out: new digits,
# blurry averages, or something else?
#
# <details><summary>Answer</summary>
#
# Something else: the training images themselves, exactly. The cell after the picture counts.
#
# </details>

# %%
denoise_digits = ideal_denoisers.dataset_denoiser(images, schedule)
start = gaussians.normal_like(images[:2], generator=gaussians.seeded(7))
rng = gaussians.seeded(8)
film = samplers.ddpm(schedule, denoise_digits, start, generator=rng)
walks = {walk.t: walk for walk in film}
times = [200, 160, 120, 100, 80, 60, 40, 20, 1]
x_t = torch.stack([walks[t].x_t for t in times], dim=1)  # (2 walks, 9 times, 1, 8, 8)
guess = torch.stack([walks[t].x0_hat for t in times], dim=1)
strip = torch.stack([x_t, guess], dim=1).flatten(0, 2)  # a row for x_t, a row for guess, per walk
titles, names = [f"t = {t}" for t in times], ["x_t", "guess"] * 2
fig = figures.images(strip, titles, columns=9, panel=0.8, row_labels=names)
figures.show(fig, alt="Two walks from noise to a digit. The first guess is one gray average digit.")
gap = (guess[0, 0] - images.mean(dim=0)).abs().max()
print(f"first guess and the mean of all images: no pixel differs by more than {gap:.3f}")


# %%
def nearest_image(x):
    """Distance to the nearest training image, and which one it is."""
    return torch.cdist(x.flatten(1).double(), images.flatten(1).double()).min(dim=1)


shape, rng = (200, 1, 8, 8), gaussians.seeded(9)
x_0 = samplers.sample(schedule, denoise_digits, shape, sampler="ddpm", generator=rng)
distance, which = nearest_image(x_0)
print(f"exact copies: {int((distance < 1e-3).sum())} of 200; largest distance {distance.max():.3f}")
print(f"for scale: a test digit lies {nearest_image(test)[0].median():.2f} away (median)")
plain = torch.randint(len(labels), (200,), generator=rng)  # 200 images drawn from a hat
for name, drawn in {"by the sampler": which, "from a hat": plain}.items():
    counts = torch.bincount(labels[drawn], minlength=10).tolist()
    print(f"digits 0 to 9, drawn {name:<14} {counts}")
print(f"expected: about 20 of each, plus or minus {(200 * 0.1 * 0.9) ** 0.5:.0f}")

# %% [markdown]
# All 200 samples are training images, pixel for pixel. A real digit from outside the training half
# typically lies 2.18 away from it. So the first honest lesson of this course is: **a perfect denoiser
# of a finite list of data can only return the list.**
#
# Then why were the points of section 1 new? There the denoiser was perfect for the **law**, the blobs
# themselves, which we had as a formula. Here the list of 896 images *is* the law, for all this denoiser
# knows. Perfect for the list, so it copies; perfect for the law behind the list, it would draw new
# digits. Nobody can write that law down. A network that is trained on the list is hoped to come near
# it; whether it does, and when it falls back to copying, is asked in chapters 11, 12 and 14.
#
# Second lesson: nobody asked for a certain digit, and nobody could. You draw from the training law
# and take what comes: between 9 and 32 of each digit. (A hat gave 14 to 26 this time. Chance moves
# every count by about ±4, now and then by two or three times that.) Train on dogs and you get *a* dog,
# not *that* dog, and never a cat. Asking for something needs a **condition**, such as a text
# (chapter 15).
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
def there_and_back(x_0, t, rng):
    """Noise x_0 up to time t, and walk back."""
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
# Popular notes say that removing the noise step by step "recovers the original image". For light
# noise it does. From $t = 80$, 68 % return as the same image and 98 % as the same digit; from
# $t = 200$, 0 % and 10 %: a **new draw**. The rebuilt building is sound. It need not be the old one.

# %% [markdown]
# ## 5 · Your own sampler
#
# You already have `mix`. Two more small functions, and you own a sampler. Both rest on one convention
# of this course: **$t = 0$ is clean data and $t = T$ is noise.** Tables have a row for every $t$, row 0
# included, so that row $t$ belongs to time $t$. A move back goes from $t$ to an earlier $s$. LaTeX
# becomes Python by spelling it out: $\bar\alpha_t$ is `abar[t]`.

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
# is that, what stands in row 0, and which row belongs to $t = T$?
#
# <details><summary>Hint</summary>
#
# $\alpha_t = 1 - \beta_t$, and (0.2). For tensors, `cumprod(dim=0)` gives running products, and
# `torch.cat([a, b])` puts one behind the other. A loop that fills a list is fine too.
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


moves = check("start.steps", my_moves)

# %% [markdown]
# Now look what you have. The denoiser guesses $x_0$; solving (0.1) for $\epsilon$ gives the noise that
# goes with the guess; mixing the two *for an earlier time* is a step back. Your three functions are a
# diffusion sampler:

# %%
abar = torch.as_tensor(table(schedule.beta[1:]))  # yours, from the 200 steps
x, walk_times = noise, schedules.timesteps(schedule.T, 20)  # twenty moves instead of 200
for t, s in moves(walk_times):
    x0_hat = denoise(x, t)
    eps_hat = (x - abar[t].sqrt() * x0_hat) / (1 - abar[t]).sqrt()  # (0.1), solved for eps
    x = mix(x0_hat, eps_hat, abar[s])

rng = gaussians.seeded(0)
theirs = samplers.sample(
    schedule, denoise, (2000, 2), sampler="ddim", times=walk_times, generator=rng
)
inside = torch.cdist(x.double(), blobs.mean).amin(dim=1) < 3 * 0.05
print(f"largest difference from samplers.ddim: {(x - theirs).abs().max():.4f}")
print(f"inside a blob after 20 moves: {int(inside.sum())} of 2000")

# %% [markdown]
# The same points as `samplers.ddim`, to four decimals, with 20 moves instead of 200, and still 1,968
# of 2,000 inside a blob. You have written DDIM [Song21a] (Song, Meng and Ermon 2021). The paper has a
# few more pages.
#
# ### The one line that learning will swap
#
# Nothing in your loop knows where `denoise` comes from. For photographs the law behind the data is
# unknown; there a trained network takes the denoiser's place, and one line changes:
#
# ```python
# denoise = predictions.denoiser(schedule, net, prediction_type="eps")
# ```
#
# `prediction_type="eps"` says that the network guesses the noise in $x_t$; a guess of $x_0$ follows by solving
# (0.1) for it. For exact predictors the unit of the guess changes nothing. What it changes for trained
# ones is told in chapters 09 and 11.

# %% [markdown]
# ## Recap
#
# A diffusion model turns data into noise by a fixed rule and walks back with a denoiser. At each time
# the denoiser says which clean data it expects on average, and the sampler moves a step that way.
# Where a perfect denoiser can be written down, all this works without learning, and samplers can be
# tested against the truth. Perfect for a finite list, it copies the list; perfect for the law behind
# the list, it would make new data. That law is not known, and a network is hoped to come near it.
#
# **One formula to keep:** $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\;\epsilon$
#
# **What notes get wrong here**
#
# - "Denoising recovers the original image." From $t = T$, 0 % of 200 did: it is a new draw.
# - "It can generate any image." It draws from the law it was given: 200 of 200 came from its list.
# - "A weighted average of image and noise." The weights add to up to 1.4142; their squares to 1.
#
# **Exercises:** 0.1 `start.mix` · 0.2 `start.table` · 0.3 `start.steps`
#
# **What next?** [05 · How does data become noise, in one line?](05_forward.ipynb) proves (0.1) from one
# fact: variances of independent noises add. If probability has become rusty, begin with
# [01 · Bayes](01_bayes.ipynb) instead; chapters 01 to 04 lead up to 05. If the samplers drew you in, look ahead to
# [10 · Sampling without learning](10_sampling_without_learning.ipynb); if you want a network,
# to [11 · Learning to denoise](11_learning_to_denoise.ipynb). **Paper:** [Ho20, Sec. 2 and
# Algorithms 1 and 2].

# %% [markdown]
# ---
# ## For later: where this comes from
#
# You can stop here, and come back when you need one of these.
#
# ### Map of the course
#
# | chapter | the question it answers | minutes |
# |---|---|--:|
# | 00 Start here | What is this, and can I see it work now? | 45 |
# | [01 Bayes](01_bayes.ipynb) | How do facts change beliefs, and what makes that hard? | 65 |
# | [02 Distributions](02_distributions.ipynb) | Joint, marginal, conditional; what can be done to normal laws? | 70 |
# | [03 Estimators](03_estimators.ipynb) | How good is an answer found by random draws? | 80 |
# | [04 The bound and the VAE](04_elbo_and_vae.ipynb) | Why maximize a bound, and when is it tight? | 70 |
# | [05 Forward](05_forward.ipynb) | How does data become noise, in one line? | 60 |
# | [06 Schedules and SNR](06_schedules_and_snr.ipynb) | How fast should the signal go? | 75 |
# | [07 Posterior](07_posterior.ipynb) | Where was the chain a moment ago? | 75 |
# | [08 Bound](08_bound.ipynb) | What exactly is minimized? | 80 |
# | [09 Predictions](09_predictions.ipynb) | Guess the data or the noise: does it matter? | 60 |
# | [10 Sampling without learning](10_sampling_without_learning.ipynb) | How to walk back, if the denoiser were perfect? | 80 |
# | [11 Learning to denoise](11_learning_to_denoise.ipynb) | What if `x0_hat` cannot be computed? | 60 |
# | [12 U-Net](12_unet.ipynb) | Which network denoises images? | 75 |
# | [13 GPU training](13_gpu_training.ipynb) | How does it grow up? | 95 |
# | [14 Measuring](14_measuring.ipynb) | How good is it, honestly? | 100 |
# | [15 Fast and guided](15_fast_and_guided.ipynb) | Fewer steps, and can we ask for something? | 105 |
# | 16 Beyond | Where does this lead? | 60 |
# | 17 Claims | What did the notes get right? | 45 |
#
# Chapters without a link are in preparation, and their minutes are plans. The next cell shows how far you
# are: each ✓ is remembered in the small file `progress.jsonl` beside the notebooks, which never leaves your
# machine and may be deleted.

# %%
progress()

# %% [markdown]
# **Four questions** run through
# all: how to train and sample, which mathematics is underneath, how later systems improve it, what it
# teaches beyond itself. **One method:** principle, formula and code side by side, and every displayed
# formula is run.
#
# **Points where careful readers get stuck,** and the chapters that answer:
#
# - Why the square roots in (0.2)? (05)
# - Training raises a lower bound of the likelihood (how probable the model makes the data). Does the
#   likelihood then rise too? (04) What exactly is minimized, and why may its weights be dropped? (08)
# - How much fresh noise should a step back add, and why do two choices both work? (07)
# - Why does the walk drift toward data, and why not jump to $x_0$ at once? What is a sampler without
#   fresh noise good for? (10)

# %% [markdown]
# ### More symbols
#
# | on paper | in code | what it is |
# |---|---|---|
# | $z$ | `z` | fresh noise of a sampler; $\epsilon$ is the noise mixed in on the way to $x_t$ |
# | $x \sim p$ | `draw(p, z)` | $x$ is drawn from the law $p$ |
# | $E_{x \sim p}[f(x)]$ | `f(x).mean()` | the mean of $f(x)$, not of $x$, over many draws |
# | $N(\mu, \sigma^2)$ | `Gaussian(mean, var)` | the second slot is a **variance** |

# %%
law = gaussians.Gaussian(mean=torch.zeros(1_000_000), var=torch.tensor(4.0))  # N(0, 4)
x = gaussians.draw(law, gaussians.normal_like(law.mean, generator=gaussians.seeded(11)))
print(f"N(0, 4): standard deviation {x.std():.2f}, mean of x² {(x**2).mean():.1f}")

# %% [markdown]
# **A warning for the day you read other pages.** Authors use the letter α for different things, and a
# formula carried across fails without a sound. To see which one a page means, compute the last value
# of its α on the classic *linear* schedule (β from 0.0001 to 0.02 in 1000 steps) and find it here:

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
# The same goes for **$p$ and $q$.** Here, as in [Ho20], $q$ is the fixed law that adds noise, and
# $p_\theta$ the learned law that walks back. Some texts swap them. Look for the $\theta$, which stands
# for what is learned.
#
# ### A little history, and what to read
#
# Before 2020 there were networks that made sharp pictures and were hard to train (GANs, two networks in
# a contest), and others that trained calmly and made blurry ones (VAEs, chapter 04). Diffusion, from
# 2015, took an idea of thermodynamics: destroy the structure of data slowly, and learn to restore it.
# In 2020, [Ho20] let the network guess the noise, trained it with a squared error, and reached the
# quality of GANs on small images. Today the idea makes images from text and enlarges small ones,
# designs proteins and predicts their structure (RFdiffusion, AlphaFold 3), and plans what robots do.
#
# | read | with chapter |
# |---|---|
# | [Ho20] Ho, Jain and Abbeel, [DDPM](https://arxiv.org/abs/2006.11239), the main text | 05–10 |
# | [KW14] Kingma and Welling, [the VAE](https://arxiv.org/abs/1312.6114) | 04 |
# | [Luo22] Luo, [a unified perspective](https://arxiv.org/abs/2208.11970), every line of algebra | 07, 08 |
# | [Kin21] Kingma and others, [variational diffusion models](https://arxiv.org/abs/2107.00630) | 06, 08 |
# | [SD15] Sohl-Dickstein and others, [the origin](https://arxiv.org/abs/1503.03585) | after 08 |
# | [Song21a] Song, Meng and Ermon, [DDIM](https://arxiv.org/abs/2010.02502) | 10, 15 |
# | Weng, [What are diffusion models?](https://lilianweng.github.io/posts/2021-07-11-diffusion-models/), an overview | after 10 |
# | [Song21b] Song and others, [diffusion as a flow in continuous time](https://arxiv.org/abs/2011.13456) | 16 |
#
# ### How to use these notebooks
#
# - **Run all:** *Run ▸ Run All Cells*. **Start afresh:** *Kernel ▸ Restart Kernel and Run All Cells…* Do
#   so whenever things turn strange; cells run out of order are the usual reason.
# - **Ask:** put the cursor on a function's name and press **Shift + Tab**. To see the code behind it,
#   run `figures.show_source(forward.noised)`.
# - **Something fails?** In a terminal (*File ▸ New ▸ Terminal*) run `python -m ddpm_lab doctor`, or
#   `python lab.py doctor` in the project's folder. It says what is wrong and what to do.
# - **Keep your work:** an update replaces the course's own files, so save a copy first, *File ▸ Save
#   Notebook As…*, with a new name such as `my_00.ipynb`.
