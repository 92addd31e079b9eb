"""The provenance of a run: recipe, versions, data and source revision of each start."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import kornia
import numpy as np
import torch
from omegaconf import OmegaConf

import psfusion_core
from psfusion_core.base.atomic_file import replacing
from psfusion_core.engines.torch_engine import resolve_device

CONFIG_FILE = "config.yaml"
RECORD_FILE = "runs.jsonl"


class SourceRevision(NamedTuple):
    """State of the git checkout that the code runs from.

    Attributes:
        revision: The commit, in hexadecimal; None for an installed package, or without git.
        dirty: Whether the code differs from that commit; None without a commit.
    """

    revision: str | None
    dirty: bool | None


def write_run_record(
    folder: Path, recipe: Mapping[str, Any], device: str, data: list[dict[str, object]]
) -> None:
    """Append a JSON line about this start to ``runs.jsonl``, and write the recipe to ``config.yaml``.

    If several processes train together, only one of them calls this.

    The data are the summaries of the sources: path, layout, pairs, labelled pairs, fingerprint.

    Raises:
        ValueError: The device does not exist.
    """
    entry = {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": sys.argv,
        "versions": {
            "python": platform.python_version(),
            "psfusion": psfusion_core.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "kornia": kornia.__version__,
            "opencv": cv2.__version__,
        },
        "device": _device_name(device),
        "threads": torch.get_num_threads(),
        "world_size": world_size(),
        "source": source_revision(Path(psfusion_core.__file__).parent)._asdict(),
        "data": data,
        "config": dict(recipe),
    }
    with (folder / RECORD_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    with replacing(folder / CONFIG_FILE) as temporary:
        OmegaConf.save(OmegaConf.create(dict(recipe)), temporary)


def source_revision(package: Path) -> SourceRevision:
    """Read the git state of a package's folder.

    A package that is installed inside another project's checkout (``project/.venv/...``) is not tracked there
    and has no revision. Only changes in the package make it dirty, because files beside it change no run.
    """
    try:
        _git(package, "ls-files", "--error-unmatch", "__init__.py")
        revision = _git(package, "rev-parse", "HEAD").strip()
        return SourceRevision(revision, dirty=bool(_git(package, "status", "--porcelain", "--", ".")))
    except (OSError, subprocess.CalledProcessError):
        return SourceRevision(None, None)


def _device_name(device: str) -> str:
    resolved = resolve_device(device)
    if resolved.type == "cuda":
        return f"{resolved.type} ({torch.cuda.get_device_name(resolved)})"
    return f"{resolved.type} ({platform.machine()})"


def world_size() -> int:
    """Number of processes that train together."""
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_world_size() if distributed else 1


def _git(folder: Path, *arguments: str) -> str:
    # Without locks, because somebody may commit in the same checkout.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
