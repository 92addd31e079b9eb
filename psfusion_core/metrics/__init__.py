"""Metrics of image fusion on (H, W) uint8 luma, and of label maps; NumPy doubles, deterministic, no torch.

Luma is Y = .299 R + .587 G + .114 B rounded half up in exact arithmetic; an infrared image is its
single channel.
"""

from .contrast import average_gradient, spatial_frequency, standard_deviation
from .edge_preservation import qabf
from .fusion_suite import FUSION_METRICS, evaluate_triple
from .information import entropy, mutual_information
from .linear_correlation import correlation, scd
from .segmentation import class_iou, confusion_matrix, mean_iou
from .structural_similarity import ssim
from .visual_fidelity import vif

__all__ = [
    "FUSION_METRICS",
    "average_gradient",
    "class_iou",
    "confusion_matrix",
    "correlation",
    "entropy",
    "evaluate_triple",
    "mean_iou",
    "mutual_information",
    "qabf",
    "scd",
    "spatial_frequency",
    "ssim",
    "standard_deviation",
    "vif",
]
