"""What AWS says of the configuration of a bucket that nobody configured."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.registry import operation
from engine.services.s3.wire import bucket_of, no_such_key, owner

_ABSENT = {
    "GetBucketPolicy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "GetBucketPolicyStatus": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "GetBucketTagging": ("NoSuchTagSet", "The TagSet does not exist"),
    "GetBucketCors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "GetBucketWebsite": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    "GetBucketLifecycleConfiguration": (
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "GetObjectLockConfiguration": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
}
_BLOCKED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_DEFAULTS: dict[str, dict[str, Any]] = {
    "GetBucketVersioning": {},
    "GetBucketLogging": {},
    "GetBucketNotificationConfiguration": {},
    "GetBucketAccelerateConfiguration": {},
    "GetBucketRequestPayment": {"Payer": "BucketOwner"},
    "GetBucketEncryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
            ]
        }
    },
    "GetPublicAccessBlock": {"PublicAccessBlockConfiguration": dict.fromkeys(_BLOCKED, True)},
    "GetBucketOwnershipControls": {
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    },
}


def _register_absent(name: str, code: str, text: str) -> None:
    @operation("s3", name)
    async def answer(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
        raise ServiceError(code, text, 404, fields={"BucketName": bucket_of(engine, params).name})


def _register_default(name: str, document: dict[str, Any]) -> None:
    @operation("s3", name)
    async def answer(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
        bucket_of(engine, params)
        return document


for _name, (_code, _text) in _ABSENT.items():
    _register_absent(_name, _code, _text)
for _name, _document in _DEFAULTS.items():
    _register_default(_name, _document)


@operation("s3", "GetBucketAcl")
async def get_bucket_acl(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The owner may do everything."""
    bucket_of(engine, params)
    return _full_control(engine)


@operation("s3", "GetObjectAcl")
async def get_object_acl(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The owner may do everything."""
    bucket_of(engine, params)
    if engine.objects.find(params["Bucket"], params["Key"]) is None:
        raise no_such_key(params["Key"])
    return _full_control(engine)


def _full_control(engine: Engine) -> dict[str, Any]:
    person = owner(engine)
    return {
        "Owner": person,
        "Grants": [{"Grantee": {**person, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}],
    }
