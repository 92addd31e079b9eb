"""The folder of one run, with its recipe and its result, so that it is not mistaken for another run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from psfusion_core.base.atomic_file import replacing
from psfusion_core.evaluation.downstream.downstream_config import DownstreamConfig
from psfusion_core.training.recipe import ConfigError, to_mapping
from psfusion_core.training.resume_check import data_change, recipe_changes

RESULT_FILE = "result.json"
WHICH_RUNS = ("output", "inputs", "segmenters", "seeds", "drives", "pretrained")
"""Keys that only determine which runs a comparison has. The drives are identified by their files."""
MAY_CHANGE = ("checkpoint_every", "device", "test_every", "threads", "workers")
"""Keys that do not affect the result. A run may continue, and its result stays valid, if they change."""


def run_recipe(config: DownstreamConfig, segmenter: str, seed: int) -> dict[str, Any]:
    """Return everything that one run of a comparison depends on, except its images."""
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
        path: The folder, which is created if missing.
        recipe: The recipe of the run (:func:`run_recipe`).
        data: The summaries of its training and test pairs.

    Raises:
        ConfigError: The folder holds a run of another recipe.
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
        """Raise ConfigError if the run was started on other data."""
        change = data_change(self.path, self.data)
        if change:
            raise ConfigError(f"{change}, or choose another output folder")

    def result(self) -> npt.NDArray[np.int64] | None:
        """Return the confusion matrix of the test pairs, true class by predicted class; None if unfinished.

        Raises:
            ConfigError: The result was measured on other data.
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
