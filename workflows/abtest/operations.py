"""What can be done with an A/B test: start, weigh, feed, stop, promote, remove. Through either interface."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from workflows.abtest import journal as journals
from workflows.abtest.definition import Experiment, checked
from workflows.abtest.feeding import Fed
from workflows.abtest.following import Follower, follower
from workflows.abtest.journal import Journal
from workflows.abtest.report import ODDITIES, Report
from workflows.abtest.sticky import pseudonym, variant_of
from workflows.problem import Problem
from workflows.safety.changes import change

if TYPE_CHECKING:
    from workflows.interfaces.rollouts.base import Rollouts
    from workflows.observe.gateway import Gateway
    from workflows.observe.rows import Invocation

After = Literal["before", "control", "keep"]
"""Where the traffic goes when a test is stopped: to the weights from before it, all to the control, or nothing changes."""

TIMEOUT = 1800.0
"""Seconds that SageMaker may take to change weights."""
BATCH = 1000
"""Lines that are written at once."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What a feed did: rows read, how many rewards came to count with it, and what was odd about the rest (see `ODDITIES`)."""

    rows: int
    counted: int
    oddities: Mapping[str, int]


def start(gateway: Gateway, rollouts: Rollouts, experiment: Experiment) -> Journal:
    """Start a test: its variants get their weights, and what is asked from then on counts.

    Raises:
        Problem: The test cannot be carried out, its endpoint is not in service or in another test, or the weights are refused.
    """
    state = _in_service(rollouts, experiment.endpoint)
    present = _weights(state)
    unknown = [name for name in experiment.variants if name not in present]
    if unknown:
        raise Problem(
            f"Endpoint {experiment.endpoint} has no variant {', '.join(unknown)}.",
            f"Its variants: {', '.join(present)}.",
            "variant",
        )
    now = time.time()
    made = checked(
        replace(
            experiment,
            before=present,
            target=gateway.target,
            region=gateway.region,
            account=gateway.account,
            created=now,
            salt=experiment.salt or f"{experiment.name}-{now:.0f}",
        )
    )
    for other in running(made):
        raise Problem(
            f"A/B test {other.name} is running on endpoint {other.endpoint}.",
            f"`mlconsole ab stop {other.name}` ends it.",
            "busy",
        )
    detail = {"endpoint": made.endpoint, "weights": dict(made.weights)}
    with change("StartExperiment", made.name, detail, target=made.target):
        journal = journals.make(made)
        try:
            _weigh(rollouts, journal, made, made.weights)
        except BaseException:
            journal.remove()
            raise
        return journal


def running(experiment: Experiment) -> Iterable[Experiment]:
    """The running tests of the same endpoint."""
    for journal in journals.everything():
        try:
            known = follower(journal.folder.name)
        except Problem:
            continue
        other = known.experiment
        same = (other.target, other.region, other.account, other.endpoint) == (
            experiment.target, experiment.region, experiment.account, experiment.endpoint,
        )  # fmt: skip
        if same and known.update().state == "running":
            yield other


def weigh(gateway: Gateway, rollouts: Rollouts, name: str, weights: Mapping[str, float]) -> Report:
    """Change the variants' weights in mid-test: a new segment begins, and what was counted stays.

    Raises:
        Problem: The test has ended, a weight is not possible, or SageMaker refuses it.
    """
    known = running_at(gateway, name)
    wanted = {**(known.tally.weights or known.experiment.weights), **weights}
    unknown = [variant for variant in weights if variant not in known.experiment.variants]
    if unknown:
        raise Problem(
            f"{', '.join(unknown)} is no variant of A/B test {name}.",
            f"Its variants: {', '.join(known.experiment.variants)}.",
            "variant",
        )
    checked(replace(known.experiment, weights=wanted))
    with change("WeighExperiment", name, {"weights": dict(wanted)}, target=known.experiment.target):
        _weigh(rollouts, known.journal, known.experiment, wanted)
    return known.report()


def observe(rollouts: Rollouts, name: str) -> None:
    """Take note of weights that somebody else has changed: a new segment begins.

    Raises:
        Problem: There is no such endpoint any more.
    """
    known = follower(name)
    present = known.update().weights
    if known.tally.state != "running":
        return
    state = rollouts.describe(known.experiment.endpoint)
    if state is None:
        raise _gone(known.experiment.endpoint)
    found = {variant: _weights(state).get(variant, 0.0) for variant in known.experiment.variants}
    if state.get("EndpointStatus") == "InService" and present != found:
        usable = sum(weight > 0 for weight in found.values()) > 1
        known.journal.append([{"t": "weights", "at": time.time(), "weights": found if usable else None}])


def feed(name: str, rows: Iterable[Fed]) -> Intake:
    """Take rewards, and assignments where rows tell the variant.

    Raises:
        Problem: There is no such test, or a row cannot be read; the rows before it are taken.
    """
    known = follower(name)
    with change("RewardExperiment", name, target=known.experiment.target):
        tally = known.update()
        before, counted = dict(_oddities(known)), tally.rewarded
        read = 0
        waiting: list[Mapping[str, Any]] = []
        try:
            for row in rows:
                read += 1
                user = pseudonym(row.user, known.experiment.salt) if row.user else ""
                waiting += row.lines(time.time(), user)
                if len(waiting) >= BATCH:
                    known.journal.append(waiting)
                    waiting = []
        finally:
            known.journal.append(waiting)
            known.update()
        after = _oddities(known)
        changes = {what: after[what] - before.get(what, 0) for what in after}
        return Intake(read, tally.rewarded - counted, {what: n for what, n in changes.items() if n > 0})


def feed_from(name: str, reward: Callable[[str], float | None]) -> Intake:
    """Ask a function for the reward of every request that has none; None: not known yet.

    Raises:
        Problem: There is no such test.
    """
    known = follower(name)
    waiting = known.update().unrewarded()
    found = ((request, reward(request)) for request in waiting)
    return feed(name, (Fed(id=request, reward=value) for request, value in found if value is not None))


def feed_captured(gateway: Gateway, name: str) -> Intake:
    """Take the assignments from what the endpoint has captured: which variant answered which InferenceId, and when.

    Raises:
        Problem: The endpoint captures nothing, or its captures cannot be read.
    """
    from workflows.observe import captures

    known = follower(name)
    tally = known.update()
    began = tally.segments[0].start if tally.segments else known.experiment.created
    known_ids = tally.known()

    def rows() -> Iterable[Fed]:
        for one in captures.newest_first(gateway, captures.place(gateway, known.experiment.endpoint)):
            if one.time < began - 3600:  # files are ordered by the hour
                return
            if one.inference_id and one.time >= began and one.inference_id not in known_ids:
                yield Fed(id=one.inference_id, variant=one.variant, at=one.time)

    return feed(name, list(rows())[::-1])


def invoke(gateway: Gateway, name: str, body: bytes, *, content_type: str, user: str = "") -> Invocation:
    """Ask the endpoint as part of the test: the assignment is noted under a new InferenceId, failures too. ``user`` decides the variant of a sticky test.

    Raises:
        Problem: The test has ended, a sticky one gets no user, or the endpoint's model failed.
    """
    import uuid

    from workflows.observe import endpoints

    known = running_at(gateway, name)
    variant = assigned(known, user)
    request = uuid.uuid4().hex
    hidden = pseudonym(user, known.experiment.salt) if user else ""
    at = time.time()
    try:
        answer = endpoints.invoke(
            gateway,
            known.experiment.endpoint,
            body,
            content_type=content_type,
            target_variant=variant,
            inference_id=request,
        )
    except Problem as problem:
        line: Mapping[str, Any] = {"t": "unattributed", "at": time.time(), "id": request, "c": problem.code}
        if variant:
            failed = Fed(id=request, variant=variant, at=at, status=0, code=problem.code or "Error")
            line = next(failed.lines(time.time(), hidden))
        known.journal.append([line])
        raise
    row = Fed(id=request, variant=answer.variant, at=at, milliseconds=answer.milliseconds)
    known.journal.append(row.lines(time.time(), hidden))
    return answer


def assigned(known: Follower, user: str) -> str:
    """The variant to ask for a user of a sticky test; empty: SageMaker chooses by weight.

    Raises:
        Problem: The test is sticky and there is no user.
    """
    if not known.experiment.sticky:
        return ""
    if not user:
        raise Problem(
            f"A/B test {known.experiment.name} assigns users, and this request tells none.",
            "Give the user's id (--key names its column).",
            "user",
        )
    return variant_of(user, known.tally.weights or known.experiment.weights, known.experiment.salt)


def stop(gateway: Gateway, rollouts: Rollouts, name: str, after: After = "before") -> Report:
    """End a test without a winner.

    Raises:
        Problem: The test has ended already, or SageMaker refuses the weights; then it goes on.
    """
    known = running_at(gateway, name)
    one = known.experiment
    with change("StopExperiment", name, {"weights": after}, target=one.target):
        if after != "keep":
            weights = dict(one.before)
            if after == "control":
                weights = {variant: float(variant == one.control) for variant in one.variants}
            give(rollouts, known, {variant: weights[variant] for variant in one.variants})
        _end(known, {"state": "stopped", "weights": after})
    return known.report()


def remove(name: str) -> None:
    """Delete a test that has ended, with all that it counted.

    Raises:
        Problem: There is no such test, or it is running.
    """
    journal = journals.find(name)
    try:
        running_still = follower(name).update().state == "running"
    except Problem:  # a damaged one can only be removed
        running_still = False
    if running_still:
        raise Problem(f"A/B test {name} is running.", f"`mlconsole ab stop {name}` ends it.", "busy")
    with change("DeleteExperiment", name):
        journal.remove()


def finish(known: Follower, detail: Mapping[str, Any]) -> Report:
    """Note that a winner was promoted."""
    _end(known, {"state": "promoted", **detail})
    return known.report()


def _end(known: Follower, detail: Mapping[str, Any]) -> None:
    now = time.time()
    known.journal.append([{"t": "weights", "at": now, "weights": None}, {"t": "state", "at": now, **detail}])


def running_at(gateway: Gateway, name: str) -> Follower:
    """A test that runs, at the target that a gateway leads to.

    Raises:
        Problem: There is no such test, it has ended, or it runs somewhere else.
    """
    known = follower(name)
    one, state = known.experiment, known.update().state
    if state != "running":
        raise Problem(
            f"A/B test {name} has ended: {state}.", f"`mlconsole ab show {name}` tells how.", "ended"
        )
    if (one.target, one.region, one.account) != (gateway.target, gateway.region, gateway.account):
        raise Problem(
            f"A/B test {name} runs at {one.target} {one.account} {one.region}, and this is {gateway.target} {gateway.account} {gateway.region}.",
            "Use --target, --profile and --region to go there.",
            "elsewhere",
        )
    return known


def give(rollouts: Rollouts, known: Follower, weights: Mapping[str, float]) -> None:
    """Set the weights with which a test ends; where SageMaker refuses them the test goes on with those it has.

    Raises:
        Problem: They are refused.
    """
    known.journal.append([{"t": "weights", "at": time.time(), "weights": None}])
    try:
        _apply(rollouts, known.experiment, weights)
    except BaseException:
        observe(rollouts, known.experiment.name)
        raise


def _weigh(rollouts: Rollouts, journal: Journal, one: Experiment, weights: Mapping[str, float]) -> None:
    before = _weights(_in_service(rollouts, one.endpoint))
    # What is asked while weights change does not count: nobody knows by which weights it was routed.
    journal.append([{"t": "weights", "at": time.time(), "weights": None}])
    try:
        wanted = {variant: float(weights[variant]) for variant in one.variants}
        if any(before.get(variant) != weight for variant, weight in wanted.items()):
            _apply(rollouts, one, wanted)
    finally:
        state = rollouts.describe(one.endpoint)
        found = _weights(state) if state else {}
        now = {variant: found.get(variant, 0.0) for variant in one.variants}
        usable = sum(weight > 0 for weight in now.values()) > 1
        journal.append([{"t": "weights", "at": time.time(), "weights": now if usable else None}])


def _apply(rollouts: Rollouts, one: Experiment, weights: Mapping[str, float]) -> None:
    """Set weights and wait until SageMaker has them."""
    from workflows.interfaces.waiting import Waiter, pace_of

    endpoint = one.endpoint
    rollouts.weigh(endpoint, weights)
    waiter = Waiter(pace_of(one.target), threading.Event())

    def poll() -> tuple[bool, object]:
        state = rollouts.describe(endpoint)
        if state is None:
            raise _gone(endpoint)
        status = state.get("EndpointStatus")
        return status not in ("Updating", "SystemUpdating", "RollingBack"), status

    waiter.until(poll, f"Changing the weights of endpoint {endpoint}", TIMEOUT)
    state = _in_service(rollouts, endpoint)
    refused = {name for name, weight in weights.items() if _weights(state).get(name) != weight}
    if refused:
        raise Problem(
            f"Endpoint {endpoint} has not taken the weight of {', '.join(sorted(refused))}: {state.get('FailureReason') or 'no reason was told'}.",
            "",
            "weights",
        )


def _in_service(rollouts: Rollouts, endpoint: str) -> Mapping[str, Any]:
    state = rollouts.describe(endpoint)
    if state is None:
        raise _gone(endpoint)
    if state.get("EndpointStatus") != "InService":
        raise Problem(
            f"Endpoint {endpoint} is not in service: {state.get('EndpointStatus')}.",
            "Wait until its change is over.",
            "status",
        )
    return state


def _weights(state: Mapping[str, Any]) -> dict[str, float]:
    return {
        str(item["VariantName"]): float(item.get("CurrentWeight", item.get("DesiredWeight", 0.0)))
        for item in state.get("ProductionVariants") or ()
    }


def _gone(endpoint: str) -> Problem:
    return Problem(f"There is no endpoint {endpoint}.", "`mlconsole endpoints ls` lists them.", "not-found")


def _oddities(known: Follower) -> Mapping[str, int]:
    tally = known.tally
    return {**{name: tally.oddities[name] for name in ODDITIES}, "unknown": tally.unknown}
