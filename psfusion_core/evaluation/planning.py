"""What there is to measure, and what of it an earlier run has measured already."""

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
from psfusion_core.evaluation.pair_measurement import MeasurementKey, Work
from psfusion_core.evaluation.records import Records


@dataclass(frozen=True)
class Subject:
    """What an evaluation is of.

    Attributes:
        pairs: the sources.
        methods: in the order of tables.
        disturbances: of the infrared; the first changes nothing, and is all that methods get whose results
            are there already.
        metrics: names of the fusion metrics.
        protocol: their definitions.
        labels: true label map by pair, where there is one.
        boxes: file of boxes by pair, where there is one.
        classes: names of the classes by index.
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
        """Of all values, in the order of the file."""
        columns = [*self.metrics, *(label_columns(self.classes) if self.labels else [])]
        return columns + (box_columns(self.classes) if self.boxes else [])


class Step(NamedTuple):
    """Work to do, and the method that makes its result."""

    work: Work
    method: Method


@dataclass
class Plan:
    """What is to be done, and what cannot be.

    Attributes:
        steps: to do; the methods of a pair follow each other.
        fingerprints: of every key that is done or to be done.
        problems: one line each; a problem of the sources stops every method, and is told once.
    """

    steps: list[Step] = field(default_factory=list)
    fingerprints: dict[MeasurementKey, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def make_plan(subject: Subject, records: Records) -> Plan:
    """Look at the content of every file, and see what is not among the records yet."""
    plan = Plan()
    for pair in tqdm(subject.pairs, desc="looking", unit="pair", leave=False, disable=None):
        truth = subject.truth(pair.name)
        try:
            files = [pair.visible, pair.infrared, *(truth.files if truth else [])]
            content = [digest(file) for file in files]
        except OSError as error:
            plan.problems.append(f"{pair.name}: {error}")
            continue
        for method in subject.methods:
            try:
                identity = method.identity(pair.name)
            except (MethodError, OSError) as error:
                plan.problems.append(f"{pair.name}, {method.name}: {error}")
                continue
            for disturbance in subject.disturbances if method.fuses_anew else subject.disturbances[:1]:
                key = MeasurementKey(method.name, disturbance.name, pair.name)
                plan.fingerprints[key] = fingerprint = _fingerprint(subject, [*content, identity])
                known = records.find(key, fingerprint)
                metrics = tuple(m for m in subject.metrics if method.fuses and m not in known)
                counted = not (method.labels and truth) or all(c in known for c in truth.columns)
                if metrics or not counted:
                    left = None if counted else truth
                    work = Work(key, fingerprint, pair, disturbance, metrics, subject.protocol, left)
                    plan.steps.append(Step(work, method))
    return plan


def _fingerprint(subject: Subject, parts: Sequence[bytes]) -> str:
    settings = repr((__version__, subject.protocol, subject.classes, list(parts)))
    return hashlib.blake2b(settings.encode(), digest_size=8).hexdigest()
