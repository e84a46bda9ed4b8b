"""AWS signatures, checked: version 4 in headers and in presigned URLs, version 2 in S3's presigned URLs.

Facts: "Signature Version 4 signing process" and "Authenticating requests (query parameters)" in the AWS documentation.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from base64 import b64encode
from calendar import timegm
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from time import gmtime, strftime, strptime
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote

from engine.errors import ServiceError
from engine.protocol.models import Service

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY = hashlib.sha256(b"").hexdigest()
_SKEW = 15 * 60
_LONGEST_PRESIGN = 7 * 24 * 3600
# The subresources and overrides that belong to the canonical resource of signature version 2.
_V2_RESOURCES = frozenset(
    [
        "accelerate",
        "acl",
        "analytics",
        "cors",
        "defaultObjectAcl",
        "delete",
        "inventory",
        "lifecycle",
        "location",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "partNumber",
        "policy",
        "replication",
        "requestPayment",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "restore",
        "select",
        "select-type",
        "storageClass",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
        "website",
    ]
)


class Key(NamedTuple):
    """A key pair; temporary ones carry a session token and an expiry in epoch seconds."""

    access_key: str
    secret: str
    token: str = ""
    expires: float | None = None


class Claim(NamedTuple):
    """What a request says about its signature. ``form``: header, query (presigned) or v2 (presigned, version 2)."""

    form: str
    access_key: str
    signature: str
    date: str = ""
    region: str = ""
    scope: str = ""
    timestamp: str = ""
    signed_headers: str = ""
    expires: str = ""
    token: str = ""


class Refusal(Enum):
    """Why a request is refused."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    MISMATCH = "mismatch"
    SKEWED = "skewed"
    EXPIRED = "expired"
    TOKEN = "token"
    TOKEN_EXPIRED = "token expired"
    UNSIGNED_HEADER = "unsigned header"


_JSON_CODES = {
    Refusal.MISSING: ("MissingAuthenticationTokenException", 403),
    Refusal.MALFORMED: ("IncompleteSignatureException", 403),
    Refusal.UNKNOWN: ("UnrecognizedClientException", 403),
    Refusal.MISMATCH: ("InvalidSignatureException", 403),
    Refusal.SKEWED: ("InvalidSignatureException", 403),
    Refusal.EXPIRED: ("InvalidSignatureException", 403),
    Refusal.TOKEN: ("UnrecognizedClientException", 403),
    Refusal.TOKEN_EXPIRED: ("ExpiredTokenException", 403),
    Refusal.UNSIGNED_HEADER: ("InvalidSignatureException", 403),
}
_CODES = {
    "json": {reason: (code, 400) for reason, (code, _) in _JSON_CODES.items()},
    "cbor": {reason: (code, 400) for reason, (code, _) in _JSON_CODES.items()},
    "rest-json": _JSON_CODES,
    "query": {
        Refusal.MISSING: ("MissingAuthenticationToken", 403),
        Refusal.MALFORMED: ("IncompleteSignature", 400),
        Refusal.UNKNOWN: ("InvalidClientTokenId", 403),
        Refusal.MISMATCH: ("SignatureDoesNotMatch", 403),
        Refusal.SKEWED: ("SignatureDoesNotMatch", 403),
        Refusal.EXPIRED: ("SignatureDoesNotMatch", 403),
        Refusal.TOKEN: ("InvalidClientTokenId", 403),
        Refusal.TOKEN_EXPIRED: ("ExpiredToken", 403),
        Refusal.UNSIGNED_HEADER: ("SignatureDoesNotMatch", 403),
    },
    "rest-xml": {
        Refusal.MISSING: ("AccessDenied", 403),
        Refusal.MALFORMED: ("AuthorizationHeaderMalformed", 400),
        Refusal.UNKNOWN: ("InvalidAccessKeyId", 403),
        Refusal.MISMATCH: ("SignatureDoesNotMatch", 403),
        Refusal.SKEWED: ("RequestTimeTooSkewed", 403),
        Refusal.EXPIRED: ("AccessDenied", 403),
        Refusal.TOKEN: ("InvalidToken", 400),
        Refusal.TOKEN_EXPIRED: ("ExpiredToken", 400),
        Refusal.UNSIGNED_HEADER: ("AccessDenied", 403),
    },
}
_TEXTS = {
    Refusal.MISSING: "Missing Authentication Token",
    Refusal.UNKNOWN: "The security token included in the request is invalid.",
    Refusal.TOKEN: "The security token included in the request is invalid.",
    Refusal.TOKEN_EXPIRED: "The security token included in the request is expired",
    Refusal.MISMATCH: "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details.",
    Refusal.EXPIRED: "Request has expired",
    Refusal.UNSIGNED_HEADER: "There were headers present in the request which were not signed",
}
_S3_TEXTS = {
    Refusal.MISSING: "Access Denied",
    Refusal.UNKNOWN: "The AWS Access Key Id you provided does not exist in our records.",
    Refusal.TOKEN: "The provided token is malformed or otherwise invalid.",
    Refusal.TOKEN_EXPIRED: "The provided token has expired.",
    Refusal.SKEWED: "The difference between the request time and the current time is too large.",
    Refusal.MISMATCH: "The request signature we calculated does not match the signature you provided. Check your key and "
    "signing method.",
}


def refuse(reason: Refusal, wire: str, text: str = "") -> ServiceError:
    """The error of ``reason`` as services that speak ``wire`` send it."""
    code, status = _CODES[wire][reason]
    texts = {**_TEXTS, **_S3_TEXTS} if wire == "rest-xml" else _TEXTS
    message = (
        texts.get(reason, "")
        if wire == "rest-xml" and reason is Refusal.SKEWED
        else text or texts.get(reason, "")
    )
    return ServiceError(code, message, status)


def claim(headers: Mapping[str, str], query: str) -> Claim | None:
    """The signature that a request carries, not yet checked; None when it is unsigned.

    Raises:
        ValueError: It is there and cannot be read; the text says what is wrong.
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        return _header_claim(authorization, headers)
    if "X-Amz-Signature" in query or "X-Amz-Credential" in query:
        return _presigned_claim(dict(parse_qsl(query, keep_blank_values=True)))
    if "Signature=" in query and "AWSAccessKeyId=" in query:
        return _presigned_v2_claim(dict(parse_qsl(query, keep_blank_values=True)))
    return None


def _header_claim(authorization: str, headers: Mapping[str, str]) -> Claim:
    # A client signs everything of a day with the same words but the last: the signature.
    told, found, signature = authorization.rpartition("Signature=")
    if not found or not signature.isalnum():
        told, signature = authorization, ""
    fields = _authorization(told)
    signature = signature or fields.get("Signature", "")
    for name in ("Credential", "SignedHeaders"):
        if not fields.get(name):
            raise ValueError(f"Authorization header requires '{name}' parameter.")
    if not signature:
        raise ValueError("Authorization header requires 'Signature' parameter.")
    timestamp = headers.get("x-amz-date", "")
    if not timestamp:
        try:
            timestamp = parsedate_to_datetime(headers.get("date", "")).strftime("%Y%m%dT%H%M%SZ")
        except (ValueError, TypeError) as error:
            raise ValueError(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
            ) from error
    token = headers.get("x-amz-security-token", "")
    return _scoped("header", fields["Credential"], signature, timestamp, fields["SignedHeaders"], "", token)


@functools.lru_cache(256)
def _authorization(text: str) -> Mapping[str, str]:
    """The fields of an Authorization header.

    Raises:
        ValueError: It is not of signature version 4.
    """
    algorithm, _, rest = text.partition(" ")
    if algorithm != ALGORITHM:
        raise ValueError(
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        )
    fields: dict[str, str] = {}
    for part in rest.rstrip(", ").split(","):
        name, separator, value = part.strip().partition("=")
        if not separator:
            raise ValueError(
                f"'{part.strip()}' not a valid key=value pair (missing equal-sign) in Authorization header."
            )
        fields[name] = value
    return fields


def _presigned_v2_claim(fields: Mapping[str, str]) -> Claim:
    for name in ("AWSAccessKeyId", "Signature", "Expires"):
        if not fields.get(name):
            raise ValueError(f"Query-string authentication requires the {name} parameter.")
    expires = fields["Expires"]
    if not (expires.isascii() and expires.isdigit() and len(expires) < 12):
        raise ValueError("Invalid date (should be seconds since epoch): " + expires[:40])
    token = fields.get("x-amz-security-token", "")
    return Claim(
        "v2", fields["AWSAccessKeyId"], fields["Signature"], scope="s3", expires=expires, token=token
    )


def _presigned_claim(fields: Mapping[str, str]) -> Claim:
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"):
        if not fields.get(f"X-Amz-{name}"):
            raise ValueError(f"Query-string authentication version 4 requires the X-Amz-{name} parameter.")
    if fields["X-Amz-Algorithm"] != ALGORITHM:
        raise ValueError('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
    expires = fields["X-Amz-Expires"]
    if not (expires.isascii() and expires.isdigit() and len(expires) < 12) or int(expires) > _LONGEST_PRESIGN:
        raise ValueError("X-Amz-Expires must be a number of seconds, at most a week (604800).")
    return _scoped(
        "query",
        fields["X-Amz-Credential"],
        fields["X-Amz-Signature"],
        fields["X-Amz-Date"],
        fields["X-Amz-SignedHeaders"],
        expires,
        fields.get("X-Amz-Security-Token", ""),
    )


def _scoped(
    form: str, credential: str, signature: str, timestamp: str, signed_headers: str, expires: str, token: str
) -> Claim:
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request":
        raise ValueError(
            f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
        )
    access_key, date, region, scope, _ = parts
    if not timestamp.startswith(date):
        raise ValueError(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != '{timestamp}'"
        )
    if "host" not in signed_headers.split(";"):
        raise ValueError("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    return Claim(form, access_key, signature, date, region, scope, timestamp, signed_headers, expires, token)


def check(
    told: Claim,
    key: Key | None,
    service: Service,
    wire: str,
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    payload: str,
    now: float,
) -> None:
    """Refuse the request unless it was signed with the key's secret, for this service, and in time.

    Args:
        path: As received, percent-encoded.
        query: As received.
        payload: The hash of the body that was signed, in hex, or ``UNSIGNED-PAYLOAD`` and its like.

    Raises:
        ServiceError: With the code and the text of the service's protocol.
    """
    if key is None:
        raise refuse(Refusal.UNKNOWN, wire)
    if not hmac.compare_digest(key.token.encode(), told.token.encode()):
        raise refuse(Refusal.TOKEN, wire)
    if told.form == "v2":
        _check_v2(told, key, method, path, query, headers, wire)
        if int(told.expires) < now:
            raise refuse(Refusal.EXPIRED, wire)
    else:
        if told.scope != service.scope:
            raise refuse(
                Refusal.MISMATCH, wire, f"Credential should be scoped to correct service: '{service.scope}'."
            )
        signing = signing_key(key.secret, told.date, told.region, told.scope)
        if not any(
            hmac.compare_digest(
                _sign(told, signing, method, uri, parameters, headers, payload), told.signature
            )
            for uri, parameters in _canonical_forms(told, path, query)
        ):
            raise refuse(Refusal.MISMATCH, wire)
        _check_time(told, wire, now)
        if service.name == "s3":
            _check_headers_signed(told, headers, wire)
    if key.expires is not None and key.expires <= now:
        raise refuse(Refusal.TOKEN_EXPIRED, wire)


def _check_time(told: Claim, wire: str, now: float) -> None:
    signed_at = _moment(told.timestamp)
    if signed_at is None:
        raise refuse(
            Refusal.MALFORMED, wire, f"Date must be in ISO-8601 'basic format'. Got '{told.timestamp}'."
        )
    if told.form == "query" and signed_at + int(told.expires) < now:
        raise refuse(Refusal.EXPIRED, wire)
    if signed_at < now - _SKEW and told.form == "header":
        text = f"Signature expired: {told.timestamp} is now earlier than {_basic(now - _SKEW)} ({_basic(now)} - 15 min.)"
        raise refuse(Refusal.SKEWED, wire, text)
    if signed_at > now + _SKEW:
        text = f"Signature not yet current: {told.timestamp} is still later than {_basic(now + _SKEW)} ({_basic(now)} + 15 min.)"
        raise refuse(Refusal.SKEWED, wire, text)


def _check_headers_signed(told: Claim, headers: Mapping[str, str], wire: str) -> None:
    signed = told.signed_headers.split(";")
    unsigned = [name for name in headers if name.startswith("x-amz-") and name not in signed]
    if unsigned:
        error = refuse(Refusal.UNSIGNED_HEADER, wire)
        error.fields["HeadersNotSigned"] = ", ".join(unsigned)
        raise error


@functools.lru_cache(256)
def _moment(timestamp: str) -> int | None:
    try:
        return timegm(strptime(timestamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return None


def _basic(moment: float) -> str:
    return strftime("%Y%m%dT%H%M%SZ", gmtime(moment))


@functools.lru_cache(512)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of a day, region and service, derived from the secret."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _sign(
    told: Claim, key: bytes, method: str, uri: str, query: str, headers: Mapping[str, str], payload: str
) -> str:
    lines = "".join(
        [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in told.signed_headers.split(";")]
    )
    canonical = f"{method}\n{uri}\n{query}\n{lines}\n{told.signed_headers}\n{payload}"
    digest = hashlib.sha256(canonical.encode("latin-1", "replace")).hexdigest()
    text = f"{ALGORITHM}\n{told.timestamp}\n{told.date}/{told.region}/{told.scope}/aws4_request\n{digest}"
    return hmac.digest(key, text.encode("latin-1", "replace"), "sha256").hex()


def _canonical_forms(told: Claim, path: str, query: str) -> list[tuple[str, str]]:
    """Canonical path and query: as most clients sign them, then with every character encoded anew when that differs.

    S3 signs the path as it is sent; the other services encode it a second time.
    """
    if not query and told.scope != "s3":
        return [(_encoded(path), "")]
    pairs = sorted(
        (name, value)
        for name, _, value in (part.partition("=") for part in query.split("&") if part)
        if name != "X-Amz-Signature"
    )
    sent = "&".join([f"{name}={value}" for name, value in pairs])
    anew = "&".join(sorted(f"{_recoded(name)}={_recoded(value)}" for name, value in pairs)) if pairs else ""
    if told.scope != "s3":
        forms = [(_encoded(path), sent)]
        return forms if anew == sent else [*forms, (_encoded(path), anew)]
    recoded = quote(unquote(path, errors="surrogateescape"), safe="/-_.~", errors="surrogateescape")
    return list(dict.fromkeys([(path, sent), (path, anew), (recoded, sent), (recoded, anew)]))


@functools.lru_cache(4096)
def _encoded(path: str) -> str:
    if path == "/":
        return path
    from botocore.utils import normalize_url_path

    return quote(normalize_url_path(path), safe="/-_.~")


def _recoded(text: str) -> str:
    return quote(
        unquote(text.replace("+", " "), errors="surrogateescape"), safe="-_.~", errors="surrogateescape"
    )


def _check_v2(
    told: Claim, key: Key, method: str, path: str, query: str, headers: Mapping[str, str], wire: str
) -> None:
    amz = {name: value.strip() for name, value in headers.items() if name.startswith("x-amz-")}
    resources = []
    given = {"content-md5": headers.get("content-md5", ""), "content-type": headers.get("content-type", "")}
    for part in query.split("&"):
        name, separator, value = part.partition("=")
        decoded = unquote(value)
        if name in _V2_RESOURCES:
            resources.append((name, f"{name}={decoded}" if separator else name))
        elif name.lower().startswith("x-amz-"):
            amz[name.lower()] = unquote(value.replace("+", " "))
        elif name in given:
            given[name] = unquote(value.replace("+", " "))
    resource = path
    if resources:
        resource += "?" + "&".join(text for _, text in sorted(resources, key=lambda item: item[0]))
    custom = "".join(f"{name}:{value}\n" for name, value in sorted(amz.items()))
    text = f"{method}\n{given['content-md5']}\n{given['content-type']}\n{told.expires}\n{custom}{resource}"
    expected = b64encode(hmac.digest(key.secret.encode(), text.encode(), "sha1")).decode()
    if not hmac.compare_digest(expected, told.signature):
        raise refuse(Refusal.MISMATCH, wire)
