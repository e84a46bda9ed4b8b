"""The words of the columns of each list, as saved views have them: known without a console, for `mlconsole doctor`.

The columns themselves are in the screens; a test holds both alike.
"""

from __future__ import annotations

from collections.abc import Mapping

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("name", "status", "kind", "type", "created", "duration", "result", "ended", "modified", "step"),
    "endpoints": ("name", "status", "created", "up", "instances", "cost", "month", "modified"),
    "tunings": ("name", "status", "strategy", "best", "trials", "created", "took", "cost", "objective", "modified"),
    "trials": ("name", "value", "status", "duration", "note", "created", "cost"),
    "experiments": ("name", "endpoint", "verdict", "difference", "requests", "started", "rewarded", "variants"),
    "costs": ("name", "state", "instances", "hour", "month", "so-far", "up", "expires", "kind", "owner", "since"),
    "leftovers": ("name", "kind", "age", "size", "month", "why", "owner"),
    "audit": ("when", "operation", "resource", "result", "by", "target", "user", "account", "region"),
    "targets": ("target", "region", "account", "state", "training", "tuning", "transform", "endpoints", "cost", "age", "profile", "listed"),
}  # fmt: skip
"""By the place under which the views of a list are kept."""

UNSORTED: Mapping[str, tuple[str, ...]] = {
    "jobs": ("result",),
    "tunings": ("cost",),
    "experiments": ("difference",),
}
"""Those that a list is not sorted by: what stands in them comes later than the rows."""

OPEN = ("trials",)
"""Lists that have further columns, of names that nobody can know: those of the hyperparameters that are searched."""
