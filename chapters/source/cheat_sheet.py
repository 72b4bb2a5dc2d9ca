# %% [markdown]
# # DDPM on a page
#
# Every line has its function in `ddpm_lab`. More: [all formulas](formulas.ipynb),
# [glossary](glossary.ipynb), [other authors' letters](glossary.ipynb#One-chain,-seven-notations).
#
# **Time.** $t = 0$ is clean data, tables have $T + 1$ rows. A step back goes from $t$ to $s < t$.
#
# | name | formula | in code |
# |---|---|---|
# | noise variance of a step | $\beta_t$ | `schedule.beta` |
# | signal variance a step keeps | $\alpha_t = 1 - \beta_t$; from $s$ to $t$: $\alpha_{ts} = \bar\alpha_t / \bar\alpha_s$ | `schedule.alpha` |
# | signal variance left | $\bar\alpha_t = \alpha_1 \alpha_2 \cdots \alpha_t, \quad \bar\alpha_0 = 1$ | `schedule.abar` |
# | factors of data and noise | $\sqrt{\bar\alpha_t}, \quad \sqrt{1 - \bar\alpha_t}$ | `schedule.signal`, `schedule.noise` |
# | signal-to-noise ratio | $\mathrm{SNR}_t = \bar\alpha_t / (1 - \bar\alpha_t)$ | `schedule.snr`, `schedule.log_snr` |
# | noise and data | $\epsilon, z \sim N(0, I)$: forward noise, fresh noise; a hat marks an estimate | `eps`, `z`, `x0_hat` |

# %% [markdown]
# ## The two processes
#
# | | formula | function |
# |---|---|---|
# | forward step | $q(x_t \mid x_{t-1}) = N(\sqrt{\alpha_t}\, x_{t-1},\; \beta_t I)$ | `forward.transition` |
# | from the data | $q(x_t \mid x_0) = N(\sqrt{\bar\alpha_t}\, x_0,\; (1-\bar\alpha_t) I)$ | `forward.marginal` |
# | as a sample | $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1-\bar\alpha_t}\; \epsilon$ | `forward.noised` |
# | posterior | $q(x_s \mid x_t, x_0) = N\Big(\frac{\sqrt{\bar\alpha_s}\,(1-\alpha_{ts})}{1-\bar\alpha_t}\, x_0 + \frac{\sqrt{\alpha_{ts}}\,(1-\bar\alpha_s)}{1-\bar\alpha_t}\, x_t,\; \tilde\beta_{ts} I\Big)$ | `forward.posterior` |
# | its variance | $\tilde\beta_{ts} = \frac{1-\bar\alpha_s}{1-\bar\alpha_t}\,(1-\alpha_{ts})$, for one step $\tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t$ | `schedule.posterior_var` |
# | reverse step | $p(x_s \mid x_t) = q\big(x_s \mid x_t,\, x_0 = \hat x_0(x_t, t)\big)$ | `samplers.ddpm_step` |

# %% [markdown]
# ## One estimate, four parameterizations
#
# Write $a = \sqrt{\bar\alpha_t}$ and $b = \sqrt{1-\bar\alpha_t}$. `predictions.convert` turns each into the others,
# `predictions.target` is what the network is trained on, `predictions.denoiser` wraps the network.
#
# | | target | gives $\hat x_0$ | squared error, times $\lVert x_0 - \hat x_0 \rVert^2$ |
# |---|---|---|---|
# | x0 | $x_0$ | $\hat x_0$ | $1$ |
# | eps | $\epsilon$ | $(x_t - b\,\hat\epsilon) / a$ | $\mathrm{SNR}_t$ |
# | v | $v = a\,\epsilon - b\,x_0$ | $a\,x_t - b\,\hat v$ | $\mathrm{SNR}_t + 1$ |
# | score | $\nabla \log q(x_t) = -E[\epsilon \mid x_t] / b$ | $(x_t + b^2\, \nabla \log q(x_t)) / a$ (Tweedie's formula) | $\mathrm{SNR}_t / b^2$ |

# %% [markdown]
# ## Losses
#
# | | formula | function |
# |---|---|---|
# | simple loss | $L_\text{simple} = E_{t, x_0, \epsilon}\, \lVert \epsilon - \hat\epsilon(x_t, t) \rVert^2, \quad t$ uniform on $1 \dots T$ | `losses.simple` |
# | bound | $-\log p(x_0) \le L_T + \sum_{t=2}^{T} L_{t-1} + L_0$ | `losses.bound` |
# | one term | $L_{t-1} = \tfrac12\,(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)\; E\,\lVert x_0 - \hat x_0 \rVert^2$, with variance $\tilde\beta_t$ | `losses.weight(…, "vlb")` |
# | the same from eps | $\frac{\beta_t^2}{2 \sigma_t^2\, \alpha_t\, (1-\bar\alpha_t)}\; E\,\lVert \epsilon - \hat\epsilon \rVert^2$, with variance $\sigma_t^2$ | `losses.weight` |
# | Min-SNR | $\min(\mathrm{SNR}_t, \gamma)\, \lVert x_0 - \hat x_0 \rVert^2$ | `losses.weight(…, "min_snr")` |
#
# **Training step:** draw $x_0$, $t$ and $\epsilon$; make $x_t$; follow the gradient of $\lVert \epsilon - \hat\epsilon(x_t, t) \rVert^2$
# (`training.train`).

# %% [markdown]
# ## Samplers
#
# All start at $x_T \sim N(0, I)$: `samplers.sample(schedule, denoise, shape, sampler="ddim", times=schedules.timesteps(T, 50), generator=rng)`.
#
# | | step from $t$ to $s$ | function |
# |---|---|---|
# | ancestral (DDPM) | $x_{t-1} = \frac{1}{\sqrt{\alpha_t}}\Big(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\, \hat\epsilon\Big) + \sigma_t z, \quad \sigma_t^2 = \tilde\beta_t$ or $\beta_t$; no $z$ at $t = 1$ | `samplers.ddpm` |
# | DDIM | $x_s = \sqrt{\bar\alpha_s}\, \hat x_0 + \sqrt{1-\bar\alpha_s - \eta^2 \tilde\beta_{ts}}\; \hat\epsilon + \eta \sqrt{\tilde\beta_{ts}}\; z$ | `samplers.ddim` |
# | probability-flow ODE | $\frac{dx}{d\varphi} = \hat v, \quad \cos\varphi_t = \sqrt{\bar\alpha_t}$; DDIM with $\eta = 0$ is the step that keeps $\hat x_0$ and $\hat\epsilon$ | `samplers.probability_flow_ode` |
# | Heun | $x_s = x_t + \tan\big(\tfrac12(\varphi_s - \varphi_t)\big)\, (\hat v_t + \hat v_s)$ for $s > 0$, with $\hat v_s$ evaluated where the DDIM step ends | the same, `order=2` |
# | DPM-Solver++(2M) | $x_s = \frac{\sqrt{1-\bar\alpha_s}}{\sqrt{1-\bar\alpha_t}}\, x_t + \sqrt{\bar\alpha_s}\,(1 - e^{-h})\Big(\hat x_0 + \frac{h}{2h'}(\hat x_0 - \hat x_0')\Big)$ | `samplers.dpmpp_2m` |
#
# In the last line $h$ is the growth of $\tfrac12 \log \mathrm{SNR}$ in this step, $h'$ and $\hat x_0'$ are those of the step before; the first step and the one to
# $s = 0$ take $\hat x_0$ alone.
#
# **Guidance:** $\hat x_0 = u + w\,(c - u)$ with $u$ the unconditional and $c$ the conditional estimate, $w$ the guidance scale; the same for eps, v
# and score (`predictions.guided`).

# %% [markdown]
# ## Checked here
#
# Each of these is computed in two ways: the four parameterizations, the two forms of the posterior mean, and one term
# of the bound.

# %%
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, losses, predictions, samplers, schedules

rng, schedule, t = gaussians.seeded(0), schedules.linear(), 300
x_0, eps = torch.randn(2, 5, 4, generator=rng, dtype=torch.float64)
a, b, alpha, beta = schedule.signal[t], schedule.noise[t], schedule.alpha[t], schedule.beta[t]
x_t = forward.noised(schedule, x_0, t, eps)
v = predictions.target(schedule, "v", x_0, eps, t)
found = predictions.convert(schedule, v, "v", x_t, t)
p = forward.posterior(schedule, x_0, x_t, t, t - 1)
x0_hat = torch.zeros_like(x_0)  # any estimate
gap = gaussians.kl(p, samplers.ddpm_step(schedule, x_t, x0_hat, t, t - 1))
weight = losses.weight(schedule, "x0", t, "vlb")
pairs = (found.x0, x_0), (found.eps, eps), (found.score, -eps / b)
same = [torch.allclose(*pair) for pair in pairs]
print("v gives x0, eps, score:", *same)
print("posterior mean from eps:", torch.allclose(p.mean, (x_t - beta / b * eps) / alpha.sqrt()))
print("one term of the bound:", torch.allclose(gap, weight * (x_0 - x0_hat).square().sum(1)))

# %% [markdown]
# Now every sampler runs for 50 steps, with the ideal denoiser of eight points on a circle of radius 1 in place of a
# network. How far from the circle do the samples end, on average?

# %%
points = ideal_denoisers.circle_mixture(8, std=0.0)
denoise = ideal_denoisers.mixture_denoiser(points, schedule)
times = schedules.timesteps(schedule.T, 50)
for name in samplers.SAMPLERS:
    x = samplers.sample(schedule, denoise, (200, 2), sampler=name, times=times, generator=rng)
    print(f"{name:21} {(x.norm(dim=1) - 1).abs().mean():.3f}")
