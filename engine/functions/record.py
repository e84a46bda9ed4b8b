"""What is stored of functions, versions, aliases and layers, and how it is found."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.functions.names import LATEST, Reference, function_arn, missing, no_function
from engine.store import Filter, Resource

if TYPE_CHECKING:
    from engine.context import Engine

FUNCTION = "lambda-function"
"""Document: ``Configuration`` of $LATEST, ``Package`` (digest), ``Layers`` (digests), ``Tags``, ``Reserved``, ``NextVersion``,
``Policies`` and ``EventConfigs`` by qualifier (``$LATEST`` for none)."""
VERSION = "lambda-version"
"""Name ``FUNCTION:N``, parent the function. Document: ``Configuration``, ``Package``, ``Layers``."""
ALIAS = "lambda-alias"
"""Name ``FUNCTION:ALIAS``, parent the function. Document: what GetAlias answers."""
LAYER = "lambda-layer-version"
"""Name ``LAYER:N`` with ten digits, parent the layer. Document: what GetLayerVersion answers, and ``Package``."""
LAYER_COUNT = "lambda-layer"
"""Document: ``Next``, the number of the layer's next version: numbers are not used twice."""
EVENT = "lambda-event"
"""An asynchronous invocation that is not done. Parent the function."""


class Target(NamedTuple):
    """What an invocation runs: a version's configuration and packages, and the ARN it was asked by.

    ``alias`` is the qualifier as asked, empty for none; ``version`` what it leads to.
    """

    name: str
    version: str
    alias: str
    arn: str
    configuration: dict[str, Any]
    package: str
    layers: list[str]


def revision() -> str:
    """A new RevisionId."""
    return str(uuid.uuid4())


def moment(seconds: float) -> str:
    """A time as Lambda writes LastModified and CreatedDate: ``2026-11-28T22:55:01.123+0000``."""
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{text}+0000"


def function(engine: Engine, name: str) -> Resource:
    """The function.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    found = engine.store.find(FUNCTION, name)
    if found is None:
        raise no_function(engine.settings, name)
    return found


def layer_name(name: str, version: int) -> str:
    """A layer version's name in the store: versions sort by number."""
    return f"{name}:{version:010d}"


def versions(engine: Engine, name: str) -> list[Resource]:
    """A function's published versions by number."""
    found = engine.store.select(VERSION, [Filter("parent", "=", name)])
    return sorted(found, key=lambda row: int(row.document["Configuration"]["Version"]))


def aliases(engine: Engine, name: str) -> list[Resource]:
    """A function's aliases by name."""
    return engine.store.select(ALIAS, [Filter("parent", "=", name)], sort_by="name")


def is_version(qualifier: str) -> bool:
    """Whether a qualifier is a version's number and not an alias's name."""
    return qualifier.isascii() and qualifier.isdigit()


def must_have(engine: Engine, asked: Reference) -> None:
    """Refuse a function, version or alias that is not there.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    target(engine, asked)


def target(engine: Engine, asked: Reference, *, routed: bool = False) -> Target:
    """What a reference leads to.

    Args:
        routed: Draw one of an alias's versions by their weights; else it is the alias's own version.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    home = function(engine, asked.name)
    qualifier = version = asked.qualifier
    if qualifier and qualifier != LATEST and not is_version(qualifier):
        alias = engine.store.find(ALIAS, f"{asked.name}:{qualifier}")
        if alias is None:
            raise no_function(engine.settings, asked.name, qualifier)
        version = _drawn(alias.document) if routed else alias.document["FunctionVersion"]
    arn = function_arn(engine.settings, asked.name, qualifier)
    if version in ("", LATEST):
        row, version = home, LATEST
    else:
        found = engine.store.find(VERSION, f"{asked.name}:{version}")
        if found is None:
            raise no_function(engine.settings, asked.name, version)
        row = found
    document = row.document
    return Target(
        asked.name,
        version,
        qualifier,
        arn,
        document["Configuration"],
        document["Package"],
        document["Layers"],
    )


def _drawn(alias: dict[str, Any]) -> str:
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    place = random.random()
    for version, weight in weights.items():
        place -= weight
        if place < 0:
            return str(version)
    return str(alias["FunctionVersion"])


def layer(engine: Engine, name: str, version: int) -> Resource:
    """A layer's version.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    found = engine.store.find(LAYER, layer_name(name, version))
    if found is None:
        raise missing("The resource you requested does not exist.")
    return found
