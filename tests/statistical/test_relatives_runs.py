"""The long runs that chapter 17 reports are what its functions give.

Truth: the runs themselves, one entry of each done again where that takes seconds, and the networks
that are kept, sampled and judged again. Other processors round differently; the tolerances are
those of the chapter's own differences between seeds, or less.
"""

import json
import statistics

import pytest
from safetensors.torch import load_file

from ddpm_lab import networks
from ddpm_lab.course import dit, eight_gaussians, hierarchy
from ddpm_lab.training import pretrained
from tools import compare_dit, compare_gan, compare_hierarchies


def stored(tool):
    return json.loads(tool.RESULTS.read_text(encoding="utf-8"))


def loaded(net, file):
    net.load_state_dict(load_file(pretrained.path(file)))
    return net.eval()


@pytest.mark.parametrize("seed", [0, 2])
def test_a_kept_generator_makes_what_is_stored(seed):
    net = loaded(eight_gaussians.perceptron(2, 2), f"gan_generator_{seed}")
    found = eight_gaussians.judged(eight_gaussians.generated(net, compare_gan.SAMPLES, seed))
    run = stored(compare_gan)["runs"]["GAN"][seed]
    assert found.modes == run["modes"] and abs(found.near - run["near"]) < 0.002


def test_the_kept_denoiser_makes_what_is_stored():
    net = loaded(networks.build(networks.MLP, seed=0, width=64, depth=2), "gan_denoiser")
    found = eight_gaussians.judged(eight_gaussians.denoised(net, compare_gan.SAMPLES, 0))
    run = stored(compare_gan)["runs"]["denoiser, as much arithmetic"][0]
    assert found.modes == run["modes"] and abs(found.near - run["near"]) < 0.005


def test_a_denoiser_trained_again_is_as_good_as_the_stored_one():
    """As many steps as the GAN: six seeds lie between 0.41 and 0.59."""
    name = "denoiser, as many steps"
    found = eight_gaussians.judged(compare_gan.trained(name, 0)[1])
    assert found.modes == 8
    assert abs(found.near - stored(compare_gan)["runs"][name][0]["near"]) < 0.05


def test_every_run_of_the_comparison_is_there():
    runs = stored(compare_gan)
    assert runs["steps"] == compare_gan.STEPS and runs["samples"] == compare_gan.SAMPLES
    assert list(runs["runs"]) == list(compare_gan.STEPS)
    assert {len(found) for found in runs["runs"].values()} == {compare_gan.SEEDS}


def test_the_hierarchies_are_there_and_a_short_run_is_worse():
    """A tenth of the steps: a gap above 0, and above that of the better half of the stored runs."""
    runs = stored(compare_hierarchies)
    assert runs["steps"] == compare_hierarchies.STEPS
    assert len(runs["gap"]) == len(runs["kl"]) == compare_hierarchies.SEEDS
    gap, kl = hierarchy.judged(hierarchy.train(1, compare_hierarchies.STEPS // 10), n=50_000)
    assert gap > statistics.median(runs["gap"]) and kl > 0


def test_the_transformers_are_there_and_one_trained_again_is_the_stored_one():
    runs = stored(compare_dit)
    assert list(runs["loss"]) == list(dit.NETWORKS) and runs["steps"] == compare_dit.STEPS
    for found in runs["loss"].values():
        assert {len(losses) for losses in found.values()} == {compare_dit.SEEDS}
    again = dit.trained("transformer", 0, compare_dit.STEPS, 1e-3)
    assert abs(again - runs["loss"]["transformer"]["lr 0.001"][0]) < 0.005
