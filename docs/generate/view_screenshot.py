"""Takes docs/images/view.jpg: the page of `view` while a simulated drive is replayed through the real node.

Run from the repository root: .venv/bin/python docs/generate/view_screenshot.py. It needs /usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from psfusion_core.base.atomic_file import replacing
from psfusion_ros.loopback.child_processes import Processes
from psfusion_ros.loopback.environment import loopback_environment

MODULE = [sys.executable, "-m"]
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
SHOWN = "() => [...document.querySelectorAll('figure')].every(figure => figure.classList.contains('live'))"
PATIENCE_MS = 120_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the picture and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("docs/images/view.jpg"))
    parser.add_argument(
        "--size", default="1280x936", metavar="WxH", help="size of the window (default %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=8.0, help="delay before the picture is taken (default %(default)g)"
    )
    options = parser.parse_args(arguments)
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as directory:
        os.environ.update(loopback_environment(Path(directory)))
        drive = Path(directory) / "drive"
        logs = Path(directory) / "log"
        with Processes(logs) as processes:
            wanted = ["--format", "images", "--seconds", "3", "--time-of-day", "night", "--seed", "3"]
            simulate = [*MODULE, "psfusion_core.cli", "simulate", "--output", str(drive)]
            processes.run("simulate", [*simulate, *wanted])
            processes.start("view", [*MODULE, "psfusion_ros.view", "--port", "0"])
            processes.start("node", [*MODULE, "psfusion_ros"])
            address = wait_for_log(processes, logs, "view", r"view: (http://\S+)")
            wait_for_log(processes, logs, "node", "in: /")
            # Replay images, not a bag: replayed images are stamped now, so the page shows their latencies.
            folders = ["--visible", str(drive / "vi"), "--infrared", str(drive / "ir"), "--fps", "3"]
            replay = [*MODULE, "psfusion_ros.replay", *folders, "--loop", "--wait-for-subscribers", "0"]
            processes.start("replay", replay)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(address)
                page.wait_for_function(SHOWN, timeout=PATIENCE_MS)
                page.wait_for_timeout(1000 * options.seconds)
                with replacing(options.output) as temporary:
                    page.screenshot(path=temporary, type="jpeg", quality=88)
                browser.close()
    print(options.output)
    return 0


def wait_for_log(processes: Processes, logs: Path, name: str, pattern: str) -> str:
    """Wait until the log of a process matches a pattern. Return the last group, or else the whole match."""
    while not (match := re.search(pattern, (logs / f"{name}.log").read_text())):
        processes.check(name)
        time.sleep(0.1)
    return match[match.re.groups]


if __name__ == "__main__":
    sys.exit(main())
