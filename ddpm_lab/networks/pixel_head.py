"""A categorical head over pixel values: the network predicts a prior, Bayes' rule does the rest."""

import torch
from torch import Tensor, nn

from ddpm_lab.gaussians.pixels import expected_level
from ddpm_lab.networks import _inputs


class PixelHead(nn.Module):
    """A categorical distribution over the gray levels of each pixel, and its posterior mean.

    The network gives `hidden_features` numbers for each pixel. The logits of that pixel's prior are
    log_prior_k + sum_j features_j weight_jk: how often level k occurs at all, and what the network
    adds. Bayes' rule (`gaussians.level_mean`) combines that prior with the pixel of x_t itself.

    Parameters
    ----------
    levels : int, gray levels, evenly spaced in [-1, 1]
    hidden_features : int, features of a pixel
    T : int, last time of the schedule

    >>> head = PixelHead(levels=3, hidden_features=2, T=1)
    >>> head.noise_to_signal.copy_(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5000])
    >>> x_t, t = torch.zeros(1, 1, 2, 2), torch.tensor([1])
    >>> head(torch.zeros(1, 2, 2, 2), x_t, t).shape           # eps
    torch.Size([1, 1, 2, 2])
    """

    log_prior: Tensor
    noise_to_signal: Tensor

    def __init__(self, levels: int, hidden_features: int, T: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(hidden_features, levels))
        nn.init.normal_(self.weight)
        self.register_buffer("log_prior", torch.zeros(levels))
        self.register_buffer("noise_to_signal", torch.zeros(T + 1))
        self._is_set = False

    def without_context(self, x_t: Tensor, t: Tensor) -> list[Tensor]:
        """x0_hat and eps from each pixel alone, without its neighbors: (B, C, H, W) each."""
        eps, x0_hat = self._predicted(x_t, t)
        return [x0_hat, eps.clamp(-5, 5)]

    def forward(self, features: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """(B, C hidden_features, H, W) -> eps, (B, C, H, W)."""
        features = features.reshape(*x_t.shape[:2], -1, *x_t.shape[2:])  # (B, C, features, H, W)
        return self._predicted(x_t, t, features.movedim(2, -1).flatten(1, -2))[0]

    def _predicted(self, x_t, t, features=None):
        """eps and x0_hat; features (B, D, hidden_features)."""
        self._check_is_set()
        table = self.noise_to_signal[:, None]
        ratio = _inputs.looked_up(table, t, "t", lowest=1, advice=_inputs.COUNTED)  # (B, 1)
        y = x_t.flatten(1) * (1 + ratio**2).sqrt()  # (B, D): x_0 + ratio eps
        # A table with every level of every pixel of a batch does not fit into a processor's cache,
        # and to wait for memory would take most of the time: there it is one image at a time.
        rows = torch.arange(len(y), device=y.device).split(1 if y.is_cpu else len(y))
        with _inputs.full_precision(y.device):
            x0_hat = torch.cat([self._mean(y[b], ratio[b], features, b) for b in rows])
        return ((y - x0_hat) / ratio).view_as(x_t), x0_hat.view_as(x_t)

    def _mean(self, y, ratio, features, b):
        logits = self.log_prior
        if features is not None:
            logits = torch.addmm(logits, features[b].flatten(0, 1), self.weight)
        return expected_level(y.flatten(), (ratio**2).expand_as(y).flatten(), logits).view_as(y)

    def _check_is_set(self):
        """Does it know how much noise there is at each time? Asked until the answer is yes."""
        if not self._is_set and not bool(self.noise_to_signal[-1] > 0):
            raise ValueError(
                "a network with levels must know its schedule; got one that was never told. Call "
                "net.set_pixel_prior(schedule.noise / schedule.signal, frequency) first."
            )
        self._is_set = True
