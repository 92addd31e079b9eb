"""The executable `view`: serves a web page with the live inputs and outputs of the node.

`streams` subscribes to the topics, `server` serves the page, and the page itself is in `page/`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence

from psfusion_ros.without_ros import explain_missing_ros

EXAMPLES = """examples:
  view
  view --port 9000 --ros-args -r visible/image:=/front/image_raw -r infrared/image:=/thermal/image_raw
  view --node psfusion_node --ros-args -r __ns:=/left

The page subscribes to the images while it is open, and only then does the node compute them. From another
computer, reach the page through SSH: ssh -L 8088:127.0.0.1:8088 ROBOT"""


def main(args: Sequence[str] | None = None) -> int:
    """Serve the page until SIGINT or SIGTERM.

    Args:
        args: Command line, program name first; sys.argv if not given.

    Returns:
        The exit status: 0 after a signal, 2 if the page cannot be served.
    """
    try:
        import rclpy
        from rclpy.signals import SignalHandlerOptions
        from rclpy.utilities import remove_ros_args

        from psfusion_ros.view.streams import Streams
    except ImportError as error:
        return explain_missing_ros("view", error)
    arguments = list(sys.argv if args is None else args)
    options = _parser().parse_args(remove_ros_args(arguments)[1:])
    try:
        _check(options)
        from psfusion_ros.view.server import is_loopback, serve
    except ValueError as error:
        print(f"view: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        print(f"view: {error}: pip install '.[view]'", file=sys.stderr)
        return 2
    if not is_loopback(options.host):
        print(
            f"view: anybody who reaches {options.host} sees the cameras: there is no password, no encryption",
            file=sys.stderr,
        )
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    try:
        with Streams(options.node) as streams:
            asyncio.run(serve(streams, options.host, options.port))
    except OSError as error:
        print(f"view: cannot serve on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise ValueError if an option is invalid."""
    if not 0 <= options.port <= 65535:
        raise ValueError(f"--port is {options.port}; expected 0 to 65535")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", options.node):
        raise ValueError(f"--node is {options.node!r}; expected a node's name (give its namespace as __ns)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="view",
        description="Show the inputs and outputs of psfusion_node on a web page.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8088, help="port; 0 for any free one (default %(default)s)"
    )
    parser.add_argument(
        "--node", default="psfusion_node", metavar="NAME", help="the node's name (default %(default)s)"
    )
    return parser
