"""Observing against answers that no service gives on demand: empty pages, many pages, partial documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.workflows.scripted import AwsError, Scripted, moment
from workflows.observe import curves, endpoints, jobs, metrics
from workflows.observe.logs import RELIST, LogReader
from workflows.observe.rows import JobDetail, JobRow, LogLine, LogTail, Meter
from workflows.problem import Problem


class Stream:
    """One log stream with forward tokens; ``pages`` may hold empty ones."""

    def __init__(self, pages: list[list[str]]) -> None:
        self.pages = pages

    def streams(self, **asked: Any) -> dict[str, Any]:
        names = ["job/algo-1-1", "job/algo-2-1", "other/algo-1-1"]
        return {
            "logStreams": [
                {"logStreamName": name} for name in names if name.startswith(asked["logStreamNamePrefix"])
            ]
        }

    def events(self, **asked: Any) -> dict[str, Any]:
        number = int(asked.get("nextToken", "f/0").removeprefix("f/"))
        lines = (
            self.pages[number]
            if number < len(self.pages) and asked["logStreamName"] == "job/algo-1-1"
            else []
        )
        following = min(number + 1, len(self.pages)) if asked["logStreamName"] == "job/algo-1-1" else 0
        return {
            "events": [{"timestamp": 1000 * (number + 1), "message": f"{line}\n"} for line in lines],
            "nextForwardToken": f"f/{following}",
        }


def test_an_empty_page_is_not_the_end_of_a_log() -> None:
    stream = Stream([["a"], [], [], ["b", "c"], []])
    reader = LogReader.of_job("job")
    gateway = Scripted(describe_log_streams=stream.streams, get_log_events=stream.events)
    page = reader.read(gateway)
    assert [line.text for line in page.lines] == ["a", "b", "c"] and page.complete
    assert reader.streams == ("job/algo-1-1", "job/algo-2-1")
    assert page.lines[0].stream == "algo-1-1"
    assert reader.read(gateway).lines == ()
    stream.pages.append(["d"])
    assert [line.text for line in reader.read(gateway).lines] == ["d"]


def test_a_long_log_is_read_in_parts() -> None:
    stream = Stream([[str(number)] for number in range(10)])
    reader = LogReader.of_job("job")
    gateway = Scripted(describe_log_streams=stream.streams, get_log_events=stream.events)
    first = reader.read(gateway, most_pages=4)
    assert [line.text for line in first.lines] == list("0123") and not first.complete
    assert [line.text for line in reader.read(gateway).lines] == list("456789")


def test_a_jobs_metrics_are_read_from_all_of_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    from console.cli.series import print_series

    stream = Stream([["loss=1.5"], ["nothing"], ["loss=0.5", "loss=nan"]])
    gateway = Scripted(describe_log_streams=stream.streams, get_log_events=stream.events)
    job = jobs.detail(
        {
            "TrainingJobName": "job",
            "TrainingJobStatus": "Completed",
            "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "loss", "Regex": r"loss=(\S+)"}]},
        }
    )
    (series,) = curves.of_job(gateway, job)
    assert [value for _, value in series.points][:2] == [1.5, 0.5] and len(series.points) == 3
    print_series([series], points=False, as_json=False, empty="")
    assert capsys.readouterr().out.splitlines()[1].split() == ["loss", "NaN", "0.5", "1.5", "3", "█▁"]


def test_a_log_that_is_not_there_yet_is_empty() -> None:
    def missing(**_: Any) -> Any:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")

    page = LogReader.of_job("job").read(Scripted(describe_log_streams=missing))
    assert page.lines == () and page.complete


def test_a_reader_that_missed_snapshots_still_gets_every_line_once() -> None:
    lines = tuple(LogLine(0.0, "s", str(number)) for number in range(10))
    tail = LogTail(lines[4:], first=4)
    assert tail.end == 10
    assert [line.text for line in tail.since(7)] == ["7", "8", "9"]
    assert [line.text for line in tail.since(2)] == ["4", "5", "6", "7", "8", "9"]
    assert tail.since(10) == ()


@pytest.mark.parametrize(
    ("period", "span", "fitted"),
    [(1, 300, 1), (1, 3000, 5), (10, 900, 10), (60, 3600, 60), (60, 864000, 660), (1, 90, 1)],
)
def test_a_period_is_one_that_cloudwatch_allows_and_keeps_the_points_few(
    period: int, span: float, fitted: int
) -> None:
    assert metrics.fitting(period, span) == fitted
    assert span / fitted <= metrics.MOST_POINTS
    assert fitted in (1, 5, 10, 30) or fitted % 60 == 0


def test_training_metrics_are_asked_for_by_definition_in_one_call() -> None:
    asked: list[dict[str, Any]] = []

    def data(**parameters: Any) -> dict[str, Any]:
        asked.append(parameters)
        results = [
            {"Id": query["Id"], "Timestamps": [moment(120), moment(60)], "Values": [0.2, 0.4]}
            for query in parameters["MetricDataQueries"][:1]
        ]
        return {"MetricDataResults": results}

    job = JobDetail(
        row=JobRow(name="j", status="InProgress", created=60, modified=60),
        metric_definitions={"train:loss": "x", "train:accuracy": "y"},
    )
    series = metrics.job_series(Scripted(get_metric_data=data), job, period=60, now=300)
    assert len(asked) == 1
    assert [item.name for item in series] == ["train:loss"]
    assert series[0].points == ((60.0, 0.4), (120.0, 0.2)) and series[0].last == 0.2
    metric = asked[0]["MetricDataQueries"][0]["MetricStat"]["Metric"]
    assert metric["Namespace"] == "/aws/sagemaker/TrainingJobs"
    assert metric["Dimensions"] == [{"Name": "TrainingJobName", "Value": "j"}]


def test_an_endpoints_traffic_is_told_per_variant_with_percentiles_of_the_whole_window() -> None:
    def data(**parameters: Any) -> dict[str, Any]:
        results = []
        for query in parameters["MetricDataQueries"]:
            stat = query["MetricStat"]
            variant = stat["Metric"]["Dimensions"][1]["Value"]
            if variant == "idle":
                results.append({"Id": query["Id"], "Timestamps": [], "Values": []})
            elif stat["Period"] > 60:
                at = {"live": 420, "early": 0}[variant]  # the other one's period begins before the window
                results.append({"Id": query["Id"], "Timestamps": [moment(at)], "Values": [25_000.0]})
            elif variant == "early":
                results.append({"Id": query["Id"], "Timestamps": [], "Values": []})
            else:
                value = {"Sum": 3.0, "Average": 9_000.0}.get(stat["Stat"], 8_000.0)
                results.append(
                    {"Id": query["Id"], "Timestamps": [moment(60), moment(120)], "Values": [value, value]}
                )
        return {"MetricDataResults": results}

    gateway = Scripted(get_metric_data=data)
    traffic = metrics.endpoint_traffic(
        gateway, "e", [Meter("live"), Meter("idle"), Meter("early")], window=600, period=60, now=1000
    )
    live, idle, early = traffic.variants
    assert (early.invocations, early.latency_p50, early.latency_mean) == (0, None, None)
    assert (live.invocations, live.errors_4xx, live.errors_5xx) == (6, 6, 6)
    assert (live.latency_p50, live.latency_p99, live.latency_mean) == (25, 25, 25)
    assert live.per_minute == pytest.approx(6 / (traffic.window / 60))
    assert (idle.invocations, idle.latency_p50) == (0, None)
    p50 = next(item for item in traffic.series if (item.name, item.variant) == ("p50", "live"))
    assert p50.points == ((60.0, 8.0), (120.0, 8.0)) and p50.unit == "ms"


@pytest.mark.parametrize("now", [1000, 1010, 1019.5, 1020, 1075])
@pytest.mark.parametrize("period", [1, 10, 60, 300])
def test_the_percentiles_of_the_window_are_those_of_one_period_at_any_second(now: float, period: int) -> None:
    """A service rounds the start down to the minute, and stamps a period as long as the window there."""

    def data(**parameters: Any) -> dict[str, Any]:
        begin = int(parameters["StartTime"].timestamp()) // 60 * 60
        return {
            "MetricDataResults": [
                {"Id": query["Id"], "Timestamps": [moment(begin)], "Values": [25_000.0]}
                for query in parameters["MetricDataQueries"]
            ]
        }

    traffic = metrics.endpoint_traffic(
        Scripted(get_metric_data=data), "e", [Meter("live")], window=900, period=period, now=now
    )
    (live,) = traffic.variants
    assert (live.latency_p50, live.latency_p90, live.latency_p99) == (25, 25, 25)
    assert traffic.window == 900


def test_a_sparse_description_is_enough() -> None:
    found = jobs.detail(
        {"TrainingJobName": "j", "TrainingJobStatus": "InProgress", "CreationTime": moment(5)}
    )
    assert (found.name, found.row.created, found.row.active, found.channels) == ("j", 5, True, ())
    assert found.row.seconds(15) == 10


def endpoint_gateway() -> Scripted:
    configs = {"old": ["shared", "own"], "other": ["shared"]}
    return Scripted(
        list_endpoints=lambda **_: {
            "Endpoints": [{"EndpointName": name, "EndpointStatus": "InService"} for name in ("a", "b")]
        },
        describe_endpoint=lambda EndpointName: {
            "EndpointName": EndpointName,
            "EndpointConfigName": {"a": "old", "b": "other"}[EndpointName],
            "EndpointStatus": "InService",
            "ProductionVariants": [
                {"VariantName": "v-own", "CurrentWeight": 3.0},
                {"VariantName": "v-shared", "CurrentWeight": 1.0},
            ],
        },
        describe_endpoint_config=lambda EndpointConfigName: {
            "EndpointConfigName": EndpointConfigName,
            "ProductionVariants": [
                {"VariantName": f"v-{model}", "ModelName": model, "InstanceType": "ml.m5.large"}
                for model in configs[EndpointConfigName]
            ],
        },
        delete_endpoint=lambda **_: {},
        delete_endpoint_config=lambda **_: {},
        delete_model=lambda **_: {},
    )


def test_deleting_keeps_what_another_endpoint_uses() -> None:
    gateway = endpoint_gateway()
    plan = endpoints.plan_deletion(gateway, "a")
    assert (plan.config, plan.models) == ("old", ("own",))
    assert plan.sentences == (
        "Delete endpoint a.",
        "Delete endpoint configuration old.",
        "Delete model own.",
        "Keep model shared: endpoint b uses it.",
    )
    assert not any(name.startswith("delete") for name, _ in gateway.calls)
    assert endpoints.delete(gateway, plan) == (
        "Deleted endpoint a.", "Deleted endpoint configuration old.", "Deleted model own.",
    )  # fmt: skip


def test_what_is_gone_already_does_not_stop_a_deletion() -> None:
    gateway = endpoint_gateway()

    def missing(**_: Any) -> Any:
        raise AwsError("ValidationException", 'Could not find endpoint "a".', operation="DeleteEndpoint")

    plan = endpoints.plan_deletion(gateway, "a")
    gateway.answers["delete_endpoint"] = missing
    assert endpoints.delete(gateway, plan) == ("Deleted endpoint configuration old.", "Deleted model own.")


def test_why_an_endpoint_that_is_there_does_not_answer() -> None:
    """SageMaker says "not found" of endpoints that are not in service and of variants, too."""
    gateway, status = endpoint_gateway(), "Failed"

    def missing(**_: Any) -> Any:
        raise AwsError("ValidationError", "Endpoint a of account 123456789012 not found.")

    described = gateway.answers["describe_endpoint"]
    gateway.answers["invoke_endpoint"] = missing
    gateway.answers["describe_endpoint"] = lambda **asked: described(**asked) | {"EndpointStatus": status}
    with pytest.raises(Problem, match="Endpoint a is Failed: it takes requests once it is InService"):
        endpoints.invoke(gateway, "a", b"1")
    with pytest.raises(Problem, match=r"no variant x. It has v-own, v-shared"):
        endpoints.invoke(gateway, "a", b"1", target_variant="x")
    gateway.answers["describe_endpoint"] = missing
    with pytest.raises(Problem, match="There is no endpoint a"):
        endpoints.invoke(gateway, "a", b"1")


def test_shares_follow_the_weights() -> None:
    found = endpoints.describe(endpoint_gateway(), "a")
    assert {variant.name: variant.share for variant in found.variants} == {"v-shared": 0.25, "v-own": 0.75}


def test_a_name_that_does_not_exist_is_told_with_a_next_step() -> None:
    def missing(**_: Any) -> Any:
        raise AwsError("ValidationException", "Requested resource not found.")

    gateway = Scripted(describe_training_job=missing, describe_endpoint=missing)
    with pytest.raises(Problem) as job:
        jobs.describe(gateway, "nope")
    assert job.value.sentence == "There is no training job nope." and "jobs ls" in job.value.remedy
    with pytest.raises(Problem) as endpoint:
        endpoints.describe(gateway, "nope")
    assert endpoint.value.sentence == "There is no endpoint nope."


class Streams:
    """Several log streams; the names in ``failing`` are refused once."""

    def __init__(self, **lines: list[str]) -> None:
        self.lines = lines
        self.failing: set[str] = set()

    def streams(self, **_: Any) -> dict[str, Any]:
        return {"logStreams": [{"logStreamName": name} for name in self.lines]}

    def events(self, **asked: Any) -> dict[str, Any]:
        name = asked["logStreamName"]
        if name in self.failing:
            self.failing.discard(name)
            raise AwsError("ThrottlingException", "Rate exceeded")
        lines = self.lines[name]
        begin = 0 if asked.get("startFromHead", True) else max(0, len(lines) - asked["limit"])
        begin = int(asked["nextToken"]) if asked.get("nextToken") else begin
        return {
            "events": [{"timestamp": 1000, "message": line} for line in lines[begin:]],
            "nextForwardToken": str(len(lines)),
        }

    @property
    def gateway(self) -> Scripted:
        return Scripted(describe_log_streams=self.streams, get_log_events=self.events)


def test_what_was_read_before_a_refusal_comes_with_the_next_read() -> None:
    streams = Streams(a=["1", "2"], b=["3"])
    streams.failing = {"b"}
    reader, gateway = LogReader.of_endpoint("e"), streams.gateway
    with pytest.raises(Problem):
        reader.read(gateway)
    assert [line.text for line in reader.read(gateway).lines] == ["1", "2", "3"]
    assert reader.read(gateway).lines == ()


def test_a_stream_that_begins_while_one_follows_is_read_from_its_first_line() -> None:
    streams = Streams(a=["1", "2", "3"])
    reader, gateway = LogReader.of_endpoint("e", tail=2), streams.gateway
    assert [line.text for line in reader.read(gateway).lines] == ["2", "3"]
    streams.lines["b"] = ["4", "5", "6", "7"]
    found = [line.text for _ in range(RELIST) for line in reader.read(gateway).lines]
    assert found == ["4", "5", "6", "7"]


def test_a_list_that_is_not_read_to_its_end_is_not_given_as_if_it_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workflows.observe.reading.PAGE_LIMIT", 3)

    def endless(**asked: Any) -> dict[str, Any]:
        number = int(asked.get("NextToken", "0"))
        return {"TrainingJobSummaries": [], "NextToken": str(number + 1)}

    with pytest.raises(Problem, match="more than 3 pages: the rest was not read"):
        list(jobs.list_pages(Scripted(list_training_jobs=endless)))


def test_all_values_of_a_log_are_given_out_and_a_chart_keeps_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(curves, "MOST_POINTS", 100)
    streams = Streams(**{"job/algo-1-1": [f"loss={number}" for number in range(500)]})
    job = jobs.detail(
        {
            "TrainingJobName": "job",
            "TrainingJobStatus": "Completed",
            "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "loss", "Regex": r"loss=(\S+)"}]},
        }
    )
    (series,) = curves.of_job(streams.gateway, job)
    assert [value for _, value in series.points] == list(range(500))


def test_a_change_behind_a_full_page_of_known_rows_is_found() -> None:
    from workflows.budget import PACES
    from workflows.pollers.lists import ListPoller

    rows = [
        JobRow(name=f"j{number}", status="Stopped", created=1000.0 - number, modified=2000.0)
        for number in range(150)
    ]
    rows += [
        JobRow(name=f"old{number}", status="Completed", created=10.0, modified=11.0) for number in range(100)
    ]

    def list_pages(_: Any, modified_after: float | None = None, **__: Any) -> Any:
        found = [row for row in rows if modified_after is None or row.modified >= modified_after]
        for first in range(0, len(found), 100):
            yield tuple(found[first : first + 100])

    rows[140] = replace(rows[140], status="Stopping")
    poller: ListPoller[JobRow] = ListPoller(list_pages, (), PACES["aws"])
    poller.poll(Scripted(), lambda _: None, 0.0)
    rows[140] = replace(rows[140], status="Stopped")
    found = {row.name: row.status for row in poller.poll(Scripted(), lambda _: None, 1.0)}
    assert found["j140"] == "Stopped"
