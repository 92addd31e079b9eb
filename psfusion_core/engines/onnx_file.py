"""Networks as ONNX files: written, and kept in a cache."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from psfusion_core import __version__
from psfusion_core.base.atomic_file import replacing
from psfusion_core.engines.lean import rewrite
from psfusion_core.engines.onnx_header import INPUTS, OUTPUTS
from psfusion_core.engines.preparation import RuntimeNetwork
from psfusion_core.engines.torch_engine import resolve_precision
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite

LOGGER = logging.getLogger(__name__)

OPSET = 18
FORM = 4
"""Number of the form that networks are exported in; a new one makes cached files of the old one unused."""

LARGEST_SIDE = 256
"""Of a dynamic file, in multiples of 32 pixels: 8192."""

EXAMPLE_SIZE = (96, 160)
EXPORTER = ("onnx", "onnxscript")


def can_export() -> bool:
    """Tell whether the libraries are installed that writing a file needs."""
    return all(find_spec(name) is not None for name in EXPORTER)


def cache_folder() -> Path:
    """Folder of the files that engines make: ``$XDG_CACHE_HOME/psfusion``, or ``~/.cache/psfusion``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "psfusion"


def find_file(
    source: PSFusion | PSFusionLite | Path,
    precision: str,
    device: torch.device,
    offered: Sequence[str],
    engine: str,
) -> tuple[Path, str]:
    """Return the ONNX file that an engine is to open, and the precision that it is to have.

    Args:
        source: a file, whose precision stays as it was asked for, or a network, of which the cached one is
            found or made.
        precision: ``auto`` or a name of one.
        device: where it will run.
        offered: precisions that the engine has.
        engine: as errors name it.

    Raises:
        ValueError: a network is asked for in a precision that is not offered.
        ImportError, OSError: see `cached_file`.
    """
    if isinstance(source, Path):
        return source, precision
    precision = resolve_precision(precision, device)
    if precision not in offered:
        raise ValueError(
            f"engine {engine} has {', '.join(offered)}, not {precision}: choose one of these, or engine torch"
        )
    return cached_file(source, precision), precision


def cached_file(model: PSFusion | PSFusionLite, precision: str) -> Path:
    """Return the cached file of a network, of any size; it is exported where there is none yet.

    Raises:
        ImportError: it has to be exported, and a library is missing.
        OSError: the cache folder cannot be written; the message says how to choose another.
    """
    digest = hashlib.sha256(f"{__version__} {FORM} {OPSET} {precision} {type(model).__name__}".encode())
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    path = cache_folder() / f"{type(model).__name__.lower()}-{digest.hexdigest()[:20]}.onnx"
    if not path.exists():
        LOGGER.warning("exporting the network for ONNX Runtime, once (tens of seconds): %s", path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                export(model, temporary, precision)
        except OSError as error:
            raise OSError(
                f"{path.parent} cannot be written ({error}): set XDG_CACHE_HOME to a folder that can, or "
                "choose engine torch"
            ) from error
    return path


def export(
    model: PSFusion | PSFusionLite,
    path: Path,
    precision: str = "fp32",
    size: tuple[int, int] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a network as one ONNX file: BatchNorms folded, run-time outputs only.

    Inputs are `visible` (1, 3, H, W) and `infrared` (1, 1, H, W), outputs `fused` (1, 1, H, W) and `semantic`
    (1, num_classes, H, W), all float32 at every precision.

    Args:
        model: the network; it is copied and left as it is.
        path: file to write.
        precision: ``fp32`` or ``fp16``, of the weights and of what is computed.
        size: H and W, multiples of 32; None for a file that takes any.
        metadata: names and values to store in the file.

    Raises:
        ImportError: onnx or onnxscript is not installed.
        ValueError: a size that is no multiple of 32.
    """
    if not can_export():
        raise ImportError("exporting a network needs onnx and onnxscript: pip install onnx onnxscript")
    if size is not None and any(side < 32 or side % 32 for side in size):
        raise ValueError(f"expected a height and width in multiples of 32, got {size[0]} x {size[1]}")
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
    """Write means over height and width as GlobalAveragePool, which keeps a runtime's blocks of channels."""
    from onnx.numpy_helper import to_array

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        axes = constants.get(node.input[1]) if node.op_type == "ReduceMean" and len(node.input) > 1 else None
        if axes is not None and sorted(int(axis) % 4 for axis in to_array(axes)) == [2, 3]:
            node.op_type = "GlobalAveragePool"
            del node.input[1:], node.attribute[:]


@contextlib.contextmanager
def quiet_exporter() -> Iterator[None]:
    """Keep the exporter's advice to its own developers off the terminal."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
