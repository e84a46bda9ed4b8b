"""Telling somebody elsewhere that something has happened: one POST to the webhook of the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workflows.problem import Problem

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

WAIT = 10.0
"""Seconds without a word of it: a chat that does not answer must not hold a thread."""
WAYS = ("bell", "title", "desktop")
"""How the terminal itself can tell: its bell, its title, its own notification (OSC 9)."""


def ways(text: str) -> frozenset[str]:
    """The ways that an option such as ``bell,title`` names; ``none`` for none."""
    return frozenset(word for word in text.split(",") if word in WAYS)


def unusable(webhook: str) -> str:
    """Why an address cannot be a webhook; empty if it can. Does not repeat the address, which is a secret."""
    try:
        parts = urlsplit(webhook)
        parts.port  # noqa: B018 (checked when it is read)
    except ValueError:
        return "its host or port cannot be read"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "it has to begin with https:// or http:// and a host"
    if parts.username is not None:
        return "it must not have a user and a password"
    if not webhook.isascii() or not webhook.isprintable() or " " in webhook:
        return "it has a character that has to be written as %XX"
    return ""


def post(webhook: str, text: str, details: Mapping[str, str]) -> None:
    """Send ``{"text": …, "content": …, …}``: Slack, Mattermost and Teams read ``text``, Discord ``content``, scripts the details.

    A redirection is not followed: a client would go on with a GET, and the notification would be lost.

    Raises:
        Problem: It was not taken. The sentence names the host only: the rest of such an address is a secret.
    """
    import http.client  # here: they bring email with them, 10 ms before the first picture
    import urllib.error
    import urllib.request

    remedy = "See `notify.webhook` in the configuration."
    if why := unusable(webhook):
        raise Problem(f"The webhook cannot be used: {why}.", remedy, "webhook")
    host = urlsplit(webhook).hostname
    body = json.dumps({"text": text, "content": text, **details}).encode()
    request = urllib.request.Request(webhook, body, {"Content-Type": "application/json"}, method="POST")
    try:
        # What it answers is not read: a host that lets its answer drip would hold the thread.
        _opener().open(request, timeout=WAIT).close()
    except urllib.error.HTTPError as error:
        error.close()
        raise Problem(f"{host} did not take the notification: {error.code} {error.reason}.", remedy, "webhook") from None  # fmt: skip
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        why = str(reason) if isinstance(reason, OSError | str) else type(error).__name__
        raise Problem(f"{host} cannot be reached for the notification: {why}.", remedy, "webhook") from None  # fmt: skip


def _opener() -> OpenerDirector:
    """Opens what it is told to, and nothing that this leads to."""
    import urllib.request

    class Here(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    return urllib.request.build_opener(Here)
