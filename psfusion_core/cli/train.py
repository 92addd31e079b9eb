"""``psfusion train``: train a network from a recipe; run again, it continues where it stopped."""

from __future__ import annotations

import argparse

EPILOG = """example:
  psfusion train --config training/configs/psfusion_lite.yaml output=runs/lite steps=8000

Any key of the recipe can be set on the command line. The folder `output` receives the checkpoints, the EMA
weights (weights.safetensors, for psfusion fuse --weights) and losses.csv; the same command resumes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", required=True, help="a recipe, such as training/configs/psfusion_lite.yaml"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="values that replace the recipe's")


def run(options: argparse.Namespace) -> int:
    try:
        from psfusion_core.training.config import load_config
        from psfusion_core.training.loop import Trainer
    except ImportError as error:
        raise ImportError(f"{error}: training needs pip install '.[train]'") from error
    Trainer(load_config(options.config, options.overrides)).run()
    return 0
