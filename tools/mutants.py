"""Would the tests notice? Plant one classic mistake at a time and see what turns red.

    python tools/mutants.py               all of them, two at a time
    python tools/mutants.py --sample 8    eight, chosen by the day of the year
    python tools/mutants.py posterior     those with this word in their name

A mutant changes one line of the package to a mistake that people really make. It must turn a unit,
property or oracle test red, and every chapter that uses the formula. It is planted in a copy of the
project, never in the project itself.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TESTS = ["tests/unit", "tests/property", "tests/oracle"]
SKIPPED = [
    "test_planes.py",
    "test_idx_files.py",
    "test_downloads.py",
    "test_doctor.py",
    "test_checkpoints.py",
    "test_commands.py",
    "test_kills_and_processes.py",
    "test_hostile_attempts.py",
    "test_grading.py",
    "test_open.py",
    "test_diffusers.py",
    "test_gpu_run.py",
    "test_classroom.py",
    "test_streaming.py",
    "test_interop.py",
    "test_watching_and_judging.py",
    "test_training_options.py",
    "test_hub.py",
    "test_explorers.py",
    "test_schedule_designer.py",
]


COPIED = ("ddpm_lab", "tests", "chapters", "tools", "docs", "benchmarks", "deploy")
"""Folders that tests read."""


class Mutant(NamedTuple):
    """One planted mistake."""

    name: str
    module: str
    right: str
    """Stands exactly once in the module."""
    wrong: str
    chapters: str = ""
    """Numbers of the chapters that use the formula and so must turn red."""


# fmt: off
MUTANTS = [
    # bayes
    Mutant("belief: the prior forgotten", "bayes/coin", "log_joint = log_prior + coin_log_likelihood(heads, tosses, grid)", "log_joint = 0 * log_prior + coin_log_likelihood(heads, tosses, grid)", "01"),
    Mutant("belief: adds to 1, has not area 1", "bayes/coin", "torch.logsumexp(log_values + widths(grid).log(), dim=-1)", "torch.logsumexp(log_values, dim=-1)", "01"),
    Mutant("belief: tosses for tails", "bayes/coin", "xlogy(heads, theta) + xlog1py(tosses - heads, -theta)", "xlogy(heads, theta) + xlog1py(tosses, -theta)", "01"),
    Mutant("belief: count and sequence confused", "bayes/coin", "return log_sequence if ordered else", "return log_sequence if not ordered else", "01"),
    Mutant("conjugate: tosses for tails", "bayes/beta", "Beta(a + heads, b + tosses - heads)", "Beta(a + heads, b + tosses)", "01"),
    Mutant("two coins: logarithms mixed instead of chances", "bayes/two_coins", "total = total + times * torch.logaddexp(with_1, with_2)", "total = total + times * (alpha * (with_1 - alpha.log()) + (1 - alpha) * (with_2 - torch.log1p(-alpha)))", "01"),
    # gaussians
    Mutant("draw: variance used as standard deviation", "gaussians/normal", "p.var.sqrt() * z", "p.var * z", "00 02 05"),
    Mutant("push: scale not squared", "gaussians/normal", "scale**2 * p.var + noise_var)", "scale * p.var + noise_var)", "02"),
    Mutant("push: standard deviations added", "gaussians/normal", "scale**2 * p.var + noise_var)", "(scale * p.var**0.5 + noise_var**0.5) ** 2)", "02"),
    Mutant("condition: gain without the prior's variance", "gaussians/normal", "gain = var * scale / seen_var", "gain = scale / seen_var", "02"),
    Mutant("product: a standard deviation for a variance", "gaussians/normal", "return condition(p, q.mean, 1.0, q.var)", "return condition(p, q.mean, 1.0, q.var.sqrt())", "02"),
    Mutant("quotient: precisions added", "gaussians/normal", "gain = p_var / (q_var - p_var)", "gain = p_var / (q_var + p_var)", "02"),
    Mutant("quotient: moves towards q", "gaussians/normal", "p.mean + gain * (p.mean - q.mean)", "p.mean - gain * (p.mean - q.mean)", "02"),
    Mutant("quotient: any variance will do", "gaussians/normal", "    _check_narrower(p_var, q_var)\n", "", "02"),
    Mutant("log_prob: no 2 pi", "gaussians/normal", "var.log() + LOG_2PI", "var.log()", "03 05"),
    Mutant("level_mean: a standard deviation for a variance", "gaussians/pixels", "(2 * var.reshape(-1, 1))", "(2 * var.sqrt().reshape(-1, 1))", "14"),
    Mutant("level_mean: the prior forgotten", "gaussians/pixels", "(log_prior - misfit).softmax", "(0 * log_prior - misfit).softmax", "14"),
    Mutant("kl: variances swapped", "gaussians/normal", "r = (p_var - q_var) / q_var", "r = (q_var - p_var) / p_var", "02 05 08"),
    Mutant("kl: mean over the wrong variance", "gaussians/normal", "(p.mean - q.mean) ** 2 / q_var)", "(p.mean - q.mean) ** 2 / p_var)", "02 08"),
    Mutant("kl: half forgotten", "gaussians/normal", "return 0.5 * per_item(r", "return per_item(r", "02 05 08"),
    Mutant("kl_full: correlations left out", "gaussians/correlated", "var, rotation = torch.linalg.eigh(white)", "var, rotation = white.diagonal(dim1=-2, dim2=-1), torch.eye(white.shape[-1], dtype=white.dtype)", "02"),
    Mutant("kl_full: the matrix itself for its root", "gaussians/correlated", 'torch.linalg.cholesky(_covariance(q_cov, q_mean, "q_cov"))', '_covariance(q_cov, q_mean, "q_cov")', "02"),
    Mutant("pixel_log_prob: levels twice as wide", "gaussians/pixels", "half = 1.0 / (levels - 1)", "half = 2.0 / (levels - 1)", "08"),
    Mutant("pixel_log_prob: no tail", "gaussians/pixels", "upper = torch.where(level > 1 - half, torch.inf, upper)", "upper = upper", "08b"),
    # estimators
    Mutant("monte_carlo: the spread of draws, not of their mean", "estimators", "values.std(dim=0) / math.sqrt(len(values))", "values.std(dim=0)", "03"),
    Mutant("importance_sampling: weights upside down", "estimators", "return monte_carlo(log_weight.exp()", "return monte_carlo((-log_weight).exp()", "03"),
    Mutant("effective_sample_size: the sum not squared", "estimators", "2 * log_weight.logsumexp(dim=-1) - (2", "log_weight.logsumexp(dim=-1) - (2", "03"),
    Mutant("log_mean_weight: the mean of logarithms", "estimators", "log_weight.logsumexp(dim=-1) - math.log(log_weight.shape[-1])", "log_weight.mean(dim=-1)", "03"),
    Mutant("pathwise and score function: variance used as standard deviation", "estimators", "var.detach().sqrt()", "var.detach()", "03"),
    Mutant("score_function_gradient: divided by a variance", "estimators", "* eps / std", "* eps / std**2", "03"),
    Mutant("score_function_gradient: baseline added", "estimators", "_one_per_sample(f(x), x) - baseline", "_one_per_sample(f(x), x) + baseline", "03"),
    # schedules
    Mutant("abar: square root of the product", "schedules/families", "(1 - beta).cumprod(0)])", "(1 - beta).cumprod(0).sqrt()])", "05 06"),
    Mutant("beta: divided by the wrong row", "schedules/table", "(self.abar[:-1] - self.abar[1:]) / self.abar[:-1]", "(self.abar[:-1] - self.abar[1:]) / self.abar[1:]", "05"),
    Mutant("signal: no root", "schedules/table", "return self.abar.sqrt()", "return self.abar", "05"),
    Mutant("noise: no root", "schedules/table", "return (1 - self.abar).sqrt()", "return 1 - self.abar", "05"),
    Mutant("snr: amplitudes instead of variances", "schedules/table", "return self.abar / (1 - self.abar)", "return (self.abar / (1 - self.abar)).sqrt()", "06"),
    Mutant("log_snr: plus for minus", "schedules/table", "self.abar.log() - torch.log1p(-self.abar)", "self.abar.log() + torch.log1p(-self.abar)", "06"),
    Mutant("information: half forgotten", "schedules/table", "return -0.5 * torch.log1p(-self.abar)", "return -torch.log1p(-self.abar)", "05 06"),
    Mutant("posterior_var: denominator 1 - abar_{t-1}", "schedules/table", "self.beta[1:] * (1 - self.abar[:-1]) / (1 - self.abar[1:])", "self.beta[1:] * (1 - self.abar[:-1]) / (1 - self.abar[:-1]).clamp(min=1e-12)", "07"),
    Mutant("linear: linear in sqrt(beta)", "schedules/families", 'return _by_beta("linear", beta_1, beta_T, lambda low, high: low + (high - low) * u)', 'return _by_beta("linear", beta_1, beta_T, lambda low, high: (low**0.5 + (high**0.5 - low**0.5) * u) ** 2)', "05 06"),
    Mutant("quadratic: linear in sqrt(beta)", "schedules/families", "lambda low, high: low + (high - low) * u**2)", "lambda low, high: (low**0.5 + (high**0.5 - low**0.5) * u) ** 2)", "06"),
    Mutant("logarithmic: the geometric curve", "schedules/families", "u = log_t / log_t[-1].clamp(min=math.log(2))", "u = _unit_steps(T)", "06"),
    Mutant("geometric: the straight line", "schedules/families", "low * (high / low) ** u)", "low + (high - low) * u)", "06"),
    Mutant("sigmoid: not stretched to its ends", "schedules/families", "s = (s - (1 - edge)) / (2 * edge - 1)", "s = s * 1.0"),
    Mutant("cosine: not squared", "schedules/families", "* (math.pi / 2)) ** 2", "* (math.pi / 2))", "06"),
    Mutant("cosine: offset outside the fraction", "schedules/families", "(u + offset) / (1 + offset)", "(u / (1 + offset) + offset)", "06"),
    Mutant("cosine: clip hardly there", "schedules/families", "beta_max: float = 0.999)", "beta_max: float = 0.9999999)", "06"),
    Mutant("from_log_snr: log of amplitudes", "schedules/families", "log_snr.sigmoid()]))", "(2 * log_snr).sigmoid()]))"),
    Mutant("zero_terminal: only the last row", "schedules/derived", "(signal[1:] - last) * (first / (first - last))", "signal[1:] * 1.0", "06"),
    Mutant("zero_terminal: abar instead of its root", "schedules/derived", 'zero terminal SNR", signal**2)', 'zero terminal SNR", signal)', "06"),
    Mutant("scaled_snr: k for k squared", "schedules/derived", ".log_snr + math.log(factor)", ".log_snr + 0.5 * math.log(factor)", "06"),
    Mutant("timesteps: never reaches T", "schedules/derived", "(T * k + steps // 2) // steps for k", "((T - 1) * k + steps // 2) // steps for k", "10"),
    Mutant("row: one row early", "schedules/table", "return table[check_times(t, None, T=len(table) - 1, lowest=0)]", "return table[torch.as_tensor(t) - 1]", "05"),
    Mutant("row: float32 before the subtraction", "schedules/table", "return table[check_times(t, None, T=len(table) - 1, lowest=0)]", "return table.float()[t].double()"),
    # forward
    Mutant("transition: mean without root", "forward", "mean=coef(alpha_ts.sqrt(), x_s) * x_s", "mean=coef(alpha_ts, x_s) * x_s", "05"),
    Mutant("transition: variance is a standard deviation", "forward", "var=coef((abar_s - abar_t) / abar_s, x_s)", "var=coef(((abar_s - abar_t) / abar_s).sqrt(), x_s)", "05"),
    Mutant("transition: nothing shrinks", "forward", "mean=coef(alpha_ts.sqrt(), x_s) * x_s", "mean=x_s", "05"),
    Mutant("marginal: mean without root", "forward", "mean=coef(abar_t.sqrt(), x_0) * x_0", "mean=coef(abar_t, x_0) * x_0", "05"),
    Mutant("marginal: variance is a standard deviation", "forward", "var=coef(1 - abar_t, x_0)", "var=coef((1 - abar_t).sqrt(), x_0)", "05"),
    Mutant("noised: noise scaled by a variance", "forward", "coef((1 - abar_t).sqrt(), x_0) * eps", "coef(1 - abar_t, x_0) * eps", "00 05"),
    Mutant("noised: weights that add to 1", "forward", "coef((1 - abar_t).sqrt(), x_0) * eps", "coef(1 - abar_t.sqrt(), x_0) * eps", "00 05"),
    Mutant("posterior: sqrt(abar_t) on x_0", "forward", "w_0 = abar_s.sqrt() * fresh", "w_0 = abar_t.sqrt() * fresh", "00 07"),
    Mutant("posterior: sqrt(abar_t) on x_t", "forward", "w_t = alpha_ts.sqrt() * (1 - abar_s)", "w_t = abar_t.sqrt() * (1 - abar_s)", "00 07"),
    Mutant("posterior: weights swapped", "forward", "mean=coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t", "mean=coef(w_t, x_t) * x_0 + coef(w_0, x_t) * x_t", "00 07"),
    Mutant("posterior: denominator 1 - abar_s in the variance", "forward", "var = fresh * (1 - abar_s) / (1 - abar_t)", "var = fresh * 1.0", "00 07"),
    Mutant("posterior: variance upside down", "forward", "var = fresh * (1 - abar_s) / (1 - abar_t)", "var = fresh * (1 - abar_t) / (1 - abar_s).clamp(min=1e-9)", "07"),
    Mutant("posterior: variance is a standard deviation", "forward", "var=coef(var, x_t))", "var=coef(var.sqrt(), x_t))", "07"),
    # predictions
    Mutant("convert: eps to x0 without root of abar", "predictions", "return (x_t - noise * out) / signal", "return (x_t - noise * out) / signal**2", "09"),
    Mutant("convert: image minus noise", "predictions", "return (x_t - noise * out) / signal", "return x_t - out", "09"),
    Mutant("convert: v with the other sign", "predictions", "else signal * x_t - noise * out", "else signal * x_t + noise * out", "09"),
    Mutant("convert: score with the other sign", "predictions", "score=-eps / noise", "score=eps / noise", "09"),
    Mutant("target: v with the other sign", "predictions", "* eps - coef((1 - abar_t).sqrt(), x_0) * x_0", "* eps + coef((1 - abar_t).sqrt(), x_0) * x_0", "09"),
    Mutant("guided: weight 1 + w", "predictions", "return u + scale * (c - u)", "return u + (1 + scale) * (c - u)", "15b"),
    # ideal_denoisers
    Mutant("log_density: the data's variance not scaled", "ideal_denoisers", "abar_t * var + (1 - abar_t)", "var + (1 - abar_t)", "00"),
    Mutant("log_density: half a dimension short", "ideal_denoisers", "mean.shape[1] * (2 * math.pi * var_t).log()", "(2 * math.pi * var_t).log()"),
    Mutant("mixture_denoiser: blobs without width", "ideal_denoisers", "gain = signal * var / var_t", "gain = 0 * var / var_t", "09 10"),
    Mutant("dataset_denoiser: temperature off by 2", "ideal_denoisers", "(closeness / (1 - abar_t)).softmax", "(closeness / (2 * (1 - abar_t))).softmax", "00 10"),
    Mutant("dataset_denoiser: points not shrunk", "ideal_denoisers", "- abar_t * half_norms", "- half_norms", "00 10"),
    # flow_matching
    Mutant("flow: time by variance, not by standard deviation", "flow_matching/path", "check_schedule(schedule).noise / scale(schedule)", "1 - check_schedule(schedule).abar"),
    Mutant("flow: the velocity points to the data", "flow_matching/path", "return (eps - x_0 - out).square()", "return (x_0 - eps - out).square()"),
    Mutant("flow: v taken for a velocity", "flow_matching/conversions", "return both * v + difference * x_t", "return both * v"),
    Mutant("flow: x_t not brought back to the schedule", "flow_matching/conversions", "x_t = coef(row(scales, t), x_tau) * x_tau", "x_t = x_tau"),
    Mutant("flow: Heun adds both velocities", "flow_matching/solving", "u = (u + _ask(net, x + step * u, s)) / 2", "u = u + _ask(net, x + step * u, s)"),
    Mutant("flow: pairs as far apart as possible", "flow_matching/pairs", "linear_sum_assignment(torch.cdist(a, b).square().numpy())", "linear_sum_assignment(-torch.cdist(a, b).square().numpy())"),
    # sde
    Mutant("sde: the noise's variance as in the chain, without its root", "sde/processes", "return self.diffusion_var(_inputs.time(t)).sqrt()", "return self.diffusion_var(_inputs.time(t))"),
    Mutant("sde: the drift twice as strong", "sde/processes", "rate=lambda t: -0.5 * beta(t)", "rate=lambda t: -beta(t)", "16"),
    Mutant("sde: variance exploding starts with noise", "sde/processes", "noise_var=lambda t: low**2 * torch.expm1(grows * t)", "noise_var=lambda t: low**2 * torch.exp(grows * t)"),
    Mutant("sde: rescaled by the variance's factor once", "sde/processes", "sde.diffusion_var(t) / sde.signal(t) ** 2", "sde.diffusion_var(t) / sde.signal(t)"),
    Mutant("sde: the ODE's half in every process", "sde/reverse", "half = 0.5 * (1 + dial**2) * sde.diffusion_var(t)", "half = 0.5 * sde.diffusion_var(t)", "16"),
    Mutant("sde: noise without the root of the step", "sde/reverse", "dial * (sde.diffusion_var(t) * (t - s)).sqrt()", "dial * sde.diffusion_var(t).sqrt() * (t - s)", "16"),
    Mutant("sde: the score added, not subtracted", "sde/reverse", "return sde.rate(t).to(x) * x - half.to(x) * slope", "return sde.rate(t).to(x) * x + half.to(x) * slope", "16"),
    Mutant("fokker_planck: g for half its square", "sde/grid", "spread = 0.5 * diffusion(t) ** 2 / width", "spread = 0.5 * diffusion(t) / width", "16"),
    Mutant("log_likelihood: the divergence with a minus", "sde/likelihood", "Likelihood(log_prior(x) + total, x)", "Likelihood(log_prior(x) - total, x)", "16"),
    Mutant("hutchinson: the vector once", "sde/divergences", "create_graph) * v.reshape(len(x), -1) for v in probes", "create_graph) for v in probes", "16"),
    Mutant("score matching: the divergence subtracted", "sde/matching", "value, div = divergence(model, x, create_graph=True)\n    return _half_square(value) + div", "value, div = divergence(model, x, create_graph=True)\n    return _half_square(value) - div", "16"),
    Mutant("score matching: the target is eps, not eps / noise", "sde/matching", "_half_square(_of(model, a * x_0 + b * eps) + eps / b)", "_half_square(_of(model, a * x_0 + b * eps) + eps)", "16"),
    Mutant("mixture: its variances not scaled", "sde/mixtures", "signal**2 * var + sde.noise_var(t)", "var + sde.noise_var(t)", "16"),
    # discrete
    Mutant("discrete: kept with the root of abar", "discrete/chain", "return keep * kept + (1 - keep) * fresh", "return keep**0.5 * kept + (1 - keep**0.5) * fresh", "17b"),
    Mutant("discrete: one step with abar_t", "discrete/chain", "alpha_ts = row(schedule.abar, t) / row(schedule.abar, s)", "alpha_ts = row(schedule.abar, t)"),
    Mutant("discrete: the prediction not divided by its evidence", "discrete/chain", "share = torch.where(evidence > 0, p / evidence, torch.zeros_like(p))", "share = torch.where(evidence > 0, p, torch.zeros_like(p))", "17b"),
    Mutant("discrete: the step back with abar_t", "discrete/chain", "came = _kept(abar_t / abar_s, hot, here)", "came = _kept(abar_t, hot, here)", "17b"),
    Mutant("discrete: KL the other way round", "discrete/bound", "(torch.xlogy(p, p) - torch.xlogy(p, q))", "(torch.xlogy(q, q) - torch.xlogy(q, p))", "17b"),
    Mutant("discrete: the data's weights forgotten", "discrete/sampling", "log_joint = log_prior + q.log().sum(2)", "log_joint = q.log().sum(2)"),
    # samplers
    Mutant("ddpm_step: noise in the last step", "samplers/steps", "torch.where(p.var > 0, large, p.var)", "large", "10"),
    Mutant("ddim_step: eta not squared", "samplers/steps", "var = eta**2 * (1 - abar_s) * fresh", "var = eta * (1 - abar_s) * fresh", "10b"),
    Mutant("ddim_step: fresh noise on top of all the old", "samplers/steps", "((1 - eta**2) * fresh + old)).sqrt()", "(fresh + old)).sqrt()", "10b"),
    Mutant("ddim_step: step's alpha for abar", "samplers/steps", "on_x0 = abar_s.sqrt() - kept * abar_t.sqrt()", "on_x0 = abar_s.sqrt() - kept * (abar_t / abar_s).sqrt()", "00 10b"),
    Mutant("reverse: the denoiser is told s instead of t", "samplers/ancestral", "x0_hat = _ask(denoise, x_t, t)\n        p = step", "x0_hat = _ask(denoise, x_t, max(s, 1))\n        p = step", "10"),
    Mutant("reverse: the mean only, no noise", "samplers/ancestral", "x_s = draw(p, normal_like(x_t, generator=rng))", "x_s = p.mean", "10"),
    Mutant("ddpm: the denoiser is told s instead of t", "samplers/ancestral", "x0_hat = _ask(denoise, x_t, t)\n            p = Gaussian", "x0_hat = _ask(denoise, x_t, max(s, 1))\n            p = Gaussian", "10"),
    Mutant("ddpm: the mean only, no noise", "samplers/ancestral", "p.mean + std * normal_like(x_t, generator=rng)", "p.mean", "00"),
    Mutant("ddpm: variance used as standard deviation", "samplers/ancestral", "p.mean + std * normal_like", "p.mean + var * normal_like", "00"),
    Mutant("probability_flow_ode: full instead of half correction", "samplers/deterministic", "torch.tan(phi.diff() / 2)", "torch.tan(phi.diff())", "10b"),
    Mutant("probability_flow_ode: slope of a circle run backwards", "samplers/deterministic", "* eps_hat - self.noise[t] * x0_hat", "* eps_hat + self.noise[t] * x0_hat", "10b"),
    Mutant("dpmpp_2m: extrapolates backwards", "samplers/deterministic", "estimate = x0_hat + ahead *", "estimate = x0_hat - ahead *", "10b"),
    # losses
    Mutant("vlb weight: half forgotten", "losses", "half_step = 0.5 * (abar_s - abar_t)", "half_step = (abar_s - abar_t)", "08"),
    Mutant("min_snr: max for min", "losses", "(gamma / snr).clamp(max=1.0)", "(gamma / snr).clamp(min=1.0)", "08b"),
    Mutant("bound: the model's variance for the truth's", "losses", "return kl(truth, model)", "return kl(model, truth)"),
    Mutant("bound: step variance beta in the last step's place", "losses", "coef(schedule.beta[1], x_0)", "coef(schedule.beta[1].sqrt(), x_0)", "08"),
    Mutant("simple: sum instead of mean", "losses", "reshape(len(x_0), -1).mean(dim=1)", "reshape(len(x_0), -1).sum(dim=1)"),
    Mutant("train: t = T never drawn", "training/loop", "torch.randint(1, schedule.T + 1,", "torch.randint(1, schedule.T,"),
    Mutant("EMA: old and new swapped", "training/ema", "[*net.parameters()], 1 - keep", "[*net.parameters()], keep"),
    Mutant("share: every process does all the work", "training/_plan", "else x[plan.rank :: plan.world_size]", "else x"),
    Mutant("resume: the learning rate begins again", "training/loop", "range(start + 1, plan.steps + 1)", "range(1, plan.steps + 1 - start)"),
    Mutant("resume: the batches begin again", "training/trainer", "\"start\": run.step}", "\"start\": 0}"),
    Mutant("bound in strata: one term for all of them", "losses", "return len(stratum) * _step_kl(", "return _step_kl("),
    Mutant("bits: padding counted as pixels", "training/evaluation", "real = models.without_padding(x_0, model)", "real = x_0"),
    Mutant("bits: the label for nothing", "training/evaluation", "nats = math.log(model.config.classes) if", "nats = 0.0 if"),
    Mutant("bits: ranges of t of one length", "training/evaluation", "spans, found = losses.strata(plan, strata), []", "spans, found = torch.arange(2, plan.T + 1).tensor_split(strata), []"),
    Mutant("augment_shifts: shifted images keep their labels", "datasets/augmentation", "[labels + classes] * 8", "[labels] * 8"),
    Mutant("augment_shifts: what leaves at one edge comes in at the other", "datasets/augmentation", "F.pad(x, (1 + right, 1 - right, 1 + down, 1 - down), value=-1.0)[..., 1:-1, 1:-1]", "x.roll((down, right), (-2, -1))"),
    Mutant("image folders: transparency on black", "datasets/decoding", 'Image.new("RGBA", image.size, "white")', 'Image.new("RGBA", image.size, "black")'),
    Mutant("image folders: 16 bits cut instead of rounded", "datasets/decoding", "(values + 128) // 257", "values // 256"),
    Mutant("image folders: the camera's rotation forgotten", "datasets/decoding", "image = ImageOps.exif_transpose(image)", "image.load()"),
    Mutant("image folders: crops the upper left", "datasets/fitting", "y, x = (h - height / scale) / 2, (w - width / scale) / 2", "y, x = 0, 0"),
    Mutant("image folders: a crop that pads", "datasets/fitting", "scale = max(height / h, width / w)", "scale = min(height / h, width / w)"),
    Mutant("image folders: enlarges what it pads", "datasets/fitting", "scale = min(height / h, width / w, 1)", "scale = min(height / h, width / w)"),
    Mutant("image folders: a split that depends on the others", "datasets/splitting", 'key=lambda i: sha256(f"{seed}/{names[i]}".encode()).digest()', 'key=lambda i: sha256(f"{seed}/{i}/{len(names)}".encode()).digest()'),
    Mutant("image folders: train holds the test images", "datasets/splitting", "else order[count:]", "else order"),
    Mutant("image folders: channels of the split alone", "datasets/image_files", "headers, bad = _each(_header, paths)", "headers, bad = _each(_header, [paths[row] for row in rows])"),
    Mutant("array files: each split in a range of its own", "datasets/array_pixels", "kind, read, note = _range(list(images.values()), path)", "kind, read, note = _range(list(images.values())[-1:], path)"),
    Mutant("dataset record: checksum without labels", "datasets/record", "if self.labels is not None:\n            digest", "if self.labels is None:\n            digest"),
    Mutant("dataset record: divided by 255 whatever the levels", "datasets/loading", "pixels.float().div_(top / 2).sub_(1)", "pixels.float().div_(255).mul_(2).sub_(1)"),
    Mutant("time_embedding: all waves alike", "networks/embeddings", "torch.arange(half, device=t.device, dtype=torch.float32) / half", "torch.zeros(half, device=t.device)"),
    Mutant("UNet: a sum without the skip", "networks/unet", "else h + skip", "else h + 0 * skip"),
    Mutant("UNet: pixels put back by reshape alone", "networks/unet", "F.pixel_shuffle(h, self.patch).to(x_t.dtype)", "h.reshape(x_t.shape).to(x_t.dtype)", "12"),
    Mutant("UNet: a feature times scale, not 1 + scale", "networks/blocks", "self.norm_2(h) * (1 + scale) + shift", "self.norm_2(h) * scale + shift", "12"),
    Mutant("levels: the signal not divided out", "networks/pixel_head", "y = x_t.flatten(1) * (1 + ratio**2).sqrt()", "y = x_t.flatten(1)"),
    Mutant("UNet: a block without its shortcut", "networks/blocks", "h = self.shortcut(x) + self.conv_2(h)", "h = self.conv_2(h)", "12"),
    Mutant("UNet: all channels in one group", "networks/blocks", "nn.GroupNorm(groups, dim) if", "nn.GroupNorm(1, dim) if", "12"),
    Mutant("bits_per_dim: nats left as nats", "losses", "_checks.float64(2.0).log()", "_checks.float64(1.0)", "05"),
    # elbo
    Mutant("elbo: KL the other way round", "elbo/bound", "kl=kl(q, prior(z)))", "kl=kl(Gaussian(torch.zeros_like(z), torch.ones_like(z)), q))", "04b"),
    Mutant("elbo: the loss is the bound itself", "elbo/bound", "return beta * found.kl - found.reconstruction", "return found.reconstruction - beta * found.kl", "04b"),
    Mutant("elbo: log-variance read as that of a standard deviation", "elbo/bound", "return Gaussian(mean, log_var.exp())", "return Gaussian(mean, (2 * log_var).exp())", "04b"),
    Mutant("elbo: no entropy of q", "elbo/discrete", "elbo=(torch.xlogy(q, joint) - own).sum(-1)", "elbo=torch.xlogy(q, joint).sum(-1)", "04"),
    Mutant("elbo: prior missing in the weight", "elbo/bound", "+ log_prob(prior(z), z) - log_prob(q, z)", "- log_prob(q, z)", "04b"),
    Mutant("elbo: a latent dies at the standard deviation", "elbo/linear", "(eigenvalue[:latents] - var).clamp(min=0)", "(eigenvalue[:latents] - var**0.5).clamp(min=0)", "04b"),
    Mutant("elbo: the decoder's variance is a standard deviation", "networks/vae", "return self.log_var.exp()", "return (0.5 * self.log_var).exp()", "04b"),
    # metrics
    Mutant("energy_distance: each item paired with itself", "metrics/distances", "row_aa.sum() / (n * (n - 1))", "row_aa.sum() / (n * n)"),
    Mutant("energy_distance: pairs counted as independent", "metrics/distances", "var = float(pairs.clamp(min=0) + first.clamp(min=0))", "var = float(pairs.clamp(min=0))"),
    Mutant("mmd: the 2 of the kernel forgotten", "metrics/distances", "torch.exp(-0.5 * (torch.cdist(x, y) / width) ** 2)", "torch.exp(-((torch.cdist(x, y) / width) ** 2))"),
    Mutant("sliced_wasserstein: lines of any length", "metrics/sliced", "lines = lines / lines.norm(dim=0)", "lines = lines * 1.0"),
    Mutant("sliced_wasserstein: no root", "metrics/sliced", "value = float(costs.mean() ** (1 / order))", "value = float(costs.mean())"),
    Mutant("frechet: root of each entry", "metrics/fitted", "torch.linalg.svdvals(root_a @ root_b.T).sum()", "(root_a.T @ root_a * (root_b.T @ root_b)).diagonal().sqrt().sum()"),
    Mutant("jackknife: spread of the parts for that of the whole", "metrics/resampling", "(len(s) - 1) * float(s.var(correction=0))", "float(s.var(correction=0)) / len(s)"),
    Mutant("memorization_test: the larger set has the nearer neighbors", "metrics/neighbors", "train, held_out = _subsampled(train, size, rng), _subsampled(held_out, size, rng)", "size = len(train)"),
    Mutant("memorization_test: samples counted as independent", "metrics/neighbors", "float(share.square().sum() - 1 / (2 * size))", "1 / len(x)"),
    Mutant("real_baseline: the same items on both sides", "metrics/baselines", "data[order[size : 2 * size]]", "data[order[:size].flip(0)]"),
]
# fmt: on


def plant(mutant: Mutant, tree: Path) -> None:
    """Write the mistake into the copy.

    Raises
    ------
    ValueError
        Unless the right line stands there exactly once.
    """
    path = tree / "ddpm_lab" / f"{mutant.module}.py"
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.right) != 1:
        raise ValueError(
            f"{mutant.name}: the line must stand once in {mutant.module}.py, "
            f"it stands {text.count(mutant.right)} times: {mutant.right!r}. Update tools/mutants.py."
        )
    path.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")


def copy_project(tree: Path) -> None:
    """What the tests need, and nothing that is slow to copy."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file() and path.suffix in {".toml", ".txt", ".bib", ".md", ".py"}:
            shutil.copy(path, tree)


def first_failure(tree: Path, args: list[str]) -> str | None:
    """The first failing test of a pytest run in the copy; None if all pass, or there is none."""
    if not args:
        return None
    env = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *args],
        cwd=tree, env=env, capture_output=True, text=True,
    )  # fmt: skip
    if run.returncode == 0:
        return None
    found = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return found[0].split(" - ")[0] if found else run.stdout.strip()[-300:] or run.stderr[-300:]


def tests_red(tree: Path, mutant: Mutant | None = None) -> str | None:
    """The first unit, property or oracle test that notices; the likeliest files are run first."""
    files = [f for folder in TESTS for f in sorted((tree / folder).glob("test_*.py"))]
    files = [f for f in files if f.name not in SKIPPED]
    if mutant:
        files.sort(key=partial(mentions, mutant), reverse=True)
    names = [str(f.relative_to(tree)) for f in files]
    few = 8 if mutant else len(names)  # pytest reads all files that it is given before it runs one
    return first_failure(tree, names[:few]) or first_failure(tree, names[few:])


def mentions(mutant: Mutant, file: Path) -> tuple[int, int]:
    """How often a test file says the name of the function, and of the module."""
    text, function = file.read_text(encoding="utf-8"), mutant.name.split(":")[0]
    return text.count(function), text.count(mutant.module.partition("/")[0])


def chapter_red(tree: Path, number: str) -> str | None:
    """The first cell of a chapter that notices."""
    chapters = sorted((tree / "chapters").glob(f"{number}_*.ipynb"))
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval.cfg"]
    return first_failure(tree, [*options, *map(str, chapters)])


def judges(chapters, who, mutant=None):
    """Who shall notice: name -> function of the copied project."""
    found = {"tests": partial(tests_red, mutant=mutant)} if who != "chapters" else {}
    if who != "tests":
        found |= {f"chapter {n}": partial(chapter_red, number=n) for n in chapters.split()}
    return found


def survivors(mutant: Mutant, who: str) -> list[str]:
    """Who did not notice the mistake: "tests", or "chapter NN"."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_project(tree)
        plant(mutant, tree)
        red = {name: judge(tree) for name, judge in judges(mutant.chapters, who, mutant).items()}
    blind = [who for who, failure in red.items() if failure is None]
    seen = ", ".join(who for who in red if who not in blind)
    missed = f"   NOT BY {', '.join(blind)}" if blind else ""
    print(
        f"{'✗' if blind else '✓'} {mutant.name}: noticed by {seen or 'nobody'}{missed}", flush=True
    )
    for failure in filter(None, red.values()):
        print(f"      {failure}", flush=True)
    return blind


def already_red(chosen: list[Mutant], who: str) -> list[str]:
    """Tests and chapters that are red without any mutant: nothing could be learned from them."""
    chapters = " ".join(sorted({*" ".join(m.chapters for m in chosen).split()}))
    with tempfile.TemporaryDirectory() as folder:
        copy_project(tree := Path(folder))
        failures = [judge(tree) for judge in judges(chapters, who).values()]
    return [failure for failure in failures if failure]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only mutants with one of these words in the name")
    parser.add_argument("--sample", type=int, help="only so many, chosen by the day of the year")
    parser.add_argument("--who", choices=("tests", "chapters", "both"), default="both")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.words or any(w in m.name for w in options.words)]
    if options.sample:
        day = date.today().timetuple().tm_yday
        chosen = random.Random(day).sample(chosen, min(options.sample, len(chosen)))
    print(f"{len(chosen)} mutants; first without any: all must be green", flush=True)
    if red := already_red(chosen, options.who):
        print("Red without any mutant, so nothing can be learned:", *red, sep="\n  ")
        return 1
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(partial(survivors, who=options.who), chosen))
    alive = sum(bool(blind) for blind in results)
    print(f"{len(chosen)} mutants: {len(chosen) - alive} noticed by all who should, {alive} not")
    return 1 if alive else 0


if __name__ == "__main__":
    raise SystemExit(main())
