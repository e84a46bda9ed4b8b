"""A headless Chromium, driven through its DevTools protocol, and the terminal that xterm.js draws in it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

DEADLINE = 60.0
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--window-size=1100,700", "--remote-debugging-port=0", "about:blank",
)  # fmt: skip
_KEEP_TERMINAL = """
window.problems = [];
addEventListener('securitypolicyviolation', event => problems.push(event.violatedDirective + ' ' + event.blockedURI));
addEventListener('error', event => problems.push(String(event.message)), true);
Object.defineProperty(Object.prototype, 'terminal', {configurable: true, get() { return undefined; }, set(value) {
  window.xterm = value;
  Object.defineProperty(this, 'terminal', {value, writable: true, configurable: true, enumerable: true});
}});
"""
"""The page keeps its terminal to itself; this puts it where the test finds it, whose characters are those on the screen."""
_ROWS = """(() => { if (!window.xterm) return ''; const b = xterm.buffer.active;
return Array.from({length: xterm.rows}, (_, y) => b.getLine(b.viewportY + y).translateToString(true)).join('\\n'); })()"""


class Browser:
    """One page of a running Chromium."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.asked: list[str] = []
        """Every address that the page has asked for."""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the DevTools protocol."""
        self._number += 1
        number = self._number
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message = json.loads((await asyncio.wait_for(self._socket.receive(), DEADLINE)).data)
            if message.get("method") == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.call("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """What an expression of JavaScript is in the page."""
        return (await self.call("Runtime.evaluate", expression=expression, returnByValue=True))["result"].get(
            "value"
        )

    async def until(self, expression: str, true: Callable[[Any], object], what: str) -> Any:
        """Wait until the value of an expression is as it should be."""
        deadline = time.monotonic() + DEADLINE
        while not true(found := await self.value(expression)):
            assert time.monotonic() < deadline, f"never: {what}. It is {found!r}"
            await asyncio.sleep(0.05)
        return found

    async def shows(self, text: str) -> str:
        """Wait until the terminal in the page shows a text; returns all that it shows."""
        return str(await self.until(_ROWS, lambda rows: text in (rows or ""), f"{text!r} in the terminal"))

    async def press(self, text: str) -> None:
        """Type a letter."""
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, key=text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=text)

    async def picture(self) -> bytes:
        """What is on the screen, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])


@contextlib.asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Browser]:
    """A browser that knows no host but this one; the test is skipped where there is no Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    profile = folder / "profile"
    process = subprocess.Popen(
        [program, f"--user-data-dir={profile}", *_FLAGS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )  # fmt: skip
    try:
        where, deadline = profile / "DevToolsActivePort", time.monotonic() + DEADLINE
        while not where.exists() or not where.read_text().count("\n"):
            assert process.poll() is None and time.monotonic() < deadline, "Chromium does not start"
            await asyncio.sleep(0.05)
        port = where.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            pages = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                browser = Browser(socket)
                for domain in ("Page", "Runtime", "Network"):
                    await browser.call(f"{domain}.enable")
                await browser.call("Page.addScriptToEvaluateOnNewDocument", source=_KEEP_TERMINAL)
                yield browser
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
