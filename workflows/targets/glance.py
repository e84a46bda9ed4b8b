"""What one account and region has up, in at most four calls that list and a few that describe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from workflows.configuration import Configuration
from workflows.costs.estimates import NOTHING, Hourly
from workflows.explain import backend_lost, explain
from workflows.problem import Problem
from workflows.targets.entries import EMBEDDED, Entry, present

MOST_DESCRIBED = 8
"""Endpoints and running jobs that are described for their price: lists tell no instance types, and an account may have thousands."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are on the first page of a list, and whether there are more."""

    count: int = 0
    more: bool = False

    def __str__(self) -> str:
        return f"{self.count}+" if self.more else str(self.count)


@dataclass(frozen=True, slots=True)
class EndpointTally:
    """Endpoints by what their status means: ``changing`` is under way, ``failed`` needs somebody."""

    in_service: int = 0
    changing: int = 0
    failed: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What was seen of a target at ``at`` (epoch seconds), or the ``problem`` that kept from it.

    None stands for what could not be had, and ``notes`` say why. ``at_least``: not all of what bills is in ``hourly``. Jobs are those in progress.
    """

    entry: Entry
    at: float
    account: str = ""
    region: str = ""
    training: Tally | None = None
    tuning: Tally | None = None
    transform: Tally | None = None
    endpoints: EndpointTally | None = None
    hourly: Hourly | None = None
    at_least: bool = False
    basis: str = ""
    notes: tuple[str, ...] = ()
    problem: Problem | None = None

    def as_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it. Where there are more than one page, ``more`` is true."""

        def tally(found: Tally | None) -> dict[str, Any] | None:
            return None if found is None else {"count": found.count, "more": found.more}

        ends, rate = self.endpoints, self.hourly
        return {
            "target": str(self.entry),
            "kind": self.entry.target,
            "profile": self.entry.profile,
            "region": self.region or self.entry.region,
            "account": self.account,
            "at": self.at,
            "training": tally(self.training),
            "tuning": tally(self.tuning),
            "transform": tally(self.transform),
            "endpoints": None if ends is None else {"in_service": ends.in_service, "changing": ends.changing, "failed": ends.failed, "more": ends.more},
            "per_hour": None if rate is None else {"dollars": round(rate.dollars, 6), "at_least": self.at_least or bool(rate.unknown), "without": list(rate.unknown), "basis": self.basis},
            "notes": list(self.notes),
            "problem": self.problem.as_dict() if self.problem else None,
        }  # fmt: skip


@dataclass(slots=True)
class Known:
    """What is kept of a target between two looks: its connection, and what its resources bill while they do not change."""

    gateway: Any = None
    billed: dict[tuple[str, str, str, float], Hourly] = field(default_factory=dict)


def glance(configuration: Configuration, entry: Entry | None = None, known: Known | None = None) -> Glance:
    """One look at a configuration's target, or at that of an entry. It never raises: what went wrong is in the answer.

    The embedded SageMaker is started for it only where it is the present target.
    """
    entry = entry or present(configuration)
    known = Known() if known is None else known
    try:
        if known.gateway is None:
            known.gateway = _opened(configuration, entry)
        return _look(entry, known)
    except Exception as error:
        known.gateway = None  # opened anew the next time: keys may have been renewed
        return unseen(entry, explain(error, entry.target))


def unseen(entry: Entry, problem: Problem) -> Glance:
    """What is told of a target that did not answer; the remedies are those for somebody who works elsewhere."""
    if problem.code in ("expired", "ExpiredToken", "ExpiredTokenException") and entry.profile:
        remedy = f"Run `aws sso login --profile {entry.profile}`, or get new keys."
        problem = Problem(problem.sentence, remedy, problem.code)
    if problem.code == "credentials":
        who = f" --profile {entry.profile}" if entry.profile else ""
        remedy = f"Run `aws configure{who}` or `aws sso login{who}`, or correct the entry {entry} of targets."
        problem = Problem(problem.sentence, remedy, problem.code)
    if problem.code == "region":
        where = f"{entry.profile or 'default'} in ~/.aws/config"
        remedy = f"Write {entry.profile}@REGION in targets, or set the region of {where}."
        problem = Problem(f"The profile {entry.profile or 'default'} has no region.", remedy, problem.code)
    return Glance(entry=entry, at=time.time(), region=entry.region, problem=problem)


def _opened(configuration: Configuration, entry: Entry) -> Any:
    from workflows import budget, embedded
    from workflows.observe.gateway import Metered
    from workflows.platform import open_platform

    here = entry == present(configuration)
    if entry.target == EMBEDDED and not here and embedded.connection() is None:
        raise Problem("The embedded SageMaker does not run.", "`mlconsole engine start` starts it.", "engine")
    platform = open_platform(entry.of(configuration), observing=True, pricing=False)
    return Metered(platform, budget.shared(platform.target, platform.account, platform.region))


def _look(entry: Entry, known: Known) -> Glance:
    from workflows.costs import prices
    from workflows.observe import reading

    gateway = known.gateway.urgent()
    notes: list[str] = []
    failures: list[Problem] = []

    def page(method: str, member: str, what: str, **listing: Any) -> tuple[list[dict[str, Any]], bool] | None:
        try:
            first = next(reading.pages_of(gateway, method, **listing))
        except Problem as problem:
            if backend_lost(problem):
                raise
            failures.append(problem)
            notes.append(f"{what} are not known: {problem}")
            return None
        found = first.get(member)
        return (found if isinstance(found, list) else []), bool(first.get("NextToken"))

    running: dict[str, Any] = {"status": "InProgress"}
    training = page("list_training_jobs", "TrainingJobSummaries", "Training jobs", **running)
    tuning = page("list_hyper_parameter_tuning_jobs", "HyperParameterTuningJobSummaries", "Tuning jobs", **running)  # fmt: skip
    transform = page("list_transform_jobs", "TransformJobSummaries", "Transform jobs", **running)
    endpoints = page("list_endpoints", "Endpoints", "Endpoints")
    if training is tuning is transform is endpoints is None:
        raise failures[0]
    seen = Glance(
        entry=entry,
        at=time.time(),
        account=gateway.account,
        region=gateway.region,
        training=_tally(training),
        tuning=_tally(tuning),
        transform=_tally(transform),
        endpoints=_endpoints(endpoints),
        basis="",
    )
    with prices.within(gateway.region):
        rate, complete = _price(gateway, known, training, transform, endpoints, notes)
        return replace(seen, hourly=rate, at_least=not complete, basis=prices.basis(), notes=tuple(notes))


def _tally(page: tuple[list[dict[str, Any]], bool] | None) -> Tally | None:
    return None if page is None else Tally(len(page[0]), page[1])


def _endpoints(page: tuple[list[dict[str, Any]], bool] | None) -> EndpointTally | None:
    from workflows.observe.rows import ACTIVE_ENDPOINT

    if page is None:
        return None
    states = [str(item.get("EndpointStatus") or "") for item in page[0]]
    good = sum(1 for state in states if state == "InService")
    moving = sum(1 for state in states if state in ACTIVE_ENDPOINT)
    return EndpointTally(good, moving, len(states) - good - moving, page[1])


def _price(
    gateway: Any,
    known: Known,
    training: tuple[list[dict[str, Any]], bool] | None,
    transform: tuple[list[dict[str, Any]], bool] | None,
    endpoints: tuple[list[dict[str, Any]], bool] | None,
    notes: list[str],
) -> tuple[Hourly | None, bool]:
    """What is up costs an hour, and whether all of it is in that. Only what has changed since the last look is described."""
    from workflows.costs import bills
    from workflows.observe import endpoints as hosting
    from workflows.observe import jobs, reading, transforms
    from workflows.observe.rows import UNPAID_ENDPOINT

    kinds: list[tuple[str, str, Iterable[dict[str, Any]], Callable[[str], Hourly]]] = [
        ("endpoint", "EndpointName", [one for one in (endpoints or ((), False))[0] if one.get("EndpointStatus") not in UNPAID_ENDPOINT],
         lambda name: bills.of_endpoint(hosting.describe(gateway, name)).hourly),
        ("training", "TrainingJobName", (training or ((), False))[0], lambda name: bills.of_job(jobs.describe(gateway, name)).hourly),
        ("transform", "TransformJobName", (transform or ((), False))[0], lambda name: bills.of_job(transforms.describe(gateway, name)).hourly),
    ]  # fmt: skip
    complete = all(page is not None and not page[1] for page in (training, transform, endpoints))
    left, rate, before, now = MOST_DESCRIBED, NOTHING, known.billed, {}
    for kind, member, items, priced in kinds:
        for item in items:
            state = str(item.get("EndpointStatus") or "")
            changed = reading.seconds(item.get("LastModifiedTime")) or 0.0
            key = (kind, str(item[member]), state, changed if kind == "endpoint" else 0.0)
            if key in before:
                now[key] = before[key]
            elif left:
                left -= 1
                try:
                    now[key] = priced(str(item[member]))
                except Problem as problem:
                    if reading.not_found(problem):
                        continue  # it has gone since it was listed
                    if backend_lost(problem):
                        raise
                    notes.append(f"Not everything has a price: {problem}")
                    left, complete = 0, False
            else:
                complete = False
            if key in now:
                rate += now[key]
    known.billed = now
    return (rate if now or complete else None), complete
