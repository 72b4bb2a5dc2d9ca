"""How does a network go to other people's programs, and theirs come here?

    pipeline = DDPMPipeline(interop.DiffusersDenoiser(model), DDPMScheduler(**interop.scheduler(…)))
    net, schedule = interop.DiffusersNet(unet), interop.schedule_of(scheduler)
    interop.to_onnx(model, "denoiser.onnx")

Hugging Face's diffusers is the most used library for diffusion; it counts times from 0, so that its
t is our t + 1 (`course.notation` has the other differences). ONNX is a format that runs without
PyTorch, in browsers and on phones. None of the packages is needed for anything else:
`pip install "ddpm-lab[interop]"`.
"""

from ddpm_lab.interop.card import model_card
from ddpm_lab.interop.diffusers import DiffusersDenoiser, DiffusersNet, schedule_of, scheduler
from ddpm_lab.interop.onnx import onnx_difference, to_onnx

__all__ = [
    "DiffusersDenoiser",
    "DiffusersNet",
    "model_card",
    "onnx_difference",
    "schedule_of",
    "scheduler",
    "to_onnx",
]
