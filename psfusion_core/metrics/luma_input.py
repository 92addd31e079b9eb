"""Luma images, and the check and conversion that all metrics of luma images share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

LumaImage = npt.NDArray[np.uint8]


class LumaMetric(Protocol):
    """A metric of a fused image, or of a fused image and its two sources."""

    @overload
    def __call__(self, *images: LumaImage, **named: LumaImage) -> float: ...
    @overload
    def __call__(self, *images: Tensor, **named: Tensor) -> Tensor: ...


def luma_metric(minimum_side: int = 1) -> Callable[[Callable[..., Tensor]], LumaMetric]:
    """Decorate a function of (B, H, W) uint8 luma tensors so that it checks them and accepts arrays too.

    The function returns (B,) float64. Called with (H, W) uint8 arrays, the metric returns a float.

    Args:
        minimum_side: Smallest H and W in pixels for which the metric is defined.
    """

    def decorate(function: Callable[..., Tensor]) -> LumaMetric:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def metric(*args: Any, **named: Any) -> Tensor | float:
            images = signature.bind(*args, **named).arguments
            check_luma(function.__name__, minimum_side, images)
            if isinstance(images["fused"], Tensor):
                return function(**images)
            # A tensor cannot share the memory of an array that is read-only or has negative strides.
            batches = (torch.from_numpy(np.array(image, order="C"))[None] for image in images.values())
            return float(function(*batches))

        return cast(LumaMetric, metric)

    return decorate


def check_luma(metric: str, minimum_side: int, images: Mapping[str, Any]) -> None:
    """Refuse anything but uint8 luma images of one size: (H, W) arrays, or (B, H, W) tensors on one device.

    Args:
        metric: Name of the metric, with which the error message starts.
        minimum_side: Smallest H and W in pixels for which the metric is defined.
        images: The images, keyed by parameter name.

    Raises:
        ValueError: An image is of another type, shape or dtype, is too small, or differs from the first one.
    """
    first_name, first = next(iter(images.items()))
    kind, dtype, wanted = (
        (Tensor, torch.uint8, "a (B, H, W) uint8 luma tensor")
        if isinstance(first, Tensor)
        else (np.ndarray, np.uint8, "an (H, W) uint8 luma array")
    )
    for name, image in images.items():
        if not isinstance(image, kind) or image.dtype != dtype or image.ndim != 2 + (kind is Tensor):
            found = type(image).__name__
            if isinstance(image, np.ndarray | Tensor):
                found = f"{tuple(image.shape)} {image.dtype}"
            raise ValueError(
                f"{metric}: expected {name} as {wanted}, got {found}: "
                "convert colour to luma and scale to 0-255"
            )
        shape = tuple(image.shape)
        if min(shape[-2:]) < minimum_side or len(image) == 0:
            images_of = "one or more images of " if kind is Tensor else ""
            raise ValueError(
                f"{metric}: expected {name} to be {images_of}at least {minimum_side} x {minimum_side} "
                f"pixels, got the shape {shape}: measure larger images"
            )
        if shape != tuple(first.shape):
            raise ValueError(
                f"{metric}: expected {name} with the shape of {first_name}, {tuple(first.shape)}, got "
                f"{shape}: resize them to one size"
            )
        if kind is Tensor and image.device != first.device:
            raise ValueError(
                f"{metric}: expected {name} on the device of {first_name}, {first.device}, got "
                f"{image.device}: move them to one device"
            )


def luma(rgb: npt.NDArray[np.uint8]) -> LumaImage:
    """Y = .299 R + .587 G + .114 B, rounded half up in exact arithmetic: (H, W, 3) uint8 -> (H, W) uint8.

    `psfusion_core.models.luma` is the differentiable luma of the networks, in floats on [0, 1]. It cannot
    replace this one: some colours whose exact luma ends in .5 are rounded down.
    """
    red, green, blue = (rgb[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray((299 * red + 587 * green + 114 * blue + 500) // 1000, np.uint8)
