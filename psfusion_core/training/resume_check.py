"""Checks that a run on disk may be resumed: with the same recipe, on the same data."""

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
"""Keys that may change when a run resumes: they say how long, how often and where it trains.

``steps`` also changes the decay of the learning rate: a lengthened run continues on the longer curve.
"""

NEVER_CHANGE = ("accumulate", "labels", "model", "optimizer")
"""Keys that may not change even with ``allow_changes``: checkpoint and batch numbers depend on them."""

ABSENT = "absent"
"""Stands for the value of a key that one of two recipes lacks."""


def check_same_recipe(folder: Path, config: TrainConfig) -> None:
    """Refuse to continue a run with a recipe that differs from its ``config.yaml``.

    Raises:
        ConfigError: A key in NEVER_CHANGE differs; or a key outside MAY_CHANGE differs and ``allow_changes``
            is off; or the stored recipe cannot be read.
    """
    changes = recipe_changes(folder, to_mapping(config), MAY_CHANGE)
    forbidden = [change for key, change in changes.items() if key in NEVER_CHANGE]
    if forbidden:
        raise ConfigError(f"{folder} was started with {'; '.join(forbidden)}: choose another output folder")
    if changes and not config.allow_changes:
        raise ConfigError(
            f"{folder} was started with {'; '.join(changes.values())}: choose another output folder, or pass "
            "allow_changes=true"
        )


def check_same_data(folder: Path, config: TrainConfig, data: list[dict[str, object]]) -> None:
    """Refuse to continue a run if its data or its number of processes changed since its last start.

    Raises:
        ConfigError: They changed and ``allow_changes`` is off.
    """
    change = "" if config.allow_changes else data_change(folder, data)
    if change:
        raise ConfigError(f"{change}, choose another output folder, or pass allow_changes=true")


def recipe_changes(folder: Path, recipe: Mapping[str, Any], may_change: Collection[str]) -> dict[str, str]:
    """List the keys whose values differ between a recipe and a run's ``config.yaml``, if it exists.

    Returns:
        "KEY OLD, now NEW" by key, without the keys that may change.

    Raises:
        ConfigError: The stored recipe cannot be read.
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
    """Say how the data, or the number of processes, changed since a run's last start, and what to do.

    Returns:
        A sentence without its end; empty if nothing changed or the folder has no record.
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
    """List the dotted keys (``loss.gradient``) whose values differ between two recipes.

    Returns:
        (value before, value after) by key; the value is ``"absent"`` if a recipe lacks the key.
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
