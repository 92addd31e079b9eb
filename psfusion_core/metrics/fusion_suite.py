"""All fusion metrics under their names in the field."""

from __future__ import annotations

from collections.abc import Callable

from .contrast import average_gradient, spatial_frequency, standard_deviation
from .edge_preservation import qabf
from .information import entropy, mutual_information
from .linear_correlation import correlation, scd
from .luma_input import LumaImage
from .structural_similarity import ssim
from .visual_fidelity import vif

FusionMetric = Callable[[LumaImage, LumaImage, LumaImage], float]


def _of_fused_alone(metric: Callable[[LumaImage], float]) -> FusionMetric:
    def of_triple(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
        return metric(fused)

    return of_triple


#: Every metric as a function of (fused, visible, infrared); larger is better for all.
FUSION_METRICS: dict[str, FusionMetric] = {
    "EN": _of_fused_alone(entropy),
    "SD": _of_fused_alone(standard_deviation),
    "SF": _of_fused_alone(spatial_frequency),
    "AG": _of_fused_alone(average_gradient),
    "MI": mutual_information,
    "SCD": scd,
    "CC": correlation,
    "VIF": vif,
    "Qabf": qabf,
    "SSIM": ssim,
}


def evaluate_triple(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> dict[str, float]:
    """Return every metric of `FUSION_METRICS` for one fused image and its sources, by name.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 17.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    return {name: metric(fused, visible, infrared) for name, metric in FUSION_METRICS.items()}
