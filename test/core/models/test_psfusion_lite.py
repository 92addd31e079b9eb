"""The light network: its budget, its outputs, and the interface it shares with the published network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from psfusion_core.models.luma import luma
from psfusion_core.models.psfusion_lite import BlendHead, DeepCrossModalFusion, PSFusionLite, standardise


def random_batch_norms(model: nn.Module) -> nn.Module:
    """Give every BatchNorm statistics of its own, so that folding and reordering mistakes show."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    return model.eval()


@pytest.fixture(scope="module")
def network() -> PSFusionLite:
    torch.manual_seed(0)
    return random_batch_norms(PSFusionLite())


def pair(height: int = 64, width: int = 96, batch: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    return (
        torch.rand(batch, 3, height, width, generator=generator),
        torch.rand(batch, 1, height, width, generator=generator),
    )


def test_stays_within_8_million_parameters_and_12_gflop_at_480_by_640() -> None:
    with torch.device("meta"):
        model = PSFusionLite().eval()
        visible, infrared = torch.empty(1, 3, 480, 640), torch.empty(1, 1, 480, 640)
    with FlopCounterMode(display=False) as counter:
        model(visible, infrared)
    assert sum(p.numel() for p in model.parameters()) <= 8e6
    assert counter.get_total_flops() <= 12e9


@torch.no_grad()
def test_six_outputs_have_the_size_of_the_input_and_images_stay_in_0_1(network: PSFusionLite) -> None:
    output = network(*pair(64, 96, batch=2))
    assert [tuple(x.shape) for x in output] == [(2, c, 64, 96) for c in (9, 2, 2, 1, 1, 1)]
    for image in (output.fused, output.visible, output.infrared):
        assert 0.0 <= image.min() <= image.max() <= 1.0


@torch.no_grad()
def test_run_time_outputs_equal_those_of_forward(network: PSFusionLite) -> None:
    output = network(*pair())
    fused, semantic = network.fuse_and_segment(*pair())
    assert torch.equal(fused, output.fused)
    assert torch.equal(semantic, output.semantic)


@torch.no_grad()
def test_pairs_of_a_batch_do_not_affect_each_other(network: PSFusionLite) -> None:
    visible, infrared = pair(batch=2)
    together = network(visible, infrared).fused
    alone = network(visible[1:], infrared[1:]).fused
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("height", "width", "padded"), [(65, 96, "96 x 96"), (64, 100, "64 x 128")])
def test_a_size_that_does_not_fit_is_refused_with_the_padded_size(
    network: PSFusionLite, height: int, width: int, padded: str
) -> None:
    with pytest.raises(ValueError, match=padded):
        network(*pair(height, width))


def test_blend_head_follows_its_equation_and_cannot_leave_0_1() -> None:
    generator = torch.Generator().manual_seed(3)
    head = BlendHead(4)
    head.maps.weight.data.normal_(0, 3, generator=generator)
    d = torch.randn(1, 4, 16, 16, generator=generator)
    visible, infrared = pair(16, 16)
    y = luma(visible)
    with torch.no_grad():
        fused = head(d, y, infrared)
        raw = head.maps(d).double().numpy()[0]
    y, i = y.double().numpy()[0, 0], infrared.double().numpy()[0, 0]
    o, a, b, s, g = 1 / (1 + np.exp(-raw[:5]))
    h = np.maximum(i - o * (1 - i), 0)
    blend = y + a * np.maximum(h - y, 0) - b * np.maximum(y - h, 0)
    blend += s * np.minimum(y, h) * (1 - np.maximum(y, h))

    def box(x: np.ndarray) -> np.ndarray:
        inside = ndimage.uniform_filter(np.ones_like(x), 9, mode="constant")
        return ndimage.uniform_filter(x, 9, mode="constant") / inside

    deviation = blend - box(blend)
    detail = deviation * 0.003 / (box(deviation**2) + 0.003)
    expected = np.clip(blend + g * detail**3 / (detail**2 + 0.008**2) + np.tanh(raw[5]), 0, 1)
    np.testing.assert_allclose(fused[0, 0].double(), expected, atol=1e-5)
    assert 0.0 == fused.min() < fused.max() == 1.0


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0.0), (1.0, 0.2), (0.4, 0.5)])
def test_encoders_do_not_see_gain_and_offset_of_a_camera(gain: float, offset: float) -> None:
    image = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    seen, changed = standardise(image), standardise(gain * image + offset)
    assert (seen - changed).abs().max() < 0.2 * seen.std()
    torch.testing.assert_close(seen.mean(dim=(1, 2, 3)), torch.full((2,), 0.4))
    assert torch.isfinite(standardise(torch.zeros(1, 3, 8, 8))).all()


def test_attention_stores_no_map_of_all_positions_against_all() -> None:
    class LargestTensor(torch.utils._python_dispatch.TorchDispatchMode):
        largest = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            result = func(*args, **(kwargs or {}))
            for x in result if isinstance(result, (tuple, list)) else [result]:
                if isinstance(x, Tensor):
                    self.largest = max(self.largest, x.numel())
            return result

    block = DeepCrossModalFusion(40).eval()
    positions = 40 * 50
    x = torch.rand(1, 40, 40, 50)
    with torch.no_grad(), LargestTensor() as watch:
        block(x, x)
    assert watch.largest < positions**2 / 4
