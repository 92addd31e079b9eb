"""Sizes are WIDTHxHEIGHT wherever one is asked for, and what is no such size is told what would do."""

from __future__ import annotations

import argparse
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.cli import main
from psfusion_core.cli.sizes import parse_size

SIDES = st.integers(1, 99_999)


@given(width=SIDES, height=SIDES)
def test_a_size_is_read_as_it_prints_width_first(width: int, height: int) -> None:
    size = parse_size(f"{width}x{height}")
    assert (size.width, size.height) == (width, height)
    assert str(size) == f"{width}x{height}"


@given(width=SIDES, height=SIDES, least=st.integers(1, 4), multiple=st.integers(1, 64))
def test_what_is_said_to_do_does_and_lies_next_to_what_was_given(
    width: int, height: int, least: int, multiple: int
) -> None:
    least *= multiple
    try:
        size = parse_size(f"{width}x{height}", least, multiple)
    except argparse.ArgumentTypeError as error:
        hint = str(error).rpartition(": ")[2].removesuffix(" would do")
        for text in hint.split(" or "):
            sides = [int(side) for side in text.split("x")]
            assert all(side >= least and side % multiple == 0 for side in sides)
            for near, given_side in zip(sides, (width, height), strict=True):
                assert abs(near - max(given_side, least)) < multiple
    else:
        assert min(size) >= least
        assert width % multiple == height % multiple == 0


@given(text=st.text(alphabet="0123456789x X-.٣", max_size=12))
def test_a_text_is_a_size_or_refused_in_one_line(text: str) -> None:
    match = re.fullmatch("0*([1-9][0-9]{0,4})x0*([1-9][0-9]{0,4})", text)
    if match and max(map(len, text.split("x"))) <= 5:
        assert str(parse_size(text)) == f"{match[1]}x{match[2]}"
    else:
        with pytest.raises(argparse.ArgumentTypeError, match=r"^expected WIDTHxHEIGHT, such as 640x480"):
            parse_size(text)


def test_the_help_of_simulate_says_the_smallest_size(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "--help"])
    assert "size of both images, 64x64 or larger (default: 640x480)" in " ".join(
        capsys.readouterr().out.split()
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["export", "--output", "a.onnx", "--size", "640"],
            "expected WIDTHxHEIGHT, such as 640x480, in mult",
        ),
        (
            ["export", "--output", "a.onnx", "--size", "500x300"],
            "in multiples of 32, got '500x300': 480x288 or 512x320 would do",
        ),
        (["benchmark", "--sizes", "640x480", "64x16"], "32x32 or larger, got '64x16': 64x32 would do"),
        (["simulate", "--output", "drive", "--size", "640"], "expected WIDTHxHEIGHT, such as 640x480, got"),
        (["doctor", "--size", "640X480"], "expected WIDTHxHEIGHT, such as 640x480, got '640X480'"),
    ],
)
def test_every_command_takes_width_first_and_says_so(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert f"psfusion {words[0]}: error: argument --size" in error
    assert message in error
