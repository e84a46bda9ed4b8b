"""The console's services on a real engine: what its screens do with tuning and transform jobs is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.live import LiveServices
from tests.stopping import stop_engine
from tests.workflows import trials
from workflows import interfaces, topics
from workflows.configuration import Configuration
from workflows.platform import open_platform
from workflows.problem import Problem
from workflows.topics import Snapshot, Topic

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "engine"
    monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(folder))
    yield folder
    stop_engine(folder)


class Watched:
    """The newest snapshot of a topic, waited for."""

    def __init__(self, services: LiveServices, topic: Topic[Any]) -> None:
        self.changed = threading.Event()
        self.last: Snapshot[Any] = Snapshot(topic=topic)
        self.end = services.watch(topic, self._deliver)

    def _deliver(self, snapshot: Snapshot[Any]) -> None:
        self.last = snapshot
        self.changed.set()

    def until(self, condition: Callable[[Any], object], seconds: float = 90) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.last.value is not None and condition(self.last.value):
                return self.last.value
            self.changed.wait(0.5)
            self.changed.clear()
        raise AssertionError(f"never happened: {self.last}")


def test_what_screens_ask_for_is_done(engine: Path, tmp_path: Path) -> None:
    services = LiveServices(Configuration())
    services.start(lambda status: None)
    try:
        platform = open_platform(Configuration())
        low = interfaces.make("low", platform)
        template = trials.request(platform, low, tmp_path, "fit").templates[0]
        low.tuning.run("fit", template, {**template.static, "rate": "0.5", "depth": "2"}, {})
        Watched(services, topics.job("fit")).until(lambda job: job.row.status == "Completed")

        draft = services.draft_tuning("fit")
        request = draft.request
        chosen = replace(request.templates[0], ranges=draft.ranges, static={**template.static, "pause": "0"})
        name = services.create_tuning(
            replace(request, name="live", templates=(chosen,), most_jobs=2, strategy="Random")
        )
        assert name == "live"
        view = Watched(services, topics.tuning(name))
        found = view.until(lambda view: not view.active and view.detail.row.counts.completed == 2)
        assert len(found.trials) == 2 and found.detail.best is not None
        Watched(services, topics.TUNING_JOBS).until(lambda rows: rows and rows[0].best_value is not None)

        assert services.start_defaults(name, 3) == ("live-default-01", "live-default-02", "live-default-03")
        view.until(lambda view: len(view.defaults) == 3 and all(run.value for run in view.defaults))

        child = services.draft_warm_start(name, "TransferLearning")
        assert child.parents == ("live",) and child.name.startswith("live-")
        services.create_tuning(replace(child, name="child", templates=tuple(
            replace(item, static={**item.static, "pause": "100"}) for item in child.templates
        )))  # fmt: skip
        services.stop_tuning("child")
        Watched(services, topics.tuning("child")).until(lambda view: view.detail.row.status == "Stopped")
        services.delete_tuning("child")

        endpoint = services.deploy_best(name, "served", "")
        Watched(services, topics.endpoint(endpoint)).until(lambda found: found.row.status == "InService")
        services.delete_endpoint(services.plan_deletion(endpoint))

        drafted = services.draft_transform("fit")
        with pytest.raises(Problem, match="No input is given"):
            services.create_transform(drafted)
        wanted = replace(drafted.request, name="rows", input=chosen.inputs[0].uri, accept="text/csv")
        assert services.create_transform(replace(drafted, request=wanted)) == "rows"
        job = Watched(services, topics.transform("rows")).until(lambda job: not job.row.active)
        assert job.row.status == "Completed", job.failure_reason
        assert [given for given, _ in services.transform_output("rows", 10).rows] == ["1", "2", "3"]
        Watched(services, topics.transform_progress("rows")).until(lambda found: found.records == 3)
        Watched(services, topics.transform_logs("rows")).until(lambda log: log.lines)
        Watched(services, topics.TRANSFORMS).until(lambda rows: [row.name for row in rows] == ["rows"])
        again = services.draft_transform("fit")
        assert again.training_job == "" and again.request.model == "fit"
        with pytest.raises(Problem):
            services.stop_transform("rows")
    finally:
        services.close()
