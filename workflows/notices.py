"""Telling somebody elsewhere that something has happened: one POST to the webhook of the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from workflows.problem import Problem

WAIT = 10.0
"""Seconds for the whole request: a chat that does not answer must not hold a thread."""
WAYS = ("bell", "title", "desktop")
"""How the terminal itself can tell: its bell, its title, its own notification (OSC 9)."""


def ways(text: str) -> frozenset[str]:
    """The ways that an option such as ``bell,title`` names; ``none`` for none."""
    return frozenset(word for word in text.split(",") if word in WAYS)


def post(webhook: str, text: str, details: Mapping[str, str]) -> None:
    """Send ``{"text": …, "content": …, …}``: Slack, Mattermost and Teams read ``text``, Discord ``content``, scripts the details.

    Raises:
        Problem: It was not taken. The sentence names the host only: the rest of such an address is a secret.
    """
    import urllib.error  # here: it brings http and email with it, 10 ms before the first picture
    import urllib.request

    host = urlsplit(webhook).hostname or "the webhook"
    body = json.dumps({"text": text, "content": text, **details}).encode()
    request = urllib.request.Request(webhook, body, {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            answer.read(1 << 16)
    except urllib.error.HTTPError as error:
        raise Problem(f"{host} did not take the notification: {error.code} {error.reason}.", "See `notify.webhook` in the configuration.", "webhook") from None  # fmt: skip
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Problem(f"{host} cannot be reached for the notification: {reason}.", "See `notify.webhook` in the configuration.", "webhook") from None  # fmt: skip
