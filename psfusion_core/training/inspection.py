"""Pictures of training batches: the input of the network, its targets and its output."""

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
from psfusion_core.training.data.scene_planes import IGNORE, Batch
from psfusion_core.training.losses.blend import blend_target
from psfusion_core.training.losses.semantic_targets import binary_target, boundary_target
from psfusion_core.training.training_batches import TrainingBatches
from psfusion_core.training.training_config import TrainConfig

Image = npt.NDArray[np.uint8]

IGNORED_COLOR = (128, 128, 128)
"""Colour of pixels whose class is unknown; no class is grey."""

MINIMUM_WIDTH = 160
"""Minimum width of a column, pixels: smaller images are enlarged, so that captions do not overlap."""


def first_batch(config: TrainConfig) -> tuple[Batch, dict[str, Tensor]]:
    """Make the first batch of a run, and the pictures that ``--inspect`` draws beside its targets."""
    batches = TrainingBatches(config, torch.device("cpu"))
    seen, reference = batches.augment(next(batches.windows()), 0)
    pictures = {"compared: visible": reference.visible, "compared: infrared": reference.infrared}
    if config.objective == "blend":
        pictures["brightness to reach"] = blend_target(luma(reference.visible), reference.infrared)
    return seen, pictures


def draw_batch(batch: Batch, extra: Mapping[str, Tensor] | None = None) -> Image:
    """Draw a batch with its targets: one row per item, one column per target, captions above.

    The columns are visible, infrared, classes, weight, binary, boundary, salient, then `extra`. Pixels of
    unknown class are mid grey in classes, binary and boundary. Weight 0 is black; the largest weight of the
    batch, or 1, is light yellow, and the caption tells it.

    Args:
        batch: B items, on any device.
        extra: Images (B, 1, H, W) or (B, 3, H, W) in [0, 1] by caption, such as the intensity target.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    batch = Batch(*(tensor.detach().cpu() for tensor in batch))
    top = max(1.0, float(batch.weight.max()))
    columns = {
        "visible": _images(batch.visible),
        "infrared": _images(batch.infrared),
        "classes": _classes(batch.label),
        f"weight 0 to {top:.2f}": _heat(batch.weight / top),
        "binary": _flags(binary_target(batch.label)),
        "boundary": _flags(boundary_target(batch.label)),
        "salient": _images(batch.salient),
    }
    columns.update({caption: _images(images) for caption, images in (extra or {}).items()})
    return _draw_columns(columns)


def draw_output(batch: Batch, output: FusionOutput, count: int = 4) -> Image:
    """Draw the output of a network for the first `count` items, one row per item.

    The columns are visible, infrared, fused (with the colours of the visible image), predicted (classes over
    the fused image) and target (classes, mid grey if unknown).

    Returns:
        (h, w, 3) uint8 RGB.
    """
    batch = Batch(*(tensor[:count].detach().cpu() for tensor in batch))
    luma = output.fused[:count].detach().float().cpu()
    labels = output.semantic[:count].detach().argmax(dim=1).cpu().numpy()
    fused = _images(replace_luma(batch.visible.float(), luma))
    return _draw_columns(
        {
            "visible": _images(batch.visible),
            "infrared": _images(batch.infrared),
            "fused": fused,
            "predicted": [overlay(image, label) for image, label in zip(fused, labels, strict=True)],
            "target": _classes(batch.label),
        }
    )


def _draw_columns(columns: Mapping[str, Sequence[Image]]) -> Image:
    tall = {caption: stack([_enlarge(image) for image in images]) for caption, images in columns.items()}
    height, width = next(iter(tall.values())).shape[:2]
    return side_by_side(tall, width, height)


def _enlarge(image: Image) -> Image:
    """Repeat whole pixels, so that the colours of classes do not mix."""
    times = -(-MINIMUM_WIDTH // image.shape[1])
    return image.repeat(times, axis=0).repeat(times, axis=1)


def _images(images: Tensor) -> list[Image]:
    """Convert (B, 1 or 3, H, W) in [0, 1] to a list of (H, W, 3) uint8."""
    levels = (images.detach().cpu().float().clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)
    return list(levels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy())


def _classes(labels: Tensor) -> list[Image]:
    return [_grey_where_unknown(colorize(label), label) for label in labels.numpy()]


def _flags(labels: Tensor) -> list[Image]:
    """Draw 1 as white, 0 as black."""
    white = _images((labels == 1).unsqueeze(1))
    return [_grey_where_unknown(image, label) for image, label in zip(white, labels.numpy(), strict=True)]


def _grey_where_unknown(image: Image, label: npt.NDArray[np.integer]) -> Image:
    image[label == IGNORE] = IGNORED_COLOR
    return image


def _heat(weights: Tensor) -> list[Image]:
    greys = _images(weights.unsqueeze(1))
    return [cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.uint8) for grey in greys]
