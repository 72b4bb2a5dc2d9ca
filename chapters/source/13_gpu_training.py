# %% [markdown]
# # 13 · How does it grow up?
#
# Chapter 12 trained a small network for half a minute. Here is a run of three quarters of an hour: a U-Net that is told which digit to
# draw, and learns pictures of 32 × 32 pixels. What can be read from the traces that such a run leaves? And what must be right so that it
# can be stopped, shared, and repeated?
#
# **After this chapter you can**
#
# - read a log, and say what a loss shows and what it hides,
# - say what warm-up, clipping and averaging do, and see what happens without them,
# - tell which numbers survive in 16 bits,
# - share a batch among several processes, and stop a run and go on *bit by bit*,
# - say how long a run will take before you start it.
#
# **You need** [11 · Learning to denoise](11_learning_to_denoise.ipynb) (the loop, the floor of a loss, the average of the weights) and
# [12 · How to denoise images?](12_unet.ipynb) (the U-Net, Adam). About 95 minutes to read and work through, without the optional section; it runs in about a minute. No GPU is needed.
#
# **In the papers:** [Ho20] Appendix B; [HS22] for the hidden labels.

# %%
import copy
import json
import math
import pickle
import shutil
import tempfile
from functools import partial
from pathlib import Path
from unittest import mock

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lab import datasets, losses, metrics, networks, schedules, training
from ddpm_lab.course import figures
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import DataConfig, OptimizerConfig, RunConfig, UNetConfig
from ddpm_lab.training import loop, models, pretrained, trainer

# %%
mnist = pretrained.load("mnist")  # a trained network that comes with the course
card, log = pretrained.model_card("mnist"), pretrained.training_log("mnist")
config = mnist.config

# %% [markdown]
# ## A first look: what came out
#
# The network comes with the course. Sampling from it needs no data and no GPU. Column by column we ask for a 0, a 1, and so on up to 9.

# %%
wanted = torch.arange(40) % 10
made = models.sample(mnist, 40, label=wanted, steps=20, generator=seeded(0))
fig = figures.images(made, columns=10, panel=0.62, titles=[str(digit) for digit in range(10)])
figures.show(fig, alt="Ten columns of four handwritten digits; each shows what was asked for.")
judge = training.load(pretrained.path("features_mnist"))[0]  # a classifier of digits, for judging
read_as = metrics.accuracy(judge, made, wanted).value
print(f"read by a classifier as what was asked for: {40 * read_as:.0f} of 40")
print(f"weights: {sum(p.numel() for p in mnist.net.parameters()):,}, steps: {mnist.step:,}")

# %% [markdown]
# Each is another picture, drawn from its own noise. The network is told the digit as it is told $t$: one learned row of numbers for each label is added to
# what the waves of $t$ say, and reaches every block. While training one label in ten is hidden and replaced by an eleventh row, "not said", so the
# same network can also draw just any digit. Chapter 15 makes use of that.
#
# ## 1 · What a run leaves behind
#
# Let us look at a very small run: 120 steps on the 8 × 8 digits. *All* that decides its result is in one object, its configuration.

# %%
small = RunConfig(data=DataConfig("digits"), net=UNetConfig(width=16, mults=(1, 2), labels=10),
                  optimizer=OptimizerConfig(lr=3e-3, warmup=10, ema=0.99), steps=120, batch=32,
                  precision="float32", log_every=20, save_every=60, samples_every=0)
home = tempfile.TemporaryDirectory()  # is deleted when the notebook ends
home_path = Path(home.name)
whole = trainer.train(small, home_path / "whole")
for name in ("config.json", "log.jsonl", "net.safetensors", "run.safetensors"):
    size = (home_path / "whole" / name).stat().st_size
    print(f"{name:>16}: {'less than 0.01' if size < 1e4 else f'{size / 1e6:.1f}'} MB")
first = training.read_log(home_path / "whole")[0]
print({name: round(first[name], 3) for name in ("step", "loss", "grad_norm")},
      "and:", ", ".join(list(first)[3:]))

# %% [markdown]
# - `config.json` says what was done: data, schedule, network, rates, seed. The same file gives the same run.
# - `log.jsonl` says what happened, one line for every so many steps. (Who goes on with a run first drops the lines after the stored step.)
# - `net.safetensors` is the averaged network, all that sampling needs.
# - `run.safetensors` is all that *going on* needs. Why is it four times as large? Section 7.
#
# The run that made the first picture left the same files. Three of them come with the course, with a *card* that says where and when:

# %%
facts = {"device": card["device"], "machine": card["machine"], "steps": card["step"],
         "batch": config.batch, "pictures seen": card["step"] * config.batch,
         "minutes": round(card["seconds"] / 60), "precision": config.precision}
for name, value in facts.items():
    print(f"{name:>13}: {value:,}" if isinstance(value, int) else f"{name:>13}: {value}")

# %% [markdown]
# So it was trained on a *CPU*, because no GPU could be had. What a GPU changes is in section 9.
#
# ## 2 · The loss
#
# **Predict.** Compare the loss at half-time and at the end. By how much did it fall in the second half: by half, a tenth, a hundredth?

# %%
steps = [line["step"] for line in log]
loss = torch.tensor([line["loss"] for line in log])
fig, axes = figures.new(1, 2, height=3)
figures.curves(steps, {"": loss}, ax=axes[0], xlabel="training step", ylabel="loss of v",
               title="means of 50 steps", log_y=True)
figures.curves(steps[40:], {"": loss[40:]}, ax=axes[1], xlabel="training step",
               ylabel="loss of v", title="the same, from step 2000 on")
figures.show(fig, alt="The loss falls steeply for 1000 steps, then creeps, hidden in its noise.")
n = len(log)
parts = {"first line": loss[:1], "around step 1000": loss[15:25],
         "around half-time": loss[n // 2 - 5 : n // 2 + 5], "last ten lines": loss[-10:]}
for name, part in parts.items():
    print(f"{name:>16}: {part.mean():.4f}")
jitter = (loss[n // 2 :].diff().std() / math.sqrt(2)).item()
print(f"jitter of one line in the second half: {jitter:.4f}")

# %% [markdown]
# (The jitter is measured from the differences of neighboring lines. A difference has twice the variance of one line, hence the $\sqrt2$.)
#
# By a tenth: from 0.0878 to 0.0790. Nearly all of the fall came in the first 1000 steps, from 0.7853 to 0.1053. What follows looks flat on the left, and on the right it is a slope with teeth: one line jitters
# by 0.0009, so the difference of two neighboring lines means nothing, and only hundreds of steps show the trend.
#
# And each of these lines is already a mean over 3200 pictures. What a *single* step's loss says, you know from chapter 11: next to nothing.
#
# ### The same, time by time
#
# The log also has the mean loss in ten ranges of $t$, 1 to 100, 101 to 200, and so on.

# %%
def per_t(rows):
    """Mean loss in the ten ranges of t over these lines of the log."""
    return torch.tensor([line["loss_per_t"] for line in rows]).mean(0)


early, half, end = per_t(log[4:8]), per_t(log[n // 2 - 5 : n // 2 + 5]), per_t(log[-10:])
middle = range(50, 1000, 100)
fig = figures.curves(middle, {"steps 201-400": early, "half-time": half, "end": end},
                     xlabel="time t, steps (middle of a range)", ylabel="loss of v", height=2.8)
figures.show(fig, alt="High at both ends of t, low between; at small t it still falls at the end.")
print("range of t    early  half-time     end   end / half-time")
for k in range(10):
    print(f"{100 * k + 1:4}-{100 * k + 100:4} {early[k]:9.3f} {half[k]:10.3f} {end[k]:7.3f} "
          f"{end[k] / half[k]:17.3f}")

# %% [markdown]
# One network serves all times, and they are not learned at the same pace. Both ends are high: at small $t$ the answer v is mostly the noise, of which hardly any can be seen; at large $t$ it is mostly the picture, and hardly
# any of *that* can be seen. At $t > 900$ the second half brought a factor 0.977: what is left is probably nearly all floor. At $t \le 100$ it brought 0.733, from 0.140 to 0.103: the finest details were still being learned when the mean had long looked flat.
#
# Is it memorizing? The card has the loss on 1000 *held-out* pictures.

# %%
print("range of t    log, end    held-out")
held_out = card["metrics"]["loss_per_t"]
for k, row in enumerate(held_out):
    low, high = row["t"]
    print(f"{low:4}-{high:4} {end[k]:13.3f} {row['value']:11.3f} ± {row['stderr']:.4f}")
mean = sum(row["value"] for row in held_out) / 10
print(f"mean {end.mean():17.3f} {mean:11.3f} ± "
      f"{math.hypot(*[row['stderr'] for row in held_out]) / 10:.4f}")

# %% [markdown]
# (A number after ± is a standard error, here and below: how far chance alone typically moves the number.) In no range is the held-out loss above that of the log by more than chance: nothing was memorized that this test can see. (It may well be a little *below*. The log is about the last weights, with one label in ten hidden; the
# held-out loss is about the average of the weights, with all labels told. Both lower it, so a small gap could hide behind them.)
# To compute such numbers again, with MNIST's files in a folder `DIR` or an internet connection to fetch them:
# `python -m ddpm_lab evaluate --run mnist --data DIR`.
#
# ## 3 · A plateau, and samples that go on improving
#
# "The loss has been flat for ages, so it is trained." Is it? Let us watch a run *and its samples*, on 8 × 8 digits, where that takes
# seconds. We keep the network at some steps: the last weights as they are (raw), and two averages, which section 5 compares.

# %%
plan, (train, label) = schedules.cosine(), datasets.digits("train")
test, test_label = datasets.digits("test")
when = torch.randint(1, 1001, (len(test),), generator=seeded(1))
noise = normal_like(test, generator=seeded(2))
shape = {"width": 16, "mults": [1, 2], "labels": 10}


def loss_on(net):
    """Mean loss of v on the 901 held-out digits, always with the same times and noise."""
    with torch.no_grad():
        told = partial(net, label=test_label)  # the same function, with the label filled in
        return losses.simple(plan, told, "v", test, when, noise).mean().item()


def model_of(net):
    """The network with what `models.sample` must know about it."""
    config = RunConfig(data=DataConfig("digits"), net=UNetConfig(**shape))
    return models.Model(net, config, (1, 8, 8), 0)


# %%
net, rng = networks.build(networks.UNet, seed=0, **shape), seeded(3)
adam, ema, old = training.adam(net), training.EMA(net, 0.99), copy.deepcopy(net)
seen, kept = [], {}
batches = datasets.batches(train, 64, labels=label, generator=rng)
for step in training.train(plan, net, batches, prediction_type="v", steps=1000, lr=5e-3, warmup=50,
                           ema=ema, optimizer=adam, generator=rng):
    with torch.no_grad():  # `old`: the plain average, with decay 0.999, from the first step on
        torch._foreach_lerp_([*old.parameters()], [*net.parameters()], 1 - 0.999)
    seen.append(step.loss)
    if step.step in (25, 50, 100, 200, 400, 600):
        nets = {"raw": net, "average": ema.net, "old average": old}
        kept[step.step] = {name: copy.deepcopy(each).eval() for name, each in nets.items()}
    if step.step == 600:
        break  # 400 of the 1000 planned steps are left for later

# %%
def judged(each):
    """Held-out loss, energy distance of 400 samples to held-out digits, first samples."""
    x = models.sample(model_of(each), 400, label=torch.arange(400) % 10, generator=seeded(4))
    return loss_on(each), metrics.energy_distance(x, test), x[:10]


marks = {step: judged(each["average"]) for step, each in kept.items()}
fig = figures.images(torch.cat([x for *_, x in marks.values()]), columns=10, panel=0.5,
                     row_labels=[f"step {step}" for step in marks])
figures.show(fig, alt="From gray noise at step 25 to readable digits at step 600.")
for step, (loss, energy, _) in marks.items():
    print(f"step {step:3}: held-out loss {loss:.3f}, energy distance of the samples "
          f"{energy.value:.3f} ± {energy.stderr:.3f}")
floor = metrics.energy_distance(train[:400], test)
print(f"real training digits: energy distance {floor.value:.3f} ± {floor.stderr:.3f}")
print(f"fall of the held-out loss from step 200 to 600: {marks[200][0] - marks[600][0]:.3f}")
print(f"single steps 501-600: losses from {min(seen[500:]):.3f} to {max(seen[500:]):.3f}")

# %% [markdown]
# From step 100 to 600 the held-out loss falls by a quarter, 0.310 to 0.237. The energy distance of the samples (chapter 11) falls to a quarter, 0.061 to 0.016; real digits have −0.001 ± 0.005. From step 200 on the loss falls by 0.028 in all, and the losses of
# single steps range from 0.193 to 0.289: in the raw curve that is hard to see. The energy distance goes from 0.034 ± 0.008 to 0.016 ± 0.007 in these steps: probably better, but 400 samples do not prove it; and by eye the rows look much alike.
#
# Remember (11.4): loss = floor + excess. The floor is noise that nobody can guess, and it is the same at all steps. What shapes the samples is
# the excess only. So a fall that looks like nothing *on the loss* can be a large part *of the excess*. The floor of real pictures is not known, so judge
# by samples, or by held-out loss time by time; not by a flat curve.
#
# ## 4 · The rate, and the length of a step
#
# ### Warm-up
#
# Our learning rate rises along a line for the first $u$ steps (*warm-up*), and falls along half a cosine over all $N$ of them, with lr the setting in the configuration. In step $n = 1, \dots, N$
#
# $$\text{rate}_n = \text{lr} \cdot \min\left(1, \frac{n}{u}\right) \cdot \frac{1 + \cos\big(\pi\,(n-1)/N\big)}{2}. \tag{13.1}$$
#
# ### Exercise 13.1 · Write it
#
# With $u = 0$ there is no warm-up: the second factor is 1. Return a number. (Being off by one step here gives a first or a last step that changes nothing.)

# %% tags=["exercise"]
def my_rate(n, lr, warmup, steps):
    """Return the learning rate (13.1) of step n = 1, 2, ..., steps."""
    ### BEGIN SOLUTION
    rise = min(1.0, n / warmup) if warmup else 1.0
    return lr * rise * (1 + math.cos(math.pi * (n - 1) / steps)) / 2
    ### END SOLUTION


rate = check("training.learning_rate", my_rate)

# %%
# eq: 13.1
tiny = networks.build(networks.MLP, seed=0)
watched, rates = training.adam(tiny), []
zeros = datasets.batches(torch.zeros(64, 2), 8, generator=seeded(5))
for _ in training.train(plan, tiny, zeros, steps=40, lr=0.1, warmup=10, optimizer=watched,
                        generator=seeded(6)):
    rates.append(watched.param_groups[0]["lr"])
ours = [rate(n, 0.1, 10, 40) for n in range(1, 41)]
print("the training loop used the same rates:", torch.allclose(*map(torch.tensor, (rates, ours))))
fig = figures.curves(range(1, 41), {"": ours}, xlabel="training step", ylabel="rate", height=2.2)
figures.show(fig, alt="The rate rises along a line for ten steps, and falls to nearly 0.")
print("steps 1, 10, 20, 40:", ", ".join(f"{ours[n - 1]:.4f}" for n in (1, 10, 20, 40)))

# %% [markdown]
# Why should it rise slowly? Look at Adam's formula (12.7) in the *first* step. There $m = g$ and $v = g^2$, so the step is
# $\eta\, g / \sqrt{g^2} = \pm\eta$. **Predict.** A gradient that is a thousand times smaller: how much shorter is Adam's first step?
#
# <details><summary>Answer</summary>
#
# Not at all. Every weight moves by the learning rate, however random its slope is, and however small, as long as it is well above the eps of (12.7). Later steps are shorter, if slopes of different sign cancel in $m$.
#
# </details>

# %%
for scale in (1.0, 0.001):
    w = nn.Parameter(torch.zeros(5))
    optimizer = torch.optim.Adam([w], lr=0.01)
    for step, seed in enumerate((7, 8, 9, 10), start=1):
        before, w.grad = w.detach().clone(), scale * normal_like(w, generator=seeded(seed))
        optimizer.step()
        length = (w - before).detach().abs().mean()
        print(f"gradients times {scale:g}, step {step}: mean move of a weight {length:.4f}")

# %% [markdown]
# (In the figure above, the two factors overlap, so that the highest rate is 0.0880 and not 0.1.) The first step moves each weight by 0.0100, whatever the gradient; the steps after it are shorter. So with a high rate the first steps throw the weights about. Does
# it matter? Forty steps at three rates, with and without warm-up, two seeds each:

# %%
def short_run(seed, *, lr, warmup=0, clip=1.0, steps=40, spoil=None, optimizer=None):
    """The held-out loss after a few steps of 32 digits, at a rate that hardly falls."""
    each, draws = networks.build(networks.UNet, seed=seed, **shape), seeded(seed + 10)
    stream = datasets.batches(train, 32, labels=label, generator=draws)
    if spoil is not None:
        stream = spoil(stream)
    for step in training.train(plan, each, stream, prediction_type="v", steps=1000, lr=lr,
                               warmup=warmup, clip=clip, generator=draws,
                               optimizer=optimizer and optimizer(each.parameters())):
        if step.step == steps:
            return loss_on(each.eval())


# %%
for lr in (3e-3, 1e-2, 3e-2):
    for warmup in (0, 20):
        both = [short_run(seed, lr=lr, warmup=warmup) for seed in (0, 1)]
        print(f"rate {lr:.3f}, warm-up {warmup:2}: held-out loss " +
              " and ".join(f"{each:.3f}" for each in both))

# %% [markdown]
# At the low rate warm-up only *costs*: 0.450 and 0.439 without, 0.485 and 0.488 with it, because half of these steps are shorter. At 0.03 it saves the run: 0.646 and 0.684 become 0.484 and 0.441. So "always warm up" is not a law. It is what makes a high rate
# possible, and in the shipped run, with a warm-up of 300 steps out of 8000, it costs as much as about 150 full steps: 2 %.
#
# ### Clipping
#
# The other guard: a gradient that is longer than $c$ is shortened to it. *Its length* is that of one long vector of all weights' slopes:
#
# $$g \leftarrow g \cdot \min\left(1, \frac{c}{|g|}\right), \qquad |g|^2 = \sum_{\text{all tensors}} \;\sum_{\text{all numbers}} g_i^2. \tag{13.2}$$
#
# ### Exercise 13.2 · Clip a list
#
# `grads` is a list of tensors of any shape, one for each layer; they are not all 0. Return a new list. (Many clip tensor by tensor. That changes the *direction* of the step too.)

# %% tags=["exercise"]
def my_clipped(grads, longest):
    """Return the gradients, all together at most `longest` long."""
    ### BEGIN SOLUTION
    length = math.sqrt(sum(g.square().sum().item() for g in grads))
    return [g * min(1.0, longest / length) for g in grads]
    ### END SOLUTION


clipped = check("training.clipped", my_clipped)

# %%
# eq: 13.2
grads = [normal_like(torch.empty(s), generator=seeded(11)) for s in ((3, 4), (5,))]
theirs = [nn.Parameter(torch.zeros_like(g)) for g in grads]
for p, g in zip(theirs, grads):
    p.grad = g.clone()
length = nn.utils.clip_grad_norm_(theirs, 2.0)
print(f"length before: {length:.3f}; PyTorch's clipping agrees:",
      all(torch.allclose(p.grad, g, rtol=1e-4) for p, g in zip(theirs, clipped(grads, 2.0))))
norms = torch.tensor([line["grad_norm"] for line in log])
print(f"lines of the MNIST log with a mean length above {config.optimizer.clip:g}: "
      f"{int((norms > config.optimizer.clip).sum())} of {len(norms)}; "
      f"last ten {norms[-10:].mean():.3f}")

# %% [markdown]
# So in a healthy run clipping is mostly asleep, as far as means of 50 steps can tell (a single long gradient can hide in them). What is it for? Let one single batch be spoiled: somebody forgot to scale its
# pixels, they go from −255 to 255. **Predict.** Adam divides by the size of the gradient, so its step cannot get long in any case. Does one such batch do harm?

# %%
def unscaled(stream):
    """The 30th batch is 255 times too large."""
    for k, (x, y) in enumerate(stream, start=1):
        yield (255 * x if k == 30 else x), y


for name, options in {"no accident": {}, "accident, clip 1": {"spoil": unscaled},
                      "accident, no clipping": {"spoil": unscaled, "clip": 1e9}}.items():
    both = [short_run(seed, lr=3e-3, steps=60, **options) for seed in (0, 1)]
    print(f"{name:>21}: held-out loss after 60 steps {both[0]:.3f} and {both[1]:.3f}")

# %% [markdown]
# It does: 0.559 and 0.526 instead of 0.394 and 0.386. The step of the accident itself is not long. The likely reason (not taken apart here) is that Adam *remembers*, twice. Its $m$ holds the huge $g$, which fades with 0.9 per step: for the next ten steps or so every step still goes where the spoiled batch pointed. And its $v$ holds a huge $g^2$, which fades with 0.999 only: for a thousand steps and more all other gradients are divided by too much, and the way back is slow. With clipping the
# spoiled batch has no more weight than any other long gradient: 0.396 and 0.388. Clipping protects Adam's memory.
#
# ## 5 · The average
#
# In chapter 11 the average of the weights, $a_n = d\,a_{n-1} + (1-d)\,w_n$, with $w_n$ the weights after step $n$ and $d$ the *decay*, helped as long as the rate was high. What *is* in it? Put the formula into itself:
#
# $$a_n = d^{\,n}\, w_0 + (1-d) \sum_{k=1}^{n} d^{\,n-k}\, w_k. \tag{13.3}$$
#
# ### Exercise 13.3 · What is it made of?
#
# Return the share of $w_0, w_1, \dots, w_n$ in $a_n$, as a float64 tensor of $n + 1$ numbers, oldest first. The average starts as $a_0 = w_0$. (Who forgets the
# start wonders why samples of a young average are gray.)

# %% tags=["exercise"]
def my_past(decay, n):
    """Return (n + 1,) float64: the share of each step's weights in the average."""
    ### BEGIN SOLUTION
    k = torch.arange(n + 1, dtype=torch.float64)
    share = (1 - decay) * decay ** (n - k)
    share[0] = decay**n
    return share
    ### END SOLUTION


past = check("training.ema_weights", my_past)

# %%
# eq: 13.3
w = normal_like(torch.empty(51, dtype=torch.float64), generator=seeded(12))  # w_0 … w_50
a = w[0].clone()
for each in w[1:]:
    a = 0.9 * a + 0.1 * each
print(f"step by step {a:.6f}, by (13.3) {(past(0.9, 50) * w).sum():.6f}")
for decay in (0.9, 0.99, 0.999):
    memory = round(1 / (1 - decay))
    print(f"decay {decay}: the last {memory} of 10,000 steps have a share of "
          f"{past(decay, 10_000)[-memory:].sum():.3f}")
print(f"share of the start after 600 steps: decay 0.999 {past(0.999, 600)[0]:.3f}, "
      f"decay 0.9999 {past(0.9999, 600)[0]:.3f}")

# %% [markdown]
# So a decay of $d$ remembers about $1/(1-d)$ steps: their share is 63 %, that is $1 - 1/e$. And it remembers its start for as long. After 600 steps an average of decay 0.999 consists
# to 55 % of *untrained* weights. That is why `training.EMA` warms up too: at step $n$ it uses $\min\big(d, (1+n)/(10+n)\big)$ for $d$, which is small at first.

# %%
def warmed_up(decay, n):
    """The same shares with the warm-up of `training.EMA`."""
    share = torch.tensor([1.0], dtype=torch.float64)
    for step in range(1, n + 1):
        keep = min(decay, (1 + step) / (10 + step))
        share = torch.cat([keep * share, share.new_tensor([1 - keep])])
    return share


# %%
shares = {"decay 0.999": past(0.999, 600), "decay 0.99": past(0.99, 600),
          "decay 0.999, with warm-up": warmed_up(0.999, 600)}
fig = figures.curves(range(601), shares, xlabel="training step k (0: the start)", log_y=True,
                     ylabel="share in the average", height=2.8, title="after 600 steps")
fig.axes[0].set_ylim(1e-5, 1)
figures.show(fig, alt="For 0.999 a spike at 0, else flat; the others grow toward the end.")
for name, share in shares.items():
    print(f"{name:>25}: start {share[0]:.1e}, steps 1-300 {share[1:301].sum():.2f}, "
          f"steps 301-600 {share[301:].sum():.2f}")

# %% [markdown]
# With the warm-up the start has vanished, although the decay is the same. The rule means: until $d$ is reached, average over about the last ninth of the run, since $1 - (1+n)/(10+n) = 9/(10+n)$. In 600 steps even 0.99 is not reached, $601/610$ being less: so the `average` of section 3 is the third curve, and it would be the same with a decay of 0.999. Does it matter? Here are the three networks that section 3 has kept: the last weights (raw), the `average` with decay 0.99 and warm-up, and the `old average`
# with decay 0.999 and none.

# %%
print("step   held-out loss:  raw  average  old average")
for step, each in kept.items():
    loss = {name: loss_on(net_then) for name, net_then in each.items()}
    print(f"{step:4} {loss['raw']:20.3f} {loss['average']:8.3f} {loss['old average']:12.3f}")
for name in ("raw", "old average", "average"):
    energy = marks[600][1] if name == "average" else judged(kept[600][name])[1]
    print(f"energy distance at step 600, {name}: {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# Early the average lags: 0.587 against 0.566 at step 25. The weights still travel, and an average is where they *were*. From step 100 on it is ahead, at step 600 with 0.237 against 0.244, and its samples are nearer to real ones, 0.016 ± 0.007 against 0.040 ± 0.009. The old average,
# of the same run, is useless: 0.501, with samples at 0.744. "My averaged samples are gray, so averaging does not work" is a complaint that can be found. The average was too young: before you choose $d$, compare $1/(1-d)$ with the length of the run.
#
# ## 6 · Shorter numbers
#
# Numbers of 16 bits need half the room and, on hardware made for them, far less time. There are two formats. Which one keeps what?

# %%
for kind in (torch.float32, torch.float16, torch.bfloat16):
    info = torch.finfo(kind)
    print(f"{str(kind)[6:]:>9}: next number after 1 is 1 + {info.eps:.1e}, largest {info.max:.1e}, "
          f"smallest normal {info.smallest_normal:.1e}")

# %% [markdown]
# The gap above 1 is called *machine epsilon*. float16 has a fine gap and a small range; bfloat16 has the range of float32 and a gap of nearly a hundredth, two to three digits. Between
# the ends of its range a format *rounds* a number $x$ to a neighbor, and
#
# $$|\text{rounded} - x| \le \tfrac12\,\text{epsilon} \cdot |x|. \tag{13.4}$$
#
# **Predict.** Add 1 to a bfloat16 number, 1000 times. Where do you get?

# %%
# eq: 13.4
x = normal_like(torch.empty(100_000, dtype=torch.float64), generator=seeded(13))
x = x[x.abs() > 1e-3]
for kind in (torch.float32, torch.float16, torch.bfloat16):
    worst = ((x.to(kind).double() - x) / x).abs().max() / torch.finfo(kind).eps
    print(f"{str(kind)[6:]:>9}: largest relative error {worst:.3f} epsilon")
for kind, times in ((torch.bfloat16, 1000), (torch.float16, 5000)):
    total = torch.zeros((), dtype=kind)
    for _ in range(times):
        total = total + 1
    print(f"1 added {times} times in {str(kind)[6:]}: {total.item():.0f}")
print("2^24 + 1 is still 2^24 in float32:", (torch.tensor(2.0**24) + 1 == 2**24).item())

# %% [markdown]
# It stops at 256: the next bfloat16 number is 258, and 257 is rounded back (a tie goes to the even neighbor). **A small addend to a large sum vanishes.** Now look at a training step in
# this light: a weight of size 0.1 is moved by a rate of 0.001. And the average moves by $(1 - d)$ of the difference. **Predict.** Which of the two would survive if the weights were kept in bfloat16?

# %%
w = nn.utils.parameters_to_vector(net.parameters()).detach()
state = [adam.state[p] for p in net.parameters()]
m, v = (torch.cat([each[key].flatten() for each in state]) for key in ("exp_avg", "exp_avg_sq"))
bias_m, bias_v = 1 - 0.9**600, 1 - 0.999**600
direction = (m / bias_m) / ((v / bias_v).sqrt() + 1e-8)  # Adam's step is rate times this
bf16 = torch.bfloat16
for lr in (1e-3, 1e-4, 1e-5):
    still = w.to(bf16) - (lr * direction).to(bf16) == w.to(bf16)
    print(f"rate {lr:g}: {still.double().mean():.0%} of the weights would not move in bfloat16")
a = nn.utils.parameters_to_vector(ema.net.parameters())
for decay in (0.9, 0.99, 0.999):
    still = a.to(bf16) + ((1 - decay) * (w - a)).to(bf16) == a.to(bf16)
    print(f"average of decay {decay}: {still.double().mean():.0%} would not move")

# %% [markdown]
# A weight of 0.1 does survive a full step of 0.001: half a gap there is $2^{-12}$, a quarter of that. But slopes of different sign cancel in $m$, so most steps are much shorter than the rate, and larger weights have larger gaps. At a rate of 0.001 half of the weights, 51 %, would stay where they are; at 0.0001, which every cosine passes on its way to 0, 93 %. And an average of decay 0.999 would hardly move at all: 98 % of its numbers are stuck. No error would be raised. The loss would go flat, and
# one would think that training was done.
#
# Therefore **mixed precision**: weights, Adam's memory, average and loss stay in float32; inside the network, convolutions and products take 16-bit copies of weights and inputs. In
# PyTorch that is `autocast`, the one line with `autocast` in the training loop:

# %%
x = test[:4]
with training.autocast("bfloat16", "cpu"):
    inside = net.conv_in(x)
    v_hat = net(x, when[:4], test_label[:4])
print(f"weights {net.conv_in.weight.dtype}, inside {inside.dtype}, answer {v_hat.dtype}")
with torch.no_grad():
    exact = net(x, when[:4], test_label[:4])
print("largest difference of the answers below 0.1:", bool((v_hat - exact).abs().max() < 0.1))
small_one = torch.tensor(1e-8)
scaled = (65536 * small_one).half()  # times 65536, then to float16
print(f"1e-8 in float16: {small_one.half().item():g}; scaled up first, and down afterwards in "
      f"float32: {scaled.item() / 65536:.1e}\n70,000 in float16: {torch.tensor(7e4).half().item()}")

# %% [markdown]
# The last two lines are float16's problems, too small and too large, and a remedy: gradients below $3 \cdot 10^{-8}$ become 0 (chapter 12), so one multiplies the loss by a large number first, the *loss scale*, and divides the
# gradient by it in float32. If the scale is too large, something exceeds 65,504 and becomes infinite; then the step is left out and the scale halved. bfloat16, with its range of float32, needs none of this. It is what
# our configurations ask for: `"auto"` means bfloat16 where the hardware computes in it, float32 elsewhere. (The processor of the shipped run does.)
#
# ## 7 · Stop, and go on
#
# A long run will be interrupted. Going on should give the run that would have been without the interruption: not one that is as good, but the **same**. Anything else cannot be
# tested. Which things change from step to step and cannot be computed from others?
#
# ### Exercise 13.4 · What must be stored?
#
# Settings and seed are in `config.json`. Of what is below, name the letters that must be stored as well, as in `"AD"`. In our loop the learning rate follows from (13.1), and
# the order of the pictures from the seed: `datasets.batches(..., start=n)` leaves out the first n batches.
#
# - A: the weights
# - B: their average
# - C: Adam's $m$ and $v$
# - D: the gradient of the last step
# - E: the states of the generators that draw times, hidden labels, and noise
# - F: the number of steps done
# - G: the learning rate of the last step
# - H: the pictures of the last batch

# %% tags=["exercise"]
my_needed = ...
### BEGIN SOLUTION
my_needed = "ABCEF"
### END SOLUTION
needed = check("training.checkpoint", my_needed)

# %%
sizes = {"weights": 1, "average": 1, "Adam's m": 1, "Adam's v": 1}  # in sizes of the network
print(f"to be stored: {', '.join(sorted(needed.upper()))}; numbers: {sum(sizes.values())} times "
      f"those of the network, and a little")
stored = [(home_path / "whole" / f"{name}.safetensors").stat().st_size for name in ("run", "net")]
print(f"run.safetensors / net.safetensors: {stored[0] / stored[1]:.1f}")


def distance(a, b):
    """The largest difference of any weight, in the networks and in their averages."""
    pairs = zip([*a.net.parameters(), *a.ema.net.parameters()],
                [*b.net.parameters(), *b.ema.net.parameters()])
    return max((p - q).abs().max().item() for p, q in pairs)


# %% [markdown]
# Now the test. The run of section 1 did 120 steps in one go. Do 60, leave (its state is then stored), come back with nothing but the folder, and do the other 60.

# %%
left = trainer.train(small, home_path / "parted", on_step=lambda step: step.step == 60)
shutil.copytree(home_path / "parted", home_path / "half")  # for later
went_on = []
again = trainer.train(small, home_path / "parted", on_step=went_on.append)
print(f"stopped at step {left.step}, ended at step {again.step}")
print(f"largest difference from the run in one go: {distance(whole, again)}")
logs = (training.read_log(home_path / name) for name in ("whole", "parted"))
in_one_go, in_parts = ([line["loss"] for line in log] for log in logs)
print("same log, loss by loss:", in_one_go == in_parts)

# %% [markdown]
# Exactly 0.0: not a bit differs. (On a CPU. A GPU adds numbers in an order of its own, and repeats a run up to rounding.) Now store carelessly. **Predict.** What does more harm: to forget Adam's
# memory, the generators, or the average?

# %%
def forget(run, part):
    """The stored run without one of its parts, as a careless program would bring it back."""
    fresh = trainer.init(small)
    changed = {"Adam's memory": {"optimizer": fresh.optimizer},
               "the generators": {"generators": fresh.generators},
               "the average": {"ema": training.EMA(run.net, small.optimizer.ema)}}
    return run._replace(**changed[part])


results = {"nothing": (again, went_on)}
for part in ("Adam's memory", "the generators", "the average"):
    folder = shutil.copytree(home_path / "half", home_path / part)
    state, after = folder / "run.safetensors", []
    training.save_run(state, forget(training.load_run(state), part))
    results[part] = trainer.train(small, folder, on_step=after.append), after

# %%
for part, (run, after) in results.items():
    jolt = sum(s.loss - e.loss for s, e in zip(after[:10], went_on)) / 10
    print(f"forgot {part:>14}: weights off by up to {distance(whole, run):.3f}, loss of the next "
          f"10 steps {jolt:+.3f}, held-out loss at the end {loss_on(run.ema.net):.3f}")
start = []
trainer.train(small, home_path / "start",
              on_step=lambda step: start.append(step.t) or len(start) == 60)
same = sum(torch.equal(a, s.t) for a, s in zip(start, results["the generators"][1]))
print(f"forgot the generators: {same} of 60 steps draw the same times as 60 steps before")

# %% [markdown]
# Without its memory Adam takes bold steps again: the loss of the next ten steps is 0.013 higher. At the end nearly all is made up for, 0.374 against 0.370. Without the generators' states the run draws the same times and noise a second time; it ends at 0.371. Without the average, at
# 0.368. Differences of this size come from another seed too: two seeds of section 4 differ by 0.008. That is the trouble: **a careless resume cannot be seen in the loss**. It is seen at once in the test above, which asks for 0.0.
#
# The generators look harmless here. They are not, if a run is interrupted often. Suppose a cheap machine stops every 20 steps, and the order of the pictures starts again each time:

# %%
number = torch.arange(len(train), dtype=torch.float32)[:, None]  # each digit's number
for name, restart in (("goes on", 10_000), ("starts again every 20 steps", 20)):
    met, stream = set(), None
    for step in range(200):
        if step % restart == 0:
            stream = datasets.batches(number, 32, generator=seeded(14))
        met |= set(next(stream).flatten().int().tolist())
    print(f"200 steps of 32, the order {name}: {len(met)} of {len(train)} digits were seen")

# %% [markdown]
# The run that starts again sees 640 of 896 digits over and over, and never the others. Its own loss would not warn you: it is about the digits it knows. And no error is raised.
#
# ### A file that is whole or not there
#
# What if the power fails *while* the state is written? Then the old state is gone and the new one is torn. The remedy is old: write a *draft* beside it, and when all of it is on the disk, give it
# the name. Renaming is *atomic*: the operating system does it entirely or not at all.

# %%
figures.show_source(training.write_whole)

# %%
good = home_path / "whole" / "net.safetensors"
before = good.read_bytes()
torn = home_path / "torn.safetensors"
torn.write_bytes(before[: len(before) // 2])  # half a file: what a power cut leaves
try:
    training.load(torn)
except ValueError as error:
    print(str(error).split("; got")[0])
with mock.patch("os.fsync", side_effect=OSError("the disk is full")):  # an accident while writing
    try:
        training.write_whole(good, b"something new")
    except OSError as error:
        print("while writing:", error)
print("the old file is unharmed:", good.read_bytes() == before)
print("drafts left behind:", len(list(good.parent.glob("*.part"))))

# %% [markdown]
# Half a file is recognized: the header says how long the file must be, and a checksum covers the content. And an accident while writing leaves the old file as it was.
#
# ### Why not pickle?
#
# Python's own format for storing objects, *pickle*, is what many checkpoints (`.pt`, `.pth`, `.ckpt`) are made of. **Predict.** What can happen when you *open* a pickle that somebody sent you?

# %%
class Gift:
    """An object that tells pickle how to bring it back: call this function with these arguments."""

    def __reduce__(self):
        return print, ("this line was printed by the file, while it was being opened",)


stored = pickle.dumps(Gift())
_ = pickle.loads(stored)
header = json.loads(before[8 : 8 + int.from_bytes(before[:8], "little")])
print("safetensors: a list of", len(header) - 1, "tensors with kind, shape and place; for instance")
print(header["conv_in.weight"])

# %% [markdown]
# Anything. This one only prints. It could as well have sent your files away: opening a pickle *runs* it. (PyTorch's `torch.load(..., weights_only=True)`, the default since version 2.6, refuses such
# files.) A safetensors file is a JSON header and numbers: nothing in it can be run. Whatever else is to be remembered, such as the settings, goes into JSON.
#
# ## 8 · One batch, several processes
#
# Four processors can share the work of a batch. Each holds a copy of the network, takes its share of the batch, and computes the gradient of *its* mean loss. Let share $k$ have $B_k$ of the $B$ items, and let
# $g_k = \frac{1}{B_k} \sum_{i \in \text{share } k} \nabla \ell_i$ be its gradient. We want that of the mean loss of all $B$ items. If all shares are equal, it is the plain mean of the $g_k$: that is what PyTorch's `DistributedDataParallel` computes, after each backward pass, and all copies then take the same step.
#
# ### Exercise 13.5 · Shares that are not equal
#
# `grads` is a list of tensors $g_k$, `counts` the list of the $B_k$. Return the gradient of the whole batch's mean loss. The gradient of a sum is the sum of the gradients: how much of that sum is in each $g_k$? (It happens by accident: 100 items among 3 processes, or the last batch of an epoch.)

# %% tags=["exercise"]
def my_joined(grads, counts):
    """Return the gradient of the mean loss of all items."""
    ### BEGIN SOLUTION
    return sum(count / sum(counts) * g for g, count in zip(grads, counts))
    ### END SOLUTION


joined = check("training.data_parallel", my_joined)

# %% [markdown]
# Undo each mean, add up, and take the mean of all:
#
# $$\nabla \frac1B \sum_{i=1}^{B} \ell_i = \frac1B \sum_k \sum_{i \in \text{share } k} \nabla \ell_i = \sum_k \frac{B_k}{B}\, g_k. \tag{13.5}$$

# %%
def gradient(each, rows, draws, part=slice(None)):
    """The gradient of the mean loss of these digits, or of a part of them, as one long vector."""
    t = torch.randint(1, 1001, (len(rows),), generator=draws)  # drawn for all rows, see below
    eps = normal_like(train[rows], generator=draws)
    told = partial(each, label=label[rows][part])
    loss = losses.simple(plan, told, "v", train[rows][part], t[part], eps[part]).mean()
    return nn.utils.parameters_to_vector(torch.autograd.grad(loss, [*each.parameters()]))


# %%
# eq: 13.5
batch_norm = networks.build(networks.UNet, seed=0, norm="batch", **shape)
batch_norm.load_state_dict(net.state_dict(), strict=False)  # the same weights, another norm
rows = torch.arange(64)
for name, each in (("group norm", net), ("batch norm", batch_norm.train())):
    all_of_it = gradient(each, rows, seeded(15))
    for counts in ((16, 16, 16, 16), (48, 12, 4)):
        grads = [gradient(each, rows, seeded(15), share) for share in rows.split(counts)]
        off = [((g - all_of_it).norm() / all_of_it.norm()).item()
               for g in (sum(grads) / len(grads), joined(grads, counts))]
        print(f"{name}, shares {counts}: plain mean off by {off[0]:.1%}, (13.5) by {off[1]:.1%}")

# %% [markdown]
# For group norm (13.5) is exact, and for equal shares so is the plain mean. For unequal ones the plain mean is off by 68.1 %: an item in the share of 4 counts twelve times as much as one in the share of 48. For batch norm nothing is exact, 4.9 % and 6.5 %: its means are over a
# *share*, so an item's loss depends on which others share its processor, and (13.5) begins with a loss that is a sum over items. One more reason for group norm.
#
# In `training.train` every process draws the *whole* batch, its times and its noise, from generators with the same seed, and takes every fourth row. So four processes do the run of one process, up to rounding. (Drawing is
# cheap next to the network.) And a batch that cannot be shared equally is refused:

# %%
figures.show_source(loop._shard)
try:
    with mock.patch("ddpm_lab.training.trainer._rank", return_value=(0, 3)):  # one of three
        trainer.train(small, home_path / "refused")
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# Who starts four processes? `torchrun`, which comes with PyTorch. It runs the same command four times, tells each copy its number in an environment variable (`RANK`, 0 to 3), and ends all if one fails:
#
#     torchrun --nproc-per-node=4 -m ddpm_lab train --config digits --out runs/digits
#
# The course's tests do this with two processes on the CPU, and compare with one.
#
# ### What a larger batch buys
#
# With more processors one may also take a larger batch. A batch's gradient is a mean over $B$ independent items, so around the mean gradient $g$ of all data it scatters with
#
# $$E\,\big|g_B - g\big|^2 = \frac{V}{B}, \qquad V \text{: the scatter of a single item's gradient}. \tag{13.6}$$

# %%
# eq: 13.6
for size, times in ((8, 200), (32, 100), (128, 50)):
    draws = seeded(size)
    each = torch.stack([gradient(net, torch.randint(len(train), (size,), generator=draws), draws)
                        for _ in range(times)])
    mean = each.mean(0)
    scatter = (each - mean).square().sum(1) * times / (times - 1)  # n - 1: see chapter 03
    error = size * scatter.std() / math.sqrt(times)
    print(f"batch {size:3}: scatter {scatter.mean():.3f}, times the batch "
          f"{size * scatter.mean():.2f} ± {error:.2f}; squared length of the mean gradient "
          f"{mean.square().sum():.2f}")

# %% [markdown]
# The product is the same for all three within the errors, 3.63 ± 0.22, 3.36 ± 0.16 and 3.49 ± 0.18. In a batch of 8 the scatter, 0.454, is about four times the squared length of the mean gradient, 0.12: where a single step goes is mostly chance (for this network, after 600 steps; it differs along a run). In a batch of 128 it is
# 0.027, and the mean wins. Four times the batch is four times the work for a quarter of the scatter. So a larger batch pays, together with a higher rate, as long as the scatter is the larger of the two; after that, more steps are the better use of the same work.
#
# ## 9 · How long will it take?
#
# Nearly all work of a U-Net is in its convolutions. To make one number, a convolution multiplies and adds once for each channel that enters and each point of its kernel.
#
# ### Exercise 13.6 · Count
#
# How many multiplications does a convolution take for one picture? `enter` channels come in, `leave` go out, the kernel is `kernel` × `kernel`, the result `height` × `width`. Forget the bias. (This number decides about minutes or days.)

# %% tags=["exercise"]
def my_work(enter, leave, kernel, height, width):
    """Return the number of multiplications for one picture."""
    ### BEGIN SOLUTION
    return height * width * leave * enter * kernel**2
    ### END SOLUTION


work = check("training.multiplications", my_work)

# %% [markdown]
# A hook counts it for every convolution of a network. A training step also needs the gradients, with respect to the inputs and to the weights of each layer: two more products of the same size, so three times the work in all. With $k$ the kernel, $C$ the numbers of channels and $H' \times W'$ the result's grid:
#
# $$\text{work of a run} \approx 3 \cdot \text{steps} \cdot \text{batch} \cdot \sum_{\text{convolutions}} H'\,W'\,C_\text{out}\,C_\text{in}\,k^2. \tag{13.7}$$

# %%
def work_of(settings, side):
    """Multiplications of all convolutions for one picture of side x side pixels."""
    each, total = networks.build(networks.UNet, seed=0, **settings), []

    def count(layer, inputs, out):
        total.append(work(layer.in_channels, layer.out_channels, layer.kernel_size[0],
                          *out.shape[2:]))

    for layer in each.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        each(torch.zeros(1, 1, side, side), torch.tensor([1]))
    return sum(total)


# %%
# eq: 13.7
one = networks.build(networks.UNet, seed=0, **config.net.settings())
with FlopCounterMode(display=False) as counter:  # PyTorch's own count, both ways
    one(torch.zeros(1, 1, 32, 32), torch.tensor([1])).sum().backward()
counted = counter.get_total_flops() / 2  # it counts a multiplication and an addition as two
print(f"PyTorch counts {counted / work_of(config.net.settings(), 32):.2f} times the work of the "
      f"convolutions one way; (13.7) says 3")

# %%
gpu = training.read_config(pretrained.FOLDER.parent / "configs" / "mnist_gpu.json")
for name, each in (("shipped run", config), ("mnist_gpu.json", gpu)):
    per_picture = work_of(each.net.settings(), 32)
    print(f"{name:>14}: {per_picture / 1e6:,.0f} million multiplications per picture, "
          f"{3 * each.steps * each.batch * per_picture / 1e15:.2f} · 10^15 in all")
total = 3 * card["step"] * config.batch * work_of(config.net.settings(), 32)
speed = total / card["seconds"]
print(f"the shipped run did {speed / 1e9:.0f} billion multiplications a second; at that speed "
      f"mnist_gpu.json takes {3 * gpu.steps * gpu.batch * per_picture / speed / 3600:.0f} hours")

# %% [markdown]
# (PyTorch's own count includes the few linear layers, and says 2.98: nobody needs the gradient with respect to the first picture.) With `mnist_gpu.json` a picture takes 12 times as many multiplications as in the shipped run, and it sees 5 times as many pictures: about 60 times as many in all. At the speed of our one core, which
# had other work too, that would be 45 hours. It is meant for a GPU. What made the shipped run affordable is pixel-unshuffle (chapter 12): a quarter of the points.
#
# Use such an estimate with care. The multiplications per second on a data sheet are hardly ever reached, so take a rate that you have measured with a network of the same kind. And a data point such as one from a note, "128 × 128 faces, batch 64, one card of 24 GB: half a day to first results, three days to
# good ones", cannot be carried over without the network and the number of steps. Only this much is sure: 128 × 128 pixels are 16 times as many as 32 × 32, so the *same* network has 16 times the work in its convolutions for a picture (and more in attention).
#
# ### Exercise 13.7 · When will it be done?
#
# Two lines of a log, each a pair (step, seconds), tell how fast a run is *now*. Return three numbers: pictures a second between the two lines; how often the run has gone through all `pictures` of the data at
# the later line; seconds that are left until step `steps`. (Is it worth waiting for?)

# %% tags=["exercise"]
def my_left(earlier, later, steps, batch, pictures):
    """Return (pictures a second, passes through the data, seconds left)."""
    ### BEGIN SOLUTION
    per_second = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return per_second * batch, later[0] * batch / pictures, (steps - later[0]) / per_second
    ### END SOLUTION


left_of = check("training.time_left", my_left)

# %%
lines = [(line["step"], line["seconds"]) for line in log]
for earlier, later in (lines[3:5], (lines[n // 2 - 10], lines[n // 2])):
    speed, passes, more = left_of(earlier, later, config.steps, config.batch, 60_000)
    print(f"at step {later[0]:,}: {speed:.0f} pictures a second, {passes:.1f} passes, another "
          f"{more / 60:.0f} minutes; it took {(lines[-1][1] - later[1]) / 60:.0f}")
speed, _, _ = left_of((0, 0), (21, 1), 800_000, 128, 50_000)
print(f"[Ho20], 21 steps of 128 a second: {speed:,.0f} pictures a second, "
      f"800,000 steps in {800_000 / 21 / 3600:.1f} hours")

# %% [markdown]
# At step 250 the answer is 22 more minutes, at half-time 12; it took 43 and 29. Your function is right: it says how long *if it goes on like this*. It did not, because the machine was given other work. Look at the rate again from time to time. (The numbers of [Ho20] fit together: 10.6 hours is what the paper reports.)
#
# ### What changes on a GPU
#
# One command and another configuration:
#
#     python -m ddpm_lab train --config mnist_gpu --out runs/mnist
#
# We had no GPU, so nothing about its speed is claimed here. To know yours, let it run for 200 steps, and put two lines of `runs/mnist/log.jsonl` into your function. What is different:
#
# - **All data live on the device**, 60,000 pictures of 4 kB. No batch travels while training, and the noise is drawn there too, by a generator of its own.
# - **bfloat16** (section 6), for which the hardware has special units.
# - **Channels last**: the same numbers in another order in memory, all channels of a pixel side by side, which those units like.
# - `--compile` lets PyTorch fuse many small operations into few large ones. The first steps then take a minute.
# - **Large batches**: a GPU does nothing else while a small batch keeps only a part of it busy.
# - **Not bit by bit**: sums are added in any order. A resumed run is as good, not the same.

# %%
x = torch.arange(24.0).reshape(1, 2, 3, 4)  # 2 channels of 3 x 4 pixels
y = x.to(memory_format=torch.channels_last)
print("the same picture:", torch.equal(x, y))
print("distance in memory from a number to the next channel, row, column:",
      x.stride()[1:], "and channels last", y.stride()[1:])
print("MNIST in memory, float32, 32 x 32:", f"{60_000 * 32 * 32 * 4 / 1e6:.0f} MB")

# %% [markdown]
# ## 10 · Go on yourself
#
# In section 3 we left a run at step 600 of 1000. You have all that is needed to go on: weights, average, Adam's memory, generator, step. Raise `seconds` to 60 and see whether it still improves. (The number
# of steps is computed from `seconds` for a slow core, so that everybody gets the same run; yours may be done sooner. If you raise it, the cosine of (13.1) is stretched, and the rate goes *up* again at first.)

# %%
seconds = 10  # you may raise this to 60
device = "cuda" if torch.cuda.is_available() else "cpu"
steps_more = 40 * seconds
state = training.Run(net, ema, adam, {"all": rng}, 600, {})
run = training.load_run(training.save_run(home_path / "mine.safetensors", state), device)
goes_on = datasets.batches(train.to(device), 64, labels=label.to(device),
                           generator=seeded(16))  # a new order; once it does no harm
*_, last = training.train(plan, run.net, goes_on, prediction_type="v", steps=600 + steps_more,
                          lr=5e-3, warmup=50, ema=run.ema, optimizer=run.optimizer, start=600,
                          generator=run.generators["all"])
after = judged(run.ema.net.cpu())
print(f"{steps_more} more steps, to step {last.step}")

# %%
before = marks[600]
x = torch.cat([before[2], after[2], test[:10]])
fig = figures.images(x, columns=10, panel=0.62, row_labels=["step 600", "now", "real digits"])
figures.show(fig, alt="Digits before and after more steps, from the same noise; and real ones.")
for name, (loss, energy, _) in (("step 600", before), ("now", after)):
    print(f"{name:>8}: held-out loss {loss:.3f}, energy distance {energy.value:.3f} "
          f"± {energy.stderr:.3f}")
print(f"real training digits: energy distance {floor.value:.3f} ± {floor.stderr:.3f}")

# %% [markdown]
# A little better: 0.232 against 0.237. The energy distance, 0.009 ± 0.006 against 0.016 ± 0.007, moved by 0.007, no more than its errors; 400 samples cannot show more. Chapter 14 is about that. How much of this is due to the extra steps, and how much to the fall of the rate to 0, this run cannot say: it has both.
#
# ## Optional: LAMB
#
# A note recommends "LAMB with $10^{-3}$, or Adam with $10^{-4}$". LAMB is Adam with one more idea: in each layer the step is scaled so that its length is the rate times the length of the layer's *weights*. So every layer
# changes by the same percentage. It was made for batches of many thousands. In fifteen lines:

# %%
class Lamb(torch.optim.Optimizer):
    """Adam's direction; in each tensor its length becomes lr times that of the weights."""

    def __init__(self, weights, lr):
        super().__init__(weights, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in filter(lambda p: p.grad is not None, group["params"]):
                m, v, n = self.state[p].get("seen", (0 * p, 0 * p, 0))
                m, v, n = 0.9 * m + 0.1 * p.grad, 0.999 * v + 0.001 * p.grad**2, n + 1
                self.state[p]["seen"] = m, v, n
                u = (m / (1 - 0.9**n)) / ((v / (1 - 0.999**n)).sqrt() + 1e-6)
                ratio = p.norm() / u.norm() if p.any() and u.any() else 1.0
                p -= group["lr"] * ratio * u


# %%
# claim: E23
makers = {"Adam": torch.optim.Adam, "LAMB": Lamb}
for name, maker in makers.items():
    for lr in (1e-4, 1e-3, 1e-2):
        loss = short_run(0, lr=lr, optimizer=partial(maker, lr=lr))
        print(f"{name} at rate {lr:g}: held-out loss after 40 steps {loss:.3f}")

# %% [markdown]
# The two recommended settings, Adam with $10^{-4}$ and LAMB with $10^{-3}$, have 0.766 and 0.835 after 40 steps: both are far too careful for a run that short. Of the rates tried here the best is $10^{-2}$ for both, where Adam has 0.466 and LAMB 0.555. That is the edge of what was tried, so the true best may be higher. At ten times the rate LAMB comes near Adam (0.555 at $10^{-2}$ against 0.509 at $10^{-3}$, and 0.835 against 0.766), which fits the note's pair; here it gains nothing. (One seed, 40 steps, batches
# of 32. Nothing follows from that for the batches of thousands that LAMB was made for.)
#
# ## Recap
#
# A run is its configuration and its state. Part of the log's loss is a floor, and how much is not known: judge by held-out loss time by time, and by samples, which improve long after the curve looks flat. Warm-up and clipping are guards against rare
# or early accidents; an average of $1/(1-d)$ steps gives at any time what a falling rate gives at the end. Short numbers inside the network, long ones where small steps are added up. Store weights, average,
# Adam's memory, generators and step, and a run can be stopped anywhere: the difference is exactly 0. Equal shares make a mean of gradients right. And before you start, multiply: steps, batch, work per picture.
#
# **One formula to keep**
#
# $$\text{seconds} \approx \frac{3 \cdot \text{steps} \cdot \text{batch} \cdot \text{multiplications per picture}}{\text{multiplications per second}}$$
#
# **Popular claims, checked**
#
# | often said | better | shown above |
# |---|---|---|
# | the loss is flat, so training is done | what is left to learn can be small beside the floor; samples show it better | loss by a quarter, energy distance to a quarter |
# | always warm up | it allows a higher rate; at a low one it costs | 0.646 to 0.484; 0.450 to 0.485 |
# | Adam needs no clipping | one spoiled batch stays in its memory | 0.559 against 0.396 |
# | averages give better samples | if they are not too young, and not too early | 0.016 and 0.744 |
# | 16 bits are enough for everything | not for weights, averages, and sums | 93 % stuck; 256 |
# | fixed seeds make a resume exact | the generators' states, Adam's memory and the step must be stored | 60 of 60 draws repeated |
# | a careless resume shows | not in the loss | 0.374 against 0.370 |
# | average the processes' gradients | only if the shares are equal, and not with batch norm | 68.1 %, 4.9 % |
# | LAMB with 1e-3, Adam with 1e-4 | no rate is good for all; try ten-fold steps | 0.835, 0.766; 0.466 at 1e-2 |
#
# **Exercises:** 13.1 `training.learning_rate` · 13.2 `training.clipped` · 13.3 `training.ema_weights` · 13.4 `training.checkpoint` · 13.5 `training.data_parallel` · 13.6 `training.multiplications` · 13.7 `training.time_left`
#
# **To think about.** Four processes, and the second one draws *other* noise than the first for the same rows, because its seed differs. Is the gradient wrong? (No: it is a fair gradient with other noise. But four processes then no longer repeat the
# run of one, and a mistake in the sharing cannot be seen any more.)
#
# **Before:** [12 · How to denoise images?](12_unet.ipynb) · **Next:** [14 · How good is it, honestly?](14_measuring.ipynb)
#
# **Read on:** [Ho20] Appendix B for the settings of the paper. Kingma and Ba 2015 for Adam, You et al. 2020 for LAMB, Polyak and Juditsky 1992 for averaging, Micikevicius et al. 2018 for mixed precision, Goyal et al. 2017 for warm-up and large
# batches.
