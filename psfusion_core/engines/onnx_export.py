"""Export of a network to an ONNX file."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from psfusion_core.engines.onnx_header import INPUTS, OUTPUTS
from psfusion_core.engines.onnx_rewrites import rewrite
from psfusion_core.engines.runtime_network import RuntimeNetwork
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite

OPSET = 18

LARGEST_SIDE = 256
"""Largest height and width of a file for any size, in multiples of 32 pixels: 8192."""

EXAMPLE_SIZE = (96, 160)
EXPORTER = ("onnx", "onnxscript")


def can_export() -> bool:
    """Whether the libraries that exporting needs are installed."""
    return all(find_spec(name) is not None for name in EXPORTER)


def export(
    model: PSFusion | PSFusionLite,
    path: Path,
    precision: str = "fp32",
    size: tuple[int, int] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a network to one ONNX file, with its BatchNorms folded and only the outputs of run time.

    Inputs are `visible` (1, 3, H, W) and `infrared` (1, 1, H, W), outputs `fused` (1, 1, H, W) and `semantic`
    (1, num_classes, H, W), all float32 at every precision.

    Args:
        model: The network; a copy of it is exported.
        path: The file to write.
        precision: Precision of the weights and the computation, ``fp32`` or ``fp16``.
        size: H and W, multiples of 32; None for a file that takes any size.
        metadata: Names and values to store in the file.

    Raises:
        ImportError: onnx or onnxscript is not installed.
        ValueError: The size is not a multiple of 32.
    """
    if not can_export():
        raise ImportError("exporting a network needs onnx and onnxscript: pip install onnx onnxscript")
    if size is not None and any(side < 32 or side % 32 for side in size):
        raise ValueError(f"expected H and W in multiples of 32, got {size[0]} and {size[1]}: round them up")
    network = RuntimeNetwork(model)
    network.network = rewrite(network.network)
    network.to(torch.float16 if precision == "fp16" else torch.float32)
    height, width = size or EXAMPLE_SIZE
    example = torch.rand(1, 3, height, width), torch.rand(1, 1, height, width)
    dimensions = None
    if size is None:
        sides = [32 * torch.export.Dim(name, min=1, max=LARGEST_SIDE) for name in ("rows", "columns")]
        dimensions = {name: dict(enumerate(sides, start=2)) for name in INPUTS}
    with quiet_exporter():
        program: Any = torch.onnx.export(
            network, example, input_names=INPUTS, output_names=OUTPUTS,
            dynamo=True, dynamic_shapes=dimensions, opset_version=OPSET, verbose=False,
        )  # fmt: skip
    import onnx

    graph = program.model_proto
    pool_globally(graph)
    onnx.helper.set_model_props(graph, {**(metadata or {}), "precision": precision})
    onnx.save(graph, path)


def pool_globally(model: Any) -> None:
    """Replace means over height and width by GlobalAveragePool, which keeps blocks of channels."""
    from onnx.numpy_helper import to_array

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        axes = constants.get(node.input[1]) if node.op_type == "ReduceMean" and len(node.input) > 1 else None
        if axes is not None and sorted(int(axis) % 4 for axis in to_array(axes)) == [2, 3]:
            node.op_type = "GlobalAveragePool"
            del node.input[1:], node.attribute[:]


@contextlib.contextmanager
def quiet_exporter() -> Iterator[None]:
    """Hide the warnings that the exporter prints for its own developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
