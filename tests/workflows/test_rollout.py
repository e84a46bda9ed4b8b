"""What is typed, planned, refused, told and kept of rollouts: rules over all strategies, sizes and times."""

from __future__ import annotations

import itertools
import json
import multiprocessing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.console import rollout_data
from workflows.problem import Problem
from workflows.rollout import record
from workflows.rollout.alarms import manual_name
from workflows.rollout.events import Finished, PhaseEntered, from_json, to_json
from workflows.rollout.facts import Baseline, Facts, KnownAlarm, Source
from workflows.rollout.plan import Plan, named, plan
from workflows.rollout.record import Place
from workflows.rollout.request import GAUGES, Limit, RolloutRequest, Step, limit, step
from workflows.rollout.script import script
from workflows.rollout.state import alarm_states, state
from workflows.rollout.timeline import Size, declared_seconds, extra_fleet_seconds, shares, timeline

STRATEGIES = st.sampled_from(["all-at-once", "canary", "linear", "rolling"])
STEPS = st.one_of(
    st.builds(Step, st.integers(1, 100)), st.builds(Step, st.integers(1, 12), st.just("instances"))
)
SIZES = st.lists(st.builds(Size, st.integers(1, 12), st.floats(0, 10)), min_size=1, max_size=4).map(tuple)
REQUESTS = st.builds(
    RolloutRequest,
    endpoint=st.just("moons"),
    source=st.just("new"),
    strategy=STRATEGIES,
    step=STEPS,
    wait=st.integers(0, 3600),
    bake=st.integers(0, 3600),
)


@given(REQUESTS, SIZES)
def test_shares_grow_to_all_of_the_traffic(request: RolloutRequest, sizes: tuple[Size, ...]) -> None:
    found = shares(request, sizes)
    assert found[-1] == 1.0 and list(found) == sorted(found) and all(0 < share <= 1 for share in found)
    if request.strategy == "canary":
        assert len(found) == 2


@given(REQUESTS, SIZES, st.sampled_from(["embedded", "aws"]), st.floats(0, 1))
def test_a_timeline_has_no_gaps_and_waits_as_declared(
    request: RolloutRequest, sizes: tuple[Size, ...], target: str, scale: float
) -> None:
    phases = timeline(request, sizes, target=target, scale=scale)
    assert phases[0].start == 0 and phases[-1].share == 1.0
    for before, after in itertools.pairwise(phases):
        assert after.start == before.end and after.share >= before.share
    waited = sum(phase.seconds for phase in phases if phase.declared)
    assert waited == pytest.approx(declared_seconds(request, sizes) * scale, abs=1e-6)
    assert all(1 <= phase.fleets <= 2 for phase in phases)
    assert 0 <= extra_fleet_seconds(phases) <= phases[-1].end + 1e-9


def facts(count: int = 2, **more: Any) -> Facts:
    found = rollout_data.facts(scale=1.0, target="aws")
    fleet = replace(found.fleets[0], count=count)
    return replace(found, fleets=(fleet,), **more)


def errors(
    request: RolloutRequest, found: Facts | None = None, source: Source | None = None
) -> dict[str, str]:
    made = plan(request, found or facts(), source or rollout_data.source(), now=0.0)
    return {finding.field: finding.sentence for finding in made.errors}


def asked(**more: Any) -> RolloutRequest:
    return RolloutRequest(
        **({"endpoint": rollout_data.ENDPOINT, "source": "moons-high-41c2", "step": Step(50)} | more)
    )


@given(
    STRATEGIES, STEPS, st.integers(1, 12), st.integers(0, 4000), st.integers(0, 4000), st.integers(0, 40_000)
)
def test_what_is_planned_without_errors_keeps_sagemakers_rules(
    strategy: Any, part: Step, count: int, wait: int, bake: int, timeout: int
) -> None:
    request = asked(strategy=strategy, step=part, wait=wait, bake=bake, timeout=timeout)
    made = plan(request, facts(count), rollout_data.source(), now=0.0)
    share = part.share(count)
    allowed = {
        "all-at-once": True,
        "canary": share <= 0.5,
        "linear": 0.1 <= share <= 0.5,
        "rolling": 0.05 <= share <= 0.5,
    }[strategy]
    fine = (
        allowed
        and wait <= 3600
        and bake <= 3600
        and 600 <= timeout <= 28_800
        and timeout > declared_seconds(request, (Size(count),))
    )
    assert bool(made.errors) != fine, made.errors
    policy = made.update["DeploymentConfig"]
    assert ("RollingUpdatePolicy" in policy) == (strategy == "rolling")
    names = [item["AlarmName"] for item in policy["AutoRollbackConfiguration"]["Alarms"]]
    assert names == [item["AlarmName"] for item in made.alarms] and names[-1] == manual_name(made.id)


def test_every_finding_names_what_is_wrong() -> None:
    assert "InService" in errors(asked(), facts(status="Updating"))["endpoint"]
    assert "no variant nix" in errors(asked(variant="nix"))["variant"]
    assert "ml." in errors(asked(instance_type="m5"))["instance_type"]
    assert "no alarm mine" in errors(asked(own_alarms=("mine",)))["own_alarms"]
    firing = {"mine": KnownAlarm("mine", "ALARM", "it burns")}
    assert "it burns" in errors(asked(own_alarms=("mine",)), facts(alarms=firing))["own_alarms"]
    assert "each minute" in errors(asked(period=10))["period"]
    two = facts()
    two = replace(two, fleets=(two.fleets[0], replace(two.fleets[0], variant="challenger")))
    assert "several variants" in errors(asked(), two)["variant"]
    assert errors(asked(variant="challenger"), two) == {}
    many = {key: Limit(0.5) for key in GAUGES}
    own = {f"a{number}": KnownAlarm(f"a{number}", "OK") for number in range(5)}
    assert "11" in errors(asked(limits=many, own_alarms=tuple(own)), facts(alarms=own))["limits"]
    same = Source(kind="config", name="moons-ab-config", config_document=two.config_document)
    assert "another one" in errors(asked(), source=same)["source"]
    other = Source(
        kind="config",
        name="other",
        config_document={"ProductionVariants": [{"VariantName": "B", "InitialInstanceCount": 1}]},
    )
    assert "same names" in errors(asked(), source=other)["retain"]
    assert errors(asked(retain=False), source=other) == {}
    serverless = facts()
    serverless = replace(serverless, fleets=(replace(serverless.fleets[0], serverless=True),))
    assert "serverless" in errors(asked(), serverless)["strategy"]


def warnings(request: RolloutRequest, found: Facts) -> str:
    made = plan(request, found, rollout_data.source(), now=0.0)
    assert not made.errors
    return " ".join(finding.sentence for finding in made.warnings)


def with_past(past: Baseline) -> Facts:
    found = facts()
    return replace(found, fleets=(replace(found.fleets[0], baseline=past),))


def test_warnings_tell_of_alarms_that_cannot_see() -> None:
    assert "Nobody called" in warnings(asked(), with_past(Baseline()))
    assert "itself had 3.0% 5xx errors" in warnings(asked(), with_past(Baseline(900, {"5xx": 0.03})))
    assert "longest bake" in warnings(asked(wait=30, bake=30), facts())
    assert "No alarm watches" in warnings(asked(limits={}), facts())
    assert "what serves already" in " ".join(
        finding.sentence
        for finding in plan(asked(), facts(), rollout_data.source("moons-low-9d01"), now=0.0).warnings
    )


def test_limits_are_taken_from_blue_and_alarms_look_at_green_only() -> None:
    made = plan(
        asked(limits={"p99": Limit(2, True), "5xx": Limit(2, True)}), facts(), rollout_data.source(), now=0.0
    )
    assert {rail.gauge.key: rail.threshold for rail in made.guardrails} == {"p99": 19.6, "5xx": 0.01}
    p99 = made.alarms[0]
    assert p99["Threshold"] == 19_600 and p99["ExtendedStatistic"] == "p99" and "Statistic" not in p99
    assert {item["Name"]: item["Value"] for item in p99["Dimensions"]}["EndpointConfigName"] == made.green
    thin = plan(
        asked(limits={"p99": Limit(2, True)}),
        with_past(Baseline(3, {"p99": 1.0})),
        rollout_data.source(),
        now=0.0,
    )
    assert thin.guardrails == () and "too few" in thin.notes[0]


def test_the_new_configuration_keeps_all_but_the_model() -> None:
    capture = {"EnableCapture": True, "InitialSamplingPercentage": 0, "DestinationS3Uri": "s3://b/c"}
    found = facts(count=3)
    found = replace(
        found, config_document={**found.config_document, "DataCaptureConfig": capture, "KmsKeyId": "k"}
    )
    made = plan(asked(), found, rollout_data.source(), now=0.0)
    assert made.configuration is not None
    (variant,) = made.configuration["ProductionVariants"]
    assert (variant["ModelName"], variant["InitialInstanceCount"]) == ("moons-high-41c2", 3)
    assert made.configuration["DataCaptureConfig"] == capture and made.configuration["KmsKeyId"] == "k"
    assert made.update["RetainAllVariantProperties"] is True
    changed = plan(
        asked(instance_count=5, capture=False, instance_type="ml.c5.large"),
        found,
        rollout_data.source(),
        now=0.0,
    )
    assert changed.configuration is not None and "DataCaptureConfig" not in changed.configuration
    assert changed.green_instances == (("ml.c5.large", 5),)
    excluded = [item["VariantPropertyType"] for item in changed.update["ExcludeRetainedVariantProperties"]]
    assert excluded == ["DesiredInstanceCount", "DataCaptureConfig"]


@given(st.sampled_from(sorted(GAUGES)), st.floats(0.001, 0.99), st.booleans())
def test_limits_are_read_as_they_are_written(key: str, value: float, relative: bool) -> None:
    gauge = GAUGES[key]
    found = Limit(value, relative)
    again = limit(found.text(gauge), gauge)
    assert again is not None and again.relative == relative and again.value == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("text", ["", "off", "none", "-"])
def test_no_limit(text: str) -> None:
    assert limit(text, GAUGES["5xx"]) is None


@pytest.mark.parametrize(
    ("key", "text"), [("5xx", "10 ms"), ("p99", "5%"), ("5xx", "100%"), ("p99", "0"), ("mean", "fast")]
)
def test_limits_that_mean_nothing_are_refused(key: str, text: str) -> None:
    with pytest.raises(Problem, match=GAUGES[key].title):
        limit(text, GAUGES[key])


def test_steps_are_read_as_they_are_written() -> None:
    assert step("10%") == step(" 10 ") == Step(10)
    assert step("2 instances") == step("2i") == Step(2, "instances")
    for text in ("", "0", "-1", "a half"):
        with pytest.raises(Problem, match="not understood"):
            step(text)


@given(st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True))
def test_names_are_names(endpoint: str) -> None:
    found = named(endpoint, 0.0)
    assert len(found) <= 63 and record.find.__doc__ and found[0].isalnum() and found[-1].isalnum()


# States

GREEN = rollout_data.NAME


def described(status: str = "", message: str = "", *, blue: str = "", **more: Any) -> dict[str, Any]:
    def variants(word: str, text: str, weight: float) -> list[dict[str, Any]]:
        told = [{"Status": word, "StatusMessage": text, "StartTime": 1000.0}] if word else []
        return [
            {
                "VariantName": "champion",
                "CurrentWeight": weight,
                "CurrentInstanceCount": 2,
                "DesiredInstanceCount": 2,
                "VariantStatus": told,
            }
        ]

    return {
        "EndpointStatus": "Updating",
        "EndpointConfigName": "moons-ab-config",
        "ProductionVariants": variants(blue, "", 1.0),
        "PendingDeploymentSummary": {
            "EndpointConfigName": GREEN,
            "StartTime": 990.0,
            "ProductionVariants": variants(status, message, 1.0),
        },
        **more,
    }


BAKING = (
    "Baking for 600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)"
)
FULL = "Baking for 600 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 2 instance(s)."


@pytest.mark.parametrize(
    ("answer", "phase", "share", "left"),
    [
        (described("Creating", "Launching 2 instance(s)."), "provisioning", 0.0, 2.0),
        (described("ActivatingTraffic", "Activating traffic on canary capacity of 1 instance(s)."), "shifting", 0.5, None),
        (described("Baking", BAKING + "."), "baking", 0.5, 4.0),
        (described("Baking", BAKING + " (10% of traffic)."), "baking", 0.1, None),
        (described("Baking", FULL), "final-bake", 1.0, 4.0),
        (described(blue="Deleting"), "retiring", 1.0, 0.0),
        (described("Deleting", "Terminating 2 instance(s)."), "rolling-back", 0.0, None),
    ],
)  # fmt: skip
def test_phases_come_from_what_sagemaker_says(
    answer: dict[str, Any], phase: str, share: float, left: float | None
) -> None:
    found = state(rollout_data.planned(), answer, (), now=1002.0, started=989.0)
    assert (found.phase, found.share, found.active) == (phase, share, True)
    if left is not None:
        assert found.left == pytest.approx(left)
        assert found.remaining is not None and found.remaining >= found.left


def test_an_alarm_that_fires_means_the_way_back() -> None:
    made = rollout_data.planned()
    fired = [
        {
            "AlarmName": made.guardrails[0].name,
            "StateValue": "ALARM",
            "StateReasonData": '{"recentDatapoints": [0.2]}',
        }
    ]
    alarms = alarm_states(made, fired)
    assert alarms[0].value == 0.2 and alarms[0].threshold == 0.01
    assert state(made, described("Baking", BAKING), alarms, now=1002.0).phase == "rolling-back"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"EndpointStatus": "InService", "EndpointConfigName": GREEN}, "succeeded"),
        (
            {"EndpointStatus": "InService", "EndpointConfigName": "moons-ab-config", "FailureReason": "x"},
            "rolled-back",
        ),
        ({"EndpointStatus": "InService", "EndpointConfigName": "third"}, "superseded"),
        ({"EndpointStatus": "UpdateRollbackFailed", "EndpointConfigName": "moons-ab-config"}, "failed"),
        (None, "gone"),
    ],
)
def test_ends_come_from_the_configuration_that_serves(answer: dict[str, Any] | None, outcome: str) -> None:
    found = state(rollout_data.planned(), answer, (), now=1002.0, started=990.0)
    assert (found.outcome, found.active) == (outcome, False)


# Folders


@pytest.fixture
def begun() -> record.Rollout:
    return record.begin(rollout_data.planned(), Place("embedded", "1", "us-east-1", "low"), 1000.0)


def test_a_plan_comes_back_from_disk_as_it_was(begun: record.Rollout) -> None:
    made = rollout_data.planned(
        strategy="rolling",
        rollback_batch=Step(1, "instances"),
        limits={"p99": Limit(2, True)},
        own_alarms=("mine",),
    )
    assert record.plan_of(json.loads(json.dumps(asdict(made)))) == made
    assert record.read(begun.folder).plan == begun.plan
    with pytest.raises(Problem, match="already"):
        record.begin(begun.plan, begun.place, 1001.0)


def test_rollouts_are_found_by_name_end_endpoint_and_last(begun: record.Rollout) -> None:
    for name in (begun.id, begun.id[:10], begun.id[-6:], rollout_data.ENDPOINT, "last"):
        assert record.find(name).id == begun.id
    with pytest.raises(Problem, match="no rollout 'nix'"):
        record.find("nix")


def test_what_is_seen_is_written_once_however_many_look(begun: record.Rollout) -> None:
    seen = state(begun.plan, described("Baking", BAKING), (), now=1002.0, started=989.0)
    assert [event.kind for event in record.observe(begun, seen)] == ["phase"]
    assert record.observe(record.read(begun.folder), seen) == ()
    ended = state(begun.plan, {"EndpointStatus": "InService", "EndpointConfigName": GREEN}, (), now=1010.0)
    assert [event.kind for event in record.observe(begun, ended)] == ["finished"]
    later = state(begun.plan, {"EndpointStatus": "InService", "EndpointConfigName": "third"}, (), now=1020.0)
    assert record.observe(begun, later) == ()
    assert record.read(begun.folder).known.outcome == "succeeded"


def test_a_line_that_was_cut_by_a_crash_loses_nothing_else(begun: record.Rollout) -> None:
    event = PhaseEntered(time=1.0, phase="baking", title="canary bakes", share=0.5)
    record.append(begun, event)
    with (begun.folder / record.JOURNAL).open("a") as file:
        file.write('{"event":"finished","ti')
    record.append(begun, Finished(time=2.0, outcome="succeeded"))
    assert record.read(begun.folder).events == (event, Finished(time=2.0, outcome="succeeded"))
    assert from_json(to_json(event)) == event


def _write(folder: Path, number: int) -> None:
    rollout = record.read(folder)
    for count in range(20):
        record.append(
            rollout, PhaseEntered(time=float(count), phase=f"p{number}", title="x" * 300, share=0.5)
        )


def test_writers_do_not_cut_each_other(begun: record.Rollout) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(begun.folder, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(record.read(begun.folder).events) == 60


@pytest.mark.parametrize("interface", ["low", "high"])
@settings(max_examples=5, deadline=None)
@given(strategy=STRATEGIES)
def test_scripts_are_python_and_name_every_alarm(interface: str, strategy: Any) -> None:
    made: Plan = rollout_data.planned(strategy=strategy)
    text = script(made, interface, "us-east-1")
    compile(text, "script.py", "exec")
    assert all(alarm["AlarmName"] in text for alarm in made.alarms) and "mlconsole." not in text
