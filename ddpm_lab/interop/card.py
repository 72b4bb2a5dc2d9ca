"""The model card of a network that is passed on: what it is, how it was made, how good it is."""

from collections.abc import Iterator
from typing import Any

from ddpm_lab import _checks
from ddpm_lab.training import models
from ddpm_lab.training.models import Model

_MEASURED = {
    "energy_distance": "energy distance to held-out images",
    "sliced_wasserstein": "sliced Wasserstein distance",
    "frechet": "Fréchet distance of a classifier's features",
    "memorization_test": "share of samples nearer to the training images (0.5: none memorized)",
}


def model_card(
    model: Model, name: str, license: str, metrics: dict | None = None, onnx: bool = False
) -> str:
    """A model card in Markdown, with the header that Hugging Face's Hub reads.

    Parameters
    ----------
    name : of the network
    license : as the Hub names it: "mit", "cc-by-4.0"
    metrics : what `evaluation.evaluate` found; None if nobody has measured
    onnx : bool, is there a denoiser.onnx beside it?

    Raises
    ------
    ValueError
        If the license is no single word.

    >>> from ddpm_lab.training import pretrained
    >>> print(model_card(pretrained.load("digits"), "digits", "mit").splitlines()[1])
    license: mit
    """
    models.known(model)
    _checks.instance(name, str, "name", advice="It names the network.")
    _checks.choice(onnx, (False, True), "onnx")
    _checks.instance(license, str, "license", advice='Give "mit", for example.')
    if not license or set(license) - set("abcdefghijklmnopqrstuvwxyz0123456789.-"):
        raise ValueError(
            f"license must be a name as the Hub has it, such as mit or cc-by-4.0; got {license!r}."
        )
    parts = [_header(license), f"# {name}\n", _made(model), _use(model, onnx), _measures(metrics)]
    return "\n".join(parts)


def _header(license):
    tags = "\n".join(f"- {tag}" for tag in ("diffusion", "ddpm", "image-generation"))
    return (
        f"---\nlicense: {license}\nlibrary_name: ddpm-lab\n"
        f"pipeline_tag: unconditional-image-generation\ntags:\n{tags}\n---\n"
    )


def _made(model):
    config, (channels, height, width) = model.config, model.shape
    weights = sum(each.numel() for each in model.net.parameters())
    data = {"name": config.data.name} | (model.data or {})
    images = f" ({data['images']:,} images)" if "images" in data else ""
    classes = f"{config.classes} classes" if config.classes else "no labels"
    return (
        "A denoising diffusion model for images, trained with "
        "ddpm-lab, a course on such models.\n\n"
        f"| | |\n|---|---|\n| images | {channels} x {height} x {width}, {classes} |\n"
        f"| weights | {weights:,} |\n| learned from | {data['name']}{images} |\n"
        f"| updates | {model.step:,} of {config.batch} images each |\n"
        f"| predicts | {config.prediction_type} |\n"
        f"| noise schedule | {config.schedule.name}, T = {config.schedule.T} |\n"
    )


def _use(model, onnx):
    label = ", label=0" if model.config.classes else ""
    also = "`denoiser.onnx` takes x_t and t to an estimate of the clean image.\n" * onnx
    return (
        "## Use\n\n```python\nfrom ddpm_lab.gaussians import seeded\n"
        "from ddpm_lab.training import models\n\n"
        'model = models.load("model.safetensors")\n'
        f"images = models.sample(model, 16{label}, generator=seeded(0))  # in [-1, 1]\n```\n\n"
        "`config.json` is the configuration of its training, `scheduler_config.json` the noise "
        "schedule as\ndiffusers reads it; `ddpm_lab.interop.DiffusersDenoiser(model)` is a `unet` "
        f"for its pipelines.\n{also}"
    )


def _measures(metrics):
    if metrics is None:
        return "## How good is it?\n\nNobody has measured it: `ddpm-lab evaluate` does.\n"
    try:
        rows = "\n".join(_rows(metrics))
        images = f"{_checks.count(metrics['images'], 'images'):,}"
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"metrics must be what evaluation.evaluate finds; got another thing ({error!r}). "
            "Measure again."
        ) from error
    return (
        f"## How good is it?\n\nMeasured on {images} held-out images; the range is "
        "what real images get against\nother real ones.\n\n"
        f"| | value | error | real against real |\n|---|--:|--:|--:|\n{rows}\n"
    )


def _rows(metrics: dict[str, Any]) -> Iterator[str]:
    total = metrics["bits_per_dim"]["total"]
    yield f"| bits per dimension, at most | {total['value']:.3f} | {_error(total)} | |"
    for name, said in _MEASURED.items():
        if name in metrics:
            each = metrics[name]
            real = each.get("baseline")
            between = "{lowest:.4f} to {highest:.4f}".format(**real) if real else ""
            yield f"| {said} | {each['value']:.4f} | {_error(each)} | {between} |"


def _error(each):
    return "" if each["stderr"] is None else f"{each['stderr']:.4f}"
