"""The replay generator: its histogram, its schedule, where payloads come from, and what it measures."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflows.scripted import AwsError, Scripted
from workflows.configuration import Configuration
from workflows.problem import Problem
from workflows.traffic import Answer, Histogram, Payload, Plan, Replay, Step, Summary, bill, reports, sources
from workflows.traffic.histogram import bounds, bucket_of
from workflows.traffic.plan import Schedule, parse_step
from workflows.traffic.sources import Reading

ONE = [Payload(b"1,2", "text/csv")]
milliseconds = st.floats(0, 3_600_000, allow_nan=False)
rates = st.floats(0.5, 500)


# --- histogram


@given(st.integers(0, 2**50))
def test_a_bucket_holds_its_value_and_is_narrow(value: int) -> None:
    low, high = bounds(bucket_of(value))
    assert low <= value <= high
    assert high - low <= value / 128
    assert bucket_of(high + 1) == bucket_of(high) + 1


@given(st.lists(milliseconds, min_size=1, max_size=200), st.sampled_from([1, 50, 90, 99, 99.9, 100]))
def test_percentiles_are_those_of_the_values(values: list[float], percent: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    exact = sorted(values)[max(1, math.ceil(round(percent / 100 * len(values), 9))) - 1]
    found = histogram.percentile(percent)
    assert found is not None
    assert exact - 0.001 <= found <= exact * (1 + 1 / 128) + 0.001
    assert min(values) <= found <= max(values)
    assert sum(count for *_, count in histogram.buckets()) == len(values)


@given(st.lists(milliseconds), st.lists(milliseconds))
def test_histograms_add_up_and_survive_json(left: list[float], right: list[float]) -> None:
    parts, whole = [Histogram(), Histogram()], Histogram()
    for histogram, values in zip(parts, (left, right), strict=True):
        for value in values:
            histogram.record(value)
            whole.record(value)
    parts[0].add(parts[1])
    assert parts[0].percentile(99) == whole.percentile(99)
    assert (parts[0].count, parts[0].highest) == (whole.count, whole.highest)
    assert Histogram.from_dict(json.loads(json.dumps(whole.as_dict()))) == whole


# --- schedule

steady = st.builds(lambda rate, seconds: Step(rate, seconds=seconds), rates, st.floats(0.1, 20))
ramps = st.builds(
    lambda begin, end, seconds: Step(begin, to=end, seconds=seconds), rates, rates, st.floats(0.1, 20)
)
counted = st.builds(lambda rate, most: Step(rate, requests=most), rates, st.integers(1, 300))


@settings(deadline=None)
@given(st.lists(st.one_of(steady, ramps, counted), min_size=1, max_size=4))
def test_everything_that_is_planned_is_dealt_out_in_order(steps: list[Step]) -> None:
    plan = Plan(tuple(steps))
    schedule = Schedule(plan)
    dues = []
    while (due := schedule.take(0.0)) is not None:
        dues.append(due)
    assert dues == sorted(dues)
    assert len(dues) == plan.expected == schedule.dealt
    assert plan.length is not None
    assert all(due <= plan.length + 1e-6 for due in dues)
    for moment in (plan.length / 3, plan.length / 2):
        assert abs((plan.due_before(moment) or 0) - sum(due < moment for due in dues)) <= 1


@settings(deadline=None)
@given(st.lists(st.one_of(steady, ramps), min_size=1, max_size=3), st.integers(0, 50), st.floats(0.1, 70))
def test_what_was_not_taken_in_time_is_overdue(steps: list[Step], taken: int, elapsed: float) -> None:
    plan = Plan(tuple(steps))
    schedule = Schedule(plan)
    for _ in range(taken):
        schedule.take(0.0)
    dropped = schedule.overdue(elapsed)
    expected = (plan.due_before(elapsed) or 0) - min(taken, plan.expected or 0)
    assert sum(count for _, count in dropped) in range(max(0, expected), max(0, expected) + len(steps) + 1)
    assert all(due <= elapsed + 1e-6 for due, _ in dropped)
    assert schedule.take(0.0) is None


def test_a_ramp_begins_slowly_and_ends_at_its_rate() -> None:
    ramp = Step(0, to=100, seconds=10)
    dues = [ramp.due(number) for number in range(ramp.expected or 0)]
    assert len(dues) == 500
    assert dues[4] - dues[3] > 0.1
    assert dues[-1] - dues[-2] == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("50@60s", Step(50, seconds=60)),
        ("10..50@30s", Step(10, to=50, seconds=30)),
        ("max@1000", Step(requests=1000)),
        ("max@2m", Step(seconds=120)),
        ("2.5", Step(2.5)),
    ],
)
def test_steps_are_read(text: str, step: Step) -> None:
    assert parse_step(text) == step


@pytest.mark.parametrize(
    "text", ["", "fast", "50@", "50@10.5", "10..50@30", "0@10s", "-1@10s", "1e9@1s", "1.2.3"]
)
def test_what_is_no_step_is_told(text: str) -> None:
    with pytest.raises(Problem) as told:
        parse_step(text)
    assert told.value.remedy


def test_a_plan_is_told_and_kept() -> None:
    plan = Plan((Step(0, to=50, seconds=10), Step(50, seconds=60, requests=100), Step()), concurrency=4)
    assert str(plan) == (
        "0 to 50/s for 10 s, then 50/s for 60 s or 100 requests, then as fast as answers come until it is stopped; "
        "4 at a time"
    )
    assert Plan.from_dict(json.loads(json.dumps(plan.as_dict()))) == plan
    with pytest.raises(Problem, match="without an end"):
        Plan((Step(5), Step(5, seconds=1)))


# --- replay


class Answers:
    """A runtime client that answers by function, and counts what is under way."""

    def __init__(self, answer: Callable[[int, dict[str, Any]], Any]) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        self.most = self._under_way = 0
        self._lock = threading.Lock()

    def invoke_endpoint(self, **asked: Any) -> Any:
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked) - 1
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        try:
            return self.answer(number, asked)
        finally:
            with self._lock:
                self._under_way -= 1


class Body:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self) -> bytes:
        return self.data


def fine(number: int, asked: dict[str, Any]) -> Any:
    return {"Body": Body(b"ok"), "InvokedProductionVariant": asked.get("TargetVariant") or "AB"[number % 2]}


def account(target: str = "embedded", **answers: Callable[..., Any]) -> Any:
    made = Scripted(**{"describe_endpoint": lambda **_: {}} | answers)
    made.target = target
    return made


def run(client: Answers, plan: Plan, payloads: Any = ONE, **more: Any) -> tuple[Summary, list[Answer]]:
    seen: list[Answer] = []
    summary = Replay(
        account(), "moons", payloads, plan, client=client, **{"on_answer": seen.append} | more
    ).run()
    return summary, seen


def test_every_request_is_sent_once_with_an_id_of_its_own() -> None:
    client = Answers(fine)
    summary, seen = run(client, Plan((Step(requests=200),), concurrency=4), [Payload(b"a", "x/y"), *ONE])
    assert summary.ended
    assert (summary.sent, summary.answers, summary.failed, summary.unsent) == (200, 200, 0, 0)
    assert summary.asked is None
    assert len({item["InferenceId"] for item in client.asked}) == len(seen) == 200
    assert {item["ContentType"] for item in client.asked} == {"x/y", "text/csv"}
    assert [(item.variant, item.answers) for item in summary.variants] == [("A", 100), ("B", 100)]
    assert summary.latency == summary.service
    assert client.most <= 4
    assert sum(moment.answers for moment in summary.moments) == 200


def test_errors_are_counted_as_they_came_and_not_tried_again() -> None:
    class ReadTimeoutError(OSError):
        pass

    def answer(number: int, asked: dict[str, Any]) -> Any:
        if number % 4 == 0:
            error = AwsError("ModelError", "broken", 424)
            error.response["OriginalMessage"] = "no such feature"
            raise error
        if number % 4 == 1:
            raise ReadTimeoutError("no answer")
        return fine(number, asked)

    client = Answers(answer)
    summary, seen = run(client, Plan((Step(requests=40),), concurrency=2))
    assert len(client.asked) == 40
    assert summary.errors == {"ModelError": 10, "timeout": 10}
    assert summary.statuses == {200: 20, 424: 10, 0: 10}
    assert {answer.body for answer in seen if answer.status == 424} == {b"no such feature"}


def test_waiting_for_a_free_connection_counts() -> None:
    """One connection, 50 ms an answer, 100 requests a second: the endpoint's time stays 50 ms, a caller's grows."""

    def slow(number: int, asked: dict[str, Any]) -> Any:
        time.sleep(0.05)
        return fine(number, asked)

    summary, _ = run(Answers(slow), Plan((Step(100, seconds=1),), concurrency=1))
    assert summary.asked == 100
    assert summary.sent + summary.unsent == 100
    assert summary.unsent > 50
    assert summary.held_back
    assert summary.latency.count == 100
    assert (summary.latency.p90 or 0) > 3 * (summary.service.p50 or 1)
    assert (summary.latency.max or 0) >= 700


def test_a_plan_that_counts_requests_sends_all_however_long_it_takes() -> None:
    def slow(number: int, asked: dict[str, Any]) -> Any:
        time.sleep(0.01)
        return fine(number, asked)

    summary, _ = run(Answers(slow), Plan((Step(1000, requests=60),), concurrency=2))
    assert (summary.asked, summary.sent, summary.unsent) == (60, 60, 0)
    assert summary.rate < 250


def test_it_stops_when_it_is_told_to() -> None:
    stop = threading.Event()
    seen: list[Answer] = []

    def count(answer: Answer) -> None:
        seen.append(answer)
        if len(seen) == 5:
            stop.set()

    summary, _ = run(Answers(fine), Plan((Step(200),), concurrency=2), on_answer=count, stop=stop)
    assert summary.stopped
    assert 5 <= summary.answers <= 7
    assert summary.unsent <= 2


def test_an_iterator_is_gone_through_once_and_a_listener_may_end_it() -> None:
    summary, _ = run(Answers(fine), Plan((Step(500),), concurrency=2), iter(ONE * 30))
    assert (summary.sent, summary.unsent, summary.asked) == (30, 0, None)

    def refuse(answer: Answer) -> None:
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        run(Answers(fine), Plan(), on_answer=refuse)
    with pytest.raises(Problem, match="nothing to send"):
        run(Answers(fine), Plan(), [])


def test_variants_are_asked_by_payload() -> None:
    client = Answers(fine)
    payloads = [Payload(b"1", "text/csv", key="ann"), Payload(b"2", "text/csv", key="bob")]
    run(
        client,
        Plan((Step(requests=10),), 1),
        payloads,
        target_variant=lambda item: "A" if item.key == "ann" else None,
    )
    assert [item.get("TargetVariant") for item in client.asked] == ["A", None] * 5


def test_an_endpoint_that_is_not_there_is_told() -> None:
    def absent(**_: Any) -> Any:
        raise AwsError("ValidationException", 'Could not find endpoint "arn".')

    with pytest.raises(Problem, match="There is no endpoint moons"):
        Replay(account(describe_endpoint=absent), "moons", ONE, Plan(), client=Answers(fine)).run()


def test_a_summary_survives_json() -> None:
    summary, _ = run(Answers(fine), Plan((Step(requests=20),)))
    assert Summary.from_dict(json.loads(json.dumps(summary.as_dict()))) == summary


# --- what it costs on AWS

SERVERLESS = {"VariantName": "A", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}  # fmt: skip
INSTANCES = {"VariantName": "A", "ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 2}


def on_aws(variant: dict[str, Any]) -> Any:
    return account(
        "aws",
        describe_endpoint=lambda **_: {"EndpointName": "moons", "EndpointConfigName": "c"},
        describe_endpoint_config=lambda **_: {"EndpointConfigName": "c", "ProductionVariants": [variant]},
    )


def test_nothing_is_sent_to_aws_before_somebody_agreed() -> None:
    plan, client = Plan((Step(10, seconds=2, requests=5),)), Answers(fine)
    aws = on_aws(INSTANCES)
    for given_ in ("", "yes", bill.of(aws, "moons", Plan((Step(1, seconds=1),))).confirmation):
        with pytest.raises(Problem) as told:
            Replay(aws, "moons", ONE, plan, client=client, confirmed=given_)
        assert told.value.code == "unconfirmed"
    assert client.asked == []
    agreed = bill.of(aws, "moons", plan).confirmation
    assert Replay(aws, "moons", ONE, plan, client=client, confirmed=agreed).run().answers == 5


def test_the_bill_names_instances_or_requests() -> None:
    hour = bill.of(on_aws(INSTANCES), "moons", Plan((Step(1, seconds=3600),)))
    assert hour.requests == 3600
    assert hour.dollars == pytest.approx(0.46)
    assert "2 × ml.m5.xlarge" in hour.sentences[1]
    per_request = bill.of(on_aws(SERVERLESS), "moons", Plan((Step(requests=1000),)), payload_bytes=1e6)
    assert per_request.dollars == pytest.approx(1000 * 0.2 * 0.00004 + 0.016)
    with pytest.raises(Problem, match="is not known"):
        bill.of(on_aws(INSTANCES), "moons", Plan((Step(50),)))


# --- sources


def test_a_label_is_kept_apart_and_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('age,name,user,y\n31,"Lee, Ann",u1,yes\n40,Bob,u2,no\n')
    found = sources.read(str(file), Reading(label="y", key="user"))
    assert found == [
        Payload(b'31,"Lee, Ann"', "text/csv", "yes", "u1"),
        Payload(b"40,Bob", "text/csv", "no", "u2"),
    ]
    plain = tmp_path / "plain.csv"
    plain.write_text("1,2,0\n3,4,1\n")
    assert [(p.body, p.label) for p in sources.read(str(plain), Reading(label="-1"))] == [
        (b"1,2", "0"),
        (b"3,4", "1"),
    ]
    with pytest.raises(Problem, match="no column 'z'"):
        sources.read(str(file), Reading(label="z"))


def test_lines_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"x": 1, "label": 3}\n\n{"x": 2, "label": "no"}\n')
    (tmp_path / "b.txt").write_text("one\ntwo\n")
    (tmp_path / "c.npy").write_bytes(b"\x93NUMPY")
    labelled = sources.read(str(tmp_path / "a.jsonl"), Reading(label="label"))
    assert [(p.body, p.label, p.content_type) for p in labelled] == [
        (b'{"x": 1}', "3", "application/json"),
        (b'{"x": 2}', "no", "application/json"),
    ]
    assert [p.body for p in sources.read(str(tmp_path / "b.txt"))] == [b"one", b"two"]
    folder = sources.read(str(tmp_path))
    assert [(p.key, p.content_type) for p in folder] == [
        ("a.jsonl", "application/json"),
        ("b.txt", "text/plain"),
        ("c.npy", "application/x-npy"),
    ]
    shuffled = [sources.read(str(tmp_path / "b.txt"), Reading(seed=seed, most=1)) for seed in range(8)]
    assert {p[0].body for p in shuffled} == {b"one", b"two"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("none.csv", None, "no file"),
        ("empty.csv", "", "nothing to send"),
        ("ragged.csv", "1,2\n3\n", "Row 2"),
        ("bad.jsonl", '{"a": 1}\n{"a"\n', "Line 2"),
    ],
)
def test_files_that_cannot_be_sent_are_told(tmp_path: Path, name: str, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(Problem, match=words):
        sources.read(str(tmp_path / name))


# --- reports


def begun(endpoint: str = "moons") -> reports.Report:
    plan = Plan((Step(5, seconds=2),))
    return reports.begin(endpoint, plan, sources.Source(text="1,2"), Configuration())


def test_a_report_is_kept_up_to_date_and_found_again() -> None:
    report, stop = begun(), threading.Event()
    replay = Replay(account(), "moons", ONE, Plan((Step(requests=20),)), client=Answers(fine), stop=stop)
    reports.carry_out(report, replay, stop)
    for name in (report.id, report.id[:-2], report.id[-4:], "last"):
        found = reports.find(name)
        assert (found.id, found.status, found.plan, found.source) == (report.id, "completed", report.plan, report.source)  # fmt: skip
    assert found.summary is not None and found.summary.answers == 20
    assert found.histograms["latency"].count == 20
    with pytest.raises(Problem, match="no traffic report"):
        reports.find("nowhere")
    with pytest.raises(Problem, match="does not run"):
        reports.stop(found)
    reports.delete(found)
    assert reports.list_reports() == []


def test_a_request_to_stop_and_a_failure_are_in_the_report() -> None:
    report, stop = begun(), threading.Event()
    (report.folder / "stop").touch()
    replay = Replay(account(), "moons", ONE, Plan((Step(50),)), client=Answers(fine), stop=stop)
    reports.carry_out(report, replay, stop)
    assert reports.read(report.folder).status == "stopped"
    failing, stop = begun(), threading.Event()
    with pytest.raises(Problem, match="nothing to send"):
        reports.carry_out(
            failing, Replay(account(), "moons", [], Plan(), client=Answers(fine), stop=stop), stop
        )
    told = reports.read(failing.folder)
    assert told.status == "failed" and "nothing to send" in told.message


def test_a_replay_whose_process_is_gone_reads_as_interrupted() -> None:
    report = begun()
    report.status, report.pid, report.pid_started = "running", 2**22, "never"
    reports.save(report)
    assert reports.find("last").status == "interrupted"
    reports.delete(reports.find("last"))


def test_reports_that_have_not_changed_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        report = begun()
        report.status = "completed"
        reports.save(report)
    known: dict[Path, tuple[float, reports.Report]] = {}
    first = reports.list_reports(known)
    monkeypatch.setattr(reports, "read", lambda folder: pytest.fail(f"{folder} was read"))
    assert reports.list_reports(known) == first and len(first) == 3
