"""Dry runs: what would be sent is noted and not sent. Calls that only look are sent, so that plans are made of what is there.

The answer that a call would get is not known. An answer with nothing but ARNs, made as AWS makes them, lets the workflow go on to its next
call; where it needs more of it, or looks at what was only rehearsed, the rehearsal ends and says so.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from workflows.safety import operations
from workflows.safety.auditlog import concealed

T = TypeVar("T")
U = TypeVar("U")


class Rehearsed(BaseException):
    """A rehearsal has come to where the next step depends on an answer that nobody gave.

    No `Exception`, so that nobody takes it for a failure of the backend: to retry, or to clean up after it.
    """


@dataclass(slots=True)
class Rehearsal:
    """The calls of a dry run, in their order: ``service``, ``operation``, ``resource``, ``parameters``.

    ``questions`` is what a person would have been asked before them, costs included; ``ended`` says why it ended early.
    """

    calls: list[dict[str, Any]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    ended: str = ""
    _touched: dict[str, str] = field(default_factory=dict)

    def note(
        self, service: str, operation: str, parameters: Mapping[str, Any], resource: str | None = None
    ) -> None:
        """One call that was not made.

        Raises:
            Rehearsed: The rehearsal has ended: this would clean up after something that never was.
        """
        if self.ended:
            raise Rehearsed(self.ended)
        about = operations.resource(service, parameters) if resource is None else resource
        self.calls.append(
            {
                "service": service,
                "operation": operation,
                "resource": about,
                "parameters": concealed(parameters),
            }
        )
        for name in _named(parameters):
            self._touched[name] = operation

    def look(self, parameters: Mapping[str, Any]) -> bool:
        """A call that only looks is about to be made; whether it looks at what was deleted in the rehearsal, and so is not there.

        Raises:
            Rehearsed: It looks at what was only rehearsed otherwise.
        """
        pretended = next((self._touched[name] for name in _named(parameters) if name in self._touched), "")
        if pretended.startswith("Delete"):
            return True
        if pretended:
            self.stop(f"What follows depends on what {pretended} does.")
        return False

    def rehearsed(self, action: Callable[[T], U]) -> Callable[[T], U | None]:
        """An action for another thread: what it does there belongs to this rehearsal, whose end is its end (then None)."""

        def act(argument: T) -> U | None:
            with within(self):
                try:
                    return action(argument)
                except Rehearsed:
                    return None

        return act

    def stop(self, why: str) -> NoReturn:
        """End it here.

        Raises:
            Rehearsed: Always.
        """
        self.ended = self.ended or why
        raise Rehearsed(self.ended)


_rehearsal: Rehearsal | None = None
_of_thread = threading.local()


def begin() -> Rehearsal:
    """From now on, platforms that are opened in this process send no change."""
    global _rehearsal
    _rehearsal = Rehearsal()
    return _rehearsal


def end() -> None:
    """Changes are made again, by platforms opened from now on."""
    global _rehearsal
    _rehearsal = None


def current() -> Rehearsal | None:
    """The rehearsal of this thread, or of the whole process, or None."""
    found: Rehearsal | None = getattr(_of_thread, "rehearsal", None)
    return found or _rehearsal


@contextmanager
def within(playing: Rehearsal | None) -> Iterator[None]:
    """What this thread does in a ``with`` block belongs to a rehearsal; other threads go on as they are."""
    before = getattr(_of_thread, "rehearsal", None)
    _of_thread.rehearsal = playing
    try:
        yield
    finally:
        _of_thread.rehearsal = before


def told(calls: Iterable[Mapping[str, Any]]) -> list[str]:
    """Calls as lines of text: a number, the operation, the resource, and below it the parameters."""
    lines = []
    for number, call in enumerate(calls, 1):
        lines.append(f"{number}. {call['service']} {call['operation']} {call['resource']}".rstrip())
        for name, value in call["parameters"].items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            lines.append(f"     {name}: {text}")
    return lines


def answer(model: Any, parameters: Mapping[str, Any], region: str, account: str) -> dict[str, Any]:
    """An answer of a botocore operation model with its ARNs and nothing else.

    The form is that of the service reference: ``arn:aws:sagemaker:<region>:<account>:<kind>/<name>``.
    """
    found: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0}}
    members = model.output_shape.members if model.output_shape is not None else {}
    name = operations.resource(model.service_model.service_name, parameters)
    for member, shape in members.items():
        if member.endswith("Arn") and shape.type_name == "string":
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", member.removesuffix("Arn")).lower()
            service = model.service_model.endpoint_prefix.removeprefix("api.")
            found[member] = f"arn:aws:{service}:{region}:{account}:{kind}/{name}"
    return found


_IDENTIFYING = frozenset(
    {
        "EndpointName", "ModelName", "TrainingJobName", "HyperParameterTuningJobName", "TransformJobName", "ProcessingJobName",
        "FunctionName", "restApiId", "RoleName", "Key",
    }
)  # fmt: skip


def _named(parameters: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}:{value}"
        for name, value in parameters.items()
        if name in _IDENTIFYING and isinstance(value, str)
    ]
