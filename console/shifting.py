"""Services that move an endpoint's traffic: A/B tests and rollouts. A part of `console.live.LiveServices`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from workflows.abtest.definition import Experiment
    from workflows.abtest.operations import After, Intake
    from workflows.abtest.promotion import How, Promotion
    from workflows.abtest.replaying import ReplayRequest
    from workflows.configuration import Configuration
    from workflows.interfaces.rollouts.low import LowRollouts
    from workflows.observe.gateway import Gateway
    from workflows.rollout.facts import Facts, Source
    from workflows.rollout.plan import Plan
    from workflows.rollout.remains import Cleaning

T = TypeVar("T")


class ShiftingServices:
    """See `console.services.Services` for what each method does."""

    target: str
    configuration: Configuration

    def _use(self, action: Callable[[Gateway], T]) -> T:
        """The result of an action at the target; the caller's thread waits."""
        raise NotImplementedError

    # A/B tests

    def draft_experiment(self, endpoint: str) -> Experiment:
        from workflows.abtest.drafting import draft

        return self._use(lambda gateway: draft(gateway, endpoint))

    def start_experiment(self, experiment: Experiment) -> str:
        from workflows.abtest import operations

        self._shifting(lambda gateway, rollouts: operations.start(gateway, rollouts, experiment))
        return experiment.name

    def weigh_experiment(self, name: str, weights: Mapping[str, float]) -> None:
        from workflows.abtest import operations

        self._shifting(lambda gateway, rollouts: operations.weigh(gateway, rollouts, name, weights))

    def stop_experiment(self, name: str, after: After) -> None:
        from workflows.abtest import background, operations

        background.end(name)
        self._shifting(lambda gateway, rollouts: operations.stop(gateway, rollouts, name, after))

    def plan_promotion(self, name: str, variant: str, how: How) -> Promotion:
        from workflows.abtest import promotion

        return promotion.plan(name, variant, how)

    def promote(self, promotion: Promotion) -> None:
        from workflows.abtest.promotion import promote

        self._shifting(lambda gateway, rollouts: promote(gateway, rollouts, promotion))

    def remove_experiment(self, name: str) -> None:
        from workflows.abtest import operations

        operations.remove(name)

    def feed_experiment(self, name: str, path: str) -> Intake:
        from pathlib import Path

        from workflows.abtest import feeding, operations

        with Path(path).expanduser().open(encoding="utf-8") as file:
            return operations.feed(name, feeding.rows(path, file))

    def price_feed(self, name: str, request: ReplayRequest) -> tuple[Sequence[str], str]:
        from workflows.abtest import replaying
        from workflows.abtest.following import follower

        if self.target == "embedded":
            return (), ""
        endpoint = follower(name).experiment.endpoint
        bill = self._use(
            lambda gateway: replaying.bill(gateway, endpoint, request, replaying.payloads(request, gateway))
        )
        return bill.sentences, bill.confirmation

    def start_feed(self, name: str, request: ReplayRequest, confirmed: str) -> None:
        from workflows.abtest import background

        background.start(name, request, self.configuration, confirmed=confirmed)

    def stop_feed(self, name: str) -> bool:
        from workflows.abtest import background

        return background.end(name)

    def _shifting(self, action: Callable[[Gateway, LowRollouts], T]) -> T:
        """The result of an action that moves traffic."""
        from workflows.interfaces.rollouts.low import LowRollouts

        return self._use(lambda gateway: action(gateway, LowRollouts(gateway)))

    # rollouts

    def rollout_of(self, endpoint: str) -> tuple[str, Facts | None]:
        from workflows.rollout import asked

        name, ended = self._use(lambda gateway: asked.newest(gateway, endpoint))
        return name, self.rollout_facts(endpoint) if ended else None

    def rollout_facts(self, endpoint: str) -> Facts:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.facts(gateway, endpoint))

    def draft_rollout(
        self, endpoint: str, source: str, variant: str, alarms: tuple[str, ...]
    ) -> tuple[Facts, Source]:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.drafted(gateway, endpoint, source, variant, alarms))

    def begin_rollout(self, plan: Plan) -> str:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.begin(gateway, plan))

    def roll_back_rollout(self, name: str) -> tuple[str, str]:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.roll_back(gateway, name))

    def promote_rollout(self, name: str) -> str:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.promote(gateway, name))

    def settle_rollout(self, name: str) -> int:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.settle(gateway, name))

    def plan_rollout_cleaning(self, name: str) -> Cleaning:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.cleaning(gateway, name))

    def question_of_rollout(self, name: str, what: Literal["roll back", "promote"]) -> Sequence[str]:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.question(gateway, name, what))

    def clean_rollout(self, cleaning: Cleaning) -> Sequence[str]:
        from workflows.rollout import asked

        return self._use(lambda gateway: asked.clean(gateway, cleaning))
