"""Recipes: a dataclass filled from a YAML file and ``key=value`` overrides, checked by OmegaConf."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import YAMLError

from psfusion_core.base.wording import nearest

Recipe = TypeVar("Recipe")

INFINITE = float("inf")


class ConfigError(ValueError):
    """A configuration that does not fit; the message names the key and what it expects."""


def load_recipe(schema: type[Recipe], path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply overrides such as ``steps=200`` or ``inputs.0=visible``.

    Args:
        schema: A dataclass with the keys and their types.

    Raises:
        ConfigError: A key is unknown (the message names the nearest one), or a value has a wrong type.
    """
    if not path.is_file():
        raise ConfigError(f"no such configuration: {path}; see training/configs/ in the source tree")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.load(path))
        for override in overrides:
            key, equals, _ = override.partition("=")
            if not equals:
                raise ConfigError(f"expected key=value, got {override!r}")
            value = OmegaConf.select(OmegaConf.from_dotlist([override]), key)
            OmegaConf.update(merged, key, "" if value is None else value)
        return cast(Recipe, OmegaConf.to_object(merged))
    except ConfigError:
        raise
    except (ConfigKeyError, ConfigAttributeError) as error:
        key = re.sub(r"\[\d+\]", ".0", str(error.full_key or error.key))
        guess = nearest(key, known_keys(schema))
        raise ConfigError(f"unknown key {key!r} in {path}; the nearest known one is {guess!r}") from error
    except (OmegaConfBaseException, YAMLError, TypeError, ValueError, AttributeError) as error:
        place = ": ".join(filter(None, [str(path), str(getattr(error, "full_key", None) or "")]))
        raise ConfigError(f"{place}: {str(error).splitlines()[0]}") from error


def to_mapping(recipe: object) -> dict[str, Any]:
    """Convert a recipe (a dataclass) to dicts, lists, numbers and strings."""
    return cast(dict[str, Any], OmegaConf.to_container(OmegaConf.structured(recipe)))


def check_numbers(recipe: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise ConfigError for a number that is out of its range.

    Args:
        recipe: A dataclass.
        ranges: Least and largest value by dotted key.
    """
    for name, (least, largest) in ranges.items():
        value = attrgetter(name)(recipe)
        if not least <= value <= largest:
            wanted = f"{least} or more" if largest == INFINITE else f"{least} to {largest}"
            raise ConfigError(f"{name} is {value}; expected {wanted}")


def known_keys(schema: type, prefix: str = "") -> Iterator[str]:
    """List every key of a dataclass in dotted form; in a list of dataclasses, the keys of its first item."""
    for name, hint in get_type_hints(schema).items():
        yield prefix + name
        inner = next((part for part in (hint, *get_args(hint)) if dataclasses.is_dataclass(part)), None)
        if inner is not None:
            yield from known_keys(cast(type, inner), f"{prefix}{name}." + ("" if inner is hint else "0."))
