"""One run of a comparison: trains a segmenter on the images of one input, and tests it on unseen ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from psfusion_core.base.atomic_file import replacing
from psfusion_core.cameras.image_files import write_image
from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.evaluation.downstream.downstream_config import DownstreamConfig
from psfusion_core.evaluation.downstream.prediction_sheet import draw_predictions
from psfusion_core.evaluation.downstream.run_folder import RunFolder
from psfusion_core.evaluation.downstream.segmenter_evaluation import EvaluationSettings, count_confusions
from psfusion_core.evaluation.downstream.segmenter_inputs import color_statistics
from psfusion_core.evaluation.downstream.segmenters import Segmenter
from psfusion_core.metrics import class_iou
from psfusion_core.training.augmentation.random_crop import RandomCrop
from psfusion_core.training.checkpoints import LAST_FILE, Checkpoints
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.random_windows import VARIATION, RandomWindows, batch_generator
from psfusion_core.training.data.scene_planes import to_batch
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.losses.semantic import hard_example_cross_entropy
from psfusion_core.training.optimization import create_optimizer, learning_rate_factor
from psfusion_core.training.provenance import write_run_record
from psfusion_core.training.training_log import LossTable, TrainingLog

TEST_FILE = "test.csv"
PICTURE_FILE = "predictions.jpg"
AUXILIARY_WEIGHT = 0.75
"""Weight of an auxiliary head's loss relative to the main loss. PSFusion's authors use 7.5 to 10 (BANet)."""
LOG_EVERY = 10


class SegmentationRun:
    """Trains one segmenter in one folder. A restarted run continues exactly as if it had not stopped.

    The loss is cross-entropy over hard pixels, the same for every segmenter. The weights of the last step are
    tested, so no weights are chosen by their test result.

    Args:
        config: The recipe of the comparison.
        segmenter, seed: The segmenter and the seed of this run.
        train, test: Pairs whose visible planes hold the images of the input.
        folder: Receives the files of a training run, ``test.csv``, ``predictions.jpg`` and ``result.json``.
        fabric: The device and the precision.

    Raises:
        ConfigError: The folder has a run on other data.
    """

    def __init__(
        self,
        config: DownstreamConfig,
        segmenter: str,
        seed: int,
        train: FolderSource,
        test: FolderSource,
        folder: RunFolder,
        fabric: Fabric,
    ) -> None:
        self.config, self.segmenter, self.seed = config, segmenter, seed
        self.train, self.test, self.folder, self.fabric = train, test, folder, fabric
        self.evaluation = EvaluationSettings(tuple(config.test_scales), config.test_flip)
        self.classes = LABEL_SETS[config.labels]
        metadata = {"segmenter": segmenter, "classes": ",".join(self.classes)}
        self.checkpoints = Checkpoints(folder.path, metadata)
        fabric.seed_everything(seed, verbose=False)
        weights = config.pretrained.get(segmenter)
        pretrained = Path(weights) if weights else None
        model = Segmenter(segmenter, len(self.classes), *color_statistics(train), pretrained).train()
        optimizer = create_optimizer(model, config.optimizer, config.learning_rate, config.weight_decay)
        self.model, self.optimizer = fabric.setup(model, optimizer)
        self.model.mark_forward_method("all_logits")
        self.random_crop = RandomCrop(config.geometry, config.crop)
        self.step = 0
        if self.checkpoints.exist():
            folder.check_same_data()
            self._resume()

    def run(self) -> npt.NDArray[np.int64]:
        """Train to the last step, test, and write the result.

        Returns:
            The confusion matrix of the test pairs, true class by predicted class.
        """
        config, folder = self.config, self.folder.path
        write_run_record(folder, self.folder.recipe, config.device, self.folder.data)
        tests = LossTable(folder / TEST_FILE, self.step)
        batches = self._batches()
        title = f"{self.segmenter} on {folder.parent.name}, seed {self.seed}"
        with (
            TrainingLog(folder, self.step) as log,
            tqdm(total=config.steps, initial=self.step, desc=title, unit="step", disable=None) as bar,
        ):
            while self.step < config.steps:
                loss = self.train_step(next(batches))
                bar.update()
                if self.step % LOG_EVERY == 0 or self.step == config.steps:
                    log.losses(self.step, {"cross_entropy": loss})
                    bar.set_postfix(loss=f"{loss:.3f}")
                every = config.test_every
                if every and self.step % every == 0 and self.step < config.steps:
                    self._note(tests, log, self.measure())
                if self.step % config.checkpoint_every == 0 or self.step == config.steps:
                    log.flush()
                    self.save()
            confusion = self.measure()
            self._note(tests, log, confusion)
        self.draw()
        self.folder.write_result(confusion)
        return confusion

    def train_step(self, windows: Tensor) -> float:
        """Take one optimizer step on a batch of windows (B, 7, S, S) uint8, and return the loss.

        Raises:
            ValueError: The loss is not finite.
        """
        config, fabric = self.config, self.fabric
        rate = config.learning_rate * learning_rate_factor(self.step, config.steps, config.warmup_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        generator = batch_generator(self.seed, self.step, VARIATION)
        sample = to_batch(self.random_crop.cut(windows.to(fabric.device), generator))
        # Dropout and drop path use the global generator. Seeded by step, a resumed run draws the same.
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
        """Test the current weights, and return the confusion matrix of all test pairs."""
        self.model.eval()
        device = self.fabric.device
        confusion = count_confusions(self.model, self.test.scenes, len(self.classes), device, self.evaluation)
        self.model.train()
        return confusion

    def draw(self) -> None:
        """Draw the predictions of the current weights for some test pairs."""
        self.model.eval()
        picture = draw_predictions(self.model, self.test.scenes, self.fabric.device, self.evaluation)
        self.model.train()
        with replacing(self.folder.path / PICTURE_FILE) as temporary:
            write_image(temporary, picture)

    def save(self) -> None:
        self.checkpoints.save_weights(self.model.module, LAST_FILE, self.step)
        state = {"model": self.model.module.state_dict(), "optimizer": self.optimizer.state_dict()}
        self.checkpoints.save_state({**state, "step": self.step})

    def _batches(self) -> Iterator[Tensor]:
        config = self.config
        side = self.random_crop.window_size()
        windows = RandomWindows(
            [self.train], [1.0], side, config.object_share, config.batch_size, self.seed, self.step
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
