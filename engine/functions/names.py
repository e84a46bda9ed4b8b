"""Names and ARNs of functions and layers, as requests may write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import ServiceError

if TYPE_CHECKING:
    from engine.settings import Settings

LATEST = "$LATEST"
_FUNCTION = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_-]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
)
_LAYER = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:)?"
    r"(?P<name>[a-zA-Z0-9_-]{1,140})(?::(?P<version>\d+))?"
)


class Reference(NamedTuple):
    """A function's name and what follows it: a version, an alias, ``$LATEST``, or nothing."""

    name: str
    qualifier: str


class LayerReference(NamedTuple):
    """A layer's name and version, 0 when none is named."""

    name: str
    version: int


def invalid(message: str) -> ServiceError:
    """``InvalidParameterValueException``."""
    return ServiceError("InvalidParameterValueException", message, fields={"Type": "User"})


def missing(message: str) -> ServiceError:
    """``ResourceNotFoundException``."""
    return ServiceError("ResourceNotFoundException", message, 404, fields={"Type": "User"})


def conflict(message: str) -> ServiceError:
    """``ResourceConflictException``."""
    return ServiceError("ResourceConflictException", message, 409, fields={"Type": "User"})


def function_arn(settings: Settings, name: str, qualifier: str = "") -> str:
    """``arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]``."""
    arn = settings.arn("lambda", f"function:{name}")
    return f"{arn}:{qualifier}" if qualifier else arn


def reference(settings: Settings, told: str, qualifier: str | None = None) -> Reference:
    """A function as a path names it (name, partial or whole ARN, with or without qualifier), and its Qualifier.

    Raises:
        ServiceError: ``ValidationException``, ``InvalidParameterValueException`` for two qualifiers,
            ``ResourceNotFoundException`` for another account's or region's function.
    """
    found = _FUNCTION.fullmatch(told)
    if found is None:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{told}' at 'functionName' failed to satisfy constraint: Member must satisfy "
            r"regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
            r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?",
        )
    if found["qualifier"] and qualifier and found["qualifier"] != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    known = Reference(found["name"], qualifier or found["qualifier"] or "")
    if (found["region"] or settings.region) != settings.region or (
        found["account"] or settings.account_id
    ) != settings.account_id:
        raise missing(f"Function not found: {told}")
    return known


def no_function(settings: Settings, name: str, qualifier: str = "") -> ServiceError:
    """``ResourceNotFoundException`` for a function or one of its versions."""
    return missing(f"Function not found: {function_arn(settings, name, qualifier)}")


def layer(settings: Settings, told: str) -> LayerReference:
    """A layer as a path or an ARN names it.

    Raises:
        ServiceError: ``InvalidParameterValueException``, ``ResourceNotFoundException`` for another account's layer.
    """
    found = _LAYER.fullmatch(told)
    if found is None:
        raise invalid(f"Layer name or ARN {told} is not valid")
    if (found["account"] or settings.account_id) != settings.account_id or (
        found["region"] or settings.region
    ) != settings.region:
        raise missing(
            f"The layer {told} belongs to another account or region, from which this engine cannot fetch it. "
            "Publish it here with PublishLayerVersion."
        )
    return LayerReference(found["name"], int(found["version"] or 0))


def layer_arn(settings: Settings, name: str, version: int = 0) -> str:
    """``arn:aws:lambda:REGION:ACCOUNT:layer:NAME[:VERSION]``."""
    arn = settings.arn("lambda", f"layer:{name}")
    return f"{arn}:{version}" if version else arn
