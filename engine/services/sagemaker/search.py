"""Search: training jobs, tuning jobs and endpoints by any of their properties."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import validation
from engine.hosting import supervisor
from engine.jobs.record import KIND, shown
from engine.protocol import models
from engine.registry import operation
from engine.services.sagemaker import endpoint_summaries, tags
from engine.services.sagemaker.listing import DEFAULT_PAGE
from engine.tuning import record

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request
    from engine.store import Resource

_COMPARISONS: dict[str, Callable[[int], bool]] = {
    "GreaterThan": lambda order: order > 0,
    "GreaterThanOrEqualTo": lambda order: order >= 0,
    "LessThan": lambda order: order < 0,
    "LessThanOrEqualTo": lambda order: order <= 0,
}
_DEPTH = 20


class _Searched(NamedTuple):
    """A resource that can be searched: its kind in the store, its members that hold name and ARN, its shape, and how it is told."""

    kind: str
    name: str
    arn: str
    shape: str
    told: Callable[[Engine, Resource], dict[str, Any]] = lambda engine, row: shown(row.document)

    @property
    def properties(self) -> frozenset[str]:
        """What may be named in a filter."""
        return _properties(self.shape)


@cache
def _properties(shape: str) -> frozenset[str]:
    return frozenset(models.model("sagemaker").shape_for(shape).members) | {"Metrics"}


def _endpoint(engine: Engine, row: Resource) -> dict[str, Any]:
    members = models.model("sagemaker").shape_for("Endpoint").members
    found = endpoint_summaries.described(row.name, row, engine.settings.cores)
    return {name: value for name, value in found.items() if name in members}


_SEARCHED = {
    "TrainingJob": _Searched(KIND, "TrainingJobName", "TrainingJobArn", "TrainingJob"),
    "HyperParameterTuningJob": _Searched(
        record.KIND,
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobSearchEntity",
    ),
    "Endpoint": _Searched(supervisor.KIND, "EndpointName", "EndpointArn", "Endpoint", _endpoint),
}


@operation("sagemaker", "Search")
async def search(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Resources that a search expression holds for, latest change first unless asked otherwise."""
    resource = params["Resource"]
    searched = _SEARCHED.get(resource)
    if searched is None:
        raise validation(
            f"Search of {resource} is not offered by this engine; it offers Resource {', '.join(_SEARCHED)}."
        )
    expression = params.get("SearchExpression", {})
    check(expression, searched.properties)
    property_name = params.get("SortBy", "LastModifiedTime")
    _check_name(property_name, searched.properties)
    descending = params.get("SortOrder", "Descending") == "Descending"
    found = await asyncio.to_thread(_matching, engine, searched, expression, property_name, descending)
    start = 0
    if params.get("NextToken"):
        # A position by name holds while jobs come and go: the page begins behind that job, or behind where it was.
        name, index = engine.tokens.decode("Search", params, params["NextToken"])
        start = next((i + 1 for i, job in enumerate(found) if job[searched.name] == name), int(index))
    end = start + int(params.get("MaxResults") or DEFAULT_PAGE)
    answer: dict[str, Any] = {
        "Results": [{resource: job} for job in found[start:end]],
        "TotalHits": {"Value": len(found), "Relation": "EqualTo"},
    }
    if end < len(found):
        position = [found[end - 1][searched.name], end]
        answer["NextToken"] = engine.tokens.encode("Search", params, position)
    return answer


def _matching(
    engine: Engine, searched: _Searched, expression: Mapping[str, Any], sort_by: str, descending: bool
) -> list[dict[str, Any]]:
    found = []
    for row in engine.store.select(searched.kind):
        job = searched.told(engine, row)
        job["Tags"] = tags.of(engine, job[searched.arn])
        if holds(expression, job):
            found.append(job)

    def key(job: dict[str, Any]) -> tuple[bool, tuple[int, Any], str]:
        value = next(values(job, sort_by), None)
        # What lacks the property comes last in either order.
        return (value is None) != descending, _rank(value), job[searched.name]

    return sorted(found, key=key, reverse=descending)


def check(expression: Mapping[str, Any], known: frozenset[str], depth: int = 0) -> None:
    """Refuse filters that cannot be evaluated.

    Args:
        known: The properties that the searched resource has.

    Raises:
        ServiceError: ``ValidationException`` that names the property or the operator.
    """
    if depth > _DEPTH:
        raise validation(f"SearchExpression is nested more than {_DEPTH} levels deep.")
    for item in expression.get("Filters", []):
        _check_filter(item, known)
    for nested in expression.get("NestedFilters", []):
        _check_name(nested["NestedPropertyName"], known)
        for item in nested["Filters"]:
            _check_filter(item, known)
            if not item["Name"].startswith(f"{nested['NestedPropertyName']}."):
                raise validation(
                    f"The filter '{item['Name']}' is not a property of the nested property '{nested['NestedPropertyName']}'."
                )
    for child in expression.get("SubExpressions", []):
        check(child, known, depth + 1)


def _check_filter(item: Mapping[str, Any], known: frozenset[str]) -> None:
    _check_name(item["Name"], known)
    operator = item.get("Operator", "Equals")
    if operator in ("Exists", "NotExists"):
        if item.get("Value") is not None:
            raise validation(
                f"A Value cannot be specified with the operator {operator} (property '{item['Name']}')."
            )
    elif item.get("Value") is None:
        raise validation(f"The operator {operator} needs a Value (property '{item['Name']}').")


def _check_name(name: str, known: frozenset[str]) -> None:
    root = name.partition(".")[0]
    if root not in known:
        raise validation(
            f"Unknown property name: '{name}'. The searched resources have: {', '.join(sorted(known))}."
        )


def holds(expression: Mapping[str, Any], job: Mapping[str, Any]) -> bool:
    """Whether a job satisfies an expression; an empty one holds for every job."""
    results: list[bool] = [
        _passes(item, list(values(job, item["Name"]))) for item in expression.get("Filters", [])
    ]
    for nested in expression.get("NestedFilters", []):
        prefix = nested["NestedPropertyName"]
        results.append(
            any(
                all(
                    _passes(item, list(values(one, item["Name"][len(prefix) + 1 :])))
                    for item in nested["Filters"]
                )
                for one in _elements(job, prefix)
            )
        )
    results += [holds(child, job) for child in expression.get("SubExpressions", [])]
    if not results:
        return True
    return any(results) if expression.get("Operator") == "Or" else all(results)


def _elements(job: Mapping[str, Any], path: str) -> Iterator[Any]:
    for value in values(job, path, whole=True):
        yield from value if isinstance(value, list) else [value]


def values(job: Any, path: str, *, whole: bool = False) -> Iterator[Any]:
    """What a dotted property names in a job: every value, when a list lies on the way.

    ``Tags.<key>`` and ``Metrics.<name>`` are looked up by name; so are hyperparameters and variables, whose names may hold dots.

    Args:
        whole: Leave a list at the end of the path as it is.
    """
    if isinstance(job, list):
        for item in job:
            yield from values(item, path, whole=whole)
        return
    if not isinstance(job, Mapping):
        return
    root, _, rest = path.partition(".")
    if root == "Tags" and rest:
        yield from (tag["Value"] for tag in job.get("Tags", []) if tag["Key"] == rest)
    elif root == "Metrics" and rest:
        yield from (
            item["Value"] for item in job.get("FinalMetricDataList", []) if item["MetricName"] == rest
        )
    elif path in job:
        found = job[path]
        if isinstance(found, list) and not whole:
            yield from found
        elif found is not None:
            yield found
    elif root in job and rest:
        yield from values(job[root], rest, whole=whole)


def _passes(item: Mapping[str, Any], found: list[Any]) -> bool:
    operator = item.get("Operator", "Equals")
    if operator == "Exists":
        return bool(found)
    if operator == "NotExists":
        return not found
    wanted = item["Value"]
    if operator == "NotEquals":
        return not any(_order(value, wanted) == 0 for value in found)
    if operator == "In":
        options = [option.strip() for option in wanted.split(",")]
        return any(_order(value, option) == 0 for value in found for option in options)
    if operator == "Contains":
        return any(wanted in _text(value) for value in found)
    if operator == "Equals":
        return any(_order(value, wanted) == 0 for value in found)
    compare = _COMPARISONS[operator]
    return any((order := _order(value, wanted)) is not None and compare(order) for value in found)


def _order(value: Any, wanted: str) -> int | None:
    """Sign of ``value - wanted``: as numbers or times where both are, else as texts."""
    if isinstance(value, bool):
        return 0 if wanted.strip().lower() == str(value).lower() else 1
    left, right = _number(value), _number(wanted)
    if left is not None and right is None and not isinstance(value, str):
        right = _moment(wanted)
    if left is not None and right is not None:
        return (left > right) - (left < right)
    text = _text(value)
    return (text > wanted) - (text < wanted)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers before texts, so that a property of both kinds still sorts."""
    number = _number(value)
    return (0, number) if number is not None else (1, _text(value))
