"""Interactive figures: change one number and see everything that follows from it.

Each explorer asks one question, has at most four controls in view, and moves several linked views
at once; its drawing and its controls stand together in one file:

    digit           how_much_is_left       how much of a digit is left at time t?
    coin            prior_against_data     who wins, the prior or the data?
    joint           slice_of_the_joint     what does a slice of a joint distribution say?
    weights         importance_sampling    when does importance sampling collapse?
    bound           how_tight              how tight can q make the bound?
    noise_schedule  schedule_designer      how fast should the signal go?
    posterior       who_pulls_harder       who pulls harder on x_s, x_0 or x_t?
    bits            where_the_bits_are     which times cost how many bits?
    predictions     four_names             how do x0, eps, v and the score look as t runs?
    samplers        how_few_steps          how few steps are enough?
    learned         learned_against_exact  how far is a learned denoiser from the exact one?
    unet            what_a_block_sees      what does a block of the U-Net see?
    baseline        real_against_real      is the difference larger than the baseline?
    guidance        guidance_dial          how strongly should the network listen?
    letters         what_a_mask_hides      what does a half-covered word still say?
    flow            straight_or_bent       why should the path bend?
    ledger          true_or_false          true, false, or under which condition?
    dial            sde_or_ode             how much noise may the way back have?

The widget needs a running kernel. Beside it a notebook stores the picture of the first state and
a sentence with its numbers, for readers of stored pages, for print and for screen readers.

>>> four_names(t=900).controls["t"].value
900
"""

import gc

from ddpm_lab.course.explorers import _available  # noqa: F401  (first)
from ddpm_lab.course.explorers._explorer import Explorer
from ddpm_lab.course.explorers.baseline import real_against_real
from ddpm_lab.course.explorers.bits import where_the_bits_are
from ddpm_lab.course.explorers.bound import how_tight
from ddpm_lab.course.explorers.coin import prior_against_data
from ddpm_lab.course.explorers.dial import sde_or_ode
from ddpm_lab.course.explorers.digit import how_much_is_left
from ddpm_lab.course.explorers.flow import straight_or_bent
from ddpm_lab.course.explorers.guidance import guidance_dial
from ddpm_lab.course.explorers.joint import slice_of_the_joint
from ddpm_lab.course.explorers.learned import learned_against_exact
from ddpm_lab.course.explorers.ledger import true_or_false
from ddpm_lab.course.explorers.letters import what_a_mask_hides
from ddpm_lab.course.explorers.noise_schedule import schedule_designer
from ddpm_lab.course.explorers.posterior import who_pulls_harder
from ddpm_lab.course.explorers.predictions import four_names
from ddpm_lab.course.explorers.samplers import how_few_steps
from ddpm_lab.course.explorers.unet import what_a_block_sees
from ddpm_lab.course.explorers.weights import importance_sampling

__all__ = [
    "Explorer",
    "four_names",
    "guidance_dial",
    "how_few_steps",
    "how_much_is_left",
    "how_tight",
    "importance_sampling",
    "learned_against_exact",
    "prior_against_data",
    "real_against_real",
    "schedule_designer",
    "sde_or_ode",
    "slice_of_the_joint",
    "straight_or_bent",
    "true_or_false",
    "what_a_block_sees",
    "what_a_mask_hides",
    "where_the_bits_are",
    "who_pulls_harder",
]

# What the imports made stays until the end. Without this line a collection of garbage walks through
# all of it, torch's objects above all: a pause of a tenth of a second in the middle of a picture.
gc.freeze()
