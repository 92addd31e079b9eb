"""All fusion metrics under their names in the field, by protocol."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from . import tang2022, tang2023
from .contrast import average_gradient, spatial_frequency, standard_deviation
from .edge_preservation import qabf
from .error_level import mse, psnr
from .feature_information import fmi
from .fusion_artefacts import nabf
from .information import entropy, mutual_information
from .linear_correlation import correlation, scd
from .luma_input import LumaImage
from .metric import Metric
from .structural_similarity import ms_ssim, ssim
from .visual_fidelity import vif

_METRICS = (
    Metric("EN", "entropy, bits", entropy, compares=False),
    Metric("SD", "standard deviation, 0-255 scale", standard_deviation, compares=False),
    Metric("SF", "spatial frequency, 0-255 scale", spatial_frequency, compares=False),
    Metric("AG", "average gradient, 0-255 scale", average_gradient, compares=False),
    Metric("MI", "mutual information, bits, sum over both sources", mutual_information),
    Metric("SCD", "sum of the correlations of differences", scd),
    Metric("CC", "correlation coefficient, mean over both sources", correlation),
    Metric("VIF", "visual information fidelity, sum over both sources", vif),
    Metric("Qabf", "edge preservation", qabf),
    Metric("SSIM", "structural similarity, mean over both sources", ssim),
    Metric("MS-SSIM", "multi-scale structural similarity, mean over both sources", ms_ssim),
    Metric("Nabf", "fusion artefacts, Kumar's modified measure", nabf, larger_is_better=False),
    Metric("PSNR", "peak signal-to-noise ratio of the mean error to both sources, dB", psnr),
    Metric("MSE", "mean squared error, mean over both sources, 0-255 scale", mse, larger_is_better=False),
    Metric("FMI", "feature mutual information of grey levels, mean over both sources", fmi, is_fast=False),
)
#: Every metric by its name, in the order of tables.
FUSION_METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}


def _with(deviations: Iterable[Metric]) -> dict[str, Metric]:
    replaced = {metric.name: metric for metric in deviations}
    return {name: replaced.get(name, metric) for name, metric in FUSION_METRICS.items() if name != "FMI"}


#: The metrics of every protocol by name: "standard" is `FUSION_METRICS`, the others reproduce old tables.
PROTOCOLS: dict[str, dict[str, Metric]] = {
    "standard": FUSION_METRICS,
    "tang2022": _with(tang2022.DEVIATIONS),
    "tang2023": _with(tang2023.DEVIATIONS),
}


def evaluate_triple(
    fused: LumaImage,
    visible: LumaImage,
    infrared: LumaImage,
    metrics: Iterable[str] | None = None,
    protocol: str = "standard",
) -> dict[str, float]:
    """Return metrics of one fused image and its sources by name, in the order of tables.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 17; 44 for the MS-SSIM of
            the protocols "tang2022" and "tang2023".
        metrics: Names of `FUSION_METRICS`; all fast ones by default.
        protocol: A name of `PROTOCOLS`, which says whose definitions to use.

    Raises:
        ValueError: An image is not such an image, sizes differ, or a name is unknown.
    """
    return {metric.name: metric(fused, visible, infrared) for metric in choose_metrics(metrics, protocol)}


def evaluate_batch(
    fused: Tensor,
    visible: Tensor,
    infrared: Tensor,
    metrics: Iterable[str] | None = None,
    protocol: str = "standard",
) -> dict[str, Tensor]:
    """Return `evaluate_triple` of B fused images and their sources, computed together.

    Args:
        fused, visible, infrared: (B, H, W) uint8 luma of one size on one device, which must compute in
            doubles; H and W as in `evaluate_triple`.
        metrics: Names of `FUSION_METRICS`; all fast ones by default.
        protocol: A name of `PROTOCOLS`, which says whose definitions to use.

    Returns:
        (B,) float64 tensors on the device of the images.

    Raises:
        ValueError: An image is not such a tensor, sizes or devices differ, or a name is unknown.
    """
    return {metric.name: metric(fused, visible, infrared) for metric in choose_metrics(metrics, protocol)}


def choose_metrics(metrics: Iterable[str] | None = None, protocol: str = "standard") -> list[Metric]:
    """Return the metrics that `evaluate_triple` computes with these arguments, in the order of tables.

    Raises:
        ValueError: A name is unknown.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {', '.join(PROTOCOLS)}, got {protocol!r}")
    known = PROTOCOLS[protocol]
    if metrics is None:
        return [metric for metric in known.values() if metric.is_fast]
    wanted = set(metrics)
    if unknown := sorted(wanted - set(known)):
        raise ValueError(
            f"metrics must be of {', '.join(known)} in protocol {protocol!r}, got {', '.join(unknown)}"
        )
    return [metric for metric in known.values() if metric.name in wanted]
