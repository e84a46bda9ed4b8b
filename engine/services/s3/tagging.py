"""Object tags."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request, Response
from engine.objects import Attributes
from engine.registry import operation
from engine.services.s3.bodies import check_body
from engine.services.s3.wire import bucket_of, check_version, no_such_key

_MOST = 10


def parse_header(header: str | None) -> dict[str, str]:
    """Tags from the x-amz-tagging header, a query string.

    Raises:
        ServiceError: ``InvalidTag`` or ``BadRequest``.
    """
    return checked(parse_qsl(header, keep_blank_values=True)) if header else {}


def checked(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """A tag set within S3's limits.

    Raises:
        ServiceError: ``InvalidTag`` or ``BadRequest``.
    """
    if len(pairs) > _MOST:
        raise ServiceError("BadRequest", "Object tags cannot be greater than 10")
    tags: dict[str, str] = {}
    for key, value in pairs:
        if not 1 <= len(key) <= 128:
            raise ServiceError(
                "InvalidTag", "The TagKey you have provided is invalid", fields={"TagKey": key}
            )
        if len(value) > 256:
            raise ServiceError(
                "InvalidTag",
                "The TagValue you have provided is invalid",
                fields={"TagKey": key, "TagValue": value},
            )
        if key in tags:
            text = "Cannot provide multiple Tags with the same key"
            raise ServiceError("InvalidTag", text, fields={"TagKey": key})
        tags[key] = value
    return tags


@operation("s3", "PutObjectTagging")
async def put_object_tagging(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Replace an object's tags."""
    check_body(request.headers, request.read or b"")
    wanted = (params.get("Tagging") or {}).get("TagSet") or []
    _change(engine, params, checked([(tag.get("Key", ""), tag.get("Value", "")) for tag in wanted]))
    return Response(200)


@operation("s3", "GetObjectTagging")
async def get_object_tagging(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """An object's tags."""
    bucket_of(engine, params)
    check_version(params)
    info = engine.objects.find(params["Bucket"], params["Key"])
    if info is None:
        raise no_such_key(params["Key"])
    return {"TagSet": [{"Key": key, "Value": value} for key, value in info.attributes.tags.items()]}


@operation("s3", "DeleteObjectTagging")
async def delete_object_tagging(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Remove an object's tags."""
    _change(engine, params, {})
    return Response(204)


def _change(engine: Engine, params: dict[str, Any], tags: dict[str, str]) -> None:
    bucket_of(engine, params)
    check_version(params)

    def change(attributes: Attributes) -> None:
        attributes.tags = tags

    if engine.objects.update(params["Bucket"], params["Key"], change) is None:
        raise no_such_key(params["Key"])
