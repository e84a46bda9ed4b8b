"""What a person asks for of rollouts, carried out on a gateway through boto3: the console's actions, and what its live view polls."""

from __future__ import annotations

import time
from dataclasses import dataclass

from workflows.interfaces.rollouts.low import LowRollouts
from workflows.observe import endpoints
from workflows.observe.gateway import Gateway
from workflows.rollout import operations, record
from workflows.rollout.events import RolloutEvent
from workflows.rollout.facts import Facts, Source, facts_of, source_of
from workflows.rollout.operations import Cleaning
from workflows.rollout.plan import Plan
from workflows.rollout.record import Place, Rollout
from workflows.rollout.state import RolloutState


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A rollout as its live view shows it: its plan with all that has happened, and how it is now."""

    rollout: Rollout
    state: RolloutState

    @property
    def events(self) -> tuple[RolloutEvent, ...]:
        """All that has happened, oldest first."""
        return self.rollout.events


def facts(gateway: Gateway, endpoint: str, alarms: tuple[str, ...] = ()) -> Facts:
    """The endpoint before a rollout.

    Raises:
        Problem: There is no such endpoint, or it cannot be read.
    """
    return facts_of(gateway, endpoint, time.time(), alarms)


def source(gateway: Gateway, given: str, found: Facts, variant: str = "") -> Source:
    """What is to be deployed.

    Raises:
        Problem: There is no such thing.
    """
    return source_of(gateway, given, found, variant=variant)


def begin(gateway: Gateway, planned: Plan) -> str:
    """Start a rollout; returns its name.

    Raises:
        Problem: It is refused; nothing of it is left.
    """
    place = Place(gateway.target, gateway.account, gateway.region, "low")
    return operations.start(LowRollouts(gateway), planned, place).id


def view(gateway: Gateway, name: str, now: float) -> RolloutView:
    """A rollout now; what is new is added to its journal.

    Raises:
        Problem: There is no such rollout, or it cannot be asked for.
    """
    rollout = record.find(name)
    found, _ = operations.look(LowRollouts(gateway), rollout, now)
    return RolloutView(record.read(rollout.folder), found)


def roll_back(gateway: Gateway, name: str) -> tuple[str, str]:
    """Take the new model back; the rollout to watch from now on, and what was done.

    Raises:
        Problem: It cannot be.
    """
    rollout, how = operations.roll_back(LowRollouts(gateway), record.find(name))
    return rollout.id, how


def promote(gateway: Gateway, name: str) -> str:
    """Give the new model all of the traffic; what was done.

    Raises:
        Problem: It cannot be.
    """
    return operations.promote(LowRollouts(gateway), record.find(name))


def settle(gateway: Gateway, name: str) -> int:
    """Delete the alarms of a rollout that has ended; how many there were.

    Raises:
        Problem: They cannot be deleted.
    """
    return len(operations.settle(LowRollouts(gateway), record.find(name)))


def cleaning(gateway: Gateway, name: str, *, old: bool = False) -> Cleaning:
    """What a clean-up would delete.

    Raises:
        Problem: The rollout has not ended.
    """
    used = endpoints.configs_of_others(gateway, "")
    return operations.cleaning(LowRollouts(gateway), record.find(name), used, old=old)


def clean(gateway: Gateway, planned: Cleaning) -> tuple[str, ...]:
    """Carry out a clean-up; a sentence for each thing that is proved to be gone.

    Raises:
        Problem: Something is still there.
    """
    rollout = record.find(planned.rollout)
    return tuple(event.sentence for event in operations.clean(LowRollouts(gateway), rollout, planned))


def newest(endpoint: str) -> Rollout | None:
    """The newest rollout of an endpoint on this machine, or None."""
    return next((item for item in record.everything() if item.plan.request.endpoint == endpoint), None)
