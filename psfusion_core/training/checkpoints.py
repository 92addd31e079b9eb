"""The checkpoints of a training run: the state to resume from, and the weights to use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from psfusion_core.base.atomic_file import replacing
from psfusion_core.models.weight_files import save_weights

STATE_FILE = "state.pt"
LAST_FILE = "last.safetensors"
BEST_FILE = "best.safetensors"


class Checkpoints:
    """The checkpoints in the folder of a run; each file is replaced as a whole.

    Files of weights also store the metadata.
    """

    def __init__(self, folder: Path, metadata: dict[str, str]) -> None:
        self.folder, self.metadata = folder, metadata

    def exist(self) -> bool:
        return (self.folder / STATE_FILE).exists()

    def save_state(self, state: dict[str, Any]) -> None:
        """Write the state that a resumed run needs; an interrupted write leaves the previous file."""
        with replacing(self.folder / STATE_FILE) as temporary:
            torch.save(state, temporary)

    def load_state(self, device: torch.device) -> dict[str, Any]:
        """Read the state that :meth:`save_state` wrote, without running pickled code."""
        state: dict[str, Any] = torch.load(self.folder / STATE_FILE, map_location=device, weights_only=True)
        return state

    def save_weights(self, model: nn.Module, name: str, step: int) -> None:
        """Write the weights of a network in fp16, with the number of steps."""
        save_weights(model, self.folder / name, {**self.metadata, "steps": str(step)})
