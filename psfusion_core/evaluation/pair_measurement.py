"""Measures one pair by one method: reads the images, computes the metrics, and counts labelled pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from psfusion_core.base.wording import one_line
from psfusion_core.cameras.image_files import FilePair, ImageError, read_infrared, read_visible
from psfusion_core.cameras.thermal_gain import stretch
from psfusion_core.evaluation.disturbances import Disturbance
from psfusion_core.evaluation.label_counts import Truth, count_pixels
from psfusion_core.evaluation.method_results import MethodResult, ResultLoader, SourceImages
from psfusion_core.metrics import evaluate_triple
from psfusion_core.metrics.luma_input import LumaImage, luma


class MeasurementKey(NamedTuple):
    """Identifies a measurement: a method on a pair under a condition (`Disturbance.name`)."""

    method: str
    condition: str
    pair: str


@dataclass(frozen=True)
class PlannedMeasurement:
    """A measurement of one pair and one method that is still open.

    Attributes:
        key: The identity of the measurement.
        fingerprint: A hash of everything that its values depend on.
        pair: The source files.
        disturbance: The disturbance of the infrared image before fusion. The metrics use the clean image.
        metrics: Names of the fusion metrics to compute; empty if the method does not fuse.
        protocol: The protocol that defines the metrics.
        truth: The true labels to compare the label map with; None for no comparison.
    """

    key: MeasurementKey
    fingerprint: str
    pair: FilePair
    disturbance: Disturbance
    metrics: tuple[str, ...]
    protocol: str
    truth: Truth | None


@dataclass(frozen=True)
class MeasurementTask:
    """A planned measurement with the loader of its result, which any process can run."""

    planned: PlannedMeasurement
    loader: ResultLoader


class Triple(NamedTuple):
    """A fused image and its sources: (H, W) uint8 luma, all of one size."""

    fused: LumaImage
    visible: LumaImage
    infrared: LumaImage


@dataclass(frozen=True)
class Measurement:
    """The values of a planned measurement.

    Attributes:
        planned: The planned measurement.
        values: Values by column; complete if there is no problem.
        problem: One line that says what was skipped and why.
    """

    planned: PlannedMeasurement
    values: dict[str, float]
    problem: str | None = None


def read_sources(pair: FilePair) -> SourceImages:
    """Read a pair. 16-bit infrared counts are stretched to grey levels by their own range.

    Raises:
        ImageError: A file is unreadable or has a wrong depth, the infrared image is in colour, or the sizes
            differ. The message names the pair.
    """
    try:
        visible, counts = read_visible(pair.visible), read_infrared(pair.infrared, refuse_color=True)
        if visible.shape[:2] != counts.shape:
            raise ImageError(
                f"the visible image is {size(visible)} and the infrared {size(counts)} (height x width); "
                "expected one size: register or scale them first"
            )
    except ImageError as error:
        raise ImageError(f"{pair.name}: {error}") from error
    return SourceImages(visible, stretch(counts))


def size(image: npt.NDArray[np.generic]) -> str:
    return f"{image.shape[0]} x {image.shape[1]}"


def load_images(task: MeasurementTask) -> tuple[SourceImages, MethodResult]:
    """Read the sources and the result of a task, and check that their sizes are equal.

    Raises:
        ValueError: A file cannot be read, or the sizes differ. The message names the pair.
    """
    planned = task.planned
    sources = read_sources(planned.pair)
    try:
        result = task.loader.load(disturb(sources, planned))
        for name, image in (("fused image", result.image), ("label map", result.mask)):
            if image is not None and image.shape[:2] != sources.infrared.shape:
                raise ImageError(
                    f"the {name} is {size(image)}, the sources {size(sources.infrared)} (height x width); "
                    "expected one size"
                )
    except ValueError as error:
        raise named_error(planned, error) from error
    return sources, result


def disturb(sources: SourceImages, planned: PlannedMeasurement) -> SourceImages:
    """Return the images that the method fuses."""
    return sources._replace(infrared=planned.disturbance(sources.infrared, planned.pair.name))


def named_error(planned: PlannedMeasurement, error: Exception) -> ImageError:
    """Return an error that names the pair and the method."""
    return ImageError(f"{planned.key.pair}, {planned.key.method}: {error}")


def to_triple(sources: SourceImages, result: MethodResult) -> Triple | None:
    """Return the images for the fusion metrics; None if the method does not fuse."""
    fused = result.luma
    return None if fused is None else Triple(fused, luma(sources.visible), sources.infrared)


def measure(task: MeasurementTask) -> Measurement:
    """Run a task. A bad file gives a measurement with a problem, not an exception."""
    planned = task.planned
    try:
        sources, result = load_images(task)
    except (ValueError, OSError) as error:
        return Measurement(planned, {}, one_line(error))
    counted = count_labels(planned, result)
    triple = to_triple(sources, result)
    if triple is None or not planned.metrics:
        return counted
    try:
        return with_values(counted, evaluate_triple(*triple, planned.metrics, planned.protocol))
    except ValueError as error:
        return Measurement(planned, counted.values, one_line(named_error(planned, error)))


def start_measuring() -> Callable[[MeasurementTask], Measurement]:
    """Start a worker (see `run_tasks`). `measure` needs nothing to be loaded before."""
    return measure


def count_labels(planned: PlannedMeasurement, result: MethodResult) -> Measurement:
    """Compare a label map with the truth. Without one of them there are no values."""
    if planned.truth is None or result.mask is None:
        return Measurement(planned, {})
    try:
        return Measurement(planned, count_pixels(result.mask, planned.truth))
    except (ValueError, OSError) as error:
        return Measurement(planned, {}, one_line(named_error(planned, error)))


def with_values(measurement: Measurement, values: dict[str, float]) -> Measurement:
    """Return a measurement with additional values."""
    return replace(measurement, values=values | measurement.values)
