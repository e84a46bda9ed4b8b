"""What a run would cost on AWS with its settings, told before it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows import costs
from workflows.studies.catalog import StudyInfo


@dataclass(frozen=True, slots=True)
class RunCost:
    """An upper bound of a run of the usual length, in US dollars (None: a price is not known), over ``minutes``, and what an endpoint
    that it keeps costs an hour."""

    dollars: float | None
    minutes: float
    kept: costs.Hourly

    def sentence(self, *, free: bool, keep: bool) -> str:
        """One line for a form or a question; ``free``: it runs on this machine, ``keep``: its endpoint stays."""
        if self.dollars is None:
            amount = "no price is known for its machines"
        else:
            digits = 4 if self.dollars < 0.01 else 2
            amount = f"at most about ${self.dollars:.{digits}f} for {self.minutes:.0f} min"
        begin = f"Free here; on AWS {amount}" if free else f"On AWS: {amount}"
        stays = f", then {self.kept} for the endpoint until it is deleted" if keep and self.kept else ""
        return f"{begin}{stays} ({costs.basis()})."


def of_run(info: StudyInfo, values: Mapping[str, object]) -> RunCost:
    """The cost of a run of a study or a lesson with these parameters.

    A lesson says how long each of its machines runs. A study's training and its hosting machine are both counted for as long as it usually
    takes: more than either is up.
    """
    known = {parameter.name: str(parameter.default) for parameter in info.parameters} | {
        name: str(value) for name, value in values.items()
    }
    minutes = info.minutes[1]
    if info.lesson is not None and info.lesson.bills:
        asked = [(known[name], use, span) for _, name, use, span in info.lesson.bills if name in known]
    else:
        machines = (("instance-type", costs.TRAINING), ("hosting-instance-type", costs.HOSTING))
        asked = [(known[name], use, minutes) for name, use in machines if name in known]
    found = [costs.estimate(kind, span * 60, component=use).dollars for kind, use, span in asked]
    amounts = [amount for amount in found if amount is not None]
    host = known.get("hosting-instance-type", "")
    kept = costs.hourly([(host, 1)] if host else [])
    return RunCost(sum(amounts) if asked and len(amounts) == len(asked) else None, minutes, kept)
