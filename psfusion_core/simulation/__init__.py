"""A procedural road scene seen by two aligned cameras, visible and infrared, with true labels."""

from __future__ import annotations

from psfusion_core.simulation.scene import RoadScene, SimulatedFrame

__all__ = ["RoadScene", "SimulatedFrame"]
