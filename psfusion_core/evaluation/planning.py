"""Plans an evaluation: finds everything to measure that no earlier run has measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from psfusion_core import __version__
from psfusion_core.cameras.image_files import FilePair
from psfusion_core.evaluation.disturbances import Disturbance
from psfusion_core.evaluation.label_counts import Truth, box_columns, label_columns
from psfusion_core.evaluation.methods import Method, MethodError, digest
from psfusion_core.evaluation.pair_measurement import MeasurementKey, PlannedMeasurement
from psfusion_core.evaluation.records import Records


@dataclass(frozen=True)
class EvaluationSetup:
    """The inputs and options of an evaluation.

    Attributes:
        pairs: The source images.
        methods: The methods, in the order of tables.
        disturbances: Disturbances of the infrared image. The first one changes nothing, and is the only one
            for methods whose results already exist.
        metrics: Names of the fusion metrics.
        protocol: The protocol that defines the metrics.
        labels: Files of true label maps by the name of the pair; pairs may be missing.
        boxes: Files of true boxes by the name of the pair; pairs may be missing.
        classes: Class names by index.
    """

    pairs: Sequence[FilePair]
    methods: Sequence[Method]
    disturbances: Sequence[Disturbance]
    metrics: tuple[str, ...]
    protocol: str
    labels: Mapping[str, Path]
    boxes: Mapping[str, Path]
    classes: tuple[str, ...]

    def truth(self, pair: str) -> Truth | None:
        label, boxes = self.labels.get(pair), self.boxes.get(pair)
        return Truth(label, boxes, self.classes) if label or boxes else None

    @property
    def columns(self) -> list[str]:
        """Names of all measured values, in the order of the CSV file."""
        columns = [*self.metrics, *(label_columns(self.classes) if self.labels else [])]
        return columns + (box_columns(self.classes) if self.boxes else [])


class Step(NamedTuple):
    """One planned measurement, and its method."""

    planned: PlannedMeasurement
    method: Method


@dataclass
class Plan:
    """The open measurements of an evaluation.

    Attributes:
        steps: The open measurements. All methods of a pair follow each other.
        fingerprints: The fingerprint of every key, measured or open.
        problems: One line for every pair or result that cannot be read.
    """

    steps: list[Step] = field(default_factory=list)
    fingerprints: dict[MeasurementKey, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def make_plan(setup: EvaluationSetup, records: Records) -> Plan:
    """Hash the content of every file, and plan the measurements that are not in the records yet."""
    plan = Plan()
    for pair in tqdm(setup.pairs, desc="checking files", unit="pair", leave=False, disable=None):
        truth = setup.truth(pair.name)
        try:
            files = [pair.visible, pair.infrared, *(truth.files if truth else [])]
            content = [digest(file) for file in files]
        except OSError as error:
            plan.problems.append(f"{pair.name}: {error}")
            continue
        for method in setup.methods:
            try:
                identity = method.identity(pair.name)
            except (MethodError, OSError) as error:
                plan.problems.append(f"{pair.name}, {method.name}: {error}")
                continue
            for disturbance in setup.disturbances if method.fuses_here else setup.disturbances[:1]:
                key = MeasurementKey(method.name, disturbance.name, pair.name)
                plan.fingerprints[key] = fingerprint = _fingerprint(setup, [*content, identity])
                known = records.find(key, fingerprint)
                metrics = tuple(m for m in setup.metrics if method.fuses and m not in known)
                counted = not (method.labels and truth) or all(c in known for c in truth.columns)
                if metrics or not counted:
                    left = None if counted else truth
                    planned = PlannedMeasurement(
                        key, fingerprint, pair, disturbance, metrics, setup.protocol, left
                    )
                    plan.steps.append(Step(planned, method))
    return plan


def _fingerprint(setup: EvaluationSetup, parts: Sequence[bytes]) -> str:
    settings = repr((__version__, setup.protocol, setup.classes, list(parts)))
    return hashlib.blake2b(settings.encode(), digest_size=8).hexdigest()
