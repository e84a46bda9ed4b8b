"""One invocation: pick a variant, hand the request to a worker, say what came back in SageMaker's words."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError
from engine.hosting import answers
from engine.hosting.client import Unreachable, Unsent, render
from engine.hosting.outcome import Outcome
from engine.hosting.sessions import Sessions
from engine.hosting.streaming import Stream
from engine.hosting.variant import NotReady, Overloaded, Throttled, Unavailable, Variant
from engine.http import Response

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.hosting.endpoint import Endpoint
    from engine.hosting.meters import Meters
    from engine.hosting.worker import Worker

BODY_LIMIT = 6_291_456
MODEL_SECONDS = 60.0
SERVERLESS_BODY_LIMIT = 4 * 2**20


class Router:
    """Answers InvokeEndpoint for live endpoints. Nothing here reads the store: what a request needs is in memory."""

    def __init__(self, engine: Engine, meters: Meters, rng: random.Random) -> None:
        self._engine = engine
        self._meters = meters
        self._sessions = Sessions()
        self.rng = rng

    async def invoke(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Response:
        """The container's answer, or the error it stands for.

        Args:
            headers: The request's headers, lower-case names.

        Raises:
            ServiceError: ``ValidationError``, ``ModelError``, ``ServiceUnavailable``, ``ThrottlingException``, ``ModelNotReadyException``.
        """
        began = time.perf_counter()
        variant = self._variant(endpoint, headers, body)
        data = _request(headers, body)
        capture = endpoint.capture
        event = capture.begin(headers, body) if capture is not None and capture.chosen(self.rng) else None
        if endpoint.shadow is not None:
            endpoint.shadow.mirror(self, data, event)
        outcome = await self.ask(endpoint.name, variant, data, headers.get(answers.SESSION))
        self.measure(endpoint.name, variant, outcome, time.perf_counter() - began)
        reply, error = outcome.reply, outcome.error
        if error is not None:
            error.headers.setdefault(answers.INVOKED, variant.name)
            raise error
        assert reply is not None
        if event is not None:
            event.keep(variant.name, reply.headers.get("content-type", ""), reply.body)
        answer = {
            "content-type": reply.headers.get("content-type", "application/octet-stream"),
            answers.INVOKED: variant.name,
            **answers.returned(reply.headers),
        }
        return Response(200, answer, reply.body)

    async def stream(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """The answer as it is written: the output members of InvokeEndpointWithResponseStream.

        Raises:
            ServiceError: As for `invoke`, as long as the answer has not begun; then the stream ends with the error.
        """
        began = time.perf_counter()
        variant = self._variant(endpoint, headers, body)
        data = _request(headers, body)
        capture = endpoint.capture
        event = capture.begin(headers, body) if capture is not None and capture.chosen(self.rng) else None
        if endpoint.shadow is not None:
            endpoint.shadow.mirror(self, data, event)
        stream = Stream(self, endpoint.name, variant, began)
        incoming = await stream.open(data, headers.get(answers.SESSION), MODEL_SECONDS)
        told = answers.returned(incoming.headers)
        return {
            "Body": stream.events(event),
            "ContentType": incoming.headers.get("content-type", "application/octet-stream"),
            "InvokedProductionVariant": variant.name,
            "CustomAttributes": told.get(answers.RETURNED[answers.ATTRIBUTES]),
        }

    async def ask(self, endpoint: str, variant: Variant, data: bytes, session: str | None = None) -> Outcome:
        """What a request came to; never raises an error of the model's or of the variant's.

        A request goes to another worker only when the first one cannot have had it: what may have been done is not repeated.
        """
        deadline = time.perf_counter() + MODEL_SECONDS
        while True:
            try:
                worker = await self.acquire(endpoint, variant, deadline, session)
            except ServiceError as problem:
                return Outcome(None, problem, None)
            began = time.perf_counter()
            try:
                reply = await worker.pool.request(data, deadline - began)
            except Unsent:
                # A process that was killed closes its sockets a moment before its parent hears of its end.
                await asyncio.sleep(0.05)
                continue
            except Unreachable as problem:
                error = self.model_error(endpoint, 0, f"The container did not answer: {problem}.")
                return Outcome(None, error, time.perf_counter() - began)
            except TimeoutError:
                error = self.model_error(endpoint, 0, answers.TIMED_OUT)
                return Outcome(None, error, time.perf_counter() - began)
            finally:
                variant.release(worker)
            seconds = time.perf_counter() - began
            if not 200 <= reply.status < 300:
                error = self.model_error(endpoint, reply.status, answers.text(reply.body))
                return Outcome(reply, error, seconds)
            if session is not None:
                self._sessions.heed(endpoint, variant, worker, reply.headers)
            return Outcome(reply, None, seconds)

    async def acquire(
        self, endpoint: str, variant: Variant, deadline: float, session: str | None = None
    ) -> Worker:
        """A worker that is counted as busy with one request more; `Variant.release` gives it back.

        Args:
            deadline: `time.perf_counter` of when there must be one.

        Raises:
            ServiceError: There is none, or all are full.
        """
        if session is not None:
            held = self._sessions.find(endpoint, session)
            if held is not None and held[0] is variant:
                held[1].outstanding += 1
                return held[1]
        try:
            return await variant.acquire(deadline - time.perf_counter())
        except Throttled as problem:
            raise ServiceError("ThrottlingException", str(problem), 429) from problem
        except NotReady as problem:
            raise ServiceError("ModelNotReadyException", str(problem), 429) from problem
        except Overloaded as problem:
            raise ServiceError(
                "ServiceUnavailable", f"{problem} Send fewer requests at a time.", 503
            ) from problem
        except Unavailable as problem:
            raise ServiceError("ServiceUnavailable", f"{problem} Try again later.", 503) from problem

    def heed(self, endpoint: str, variant: Variant, worker: Worker, headers: Mapping[str, str]) -> None:
        """Note the sessions that an answer opens or closes."""
        self._sessions.heed(endpoint, variant, worker, headers)

    def measure(self, endpoint: str, variant: Variant, outcome: Outcome, total: float) -> None:
        """Count an invocation that took ``total`` seconds."""
        seconds = outcome.seconds or 0.0
        self._meters.record(
            endpoint,
            variant.name,
            status=outcome.status,
            model_error=outcome.model_failed,
            model_us=None if outcome.seconds is None else seconds * 1e6,
            overhead_us=(total - seconds) * 1e6,
            instances=len(variant.plan.instances),
        )

    def model_error(self, endpoint: str, status: int, quoted: str) -> ServiceError:
        """``ModelError`` of one of this endpoint's containers."""
        return answers.model_error(self._engine.settings, endpoint, status, quoted)

    def _variant(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Variant:
        name = endpoint.name
        if endpoint.serverless and len(body) > SERVERLESS_BODY_LIMIT:
            raise ServiceError(
                "ValidationError",
                "1 validation error detected: Value at 'body' failed to satisfy constraint: "
                f"Member must have length less than or equal to {SERVERLESS_BODY_LIMIT}",
            )
        if "x-amzn-sagemaker-target-model" in headers:
            raise ServiceError(
                "ValidationError",
                f"Endpoint {name} is not a multi-model endpoint and does not support target model header.",
            )
        if "x-amzn-sagemaker-target-container-hostname" in headers:
            raise ServiceError(
                "ValidationError",
                f"Endpoint {name} is not a multi-container endpoint and does not support target container hostname header.",
            )
        if "x-amzn-sagemaker-inference-component" in headers:
            raise ServiceError(
                "ValidationError",
                "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy inference components.",
            )
        target = headers.get("x-amzn-sagemaker-target-variant")
        if target is not None:
            found = endpoint.variants.get(target)
            if found is None:
                known = ", ".join(sorted(endpoint.variants))
                raise ServiceError(
                    "ValidationError",
                    f"Variant {target} of endpoint {name} of account {self._engine.settings.account_id} not found. "
                    f"Its production variants are: {known}.",
                )
            return found
        session = headers.get(answers.SESSION)
        held = self._sessions.find(name, session) if session is not None else None
        if held is not None:
            return held[0]
        picked = endpoint.pick(self.rng)
        if picked is None:
            raise ServiceError(
                "ValidationError",
                f"Every production variant of endpoint {name} has weight 0: name one in TargetVariant or give one a weight.",
            )
        return picked


def _request(headers: Mapping[str, str], body: bytes) -> bytes:
    """The request as the container gets it.

    Raises:
        ServiceError: ``ValidationError``: a header that is none.
    """
    try:
        return render(
            "POST", "/invocations", {name: headers[name] for name in answers.FORWARDED if name in headers}, body
        )
    except ValueError as problem:
        raise ServiceError(
            "ValidationError", f"A request header cannot be passed on: {problem}."
        ) from problem
