"""What a person asks for of rollouts, carried out on a gateway through boto3: the console's actions, and what its live view polls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from workflows.interfaces.rollouts.low import LowRollouts
from workflows.observe import endpoints
from workflows.observe.gateway import Gateway
from workflows.rollout import operations, questions, record, remains
from workflows.rollout.events import RolloutEvent
from workflows.rollout.facts import Facts, Source, facts_of, source_of
from workflows.rollout.plan import Plan
from workflows.rollout.record import Place, Rollout
from workflows.rollout.remains import Cleaning
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


def drafted(
    gateway: Gateway, endpoint: str, given: str, variant: str, alarms: tuple[str, ...]
) -> tuple[Facts, Source]:
    """The endpoint with the states of these alarms, and what is to be deployed.

    Raises:
        Problem: There is no such endpoint, or no such thing to deploy.
    """
    found = facts(gateway, endpoint, alarms)
    return found, source_of(gateway, given, found, variant=variant)


def begin(gateway: Gateway, planned: Plan) -> str:
    """Start a rollout; returns its name.

    Raises:
        Problem: It is refused; nothing of it is left.
    """
    return operations.start(LowRollouts(gateway), planned, Place.of(gateway, "low")).id


def view(gateway: Gateway, name: str, now: float) -> RolloutView:
    """A rollout now; what is new is added to its journal.

    Raises:
        Problem: There is no such rollout, or it cannot be asked for.
    """
    rollout = _found(gateway, name)
    found, _ = operations.look(LowRollouts(gateway), rollout, now)
    return RolloutView(record.read(rollout.folder), found)


def roll_back(gateway: Gateway, name: str) -> tuple[str, str]:
    """Take the new model back; the rollout to watch from now on, and what was done.

    Raises:
        Problem: It cannot be.
    """
    rollout, how = operations.roll_back(LowRollouts(gateway), _found(gateway, name))
    return rollout.id, how


def promote(gateway: Gateway, name: str) -> str:
    """Give the new model all of the traffic; what was done.

    Raises:
        Problem: It cannot be.
    """
    return operations.promote(LowRollouts(gateway), _found(gateway, name))


def question(gateway: Gateway, name: str, what: Literal["roll back", "promote"]) -> tuple[str, ...]:
    """What a person is told before a rollout is rolled back or promoted.

    Raises:
        Problem: It cannot be.
    """
    told = questions.of_roll_back if what == "roll back" else questions.of_promotion
    return told(LowRollouts(gateway), _found(gateway, name), time.time())


def settle(gateway: Gateway, name: str) -> int:
    """Delete the alarms of a rollout that has ended; how many there were.

    Raises:
        Problem: They cannot be deleted.
    """
    return len(remains.settle(LowRollouts(gateway), _found(gateway, name)))


def cleaning(gateway: Gateway, name: str, *, old: bool = False) -> Cleaning:
    """What a clean-up would delete.

    Raises:
        Problem: The rollout has not ended.
    """
    used = endpoints.configs_of_others(gateway, "")
    low, rollout = LowRollouts(gateway), _found(gateway, name)
    found, _ = operations.look(low, rollout, time.time())
    return remains.cleaning(low, rollout, found, used, old=old)


def clean(gateway: Gateway, planned: Cleaning) -> tuple[str, ...]:
    """Carry out a clean-up; a sentence for each thing that is proved to be gone.

    Raises:
        Problem: Something is still there.
    """
    rollout = _found(gateway, planned.rollout)
    return tuple(event.sentence for event in remains.clean(LowRollouts(gateway), rollout, planned))


def newest(gateway: Gateway, endpoint: str) -> tuple[str, bool]:
    """The newest rollout of an endpoint (empty: there is none), and whether it is known to have ended, or was none."""
    for item in record.everything():
        if item.plan.request.endpoint == endpoint and item.place.leads(gateway):
            return item.id, bool(item.known.outcome)
    return "", True


def _found(gateway: Gateway, name: str) -> Rollout:
    """The rollout of a name, here.

    Raises:
        Problem: There is none, or it belongs elsewhere.
    """
    rollout = record.find(name)
    rollout.place.check(gateway, rollout.id)
    return rollout
