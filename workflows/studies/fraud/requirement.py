"""What a person requires of a fraud detector, and the metric that it is: stated as numbers or as a sentence."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from workflows.studies.parameters import ParameterError

Kind = Literal["catch", "flag", "precise", "cost"]
USUAL: dict[Kind, float] = {"catch": 0.9, "flag": 0.15, "precise": 0.8, "cost": 0.0}
"""The share that is meant where none is given."""
METRIC: dict[Kind, str] = {
    "catch": "recall",
    "flag": "false-positive-rate",
    "precise": "precision",
    "cost": "cost",
}
EXAMPLES = (
    "catch 90 % of frauds",
    "flag at most 15 % of valid transactions",
    "at least 80 % of the flagged transactions are frauds",
    "a miss costs 100 and a false alarm costs 5",
)
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_SHARE = rf"{_NUMBER}\s*(%|per ?cent)"
_VALID = r"(?:valid|genuine|legitimate|good|honest|normal)"
_ALARMS = r"(?:flagged|flags|alarms|alerts|blocked)"
_MOST = r"(?:at most|no more than|not more than|up to|fewer than|less than|only|a maximum of)"
_LEAST = r"(?:at least|no fewer than|more than|a minimum of)"
_MONEY = r"(?:[€$£]\s*)?" + _NUMBER
_FORMS: tuple[tuple[Kind, bool, str], ...] = (
    # kind, whether the share is that of the opposite, form
    ("catch", False, rf"\b(?:catch|find|detect|recognise|stop)\b\D*{_SHARE}\s+of\s+(?:all\s+|the\s+)*fraud"),
    ("catch", True, rf"\bmiss(?:es)?\s+{_MOST}\s+{_SHARE}\s+of\s+(?:all\s+|the\s+)*fraud"),
    ("catch", False, rf"\brecall\b\D*{_SHARE}"),
    ("flag", False, rf"\b(?:flag|block|bother|alarm)\s+{_MOST}\s+{_SHARE}\s+of\s+(?:all\s+|the\s+)*{_VALID}\b"),
    ("flag", False, rf"{_MOST}\s+{_SHARE}\s+of\s+(?:all\s+|the\s+)*{_VALID}\b[\w\s]*\b(?:flagged|blocked)"),
    ("flag", False, rf"\bfalse[- ]positive rate\b\D*{_SHARE}"),
    ("precise", False, rf"{_SHARE}\s+of\s+(?:all\s+|the\s+)*{_ALARMS}\b[\w\s]*\bfraud"),
    ("precise", True, rf"{_MOST}\s+{_SHARE}\s+of\s+(?:all\s+|the\s+)*{_ALARMS}\b[\w\s]*\b(?:false|{_VALID})"),
    ("precise", False, rf"\bprecision\b\D*{_SHARE}"),
)  # fmt: skip
_COSTS = (
    rf"\bmiss(?:ed fraud)?s?\b\D*?{_MONEY}\D+?\bfalse alarms?\b\D*?{_MONEY}",
    rf"{_MONEY}\s*\S*\s*(?:per|for each|for a|a) miss\D+?{_MONEY}\s*\S*\s*(?:per|for each|for a|a) false alarm",
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement. ``share`` is 0 to 1; the costs are in any one currency, of one transaction.

    ``catch``: at least that share of the frauds is flagged. ``flag``: at most that share of the valid transactions is.
    ``precise``: at least that share of what is flagged are frauds. ``cost``: misses and false alarms cost least together.
    """

    kind: Kind
    share: float
    cost_miss: float
    cost_alarm: float

    def strict(self, margin: float, frauds: int, valid: int) -> Requirement:
        """The requirement that a threshold must meet on few rows to hold on others: ``margin`` standard errors more.

        The error is that of a share over ``frauds`` (caught, precise) or ``valid`` rows (flagged): sqrt(s (1 - s) / n).
        """
        if self.kind == "cost" or margin <= 0:
            return self
        counted = valid if self.kind == "flag" else frauds
        by = margin * self.error(counted)
        share = max(self.share - by, self.share / 2) if self.kind == "flag" else min(self.share + by, 1.0)
        return replace(self, share=share)

    def error(self, rows: float) -> float:
        """The standard error of the required share over so many rows."""
        return math.sqrt(self.share * (1 - self.share) / max(rows, 1.0))

    @property
    def metric(self) -> str:
        """The metric that is required."""
        return METRIC[self.kind]

    def __str__(self) -> str:
        return {
            "catch": f"catch at least {self.share:.4g} of the frauds",
            "flag": f"flag at most {self.share:.4g} of the valid transactions",
            "precise": f"at least {self.share:.4g} of the flagged transactions are frauds",
            "cost": f"least cost, at {self.cost_miss:g} per miss and {self.cost_alarm:g} per false alarm",
        }[self.kind]


def of(parameters: Mapping[str, Any]) -> Requirement:
    """The requirement of a run's parameters: the sentence's where there is one, else the chosen kind with its number.

    Raises:
        ParameterError: The sentence is not understood.
    """
    miss, alarm = float(parameters["cost-miss"]), float(parameters["cost-alarm"])
    sentence = str(parameters["sentence"]).strip()
    if sentence:
        return parse(sentence, miss, alarm)
    kind: Kind = parameters["requirement"]
    return Requirement(kind, float(parameters["target"]) or USUAL[kind], miss, alarm)


def parse(sentence: str, cost_miss: float = 100.0, cost_alarm: float = 5.0) -> Requirement:
    """The requirement that a sentence states; the costs are those of others where it states none.

    Raises:
        ParameterError: It states none that is known, several, or a share that is impossible.
    """
    text = " ".join(sentence.lower().split())
    found: dict[Kind, float] = {}
    for kind, opposite, form in _FORMS:
        if match := re.search(form, text):
            share = _number(match.group(1)) / 100
            found.setdefault(kind, 1 - share if opposite else share)
    costs = next((match for form in _COSTS if (match := re.search(form, text))), None)
    if costs:
        cost_miss, cost_alarm = (_number(value) for value in costs.groups())
    kinds: list[Kind] = [*found, *(["cost"] if costs else [])]  # type: ignore[list-item]
    if len(kinds) > 1:
        several = " and ".join(METRIC[kind].replace("-", " ") for kind in kinds)
        raise ParameterError(
            f"sentence states several requirements ({several}): {sentence!r}. They are different metrics; state one."
        )
    if not kinds:
        known = "; ".join(EXAMPLES)
        raise ParameterError(f"sentence is not understood: {sentence!r}. Write one such as: {known}.")
    share = round(found.get(kinds[0], 0.0), 10)
    if kinds[0] != "cost" and not 0 < share <= 1:
        raise ParameterError(
            f"sentence asks for a share of {share:.4g}: a share lies above 0 % and up to 100 %."
        )
    if kinds[0] == "cost" and not (cost_miss > 0 and cost_alarm > 0):
        raise ParameterError(
            "sentence states a cost of 0: then flagging everything, or nothing, costs least."
        )
    return Requirement(kinds[0], share, cost_miss, cost_alarm)


def mismatch(requirement: Requirement, stated: str, frauds: float, recall: float = 0.9) -> str:
    """Why a stated metric is not the required one, in a sentence with both numbers; empty when it is.

    Args:
        stated: ``recall``, ``precision``, ``false-positive-rate``, ``accuracy``, ``cost``, or ``compiled``: nobody stated any.
        frauds: The share of frauds among all transactions.
        recall: The recall at which rates and precisions are compared.
    """
    if stated in ("compiled", requirement.metric):
        return ""
    begun = (
        f"The requirement is to {requirement}"
        if requirement.kind in ("catch", "flag")
        else f"Required: {requirement}"
    )
    if stated == "accuracy":
        return f"{begun}; accuracy does not measure that: flagging nothing at all has an accuracy of {1 - frauds:.4f}."
    if requirement.kind == "flag" and stated == "precision":
        wanted = 1 - requirement.share
        return (
            f"{begun}, which is a false-positive rate, not a precision of {wanted:.2f}. With {frauds:.3%} frauds and a recall "
            f"of {recall:.2f}, that rate is a precision of {precision_at(requirement.share, recall, frauds):.4f}, and a "
            f"precision of {wanted:.2f} would allow a rate of {rate_at(wanted, recall, frauds):.3%} only."
        )
    return f"{begun}, which is measured by {requirement.metric.replace('-', ' ')}, not by {stated.replace('-', ' ')}."


def precision_at(rate: float, recall: float, frauds: float) -> float:
    """The precision that a false-positive rate gives: r·π / (r·π + rate·(1 - π)), with π the share of frauds."""
    hits, alarms = recall * frauds, rate * (1 - frauds)
    return hits / (hits + alarms) if hits + alarms else 0.0


def rate_at(precision: float, recall: float, frauds: float) -> float:
    """The false-positive rate that a precision allows; the inverse of `precision_at`."""
    return recall * frauds * (1 - precision) / (precision * (1 - frauds)) if precision else 1.0


def _number(text: str) -> float:
    return float(text.replace(",", "."))
