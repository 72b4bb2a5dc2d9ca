"""Networks in other people's programs, and theirs here.

Truth: diffusers and onnxruntime, which compute the same numbers from the same weights; the Hub's
own reader of model cards.
"""

import json

import pytest
import torch

from ddpm_lab import cli, forward, gaussians, interop, predictions, samplers, schedules, training
from ddpm_lab.training import models, pretrained, trainer
from ddpm_lab.training.config import from_dict


@pytest.fixture(scope="module")
def diffusers():
    return pytest.importorskip("diffusers", reason="pip install 'ddpm-lab[interop]'")


@pytest.fixture(scope="module")
def digits():
    return pretrained.load("digits")


def close(ours, theirs, atol=1e-4):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)


# ours in diffusers


@pytest.mark.parametrize("name", ["linear", "cosine", "sigmoid", "quadratic"])
def test_our_schedules_are_theirs(name, diffusers):
    ours = schedules.make(name, T=1000)
    theirs = diffusers.DDPMScheduler(**interop.scheduler(ours, "v"))
    close(theirs.alphas_cumprod.double(), ours.abar[1:])
    x_0, eps = (gaussians.normal_like(torch.empty(4, 3), generator=gaussians.seeded(s))
                for s in (0, 1))  # fmt: skip
    t = torch.tensor([1, 10, 500, 1000])
    close(forward.noised(ours, x_0, t, eps), theirs.add_noise(x_0, eps, t - 1))
    close(predictions.target(ours, "v", x_0, eps, t), theirs.get_velocity(x_0, eps, t - 1))
    assert theirs.config.prediction_type == "v_prediction"
    close(interop.schedule_of(theirs).abar, ours.abar)


@pytest.mark.parametrize("label", [None, 3])
def test_our_network_in_their_ddpm_pipeline_draws_our_images(label, diffusers, digits):
    """The same generator draws the same noise in both, step by step."""
    net = interop.DiffusersDenoiser(digits, label=label)
    scheduler = diffusers.DDPMScheduler(**interop.scheduler(digits.schedule))
    pipeline = diffusers.DDPMPipeline(unet=net, scheduler=scheduler)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        batch_size=3, num_inference_steps=20, generator=gaussians.seeded(0), output_type="numpy"
    ).images
    ours = models.sample(
        digits, 3, label=label, steps=20, sampler="ddpm", generator=gaussians.seeded(0)
    )
    close((ours + 1) / 2, torch.from_numpy(theirs).permute(0, 3, 1, 2), atol=1e-4)


def test_their_faster_samplers_take_our_network(diffusers, digits):
    x = gaussians.normal_like(torch.empty(3, *digits.shape), generator=gaussians.seeded(1))
    net = interop.DiffusersDenoiser(digits, label=7, guidance_scale=1.5)
    denoise = models.denoiser(digits, torch.tensor([7, 7, 7]), guidance_scale=1.5)
    scheduler = diffusers.DDIMScheduler(**interop.scheduler(digits.schedule))
    scheduler.set_timesteps(20)
    theirs = x
    for t in scheduler.timesteps:
        theirs = scheduler.step(net(theirs, t).sample, t, theirs).prev_sample
    times = schedules.timesteps(1000, 20)
    assert [int(t) + 1 for t in scheduler.timesteps] + [0] == times
    close(samplers.final(samplers.ddim(digits.schedule, denoise, x, times=times)), theirs)


# theirs here


@pytest.fixture(scope="module")
def unet(diffusers):
    torch.manual_seed(0)
    made = diffusers.UNet2DModel(
        sample_size=8, in_channels=1, out_channels=1, block_out_channels=(8, 16), norm_num_groups=4,
        layers_per_block=1, down_block_types=("DownBlock2D",) * 2, num_class_embeds=11,
        up_block_types=("UpBlock2D",) * 2, add_attention=False,
    )  # fmt: skip
    return made.eval().requires_grad_(False)


@pytest.mark.parametrize("kind", ["eps", "v", "x0"])
def test_their_unet_here_draws_their_images(kind, diffusers, unet):
    schedule = schedules.cosine(T=1000)
    settings = interop.scheduler(schedule, kind) | {"clip_sample": False}
    scheduler = diffusers.DDIMScheduler(**settings)
    scheduler.set_timesteps(10)
    x = gaussians.normal_like(torch.empty(2, 1, 8, 8), generator=gaussians.seeded(2))
    label, theirs = torch.tensor([3, 10]), x
    # at t = T there is hardly any signal: there their eps and ours would both be divided by 5e-5
    scheduler.timesteps, times = scheduler.timesteps[2:], schedules.timesteps(1000, 10)[2:]
    for t in scheduler.timesteps:
        out = unet(theirs, t, class_labels=label).sample
        theirs = scheduler.step(out, t, theirs).prev_sample
    net = interop.DiffusersNet(unet)
    assert net.labels == 10  # 10 is the null label
    denoise = predictions.denoiser(
        interop.schedule_of(scheduler), lambda x_t, t: net(x_t, t, label), kind
    )
    ours = samplers.final(samplers.ddim(schedule, denoise, x, times=times))
    close(ours / ours.abs().max(), theirs / ours.abs().max())


def test_their_unet_is_trained_by_our_loop(diffusers, unet):
    from ddpm_lab import datasets

    x, labels = datasets.digits("train")
    net = interop.DiffusersNet(unet.requires_grad_(True))
    batches = datasets.batches(x, 32, labels=labels, generator=gaussians.seeded(0))
    steps = training.train(
        schedules.cosine(), net, batches, steps=30, lr=3e-3, generator=gaussians.seeded(1)
    )
    seen = [step.loss for step in steps]
    unet.requires_grad_(False).eval()
    assert sum(seen[-5:]) < 0.9 * sum(seen[:5])


def test_a_scheduler_without_betas_is_refused():
    with pytest.raises(TypeError, match="scheduler must have betas"):
        interop.schedule_of(object())


# ONNX


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_the_onnx_file_computes_what_the_network_does(name, tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    model = pretrained.load(name)
    path = interop.to_onnx(model, tmp_path / "new" / f"{name}.onnx")
    for n in (1, 5):
        assert interop.onnx_difference(model, path, n) < 1e-4
    import onnx

    graph = onnx.load(path).graph
    assert [each.name for each in graph.input] == ["x_t", "t", "label"]
    assert [each.name for each in graph.output] == ["x0_hat"]


def test_the_null_label_and_networks_without_labels(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    plain = {"data": {"name": "digits"}, "net": {"width": 8, "mults": [1, 2]}, "steps": 2}
    plain |= {"batch": 8, "samples_every": 0, "prediction_type": "eps"}
    trainer.train(from_dict(plain), tmp_path / "run")
    model = models.load(tmp_path / "run")
    assert interop.onnx_difference(model, interop.to_onnx(model, tmp_path / "a.onnx")) < 1e-4
    digits = pretrained.load("digits")
    session = onnxruntime.InferenceSession(str(interop.to_onnx(digits, tmp_path / "b.onnx")))
    x, t = torch.zeros(2, 1, 8, 8), torch.tensor([5, 900])
    null = torch.full((2,), digits.net.labels)
    said = session.run(None, {"x_t": x.numpy(), "t": t.numpy(), "label": null.numpy()})[0]
    with torch.no_grad():
        close(models.denoiser(digits)(x, t), torch.from_numpy(said))


def test_a_head_over_levels_cannot_be_exported(tmp_path):
    with pytest.raises(ValueError, match=r"net\.levels must be 0 for ONNX; got 256"):
        interop.to_onnx(pretrained.load("mnist_likelihood"), tmp_path / "x.onnx")


# a folder for upload


def test_the_folder_for_upload_is_whole(tmp_path, capsys, diffusers):
    out = tmp_path / "my-digits"
    words = ["export", "--run", "digits", "--out", str(out), "--license", "mit"]
    assert cli.main(words) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {
        "README.md", "config.json", "metrics.json", "model.safetensors", "samples.png",
        "scheduler_config.json",
    }  # fmt: skip
    assert torch.equal(
        next(models.load(out / "model.safetensors").net.parameters()),
        next(pretrained.load("digits").net.parameters()),
    )
    theirs = diffusers.DDIMScheduler.from_pretrained(str(out))
    close(theirs.alphas_cumprod.double(), pretrained.load("digits").schedule.abar[1:])
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard.load(str(out / "README.md"))
    assert card.data.license == "mit" and card.data.library_name == "ddpm-lab"
    known = json.loads((out / "metrics.json").read_text())
    assert f"{known['bits_per_dim']['total']['value']:.3f}" in card.text
    assert f"{known['frechet']['value']:.4f}" in card.text and "# my-digits" in card.text
    assert json.loads((out / "config.json").read_text())["data"]["name"] == "digits"
    capsys.readouterr()
    assert cli.main(words) == 1
    assert "--out must be an empty folder" in capsys.readouterr().err
    assert cli.main([*words[:-3], str(tmp_path / "b"), "--license", "My own!"]) == 1
    assert "license must be a name as the Hub has it" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_a_run_that_nobody_measured_says_so_and_tells_no_path(tmp_path):
    import numpy as np

    np.savez(
        tmp_path / "own.npz",
        images=np.zeros((20, 8, 8), np.uint8) + np.arange(20)[:, None, None].astype(np.uint8),
    )
    plain = {"net": {"width": 8, "mults": [1, 2]}, "steps": 1, "batch": 8, "samples_every": 0}
    trainer.train(from_dict(plain), tmp_path / "run", data=tmp_path / "own.npz")
    out = tmp_path / "out"
    words = ["export", "--run", str(tmp_path / "run"), "--out", str(out), "--license", "cc0-1.0"]
    assert cli.main(words) == 0
    assert "Nobody has measured it" in (out / "README.md").read_text()
    for path in out.iterdir():
        assert str(tmp_path).encode() not in path.read_bytes(), path.name
