"""One run of a comparison: a segmenter trained on one input's images, then tested on unseen ones."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from omegaconf import OmegaConf
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from psfusion_core.atomic_file import replacing
from psfusion_core.downstream.evaluation import EvaluationSettings, measure
from psfusion_core.downstream.gallery import draw_predictions
from psfusion_core.downstream.inputs import color_statistics
from psfusion_core.downstream.segmenters import Segmenter
from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.images import write_image
from psfusion_core.metrics import class_iou
from psfusion_core.training.augmentation.geometry import RandomGeometry
from psfusion_core.training.checkpoints import LAST_FILE, Checkpoints
from psfusion_core.training.config import TrainConfig
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.mixture import VARIATION, RandomWindows, batch_generator
from psfusion_core.training.data.planes import to_sample
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.losses.semantic import hard_example_cross_entropy
from psfusion_core.training.optimization import create_optimizer, learning_rate_factor
from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.run_log import LossTable, TrainingLog
from psfusion_core.training.run_record import CONFIG_FILE, changed_keys, check_same_data, write_run_record

RESULT_FILE = "result.json"
TEST_FILE = "test.csv"
PICTURE_FILE = "predictions.jpg"
AUXILIARY_WEIGHT = 0.75
"""Of an auxiliary head's loss, the main one's having 1: PSFusion's authors train BANet with 7.5 to 10."""
LOG_EVERY = 10
MAY_CHANGE = ("checkpoint_every", "device", "output", "threads", "validate_every", "workers")
"""Keys that say where and how often, not what: a run goes on, and its result stands, with others of them."""


class SegmentationRun:
    """Trains one segmenter in one folder; starting it again continues it, exactly as if it had not stopped.

    The loss is cross-entropy over hard pixels, the same for every segmenter. The weights of the last step are
    tested: none are chosen by their test result.

    Args:
        config: of this run (``run_config``); ``config.output`` receives what a training run leaves, and
            ``test.csv``, ``predictions.jpg`` and ``result.json``.
        train, test: pairs whose visible planes show the input.
        evaluation: how, and how often, the segmenter is tested.
        fabric: device and precision.

    Raises:
        ConfigError: the folder has a run of another recipe or of other data.
    """

    def __init__(
        self,
        config: TrainConfig,
        train: FolderSource,
        test: FolderSource,
        evaluation: EvaluationSettings,
        fabric: Fabric,
    ) -> None:
        self.config, self.train, self.test = config, train, test
        self.evaluation, self.fabric = evaluation, fabric
        self.folder = Path(config.output)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.classes = LABEL_SETS[config.labels]
        self.checkpoints = Checkpoints(
            self.folder, {"segmenter": config.model, "classes": ",".join(self.classes)}
        )
        check_same_run(config)
        fabric.seed_everything(config.seed, verbose=False)
        pretrained = Path(config.initial_weights) if config.initial_weights else None
        model = Segmenter(config.model, len(self.classes), *color_statistics(train), pretrained).train()
        self.model, self.optimizer = fabric.setup(model, create_optimizer(model, config))
        self.model.mark_forward_method("all_logits")
        self.geometry = RandomGeometry(config.geometry, config.crop)
        self.data = [train.summary(), test.summary()]
        self.step = 0
        if self.checkpoints.exist():
            check_same_data(self.folder, config, self.data)
            self._resume()

    def run(self) -> npt.NDArray[np.int64]:
        """Train up to the last step, test, and write the result.

        Returns:
            The confusion matrix of the test pairs, true class by predicted class.
        """
        config = self.config
        write_run_record(self.folder, config, self.data)
        tests = LossTable(self.folder / TEST_FILE, self.step)
        batches = self._batches()
        title = f"{config.model} on {self.folder.parent.name}, seed {config.seed}"
        with (
            TrainingLog(self.folder, self.step) as log,
            tqdm(total=config.steps, initial=self.step, desc=title, unit="step") as bar,
        ):
            while self.step < config.steps:
                loss = self.train_step(next(batches))
                bar.update()
                if self.step % LOG_EVERY == 0 or self.step == config.steps:
                    log.losses(self.step, {"cross_entropy": loss})
                    bar.set_postfix(loss=f"{loss:.3f}")
                every = self.evaluation.every
                if every and self.step % every == 0 and self.step < config.steps:
                    self._note(tests, log, self.measure())
                if self.step % config.checkpoint_every == 0 or self.step == config.steps:
                    log.flush()
                    self.save()
            confusion = self.measure()
            self._note(tests, log, confusion)
        self.draw()
        self._write_result(confusion)
        return confusion

    def train_step(self, windows: Tensor) -> float:
        """Take one optimizer step on a batch of windows (B, 7, S, S) uint8 and return its loss.

        Raises:
            ValueError: the loss is not finite.
        """
        config, fabric = self.config, self.fabric
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(self.step, config)
        generator = batch_generator(config.seed, self.step, VARIATION)
        sample = to_sample(self.geometry(windows.to(fabric.device), generator))
        # Dropout and drop path draw from the global generator: seeded by step, a resumed run draws the same.
        torch.manual_seed(generator.initial_seed())
        with flushed_denormals():
            main, *auxiliary = self.model.all_logits(sample.visible)
            loss = hard_example_cross_entropy(main.float(), sample.label, sample.weight)
            for logits in auxiliary:
                more = hard_example_cross_entropy(logits.float(), sample.label, sample.weight)
                loss = loss + AUXILIARY_WEIGHT * more
            fabric.backward(loss)
        if config.gradient_clip:
            fabric.clip_gradients(self.model, self.optimizer, max_norm=config.gradient_clip)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise ValueError(f"the loss became {value} at step {self.step}: lower learning_rate")
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return value

    def measure(self) -> npt.NDArray[np.int64]:
        """Test the present weights: the confusion matrix of all test pairs."""
        self.model.eval()
        device = self.fabric.device
        confusion = measure(self.model, self.test.scenes, len(self.classes), device, self.evaluation)
        self.model.train()
        return confusion

    def draw(self) -> None:
        """Draw what the present weights make of some test pairs."""
        self.model.eval()
        picture = draw_predictions(self.model, self.test.scenes, self.fabric.device, self.evaluation)
        self.model.train()
        with replacing(self.folder / PICTURE_FILE) as temporary:
            write_image(temporary, picture)

    def save(self) -> None:
        """Write the weights, and the state to continue from."""
        self.checkpoints.save_weights(self.model.module, LAST_FILE, self.step)
        state = {"model": self.model.module.state_dict(), "optimizer": self.optimizer.state_dict()}
        self.checkpoints.save_state({**state, "step": self.step})

    def _batches(self) -> Iterator[Tensor]:
        config = self.config
        side = self.geometry.window_size()
        windows = RandomWindows(
            [self.train], [1.0], side, config.object_share, config.batch_size, config.seed, self.step
        )
        return iter(DataLoader(windows, batch_size=None, num_workers=config.workers))

    def _resume(self) -> None:
        state = self.checkpoints.load_state(self.fabric.device)
        self.model.module.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def _note(self, tests: LossTable, log: TrainingLog, confusion: npt.NDArray[np.int64]) -> None:
        values = {"mean_iou": float(np.nanmean(class_iou(confusion)))}
        tests.add(self.step, values)
        log.scalars(self.step, {f"test/{name}": value for name, value in values.items()})

    def _write_result(self, confusion: npt.NDArray[np.int64]) -> None:
        result = {"evaluation": self.evaluation.as_dict(), "data": self.data, "confusion": confusion.tolist()}
        with replacing(self.folder / RESULT_FILE) as temporary:
            temporary.write_text(json.dumps(result), encoding="utf-8")


def finished(
    config: TrainConfig, data: list[dict[str, object]], evaluation: EvaluationSettings
) -> npt.NDArray[np.int64] | None:
    """The confusion matrix of a run that has its result, None of one that has not.

    Raises:
        ConfigError: the result is one of another recipe, of other data or of another test.
    """
    folder = Path(config.output)
    if not (folder / RESULT_FILE).exists():
        return None
    check_same_run(config)
    result = json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"))
    now = {"evaluation": evaluation.as_dict(), "data": data}
    for key, value in json.loads(json.dumps(now)).items():
        if result[key] != value:
            raise ConfigError(f"{folder} has the result of other {key}: choose another output folder")
    return np.array(result["confusion"], np.int64)


def check_same_run(config: TrainConfig) -> None:
    """Raise ConfigError where the folder has a run of another recipe."""
    path = Path(config.output) / CONFIG_FILE
    if not path.exists():
        return
    stored = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(path)))
    changes = [
        f"{key} {old}, now {new}"
        for key, (old, new) in changed_keys(stored, config).items()
        if key.partition(".")[0] not in MAY_CHANGE
    ]
    if changes:
        raise ConfigError(
            f"{path.parent} was started with {'; '.join(changes)}: choose another output folder"
        )
