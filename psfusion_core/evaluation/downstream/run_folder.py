"""What a run of a comparison depends on and came to, kept in its folder, so that no other is taken for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from psfusion_core.base.atomic_file import replacing
from psfusion_core.evaluation.downstream.downstream_config import DownstreamConfig
from psfusion_core.training.recipe import ConfigError, to_mapping
from psfusion_core.training.resuming import data_change, recipe_changes

RESULT_FILE = "result.json"
WHICH_RUNS = ("output", "inputs", "segmenters", "seeds", "drives", "pretrained")
"""Keys of a comparison that say which runs it has, and no more; the drives are known by their files."""
MAY_CHANGE = ("checkpoint_every", "device", "test_every", "threads", "workers")
"""Keys that say where and how often, not what: a run goes on, and its result stands, with others of them."""


def run_recipe(config: DownstreamConfig, segmenter: str, seed: int) -> dict[str, Any]:
    """Everything that one run of a comparison depends on, but for its images."""
    shared = {key: value for key, value in to_mapping(config).items() if key not in WHICH_RUNS}
    return {
        "segmenter": segmenter,
        "seed": seed,
        "pretrained": config.pretrained.get(segmenter, ""),
        **shared,
    }


class RunFolder:
    """The folder of a run.

    Args:
        path: made where it is missing.
        recipe: of the run (:func:`run_recipe`).
        data: summaries of its training and test pairs.

    Raises:
        ConfigError: it holds a run of another recipe.
    """

    def __init__(self, path: Path, recipe: dict[str, Any], data: list[dict[str, object]]) -> None:
        self.path, self.recipe, self.data = path, recipe, data
        path.mkdir(parents=True, exist_ok=True)
        changes = recipe_changes(path, recipe, MAY_CHANGE)
        if changes:
            raise ConfigError(
                f"{path} was started with {'; '.join(changes.values())}: choose another output folder"
            )

    def check_same_data(self) -> None:
        """Raise ConfigError where the run was started on other data."""
        change = data_change(self.path, self.data)
        if change:
            raise ConfigError(f"{change}, or choose another output folder")

    def result(self) -> npt.NDArray[np.int64] | None:
        """The confusion matrix of the test pairs, true class by predicted class; None of an unfinished run.

        Raises:
            ConfigError: it was measured on other data.
        """
        file = self.path / RESULT_FILE
        if not file.exists():
            return None
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["data"] != json.loads(json.dumps(self.data)):
            raise ConfigError(f"{self.path} has the result of other data: choose another output folder")
        return np.array(stored["confusion"], np.int64)

    def write_result(self, confusion: npt.NDArray[np.int64]) -> None:
        with replacing(self.path / RESULT_FILE) as temporary:
            document = {"data": self.data, "confusion": confusion.tolist()}
            temporary.write_text(json.dumps(document), encoding="utf-8")
