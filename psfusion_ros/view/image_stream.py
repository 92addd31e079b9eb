"""The newest image of one topic, with the rate and the latency of its images."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from statistics import median
from typing import Any

from sensor_msgs.msg import CompressedImage

from psfusion_core.cameras.image_decoding import stamp_of
from psfusion_ros.image_messages import AnyImage
from psfusion_ros.view.jpeg import to_jpeg

WINDOW = 5.0
"""Seconds over which the rate is measured."""

LATENCIES = 9
"""Number of images whose median latency is shown."""


class ImageStream:
    """Keeps only the newest image. ROS's thread calls `receive`, the server's thread all other methods.

    Attributes:
        name: The relative name of the topic.
        topic: Its resolved name.
        publishers: The current number of publishers.
        number: The number of the newest image, counted from 1.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.topic = name
        self.publishers = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived = asyncio.Event()
        self.number = 0
        self._message: AnyImage | None = None
        self._picture: tuple[int, asyncio.Task[bytes]] | None = None
        self._arrivals: deque[float] = deque(maxlen=500)
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._description = ""

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Forget everything; images arrive from now on."""
        self._loop = loop
        self._message = None
        self._arrivals.clear()
        self._latencies.clear()
        self._description = ""

    def receive(self, message: AnyImage, now_ns: int) -> None:
        """Take an image that arrived at `now_ns`, by the clock of its stamp."""
        self._arrivals.append(time.monotonic())
        self._latencies.append((now_ns - stamp_of(message.header)) / 1e6)
        if isinstance(message, CompressedImage):
            self._description = "compressed"
        else:
            self._description = f"{message.encoding} {message.width} x {message.height}"
        assert self._loop is not None, "`begin` comes before subscribing"
        self._loop.call_soon_threadsafe(self._keep, message)

    async def picture_after(self, number: int) -> tuple[int, bytes]:
        """Wait for an image with a larger number; return the newest image's number and its JPEG file.

        Raises:
            FrameError: The image does not decode.
        """
        while self._message is None or self.number <= number:
            await self._arrived.wait()
        if self._picture is None or self._picture[0] != self.number:
            encode = asyncio.to_thread(to_jpeg, self._message, self.name == "infrared/image")
            self._picture = self.number, asyncio.create_task(encode)
        shown, task = self._picture
        return shown, await asyncio.shield(task)  # other pages may wait for the same task

    def state(self) -> dict[str, Any]:
        """Return what the page shows about the topic: rate in Hz, latency in ms."""
        begin = time.monotonic() - WINDOW
        arrivals = [moment for moment in list(self._arrivals) if moment >= begin]
        rate = (len(arrivals) - 1) / (time.monotonic() - arrivals[0]) if len(arrivals) > 1 else 0.0
        latencies = list(self._latencies)
        return {
            "topic": self.topic,
            "publishers": self.publishers,
            "rate": round(rate, 1),
            "latency": round(median(latencies), 1) if latencies and arrivals else None,
            "description": self._description,
        }

    def _keep(self, message: AnyImage) -> None:
        self._message = message
        self.number += 1
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()
