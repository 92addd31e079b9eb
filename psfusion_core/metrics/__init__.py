"""Metrics of image fusion on uint8 luma, and of label maps; deterministic, in double precision.

Every metric of luma images takes (H, W) uint8 NumPy arrays and returns a float, or takes (B, H, W) uint8
tensors on any device that computes in doubles and returns (B,) float64: both run the same code. Luma is
Y = .299 R + .587 G + .114 B rounded half up in exact arithmetic; an infrared image is its single channel.
`FUSION_METRICS` holds the definitions that this project stands by; `PROTOCOLS` adds those of the scripts
behind published tables, which differ (`tang2022`, `tang2023`).
"""

from .box_agreement import BoxAgreement, box_agreement
from .contrast import average_gradient, spatial_frequency, standard_deviation
from .edge_preservation import qabf
from .error_level import mse, psnr
from .feature_information import fmi
from .fusion_artefacts import nabf
from .fusion_suite import FUSION_METRICS, PROTOCOLS, choose_metrics, evaluate_batch, evaluate_triple
from .information import entropy, mutual_information
from .linear_correlation import correlation, scd
from .metric import Metric
from .segmentation import (
    class_accuracy,
    class_iou,
    confusion_matrix,
    mean_class_accuracy,
    mean_iou,
    overall_accuracy,
)
from .structural_similarity import ms_ssim, ssim
from .visual_fidelity import vif

__all__ = [
    "FUSION_METRICS",
    "PROTOCOLS",
    "BoxAgreement",
    "Metric",
    "average_gradient",
    "box_agreement",
    "choose_metrics",
    "class_accuracy",
    "class_iou",
    "confusion_matrix",
    "correlation",
    "entropy",
    "evaluate_batch",
    "evaluate_triple",
    "fmi",
    "mean_class_accuracy",
    "mean_iou",
    "ms_ssim",
    "mse",
    "mutual_information",
    "nabf",
    "overall_accuracy",
    "psnr",
    "qabf",
    "scd",
    "spatial_frequency",
    "ssim",
    "standard_deviation",
    "vif",
]
