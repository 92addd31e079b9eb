"""Classification losses on logits (B, C, H, W) against indices (B, H, W); 255 is ignored.

Each pixel has a weight, (B, H, W) >= 0, which says how reliable its label is. With all weights 1 the losses
are those of the paper.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.training.data.scene_planes import IGNORE, Batch
from psfusion_core.training.losses.semantic_targets import binary_target, boundary_target

CONFIDENT = 0.75
LEAST_SHARE = 16
BINARY_POSITIVE_WEIGHTS = (1.4548, 19.8962)


def hard_example_cross_entropy(logits: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """L_sem: mean weighted cross-entropy over the hard pixels.

    Pixels whose true class has a probability below 0.75 are hard, and at least the hardest 1/16 of the
    labelled pixels. Without a labelled pixel the loss is zero, with a gradient.
    """
    known = (label != IGNORE) & (weight > 0)
    losses = F.cross_entropy(logits, label, ignore_index=IGNORE, reduction="none")[known]
    weights = weight[known].to(losses.dtype)
    if losses.numel() == 0:
        return logits.sum() * 0.0
    threshold = -torch.log(torch.tensor(CONFIDENT, device=losses.device))
    least = max(losses.numel() // LEAST_SHARE, 1)
    hardest, places = losses.topk(least)
    if hardest[-1] > threshold:
        hard = losses > threshold
        return (losses[hard] * weights[hard]).mean()
    return (hardest * weights[places]).mean()


def one_hot_cross_entropy(
    logits: Tensor, target: Tensor, weight: Tensor, positive_weights: tuple[float, float] = (1.0, 1.0)
) -> Tensor:
    """L_bi, L_bd: binary cross-entropy of two logit maps against the one-hot target, class 1 the object.

    Args:
        positive_weights: Weight of the positive pixels of each map; for L_bi the paper uses
            ``BINARY_POSITIVE_WEIGHTS``.
    """
    known = ((target != IGNORE) & (weight > 0)).unsqueeze(1)
    if not bool(known.any()):
        return logits.sum() * 0.0
    trust = weight.unsqueeze(1).to(logits.dtype) * known
    one_hot = F.one_hot(target.clamp(max=1), 2).permute(0, 3, 1, 2).to(logits.dtype)
    positive = torch.tensor(positive_weights, device=logits.device, dtype=logits.dtype).view(1, 2, 1, 1)
    losses = F.binary_cross_entropy_with_logits(logits, one_hot, pos_weight=positive, reduction="none")
    return (losses * trust).sum() / (2 * known.sum())


def semantic_terms(output: FusionOutput, batch: Batch) -> dict[str, Tensor]:
    """Compute L_sem, L_bi and L_bd, unweighted, as "semantic", "binary" and "boundary"."""
    label, weight = batch.label, batch.weight
    binary, boundary = binary_target(label), boundary_target(label)
    return {
        "semantic": hard_example_cross_entropy(output.semantic, label, weight),
        "binary": one_hot_cross_entropy(output.binary, binary, weight, BINARY_POSITIVE_WEIGHTS),
        "boundary": one_hot_cross_entropy(output.boundary, boundary, weight),
    }
