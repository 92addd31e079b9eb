"""The node's state on /diagnostics: one status each for both inputs, synchronisation, engine and outputs."""

from psfusion_ros.diagnostics.publisher import DiagnosedParts, Diagnostics

__all__ = ["Diagnostics", "DiagnosedParts"]
