"""The fast fusion metrics of whole batches, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from . import contrast, information
from .edge_preservation import qabf
from .error_level import mse, psnr
from .fusion_artefacts import nabf
from .image_batch import check_batch
from .linear_correlation import correlation, scd
from .structural_similarity import ms_ssim, ssim
from .visual_fidelity import vif

_OF_FUSED: dict[str, Callable[[Tensor], Tensor]] = {
    "EN": information.entropy,
    "SD": contrast.standard_deviation,
    "SF": contrast.spatial_frequency,
    "AG": contrast.average_gradient,
}
_OF_TRIPLE: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "MI": information.mutual_information,
    "SCD": scd,
    "CC": correlation,
    "VIF": vif,
    "Qabf": qabf,
    "SSIM": ssim,
    "MS-SSIM": ms_ssim,
    "Nabf": nabf,
    "PSNR": psnr,
    "MSE": mse,
}
#: Names of the metrics that `evaluate_batch` knows, in the order of tables.
BATCHED_METRICS = (*_OF_FUSED, *_OF_TRIPLE)
_MINIMUM_SIDE = {"SF": 2, "AG": 2, "VIF": 17, "SSIM": 11, "MS-SSIM": 11, "Nabf": 2}


@torch.no_grad()
def evaluate_batch(
    fused: Tensor, visible: Tensor, infrared: Tensor, metrics: Iterable[str] | None = None
) -> dict[str, Tensor]:
    """Return metrics of B fused images and their sources by name, in the order of tables.

    Definitions are the standard ones of `psfusion_core.metrics.FUSION_METRICS`; values agree with those of
    one pair at a time to 1e-9 relative to max(1, |value|). The device must be one that computes in doubles.

    Args:
        fused, visible, infrared: (B, H, W) or (B, 1, H, W) uint8 luma of one size, on one device.
        metrics: names of `BATCHED_METRICS`; all by default, which need H and W of at least 17.

    Returns:
        (B,) float64 tensors on the device of the images.

    Raises:
        ValueError: an image is not such a tensor, sizes or devices differ, or a name is unknown.
    """
    wanted = set(BATCHED_METRICS if metrics is None else metrics)
    if unknown := sorted(wanted - set(BATCHED_METRICS)):
        raise ValueError(
            f"evaluate_batch: metrics must be of {', '.join(BATCHED_METRICS)}, got {', '.join(unknown)}"
        )
    side = max((_MINIMUM_SIDE.get(name, 1) for name in wanted), default=1)
    f, v, r = check_batch(side, fused=fused, visible=visible, infrared=infrared)
    values = {}
    for name in BATCHED_METRICS:
        if name in wanted:
            values[name] = _OF_FUSED[name](f) if name in _OF_FUSED else _OF_TRIPLE[name](f, v, r)
    return values
