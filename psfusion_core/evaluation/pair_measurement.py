"""One pair and one method: what is measured, as it is given to a process or a batch."""

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
from psfusion_core.evaluation.origins import Origin, Result, SourceImages
from psfusion_core.metrics import evaluate_triple
from psfusion_core.metrics.luma_input import LumaImage, luma


class MeasurementKey(NamedTuple):
    """What is measured once: a method on a pair, under a condition (see `Disturbance.name`)."""

    method: str
    condition: str
    pair: str


@dataclass(frozen=True)
class Work:
    """One pair and one method.

    Attributes:
        key: what it is.
        fingerprint: of all that its values depend on.
        pair: the source files.
        disturbance: of the infrared before fusion; the metrics see the clean one.
        metrics: names of the fusion metrics to compute; none where nothing is fused.
        protocol: their definitions.
        truth: what the label map is held against; None where it is not.
    """

    key: MeasurementKey
    fingerprint: str
    pair: FilePair
    disturbance: Disturbance
    metrics: tuple[str, ...]
    protocol: str
    truth: Truth | None


@dataclass(frozen=True)
class Task:
    """Work that any process can do: with the origin of the result."""

    work: Work
    origin: Origin


class Triple(NamedTuple):
    """A fused image and its sources, (H, W) uint8 luma of one size each."""

    fused: LumaImage
    visible: LumaImage
    infrared: LumaImage


@dataclass(frozen=True)
class Measurement:
    """What became of some work.

    Attributes:
        work: that was done.
        values: by column; all of them where there is no problem.
        problem: what was skipped and why, in one line.
    """

    work: Work
    values: dict[str, float]
    problem: str | None = None


def read_sources(pair: FilePair) -> SourceImages:
    """Read a pair; 16-bit infrared counts are stretched to grey levels by their own range.

    Raises:
        ImageError: a file is unreadable, of another depth or in colour where heat is expected, or the sizes
            differ; the message names the pair.
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


def load(task: Task) -> tuple[SourceImages, Result]:
    """Read the sources and the result of a task, which fit together.

    Raises:
        ValueError: they cannot be read, or do not fit; the message names the pair.
    """
    work = task.work
    sources = read_sources(work.pair)
    try:
        result = task.origin.load(disturb(sources, work))
        for name, image in (("fused image", result.image), ("label map", result.mask)):
            if image is not None and image.shape[:2] != sources.infrared.shape:
                raise ImageError(
                    f"the {name} is {size(image)}, the sources {size(sources.infrared)} (height x width); "
                    "expected one size"
                )
    except ValueError as error:
        raise about(work, error) from error
    return sources, result


def disturb(sources: SourceImages, work: Work) -> SourceImages:
    """What the method is given."""
    return sources._replace(infrared=work.disturbance(sources.infrared, work.pair.name))


def about(work: Work, error: Exception) -> ImageError:
    """Say which pair and method it was."""
    return ImageError(f"{work.key.pair}, {work.key.method}: {error}")


def to_triple(sources: SourceImages, result: Result) -> Triple | None:
    """What fusion metrics look at; None where nothing is fused."""
    fused = result.luma
    return None if fused is None else Triple(fused, luma(sources.visible), sources.infrared)


def measure(task: Task) -> Measurement:
    """Do a task; what is wrong with a file makes a problem, not an error."""
    work = task.work
    try:
        sources, result = load(task)
    except (ValueError, OSError) as error:
        return Measurement(work, {}, one_line(error))
    counted = count(work, result)
    triple = to_triple(sources, result)
    if triple is None or not work.metrics:
        return counted
    try:
        return add(counted, evaluate_triple(*triple, work.metrics, work.protocol))
    except ValueError as error:
        return Measurement(work, counted.values, one_line(about(work, error)))


def measuring() -> Callable[[Task], Measurement]:
    """What `psfusion_core.distribution.run_tasks` starts in a worker: `measure` needs nothing loaded."""
    return measure


def count(work: Work, result: Result) -> Measurement:
    """Hold a label map against the truth; without either there are no values."""
    if work.truth is None or result.mask is None:
        return Measurement(work, {})
    try:
        return Measurement(work, count_pixels(result.mask, work.truth))
    except (ValueError, OSError) as error:
        return Measurement(work, {}, one_line(about(work, error)))


def add(outcome: Measurement, values: dict[str, float]) -> Measurement:
    """The same with more values."""
    return replace(outcome, values=values | outcome.values)
