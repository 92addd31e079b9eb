"""Fusion metrics of whole batches in PyTorch, on any device; definitions as in `psfusion_core.metrics`."""

from .suite import BATCHED_METRICS, evaluate_batch

__all__ = ["BATCHED_METRICS", "evaluate_batch"]
