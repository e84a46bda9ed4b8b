"""What the header says about the backend and about the age of what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.formatting import span

if TYPE_CHECKING:
    from console.widgets.canvas import Run
    from workflows.topics import HubStatus, Snapshot

ENDING = frozenset({"job", "tuning", "transform"})
"""Topics that are not polled any more once what they observe has ended."""


def freshness(status: HubStatus, primary: Snapshot[Any] | None, now: float) -> Run:
    """One phrase for the state of the backend with the age of what is shown.

    Ages grow in steps of five seconds: a header that changes each second is 6 kB a minute of nothing.
    """
    age = primary.age(now) if primary else None
    final = primary is not None and primary.topic.kind in ENDING and primary.next_at is None
    if age is None or final:  # what has ended is not asked for any more
        since = ""
    elif age < 5:
        since = " · now"
    else:
        since = f" · {span(age // 5 * 5 if age < 60 else age)} ago"
    if status.paused:
        return (f"‖ paused{since}", "wait")
    if status.backend == "lost":
        wait = max(0.0, (status.retry_at or now) - now)
        retry = f" · retry in {span(wait)}" if wait >= 1 else " · retrying" if status.retry_at else ""
        return (f"✗ lost{retry}", "bad")
    if status.throttled_until and status.throttled_until > now:
        return (f"◌ throttled · {span(status.throttled_until - now)}", "wait")
    if status.backend in ("unknown", "connecting"):
        return (
            (f"◌ connecting · last known{since.replace(' ·', '')}") if since else "◌ connecting",
            "wait",
        )
    if primary is not None and primary.stale:
        return (f"◌ stale{since}", "wait")
    return (f"● live{since}", "ok")
