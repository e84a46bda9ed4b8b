"""Calls to the embedded SageMaker: how long an answer is waited for, and which calls are sent again without one.

It answers in milliseconds, in a second or two where jobs keep all cores busy. What takes longer is not its own work: a model answers, a
function runs, a file is written.
"""

from __future__ import annotations

from typing import Any

from workflows.problem import Problem
from workflows.safety import operations

OWN = frozenset({"sts", "iam", "sagemaker", "logs", "cloudwatch", "application-autoscaling", "pricing"})
"""Services of which the engine answers every call by itself. API Gateway may call a function, S3 and Lambda take files."""
CONNECT = 5
ATTEMPTS = 4
"""Tries where nothing was answered because nobody listens, as while the engine starts anew."""
LOOKS = 2
"""Tries of a call that only looks and was not answered, where nobody waits at a terminal."""
PROMPT_READ, READ, LONG_READ = 10, 30, 70
"""Seconds that an answer of the engine's own may take: for who waits at a terminal, and for a run; and those of a model, which has 60, or a file."""
LISTING = ("s3", "lambda", "api-gateway")
"""Services, as botocore's events name them, with calls of both kinds: what only looks and brings no file is the engine's own work."""


def config(service: str = "", *, prompt: bool = False) -> Any:
    """botocore options of a client."""
    from botocore.config import Config

    return Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        proxies={},
        connect_timeout=CONNECT,
        read_timeout=LONG_READ if service not in OWN else PROMPT_READ if prompt else READ,
        max_pool_connections=16,
    )


def prepare(core: Any, *, prompt: bool = False) -> None:
    """No client of a botocore session sends a call again that was not answered and may have been done, those of the SDK included."""

    def unanswered(caught_exception: Any = None, operation: Any = None, attempts: int = 1, **_: Any) -> None:
        from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

        if not isinstance(caught_exception, ConnectTimeoutError | ReadTimeoutError):
            return  # botocore decides
        looks = operations.looks(operation.service_model.service_name, operation.name)
        sent = isinstance(caught_exception, ReadTimeoutError)
        if prompt or (sent and not looks) or attempts >= LOOKS:
            caught_exception.problem = _problem(operation.name, done=sent and not looks)  # type: ignore[union-attr]
            raise caught_exception

    hurried: list[Any] = []

    def listed(request: Any, event_name: str, **_: Any) -> Any:
        """botocore has one time-out per client: these calls go another way, which is as it would send them."""
        service, operation = event_name.split(".")[1:]
        if request.stream_output or not operations.looks(service, operation):
            return None
        if not hurried:
            from botocore.httpsession import URLLib3Session

            soon: Any = (CONNECT, PROMPT_READ if prompt else READ)
            hurried.append(URLLib3Session(timeout=soon, proxies={}, max_pool_connections=16))
        return hurried[0].send(request)

    core.register("needs-retry.*.*", unanswered)
    for service in LISTING:
        core.register(f"before-send.{service}.*", listed)


def _problem(operation: str, *, done: bool) -> Problem:
    also = ", and may have done it all the same" if done else ""
    look = "Look whether it was done before you try again. " if done else ""
    return Problem(
        f"The embedded SageMaker gave no answer to {operation} in time{also}.",
        f"{look}`mlconsole engine status` tells how it is; `mlconsole engine stop` and `start` begin anew, nothing is lost.",
        "timeout",
    )
