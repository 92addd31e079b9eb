"""Means under a sliding Gaussian window, where the window lies wholly inside the image."""

from __future__ import annotations

import cv2
import numpy as np

from .luma_input import FloatImage


def windowed_mean(image: FloatImage, size: int, sigma: float) -> FloatImage:
    """Return the Gaussian-weighted means of all whole size x size windows.

    Args:
        image: (H, W) float64, H and W at least `size`.
        size: odd side of the window in pixels.
        sigma: standard deviation of the Gaussian in pixels; its weights sum to 1.

    Returns:
        (H - size + 1, W - size + 1) float64.
    """
    kernel = cv2.getGaussianKernel(size, sigma, cv2.CV_64F)
    filtered = np.asarray(cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel), dtype=np.float64)
    margin = size // 2
    height, width = image.shape
    return filtered[margin : height - margin, margin : width - margin]
