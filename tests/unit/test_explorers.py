"""The explorers behind the chapters: every control moves the picture, and the words are true.

Truth: the sentences' numbers are recomputed here from the textbook formulas; a still picture of a
state must equal, to the byte, what the live widget shows for it.
"""

import math
import re
import textwrap
from functools import cache
from itertools import product

import pytest
import torch
from scipy import integrate, stats

from ddpm_lab import datasets, losses, metrics, samplers, schedules, sde, training
from ddpm_lab import ideal_denoisers as ideal
from ddpm_lab.course import explorers, words
from ddpm_lab.course.explorers import (
    baseline,
    bits,
    bound,
    coin,
    dial,
    digit,
    flow,
    guidance,
    joint,
    learned,
    posterior,
    predictions,
    unet,
    weights,
)
from ddpm_lab.course.explorers import samplers as steps
from ddpm_lab.course.explorers._controls import Menu, Stops
from ddpm_lab.course.explorers._live import png
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import pretrained

EXPLORERS = {
    "how_much_is_left": {"t": 700, "digit": 8, "schedule": "cosine", "seed": 1},
    "where_the_bits_are": {"schedule": "cosine", "T": 50, "percent": 70},
    "learned_against_exact": {"t": 60, "steps": 1000},
    "what_a_block_sees": {"block": "conv_in", "t": 600, "digit": 8},
    "real_against_real": {"metric": "energy distance", "n": 200, "noise": 0.9},
    "prior_against_data": {"prior": "at most 1/2", "tosses": 200, "percent": 30},
    "slice_of_the_joint": {"joint": "correlated normals", "held": "y", "at": 0.7},
    "importance_sampling": {"mean": 1.5, "std": 0.75, "dimension": 3},
    "how_tight": {"model": "two bumps", "x": -1.0, "mean": -1.2, "std": 0.25},
    "who_pulls_harder": {"t": 40, "back": 10, "x_0": -1.5, "x_t": 0.75},
    "four_names": {"t": 900},
    "how_few_steps": {"sampler": "dpmpp_2m", "steps": 3},
    "guidance_dial": {"label": 8, "guidance_scale": 4.0, "steps": 3, "seed": 2},
    "what_a_mask_hides": {"noise": "uniform", "word": "and", "t": 15, "seed": 3},
    "true_or_false": {"theme": "practice", "claim": 4, "guess": "false"},
    "sde_or_ode": {"dial": 0.25, "steps": 20, "seed": 3},
    "straight_or_bent": {"path": "arc", "tau": 0.35, "steps": 7},
}
ALL = pytest.mark.parametrize("name", EXPLORERS)


@cache
def made(name):
    """One explorer for all tests that leave it as it was; a new one for each takes its time."""
    return getattr(explorers, name)()


@ALL
def test_every_control_moves_the_picture_and_the_way_back_restores_it(name):
    explorer = made(name)
    first = explorer.widget.picture.value
    for key, value in EXPLORERS[name].items():
        before, default = explorer.widget.picture.value, explorer.controls[key].value
        explorer.controls[key].value = value
        assert explorer.widget.picture.value != before, f"{key} moves nothing"
        explorer.controls[key].value = default
        assert explorer.widget.picture.value == before
    assert explorer.widget.picture.value == first


@ALL
def test_the_still_picture_is_what_the_widget_shows(name):
    explorer = made(name)
    for key, value in EXPLORERS[name].items():
        explorer.controls[key].value = value
    figure = explorer.render(**EXPLORERS[name])
    for artist in explorer.widget.moving:
        assert artist.get_animated()
    figure.canvas.draw()
    assert png(figure.canvas) == explorer.widget.picture.value
    explorer.widget.panel.children[1].children[0].click()  # reset


@ALL
def test_a_stored_page_gets_a_picture_and_words(name):
    bundle, metadata = made(name)._repr_mimebundle_()
    assert {"image/png", "text/plain"} < set(bundle)
    assert metadata["image/png"]["alt"] == bundle["text/plain"]
    assert "?" in bundle["text/plain"] and re.search(r"\d", bundle["text/plain"])


@ALL
def test_controls_have_names_and_tooltips(name):
    controls = made(name).controls
    assert 1 <= len(controls) <= 4
    for control in controls.values():
        assert control.description and control.tooltip


@ALL
def test_the_first_state_and_the_words_of_another_follow_the_same_names(name):
    explorer = made(name)
    other = getattr(explorers, name)(**EXPLORERS[name])
    assert textwrap.fill(explorer.describe(**EXPLORERS[name]), 88) == repr(other) != repr(explorer)
    assert textwrap.fill(explorer.describe(), 88) == repr(explorer)
    picture = explorer.widget.picture.value
    explorer.widget.redraw()  # words alone move nothing
    assert explorer.widget.picture.value == picture


def ends(control):
    """The values at the ends of a control."""
    if isinstance(control, Stops):
        return (control.options[0], control.options[-1]) if control.only else control.ends
    return control.options if isinstance(control, Menu) else (control.low, control.high)


@pytest.mark.parametrize("name", explorers.__all__[1:])
def test_it_draws_at_all_ends_of_its_controls(name):
    """All pairs of ends that no schedule forbids; the picture fits into its frame."""
    explorer = made(name)
    for key, control in explorer.declared.items():
        for other, second in explorer.declared.items():
            for state in product(ends(control), ends(second)):
                try:
                    said = explorer.describe(**dict(zip((key, other), state)))
                except ValueError as error:
                    assert "No schedule has these settings" in str(error)
                else:
                    assert "nan" not in said.lower().split()


@ALL
def test_reset_goes_back_in_one_redraw(name, monkeypatch):
    explorer = made(name)
    for key, value in EXPLORERS[name].items():
        explorer.controls[key].value = value
    redrawn = []
    show = explorer.widget._show
    monkeypatch.setattr(explorer.widget, "_show", lambda *a: redrawn.append(show(*a)))
    button = explorer.widget.panel.children[1].children[0]
    button.click()
    assert button.description == "Reset" and len(redrawn) == 1
    assert explorer.widget.picture.value == explorer.widget.first_picture


def test_what_is_typed_becomes_a_stop_or_goes_to_the_nearest():
    steps = explorers.how_few_steps().controls["steps"]
    steps.typed.value = 13
    assert steps.value == steps.slider.value == 13 and 13 in steps.options
    n = explorers.real_against_real().controls["n"]
    n.typed.value = 190
    assert n.value == n.typed.value == n.slider.value == 200


def test_time_can_be_played():
    controls = explorers.four_names().widget.panel.children[1].children
    label, play = controls[1].children
    assert label.value == "play t (steps)" and (play.min, play.max) == (1, 1000)
    assert len(explorers.how_tight().widget.panel.children[1].children) == 1


def test_time_in_fractions_is_played_from_stop_to_stop_and_follows_the_slider():
    explorer = explorers.straight_or_bent(tau=0.5)
    label, play = explorer.widget.panel.children[1].children[1].children
    assert label.value == "play tau" and (play.min, play.max, play.value) == (0, 20, 10)
    for n in range(21):
        play.value = n
        assert explorer.controls["tau"].value == pytest.approx(n / 20, abs=1e-12)
    explorer.controls["tau"].value = 0.15
    assert play.value == 3
    assert "at tau = 0.15" in explorer.widget._said


def test_a_move_is_computed_by_one_thread_and_the_others_come_back():
    before, seen = torch.get_num_threads(), []
    explorer = explorers.four_names()
    update = explorer.widget.update
    explorer.widget.update = lambda **state: seen.append(torch.get_num_threads()) or update(**state)
    torch.set_num_threads(3)
    try:
        explorer.controls["t"].value = 500
        assert seen == [1] and torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


WRONG = {
    "how_much_is_left": [{"t": 0}, {"digit": 10}, {"schedule": "line"}, {"seed": -1}],
    "where_the_bits_are": [{"schedule": "line"}, {"T": 1}, {"T": 4001}, {"percent": 101}],
    "learned_against_exact": [{"t": 0}, {"steps": 11}],
    "what_a_block_sees": [{"block": "down"}, {"t": 1001}, {"digit": -1}],
    "real_against_real": [{"metric": "FID"}, {"n": 26}, {"noise": 0.25}],
    "prior_against_data": [{"prior": "flatt"}, {"tosses": -1}, {"percent": 101}],
    "slice_of_the_joint": [{"joint": "square"}, {"held": "z"}, {"at": 1.0}],
    "importance_sampling": [{"mean": -1}, {"std": 0.0}, {"dimension": 0}, {"dimension": 51}],
    "how_tight": [{"model": "one"}, {"x": 2.5}, {"mean": math.nan}, {"std": -1.0}],
    "who_pulls_harder": [{"t": 1}, {"t": 1001}, {"back": 0}, {"x_0": 3}, {"x_t": math.inf}],
    "four_names": [{"t": 0}, {"t": 1001}],
    "how_few_steps": [{"sampler": "dim"}, {"steps": 0}],
    "straight_or_bent": [{"path": "bent"}, {"tau": 1.1}, {"steps": 0}],
    "guidance_dial": [{"label": 10}, {"guidance_scale": 8.1}, {"steps": 0}, {"seed": -1}],
    "what_a_mask_hides": [{"noise": "normal"}, {"word": "cat"}, {"t": 0}, {"seed": -1}],
    "true_or_false": [{"theme": "vae"}, {"claim": 0}, {"claim": 14}, {"guess": "maybe"}],
    "sde_or_ode": [{"dial": -0.5}, {"dial": 2.5}, {"steps": 4}, {"steps": 151}, {"seed": 21}],
}


@ALL
def test_a_state_that_the_controls_cannot_show_is_refused_in_words(name):
    explorer = made(name)
    for wrong in WRONG[name]:
        (key,) = wrong
        for use in (getattr(explorers, name), explorer.render, explorer.describe):
            with pytest.raises(ValueError, match=rf"{key} must .*; got .*\."):
                use(**wrong)
    with pytest.raises(TypeError, match=r"must use the names .*; got nothing_such\."):
        explorer.render(nothing_such=1)


def test_a_misspelt_control_is_recognized():
    with pytest.raises(TypeError, match="Did you mean sampler"):
        explorers.how_few_steps(samplr="ddim")


def test_a_whole_number_will_do_where_the_stops_are_fractions():
    assert "with w = 2, 3 steps" in repr(explorers.guidance_dial(guidance_scale=2, steps=3))


def test_the_score_of_the_dial_is_that_of_the_mixture():
    """`sde.mixture_score`, itself held against automatic differentiation."""
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)
    exact = sde.mixture_score(sde.variance_preserving(), ideal.two_modes())
    for t in torch.tensor([0.0, 0.2, 0.7, 1.0], dtype=torch.float64):
        torch.testing.assert_close(dial.exact_score(x, t), exact(x[:, None], t)[:, 0])


def test_the_belief_about_the_coin_is_the_beta_distribution():
    """SciPy's Beta distribution: the conjugate posterior, and one cut off at 1/2 by quadrature."""
    update = coin.drawing().update
    for prior, a, b in (("flat", 1, 1), ("nearly fair", 50, 50), ("nearly always tails", 2, 50)):
        said = update(prior=prior, tosses=20, percent=70)
        before, after = stats.beta(a, b), stats.beta(a + 14, b + 6)
        assert f"from {before.mean():.3f} to {after.mean():.3f}" in said
        assert f"from {before.std():.4f} to {after.std():.4f}" in said
    after = stats.beta(15, 7)
    first, _ = integrate.quad(lambda x: x * after.pdf(x), 0, 0.5)
    said = update(prior="at most 1/2", tosses=20, percent=70)
    assert "14 heads in 20 tosses" in said and f"from 0.250 to {first / after.cdf(0.5):.3f}" in said


def test_what_the_prior_rules_out_stays_out():
    drawn = coin.drawing()
    said = drawn.update(prior="at most 1/2", tosses=10_000, percent=70)
    assert "from 0.250 to 0.500" in said
    x, density = drawn.moving[3].get_data()
    assert x[-1] == 1 and density[x > 0.5].max() == 0


def test_the_worth_of_samples_is_the_share_of_their_weights():
    """[Owen13, Sec. 9.3]: (sum w)^2 / sum w^2, with densities from SciPy; and the closed form
    E[w^2] = s^2 / sqrt(2 s^2 - 1) exp(m^2 / (2 s^2 - 1)), by quadrature.
    """
    p, q = stats.norm(0, 1), stats.norm(1.5, 0.75)
    drawn = weights.drawing()
    said = drawn.update(mean=1.5, std=0.75, dimension=1)
    x = torch.as_tensor(drawn.moving[1].get_offsets())[:, 0].numpy()
    w = p.pdf(x) / q.pdf(x)
    second, _ = integrate.quad(lambda x: p.pdf(x) ** 2 / q.pdf(x), -20, 20, points=[-12, 0])
    assert f"worth {w.sum() ** 2 / (w**2).sum():.1f}, the heaviest" in said
    assert f"{(w / w.sum()).max():.1%} of all weight" in said
    assert f"tends to {1 / second:.2g}." in said


def test_a_q_with_thin_tails_gets_other_words():
    update = weights.drawing().update
    assert "w² has no mean" in update(mean=0.0, std=0.7, dimension=1)
    assert "tends to 0.63." in update(mean=0.0, std=0.75, dimension=1)  # 1 / 1.591
    assert "1000 samples are worth 1000.0" in update(mean=0.0, std=1.0, dimension=50)


def test_a_slice_of_the_triangle_is_flat_and_has_the_length_that_is_left():
    """p(x, y) = 2 on 0 <= y <= x <= 1: uniform slices, of standard deviation length / sqrt(12)."""
    update = joint.drawing().update
    for held, at, low, high, mean_all in (("x", 0.05, 0, 0.05, 1 / 3), ("y", 0.8, 0.8, 1, 2 / 3)):
        said, length = update(joint="triangle", held=held, at=at), high - low
        assert f"cut at {held} = {at:.2f}: the slice has area {2 * length:.3f}" in said
        assert f"up to {1 / length:.2f} high" in said
        assert f"mean {(low + high) / 2:.3f} and standard deviation {length / 12**0.5:.3f}" in said
        assert f"for all, {mean_all:.3f} and {18**-0.5:.3f}" in said


def test_a_slice_of_two_normals_moves_and_keeps_its_width():
    """Mean 0.5 + rho (at - 0.5), variance (1 - rho^2) times the marginal's, and height by SciPy."""
    update = joint.drawing().update
    for held, at in (("x", 0.4), ("y", 0.7)):
        said = update(joint="correlated normals", held=held, at=at)
        cond = stats.norm(0.5 + 0.8 * (at - 0.5), 0.12 * 0.6)
        assert f"mean {cond.mean():.3f} and standard deviation {cond.std():.3f}; for all" in said
        assert f"area {stats.norm(0.5, 0.12).pdf(at):.3f}" in said
        assert f"up to {cond.pdf(cond.mean()):.1f}" in said  # the highest cell is near it


def test_what_is_drawn_of_a_slice_are_densities():
    drawn = joint.drawing()
    for name in joint.JOINTS:
        drawn.update(joint=name, held="y", at=0.45)
        marginal, raw, conditional = (curve.get_ydata() for curve in drawn.moving[2:])
        assert marginal.mean() == pytest.approx(1, abs=1e-3)  # 200 cells of width 1 / 200
        assert conditional.mean() == pytest.approx(1, rel=1e-12)
        assert (conditional * raw.mean()).tolist() == pytest.approx(raw.tolist())


def test_the_bound_and_its_gap_are_those_of_normal_distributions():
    """x = 1.2 z + 0.6 eps: x ~ N(0, 1.8), z | x ~ N(2 x / 3, 0.2); KL of two normals by hand."""
    said = bound.drawing().update(model="one bump", x=-0.75, mean=0.4, std=0.8)
    log_p = -0.5 * (math.log(2 * math.pi * 1.8) + 0.75**2 / 1.8)
    gap = 0.5 * (0.64 / 0.2 - 1 - math.log(0.64 / 0.2) + (0.4 + 0.5) ** 2 / 0.2)
    assert f"log p(x) = {log_p:.4f} nats, whatever q is; with q = N(0.4, 0.8²)" in said
    assert f"the ELBO is {log_p - gap:.4f} and the KL to the posterior {gap:.4f}" in said


def test_two_bumps_cannot_be_closed_by_one_normal_distribution():
    """x = 1.2 |z| + 0.6 eps, by scipy's quadrature; far apart, one of two costs about log 2."""

    def joint(z):
        return math.exp(-(z**2) / 2 - (2 - 1.2 * abs(z)) ** 2 / 0.72) / (2 * math.pi * 0.6)

    log_p = math.log(2 * integrate.quad(joint, 0, 10)[0])
    update = bound.drawing().update
    assert f"log p(x) = {log_p:.4f} nats" in update(model="two bumps", x=2.0, mean=0.0, std=1.0)
    gaps = {}
    for mean in (0.0, 1.35):
        for std in (0.2, 0.45, 1.0, 1.4):
            said = update(model="two bumps", x=2.0, mean=mean, std=std)
            gaps[mean, std] = float(re.search(r"posterior (\d+\.\d+)", said).group(1))
    assert min(gaps, key=gaps.get) == (1.35, 0.45)
    assert min(gaps.values()) == pytest.approx(math.log(2), abs=0.01)


def test_the_pull_is_the_posterior_of_the_paper():
    abar, beta = schedules.linear().abar, schedules.linear().beta
    said = posterior.drawing().update(t=500, back=1, x_0=1.0, x_t=-0.5)
    w_0 = abar[499].sqrt() * beta[500] / (1 - abar[500])  # [Ho20, Eq. 7]
    w_t = (1 - beta[500]).sqrt() * (1 - abar[499]) / (1 - abar[500])
    std = (beta[500] * (1 - abar[499]) / (1 - abar[500])).sqrt()
    assert f"weight {w_0:.4f} on x_0 and {w_t:.4f} on x_t" in said
    assert f"mean {w_0 - 0.5 * w_t:+.3f} and standard deviation {std:.4f}" in said


def test_going_back_past_zero_stops_at_clean_data():
    said = posterior.drawing().update(t=7, back=500, x_0=1.0, x_t=-0.5)
    assert "back to s = 0: weight 1.0000 on x_0 and 0.0000 on x_t" in said
    assert "deviation 0.0000" in said


def test_an_error_in_eps_is_divided_by_the_signal():
    schedule = schedules.linear()
    said = predictions.drawing().update(t=900, schedule="linear")
    factor = ((1 - schedule.abar[900]) / schedule.abar[900]).sqrt()
    assert f"an error of 1 in eps is {factor:.3g} in x0" in said


@pytest.mark.parametrize(
    ("sampler", "calls"), [("ddpm", 5), ("probability_flow_ode", 10), ("dpmpp_2m", 5)]
)
def test_calls_of_the_denoiser_are_counted(sampler, calls):
    assert f"({calls} calls" in steps.drawing().update(sampler=sampler, steps=5)


def test_every_sampler_can_be_chosen():
    assert steps.CONTROLS["sampler"].options == tuple(samplers.SAMPLERS)


def test_more_steps_end_closer_to_the_centers():
    update = steps.drawing().update
    inside = [
        int(re.search(r"(\d+)% of the points", update(sampler="ddim", steps=n)).group(1))
        for n in (2, 5, 20, 100)
    ]
    assert inside == sorted(inside) and inside[-1] > 95


def by_hand(label, weight, steps, seed):
    """Six guided pictures, from the network's v itself: [HS22] in v, then DPM-Solver++(2M)."""
    model = pretrained.load("digits")
    plan = model.schedule
    told = torch.full((6,), label)

    @torch.no_grad()
    def denoise(x_t, t):
        asked, free = model.net(x_t, t, told), model.net(x_t, t)
        v = weight * asked + (1 - weight) * free
        a, b = plan.signal[t[0]].float(), plan.noise[t[0]].float()
        return (a * x_t - b * v).clamp(-1, 1)

    x_T = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    times = schedules.timesteps(plan.T, steps)
    return samplers.final(samplers.dpmpp_2m(plan, denoise, x_T, times=times))


@pytest.mark.parametrize("path", ["straight line", "arc"])
def test_the_flow_moves_by_eulers_method_with_the_exact_velocity(path):
    """Bayes' rule for eight Gaussians on a circle, written down for a mixture a x_0 + b eps."""
    drawn = flow.drawing()
    said = drawn.update(path=path, tau=0.25, steps=4)
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    mean = torch.stack([angle.cos(), angle.sin()], dim=1)
    x = torch.randn(400, 2, generator=seeded(1), dtype=torch.float64)
    steps = []
    for tau in (1.0, 0.75, 0.5):
        phi = tau * math.pi / 2
        a, b = (1 - tau, tau) if path == "straight line" else (math.cos(phi), math.sin(phi))
        spread = a**2 * 0.05**2 + b**2
        p = (-torch.cdist(x, a * mean).square() / (2 * spread)).softmax(dim=1)
        x_0 = p @ mean + a * 0.05**2 / spread * (x - a * p @ mean)
        eps = (x - a * x_0) / b
        speed = eps - x_0 if path == "straight line" else math.pi / 2 * (a * eps - b * x_0)
        steps.append((speed / 4).norm(dim=1))
        x = x - speed / 4
    shown = torch.tensor(drawn.moving[-1].get_xydata())
    torch.testing.assert_close(shown, x, rtol=0, atol=1e-6)
    assert f"have come {sum(steps).mean():.2f} on average" in said


def test_both_paths_lead_to_the_same_ends():
    """Divided by a factor that is 1 at both ends, the arc is the line: so is what Euler finds."""
    for path in flow.PATHS:
        misses = [
            float(re.search(r"end (\S+) from", flow.drawing().update(path, 0.0, n)).group(1))
            for n in (5, 20)
        ]
        assert misses[1] < misses[0] / 2 and misses[1] < 0.03


@pytest.mark.parametrize(("weight", "calls"), [(0.0, 4), (1.0, 4), (3.0, 8)])
def test_the_dial_shows_guided_pictures(weight, calls):
    """Its drawing against the pictures made by hand, and the sentence against the drawing."""
    drawn = guidance.drawing()
    said = drawn.update(label=5, guidance_scale=weight, steps=4, seed=1)
    page = torch.as_tensor(drawn.moving[0].get_array())
    cut = [page[r : r + 8, c : c + 8] for r in (4, 16) for c in (2, 12, 22)]
    x = by_hand(5, weight, 4, 1)
    assert torch.allclose(torch.stack(cut), x[:, 0], atol=1e-3)
    judge, _ = training.load(pretrained.path("features_digits"))
    read = judge(x).argmax(dim=1)
    assert f"4 steps ({calls} calls), seed 1: {int((read == 5).sum())} of 6 are read as 5" in said
    pairs = [(x[i] - x[j]).norm().item() for i in range(6) for j in range(i)]
    assert f"{sum(pairs) / 15:.1f} apart" in said
    shown = [word.get_text() for word in drawn.moving[1:7]]
    assert shown == [str(k) if k == 5 else f"{k}, not 5" for k in read.tolist()]


def test_a_larger_weight_is_followed_by_more():
    """Over ten labels: at w = 0 about one picture in ten shows what is asked, at w = 1 nearly all.

    False alarm: 60 free pictures with 25 or more right by chance at 10 % each, below 1e-9.
    """
    update = guidance.drawing().update
    right = {
        weight: sum(
            int(
                re.search(
                    r"(\d) of 6", update(label=k, guidance_scale=weight, steps=6, seed=k)
                ).group(1)
            )
            for k in range(10)
        )
        for weight in (0.0, 1.0, 2.0)
    }
    assert right[0.0] < 25 < 50 < right[1.0] <= right[2.0] + 3


def test_the_digit_is_noised_and_estimated_by_the_formulas():
    """[Ho20, Eq. 4], and the mean over the data set weighted by its normal densities."""
    drawn = digit.drawing()
    said = drawn.update(t=250, digit=7, schedule="linear", seed=3)
    abar = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64).neg().add(1).cumprod(0)[249]
    x_0, x_t, x0_hat = (torch.as_tensor(page.get_array()).double() for page in drawn.moving[:3])
    images, labels = datasets.digits("train")
    assert torch.equal(x_0, images[labels == 7][0, 0].double())
    eps = torch.randn(1, 1, 8, 8, dtype=torch.float64, generator=seeded(3))[0, 0]
    assert torch.allclose(x_t, abar.sqrt() * x_0 + (1 - abar).sqrt() * eps)
    log_w = -((x_t - abar.sqrt() * images[:, 0].double()) ** 2).sum((1, 2)) / (2 * (1 - abar))
    mean = torch.einsum("n,nij->ij", log_w.softmax(0), images[:, 0].double())
    assert torch.allclose(x0_hat, mean, atol=1e-6)
    assert f"abar = {abar:.3g}, SNR = {abar / (1 - abar):.3g}" in said
    assert f"is off by {(mean - x_0).square().mean().sqrt():.3f} per pixel" in said


def test_the_bits_are_those_of_the_bound():
    """`losses.bound`, which adds up KL divergences, on all digits at once."""
    for name, T in (("linear", 50), ("cosine", 20)):
        schedule, x_0 = schedules.make(name, T=T), datasets.digits("train")[0].double()
        denoise = ideal.dataset_denoiser(x_0, schedule)
        terms = losses.bound(schedule, denoise, x_0, generator=seeded(8), levels=17)
        steps = losses.bits_per_dim(terms.steps.sum(1), x_0)
        found = bits._terms(name, T)
        error = float(steps.std() / len(steps) ** 0.5)
        assert abs(float(found.steps.sum()) - float(steps.mean())) < 4 * error
        prior = losses.bits_per_dim(terms.prior, x_0)
        assert abs(found.prior - float(prior.mean())) < 4 * float(prior.std()) / 64**0.5
        decoder = losses.bits_per_dim(terms.decoder, x_0)
        assert (
            abs(found.decoder - float(decoder.mean())) < 4 * float(decoder.std()) / 64**0.5 + 1e-6
        )


def test_small_steps_cost_little_more_than_to_say_which_digit_it_is():
    totals = [bits._terms("cosine", T).total for T in (50, 200, 1000, 4000)]
    assert totals == sorted(totals, reverse=True)
    assert bits.WHICH_ONE < totals[-1] < 1.02 * bits.WHICH_ONE


def test_a_learned_estimate_misses_by_what_cannot_be_known_and_by_its_distance_to_the_exact():
    """The errors are at right angles, since the exact estimate is the conditional mean."""
    for trained in learned.STEPS:
        exact, error, apart = learned._errors(trained)
        assert torch.allclose(error**2, exact**2 + apart**2, rtol=0.1)
    means = [float(learned._errors(trained)[2].mean()) for trained in learned.STEPS]
    assert means[0] > 2 * means[-1] and min(means) == means[-1]


def test_the_first_layer_sees_nine_pixels_and_the_last_all():
    x_t, features, seen = unet._look("conv_in", 200, 3)
    net = pretrained.load("digits").net
    assert torch.allclose(features, net.conv_in(x_t)[0], atol=1e-5)
    near = torch.zeros(8, 8, dtype=torch.bool)
    near[3:6, 3:6] = True
    assert torch.equal(seen > 0, near)
    assert (unet._look("up, 8 x 8", 200, 3)[2] > 0).all()


def test_deeper_blocks_see_more():
    spread = [
        unet._pixels_for(unet._look(f"down, {side} x {side}", 200, 3)[2], 0.9) for side in (8, 4, 2)
    ]
    assert spread == sorted(spread) and spread[0] < 12 < 24 < spread[-1]


def test_the_baseline_is_the_metric_between_sets_that_share_no_image():
    rng = seeded(4)
    net, _ = training.load(pretrained.path("features_digits"))
    real = metrics.features(net, datasets.digits("test")[0])
    orders = [torch.randperm(901, generator=rng) for _ in range(baseline.SPLITS)]
    values = [metrics.frechet(real[o[:100]], real[o[100:200]]).value for o in orders]
    said = baseline.drawing().update(metric="Fréchet distance", n=100, noise=0.9)
    assert f"real against real {min(values):.3g} to {max(values):.3g}," in said
    medians = baseline._values("Fréchet distance", 0.0).median(dim=1).values
    assert (medians.diff() < 0).all()  # the bias falls with n [CF20]


def test_many_images_show_what_few_cannot():
    update = baseline.drawing().update
    few, many = (update(metric="energy distance", n=n, noise=0.6) for n in (25, 400))
    assert "; 6 of 6 noisy" in many and "; 6 of 6 noisy" not in few


@pytest.mark.parametrize("word, t", [("the", 10), ("see", 14), ("you", 20), ("day", 2)])
def test_a_half_covered_word_leaves_the_words_that_fit(word, t):
    """Truth: under the mask all words of the list that fit what is seen are equally likely."""
    said = explorers.what_a_mask_hides().describe(word=word, t=t)
    (seen,) = re.findall(r"reads ([a-z_]{3}):", said)
    fit = [w for w in words.WORDS if re.fullmatch(seen.replace("_", "."), w)]
    assert f"{math.log2(len(fit)):.2f} are left" in said
    assert f"a probability of {1 / len(fit):.0%}." in said
