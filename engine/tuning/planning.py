"""Which configuration a tuning job tries next, decided from what its store says: a restart changes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.tuning import hyperband, record, sampling, suggestions, warm_start
from engine.tuning.ranges import Parameter, combinations, key_of, read
from engine.tuning.record import Trial
from engine.tuning.warm_start import Prior

_GP_LIMIT = 200
_STARTUP = 5
_ATTEMPTS = 3
DEFAULT_JOBS = 750
DEFAULT_RANDOM_JOBS = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """A training to be launched: ``parameters`` is None while ``request`` must still be answered by the advisor."""

    definition: int
    parameters: dict[str, str] | None
    request: dict[str, Any] | None = None
    again: str = ""
    bracket: int = 0


class Planner:
    """The strategy of one tuning job.

    Args:
        document: The tuning job's.
        prior: What the parents of a warm start found.
    """

    def __init__(self, document: Mapping[str, Any], prior: Sequence[Prior] = ()) -> None:
        config = document["HyperParameterTuningJobConfig"]
        self.strategy: str = config["Strategy"]
        self.seed = int(document["_seed"])
        self.minimize = record.minimize(document)
        self.prior = list(prior)
        self.ranked = warm_start.transfers(document)
        self.spaces: list[list[Parameter]] = [
            read(record.ranges(document, index)) for index in range(len(record.definitions(document)))
        ]
        self.limit = limit_of(config, self.spaces)
        bounds = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
        self.largest = int(bounds.get("MaxResource") or hyperband.LARGEST)
        self.levels = hyperband.rungs(int(bounds.get("MinResource") or 1), self.largest)

    def left(self, trials: Sequence[Trial]) -> int:
        """How many configurations may still be tried; those that are run again after an internal error count once."""
        return self.limit - sum(1 for trial in trials if not trial.again)

    def next(self, trials: Sequence[Trial]) -> Plan | None:
        """The next training, None when there is none left."""
        return self._retry(trials) or self._fresh(trials)

    def _retry(self, trials: Sequence[Trial]) -> Plan | None:
        done = {trial.again for trial in trials}
        by_name = {trial.name: trial for trial in trials}
        for trial in trials:
            if trial.retryable and trial.name not in done:
                attempts, link = 1, trial
                while link.again:
                    attempts, link = attempts + 1, by_name[link.again]
                if attempts < _ATTEMPTS:
                    return Plan(trial.definition, trial.parameters, again=trial.name, bracket=trial.bracket)
        return None

    def _fresh(self, trials: Sequence[Trial]) -> Plan | None:
        if self.left(trials) <= 0:
            return None
        fresh = [trial for trial in trials if not trial.again]
        counts = [sum(1 for trial in fresh if trial.definition == index) for index in range(len(self.spaces))]
        open_ = [index for index, space in enumerate(self.spaces) if counts[index] < combinations(space)]
        if not open_:
            return None
        # The algorithms take turns.
        definition = min(open_, key=lambda index: (counts[index], index))
        number, space = counts[definition], self.spaces[definition]
        own = [trial for trial in trials if trial.definition == definition]
        if self.strategy == "Grid":
            return Plan(definition, sampling.cell(space, number))
        taken = self.taken(trials, definition)
        if self.strategy == "Hyperband":
            brackets = [
                sum(1 for trial in fresh if trial.definition == definition and trial.bracket == bracket)
                for bracket in range(len(self.levels) + 1)
            ]
            bracket = hyperband.next_bracket(len(self.levels), brackets)
            return Plan(definition, self._draw(definition, number, taken), bracket=bracket)
        if self.strategy == "Random":
            return Plan(definition, self._draw(definition, number, taken))
        return self._bayesian(definition, number, own, taken)

    def _bayesian(
        self, definition: int, number: int, own: Sequence[Trial], taken: set[tuple[str, ...]]
    ) -> Plan:
        space = self.spaces[definition]
        count = self.startup(definition)
        known = self._known(definition, own)
        if number < count:
            found = sampling.spread(space, self.seed + definition, number, count)
            if key_of(found, space) in taken:
                found = self._draw(definition, number, taken)
            return Plan(definition, found)
        if not known:
            return Plan(definition, self._draw(definition, number, taken))
        values = [value for _, value in known]
        # A configuration that fails is as bad as the worst that did not: the model is to keep away from there.
        worst = max(values) if self.minimize else min(values)
        failed = [(trial.parameters, worst) for trial in own if not trial.open and not trial.succeeded]
        running = [(trial.parameters, None) for trial in own if trial.open]
        given: list[tuple[Mapping[str, str], float | None]] = [*known, *failed, *running]
        request = suggestions.request(
            space,
            given,
            minimize=self.minimize,
            seed=(self.seed * 1_000_003 + number) % 2**31,
            sampler="gp" if len(known) <= _GP_LIMIT else "tpe",
        )
        return Plan(definition, None, request)

    def _known(self, definition: int, own: Sequence[Trial]) -> list[tuple[Mapping[str, str], float]]:
        """What finished trainings found, the parents' included; of another data's objective only the order means something."""
        space = self.spaces[definition]
        mine = [(trial.parameters, trial.value or 0.0) for trial in own if trial.succeeded]
        prior = warm_start.usable(self.prior, space)
        values = [value for _, value in mine], [item.value for item in prior]
        if self.ranked:
            values = warm_start.on_parents_scale(mine, prior, space)
        found: list[tuple[Mapping[str, str], float]] = [
            (given, value) for (given, _), value in zip(mine, values[0], strict=True)
        ]
        return found + [(item.parameters, value) for item, value in zip(prior, values[1], strict=True)]

    def startup(self, definition: int) -> int:
        """How many configurations a Bayesian search tries before it has a model: none when parents have tried enough."""
        share = math.ceil(self.limit / len(self.spaces) / 3)
        count = min(max(_STARTUP, 2 * len(self.spaces[definition])), max(2, share))
        return max(0, count - len(warm_start.usable(self.prior, self.spaces[definition])))

    def answered(self, plan: Plan, parameters: Mapping[str, str] | None, trials: Sequence[Trial]) -> Plan:
        """The plan with the advisor's answer, or with a random draw where it has none or one that was tried already."""
        space = self.spaces[plan.definition]
        taken = self.taken(trials, plan.definition)
        if parameters is None or key_of(parameters, space) in taken:
            number = sum(1 for trial in trials if trial.definition == plan.definition)
            parameters = self._draw(plan.definition, number, taken)
        return Plan(plan.definition, dict(parameters), bracket=plan.bracket)

    def taken(self, trials: Sequence[Trial], definition: int) -> set[tuple[str, ...]]:
        """The configurations that a definition's trainings had."""
        space = self.spaces[definition]
        return {key_of(trial.parameters, space) for trial in trials if trial.definition == definition}

    def _draw(self, definition: int, number: int, taken: set[tuple[str, ...]]) -> dict[str, str]:
        return sampling.draw(self.spaces[definition], self.seed + definition, number, taken)


def limit_of(config: Mapping[str, Any], spaces: Sequence[Sequence[Parameter]]) -> int:
    """MaxNumberOfTrainingJobs: as given, all combinations of a grid, else as many as AWS allows."""
    given = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if given is not None:
        return int(given)
    if config["Strategy"] == "Grid":
        return int(sum(combinations(space) for space in spaces))
    return DEFAULT_RANDOM_JOBS if config["Strategy"] == "Random" else DEFAULT_JOBS
