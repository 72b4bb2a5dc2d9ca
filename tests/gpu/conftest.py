"""Each test here runs on the CPU, and on a GPU where there is one.

On the CPU the reference and what is tested differ in precision only; on a GPU also in the order in
which numbers are added up. Matrix products and convolutions keep their float32: by default a GPU
rounds the numbers that go into a convolution to 10 bits, which is what `bfloat16` is tested for.
"""

import pytest
import torch

GPU = pytest.param(
    "cuda",
    marks=[
        pytest.mark.gpu,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
    ],
)


@pytest.fixture(params=["cpu", GPU])
def device(request):
    settings = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [each.allow_tf32 for each in settings]
    for each in settings:
        each.allow_tf32 = False
    yield torch.device(request.param)
    for each, allowed in zip(settings, before):
        each.allow_tf32 = allowed
