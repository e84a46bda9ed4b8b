"""CloudWatch metrics of functions, in the namespace AWS/Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.functions.record import Target

NAMESPACE = "AWS/Lambda"


class Meters:
    """Counts invocations per function, per function and what it was asked by (``Resource``), and over all functions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def invoked(self, target: Target, *, failed: bool, milliseconds: float, running: int) -> None:
        """An invocation that a function has run."""
        self._put(target, "Invocations", 1.0, "Count")
        self._put(target, "Errors", float(failed), "Count")
        self._put(target, "Duration", milliseconds, "Milliseconds")
        self._put(target, "Throttles", 0.0, "Count")
        self._put(target, "ConcurrentExecutions", float(running), "Count")

    def throttled(self, target: Target) -> None:
        """A request that was turned away."""
        self._put(target, "Throttles", 1.0, "Count")

    def note(self, target: Target, metric: str, value: float, unit: str = "Count") -> None:
        """Any other metric."""
        self._put(target, metric, value, unit)

    def _put(self, target: Target, metric: str, value: float, unit: str) -> None:
        now = self._engine.clock.time()
        resource = f"{target.name}:{target.alias}" if target.alias else target.name
        for dimensions in (
            {},
            {"FunctionName": target.name},
            {"FunctionName": target.name, "Resource": resource},
        ):
            self._engine.metrics.put(NAMESPACE, metric, dimensions, value, now, unit)
