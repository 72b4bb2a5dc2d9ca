"""A small convolutional classifier, whose features serve to compare images."""

from collections.abc import Sequence

from torch import Tensor, nn

from ddpm_lab.networks import _inputs, _sizes
from ddpm_lab.networks.checks import check_images


class Classifier(nn.Module):
    """A convolutional classifier; the layer before its logits gives features to compare images by.

    Strided convolutions halve the resolution from level to level, global average pooling follows,
    then one linear layer for the features and another for the logits. Any height and width will
    do. There is no nonlinearity between the two linear layers, so that `metrics.standardize` can
    choose the features' units.

    Parameters
    ----------
    channels : int, of the image
    width : int, a multiple of 8: channels at the first resolution
    mults : channels at each resolution as a multiple of `width`
    features : int, numbers that describe an image
    labels : int, number of classes

    Raises
    ------
    TypeError, ValueError
        When built: unless 8 divides the width. When called: unless x holds float images with
        `channels` channels.

    >>> import torch
    >>> from ddpm_lab.networks import build
    >>> net = build(Classifier, seed=0, width=16, features=32)
    >>> net(torch.zeros(5, 1, 8, 8)).shape, net.features(torch.zeros(5, 1, 8, 8)).shape
    (torch.Size([5, 10]), torch.Size([5, 32]))
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 32,
        mults: Sequence[int] = (1, 2, 2),
        features: int = 32,
        labels: int = 10,
    ) -> None:
        super().__init__()
        channels, width = _sizes.size(channels, "channels"), _sizes.size(width, "width", lowest=8)
        features, labels = _sizes.size(features, "features"), _sizes.size(labels, "labels")
        _sizes.multiple(width, 8, "width", advice="Eight groups share the features.")
        self.channels = channels
        widths = [channels, *(width * mult for mult in _sizes.mults(mults))]
        self.backbone = nn.Sequential()
        for level, (dim_in, dim_out) in enumerate(zip(widths, widths[1:])):
            stride = 2 if level else 1
            self.backbone.append(nn.Conv2d(dim_in, dim_out, 3, stride=stride, padding=1))
            self.backbone.append(nn.GroupNorm(8, dim_out))
            self.backbone.append(nn.SiLU())
        self.feature_layer = nn.Linear(widths[-1], features)
        self.head = nn.Linear(features, labels)

    def features(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, F): the layer before the logits."""
        check_images(x, self.channels, 1, "x")
        _inputs.like_weights(x, self.feature_layer.weight, "x")
        return self.feature_layer(self.backbone(x).mean(dim=(2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, labels) logits."""
        return self.head(self.features(x))
