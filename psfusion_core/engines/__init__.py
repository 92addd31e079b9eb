"""Engines: how a network is run."""

from __future__ import annotations

from collections.abc import Callable

from psfusion_core.engines.engine import Engine
from psfusion_core.engines.torch_engine import TorchEngine
from psfusion_core.models import PSFusion, PSFusionLite

__all__ = ["ENGINES", "Engine", "TorchEngine"]

ENGINES: dict[str, Callable[[PSFusion | PSFusionLite, str, str], Engine]] = {"torch": TorchEngine}
"""Makers of engines by name, called with network, device and precision; ``auto`` takes the first."""
