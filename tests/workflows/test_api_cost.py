"""What the polling hub costs an AWS account, counted over hours of simulated time behind real boto3 clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.workflows.account import MODIFIED, Account
from tests.workflows.scripted import SteppedClock
from workflows import topics
from workflows.budget import PACES, Budget
from workflows.hub import Hub
from workflows.pollers.lists import MOST_PAGES
from workflows.topics import Snapshot, Topic

HOUR = 3600.0
PACE = PACES["aws"]
ENDPOINT = "endpoint-003"
LISTS = [topics.JOBS, topics.ENDPOINTS, topics.TUNING_JOBS, topics.TRANSFORMS]
OPEN: list[Topic[Any]] = [
    *LISTS,  # Home and Jobs
    topics.job("job-000010"),  # the preview beside the jobs
    topics.endpoint(ENDPOINT),
    topics.endpoint_metrics(ENDPOINT),
    topics.endpoint_logs(ENDPOINT),
    topics.endpoint_alarms(ENDPOINT),
]
"""What Home, Jobs and an endpoint's overview observe on a wide terminal, all of them at once."""


class Watch:
    """A hub at an account, in simulated time."""

    def __init__(self, jobs: int, running: int = 0, open_topics: list[Topic[Any]] | None = None) -> None:
        self.clock = SteppedClock()
        self.account = Account(self.clock, jobs=jobs, endpoints=50, running=running)
        self.queue: list[Callable[[], object]] = []
        self.newest: dict[Topic[Any], Snapshot[Any]] = {}
        self.hub = Hub(
            lambda may_start: self.account,
            target="aws",
            clock=self.clock,
            submit=self.queue.append,
            budget=Budget(PACE.rate, PACE.burst, self.clock),
            random_=lambda: 0.5,
            threads=False,
        )
        for topic in open_topics or OPEN:
            self.hub.subscribe(topic, self._seen)

    def _seen(self, snapshot: Snapshot[Any]) -> None:
        self.newest[snapshot.topic] = snapshot

    def run(self, seconds: float) -> float:
        """Let time pass; returns when it began."""
        began = self.clock.now
        while self.clock.now < began + seconds:
            wait = self.hub.step()
            while self.queue:
                self.queue.pop(0)()
            self.clock.advance(max(0.01, min(wait or 1.0, 30.0)))
        return began

    def pages(self) -> Counter[tuple[str, ...]]:
        """How often each page of the list of jobs was read; questions for what has changed are not pages of it."""
        return Counter(
            call.page
            for call in self.account.calls
            if call.operation == "ListTrainingJobs" and MODIFIED not in call.parameters
        )


@pytest.fixture(scope="module")
def rest() -> Watch:
    """An hour on an account of 5,000 jobs and 50 endpoints in which nothing happens."""
    watch = Watch(5_000)
    watch.run(HOUR)
    return watch


def test_an_hour_at_rest_takes_a_quarter_of_a_call_a_second(rest: Watch) -> None:
    calls = rest.account.calls
    assert len(calls) / HOUR <= 0.25, rest.account.count()
    settled = calls[0].at + HOUR / 2
    assert sum(rest.account.count(settled).values()) / (HOUR / 2) <= 0.21, rest.account.count(settled)


def test_no_page_of_the_list_of_jobs_is_read_twice_when_nothing_changed(rest: Watch) -> None:
    assert len(rest.pages()) == 50
    assert set(rest.pages().values()) == {1}
    assert len(rest.newest[topics.JOBS].value) == 5_000
    assert not rest.newest[topics.JOBS].more


def test_an_endpoint_is_described_for_one_of_its_panes_and_shown_in_all(rest: Watch) -> None:
    described = [call for call in rest.account.calls if call.operation == "DescribeEndpoint"]
    others = [call for call in described if call.parameters["EndpointName"] != ENDPOINT]
    assert len(others) == 49, "the list describes each once"
    assert len(described) - len(others) <= HOUR / PACE.idle + 2


def test_what_is_seen_is_whole(rest: Watch) -> None:
    assert all(shot.error is None and shot.complete for shot in rest.newest.values())
    assert set(rest.newest) == set(OPEN)
    assert all(row.instances == (("ml.m5.large", 1),) for row in rest.newest[topics.ENDPOINTS].value)


def test_the_calls_are_never_above_the_budget(rest: Watch) -> None:
    assert rest.account.highest_debt(PACE.rate, PACE.burst) < 0.01


def test_a_change_is_seen_within_two_polls_and_costs_one_page(rest: Watch) -> None:
    watch = Watch(5_000, open_topics=[topics.JOBS])
    watch.run(HOUR / 2)
    before = watch.account.count()["ListTrainingJobs"]
    watch.account.start("zz-new")
    watch.run(2.2 * PACE.idle)
    assert watch.newest[topics.JOBS].value[0].name == "zz-new"
    assert watch.account.count()["ListTrainingJobs"] - before <= 6
    assert set(watch.pages().values()) == {1}


def test_a_person_who_asks_gets_a_list_that_is_short_anew_and_what_changed_of_a_long_one() -> None:
    for jobs, again in ((900, 2), (5_000, 1)):
        watch = Watch(jobs, open_topics=[topics.JOBS])
        watch.run(300)
        watch.hub.refresh()
        watch.run(60)
        assert set(watch.pages().values()) == {again}, jobs


def test_a_job_that_is_being_deleted_leaves_a_long_list() -> None:
    watch = Watch(5_000, open_topics=[topics.JOBS])
    watch.run(300)
    gone = watch.account.jobs[4_990]
    watch.account.end(4_990)
    gone["TrainingJobStatus"] = "Deleting"
    watch.run(40)
    del watch.account.jobs[4_990]
    watch.account.deleted.add(gone["TrainingJobName"])
    watch.run(40)
    assert gone["TrainingJobName"] not in {row.name for row in watch.newest[topics.JOBS].value}


@pytest.mark.slow
def test_an_account_of_200000_jobs_of_which_500_run_is_bounded() -> None:
    watch = Watch(200_000, running=500)
    began = watch.run(HOUR)
    jobs = watch.newest[topics.JOBS]
    assert jobs.more and jobs.complete and jobs.error is None
    rows = MOST_PAGES * 100
    assert rows <= len(jobs.value) <= rows + 500
    assert sum(1 for row in jobs.value if row.active) == 500
    assert jobs.value[-1].name == "job-000000", "it runs, and is older than all that are listed"
    assert watch.account.highest_debt(PACE.rate, PACE.burst) < 0.01
    assert len(watch.account.calls) <= PACE.burst + PACE.rate * HOUR
    assert max(watch.pages().values()) == 1

    for minute in range(30):  # jobs come and go all the time
        for number in range(5):
            watch.account.start(f"new-{minute:03}-{number}")
            watch.account.end(199_600 + minute * 5 + number)
        watch.run(60)
    jobs = watch.newest[topics.JOBS]
    assert len(jobs.value) <= rows + 500, "the oldest that have ended leave"
    assert sum(1 for row in jobs.value if row.active) == 500
    assert watch.account.highest_debt(PACE.rate, PACE.burst) < 0.01
    described = Counter(
        call.parameters["TrainingJobName"]
        for call in watch.account.calls
        if call.operation == "DescribeTrainingJob"
    )
    assert max(described.values()) <= 2, "instances never change"
    assert watch.clock.now - began < 2.1 * HOUR


def test_a_page_that_is_not_the_last_is_shown_at_once() -> None:
    watch = Watch(5_000, open_topics=[topics.JOBS])
    sizes: list[int] = []
    watch.hub.subscribe(topics.JOBS, lambda shot: sizes.append(len(shot.value)))
    watch.run(120)
    assert sizes[:3] == [100, 200, 300]


def test_what_bills_is_known_of_a_long_list_without_going_through_it() -> None:
    watch = Watch(5_000, running=3, open_topics=[topics.COSTS])
    watch.run(300)
    assert {row.bill.name for row in watch.newest[topics.COSTS].value.rows} >= {
        job["TrainingJobName"] for job in watch.account.jobs if job["TrainingJobStatus"] == "InProgress"
    }
    calls = watch.account.count()
    assert 0 < calls["ListTrainingJobs"] <= calls["ListEndpoints"]
