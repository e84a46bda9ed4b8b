"""Tags of every SageMaker resource: AddTags, ListTags, DeleteTags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.errors import validation
from engine.registry import operation
from engine.services.sagemaker.common import must_exist
from engine.store import Exists

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

KIND = "tags"
LIMIT = 50
_PAGE = 50
_RESERVED = re.compile(r"aws:", re.IGNORECASE)


def of(engine: Engine, arn: str) -> list[dict[str, str]]:
    """A resource's tags in the order they were added."""
    found = engine.store.find(KIND, arn)
    return list(found.document["Tags"]) if found else []


def check(tags: Iterable[dict[str, str]]) -> None:
    """Refuse what AWS refuses in a request's Tags.

    Raises:
        ServiceError: ``ValidationException``: a key twice, or one of AWS's own, or too many.
    """
    keys = [tag["Key"] for tag in tags]
    if len(keys) > LIMIT:
        raise validation(f"Too many tags: a resource can have at most {LIMIT}.")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise validation(
            f"Duplicate tag keys found. Please note that Tag keys are case insensitive. Keys: {', '.join(twice)}"
        )
    reserved = [key for key in keys if _RESERVED.match(key)]
    if reserved:
        raise validation(f"Tag keys starting with 'aws:' are reserved for system use: {', '.join(reserved)}")


def add(engine: Engine, arn: str, tags: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Add tags to a resource, replacing the values of keys that it has; all its tags.

    Raises:
        ServiceError: ``ValidationException``, see `check`.
    """
    tags = list(tags)
    check(tags)
    now = engine.clock.time()

    def change(document: dict[str, Any]) -> None:
        merged = {tag["Key"]: tag["Value"] for tag in [*document["Tags"], *tags]}
        if len(merged) > LIMIT:
            raise validation(
                f"The resource {arn} would have {len(merged)} tags; it can have at most {LIMIT}."
            )
        document["Tags"] = [{"Key": key, "Value": value} for key, value in merged.items()]

    if tags:
        try:
            engine.store.create(KIND, arn, {"Tags": tags}, now=now)
        except Exists:
            engine.store.update(KIND, arn, change, now=now)
    return of(engine, arn)


def remove(engine: Engine, arn: str, keys: Iterable[str]) -> None:
    """Remove a resource's tags by their keys; keys that are not there do not matter."""
    if engine.store.find(KIND, arn) is None:
        return
    gone = set(keys)

    def change(document: dict[str, Any]) -> None:
        document["Tags"] = [tag for tag in document["Tags"] if tag["Key"] not in gone]

    engine.store.update(KIND, arn, change, now=engine.clock.time())


def drop(engine: Engine, arn: str) -> None:
    """Forget a resource's tags, for when it is deleted."""
    engine.store.delete(KIND, arn)


@operation("sagemaker", "AddTags")
async def add_tags(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite tags."""
    must_exist(engine, params["ResourceArn"])
    return {"Tags": add(engine, params["ResourceArn"], params["Tags"])}


@operation("sagemaker", "ListTags")
async def list_tags(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """A resource's tags, paged."""
    arn = params["ResourceArn"]
    must_exist(engine, arn)
    tags = of(engine, arn)
    start = 0
    if params.get("NextToken"):
        start = int(engine.tokens.decode("ListTags", params, params["NextToken"]))
    end = start + int(params.get("MaxResults") or _PAGE)
    answer: dict[str, Any] = {"Tags": tags[start:end]}
    if end < len(tags):
        answer["NextToken"] = engine.tokens.encode("ListTags", params, end)
    return answer


@operation("sagemaker", "DeleteTags")
async def delete_tags(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by their keys; keys that are not there do not matter."""
    arn = params["ResourceArn"]
    must_exist(engine, arn)
    remove(engine, arn, params["TagKeys"])
    return {}
