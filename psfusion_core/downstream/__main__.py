"""``python -m psfusion_core.downstream``: retrain segmenters on fused images and compare their mean IoU."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

EPILOG = """examples:
  python -m psfusion_core.downstream --config training/configs/downstream/simulator.yaml
  python -m psfusion_core.downstream --config training/configs/downstream/msrs.yaml train.path=data/MSRS \\
      test.path=data/MSRS 'inputs=[visible, infrared, psfusion_lite, other=out/other/fused]'

Any key of the recipe can be set on the command line. The folder `output` receives a folder for each run,
tables (results.md, results.csv, results.json) and curves.png. The same command goes on where it stopped;
finished runs are not run again."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the table, and return the exit status: 0, 2 on an error, 130 where interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m psfusion_core.downstream",
        description="Retrain segmenters on visible, infrared and fused images, and compare their mean IoU.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, required=True, help="a recipe of training/configs/downstream/")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="values that replace the recipe's")
    options = parser.parse_args(arguments)
    try:
        return run(options)
    except (ValueError, ImportError, OSError) as error:
        print(f"{parser.prog}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted; the same command goes on", file=sys.stderr)
        return 130


def run(options: argparse.Namespace) -> int:
    try:
        from psfusion_core.downstream.comparison import compare
        from psfusion_core.downstream.config import load_comparison
        from psfusion_core.downstream.report import markdown
    except ImportError as error:
        raise ImportError(
            f"{error}: comparing needs pip install '.[train,downstream,evaluate]'"
        ) from error
    print(markdown(compare(load_comparison(options.config, options.overrides))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
