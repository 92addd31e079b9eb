"""Files of weights: they are read back, and files that do not fit are refused in one line."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_network import filled, refusal, same, snapshot
from torch import Tensor

from psfusion_core.models.weight_files import (
    CheckpointError,
    load_weights,
    read_metadata,
    rename,
    save_weights,
)


def test_full_precision_round_trip_is_exact(tmp_path: Path) -> None:
    source, target = filled(1), filled(2)
    save_weights(source, tmp_path / "w.safetensors", {}, half=False)
    load_weights(target, tmp_path / "w.safetensors")
    assert same(snapshot(target), snapshot(source))


def test_half_precision_round_trip_rounds_floats_to_float16_and_keeps_integers(tmp_path: Path) -> None:
    source, target = filled(1), filled(2)
    save_weights(source, tmp_path / "w.safetensors", {"epoch": "7"})
    load_weights(target, tmp_path / "w.safetensors")
    assert target.lookup.tolist() == source.lookup.tolist()
    assert target.conv.weight.dtype == torch.float32
    assert torch.equal(target.conv.weight, source.conv.weight.half().float())
    stored = load_file(tmp_path / "w.safetensors")
    assert {name: x.dtype for name, x in stored.items() if name in ("lookup", "norm.running_var")} == {
        "lookup": torch.int64,
        "norm.running_var": torch.float16,
    }


def test_batch_counters_are_neither_written_nor_needed_nor_changed(tmp_path: Path) -> None:
    source, target = filled(1), filled(2)
    target.norm.num_batches_tracked = torch.tensor(5)
    save_weights(source, tmp_path / "w.safetensors", {})
    torch.save(source.state_dict(), tmp_path / "w.pth")
    assert "norm.num_batches_tracked" not in load_file(tmp_path / "w.safetensors")
    for name in ("w.safetensors", "w.pth"):
        load_weights(target, tmp_path / name)
        assert target.norm.num_batches_tracked == 5


def test_metadata_comes_back_and_may_be_empty(tmp_path: Path) -> None:
    metadata = {"epochs": "12", "note": "grün, 夜"}
    save_weights(filled(1), tmp_path / "with.safetensors", metadata)
    save_weights(filled(1), tmp_path / "without.safetensors", {})
    assert read_metadata(tmp_path / "with.safetensors") == metadata
    assert read_metadata(tmp_path / "without.safetensors") == {}


def test_bare_pytorch_state_dict_loads(tmp_path: Path) -> None:
    source, target = filled(1), filled(2)
    torch.save(source.state_dict(), tmp_path / "w.pth")
    load_weights(target, tmp_path / "w.pth")
    assert same(snapshot(target), snapshot(source))


@pytest.mark.parametrize("numpy_module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_authors_layout_with_a_numpy_score_loads_whichever_numpy_wrote_it(
    tmp_path: Path, numpy_module: bytes
) -> None:
    source, target = filled(1), filled(2)
    torch.save({"MTAN": source.state_dict(), "ep": 3, "best_mIou": np.float64(0.61)}, tmp_path / "w.pth")
    with (
        zipfile.ZipFile(tmp_path / "w.pth") as written,
        zipfile.ZipFile(tmp_path / "as.pth", "w") as rewritten,
    ):
        for entry in written.infolist():
            content = written.read(entry)
            if entry.filename.endswith("data.pkl"):
                content, count = re.subn(rb"numpy\._?core\.multiarray", numpy_module, content)
                assert count == 1
            rewritten.writestr(entry, content)
    load_weights(target, tmp_path / "as.pth")
    assert same(snapshot(target), snapshot(source))


@pytest.mark.parametrize(
    ("authors", "ours"),
    [
        ("encoder_rgb_conv1.SFEB1.2.conv_frelu.weight", "visible_encoder.shallow1.2.funnel.weight"),
        ("encoder_thermal_bn1.running_mean", "infrared_encoder.norm.running_mean"),
        ("encoder_thermal_layer4.0.downsample.1.bias", "infrared_encoder.stage4.0.downsample.1.bias"),
        ("low_fuse2.RGBspr.basicconv.0.weight", "sdfm2.visible_detail.2.0.weight"),
        ("low_fuse1.obj_fuse.Recalibrate.4.weight", "sdfm1.recalibrate.0.4.weight"),
        ("high_fuse6.Infobj.denseblock.3.basicconv.1.bias", "psfm6.infrared_dense.layers.3.1.bias"),
        ("high_fuse5.obj_fuse.INF_K.basicconv.0.weight", "psfm5.infrared_key.0.weight"),
        ("high_fuse4.obj_fuse.gamma1", "psfm4.visible_gain"),
        ("SIM3.mlp_shared.0.weight", "sim3.shared.weight"),
        ("SIM1.bn.bias", "sim1.norm.bias"),
        ("to_fused_seg.3.0.bias", "s2pm.project.3.bias"),
        ("seg_decoder.block1.0.bn.weight", "s2pm.perceive.0.1.weight"),
        ("seg_rec_decoder.block4.1.running_var", "dsrm2.layers.3.2.running_var"),
        ("classfier.boundary_conv.0.weight", "perception_heads.boundary_reduce.0.weight"),
        ("classfier.semantic_conv2.bias", "perception_heads.semantic.bias"),
        ("pred_fusion.conv_block.0.weight", "fused_head.conv.weight"),
        ("pred_ir.mask.conv_block.weight", "infrared_head.norm.weight"),
        ("pred_vi.mask.local_att.6.weight", "visible_head.local_weight.6.weight"),
    ],
)
def test_authors_names_become_ours(authors: str, ours: str) -> None:
    assert rename(authors) == ours


def test_tensors_that_do_not_fit_are_counted_and_the_first_three_of_each_kind_named(tmp_path: Path) -> None:
    state = filled(1, classes=5).state_dict()
    for name in ("conv.weight", "conv.bias", "norm.weight", "norm.bias"):
        del state[name]
    state["aside"] = torch.zeros(1)
    torch.save(state, tmp_path / "w.pth")
    message = refusal(tmp_path / "w.pth")
    assert "4 missing (conv.weight, conv.bias, norm.weight, ...)" in message
    assert "1 unexpected (aside)" in message
    assert "2 misshapen (head.weight 5x4x1x1 instead of 3x4x1x1, head.bias 5 instead of 3)" in message


@pytest.mark.parametrize(
    "bias",
    [
        torch.zeros(3, dtype=torch.int8),
        torch.zeros(3, dtype=torch.complex64),
        torch.zeros(3).to_sparse(),
        torch.zeros(3, device="meta"),
    ],
    ids=["integer", "complex", "sparse", "without data"],
)
def test_tensors_of_another_kind_are_refused(tmp_path: Path, bias: Tensor) -> None:
    torch.save({**filled(2).state_dict(), "head.bias": bias}, tmp_path / "w.pth")
    assert f"1 mistyped (head.bias {bias.dtype})" in refusal(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"state_dict": {}, "epoch": 3}, "a dict of state_dict, epoch"),
        ({"MTAN": [1, 2]}, "a dict of MTAN"),
        ([1, 2], "list"),
    ],
)
def test_a_file_without_a_state_dict_is_refused_with_what_it_holds(
    tmp_path: Path, content: object, found: str
) -> None:
    torch.save(content, tmp_path / "w.pth")
    assert f"holds {found}: save its state dict alone" in refusal(tmp_path / "w.pth")


def test_a_value_beyond_float16_is_refused_and_the_old_file_kept(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(filled(1), path, {"epoch": "1"})
    model = filled(2)
    model.conv.weight.data[0, 0, 0, 0] = 1e5
    with pytest.raises(CheckpointError, match=r"conv\.weight reaches beyond: save with half=False"):
        save_weights(model, path, {"epoch": "2"})
    assert read_metadata(path) == {"epoch": "1"}


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(filled(1), path, {"epoch": "1"})

    def disk_full(tensors: object, filename: Path, metadata: object) -> None:
        filename.write_bytes(b"half a file")
        raise OSError("no space left on device")

    monkeypatch.setattr("psfusion_core.models.weight_files.save_file", disk_full)
    with pytest.raises(OSError, match="no space left"):
        save_weights(filled(2), path, {"epoch": "2"})
    assert read_metadata(path) == {"epoch": "1"}
    assert list(tmp_path.iterdir()) == [path]
