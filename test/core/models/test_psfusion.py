"""The published network: parity with the authors' code, its attention, its shapes."""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from psfusion_core.models.attention import CrossAttention
from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.models.psfusion import PSFM, PSFusion
from psfusion_core.models.weight_files import AUTHORS_UNUSED, load_weights, rename

REPOSITORY = Path(__file__).resolve().parents[3]
UNUSED_PARAMETERS = 64 * 128 + 2 * 64 + (64 * 9 + 1) * 2  # the authors' boundary_conv1 and boundary_conv2


@pytest.fixture(scope="module")
def parity() -> Path:
    """The folder of the parity fixture, which is not part of the repository."""
    folder = Path(os.environ.get("PSFUSION_SHARED", REPOSITORY.parent / "shared")) / "parity"
    if not folder.is_dir():
        pytest.skip(f"no parity fixture at {folder}; set PSFUSION_SHARED to the folder that holds parity/")
    return folder


@pytest.fixture(scope="module")
def authors_shapes(parity: Path) -> dict[str, tuple[int, ...]]:
    lines = (parity / "checkpoint_keys.tsv").read_text().splitlines()
    pairs = (line.split("\t") for line in lines)
    return {name: tuple(map(int, shape.split("x"))) for name, shape in pairs}


@pytest.fixture(scope="module")
def network() -> PSFusion:
    torch.manual_seed(0)
    return PSFusion().eval()


def unit(name: str, count: int) -> np.ndarray:
    """`count` numbers in [-1, 1) from a hash of `name`, as the fixture's README has them (salt 0)."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(zlib.crc32(name.encode()))
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x / 2**31 - 1


def formula_tensor(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    u = unit(name, int(np.prod(shape))).reshape(shape)
    match name.rpartition(".")[2]:
        case "running_mean" | "bias":
            values = 0.05 * u
        case "running_var":
            values = 1 + 0.2 * u
        case "gamma1" | "gamma2":
            values = 0.3 + 0.1 * u
        case _ if len(shape) == 1:
            values = 1 + 0.1 * u
        case _:
            values = np.sqrt(3 / np.prod(shape[1:])) * u
    return torch.from_numpy(values.astype(np.float32))


def formula_images(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    y, x = np.mgrid[:height, :width]
    visible = np.stack([0.5 + 0.5 * np.sin(0.11 * (c + 1) * x + 0.07 * (3 - c) * y) for c in range(3)])
    infrared = 0.5 + 0.5 * np.sin(0.05 * x - 0.13 * y)
    return torch.from_numpy(visible[None]).float(), torch.from_numpy(infrared[None, None]).float()


@pytest.fixture(scope="module")
def authors_checkpoint(
    authors_shapes: dict[str, tuple[int, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A file laid out like the authors' `best_model.pth`, with weights by formula."""
    state = {name: formula_tensor(name, shape) for name, shape in authors_shapes.items()}
    for name in [name for name in state if name.endswith("running_var")]:
        state[name.replace("running_var", "num_batches_tracked")] = torch.tensor(7)
    training = {"optimizer": {"state": {}, "param_groups": [{"lr": 1e-3}]}, "ep": 3, "total_it": 812}
    path = tmp_path_factory.mktemp("authors") / "best_model.pth"
    torch.save({"MTAN": state, **training, "best_mIou": np.float64(0.63)}, path)
    return path


@pytest.fixture(scope="module")
def published(parity: Path, authors_checkpoint: Path) -> tuple[FusionOutput, FusionOutput]:
    """What the network computes from the authors' weights, and what theirs does."""
    model = PSFusion().eval()
    load_weights(model, authors_checkpoint)
    with np.load(parity / "golden_a.npz") as golden, torch.inference_mode():
        computed = model(*formula_images(*golden["fused"].shape[-2:]))
        return computed, FusionOutput(**{field: golden[field] for field in FusionOutput._fields})


@pytest.mark.parametrize("output", FusionOutput._fields)
def test_authors_checkpoint_gives_the_published_outputs(
    published: tuple[FusionOutput, FusionOutput], output: str
) -> None:
    computed, golden = (getattr(outputs, output) for outputs in published)
    np.testing.assert_allclose(computed, golden, rtol=0, atol=1e-4)


def test_every_tensor_of_the_authors_has_one_place_and_no_place_is_left(
    authors_shapes: dict[str, tuple[int, ...]], network: PSFusion
) -> None:
    used = [name for name in authors_shapes if not name.startswith(AUTHORS_UNUSED)]
    expected = {
        name: tuple(tensor.shape)
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert len({rename(name) for name in used}) == len(used)
    assert {rename(name): authors_shapes[name] for name in used} == expected


def test_parameter_count_is_the_published_one(network: PSFusion) -> None:
    count = sum(parameter.numel() for parameter in network.parameters())
    assert round((count + UNUSED_PARAMETERS) / 1e6, 3) == 45.909


@pytest.mark.parametrize("num_classes", [2, 9])
def test_all_outputs_have_the_size_of_the_input(num_classes: int) -> None:
    with torch.inference_mode():
        output = PSFusion(num_classes).eval()(*formula_images(32, 64))
    assert [tensor.shape[1] for tensor in output] == [num_classes, 2, 2, 1, 1, 1]
    assert all(tensor.shape[2:] == (32, 64) for tensor in output)
    assert all(tensor.min() >= 0 and tensor.max() <= 1 for tensor in output[3:])


def test_run_time_outputs_equal_those_of_training_without_computing_the_others(network: PSFusion) -> None:
    called: list[str] = []
    others = {
        "boundary": network.perception_heads.boundary,
        "visible": network.visible_head,
        "infrared": network.infrared_head,
    }
    images = formula_images(64, 32)
    with torch.inference_mode():
        output = network(*images)
        hooks = [
            module.register_forward_hook(lambda *_, name=name: called.append(name))
            for name, module in others.items()
        ]
        fused, semantic = network.fuse_and_segment(*images)
    for hook in hooks:
        hook.remove()
    assert torch.equal(fused, output.fused)
    assert torch.equal(semantic, output.semantic)
    assert not called


def test_every_parameter_is_trained_by_the_six_outputs() -> None:
    model = PSFusion()
    for psfm in (model.psfm4, model.psfm5, model.psfm6):  # at zero, the gains hide the attention
        torch.nn.init.ones_(psfm.visible_gain)
        torch.nn.init.ones_(psfm.infrared_gain)
    images = (image.expand(2, -1, -1, -1) for image in formula_images(32, 32))
    torch.stack([tensor.square().sum() for tensor in model(*images)]).sum().backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize(
    ("height", "width", "padded"), [(480, 650, "480 x 672"), (33, 64, "64 x 64"), (16, 31, "32 x 32")]
)
def test_sizes_that_do_not_divide_by_32_are_refused_with_the_padded_size(
    network: PSFusion, height: int, width: int, padded: str
) -> None:
    with pytest.raises(ValueError, match=f"got {height} x {width}: pad both images to {padded}"):
        network(torch.zeros(1, 3, height, width), torch.zeros(1, 1, height, width))


@pytest.mark.parametrize(
    ("visible", "infrared"),
    [
        ((1, 3, 64, 64), (1, 1, 32, 64)),
        ((2, 3, 64, 64), (1, 1, 64, 64)),
        ((1, 1, 64, 64), (1, 3, 64, 64)),
        ((3, 64, 64), (1, 64, 64)),
    ],
)
def test_images_that_do_not_match_are_refused_with_both_shapes(
    network: PSFusion, visible: tuple[int, ...], infrared: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"got {visible} and {infrared}: bring both to one size")):
        network(torch.zeros(visible), torch.zeros(infrared))


def explicit_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """out[i] = sum_j softmax_j(key[i] . query[j]) value[j] on (C, h, w), in float64."""
    channels, height, width = value.shape
    q, k, v = (x.reshape(channels, -1).astype(np.float64) for x in (query, key, value))
    out = np.empty_like(v)
    for i in range(height * width):
        weights = np.exp([k[:, i] @ q[:, j] for j in range(height * width)])
        out[:, i] = v @ (weights / weights.sum())
    return out.reshape(channels, height, width)


def test_attention_is_an_unscaled_softmax_over_the_query_positions() -> None:
    generator = np.random.default_rng(1)
    query, key, value = generator.standard_normal((3, 8, 3, 5)).astype(np.float32)
    computed = CrossAttention(scale=1.0)(*(torch.from_numpy(x)[None] for x in (query, key, value)))[0]
    np.testing.assert_allclose(computed, explicit_attention(query, key, value), atol=1e-5)


def test_psfm_adds_what_one_modality_attends_to_the_other() -> None:
    torch.manual_seed(2)
    psfm = PSFM(12).eval()
    psfm.visible_gain.data.fill_(0.7)
    psfm.infrared_gain.data.fill_(-1.3)
    visible, infrared = torch.randn(2, 1, 12, 3, 4)
    with torch.inference_mode():
        v, t = psfm.visible_dense(visible), psfm.infrared_dense(infrared)
        q = psfm.query(torch.cat((v, t), dim=1))[0].numpy()
        attended_v = explicit_attention(q, psfm.visible_key(v)[0].numpy(), psfm.visible_value(v)[0].numpy())
        attended_t = explicit_attention(q, psfm.infrared_key(t)[0].numpy(), psfm.infrared_value(t)[0].numpy())
        crossed = np.concatenate((0.7 * attended_v + t[0].numpy(), -1.3 * attended_t + v[0].numpy()))
        expected = psfm.merge(torch.from_numpy(crossed).float()[None])
        np.testing.assert_allclose(psfm(visible, infrared), expected, atol=1e-5)


class LargestTensor(TorchDispatchMode):
    """Remembers the largest number of elements that any operation gave back."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return result


@pytest.mark.parametrize("training", [False, True])
def test_attention_never_stores_the_map_of_all_positions_by_all_positions(training: bool) -> None:
    positions = 40 * 50
    query, key, value = torch.randn(3, 1, 64, 40, 50, requires_grad=training)
    with LargestTensor() as largest:
        output = CrossAttention(scale=1.0)(query, key, value)
        if training:
            output.sum().backward()
    assert largest.elements < positions**2 / 4


def test_work_at_480_by_640_is_the_published_one() -> None:
    with torch.device("meta"):
        model, visible, infrared = PSFusion().eval(), torch.empty(1, 3, 480, 640), torch.empty(1, 1, 480, 640)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(visible, infrared)
    assert counter.get_total_flops() / 1e9 == pytest.approx(369.1, abs=0.1)


def test_graph_can_be_exported_whole(network: PSFusion) -> None:
    images = formula_images(32, 64)
    exported = torch.export.export(network, images).module()
    with torch.inference_mode():
        for computed, expected in zip(exported(*images), network(*images), strict=True):
            torch.testing.assert_close(computed, expected)
