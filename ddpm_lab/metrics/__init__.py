"""How far are the samples from the data, and how sure are we?

Two sets of items, a and b, each sampled from an unknown distribution. Are the distributions equal?
Each function here gives one number for that, as an `Estimate` with its standard error:

    energy_distance     2 E|a - b| - E|a - a'| - E|b - b'|            no setting at all
    mmd                 E k(a, a') + E k(b, b') - 2 E k(a, b)          looks at one length scale
    sliced_wasserstein  optimal transport between projections onto random lines
    frechet             the same between two Gaussians that are fitted to features (as in FID)

The first two are unbiased: for equal distributions they scatter around 0, below it too. The other
two are never negative, so they are positive for equal distributions, and the more so the fewer the
items. Hence **no number without its baseline**: `real_baseline` computes the same metric between
real data and real data.

A network that only repeats its training data gets the best numbers of all. `nearest` shows the
training item next to a sample, and `memorization_test` says whether the samples are nearer to the
training data than to held-out data.

Features come from a small classifier of the same kind of images (`networks.Classifier`), trained
by `train_classifier`. The items may live on any device: all sums are done in float64, which not
every device knows, and so on the CPU. Before this: samples, from `samplers`, of what `training`
made. Opened by chapter 14.
"""

from ddpm_lab.estimators import Estimate
from ddpm_lab.metrics.baselines import Baseline, real_baseline
from ddpm_lab.metrics.classifier import accuracy, features, standardize, train_classifier
from ddpm_lab.metrics.distances import energy_distance, median_distance, mmd
from ddpm_lab.metrics.fitted import frechet
from ddpm_lab.metrics.neighbors import Nearest, memorization_test, nearest
from ddpm_lab.metrics.resampling import jackknife
from ddpm_lab.metrics.sliced import sliced_wasserstein

__all__ = [
    "Baseline",
    "Estimate",
    "Nearest",
    "accuracy",
    "energy_distance",
    "features",
    "frechet",
    "jackknife",
    "median_distance",
    "memorization_test",
    "mmd",
    "nearest",
    "real_baseline",
    "sliced_wasserstein",
    "standardize",
    "train_classifier",
]
