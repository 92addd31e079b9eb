"""A plan carried out: finished pairs go to the records at once, and what is wrong is told and skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tqdm import tqdm

from psfusion_core.base.wording import one_line
from psfusion_core.evaluation.pair_measurement import Measurement, Task, about, disturb, read_sources
from psfusion_core.evaluation.planning import Plan, Step
from psfusion_core.evaluation.records import Records

Measure = Callable[[Iterable[Task]], Iterator[Measurement]]
"""Does tasks in any order, such as `run_tasks` with `measuring`."""


def carry_out(plan: Plan, records: Records, measure: Measure, tell: Callable[[str], None]) -> int:
    """Do the steps of a plan.

    Args:
        plan: made with these records.
        records: to add to.
        measure: how tasks are done.
        tell: called with one line for every problem, each once.

    Returns:
        The number of problems.
    """
    told: set[str] = set()

    def report(problem: str) -> None:
        if problem not in told:
            told.add(problem)
            tell(problem)

    for problem in plan.problems:
        report(problem)
    with tqdm(total=len(plan.steps), desc="measuring", unit="pair", disable=not plan.steps or None) as bar:

        def tasks() -> Iterator[Task]:
            for step in plan.steps:
                try:
                    yield prepare(step)
                except ValueError as error:
                    report(one_line(error))
                    bar.update()

        for outcome in measure(tasks()):
            if outcome.values:
                records.add(outcome.work.key, outcome.work.fingerprint, outcome.values)
            if outcome.problem is not None:
                report(outcome.problem)
            bar.update()
    return len(told)


def prepare(step: Step) -> Task:
    """Make the task of a step; a network fuses here, in this process.

    Raises:
        ValueError: the sources cannot be read or fused; the message names the pair.
    """
    work, method = step
    sources = disturb(read_sources(work.pair), work) if method.reads_sources else None
    try:
        return Task(work, method.origin(work.pair.name, sources))
    except ValueError as error:
        raise about(work, error) from error
