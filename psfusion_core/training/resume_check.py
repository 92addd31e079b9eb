"""What differs between a run on disk and the start that would continue it, and what may."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from psfusion_core.training.provenance import CONFIG_FILE, RECORD_FILE, world_size
from psfusion_core.training.recipe import ConfigError, to_mapping
from psfusion_core.training.training_config import TrainConfig

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
"""In place of the value of a key that one of two recipes lacks."""


def check_same_recipe(folder: Path, config: TrainConfig) -> None:
    """Refuse to continue a run with another recipe than the one in its ``config.yaml``.

    Raises:
        ConfigError: a key in NEVER_CHANGE has another value; or one that is not in MAY_CHANGE, and
            ``allow_changes`` is off; or the stored recipe cannot be read.
    """
    changes = recipe_changes(folder, to_mapping(config), MAY_CHANGE)
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
        ConfigError: they differ and ``allow_changes`` is off.
    """
    change = "" if config.allow_changes else data_change(folder, data)
    if change:
        raise ConfigError(f"{change}, choose another output folder, or pass allow_changes=true")


def recipe_changes(folder: Path, recipe: Mapping[str, Any], may_change: Collection[str]) -> dict[str, str]:
    """List what a recipe has other values of than the one in a run's ``config.yaml``, if one is there.

    Args:
        folder: of the run.
        recipe: of this start.
        may_change: keys that do not count.

    Returns:
        key to "KEY OLD, now NEW".

    Raises:
        ConfigError: the stored recipe cannot be read.
    """
    path = folder / CONFIG_FILE
    if not path.exists():
        return {}
    try:
        stored = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(path)))
    except (OmegaConfBaseException, YAMLError, OSError) as error:
        raise ConfigError(f"{path}: {str(error).splitlines()[0]}: choose another output folder") from error
    return {
        key: f"{key} {old}, now {new}"
        for key, (old, new) in changed_keys(stored, recipe).items()
        if key.partition(".")[0] not in may_change
    }


def data_change(folder: Path, data: list[dict[str, object]]) -> str:
    """Say how the data, or the number of processes, differ from those of a run's last start, and the remedy.

    Returns:
        A sentence without its end; empty where nothing differs or the folder has no record.
    """
    path = folder / RECORD_FILE
    if not path.exists():
        return ""
    last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    if last["world_size"] != world_size():
        return f"{folder} was started with {last['world_size']} processes, now {world_size()}: start as many"
    now = json.loads(json.dumps(data))
    for index, summary in enumerate(now):
        if index >= len(last["data"]) or summary != last["data"][index]:
            return f"the data of {folder} changed since its last start ({summary.get('path')}): put them back"
    return ""


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    """List the keys of two recipes whose values differ, in dotted form (``loss.gradient``).

    Returns:
        key to (value before, value after); ``"absent"`` stands for the value of a key that one side lacks.
    """
    old, new = dict(_flatten(before)), dict(_flatten(after))
    return {
        key: (old.get(key, ABSENT), new.get(key, ABSENT))
        for key in dict.fromkeys([*old, *new])
        if old.get(key, ABSENT) != new.get(key, ABSENT)
    }


def _flatten(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    else:
        yield prefix.removesuffix("."), value
        return
    for key, part in parts:
        yield from _flatten(part, f"{prefix}{key}.")
