"""Pictures of training batches: what the network is given, should learn, and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from psfusion_core.fusion.compose import overlay, replace_luma
from psfusion_core.fusion.contact_sheet import side_by_side, stack
from psfusion_core.models.classes import colorize
from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.models.luma import luma
from psfusion_core.training.data.planes import IGNORE, Sample
from psfusion_core.training.feed import Feed
from psfusion_core.training.losses.blend import blend_target
from psfusion_core.training.targets import binary_target, boundary_target
from psfusion_core.training.training_config import TrainConfig

Image = npt.NDArray[np.uint8]

IGNORED_COLOR = (128, 128, 128)
"""Of pixels whose class is not known; no class has a grey."""

MINIMUM_WIDTH = 160
"""Of a column, pixels, so that captions do not run into each other: smaller images are enlarged."""


def first_batch(config: TrainConfig) -> tuple[Sample, dict[str, Tensor]]:
    """Make the first batch of a run, and the pictures beside its targets that ``--inspect`` draws."""
    feed = Feed(config, torch.device("cpu"))
    seen, reference = feed.vary(next(feed.windows()), 0)
    pictures = {"compared: visible": reference.visible, "compared: infrared": reference.infrared}
    if config.objective == "blend":
        pictures["brightness to reach"] = blend_target(luma(reference.visible), reference.infrared)
    return seen, pictures


def draw_batch(sample: Sample, extra: Mapping[str, Tensor] | None = None) -> Image:
    """Draw a batch with every target: a row an item, a column a target, captions above.

    Columns: visible, infrared, classes, weight, binary, boundary, salient, then `extra`. Pixels of unknown
    class are mid grey in classes, binary and boundary. Weights go from black, 0, through purple and orange to
    light yellow, the largest of the batch or 1; the caption tells it.

    Args:
        sample: of B items, on any device.
        extra: caption to images (B, 1, H, W) or (B, 3, H, W) in [0, 1], such as the intensity target.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    sample = Sample(*(tensor.detach().cpu() for tensor in sample))
    top = max(1.0, float(sample.weight.max()))
    columns = {
        "visible": _images(sample.visible),
        "infrared": _images(sample.infrared),
        "classes": _classes(sample.label),
        f"weight 0 to {top:.2f}": _heat(sample.weight / top),
        "binary": _flags(binary_target(sample.label)),
        "boundary": _flags(boundary_target(sample.label)),
        "salient": _images(sample.salient),
    }
    columns.update({caption: _images(images) for caption, images in (extra or {}).items()})
    return _draw_columns(columns)


def draw_output(sample: Sample, output: FusionOutput, count: int = 4) -> Image:
    """Draw what a network makes of the first `count` items: a row each.

    Columns: visible, infrared, fused (with the colours of the visible image), predicted (classes over the
    fused image), target (classes, mid grey where unknown).

    Returns:
        (h, w, 3) uint8 RGB.
    """
    sample = Sample(*(tensor[:count].detach().cpu() for tensor in sample))
    luma = output.fused[:count].detach().float().cpu()
    labels = output.semantic[:count].detach().argmax(dim=1).cpu().numpy()
    fused = _images(replace_luma(sample.visible.float(), luma))
    return _draw_columns(
        {
            "visible": _images(sample.visible),
            "infrared": _images(sample.infrared),
            "fused": fused,
            "predicted": [overlay(image, label) for image, label in zip(fused, labels, strict=True)],
            "target": _classes(sample.label),
        }
    )


def _draw_columns(columns: Mapping[str, Sequence[Image]]) -> Image:
    tall = {caption: stack([_enlarge(image) for image in images]) for caption, images in columns.items()}
    height, width = next(iter(tall.values())).shape[:2]
    return side_by_side(tall, width, height)


def _enlarge(image: Image) -> Image:
    """Repeat whole pixels: the colours of classes must not mix."""
    times = -(-MINIMUM_WIDTH // image.shape[1])
    return image.repeat(times, axis=0).repeat(times, axis=1)


def _images(images: Tensor) -> list[Image]:
    """Turn (B, 1 or 3, H, W) in [0, 1] into (H, W, 3) uint8 each."""
    levels = (images.detach().cpu().float().clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)
    return list(levels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy())


def _classes(labels: Tensor) -> list[Image]:
    return [_grey_where_unknown(colorize(label), label) for label in labels.numpy()]


def _flags(labels: Tensor) -> list[Image]:
    """Draw 1 white, 0 black."""
    white = _images((labels == 1).unsqueeze(1))
    return [_grey_where_unknown(image, label) for image, label in zip(white, labels.numpy(), strict=True)]


def _grey_where_unknown(image: Image, label: npt.NDArray[np.integer]) -> Image:
    image[label == IGNORE] = IGNORED_COLOR
    return image


def _heat(weights: Tensor) -> list[Image]:
    greys = _images(weights.unsqueeze(1))
    return [cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.uint8) for grey in greys]
