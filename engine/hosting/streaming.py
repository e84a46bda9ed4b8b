"""An answer that is passed on while the container writes it (InvokeEndpointWithResponseStream)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError
from engine.hosting import answers
from engine.hosting.client import Incoming, Unreachable, Unsent
from engine.hosting.outcome import Outcome

if TYPE_CHECKING:
    from engine.hosting.capture import Event
    from engine.hosting.endpoint import Endpoint
    from engine.hosting.router import Router
    from engine.hosting.variant import Variant
    from engine.hosting.worker import Worker

STREAM_SECONDS = 480.0
"""What AWS gives a model to finish an answer that it streams; it must begin as soon as any other."""
UNSENT_PAUSE = 0.05
"""Seconds before a request that a worker cannot have had is offered again."""
_ERROR_LIMIT = 64 * 2**10


class Stream:
    """One streamed answer: opened with its head, then read to its end, and measured when it is over.

    Args:
        began: `time.perf_counter` of the request.
    """

    def __init__(self, router: Router, endpoint: Endpoint, variant: Variant, began: float) -> None:
        self._router = router
        self._endpoint = endpoint
        self._variant = variant
        self._began = began
        self._asked = began
        self._worker: Worker | None = None
        self._incoming: Incoming | None = None

    async def open(self, data: bytes, session: str | None, seconds: float) -> Incoming:
        """The answer's head, 2xx.

        Args:
            seconds: What the model has to begin its answer.

        Raises:
            ServiceError: The model answered with an error or not at all, or nobody could take the request.
        """
        try:
            incoming = await self._ask(data, session, self._began + seconds)
        except ServiceError as problem:
            self._end(problem)
            problem.headers.setdefault(answers.INVOKED, self._variant.name)
            raise
        except BaseException:
            self._release()
            raise
        assert self._worker is not None
        self._router.heed(self._endpoint, self._variant, self._worker, incoming.headers)
        return incoming

    async def events(self, event: Event | None) -> AsyncIterator[dict[str, Any]]:
        """``PayloadPart`` after ``PayloadPart``, as the container writes them.

        Raises:
            ServiceError: ``ModelStreamError``: the answer broke off, or took too long.
        """
        incoming = self._incoming
        assert incoming is not None
        kept: list[bytes] | None = None if event is None else []
        problem: ServiceError | None = None
        try:
            async for chunk in incoming.chunks(time.monotonic() + STREAM_SECONDS):
                if kept is not None:
                    kept.append(chunk)
                yield {"PayloadPart": {"Bytes": chunk}}
            if event is not None and kept is not None:
                event.keep(self._variant.name, incoming.headers.get("content-type", ""), b"".join(kept))
        except TimeoutError as error:
            problem = _broken(
                "Your model primary did not complete sending the inference response in the allotted time.",
                "ModelInvocationTimeExceeded",
            )
            raise problem from error
        except Unreachable as error:
            problem = _broken(
                "The connection to container primary was closed before the inference response was complete.",
                "StreamBroken",
            )
            raise problem from error
        finally:
            incoming.close()
            self._end(problem)

    async def _ask(self, data: bytes, session: str | None, deadline: float) -> Incoming:
        while True:
            worker = await self._router.acquire(self._endpoint, self._variant, deadline, session)
            self._release()
            self._worker = worker
            self._asked = time.perf_counter()
            try:
                incoming = await self._worker.pool.open(data, deadline - self._asked)
            except Unsent:
                await asyncio.sleep(UNSENT_PAUSE)
                continue
            except Unreachable as problem:
                text = f"The container did not answer: {problem}."
                raise self._router.model_error(self._endpoint, 0, text) from problem
            except TimeoutError as problem:
                raise self._router.model_error(self._endpoint, 0, answers.TIMED_OUT) from problem
            self._incoming = incoming
            if 200 <= incoming.status < 300:
                return incoming
            body = b""
            try:
                async for chunk in incoming.chunks(
                    time.monotonic() + max(0.0, deadline - time.perf_counter())
                ):
                    body += chunk
                    if len(body) > _ERROR_LIMIT:
                        break
            except (TimeoutError, Unreachable):
                pass  # What there is of the message is what is quoted.
            finally:
                incoming.close()
            raise self._router.model_error(self._endpoint, incoming.status, answers.text(body))

    def _end(self, error: ServiceError | None) -> None:
        """Count the invocation, once."""
        asked = self._worker is not None
        self._release()
        now = time.perf_counter()
        outcome = Outcome(None, error, now - self._asked if asked else None)
        self._router.measure(self._endpoint, self._variant, outcome, now - self._began)

    def _release(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._variant.release(worker)


def _broken(message: str, code: str) -> ServiceError:
    return ServiceError("ModelStreamError", message, fields={"ErrorCode": code})
