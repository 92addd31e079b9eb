"""Downstream segmentation: retrains segmenters on each method's fused images and compares them."""
