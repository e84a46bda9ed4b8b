"""A load generator: ready-made requests over keep-alive connections, answers counted and timed.

Run as a process of its own (``python -m benchmarks.load``) so that it shares no interpreter with what it measures. Requests are signed
before the clock starts; both peers get the same bytes but for the Host.
"""

from __future__ import annotations

import asyncio
import base64
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Result:
    """``rate`` in requests a second, latencies in milliseconds, ``errors`` the answers that were not 2xx."""

    rate: float
    p50: float
    p99: float
    errors: int


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is complete; connects again when the server closes."""

    def __init__(
        self, address: tuple[str, int] | str, requests: list[bytes], offset: int, stride: int, until: float
    ) -> None:
        self.address, self.requests, self.next, self.stride, self.until = (
            address,
            requests,
            offset,
            stride,
            until,
        )
        self.latencies: list[float] = []
        self.errors = 0
        self.waiting = False
        self.last = b""
        self.buffer = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self) -> None:
        """Open a connection and begin; the time that takes counts, as it does for any client."""
        self.started = time.perf_counter()
        try:
            loop = asyncio.get_running_loop()
            if isinstance(self.address, str):
                await loop.create_unix_connection(lambda: self, self.address)
            else:
                await loop.create_connection(lambda: self, *self.address)
        except OSError as error:
            self.done.set_exception(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self._send()

    def _send(self) -> None:
        self.waiting = True
        self.transport.write(self.requests[self.next % len(self.requests)])
        self.next += self.stride

    def data_received(self, data: bytes) -> None:
        if not self.buffer and len(data) == len(self.last) and data[:13] == self.last[:13]:
            # As long as the last answer and with the same status: whole. The generator shares the cores with what it
            # measures, so reading the headers each time would be measured too.
            self._answered(keep=True)
            return
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower() + b"\r"
        at = head.find(b"content-length:")
        if at >= 0:
            if len(self.buffer) < end + 4 + int(head[at + 15 : head.find(b"\r", at)]):
                return
        elif b"transfer-encoding: chunked" in head and not self.buffer.endswith(b"0\r\n\r\n"):
            return
        self.errors += head[9:10] != b"2"
        keep = b"connection: close" not in head
        self.last = bytes(self.buffer) if keep and head[9:10] == b"2" else b""
        self.buffer.clear()
        self._answered(keep)

    def _answered(self, keep: bool) -> None:
        now = time.perf_counter()
        self.latencies.append(now - self.started)
        self.waiting = False
        if now >= self.until:
            self.transport.close()
            self.done.set_result(None)
        elif keep:
            self.started = now
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        if self.waiting:
            self.done.set_exception(
                ConnectionError(f"the server closed the connection before it answered: {exc}")
            )
        else:
            self.again = asyncio.get_running_loop().create_task(self.connect())


async def _drive(
    address: tuple[str, int] | str, requests: list[bytes], connections: int, seconds: float
) -> Result:
    begin = time.perf_counter()
    made = [_Connection(address, requests, n, connections, begin + seconds) for n in range(connections)]
    await asyncio.gather(*(each.connect() for each in made))
    await asyncio.gather(*(each.done for each in made))
    elapsed = time.perf_counter() - begin
    latencies = sorted(x for each in made for x in each.latencies)
    return Result(
        rate=len(latencies) / elapsed,
        p50=1000 * statistics.median(latencies),
        p99=1000 * latencies[int(0.99 * (len(latencies) - 1))],
        errors=sum(each.errors for each in made),
    )


def drive(url: str, requests: list[bytes], *, connections: int, seconds: float = 3.0) -> Result:
    """Load ``url`` (``http://HOST:PORT``, or ``unix:PATH`` for a socket) from a separate process.

    Raises:
        RuntimeError: The generator failed, for example because the server closed a connection.
    """
    order = {
        "url": url, "connections": connections, "seconds": seconds,
        "requests": [base64.b64encode(request).decode() for request in requests],
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return Result(**json.loads(done.stdout))


def main() -> None:
    import uvloop

    order = json.load(sys.stdin)
    parts = urlsplit(order["url"])
    address: tuple[str, int] | str = (
        parts.path if parts.scheme == "unix" else (parts.hostname or "127.0.0.1", parts.port or 80)
    )
    requests = [base64.b64decode(text) for text in order["requests"]]
    result = uvloop.run(_drive(address, requests, order["connections"], order["seconds"]))
    json.dump(result.__dict__, sys.stdout)


if __name__ == "__main__":
    main()
