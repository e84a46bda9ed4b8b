"""Sends requests to an endpoint at the moments that a plan wants, whatever the answers take.

The schedule is open: a slow answer does not move the requests behind it, it only makes them wait for a free connection,
and that waiting counts as theirs (G. Tene calls its absence "coordinated omission").
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from workflows.explain import explain
from workflows.observe.reading import not_found
from workflows.problem import Problem
from workflows.traffic import bill
from workflows.traffic.histogram import Histogram
from workflows.traffic.payload import Answer, Payload
from workflows.traffic.plan import Plan, Schedule
from workflows.traffic.summary import Summary, Tally

if TYPE_CHECKING:
    from workflows.platform import Platform

CONNECT_TIMEOUT = 10
READ_TIMEOUT = 70
"""Seconds. SageMaker answers an invocation within 60 s."""

Chosen = str | Callable[[Payload], str | None] | None
"""The variant that is asked: one for all, one per payload, or None for SageMaker's choice by weight."""


class Replay:
    """A replay at one endpoint; `run` carries it out, `summary` may be asked from other threads meanwhile.

    Args:
        platform: The target. A client of its own is made from it: a connection per request under way, no retries.
        payloads: Gone through again and again when it is a list or the like; an iterator once, which may end the replay.
        on_answer: Gets every answer, one call at a time, in the thread that received it; what it raises ends the replay.
        stop: Ends the replay when it is set; requests that are under way are waited for.
        target_variant: Ask this variant, or the one that a function names for a payload.
        confirmed: On AWS the ``confirmation`` of the `bill.Bill` that a person has agreed to.
        client: Sends the requests instead of a boto3 client of the platform.

    Raises:
        Problem: The endpoint is on AWS and nobody has agreed to the costs of this plan.
    """

    def __init__(
        self,
        platform: Platform,
        endpoint: str,
        payloads: Iterable[Payload],
        plan: Plan,
        *,
        on_answer: Callable[[Answer], None] | None = None,
        stop: threading.Event | None = None,
        target_variant: Chosen = None,
        confirmed: str = "",
        client: Any = None,
    ) -> None:
        bill.demand(platform, endpoint, plan, confirmed)
        self.endpoint = endpoint
        self.plan = plan
        self._platform = platform
        self._payloads = payloads
        self._on_answer = on_answer
        self._stop = stop or threading.Event()
        self._target_variant = target_variant
        self._client = client
        self._tally = Tally(endpoint)
        self._schedule = Schedule(plan)
        self._id = uuid.uuid4().hex[:12]
        self._source = _endless(payloads)
        self._dealing = threading.Lock()
        self._telling = threading.Lock()
        self._failure: BaseException | None = None
        self._begun = self._over = 0.0
        self._left: float | None = None
        self._exhausted = False
        self._wanted: tuple[float, int | None] = (0.0, None)
        self._processor = self._used = 0.0

    def run(self) -> Summary:
        """Carry the plan out in threads of its own, and wait for them.

        Raises:
            Problem: There is no such endpoint, or there are no payloads.
        """
        self._check()
        if self._client is None:
            self._client = _client(self._platform, self.plan.concurrency)
        most = self.plan.expected
        count = self.plan.concurrency if most is None else min(self.plan.concurrency, max(1, most))
        self._begun, self._processor = time.perf_counter(), time.process_time()
        threads = [
            threading.Thread(target=self._work, name=f"traffic-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException:  # Ctrl-C: what is under way is waited for by whoever asks for the summary
            self._stop.set()
            raise
        finally:
            self._finish()
        if self._failure is not None:
            raise self._failure
        return self.summary()

    def summary(self) -> Summary:
        """What has been measured so far."""
        ended = bool(self._over)
        seconds = (self._over or time.perf_counter()) - self._begun if self._begun else 0.0
        used = self._used if ended else time.process_time() - self._processor
        within, asked = self._wanted if ended else (seconds, self.plan.due_before(seconds))
        return self._tally.summary(
            seconds=seconds,
            asked=asked,
            asked_rate=asked / within if asked and within else None,
            busy=used / seconds if seconds else 0.0,
            ended=ended,
            stopped=ended and self._stop.is_set(),
        )

    def histograms(self) -> dict[str, Histogram]:
        """``latency`` and ``service`` of everything so far (see `Summary`)."""
        return self._tally.histograms()

    def _check(self) -> None:
        try:
            self._platform.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        except Exception as error:
            problem = explain(error, self._platform.target)
            if not_found(problem):
                raise Problem(
                    f"There is no endpoint {self.endpoint}.",
                    "`mlconsole endpoints ls` lists them.",
                    problem.code,
                ) from error
            if "AccessDenied" not in problem.code:  # one may be allowed to invoke and not to describe
                raise problem from error

    def _finish(self) -> None:
        with self._dealing:
            over = time.perf_counter()
            left = over - self._begun if self._left is None else self._left
            if self._exhausted:
                self._wanted = (left, None)
            elif self._schedule.over:
                length = self.plan.length
                asked = None if length is None else self.plan.expected
                self._wanted = (min(over - self._begun, length or left), asked)
            else:
                left = min(left, self.plan.seconds or left)
                self._wanted = (left, self.plan.due_before(left))
                for due, count in self._schedule.overdue(left):
                    self._tally.drop((left - due) * 1000, count)
            self._used = time.process_time() - self._processor
            self._over = over

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                with self._dealing:
                    elapsed = time.perf_counter() - self._begun
                    due = self._schedule.take(elapsed)
                    payload = next(self._source, None) if due is not None else None
                    number = self._schedule.dealt
                    self._exhausted |= due is not None and payload is None
                if due is None or payload is None:
                    return
                if due > elapsed and self._stop.wait(due - elapsed):
                    return
                self._tell(self._send(payload, f"{self._id}-{number}", None if due == elapsed else due))
        except BaseException as error:
            self._failure = self._failure or error
            self._stop.set()
        finally:
            with self._dealing:  # what becomes due after the first thread has left is nobody's any more
                if self._left is None:
                    self._left = time.perf_counter() - self._begun

    def _send(self, payload: Payload, inference_id: str, due: float | None) -> Answer:
        asked = {
            "EndpointName": self.endpoint,
            "Body": payload.body,
            "ContentType": payload.content_type,
            "InferenceId": inference_id,
        }
        chosen = self._target_variant(payload) if callable(self._target_variant) else self._target_variant
        if chosen:
            asked["TargetVariant"] = chosen
        self._tally.sent()
        at, sent = time.time(), time.perf_counter()
        status, code, variant = 200, "", chosen or ""
        try:
            answer = self._client.invoke_endpoint(**asked)
            body = bytes(answer["Body"].read())
            variant = str(answer.get("InvokedProductionVariant") or variant)
        except Exception as error:
            status, code, body, told = _failed(error)
            variant = told or variant
        ended = time.perf_counter()
        took = (ended - sent) * 1000
        return Answer(
            payload=payload,
            inference_id=inference_id,
            variant=variant,
            status=status,
            code=code,
            milliseconds=took,
            body=body,
            at=at,
            latency=took if due is None else max(took, (ended - self._begun - due) * 1000),
        )

    def _tell(self, answer: Answer) -> None:
        self._tally.add(answer, time.perf_counter() - self._begun)
        if self._on_answer is not None:
            with self._telling:
                self._on_answer(answer)


def replay(
    platform: Platform,
    endpoint: str,
    payloads: Iterable[Payload],
    plan: Plan,
    *,
    on_answer: Callable[[Answer], None] | None = None,
    stop: threading.Event | None = None,
    target_variant: Chosen = None,
    confirmed: str = "",
) -> Summary:
    """Carry out a `Replay` and return what it measured.

    Raises:
        Problem: There is no such endpoint, there are no payloads, or the costs on AWS were not agreed to.
    """
    return Replay(
        platform,
        endpoint,
        payloads,
        plan,
        on_answer=on_answer,
        stop=stop,
        target_variant=target_variant,
        confirmed=confirmed,
    ).run()


def _endless(payloads: Iterable[Payload]) -> Iterator[Payload]:
    """The payloads, again and again where they can be gone through again.

    Raises:
        Problem: There are none.
    """
    any_yet = False
    while True:
        source = iter(payloads)
        before = any_yet
        some = False
        for payload in source:
            any_yet = some = True
            yield payload
        if not any_yet:
            raise Problem("There is nothing to send: no payload was found.", "Look at the file.", "empty")
        if source is payloads or (before and not some):
            return


def _client(platform: Platform, concurrency: int) -> Any:
    """A client with a connection per request under way that tries each request once."""
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},
        max_pool_connections=concurrency,
        tcp_keepalive=True,
        proxies=None if platform.target == "aws" else {},
    )
    return platform.session.client(
        "sagemaker-runtime", config=config, endpoint_url=platform.endpoint_url or None
    )


def _failed(error: Exception) -> tuple[int, str, bytes, str]:
    """HTTP status, code, message and variant (empty: not told) of a request without an answer."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        told, found = response.get("ResponseMetadata") or {}, response["Error"]
        message = str(response.get("OriginalMessage") or found.get("Message") or "")
        headers = told.get("HTTPHeaders") or {}
        return (
            int(told.get("HTTPStatusCode") or 0),
            str(found.get("Code") or "Error"),
            message.encode(),
            str(headers.get("x-amzn-invoked-production-variant") or ""),
        )
    if any(cls.__name__ in ("BotoCoreError", "HTTPClientError", "OSError") for cls in type(error).__mro__):
        problem = explain(error)
        code = problem.code if problem.code in ("timeout", "unreachable") else type(error).__name__
        return 0, code, str(error).encode(), ""
    raise error
