# %% [markdown]
# # 17b · How does a denoiser become a system?
#
# You type "a thin seven on the left", and an image appears. A denoiser alone cannot do that: it reads no words, it
# is slow on large images, and it needs many steps. Systems put other parts around it. In this chapter you look
# inside a small system that has all of them, and measure what each part brings. At the end the data are no longer
# images at all, but letters.
#
# **After this chapter you can**
#
# - explain latent diffusion, and say what it saves and what it costs,
# - name the three parts of a text-to-image system, and read its trade-off curve,
# - write the target of progressive distillation, and measure how its errors add up,
# - write one step of diffusion for letters, and say why its bound falls as steps are added,
# - find your way into the literature.
#
# **You need** the variational autoencoder of [04b](04b_vae_on_digits.ipynb), the bound of [08](08_bound.ipynb), ideal
# denoisers from [10](10_sampling_without_learning.ipynb), DDIM and the probability-flow ODE from
# [10b](10b_fewer_steps.ipynb), and guidance from [15b](15b_guidance_and_editing.ipynb) up to "How strongly? A trade-off";
# attention (12b.2) helps.
#
# **Time:** About {road} minutes; the detours, which nothing later needs, add {detours}. It runs in half a minute.
#
# **For what comes next:** nothing later builds on this chapter.
#
# **In the papers:** [Rom22] for latent diffusion; [Sah22] for text to image; [SH22] for progressive distillation;
# [Son23] for consistency models; [Aus21] for discrete diffusion.

# %%
import json
import math

import torch
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lab import discrete, metrics, predictions, samplers
from ddpm_lab.course import distillation, explorers, figures, words
from ddpm_lab.course import text_to_image as t2i
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import models, pretrained

system, unet = t2i.load(), pretrained.load("mnist")  # the system of this chapter; a U-Net on pixels
stored = json.loads((pretrained.FOLDER / "text_to_image_results.json").read_text())

# %% [markdown] topics="C190 C193"
# ## Does the diffusion have to see pixels?
#
# An image of 512 × 512 pixels in color holds 786,432 numbers, and a U-Net works through all of them in every step.
# Much of that is fine detail that nobody would miss. **Latent diffusion** [Rom22] therefore works in two stages:
#
# 1. Train an autoencoder. Its encoder turns an image $x$ into a short code, and its decoder $D$ turns the code back
#    into an image.
# 2. Freeze it, encode all training images, and train a diffusion model *on the codes*.
#
# To sample, draw a code by diffusion, and decode it once at the end. Nothing of what you know changes: the code
# takes the place of $x_0$, and noise is added to the code. One detail is easily forgotten. Schedules are made for data
# of variance about 1, so diffusion sees scaled codes, each number with its own mean $m$ and standard deviation $s$ over
# the training images:
#
# $$z = \frac{\text{code} - m}{s}, \qquad x = D(m + s\,z). \tag{17b.1}$$
#
# Our autoencoder is a VAE as in chapter 04b, for MNIST digits of 28 × 28 pixels that are shifted to one of five places.
# A code has 24 numbers. The denoiser of the codes is a small perceptron. For comparison we have the course's U-Net, which
# works on pixels, 32 × 32 with the padding.
#
# **Predict.** How many times as much arithmetic does a call of the U-Net need?

# %%
def million_flops(call):
    """Floating-point operations of one call, in millions."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return counter.get_total_flops() / 1e6


t, z = torch.tensor([500]), torch.zeros(1, 24)
of_code, of_decoder, of_unet = (million_flops(call) for call in (
    lambda: system.net(z, t), lambda: system.decode(z),
    lambda: unet.net(torch.zeros(1, 1, 32, 32), t)))
print(f"operations, in millions: a call of the denoiser of codes {of_code:.2f}, "
      f"the decoder {of_decoder:.2f},\n   a call of the U-Net {of_unet:.0f}, "
      f"{of_unet / of_code:.0f} times as many as one of the denoiser of codes")
with_codes, with_pixels = 10 * of_code + of_decoder, 10 * of_unet
print(f"an image in 10 steps: {with_codes:.1f} with codes, {with_pixels:.0f} with the U-Net, "
      f"{with_pixels / with_codes:.0f} times as many")

# %% [markdown]
# <details><summary>Answer</summary>
#
# About 260 times as much for a call. For an image in 10 steps the decoder has to be added, once: 243 times as much.
#
# </details>
#
# ### Exercise 17.5 · From the code to the image
#
# Diffusion has drawn scaled codes `z` of shape `(B, K)`. `mean` and `std` are $m$ and $s$, of shape `(K,)`, and
# `decode` is the decoder, a function of a batch of codes. Return the images.

# %% tags=["exercise"]
def my_images(decode, z, mean, std):
    """Return the images of scaled codes."""
    ### BEGIN SOLUTION
    return decode(mean + std * z)
    ### END SOLUTION


images_of = check("systems.decode", my_images)

# %%
# eq: 17b.1
z = normal_like(torch.empty(200, 24), generator=seeded(0))
image = images_of(system.vae.decode, z, system.mean, system.std)
again = (system.vae.encode(image)[0] - system.mean) / system.std
kept = torch.corrcoef(torch.stack([z.flatten(), again.flatten()]))[0, 1]
print(f"decoded and encoded again, scaled codes come back with a correlation of {kept:.2f}")
print(f"before the scaling, the 24 standard deviations lie between {system.std.min():.2f} and "
      f"{system.std.max():.2f}")

# %% [markdown]
# The standard deviations are near 1 because a VAE pulls its codes toward $N(0, I)$. Other autoencoders have other
# units, and there a forgotten scale is costly: relative to the codes, the schedule would add more noise, or less, than
# you think.
#
# Now look at four rows. In the first, codes are drawn from the prior $N(0, I)$, which is how a VAE makes images. In the
# second and third, codes are drawn by diffusion, asked for the digits 0 to 9. The last row is the U-Net's.
#
# **Predict.** The VAE was trained so that its codes are nearly $N(0, I)$. Will diffusion on the codes make a
# difference?

# %%
digits = [f"a {digit}" for digit in range(10)]
made = {
    "prior": system.decode((z[:10] - system.mean) / system.std),
    "codes, w = 1": t2i.sample(system, digits, steps=10, generator=seeded(1)),
    "codes, w = 2": t2i.sample(
        system, digits, guidance_scale=2.0, steps=10, generator=seeded(1)),
    "pixels": models.sample(
        unet, 10, label=torch.arange(10), steps=10, sampler="dpmpp_2m", generator=seeded(1)),
}
fig = figures.images(torch.cat([*made.values()]), columns=10, panel=0.75, row_labels=[*made])
figures.show(fig, alt="From the prior vague strokes, from codes soft digits, from pixels crisp.")
for name, x in made.items():
    gray = ((x.abs() < 0.5).double().sum() / (x > -0.5).double().sum()).item()
    print(f"{name:>12}: of the pixels with ink, {gray:.0%} are gray (between -0.5 and 0.5)")

# %% [markdown]
# <details><summary>Answer</summary>
#
# It makes a great difference. Codes from the prior give strokes that are hardly ever digits. The VAE's loss pulls
# *each* code toward $N(0, I)$, but that does not make the codes of all images together fill this distribution
# evenly. Diffusion finds the places where the codes of digits lie.
#
# </details>
#
# But the digits of the second and third row are soft: more of their pixels are gray than of the U-Net's.
#
# Ten images prove little, so a tool measured 200 images of each kind. The Fréchet distance is measured between features
# of a classifier ([14b](14b_sample_quality.ipynb)), with each image first shifted so that its ink is centered. The first
# row is the baseline, real held-out digits. The second is the most telling: real digits that were only encoded and
# decoded.

# %%
race = stored["race"]
print(f"Fréchet distance from real training digits, {stored['few']} images each:")
for name, found in race.items():
    value, stderr = found["frechet"]
    said = f"   read as asked: {found['digit']:4.0%}" if "w =" in name else ""
    print(f"   {name:24} {value:5.2f} ± {stderr:.2f}{said}")
ratio = race["U-Net on pixels, w = 1"]["seconds"] / race["codes, w = 1"]["seconds"]
print(f"time for an image, U-Net over codes: a factor of {ratio:.0f} here")

# %% [markdown]
# - Real digits against real ones have 0.82. Encoding and decoding alone raises it to 2.76, before any diffusion: the
#   decoder is soft.
# - Diffusion on codes has 4.44, and 3.19 with guidance. With standard errors of 0.9, two hundred images cannot tell these
#   from the decoder's own 2.76; the next section has more. Codes from the prior have 11.74.
# - The U-Net has 1.43 ± 0.54, which cannot be distinguished from the baseline.
#
# So latent diffusion has saved a factor of 243 in arithmetic, and 41 in time (small products keep a processor less
# busy), at the price of soft images. The comparison is not fair: our system was trained for minutes on one core, the
# U-Net for an hour and a half. But large systems, with better decoders, divide the work in the same way: the autoencoder
# deals with what an image looks like up close, and the diffusion with what is in it.

# %% [markdown] topics="C189 C191 C192 C193"
# ## How do words get into an image?
#
# Our system reads captions such as "a bold 3 at the top". A **text-to-image** system has three parts:
#
# 1. The **text encoder** turns a caption into vectors. First a **tokenizer** cuts it into **tokens**, here whole words,
#    and looks up their numbers. Each token becomes a learned vector, and a layer of self-attention lets the words
#    exchange information.
# 2. The denoiser, which sees those vectors by **cross-attention**: the query comes from the noisy code, the keys
#    and values from the words (formula (12b.2), with two different sources). In training a tenth of the captions were
#    replaced by the empty one, for classifier-free guidance.
# 3. The decoder of the autoencoder.
#
# The captions were made from the images: the digit is its label, *thin* and *bold* are the thirds with the least and
# the most ink among images of the same digit, and the place is where we shifted it. A caption may leave facts out.

# %%
for text in ("a thin seven on the left", "a 7", ""):
    row = t2i.tokens([text])[0].tolist()
    print(f"{text!r:26} -> {row}")
for name, part in {"text encoder": system.net.text, "denoiser, with its text encoder": system.net,
                   "decoder": system.vae.decoder}.items():
    print(f"{name:>32}: {sum(p.numel() for p in part.parameters()):7,} weights")

# %%
with torch.no_grad():
    spelled = system.net.text(t2i.tokens([f"a {name}" for name in t2i.DIGITS]))[:, 2]
    written = system.net.text(t2i.tokens([f"a {digit}" for digit in range(10)]))[:, 2]
alike = torch.cosine_similarity(spelled[:, None], written[None], dim=2)
others = alike[~torch.eye(10, dtype=torch.bool)].mean()
print(f"cosine similarity: the same digit in letters and as a figure {alike.diag().mean():+.2f}, "
      f"two digits {others:+.2f}")

# %% [markdown]
# Nobody told the encoder that "seven" and "7" mean the same. It has learned that they do, because both led to the same
# images.
#
# **Predict.** Which of the facts will the system get right most often without guidance ($w = 1$): the digit, the
# stroke or the place? And what will $w = 8$ do to "a thin seven"? (The answer is below the curve.)

# %%
asked, scales = ["a thin seven on the left", "a bold 3 at the top"], (1.0, 2.0, 8.0)
rows = {(text, w): t2i.sample(system, [text] * 10, guidance_scale=w, steps=10,
                              generator=seeded(3)) for text in asked for w in scales}
fig = figures.images(torch.cat([*rows.values()]), columns=10, panel=0.75,
                     row_labels=[f"{' '.join(text.split()[1:3])}, w = {w:g}" for text, w in rows])
figures.show(fig, alt="Thin sevens on the left, bold threes at the top; crude at w = 8.")
for w in scales:
    said = [t2i.caption(k % 10, stroke=k // 100) for k in range(200)]  # 100 thin, 100 bold
    x = t2i.sample(system, said, guidance_scale=w, steps=10, generator=seeded(4))
    inks = (t2i.ink(x) / system.usual_ink.repeat(20)).reshape(2, 100).mean(1)
    print(f"w = {w:g}: times the usual ink of the digit: thin {inks[0]:.2f}, bold {inks[1]:.2f}")

# %% [markdown]
# Agreement with the caption must be judged independently of the system. The place is where the ink's center lies, the
# stroke is the amount of ink compared with that of usual images of the digit, and the digit is read by the classifier.
# Each $w$ was tried on 400 random captions, four times. (For large systems one plots the CLIP score, for agreement,
# against FID, for closeness to real images [Sah22].)

# %%
curve = {float(w): rows for w, rows in stored["guidance"].items()}


def column(rows, key):
    """Mean and standard error of a measure over the seeds."""
    values = torch.tensor([row[key] for row in rows])
    return values.mean(), values.std() / len(values) ** 0.5


for w, rows in [*curve.items(), ("real", stored["real"])]:
    facts = ", ".join(f"{key} {column(rows, key)[0]:4.0%}"
                      for key in ("digit", "stroke", "place", "all"))
    distance, stderr = column(rows, "frechet")
    print(f"w {w!s:>4}: {facts}; Fréchet {distance:.2f} ± {stderr:.2f}, "
          f"variety {column(rows, 'variety')[0]:.1f}")
again, stderr = column(stored["real"], "reconstructed")
print(f"real digits, encoded and decoded: Fréchet {again:.2f} ± {stderr:.2f}")

# %%
points = [(*column(rows, "all"), *column(rows, "frechet")) for w, rows in curve.items() if w > 0]
fig, ax = figures.new(width=6.5, height=3.4)
agree, agree_error, far, far_error = zip(*points)
ax.errorbar(agree, far, xerr=agree_error, yerr=far_error, color=figures.BLUE, marker="o", capsize=3)
for w, x, y in zip([w for w in curve if w > 0], agree, far):
    room = (7, 4) if w < 3 else (-16, -22)  # above the line, or below it
    ax.annotate(f"w = {w:g}", (x, y), textcoords="offset points", xytext=room, fontsize=9)
(x, dx), (y, dy) = column(stored["real"], "all"), column(stored["real"], "frechet")
ax.errorbar(x, y, xerr=dx, yerr=dy, color=figures.RED, marker="D", capsize=3, label="real digits")
ax.set(xlabel="proportion that agrees with its caption", ylabel="Fréchet distance", ylim=(0, None))
ax.legend(fontsize=9)
figures.show(fig, alt="The Fréchet distance falls until w = 4; agreement is best at w = 2.")
best = max((w for w in curve), key=lambda w: column(curve[w], "all")[0])
print(f"the best agreement is at w = {best:g}: {column(curve[best], 'all')[0]:.0%}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The place: without guidance it is right in 98 % of the images, the stroke in 91 %, the digit in 82 %. And "thin"
# gets lost: as in chapter 15b, guidance makes everything bolder. "Thin" digits have 0.82 times the usual ink at
# $w = 2$, but 1.01 times at $w = 8$.
#
# </details>
#
# Without guidance some codes lie between two digits and decode to neither. Guidance repairs that. At $w = 2$, 94 % of
# the images agree with all of their caption; real digits with true captions reach 98 %. Beyond $w = 2$ agreement
# *falls*, because the stroke is right less often.
#
# The Fréchet distance keeps falling until $w = 4$, where it is 0.88, as good as that of real digits (0.84). It is
# even better than the 2.44 of real digits that were encoded and decoded, though the decoder is the same: guidance
# pushes the codes to places that decode to sharp, typical digits. Are these images as good as real ones, then? No.
# The last column is the mean distance between two images of the same digit, in the same features: 3.3 at $w = 4$, and
# 4.2 for real digits. The Fréchet distance compares means and covariances over all digits together, where sharper
# digits count for more than lost variety. So look at more than one number before you choose $w$. Here we would take
# 2.
#
# **How large should the text encoder be?** In ours, no size could help: its captions hold three facts. For sentences of
# all kinds, Imagen's authors trained systems with text encoders of different sizes and with U-Nets of different sizes.
# Both helped, and a larger text encoder helped "significantly more" than a larger U-Net [Sah22, Sec. 4.4]. That is a
# comparison of these two parts, by curves of FID against CLIP score. It does not say that the denoiser hardly matters.
#
# Stable Diffusion [Rom22] is built like ours: an autoencoder, a denoiser of its codes with cross-attention, and a text encoder
# (which, unlike ours, was trained separately). Imagen instead generates 64 × 64 pixels and enlarges them twice with more diffusion models.

# %% [markdown] topics="C196"
# ## Can a student learn to take fewer steps?
#
# Better solvers brought us from 1000 steps to about ten (chapters 10b and 15). To go further, *train* a network to
# do in one step what a teacher does in many. That is **distillation**.
#
# **Progressive distillation** [SH22] does it by halves. The teacher takes two DDIM steps, from $t$ to $m$ and from $m$ to
# $s$, and lands on $x_s$. The student is to land there in a *single* DDIM step. A DDIM step from $t$ to $s$ mixes the
# estimate $\hat x_0$ and the noise that it implies,
# $x_s = \sqrt{\bar\alpha_s}\,\hat x_0 + \sqrt{1-\bar\alpha_s}\,\dfrac{x_t - \sqrt{\bar\alpha_t}\,\hat x_0}{\sqrt{1-\bar\alpha_t}}$,
# which can be solved for the estimate:
#
# $$\hat x_0 = \frac{x_s - r\,x_t}{\sqrt{\bar\alpha_s} - r\,\sqrt{\bar\alpha_t}}, \qquad
# r = \sqrt{\frac{1-\bar\alpha_s}{1-\bar\alpha_t}}. \tag{17b.2}$$
#
# This is the student's regression target. Then the student becomes the teacher, and the number of steps is halved
# again.
#
# ### Exercise 17.6 · One step for two
#
# `x_t` and `x_s` have shape `(B, *D)`; `t` and `s` are ints or `(B,)`. Return (17b.2). (`row(schedule.signal, t)` is
# $\sqrt{\bar\alpha_t}$, `row(schedule.noise, t)` is $\sqrt{1-\bar\alpha_t}$, and `coef(number, x_t)` gives a number per item the
# shape in which it multiplies `x_t`.)

# %% tags=["exercise"]
from ddpm_lab.schedules import coef, row


def my_target(schedule, x_t, x_s, t, s):
    """Return the estimate with which one DDIM step from t to s lands on x_s."""
    ### BEGIN SOLUTION
    ratio = row(schedule.noise, s) / row(schedule.noise, t)
    below = row(schedule.signal, s) - ratio * row(schedule.signal, t)
    return (x_s - coef(ratio, x_t) * x_t) / coef(below, x_t)
    ### END SOLUTION


target = check("systems.target", my_target)

# %% [markdown]
# In the plane we can use an *exact* teacher, the ideal denoiser of eight Gaussians on a circle. Then every error is the
# student's.

# %%
# eq: 17b.2
schedule, teacher = distillation.SCHEDULE, distillation.exact()
x_t = normal_like(torch.empty(500, 2, dtype=torch.float64), generator=seeded(0))
x_m = samplers.ddim_step(schedule, x_t, teacher(x_t, 600), 600, 500).mean
x_s = samplers.ddim_step(schedule, x_m, teacher(x_m, 500), 500, 400).mean
at_once = samplers.ddim_step(schedule, x_t, target(schedule, x_t, x_s, 600, 400), 600, 400).mean
apart = (target(schedule, x_t, x_s, 600, 400) - teacher(x_t, 600)).square().sum(1).mean().sqrt()
print(f"one step with (17b.2) lands where two did: {bool((at_once - x_s).abs().max() < 1e-9)}")
print(f"the target differs from the teacher's own estimate by {apart:.3f}, root mean square")

# %% [markdown]
# The students are small perceptrons, trained by a tool: first from 32 teacher steps to 16, then to 8, 4, 2 and 1. We
# start all of them, and plain DDIM with the exact denoiser, from the same noise, and compare the ends with the exact
# solution of the probability-flow ODE. The energy distance from real points needs a baseline: real against real.
#
# **Predict.** Five halvings, and each student learns from an imperfect one. How fast do the errors add up?

# %%
z = normal_like(torch.empty(1000, 2), generator=seeded(5))
truth = distillation.end(teacher, z, 250, order=2)
real_points, more = (distillation.data(1000, seeded(k)) for k in (6, 7))
students = distillation.load()


def judged(x):
    """How far x is from the exact ends, and its energy distance from real points."""
    miss = (x - truth).square().sum(1).mean().sqrt()
    energy = metrics.energy_distance(x, real_points)
    return f"misses by {miss:.2f}, energy {energy.value:6.3f} ± {energy.stderr:.3f}"


for n in (16, 8, 4, 2, 1):
    student = predictions.denoiser(schedule, students[f"{n}"], "v")
    print(f"steps {n:2}: DDIM {judged(distillation.end(teacher, z, n))}\n"
          f"       student {judged(distillation.end(student, z, n))}")
baseline = metrics.energy_distance(more, real_points)
print(f"real points against real points: energy {baseline.value:.3f} ± {baseline.stderr:.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# They hardly add up: the student with 16 steps misses by 0.04, the one with a single step by 0.06, and their energy
# distance is that of real points. (DDIM's error grows from 0.04 with 16 steps to 1.00 with one, where all it can
# return is the mean of the data.)
#
# </details>
#
# A likely reason is that each student starts with the weights of the one before it, and so has little left to learn.
# What carries over to images is the principle: the price of few steps is paid once, in training. A network that is
# distilled in this way can at best do what its teacher does.

# %% [markdown] topics="C196"
# ### Detour · A consistency model
#
# Another way to a single step, and a loss that needs no halvings.

# %% [markdown]
# All points of one path of the ODE lead to the same end. A **consistency model** [Son23] learns a function $f$ that gives
# that end from *any* point of the path. Two conditions determine it:
#
# $$f(x_t, t) = f(x_s, s) \text{ for neighbors on a path}, \qquad f(x_0, 0) = x_0. \tag{17b.3}$$
#
# The second one costs nothing: the $\hat x_0$ of a network that predicts $v$ is
# $\sqrt{\bar\alpha_t}\,x_t - \sqrt{1-\bar\alpha_t}\,\hat v$, and at $t = 0$ that is $x_0$, whatever $\hat v$ is. The first one is the
# loss: $f(x_t, t)$ is pulled toward $f(x_s, s)$, where the teacher's step from $x_t$ leads to $x_s$.

# %%
# eq: 17b.3
at = [1000, 700, 400, 100]
path = {step.s: step.x_s for step in samplers.probability_flow_ode(
    schedule, teacher, z.double(), times=list(range(1000, -1, -4)))} | {1000: z.double()}
print("from points of one path, how far the answer is from its end (root mean square):")
for name in ("untrained", "consistency"):
    net = distillation.new() if name == "untrained" else students[name]
    with torch.no_grad():
        ends = [distillation.answer(schedule, net, path[t].float(), torch.full((1000,), t))
                for t in at]
    miss = [(end - path[0]).square().sum(1).mean().sqrt() for end in ends]
    print(f"{name:>12}: " + ", ".join(f"t = {t}: {far:.2f}" for t, far in zip(at, miss)))

# %%
one_step = predictions.denoiser(schedule, students["consistency"], "v")
ends = {
    "exact ODE": truth, "DDIM, 1 step": distillation.end(teacher, z, 1),
    "DDIM, 4 steps": distillation.end(teacher, z, 4),
    "student, 1 step": distillation.end(predictions.denoiser(schedule, students["1"], "v"), z, 1),
    "consistency": one_step(z, torch.full((1000,), 1000)),
}
figures.show(figures.scatter_grid(ends, panel=1.7, limit=1.5),
             alt="One DDIM step ends in the center; distilled networks reach the circle in one.")
for name, x in ends.items():
    print(f"{name:>16}: {judged(x)}")

# %% [markdown]
# From $t = 1000$ the consistency model misses the end of the path by 0.13, where an untrained network misses by 1.00. In one
# step it is better than DDIM in four, 0.22, and worse than the student of five halvings, 0.06. The figure shows how: between
# two clusters its answers change too smoothly. Both networks were trained for about as long; with other settings the order
# may change.

# %% [markdown] topics="C199"
# ## What if the data are letters?
#
# Between "cat" and "dog" there is no gray. Gaussian noise needs numbers, so replace it: a letter is *kept* with
# probability $\bar\alpha_t$, and otherwise replaced by a draw from a fixed distribution $\pi$. This is **discrete
# diffusion** [Aus21]:
#
# $$q(x_t = k \mid x_0) = \bar\alpha_t\,[k = x_0] + (1 - \bar\alpha_t)\,\pi_k, \tag{17b.4}$$
#
# independently for each letter ($[\cdot]$ is 1 where it holds, else 0). Our schedules can be used as they are, but
# $\bar\alpha_t$ is now a probability. There are two usual choices of $\pi$. **Uniform diffusion** puts in a random letter.
# **Absorbing diffusion**, also called **masked diffusion**, always puts in one extra symbol, the mask.
#
# Instead of an estimated mean, the denoiser gives a probability to each letter. As in chapter 10 we can have an ideal one:
# our language has 32 words, all equally likely, and Bayes' rule over the list gives $p(x_0 = k \mid x_t)$.

# %%
print(" ".join(words.WORDS[:16]), " ".join(words.WORDS[16:]), sep="\n")
x_0 = words.encode(words.WORDS)
K = len(words.LETTERS)
noises = {"absorbing": discrete.absorbing(K + 1), "uniform": discrete.uniform(K)}
even = words.even(8)  # abar falls along a line, from 1 at t = 0 to 0 at t = 8
for name, noise in noises.items():
    rng = seeded(2)
    noisy = [discrete.draw(discrete.marginal(even, noise, x_0[26:29], t), generator=rng)
             for t in (2, 4, 6, 8)]
    fade = [words.decode(x_t) for x_t in noisy]
    print(f"{name:>9}: the two was -> " + " -> ".join(" ".join(row) for row in fade))

# %%
# eq: 17b.4
steps = [discrete.transition(even, noises["uniform"], torch.arange(K)[:, None], t - 1, t)[:, 0]
         for t in range(1, 6)]
one_by_one = torch.linalg.multi_dot(steps)  # five matrices, one for each step
at_once = discrete.marginal(even, noises["uniform"], torch.arange(K)[:, None], 5)[:, 0]
print(f"five steps in a row give (17b.4) at t = 5: {torch.allclose(one_by_one, at_once)}")

# %% [markdown]
# How does one go back? With a mask it is simple. A letter that you can read is the original, since only the mask
# is ever put in: it stays. A mask at time $t$ was already a mask at time $s < t$ with probability
# $(1-\bar\alpha_s)/(1-\bar\alpha_t)$, since a letter is masked by $s$ with probability $1-\bar\alpha_s$ and by $t$ with
# probability $1-\bar\alpha_t$. Otherwise it was not yet covered, and the denoiser says which letter it was:
#
# $$p(x_s = k \mid x_t) = \frac{\bar\alpha_s - \bar\alpha_t}{1 - \bar\alpha_t}\,p(x_0 = k \mid x_t) \;+\;
# \frac{1-\bar\alpha_s}{1-\bar\alpha_t}\,[k = \text{mask}] \qquad \text{where } x_t \text{ is a mask}. \tag{17b.5}$$
#
# ### Exercise 17.7 · One step back
#
# `p` holds the denoiser's probabilities, of shape `(B, D, K)`, with 0 for the mask; `x_t` holds symbols, `(B, D)` int64.
# `abar_t` and `abar_s` are numbers, and `mask` is the number of the mask. Return the probabilities of $x_s$, of
# shape `(B, D, K)`: (17b.5) where $x_t$ is a mask, and certainty elsewhere.
# (`torch.nn.functional.one_hot(x_t, K)` gives certainty.)

# %% tags=["exercise"]
def my_step_back(p, x_t, abar_t, abar_s, mask):
    """Return the probabilities of x_s, shaped like p."""
    ### BEGIN SOLUTION
    certain = torch.nn.functional.one_hot(x_t, p.shape[-1]).to(p)
    stays = (1 - abar_s) / (1 - abar_t)
    back = (1 - stays) * p
    back[..., mask] += stays
    return torch.where((x_t == mask)[..., None], back, certain)
    ### END SOLUTION


step_back = check("systems.unmask", my_step_back)

# %%
# eq: 17b.5
denoise = discrete.dataset_denoiser(x_0, even, noises["absorbing"])
x_t = words.encode(["_he", "h__", "___"])
p = denoise(x_t, 6)
ours = step_back(p, x_t, even.abar[6], even.abar[4], K)
theirs = discrete.posterior(even, noises["absorbing"], p, x_t, 6, 4)  # Bayes' rule, any noise
print(f"(17b.5) is Bayes' rule: {torch.allclose(ours, theirs)}")
for word, letters in zip(words.decode(x_t), ours[:, 0]):
    can_be = "".join(words.LETTERS[k] for k in range(K) if letters[k] > 0)
    print(f"{word} at t = 4: first letter a mask with probability {letters[K]:.2f}, "
          f"else one of {can_be}")

# %% [markdown]
# ### Detour · Try it yourself: cover a word
#
# An explorer: what does the denoiser still believe?

# %% [markdown]
# Cover a word more and more.
#
# **Predict.** Set the time to 20 with the absorbing noise. Do the three panels together tell you which words exist?

# %%
explorer = explorers.what_a_mask_hides()
print(explorer)
explorer

# %% [markdown]
# <details><summary>Answer</summary>
#
# They do not. Each panel is right about its own letter, and yet you cannot draw a word from the three: they do not
# say which letters go *together*.
#
# </details>

# %% [markdown]
# ### How many steps does a word need?
#
# The denoiser gives a distribution for each letter, but does not say which letters go *together*. A step back draws all
# its letters independently. **Predict.** Of the words from a single step, from
# all masks to clean letters, how many are in the language? And from 64 steps?

# %%
def words_in(T, noise, n=1000):
    """n words by T steps, and how many of them are in the language."""
    denoise = discrete.dataset_denoiser(x_0, words.even(T), noise)
    x = words.decode(discrete.sample(words.even(T), noise, denoise, (n, 3), generator=seeded(1)))
    return x, sum(word in words.WORDS for word in x) / n


for T in (1, 4, 16, 64):
    (masked, right), (_, uniform) = (words_in(T, noise) for noise in noises.values())
    print(f"steps {T:3}: {' '.join(masked[:9])} …\n     words of the language: absorbing "
          f"{right:.0%}, uniform {uniform:.0%}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Of those from a single step 3 % are words; of those from 64 steps, 97 % with masks and 100 % with random letters.
#
# </details>
#
# The denoiser is ideal, and yet in one step 97 % of what it makes are not words. So the error of too few steps is
# not one of the network. The bound measures it in bits: a sum of KL divergences, one for each step, as in chapter 08. On
# average no model can need fewer bits for a word than the entropy of the words, $\log_2 32 = 5$.

# %%
# claim: E25
def bits(T, noise):
    """The negative bound of 50 copies of each word: mean and standard error, bits per word."""
    denoise = discrete.dataset_denoiser(x_0, words.even(T), noise)
    many = discrete.bound(words.even(T), noise, denoise, x_0.repeat(50, 1), generator=seeded(0))
    total = many.total / math.log(2)
    return total.mean(), total.std() / len(total) ** 0.5


doubled = (1, 2, 4, 8, 16, 32, 64, 128)
found = {name: torch.tensor([bits(T, noise) for T in doubled]) for name, noise in noises.items()}
for T, *rows in zip(doubled, *found.values()):
    said = "; ".join(f"{name} {mean:5.2f} ± {error:.2f}"
                     for name, (mean, error) in zip(found, rows))
    print(f"steps {T:3}: bits per word, {said}")
share = [torch.bincount(column).double() / 32 for column in x_0.T]
apart = -sum(torch.xlogy(p, p).sum() for p in share) / math.log(2)
print(f"entropy of the words 5.00 bits; of their three letters, each on its own, {apart:.2f} bits")

# %%
curves = {name: values[:, 0] for name, values in found.items()} | {"entropy": torch.full((8,), 5.0)}
fig = figures.curves(doubled, curves, xlabel="steps T (log scale)", ylabel="bits per word",
                     height=2.8)
fig.axes[0].set_xscale("log", base=2)
fig.axes[0].set_xticks(doubled, labels=doubled)
figures.show(fig, alt="The bound falls from 10.2 bits at one step to the entropy of 5 bits at 128.")
for name, values in found.items():
    over = values[-1, 0] / 5 - 1
    print(f"{name}: with 128 steps {over:.1%} above the entropy (± {values[-1, 1] / 5:.1%})")

# %% [markdown]
# With one step the bound is 10.23 bits, the entropy of three independent letters. Doubling $T$ lowers it (up to the
# standard errors), and at 128 steps it is within 2 % of the entropy. The reason is general: in the second half of a
# long step the denoiser may be asked again, when there is less noise. So with an ideal denoiser and fixed ends the
# bound does not get worse when $T$ doubles [Kin21]. The best number of steps is thus a question of cost, not of
# quality.
#
# For masks there is a second way to see the limit of this curve. With very many steps no two letters are uncovered at
# once, so the model fills in one letter after the other, in random order, each time knowing all the letters
# before. Language models do the same from left to right. What masked diffusion can do and they cannot is to uncover
# *several* letters in a step, at the price that you have just measured.

# %% [markdown] topics="C006 C187"
# ## What to read, and which code
#
# If the course was your first encounter, this order repeats little and leaves out little:
#
# 1. [Luo22], a derivation of everything from the ELBO to the score, in one notation. You can now read it quickly.
# 2. [Ho20], then [ND21]: DDPM, and what the first year taught about it.
# 3. [Song21a] and [Song21b]: sampling without noise, and continuous time.
# 4. [Kin21]: the same as a variational model, with the bound in its cleanest form.
# 5. [Kar22]: which choices matter, tested one at a time. Then [Lip23] for the straight paths of chapter 16b.
# 6. [Rom22] and [Sah22] for systems; [SH22], [Son23] and [Aus21] for the three other sections of this chapter.
# 7. [SD15], where it began. Read last, it is surprisingly complete.
#
# If you like to watch before you read, begin with a recorded lecture on VAEs and one on diffusion, then [Ho20], then
# [Luo22]. VAEs and GANs are worth knowing first: most papers explain themselves by comparison with them.
#
# **Reference implementations.** Compare your code with the authors' where it exists, since papers leave out details
# that matter: the published programs of [Ho20] (TensorFlow), [ND21] and [DN21] (PyTorch, `improved-diffusion` and
# `guided-diffusion`), [Kar22] (PyTorch, `edm`), and [Rom22] (PyTorch, `latent-diffusion`); and Hugging Face's `diffusers`, whose names the
# [glossary](glossary.ipynb) lists beside ours. Short tutorials, such as the one on denoising diffusion among the Keras examples and
# the notebook of *The Annotated Diffusion Model*, are good to read in one sitting; check their conventions for $t$, and what their $\alpha$
# means, with the table of chapter 00.

# %% [markdown]
# ## Detour · What is still open?
#
# Six questions, and what is known about each.

# %% [markdown] topics="C199"
# What is known at the time of writing, with papers up to 2025:
#
# | question | what is known |
# |---|---|
# | How many steps are best? | For the bound, more is never worse (above). For a fixed budget of network calls, good solvers need ten to twenty, distilled models one to four [SH22, Son23], at some loss. |
# | Is there a best forward process? | The bound depends on the schedule only through its ends, in the limit of many steps [Kin21]; how well it is *estimated*, and how well networks learn, depends on all of it [Kar22]. Straight paths [Lip23] changed practice more than theory. |
# | Quality and a code that can be edited? | Encoding along the ODE works ([15b](15b_guidance_and_editing.ipynb)), but its code is as large as the image and nothing in it is disentangled by construction. |
# | Discrete data? | The framework has existed since 2021 [Aus21]. Masked diffusion has become its main form [Saho24], and language models of several billion weights have been trained with it [Nie25]. For which kinds of text it is better than generating from left to right is open. |
# | Why do they generalize? | The ideal denoiser of the training set only copies it (chapter 10). Networks with enough data learn nearly the same denoiser from disjoint halves of them [Kad24], which points to the architecture. What exactly it contributes is being worked out. |
# | What does guidance sample? | Not the tilted distribution [BN24]; why it helps as much as it does has no complete answer. |

# %% [markdown]
# ## Popular claims, checked
#
# - **Latent diffusion saves arithmetic; by itself it does not make images better.** Encoding and decoding real digits raises
#   their Fréchet distance from 0.82 to 2.76. Guidance gets below that, at the price of variety.
# - **More guidance buys agreement only up to a point**: here it is best at $w = 2$,
#   with 94 %, and falls to 76 % at $w = 8$, where "thin" comes out bold. The Fréchet distance alone would have chosen
#   $w = 4$, and missed that its images are too alike.
# - **Too few steps cost bits even if the denoiser is perfect**: 10.23 bits with one step, 5 with many. The best number of
#   steps is not an open question for the bound: with an ideal denoiser and fixed ends it never gets worse when $T$
#   doubles. Nor are discrete data: diffusion for them has existed since 2021 [Aus21].

# %% [markdown]
# ## Recap
#
# A denoiser becomes a system by the parts around it. An autoencoder makes the data small, and its decoder decides how
# crisp the images are. A text encoder conditions the denoiser, by cross-attention, and guidance sets how strongly.
# Distillation trains a student to land where many steps of a teacher land. And nothing in the idea needs numbers:
# with a probability of being kept in place of a share of the variance, it works for letters, with the same bound.
#
# **One formula to keep**
#
# $$q(x_t = k \mid x_0) = \bar\alpha_t\,[k = x_0] + (1 - \bar\alpha_t)\,\pi_k$$
#
# **Exercises:** 17.5 `systems.decode` · 17.6 `systems.target` · 17.7 `systems.unmask`
#
# **To think about.** Under uniform noise a wrong letter can still be repaired in a later step; under the mask, an uncovered
# letter stays for good. In which row of the table of words does that show?
#
# **Before:** [17 · Beyond](17_beyond.ipynb) · **Next:** [18 · Claims](18_claims.ipynb)
#
# **Read on:** [Rom22] Sec. 3 on latent diffusion; [Sah22] Sec. 4 for the trade-off curves; [SH22] Sec. 3 and [Son23] Sec. 3 on few
# steps; [Aus21] Sec. 3 and 4 on discrete chains.
