"""The node's state on /diagnostics: a status for each input, the pairing, the engine and the outputs."""

from psfusion_ros.diagnostics.publisher import Diagnostics

__all__ = ["Diagnostics"]
