"""How long an endpoint may live: a tag on the endpoint itself, so that it holds on AWS and for everybody who looks.

Nothing at SageMaker enforces it. `mlconsole sweep` offers what has expired, and a watcher that somebody runs may delete it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import pages
from workflows.problem import Problem

EXPIRES = "mlconsole:expires-at"
KEEP = "mlconsole:keep"
OWN = "mlconsole:"
"""What the keys of all tags begin with that mlconsole sets."""
COMMAND = "mlconsole:command"
"""The tag of what a command has made."""
SHORTEST, LONGEST = 60.0, 366 * 86_400.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What an endpoint's tags say: when it expires (epoch seconds), whether it is to be kept, or what is wrong with them."""

    expires: float | None = None
    keep: bool = False
    problem: str = ""

    def expired(self, now: float) -> bool:
        """Whether its time is over; never for what is to be kept."""
        return self.expires is not None and not self.keep and now >= self.expires


UNLIMITED = Lifetime()
"""Of what nobody has limited."""


def of_tags(tags: Mapping[str, str]) -> Lifetime:
    """What a resource's tags say."""
    keep = tags.get(KEEP, "").strip().lower() not in ("", "false", "no", "off", "0")
    text = tags.get(EXPIRES, "").strip()
    if not text:
        return Lifetime(keep=keep)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return Lifetime(keep=keep, problem=f"its tag {EXPIRES} holds no time: {text!r}")
    return Lifetime(expires=(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), keep=keep)


def expiry_tag(seconds: float, now: float) -> dict[str, str]:
    """The tag of something that may live so many seconds from ``now`` on.

    Raises:
        Problem: That is too short or too long to be meant.
    """
    if not SHORTEST <= seconds <= LONGEST:
        raise Problem(
            f"A lifetime of {seconds:g} s cannot be meant.",
            "Give one between a minute and a year: 90m, 8h, 7d.",
            "ttl",
        )
    return {EXPIRES: datetime.fromtimestamp(now + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def tags_of(gateway: Gateway, arn: str) -> dict[str, str]:
    """A SageMaker resource's tags.

    Raises:
        Problem: They cannot be had.
    """
    return {
        str(tag["Key"]): str(tag["Value"])
        for page in pages(gateway, "sagemaker", "list_tags", ResourceArn=arn)
        for tag in page.get("Tags") or ()
    }


def limit(gateway: Gateway, arn: str, seconds: float, now: float) -> Lifetime:
    """Let an endpoint expire so many seconds from now; it is not kept any more.

    Raises:
        Problem: The time cannot be meant, or the tag is refused.
    """
    tag = expiry_tag(seconds, now)
    _set(gateway, arn, tag)
    _drop(gateway, arn, [KEEP])
    return of_tags(tag)


def free(gateway: Gateway, arn: str) -> Lifetime:
    """Let it live until somebody deletes it; it is neither expiring nor kept."""
    _drop(gateway, arn, [EXPIRES, KEEP])
    return Lifetime()


def keep(gateway: Gateway, arn: str) -> Lifetime:
    """Protect it from every sweep."""
    _set(gateway, arn, {KEEP: "true"})
    _drop(gateway, arn, [EXPIRES])
    return Lifetime(keep=True)


def owner(tags: Mapping[str, str]) -> str:
    """Who made it, by mlconsole's own tags: ``run moons-…``, ``tuning job …``; empty for what mlconsole did not make."""
    for key, what in (
        ("mlconsole:run", "run"), ("mlconsole:tuning-job", "tuning job"), ("mlconsole:training-job", "training job"),
        ("mlconsole:rollout", "rollout"), ("mlconsole:default-of", "default of"), ("mlconsole:tuned-from", "tuned from"),
        (COMMAND, "command"),
    ):  # fmt: skip
        if tags.get(key):
            return f"{what} {tags[key]}"
    made = [key for key in tags if key.startswith(OWN) and key not in (EXPIRES, KEEP)]
    return made[0] if made else ""


def _set(gateway: Gateway, arn: str, tags: Mapping[str, str]) -> None:
    listed: list[dict[str, Any]] = [{"Key": key, "Value": value} for key, value in tags.items()]
    answered(gateway, "sagemaker", "add_tags", ResourceArn=arn, Tags=listed)


def _drop(gateway: Gateway, arn: str, keys: Iterable[str]) -> None:
    answered(gateway, "sagemaker", "delete_tags", ResourceArn=arn, TagKeys=list(keys))
