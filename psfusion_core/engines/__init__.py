"""Engines: how a network is run."""

from __future__ import annotations

from psfusion_core.engines.engine import Engine
from psfusion_core.engines.torch_engine import TorchEngine

__all__ = ["ENGINES", "Engine", "TorchEngine"]

ENGINES: dict[str, type[TorchEngine]] = {"torch": TorchEngine}
"""Engine classes by name; ``auto`` takes the first."""
