"""What API Gateway itself answers when no integration does: gateway responses, as they are or customised.

Source: "Gateway response types for API Gateway" in the developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

STATUSES = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}
TEMPLATE = {"application/json": '{"message":$context.error.messageString}'}
_INTERNAL = "Internal server error"


class Kind(NamedTuple):
    """A failure: its gateway response type, status, text, and the exception's name for ``x-amzn-ErrorType``."""

    type: str
    status: int
    message: str
    error: str


FORBIDDEN = Kind("ACCESS_DENIED", 403, "Forbidden", "ForbiddenException")
INVALID_KEY = Kind("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException")
NO_ROUTE = Kind(
    "MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException"
)
CONFIGURATION = Kind("API_CONFIGURATION_ERROR", 500, _INTERNAL, "InternalServerErrorException")
BAD_GATEWAY = Kind("DEFAULT_5XX", 502, _INTERNAL, "InternalServerErrorException")
UNREACHABLE = Kind(
    "INTEGRATION_FAILURE", 504, "Network error communicating with endpoint", "InternalServerErrorException"
)
TIMED_OUT = Kind("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException")
TOO_LONG = Kind("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException")
THROTTLED = Kind("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException")
QUOTA = Kind("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException")
BAD_PARAMETERS = Kind(
    "BAD_REQUEST_PARAMETERS", 400, "Missing required request parameters", "BadRequestException"
)
MEDIA_TYPE = Kind("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "BadRequestException")


class Refused(Exception):
    """The request ends in a gateway response. ``cause`` is for the execution log, nobody outside reads it."""

    def __init__(self, kind: Kind, message: str = "", *, cause: str = "", error: str = "") -> None:
        super().__init__(f"{kind.type}: {cause or message or kind.message}")
        self.kind = kind
        self.message = message or kind.message
        self.cause = cause
        self.error = error or kind.error


def described(kind: str, custom: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A gateway response as GetGatewayResponse answers it."""
    found = custom.get(kind)
    answer: dict[str, Any] = {
        "responseType": kind,
        "responseParameters": {},
        "responseTemplates": TEMPLATE,
        "defaultResponse": found is None,
    }
    if STATUSES[kind]:
        answer["statusCode"] = STATUSES[kind]
    return {**answer, **(found or {})}


def effective(kind: Kind, custom: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """What was customised for a failure: under its own type, else under its class's; empty for API Gateway's own answer."""
    general = "DEFAULT_4XX" if kind.status < 500 else "DEFAULT_5XX"
    return custom.get(kind.type) or custom.get(general) or {}
