"""The same tasks at every place: nothing is lost and nothing comes twice, whatever dies meanwhile."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from small_tasks import HOUR, Squares, Unready, begun, workers

from psfusion_core.distribution import Place, TaskError, run_tasks
from psfusion_core.distribution.place import add_place_arguments, place_of


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the workers of a Ray that is started here find the tasks of these tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


HERE, CORES, RAY = Place(), Place(workers=2), Place("ray", workers=2)
PLACES = [
    pytest.param(HERE, id="here"),
    pytest.param(CORES, id="cores"),
    pytest.param(RAY, id="ray", marks=pytest.mark.slow),
]
OTHERS = PLACES[1:]
SQUARES = [(number, number * number) for number in range(12)]


@pytest.mark.parametrize("place", [HERE, CORES, RAY], ids=["here", "cores", "ray"])
def test_every_task_is_begun_once_and_every_result_comes_once(tmp_path: Path, place: Place) -> None:
    count = 1 if place is HERE else 2
    assert sorted(run_tasks(range(12), Squares(tmp_path, together=count), place)) == SQUARES
    assert begun(tmp_path) == list(range(12))
    assert workers(tmp_path) == count


@pytest.mark.parametrize("place", OTHERS)
def test_where_a_worker_is_killed_its_task_is_done_by_another_one(tmp_path: Path, place: Place) -> None:
    assert sorted(run_tasks(range(12), Squares(tmp_path, deadly=4, deaths=2), place)) == SQUARES
    assert begun(tmp_path).count(4) == 3


@pytest.mark.parametrize("place", OTHERS)
def test_a_task_that_kills_every_worker_ends_the_run_and_says_so(tmp_path: Path, place: Place) -> None:
    with pytest.raises(TaskError, match="died 3 times"):
        list(run_tasks(range(4), Squares(tmp_path, deadly=0, deaths=99), place))


@pytest.mark.parametrize("place", PLACES)
def test_what_a_task_raises_comes_out_and_nothing_is_begun_after_it(tmp_path: Path, place: Place) -> None:
    results = run_tasks(iter([*range(4), 1000, *range(4, 400)]), Squares(tmp_path), place)
    with pytest.raises(ValueError, match="a thousand is too many"):
        list(results)
    assert len(begun(tmp_path)) < 20


def test_whoever_takes_no_more_results_does_not_wait_for_what_is_begun(tmp_path: Path) -> None:
    results = run_tasks([0, *[HOUR] * 3], Squares(tmp_path), CORES)
    assert next(results) == (0, 0)
    results.close()  # type: ignore[attr-defined]
    assert HOUR not in [number for number, _ in results]


@pytest.mark.parametrize("place", PLACES)
def test_a_worker_that_cannot_load_what_it_needs_says_why(place: Place) -> None:
    with pytest.raises(FileNotFoundError, match="no such weights"):
        list(run_tasks(range(4), Unready(), place))


def test_a_ray_that_is_started_here_stays_on_this_machine(tmp_path: Path) -> None:
    peers = set()
    for _ in run_tasks(range(3), Squares(tmp_path), RAY):
        family = [psutil.Process(), *psutil.Process().children(recursive=True)]
        connections = [c for process in family for c in process.net_connections("inet")]
        peers |= {end.ip for c in connections for end in (c.laddr, c.raddr) if end}
    assert {peer.removeprefix("::ffff:") for peer in peers} == {"127.0.0.1"}


@pytest.mark.parametrize("place", PLACES)
def test_tasks_are_taken_only_as_fast_as_they_are_done(tmp_path: Path, place: Place) -> None:
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield taken

    results = run_tasks(tasks(), Squares(tmp_path), place)
    for done in range(1, 20):
        next(results)
        assert taken <= done + 4
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ([], Place()),
        (["--workers", "3"], Place(workers=3)),
        (["--on", "ray"], Place("ray")),
        (["--on", "ray=10.0.0.1:6379", "--workers", "8"], Place("ray", "10.0.0.1:6379", 8)),
    ],
)
def test_the_command_line_names_the_place(words: list[str], place: Place) -> None:
    parser = argparse.ArgumentParser()
    add_place_arguments(parser)
    assert place_of(parser.parse_args(words), "cpu") == place
    assert place_of(parser.parse_args(words), "cuda:0").gpu


@pytest.mark.parametrize("words", [["--on", "moon"], ["--on", "local=x"], ["--workers", "0"]])
def test_places_that_there_are_not_are_refused(words: list[str]) -> None:
    parser = argparse.ArgumentParser()
    add_place_arguments(parser)
    with pytest.raises(ValueError, match=r"expected --\w+ "):
        place_of(parser.parse_args(words), "cpu")
