"""Invocation metrics: counted in memory as requests pass, written to the metric store every few seconds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from engine.context import Engine

NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
FLUSH_SECONDS = 1.0

log = logging.getLogger(__name__)


class Invocation(NamedTuple):
    """One request: its HTTP status for the caller, whether the model failed, and microseconds in model and overhead.

    ``config`` names the endpoint configuration of the fleet that took it while there were two.
    """

    second: int
    config: str | None
    status: int
    model_error: bool
    model_us: float | None
    overhead_us: float
    instances: int


class Meters:
    """What was measured and not written yet."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._invocations: dict[tuple[str, str], list[Invocation]] = defaultdict(list)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin flushing in the background."""
        self._task = asyncio.create_task(self._run(), name="hosting-meters")

    async def stop(self) -> None:
        """Flush what is left and end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self.flush()

    def record(
        self,
        endpoint: str,
        variant: str,
        *,
        status: int,
        model_error: bool,
        model_us: float | None,
        overhead_us: float,
        instances: int,
        config: str | None = None,
    ) -> None:
        """Count one invocation."""
        second = int(self._engine.clock.time())
        self._invocations[endpoint, variant].append(
            Invocation(second, config, status, model_error, model_us, overhead_us, instances)
        )

    def setup(self, endpoint: str, variant: str, microseconds: float) -> None:
        """Count the start of a serverless variant's worker."""
        self.note(endpoint, variant, "ModelSetupTime", microseconds, "Microseconds")

    def note(self, endpoint: str, variant: str, metric: str, value: float, unit: str) -> None:
        """One value of now; without a variant it is the endpoint's own."""
        dimensions = {"EndpointName": endpoint, **({"VariantName": variant} if variant else {})}
        self._put(NAMESPACE, metric, dimensions, [value], self._engine.clock.time(), unit)

    def forget(self) -> None:
        """Drop what is not written (test mode's reset)."""
        self._invocations.clear()

    def flush(self) -> None:
        """Write everything counted so far."""
        pending, self._invocations = self._invocations, defaultdict(list)
        for (endpoint, variant), invocations in pending.items():
            dimensions = {"EndpointName": endpoint, "VariantName": variant}
            by_second: dict[tuple[int, str | None], list[Invocation]] = defaultdict(list)
            for item in invocations:
                by_second[item.second, None].append(item)
                if item.config is not None:
                    by_second[item.second, item.config].append(item)
            for (second, config), items in by_second.items():
                more = {} if config is None else {"EndpointConfigName": config}
                self._write({**dimensions, **more}, float(second), items)

    def utilisation(self, endpoint: str, variant: str, cpu_percent: float, memory_percent: float) -> None:
        """CPU (100 a core) and memory of one instance, now."""
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        now = self._engine.clock.time()
        self._put(INSTANCE_NAMESPACE, "CPUUtilization", dimensions, [cpu_percent], now, "Percent")
        self._put(INSTANCE_NAMESPACE, "MemoryUtilization", dimensions, [memory_percent], now, "Percent")

    def _write(self, dimensions: Mapping[str, str], second: float, items: list[Invocation]) -> None:
        flags = {
            "Invocations": [1.0] * len(items),
            "Invocation4XXErrors": [float(400 <= i.status < 500) for i in items],
            "Invocation5XXErrors": [float(i.status >= 500) for i in items],
            "InvocationModelErrors": [float(i.model_error) for i in items],
            "InvocationsPerInstance": [1.0 / max(1, i.instances) for i in items],
        }
        for name, values in flags.items():
            self._put(NAMESPACE, name, dimensions, values, second, "None")
        latencies = [i.model_us for i in items if i.model_us is not None]
        self._put(NAMESPACE, "ModelLatency", dimensions, latencies, second, "Microseconds")
        overheads = [i.overhead_us for i in items]
        self._put(NAMESPACE, "OverheadLatency", dimensions, overheads, second, "Microseconds")

    def _put(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        values: Iterable[float],
        timestamp: float,
        unit: str,
    ) -> None:
        counted = list(Counter(values).items())
        if counted:
            self._engine.metrics.put_values(namespace, metric, dimensions, counted, timestamp, unit)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                if self._invocations:
                    self.flush()
            except Exception:
                log.exception("Invocation metrics could not be written.")
