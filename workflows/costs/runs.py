"""What a run's jobs and its endpoint cost on AWS, or would cost there, for the seconds that they took here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workflows import costs
from workflows.costs.prices import HOSTING, TRAINING, TRANSFORM
from workflows.events import ApiCall
from workflows.ledger import Ledger
from workflows.runs import Run, left
from workflows.transcript import Transcript

_CREATED = {
    "CreateTrainingJob": ("training job", TRAINING, "TrainingJobName", "DescribeTrainingJob"),
    "CreateTransformJob": ("transform job", TRANSFORM, "TransformJobName", "DescribeTransformJob"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that bills: ``seconds`` are billable ones where SageMaker told them, else what was seen from outside.

    ``dollars`` is None where no price is known for the instance type.
    """

    what: str
    name: str
    instance_type: str
    seconds: float
    dollars: float | None
    basis: str


@dataclass(frozen=True, slots=True)
class RunBill:
    """All of it. ``open``: an endpoint is kept and bills on. ``as_of`` and ``region`` are those of the prices."""

    lines: tuple[Line, ...]
    real: bool
    open: bool
    as_of: str
    region: str

    @property
    def dollars(self) -> float | None:
        """The sum of what is known; None when no line has a price."""
        known = [line.dollars for line in self.lines if line.dollars is not None]
        return sum(known) if known or not self.lines else None


def bill(run: Run, told: Transcript, now: float) -> RunBill:
    """The bill of a run by the prices in force."""
    end = run.ended or (now if run.active else run.heartbeat or now)
    lines = [*_jobs(run, told.calls, end), *_endpoints(run, told.calls, end, now)]
    kept = not run.active and any(item.startswith("endpoint ") for item in left(run))
    return RunBill(tuple(lines), run.target == "aws", kept, costs.DATE, costs.REGION)


def _jobs(run: Run, calls: list[ApiCall], end: float) -> Iterator[Line]:
    """Training and transform jobs: billable seconds as the ledger has them, else from the first to the last look."""
    told = dict(_billable(Ledger(run.folder)))
    for call in calls:
        if call.operation not in _CREATED or call.error:
            continue
        what, component, member, looks = _CREATED[call.operation]
        name = str(call.parameters.get(member, ""))
        instance, count = _machine(call.parameters, run)
        seconds, basis = told.get(name), "billable seconds"
        if seconds is None:
            last = [
                other.time
                for other in calls
                if other.operation == looks and other.parameters.get(member) == name
            ]
            seconds, basis = (
                max(0.0, max(last, default=end) - call.time),
                "from its creation to the last look",
            )
        cost = costs.estimate(instance, seconds, count, component).dollars
        yield Line(what, name, instance, round(seconds * count, 1), cost, basis)


def _endpoints(run: Run, calls: list[ApiCall], end: float, now: float) -> Iterator[Line]:
    deleted = {
        str(call.parameters.get("EndpointName")): call.time
        for call in calls
        if call.operation == "DeleteEndpoint" and not call.error
    }
    for call in calls:
        if call.operation != "CreateEndpoint" or call.error:
            continue
        name = str(call.parameters.get("EndpointName", ""))
        kept = name not in deleted and any(name in item for item in left(run))
        until = deleted.get(name, now if kept else end)
        seconds = max(0.0, until - call.time)
        instance = str(run.parameters.get("hosting-instance-type", ""))
        cost = costs.estimate(instance, seconds, 1, HOSTING).dollars
        basis = "until now: it is kept" if kept else "from its creation to its deletion"
        yield Line("endpoint", name, instance, round(seconds, 1), cost, basis)


def _machine(parameters: dict[str, object], run: Run) -> tuple[str, int]:
    """Instance type and count of a job as its call asks for them."""
    for member in ("ResourceConfig", "TransformResources"):
        asked = parameters.get(member)
        if isinstance(asked, dict):
            return str(asked.get("InstanceType", "")), int(asked.get("InstanceCount", 1) or 1)
    return str(run.parameters.get("instance-type", "")), 1


def _billable(ledger: Ledger) -> Iterator[tuple[str, float]]:
    """Training jobs and their billable seconds, wherever a step's outputs have them."""

    def walk(values: object) -> Iterator[tuple[str, float]]:
        if isinstance(values, dict):
            if "job" in values and "billable_seconds" in values:
                yield str(values["job"]), float(values["billable_seconds"])
            for value in values.values():
                yield from walk(value)

    for entry in ledger.steps().values():
        yield from walk(entry.get("outputs"))
