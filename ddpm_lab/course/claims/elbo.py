"""Claims about the evidence lower bound and the variational autoencoder."""

import math

import torch

from ddpm_lab import elbo
from ddpm_lab.course.claims import _data, _elbo, _estimators, _latent
from ddpm_lab.course.claims._claim import (
    Claim,
    Evidence,
    at_least,
    at_most,
    claim,
    near,
)


@claim(
    "E12",
    "elbo",
    said="Matching the joint distributions of forward and reverse chain means minimizing a KL that "
    "is proportional to the sum of E[-log p(x_{t-1} | x_t)].",
    verdict="loose",
    correct="The KL is that sum plus a constant; only differences agree. For the exact reverse "
    "chain of N(0, 1) data the KL is 0 and the sum -1024.6 nats. Steps with 1.21 times the "
    "variance add 8.53 nats to both.",
    taught="08b · The KL of two joint distributions",
    source="000",
)
def _up_to_a_constant() -> Evidence:
    exact, wide = _elbo.wide_steps(1.0), _elbo.wide_steps(1.21)
    numbers = [
        near("exact steps: the sum, nats", exact[0], -1024.6, 0.05),
        near("exact steps: KL of the joints", exact[1], 0.0, 1e-9),
        near("1.21 times the variance: KL", wide[1], 1000 * _elbo.kl_of_widths(1.21), 1e-9),
        near("the sum rises by", wide[0] - exact[0], 8.533, 1e-3),
    ]
    return Evidence(numbers)


@claim(
    "E13",
    "elbo",
    said="NVAE's decoder is q(x | z) = q(x | z_1) q(z_1 | z_2) ... q(z_{L-1} | z_L), and DDPM is a "
    "special case of NVAE.",
    verdict="wrong",
    correct="That product is the joint density of x and z_1, ..., z_{L-1} given z_L: integrated "
    "over x alone it gives 0.3989 in the unit Gaussian case at 0, not 1. NVAE has the prior p(z_L) "
    "prod_l p(z_l | z_{l+1}, ..., z_L), which is not Markov, and the decoder p(x | z_1, ..., z_L). "
    "Both are hierarchical VAEs; DDPM's encoder is fixed and Markov, with latents of the size of "
    "the data.",
    taught="17 · Detour · A decoder that is not a density",
    source="000",
)
def _joint_not_decoder() -> Evidence:
    over_x, over_both = _elbo.product_of_conditionals()
    numbers = [
        near(
            "product at z_1 = z_2 = 0, integrated over x", over_x, 1 / math.sqrt(2 * math.pi), 1e-6
        ),
        near("integrated over x and z_1", over_both, 1.0, 1e-6),
        near("Markov: correlation of z_1, z_3 given z_2", _elbo.link_past_a_neighbor(0.0), 0, 1e-9),
        near("z_1 depends on z_3 too: the same", _elbo.link_past_a_neighbor(0.5), 0.6, 1e-6),
    ]
    return Evidence(numbers)


@claim(
    "E18",
    "elbo",
    said="A one-step VAE is limited because its encoder, decoder and prior can only be normal.",
    verdict="needs a condition",
    correct="With a linear decoder, yes: then x is normal, 0.7212 nats from the two-mode data. "
    "With a curved mean F^-1(Phi(z)) and noise of standard deviation 0.5, 0.2, 0.05, 0.01 it is "
    "0.42, 0.057, 4.2e-04, 7.1e-07 nats away. The limit is the Gaussian q: if the posterior has "
    "two modes, the bound stays log 2 below.",
    taught="04b · Detour · What can a Gaussian decoder do?",
    source="000",
)
def _three_normals() -> Evidence:
    stds = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
    nats, straight = [_elbo.blurred_kl(std) for std in stds], _estimators.data_to_model()[1]
    numbers = [
        near("linear decoder: KL from the data, nats", straight, 0.7212, 5e-5),
        near("curved decoder, std 0.5", nats[0], 0.416, 5e-4),
        near("curved decoder, std 0.2", nats[1], 0.0566, 5e-5),
        near("curved decoder, std 0.05", nats[3], 4.23e-4, 5e-7),
        near("two modes in z: gap of the best q", _elbo.two_bumps_gap(), math.log(2), 0.01),
    ]
    plot = _data.plot("decoder's std", "nats", stds, {"KL from the data": nats}, log_y=True)
    return Evidence(numbers, plot)


@claim(
    "E38",
    "elbo",
    said="A generative model has to learn two things, generation p(x | z) and inference q(z | x); "
    "a classifier learns only the second.",
    verdict="loose",
    correct="Generation is enough: z -> F^-1(Phi(z)) makes the two-mode data without any q. GANs "
    "and autoregressive models learn none, and DDPM fixes one: for N(0, 1.8) data, ten fixed "
    "noising steps and their exact reverse leave -ELBO 1.3e-04 nats above the entropy of the data. "
    "And p(label | x) is not q(latent | x): at x = 0.97 the label is certain, while the latent has "
    "a standard deviation of 0.39.",
    taught="04b · Detour · What can a Gaussian decoder do?",
    source="001",
)
def _generation_alone() -> Evidence:
    data, made = _elbo.between_the_modes()
    label, latent = _elbo.label_and_latent()
    numbers = [
        near("P(|x| < 0.3), decoder without encoder", made, data, 5e-5),
        near("-ELBO - entropy, one fixed step, nats", _elbo.fixed_encoder(1), 0.0577, 5e-5),
        near("-ELBO - entropy, ten fixed steps", _elbo.fixed_encoder(10), 1.26e-4, 1e-6),
        at_least("P(right-hand mode | x = 0.97)", label, 0.999999),
        near("std of the latent given x = 0.97", latent, 0.39, 0.01),
    ]
    z = torch.linspace(-3, 3, 121, dtype=torch.float64)
    return Evidence(numbers, _data.plot("latent z", "x", z, {"F^-1(Phi(z))": _elbo.decoded(z)}))


@claim(
    "E45",
    "elbo",
    said="With an approximate posterior q(z | x), p_theta(x) = p_theta(x | z) p(z) / q(z | x).",
    verdict="wrong",
    correct="The fraction is p(x), for every z, only if q is the posterior itself. With another q "
    "it depends on z: 0.0023, 0.0523, 0.474, 4.73 at z = -0.5, 0.3, 1, 2 where p(x) = 0.1592. Take "
    "the mean of its logarithm over q, and add the KL from q to the posterior.",
    taught="04 · 2 · Bayes' rule with an approximate posterior",
    source="001",
)
def _the_fraction() -> Evidence:
    z = torch.tensor([-0.5, 0.3, 1.0, 2.0], dtype=torch.float64)
    exact = (_latent.log_joint(z) - _latent.log_normal(z, 1.0, 0.2)).exp()
    other = _latent.log_weight(z).exp()
    numbers = [
        near("joint / posterior at z = -0.5", exact[0], 0.159162, 1e-6),
        near("joint / posterior at z = 2", exact[3], 0.159162, 1e-6),
        near("joint / q at z = -0.5", other[0], 0.00231, 5e-6),
        near("joint / q at z = 2", other[3], 4.72912, 5e-6),
    ]
    x = torch.linspace(-1, 2.5, 71, dtype=torch.float64)
    lines = {"joint / q": _latent.log_weight(x).exp(), "p(x)": torch.full_like(x, 0.159162)}
    return Evidence(numbers, _data.plot("latent z", "fraction", x, lines, log_y=True))


@claim(
    "E48",
    "elbo",
    said="log p(x) = E_q[log p(x, z)/q(z)] + KL(q(z) || p(z | x)) for an arbitrary q.",
    verdict="needs a condition",
    correct="q must be normalized, and may have no mass where the posterior has none. For N(0.3, "
    "0.25), -1.8378 = -3.0763 + 1.2384; with 2 q in place of q the right side is -3.6757. If the "
    "prior vanishes for z < 0, where q has the mass 0.274, then KL = infinity and ELBO = "
    "-infinity: the KL grows by 0.63 nats for each factor of ten.",
    taught="04 · 3 · The evidence lower bound",
    source="001",
)
def _which_q() -> Evidence:
    split = elbo.split(_latent.masses(), _latent.joint())
    thin = [_elbo.gap_of_thin_prior(10.0**-k) for k in range(13)]
    mass = float(torch.special.ndtr(torch.tensor(-0.6, dtype=torch.float64)))
    numbers = [
        near("log p(x)", split.log_evidence, -1.837832, 1e-6),
        near("ELBO + KL", split.elbo + split.kl, -1.837832, 1e-6),
        near("ELBO", split.elbo, -3.076260, 1e-6),
        near("ELBO + KL with 2 q", _elbo.twice_q(), 2 * _latent.LOG_EVIDENCE, 1e-6),
        near("KL gained per factor of ten", thin[12] - thin[11], mass * math.log(10), 0.01),
    ]
    label = "prior for z < 0 lowered by 10^-k: k"
    return Evidence(numbers, _data.plot(label, "nats", range(13), {"KL(q || posterior)": thin}))


@claim(
    "E49",
    "elbo",
    said="The ELBO is log p_theta(x | z) - KL(q(z | x) || p_theta(z)).",
    verdict="wrong",
    correct="It is E_q[log p_theta(x | z)] - KL(q(z | x) || p(z)), here -3.0763. Without the mean "
    "it depends on z: -4.9763, -2.5763, -1.1763 at z = -0.2, 0.3, 0.8, the last of them above log "
    "p(x). And the prior has no theta.",
    taught="04 · 6 · Two terms, and the variational autoencoder",
    source="001",
)
def _mean_over_q() -> Evidence:
    z = torch.linspace(-0.5, 1.5, 41, dtype=torch.float64)
    bound, single = _elbo.two_terms(z)
    log_p = _latent.LOG_EVIDENCE
    numbers = [
        near("E_q[log p(x | z)] - KL", bound, -3.076260, 1e-6),
        near("log p(x) - KL(q || posterior), minus that", log_p - _latent.GAP - bound, 0, 1e-6),
        near("without the mean, z = -0.2", single[6], -4.9763, 5e-5),
        near("without the mean, z = 0.3", single[16], -2.5763, 5e-5),
        near("without the mean, z = 0.8", single[26], -1.1763, 5e-5),
    ]
    lines = {"without the mean": single, "ELBO": 41 * [bound], "log p(x)": 41 * [log_p]}
    return Evidence(numbers, _data.plot("latent z", "nats", z, lines))


@claim(
    "E50",
    "elbo",
    said="If the ELBO is maximal, KL(q || p(z | x)) is 0, and so the likelihood is maximal.",
    verdict="needs a condition",
    correct="Only if the family of q contains the posterior for every x and theta. With two "
    "latents and a mean-field q, x = theta (z_1 + z_2) + noise and E[x^2] = 9, the ELBO is largest "
    "at theta = 1.4735, with KL = 0.3163; the maximum likelihood estimate is 2, and 0.0815 nats "
    "are lost.",
    taught="04 · 5 · Does a higher bound mean a higher likelihood?",
    source="001",
)
def _maximal_bound() -> Evidence:
    theta = torch.linspace(0.5, 3, 25_001, dtype=torch.float64)
    log_p, gap = _elbo.mean_field(theta)
    best, top = int((log_p - gap).argmax()), int(log_p.argmax())
    numbers = [
        near("theta of the largest likelihood", theta[top], 2.0, 1e-4),
        near("theta of the largest ELBO", theta[best], 1.4735, 1e-4),
        near("KL there, by its formula", gap[best], 0.3163, 5e-5),
        near("KL there, of two Gaussians", _elbo.mean_field_kl(1.4735), 0.3163, 5e-5),
        near("log-likelihood lost", log_p[top] - log_p[best], 0.0815, 5e-5),
    ]
    lines = {"log-likelihood": log_p, "best ELBO": log_p - gap}
    return Evidence(numbers, _data.plot("theta", "nats", theta, lines))


@claim(
    "E56",
    "elbo",
    said="In a VAE the encoder is the posterior p_phi(z | x), and the decoder is N(mu_phi, "
    "sigma^2).",
    verdict="wrong",
    correct="The encoder is q_phi(z | x), an approximation; the posterior p_theta(z | x) follows "
    "from prior and decoder. The decoder's mean is mu_theta(z): with the encoder's mu_phi(x) in "
    "its place, the reconstruction term would not depend on theta, and the decoder would learn "
    "nothing.",
    taught="04b · Detour · What can a Gaussian decoder do?",
    source="001",
)
def _whose_mean() -> Evidence:
    decoder, encoder = _elbo.decoder_gradients()
    gap = elbo.split(_latent.masses(), _latent.joint()).kl
    numbers = [
        at_least("gradient in theta, mean mu_theta(z)", decoder, 0.1),
        near("gradient in theta, mean mu_phi(x)", encoder, 0.0, 0.0),
        near("KL(q || p(z | x)) of one q that is not the posterior", gap, _latent.GAP, 1e-6),
    ]
    return Evidence(numbers)


@claim(
    "E57",
    "elbo",
    said="The decoder's variance sigma^2 is a constant and need not concern us.",
    verdict="wrong",
    correct="It sets the balance of reconstruction and KL, and with it how many latents are used. "
    "A linear VAE for data of variances 4, 1, 0.25 keeps w^2 = max(0, variance - sigma^2) per "
    "direction: 3, 2, 1, 0 active latents for sigma^2 = 0.1, 0.5, 2, 5.",
    taught="04b · Detour · A VAE that can be solved by hand",
    source="001",
)
def _which_variance() -> Evidence:
    log_var, kl = _elbo.kl_per_latent()
    squares = elbo.ppca(_elbo.CORNERS, latents=3, var=0.5).axes.square().sum(0)
    numbers = [
        near("active latents, sigma^2 = 0.1", _elbo.active(0.1), 3, 0),
        near("active latents, sigma^2 = 0.5", _elbo.active(0.5), 2, 0),
        near("active latents, sigma^2 = 2", _elbo.active(2.0), 1, 0),
        near("active latents, sigma^2 = 5", _elbo.active(5.0), 0, 0),
        near("w^2 of the first, sigma^2 = 0.5", squares[0], 3.5, 1e-9),
    ]
    lines = {f"direction of variance {v}": kl[:, k] for k, v in enumerate((4, 1, 0.25))}
    return Evidence(numbers, _data.plot("log10 of sigma^2", "KL of the latent", log_var, lines))


@claim(
    "E58",
    "elbo",
    said="The loss of a VAE is the ELBO: the mean squared error plus the KL.",
    verdict="loose",
    correct="It is minus the ELBO, and the squared error is a sum over the pixels, divided by 2 "
    "sigma^2. A mean over 3072 pixels in its place multiplies the KL by 3072: a beta-VAE with beta "
    "= 3072. The rest is a constant, -1.3836 nats per dimension at sigma = 0.1.",
    taught="04b · Detour · The variance, learned or hidden",
    source="001",
)
def _sum_or_mean() -> Evidence:
    ratio, weight = _elbo.mean_over_pixels()
    zero = torch.zeros(1, dtype=torch.float64)
    numbers = [
        near("3072 (mean + KL) / loss with beta = 3072", ratio, 1.0, 1e-9),
        near("(loss with beta = 3072 - loss) / KL", weight, 3071, 1e-6),
        near("-log N(0; 0, 0.1^2)", -_latent.log_normal(zero, 0.0, 0.01), -1.38365, 1e-5),
        near("three numbers, sum of squares: active latents", _elbo.active(0.5), 2, 0),
        near("mean of squares, so sigma^2 = 3/2: active", _elbo.active(1.5), 1, 0),
    ]
    return Evidence(numbers)


@claim(
    "E59",
    "elbo",
    said="In a beta-VAE the KL has the weight beta; the objective is still a lower bound of log "
    "p(x).",
    verdict="needs a condition",
    correct="For beta >= 1, since the KL is never negative. For beta < 1 the best value lies "
    "above: -1.0843 and -1.2201 for beta = 0.1 and 0.25, where log p(x) = -1.5155; at beta = 4 it "
    "is -1.7652. With a Gaussian decoder, beta is the same as sigma^2 multiplied by beta.",
    taught="04b · Detour · The beta-VAE: another weight for the KL",
    source="001",
)
def _is_it_a_bound() -> Evidence:
    log_p = -0.5 * (math.log(4 * math.pi) + 0.5)  # x ~ N(0, 2), x = 1
    moved = max(_elbo.better_by_moving(beta) for beta in (0.1, 1.0, 4.0))
    log_beta, values = _elbo.best_values()
    numbers = [
        near("best value, beta = 0.1", _elbo.best_value(0.1), -1.0843, 5e-5),
        near("best value, beta = 0.25", _elbo.best_value(0.25), -1.2201, 5e-5),
        near("best value, beta = 1", _elbo.best_value(1.0), log_p, 1e-6),
        near("best value, beta = 4", _elbo.best_value(4.0), -1.7652, 5e-5),
        at_most("best of four q nearby, minus the best value", moved, 0.0),
    ]
    lines = {"best value": values, "log p(x)": len(values) * [log_p]}
    return Evidence(numbers, _data.plot("log10 of beta", "nats", log_beta, lines))


CLAIMS: tuple[Claim, ...] = (
    _up_to_a_constant,
    _joint_not_decoder,
    _three_normals,
    _generation_alone,
    _the_fraction,
    _which_q,
    _mean_over_q,
    _maximal_bound,
    _whose_mean,
    _which_variance,
    _sum_or_mean,
    _is_it_a_bound,
)
"""In the order of the ledger."""
