"""The process of a replay that belongs to no terminal: ``python -m workflows.traffic.process <folder of its report>``."""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from workflows import detached
from workflows.explain import explain
from workflows.safety.origin import came_from
from workflows.traffic import reports


def main(folder: Path) -> int:
    """Carry out the replay of a folder; 0 unless it failed. SIGTERM ends it as a request to stop does."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    report = reports.read(folder)
    came_from(f"replay {report.id}")
    try:
        from workflows.platform import open_platform
        from workflows.traffic.replay import Replay

        platform = open_platform(detached.own_configuration(report.configuration), observing=True)
        report.region = platform.region
        payloads = report.source.load(platform, report.endpoint)
        replay = Replay(
            platform,
            report.endpoint,
            payloads,
            report.plan,
            stop=stop,
            target_variant=report.variant or None,
            confirmed=report.confirmed,
        )
        reports.carry_out(report, replay, stop)
    except Exception as error:
        traceback.print_exc()
        report.status, report.message = "failed", str(explain(error, report.target))
        report.ended = time.time()
        reports.save(report)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
