"""One invocation: pick a variant, hand the request to a worker, say what came back in SageMaker's words."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.errors import ServiceError
from engine.hosting.client import Reply, Unreachable, render
from engine.hosting.variant import Overloaded, Unavailable, Variant
from engine.http import Response

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.hosting.endpoint import Endpoint
    from engine.hosting.meters import Meters

BODY_LIMIT = 6_291_456
MODEL_SECONDS = 60.0
MESSAGE_LIMIT = 4096
"""Characters of the container's answer that an error quotes."""

ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_FORWARDED = (
    "content-type",
    "accept",
    ATTRIBUTES,
    "x-amzn-sagemaker-inference-id",
    "x-amzn-sagemaker-session-id",
    "x-amzn-sagemaker-enable-explanations",
)
_RETURNED = {
    ATTRIBUTES: "X-Amzn-SageMaker-Custom-Attributes",
    "x-amzn-sagemaker-new-session-id": "X-Amzn-SageMaker-New-Session-Id",
    "x-amzn-sagemaker-closed-session-id": "X-Amzn-SageMaker-Closed-Session-Id",
}


class Router:
    """Answers InvokeEndpoint for live endpoints. Nothing here reads the store: what a request needs is in memory."""

    def __init__(self, engine: Engine, meters: Meters, rng: random.Random) -> None:
        self._engine = engine
        self._meters = meters
        self.rng = rng

    async def invoke(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Response:
        """The container's answer, or the error it stands for.

        Args:
            headers: The request's headers, lower-case names.

        Raises:
            ServiceError: ``ValidationError``, ``ModelError``, ``ServiceUnavailable``.
        """
        began = time.perf_counter()
        variant = self._variant(endpoint, headers)
        reply: Reply | None = None
        error: ServiceError | None = None
        model_seconds: float | None = None
        try:
            forwarded = {name: headers[name] for name in _FORWARDED if name in headers}
            data = render("POST", "/invocations", forwarded, body)
            reply, model_seconds = await self._ask(endpoint, variant, data)
            if not 200 <= reply.status < 300:
                error = self._model_error(endpoint, reply.status, _text(reply.body))
        except ValueError as problem:
            error = ServiceError("ValidationError", f"A request header cannot be passed on: {problem}.")
        except ServiceError as problem:
            error = problem
        status = 200 if error is None else error.status
        model_error = error is not None and error.code == "ModelError"
        if model_error and error is not None:
            # CloudWatch counts what the model answered, not the 424 that the caller sees.
            status = error.fields["OriginalStatusCode"] or 500
            status = status if status >= 400 else 500
        total = time.perf_counter() - began
        self._meters.record(
            endpoint.name,
            variant.name,
            status=status,
            model_error=model_error,
            model_us=model_seconds * 1e6 if model_seconds is not None else None,
            overhead_us=(total - (model_seconds or 0.0)) * 1e6,
            instances=len(variant.plan.instances),
            config=variant.fleet.name if endpoint.green is not None else None,
        )
        if error is not None:
            error.headers.setdefault("x-Amzn-Invoked-Production-Variant", variant.name)
            raise error
        assert reply is not None
        answer = {
            "content-type": reply.headers.get("content-type", "application/octet-stream"),
            "x-Amzn-Invoked-Production-Variant": variant.name,
        }
        for name, title in _RETURNED.items():
            if name in reply.headers:
                answer[title] = reply.headers[name]
        return Response(200, answer, reply.body)

    def _variant(self, endpoint: Endpoint, headers: Mapping[str, str]) -> Variant:
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
        picked = endpoint.pick(self.rng)
        if picked is None:
            raise ServiceError(
                "ValidationError",
                f"Every production variant of endpoint {name} has weight 0: name one in TargetVariant or give one a weight.",
            )
        return picked

    async def _ask(self, endpoint: Endpoint, variant: Variant, data: bytes) -> tuple[Reply, float]:
        """The reply and the seconds it took, by at most two workers: the second when the first died before it answered."""
        deadline = time.perf_counter() + MODEL_SECONDS
        last: Unreachable | None = None
        for _ in range(2):
            left = deadline - time.perf_counter()
            try:
                worker = await variant.acquire(left)
            except Overloaded as problem:
                raise ServiceError(
                    "ServiceUnavailable", f"{problem} Send fewer requests at a time.", 503
                ) from problem
            except Unavailable as problem:
                raise ServiceError("ServiceUnavailable", f"{problem} Try again later.", 503) from problem
            began = time.perf_counter()
            try:
                reply = await worker.pool.request(data, deadline - began)
                return reply, time.perf_counter() - began
            except Unreachable as problem:
                last = problem
                # A process that was killed closes its sockets a moment before its parent hears of its end.
                await asyncio.sleep(0.05)
            except TimeoutError as problem:
                raise self._model_error(
                    endpoint,
                    0,
                    "Your invocation timed out while waiting for a response from container primary. Review the latency "
                    "metrics for each container in Amazon CloudWatch, resolve the issue, and try again.",
                ) from problem
            finally:
                worker.outstanding -= 1
        assert last is not None
        raise self._model_error(endpoint, 0, f"The container did not answer: {last}.") from last

    def _model_error(self, endpoint: Endpoint, status: int, text: str) -> ServiceError:
        settings = self._engine.settings
        group = f"/aws/sagemaker/Endpoints/{endpoint.name}"
        blame = "client" if 400 <= status < 500 else "server"
        message = (
            f'Received {blame} error ({status}) from primary with message "{text}". '
            f"See https://{settings.region}.console.aws.amazon.com/cloudwatch/home?region={settings.region}"
            f"#logEventViewer:group={group} in account {settings.account_id} for more information."
        )
        return ServiceError(
            "ModelError",
            message,
            424,
            fields={
                "OriginalStatusCode": status,
                "OriginalMessage": text,
                "LogStreamArn": settings.arn("logs", f"log-group:{group}"),
            },
        )


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")[:MESSAGE_LIMIT]
