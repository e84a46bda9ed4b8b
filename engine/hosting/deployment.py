"""One update of an endpoint to another configuration: green beside blue, traffic step by step, and back when something is wrong.

Nothing is lost on the way: a request that a fleet has taken is answered by it, and a fleet ends when it has none left. Each step is
stored before it is made, so that an engine that was killed takes the deployment up at that step, or finishes its rollback.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.alarms.rules import ALARM
from engine.hosting import progress as stages
from engine.hosting.endpoint import Endpoint, Standing
from engine.hosting.failures import LIMIT, Tripped, reason
from engine.hosting.fleet import Fleet
from engine.hosting.progress import Progress, active, course, lasting, launched, remaining
from engine.hosting.strategy import Step, retreat

if TYPE_CHECKING:
    from engine.context import Engine

LOOK_SECONDS = 0.1
"""Between two looks at the alarms, which lie in memory."""

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """The endpoint's status after the deployment, and what changes in its document (None: the key goes)."""

    status: str
    fields: dict[str, Any]


class Deployment:
    """Brings the fleet of a wanted document into service.

    Args:
        document: The endpoint's stored document; ``document["update"]`` is the wanted one.
        note: Stores the deployment's progress.
    """

    def __init__(
        self,
        engine: Engine,
        endpoint: Endpoint,
        document: Mapping[str, Any],
        note: Callable[[Progress], None],
    ) -> None:
        self.engine = engine
        self.endpoint = endpoint
        self.document = document
        self.wanted: Mapping[str, Any] = document["update"]
        self.plan = course(self.wanted)
        self.progress: Progress = self.wanted.get("progress") or stages.begin(engine.clock.time())
        self._store = note

    async def run(self) -> Outcome:
        """Go on from where the progress says, to the end or back."""
        stage = self.progress["stage"]
        if stage == stages.PROMOTING:
            return await self._promote()
        if stage == stages.ROLLING_BACK:
            return await self._go_back(self.progress["reason"])
        try:
            await self._go_forward()
        except Exception as error:
            return await self._go_back(reason(self.endpoint.name, error))
        return await self._promote()

    async def _go_forward(self) -> None:
        self._look()
        steps = self.plan.steps
        first = self.progress["step"] + (1 if self.progress["stage"] == stages.TERMINATING else 0)
        for index in range(first, len(steps)):
            step = steps[index]
            if index == first or self.plan.rolling:
                self._note(stages.CREATING, index)
                await self._launch(step)
                self._look()
            self._note(stages.ACTIVATING, index)
            self.endpoint.share = step.share
            if step.wait:
                self._note(stages.BAKING, index)
            await self._bake(step)
            if self.plan.rolling and index + 1 < len(steps):
                self._note(stages.TERMINATING, index)
                await self._scale(self.endpoint.blue, remaining(self.document, self.wanted, step.active))

    async def _launch(self, step: Step) -> None:
        """Start the new fleet's instances for a step, healthy before they have any traffic.

        Starting takes as long as it takes; it counts towards the maximum execution time second by second.
        """
        loop = asyncio.get_running_loop()
        began, limit = loop.time(), self.plan.timeout
        instances = launched(self.wanted, step.active) if self.plan.rolling else self.wanted["instances"]
        left = None if limit is None else max(0.0, limit - self.progress["spent"])
        try:
            async with asyncio.timeout(left) as watch:
                if self.endpoint.green is None:
                    green = await self.endpoint.blueprint.fleet({**self.wanted, "instances": instances})
                    await green.start()
                    self.endpoint.green, self.endpoint.share = green, 0.0
                else:
                    await self._scale(self.endpoint.green, instances)
        except TimeoutError as error:
            if not watch.expired():
                raise
            raise Tripped(
                f"The deployment of endpoint configuration {self.wanted['EndpointConfigName']} exceeded "
                f"MaximumExecutionTimeoutInSeconds ({limit}) and was rolled back."
            ) from error
        finally:
            self.progress["spent"] += loop.time() - began

    async def _bake(self, step: Step) -> None:
        """Wait as long as the step declares, looking at the alarms."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + step.wait * self.engine.clock.scale
        with self.engine.alarms.hastened(self.plan.alarms):
            while (left := deadline - loop.time()) > 0:
                self._look()
                await asyncio.sleep(min(left, LOOK_SECONDS))
            self._look()
        self.progress["spent"] += step.wait

    def _look(self) -> None:
        alarms = self.engine.alarms
        tripped = [name for name in self.plan.alarms if alarms.state(name) == ALARM]
        if tripped:
            raise Tripped(
                f"The deployment of endpoint configuration {self.wanted['EndpointConfigName']} was rolled back: one or more "
                f"CloudWatch alarms of its AutoRollbackConfiguration are in state ALARM: {', '.join(tripped)}."
            )

    async def _promote(self) -> Outcome:
        self._note(stages.PROMOTING, len(self.plan.steps) - 1)
        if self.endpoint.green is not None:
            await self.endpoint.promote()
        await asyncio.to_thread(self.endpoint.blueprint.prune, [self.wanted])
        gone = {"FailureReason": None, "update": None, "mixed": None}
        return Outcome("InService", {**gone, **lasting(self.wanted)})

    async def _go_back(self, why: str) -> Outcome:
        """All traffic to the old fleet again; the new one ends after its last request."""
        parts, green = active(self.wanted, self.progress), self.endpoint.green
        if green is not None:
            self._note(stages.ROLLING_BACK, self.progress["step"], why)
        if self.plan.rolling and green is not None:
            try:
                await self._roll_back(green, parts)
            except Exception as error:
                return self._stuck(green, _both(why, reason(self.endpoint.name, error)))
        await self.endpoint.give_up()
        kept = [self.document]
        if "mixed" in self.document:
            kept.append(self.document["mixed"]["green"])
        await asyncio.to_thread(self.endpoint.blueprint.prune, kept)
        return Outcome(self.wanted.get("previous", "InService"), {"FailureReason": why, "update": None})

    async def _roll_back(self, green: Fleet, parts: Mapping[str, float]) -> None:
        """Start old instances again, move traffic to them, and end as many new ones, batch by batch."""
        counts, weights = self.wanted["counts"], self.wanted["weights"]
        for step in retreat(self.plan.back, counts, weights, parts):
            wished, running = (
                remaining(self.document, self.wanted, step.active),
                _instances(self.endpoint.blue),
            )
            # What of a batch was not ended yet stays.
            await self._scale(self.endpoint.blue, {n: max(wished[n], running[n], key=len) for n in wished})
            self.endpoint.share = step.share
            if any(step.active.values()):
                await self._scale(green, launched(self.wanted, step.active))

    def _stuck(self, green: Fleet, why: str) -> Outcome:
        """Neither forward nor back: both fleets stay in service with the traffic that they have."""
        endpoint, blue = self.endpoint, self.endpoint.blue
        share = endpoint.share
        endpoint.standing = [Standing(blue, 1 - share), Standing(green, share)]
        endpoint.green, endpoint.share = None, 0.0
        mixed = {
            "share": share,
            "blue": _instances(blue),
            "green": {**lasting(self.wanted), "instances": _instances(green)},
        }
        return Outcome("UpdateRollbackFailed", {"FailureReason": why, "update": None, "mixed": mixed})

    async def _scale(self, fleet: Fleet, instances: Mapping[str, list[str]]) -> None:
        """Run exactly these instances of a fleet's variants; what fails leaves what ran before.

        Raises:
            VariantFailed: A new instance is not healthy.
        """
        changing = [
            fleet.member(name).scale(tuple(ids))
            for name, ids in instances.items()
            if tuple(ids) != fleet.member(name).plan.instances
        ]
        results = await asyncio.gather(*changing, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _note(self, stage: str, step: int, why: str = "") -> None:
        self.progress["stage"], self.progress["step"] = stage, step
        self.progress["since"], self.progress["reason"] = self.engine.clock.time(), why
        self._store(self.progress)


def _both(why: str, failed: str) -> str:
    """Two reasons as one; of a container's output its end tells most."""
    text = f"{why} The rollback failed, too: "
    room = LIMIT - len(text)
    if len(failed) > room:
        failed = f"{failed[: room // 2 - 3]} ... {failed[-(room - room // 2 - 2) :]}"
    return f"{text}{failed}"


def _instances(fleet: Fleet) -> dict[str, list[str]]:
    return {variant.name: list(variant.plan.instances) for variant in fleet.members()}
