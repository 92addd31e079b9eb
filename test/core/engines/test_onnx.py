"""Exported networks: they equal the network, are exported once, and are never left half-written."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from trained_like import trained_like

from psfusion_core import Fuser
from psfusion_core.cli import main
from psfusion_core.engines import onnx_cache
from psfusion_core.engines.engine_choice import choose_engine
from psfusion_core.engines.onnx_header import read_header
from psfusion_core.engines.onnx_rewrites import rewrite
from psfusion_core.engines.onnxruntime_engine import OnnxRuntimeEngine
from psfusion_core.engines.runtime_network import RuntimeNetwork
from psfusion_core.models.networks import create_model


@pytest.mark.parametrize("name", ["psfusion", "psfusion_lite"])
@torch.no_grad()
def test_rewritten_network_equals_the_plain_one(name: str) -> None:
    model = trained_like(name)
    runtime = RuntimeNetwork(model)
    runtime.network = rewrite(runtime.network)
    images = torch.rand(1, 3, 64, 128), torch.rand(1, 1, 64, 128)
    fused, logits = runtime(*images)
    plain = model(*images)
    assert plain.fused.std() > 0.01
    torch.testing.assert_close(fused, plain.fused, atol=1e-4, rtol=0)
    torch.testing.assert_close(logits, plain.semantic, atol=1e-3, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("name", ["psfusion", "psfusion_lite"])
@torch.no_grad()
def test_onnxruntime_gives_the_luma_of_the_network_at_every_size(name: str) -> None:
    model = trained_like(name)
    engine = OnnxRuntimeEngine(model, "cpu")
    header = read_header(onnx_cache.cached_file(model, "fp32"))
    assert (header.size, header.metadata) == (engine.size, engine.metadata) == (None, {"precision": "fp32"})
    for height, width in ((32, 32), (64, 96), (160, 32), (224, 320)):
        images = torch.rand(1, 3, height, width), torch.rand(1, 1, height, width)
        fused, logits = engine(*images)
        plain = model(*images)
        torch.testing.assert_close(fused, plain.fused, atol=1e-3, rtol=0)
        torch.testing.assert_close(logits, plain.semantic, atol=1e-2, rtol=1e-3)


@pytest.mark.usefixtures("exported_network")
def test_fusers_of_all_engines_agree_at_odd_sizes() -> None:
    random = np.random.default_rng(0)
    fusers = [Fuser(device="cpu", engine=engine) for engine in ("torch", "onnxruntime")]
    for height, width in ((33, 130), (299, 401), (480, 640)):
        visible = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        infrared = random.integers(0, 256, (height, width), dtype=np.uint8)
        first, second = (fuser(visible, infrared) for fuser in fusers)
        assert np.abs(first.image.astype(int) - second.image).max() <= 1
        assert (first.mask != second.mask).mean() < 1e-3


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "lite.onnx"
    assert main(["export", "--output", str(path), "--size", "96x64"]) == 0
    return path


def test_file_holds_network_and_classes_and_is_fused_like_the_weights(exported: Path) -> None:
    from_file, from_weights = Fuser(weights=exported, device="cpu"), Fuser(device="cpu", engine="torch")
    assert from_file.description.startswith("psfusion_lite, onnxruntime fp32 on cpu")
    assert from_file.class_names == from_weights.class_names
    assert read_header(exported).size == (64, 96)
    visible = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    images = [fuser(visible, visible[..., 0]).image.astype(int) for fuser in (from_file, from_weights)]
    assert np.abs(images[0] - images[1]).max() <= 1


def test_file_of_one_size_refuses_others(exported: Path) -> None:
    fuser = Fuser(weights=exported, device="cpu")
    with pytest.raises(ValueError, match=r"takes 96x64 \(width x height\) only, got 96x96"):
        fuser(np.zeros((96, 96, 3), np.uint8), np.zeros((96, 96), np.uint8))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"engine": "torch"}, "expected engine auto, onnxruntime"),
        ({"precision": "fp16"}, "computes in fp32, not fp16"),
    ],
)
def test_file_refuses_what_it_is_not(exported: Path, choice: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fuser(weights=exported, device="cpu", **choice)


def test_file_that_is_no_network_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"broken.onnx cannot be opened .* export it again"):
        Fuser(weights=path, device="cpu")


def test_export_over_the_tolerance_is_refused_and_the_old_file_stays(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write_other_network(*arguments: object) -> None:
        Path(str(arguments[1])).write_bytes(exported.read_bytes())

    torch.manual_seed(1)
    other = create_model("psfusion_lite", weights=None)
    monkeypatch.setattr("psfusion_core.cli.export.export", write_other_network)
    monkeypatch.setattr("psfusion_core.cli.export.create_model", lambda *_: other)
    path = tmp_path / "old.onnx"
    path.write_bytes(b"old")
    assert main(["export", "--output", str(path)]) == 2
    assert "more than --tolerance 0.001" in capsys.readouterr().err
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_network_is_exported_once_for_its_weights(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    written = []

    def write(model: object, path: Path, precision: str) -> None:
        written.append(precision)
        path.write_bytes(b"graph")

    monkeypatch.setattr(onnx_cache, "export", write)
    model = trained_like("psfusion_lite")
    first = onnx_cache.cached_file(model, "fp32")
    assert onnx_cache.cached_file(model, "fp32") == first
    assert onnx_cache.cached_file(model, "fp16") != first
    next(model.parameters()).data[0] += 1.0
    assert onnx_cache.cached_file(model, "fp32") != first
    assert written == ["fp32", "fp16", "fp32"]
    assert all(path.read_bytes() == b"graph" for path in own_cache.iterdir())


def test_failed_export_leaves_nothing_in_the_cache(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    def fail(model: object, path: Path, precision: str) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("interrupted")

    monkeypatch.setattr(onnx_cache, "export", fail)
    with pytest.raises(RuntimeError, match="interrupted"):
        onnx_cache.cached_file(trained_like("psfusion_lite"), "fp32")
    assert list(own_cache.iterdir()) == []


def test_missing_library_gives_the_command_and_auto_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "onnxruntime":
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install onnxruntime"):
        Fuser(device="cpu", engine="onnxruntime")
    monkeypatch.setattr("psfusion_core.engines.engine_choice.find_spec", lambda name: None)
    assert choose_engine("cpu", "auto") == "torch"


def test_auto_takes_onnxruntime_on_the_cpu_in_single_precision_only() -> None:
    assert choose_engine("cpu", "auto") == choose_engine("cpu", "fp32") == "onnxruntime"
    assert choose_engine("cpu", "bf16") == "torch"
    with pytest.raises(ValueError, match="has fp32, not bf16"):
        Fuser(device="cpu", engine="onnxruntime", precision="bf16")


def test_onnx_runtime_keeps_nothing_to_report(tmp_path: Path) -> None:
    """Its telemetry, which official builds turn on, queues events in the user's cache folder first."""
    import onnx

    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy")
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [x], [y]), ir_version=8)
    onnx.save(model, tmp_path / "relu.onnx")
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    use = f"import psfusion_core, onnxruntime; onnxruntime.InferenceSession({str(tmp_path / 'relu.onnx')!r})"

    subprocess.run([sys.executable, "-c", use], env=environment, check=True, timeout=120)

    assert [path.name for path in tmp_path.iterdir()] == ["relu.onnx"]
