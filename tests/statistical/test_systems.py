"""The small system of chapter 17b, and the students of few steps, are what their tools made.

Truth: stored tables, one entry of which is run again; arithmetic counted by hand; the exact teacher
of the plane; images that were shifted on purpose. Other processors round differently, and ten
steps hardly magnify that.
"""

import json
import subprocess
import sys
from copy import deepcopy

import pytest
import torch

from ddpm_lab import predictions, samplers
from ddpm_lab.course import distillation, words
from ddpm_lab.course import text_to_image as t2i
from ddpm_lab.gaussians import seeded
from tools import text_to_image as tool


@pytest.fixture(scope="module")
def stored():
    return json.loads(tool.RESULTS.read_text(encoding="utf-8"))


def test_the_stored_tables_are_whole(stored):
    assert (stored["images"], stored["seeds"]) == (tool.IMAGES, tool.SEEDS)
    assert list(stored["guidance"]) == [f"{w:g}" for w in tool.SCALES]
    for rows in (*stored["guidance"].values(), stored["real"]):
        assert len(rows) == tool.SEEDS
    assert len(stored["race"]) == 6 and stored["few"] == tool.FEW
    for found in stored["race"].values():
        assert found["frechet"][1] > 0 and 0 <= found["digit"] <= 1


def test_a_column_of_the_guidance_curve_run_again_is_the_stored_one(stored):
    line = [sys.executable, tool.__file__, "again", "--scale", "2"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    again, kept = json.loads(done.stdout), stored["guidance"]["2"][0]
    for key in ("all", "digit", "stroke", "place"):
        assert abs(again[key] - kept[key]) <= 0.01
    assert abs(again["frechet"] - kept["frechet"]) < 0.05


def test_the_cost_of_the_decoder_is_that_of_its_products(stored):
    assert stored["flops"]["decoder"] == 2 * (24 * 256 + 256 * 256 + 256 * 784)


# --- Captions and measurements --------------------------------------------------------------------


def test_captions_say_what_is_true_and_nothing_else():
    n = 300
    rng = seeded(0)
    facts = t2i.Facts(
        *(torch.randint(low, high, (n,), generator=rng) for low, high in ((0, 10), (-1, 2), (0, 5)))
    )
    for row, digit, stroke, place in zip(
        t2i.random_captions(facts, generator=rng).tolist(), *(f.tolist() for f in facts)
    ):
        said = [t2i.VOCABULARY[number] for number in row if number > 1]
        assert {t2i.DIGITS[digit], str(digit)} & set(said)
        strokes = set(t2i.STROKES) & set(said)
        assert strokes <= ({t2i.STROKES[stroke]} if stroke >= 0 else set())
        assert " ".join(said).endswith(t2i.PLACES[place]) or said[-1] in (
            t2i.DIGITS[digit],
            str(digit),
        )


def test_tokens_refuse_unknown_words_and_long_captions():
    with pytest.raises(ValueError, match="known words; got 'cat'"):
        t2i.tokens(["a cat"])
    with pytest.raises(ValueError, match="at most 6 words"):
        t2i.tokens(["a thin bold seven on the left"])


def test_places_are_measured_as_they_were_made_and_undone():
    x = -torch.ones(5, 1, 28, 28)
    x[:, :, 10:18, 12:16] = 1.0  # its center lies in the middle
    place = torch.arange(5)
    shown = t2i.placed(x, place)
    classifier = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    assert torch.equal(t2i.measured(shown, classifier, torch.zeros(10)).place, place)
    assert torch.equal(t2i.centered(shown), x)
    assert t2i.ink(x)[0] == pytest.approx(32 / 784)


def test_an_empty_caption_is_no_caption():
    system, z = t2i.load(), torch.randn(3, 24, generator=seeded(0))
    t = torch.full((3,), 500)
    assert torch.equal(system.net(z, t, t2i.tokens([""] * 3)), system.net(z, t))


def test_padding_says_nothing():
    """Whatever stands behind the mask of attention, the words before it are heard alike."""
    net, z = t2i.load().net, torch.randn(1, 24, generator=seeded(0))
    t, short = torch.full((1,), 500), t2i.tokens(["a 3"])
    with torch.no_grad():
        before = net(z, t, short)
        net.text.word.weight[0] += 5.0
        assert torch.allclose(net(z, t, short), before, atol=1e-5)


# --- Few steps ----------------------------------------------------------------------------------


def test_the_target_is_the_estimate_with_which_one_step_does_two():
    """Truth: the DDIM step itself, taken with the target."""
    schedule, teacher = distillation.SCHEDULE, distillation.exact()
    t, m, s = torch.tensor([[1000, 500, 40], [900, 250, 20], [750, 0, 10]])
    x_t = torch.randn(3, 2, generator=seeded(0), dtype=torch.float64)
    m, s = torch.tensor([900, 250, 20]), torch.tensor([750, 10, 0])
    x_s = distillation.two_steps(schedule, teacher, x_t, t, m, s)
    wanted = distillation.one_step_target(schedule, x_t, x_s, t, s)
    landed = samplers.ddim_step(schedule, x_t, wanted, t, s).mean
    assert (landed - x_s).abs().max() < 1e-12


def test_the_stored_students_keep_what_16_steps_know_down_to_one():
    judged = distillation.judged(distillation.load())
    z = torch.randn(1000, 2, generator=seeded(5))
    truth = distillation.end(distillation.exact(), z, 250, order=2)
    plain = distillation.end(distillation.exact(), z, 2)
    two = float((plain - truth).square().sum(1).mean().sqrt())
    assert judged["16"][0] < judged["1"][0] + 0.01 < 0.5 * two
    assert judged["consistency"][0] < two


def test_a_halving_run_again_in_short_comes_near_the_stored_student():
    """From 4 steps to 2, as the tool does it, with a quarter of the updates."""
    schedule, students = distillation.SCHEDULE, distillation.load()
    net, times = deepcopy(students["4"]).requires_grad_(True), [1000, 750, 500, 250, 0]
    before = distillation.judged({"2": net})["2"][0]
    teacher = predictions.denoiser(schedule, students["4"], "v")
    data, rng = distillation.data, seeded(0)
    for _ in distillation.halve(schedule, teacher, net, times, data, steps=200, generator=rng):
        pass
    assert before > 0.3  # it has learned four steps, not two
    assert distillation.judged({"2": net})["2"][0] < 0.12


# --- Words --------------------------------------------------------------------------------------


def test_words_are_their_numbers_and_the_list_holds_five_bits():
    assert words.decode(words.encode(words.WORDS)) == list(words.WORDS)
    assert len(set(words.WORDS)) == len(words.WORDS) == 32
    assert set(words.LETTERS) == set("".join(words.WORDS))
