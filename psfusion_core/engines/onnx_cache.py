"""The cache of exported networks: each is exported once, and its ONNX file kept."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from psfusion_core import __version__
from psfusion_core.base.atomic_file import replacing
from psfusion_core.engines.onnx_export import OPSET, export
from psfusion_core.engines.torch_engine import resolve_precision
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite

LOGGER = logging.getLogger(__name__)

FORM = 4
"""Version of the exported graph; if it changes, files of older versions in the cache are no longer used."""


def cache_folder() -> Path:
    """Return the cache folder of all engines, ``$XDG_CACHE_HOME/psfusion`` or ``~/.cache/psfusion``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "psfusion"


def find_file(
    source: PSFusion | PSFusionLite | Path,
    precision: str,
    device: torch.device,
    offered: Sequence[str],
    engine: str,
) -> tuple[Path, str]:
    """Return the ONNX file that an engine opens, and the precision that the file must have.

    Args:
        source: An ONNX file, or a network, which is exported unless its file is in the cache.
        precision: A name of a precision, or ``auto``, which stays ``auto`` for a file.
        device, offered, engine: Device of the engine, its precisions, and its name in messages.

    Raises:
        ValueError: The engine does not have the precision.
        ImportError, OSError: See `cached_file`.
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
    """Return the cached file of a network for any image size; export the network if there is none yet.

    Raises:
        ImportError: A library that exporting needs is missing.
        OSError: The cache folder cannot be written; the message says how to choose another.
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
