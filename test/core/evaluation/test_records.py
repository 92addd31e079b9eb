"""Records: rows of values that outlive a killed run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core.evaluation.pair_measurement import MeasurementKey
from psfusion_core.evaluation.records import RecordError, Records

FIRST, SECOND = MeasurementKey("ours", "clean", "a"), MeasurementKey("ours", "clean", "b")


def test_a_row_is_on_disk_as_soon_as_it_is_added(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with Records(path, ["EN"]) as records:
        records.add(FIRST, "f", {"EN": 0.1})
        assert path.read_text().splitlines()[1] == "ours,clean,a,f,0.1"


def test_closed_files_are_in_order_whatever_came_first(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with Records(path, ["EN"]) as records:
        records.add(SECOND, "f", {"EN": 2.0})
        records.add(FIRST, "f", {"EN": 1.0})
        records.add(SECOND, "f", {"EN": 3.0})
    assert path.read_text().splitlines() == [
        "method,condition,pair,fingerprint,EN", "ours,clean,a,f,1.0", "ours,clean,b,f,3.0",
    ]  # fmt: skip


@settings(max_examples=40)
@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.integers(0, 200))
def test_a_file_cut_anywhere_gives_whole_rows_or_none(
    tmp_path_factory: pytest.TempPathFactory, first: float, second: float, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "rows.csv"
    with Records(path, ["EN", "SD"]) as records:
        records.add(FIRST, "f", {"EN": first, "SD": second})
        records.add(SECOND, "f", {"EN": second, "SD": first})
    content = path.read_bytes()
    header = content.index(b"\n") + 1
    path.write_bytes(content[: header + cut])
    with Records(path, ["EN", "SD"]) as records:
        assert records.find(FIRST, "f") in ({}, {"EN": first, "SD": second})
        assert records.find(SECOND, "f") in ({}, {"EN": second, "SD": first})
        records.add(SECOND, "f", {"EN": 5.0, "SD": 6.0})
    with Records(path, ["EN", "SD"]) as records:
        assert records.find(SECOND, "f") == {"EN": 5.0, "SD": 6.0}


def test_values_of_other_inputs_are_not_found(tmp_path: Path) -> None:
    with Records(tmp_path / "rows.csv", ["EN"]) as records:
        records.add(FIRST, "before", {"EN": 1.0})
        assert records.find(FIRST, "after") == {}


def test_another_choice_of_metrics_adds_columns_and_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with Records(path, ["EN"]) as records:
        records.add(FIRST, "f", {"EN": 1.0})
    with Records(path, ["SD"]) as records:
        records.add(FIRST, "f", {"SD": 2.0})
    with Records(path, []) as records:
        assert records.find(FIRST, "f") == {"EN": 1.0, "SD": 2.0}


def test_names_with_commas_quotes_and_odd_separators_come_back(tmp_path: Path) -> None:
    key = MeasurementKey('a "new",\u2028method', "clean", "x,y")
    with Records(tmp_path / "rows.csv", ["EN"]) as records:
        records.add(key, "f", {"EN": 1.0})
    with Records(tmp_path / "rows.csv", ["EN"]) as records:
        assert records.find(key, "f") == {"EN": 1.0}


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("name,price\nbread,2\n")
    with pytest.raises(RecordError, match="choose another --output"):
        Records(path, ["EN"])
    assert path.read_text() == "name,price\nbread,2\n"


def test_two_runs_do_not_write_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with Records(path, ["EN"]), pytest.raises(RecordError, match="another psfusion evaluate"):
        Records(path, ["EN"])
    with Records(path, ["EN"]):
        pass
