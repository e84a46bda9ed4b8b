"""Whether a call would be valid on AWS: botocore's own check of its parameters, and what that leaves to the service.

botocore's `ParamValidator` knows types, required members, unknown members and least lengths and values. The service model
says more, which only the service checks: greatest lengths and values, patterns and enumerations.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from workflows import runs
from workflows.events import ApiCall
from workflows.runs import Run
from workflows.trimming import LONGEST_TEXT

OPEN = frozenset({"ProductionVariantInstanceType", "TrainingInstanceType", "TransformInstanceType"})
"""Enumerations of which the service knows more members than a given botocore: new instance types come every month."""


@functools.cache
def model(service: str) -> Any:
    """botocore's model of a service."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def violations(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with a call, a sentence each; empty when AWS would take it. Values that a trace has cut are passed over."""
    from botocore.validate import ParamValidator

    shape = model(service).operation_model(operation).input_shape
    if shape is None:
        return [f"{operation} takes no parameters"] if parameters else []
    known = _uncut(dict(parameters))
    report = ParamValidator().validate(known, shape)
    # What has the wrong type or is missing cannot be looked at any closer.
    found = report.generate_report().splitlines() if report.has_errors() else _strict(known, shape, operation)
    return [f"{service}:{text}" for text in found]


def run_violations(run: Run) -> list[str]:
    """What is wrong with any of the calls that a run has made, a sentence each."""
    calls = {
        (call.service, call.operation, json.dumps(call.parameters, sort_keys=True, default=str))
        for call in runs.follow(run, timeout=0)
        if isinstance(call, ApiCall)
    }
    return [text for service, name, given in calls for text in violations(service, name, json.loads(given))]


_CUT = re.compile(r"\(hidden\)|\(a stream\)|\(\d+ (bytes|characters)\)|… \(\d+ items\)")


def _uncut(value: Any) -> Any:
    """A trace's parameters without the words that stand for what it has left out of lists."""
    if isinstance(value, Mapping):
        return {name: _uncut(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_uncut(item) for item in value if not (isinstance(item, str) and item.startswith("… ("))]
    return value


def _strict(value: Any, shape: Any, place: str) -> Iterator[str]:
    if value is None or (isinstance(value, str) and (_CUT.fullmatch(value) or len(value) > LONGEST_TEXT)):
        return
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, item in value.items():
            if name in shape.members:
                yield from _strict(item, shape.members[name], f"{place}.{name}")
        return
    metadata = shape.metadata
    if shape.type_name in ("list", "map", "string", "blob") and len(value) > metadata.get("max", len(value)):
        yield f"{place} is longer ({len(value)}) than {metadata['max']}"
    if shape.type_name in ("integer", "long", "float", "double") and value > metadata.get("max", value):
        yield f"{place} is more ({value}) than {metadata['max']}"
    if shape.type_name == "list":
        for number, item in enumerate(value):
            yield from _strict(item, shape.member, f"{place}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _strict(key, shape.key, f"{place} key {key!r}")
            yield from _strict(item, shape.value, f"{place}.{key}")
    elif shape.type_name == "string" and isinstance(value, str):
        if shape.enum and value not in shape.enum and shape.name not in OPEN:
            yield f"{place} is {value!r}, none of {', '.join(shape.enum)}"
        pattern = metadata.get("pattern")
        if pattern and not _matches(pattern, value):
            yield f"{place} is {value!r}, which does not match {pattern}"


def _matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches a pattern of a service model."""
    found = _compiled(pattern)
    return found is None or found.fullmatch(text) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Those patterns are Java's. None: one of the few that no engine but Java's takes, such as ``[\\w-_]``."""
    known, inside = "", False
    for part in re.findall(r"\\p\{\w+\}|\\.|.", pattern, re.DOTALL):
        if part.startswith("\\p{"):
            members = _CLASSES[part[3:-1]]
            known += members if inside else f"[{members}]"
            continue
        inside = part == "[" or (inside and part != "]")
        known += r"\Z" if part == r"\z" else part
    try:
        return re.compile(known, re.DOTALL)
    except re.error:
        return None


_CLASSES = {
    "L": "a-zA-Z\u00c0-\uffff",
    "Z": r"\s",
    "N": "0-9",
    "M": "\u0300-\u036f",
    "Zs": " ",
    "P": r"!-#%-*,-/:;?@\[-\]_{}\u2010-\u2027",
    "S": r"$+<->^`|~\u20a0-\u23ff",
    "ASCII": r"\x00-\x7f",
    "Alnum": "a-zA-Z0-9",
    "Graph": r"\x21-\x7e",
    "Print": r"\x20-\x7e",
}
"""The members of Unicode and POSIX classes, as far as texts in these calls need them."""
