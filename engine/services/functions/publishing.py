"""Versions of a function: published, listed."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.functions import names, record
from engine.functions.names import LATEST, invalid
from engine.functions.record import FUNCTION, VERSION
from engine.http import Request
from engine.registry import operation
from engine.services.functions import checks
from engine.services.functions.paging import page
from engine.store import Missing

Params = dict[str, Any]
_OWN = ("FunctionArn", "Version", "RevisionId", "LastModified", "Description", "LastUpdateStatus")
"""What differs between a version and the $LATEST that it was made of."""


def publish(engine: Engine, name: str, description: str | None = None) -> Params:
    """Make a version of $LATEST, unless the last one is the same; the version's configuration.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    home = record.function(engine, name).document
    published = record.versions(engine, name)
    latest = home["Configuration"]
    if published:
        last = published[-1].document
        if last["Package"] == home["Package"] and _compared(last["Configuration"]) == _compared(latest):
            found: Params = last["Configuration"]
            return found

    number = 0

    def count(document: Params) -> None:
        nonlocal number
        number = document["NextVersion"]
        document["NextVersion"] = number + 1

    try:
        engine.store.update(FUNCTION, name, count, now=engine.clock.time())
    except Missing as error:
        raise names.no_function(engine.settings, name) from error
    configuration: Params = {
        **latest,
        "FunctionArn": names.function_arn(engine.settings, name, str(number)),
        "Version": str(number),
        "RevisionId": record.revision(),
        "Description": latest["Description"] if description is None else description,
    }
    document = {"Configuration": configuration, "Package": home["Package"], "Layers": home["Layers"]}
    engine.store.create(VERSION, f"{name}:{number}", document, now=engine.clock.time(), parent=name)
    return configuration


@operation("lambda", "PublishVersion")
async def publish_version(engine: Engine, request: Request, params: Params) -> Params:
    """Freeze code and configuration of $LATEST under the next number."""
    asked = names.reference(engine.settings, params["FunctionName"])
    latest = record.function(engine, asked.name).document["Configuration"]
    checks.matches(params.get("RevisionId"), latest)
    sha256 = params.get("CodeSha256")
    if sha256 and sha256 != latest["CodeSha256"]:
        raise invalid(
            f"CodeSHA256 ({sha256}) is different from current CodeSHA256 in $LATEST ({latest['CodeSha256']}). Please try again "
            "with the CodeSHA256 in $LATEST."
        )
    return publish(engine, asked.name, params.get("Description"))


@operation("lambda", "ListVersionsByFunction")
async def list_versions_by_function(engine: Engine, request: Request, params: Params) -> Params:
    """$LATEST, then the published versions by number."""
    asked = names.reference(engine.settings, params["FunctionName"])
    latest = record.function(engine, asked.name).document["Configuration"]
    items = [("", {**latest, "FunctionArn": f"{latest['FunctionArn']}:{LATEST}"})]
    for row in record.versions(engine, asked.name):
        shown = row.document["Configuration"]
        items.append((f"{int(shown['Version']):010d}", shown))
    return page(engine, request, params, items, "Versions")


def version_must_exist(engine: Engine, name: str, version: str) -> None:
    """Refuse a version that is not there.

    Raises:
        ServiceError: ``ResourceNotFoundException``.
    """
    if version != LATEST and engine.store.find(VERSION, f"{name}:{version}") is None:
        raise _no_version(engine, name, version)


def _no_version(engine: Engine, name: str, version: str) -> ServiceError:
    return names.no_function(engine.settings, name, version)


def _compared(configuration: Params) -> Params:
    return {name: value for name, value in configuration.items() if name not in _OWN}
