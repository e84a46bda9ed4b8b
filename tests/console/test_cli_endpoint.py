"""The command line at an endpoint that serves: replays, weights, instances, captures, alarms, scaling, on a real engine."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.cli.failures import guarded
from console.live import LiveServices
from tests.console import command
from tests.workflows.hosted import ECHO, in_service, start_endpoint
from workflows import topics, weights
from workflows.configuration import Configuration
from workflows.observe import endpoints
from workflows.platform import Platform, open_platform
from workflows.traffic import Plan, Step
from workflows.traffic.sources import Source

pytestmark = pytest.mark.timeout(300)
NAME = "served-ab"


@dataclass
class World:
    """A home with an engine and an endpoint of two variants that captures its requests."""

    home: Path
    platform: Platform

    @property
    def env(self) -> dict[str, str]:
        return {"MLCONSOLE_HOME": str(self.home)}

    def text(self, *arguments: str, status: int = 0) -> str:
        """What the command prints, in this process: starting one takes longer than most of what is asked."""
        said, complained = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLCONSOLE_HOME", str(self.home))
            patch.setattr("sys.stdin", io.StringIO())
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
                found = guarded(arguments)
        assert found == status, said.getvalue() + complained.getvalue()
        return said.getvalue() if status == 0 else said.getvalue() + complained.getvalue()

    def json(self, *arguments: str, status: int = 0) -> Any:
        return json.loads(self.text(*arguments, "--json", status=status))

    def until(self, condition: Callable[[], Any], seconds: float = 90) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.2)
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLCONSOLE_HOME", str(home))
        platform = open_platform(Configuration())
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{platform.bucket}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        }
        start_endpoint(
            platform,
            NAME,
            {"champion": ECHO, "challenger": ECHO},
            weights={"champion": 3.0, "challenger": 1.0},
            DataCaptureConfig=capture,
        )
        in_service(platform, NAME)
        made = World(home, platform)
        yield made
        command.run("engine", "stop", env=made.env)


def test_a_replay_is_measured_kept_and_shown(world: World, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("x,y,label\n" + "".join(f"{number},0.5,{number % 2}\n" for number in range(20)))
    report = world.json(
        "traffic", "run", NAME, "--file", str(rows), "--label", "label", "--requests", "100", "--rate", "200", "--ramp", "1s"
    )  # fmt: skip
    summary = report["summary"]
    assert report["status"] == "completed"
    assert (summary["answers"], summary["failed"], summary["unsent"]) == (200, 0, 0)
    assert summary["asked"] == 200
    variants = {item["variant"]: item["answers"] for item in summary["variants"]}
    assert variants["champion"] + variants["challenger"] == 200
    assert 110 <= variants["champion"] <= 185  # 150 of 200, within five standard deviations
    assert summary["service"]["p50"] <= summary["latency"]["max"]
    assert sum(report["histograms"]["latency"]["buckets"].values()) == 200

    assert world.json("traffic", "ls")[0]["id"] == report["id"]
    shown = world.text("traffic", "show", "last")
    assert "0 to 200/s for 1 s, then 200/s for 100 requests; 8 at a time" in shown
    assert "variant champion" in shown and "p99.9" in shown

    def served() -> bool:
        """Metrics follow the requests within some seconds."""
        told = world.json("endpoints", "metrics", NAME)["variants"]
        return sum(item["invocations"] for item in told) >= 200

    world.until(served)


def test_errors_of_the_model_are_counted_and_told_by_the_exit_status(world: World) -> None:
    report = world.json(
        "traffic", "run", NAME, "-d", "bad", "--requests", "10", "--variant", "challenger", status=1
    )
    assert report["summary"]["errors"] == {"ModelError": 10}
    assert [item["variant"] for item in report["summary"]["variants"]] == ["challenger"]
    refused = world.json("traffic", "run", "nowhere", "-d", "1", "--requests", "1", status=1)
    assert refused["error"] == "There is no endpoint nowhere."
    assert "--rate, --for" in world.text(
        "traffic", "run", NAME, "-d", "1", "--step", "5@1s", "--rate", "5", status=2
    )


def test_ctrl_c_ends_a_replay_with_its_summary(world: World) -> None:
    with command.Terminal(["traffic", "run", NAME, "-d", "1,2", "--rate", "50"], env=world.env) as terminal:
        terminal.expect("answers")
        terminal.send("\x03")
        assert terminal.wait() == 0
        assert "stopped" in terminal.text and "Latency in ms" in terminal.text


def test_a_detached_replay_goes_on_and_is_stopped_by_its_id(world: World) -> None:
    started = world.json("traffic", "run", NAME, "-d", "1,2", "--rate", "20", "--detach")
    world.until(lambda: (world.json("traffic", "show", started["id"])["summary"] or {}).get("answers"))
    assert "still runs" in world.text("traffic", "delete", started["id"], "--yes", status=1)
    world.text("traffic", "stop", started["id"])
    ended = world.until(
        lambda: (found := world.json("traffic", "show", started["id"]))["status"] == "stopped" and found
    )
    assert ended["summary"]["failed"] == 0
    world.text("traffic", "delete", started["id"], "--yes")
    assert "There is no traffic report" in world.text("traffic", "show", started["id"], status=1)


def test_captured_requests_are_browsed_and_replayed(world: World) -> None:
    world.text("traffic", "run", NAME, "-d", "7,8", "--requests", "5", "--variant", "champion")

    def captured() -> Any:
        found = world.json("endpoints", "captures", NAME, "--variant", "champion", "--limit", "3")
        return found if found and found[0]["request"]["body"] == "7,8" else None

    found = world.until(captured)
    assert {item["variant"] for item in found} == {"champion"}
    assert found[0]["answer"]["body"] == "7,8"
    assert found[0]["inference_id"]
    assert [item["time"] for item in found] == sorted((item["time"] for item in found), reverse=True)
    replayed = world.json("traffic", "run", NAME, "--captured", "--limit", "4", "--requests", "4")
    assert replayed["summary"]["answers"] == 4


def test_weights_and_instances_are_changed_after_a_look_at_what_that_means(world: World) -> None:
    changed = world.json("endpoints", "weights", NAME, "champion=1", "challenger=1", "--yes", "--wait")
    assert changed["status"] == "InService"
    assert {item["name"]: item["new_share"] for item in changed["variants"]} == {
        "champion": 0.5,
        "challenger": 0.5,
    }
    assert "is so already" in world.text("endpoints", "weights", NAME, "champion=1", "--yes")
    assert "say --yes" in world.text("endpoints", "weights", NAME, "champion=2", status=2)
    told = world.text("endpoints", "scale", NAME, "challenger=2", "--yes", "--wait", "--interface", "high")
    assert "challenger: instances 1 → 2." in told
    shown = {
        item["VariantName"]: item for item in world.json("endpoints", "show", NAME)["ProductionVariants"]
    }
    assert (shown["challenger"]["DesiredInstanceCount"], shown["champion"]["DesiredWeight"]) == (2, 1.0)
    assert "no variant 'x'" in world.text("endpoints", "weights", NAME, "x=1", "--yes", status=1)
    assert "no whole number" in world.text("endpoints", "scale", NAME, "champion=1.5", "--yes", status=2)


def test_alarms_and_scaling_of_an_endpoint_are_told(world: World) -> None:
    assert world.json("endpoints", "alarms", NAME) == []
    assert world.json("endpoints", "scaling", NAME) == {
        "targets": [],
        "policies": [],
        "activities": [],
        "more": False,
    }
    watch = {
        "AlarmName": f"{NAME}-5xx", "Namespace": "AWS/SageMaker", "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": "EndpointName", "Value": NAME}, {"Name": "VariantName", "Value": "champion"}],
        "Statistic": "Average", "Period": 10, "EvaluationPeriods": 1, "Threshold": 0.5,
        "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    cloudwatch = world.platform.client("cloudwatch")
    cloudwatch.put_metric_alarm(**watch)
    cloudwatch.put_metric_alarm(**watch | {"AlarmName": "another", "Dimensions": [{"Name": "EndpointName", "Value": "x"}]})  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=f"{NAME}-5xx", StateValue="ALARM", StateReason="a drill")
    (row,) = world.json("endpoints", "alarms", NAME, "--history")
    assert (row["name"], row["variant"]) == (f"{NAME}-5xx", "champion")
    assert row["condition"] == "Average > 0.5 for 1 period of 10 s"
    assert any("to ALARM" in item["summary"] for item in row["history"])

    scaling = world.platform.client("application-autoscaling")
    place = {
        "ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{NAME}/variant/champion",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }  # fmt: skip
    scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=3)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaling.put_scaling_policy(
        **place, PolicyName="held", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 5000.0, "PredefinedMetricSpecification": metric},
    )  # fmt: skip
    found = world.json("endpoints", "scaling", NAME)
    assert [(item["variant"], item["least"], item["most"]) for item in found["targets"]] == [
        ("champion", 1, 3)
    ]
    (policy,) = found["policies"]
    assert (policy["name"], policy["target"], len(policy["alarms"])) == ("held", 5000.0, 2)
    scaling.deregister_scalable_target(**place)


def test_the_console_asks_the_same_of_the_engine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONSOLE_HOME", str(world.home))
    services = LiveServices(Configuration())
    try:
        detail = endpoints.describe(world.platform, NAME)
        services.change_weights(weights.change(detail, {"champion": 4.0}))
        in_service(world.platform, NAME)
        shown = {item.name: item.share for item in endpoints.describe(world.platform, NAME).variants}
        assert shown == {"champion": 0.8, "challenger": 0.2}
        plan, source = Plan((Step(20),), 2), Source(text="5,6")
        assert services.price_replay(NAME, plan, source) is None
        report = services.start_replay(NAME, plan, source, variant="challenger", confirmed="")
        heard: list[Any] = []
        unwatch = services.watch(topics.REPLAYS, heard.append)
        world.until(
            lambda: heard and heard[-1].value and (found := heard[-1].value[0].summary) and found.answers
        )
        services.stop_replay(report.id)
        world.until(lambda: heard[-1].value[0].status == "stopped")
        unwatch()
        page = world.until(lambda: (found := services.captures(NAME, "challenger", None)).captures and found)
        assert page.place.enabled and page.captures[0].variant == "challenger"
        older = services.captures(NAME, "challenger", page.captures[0])
        assert page.captures[0] not in older.captures
        world.platform.client("cloudwatch").put_metric_alarm(
            AlarmName="live", Namespace="AWS/SageMaker", MetricName="Invocations", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=1.0, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        assert services.alarm_history("live").changes[-1].kind == "ConfigurationUpdate"
    finally:
        services.close()


def test_nobody_replays_at_aws_without_having_agreed() -> None:
    """Without credentials there is no AWS; with them the estimate is asked about first (see the tests of workflows)."""
    done = command.run(
        "traffic", "run", NAME, "-d", "1", "--requests", "1", "--target", "aws", "--region", "us-east-1",
        env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"},
    )  # fmt: skip
    assert done.returncode == 1 and "credentials" in done.stderr


def test_signals_are_given_back() -> None:
    """The handler of Ctrl-C is a replay's only while it goes on."""
    import threading

    from console.cli.interrupting import interrupting

    before, stop = signal.getsignal(signal.SIGINT), threading.Event()
    with interrupting(stop):
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("interface", ["low", "high"])
def test_an_endpoint_of_models_is_created(world: World, interface: str) -> None:
    name, models = f"made-{interface}", [f"{NAME}-{variant}" for variant in ("champion", "challenger")]
    variants = [f"{variant}={model}" for variant, model in zip("ab", models, strict=True)]
    options = ("--weight", "a=3", "--capture", "50", "--ttl", "8h", "--interface", interface, "--yes")
    made = world.json("endpoints", "create", name, *variants, *options)
    assert made["status"] == "InService"
    assert [item["share"] for item in made["variants"]] == [0.75, 0.25]
    found = endpoints.describe(world.platform, name)
    assert [(item.name, item.model) for item in found.variants] == list(zip("ab", models, strict=True))
    assert found.raw_config["DataCaptureConfig"]["InitialSamplingPercentage"] == 50
    assert world.json("endpoints", "ttl", name)["expires"] > time.time()
    world.text("endpoints", "rm", name, "--yes")


def test_what_is_no_endpoint_is_not_created(world: World) -> None:
    model = f"{NAME}-champion"
    for arguments, told in (
        (("nothing-like-it",), "is none of: model, training job"),
        ((f"a={model}", f"a={model}"), "Variant a comes twice"),
        ((f"a={model}", "--weight", "a=0"), "No variant would get traffic"),
    ):
        assert told in world.text("endpoints", "create", "never", *arguments, "--yes", status=1)
    wrong = world.text("endpoints", "create", "never", model, "--weight", "b=1", "--yes", status=2)
    assert "There is no variant b: there are AllTraffic." in wrong
    refused = world.text("endpoints", "create", NAME, model, "--yes", status=1)
    assert "already existing endpoint configuration" in refused


def test_read_only_refuses_what_changes_something(world: World) -> None:
    assert "--read-only forbids that" in world.text(
        "--read-only", "endpoints", "delete", NAME, "--yes", status=2
    )
    assert "--read-only forbids that" in world.text("--read-only", "sweep", "--yes", status=2)
    assert NAME in world.text("--read-only", "endpoints", "list")
    world.text("--read-only", "sweep", "--plan")
