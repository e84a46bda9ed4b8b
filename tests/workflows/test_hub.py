"""The polling hub against scripted backends: lists, failures, lateness, threads."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.scripted import AwsError, EndpointConnectionError, Jobs, Scripted, SteppedClock, moment
from workflows import topics
from workflows.budget import Budget
from workflows.hub import PATIENCE, Hub
from workflows.problem import Problem
from workflows.remembered import MOST_JOBS, Remembered
from workflows.topics import HubStatus, Snapshot


class Bench:
    """A hub whose time and threads the test drives."""

    def __init__(
        self,
        gateway: Scripted,
        target: str = "embedded",
        remembered: Remembered | None = None,
        stamp: Callable[[], object] | None = None,
    ) -> None:
        self.clock = SteppedClock()
        self.gateway = gateway
        self.queue: list[Callable[[], object]] = []
        self.opened = 0
        self.opening: Callable[[], None] = lambda: None
        self.budget = Budget(1000, 1000, self.clock)
        self.hub = Hub(
            self.open,
            target=target,
            remembered=remembered,
            stamp=stamp,
            clock=self.clock,
            submit=self.queue.append,
            budget=self.budget,
            random_=lambda: 0.0,
            threads=False,
        )

    def open(self, may_start: bool) -> Scripted:
        self.opened += 1
        self.opening()
        return self.gateway

    def settle(self) -> float | None:
        """Run everything that is due now; seconds to the next poll."""
        while True:
            wait = self.hub.step()
            if not self.queue:
                return wait
            while self.queue:
                self.queue.pop(0)()

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.settle()


def jobs_bench(count: int, **options: Any) -> tuple[Bench, Jobs]:
    jobs = Jobs()
    for number in range(count):
        jobs.put(f"job-{number:04}", created=1_600_000_000 + number)
    return Bench(Scripted(list_training_jobs=jobs.list, describe_training_job=jobs.describe), **options), jobs


def test_a_long_list_comes_page_by_page_and_then_only_what_changed() -> None:
    bench, jobs = jobs_bench(250)
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    assert [(len(shot.value), shot.complete) for shot in seen] == [
        (100, False),
        (200, False),
        (250, False),
        (250, True),
    ]
    assert seen[-1].value[0].name == "job-0249"
    assert bench.gateway.count("list_training_jobs") == 3

    jobs.put("job-0007", created=1_600_000_007, modified=1_600_001_000, status="Stopped")
    bench.advance(10)
    assert bench.gateway.count("list_training_jobs") == 4
    assert "LastModifiedTimeAfter" in bench.gateway.calls[-1][1]
    assert next(row for row in seen[-1].value if row.name == "job-0007").status == "Stopped"
    assert len(seen[-1].value) == 250


def test_an_unchanged_list_is_the_same_object_so_that_nothing_is_painted() -> None:
    bench, _ = jobs_bench(3)
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    before = seen[-1].value
    bench.advance(10)
    assert bench.gateway.count("list_training_jobs") == 2
    assert seen[-1].value is before


def test_deleted_jobs_leave_the_list() -> None:
    bench, jobs = jobs_bench(150)
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    del jobs.jobs["job-0003"]
    for _ in range(5):
        bench.advance(10)
    assert "job-0003" not in {row.name for row in seen[-1].value}
    assert len(seen[-1].value) == 149


def test_a_repeated_token_does_not_go_in_circles() -> None:
    row = {"TrainingJobName": "a", "CreationTime": 1.0, "TrainingJobStatus": "Completed"}
    gateway = Scripted(list_training_jobs=lambda **_: {"TrainingJobSummaries": [row], "NextToken": "again"})
    bench = Bench(gateway)
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    assert gateway.count("list_training_jobs") == 2
    assert [item.name for item in seen[-1].value] == ["a"]


def test_only_running_jobs_are_described_and_only_once() -> None:
    bench, jobs = jobs_bench(5)
    jobs.put("live", created=1_600_000_100, status="InProgress")
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    for _ in range(3):
        bench.advance(5)
    assert [call for call in bench.gateway.calls if call[0] == "describe_training_job"] == [
        ("describe_training_job", {"TrainingJobName": "live"})
    ]
    assert seen[-1].value[0].instance_type == "ml.m5.large"


def test_what_nobody_looks_at_is_not_polled() -> None:
    bench, _ = jobs_bench(3)
    first = bench.hub.subscribe(topics.JOBS, lambda shot: None)
    second = bench.hub.subscribe(topics.JOBS, lambda shot: None)
    bench.settle()
    first.close()
    first.close()
    bench.advance(10)
    assert bench.gateway.count("list_training_jobs") == 2
    second.close()
    bench.advance(100)
    assert bench.gateway.count("list_training_jobs") == 2
    assert bench.hub.step() is None


def test_an_error_keeps_the_last_good_rows_and_backs_off() -> None:
    bench, jobs = jobs_bench(3)
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()

    def broken(**_: Any) -> Any:
        raise AwsError("InternalFailure", status=500)

    bench.gateway.answers["list_training_jobs"] = broken
    waits = []
    for _ in range(9):
        bench.advance(bench.hub.step() or 0)
        shot = seen[-1]
        assert shot.error is not None and "HTTP 500" in shot.error.sentence
        assert len(shot.value) == 3 and shot.stale
        assert shot.next_at is not None
        waits.append(shot.next_at - bench.clock.time())
    assert waits == [1, 2, 4, 8, 16, 32, 64, 120, 120]
    bench.gateway.answers["list_training_jobs"] = jobs.list
    bench.advance(120)
    assert seen[-1].error is None and not seen[-1].stale


def test_throttling_slows_the_account_down_and_is_counted() -> None:
    bench, jobs = jobs_bench(3)
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()

    def busy(**_: Any) -> Any:
        raise AwsError("ThrottlingException", "Rate exceeded")

    bench.gateway.answers["list_training_jobs"] = busy
    rate = bench.budget.rate
    bench.advance(10)
    assert bench.budget.rate == rate / 2
    status = bench.hub.status()
    assert status.throttles == 1 and status.backend == "ok"
    assert seen[-1].throttled_until is not None and seen[-1].throttled_until > bench.clock.time()
    bench.gateway.answers["list_training_jobs"] = jobs.list
    bench.advance(200)
    assert seen[-1].throttled_until is None
    assert rate / 2 < bench.budget.rate < rate


def test_garbage_is_an_error_and_not_a_crash() -> None:
    for answer in (
        "<html>",
        None,
        {"TrainingJobSummaries": [{"nonsense": 1}]},
        {"TrainingJobSummaries": [7]},
    ):
        bench = Bench(Scripted(list_training_jobs=lambda answer=answer, **_: answer))
        seen: list[Snapshot[Any]] = []
        bench.hub.subscribe(topics.JOBS, seen.append)
        bench.settle()
        assert seen[-1].error is not None, answer
        assert seen[-1].value is None


def test_a_lost_backend_is_opened_again_and_recovers() -> None:
    bench, jobs = jobs_bench(3)
    states: list[HubStatus] = []
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe_status(states.append)
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    assert (bench.opened, states[-1].backend) == (1, "ok")

    def gone(**_: Any) -> Any:
        raise EndpointConnectionError("Could not connect")

    bench.gateway.answers["list_training_jobs"] = gone
    bench.advance(5)
    assert states[-1].backend == "lost" and states[-1].problem is not None
    assert states[-1].retry_at is not None
    assert len(seen[-1].value) == 3
    bench.gateway.answers["list_training_jobs"] = jobs.list
    bench.advance(5)
    assert (bench.opened, states[-1].backend, states[-1].problem) == (2, "ok", None)


def test_a_lost_backend_is_found_again_while_only_runs_are_looked_at() -> None:
    bench, _ = jobs_bench(1)
    states: list[HubStatus] = []
    bench.hub.subscribe_status(states.append)
    listed = bench.hub.subscribe(topics.JOBS, lambda shot: None)
    bench.settle()

    def gone(**_: Any) -> Any:
        raise EndpointConnectionError("Could not connect")

    bench.gateway.answers |= {"list_training_jobs": gone, "get_caller_identity": gone}
    bench.advance(5)
    listed.close()
    assert states[-1].backend == "lost"
    bench.advance(5)
    assert bench.gateway.count("get_caller_identity") == 1
    assert states[-1].backend == "lost" and (states[-1].retry_at or 0) > bench.clock.time()
    bench.gateway.answers["get_caller_identity"] = lambda **_: {"Account": "123456789012"}
    bench.advance(bench.hub.step() or 0)
    assert (states[-1].backend, states[-1].problem, states[-1].retry_at) == ("ok", None, None)
    assert bench.hub.step() is None  # found: nobody looks at anything else, so nothing more is asked


def test_endpoints_are_listed_with_their_instances_described_once_per_change(tmp_path: Path) -> None:
    row = {
        "EndpointName": "a",
        "EndpointStatus": "InService",
        "CreationTime": moment(1),
        "LastModifiedTime": moment(2),
    }
    gateway = Scripted(
        list_endpoints=lambda **_: {"Endpoints": [dict(row)]},
        describe_endpoint=lambda EndpointName: {
            **row,
            "EndpointConfigName": "c",
            "ProductionVariants": [{"VariantName": "v", "CurrentInstanceCount": 2}],
        },
        describe_endpoint_config=lambda EndpointConfigName: {
            "EndpointConfigName": "c",
            "ProductionVariants": [{"VariantName": "v", "InstanceType": "ml.t2.medium", "ModelName": "m"}],
        },
    )
    bench = Bench(gateway, remembered=Remembered(tmp_path, "embedded", "here"))
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.ENDPOINTS, seen.append)
    bench.settle()
    assert seen[-1].value[0].instances == (("ml.t2.medium", 2),)
    bench.advance(5)
    assert gateway.count("describe_endpoint") == 1
    row["EndpointStatus"], row["LastModifiedTime"] = "Updating", moment(3)
    bench.advance(5)
    assert gateway.count("describe_endpoint") == 2
    bench.hub.close()
    rows, _ = Remembered(tmp_path, "embedded", "here").first(topics.ENDPOINTS)
    assert rows is not None and rows[0].instances == (("ml.t2.medium", 2),)


def test_a_platform_that_cannot_be_opened_is_told_and_tried_again_on_demand() -> None:
    bench, _ = jobs_bench(1)

    def refuse() -> None:
        raise Problem("There are no usable AWS credentials.", "Run `aws configure`.", "credentials")

    bench.opening = refuse
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    assert seen[-1].error is not None and seen[-1].error.code == "credentials"
    assert bench.hub.status().backend == "lost"
    bench.opening = lambda: None
    bench.settle()
    assert bench.opened == 1
    bench.hub.refresh()
    bench.settle()
    assert bench.opened == 2 and seen[-1].error is None


def test_a_late_answer_for_an_earlier_subscription_is_dropped() -> None:
    bench, _ = jobs_bench(1)
    first: list[Snapshot[Any]] = []
    second: list[Snapshot[Any]] = []
    subscription = bench.hub.subscribe(topics.job("job-0000"), first.append)
    bench.hub.step()
    (late,) = bench.queue
    bench.queue.clear()
    subscription.close()
    bench.hub.subscribe(topics.job("job-0000"), second.append)
    bench.hub.step()
    late()
    assert first == [] and second == []
    bench.settle()
    assert len(second) == 1 and second[0].generation > 0


def test_a_hung_call_is_told_after_a_while_and_other_topics_go_on() -> None:
    bench, _ = jobs_bench(2)
    seen: list[Snapshot[Any]] = []
    details: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    bench.clock.advance(5)
    bench.hub.step()
    assert len(bench.queue) == 1
    hung = bench.queue.pop()
    bench.hub.subscribe(topics.job("job-0001"), details.append)
    bench.settle()
    assert details[-1].value.name == "job-0001"
    bench.advance(PATIENCE)
    assert seen[-1].error is not None and seen[-1].error.code == "slow"
    assert len(seen[-1].value) == 2 and seen[-1].stale
    hung()
    assert seen[-1].error is None and not seen[-1].stale


def test_a_job_is_polled_until_it_has_ended() -> None:
    bench, jobs = jobs_bench(0)
    jobs.put("live", created=1_600_000_000, status="InProgress")
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.job("live"), seen.append)
    bench.settle()
    assert seen[-1].next_at is not None
    jobs.put("live", created=1_600_000_000, modified=1_600_000_050, status="Completed")
    bench.advance(2)
    assert seen[-1].value.row.status == "Completed"
    assert seen[-1].next_at is None and bench.hub.step() is None
    bench.hub.refresh(topics.job("live"))
    bench.settle()
    assert bench.gateway.count("describe_training_job") == 3


def test_hidden_paused_and_fixed_intervals() -> None:
    bench, _ = jobs_bench(1)
    bench.hub.subscribe(topics.JOBS, lambda shot: None)
    assert bench.settle() == pytest.approx(2)
    bench.hub.hidden(True)
    bench.advance(2)
    assert bench.hub.step() == pytest.approx(15)
    bench.hub.hidden(False)
    bench.hub.step()
    bench.queue.pop()()
    bench.hub.set_interval(7)
    bench.advance(10)
    assert bench.hub.step() == pytest.approx(7)
    bench.hub.pause()
    assert bench.hub.status().paused
    before = bench.gateway.count("list_training_jobs")
    bench.advance(100)
    assert bench.gateway.count("list_training_jobs") == before
    bench.hub.refresh()
    bench.settle()
    assert bench.gateway.count("list_training_jobs") == before + 1
    bench.hub.resume()
    bench.advance(100)
    assert bench.gateway.count("list_training_jobs") == before + 2


def test_the_next_session_begins_with_the_last_known_rows_marked_stale(tmp_path: Path) -> None:
    bench, _ = jobs_bench(3, remembered=Remembered(tmp_path, "aws", "profile"))
    bench.hub.subscribe(topics.JOBS, lambda shot: None)
    bench.settle()
    bench.hub.close()
    file = next(tmp_path.iterdir())
    assert file.stat().st_mode & 0o777 == 0o600

    later, _ = jobs_bench(0, remembered=Remembered(tmp_path, "aws", "profile"))
    seen: list[Snapshot[Any]] = []
    later.hub.subscribe(topics.JOBS, seen.append)
    assert later.opened == 0
    assert [len(shot.value) for shot in seen] == [3] and seen[0].stale
    assert seen[0].age(later.clock.time()) == pytest.approx(0)
    later.settle()
    assert seen[-1].value == () and not seen[-1].stale

    other, _ = jobs_bench(0, remembered=Remembered(tmp_path, "aws", "another-profile"))
    assert other.hub.snapshot(topics.JOBS).value is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 1, "jobs": {"rows": [{}], "fetched_at": 1}}'])
def test_a_damaged_memory_counts_as_empty(tmp_path: Path, damage: str) -> None:
    remembered = Remembered(tmp_path, "aws")
    remembered.path.write_text(damage)
    assert remembered.load() == ({}, {})


def test_a_listener_that_fails_harms_nobody_else() -> None:
    bench, _ = jobs_bench(1)
    seen: list[Snapshot[Any]] = []

    def fails(shot: Snapshot[Any]) -> None:
        raise RuntimeError("a widget is gone")

    bench.hub.subscribe(topics.JOBS, fails)
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    bench.advance(5)
    assert len(seen) >= 2


def test_an_unknown_topic_is_refused() -> None:
    bench, _ = jobs_bench(0)
    with pytest.raises(Problem, match="nothing to observe"):
        bench.hub.subscribe(topics.Topic("weather"), lambda shot: None)


def test_actions_run_in_a_worker_and_report_their_result_or_problem() -> None:
    bench, _ = jobs_bench(1)
    results: list[Any] = []
    bench.hub.use(lambda gateway: gateway.region, lambda value, problem: results.append((value, problem)))
    assert results == []
    bench.settle()
    assert results == [("us-east-1", None)]

    def fail(gateway: Any) -> None:
        raise ValueError("wrong payload")

    bench.hub.use(fail, lambda value, problem: results.append((value, problem)))
    bench.settle()
    assert results[-1][0] is None and results[-1][1].sentence == "wrong payload."


def test_the_hubs_own_threads_deliver_and_closing_does_not_wait() -> None:
    entered, release = threading.Event(), threading.Event()
    jobs = Jobs()
    jobs.put("a", created=1)

    def hangs(**asked: Any) -> Any:
        entered.set()
        release.wait(60)
        return jobs.describe(**asked)

    gateway = Scripted(list_training_jobs=jobs.list, describe_training_job=hangs)
    others = set(threading.enumerate())
    hub = Hub(lambda may_start: gateway, budget=Budget(100, 100))
    got = threading.Event()
    names: set[str] = set()

    def listen(shot: Snapshot[Any]) -> None:
        names.add(threading.current_thread().name)
        got.set()

    hub.subscribe(topics.JOBS, listen)
    assert got.wait(10)
    assert threading.current_thread().name not in names
    late: list[Snapshot[Any]] = []
    hub.subscribe(topics.job("a"), late.append)
    assert entered.wait(10)
    began = time.monotonic()
    hub.close()
    assert time.monotonic() - began < 5
    release.set()
    assert late == []
    for thread in set(threading.enumerate()) - others:  # a console that looks elsewhere makes another hub
        thread.join(30)
        assert not thread.is_alive(), f"{thread.name} waits for ever"


def test_a_process_with_a_call_in_flight_ends_at_once() -> None:
    program = """
import threading, time
from workflows.hub import Hub
from workflows import topics
entered = threading.Event()
def opening(may_start):
    entered.set()
    time.sleep(600)
hub = Hub(opening)
hub.subscribe(topics.JOBS, print)
entered.wait(20)
hub.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_list_that_brings_nothing_new_is_asked_more_calmly_and_a_change_makes_it_quick_again() -> None:
    bench, _ = jobs_bench(1)
    bench.hub.subscribe(topics.JOBS, lambda shot: None)
    waits = [bench.settle()]
    for _ in range(10):
        bench.advance(waits[-1])
        waits.append(bench.hub.step())
    assert waits[:6] == pytest.approx([2, 3, 4.5, 6.75, 10.125, 15.1875]) and waits[-2:] == [60, 60]


def test_a_calm_list_is_asked_at_once_when_the_stamp_tells_of_something_new() -> None:
    stamps = ["first"]
    bench, jobs = jobs_bench(1, stamp=lambda: stamps[-1])
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.JOBS, seen.append)
    bench.settle()
    while bench.clock.monotonic() < 60:
        assert bench.settle() <= 1, "the stamp is looked at every second"
        bench.clock.advance(1)
    asked = bench.gateway.count("list_training_jobs")
    assert asked <= 3 and seen[-1].age(bench.clock.time()) == 0, "what would have been noticed is still true"
    jobs.put("new", created=1_600_000_500)
    stamps.append("second")
    for _ in range(2):
        bench.advance(1)
    assert [row.name for row in seen[-1].value] == ["new", "job-0000"]
    asked = bench.gateway.count("list_training_jobs")
    for number in range(40):
        stamps.append(str(number))
        bench.advance(0.5)
    assert 9 <= bench.gateway.count("list_training_jobs") - asked <= 10, (
        "a busy engine is asked every two seconds"
    )
    bench.hub.set_interval(30)
    bench.hub.refresh()
    bench.settle()
    asked = bench.gateway.count("list_training_jobs")
    stamps.append("last")
    for _ in range(20):
        bench.advance(1)
    assert bench.gateway.count("list_training_jobs") == asked, "a person's own interval holds"
    assert seen[-1].age(bench.clock.time()) == pytest.approx(20)


def test_the_jobs_that_were_looked_at_last_are_there_at_once_without_what_may_be_secret(
    tmp_path: Path,
) -> None:
    described = {
        "TrainingJobName": "a", "TrainingJobStatus": "Completed", "CreationTime": moment(1), "TrainingEndTime": moment(9),
        "HyperParameters": {"epochs": "3"}, "Environment": {"TOKEN": "s3cret"},
    }  # fmt: skip
    gateway = Scripted(
        describe_training_job=lambda TrainingJobName: {**described, "TrainingJobName": TrainingJobName}
    )
    bench = Bench(gateway, remembered=Remembered(tmp_path, "embedded", "here"))
    for number in range(MOST_JOBS + 1):
        bench.hub.subscribe(topics.job(f"job-{number}"), lambda shot: None)
    bench.settle()
    bench.hub.close()
    later = Remembered(tmp_path, "embedded", "here")
    detail, at = later.first(topics.job(f"job-{MOST_JOBS}"))
    assert detail.row.ended == 9.0 and detail.hyperparameters == {"epochs": "3"} and at is not None
    assert later.first(topics.job("job-0")) == (None, None), "the one looked at longest ago makes room"
    assert "s3cret" not in later.path.read_text()
    shot = Bench(gateway, remembered=later).hub.snapshot(topics.job("job-5"))
    assert shot.stale and shot.value.row.status == "Completed"
