"""Hyperparameters of a built-in algorithm: types, ranges and defaults, and the failure texts of SageMaker's containers.

Values arrive as strings. A bad one fails the job with the text of a JSON schema validator, since that is what the containers
print: ``'abc' is not valid under any of the given schemas`` and, for a name that does not exist,
``Additional properties are not allowed ('mini_batch_siz' was unexpected)``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from algorithms.builtin.failures import ClientError, unexpected

REQUIRED: Final = object()
"""Default of a hyperparameter that must be given."""

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One hyperparameter.

    Attributes:
        name: As in the developer guide.
        default: The parsed default, `REQUIRED`, or None for "unset".
        convert: Text to value; raises ValueError for a text that is not allowed.
        schema: What the failure text shows as the schema that was not met.
    """

    name: str
    default: Any
    convert: Callable[[str], Any]
    schema: Mapping[str, Any]

    def parse(self, text: str) -> Any:
        """The value of a text.

        Raises:
            ClientError: The text is outside the type or range.
        """
        try:
            return self.convert(text.strip())
        except ValueError as error:
            raise ClientError(self._refusal(text)) from error

    def _refusal(self, text: str) -> str:
        rule = "oneOf" if "oneOf" in self.schema else "enum" if "enum" in self.schema else "type"
        said = {
            "oneOf": f"{text!r} is not valid under any of the given schemas",
            "enum": f"{text!r} is not one of {self.schema.get('enum')!r}",
            "type": f"{text!r} is not of type {self.schema.get('type')!r}",
        }[rule]
        return (
            f"{said}\n\nFailed validating {rule!r} in schema['properties'][{self.name!r}]:\n    {dict(self.schema)!r}"
            f"\n\nOn instance[{self.name!r}]:\n    {text!r}"
        )


def integer(
    name: str,
    default: Any,
    minimum: int | None = None,
    maximum: int | None = None,
    *,
    words: Sequence[str] = (),
) -> Parameter:
    """A whole number in [minimum, maximum], or one of ``words`` (``auto``), which is kept as text."""

    def convert(text: str) -> int | str:
        if text in words:
            return text
        _plain(text)
        value = int(text) if not _is_float(text) else _whole(text)
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            raise ValueError(text)
        return value

    return Parameter(name, default, convert, _numeric("integer", minimum, maximum, words=words))


def real(
    name: str,
    default: Any,
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
    words: Sequence[str] = (),
) -> Parameter:
    """A finite number in [minimum, maximum] and in (above, below), or one of ``words``."""

    def convert(text: str) -> float | str:
        if text in words:
            return text
        _plain(text)
        value = float(text)
        if (
            not math.isfinite(value)
            or (minimum is not None and value < minimum)
            or (maximum is not None and value > maximum)
            or (above is not None and value <= above)
            or (below is not None and value >= below)
        ):
            raise ValueError(text)
        return value

    return Parameter(name, default, convert, _numeric("number", minimum, maximum, above, below, words=words))


def choice(name: str, default: Any, options: Sequence[str], *, fold: bool = False) -> Parameter:
    """One of ``options``; with ``fold`` in any case (the value is the option's own spelling)."""
    known = {option.lower() if fold else option: option for option in options}

    def convert(text: str) -> str:
        found = known.get(text.lower() if fold else text)
        if found is None:
            raise ValueError(text)
        return found

    return Parameter(name, default, convert, {"enum": list(options), "type": "string"})


def boolean(name: str, default: Any, *, words: Sequence[str] = ()) -> Parameter:
    """true or false in any case, 1 or 0, or one of ``words``."""

    def convert(text: str) -> bool | str:
        if text in words:
            return text
        value = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
        if value is None:
            raise ValueError(text)
        return value

    return Parameter(name, default, convert, {"enum": ["true", "false", *words], "type": "string"})


def structure(name: str, default: Any, check: Callable[[Any], Any], schema: Mapping[str, Any]) -> Parameter:
    """JSON text; ``check`` turns the decoded value into the parsed one and raises ValueError for what is not allowed."""

    def convert(text: str) -> Any:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        return check(value)

    return Parameter(name, default, convert, schema)


def text(name: str, default: Any) -> Parameter:
    """Any text."""
    return Parameter(name, default, str, {"type": "string"})


COMMON = (
    text("_num_gpus", "auto"),
    text("_num_kv_servers", "auto"),
    text("_kvstore", "auto"),
    text("_log_level", "info"),
    text("_enable_profiler", "false"),
    text("_tuning_objective_metric", ""),
    text("_disable_wait_to_read", "false"),
    text("_scoring_data_keys", ""),
)
"""Hidden ones that every first-party container takes."""


def parse(parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """All hyperparameters with their parsed values, defaults where nothing was given.

    Args:
        given: Texts as in ``hyperparameters.json``. A text in JSON quotes, as the SageMaker SDK v2 sends it, is unquoted.

    Raises:
        ClientError: An unknown name, a missing required one, or a value outside its type or range.
    """
    known = {parameter.name: parameter for parameter in (*parameters, *COMMON)}
    unknown = [name for name in given if name not in known and not name.startswith("sagemaker_")]
    if unknown:
        raise ClientError(unexpected(unknown))
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        if name in given:
            values[name] = parameter.parse(_unquoted(given[name]))
        elif parameter.default is REQUIRED:
            raise ClientError(f"{name!r} is a required property")
        else:
            values[name] = parameter.default
    return values


def defaults(parameters: Sequence[Parameter]) -> dict[str, str]:
    """The defaults as texts, as a container's ``default-input.json`` has them; required and unset ones are left out."""
    found = {}
    for parameter in (*parameters, *COMMON):
        value = parameter.default
        if value is not REQUIRED and value is not None:
            found[parameter.name] = value if isinstance(value, str) else json.dumps(value)
    return found


def _unquoted(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if len(value) >= 2 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value
    return value


def _plain(text: str) -> None:
    # Python reads 1_000 and digits of other scripts; the containers do not.
    if "_" in text or not text.isascii():
        raise ValueError(text)


def _is_float(value: str) -> bool:
    return any(mark in value for mark in ".eE")


def _whole(value: str) -> int:
    number = float(value)
    if not number.is_integer():
        raise ValueError(value)
    return int(number)


def _numeric(
    kind: str,
    minimum: float | None,
    maximum: float | None,
    above: float | None = None,
    below: float | None = None,
    *,
    words: Sequence[str] = (),
) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for key, value in (
        ("minimum", minimum),
        ("maximum", maximum),
        ("exclusiveMinimum", above),
        ("exclusiveMaximum", below),
    ):
        if value is not None:
            limits[key] = value
    forms: list[dict[str, Any]] = [{"enum": list(words), "type": "string"}] if words else []
    forms += [{"pattern": "^[-+]?[0-9]*\\.?[0-9]*$", "type": "string"}, {**limits, "type": kind}]
    return {"oneOf": forms}
