"""The training loop: endless crops, one network, averaged weights, checkpoints that resume exactly."""

from __future__ import annotations

import copy
import math
import time
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.models.checkpoint import load_weights
from psfusion_core.models.networks import create_model, find_weights
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.planes import Sample
from psfusion_core.training.feed import Feed
from psfusion_core.training.freezing import freeze
from psfusion_core.training.losses.total import OBJECTIVES, total_loss
from psfusion_core.training.optimization import (
    average_decay,
    create_optimizer,
    learning_rate_factor,
    update_average,
)
from psfusion_core.training.pretrained import load_imagenet
from psfusion_core.training.recipe import ConfigError, to_mapping
from psfusion_core.training.resuming import check_same_data, check_same_recipe
from psfusion_core.training.run_checkpoints import BEST_FILE, LAST_FILE, Checkpoints
from psfusion_core.training.run_log import TrainingLog
from psfusion_core.training.run_record import write_run_record
from psfusion_core.training.training_config import TrainConfig
from psfusion_core.training.training_processes import connect
from psfusion_core.training.validation import Validation

LOG_EVERY = 10


class Trainer:
    """One run in one folder; starting it again in the same folder continues it.

    Under ``torchrun`` every process trains on batches of its own, and gradients are averaged.

    Args:
        config: see :class:`TrainConfig`. ``config.output`` receives ``config.yaml``, ``runs.jsonl``
            (versions, data and revision of each start), ``losses.csv``, TensorBoard events, ``state.pt``
            (everything needed to continue), ``last.safetensors`` and ``best.safetensors`` (averaged weights,
            fp16).

    Raises:
        ConfigError: the folder has a run of another recipe.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        folder = Path(config.output)
        folder.mkdir(parents=True, exist_ok=True)
        self.class_names = LABEL_SETS[config.labels]
        metadata = {"model": config.model, "classes": ",".join(self.class_names)}
        self.checkpoints = Checkpoints(folder, metadata)
        if self.checkpoints.exist():
            check_same_recipe(folder, config)
        if config.threads:
            torch.set_num_threads(config.threads)
        self.fabric = connect(config.device, config.precision)
        self.fabric.seed_everything(config.seed, verbose=False)
        model = self._create_model().train()
        freeze(model, config.frozen)
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(model).requires_grad_(False).eval().to(self.fabric.device)
        if self.fabric.world_size > 1 and self.fabric.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        optimizer = create_optimizer(model, config.optimizer, config.learning_rate, config.weight_decay)
        self.model, self.optimizer = self.fabric.setup(model, optimizer)
        self.objective = OBJECTIVES[config.objective]
        self.step = 0
        self.best: float | None = None
        self.seen: Sample | None = None
        if self.checkpoints.exist():
            self._resume()
        self._check_same_step()
        self.feed = Feed(config, self.fabric.device, self.fabric.world_size)
        if self.step:
            check_same_data(folder, config, self.feed.summary)
        self.validation = Validation(config, self.fabric.device) if config.validation.path else None

    def _create_model(self) -> nn.Module:
        config = self.config
        model = create_model(config.model, len(self.class_names), weights=None)
        if self.checkpoints.exist():
            return model
        if config.initial_weights:
            load_weights(model, find_weights(config.model, config.initial_weights))
        elif config.pretrained:
            load_imagenet(model)
        return model

    def run(self) -> None:
        """Train up to ``config.steps``, saving every ``config.checkpoint_every`` steps and at the end."""
        config, fabric = self.config, self.fabric
        folder = self.checkpoints.folder
        if self.step >= config.steps:
            fabric.print(f"{folder} has its {config.steps} steps: raise steps to train on")
            return
        windows = self.feed.windows(self._batch_number(0), fabric.world_size)
        with ExitStack() as stack:
            log = None
            if fabric.is_global_zero:
                write_run_record(folder, to_mapping(config), config.device, self.feed.summary)
                log = stack.enter_context(TrainingLog(folder, self.step))
            bar = tqdm(
                total=config.steps,
                initial=self.step,
                desc="training",
                unit="step",
                disable=not fabric.is_global_zero or None,
            )
            stack.enter_context(bar)
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
                    self._keep(log)
        fabric.barrier()
        weights = folder / LAST_FILE
        fabric.print(f"written: {weights}; try it: psfusion fuse --weights {weights} ...")

    def train_step(self, batches: list[Tensor]) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Take one optimizer step on several batches of windows.

        Returns:
            The unweighted loss terms, averaged over the batches; the learning rate and the gradient's norm.

        Raises:
            ValueError: the loss is not finite.
        """
        config, fabric = self.config, self.fabric
        rate = config.learning_rate * learning_rate_factor(self.step, config.steps, config.warmup_steps)
        for group in self.optimizer.param_groups:
            group["lr"], group["weight_decay"] = rate, config.weight_decay
        means: dict[str, Tensor] = {}
        for index, windows in enumerate(batches):
            seen, reference = self.feed.vary(windows, self._batch_number(index))
            more_to_come = index < len(batches) - 1
            with flushed_denormals(), fabric.no_backward_sync(self.model, enabled=more_to_come):
                terms = self.objective(self.model(seen.visible, seen.infrared), reference)
                fabric.backward(total_loss(terms, config.loss) / len(batches))
            for name, term in terms.items():
                means[name] = term.detach() / len(batches) + means.get(name, 0.0)
        norm = fabric.clip_gradients(
            self.model, self.optimizer, max_norm=config.gradient_clip or math.inf, error_if_nonfinite=False
        )
        loss = float(total_loss(means, config.loss))
        if not (math.isfinite(loss) and math.isfinite(float(norm))):  # type: ignore[arg-type]
            raise ValueError(
                f"the loss became {loss} and the gradient {float(norm)} at step {self.step}: "  # type: ignore[arg-type]
                "lower learning_rate"
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        update_average(self.average, self.model.module, average_decay(self.step, config.ema_decay))
        self.seen = seen
        return means, {"learning_rate": rate, "gradient_norm": float(norm)}  # type: ignore[arg-type]

    def _batch_number(self, index: int) -> int:
        fabric = self.fabric
        return (self.step * self.config.accumulate + index) * fabric.world_size + fabric.global_rank

    def _keep(self, log: TrainingLog) -> None:
        """Validate, draw and save where the step asks for it."""
        config, step = self.config, self.step
        at_end = step == config.steps
        if self.validation and (at_end or step % config.validate_every == 0):
            metrics = self.validation.measure(self.average)
            log.scalars(step, {f"validation/{name}": value for name, value in metrics.items()})
            if self.validation.is_better(metrics, self.best):
                self.best = metrics[config.best_by]
                self.checkpoints.save_weights(self.average, BEST_FILE, step)
        if step % config.pictures_every == 0 and self.seen is not None:
            self._draw(log, self.seen)
        if at_end or step % config.checkpoint_every == 0:
            log.flush()
            self.save()

    @torch.no_grad()
    def _draw(self, log: TrainingLog, seen: Sample) -> None:
        log.pictures(self.step, seen, self.average(seen.visible, seen.infrared))

    def save(self) -> None:
        """Write the state to continue from, and the averaged weights."""
        # Weights first: who finds the state of the last step finds its weights too.
        self.checkpoints.save_weights(self.average, LAST_FILE, self.step)
        self.checkpoints.save_state(
            {
                "model": self.model.module.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "best": self.best,
                "judged_by": self._judged_by(),
            }
        )

    def _judged_by(self) -> str:
        """What the best weights are best at; with another measure the search starts anew."""
        config = self.config
        return f"{config.best_by}, {config.validation}, {config.objective}, {config.loss}"

    def _resume(self) -> None:
        state = self.checkpoints.load_state(self.fabric.device)
        self.model.module.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.best = state["best"] if state["judged_by"] == self._judged_by() else None

    def _check_same_step(self) -> None:
        """Raise ConfigError where the processes do not find the same checkpoint."""
        steps = torch.as_tensor(self.fabric.all_gather(torch.tensor(self.step))).flatten().tolist()
        if len(set(steps)) > 1:
            raise ConfigError(
                f"the processes found checkpoints of steps {steps}: output must be one shared folder"
            )
