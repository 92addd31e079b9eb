"""How well a scene-fidelity head gives its source image back."""

from __future__ import annotations

from kornia.filters import spatial_gradient
from torch import Tensor


def reconstruction_loss(reconstructed: Tensor, reference: Tensor) -> Tensor:
    """L_re = 5 |a - r| + 5 |G a - G r|, G the Sobel gradient; both images (B, 1, H, W) in [0, 1].

    The paper compares second-order Sobel magnitudes; first-order gradients with their sign are enough here.
    """
    intensity = (reconstructed - reference).abs().mean()
    edges = spatial_gradient(reconstructed, "sobel") - spatial_gradient(reference, "sobel")
    return 5.0 * intensity + 5.0 * edges.abs().mean()
