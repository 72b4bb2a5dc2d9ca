"""Other people's diffusion code, as its own documentation uses it, behind three functions.

    peer.loss(x)        the training loss of a batch, with their network, schedule and weighting
    peer.sample(n, k)   n samples in k steps of their sampler
    peer.net            their network

Each is made for a device, as in `ours(32, device="cuda")`; the default is the CPU.
All have about the same number of parameters. What is compared is whole packages at their own
settings, so a difference may come from the network, from its arithmetic or from the sampler.
"""

import sys
import types
from functools import partial
from types import SimpleNamespace

import torch

from ddpm_lab import (
    datasets,
    gaussians,
    losses,
    networks,
    predictions,
    samplers,
    schedules,
    training,
)


def _without_torchvision():
    """Two packages import torchvision for their data loaders, which are not used here. Where it is
    not installed an empty stand-in lets their networks load."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        empty = types.ModuleType("torchvision")
        empty.utils = SimpleNamespace()
        names = ("Compose", "RandomHorizontalFlip", "ToTensor", "Lambda", "Resize", "CenterCrop")
        empty.transforms = SimpleNamespace(**{name: lambda *a, **k: None for name in names})
        sys.modules["torchvision"] = empty


OURS = {  # pixels on a side -> the network that the course trains there
    8: {"width": 32, "mults": (1, 2, 2)},
    32: {"width": 40, "mults": (1, 2, 2), "patch": 2},
}


def ours(size, precision="auto", moves=False, device="cpu", **settings):
    """This course: U-Net with a pixel-unshuffle stem at 32 x 32, bf16 where the device has it.

    `settings` change the network: with `patch=1` it works on the pixels themselves.
    With `moves` it also learns from moved pictures, and is told which are (label 1), as the
    course does where there are few pictures.
    """
    net = networks.build(networks.UNet, seed=0, **{**OURS[size], **settings}, labels=2 * moves)
    net.to(device, memory_format=torch.channels_last)
    schedule, rng = schedules.linear(), gaussians.seeded(0, device)

    def loss(x):
        label = None
        if moves:
            rows = torch.randint(16 * len(x), (len(x),), generator=rng, device=device)
            x, label = (every[rows] for every in datasets.augment_shifts(x, 0 * rows, 1))
        t = torch.randint(1, schedule.T + 1, (len(x),), generator=rng, device=device)
        eps = gaussians.normal_like(x, generator=rng)
        with training.autocast(precision, device):
            told = partial(net, label=label) if moves else net
            return losses.simple(schedule, told, "v", x, t, eps).mean()

    def sample(n, steps):
        net.eval()
        denoise = predictions.denoiser(schedule, fast, "v", clip=1.0)
        times = schedules.timesteps(schedule.T, steps)
        x_T = torch.randn(n, 1, size, size, generator=rng, device=device)
        x_0 = samplers.final(samplers.dpmpp_2m(schedule, denoise, x_T, times=times))
        net.train()
        return x_0

    def fast(x_t, t):
        with training.autocast(precision, device):
            x_t = x_t.contiguous(memory_format=torch.channels_last)
            return net(x_t, t, torch.zeros_like(t)) if moves else net(x_t, t)

    return SimpleNamespace(net=net, loss=loss, sample=sample)


def diffusers(size, device="cpu"):
    """Hugging Face diffusers: UNet2DModel, DDPMScheduler, DDIMScheduler."""
    from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel

    net = UNet2DModel(
        sample_size=size,
        in_channels=1,
        out_channels=1,
        layers_per_block=1,
        block_out_channels=(32, 64, 64),
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    ).to(device)
    noising = DDPMScheduler(num_train_timesteps=1000)

    def loss(x):
        t, eps = torch.randint(0, 1000, (len(x),), device=device), torch.randn_like(x)
        out = net(noising.add_noise(x, eps, t), t).sample
        return torch.nn.functional.mse_loss(out, eps)

    @torch.no_grad()
    def sample(n, steps):
        walk = DDIMScheduler(num_train_timesteps=1000)
        walk.set_timesteps(steps)
        net.eval()
        x = torch.randn(n, 1, size, size, device=device)
        for t in walk.timesteps:
            x = walk.step(net(x, t).sample, t, x).prev_sample
        net.train()
        return x

    return SimpleNamespace(net=net, loss=loss, sample=sample)


def lucidrains(size, device="cpu"):
    """denoising-diffusion-pytorch: Unet, GaussianDiffusion with its own ddim_sample."""
    _without_torchvision()
    from denoising_diffusion_pytorch import GaussianDiffusion, Unet
    from denoising_diffusion_pytorch import denoising_diffusion_pytorch as module

    module.tqdm = lambda steps, **_: steps  # no bar of its own
    net = Unet(dim=20, dim_mults=(1, 2, 4), channels=1, flash_attn=False)
    made = {}

    def diffusion(steps):
        if steps not in made:
            made[steps] = GaussianDiffusion(
                net, image_size=size, timesteps=1000, sampling_timesteps=steps
            ).to(device)
        return made[steps]

    def loss(x):
        return diffusion(50)((x + 1) / 2)  # it wants pixels in [0, 1]

    @torch.no_grad()
    def sample(n, steps):
        net.eval()
        x = diffusion(steps).sample(batch_size=n) * 2 - 1
        net.train()
        return x

    return SimpleNamespace(net=net, loss=loss, sample=sample)


def smalldiffusion(size, device="cpu"):
    """smalldiffusion: Unet, its noise levels, its `samples` with the deterministic sampler.

    Its samples are drawn where Accelerate draws them: on a GPU if there is one.
    """
    _without_torchvision()
    from smalldiffusion import ScheduleDDPM, Unet, generate_train_sample, samples

    net = Unet(size, 1, 1, ch=32, ch_mult=(1, 2, 2), num_res_blocks=1, attn_resolutions=(8,))
    net.to(device)
    levels = ScheduleDDPM()

    def loss(x):
        x_0, sigma, eps, cond = generate_train_sample(x, levels)
        return net.get_loss(x_0, sigma, eps, cond=cond)

    @torch.no_grad()
    def sample(n, steps):
        net.eval()
        *_, x = samples(net, levels.sample_sigmas(steps), gam=1.6, batchsize=n)
        net.train()
        return x

    return SimpleNamespace(net=net, loss=loss, sample=sample)


PEERS = {
    "ddpm-lab": ours,
    "diffusers": diffusers,
    "denoising-diffusion-pytorch": lucidrains,
    "smalldiffusion": smalldiffusion,
}
