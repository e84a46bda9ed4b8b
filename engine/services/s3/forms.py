"""PostObject: uploads by an HTML form or `generate_presigned_post`, signed through their policy instead of a header."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from email.message import Message
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request, Response
from engine.objectstore.digests import encoded
from engine.protocol import signature
from engine.registry import operation
from engine.services.s3.bodies import bad_checksum, declared_checksum
from engine.services.s3.tagging import checked
from engine.services.s3.wire import (
    LARGEST_PUT,
    attributes_of,
    bucket_of,
    check_object_options,
    invalid_argument,
    quoted,
)

_FIELDS_LIMIT = 64 * 1024
# Fields that a policy need not mention.
_EXEMPT = frozenset(
    ("policy", "file", "signature", "awsaccesskeyid", "x-amz-signature", "x-amz-security-token", "bucket")
)
_NAMESPACE = re.compile(r"\{[^}]*\}")


@operation("s3", "PostObject", streams=True, raw=True)
async def post_object(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Store the file of a form whose policy was signed by a key of this account and allows every field."""
    bucket = params["Bucket"]
    form = _Form(request)
    await form.read_fields()
    fields = form.fields
    if "${filename}" in fields.get("key", ""):
        fields["key"] = fields["key"].replace("${filename}", form.filename)
    limits = _authorize(engine, fields, bucket)
    bucket_of(engine, {"Bucket": bucket})
    key = fields.get("key", "")
    if not key:
        raise invalid_argument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
            "key",
        )
    if len(key.encode()) > 1024:
        raise ServiceError("KeyTooLongError", "Your key is too long")
    named = {"ACL": fields.get("acl"), "StorageClass": fields.get("x-amz-storage-class")}
    check_object_options(
        {**named, "SSECustomerAlgorithm": fields.get("x-amz-server-side-encryption-customer-algorithm")}
    )
    named["Metadata"] = {  # type: ignore[assignment]
        name.removeprefix("x-amz-meta-"): value
        for name, value in fields.items()
        if name.startswith("x-amz-meta-")
    }
    about = attributes_of(named, fields)
    about.tags = _tags(fields.get("tagging"))
    name, value = declared_checksum(fields)
    staged = engine.objects.stage([name] if name else [])
    try:
        await staged.receive(form.file(min(limits[1], LARGEST_PUT)))
        staged.close()
        if staged.size < limits[0]:
            raise ServiceError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                fields={"ProposedSize": staged.size, "MinSizeAllowed": limits[0]},
            )
        if name:
            if encoded(staged.checksums[name].digest()) != value:
                raise bad_checksum(name)
            about.checksums = {name: value}
        info = engine.objects.commit(bucket, key, staged.path, staged.size, staged.md5.digest().hex(), about)
    finally:
        staged.drop()
    return _answer(request, fields, bucket, key, quoted(info.etag))


def _answer(request: Request, fields: dict[str, str], bucket: str, key: str, etag: str) -> Response:
    """204, or what the form wishes for: 200, 201 with a document, or a redirection."""
    location = f"http://{request.headers.get('host', 'localhost')}{request.path.rstrip('/')}/{quote(key)}"
    headers = {"etag": etag, "location": location}
    redirect = fields.get("success_action_redirect") or fields.get("redirect")
    if redirect:
        joint = "&" if "?" in redirect else "?"
        query = urlencode({"bucket": bucket, "key": key, "etag": etag})
        return Response(303, {**headers, "location": f"{redirect}{joint}{query}"})
    status = fields.get("success_action_status", "")
    if status == "201":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<PostResponse><Location>{escape(location)}</Location><Bucket>{escape(bucket)}</Bucket>"
            f"<Key>{escape(key)}</Key><ETag>{escape(etag)}</ETag></PostResponse>"
        )
        return Response(201, {**headers, "content-type": "application/xml"}, body.encode())
    return Response(200 if status == "200" else 204, headers)


def _tags(document: str | None) -> dict[str, str]:
    """Tags from the form's ``tagging`` field, the document of PutObjectTagging."""
    if not document:
        return {}
    malformed = ServiceError(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
    if "<!" in document:
        raise malformed
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise malformed from error
    pairs = []
    for tag in root.iter():
        if _NAMESPACE.sub("", tag.tag) == "Tag":
            members = {_NAMESPACE.sub("", member.tag): member.text or "" for member in tag}
            pairs.append((members.get("Key", ""), members.get("Value", "")))
    return checked(pairs)


def _authorize(engine: Engine, fields: dict[str, str], bucket: str) -> tuple[int, float]:
    """Check the policy's signature, its end and its conditions; the smallest and the largest size that it allows.

    Raises:
        ServiceError: ``AccessDenied``, ``InvalidAccessKeyId``, ``SignatureDoesNotMatch``, ``InvalidPolicyDocument``.
    """
    policy = fields.get("policy", "")
    if not policy:
        raise ServiceError("AccessDenied", "Access Denied", 403)
    _check_signature(engine, fields, policy)
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
        moment = datetime.fromisoformat(document["expiration"]).timestamp()
        conditions = list(document["conditions"])
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ServiceError("InvalidPolicyDocument", f"Invalid Policy: Invalid JSON: {error}.") from error
    if moment <= engine.clock.time():
        raise _denied("Policy expired.")
    given = {**fields, "bucket": bucket}
    covered: set[str] = set()
    limits: tuple[int, float] = (0, float("inf"))
    for condition in conditions:
        if isinstance(condition, list) and condition and condition[0] == "content-length-range":
            try:
                limits = (int(condition[1]), int(condition[2]))
            except (IndexError, TypeError, ValueError) as error:
                raise ServiceError(
                    "InvalidPolicyDocument", "Invalid Policy: bad content-length-range."
                ) from error
            continue
        for operator, name, value in _tests(condition):
            covered.add(name)
            found = given.get(name, "")
            if not (found.startswith(value) if operator == "starts-with" else found == value):
                raise _denied(f"Policy Condition failed: {json.dumps([operator, f'${name}', value])}")
    extra = sorted(
        name
        for name in fields
        if name not in covered and name not in _EXEMPT and not name.startswith("x-ignore-")
    )
    if extra:
        raise _denied(f"Extra input fields: {extra[0]}")
    return limits


def _tests(condition: Any) -> list[tuple[str, str, str]]:
    if isinstance(condition, dict):
        return [("eq", str(name).lower(), str(value)) for name, value in condition.items()]
    if (
        isinstance(condition, list)
        and len(condition) == 3
        and str(condition[0]).lower() in ("eq", "starts-with")
    ):
        return [(str(condition[0]).lower(), str(condition[1]).removeprefix("$").lower(), str(condition[2]))]
    raise ServiceError(
        "InvalidPolicyDocument", f"Invalid Policy: Invalid Condition: {json.dumps(condition)}."
    )


def _denied(why: str) -> ServiceError:
    return ServiceError("AccessDenied", f"Invalid according to Policy: {why}", 403)


def _check_signature(engine: Engine, fields: dict[str, str], policy: str) -> None:
    """Version 4 signs the policy with the key of the day, version 2 with the secret itself."""
    reasons = signature.Refusal
    scope: list[str] = []
    if "x-amz-signature" in fields:
        scope = fields.get("x-amz-credential", "").rsplit("/", 4)
        if fields.get("x-amz-algorithm") != signature.ALGORITHM or len(scope) != 5 or scope[3] != "s3":
            raise invalid_argument(
                "Invalid credential or algorithm of the form's signature", "x-amz-credential"
            )
        access_key, sent = scope[0], fields["x-amz-signature"]
    else:
        access_key, sent = fields.get("awsaccesskeyid", ""), fields.get("signature", "")
    if not access_key or not sent:
        raise ServiceError("AccessDenied", "Access Denied", 403)
    key = engine.keys.find(access_key)
    if key is None:
        raise signature.refuse(reasons.UNKNOWN, "rest-xml")
    if not hmac.compare_digest(key.token.encode(), fields.get("x-amz-security-token", "").encode()):
        raise signature.refuse(reasons.TOKEN, "rest-xml")
    if scope:
        signing = signature.signing_key(key.secret, scope[1], scope[2], scope[3])
        expected = hmac.digest(signing, policy.encode(), "sha256").hex()
    else:
        expected = base64.b64encode(hmac.digest(key.secret.encode(), policy.encode(), "sha1")).decode()
    if not hmac.compare_digest(expected.encode(), sent.encode()):
        raise signature.refuse(reasons.MISMATCH, "rest-xml")
    if key.expires is not None and key.expires <= engine.clock.time():
        raise signature.refuse(reasons.TOKEN_EXPIRED, "rest-xml")


class _Form:
    """A multipart/form-data body: its fields in memory, then its file as it comes. What follows the file is ignored, as on S3."""

    def __init__(self, request: Request) -> None:
        header = Message()
        header["content-type"] = request.headers.get("content-type", "")
        boundary = header.get_boundary("")
        if not boundary:
            raise _malformed("the Content-Type names no boundary")
        self._mark = b"\r\n--" + boundary.encode("latin-1")
        self._stream = request.stream()
        # The first boundary has no line end before it.
        self._held = b"\r\n"
        self.fields: dict[str, str] = {}
        self.filename = ""

    async def read_fields(self) -> None:
        """Read up to the file's content."""
        await self._until(self._mark)
        size = 0
        while True:
            await self._until(b"\r\n")  # The rest of the boundary's line.
            head = await self._until(b"\r\n\r\n")
            part = Message()
            for line in head.decode("utf-8", "replace").split("\r\n"):
                name, _, value = line.partition(":")
                part[name] = value.strip()
            name = str(part.get_param("name", "", "content-disposition")).lower()
            if name == "file":
                path = str(part.get_param("filename", "", "content-disposition"))
                self.filename = re.split(r"[/\\]", path)[-1]
                # Content-Type comes from the form's own field alone, as on S3.
                return
            value_bytes = await self._until(self._mark)
            size += len(value_bytes)
            if size > _FIELDS_LIMIT:
                raise ServiceError(
                    "MaxPostPreDataLengthExceededError",
                    "Your POST request fields preceding the upload file were too large.",
                )
            self.fields[name] = value_bytes.decode("utf-8", "replace")
            while len(self._held) < 2:
                await self._more()
            if self._held.startswith(b"--"):
                raise invalid_argument("POST requires exactly one file upload per request.", "file", 0)

    async def file(self, limit: float) -> AsyncIterator[bytes]:
        """The file's content.

        Raises:
            ServiceError: ``EntityTooLarge`` beyond ``limit``, ``MalformedPOSTRequest`` when the form breaks off.
        """
        size = 0
        ended = False
        while not ended:
            place = self._held.find(self._mark)
            ended = place >= 0
            keep = len(self._mark) - 1
            piece = self._held[:place] if ended else self._held[: max(0, len(self._held) - keep)]
            self._held = self._held[len(piece) :]
            size += len(piece)
            if size > limit:
                raise ServiceError(
                    "EntityTooLarge",
                    "Your proposed upload exceeds the maximum allowed size",
                    fields={"ProposedSize": size, "MaxSizeAllowed": int(limit)},
                )
            if piece:
                yield piece
            if not ended:
                await self._more()
        async for _ in self._stream:
            pass

    async def _until(self, mark: bytes) -> bytes:
        """What comes before ``mark``, which is skipped."""
        while (place := self._held.find(mark)) < 0:
            if len(self._held) > 2 * _FIELDS_LIMIT:
                raise ServiceError(
                    "MaxPostPreDataLengthExceededError",
                    "Your POST request fields preceding the upload file were too large.",
                )
            await self._more()
        before, self._held = self._held[:place], self._held[place + len(mark) :]
        return before

    async def _more(self) -> None:
        try:
            self._held += await anext(self._stream)
        except StopAsyncIteration:
            raise _malformed("it ends too early") from None


def _malformed(why: str) -> ServiceError:
    return ServiceError(
        "MalformedPOSTRequest",
        f"The body of your POST request is not well-formed multipart/form-data: {why}.",
    )
