"""Labelled data as the traffic of a test: each row is asked, its answer is scored, and both are noted under the row's InferenceId."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from workflows.abtest import operations
from workflows.abtest.feeding import Fed
from workflows.abtest.following import Follower
from workflows.abtest.scoring import Score, score_of
from workflows.abtest.sticky import pseudonym
from workflows.problem import Problem
from workflows.safety.changes import change

if TYPE_CHECKING:
    from workflows.interfaces.rollouts.base import Rollouts
    from workflows.observe.gateway import Gateway
    from workflows.platform import Platform
    from workflows.traffic import Answer, Payload, Plan, Summary
    from workflows.traffic.bill import Bill

LOOK = 20
"""Answers between two looks at the verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """A replay of labelled rows.

    Args:
        source: A file, a folder or an ``s3://`` object, as `workflows.traffic.sources.read` takes it.
        label: The column with the true answer; ``key`` the one with the user, for sticky tests.
        header: Whether a CSV file's first line names its columns; None: found out.
        score: What makes a reward of answer and label: a name of `workflows.abtest.scoring.SCORES`.
        rate: Requests per second; 0: as fast as answers come.
        requests: How many at most; the rows are sent again and again.
        until_verdict: Whether a verdict ends it.
        seed: Shuffles the rows.
    """

    source: str
    label: str
    key: str = ""
    header: bool | None = None
    content_type: str = ""
    score: str = "accuracy"
    rate: float = 0.0
    requests: int = 1000
    concurrency: int = 4
    until_verdict: bool = True
    seed: int = 1

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> ReplayRequest:
        """From `as_dict`."""
        return cls(**found)


def payloads(request: ReplayRequest, gateway: Gateway | None = None) -> list[Payload]:
    """The rows of a replay.

    Raises:
        Problem: They cannot be read, or have no labels.
    """
    from workflows.traffic.sources import Reading, read

    if not request.label:
        raise Problem(
            "Which column holds the true answer is not told.",
            "Give --label: a column's name, or its number from 0 (-1: the last).",
            "label",
        )
    reading = Reading(
        label=request.label,
        key=request.key,
        header=request.header,
        content_type=request.content_type,
        seed=request.seed,
    )
    return read(request.source, reading, gateway)


def plan(request: ReplayRequest) -> Plan:
    """How fast a replay goes.

    Raises:
        Problem: Its numbers are not possible.
    """
    from workflows.traffic import Plan, Step

    return Plan((Step(rate=request.rate or None, requests=request.requests),), request.concurrency)


def bill(gateway: Gateway, endpoint: str, request: ReplayRequest, rows: list[Payload]) -> Bill:
    """What a replay costs on AWS.

    Raises:
        Problem: There is no such endpoint.
    """
    from workflows.traffic import bill as bills

    size = sum(len(row.body) for row in rows) / max(1, len(rows))
    return bills.of(gateway, endpoint, plan(request), payload_bytes=size)


def replay(
    platform: Platform,
    rollouts: Rollouts,
    name: str,
    rows: Iterable[Payload],
    how: Plan,
    *,
    score: str | Score = "accuracy",
    stop: threading.Event | None = None,
    until_verdict: bool = True,
    confirmed: str = "",
    told: Callable[[Follower], None] | None = None,
) -> Summary:
    """Send labelled rows to the test's endpoint until the plan, a verdict or ``stop`` ends it.

    A request that fails has no answer: of a rate it gets the worse reward, of other metrics none; guardrails count it.

    Args:
        score: The reward of an answer's body and the label.
        told: Hears of the test every `LOOK` answers, in a thread of the replay.

    Raises:
        Problem: The test has ended, an answer cannot be scored, or costs on AWS were not agreed to.
    """
    from workflows.traffic import replay as send

    known = operations.running_at(platform, name)
    detail = {"endpoint": known.experiment.endpoint}
    with change("FeedExperiment", name, detail, target=known.experiment.target):
        operations.observe(rollouts, name)
        ended = stop or threading.Event()
        scored = score_of(score) if isinstance(score, str) else score
        seen = 0

        def answered(answer: Answer) -> None:
            nonlocal seen
            seen += 1
            known.journal.append(lines(known, answer, scored))
            if seen % LOOK == 0:
                if until_verdict and known.report().verdict != "watching":
                    ended.set()
                if known.tally.state != "running":
                    ended.set()
                if told is not None:
                    told(known)

        sticky = known.experiment.sticky
        summary = send(
            platform,
            known.experiment.endpoint,
            rows,
            how,
            on_answer=answered,
            stop=ended,
            target_variant=(lambda payload: operations.assigned(known, payload.key)) if sticky else None,
            confirmed=confirmed,
        )
        known.update()
        return summary


def lines(known: Follower, answer: Answer, score: Score) -> list[Mapping[str, Any]]:
    """What an answer adds to the journal.

    Raises:
        Problem: It cannot be scored.
    """
    one = known.experiment
    if not answer.variant:
        return [{"t": "unattributed", "at": answer.at, "id": answer.inference_id, "c": answer.code}]
    reward: float | None = None
    if answer.failed:
        if one.kind == "rate":
            reward = 0.0 if one.direction == "higher" else 1.0
    elif answer.payload.label is not None:
        reward = score(answer.body, answer.payload.label)
    row = Fed(
        id=answer.inference_id,
        reward=reward,
        at=answer.at,
        variant=answer.variant,
        milliseconds=None if answer.failed else answer.milliseconds,
        status=answer.status,
        code=answer.code,
    )
    user = pseudonym(answer.payload.key, one.salt) if answer.payload.key else ""
    return list(row.lines(answer.at + answer.milliseconds / 1000, user))
