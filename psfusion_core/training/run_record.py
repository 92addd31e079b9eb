"""What a run was made of: versions, data and source revision of each start, and what a resume may change."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, cast

import cv2
import kornia
import numpy as np
import torch
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

import psfusion_core
from psfusion_core.engines.torch_engine import resolve_device
from psfusion_core.training.config import TrainConfig
from psfusion_core.training.recipe import ConfigError

CONFIG_FILE = "config.yaml"
RECORD_FILE = "runs.jsonl"

MAY_CHANGE = (
    "allow_changes", "checkpoint_every", "device", "output", "pictures_every", "steps", "threads",
    "validate_every", "workers",
)  # fmt: skip
"""Keys that a resumed run may have other values of: they say how long, how often and where, not what.

``steps`` also moves the decay of the learning rate: a run that is lengthened steps up to the longer curve.
"""

NEVER_CHANGE = ("accumulate", "labels", "model", "optimizer")
"""Keys that decide what a checkpoint holds, or which batches were taken."""

ABSENT = "absent"
"""In place of the value of a key that one of two configurations lacks."""


class SourceRevision(NamedTuple):
    """State of the git checkout that the code runs from.

    Attributes:
        revision: the commit, in hexadecimal; None for an installed package, or without git.
        dirty: whether the code differs from that commit; None where it has none.
    """

    revision: str | None
    dirty: bool | None


def write_run_record(folder: Path, config: TrainConfig, data: list[dict[str, object]]) -> None:
    """Append what this start of a run is made of to ``runs.jsonl``, and keep its recipe in ``config.yaml``.

    The record has one JSON object a line, one line a start.

    Of several processes, one writes.

    Args:
        folder: of the run; it exists.
        config: of this start.
        data: what each source holds: path, layout, pairs, labelled pairs, fingerprint; stored as it is.

    Raises:
        ValueError: the device of the configuration does not exist here.
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
        "device": _device_name(config.device),
        "threads": torch.get_num_threads(),
        "world_size": _world_size(),
        "source": source_revision(Path(psfusion_core.__file__).parent)._asdict(),
        "data": data,
        "config": OmegaConf.to_container(OmegaConf.structured(config)),
    }
    with (folder / RECORD_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    temporary = folder / (CONFIG_FILE + ".part")
    OmegaConf.save(OmegaConf.structured(config), temporary)
    os.replace(temporary, folder / CONFIG_FILE)


def source_revision(package: Path) -> SourceRevision:
    """Read the git state of a package's folder.

    A package installed inside another project's checkout (``project/.venv/...``) is not tracked there and
    has no revision. Only the package itself counts as dirty: data or notes beside it change no run.
    """
    try:
        _git(package, "ls-files", "--error-unmatch", "__init__.py")
        revision = _git(package, "rev-parse", "HEAD").strip()
        return SourceRevision(revision, dirty=bool(_git(package, "status", "--porcelain", "--", ".")))
    except (OSError, subprocess.CalledProcessError):
        return SourceRevision(None, None)


def changed_keys(
    before: TrainConfig | Mapping[str, Any], after: TrainConfig | Mapping[str, Any]
) -> dict[str, tuple[object, object]]:
    """List the keys whose values differ, in dotted form (``loss.gradient``, ``sources.0.path``).

    Returns:
        key to (value before, value after); ``"absent"`` stands for the value of a key that one side lacks.
    """
    old, new = dict(_flatten(before)), dict(_flatten(after))
    return {
        key: (old.get(key, ABSENT), new.get(key, ABSENT))
        for key in dict.fromkeys([*old, *new])
        if old.get(key, ABSENT) != new.get(key, ABSENT)
    }


def check_same_recipe(folder: Path, config: TrainConfig) -> None:
    """Refuse to continue a run with another recipe than the one in its ``config.yaml``.

    Raises:
        ConfigError: a key in NEVER_CHANGE has another value; or one that is not in MAY_CHANGE, and
            ``allow_changes`` is off; or the stored configuration cannot be read.
    """
    path = folder / CONFIG_FILE
    if not path.exists():
        return
    try:
        stored = OmegaConf.to_container(OmegaConf.load(path))
    except (OmegaConfBaseException, YAMLError, OSError) as error:
        raise ConfigError(f"{path}: {str(error).splitlines()[0]}: choose another output folder") from error
    changes = {
        key: f"{key} {old}, now {new}"
        for key, (old, new) in changed_keys(cast(dict[str, Any], stored), config).items()
        if key.partition(".")[0] not in MAY_CHANGE
    }
    lasting = [told for key, told in changes.items() if key in NEVER_CHANGE]
    if lasting:
        raise ConfigError(f"{folder} was started with {'; '.join(lasting)}: choose another output folder")
    if changes and not config.allow_changes:
        raise ConfigError(
            f"{folder} was started with {'; '.join(changes.values())}: choose another output folder, or pass "
            "allow_changes=true"
        )


def check_same_data(folder: Path, config: TrainConfig, data: list[dict[str, object]]) -> None:
    """Refuse to continue a run on other data, or with another number of processes, than its last start had.

    Raises:
        ConfigError: the summaries differ and ``allow_changes`` is off.
    """
    path = folder / RECORD_FILE
    if config.allow_changes or not path.exists():
        return
    last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    if last["world_size"] != _world_size():
        raise ConfigError(
            f"{folder} was started with {last['world_size']} processes, now {_world_size()}: start as many, "
            "or pass allow_changes=true"
        )
    now = json.loads(json.dumps(data))
    for index, summary in enumerate(now):
        if index >= len(last["data"]) or summary != last["data"][index]:
            raise ConfigError(
                f"the data of {folder} changed since it was last started ({summary.get('path')}): "
                "put them back, choose another output folder, or pass allow_changes=true"
            )


def _flatten(config: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(config, TrainConfig):
        config = OmegaConf.to_container(OmegaConf.structured(config))
    if isinstance(config, Mapping):
        parts = list(config.items())
    elif isinstance(config, list):
        parts = list(enumerate(config))
    else:
        yield prefix.removesuffix("."), config
        return
    for key, value in parts:
        yield from _flatten(value, f"{prefix}{key}.")


def _device_name(device: str) -> str:
    resolved = resolve_device(device)
    if resolved.type == "cuda":
        return f"{resolved.type} ({torch.cuda.get_device_name(resolved)})"
    return f"{resolved.type} ({platform.machine()})"


def _world_size() -> int:
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_world_size() if distributed else 1


def _git(folder: Path, *arguments: str) -> str:
    # Without locks: somebody may be committing in the same checkout.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
