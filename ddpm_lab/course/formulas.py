"""What each numbered formula of the chapters is in the package, and in the papers.

The formulas themselves stand in the chapters; `tools/notebooks/reference.py` reads them there and
builds the page of formulas. Here stand only their functions and their numbers in the papers. A
formula without a function is a step of a derivation, or a fact that a cell of the chapter checks.

>>> FORMULAS["forward", "11"].code
('forward.marginal', 'forward.noised')
"""

from typing import NamedTuple


class Formula(NamedTuple):
    """The names of one numbered formula.

    >>> FORMULAS["posterior", "9"].paper
    'Ho20, Eq. 6-7'
    """

    code: tuple[str, ...]
    """dotted names in `ddpm_lab`, without the package's own; none for a step of a derivation"""
    paper: str
    """key of references.bib and number there, or "" where a formula is no paper's in particular"""


# Per chapter (its name without the number; of a chapter in two parts that of the first): the
# formula's number within it, names in ddpm_lab, and the source in brackets.
_TEXT = """
# start_here
1 forward.noised [Ho20, Eq. 4]
2 forward.chain schedules.Schedule.abar [Ho20, Eq. 2]

# bayes
1 bayes.rule
2 bayes.rule
3 bayes.coin_log_likelihood
4 bayes.coin_evidence bayes.integral
5 bayes.coin_posterior bayes.normalized
6 bayes.coin_evidence
7 bayes.beta_density
8 bayes.conjugate
9
10
11 bayes.two_coin_log_likelihood_brute
12 bayes.two_coin_log_likelihood
13 bayes.two_coin_log_likelihood
14
15
16
17 ideal_denoisers.mixture_denoiser

# distributions
1
2
3
4
5
6
7
8
9
10 gaussians.log_prob
11 gaussians.draw
12 gaussians.push
13
14
15
16
17 gaussians.condition
18
19 gaussians.kl
20 gaussians.product
21 gaussians.quotient
22 gaussians.kl_full

# estimators
1
2 estimators.monte_carlo
3 estimators.Estimate
4 estimators.importance_sampling
5 estimators.effective_sample_size
6
7 gaussians.draw [KW14]
8 estimators.pathwise_gradient [KW14]
9 estimators.score_function_gradient [Wil92]
10
11 estimators.log_mean_weight
12 estimators.log_mean_weight [Bur16]
13 estimators.log_mean_weight
14
15
16 gaussians.log_prob

# elbo_and_vae
1 elbo.log_evidence
2
3
4 elbo.split [KW14, Eq. 1-2]
5 elbo.split
6
7
8
9 elbo.terms elbo.loss [KW14, Eq. 3]
10 elbo.latent_kl [KW14, Eq. 10]
11 gaussians.log_prob
12 elbo.ppca [TB99, Eq. 7]
13
14 elbo.loss [Hig17, Eq. 4]
15
16
17
18

# forward
3 forward.transition [Ho20, Eq. 2]
4 forward.chain [Ho20, Eq. 2]
5 forward.transition
6 forward.marginal
7
8
9 forward.noised
10
11 forward.marginal forward.noised [Ho20, Eq. 4]
12
13 gaussians.kl
14 losses.bound
15 forward.chain samplers.reverse [Ho20, Eq. 1-2]
16

# schedules_and_snr
1 schedules.from_beta schedules.Schedule.beta
2 schedules.Schedule.snr schedules.Schedule.log_snr schedules.from_log_snr [Kin21]
3 schedules.scaled_snr [Hoo23]
4
5 schedules.cosine [ND21, Eq. 17]
6
7 losses.bound
8
9 schedules.zero_terminal [Lin23, Algorithm 1]
10
11 schedules.scaled_snr [Hoo23]
12 schedules.from_log_snr

# posterior
1
2 forward.posterior
3
4
5
6
7
8 forward.posterior
9 forward.posterior schedules.Schedule.posterior_var [Ho20, Eq. 6-7]
10 gaussians.condition
11
12 predictions.convert [Ho20, Eq. 9]
13 samplers.ddpm_step [Ho20, Eq. 10]
14
15
16
17 predictions.convert [Vin11]
18 samplers.ddpm_step
19
20
21
22

# bound
1
2
3
4
5 losses.bound [Ho20, Eq. 3]
6
7
8
9
10 losses.bound
11 losses.bound [Ho20, Eq. 5]
12
13
14 gaussians.kl
15 forward.posterior
16
17 losses.weight losses.bound [Kin21, Eq. 13]
18 losses.weight
19 losses.weight [Ho20, Eq. 12]
20 losses.simple [Ho20, Eq. 14]
21
22
23
24
25
26 [ND21, Eq. 18]
27 gaussians.pixel_log_prob [Ho20, Eq. 13]
28 losses.weight [Kin21]

# predictions
1 forward.noised [Ho20, Eq. 4]
2 predictions.target [SH22, Sec. 4]
3 predictions.convert
4 predictions.convert [SH22, Sec. 4]
5
6 predictions.convert
7 predictions.convert [Vin11]
8 predictions.convert [Efr11]
9 losses.weight
10 course.notation.edm_preconditioning [Kar22, Eq. 7]

# sampling_without_learning
1 ideal_denoisers.mixture_denoiser
2 ideal_denoisers.dataset_denoiser
3 ideal_denoisers.mixture_denoiser
4 samplers.ddpm_step
5 samplers.ddpm_step samplers.ddpm [Ho20, Algorithm 2]
6
7
8 samplers.ddim_step [Song21a, Eq. 12]
9
10 samplers.ddim_step [Song21a, Eq. 16]
11 samplers.probability_flow_ode
12 samplers.probability_flow_ode [Song21a, Eq. 14]
13
14
15 samplers.probability_flow_ode
16 samplers.dpmpp_2m [Lu22, Algorithm 2]

# learning_to_denoise
1 losses.simple training.train [Ho20, Algorithm 1]
2
3
4
5 training.EMA
6

# unet
1
2
3
4 networks.time_embedding
5 networks.blocks.normalization
6 networks.blocks.ResBlock
7 training.adam
b1 networks.blocks.ResBlock
b2 networks.blocks.SelfAttention [Vas17, Eq. 1]

# gpu_training
1 training.OptimizerConfig
2 training.OptimizerConfig
3 training.EMA
4
5
6
7

# measuring
1
2 losses.bits_per_dim
3 networks.pixel_head.PixelHead
4
5 metrics.energy_distance [SR13]
6 metrics.sliced_wasserstein [Bon15]
7 metrics.frechet [DL82]
8
9 metrics.resampling.jackknife_error
10

# fast_and_guided
1 samplers.dpmpp_2m [Lu22, Algorithm 2]
2
3
4 predictions.guided [HS22, Eq. 6]
5 predictions.guided
6
7
8
9 [ND21, Eq. 15]
10

# continuous_time
1 sde.SDE [Song21b, Eq. 10]
2 sde.SDE sde.variance_preserving [Song21b, Eq. 11]
3 sde.SDE.marginal sde.variance_preserving [Song21b, Eq. 29]
4 sde.rescaled sde.variance_exploding [Kar22, Eq. 4]
5 sde.fokker_planck
6
7 sde.probability_flow [Song21b, Eq. 13]
8
9 sde.reverse_drift sde.simulate [Song21b, Eq. 6]
10 sde.log_likelihood [Che18, Eq. 8]
11 sde.log_likelihood [Song21b, Eq. 39]
12 sde.hutchinson [Hut89]
13 [Kin21, Sec. 5]
14
15 sde.explicit_score_matching [Hyv05, Eq. 2]
16 sde.implicit_score_matching [Hyv05, Eq. 4]
17 sde.denoising_score_matching [Vin11]
b1 flow_matching.interpolate [Liu23, Sec. 2]
b2 flow_matching.loss
b3 flow_matching.velocity
b4 flow_matching.loss [Lip23, Eq. 9]
b5
b6
b7 flow_matching.tau flow_matching.scale
b8 flow_matching.solve
b9 flow_matching.straightness [Liu23, Sec. 2]
b10 flow_matching.optimal_pairs
b11
b12
b13 schedules.scaled_snr [Ess24, Sec. 5]

# beyond
1 course.exact_steps.spread_of_x0
2 course.exact_steps.step_loss
3 course.hierarchy.TwoLevels
4 course.exact_steps.gap
5
6
7 [Ban23, Algorithm 2]
8 course.learned_schedule.Bound [Kin21, Eq. 18]
9 course.dit.Block
b1 course.text_to_image.System.decode
b2 course.distillation.one_step_target
b3 course.distillation.consistency
b4 discrete.marginal
b5 discrete.posterior

# claims
1 course.notation.abar_from course.notation.letters
2 course.notation.crosswalk
"""


def _read(text: str) -> dict[tuple[str, str], Formula]:
    """The formulas by chapter and number."""
    found, chapter = {}, ""
    for line in filter(None, text.splitlines()):
        if line.startswith("# "):
            chapter = line[2:]
            continue
        words, _, source = line.partition(" [")
        number, *code = words.split()
        found[chapter, number] = Formula(tuple(code), source.rstrip("]"))
    return found


FORMULAS = _read(_TEXT)
"""{(chapter without its number, number within the chapter): its names}"""
