"""Engine tensorrt: error messages, names of engine files, and equality with torch if there is a GPU."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnx
from trained_like import trained_like

from psfusion_core import Fuser
from psfusion_core.engines.engine_choice import ENGINES, FILE_ENGINES
from psfusion_core.engines.onnx_export import OPSET
from psfusion_core.engines.onnx_header import read_header
from psfusion_core.engines.onnxruntime_engine import OnnxRuntimeEngine
from psfusion_core.engines.tensorrt_engine import TensorRTEngine, engine_file, import_tensorrt

FACTS = st.tuples(
    st.text("abcdef0123456789", min_size=12, max_size=12),
    st.tuples(st.integers(32, 4096), st.integers(32, 4096)),
    st.sampled_from(["10.3.0", "10.9.0.34", "11.4.0.106"]),
    st.sampled_from(["Orin", "NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 4070/SUPER"]),
)


def test_on_the_cpu_it_names_the_way_out() -> None:
    with pytest.raises(ValueError, match="needs an NVIDIA GPU, not cpu: choose engine auto"):
        Fuser(engine="tensorrt", device="cpu")


def test_without_tensorrt_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without(name: str, *arguments: object, **keywords: object) -> object:
        if name == "tensorrt":
            raise ImportError("No module named 'tensorrt'")
        return real_import(name, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"JetPack.*pip install tensorrt"):
        import_tensorrt()


@given(FACTS, FACTS)
def test_what_is_built_is_found_again_for_the_same_facts_only(first: tuple, second: tuple) -> None:
    file = Path("/models/night run.onnx")
    paths = [engine_file(file, *facts) for facts in (first, second)]
    assert (paths[0] == paths[1]) == (first == second)
    assert all(path.parent == file.parent and len(path.name) < 200 for path in paths)


@pytest.mark.parametrize("size", [None, (64, 96)])
def test_header_read_without_a_runtime_is_what_the_runtime_reads(
    tmp_path: Path, size: tuple[int, int] | None
) -> None:
    path = tmp_path / "network.onnx"
    write_stand_in(path, size or ("rows", "columns"), {"model": "psfusion_lite", "precision": "fp16"})
    header, engine = read_header(path), OnnxRuntimeEngine(path)
    assert (header.metadata, header.size, header.precision) == (engine.metadata, size, "fp16")
    assert engine.size == size


def write_stand_in(path: Path, sides: tuple[object, object], metadata: dict[str, str]) -> None:
    """Write a file whose inputs, outputs and metadata are those of a network; it passes its inputs on."""
    visible, infrared, fused, semantic = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, *sides])
        for name, channels in (("visible", 3), ("infrared", 1), ("fused", 1), ("semantic", 3))
    )
    nodes = [
        onnx.helper.make_node("Identity", [taken], [given])
        for taken, given in (("infrared", "fused"), ("visible", "semantic"))
    ]
    graph = onnx.helper.make_graph(nodes, "stand-in", [visible, infrared], [fused, semantic])
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)


def test_a_file_that_is_no_network_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.onnx"
    path.write_bytes(b"\xff\xfe not an ONNX file")
    with pytest.raises(ValueError, match=r"notes.onnx (cannot be opened|has inputs)"):
        read_header(path)


def test_engines_that_take_a_file_are_engines() -> None:
    assert FILE_ENGINES.items() <= ENGINES.items()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("fp16", 2e-2)])
def test_on_a_gpu_it_equals_torch(precision: str, tolerance: float) -> None:
    pytest.importorskip("tensorrt")
    model = trained_like("psfusion_lite")
    images = torch.rand(1, 3, 96, 128, device="cuda"), torch.rand(1, 1, 96, 128, device="cuda")
    fused, logits = TensorRTEngine(model, "cuda", precision)(*images)
    expected, expected_logits = ENGINES["torch"](model, "cuda", "fp32")(*images)
    torch.testing.assert_close(fused, expected, atol=tolerance, rtol=0)
    assert (logits.argmax(1) == expected_logits.argmax(1)).float().mean() > 0.99
