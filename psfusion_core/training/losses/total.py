"""The weighted sum that training minimises."""

from __future__ import annotations

from torch import Tensor

from psfusion_core.color import luma
from psfusion_core.models.output import FusionOutput
from psfusion_core.training.config import LossConfig
from psfusion_core.training.dataset import Sample
from psfusion_core.training.losses.fusion import correlation_loss, gradient_loss, intensity_loss
from psfusion_core.training.losses.reconstruction import reconstruction_loss
from psfusion_core.training.losses.semantic import (
    BINARY_POSITIVE_WEIGHTS,
    hard_example_cross_entropy,
    one_hot_cross_entropy,
)
from psfusion_core.training.targets import binary_target, boundary_target


def loss_terms(output: FusionOutput, sample: Sample) -> dict[str, Tensor]:
    """Compute every term, unweighted, under the names of :class:`LossConfig`."""
    visible, infrared = luma(sample.visible), sample.infrared
    return {
        "semantic": hard_example_cross_entropy(output.semantic, sample.label),
        "binary": one_hot_cross_entropy(output.binary, binary_target(sample.label), BINARY_POSITIVE_WEIGHTS),
        "boundary": one_hot_cross_entropy(output.boundary, boundary_target(sample.label)),
        "correlation": correlation_loss(output.fused, visible, infrared),
        "gradient": gradient_loss(output.fused, visible, infrared),
        "intensity": intensity_loss(output.fused, visible, infrared),
        "reconstruction": reconstruction_loss(output.visible, visible)
        + reconstruction_loss(output.infrared, infrared),
    }


def total_loss(terms: dict[str, Tensor], weights: LossConfig) -> Tensor:
    """Sum the terms by their configured weights."""
    return sum((getattr(weights, name) * term for name, term in terms.items()), start=terms["semantic"] * 0.0)
