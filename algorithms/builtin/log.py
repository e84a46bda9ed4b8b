"""Log lines as SageMaker's first-party containers print them; AWS's metric definitions are regular expressions over these."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

HOST = "algo-1"


class Log:
    """A first-party algorithm's log.

    Args:
        algorithm: The name in the ``#metrics`` lines' dimensions, for example ``Linear Learner``.
    """

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self._thread = threading.get_ident()
        self._began = time.time()

    def info(self, message: str) -> None:
        """``[11/24/2020 18:53:54 INFO 140513285547840] message``."""
        self._line("INFO", message)

    def warning(self, message: str) -> None:
        """A line of level WARNING."""
        self._line("WARNING", message)

    def error(self, message: str) -> None:
        """A line of level ERROR."""
        self._line("ERROR", message)

    def quality(
        self, metric: str, value: float, *, sign: str, epoch: int | None = None, batch: int | None = None
    ) -> None:
        """``#quality_metric: host=algo-1, epoch=0, train loss <loss>=9.2``.

        Args:
            metric: Data set and name, for example ``validation precision``.
            sign: ``loss`` (less is better) or ``score``.
        """
        where = "".join(
            f"{name}={number}, "
            for name, number in (("epoch", epoch), ("batch", batch))
            if number is not None
        )
        self.info(f"#quality_metric: host={HOST}, {where}{metric} <{sign}>={float(value)!r}")

    def progress(self, percent: float) -> None:
        """``#progress_metric: host=algo-1, completed 6.0 % of epochs``."""
        self.info(f"#progress_metric: host={HOST}, completed {percent:.6g} % of epochs")

    def throughput(self, records_per_second: float) -> None:
        """``#throughput_metric: host=algo-1, train throughput=22743.7 records/second``."""
        self.info(f"#throughput_metric: host={HOST}, train throughput={records_per_second!r} records/second")

    def metrics(
        self, values: Mapping[str, float | Iterable[float]], *, operation: str = "training", **dimensions: Any
    ) -> None:
        """``#metrics {...}``: each value as sum, count, min and max, under the algorithm's dimensions."""
        now = time.time()
        body = {}
        for name, value in values.items():
            numbers = [float(value)] if isinstance(value, int | float) else [float(item) for item in value]
            if numbers:
                body[name] = {
                    "sum": sum(numbers),
                    "count": len(numbers),
                    "min": min(numbers),
                    "max": max(numbers),
                }
        document = {
            "StartTime": self._began,
            "EndTime": now,
            "Dimensions": {"Algorithm": self.algorithm, "Host": HOST, "Operation": operation, **dimensions},
            "Metrics": body,
        }
        self.plain(f"#metrics {json.dumps(document)}")
        self._began = now

    def plain(self, text: str) -> None:
        """A line without time and level."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def prelude(
        self, defaults: Mapping[str, Any], given: Mapping[str, Any], final: Mapping[str, Any]
    ) -> None:
        """The lines every first-party container begins with: default, given and final configuration."""
        source = "/opt/amazon/lib/python3.8/site-packages/algorithm/resources/default-input.json"
        self.info(f"Reading default configuration from {source}: {dict(defaults)}")
        self.info(
            f"Merging with provided configuration from /opt/ml/input/config/hyperparameters.json: {dict(given)}"
        )
        self.info(f"Final configuration: {dict(final)}")
        self.plain("Process 7 is a worker.")
        self.info("Using default worker.")
        self.info("Create Store: local")
        self.info("Number of GPUs being used: 0")

    def _line(self, level: str, message: str) -> None:
        stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
        self.plain(f"[{stamp} {level} {self._thread}] {message}")
