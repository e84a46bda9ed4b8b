"""Request and response parameters: ``method.request.header.X`` to ``integration.request.…``, and back.

Source: "Parameter mapping reference for API Gateway" in the developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.gateways import templates
from engine.gateways.call import Answer, Call, all_of, last
from engine.gateways.templates import Values, select, shown


def values(call: Call, body: str) -> Values:
    """What a template of this call sees."""

    def params(name: str) -> str | None:
        query = last(call.query)
        return call.variables.get(name) or query.get(name) or call.header(name)

    return Values(body, params, call.context, call.stage_variables)


def request_value(call: Call, expression: str, body: str) -> str | list[str] | None:
    """The value of an integration request parameter's expression; None when there is none."""
    common = _common(call, expression)
    if common is not None:
        return common
    if expression.startswith("method.request.body"):
        return _in_body(body, expression.removeprefix("method.request.body"))
    _, _, rest = expression.partition("method.request.")
    place, _, name = rest.partition(".")
    if place == "path":
        return call.variables.get(name)
    if place == "querystring":
        return last(call.query).get(name)
    if place == "multivaluequerystring":
        return all_of(call.query).get(name)
    if place == "header":
        return call.header(name)
    if place == "multivalueheader":
        return [value for key, value in call.headers if key.lower() == name.lower()] or None
    return None


def response_value(call: Call, expression: str, answer: Answer) -> str | None:
    """The value of a method response header's expression; None when there is none."""
    common = _common(call, expression)
    if common is not None:
        return common
    if expression.startswith("integration.response.body"):
        text = answer.body.decode("utf-8", "replace")
        return _in_body(text, expression.removeprefix("integration.response.body"))
    _, _, rest = expression.partition("integration.response.")
    place, _, name = rest.partition(".")
    if place in ("header", "multivalueheader"):
        found = [value for key, value in answer.headers if key.lower() == name.lower()]
        return ",".join(found) if found else None
    return None


def known(expression: str, side: str) -> bool:
    """Whether an expression is one that can be evaluated; ``side`` is ``method.request`` or ``integration.response``."""
    if len(expression) > 1 and expression[0] == expression[-1] == "'":
        return True
    return expression.startswith((f"{side}.", "context.", "stageVariables."))


def in_uri(uri: str, call: Call, variables: Mapping[str, str]) -> str:
    """A URI with the stage's variables and the path's."""
    for name, value in call.stage_variables.items():
        uri = uri.replace(f"${{stageVariables.{name}}}", value)
    for name, value in variables.items():
        uri = uri.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
    return uri


def _common(call: Call, expression: str) -> str | None:
    if len(expression) > 1 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    if expression.startswith("stageVariables."):
        return call.stage_variables.get(expression.removeprefix("stageVariables."))
    if expression.startswith("context."):
        found: Any = call.context
        for name in expression.split(".")[1:]:
            found = found.get(name) if isinstance(found, Mapping) else None
        return None if found is None else shown(found)
    return None


def _in_body(text: str, path: str) -> str | None:
    if not path:
        return text
    found = select(templates.document(text), f"${path}")
    return None if found is None else shown(found)
