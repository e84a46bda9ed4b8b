"""CloudWatch metrics: data points per metric and dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class MetricStore:
    """Metric data points, buffered in memory and flushed to files in blocks."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def clear(self) -> None: ...
    def close(self) -> None: ...
    def put(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], value: float, timestamp: float, unit: str = "None"
    ) -> None: ...
