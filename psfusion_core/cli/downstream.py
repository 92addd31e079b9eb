"""``psfusion downstream``: retrains segmenters on fused images and compares their mean IoU."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EPILOG = """examples:
  psfusion downstream --config training/configs/downstream/simulator.yaml
  psfusion downstream --config training/configs/downstream/msrs.yaml train.path=data/MSRS \\
    test.path=data/MSRS 'inputs=[visible, infrared, psfusion_lite, other=out/other/fused]'

Any key of the recipe can be set on the command line. The folder `output` receives a folder for each run,
tables (results.md, results.csv, results.json) and curves.png. To continue after an interruption, give the
same command again; finished runs are kept."""

WRITTEN = ("results.md", "results.csv", "results.json", "curves.png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, required=True, help="recipe, such as one of training/configs/downstream/"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="values that replace the recipe's")


def run(options: argparse.Namespace) -> int:
    try:
        from psfusion_core.evaluation.downstream.comparison import compare
        from psfusion_core.evaluation.downstream.comparison_report import markdown
        from psfusion_core.evaluation.downstream.downstream_config import load_comparison
    except ImportError as error:
        needed = "pip install '.[train,downstream,evaluate]'"
        raise ImportError(f"{error}: comparing segmenters needs {needed}") from error
    config = load_comparison(options.config, options.overrides)
    try:
        results = compare(config)
    except KeyboardInterrupt:
        print("psfusion downstream: give the same command again to continue from here", file=sys.stderr)
        raise
    print(markdown(results))
    print(f"written to {config.output}: {', '.join(WRITTEN)}", file=sys.stderr)
    return 0
