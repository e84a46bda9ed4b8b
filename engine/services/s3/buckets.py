"""Buckets."""

from __future__ import annotations

import asyncio
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request, Response
from engine.registry import operation
from engine.services.s3.wire import bucket_of, owner


@operation("s3", "ListBuckets")
async def list_buckets(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """All buckets, or a page of them when the caller asks for pages."""
    prefix, region = params.get("Prefix") or "", params.get("BucketRegion")
    token, limit = params.get("ContinuationToken"), params.get("MaxBuckets")
    after = engine.tokens.decode("ListBuckets", params, token, code="InvalidArgument") if token else ""
    found = [
        bucket
        for bucket in engine.objects.buckets()
        if bucket.name > after and bucket.name.startswith(prefix) and region in (None, bucket.region)
    ]
    page = found[:limit] if limit else found
    answer: dict[str, Any] = {
        "Buckets": [
            {"Name": bucket.name, "CreationDate": bucket.created, "BucketRegion": bucket.region}
            for bucket in page
        ],
        "Owner": owner(engine),
        "Prefix": params.get("Prefix"),
    }
    if len(page) < len(found):
        answer["ContinuationToken"] = engine.tokens.encode("ListBuckets", params, page[-1].name)
    return answer


@operation("s3", "HeadBucket")
async def head_bucket(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Whether the bucket is there, and where."""
    return {"BucketRegion": bucket_of(engine, params).region, "AccessPointAlias": False}


@operation("s3", "CreateBucket")
async def create_bucket(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """A new bucket in the region its location constraint names, which must be the one the request was signed for."""
    name = params["Bucket"]
    configuration = params.get("CreateBucketConfiguration") or {}
    constraint = configuration.get("LocationConstraint") or ""
    if constraint == "EU":
        constraint = "eu-west-1"
    here = request.region or engine.settings.region
    if here != "us-east-1" and constraint != here:
        text = f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to."
        raise ServiceError("IllegalLocationConstraintException", text)
    if constraint == "us-east-1":
        raise ServiceError("InvalidLocationConstraint", "The specified location-constraint is not valid")
    region = constraint or "us-east-1"
    if (
        not engine.objects.create_bucket(name, region=region, now=engine.clock.time())
        and region != "us-east-1"
    ):
        text = "Your previous request to create the named bucket succeeded and you already own it."
        raise ServiceError("BucketAlreadyOwnedByYou", text, 409, fields={"BucketName": name})
    return {"Location": f"/{name}"}


@operation("s3", "DeleteBucket")
async def delete_bucket(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Delete an empty bucket."""
    bucket_of(engine, params)
    await asyncio.to_thread(engine.objects.delete_bucket, params["Bucket"])
    return {}


@operation("s3", "GetBucketLocation")
async def get_bucket_location(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """The bucket's region; empty for us-east-1, as from the beginning."""
    region = bucket_of(engine, params).region
    text = "" if region == "us-east-1" else region
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{text}</LocationConstraint>'
    )
    return Response(200, {"content-type": "application/xml"}, document.encode())
