"""Serves the files of the page, and one WebSocket for each open page.

Text messages to the page have the state as JSON. Binary messages have an image: one byte with the index of
the stream, then a JPEG file. When the page has shown an image, it answers with that index. Until then the
server sends no other image of the stream, so that a slow browser or network gets fewer images but never late
ones.
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
"""Least time between two images of a stream on one page, so that encoding leaves the CPU to the node."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address that the server listens on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_own_name(authority: str, host: str) -> bool:
    """Tell whether a Host header names this server.

    This refuses a page of another site whose name resolves to this machine (DNS rebinding). Addresses cannot
    be rebound, and the only accepted names are localhost, this machine's name and the host listened on.

    Args:
        authority: The header, such as 127.0.0.1:8088.
        host: The host that the server listens on; if it is loopback, only loopback addresses are accepted.
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
    """Serves the page, and subscribes to the topics while at least one page is open."""

    def __init__(self, streams: Streams, host: str) -> None:
        self._streams = streams
        self._host = host
        self._pages: set[web.WebSocketResponse] = set()
        self._pages_lock = asyncio.Lock()

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        application = web.Application(middlewares=[self._guard])
        for path, name in FILES.items():
            application.router.add_get(path, self._file_handler(PAGE / name))
        application.router.add_get("/images", self._serve_page)
        application.on_shutdown.append(self._close_pages)
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse requests that do not name this server as Host, or that come from pages of other servers."""
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

    async def _serve_page(self, request: web.Request) -> web.StreamResponse:
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
                number = stream.number  # the node's diagnostics report the problem
                continue
            shown.clear()
            await page.send_bytes(bytes([index]) + picture)
            await shown.wait()
            await asyncio.sleep(begin + IMAGE_SECONDS - time.monotonic())

    async def _join(self, page: web.WebSocketResponse) -> None:
        async with self._pages_lock:
            if not self._pages:
                await self._streams.open()
            self._pages.add(page)

    async def _leave(self, page: web.WebSocketResponse) -> None:
        async with self._pages_lock:
            self._pages.discard(page)
            if not self._pages:
                await self._streams.close()

    async def _close_pages(self, _: web.Application) -> None:
        # All at the same time, because closing waits for the answer of a browser, which may be suspended.
        await asyncio.gather(*(page.close(code=WSCloseCode.GOING_AWAY) for page in self._pages))


async def serve(streams: Streams, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        OSError: The server cannot listen on the address.
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
