"""Executes a plan: measures the pairs, records finished ones immediately, and skips those with a problem."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import torch
from tqdm import tqdm

from psfusion_core.base.wording import one_line
from psfusion_core.distribution import Place, run_tasks
from psfusion_core.evaluation.batches import measure_in_batches
from psfusion_core.evaluation.pair_measurement import (
    MeasurementTask,
    disturb,
    named_error,
    read_sources,
    start_measuring,
)
from psfusion_core.evaluation.planning import Plan, Step
from psfusion_core.evaluation.records import Records


def execute(plan: Plan, records: Records, place: Place, gpu: torch.device | None = None) -> int:
    """Measure everything in a plan, and print each problem once.

    Args:
        plan: A plan that was made with these records.
        records: Receives the values.
        place: Where to measure pair by pair.
        gpu: If given, measure in batches on this GPU instead.

    Returns:
        The number of different problems.
    """
    problems: set[str] = set()

    def skip(problem: str) -> None:
        if problem not in problems:
            problems.add(problem)
            tqdm.write(f"skipped {problem}", file=sys.stderr)

    for problem in plan.problems:
        skip(problem)
    with tqdm(total=len(plan.steps), desc="measuring", unit="pair", disable=not plan.steps or None) as bar:

        def tasks() -> Iterator[MeasurementTask]:
            for step in plan.steps:
                try:
                    yield prepare(step)
                except ValueError as error:
                    skip(one_line(error))
                    bar.update()

        if gpu is None:
            measurements = run_tasks(tasks(), start_measuring, place)
        else:
            measurements = measure_in_batches(tasks(), gpu)
        for measurement in measurements:
            planned = measurement.planned
            if measurement.values:
                records.add(planned.key, planned.fingerprint, measurement.values)
            if measurement.problem is not None:
                skip(measurement.problem)
            bar.update()
    return len(problems)


def prepare(step: Step) -> MeasurementTask:
    """Make the task of a step. A network fuses here, in the main process.

    Raises:
        ValueError: The sources cannot be read or fused. The message names the pair.
    """
    planned, method = step
    sources = disturb(read_sources(planned.pair), planned) if method.needs_sources else None
    try:
        return MeasurementTask(planned, method.result_loader(planned.pair.name, sources))
    except ValueError as error:
        raise named_error(planned, error) from error
