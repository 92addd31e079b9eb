"""Files of weights: our `.safetensors`, and the `.pth` of PSFusion's authors, read without running its code.

Needs torch >= 2.6: in older versions `weights_only` loading could still run code (CVE-2025-32434).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from psfusion_core.base.atomic_file import replacing

# From the authors' names to those of psfusion_core.models.psfusion; every line is applied, in this order.
AUTHORS_NAMES = (
    (r"^encoder_rgb_", "visible_encoder."),
    (r"^encoder_thermal_", "infrared_encoder."),
    (r"^(\w+_encoder)\.conv1\.SFEB", r"\1.shallow"),
    (r"^(\w+_encoder)\.bn1\.", r"\1.norm."),
    (r"^(\w+_encoder)\.layer", r"\1.stage"),
    (r"\.conv_frelu\.", ".funnel."),
    (r"\.bn_frelu\.", ".norm."),
    (r"^low_fuse", "sdfm"),
    (r"^high_fuse", "psfm"),
    (r"\.basicconv\.", "."),
    (r"\.obj_fuse\.", "."),
    (r"\.RGB_?", ".visible_"),
    (r"\.(Inf|INF_)", ".infrared_"),
    (r"_obj1_1\.", "_detail.0."),
    (r"_obj1_2\.", "_detail.1."),
    (r"_spr\.", "_detail.2."),
    (r"\.Recalibrate\.", ".recalibrate.0."),
    (r"\.channel_agg\.", ".aggregate."),
    (r"_obj\.down\.", "_dense.reduce."),
    (r"_obj\.denseblock\.", "_dense.layers."),
    (r"_obj\.fuse\.", "_dense.merge."),
    (r"\.Q\.", ".query."),
    (r"_K\.", "_key."),
    (r"_V\.", "_value."),
    (r"\.gamma1$", ".visible_gain"),
    (r"\.gamma2$", ".infrared_gain"),
    (r"\.Second_reduce\.", ".merge."),
    (r"^SIM(\d)\.bn\.", r"sim\1.norm."),
    (r"^SIM(\d)\.mlp_(\w+)\.(0\.)?", r"sim\1.\2."),
    (r"^to_fused_seg\.(\d)\.0\.", r"s2pm.project.\1."),
    (r"^seg_decoder\.", "s2pm.perceive."),
    (r"^rec_decoder\.", "dsrm1.layers."),
    (r"^seg_rec_decoder\.", "dsrm2.layers."),
    (r"\.block(\d)\.1\.", r".block\1.2."),
    (r"\.block(\d)\.0\.bn\.", r".block\1.1."),
    (r"\.block(\d)\.0\.conv\.", r".block\1.0."),
    (r"\.block1\.", ".0."),
    (r"\.block2\.", ".1."),
    (r"\.block3\.", ".2."),
    (r"\.block4\.", ".3."),
    (r"^classfier\.", "perception_heads."),
    (r"_conv1\.conv\.", "_reduce.0."),
    (r"_conv1\.bnop\.", "_reduce.1."),
    (r"_conv2\.", "."),
    (r"\.boundary_conv\.3\.", ".boundary."),
    (r"\.boundary_conv\.", ".boundary_reduce."),
    (r"^pred_fusion\.", "fused_head."),
    (r"^pred_vi\.", "visible_head."),
    (r"^pred_ir\.", "infrared_head."),
    (r"_head\.mask\.conv_block\.", "_head.norm."),
    (r"_head\.mask\.", "_head."),
    (r"_head\.conv_block\.0\.", "_head.conv."),
    (r"\.(local|global)_att\.", r".\1_weight."),
)
AUTHORS_UNUSED = ("classfier.boundary_conv1.", "classfier.boundary_conv2.")  # stored, but unused
BATCH_COUNTER = "num_batches_tracked"  # not needed, because the momentum of BatchNorm is fixed
HOW_TO_SAVE = "save its state dict alone (torch.save(model.state_dict(), path)) and load that"
NAMES_SHOWN = 3


class CheckpointError(ValueError):
    """A file without the requested weights; the message is one line that says what to do."""


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load the weights in a file into a network, converted to its dtypes and device.

    `path` is a `.safetensors` file, or a `.pth` with a state dict, either bare or in the authors' form
    (`{"MTAN": state_dict, ...}`), whose names are converted to ours. Code in the file is never run. Raises
    CheckpointError if the file cannot be read or its tensors do not fit; the network then stays unchanged.
    """
    path = _existing(path)
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if any(name.startswith("encoder_rgb_") for name in tensors):
        tensors = {rename(name): x for name, x in tensors.items() if not name.startswith(AUTHORS_UNUSED)}
    tensors = _without_counters(tensors)
    _check_fit(tensors, _without_counters(model.state_dict()), path)
    model.load_state_dict(tensors, strict=False)  # only the counters are missing: everything else is checked


def save_weights(
    model: nn.Module, path: str | os.PathLike[str], metadata: Mapping[str, str], half: bool = True
) -> None:
    """Write the weights of a network and `metadata` to a `.safetensors` file, which is replaced as a whole.

    With `half`, floating-point tensors are stored as float16, and integer tensors keep their dtype. Raises
    CheckpointError if a value is too large for float16.
    """
    tensors = {
        name: (_to_half(name, x) if half else x.detach()).cpu().contiguous()
        for name, x in _without_counters(model.state_dict()).items()
    }
    with replacing(Path(path)) as temporary:
        save_file(tensors, temporary, metadata=dict(metadata))


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the metadata in a `.safetensors` file, which may be empty."""
    path = _existing(path)
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except SafetensorError as error:
        raise _unreadable(path, "safetensors file") from error


def rename(name: str) -> str:
    """Return our name for a tensor of the authors' network."""
    for pattern, replacement in AUTHORS_NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"expected a checkpoint, found no file at {path}: check the path")
    return path


def _unreadable(path: Path, kind: str) -> CheckpointError:
    return CheckpointError(
        f"expected a {kind}, but {path} ({path.stat().st_size} bytes) is truncated or something else: "
        "copy or download it again"
    )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise _unreadable(path, "safetensors file") from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    """Read the state dict in a `.pth` with PyTorch's restricted unpickler: tensors and plain values only."""
    try:
        with torch.serialization.safe_globals(_numpy_scalars()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged file can fail anywhere in the unpickler
        code = re.search(r"GLOBAL (\S+)", str(error))
        if not (isinstance(error, UnpicklingError) and code):
            raise _unreadable(path, "PyTorch checkpoint") from error
        raise CheckpointError(
            f"expected tensors only, but {path} holds pickled code ({code[1]}), which was not run: "
            + HOW_TO_SAVE
        ) from error
    state = content.get("MTAN", content) if isinstance(content, dict) else content
    if not isinstance(state, dict) or not all(isinstance(x, Tensor) for x in state.values()):
        keys = f"a dict of {_few(map(str, content))}" if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(
            f'expected a state dict of tensors, bare or under "MTAN", but {path} holds {keys}: {HOW_TO_SAVE}'
        )
    return {str(name): x for name, x in state.items()}


def _numpy_scalars() -> list[Any]:
    """The types in a pickled NumPy scalar, in NumPy 1 and 2; the authors' `best_mIou` is one."""
    scalar = np.float64(0).__reduce__()[0]
    modules = "numpy.core.multiarray", "numpy._core.multiarray"
    return [np.dtype, type(np.dtype(np.float64)), *((scalar, f"{module}.scalar") for module in modules)]


def _without_counters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: x for name, x in state.items() if not name.endswith(BATCH_COUNTER)}


def _check_fit(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    shared = tensors.keys() & expected.keys()
    problems = {
        "missing": [name for name in expected if name not in shared],
        "unexpected": [name for name in tensors if name not in shared],
        "misshapen": [
            f"{name} {_shape(tensors[name])} instead of {_shape(expected[name])}"
            for name in expected
            if name in shared and tensors[name].shape != expected[name].shape
        ],
        "mistyped": [
            f"{name} {tensors[name].dtype}"
            for name in expected
            if name in shared and not _can_fill(tensors[name], expected[name])
        ],
    }
    found = [f"{len(names)} {problem} ({_few(names)})" for problem, names in problems.items() if names]
    if found:
        raise CheckpointError(
            f"expected the {len(expected)} tensors of this model in {path}, found {'; '.join(found)}: "
            "choose the model and the number of classes that the weights were trained for"
        )


def _can_fill(tensor: Tensor, expected: Tensor) -> bool:
    """Whether a tensor can be converted to the expected one: of the same kind, dense, and with values."""
    same_kind = tensor.is_floating_point() == expected.is_floating_point() and not tensor.is_complex()
    return same_kind and tensor.layout == torch.strided and tensor.device.type == "cpu"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")


def _to_half(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.detach().half()
    if not torch.equal(half.isfinite(), tensor.isfinite()):
        raise CheckpointError(f"expected values within float16, {name} reaches beyond: save with half=False")
    return half
