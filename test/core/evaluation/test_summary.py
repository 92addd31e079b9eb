"""Means, ranks and tables."""

from __future__ import annotations

import numpy as np
import pytest

from psfusion_core.evaluation.summary import Summary, format_column, rank, summarise
from psfusion_core.evaluation.tables import escape_latex, latex_table, markdown_table
from psfusion_core.metrics import FUSION_METRICS

METRICS = [FUSION_METRICS["EN"], FUSION_METRICS["MSE"]]


def summary_of(**means: tuple[float, float]) -> Summary:
    values = {name: {"a": {"EN": en, "MSE": mse}} for name, (en, mse) in means.items()}
    return summarise(values, METRICS)


def test_equal_values_share_the_better_rank_and_the_next_is_left_out() -> None:
    assert rank([3.0, 1.0, 3.0, 2.0], larger_is_better=True) == [1, 4, 1, 3]
    assert rank([3.0, 1.0, 3.0, 2.0], larger_is_better=False) == [3, 1, 3, 2]


def test_values_that_are_not_numbers_come_last() -> None:
    assert rank([float("nan"), 1.0, 2.0], larger_is_better=True) == [3, 2, 1]
    assert rank([float("nan"), 1.0, 2.0], larger_is_better=False) == [3, 1, 2]


def test_values_that_print_the_same_are_tied() -> None:
    summary = summary_of(one=(5.00011, 9.0), two=(5.00049, 8.0), three=(4.0, 7.0))
    assert summary.ranks.tolist() == [[1, 3], [1, 2], [3, 1]]


def test_means_are_over_the_pairs_that_every_method_has() -> None:
    ours = {pair: {"EN": value, "MSE": 0.0} for pair, value in (("a", 1.0), ("b", 3.0), ("c", 100.0))}
    other = {"a": {"EN": 2.0, "MSE": 0.0}, "b": {"EN": 4.0, "MSE": 0.0}, "c": {"EN": 1.0}}
    summary = summarise({"ours": ours, "other": other}, METRICS)
    assert summary.pairs == ("a", "b")
    np.testing.assert_array_equal(summary.means[:, 0], [2.0, 3.0])


def test_no_pair_in_common_is_an_error() -> None:
    row = {"EN": 1.0, "MSE": 1.0}
    with pytest.raises(ValueError, match="no pair could be measured for all of ours, other"):
        summarise({"ours": {"a": row}, "other": {"b": row}}, METRICS)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.5, 0.25], ["0.500", "0.250"]),
        ([9.8765, 1.0], ["9.877", "1.000"]),
        ([44.3444, 5.98], ["44.34", "5.98"]),
        ([100.0, 7.0], ["100.0", "7.0"]),
        ([23000.4, 7.0], ["23000", "7"]),
        ([float("inf"), 2.0], ["inf", "2.000"]),
    ],
)
def test_a_column_has_four_digits_of_its_largest_value(values: list[float], texts: list[str]) -> None:
    assert format_column(values) == texts


def test_markdown_marks_best_second_and_other_ranks_by_each_metrics_direction() -> None:
    lines = markdown_table(summary_of(one=(6.0, 30.0), two=(5.0, 20.0), three=(4.0, 10.0))).splitlines()
    assert lines[:5] == [
        "|  | EN ↑ | MSE ↓ | mean rank |",
        "| --- | --- | --- | --- |",
        "| one | **6.000** | 30.00 (3) | 2.0 |",
        "| two | <ins>5.000</ins> | <ins>20.00</ins> | 2.0 |",
        "| three | 4.000 (3) | **10.00** | 2.0 |",
    ]


def test_two_best_are_both_bold_and_none_is_second() -> None:
    lines = markdown_table(summary_of(one=(6.0, 1.0), two=(6.0, 2.0), three=(4.0, 3.0))).splitlines()
    assert [line.split("|")[2].strip() for line in lines[2:5]] == ["**6.000**", "**6.000**", "4.000 (3)"]


def test_a_method_alone_has_no_ranks() -> None:
    lines = markdown_table(summary_of(one=(6.0, 1.0))).splitlines()
    assert lines[0] == "|  | EN ↑ | MSE ↓ |"
    assert lines[2] == "| one | 6.000 | 1.000 |"


def test_a_bar_in_a_name_does_not_break_the_table() -> None:
    assert markdown_table(summary_of(**{"a|b": (1.0, 1.0)})).splitlines()[2].startswith(r"| a\|b |")


def test_latex_rows_and_rules() -> None:
    lines = latex_table(summary_of(our_net=(6.0, 30.0), two=(5.0, 20.0), three=(4.0, 10.0))).splitlines()
    assert r"    Method & EN $\uparrow$ & MSE $\downarrow$ & Mean rank \\" in lines
    assert r"    our\_net & \textbf{6.000} & 30.00 {\scriptsize (3)} & 2.0 \\" in lines
    assert r"    two & \underline{5.000} & \underline{20.00} & 2.0 \\" in lines
    assert [line.strip() for line in lines if "rule" in line] == [r"\toprule", r"\midrule", r"\bottomrule"]
    assert r"  \begin{tabular}{lrrr}" in lines


def test_latex_escapes_what_it_would_obey() -> None:
    assert escape_latex(r"50% & a_b\{}") == r"50\% \& a\_b\textbackslash{}\{\}"
