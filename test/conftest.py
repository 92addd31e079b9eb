"""Hypothesis without deadlines: a busy machine is no failure."""

from __future__ import annotations

from hypothesis import settings

import psfusion_core  # noqa: F401  # turns the telemetry of ONNX Runtime off before a test loads it

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
