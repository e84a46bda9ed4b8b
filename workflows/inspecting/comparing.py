"""Two training jobs side by side: what they were given, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from workflows.observe.rows import JobDetail

SHARED = 8
"""Characters at the beginning of two values that are worth leaving out."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing that both jobs may have; empty where a job has it not. ``numbers`` are its values where both are numbers."""

    section: str
    name: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        return self.left != self.right

    @property
    def change(self) -> float | None:
        """The right value minus the left one, where both are numbers."""
        try:
            return float(self.right) - float(self.left)
        except ValueError:
            return None


def apart(left: str, right: str) -> tuple[str, str]:
    """Two long values without the beginning that they share, from a separator on: in little room their middle is left out, and with it
    all that tells two URIs apart."""
    if left == right:
        return left, right
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
    begin = max(left.rfind(sign, 0, same) for sign in "/._- :,=") + 1
    return (f"…{left[begin:]}", f"…{right[begin:]}") if begin >= SHARED else (left, right)


def compared(left: JobDetail, right: JobDetail) -> tuple[Pair, ...]:
    """Everything that a person can set or that SageMaker measured, in the order in which one asks for it."""
    return tuple(_pairs(left, right))


def _pairs(left: JobDetail, right: JobDetail) -> Iterator[Pair]:
    yield Pair("Result", "status", left.row.status, right.row.status)
    finals = [{metric.name: f"{metric.value:.7g}" for metric in job.final_metrics} for job in (left, right)]
    yield from _both("Result", *finals)
    yield Pair("Result", "training seconds", _text(left.training_seconds), _text(right.training_seconds))
    yield Pair("Result", "billable seconds", _text(left.billable_seconds), _text(right.billable_seconds))
    yield Pair("Result", "failure", left.failure_reason, right.failure_reason)
    yield from _both("Hyperparameters", left.hyperparameters, right.hyperparameters)
    for name, one, other in (
        ("image", left.image, right.image),
        ("instance type", left.row.instance_type, right.row.instance_type),
        ("instances", _text(left.row.instance_count), _text(right.row.instance_count)),
        ("volume GB", _text(left.volume_gb), _text(right.volume_gb)),
        ("max runtime s", _text(left.max_runtime), _text(right.max_runtime)),
        ("input mode", left.input_mode, right.input_mode),
        ("role", left.role, right.role),
    ):
        yield Pair("Resources", name, one, other)
    yield from _both(
        "Channels", *({channel.name: channel.location for channel in job.channels} for job in (left, right))
    )
    yield from _both("Environment", left.environment, right.environment)


def _both(section: str, left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[Pair]:
    for name in dict.fromkeys((*left, *right)):
        yield Pair(section, name, str(left.get(name, "")), str(right.get(name, "")))


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
