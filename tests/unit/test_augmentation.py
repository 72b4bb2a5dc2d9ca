"""Images shifted by a pixel: where a point of ink goes, and which labels it gets.

Truth: counted by hand on images with one point of ink.
"""

import pytest
import torch

from ddpm_lab import datasets


def test_a_point_of_ink_is_moved_to_all_its_neighbors_and_keeps_its_label():
    x = torch.full((2, 1, 6, 5), -1.0)
    x[0, 0, 3, 2] = x[1, 0, 0, 4] = 1.0  # in the middle; in a corner
    pictures, labels = datasets.augment_shifts(x, torch.tensor([1, 0]), 3)
    assert pictures.shape == (32, 1, 6, 5)
    middle, corner = pictures[0::2, 0], pictures[1::2, 0]
    for own, own_labels, label in ((middle, labels[0::2], 1), (corner, labels[1::2], 0)):
        assert own_labels.tolist() == [label] * 7 + [6] + [label + 3] * 8
        assert (own[:8] == own[0]).all()
    ink = [tuple(int(k) for k in (each == 1).nonzero()[0]) for each in middle[8:]]
    steps = [
        (down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)
    ]
    assert set(ink) == {(3 + down, 2 + right) for down, right in steps}
    assert {float(each.sum()) for each in middle[8:]} == {-28.0}  # paper comes in at the edge
    left = [float((each == 1).sum()) for each in corner[8:]]
    assert sorted(left) == [0] * 5 + [1] * 3  # five of eight ways lead over the edge


def test_images_that_cannot_be_shifted_are_refused():
    x = torch.zeros(3, 1, 4, 4)
    with pytest.raises(ValueError, match=r"labels.*N = 3"):
        datasets.augment_shifts(x, torch.arange(2), 3)
    with pytest.raises(ValueError, match=r"classes must be at least 3; got 2"):
        datasets.augment_shifts(x, torch.arange(3), 2)
    with pytest.raises(ValueError, match=r"\(N, C, H, W\); got \(3, 4, 4\)"):
        datasets.augment_shifts(x[:, 0], torch.arange(3), 3)
    for labels in (torch.zeros(3, 0), torch.zeros(3, dtype=torch.complex64)):
        with pytest.raises(ValueError, match=r"labels must be \(3,\) int64"):
            datasets.augment_shifts(x, labels, 3)
    with pytest.raises(TypeError, match="x must be floating point"):
        datasets.augment_shifts(x.long(), torch.arange(3), 3)


def test_negative_labels_are_not_moved():
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1; got -1\.\.1"):
        datasets.augment_shifts(torch.zeros(2, 1, 4, 4), torch.tensor([-1, 1]), 2)
