"""Executable `psfusion_node`; `psfusion_ros.node` is the node itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from psfusion_ros.without_ros import explain_missing_ros

if TYPE_CHECKING:
    from psfusion_ros.pipeline import MakeFuser


def main(args: list[str] | None = None, make_fuser: MakeFuser | None = None) -> int:
    """Run the node until SIGINT or SIGTERM.

    Args:
        args: as sys.argv; that where not given.
        make_fuser: makes the engine, where that is not to be `psfusion_core.Fuser`.

    Returns:
        The exit status: 0 after a signal, 1 where the parameters make no sense, 2 without ROS.
    """
    try:
        from psfusion_ros.node import run
    except ImportError as error:
        return explain_missing_ros("psfusion_node", error)
    return run(args) if make_fuser is None else run(args, make_fuser)


if __name__ == "__main__":
    sys.exit(main())
