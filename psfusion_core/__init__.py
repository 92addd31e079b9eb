"""Infrared-visible image fusion with semantic masks: networks, engines, training and metrics, free of ROS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psfusion_core.fusion.fuser import Fuser, FusionResult
    from psfusion_core.models.fusion_output import FusionOutput
    from psfusion_core.models.networks import create_model

__version__ = "0.1.0"
__all__ = ["Fuser", "FusionOutput", "FusionResult", "__version__", "create_model"]

# ONNX Runtime's official builds report to Microsoft unless they are told not to before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOME = {
    "Fuser": "psfusion_core.fusion.fuser",
    "FusionResult": "psfusion_core.fusion.fuser",
    "FusionOutput": "psfusion_core.models.fusion_output",
    "create_model": "psfusion_core.models.networks",
}


def __getattr__(name: str) -> object:
    # PyTorch takes seconds to import: tools that only read images or messages should not wait for it.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
