"""``psfusion train``: trains a network from a recipe. The same command continues an interrupted run."""

from __future__ import annotations

import argparse
from pathlib import Path

from psfusion_core.cameras.image_files import write_image

EPILOG = """examples:
  psfusion train --config training/configs/psfusion_lite.yaml output=runs/lite steps=8000
  psfusion train --config training/configs/finetune.yaml sources.0.path=data/mine --inspect batch.png
  torchrun --nproc-per-node 2 -m psfusion_core.cli train --config training/configs/psfusion.yaml

Any key of the recipe can be set on the command line. The folder `output` receives the checkpoints
(last.safetensors and best.safetensors, for psfusion fuse --weights), losses.csv and TensorBoard events. To
continue an interrupted run, give the same command again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, help="recipe, such as training/configs/finetune.yaml")
    parser.add_argument(
        "--inspect", type=Path, metavar="PNG", help="only draw the first batch with all its targets"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="values that replace the recipe's")


def run(options: argparse.Namespace) -> int:
    try:
        from psfusion_core.training.inspection import draw_batch, first_batch
        from psfusion_core.training.trainer import Trainer
        from psfusion_core.training.training_config import load_config
    except ImportError as error:
        raise ImportError(f"{error}: training needs pip install '.[train]'") from error
    config = load_config(options.config, options.overrides)
    if options.inspect:
        sample, extra = first_batch(config)
        write_image(options.inspect, draw_batch(sample, extra))
        print(f"{len(sample.visible)} crops with their targets in {options.inspect}")
        return 0
    Trainer(config).run()
    return 0
