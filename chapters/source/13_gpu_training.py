# %% [markdown]
# # 13 · How do you train at scale?
#
# In chapter 12 you trained a small network for less than half a minute. The network that drew the digits below was
# trained for an hour and a half, and the networks in the papers were trained for hours or days. A long run raises
# questions that a short one does not: is it still improving? What if the machine is taken away halfway? Can it run in
# 16 bits, or on four processors, and still be the *same* run?
#
# **After this chapter you can**
#
# - read a training log, and say what a loss shows and what it hides,
# - say what warm-up, gradient clipping and weight averaging do, and what happens without them,
# - tell which numbers survive in 16 bits,
# - stop a run and resume it *bit for bit*,
# - split a batch among several processes without changing the run.
#
# **You need** [11](11_learning_to_denoise.ipynb) (the training loop, the irreducible part of a loss, the average
# of the weights) and the U-Net of [12](12_unet.ipynb) with Adam. No GPU is needed.
#
# **Time:** about {road} minutes; the detours, which nothing later needs, add {detours}. The notebook runs in about
# a minute.
#
# **For what comes next:** chapters 14 to 15b use the network and the model card of the first two sections, and
# nothing else.
#
# **In the papers:** [Ho20] Appendix B; [HS22] for label dropout.

# %%
import copy
import math
import shutil
import tempfile
from functools import partial
from pathlib import Path

import torch
from torch import nn

from ddpm_lab import datasets, losses, metrics, networks, schedules, training
from ddpm_lab.course import figures, gpu_run
from ddpm_lab.course.exercises import check, hint, solution
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import DataConfig, OptimizerConfig, RunConfig, UNetConfig
from ddpm_lab.training import data, loop, models, pretrained, trainer

mnist = pretrained.load("mnist")
card, log = pretrained.model_card("mnist"), pretrained.training_log("mnist")
config = mnist.config

# %% [markdown] topics="C155 C156"
# ## A first look: what came out
#
# The course comes with a **pretrained model**: a network whose trained weights you can load and use. Sampling from
# it needs no data and no GPU. Column by column we ask for a 0, a 1, and so on up to 9.

# %%
wanted = torch.arange(40) % 10
made = models.sample(mnist, 40, label=wanted, steps=20, generator=seeded(0))
fig = figures.images(made, columns=10, panel=0.62, titles=[str(digit) for digit in range(10)])
figures.show(fig, alt="Ten columns of four handwritten digits; each shows what was asked for.")
judge = training.load(pretrained.path("features_mnist"))[0]  # a classifier of digits
read_as = metrics.accuracy(judge, made, wanted).value
print(f"read by a classifier as what was asked for: {40 * read_as:.0f} of 40")
print(f"weights: {sum(p.numel() for p in mnist.net.parameters()):,}, steps: {mnist.step:,}")

# %% [markdown]
# The classifier reads all 40 as the digit we asked for.
#
# This is the network of chapter 12, made larger and trained longer, by the same regression on noisy images, with
# *one* network for all times. Because it removes noise of any strength, it is sometimes called a *universal
# denoiser*. It takes $t$ as an input, and the label in the same way: each label has a learned vector, which is added
# to the time embedding and so reaches every block. During training one label in four is replaced by an eleventh, the
# **null label**, which means "not given". This **label dropout** lets the same network also draw digits without a
# given label; chapter 15b needs both.

# %% [markdown]
# ## 1 · What a run leaves behind
#
# Here is a very small run, 120 steps on 8 × 8 digits. Everything that determines its result is in one object, its
# *configuration*.

# %%
small = RunConfig(data=DataConfig("digits"), net=UNetConfig(width=16, mults=(1, 2), labels=10),
                  optimizer=OptimizerConfig(lr=3e-3, warmup=10, ema=0.99), steps=120, batch=32,
                  precision="float32", log_every=20, save_every=60, samples_every=0)
home = tempfile.TemporaryDirectory()  # deleted when the notebook ends
home_path = Path(home.name)
whole = trainer.train(small, home_path / "whole")
for name in ("config.json", "log.jsonl", "net.safetensors", "run.safetensors"):
    size = (home_path / "whole" / name).stat().st_size
    print(f"{name:>16}: {'less than 0.01' if size < 1e4 else f'{size / 1e6:.1f}'} MB")
first = training.read_log(home_path / "whole")[0]
print("first line of the log:", {name: round(first[name], 3) for name in list(first)[:3]})
print("and:", ", ".join(list(first)[3:]))

# %% [markdown]
# - `config.json` says what was asked for: data, schedule, network, learning rate, seed. The same file gives the
#   same run.
# - `log.jsonl` says what happened, with one line for every 20 steps.
# - `net.safetensors` holds the network with averaged weights, which is all that sampling needs.
# - `run.safetensors` is the **checkpoint**: everything that is needed to *continue*. Section 7 explains why it is
#   four times as large.
#
# The run behind the first figure left the same files. The course ships them with a **model card**, a short record
# of what was trained, on what data and on which machine, and of how well it does.

# %%
facts = {"device": card["device"], "machine": card["machine"], "steps": card["step"],
         "batch": config.batch, "images seen": card["step"] * config.batch,
         "minutes": round(card["seconds"] / 60),
         "images per second": round(card["step"] * config.batch / card["seconds"])}
for name, value in facts.items():
    print(f"{name:>17}: {value:,}" if isinstance(value, int) else f"{name:>17}: {value}")

# %% [markdown]
# So this network was trained on a *CPU*, in 93 minutes. The last number is the **throughput**: 183 images per
# second. Section 9 says what changes on a GPU.

# %% [markdown]
# ## 2 · What the loss shows
#
# **Predict.** Compare the loss halfway through the run with the loss at its end. By how much did it fall in the
# second half: by half, by a tenth, by a hundredth?

# %%
steps = [line["step"] for line in log]
loss = torch.tensor([line["loss"] for line in log])
fig, axes = figures.new(1, 2, height=3)
for ax, start, title in zip(axes, (0, 40), ("means of 50 steps", "the same, from step 2000 on")):
    figures.curves(steps[start:], {"": loss[start:]}, ax=ax, xlabel="training step",
                   ylabel="loss of v", title=title, log_y=start == 0)
figures.show(fig, alt="The loss falls steeply for 1000 steps, then falls slowly, hidden by jitter.")
n = len(log)
parts = {"first line": loss[:1], "around step 1000": loss[15:25],
         "around half-time": loss[n // 2 - 5 : n // 2 + 5], "last ten lines": loss[-10:]}
for name, part in parts.items():
    print(f"{name:>16}: {part.mean():.4f}")
jitter = (loss[n // 2 :].diff().std() / math.sqrt(2)).item()  # a difference has twice the variance
print(f"jitter of one line in the second half: {jitter:.4f}")

# %% [markdown]
# The loss fell by less than a tenth, from 0.0848 to 0.0785. Most of the total decrease came in the first 1000 steps, from
# 0.7854 to 0.1070. After that the curve looks flat on the left; on the right you see that it still decreases, beneath
# its jitter. One line of the log is a mean over 3200 images and still jitters by 0.0011, so comparing two neighboring
# lines tells you nothing.
#
# ### Range by range of t
#
# The log also has the mean loss in ten ranges of $t$, and the model card has the loss on 1000 *held-out* images, also
# range by range. (Here and below, ± is a standard error.)

# %%
def per_t(rows):
    """Mean loss in the ten ranges of t over these lines of the log."""
    return torch.tensor([line["loss_per_t"] for line in rows]).mean(0)


early, half, end = per_t(log[4:8]), per_t(log[n // 2 - 5 : n // 2 + 5]), per_t(log[-10:])
fig = figures.curves(range(50, 1000, 100), {"steps 201-400": early, "half-time": half, "end": end},
                     xlabel="time t, steps (middle of a range)", ylabel="loss of v", height=2.8)
figures.show(fig, alt="High at both ends of t, low between; at small t it still falls at the end.")
print("range of t    early  half-time     end   end / half-time        held-out")
for k, row in enumerate(card["metrics"]["loss_per_t"]):
    print(f"{100 * k + 1:4}-{100 * k + 100:4} {early[k]:9.3f} {half[k]:10.3f} {end[k]:7.3f} "
          f"{end[k] / half[k]:17.3f}  {row['value']:.3f} ± {row['stderr']:.4f}")

# %% [markdown]
# One network serves all times, but it does not learn them at the same pace. The loss is high at both ends. At small
# $t$, v is mostly the noise, which can hardly be seen in $x_t$; at large $t$ it is mostly the image, which can hardly
# be seen either. At $t > 900$ the second half of the run multiplied the loss by 0.979: most of what is left is
# probably irreducible. At $t \le 100$ the factor is 0.797, from 0.122 to 0.097. The network was still learning the
# finest details long after the total loss had begun to look flat.
#
# In no range is the held-out loss significantly above that of the log, so there is no sign of overfitting. (A small
# gap could be hidden, because the held-out loss is computed with averaged weights and all labels, which makes it a
# little lower.)

# %% [markdown]
# ## 3 · A flat curve, and samples that keep improving
#
# If the loss has looked flat for a long time, is the network fully trained? Let us follow the loss of a run *and its
# samples*, on 8 × 8 digits, where that takes seconds. At some steps we keep a copy of the network (raw) and of two
# averages of its weights, which section 5 compares.

# %%
schedule, (train, label) = schedules.cosine(), datasets.digits("train")
test, test_label = datasets.digits("test")
when = torch.randint(1, 1001, (len(test),), generator=seeded(1))
noise = normal_like(test, generator=seeded(2))
shape = {"width": 16, "mults": [1, 2], "labels": 10}


def loss_on(net):
    """Mean loss of v on the 901 held-out digits, always with the same times and noise."""
    with torch.no_grad():
        conditional = partial(net, label=test_label)
        return losses.simple(schedule, conditional, "v", test, when, noise).mean().item()


# %%
net, rng = networks.build(networks.UNet, seed=0, **shape), seeded(3)
adam, ema, plain = training.adam(net), training.EMA(net, 0.99), copy.deepcopy(net)
seen, kept = [], {}
batches = datasets.batches(train, 64, labels=label, generator=rng)
run = training.train(schedule, net, batches, prediction_type="v", steps=1000, lr=5e-3, warmup=50,
                     ema=ema, optimizer=adam, generator=rng)
for _, step in zip(figures.track(range(600), "steps"), run):  # 400 are left for later
    with torch.no_grad():  # decay 0.999 from the first step on, without a warm-up
        torch._foreach_lerp_([*plain.parameters()], [*net.parameters()], 1 - 0.999)
    seen.append(step.loss)
    if step.step in (25, 50, 100, 200, 400, 600):
        nets = {"raw": net, "average": ema.net, "plain average": plain}
        kept[step.step] = {name: copy.deepcopy(each).eval() for name, each in nets.items()}

# %% [markdown]
# **Predict.** From step 200 to step 600 the held-out loss falls by about a tenth. Do the samples improve by as
# much, by more, or by less? (The *energy distance* of chapter 11 is about 0 for perfect samples.)

# %%
def judged(each):
    """Held-out loss, energy distance of 400 samples to held-out digits, first samples."""
    model = models.Model(each, small, (1, 8, 8), 0)  # `small` has a network of this shape
    x = models.sample(model, 400, label=torch.arange(400) % 10, generator=seeded(4))
    return loss_on(each), metrics.energy_distance(x, test), x[:10]


marks = {step: judged(each["average"]) for step, each in kept.items()}
fig = figures.images(torch.cat([x for *_, x in marks.values()]), columns=10, panel=0.5,
                     row_labels=[f"step {step}" for step in marks])
figures.show(fig, alt="From gray noise at step 25 to readable digits at step 600.")
for step, (loss, energy, _) in marks.items():
    print(f"step {step:3}: held-out loss {loss:.3f}, energy distance {energy.value:.3f} "
          f"± {energy.stderr:.3f}")
real = metrics.energy_distance(train[:400], test)
print(f"real training digits: energy distance {real.value:.3f} ± {real.stderr:.3f}")
print(f"losses of single steps from 501 to 600: {min(seen[500:]):.3f} to {max(seen[500:]):.3f}")

# %% [markdown]
# The samples improve by more. The loss falls from 0.266 to 0.237, which is hard to see among single steps that range
# from 0.193 to 0.289. The energy distance falls to about half, from 0.034 ± 0.008 to 0.016 ± 0.007. (With 400 samples
# this is likely but not certain. From step 100 to step 600 it is clear: the loss falls *by* a quarter, the energy
# distance *to* a quarter.)
#
# Remember (11.4): a loss is an irreducible part plus an excess, and only the excess harms the samples. A decrease
# that looks negligible *in the loss* can be a large part *of the excess*. For real images the irreducible part is not
# known. So do not judge a run by whether its curve is flat. Judge it by its samples, or by the held-out loss in each
# range of $t$.

# %% [markdown]
# ## 4 · Two safeguards: warm-up and gradient clipping
#
# ### Learning-rate warm-up
#
# Our learning rate rises linearly for the first $u$ steps (**warm-up**), and falls along half a cosine over all $N$
# steps (*cosine decay*). In step $n = 1, \dots, N$ it is
#
# $$\text{rate}_n = \text{lr} \cdot \min\left(1, \frac{n}{u}\right) \cdot \frac{1 + \cos\big(\pi\,(n-1)/N\big)}{2}. \tag{13.1}$$
#
# Why start slowly? **Predict.** Look at Adam, (12.7), in its very *first* step. If all gradients were a thousand
# times smaller, how much shorter would that step be? (Adam's $v$ has nothing to do with the prediction $v$.)

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
# It would be just as long. In the first step $m = g$ and $v = g^2$ (after Adam's bias correction), so the step is
# $\eta\,g/\sqrt{g^2} = \pm\eta$: every weight moves by the full learning rate, 0.0100, however small and random its
# gradient. In later steps, gradients of different sign cancel in $m$. Does warm-up matter? We train for forty steps
# at three rates, with and without warm-up, with two seeds each.

# %%
def short_run(seed, *, lr, warmup=0, clip=1.0, steps=40, spoil=None, optimizer=None):
    """The held-out loss after a few steps of 32 digits, at a rate that hardly falls."""
    each, draws = networks.build(networks.UNet, seed=seed, **shape), seeded(seed + 10)
    stream = datasets.batches(train, 32, labels=label, generator=draws)
    for step in training.train(schedule, each, spoil(stream) if spoil else stream,
                               prediction_type="v", steps=1000, lr=lr, warmup=warmup, clip=clip,
                               optimizer=optimizer and optimizer(each.parameters()),
                               generator=draws):
        if step.step == steps:
            return loss_on(each.eval())


# %%
for lr in figures.track((3e-3, 1e-2, 3e-2), "learning rates tried"):
    for warmup in (0, 20):
        both = [short_run(seed, lr=lr, warmup=warmup) for seed in (0, 1)]
        print(f"rate {lr:.3f}, warm-up {warmup:2}: held-out loss {both[0]:.3f} and {both[1]:.3f}")

# %% [markdown]
# At the lowest rate, warm-up only *costs*: 0.450 and 0.439 without it, 0.485 and 0.488 with it, because half of these
# steps are shorter. At 0.03 it saves the run: 0.646 and 0.684 become 0.484 and 0.441. Warm-up makes a high rate
# possible; in a long run its few short steps should cost little.

# %% [markdown]
# ### Gradient clipping
#
# **Gradient clipping** is the other safeguard: a gradient longer than $c$ is shortened to length $c$. The length, or
# *norm*, is that of the gradients of all weights together, as one long vector. (Clipping tensor by tensor would also
# change the direction.)
#
# $$g \leftarrow g \cdot \min\left(1, \frac{c}{|g|}\right), \qquad |g|^2 = \sum_{\text{all tensors}} \;\sum_{\text{all numbers}} g_i^2. \tag{13.2}$$
#
# Suppose a single batch is spoiled: a division by 255 was forgotten, so its pixels run from −255 to 255.
#
# **Predict.** Adam divides by the size of the gradient, so its step cannot become long in any case. Does one such
# batch do harm?

# %%
def unscaled(stream):
    """The 30th batch is 255 times too large."""
    for k, (x, y) in enumerate(stream, start=1):
        yield (255 * x if k == 30 else x), y


runs = {"no accident": {}, "accident, clip 1": {"spoil": unscaled},
        "accident, no clipping": {"spoil": unscaled, "clip": 1e9}}
for name, options in figures.track(runs.items(), "pairs of runs"):
    both = [short_run(seed, lr=3e-3, steps=60, **options) for seed in (0, 1)]
    print(f"{name:>21}: held-out loss after 60 steps {both[0]:.3f} and {both[1]:.3f}")

# %% [markdown]
# It does: the loss is 0.559 and 0.526 instead of 0.394 and 0.386. The likely reason is that Adam has two kinds of
# *memory*. Its $m$ keeps the huge gradient for about ten more steps, all of which go where the spoiled batch
# pointed. Its $v$ keeps the square for about a thousand steps, so all other gradients are divided by too much.
# Clipping protects both: with it, the loss is 0.396 and 0.388, almost as without the accident.

# %% [markdown]
# ### Detour · Both safeguards in code
#
# Write (13.1) and (13.2), compare them with the training loop and with PyTorch, and look at the gradients of a
# healthy run.

# %% [markdown]
# #### Exercise 13.1 · The learning rate
#
# With $u = 0$ there is no warm-up: the second factor is 1. Return a number. (An off-by-one error here gives a
# first or a last step that changes nothing.)

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
for _ in training.train(schedule, tiny, zeros, steps=40, lr=0.1, warmup=10, optimizer=watched,
                        generator=seeded(6)):
    rates.append(watched.param_groups[0]["lr"])
ours = [rate(n, 0.1, 10, 40) for n in range(1, 41)]
print("the training loop used the same rates:", torch.allclose(*map(torch.tensor, (rates, ours))))
fig = figures.curves(range(1, 41), {"": ours}, xlabel="training step", ylabel="learning rate",
                     height=2.2)
figures.show(fig, alt="The rate rises along a line for ten steps, and falls to nearly 0.")
print("steps 1, 10, 20, 40:", ", ".join(f"{ours[n - 1]:.4f}" for n in (1, 10, 20, 40)))

# %% [markdown]
# The two factors overlap, so the highest rate is 0.0880 and not 0.1.
#
# #### Exercise 13.2 · Clip a list of gradients
#
# `grads` is a list of tensors of any shape, one for each layer; they are not all 0. Return a new list.

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
# In the healthy run of the first figure, 1 line of 320 has a mean norm above the limit, and at the end the norm is
# about 0.07: as far as means over 50 steps can show, clipping hardly ever acts. It is there for accidents.

# %% [markdown]
# ## 5 · The average of the weights
#
# The **exponential moving average** (EMA) of the weights, (11.5) with a constant decay, is
# $a_n = d\,a_{n-1} + (1-d)\,w_n$, with $w_n$ the weights after step $n$ and $d$ the *decay*. In chapter 11 it
# helped as long as the learning rate was high. What *is* in it? Substitute the formula into itself:
#
# $$a_n = d^{\,n}\, w_0 + (1-d) \sum_{k=1}^{n} d^{\,n-k}\, w_k. \tag{13.3}$$
#
# ### Exercise 13.3 · The coefficients of the average
#
# Return the coefficients of $w_0, w_1, \dots, w_n$ in $a_n$, as a float64 tensor of $n + 1$ numbers, oldest first.
# The average starts as $a_0 = w_0$. (Do not forget this start: it explains why samples from an average over only a
# few steps are gray.)

# %% tags=["exercise"]
def my_past(decay, n):
    """Return (n + 1,) float64: the coefficient of each step's weights in the average."""
    ### BEGIN SOLUTION
    k = torch.arange(n + 1, dtype=torch.float64)
    coefficient = (1 - decay) * decay ** (n - k)
    coefficient[0] = decay**n
    return coefficient
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
    print(f"decay {decay}: the last {memory} of 10,000 steps make up "
          f"{past(decay, 10_000)[-memory:].sum():.3f} of the average")
print(f"the start after 600 steps: decay 0.999 {past(0.999, 600)[0]:.3f}, "
      f"decay 0.9999 {past(0.9999, 600)[0]:.3f}")

# %% [markdown]
# An average with decay $d$ remembers about $1/(1-d)$ steps: they make up about 63 % of it, or $1 - 1/e$. And it
# remembers its *start* for as long. After 600 steps, 55 % of an average with decay 0.999 is still untrained weights.
# That is why `training.EMA` has a warm-up of its own: in step $n$ it uses $\min\big(d, (1+n)/(10+n)\big)$ in place of
# $d$.
#
# **Predict.** Section 3 kept the raw weights, an `average` with this warm-up, and a `plain average` with decay 0.999
# and no warm-up. Which one is best early on, and which one at step 600?

# %%
print("step   held-out loss:  raw  average  plain average")
for step, each in kept.items():
    loss = {name: loss_on(net_then) for name, net_then in each.items()}
    print(f"{step:4} {loss['raw']:20.3f} {loss['average']:8.3f} {loss['plain average']:14.3f}")
for name in ("raw", "plain average", "average"):
    energy = marks[600][1] if name == "average" else judged(kept[600][name])[1]
    print(f"energy distance at step 600, {name}: {energy.value:.3f} ± {energy.stderr:.3f}")

# %% [markdown]
# Early on the raw weights lead, 0.566 against 0.587 at step 25: they are still changing fast, and an average lags
# behind. From step 100 on the average is ahead, 0.237 against 0.244 at the end, and its samples are closer to real
# ones, 0.016 ± 0.007 against 0.040 ± 0.009. The plain average of the very same run is useless: 0.501, and samples at
# 0.744. If the samples from an average are gray, it probably still contains its start: compare $1/(1-d)$ with the
# length of the run.

# %% [markdown]
# ### Detour · What the warm-up of the average does
#
# The coefficients of (13.3) after 600 steps, with and without the warm-up of `training.EMA`.

# %%
def warmed_up(decay, n):
    """The same coefficients with the warm-up of `training.EMA`."""
    coefficient = torch.tensor([1.0], dtype=torch.float64)
    for step in range(1, n + 1):
        keep = min(decay, (1 + step) / (10 + step))
        coefficient = torch.cat([keep * coefficient, coefficient.new_tensor([1 - keep])])
    return coefficient


# %%
of_each = {"decay 0.999": past(0.999, 600), "decay 0.99": past(0.99, 600),
           "decay 0.999, with warm-up": warmed_up(0.999, 600)}
fig = figures.curves(range(601), of_each, xlabel="training step k (0: the start)", log_y=True,
                     ylabel="coefficient", height=2.8, title="after 600 steps", ylim=(1e-5, 1))
figures.show(fig, alt="For 0.999 a spike at 0, else flat; the others grow toward the end.")
for name, part in of_each.items():
    print(f"{name:>25}: start {part[0]:.1e}, steps 1-300 {part[1:301].sum():.2f}, "
          f"steps 301-600 {part[301:].sum():.2f}")

# %% [markdown]
# With the warm-up the start has vanished, although the decay is the same. Until $d$ is reached, the rule averages
# over about the last ninth of the run, since $1 - (1+n)/(10+n) = 9/(10+n)$. In 600 steps not even 0.99 is reached
# ($601/610$ is less), so the `average` of section 3 is the third curve, and would be the same with a decay of
# 0.999.

# %% [markdown]
# ## 6 · Sixteen bits
#
# Numbers of 16 bits take half the memory and, on hardware made for them, far less time. There are two formats.

# %%
for kind in (torch.float32, torch.float16, torch.bfloat16):
    info = torch.finfo(kind)
    print(f"{str(kind)[6:]:>9}: next number after 1 is 1 + {info.eps:.1e}, largest {info.max:.1e}, "
          f"smallest normal {info.smallest_normal:.1e}")

# %% [markdown]
# The gap between 1 and the next number is called **machine epsilon**. float16 has a fine gap and a small range;
# **bfloat16** has the range of float32 and a gap of nearly a hundredth, which means two to three significant digits.
#
# **Predict.** Start at 0 in bfloat16 and add 1 a thousand times. What is the result?

# %%
bf16 = torch.bfloat16
total = torch.zeros((), dtype=bf16)
for _ in range(1000):
    total = total + 1
print(f"1 added 1000 times in bfloat16: {total.item():.0f}")
w = nn.utils.parameters_to_vector(net.parameters()).detach()
state = [adam.state[p] for p in net.parameters()]
m, v = (torch.cat([each[key].flatten() for each in state]) for key in ("exp_avg", "exp_avg_sq"))
direction = (m / (1 - 0.9**600)) / ((v / (1 - 0.999**600)).sqrt() + 1e-8)  # Adam's step / rate
a = nn.utils.parameters_to_vector(ema.net.parameters())
for lr in (1e-3, 1e-4):
    still = w.to(bf16) - (lr * direction).to(bf16) == w.to(bf16)
    print(f"rate {lr:g}: {still.double().mean():.0%} of the weights would not move in bfloat16")
still = a.to(bf16) + (0.001 * (w - a)).to(bf16) == a.to(bf16)
print(f"average of decay 0.999: {still.double().mean():.0%} would not move")

# %% [markdown]
# The sum stops at 256: the next bfloat16 number is 258, and 257 is rounded back to 256. A number that is too small
# vanishes when it is added to a large one, and a training step adds small numbers to larger ones. The other lines
# show what the next step of section 3 would do if the weights were kept in bfloat16. At a rate of 0.001, 51 % of them
# would not move. At 0.0001, a rate that this cosine decay passes on its way to 0, it would be 93 %, and in an average
# with decay 0.999, 98 %. No error would be raised. The loss would become flat, and you would think that training was
# complete.
#
# The remedy is **mixed precision**: weights, Adam's memory, the average and the loss stay in float32; inside the
# network, convolutions and matrix products use 16-bit copies. In PyTorch that is `autocast`, one line in the
# training loop.

# %%
x = test[:4]
with torch.no_grad():
    exact = net(x, when[:4], test_label[:4])
    with training.autocast("bfloat16", "cpu"):
        inside = net.conv_in(x)
        v_hat = net(x, when[:4], test_label[:4])
print(f"weights {net.conv_in.weight.dtype}, inside {inside.dtype}, output {v_hat.dtype}")
print("largest difference of the outputs below 0.1:", bool((v_hat - exact).abs().max() < 0.1))

# %% [markdown]
# ### Detour · Rounding, and the loss scale of float16
#
# How far off a rounded number can be, and what float16 needs that bfloat16 does not.

# %% [markdown]
# Between its smallest normal and its largest number, a format *rounds* $x$ to the nearest number that it has, and
#
# $$|\text{rounded} - x| \le \tfrac12\,\text{epsilon} \cdot |x|. \tag{13.4}$$

# %%
# eq: 13.4
x = normal_like(torch.empty(100_000, dtype=torch.float64), generator=seeded(13))
x = x[x.abs() > 1e-3]
for kind in (torch.float32, torch.float16, torch.bfloat16):
    worst = ((x.to(kind).double() - x) / x).abs().max() / torch.finfo(kind).eps
    print(f"{str(kind)[6:]:>9}: largest relative error {worst:.3f} epsilon")
print("2^24 + 1 is still 2^24 in float32:", (torch.tensor(2.0**24) + 1 == 2**24).item())
small_one = torch.tensor(1e-8)
scaled = (65536 * small_one).half()  # times 65536, then to float16
print(f"1e-8 in float16: {small_one.half().item():g}; scaled up first, and down afterwards in "
      f"float32: {scaled.item() / 65536:.1e}\n70,000 in float16: {torch.tensor(7e4).half().item()}")

# %% [markdown]
# A weight of 0.1 does survive a full step of 0.001: half a gap there is $2^{-12}$, about 0.00024. But gradients of
# different sign cancel in Adam's $m$, so most steps are much shorter than the rate, and larger weights have larger
# gaps.
#
# In float16, gradients below $3 \cdot 10^{-8}$ become 0. So the loss is multiplied by a large number first, the
# **loss scale**, and the gradient is divided by it in float32. If the scale is too large, something exceeds 65,504
# and becomes infinite; then the step is skipped and the scale halved. bfloat16, with the range of float32, needs
# none of this. In our configurations, `precision="auto"` means bfloat16 where the hardware computes in it, and
# float32 elsewhere.

# %% [markdown]
# ## 7 · Stop and resume
#
# A long run will be interrupted. Resuming should give the run that you would have had without the interruption: not
# one that is as good, but the *same*. Any weaker requirement is hard to test.
#
# ### Exercise 13.4 · What must be stored?
#
# Settings and seed are in `config.json`. Which of these must be stored as well? Give the letters, as in `"AD"`. In
# our loop the learning rate follows from (13.1), and the order of the images from the seed: `datasets.batches(...,
# start=n)` skips the first n batches.
#
# - A: the weights
# - B: their average
# - C: Adam's $m$ and $v$
# - D: the gradient of the last step
# - E: the states of the generators that draw times, dropped labels and noise
# - F: the number of steps done
# - G: the learning rate of the last step
# - H: the images of the last batch

# %% tags=["exercise"]
my_needed = ...
### BEGIN SOLUTION
my_needed = "ABCEF"
### END SOLUTION
needed = check("training.checkpoint", my_needed)

# %%
stored = [(home_path / "whole" / f"{name}.safetensors").stat().st_size for name in ("run", "net")]
print(f"run.safetensors / net.safetensors: {stored[0] / stored[1]:.1f}")


def distance(a, b):
    """The largest difference of any weight, in the networks and in their averages."""
    pairs = zip([*a.net.parameters(), *a.ema.net.parameters()],
                [*b.net.parameters(), *b.ema.net.parameters()])
    return max((p - q).abs().max().item() for p, q in pairs)


# %% [markdown]
# Weights, average, $m$ and $v$ are four sets of numbers, each as large as the network: hence the factor of 4.0.
#
# Now the test. The run of section 1 did 120 steps in one go. This time do 60, stop, and then, starting from nothing
# but the folder, do the other 60.

# %%
left = trainer.train(small, home_path / "parted", on_step=lambda step: step.step == 60)
shutil.copytree(home_path / "parted", home_path / "half")  # for the detour
went_on = []
again = trainer.train(small, home_path / "parted", on_step=went_on.append)
print(f"stopped at step {left.step}, ended at step {again.step}")
print(f"largest difference from the run in one go: {distance(whole, again)}")
logs = (training.read_log(home_path / name) for name in ("whole", "parted"))
in_one_go, in_parts = ([line["loss"] for line in log] for log in logs)
print("same log, loss by loss:", in_one_go == in_parts)

# %% [markdown]
# The difference is exactly 0.0: not a single bit differs. (This holds on a CPU. A GPU may add numbers in a different
# order each time, and then repeats a run only up to rounding.) Demand this 0.0 of your own code too, because *you
# cannot see a careless resume in the loss*: the next detour forgets one part at a time, and the final loss changes no
# more than with another seed.

# %% [markdown]
# ### Detour · Forget something
#
# Resume without Adam's memory, without the states of the generators, without the average. Which omission does the
# most harm, and would you notice it?

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
    print(f"forgot {part:>14}: weights off by up to {distance(whole, run):.3f},\n"
          f"    loss of the next 10 steps {jolt:+.3f}, held-out loss at the end "
          f"{loss_on(run.ema.net):.3f}")
start = []
trainer.train(small, home_path / "start",
              on_step=lambda step: start.append(step.t) or len(start) == 60)
same = sum(torch.equal(a, s.t) for a, s in zip(start, results["the generators"][1]))
print(f"forgot the generators: {same} of 60 steps draw the same times as 60 steps before")

# %% [markdown]
# Without its memory Adam takes large steps again, as in section 4, and the loss of the next ten steps is 0.013
# higher. By the end it has made up for nearly all of that, 0.374 against 0.370. Without the generators' states the
# run draws the same times and noise a second time; it ends at 0.371. Without the average it ends at 0.368. Another
# seed makes at least as much difference: two seeds of section 4 differ by 0.008 without an accident. The test that
# demands 0.0 detects all three at once.
#
# Forgetting the generators looks harmless here. It is harmful if a run is interrupted often and the order of the
# images comes from such a generator. Suppose a cheap machine stops every 20 steps, and the order starts again each
# time:

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
# The run whose order starts again sees 640 of 896 digits over and over, and never the others. Its training loss would
# not warn you, because it is measured on the digits that the run knows.

# %% [markdown]
# ### Detour · Writing a file safely
#
# What if the power fails *while* the checkpoint is being written? Then the old one is gone and the new one is
# incomplete.

# %% [markdown]
# The standard remedy is to write a temporary file beside it and, once all of it is on the disk, rename it to the
# final name. Renaming is *atomic*: the operating system does it entirely or not at all.

# %%
figures.show_source(training.write_whole)

# %%
from unittest import mock

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
# A half-written file is recognized: the header says how long the file must be, and a checksum covers its content. An
# accident while writing leaves the old file as it was.

# %% [markdown]
# ### Detour · Why not pickle?
#
# Many checkpoints (`.pt`, `.pth`, `.ckpt`) are *pickles*, Python's own format for storing objects. What can happen
# when you *open* a pickle that somebody sent you?

# %%
import json
import pickle


class Gift:
    """An object that tells pickle how to bring it back: call this function with these arguments."""

    def __reduce__(self):
        return print, ("this line was printed by the file, while it was being opened",)


stored = pickle.dumps(Gift())
_ = pickle.loads(stored)
header = json.loads(before[8 : 8 + int.from_bytes(before[:8], "little")])
print("safetensors:", len(header) - 1, "tensors, each with dtype, shape and position; for instance")
print(header["conv_in.weight"])

# %% [markdown]
# Anything can happen. This one only prints. It could just as well have sent your files to somebody, because opening a
# pickle *runs* code. (PyTorch's `torch.load(..., weights_only=True)`, the default since version 2.6, refuses such
# files.) A safetensors file is a JSON header and numbers, and nothing in it can be run. Whatever else must be
# remembered, such as the settings, goes into JSON.

# %% [markdown]
# ## 8 · One batch, several processes
#
# In **data parallelism** each process holds a copy of the network, takes its *shard* of the batch, and computes the
# gradient of the mean loss of that shard. Let shard $k$ have $B_k$ of the $B$ items, and let
# $g_k = \frac{1}{B_k} \sum_{i \in \text{shard } k} \nabla \ell_i$ be its gradient. We want the gradient of the mean
# loss of all $B$ items. If all shards are of equal size, it is the plain mean of the $g_k$, which PyTorch's
# `DistributedDataParallel` computes during the backward pass. Then all copies take the same step.
#
# ### Exercise 13.5 · Shards that are not equal
#
# `grads` is a list of tensors $g_k$, `counts` the list of the $B_k$. Return the gradient of the whole batch's mean
# loss. (Unequal shards happen by accident: 100 items among 3 processes, or the last batch of an epoch.)

# %% tags=["exercise"]
def my_joined(grads, counts):
    """Return the gradient of the mean loss of all items."""
    ### BEGIN SOLUTION
    return sum(count / sum(counts) * g for g, count in zip(grads, counts))
    ### END SOLUTION


joined = check("training.data_parallel", my_joined)

# %% [markdown]
# Multiply each mean by its count to get a sum, add the sums, and divide by $B$:
#
# $$\nabla \frac1B \sum_{i=1}^{B} \ell_i = \frac1B \sum_k \sum_{i \in \text{shard } k} \nabla \ell_i = \sum_k \frac{B_k}{B}\, g_k. \tag{13.5}$$
#
# How far off is the plain mean if 64 items are split into shards of 48, 12 and 4?

# %%
def gradient(each, rows, draws, part=slice(None)):
    """The gradient of the mean loss of these digits, or of a part of them, as one long vector."""
    t = torch.randint(1, 1001, (len(rows),), generator=draws)  # drawn for all rows, see below
    eps = normal_like(train[rows], generator=draws)
    conditional = partial(each, label=label[rows][part])
    loss = losses.simple(schedule, conditional, "v", train[rows][part], t[part], eps[part]).mean()
    return nn.utils.parameters_to_vector(torch.autograd.grad(loss, [*each.parameters()]))


# %%
# eq: 13.5
def compare(name, each):
    """Print how far off the plain mean and (13.5) are, for equal and for unequal shards."""
    rows = torch.arange(64)
    truth = gradient(each, rows, seeded(15))
    for counts in ((16, 16, 16, 16), (48, 12, 4)):
        grads = [gradient(each, rows, seeded(15), shard) for shard in rows.split(counts)]
        off = [((g - truth).norm() / truth.norm()).item()
               for g in (sum(grads) / len(grads), joined(grads, counts))]
        print(f"{name}, shards {counts}: plain mean off by {off[0]:.1%}, (13.5) by {off[1]:.1%}")


compare("group norm", net)

# %% [markdown]
# The plain mean is off by 68.1 % here: an item in the shard of 4 counts twelve times as much as one in the largest
# shard. (13.5) is exact up to rounding, and so is the plain mean if the shards are equal.
#
# In our training loop every process draws the *whole* batch, its times and its noise from generators with the same
# seed, and works on every fourth row. So four processes repeat the run of one, up to rounding, and a test can
# compare them. PyTorch's `torchrun` starts them, and tells each copy its number (its *rank*, 0 to 3):
#
#     torchrun --nproc-per-node=4 -m ddpm_lab train --config digits --out runs/digits

# %% [markdown]
# ### Detour · Where it is not exact: batch norm and unequal shards
#
# (13.5) begins with a loss that is a sum over items. With batch norm it is not.

# %%
batch_norm = networks.build(networks.UNet, seed=0, norm="batch", **shape)
batch_norm.load_state_dict(net.state_dict(), strict=False)  # the same weights, another norm
compare("batch norm", batch_norm.train())
figures.show_source(loop._shard)
try:
    data.check_fit(small, data.load_data(small, "train"), 3)  # what `train` asks in three processes
except ValueError as error:
    print("ValueError:", str(error).replace(". ", ".\n    "))

# %% [markdown]
# With batch norm even (13.5) is not exact; it is off by 4.9 % and 6.5 %. Batch norm's means are over a *shard*, so an
# item's loss depends on which other items share its shard. That is one more reason for group norm. And a batch that
# cannot be split equally is refused.

# %% [markdown]
# ### Detour · What a larger batch buys
#
# With more processors you can also take a larger batch. When does that help?

# %% [markdown]
# The gradient $g_B$ of a batch is a mean over $B$ independent items. So around $g$, the mean gradient of all data, it
# varies by
#
# $$E\,\big|g_B - g\big|^2 = \frac{V}{B}, \qquad V \text{: the variance of a single item's gradient}. \tag{13.6}$$

# %%
# eq: 13.6
for size, times in ((8, 200), (32, 100), (128, 50)):
    draws = seeded(size)
    each = torch.stack([gradient(net, torch.randint(len(train), (size,), generator=draws), draws)
                        for _ in range(times)])
    mean = each.mean(0)
    square = (each - mean).square().sum(1) * times / (times - 1)  # n - 1: see chapter 03
    error = size * square.std() / math.sqrt(times)
    print(f"batch {size:3}: variance {square.mean():.3f}, times the batch "
          f"{size * square.mean():.2f} ± {error:.2f};\n"
          f"    squared length of the mean gradient {mean.square().sum():.2f}")

# %% [markdown]
# The product is the same for all three within the errors, 3.63 ± 0.22, 3.36 ± 0.16 and 3.49 ± 0.18. In a batch of 8
# the variance, 0.454, is about four times the squared length of the mean gradient, 0.12: the direction of a single
# step is mostly noise (for this network, after 600 steps). In a batch of 128 it is 0.027, and the mean gradient
# dominates. Four times the batch is four times the work for a quarter of the variance. So, as a rule of thumb, a
# larger batch with a higher rate pays as long as the variance is the larger of the two; after that, more steps are
# the better use of the same work.

# %% [markdown]
# ## Detour · How long will it take?
#
# You can tell from two lines of a log. Before there is a log, you can count the multiplications of the network.

# %% [markdown] topics="C186"
# ### Exercise 13.6 · Count the multiplications
#
# Nearly all work of a U-Net is in its convolutions. To make one number, a convolution multiplies and adds once for
# each input channel and each position of its kernel.
#
# How many multiplications does a convolution take for one image? It has `c_in` input and `c_out` output channels,
# a kernel of `kernel` × `kernel`, and a result of `height` × `width`. Ignore the bias.

# %% tags=["exercise"]
def my_work(c_in, c_out, kernel, height, width):
    """Return the number of multiplications for one image."""
    ### BEGIN SOLUTION
    return height * width * c_out * c_in * kernel**2
    ### END SOLUTION


work = check("training.multiplications", my_work)

# %% [markdown]
# A hook counts it for every convolution of a network. A training step also needs the gradients with respect to the
# inputs and to the weights of each layer: two more products of the same size, so three times the work in all. With
# $k$ the kernel size, $C$ the numbers of channels and $H' \times W'$ the size of the result:
#
# $$\text{work of a run} \approx 3 \cdot \text{steps} \cdot \text{batch} \cdot \sum_{\text{convolutions}} H'\,W'\,C_\text{out}\,C_\text{in}\,k^2. \tag{13.7}$$

# %%
def work_of(settings, side):
    """Multiplications of all convolutions for one image of side x side pixels."""
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
from torch.utils.flop_counter import FlopCounterMode

one = networks.build(networks.UNet, seed=0, **config.net.settings())
with FlopCounterMode(display=False) as counter:  # PyTorch's own count, forward and backward
    one(torch.zeros(1, 1, 32, 32), torch.tensor([1])).sum().backward()
counted = counter.get_total_flops() / 2  # it counts a multiplication and an addition as two
print(f"PyTorch counts {counted / work_of(config.net.settings(), 32):.2f} times the forward work "
      "of the convolutions; (13.7) says 3")

# %%
gpu = training.read_config(pretrained.FOLDER.parent / "configs" / "mnist_gpu.json")
for name, each in (("shipped run", config), ("mnist_gpu.json", gpu)):
    per_image = work_of(each.net.settings(), 28 + 2 * each.data.pad)  # the second does not pad
    print(f"{name:>14}: {per_image / 1e6:,.0f} million multiplications per image, "
          f"{3 * each.steps * each.batch * per_image / 1e15:.2f} · 10^15 in all")
total = 3 * card["step"] * config.batch * work_of(config.net.settings(), 32)
speed = total / card["seconds"]
print(f"the shipped run did {speed / 1e9:.0f} billion multiplications a second;\nat that speed "
      f"mnist_gpu.json takes {3 * gpu.steps * gpu.batch * per_image / speed / 3600:.0f} hours")

# %% [markdown]
# (PyTorch's own count, 2.98, includes the few linear layers, and leaves out the gradient with respect to the first
# image, which nobody needs.) With `mnist_gpu.json` an image takes 14 times as many multiplications as in the shipped
# run, and the run sees 2.5 times as many images: about 35 times the work. At the speed of our one core, which had
# other work too, that would be 54 hours. What made the shipped run affordable is pixel-unshuffle (chapter 12): a
# quarter of the positions.
#
# Use such an estimate with care. The multiplications per second on a data sheet are hardly ever reached, so take a
# speed that you have measured with a similar network. And a report such as "128 × 128 faces, batch 64, one GPU with
# 24 GB: first results after half a day, good ones after three" cannot be carried over without the network and the
# number of steps. Only this much is sure: 128 × 128 pixels are 16 times as many as 32 × 32, so the *same* network has
# 16 times the work per image in its convolutions (and more in attention).

# %% [markdown]
# ### Exercise 13.7 · When will it be done?
#
# Two lines of a log, each a pair (step, seconds), show how fast a run is *now*. Return three numbers: the
# throughput between the two lines; how many passes through all `images` of the data (**epochs**) the run has made
# at the later line; the seconds left until step `steps`.

# %% tags=["exercise"]
def my_left(earlier, later, steps, batch, images):
    """Return (images per second, epochs so far, seconds left)."""
    ### BEGIN SOLUTION
    per_second = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return per_second * batch, later[0] * batch / images, (steps - later[0]) / per_second
    ### END SOLUTION


left_of = check("training.time_left", my_left)

# %%
lines = [(line["step"], line["seconds"]) for line in log]
for earlier, later in (lines[3:5], (lines[n // 2 - 10], lines[n // 2])):
    speed, epochs, more = left_of(earlier, later, config.steps, config.batch, 60_000)
    print(f"at step {later[0]:,}: {speed:.0f} images per second, {epochs:.1f} epochs, another "
          f"{more / 60:.0f} minutes; it took {(lines[-1][1] - later[1]) / 60:.0f}")
speed, _, _ = left_of((0, 0), (21, 1), 800_000, 128, 50_000)
print(f"[Ho20], 21 steps of 128 a second: {speed:,.0f} images per second, "
      f"800,000 steps in {800_000 / 21 / 3600:.1f} hours")

# %% [markdown]
# At step 250 the answer is 99 more minutes, at half-time 40; it took 92 and 39. Your function says how long it takes
# *if the run goes on like this*. This one nearly did. On a machine that gets other work it may take twice as long, so
# check the throughput again from time to time. (The numbers of [Ho20] fit together: 10.6 hours is what the paper reports.)

# %% [markdown]
# ## 9 · What only a GPU run will show
#
# On a GPU you need one command and another configuration, for a larger network with self-attention:
#
#     python -m ddpm_lab train --config mnist_gpu --out runs/mnist
#
# Does such a run come with your copy of the course? The first line below is the shipped network, which a laptop can
# train; the others are for a GPU.

# %%
for line in gpu_run.training_lines("mnist", "mnist_gpu") + gpu_run.speed_lines():
    print(line)

# %% [markdown]
# A line that says "no such run" is still open: nothing has been measured, and we make no claim about speed. Such a
# run answers two questions that this chapter cannot: what is the throughput, and does the larger network get below
# a held-out loss of 0.076? Everything else in this chapter holds on any device. (If you have a large GPU for ten
# minutes, `python -m tools.gpu_run` in a clone of the course fills in the lines, and those of chapters 14 and 14b.)

# %% [markdown]
# ### Detour · What is different on a GPU
#
# Five differences, and one tensor in two memory layouts.

# %% [markdown]
# - **All data live on the device**, 60,000 images of 4 kB each. No batch travels during training, and the noise is
#   drawn there too.
# - *bfloat16*, for which the hardware has special units, and *channels last*: the same numbers in another memory
#   layout, all channels of a pixel side by side, which those units prefer.
# - **`--compile`** lets PyTorch fuse many small operations into a few large ones. The first steps then take a
#   minute.
# - **Large batches**: a small one keeps only a part of a GPU busy.
# - **Not bit for bit**: a resumed run is as good as the uninterrupted one, but not the same.
#
# To know the speed of yours, run 200 steps and put two lines of `runs/mnist/log.jsonl` into your function of
# exercise 13.7.

# %%
x = torch.arange(24.0).reshape(1, 2, 3, 4)  # 2 channels of 3 x 4 pixels
y = x.to(memory_format=torch.channels_last)
print("the same image:", torch.equal(x, y))
print("distance in memory from a number to the next channel, row, column:\n   ",
      x.stride()[1:], "and channels last", y.stride()[1:])
print("MNIST in memory, float32, 32 x 32:", f"{60_000 * 32 * 32 * 4 / 1e6:.0f} MB")

# %% [markdown]
# ## Detour · Continue a run yourself
#
# In section 3 we left a run at step 600 of 1000. You have everything that is needed to resume it: weights,
# average, Adam's memory, generator, step. Raise `seconds` to 60 and see whether it still improves.

# %% [markdown]
# The number of steps is computed from `seconds` for a slow core, so that everybody gets the same run; yours may be
# done sooner. If you raise it, the cosine of (13.1) is stretched, and the rate goes *up* again at first.

# %%
seconds = 10  # you may raise this to 60
device = "cuda" if torch.cuda.is_available() else "cpu"
steps_more = 40 * seconds
state = training.Run(net, ema, adam, {"all": rng}, 600, {})
run = training.load_run(training.save_run(home_path / "mine.safetensors", state), device)
goes_on = datasets.batches(train.to(device), 64, labels=label.to(device),
                           generator=seeded(16))  # a new order: harmless if done once
*_, last = training.train(schedule, run.net, goes_on, prediction_type="v", steps=600 + steps_more,
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
print(f"real training digits: energy distance {real.value:.3f} ± {real.stderr:.3f}")

# %% [markdown]
# It is a little better: 0.232 against 0.237. The energy distance changed by 0.007, no more than its standard
# errors; 400 samples cannot show more, and chapter 14 explains why. How much of this comes from the extra steps,
# and how much from the fall of the rate to 0, this run cannot say: it has both.

# %% [markdown]
# ## Detour · LAMB or Adam?
#
# A recommendation for diffusion models is "LAMB with $10^{-3}$, or Adam with $10^{-4}$". Does the pair hold up
# here?

# %% [markdown] topics="C185"
# LAMB (layer-wise adaptive moments) is Adam with one more idea: in each layer the step is scaled so that its length
# is the rate times the length of the layer's *weights*. So every layer changes by the same percentage. It was made
# for batches of many thousands. It takes a few lines:

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
for name, maker in figures.track(makers.items(), "optimizers tried"):
    for lr in (1e-4, 1e-3, 1e-2):
        loss = short_run(0, lr=lr, optimizer=partial(maker, lr=lr))
        print(f"{name} at rate {lr:g}: held-out loss after 40 steps {loss:.3f}")

# %% [markdown]
# The two recommended settings reach 0.766 (Adam with $10^{-4}$) and 0.835 (LAMB with $10^{-3}$) after 40 steps:
# both rates are far too low for a run that short. Of the rates tried here the best is $10^{-2}$ for both, where
# Adam has 0.466 and LAMB 0.555. That is the largest rate we tried, so the best rate may be higher still. LAMB needs
# about ten times the rate to come near Adam (0.555 against 0.509, 0.835 against 0.766), as the recommendation
# suggests; here it gains nothing. (One seed, 40 steps, batches of 32. Nothing follows from that for the batches of
# thousands that LAMB was made for.)

# %% [markdown]
# ## Recap
#
# Part of a loss is irreducible, and for real images nobody knows how much. So judge by the held-out loss in each
# range of $t$, and by samples, which improve long after the curve looks flat. Warm-up makes a high rate possible, and
# clipping limits the harm of a bad batch. A weight average beats the raw weights once the run is several times as
# long as its memory, $1/(1-d)$ steps. Use 16 bits inside the network, and 32 wherever small steps are added up. Store
# weights, average, Adam's memory, the generators' states and the step, and a resumed run differs by exactly 0. Data
# parallelism averages the gradients of equal shards.
#
# **One formula to keep**
#
# $$a_n = d\,a_{n-1} + (1-d)\,w_n, \qquad \text{memory} \approx \frac{1}{1-d} \text{ steps}$$
#
# **Popular claims, checked**
#
# | what holds | what is often said | shown above |
# |---|---|---|
# | samples can improve while the loss looks flat | a flat loss means that training is done | loss down by a tenth, energy distance by half |
# | warm-up allows a higher rate; at a low rate it costs | always warm up | rate 0.03: 0.646 to 0.484; rate 0.003: 0.450 to 0.485 |
# | weights, averages and sums need 32 bits | 16 bits are enough for everything | at rate 0.0001, 93 % of the weights would not move; a sum stops at 256 |
#
# **Exercises:** 13.1 `training.learning_rate` · 13.2 `training.clipped` · 13.3 `training.ema_weights` · 13.4
# `training.checkpoint` · 13.5 `training.data_parallel` · 13.6 `training.multiplications` · 13.7
# `training.time_left`
#
# **To think about.** Four processes draw different noise, because their seeds differ. Is the gradient wrong? (No:
# it is unbiased. But four processes then no longer repeat the run of one, and no test can compare them.)
#
# **Before:** [12b · Build a U-Net](12b_build_a_unet.ipynb) · **Next:** [14 · How good is it?](14_measuring.ipynb)
#
# **Read on:** [PJ92] (averaging), [Goy17] (warm-up, large batches), [Mic18] (mixed precision), [You20] (LAMB).
