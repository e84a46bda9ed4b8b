"""One request of a batch transform: sent, sent again where that may help, and what its failure is called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Awaitable, Callable

from engine.hosting.client import Pool, Reply, Unreachable, render, render_head

CLIENT, ALGORITHM = "ClientError", "AlgorithmError"
MAX_ANSWER = 512 * 2**20
"""Bytes of one answer: answers may be many times longer than payloads (embeddings, masks), but they are held in memory."""
SHOWN = 8192
"""Characters of the container's answer that the data log quotes."""

_PING = render("GET", "/ping", {}, b"")
_RECOVERY_SECONDS = 90.0
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 5.0


class Failure(Exception):
    """An object cannot be transformed: whose fault it is, and the lines that the data log says."""

    def __init__(self, kind: str, lines: list[str]) -> None:
        super().__init__(lines[0])
        self.kind = kind
        self.lines = lines


class Caller:
    """Sends one worker the requests of a job.

    Args:
        timeout: Seconds that an answer may take (InvocationsTimeoutInSeconds).
        retries: How often a request is sent again (InvocationsMaxRetries).
    """

    def __init__(
        self, socket: str, *, content_type: str, accept: str, timeout: float, retries: int, idle: int
    ) -> None:
        self.pool = Pool(socket, idle=idle, limit=MAX_ANSWER)
        self._headers = {}
        if content_type:
            self._headers["content-type"] = content_type
        if accept:
            self._headers["accept"] = accept
        self._timeout = timeout
        self._retries = retries

    async def send(self, payload: bytes) -> Reply:
        """The answer to a payload.

        Raises:
            Failure: The container refused it, or gave no answer however often it was asked.
        """
        head = render_head("POST", "/invocations", {**self._headers, "content-length": str(len(payload))})
        return await self._tried(lambda: self.pool.request(head, self._timeout, payload))

    async def stream(self, body: Callable[[], AsyncIterable[bytes]]) -> Reply:
        """The answer to a payload that is sent in chunks, read anew for each try.

        Raises:
            Failure: As for `send`, and whatever reading raises.
        """
        head = render_head("POST", "/invocations", {**self._headers, "transfer-encoding": "chunked"})
        return await self._tried(lambda: self.pool.stream(head, body(), self._timeout))

    async def _tried(self, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        pause = _FIRST_PAUSE
        tries = 0
        while True:
            try:
                reply = await ask()
            except TimeoutError:
                failure = Failure(
                    ALGORITHM,
                    [
                        f"Model server did not respond to /invocations request within {self._timeout:g} seconds"
                    ],
                )
            except Unreachable as error:
                failure = Failure(ALGORITHM, ["Unable to get response from algorithm", f"Reason: {error}"])
                if tries < self._retries and not await self._recovered():
                    raise failure from error
            else:
                if 200 <= reply.status < 300:
                    return reply
                failure = _refusal(reply)
                if failure.kind == CLIENT and reply.status != 429:
                    raise failure
            if tries >= self._retries:
                raise failure
            tries += 1
            await asyncio.sleep(pause)
            pause = min(_LAST_PAUSE, 3 * pause)

    async def _recovered(self) -> bool:
        """Wait until the container answers again: one that died is started anew."""
        deadline = time.monotonic() + _RECOVERY_SECONDS
        while time.monotonic() < deadline:
            try:
                if (await self.pool.request(_PING, 2.0)).status == 200:
                    return True
            except (Unreachable, TimeoutError):
                pass
            await asyncio.sleep(0.1)
        return False


def _refusal(reply: Reply) -> Failure:
    client = 400 <= reply.status < 500
    head = (
        f"ClientError: {reply.status}"
        if client
        else f"Bad HTTP status received from algorithm: {reply.status}"
    )
    text = reply.body[: 4 * SHOWN].decode("utf-8", "replace")[:SHOWN]
    return Failure(CLIENT if client else ALGORITHM, [head, "", "Message:", *text.rstrip("\n").split("\n")])
