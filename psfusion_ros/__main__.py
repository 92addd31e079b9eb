"""The executable `psfusion_node`; the node itself is in `psfusion_ros.node`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from psfusion_ros.without_ros import explain_missing_ros

if TYPE_CHECKING:
    from psfusion_ros.pipeline import MakeFuser


def main(args: list[str] | None = None, make_fuser: MakeFuser | None = None) -> int:
    """Run the node until SIGINT or SIGTERM.

    Args:
        args: Command line, program name first; sys.argv if not given.
        make_fuser: Creates the fuser; `psfusion_core.Fuser` if not given.

    Returns:
        The exit status: 0 after a signal, 1 if the parameters are invalid, 2 without ROS.
    """
    try:
        from psfusion_ros.node import run
    except ImportError as error:
        return explain_missing_ros("psfusion_node", error)
    return run(args) if make_fuser is None else run(args, make_fuser)


if __name__ == "__main__":
    sys.exit(main())
