"""The training objective: the loss terms and their weighted sum."""

from __future__ import annotations

from torch import Tensor

from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.training.data.scene_planes import Batch
from psfusion_core.training.losses.blend import blend_terms
from psfusion_core.training.losses.paper import paper_terms
from psfusion_core.training.training_config import LossConfig


def loss_terms(objective: str, output: FusionOutput, reference: Batch) -> dict[str, Tensor]:
    """Compute the unweighted terms of an objective, "blend" or "paper", under the names of ``LossConfig``."""
    return paper_terms(output, reference) if objective == "paper" else blend_terms(output, reference)


def total_loss(terms: dict[str, Tensor], weights: LossConfig) -> Tensor:
    """Add up the terms by their weights."""
    return sum((getattr(weights, name) * term for name, term in terms.items()), start=terms["semantic"] * 0.0)
