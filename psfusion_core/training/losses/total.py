"""What training minimises: an objective's terms and their weighted sum."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.training.data.planes import Sample
from psfusion_core.training.losses.blend import blend_terms
from psfusion_core.training.losses.paper import paper_terms
from psfusion_core.training.training_config import LossConfig

Objective = Callable[[FusionOutput, Sample], dict[str, Tensor]]

OBJECTIVES: dict[str, Objective] = {"blend": blend_terms, "paper": paper_terms}
"""By name: network output and what to compare it with -> unweighted terms, named as in ``LossConfig``."""


def total_loss(terms: dict[str, Tensor], weights: LossConfig) -> Tensor:
    """Sum the terms by their configured weights."""
    return sum((getattr(weights, name) * term for name, term in terms.items()), start=terms["semantic"] * 0.0)
