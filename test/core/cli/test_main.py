"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import psfusion_core
from psfusion_core.cli import VERBS, main


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert "example" in text
    assert f"psfusion {verb} " in text.split("example", 1)[1]


def test_an_unknown_verb_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["melt"]) == 2
    assert "fuse" in capsys.readouterr().err


def test_usage_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    usage = capsys.readouterr().out
    assert all(f"  {verb} " in usage for verb in VERBS)


def test_core_imports_without_ros_and_help_without_torch() -> None:
    code = (
        "import sys, psfusion_core.cli as cli; cli.usage(); import psfusion_core;"
        "assert 'torch' not in sys.modules;"
        "sys.modules['rclpy'] = None; psfusion_core.Fuser; import psfusion_core.cli.fuse"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_version_is_the_same_wherever_it_is_written() -> None:
    root = Path(__file__).parents[3]
    manifest = ElementTree.parse(root / "package.xml").getroot()
    assert manifest.findtext("version") == psfusion_core.__version__
    assert f'version="{psfusion_core.__version__}"' in (root / "setup.py").read_text()
