"""The training loop.

Data flow in this order: sources -> windows -> crops -> camera variation -> network -> loss terms -> gradients
-> optimizer step. The path up to the network is in :mod:`psfusion_core.training.training_batches`.
"""

from __future__ import annotations

import copy
import math
import time
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.training.checkpoints import BEST_FILE, LAST_FILE, Checkpoints
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.scene_planes import Batch
from psfusion_core.training.data_parallel import check_same_step, create_fabric
from psfusion_core.training.losses.objective import loss_terms, total_loss
from psfusion_core.training.optimization import (
    average_decay,
    create_optimizer,
    learning_rate_factor,
    update_average,
)
from psfusion_core.training.provenance import write_run_record
from psfusion_core.training.recipe import to_mapping
from psfusion_core.training.resume_check import check_same_data, check_same_recipe
from psfusion_core.training.starting_network import create_network
from psfusion_core.training.training_batches import TrainingBatches
from psfusion_core.training.training_config import TrainConfig
from psfusion_core.training.training_log import TrainingLog
from psfusion_core.training.validation import Validation

LOG_EVERY = 10


class Trainer:
    """One run in one folder; starting again in the same folder continues the run.

    Under ``torchrun`` every process trains on its own batches, and gradients are averaged.

    Args:
        config: The recipe. The folder ``config.output`` receives ``config.yaml``, ``runs.jsonl`` (versions,
            data and git revision of each start), ``losses.csv``, TensorBoard events, ``state.pt`` (everything
            that a resumed run needs), ``last.safetensors`` and ``best.safetensors`` (averaged weights, fp16).

    Raises:
        ConfigError: The folder contains a run with a different recipe.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        folder = Path(config.output)
        folder.mkdir(parents=True, exist_ok=True)
        class_names = LABEL_SETS[config.labels]
        self.checkpoints = Checkpoints(folder, {"model": config.model, "classes": ",".join(class_names)})
        resumes = self.checkpoints.exist()
        if resumes:
            check_same_recipe(folder, config)
        if config.threads:
            torch.set_num_threads(config.threads)
        self.fabric = fabric = create_fabric(config.device, config.precision)
        fabric.seed_everything(config.seed, verbose=False)
        model = create_network(config, len(class_names), resumes)
        self.average = copy.deepcopy(model).requires_grad_(False).eval().to(fabric.device)
        if fabric.world_size > 1 and fabric.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        optimizer = create_optimizer(model, config.optimizer, config.learning_rate, config.weight_decay)
        self.model, self.optimizer = fabric.setup(model, optimizer)
        self.step = 0
        self.best: float | None = None
        self.seen: Batch | None = None
        if resumes:
            self._resume()
        check_same_step(fabric, self.step)
        self.batches = TrainingBatches(config, fabric.device, fabric.world_size)
        if self.step:
            check_same_data(folder, config, self.batches.source_summaries)
        self.validation = Validation(config, fabric.device) if config.validation.path else None

    def run(self) -> None:
        """Train up to ``config.steps``; save every ``config.checkpoint_every`` steps and at the end."""
        config, fabric, folder = self.config, self.fabric, self.checkpoints.folder
        if self.step >= config.steps:
            fabric.print(f"{folder} already has all {config.steps} steps: increase steps to continue")
            return
        windows = self.batches.windows(first_batch=self._batch_number(0))
        leads = fabric.is_global_zero
        if leads:
            write_run_record(folder, to_mapping(config), config.device, self.batches.source_summaries)
        with (
            TrainingLog(folder, self.step) if leads else nullcontext() as log,
            tqdm(
                total=config.steps, initial=self.step, desc="training", unit="step", disable=not leads or None
            ) as bar,
        ):
            while self.step < config.steps:
                started = time.perf_counter()
                terms, values = self.train_step([next(windows) for _ in range(config.accumulate)])
                bar.update()
                if self.step % LOG_EVERY == 0 or self.step == config.steps:
                    terms = {name: torch.as_tensor(fabric.all_reduce(term)) for name, term in terms.items()}
                    bar.set_postfix({name: f"{float(term):.3f}" for name, term in terms.items()})
                    values["steps_per_second"] = 1.0 / (time.perf_counter() - started)
                    if log is not None:
                        log.losses(self.step, {**terms, "total": total_loss(terms, config.loss)})
                        log.scalars(self.step, values)
                if log is not None:
                    self._validate_draw_and_save(log)
        fabric.barrier()
        weights = folder / LAST_FILE
        fabric.print(f"written: {weights}; try it: psfusion fuse --weights {weights} ...")

    def train_step(self, windows: list[Tensor]) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Take one optimizer step on several batches of windows, whose gradients accumulate.

        Returns:
            A tuple: unweighted loss terms, averaged over the batches; learning rate and gradient norm.

        Raises:
            ValueError: The loss is not finite.
        """
        config = self.config
        rate = config.learning_rate * learning_rate_factor(self.step, config.steps, config.warmup_steps)
        for group in self.optimizer.param_groups:
            group["lr"], group["weight_decay"] = rate, config.weight_decay
        means: dict[str, Tensor] = {}
        for index, batch_windows in enumerate(windows):
            # The network sees `seen`; the losses compare its output with `reference`.
            seen, reference = self.batches.augment(batch_windows, self._batch_number(index))
            is_last = index == len(windows) - 1
            with flushed_denormals(), self.fabric.no_backward_sync(self.model, enabled=not is_last):
                output = self.model(seen.visible, seen.infrared)
                terms = loss_terms(config.objective, output, reference)
                self.fabric.backward(total_loss(terms, config.loss) / len(windows))
            for name, term in terms.items():
                means[name] = term.detach() / len(windows) + means.get(name, 0.0)
        limit = config.gradient_clip or math.inf
        norm = float(
            self.fabric.clip_gradients(  # type: ignore[arg-type]
                self.model, self.optimizer, max_norm=limit, error_if_nonfinite=False
            )
        )
        loss = float(total_loss(means, config.loss))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise ValueError(
                f"expected a finite loss and gradient norm at step {self.step}, got {loss} and {norm}: "
                "lower learning_rate"
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        update_average(self.average, self.model.module, average_decay(self.step, config.ema_decay))
        self.seen = seen
        return means, {"learning_rate": rate, "gradient_norm": norm}

    def _batch_number(self, index: int) -> int:
        """Global number of this process's `index`-th batch in the current step."""
        fabric = self.fabric
        return (self.step * self.config.accumulate + index) * fabric.world_size + fabric.global_rank

    def _validate_draw_and_save(self, log: TrainingLog) -> None:
        """Validate, draw and save if the recipe asks for it at this step."""
        config, step = self.config, self.step
        at_end = step == config.steps
        if self.validation and (at_end or step % config.validate_every == 0):
            metrics = self.validation.measure(self.average)
            log.scalars(step, {f"validation/{name}": value for name, value in metrics.items()})
            if self.validation.is_better(metrics, self.best):
                self.best = metrics[config.best_by]
                self.checkpoints.save_weights(self.average, BEST_FILE, step)
        if step % config.pictures_every == 0 and self.seen is not None:
            with torch.no_grad():
                log.pictures(step, self.seen, self.average(self.seen.visible, self.seen.infrared))
        if at_end or step % config.checkpoint_every == 0:
            log.flush()
            self.save()

    def save(self) -> None:
        """Write the averaged weights, and the state that a resumed run needs."""
        # Weights first, so that the state of a step never exists without its weights.
        self.checkpoints.save_weights(self.average, LAST_FILE, self.step)
        self.checkpoints.save_state(
            {
                "model": self.model.module.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "best": self.best,
                "judged_by": self._best_measure(),
            }
        )

    def _best_measure(self) -> str:
        """Describe the measure of the best weights; if it changes, the best score is reset."""
        config = self.config
        return f"{config.best_by}, {config.validation}, {config.objective}, {config.loss}"

    def _resume(self) -> None:
        state = self.checkpoints.load_state(self.fabric.device)
        self.model.module.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.best = state["best"] if state["judged_by"] == self._best_measure() else None
