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
from engine.hosting.streaming import UNSENT_PAUSE, Stream
from engine.hosting.variant import NotReady, Overloaded, Throttled, Unavailable, Variant
from engine.http import Response

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.hosting.capture import Event
    from engine.hosting.endpoint import Endpoint
    from engine.hosting.meters import Meters
    from engine.hosting.worker import Worker

MODEL_SECONDS = 60.0


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
        event = self._copies(endpoint, variant, headers, body, data)
        outcome = await self.ask(endpoint, variant, data, headers.get(answers.SESSION))
        self.measure(endpoint, variant, outcome, time.perf_counter() - began)
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
        event = self._copies(endpoint, variant, headers, body, data)
        stream = Stream(self, endpoint, variant, began)
        incoming = await stream.open(data, headers.get(answers.SESSION), MODEL_SECONDS)
        told = answers.returned(incoming.headers)
        return {
            "Body": stream.events(event),
            "ContentType": incoming.headers.get("content-type", "application/octet-stream"),
            "InvokedProductionVariant": variant.name,
            "CustomAttributes": told.get(answers.RETURNED[answers.ATTRIBUTES]),
        }

    async def ask(
        self, endpoint: Endpoint, variant: Variant, data: bytes, session: str | None = None
    ) -> Outcome:
        """What a request came to; never raises an error of the model's or of the variant's.

        A request goes to another worker only when the first one cannot have had it: what may have been done is not repeated.
        """
        deadline = time.perf_counter() + MODEL_SECONDS
        before: Worker | None = None
        while True:
            try:
                worker = await self.acquire(endpoint, variant, deadline, session)
            except ServiceError as problem:
                return Outcome(None, problem, None)
            finally:
                if before is not None:
                    # Not earlier: a fleet that is taken out of service ends when no request is counted in it.
                    variant.release(before)
                    before = None
            began = time.perf_counter()
            try:
                reply = await worker.pool.request(data, deadline - began)
            except Unsent:
                # A process that was killed closes its sockets a moment before its parent hears of its end.
                before = worker
                await asyncio.sleep(UNSENT_PAUSE)
                continue
            except Unreachable as problem:
                error = self.model_error(endpoint, 0, f"The container did not answer: {problem}.")
                return Outcome(None, error, time.perf_counter() - began)
            except TimeoutError:
                error = self.model_error(endpoint, 0, answers.TIMED_OUT)
                return Outcome(None, error, time.perf_counter() - began)
            finally:
                if before is None:
                    variant.release(worker)
            seconds = time.perf_counter() - began
            if not 200 <= reply.status < 300:
                error = self.model_error(endpoint, reply.status, answers.text(reply.body))
                return Outcome(reply, error, seconds)
            if session is not None:
                self._sessions.heed(endpoint.name, variant, worker, reply.headers)
            return Outcome(reply, None, seconds)

    async def acquire(
        self, endpoint: Endpoint, variant: Variant, deadline: float, session: str | None = None
    ) -> Worker:
        """A worker that is counted as busy with one request more; `Variant.release` gives it back.

        Args:
            deadline: `time.perf_counter` of when there must be one.

        Raises:
            ServiceError: There is none, or all are full.
        """
        if session is not None:
            held = self._sessions.find(endpoint.name, session)
            if held is not None and held[0] is variant:
                variant.take(held[1])
                return held[1]
        left = deadline - time.perf_counter()
        try:
            if left < 0:
                raise Unavailable(f"No instance of variant {variant.name} took the request.")
            return await variant.acquire(left)
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

    def heed(self, endpoint: Endpoint, variant: Variant, worker: Worker, headers: Mapping[str, str]) -> None:
        """Note the sessions that an answer opens or closes."""
        self._sessions.heed(endpoint.name, variant, worker, headers)

    def measure(self, endpoint: Endpoint, variant: Variant, outcome: Outcome, total: float) -> None:
        """Count an invocation that took ``total`` seconds."""
        seconds = outcome.seconds or 0.0
        self._meters.record(
            endpoint.name,
            variant.name,
            status=outcome.status,
            model_error=outcome.model_failed,
            model_us=None if outcome.seconds is None else seconds * 1e6,
            overhead_us=(total - seconds) * 1e6,
            instances=variant.declared,
            config=variant.fleet.name if endpoint.green is not None else None,
        )

    def model_error(self, endpoint: Endpoint, status: int, quoted: str) -> ServiceError:
        """``ModelError`` of one of this endpoint's containers."""
        return answers.model_error(self._engine.settings, endpoint.name, status, quoted)

    def _copies(
        self, endpoint: Endpoint, variant: Variant, headers: Mapping[str, str], body: bytes, data: bytes
    ) -> Event | None:
        """Send the shadow its copy; the event with which the request is captured, when it is in the sample."""
        fleet = variant.fleet
        capture, event = fleet.capture, None
        if capture is not None and capture.chosen(self.rng):
            event = capture.begin(headers, body)
        if fleet.shadow is not None:
            fleet.shadow.mirror(self, endpoint, data, event)
        return event

    def _variant(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Variant:
        found = self._wanted(endpoint, headers)
        if len(body) > found.body_limit:
            raise ServiceError(
                "ValidationError",
                "1 validation error detected: Value at 'body' failed to satisfy constraint: "
                f"Member must have length less than or equal to {found.body_limit}",
            )
        return found

    def _wanted(self, endpoint: Endpoint, headers: Mapping[str, str]) -> Variant:
        name = endpoint.name
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
            found = endpoint.find(target, self.rng)
            if found is None:
                known = ", ".join(sorted({each for fleet in endpoint.fleets() for each in fleet.variants}))
                raise ServiceError(
                    "ValidationError",
                    f"Variant {target} of endpoint {name} of account {self._engine.settings.account_id} not found. "
                    f"Its production variants are: {known}.",
                )
            return found
        session = headers.get(answers.SESSION)
        if session is not None:
            held = self._sessions.find(name, session)
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
            "POST",
            "/invocations",
            {name: headers[name] for name in answers.FORWARDED if name in headers},
            body,
        )
    except ValueError as problem:
        raise ServiceError(
            "ValidationError", f"A request header cannot be passed on: {problem}."
        ) from problem
