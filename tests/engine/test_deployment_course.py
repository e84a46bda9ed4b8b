"""A deployment in process, on fleets that are not there: its time limit, its order of steps, and what it stores before each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.hosting.deployment import Deployment, Outcome
from engine.hosting.endpoint import Endpoint, Standing
from engine.hosting.fleet import Fleet
from engine.hosting.variant import VariantFailed
from tests.engine.rollouts import blue_green, instances, percent, rolling

Start = Callable[[], Awaitable[None]]


class Variant:
    """A variant whose workers start as a test says."""

    fleet: Any = None

    def __init__(self, name: str, ids: list[str], start: Start, events: list[str]) -> None:
        self.name = name
        self.plan = SimpleNamespace(instances=tuple(ids))
        self._start = start
        self._events = events

    async def start(self) -> None:
        await self._start()

    async def scale(self, ids: tuple[str, ...]) -> None:
        if len(ids) > len(self.plan.instances):
            await self._start()
        self.plan.instances = ids
        self._events.append(f"{self.fleet.name} runs {len(ids)}")

    async def stop(self, drain: float = 0.0) -> None:
        self._events.append(f"{self.fleet.name} ended")


class Stage:
    """An endpoint in service with four instances, and what happened to it in order."""

    def __init__(self, config: dict[str, Any] | None, start: Start) -> None:
        self.events: list[str] = []
        self.alarms: dict[str, str] = {}
        self.trips_at = ""
        self.engine = cast(
            Any,
            SimpleNamespace(
                alarms=SimpleNamespace(state=self.alarms.get),
                clock=SimpleNamespace(time=lambda: 0.0, scale=0.0),
            ),
        )
        self.document = {
            **self._one("old"),
            "update": {**self._one("new"), "DeploymentConfig": config, "previous": "InService"},
        }
        self.endpoint = Endpoint(self.engine, "e", Path("/nonexistent"), Path("/nonexistent"))
        self.endpoint.standing = [Standing(self._fleet(self.document, start), 1.0)]
        self._begin = start
        self.endpoint.blueprint = cast(
            Any, SimpleNamespace(fleet=self._built, prune=lambda documents: self.events.append("pruned"))
        )

    def _one(self, name: str) -> dict[str, Any]:
        ids = [f"{name}-{number}" for number in range(4)]
        return {
            "EndpointConfigName": name,
            "config": {"ProductionVariants": [{"VariantName": "A"}]},
            "weights": {"A": 1.0},
            "counts": {"A": 4},
            "instances": {"A": ids},
        }

    def _fleet(self, document: dict[str, Any], start: Start) -> Fleet:
        ids = document["instances"]["A"]
        variant: Any = Variant("A", ids, start, self.events)
        return Fleet(document["EndpointConfigName"], {}, {"A": variant}, {"A": 1.0})

    async def _built(self, document: dict[str, Any]) -> Fleet:
        fleet = self._fleet(document, self._begin)
        self.events.append(f"{fleet.name} runs {len(document['instances']['A'])}")
        return fleet

    async def run(self) -> Outcome:
        def note(progress: Any) -> None:
            told = f"{progress['stage']} {progress['step']}"
            if progress["stage"] == "Baking":
                told += f" at {self.endpoint.share:g}"
            self.events.append(told)
            if told == self.trips_at:
                self.alarms["a"] = "ALARM"

        return await Deployment(self.engine, self.endpoint, self.document, note).run()


async def at_once() -> None:
    """A worker that starts."""


async def test_a_linear_deployment_stores_each_step_before_it_is_made() -> None:
    stage = Stage(blue_green("LINEAR", 5, 5, LinearStepSize=percent(50)), at_once)
    outcome = await stage.run()
    assert stage.events == [
        "Creating 0", "new runs 4", "ActivatingTraffic 0", "Baking 0 at 0.5", "ActivatingTraffic 1", "Baking 1 at 1",
        "Promoting 1", "old ended", "pruned",
    ]  # fmt: skip
    assert (outcome.status, outcome.fields["EndpointConfigName"]) == ("InService", "new")
    assert not {"DeploymentConfig", "previous", "progress"} & set(outcome.fields)
    assert outcome.fields["update"] is None


async def test_a_rolling_deployment_ends_what_it_has_replaced() -> None:
    stage = Stage(rolling(instances(2), 5), at_once)
    await stage.run()
    assert stage.events == [
        "Creating 0", "new runs 2", "ActivatingTraffic 0", "Baking 0 at 0.5", "Terminating 0", "old runs 2",
        "Creating 1", "new runs 4", "ActivatingTraffic 1", "Baking 1 at 1", "Promoting 1", "old ended", "pruned",
    ]  # fmt: skip


async def test_a_rolling_rollback_starts_the_old_before_it_ends_the_new() -> None:
    stage = Stage(rolling(instances(2), 5, ("a",), RollbackMaximumBatchSize=instances(1)), at_once)
    stage.trips_at = "Baking 1 at 1"
    outcome = await stage.run()
    assert stage.events[stage.events.index("RollingBack 1") :] == [
        "RollingBack 1", "new runs 3", "new runs 2", "old runs 3", "new runs 1", "old runs 4", "new ended", "pruned",
    ]  # fmt: skip
    assert outcome.status == "InService"
    assert stage.endpoint.share == 0.0
    assert stage.endpoint.blue.name == "old"


async def test_starting_takes_no_longer_than_the_deployment_may() -> None:
    async def never() -> None:
        await asyncio.sleep(60)

    stage = Stage(blue_green("ALL_AT_ONCE", 0, 0, timeout=0), never)
    outcome = await stage.run()
    assert outcome.status == "InService"
    assert "exceeded MaximumExecutionTimeoutInSeconds (0)" in outcome.fields["FailureReason"]
    assert stage.events == ["Creating 0", "new runs 4", "new ended", "pruned"]


@pytest.mark.parametrize("error", [VariantFailed("its words"), RuntimeError("nobody foresaw this")])
async def test_whatever_goes_wrong_leaves_the_old_fleet(error: Exception) -> None:
    async def fail() -> None:
        raise error

    stage = Stage(None, fail)
    outcome = await stage.run()
    assert outcome.status == "InService"
    assert str(error) in outcome.fields["FailureReason"]
    assert stage.endpoint.fleets() == [stage.endpoint.blue]
