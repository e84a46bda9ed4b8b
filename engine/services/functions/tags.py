"""Tags of functions."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.functions import names, record
from engine.functions.names import invalid
from engine.functions.record import FUNCTION
from engine.http import Request
from engine.registry import operation

Params = dict[str, Any]
_MOST = 50


@operation("lambda", "TagResource")
async def tag_resource(engine: Engine, request: Request, params: Params) -> Params:
    """Add or overwrite tags of a function."""
    name = _tagged(engine, params)
    if any(key.lower().startswith("aws:") for key in params["Tags"]):
        raise invalid("Tag keys starting with 'aws:' are reserved for system use")

    def change(document: Params) -> None:
        document["Tags"] |= params["Tags"]
        if len(document["Tags"]) > _MOST:
            raise invalid(
                f"The function would have {len(document['Tags'])} tags; it can have at most {_MOST}."
            )

    engine.store.update(FUNCTION, name, change, now=engine.clock.time())
    return {}


@operation("lambda", "UntagResource")
async def untag_resource(engine: Engine, request: Request, params: Params) -> Params:
    """Remove tags by their keys; keys that are not there do not matter."""
    name = _tagged(engine, params)

    def change(document: Params) -> None:
        for key in params["TagKeys"]:
            document["Tags"].pop(key, None)

    engine.store.update(FUNCTION, name, change, now=engine.clock.time())
    return {}


@operation("lambda", "ListTags")
async def list_tags(engine: Engine, request: Request, params: Params) -> Params:
    """A function's tags."""
    return {"Tags": record.function(engine, _tagged(engine, params)).document["Tags"]}


def _tagged(engine: Engine, params: Params) -> str:
    asked = names.reference(engine.settings, params["Resource"])
    if asked.qualifier:
        raise invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    record.function(engine, asked.name)
    return asked.name
