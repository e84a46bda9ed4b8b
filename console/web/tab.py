"""The console of one browser tab."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from console.pseudoterminal import PATIENCE, PseudoTerminal

CHUNK = 1 << 16


def environment(outside: Mapping[str, str]) -> dict[str, str]:
    """The variables of a console in a browser: its terminal is xterm.js there, not the one in which the server runs."""
    elsewhere = ("TMUX", "TMUX_PANE", "STY", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "COLUMNS", "LINES")
    kept = {
        name: value
        for name, value in outside.items()
        if name not in elsewhere and not name.startswith("TERM")
    }
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TERM_PROGRAM": "mlconsole-serve"}


class Tab(AppService):
    """A console on a pseudo-terminal whose other end is a browser.

    `textual_serve` talks to an application over pipes, in a protocol of Textual's own, and waits for it to end for ever. A
    pseudo-terminal has the same console as in a terminal, and takes it along when it hangs up.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        write: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        downloads: DownloadManager,
    ) -> None:
        super().__init__(
            " ".join(arguments),
            write_bytes=write,
            write_str=write_str,
            close=close,
            download_manager=downloads,
        )
        self._arguments = arguments
        self._terminal: PseudoTerminal | None = None
        self._typed = b""

    async def start(self, width: int, height: int) -> None:
        """Start the console in a terminal of this size.

        Raises:
            OSError: It cannot be started.
        """
        self._terminal = PseudoTerminal(self._arguments, environment(os.environ), (width, height))
        os.set_blocking(self._terminal.descriptor, False)
        self._task = asyncio.create_task(self.run())

    async def run(self) -> None:
        """Bring what the console writes to the browser; a browser that is slow makes the console wait."""
        assert self._terminal is not None
        descriptor = self._terminal.descriptor
        loop = asyncio.get_running_loop()
        try:
            while True:
                await _readable(loop, descriptor)
                try:
                    data = os.read(descriptor, CHUNK)
                except BlockingIOError:
                    continue
                except OSError:  # the console has ended
                    break
                if not data:
                    break
                await self.remote_write_bytes(data)
        except (ConnectionError, asyncio.CancelledError):
            return
        await self.remote_close()

    async def stop(self) -> None:
        """End the console; nothing of it is left afterwards."""
        terminal, self._terminal = self._terminal, None
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if terminal is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_writer(terminal.descriptor)
        terminal.hang_up()
        deadline = loop.time() + PATIENCE
        while not terminal.ended() and loop.time() < deadline:
            await asyncio.sleep(0.01)
        terminal.kill()

    async def send_bytes(self, data: bytes) -> bool:
        """Press keys. What the console does not take yet, waits."""
        if self._terminal is None:
            return False
        self._typed += data
        self._type()
        return True

    def _type(self) -> None:
        if self._terminal is None:
            return
        descriptor, loop = self._terminal.descriptor, asyncio.get_running_loop()
        loop.remove_writer(descriptor)
        try:
            self._typed = self._typed[os.write(descriptor, self._typed) :]
        except BlockingIOError:
            pass
        except OSError:  # the console has ended
            self._typed = b""
        if self._typed:
            loop.add_writer(descriptor, self._type)

    async def set_terminal_size(self, width: int, height: int) -> None:
        """The tab has another size."""
        if self._terminal is not None:
            self._terminal.resize(int(width), int(height))

    async def focus(self) -> None:
        """Nothing: xterm.js reports it as keys, as soon as the console asks for that."""

    async def blur(self) -> None:
        """Nothing, as for `focus`."""


async def _readable(loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, wake)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
