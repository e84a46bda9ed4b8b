"""Serves the console to browsers on this machine, each tab a console of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server, to_int

from console.pseudoterminal import console_command
from console.web.guard import Guard, Handler, refusal
from console.web.tab import Tab
from workflows.problem import Problem

HERE = Path(__file__).parent
HEARTBEAT = 10.0
"""Seconds between two signs of life that a tab owes. One that vanished without a word costs a console for one and a half times that."""
MESSAGE_LIMIT = 1 << 20


class ConsoleServer(Server):
    """`textual_serve`'s server with a guard before it, a page that asks no other host, and a bound on the number of consoles.

    Args:
        arguments: What each console is started with, after ``mlconsole``.
        listening: The socket, bound to loopback.
        most: How many consoles there may be at a time.
    """

    def __init__(self, arguments: Sequence[str], listening: socket.socket, *, most: int) -> None:
        host, port = listening.getsockname()[:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        super().__init__(
            "mlconsole", host=host, port=port, title="mlconsole", public_url=self.address, templates_path=HERE / "templates"
        )  # fmt: skip
        self.guard = Guard(port)
        self._arguments = arguments
        self._listening = listening
        self._most = most
        self._tabs: set[web.WebSocketResponse] = set()

    @property
    def url(self) -> str:
        """The address with the token: who opens it is in."""
        return f"{self.address}/?token={self.guard.token}"

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.guard(request, handler)

        app.middlewares.append(guarded)
        app.router.add_static("/console", HERE / "assets", name="console")
        return app

    async def on_startup(self, app: web.Application) -> None:
        """The command line tells the address."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Close every tab, which ends its console."""
        await asyncio.gather(*(tab.close(message=b"mlconsole serve ends") for tab in list(self._tabs)))

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, with the address of its WebSocket as the browser knows this host: behind ``ssh -L`` the port is another one."""
        if len(self._tabs) >= self._most:
            return self._full()
        context: dict[str, Any] = {
            "font_size": min(48, max(6, to_int(request.query.get("fontsize", "16"), 16))),
            "websocket": f"ws://{request.host}/ws",
        }
        return aiohttp_jinja2.render_template("console.html", request, context)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One tab: start its console, carry keys and pictures, end it when the tab is gone."""
        if len(self._tabs) >= self._most:
            raise web.HTTPServiceUnavailable(text=self._full().text)
        websocket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=MESSAGE_LIMIT)
        self._tabs.add(websocket)
        tab = Tab(
            console_command(self._arguments), write=websocket.send_bytes, write_str=websocket.send_str,
            close=_closing(websocket), downloads=self.download_manager,
        )  # fmt: skip
        try:
            await websocket.prepare(request)
            size = (
                to_int(request.query.get(name, ""), usual) for name, usual in (("width", 80), ("height", 24))
            )
            try:
                await tab.start(*size)
            except OSError as error:
                await websocket.send_bytes(
                    f"\r\nThe console cannot be started: {error.strerror}.\r\n".encode()
                )
                return websocket
            with contextlib.suppress(
                ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError
            ):  # not our page
                await self._process_messages(websocket, tab)
        finally:
            # The tab counts until its console is gone; who closes one and opens another at once waits a tenth of a second.
            await asyncio.shield(self._end(websocket, tab))
        return websocket

    async def _end(self, websocket: web.WebSocketResponse, tab: Tab) -> None:
        await tab.stop()
        self._tabs.discard(websocket)
        if websocket.prepared and not websocket.closed:
            await websocket.close()

    def _full(self) -> web.Response:
        return refusal(
            f"{self._most} of {self._most} consoles are open; each takes about 85 MB of memory.",
            "Close another tab and reload this one, or start mlconsole serve with a larger --sessions.",
            status=503,
        )

    async def run(self, ready: Callable[[], None]) -> int:
        """Serve until a signal asks to end; returns its number, when no console is left."""
        asked: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def ask(number: int) -> None:
            if not asked.done():
                asked.set_result(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, ask, number)
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            await web.SockSite(runner, self._listening).start()
            ready()
            return await asked
        finally:
            await runner.cleanup()


def _closing(websocket: web.WebSocketResponse) -> Callable[[], Any]:
    async def close() -> None:
        await websocket.close(message=b"the console was left")

    return close


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to an address of this machine that no other one reaches.

    Raises:
        Problem: The address is not loopback, or the port cannot be had.
    """
    place = "127.0.0.1" if host == "localhost" else host
    if place not in ("127.0.0.1", "::1"):
        raise Problem(
            f"mlconsole serve listens on 127.0.0.1 or ::1 only, not on {host}: whoever reaches it acts with your rights.",
            f"From another machine go through SSH: ssh -L {port or 'PORT'}:127.0.0.1:{port or 'PORT'} HOST.",
            "not-loopback",
        )
    made = socket.socket(socket.AF_INET6 if ":" in place else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((place, port))
        made.listen(64)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise Problem(
                f"Port {port} of {place} is taken, perhaps by another mlconsole serve.",
                "Name another one with --port; 0 takes any that is free.",
                "port-taken",
            ) from error
        raise Problem(
            f"Port {port} of {place} cannot be had: {error.strerror}.", "Name another one with --port, from 1024 on.", "port"
        ) from error  # fmt: skip
    return made
