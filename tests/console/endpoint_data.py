"""What the screens of endpoints are shown in tests: captured requests, alarms, scaling, replays."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from workflows import topics
from workflows.observe.captures import Capture, CapturePage, Content, Place
from workflows.observe.rows import PendingFleet, VariantRow
from workflows.observe.watch_rows import (
    AlarmChange,
    AlarmRow,
    EndpointScaling,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
)
from workflows.traffic import Histogram, Plan, Step, Summary
from workflows.traffic.reports import Report
from workflows.traffic.sources import Source
from workflows.traffic.summary import Moment, VariantSummary

NOW = 1_800_000_000.0
ENDPOINT = "moons-ab-20270115-074500"
CAPTURE_CONFIG = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://sagemaker-us-east-1-123456789012/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
}


def captures(first: int = 0, number: int = 12) -> tuple[Capture, ...]:
    """Captured requests, newest first."""
    return tuple(
        Capture(
            event_id=f"5f0c3a1e-0000-4000-8000-{place:012d}",
            inference_id=f"review-{place:05d}" if place % 3 == 0 else "",
            time=NOW - 7 * place,
            variant="challenger" if place % 4 == 3 else "champion",
            request=Content(f"0.{place:02d},0.25".encode(), "text/csv"),
            answer=Content(
                json.dumps({"predictions": [{"score": round(0.5 + place / 100, 3)}]}).encode(),
                "application/json",
            ),
            uri=f"s3://bucket/captured/{ENDPOINT}/champion/2027/01/15/07/file.jsonl",
            line=1000 - place,
        )
        for place in range(first, first + number)
    )


def capture_page(after: Capture | None = None) -> CapturePage:
    """The first page, or the second and last one."""
    place = Place(
        uri=f"s3://sagemaker-us-east-1-123456789012/captured/{ENDPOINT}",
        enabled=True,
        percent=100,
        sides=("Input", "Output"),
    )
    return CapturePage(place, captures(0 if after is None else 12), more=after is None)


def alarms() -> tuple[AlarmRow, ...]:
    """One that fires, one that does not, one that scaling has made."""
    return (
        AlarmRow(
            name="moons-ab-challenger-5xx",
            state="ALARM",
            reason="Threshold Crossed: 2 out of the last 2 datapoints [0.06 (15/01/27 07:58:00), 0.04 (15/01/27 07:57:00)] "
            "were greater than the threshold (0.01) (minimum 2 datapoints for OK -> ALARM transition).",
            updated=NOW - 95,
            metric="Invocation5XXErrors",
            condition="Average > 0.01 for 2 periods of 60 s",
            threshold=0.01,
            value=0.06,
            variant="challenger",
            description="Rolls the update back",
        ),
        AlarmRow(
            name="TargetTracking-endpoint/moons-ab/variant/champion-AlarmHigh-1f0e",
            state="OK",
            reason="Threshold Crossed: 1 datapoint [80.3] was not greater than the threshold (200.0).",
            updated=NOW - 4000,
            metric="InvocationsPerInstance",
            condition="Sum > 200 for 3 periods of 60 s",
            threshold=200.0,
            value=80.3,
            variant="champion",
        ),
        AlarmRow(
            name="moons-ab-latency",
            state="INSUFFICIENT_DATA",
            reason="Unchecked: Initial alarm creation",
            updated=NOW - 30,
            metric="ModelLatency",
            condition="p99 > 100000 in 2 of 3 periods of 60 s",
            threshold=100_000.0,
            variant="challenger",
            actions_enabled=False,
        ),
    )


def history() -> tuple[AlarmChange, ...]:
    """What became of the first alarm."""
    return (
        AlarmChange(NOW - 95, "StateUpdate", "Alarm updated from OK to ALARM"),
        AlarmChange(NOW - 1200, "StateUpdate", "Alarm updated from INSUFFICIENT_DATA to OK"),
        AlarmChange(NOW - 1260, "ConfigurationUpdate", 'Alarm "moons-ab-challenger-5xx" created'),
    )


def scaling() -> EndpointScaling:
    """One variant that is scaled, by target tracking."""
    return EndpointScaling(
        targets=(ScalableTarget(variant="champion", least=1, most=4, created=NOW - 5000),),
        policies=(
            ScalingPolicy(
                name="champion-per-instance",
                variant="champion",
                kind="TargetTrackingScaling",
                metric="SageMakerVariantInvocationsPerInstance",
                target=200.0,
                scale_in_cooldown=300,
                scale_out_cooldown=60,
                alarms=(alarms()[1].name,),
            ),
        ),
        activities=(
            ScalingActivity(
                variant="champion",
                status="Successful",
                description="Setting desired instance count to 2.",
                cause="monitor alarm TargetTracking-…-AlarmHigh in state ALARM triggered policy champion-per-instance",
                message="Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker.",
                started=NOW - 700,
                ended=NOW - 640,
            ),
        ),
    )


def summary(*, ended: bool = False, seconds: float = 42.0) -> Summary:
    """A replay's numbers."""
    histogram = Histogram()
    for place in range(400):
        histogram.record(2.5 + (place % 37) * 0.21 + (40 if place % 97 == 0 else 0))
    moments = tuple(
        Moment(
            at=float(second),
            seconds=1.0,
            answers=48 + second * 7 % 5,
            failed=1 if second == 30 else 0,
            p50=3.1 + second * 13 % 7 / 10,
            p99=9 + second * 11 % 13,
        )
        for second in range(math.ceil(seconds))
    )
    answers = sum(moment.answers for moment in moments)
    return Summary(
        endpoint=ENDPOINT,
        asked=int(50 * seconds),
        sent=answers,
        answers=answers,
        unsent=0,
        seconds=seconds,
        asked_rate=50.0,
        rate=answers / seconds,
        errors={"ModelError": 1},
        statuses={200: answers - 1, 424: 1},
        latency=histogram.quantiles,
        service=histogram.quantiles,
        variants=(
            VariantSummary(
                variant="challenger",
                answers=answers // 10,
                errors={"ModelError": 1},
                latency=histogram.quantiles,
                service=histogram.quantiles,
            ),
            VariantSummary(
                variant="champion",
                answers=answers - answers // 10,
                latency=histogram.quantiles,
                service=histogram.quantiles,
            ),
        ),
        moments=moments,
        busy=0.2,
        ended=ended,
    )


def replay(status: str = "running", **about: Any) -> Report:
    """A report of a replay at the endpoint of the account."""
    ended = status in ("completed", "stopped")
    histogram = Histogram()
    for place in range(400):
        histogram.record(2.5 + (place % 37) * 0.21 + (40 if place % 97 == 0 else 0))
    return Report(
        **{
            "id": f"{ENDPOINT}-20270115-075918-c0de",
            "folder": Path("/nowhere"),
            "endpoint": ENDPOINT,
            "target": "embedded",
            "region": "us-east-1",
            "status": status,
            "created": NOW - 42,
            "plan": Plan((Step(0.0, to=50.0, seconds=10), Step(50.0, seconds=50)), 8),
            "source": Source(place="/data/moons/test.csv"),
            "summary": summary(ended=ended),
            "histograms": {"latency": histogram} if ended else {},
            **about,
        }
    )


def publish_update(services: Any) -> None:
    """An update is under way: a green fleet beside the blue one, with a shadow, and metrics of both."""
    detail = services.values[topics.endpoint(ENDPOINT)].value
    row = replace(detail.row, status="Updating")
    champion = detail.variants[0]
    pending = PendingFleet(
        config=f"{ENDPOINT}-v2",
        started=NOW - 80,
        variants=(
            replace(
                champion,
                current_weight=0.1,
                status="Baking",
                message="for 600 seconds (WaitIntervalInSeconds) with 10 % of the traffic",
            ),
        ),
    )
    shadow = VariantRow(name="shadow-xgb", model="xgb", instance_type="ml.m5.large", share=0.5, current_count=1, desired_count=1)  # fmt: skip
    services.publish(
        topics.endpoint(ENDPOINT),
        replace(detail, row=row, variants=(champion,), shadows=(shadow,), pending=pending),
    )
    traffic = services.values[topics.endpoint_metrics(ENDPOINT)].value
    whole = traffic.variants[0]
    services.publish(
        topics.endpoint_metrics(ENDPOINT),
        replace(
            traffic,
            variants=(
                whole,
                replace(whole, variant="shadow-xgb", shadow=True, invocations=602),
                replace(whole, config=detail.config, invocations=1083),
                replace(whole, config=pending.config, invocations=121, errors_5xx=4),
            ),
            series=tuple(
                replace(one, variant="champion", config=pending.config)
                if one.variant == "challenger"
                else replace(one, config=detail.config)
                for one in traffic.series
            ),
        ),
    )
