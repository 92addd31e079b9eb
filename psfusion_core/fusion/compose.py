"""From a network's outputs to pictures, on the device that fuses. Only the wanted pictures are computed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from psfusion_core.cameras.upload import upload
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.models.classes import color_table
from psfusion_core.models.luma import luma
from psfusion_core.registration.infrared_warp import InfraredWarp


def compose(
    wanted: Wanted, visible: Tensor, fused: Tensor, logits: Tensor, warp: InfraredWarp | None
) -> list[Tensor | None]:
    """Compose the pictures from a network's outputs.

    Args:
        visible: (1, 3, H, W) float32 RGB in [0, 1].
        fused: (1, 1, H', W') luma at the padded size.
        logits: (1, num_classes, H', W').
        warp: The warp that laid the infrared on the visible image. The visible image stays outside the
            infrared field of view.

    Returns:
        The fields of `Pictures`, on the device.
    """
    height, width = visible.shape[-2:]
    image = mask = tinted = None
    if wanted.image or wanted.overlay_opacity is not None:
        image = fused_image(visible, fused[..., :height, :width], warp)
    if wanted.mask or wanted.overlay_opacity is not None:
        mask = label_map(logits[0, :, :height, :width])
    if image is not None and mask is not None and wanted.overlay_opacity is not None:
        tinted = tint(image, mask, wanted.overlay_opacity)
    return [image if wanted.image else None, mask if wanted.mask else None, tinted]


def fused_image(visible: Tensor, fused: Tensor, warp: InfraredWarp | None) -> Tensor:
    """Give fused luma (1, 1, H, W) the chroma of the visible image (1, 3, H, W): (H, W, 3) uint8."""
    image = replace_luma(visible, fused)
    if warp is not None:
        image = torch.lerp(visible, image, warp.weight)
    return to_bytes(image[0]).permute(1, 2, 0).contiguous()


def replace_luma(rgb: Tensor, new_luma: Tensor) -> Tensor:
    """Give an RGB image another luma and keep its chroma: this is where the fused luma gets its colours.

    Args:
        rgb: (B, 3, H, W) in [0, 1], the source of the chroma.
        new_luma: (B, 1, H, W) in [0, 1].

    Returns:
        (B, 3, H, W) RGB clamped to [0, 1].
    """
    # Adding one difference to all three channels leaves R - Y and B - Y, which are the chroma, unchanged.
    return (rgb + (new_luma - luma(rgb))).clamp_(0.0, 1.0)


def label_map(logits: Tensor) -> Tensor:
    """Return the class mask: the class of the largest logit per pixel. Ties go to the lowest index.

    Args:
        logits: (num_classes, H, W).

    Returns:
        (H, W) uint8.
    """
    # Maxima and products over the first dimension are fast; amax is about 30 times faster than argmax here.
    count = len(logits)
    places = torch.arange(count, 0, -1, dtype=torch.uint8, device=logits.device)[:, None, None]
    # Use `<`, not `==`: if a logit is NaN every comparison is false, so every class ties and class 0 wins.
    is_largest = (logits < logits.amax(dim=0)).logical_not_().view(torch.uint8)
    return count - is_largest.mul_(places).amax(dim=0)


def tint(image: Tensor, mask: Tensor, opacity: float) -> Tensor:
    """Tint the labelled pixels of an image with their class colour.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) class indices; 0 (unlabelled) leaves the pixel unchanged.
        opacity: Weight of the class colour, in [0, 1].

    Returns:
        (H, W, 3) uint8 RGB.
    """
    added, weight = (
        table.index_select(0, mask.flatten().int()).view(*mask.shape, -1)
        for table in tint_tables(opacity, mask.device)
    )
    return added.addcmul_(image, weight).round_().byte()


def overlay(
    image: npt.NDArray[np.uint8], mask: npt.NDArray[np.integer], opacity: float = 0.5
) -> npt.NDArray[np.uint8]:
    """Apply `tint` to arrays; the result is a new one."""
    cpu = torch.device("cpu")
    return tint(upload(image, cpu), upload(mask, cpu), opacity).numpy()


@lru_cache(maxsize=4)  # the opacity may change at any time
def tint_tables(opacity: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return what each class adds to a pixel (256, 3), and the weight of the original pixel (256, 1)."""
    weight = np.full((256, 1), opacity, np.float32)
    weight[0] = 0.0  # unlabelled
    tables = weight * color_table(), np.float32(1.0) - weight
    added, remaining = (torch.from_numpy(table).to(device) for table in tables)
    return added, remaining


def to_bytes(image: Tensor) -> Tensor:
    """Convert [0, 1] to uint8 levels."""
    return (image * 255.0).round_().byte()


def download(pictures: Sequence[Tensor | None]) -> Pictures:
    """Copy pictures to the host; all copies are complete on return.

    From a GPU they are copied to page-locked memory one after the other, without waiting between them; this
    path has not been run. The memory stays page-locked until the pictures are dropped, and PyTorch keeps it
    for the next ones.
    """
    on_host: list[Tensor | None] = []
    for picture in pictures:
        is_on_gpu = picture is not None and picture.device.type == "cuda"
        on_host.append(None if picture is None else picture.to("cpu", non_blocking=is_on_gpu))
    for picture in pictures:
        if picture is not None and picture.device.type == "cuda":
            torch.cuda.current_stream(picture.device).synchronize()
    return Pictures(*(None if picture is None else picture.numpy() for picture in on_host))
