"""Tags of REST APIs and of their stages."""

from __future__ import annotations

import re
from typing import Any

from engine.context import Engine
from engine.gateways import record
from engine.gateways.record import API, STAGE, Document, refused
from engine.http import Request
from engine.registry import operation

Params = dict[str, Any]
_ARN = re.compile(
    r"arn:aws[a-z-]*:apigateway:[a-z0-9-]*::/restapis/(?P<api>[a-z0-9]+)(?:/stages/(?P<stage>[^/]+))?"
)
_MOST = 50


@operation("apigateway", "TagResource")
async def tag_resource(engine: Engine, request: Request, params: Params) -> Params:
    """Add or overwrite tags."""

    def alter(tags: dict[str, str]) -> None:
        tags.update(params["tags"])
        if len(tags) > _MOST:
            raise refused(f"A resource can have at most {_MOST} tags")

    _change(engine, params["resourceArn"], alter)
    return {}


@operation("apigateway", "UntagResource")
async def untag_resource(engine: Engine, request: Request, params: Params) -> Params:
    """Remove tags by their keys."""

    def alter(tags: dict[str, str]) -> None:
        for key in params["tagKeys"]:
            tags.pop(key, None)

    _change(engine, params["resourceArn"], alter)
    return {}


@operation("apigateway", "GetTags")
async def get_tags(engine: Engine, request: Request, params: Params) -> Params:
    """A resource's tags."""
    api_id, stage = _place(params["resourceArn"])
    found = record.stage(engine, api_id, stage) if stage else record.api(engine, api_id)
    document = found.document if stage else found.document["Api"]
    return {"tags": document.get("tags") or {}}


def _change(engine: Engine, arn: str, alter: Any) -> None:
    api_id, stage = _place(arn)
    if stage:
        record.stage(engine, api_id, stage)
    else:
        record.api(engine, api_id)

    def change(document: Document) -> None:
        alter((document if stage else document["Api"]).setdefault("tags", {}))

    kind, name = (STAGE, f"{api_id}/{stage}") if stage else (API, api_id)
    engine.store.update(kind, name, change, now=engine.clock.time())


def _place(arn: str) -> tuple[str, str]:
    found = _ARN.fullmatch(arn)
    if found is None:
        raise refused(f"Invalid ARN: {arn} names no REST API and no stage")
    return found["api"], found["stage"] or ""
