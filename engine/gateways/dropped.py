"""Headers that do not pass API Gateway: they belong to one connection, or it gives them another name.

Source: "Amazon API Gateway important notes" in the developer guide.
"""

from __future__ import annotations

from engine.gateways.call import Pairs

HOP = frozenset(
    (
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_REMAPPED = frozenset(
    (
        "age",
        "authorization",
        "content-md5",
        "date",
        "expect",
        "host",
        "max-forwards",
        "server",
        "user-agent",
        "via",
        "www-authenticate",
        "x-amzn-requestid",
    )
)


def passed(headers: Pairs) -> Pairs:
    """An integration's headers as the client gets them."""
    kept: Pairs = []
    for name, value in headers:
        lower = name.lower()
        if lower in HOP or not _is_token(name):
            continue
        value = "".join(char if char >= " " and char != "\x7f" else " " for char in value)
        kept.append((f"x-amzn-Remapped-{name}" if lower in _REMAPPED else name, value))
    return kept


def _is_token(name: str) -> bool:
    return bool(name) and name.isascii() and all(char.isalnum() or char in "!#$%&'*+-.^_`|~" for char in name)
