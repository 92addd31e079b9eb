"""The segmenters: sizes as published, logits of the image's size, and what each part computes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from psfusion_core.evaluation.downstream.segmenters import NETWORKS, Segmenter
from psfusion_core.evaluation.downstream.segmenters.banet import BANet, ResNet
from psfusion_core.evaluation.downstream.segmenters.segnext import Hamburger, SegNeXt, update_codes

HALF = torch.full((3,), 0.5)


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("name", "published"),
    [("segformer_b0", 3.8), ("segformer_b1", 13.7), ("segnext_tiny", 4.3)],
)
def test_parameters_are_as_many_as_published_for_the_150_classes_of_ade20k(
    name: str, published: float
) -> None:
    assert round(parameters(NETWORKS[name](150, None)) / 1e6, 1) == published


@pytest.mark.parametrize(("depth", "published"), [(18, 11_689_512), (34, 21_797_672)])
def test_the_encoder_of_banet_is_resnet_without_its_classifier(depth: int, published: int) -> None:
    assert parameters(ResNet(depth)) == published - (512 * 1000 + 1000)


@pytest.mark.parametrize("name", ["segformer_b0", "segnext_tiny", "banet_18"])
@pytest.mark.parametrize("size", [(64, 96), (33, 50), (32, 32)])
def test_logits_have_the_size_of_the_image(name: str, size: tuple[int, int]) -> None:
    model = Segmenter(name, 9, HALF, HALF).eval()
    with torch.no_grad():
        assert model(torch.rand(2, 3, *size)).shape == (2, 9, *size)


@pytest.mark.parametrize("name", ["segformer_b0", "segnext_tiny", "banet_18"])
def test_every_parameter_learns(name: str) -> None:
    torch.manual_seed(0)
    model = Segmenter(name, 4, HALF, HALF).train()
    sum(logits.square().mean() for logits in model.all_logits(torch.rand(2, 3, 64, 64))).backward()
    idle = [key for key, parameter in model.named_parameters() if parameter.grad is None]
    assert not idle


@pytest.mark.parametrize("name", ["segformer_b0", "segnext_tiny", "banet_18"])
def test_an_image_has_one_answer(name: str) -> None:
    model = Segmenter(name, 4, HALF, HALF).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(image), model(image))


def test_images_are_normalised_by_the_statistics_given() -> None:
    mean, std = torch.tensor([0.2, 0.4, 0.6]), torch.tensor([0.1, 0.2, 0.3])
    model = Segmenter("segnext_tiny", 4, mean, std).eval()
    seen: list[torch.Tensor] = []
    model.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model((mean + 2 * std).view(1, 3, 1, 1).expand(1, 3, 32, 32))
    torch.testing.assert_close(seen[0], torch.full((1, 3, 32, 32), 2.0))


def test_the_auxiliary_logits_of_banet_come_from_a_level_that_the_others_need() -> None:
    main, auxiliary = BANet(5, 18).eval()(torch.rand(1, 3, 64, 96))
    assert main.shape == (1, 5, 8, 12)
    assert auxiliary.shape == (1, 5, 4, 6)


def test_factorisation_reconstructs_what_has_low_rank() -> None:
    torch.manual_seed(0)
    hamburger = Hamburger(32)
    signal = torch.rand(1, 32, 3) @ torch.rand(1, 3, 100)
    rebuilt = hamburger.factorise(signal)
    assert float((rebuilt - signal).norm() / signal.norm()) < 0.15
    assert float(rebuilt.min()) >= 0.0


def test_an_update_of_the_codes_never_makes_the_reconstruction_worse() -> None:
    torch.manual_seed(0)
    signal, bases, codes = torch.rand(1, 16, 40), torch.rand(1, 16, 8), torch.rand(1, 8, 40)
    errors = []
    for _ in range(5):
        errors.append(float((bases @ codes - signal).norm()))
        codes = update_codes(signal, bases, codes)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0]


def test_the_decoder_of_segnext_sees_the_whole_image() -> None:
    torch.manual_seed(0)
    model = SegNeXt(3).eval()
    image = torch.rand(1, 3, 256, 256)
    other = image.clone()
    other[..., 224:, 224:] = 0.0
    with torch.no_grad():
        change = (model(image)[0] - model(other)[0]).abs()
    assert float(change[..., :2, :2].max()) > 0.0


def test_segformer_starts_from_a_local_folder_and_from_nothing_else(tmp_path: Path) -> None:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    published = SegformerForSemanticSegmentation(SegformerConfig(num_labels=19))
    published.save_pretrained(tmp_path / "mit-b0")
    model = NETWORKS["segformer_b0"](9, tmp_path / "mit-b0")
    ours, theirs = model.network.segformer.state_dict(), published.segformer.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert model(torch.rand(1, 3, 32, 32))[0].shape[1] == 9
    with pytest.raises(OSError, match=r"nvidia/mit-b0 has no config\.json: name a local folder"):
        NETWORKS["segformer_b0"](9, Path("nvidia/mit-b0"))
