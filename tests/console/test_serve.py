"""The console in a browser: who comes in, what a tab shows, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from console.cli.failures import guarded
from console.web.guard import loopback
from console.web.tab import environment
from tests.console.chromium import browsing
from tests.console.command import COMMAND

DEADLINE = 60.0
NOWHERE = ("--target", "aws", "--region", "eu-west-1")
"""A target that needs no engine: without credentials the console says so, and answers keys."""


class Serving:
    """A running ``mlconsole serve``."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0", "--json", *NOWHERE, *options], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, told
            told += line
        self.url = str(json.loads(told)["url"])
        self.address = self.url.partition("/?")[0]
        self.websocket = self.address.replace("http", "ws") + "/ws"
        self.token = self.url.partition("token=")[2]

    def consoles(self) -> list[psutil.Process]:
        return [
            one for one in psutil.Process(self.process.pid).children() if one.status() != psutil.STATUS_ZOMBIE
        ]

    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"mlconsole-{urlsplit(self.address).port}={self.token}", "Origin": self.address}

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLCONSOLE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        found = Serving("--sessions", "1")
        yield found
        found.close()


async def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.02)


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_a_browser_shows_the_console_and_a_closed_tab_leaves_nothing(tmp_path: Path) -> None:
    async with browsing(tmp_path) as browser:
        serving = Serving()
        try:
            await browser.open(serving.address)
            refused = await browser.until(
                "document.body.innerText", lambda text: "token" in (text or ""), "the refusal"
            )
            assert "Open the whole address that mlconsole serve has printed" in refused
            await browser.open(serving.url)
            await browser.shows("7 Lessons")
            assert await browser.value("location.search") == ""  # the token is not in the address any more
            await browser.press("4")
            shown = await browser.shows("moons")
            assert "AWS" in shown
            assert all(
                urlsplit(url).hostname == "127.0.0.1" for url in browser.asked if not url.startswith("data:")
            )
            assert await browser.value("problems") == []
            assert await browser.value("document.fonts.check(\"16px 'Roboto Mono'\")") is True
            size = len(set(await browser.picture()))
            assert size > 200, "an empty picture"
            (console,) = serving.consoles()
            assert console.environ()["TERM"] == "xterm-256color"
            await browser.open("about:blank")
            await until(lambda: gone(console), "the end of the console whose tab was closed")
            assert serving.process.poll() is None

            await browser.open(serving.url)
            await browser.shows("7 Lessons")
            (console,) = serving.consoles()
            serving.process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(serving.process.wait, DEADLINE) == 0
            assert gone(console)
            await browser.until(
                "document.body.innerText", lambda text: "The console has ended" in (text or ""), "the notice"
            )
        finally:
            serving.close()


async def test_who_comes_in(serving: Serving) -> None:
    port = urlsplit(serving.address).port
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def status(path: str, **headers: str) -> tuple[int, str]:
            async with session.get(serving.address + path, headers=headers, allow_redirects=False) as answer:
                return answer.status, await answer.text()

        for path in (
            "/",
            "/static/js/textual.js",
            "/console/console.js",
            "/download/x",
            "/?token=",
            "/?token=é",
            f"/?token={serving.token[:-1]}",
        ):
            code, text = await status(path)
            assert (code, "mlconsole serve has printed" in text) == (403, True), path
        assert (await status("/static/js/textual.js?token=" + serving.token))[0] == 403
        async with session.get(serving.url, allow_redirects=False) as entered:
            assert entered.status == 303 and entered.headers["Location"] == "/"
            set_cookie = entered.headers["Set-Cookie"]
            assert "HttpOnly" in set_cookie and "SameSite=Lax" in set_cookie
        cookie = set_cookie.partition(";")[0]
        async with session.get(serving.address, headers={"Cookie": cookie}) as page:
            assert page.status == 200
            text = await page.text()
            assert f'data-session-websocket-url="{serving.websocket}"' in text and "https://" not in text
            policy = page.headers["Content-Security-Policy"]
            assert (
                "default-src 'none'" in policy
                and "frame-ancestors 'none'" in policy
                and f"ws://127.0.0.1:{port}" in policy
            )
            assert (
                page.headers["Cache-Control"] == "no-store"
                and page.headers["Referrer-Policy"] == "no-referrer"
            )
        # A rebound name, although it brings the cookie; another origin; through ssh -L under another port.
        assert (await status("/", Cookie=cookie, Host=f"evil.example:{port}"))[0] == 403
        assert (await status("/", Cookie=cookie, Origin="http://evil.example"))[0] == 403
        code, text = await status("/", Cookie=cookie, Host="localhost:9000")
        assert code == 200 and 'websocket-url="ws://localhost:9000/ws"' in text

        for headers in (
            {"Cookie": cookie},
            {"Cookie": cookie, "Origin": "http://evil.example"},
            {"Origin": serving.address},
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(serving.websocket, headers=headers)
            assert refused.value.status == 403, headers
    assert serving.consoles() == []


async def test_a_tab_is_a_terminal_and_their_number_is_bounded(serving: Serving) -> None:
    async with aiohttp.ClientSession(headers=serving.cookie()) as session:
        async with session.ws_connect(f"{serving.websocket}?width=100&height=30") as tab:
            seen = b""

            async def shows(text: bytes) -> None:
                nonlocal seen
                while text not in seen:
                    message = await tab.receive(DEADLINE)
                    if message.type == aiohttp.WSMsgType.TEXT:
                        continue  # the pong
                    assert message.type == aiohttp.WSMsgType.BINARY, (message, seen[-500:])
                    seen += message.data

            await shows(b"Lessons")
            (console,) = serving.consoles()
            async with session.get(serving.address) as page:
                assert page.status == 503 and "1 of 1 consoles are open" in await page.text()
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(serving.websocket)
            assert refused.value.status == 503
            seen = b""
            await tab.send_json(["resize", {"width": 90, "height": 10**9}])
            await tab.send_json(["resize", {"width": 81, "height": 25}])
            await shows(b"\x1b[25;")  # painted anew down to the last line
            await tab.send_json(["ping", "1"])
            await tab.send_json(["focus"])
            await tab.send_json(["stdin", "4"])
            await shows(b"moons")
            await tab.send_json(["stdin", "q"])
            while (message := await tab.receive(DEADLINE)).type == aiohttp.WSMsgType.BINARY:
                pass
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            await until(lambda: gone(console), "the end of the console after q")
        for wrong in ('"stdin"', "[", "{}", '["stdin"]', '["resize", {"width": "x"}]', '["stdin", 5]'):
            deadline = time.monotonic() + DEADLINE
            while (await session.get(serving.address)).status == 503 and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
            async with session.ws_connect(serving.websocket) as tab:
                await tab.send_str(wrong)
                while (await tab.receive(DEADLINE)).type == aiohttp.WSMsgType.BINARY:
                    pass
        await until(lambda: not serving.consoles(), "the end of all consoles")
        assert serving.process.poll() is None


async def test_a_killed_server_takes_its_consoles_along() -> None:
    serving = Serving()
    try:
        async with (
            aiohttp.ClientSession(headers=serving.cookie()) as session,
            session.ws_connect(serving.websocket) as tab,
        ):
            await tab.receive(DEADLINE)
            (console,) = serving.consoles()
            serving.process.kill()
            await until(lambda: gone(console), "the end of the console whose server was killed")
    finally:
        serving.close()


def test_what_cannot_be_served_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert guarded(["serve", "--port", str(port)]) == 1
    error = capsys.readouterr().err
    assert f"Port {port} of 127.0.0.1 is taken" in error and "--port" in error
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.com"):
        assert guarded(["serve", "--host", host, "--json"]) == 1
        told = json.loads(capsys.readouterr().out)
        assert told["code"] == "not-loopback" and "ssh -L 8765:127.0.0.1:8765" in told["remedy"]
    assert guarded(["serve", "--sessions", "0"]) == 2


def test_hosts_and_variables() -> None:
    assert all(loopback(host) for host in ("127.0.0.1:8765", "localhost", "[::1]:80", "LOCALHOST:1"))
    outside = (
        "",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "evil.example",
        "[::1",
        "127.0.0.1@evil.example",
    )
    assert not any(loopback(host) for host in outside)
    made = environment(
        {
            "TERM": "screen",
            "TMUX": "x",
            "SSH_CONNECTION": "a b c d",
            "TERMINFO": "/x",
            "LANG": "C.UTF-8",
            "COLUMNS": "3",
        }
    )
    assert made == {
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TERM_PROGRAM": "mlconsole-serve",
    }
