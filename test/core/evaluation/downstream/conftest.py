"""Small simulated drives, and recipes whose runs take seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from psfusion_core.evaluation.downstream.downstream_config import DownstreamConfig, DrivesConfig
from psfusion_core.evaluation.downstream.simulated_drives import render_drives
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.training_config import SourceConfig

DRIVES = DrivesConfig(train_streets=2, test_streets=2, frames=2, height=96, width=128)

Sources = tuple[FolderSource, FolderSource]


@pytest.fixture(scope="session")
def drives(tmp_path_factory: pytest.TempPathFactory) -> tuple[SourceConfig, SourceConfig]:
    """Training and test pairs of a night and a day street each, on disk."""
    return render_drives(DRIVES, tmp_path_factory.mktemp("drives"))


@pytest.fixture
def sources(drives: tuple[SourceConfig, SourceConfig]) -> Sources:
    """The same in memory."""
    train, test = drives
    return FolderSource(train, "msrs"), FolderSource(test, "msrs")


@pytest.fixture
def small(drives: tuple[SourceConfig, SourceConfig], tmp_path: Path) -> Callable[..., DownstreamConfig]:
    """Make the recipe of a comparison that takes seconds."""

    def make(**changes: object) -> DownstreamConfig:
        settings: dict[str, object] = {
            "output": str(tmp_path / "comparison"), "inputs": ["visible", "infrared"],
            "segmenters": ["segnext_tiny"], "seeds": [0], "train": drives[0], "test": drives[1], "steps": 4,
            "batch_size": 2, "crop": 64, "warmup_steps": 0, "checkpoint_every": 2, "device": "cpu",
        }  # fmt: skip
        return DownstreamConfig(**{**settings, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture(autouse=True)
def one_thread() -> object:
    """Sums in one order, so that two runs can be compared to the bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
