"""The training loop: one network, endless crops, EMA weights, checkpoints that resume."""

from __future__ import annotations

import copy
import csv
import math
import os
from pathlib import Path

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.engines.torch_engine import resolve_device
from psfusion_core.models import create_model
from psfusion_core.models.checkpoint import load_weights, save_weights
from psfusion_core.models.psfusion_lite import PSFusionLite
from psfusion_core.training.augment import CameraVariation
from psfusion_core.training.config import TrainConfig
from psfusion_core.training.dataset import RandomCrops, Sample, to_sample
from psfusion_core.training.losses.total import loss_terms, total_loss
from psfusion_core.training.pretrained import load_imagenet

STATE_FILE = "state.pt"
WEIGHTS_FILE = "weights.safetensors"
LOG_FILE = "losses.csv"
LOG_EVERY = 10


def learning_rate_factor(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then polynomial decay with power 0.9; a factor in (0, 1]."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    return float((1.0 - step / (config.steps + 1)) ** 0.9)


class Trainer:
    """One run in one folder; starting it again in the same folder continues it.

    Args:
        config: see :class:`TrainConfig`. ``config.output`` receives ``config.yaml``, ``losses.csv``,
            ``state.pt`` (everything needed to continue) and ``weights.safetensors`` (EMA weights, fp16).
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.folder = Path(config.output)
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        if config.threads:
            torch.set_num_threads(config.threads)
        self.device = resolve_device(config.device)
        self.model = self._create_model().to(self.device).train()
        self.ema = copy.deepcopy(self.model).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.generator = torch.Generator().manual_seed(config.seed)
        self.vary = CameraVariation(self.generator)
        self.step = 0
        if self._has_state():
            self._resume()
        OmegaConf.save(OmegaConf.structured(config), self.folder / "config.yaml")

    def _create_model(self) -> nn.Module:
        config = self.config
        model = create_model(config.model, weights=None)
        if config.initial_weights:
            load_weights(model, config.initial_weights)
        elif config.pretrained and isinstance(model, PSFusionLite) and not self._has_state():
            load_imagenet(model.visible_encoder)
            load_imagenet(model.infrared_encoder)
        return model

    def _has_state(self) -> bool:
        return (self.folder / STATE_FILE).exists()

    def run(self) -> None:
        """Train up to ``config.steps``, saving every ``config.checkpoint_every`` steps and at the end."""
        config = self.config
        if self.step >= config.steps:
            return
        crops = RandomCrops(config.sources, config.crop, config.batch_size, config.seed, self.step)
        bar = tqdm(total=config.steps, initial=self.step, desc="training", unit="step")
        for planes in DataLoader(crops, batch_size=None):
            if self.step >= config.steps:
                break
            with flushed_denormals():
                terms = self.train_step(to_sample(planes.to(self.device)))
            bar.update()
            if self.step % LOG_EVERY == 0:
                self._log(terms)
                bar.set_postfix({name: f"{value.item():.3f}" for name, value in terms.items()})
            if self.step % config.checkpoint_every == 0:
                self.save()
        bar.close()
        self.save()

    def train_step(self, sample: Sample) -> dict[str, Tensor]:
        """Take one optimizer step and return the unweighted loss terms."""
        config = self.config
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(self.step, config)
        varied = self.vary(sample)
        # The targets keep the infrared as it was: the network learns to undo another camera's gain and noise.
        target = varied._replace(infrared=sample.infrared)
        terms = loss_terms(self.model(varied.visible, varied.infrared), target)
        loss = total_loss(terms, config.loss)
        if not math.isfinite(loss.item()):
            raise ValueError(f"the loss became {loss.item()} at step {self.step}: lower learning_rate")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), config.gradient_clip)
        self.optimizer.step()
        self.step += 1
        self._update_ema()
        return {name: term.detach() for name, term in terms.items()}

    @torch.no_grad()
    def _update_ema(self) -> None:
        # A short memory at first, so that the average forgets the random start.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        for average, current in zip(
            self.ema.state_dict().values(), self.model.state_dict().values(), strict=True
        ):
            if average.is_floating_point():
                average.lerp_(current, 1.0 - decay)
            else:
                average.copy_(current)

    def _log(self, terms: dict[str, Tensor]) -> None:
        path = self.folder / LOG_FILE
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(["step", *terms])
            writer.writerow([self.step, *(f"{value.item():.6f}" for value in terms.values())])

    def save(self) -> None:
        """Write the state and the EMA weights; an interrupted write leaves the previous files whole."""
        state = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "step": self.step,
        }
        temporary = self.folder / (STATE_FILE + ".part")
        torch.save(state, temporary)
        os.replace(temporary, self.folder / STATE_FILE)
        metadata = {"model": self.config.model, "steps": str(self.step)}
        save_weights(self.ema, self.folder / WEIGHTS_FILE, metadata)

    def _resume(self) -> None:
        state = torch.load(self.folder / STATE_FILE, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        self.step = state["step"]
        self._forget_log_after(self.step)

    def _forget_log_after(self, step: int) -> None:
        """Drop what a run logged between its last checkpoint and its end: those steps are taken again."""
        path = self.folder / LOG_FILE
        if path.exists():
            header, *rows = path.read_text().splitlines()
            kept = [row for row in rows if int(row.split(",")[0]) <= step]
            path.write_text("\n".join([header, *kept]) + "\n")
