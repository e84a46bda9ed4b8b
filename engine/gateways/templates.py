"""Mapping templates: the references of API Gateway's velocity templates, without its directives.

``$input.body``, ``$input.json('$.a[0]')``, ``$input.path('$.a')``, ``$input.params('x')``, ``$context.…``, ``$stageVariables.…`` and
``$util.escapeJavaScript|urlEncode|urlDecode|base64Encode|base64Decode|parseJson(…)``; ``#set``, ``#if``, ``#foreach`` and other
directives are refused when a template is stored.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, unquote_plus

from engine.gateways.record import refused

_DIRECTIVE = re.compile(
    r"#(?:\{)?(set|if|elseif|else|end|foreach|macro|define|evaluate|parse|include|stop|break)\b"
)
_COMMENT = re.compile(r"##[^\n]*\n?|#\*.*?\*#", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)|\[\s*(?:'(?P<quoted>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<index>\d+))\s*\]"
)


class Values(NamedTuple):
    """What references see: the body as text, parameters (path, query string, header), context and stage variables."""

    body: str
    params: Callable[[str], str | None]
    context: Mapping[str, Any]
    stage_variables: Mapping[str, str]


def check(templates: Mapping[str, str] | None) -> None:
    """Refuse templates with directives.

    Raises:
        ServiceError: ``BadRequestException``, naming the directive.
    """
    for text in (templates or {}).values():
        found = _DIRECTIVE.search(_COMMENT.sub("", text or ""))
        if found:
            raise refused(
                f"Invalid mapping template: this engine evaluates references, but no directives such as #{found[1]}. "
                "Use a Lambda proxy integration for what needs them."
            )


def render(template: str, values: Values) -> str:
    """The template with its references replaced; one that leads nowhere stays as it is written, as in velocity."""
    text = _COMMENT.sub("", template)
    out: list[str] = []
    at = 0
    while (start := text.find("$", at)) >= 0:
        out.append(text[at:start])
        value, end = _reference(text, start, values)
        out.append(text[start:end] if value is _NOTHING else shown(value))
        at = end
    out.append(text[at:])
    return "".join(out)


def shown(value: Any) -> str:
    """A value as it appears in text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def select(value: Any, path: str) -> Any:
    """What a JSON path of names and indexes leads to; None when nothing is there."""
    at, rest = value, path.removeprefix("$")
    while rest:
        step = _STEP.match(rest)
        if step is None:
            return None
        key = step["name"] or step["quoted"] or step["double"]
        if step["index"] is not None:
            index = int(step["index"])
            at = at[index] if isinstance(at, list) and index < len(at) else None
        else:
            at = at.get(key) if isinstance(at, dict) else None
        rest = rest[step.end() :]
    return at


_NOTHING = object()


def _reference(text: str, start: int, values: Values) -> tuple[Any, int]:
    """The value of the reference at ``start`` and where it ends."""
    at = start + 1
    if text.startswith("!", at):
        at += 1
    braces = text.startswith("{", at)
    at += braces
    value, end = _expression(text, at, values)
    if end == at:
        return _NOTHING, start + 1
    if braces:
        if not text.startswith("}", end):
            return _NOTHING, end
        end += 1
    return value, end


def _expression(text: str, at: int, values: Values) -> tuple[Any, int]:
    root = _NAME.match(text, at)
    if root is None:
        return _NOTHING, at
    end = root.end()
    if root[0] in ("context", "stageVariables"):
        found: Any = values.context if root[0] == "context" else values.stage_variables
        while text.startswith(".", end) and (name := _NAME.match(text, end + 1)):
            found = found.get(name[0]) if isinstance(found, Mapping) else None
            end = name.end()
        return ("" if found is None else found), end
    called = _NAME.match(text, end + 1) if text.startswith(".", end) else None
    if called is None or root[0] not in ("input", "util"):
        return _NOTHING, end
    end = called.end()
    if root[0] == "input" and called[0] == "body":
        return values.body, end
    if not text.startswith("(", end):
        return _NOTHING, end
    argument, end = _argument(text, end + 1, values)
    return _call(root[0], called[0], argument, values), end


def _argument(text: str, at: int, values: Values) -> tuple[Any, int]:
    """A quoted text or a reference, up to behind the closing parenthesis."""
    while text[at : at + 1].isspace():
        at += 1
    quote = text[at : at + 1]
    if quote in ("'", '"'):
        close = text.find(quote, at + 1)
        if close < 0:
            return _NOTHING, len(text)
        value: Any = text[at + 1 : close]
        end = close + 1
    elif quote == "$":
        value, end = _reference(text, at, values)
    else:
        value, end = None, at
    while text[end : end + 1].isspace():
        end += 1
    return value, end + 1 if text.startswith(")", end) else end


def _call(root: str, name: str, argument: Any, values: Values) -> Any:
    if argument is _NOTHING:
        return _NOTHING
    if root == "input":
        if name == "params" and isinstance(argument, str):
            return values.params(argument) or ""
        if name in ("json", "path") and isinstance(argument, str):
            found = select(document(values.body), argument)
            return json.dumps(found, separators=(",", ":"), ensure_ascii=False) if name == "json" else found
        return _NOTHING
    function = _FUNCTIONS.get(name)
    return _NOTHING if function is None else function(shown(argument))


def document(body: str) -> Any:
    """A body as JSON; None when it is not."""
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return None


_FUNCTIONS: dict[str, Callable[[str], Any]] = {
    "escapeJavaScript": lambda text: json.dumps(text)[1:-1].replace("'", "\\'").replace("/", "\\/"),
    "urlEncode": quote_plus,
    "urlDecode": unquote_plus,
    "base64Encode": lambda text: b64encode(text.encode()).decode(),
    "base64Decode": lambda text: b64decode(text, validate=False).decode("utf-8", "replace"),
    "parseJson": document,
}
