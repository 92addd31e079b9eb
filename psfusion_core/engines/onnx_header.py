"""The header of an ONNX file: inputs, outputs, size and metadata, and checks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

INPUTS, OUTPUTS = ("visible", "infrared"), ("fused", "semantic")


class Header(NamedTuple):
    """The header of an ONNX file.

    Attributes:
        metadata: Model, classes and precision, by name.
        size: The only height and width that the file accepts; None if it accepts any size.
    """

    metadata: dict[str, str]
    size: tuple[int, int] | None

    @property
    def precision(self) -> str:
        """Precision of the computation, ``fp32`` or ``fp16``."""
        return self.metadata.get("precision", "fp32")


def make_header(
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    sides: Sequence[object],
    metadata: Mapping[str, str],
) -> Header:
    """Make the header from the names of inputs and outputs, the height and width, and the metadata.

    Raises:
        ValueError: The file is not a fusion network.
    """
    if (tuple(inputs), tuple(outputs)) != (INPUTS, OUTPUTS):
        raise ValueError(
            f"{path} has inputs {', '.join(inputs)} and outputs {', '.join(outputs)}; expected "
            f"{', '.join(INPUTS)} and {', '.join(OUTPUTS)}: make the file with psfusion export"
        )
    height, width = sides
    fixed = isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0
    return Header(dict(metadata), (height, width) if fixed else None)  # type: ignore[arg-type]


def read_header(path: Path) -> Header:
    """Read the header of a file with the onnx package.

    Raises:
        ImportError: onnx is not installed.
        OSError: The file cannot be read.
        ValueError: The file is not an ONNX file of a fusion network.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ImportError("reading an ONNX file needs onnx: pip install onnx") from error
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise ValueError(f"{path} cannot be opened as an ONNX file ({error}): export it again") from error
    graph = model.graph
    dimensions = graph.input[0].type.tensor_type.shape.dim[2:] if graph.input else ()
    return make_header(
        path,
        [value.name for value in graph.input],
        [value.name for value in graph.output],
        [dimension.dim_value for dimension in dimensions],
        {entry.key: entry.value for entry in model.metadata_props},
    )


def check_precision(path: Path, stored: str, requested: str) -> None:
    """Raise ValueError if a file computes in another precision than the requested one."""
    if requested not in ("auto", stored):
        raise ValueError(f"{path} computes in {stored}, not {requested}: export it again, or choose auto")


def check_shapes(visible: Tensor, size: tuple[int, int] | None) -> None:
    """Raise ValueError if images do not have the fixed size of a file."""
    if size is not None and tuple(visible.shape[-2:]) != size:
        height, width = visible.shape[-2:]
        raise ValueError(
            f"this ONNX file takes {size[1]}x{size[0]} (width x height) only, got {width}x{height} padded: "
            "psfusion export without --size makes one that takes any"
        )
