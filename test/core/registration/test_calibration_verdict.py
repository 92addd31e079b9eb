"""The verdict on a calibration: one line with the residual, the limit and, if rough, the remedy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.registration.calibration_verdict import judge


@given(residual=st.floats(0.0, 50.0), good=st.floats(0.1, 50.0))
def test_a_verdict_is_one_line_and_good_only_within_the_limit(residual: float, good: float) -> None:
    verdict = judge(residual, good, "infrared pixels", "use more pairs")
    assert verdict.startswith("good: " if residual <= good else "rough: ")
    assert "\n" not in verdict
    assert f"{residual:.2f} infrared pixels, at most {good:.2f} expected" in verdict


def test_only_a_rough_registration_comes_with_a_remedy() -> None:
    assert judge(7.4, 3.2, "pixels", "use more pairs") == (
        "rough: 7.40 pixels, at most 3.20 expected: use more pairs"
    )
    assert "use more pairs" not in judge(3.2, 3.2, "pixels", "use more pairs")


def test_a_residual_just_beyond_the_limit_is_printed_as_beyond_it() -> None:
    assert judge(1.04, 1.0, "pixels", "hold the board still") == (
        "rough: 1.04 pixels, at most 1.00 expected: hold the board still"
    )
