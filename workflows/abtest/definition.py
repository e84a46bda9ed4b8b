"""What an A/B test compares, and by what. Nothing here calls anything."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from workflows.problem import Problem
from workflows.statistics.testing import Direction, budgets

Kind = Literal["rate", "mean", "log"]
"""``rate``: rewards are 0 or 1. ``mean``: any numbers. ``log``: positive numbers, compared by the ratio of their geometric means."""
Missing = Literal["ignore", "zero"]
"""A request that has matured without a reward: does not count, or counts as 0 (a conversion that did not happen)."""

EVENT_GUARDRAILS = ("model-errors", "4xx", "5xx")
GUARDRAILS = (*EVENT_GUARDRAILS, "latency")
KINDS: tuple[Kind, ...] = ("rate", "mean", "log")

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An A/B test of an endpoint's variants.

    Args:
        variants: All that take part; each one but ``control`` is compared with it.
        weights: Weight by variant, as the endpoint gets them when the test starts.
        before: The weights that the endpoint had until then.
        metric: What the reward is, as it is shown: ``success``, ``accuracy``.
        direction: Whether a ``higher`` or a ``lower`` reward is better.
        margin: Differences up to it do not matter: of a rate or a mean absolute, of a ``log`` metric relative (0.05: 5 %).
            0: there is no verdict of "no difference".
        alpha: The probability that any verdict of the metric is wrong; the guardrails together have the same again.
        planned: The total number of rewarded requests N* about which the confidence sequence is tightest.
        maturity: Seconds after which a request counts.
        sticky: Whether users are assigned by their hashed id, and count once each.
        target: embedded or aws, with ``region`` and ``account``: where the endpoint is.
    """

    name: str
    endpoint: str
    variants: tuple[str, ...]
    control: str
    weights: Mapping[str, float]
    before: Mapping[str, float] = field(default_factory=dict)
    metric: str = "success"
    kind: Kind = "rate"
    direction: Direction = "higher"
    margin: float = 0.0
    alpha: float = 0.05
    planned: int = 10_000
    guardrails: tuple[str, ...] = GUARDRAILS
    maturity: float = 0.0
    missing: Missing = "ignore"
    sticky: bool = False
    salt: str = ""
    target: str = "embedded"
    region: str = ""
    account: str = ""
    created: float = 0.0

    @property
    def challengers(self) -> tuple[str, ...]:
        """The variants that are compared with the control."""
        return tuple(variant for variant in self.variants if variant != self.control)

    @property
    def alphas(self) -> tuple[float, float]:
        """alpha of one decision and of one guardrail."""
        return budgets(self.alpha, len(self.challengers), len(self.guardrails))

    @property
    def scaled_margin(self) -> float:
        """The margin on the scale of the test: of logarithms ln(1 + margin)."""
        return math.log1p(self.margin) if self.kind == "log" else self.margin

    def share(self, challenger: str, weights: Mapping[str, float]) -> float:
        """The challenger's part of the traffic of itself and the control, 0 when neither gets any."""
        both = weights.get(challenger, 0.0) + weights.get(self.control, 0.0)
        return weights.get(challenger, 0.0) / both if both > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        found = asdict(self)
        found["weights"], found["before"] = dict(self.weights), dict(self.before)
        return found

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Experiment:
        """From `as_dict`; members that are not known are left out.

        Raises:
            KeyError, TypeError, ValueError: It is no experiment.
        """
        known = {item.name for item in fields(cls)}
        given = {name: value for name, value in found.items() if name in known}
        for name in ("variants", "guardrails"):
            if name in given:
                given[name] = tuple(given[name])
        return cls(**given)


def checked(experiment: Experiment) -> Experiment:
    """The experiment, if it can be carried out.

    Raises:
        Problem: It cannot; says what to change.
    """
    for wrong, sentence, remedy in _complaints(experiment):
        if wrong:
            raise Problem(sentence, remedy, "experiment")
    return experiment


def _complaints(one: Experiment) -> Iterable[tuple[bool, str, str]]:
    names = ", ".join(one.variants)
    yield (
        not _NAME.fullmatch(one.name),
        f"{one.name!r} is no name of an A/B test.",
        "Use up to 63 letters, digits and single hyphens between them.",
    )
    yield (
        len(set(one.variants)) < 2 or len(set(one.variants)) != len(one.variants),
        f"An A/B test needs two variants or more, each once; it has: {names or 'none'}.",
        "Give endpoint variants that differ: an endpoint with one variant cannot be tested.",
    )
    yield one.control not in one.variants, f"The control {one.control!r} is none of the variants {names}.", "Name one of them."  # fmt: skip
    for variant in one.variants:
        weight = one.weights.get(variant, 0.0)
        yield (
            not (0 < weight < math.inf),
            f"Variant {variant} has the weight {weight:g}: it would get no traffic to compare.",
            "Give every variant of the test a weight above 0.",
        )
    unknown = [item for item in one.guardrails if item not in GUARDRAILS]
    yield (
        bool(unknown),
        f"There is no guardrail {', '.join(unknown)}.",
        f"Guardrails: {', '.join(GUARDRAILS)}.",
    )
    yield one.kind not in KINDS, f"A metric is no {one.kind!r}.", f"Kinds: {', '.join(KINDS)}."
    yield (
        one.direction not in ("higher", "lower"),
        f"Better is not {one.direction!r}.",
        "Say higher or lower.",
    )
    yield (
        one.missing not in ("ignore", "zero"),
        f"A missing reward is not {one.missing!r}.",
        "Say ignore or zero.",
    )
    yield (
        not 0 < one.alpha < 0.5,
        f"alpha is {one.alpha:g}; it is the probability of a wrong verdict.",
        "Choose 0.05 or 0.01.",
    )
    yield not (0 <= one.margin < math.inf), f"The margin is {one.margin:g}.", "Choose 0 or more."
    yield (
        one.kind == "rate" and one.margin >= 1,
        f"The margin is {one.margin:g}, more than two rates can differ.",
        "A margin of one percentage point is 0.01.",
    )
    yield one.planned < 40, f"The planned sample is {one.planned}.", "Plan 40 rewarded requests or more."
    yield (
        not (0 <= one.maturity < math.inf),
        f"The maturity is {one.maturity:g} s.",
        "Choose 0 seconds or more.",
    )
    yield (
        one.missing == "zero" and one.maturity == 0,
        "A request without a reward cannot count as 0 at once.",
        "Give --maturity: the time after which no reward comes any more.",
    )
    yield (
        one.missing == "zero" and one.kind == "log",
        "A missing reward cannot count as 0 where ratios are compared: 0 has no logarithm.",
        "Say --missing ignore, or choose another --kind.",
    )
