"""Downstream segmentation: segmenters retrained on each method's fused images, and compared."""
