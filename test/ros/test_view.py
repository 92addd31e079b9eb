"""The web page, in a real browser and by hand: live images, nothing queued, nothing from elsewhere."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")
pytest.importorskip("aiohttp", reason="needs aiohttp (extra view)")

import aiohttp
from harness import FAST_DIAGNOSTICS, Cameras, Peer, image_message
from node_process import PATIENCE, ROOT, STUB_NODE, NodeProcess, with_checkout
from sensor_msgs.msg import Image
from view_process import View

from psfusion_core.models.classes import CLASS_NAMES
from psfusion_core.simulation.drive import Drive
from psfusion_ros.view import main

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
STILL = "missing.frozen_after:=0.0"
"""The cameras send the same moment again and again."""

PAGE = ROOT / "psfusion_ros" / "view" / "page"


@pytest.fixture
def view(session_environment: dict[str, str]) -> Iterator[View]:
    with View(session_environment, "--port", "0") as view:
        yield view


@pytest.fixture(scope="module")
def drive() -> tuple[np.ndarray, np.ndarray]:
    """Render one moment of a simulated drive: (H, W, 3) and (H, W) uint8."""
    _, frame = next(iter(Drive(0.1, 10.0, "day", 120, 160).frames()))
    return frame.visible, frame.infrared


def replaced(pixels: dict[str, np.ndarray]) -> Callable[[str, int, Image], list[Image]]:
    """Return a change of cameras' messages to other pixels, by camera; stamps are kept."""

    def change(camera: str, _: int, message: Image) -> list[Image]:
        made = image_message(pixels[camera], message.encoding, 0, message.header.frame_id)
        made.header = message.header
        return [made]

    return change


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs chromium")
def test_a_browser_shows_four_live_images_with_rates_and_the_node_computes_for_an_open_page_only(
    session_environment: dict[str, str], view: View, drive: tuple[np.ndarray, np.ndarray]
) -> None:
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with (
        NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS, STILL) as node,
        Peer(outputs=()) as peer,
        sync_playwright() as playwright,
    ):
        node.wait_until_started()
        cameras = Cameras(peer, rate=10.0)
        cameras.change = replaced(dict(zip(("visible", "infrared"), drive, strict=True)))
        with cameras:
            peer.wait_until(lambda: peer.status("outputs").get("unwatched", "0") != "0", "unwatched pairs")
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("requestfailed", lambda request: complaints.append(request.url))
            page.goto(f"http://{view.address()}")
            everything = "[...document.querySelectorAll('figure')].every"
            page.wait_for_function(
                f"() => {everything}(f => f.querySelector('img').naturalWidth == 160 && "
                "/^[0-9.]+ Hz$/.test(f.querySelector('.rate').textContent) && "
                "/ ms$/.test(f.querySelector('.latency').textContent))",
                timeout=1000 * PATIENCE,
            )
            page.wait_for_selector("#source.fine:has-text('both')", timeout=1000 * PATIENCE)
            page.wait_for_function("() => document.querySelectorAll('#diagnostics li.fine').length == 5")
            assert page.locator("#classes li").all_inner_texts() == [
                name.replace("_", " ") for name in CLASS_NAMES[1:]
            ]
            shown = [mean_color(page, number) for number in range(4)]
            assert complaints == []
            browser.close()
            peer.wait_until(
                lambda: "fused/image 0" in peer.status("outputs")["subscribers"], "the page to unsubscribe"
            )
    visible, infrared = drive
    fused = visible // 2 + infrared[..., None] // 2
    for number, expected in enumerate((visible, np.dstack([infrared] * 3), fused)):
        assert np.allclose(shown[number], expected.reshape(-1, 3).mean(0), atol=3.0), number
    status, errors = view.stop()
    assert status == 0
    assert errors == ""


def mean_color(page: Any, number: int) -> list[float]:
    """Return the mean red, green and blue of an image on the page, 0 to 255."""
    script = """number => {
        const image = document.querySelectorAll('figure img')[number];
        const canvas = document.createElement('canvas');
        canvas.width = image.naturalWidth;
        canvas.height = image.naturalHeight;
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
        const sums = [0, 0, 0];
        data.forEach((value, place) => { if (place % 4 < 3) sums[place % 4] += value; });
        return sums.map(sum => 4 * sum / data.length);
    }"""
    found: list[float] = page.evaluate(script, number)
    return found


def test_a_page_that_is_slow_gets_the_newest_image_next_and_never_a_queue(
    session_environment: dict[str, str], view: View
) -> None:
    address = view.address()

    async def look(send: Callable[..., Awaitable[None]]) -> list[int]:
        """Return the grey levels of the images that came, one after each answer."""
        levels = []
        async with aiohttp.ClientSession() as session, session.ws_connect(f"http://{address}/images") as page:
            first = asyncio.create_task(next_level(page))
            while not first.done():
                await send(1)
            levels.append(await first)
            for level in range(2, 10):
                await send(level)
            await send(10, width=80)
            message = await page.receive()
            while "80 x 48" not in str(message.data):  # the state tells what came last
                assert message.type == aiohttp.WSMsgType.TEXT, "an image came before the one before was shown"
                message = await page.receive()
            await page.send_str("0")
            levels.append(await next_level(page))
            await page.send_str("0")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(next_level(page), 0.5)
        return levels

    with Peer(outputs=()) as peer:

        async def send(level: int, width: int = 64) -> None:
            pixels = np.full((48, width, 3), 20 * level, np.uint8)
            peer.send(image_message(pixels, "rgb8", time.time_ns(), "v"))
            await asyncio.sleep(0.05)

        assert asyncio.run(look(send)) == [1, 10]


def test_pages_get_their_images_one_by_one_and_one_may_leave(
    session_environment: dict[str, str], view: View
) -> None:
    address = f"http://{view.address()}/images"

    async def look(peer: Peer) -> None:
        async with aiohttp.ClientSession() as session:
            first, second = [await session.ws_connect(address) for _ in range(2)]
            levels = [asyncio.create_task(next_level(page)) for page in (first, second)]
            while not all(level.done() for level in levels):
                peer.send(image_message(np.full((48, 64, 3), 60, np.uint8), "rgb8", time.time_ns(), "v"))
                await asyncio.sleep(0.05)
            assert [await level for level in levels] == [3, 3]
            await first.close()
            await second.send_str("0")
            await second.send_str("no number of an image")
            later = asyncio.create_task(next_level(second, other_than=3))
            while not later.done():
                peer.send(image_message(np.full((48, 64, 3), 100, np.uint8), "rgb8", time.time_ns(), "v"))
                await asyncio.sleep(0.05)
                await second.send_str("0")
            assert await later == 5
            await second.close()
            peer.wait_until(lambda: not peer.visible.get_subscription_count(), "the view to unsubscribe")

    with Peer(outputs=()) as peer:
        asyncio.run(look(peer))
    view.process.send_signal(signal.SIGTERM)
    assert view.process.wait(PATIENCE) == 0


async def next_level(page: Any, other_than: int = -1) -> int:
    """Return the grey level of the next visible image, a twentieth of it."""
    while True:
        message = await page.receive()
        if message.type == aiohttp.WSMsgType.BINARY and message.data[0] == 0:
            image = cv2.imdecode(np.frombuffer(message.data[1:], np.uint8), cv2.IMREAD_COLOR)
            level = round(float(image.mean()) / 20)
            if level != other_than:
                return level


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--port", "70000"), "--port is 70000; expected 0 to 65535"),
        (("--node", "left/psfusion_node"), "--node is 'left/psfusion_node'; expected a node's name"),
    ],
)
def test_options_that_make_no_sense_are_status_2_in_one_line(
    capsys: pytest.CaptureFixture[str], words: tuple[str, str], message: str
) -> None:
    assert main(["view", *words]) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert message in error


def test_without_aiohttp_the_extra_is_named(session_environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "aiohttp.py").write_text("raise ImportError(\"No module named 'aiohttp'\")")
    done = subprocess.run(
        [sys.executable, "-m", "psfusion_ros.view"],
        env=with_checkout(session_environment, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "view: No module named 'aiohttp': pip install '.[view]'\n"


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for file in PAGE.iterdir():
        addresses = re.findall(r"\w+://[^\s\"'`)]*", file.read_text())
        assert set(addresses) <= {"ws://${location.host}/images", "http://www.w3.org/2000/svg"}, file
