"""From what a network gives to pictures, on the device that fuses; only what is wanted is computed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.models.classes import color_table
from psfusion_core.models.luma import replace_luma
from psfusion_core.registration.infrared_warp import InfraredWarp


def compose(
    wanted: Wanted, color: Tensor, fused: Tensor, logits: Tensor, warp: InfraredWarp | None
) -> list[Tensor | None]:
    """Make the pictures of a network's outputs.

    Args:
        wanted: which ones.
        color: (1, 3, H, W) float32, the visible image.
        fused: (1, 1, H', W') luma, of the padded size.
        logits: (1, num_classes, H', W').
        warp: that laid the infrared on the visible image; where it did not reach, the visible image stays.

    Returns:
        As `Pictures`, on the device.
    """
    height, width = color.shape[-2:]
    image = mask = overlay = None
    if wanted.image or wanted.overlay_opacity is not None:
        image = fused_image(color, fused[..., :height, :width], warp)
    if wanted.mask or wanted.overlay_opacity is not None:
        mask = label_map(logits[0, :, :height, :width])
    if image is not None and mask is not None and wanted.overlay_opacity is not None:
        overlay = tint(image, mask, wanted.overlay_opacity)
    return [image if wanted.image else None, mask if wanted.mask else None, overlay]


def fused_image(color: Tensor, fused: Tensor, warp: InfraredWarp | None) -> Tensor:
    """Fused luma (1, 1, H, W) with the chroma of the visible image (1, 3, H, W): (H, W, 3) uint8."""
    image = replace_luma(color, fused)
    if warp is not None:
        image = torch.lerp(color, image, warp.weight)
    return to_bytes(image[0]).permute(1, 2, 0).contiguous()


def label_map(logits: Tensor) -> Tensor:
    """Class of the largest of the logits (num_classes, H, W), the first of equal ones: (H, W) uint8."""
    # Largest values and products are quick over the first dimension; argmax takes thirty times as long there.
    count = len(logits)
    places = torch.arange(count, 0, -1, dtype=torch.uint8, device=logits.device)[:, None, None]
    # Not "equal to the largest": where a logit is not a number, all are, and the class is the first one.
    is_largest = (logits < logits.amax(dim=0)).logical_not_().view(torch.uint8)
    return count - is_largest.mul_(places).amax(dim=0)


def tint(image: Tensor, mask: Tensor, opacity: float) -> Tensor:
    """Tint the labelled pixels of an image (H, W, 3) uint8 by its label map (H, W) uint8."""
    added, weight = (
        table.index_select(0, mask.flatten().int()).view(*mask.shape, -1)
        for table in tint_tables(opacity, mask.device)
    )
    return added.addcmul_(image, weight).round_().byte()


@lru_cache(maxsize=4)  # the opacity may change at any time
def tint_tables(opacity: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return what each class adds to a pixel (256, 3), and the weight of the pixel under it (256, 1)."""
    weight = np.full((256, 1), opacity, np.float32)
    weight[0] = 0.0  # unlabelled
    tables = weight * color_table(), np.float32(1.0) - weight
    added, remaining = (torch.from_numpy(table).to(device) for table in tables)
    return added, remaining


def to_bytes(image: Tensor) -> Tensor:
    """[0, 1] to uint8 levels."""
    return (image * 255.0).round_().byte()


def download(pictures: Sequence[Tensor | None]) -> Pictures:
    """Bring pictures to the host, all before this returns.

    From a GPU they go into page-locked memory one after the other, without a wait between them; that part has
    not been run. The memory stays page-locked until the pictures are dropped, and PyTorch keeps it for the
    next ones.
    """
    on_host: list[Tensor | None] = []
    for picture in pictures:
        is_on_gpu = picture is not None and picture.device.type == "cuda"
        on_host.append(None if picture is None else picture.to("cpu", non_blocking=is_on_gpu))
    for picture in pictures:
        if picture is not None and picture.device.type == "cuda":
            torch.cuda.current_stream(picture.device).synchronize()
    return Pictures(*(None if picture is None else picture.numpy() for picture in on_host))
