"""Scalars on the wire: timestamps, numbers, booleans and blobs in the forms that the AWS protocols use."""

from __future__ import annotations

import base64
import binascii
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from engine.errors import ServiceError

Convert = Callable[[Any], Any]

_RANGES = {"integer": 2**31, "short": 2**15, "byte": 2**7, "long": 2**63}


def malformed(message: str) -> ServiceError:
    """``SerializationException``: the request does not have the form that its operation asks for."""
    return ServiceError("SerializationException", message)


def read_timestamp(value: Any, form: str) -> datetime:
    """An aware UTC datetime from epoch seconds, ISO 8601 or an HTTP date.

    Raises:
        ServiceError: It is none of them.
    """
    try:
        if isinstance(value, bool):
            raise ValueError
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str):
            raise ValueError
        if form == "rfc822" and "," in value:
            return parsedate_to_datetime(value).astimezone(UTC)
        try:
            return datetime.fromtimestamp(float(value), UTC)
        except ValueError:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError) as error:
        raise malformed(f"{str(value)[:60]!r} can not be converted to a timestamp") from error


def write_timestamp(value: Any, form: str) -> Any:
    """Epoch seconds (or a datetime) in the form ``unixTimestamp``, ``rfc822`` or ``iso8601``."""
    if isinstance(value, datetime):
        value = value.timestamp()
    elif isinstance(value, str):
        value = read_timestamp(value, "iso8601").timestamp()
    if form == "unixTimestamp":
        return round(value, 3)
    if form == "rfc822":
        return formatdate(value, usegmt=True)
    milliseconds = math.floor(value * 1000 + 0.5)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{whole}.{milliseconds % 1000:03d}Z" if milliseconds % 1000 else f"{whole}Z"


def read_blob(value: Any) -> bytes:
    """Bytes from base64 text; CBOR brings bytes as they are.

    Raises:
        ServiceError: It is not base64.
    """
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise malformed(f"{json_kind(value)} can not be converted to a Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed("Invalid base64 in a Blob") from error


def json_kind(value: Any) -> str:
    """What AWS's parser calls a JSON value in its messages."""
    if value is True:
        return "TRUE_VALUE"
    if value is False:
        return "FALSE_VALUE"
    if value is None:
        return "NULL_VALUE"
    if isinstance(value, str):
        return "STRING_VALUE"
    if isinstance(value, int | float):
        return "NUMBER_VALUE"
    return "Start of list" if isinstance(value, list) else "Start of structure or map"


def json_reader(kind: str, form: str) -> Convert:
    """The function that checks and converts a JSON scalar of the model's type ``kind``."""
    if kind in ("string", "character"):
        return _json_string
    if kind in _RANGES:
        bound = _RANGES[kind]
        name = kind.capitalize()

        def integer(value: Any) -> int:
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if type(value) is not int:
                raise _mismatch(value, name)
            if not -bound <= value < bound:
                raise malformed(f"Numeric value ({str(value)[:40]}) out of range of {name.lower()}")
            return value

        return integer
    if kind in ("float", "double"):
        return _json_float
    if kind == "boolean":
        return _json_boolean
    if kind == "timestamp":
        return lambda value: read_timestamp(value, form)
    if kind == "blob":
        return read_blob
    return lambda value: value


def text_reader(kind: str, form: str) -> Convert:
    """The function that converts a scalar written as text (in a query, a form, a header, XML)."""
    if kind in _RANGES:
        bound = _RANGES[kind]

        def integer(value: str) -> int:
            try:
                number = int(value)
            except ValueError as error:
                raise malformed(f"{value[:60]!r} can not be converted to an {kind.capitalize()}") from error
            if not -bound <= number < bound:
                raise malformed(f"Numeric value ({value[:40]}) out of range of {kind}")
            return number

        return integer
    if kind in ("float", "double"):
        return _text_float
    if kind == "boolean":
        return _text_boolean
    if kind == "timestamp":
        return lambda value: read_timestamp(value, form)
    if kind == "blob":
        return read_blob
    return lambda value: value


def _mismatch(value: Any, name: str) -> ServiceError:
    kind = json_kind(value)
    if kind.startswith("Start"):
        return malformed(f"{kind} found where not expected")
    return malformed(f"{kind} can not be converted to {'an' if name[0] in 'AEIOU' else 'a'} {name}")


def _json_string(value: Any) -> str:
    if type(value) is not str:
        raise _mismatch(value, "String")
    return value


def _json_float(value: Any) -> float:
    if type(value) is int or type(value) is float:
        return value
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    raise _mismatch(value, "Double")


def _json_boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _mismatch(value, "Boolean")
    return value


def _text_float(value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise malformed(f"{value[:60]!r} can not be converted to a Double") from error


def _text_boolean(value: str) -> bool:
    lowered = value.lower()
    if lowered not in ("true", "false"):
        raise malformed(f"{value[:60]!r} can not be converted to a Boolean")
    return lowered == "true"
