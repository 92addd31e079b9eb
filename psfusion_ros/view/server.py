"""The HTTP side of the page: its files, and one WebSocket for each page that is open.

To the page go texts, the state as JSON, and binary messages: one byte, which image, then a JPEG file. The
page answers each image, once it is shown, with that number; until then the server sends no other one of that
topic, so that a slow browser or network gets fewer images, never late ones.
"""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web

from psfusion_core.cameras.frame import FrameError
from psfusion_ros.view.streams import Streams

PAGE = Path(__file__).with_name("page")
FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}

STATE_SECONDS = 0.5
IMAGE_SECONDS = 1 / 15
"""Least time between two images of a topic on one page: encoding must leave the machine to the node."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_own_name(authority: str, host: str) -> bool:
    """Tell whether a Host header names this server.

    A page elsewhere that has its own name resolved to this machine (DNS rebinding) is turned away: addresses
    cannot be rebound, and of names only localhost, this machine's and the one listened on are known.

    Args:
        authority: the header, such as 127.0.0.1:8088.
        host: what the server listens on; where that is loopback, only loopback addresses are taken.
    """
    try:
        name = urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return False
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        own = {"localhost", host.lower()}
        return name in (own if is_loopback(host) else own | {socket.gethostname().lower()})
    return address.is_loopback or not is_loopback(host)


class Server:
    """Serves the page; the topics are subscribed to while at least one is open."""

    def __init__(self, streams: Streams, host: str) -> None:
        self._streams = streams
        self._host = host
        self._pages: set[web.WebSocketResponse] = set()
        self._turn = asyncio.Lock()

    def application(self) -> web.Application:
        """Make the application."""
        application = web.Application(middlewares=[self._guard])
        for path, name in FILES.items():
            application.router.add_get(path, self._file_handler(PAGE / name))
        application.router.add_get("/images", self._talk)
        application.on_shutdown.append(self._say_goodbye)
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer only those who address this server by its own name, and pages that came from it."""
        authority = request.headers.get("Host", "")
        origin = request.headers.get("Origin")
        if not is_own_name(authority, self._host):
            raise web.HTTPForbidden(text="expected the address of this server as Host: open that one\n")
        if origin is not None and origin != f"http://{authority}":
            raise web.HTTPForbidden(text="expected a page of this server as Origin\n")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _file_handler(self, path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(_: web.Request) -> web.StreamResponse:
            return web.FileResponse(path)

        return handler

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        page = web.WebSocketResponse(heartbeat=10.0, max_msg_size=64, compress=False)
        await page.prepare(request)
        shown = [asyncio.Event() for _ in self._streams.images]
        await self._join(page)
        tasks = [asyncio.create_task(self._send_state(page))]
        tasks += [
            asyncio.create_task(self._send_images(page, number, event)) for number, event in enumerate(shown)
        ]
        try:
            async for message in page:
                if message.type == WSMsgType.TEXT and message.data in map(str, range(len(shown))):
                    shown[int(message.data)].set()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._leave(page)
        return page

    async def _send_state(self, page: web.WebSocketResponse) -> None:
        while True:
            await page.send_json(self._streams.state())
            await asyncio.sleep(STATE_SECONDS)

    async def _send_images(self, page: web.WebSocketResponse, index: int, shown: asyncio.Event) -> None:
        stream = self._streams.images[index]
        number = 0
        while True:
            begin = time.monotonic()
            try:
                number, picture = await stream.picture_after(number)
            except FrameError:
                number = stream.number  # the node's diagnostics say what is wrong with it
                continue
            shown.clear()
            await page.send_bytes(bytes([index]) + picture)
            await shown.wait()
            await asyncio.sleep(begin + IMAGE_SECONDS - time.monotonic())

    async def _join(self, page: web.WebSocketResponse) -> None:
        async with self._turn:
            if not self._pages:
                await self._streams.open()
            self._pages.add(page)

    async def _leave(self, page: web.WebSocketResponse) -> None:
        async with self._turn:
            self._pages.discard(page)
            if not self._pages:
                await self._streams.close()

    async def _say_goodbye(self, _: web.Application) -> None:
        # All at once: closing waits for the answer of a browser, which may be asleep.
        await asyncio.gather(*(page.close(code=WSCloseCode.GOING_AWAY) for page in self._pages))


async def serve(streams: Streams, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        OSError: the address cannot be listened on.
    """
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    runner = web.AppRunner(Server(streams, host).application(), shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        taken = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        print(f"view: http://{shown}:{taken}", flush=True)
        await end.wait()
    finally:
        await runner.cleanup()
