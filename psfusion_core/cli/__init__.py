"""``psfusion <verb>``: one module for each verb, imported only when the verb is used."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from psfusion_core import __version__
from psfusion_core.base.wording import one_line
from psfusion_core.cli.errors import CommandError

VERBS = {
    "fuse": "fuse image files or folders",
    "bag": "fuse recorded bags, without ROS",
    "calibrate": "register the infrared image on the visible image",
    "simulate": "render a drive seen by two cameras, as a bag or as images",
    "train": "train a network from a recipe",
    "evaluate": "measure fused images against their sources",
    "downstream": "retrain segmenters on fused images and compare their mean IoU",
    "export": "write a network as an ONNX file",
    "benchmark": "measure how fast the engines are on this machine",
    "doctor": "check this machine, its ROS, its cameras and a running node",
}
"""Verbs and one line of help. The verb's module in this package has ``add_arguments`` and ``run``."""


def build_parser(verb: str) -> argparse.ArgumentParser:
    """Make the parser of one verb. The ``EPILOG`` of its module follows the options."""
    module = importlib.import_module(f"psfusion_core.cli.{verb}")
    parser = argparse.ArgumentParser(
        prog=f"psfusion {verb}",
        description=VERBS[verb][0].upper() + VERBS[verb][1:] + ".",
        epilog=module.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
    return parser


def usage() -> str:
    verbs = "\n".join(f"  {verb:10} {summary}" for verb, summary in VERBS.items())
    return f"""usage: psfusion <verb> [options]

Infrared-visible image fusion with semantic masks.

verbs:
{verbs}

psfusion <verb> --help shows the options of a verb and examples, such as:
  psfusion fuse --visible data/vi --infrared data/ir --output fused/"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        The exit status: 0 only on full success, 1 if some inputs were skipped, 2 on an error.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return 0 if words else 2
    if words[0] == "--version":
        print(f"psfusion {__version__}")
        return 0
    if words[0] not in VERBS:
        print(f"psfusion: unknown verb {words[0]!r}: choose one of {', '.join(VERBS)}", file=sys.stderr)
        return 2
    try:
        options = build_parser(words[0]).parse_args(words[1:])
        return int(options.run(options))
    except (CommandError, ValueError, ImportError, OSError) as error:
        print(f"psfusion {words[0]}: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"psfusion {words[0]}: interrupted", file=sys.stderr)
        return 130
