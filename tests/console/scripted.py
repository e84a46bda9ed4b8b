"""Scripted services: the protocol that the application knows, with every answer and every delay decided by a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.console import (
    audit_data,
    cost_data,
    endpoint_data,
    experiment_data,
    inspect_data,
    rollout_data,
    run_data,
    target_data,
    tuning_data,
)
from workflows import events as e
from workflows import topics
from workflows.abtest.definition import Experiment
from workflows.abtest.operations import After, Intake
from workflows.abtest.promotion import How, Promotion
from workflows.abtest.replaying import ReplayRequest
from workflows.comparison import Comparison
from workflows.creation import NewVariant
from workflows.drift.report import DriftReport
from workflows.inspecting import code, relations
from workflows.inspecting.bucket import Folder, Preview
from workflows.inspecting.code import Snippet
from workflows.inspecting.relations import Related
from workflows.lessons import catalog as lesson_catalog
from workflows.lessons.progress import Progress
from workflows.lifetime import Lifetime
from workflows.lineage import Lineage
from workflows.observe.captures import Capture, CapturePage
from workflows.observe.rows import (
    Channel,
    DeletionPlan,
    EndpointDetail,
    EndpointRow,
    EndpointTraffic,
    FinalMetric,
    Invocation,
    JobDetail,
    JobRow,
    LogLine,
    LogTail,
    SeriesData,
    Transition,
    VariantRow,
    VariantTraffic,
)
from workflows.observe.transform_rows import TransformOutput, TransformRow
from workflows.observe.watch_rows import AlarmHistory
from workflows.problem import Problem
from workflows.rollout.facts import Facts, Source
from workflows.rollout.plan import Plan
from workflows.rollout.remains import Cleaning
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo, catalog
from workflows.studies.parameters import Value
from workflows.studies.shelf import DataState, Shelf
from workflows.sweep.leftovers import Leftover, Outcome, Rules, SweepPlan, SweepReport
from workflows.targets.entries import Entry
from workflows.targets.glance import Glance
from workflows.topics import HubStatus, Snapshot, Topic
from workflows.traffic.bill import Bill
from workflows.traffic.plan import Plan as ReplayPlan
from workflows.traffic.reports import Report
from workflows.traffic.sources import Source as ReplaySource
from workflows.transforms.draft import TransformDraft
from workflows.tuning.draft import TuningDraft
from workflows.tuning.request import TuningRequest, WarmStartKind
from workflows.weights import Change

SHELVES: dict[str, tuple[DataState, str, float]] = {
    "moons": ("generated", "Generated here, the same in every run: this is the original.", 0.02),
    "plagiarism": (
        "synthetic",
        "Made up, with the schema of the real data. `mlconsole data fetch plagiarism` gets that.",
        0.05,
    ),
}
NOW = 1_800_000_000.0
"""The frozen time: 2027-01-15 08:00:00 UTC."""


class Scripted:
    """Delivers what a test publishes. ``hang`` makes blocking calls wait for ever, ``fail`` makes them raise."""

    def __init__(self, *, target: str = "embedded", read_only: bool = False) -> None:
        self.target = target
        self.profile = "prod" if target == "aws" else ""
        self.region = "us-east-1"
        self.read_only = read_only
        self.interface = "low"
        self.notices = frozenset(("bell", "title", "desktop"))
        self.time = NOW
        self.values: dict[Topic[Any], Snapshot[Any]] = {}
        self.listeners: dict[Topic[Any], list[Callable[[Snapshot[Any]], None]]] = {}
        self.on_status: Callable[[HubStatus], None] | None = None
        self.status = HubStatus(
            target=target, region=self.region, account="123456789012", backend="ok", calls_per_minute=12
        )
        self.hang = threading.Event()
        self.fail: Problem | None = None
        self.done: list[tuple[Any, ...]] = []
        self.events: dict[str, list[e.Event]] = {}
        self.followed: dict[str, int] = {}
        """How many events of each run were delivered to who follows it."""
        self.stale: dict[str, Lineage] = {}
        """Runs whose results are withheld."""
        self.learned: dict[str, Progress] = {}
        """How far the person is, by lesson."""
        self.kept: dict[str, tuple[str, ...]] = {}
        """What runs have kept."""
        self.closed = False
        self.generation = 1
        self.rollout = ""
        self.last_rollout = ""
        """The newest rollout of every endpoint: the first has not ended."""
        self.entries: tuple[Entry, ...] = target_data.ENTRIES
        self.glanced = target_data.glances(self.time)
        self.silent: set[Entry] = set()
        """Targets that give no answer."""

    # what a test does

    def publish(self, topic: Topic[Any], value: Any, **about: Any) -> None:
        """A poll has brought this value."""
        about = {"fetched_at": self.time, "generation": self.generation} | about
        self._deliver(Snapshot(topic=topic, value=value, **about))

    def publish_error(self, topic: Topic[Any], problem: Problem) -> None:
        """A poll has failed; the last good value stays."""
        known = self.values.get(topic) or Snapshot(topic=topic, generation=self.generation)
        self._deliver(replace(known, error=problem, stale=known.value is not None))

    def tell(self, **about: Any) -> None:
        """The hub's state changes."""
        self.status = replace(self.status, **about)
        if self.on_status:
            self.on_status(self.status)

    def hangs(self) -> None:
        """From now on every blocking call waits for ever."""
        self.hang.set()

    def _deliver(self, snapshot: Snapshot[Any]) -> None:
        self.values[snapshot.topic] = snapshot
        for listener in list(self.listeners.get(snapshot.topic, ())):
            listener(snapshot)

    def _block(self, *call: Any) -> None:
        self.done.append(call)
        while self.hang.is_set():
            time.sleep(0.05)
        if self.fail is not None:
            raise self.fail

    # what the application does

    def now(self) -> float:
        return self.time

    def start(self, on_status: Callable[[HubStatus], None]) -> None:
        self.on_status = on_status
        on_status(self.status)

    def close(self) -> None:
        self.closed = True

    def watch(self, topic: Topic[Any], deliver: Callable[[Snapshot[Any]], None]) -> Callable[[], None]:
        self.listeners.setdefault(topic, []).append(deliver)
        if topic in self.values:
            deliver(self.values[topic])
        return lambda: self.listeners[topic].remove(deliver)

    def watched(self) -> set[str]:
        """The topics that some screen observes now."""
        return {str(topic) for topic, listeners in self.listeners.items() if listeners}

    def refresh(self) -> None:
        self.done.append(("refresh",))

    def targets(self) -> Sequence[Entry]:
        return self.entries

    def glances(self, entries: Sequence[Entry], deliver: Callable[[Glance], None]) -> None:
        self._block("glances", *map(str, entries))
        waiting = list(entries)
        while waiting:
            for entry in [entry for entry in waiting if entry not in self.silent]:
                waiting.remove(entry)
                deliver(replace(self.glanced[entry], at=self.time))
            time.sleep(0.01 if waiting else 0)

    welcomes = False

    def first_time(self) -> bool:
        return self.welcomes

    def rehearse(self, task: Callable[[Any], Any]) -> Sequence[str]:
        twin = Scripted(target=self.target)
        task(twin)
        return [
            f"{number}. {name} {' '.join(map(str, about))}"
            for number, (name, *about) in enumerate(twin.done, 1)
        ]

    def pause(self, paused: bool) -> None:
        self.tell(paused=paused)

    def hidden(self, yes: bool) -> None:
        self.done.append(("hidden", yes))

    def studies(self) -> Sequence[StudyInfo]:
        return catalog()

    def lessons(self) -> Sequence[StudyInfo]:
        return lesson_catalog.lessons()

    def progress(self) -> Mapping[str, Progress]:
        self._block("progress")
        return {info.name: self.learned.get(info.name, Progress(info.name)) for info in self.lessons()}

    def start_run(
        self, study: str, values: Mapping[str, Value], *, interface: str, keep: bool, preset: str
    ) -> Run:
        self._block("start_run", study, dict(values), interface, keep, preset)
        run = study_run(f"{study}-20270115-080000-beef", "running", created=self.time, interface=interface)
        self.events.setdefault(run.id, run_events(run.id, upto=4))
        return run

    def find_run(self, run: str) -> Run:
        return study_run(run, "running")

    def follow(self, run: str, deliver: Callable[[e.Event], None], closed: Callable[[], bool]) -> None:
        seen = 0
        while not closed():
            events = list(self.events.get(run, []))
            for event in events[seen:]:
                deliver(event)
            self.followed[run] = seen = len(events)
            time.sleep(0.02)

    def stop_run(self, run: str) -> None:
        self._block("stop_run", run)

    def resume_run(self, run: str) -> None:
        self._block("resume_run", run)

    def answer(self, run: str, question: str, choice: str) -> None:
        self._block("answer", run, question, choice)

    def code(self, run: str, interface: str = "") -> str:
        self._block("code", run, interface)
        return f"# {interface}\nimport boto3\n\nsagemaker = boto3.client('sagemaker')\n"

    def shelves(self) -> Mapping[str, Shelf]:
        return {
            info.name: Shelf(info.name, *SHELVES.get(info.name, ("real", "Real data.", 0.2)))
            for info in catalog()
        }

    def withheld(self, runs: Sequence[Run]) -> Mapping[str, str]:
        return {run.id: self.stale[run.id].sentence for run in runs if run.id in self.stale}

    def lineage(self, run: str) -> Lineage:
        self._block("lineage", run)
        return self.stale.get(run, Lineage(run))

    def remains(self, runs: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return {run: self.kept.get(run, ()) for run in runs}

    def events_of(self, run: str) -> Sequence[e.Event]:
        return tuple(self.events.get(run, ()))

    def compare(self, a: str, b: str) -> Comparison:
        self._block("compare", a, b)
        return run_data.comparison(a, b)

    def write_report(self, run: str) -> Path:
        self._block("write_report", run)
        return Path("/home/ada/runs") / run / f"{run}.html"

    def host_together(self, endpoint: str, variants: Sequence[NewVariant]) -> str:
        self._block("host_together", endpoint, tuple(variants))
        return endpoint

    def stop_job(self, name: str) -> None:
        self._block("stop_job", name)

    def plan_deletion(self, endpoint: str) -> DeletionPlan:
        self._block("plan_deletion", endpoint)
        return DeletionPlan(endpoint, f"{endpoint}-config", (f"{endpoint}-model",), ())

    def delete_endpoint(self, plan: DeletionPlan) -> Sequence[str]:
        self._block("delete_endpoint", plan)
        return [f"Deleted endpoint {plan.endpoint}."]

    def profiles(self) -> Sequence[str]:
        return ("prod", "research")

    def regions(self) -> Sequence[str]:
        return ("eu-central-1", "eu-west-1", "us-east-1")

    def elsewhere(self, **changes: str) -> Scripted:
        found = populated(target=changes.get("target", self.target), read_only=self.read_only)
        found.profile = changes.get("profile", self.profile)
        found.region = changes.get("region", self.region)
        return found

    def describe(self, kind: str, name: str) -> Mapping[str, Any]:
        self._block("describe", kind, name)
        return inspect_data.document(kind, name)

    def relations(
        self, kind: str, name: str, document: Mapping[str, Any]
    ) -> tuple[tuple[Related, ...], bool]:
        self._block("relations", kind, name)
        return (*relations.named(kind, document), *inspect_data.users(kind)), self.target == "embedded"

    def equivalents(self, kind: str, name: str, document: Mapping[str, Any]) -> tuple[Snippet, ...]:
        self._block("equivalents", kind, name)
        return code.snippets(kind, name, document, code.Where(self.region, self.profile))

    def notify(self, text: str, details: Mapping[str, str]) -> None:
        self._block("notify", text, dict(details))

    def s3_folder(self, uri: str) -> Folder:
        self._block("s3_folder", uri)
        return inspect_data.folder(uri)

    def s3_preview(self, uri: str) -> Preview:
        self._block("s3_preview", uri)
        return Preview(uri, 64, "text/csv", "text", ("0.5,1.2,0", "0.7,-0.1,1"), True)

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str, accept: str, variant: str
    ) -> Invocation:
        self._block("invoke", endpoint, body, content_type, accept, variant)
        return Invocation(
            body=b'{"predictions": [0.93]}',
            content_type="application/json",
            variant=variant or "AllTraffic",
            milliseconds=4.25,
        )

    def change_weights(self, change: Change) -> None:
        self._block("change_weights", change.endpoint, change.weights, change.counts)

    def captures(self, endpoint: str, variant: str, after: Capture | None) -> CapturePage:
        self._block("captures", endpoint, variant, after)
        if (
            topics.endpoint(endpoint) not in self.values
            or not self.values[topics.endpoint(endpoint)].value.raw_config
        ):
            return CapturePage(None)
        return endpoint_data.capture_page(after)

    def alarm_history(self, alarm: str) -> AlarmHistory:
        self._block("alarm_history", alarm)
        return AlarmHistory(endpoint_data.history())

    def price_replay(self, endpoint: str, plan: ReplayPlan, source: ReplaySource) -> Bill | None:
        self._block("price_replay", endpoint, plan, source)
        if self.target == "embedded":
            return None
        return Bill(
            endpoint=endpoint,
            requests=plan.expected,
            seconds=plan.seconds,
            sentences=(f"Replay {plan.expected} requests at aws endpoint {endpoint}.", "That costs $0.03."),
            dollars=0.03,
            confirmation="agreed",
        )

    def start_replay(
        self, endpoint: str, plan: ReplayPlan, source: ReplaySource, *, variant: str, confirmed: str
    ) -> Report:
        self._block("start_replay", endpoint, plan, source, variant, confirmed)
        report = endpoint_data.replay("starting", endpoint=endpoint, plan=plan, source=source, summary=None)
        self.publish(topics.REPLAYS, (report,))
        return report

    def stop_replay(self, report: str) -> None:
        self._block("stop_replay", report)

    def set_lifetime(self, endpoint: str, seconds: float | None, *, keep: bool = False) -> Lifetime:
        self._block("set_lifetime", endpoint, seconds, keep)
        return Lifetime(expires=None if seconds is None else self.time + seconds, keep=keep)

    def plan_sweep(self, rules: Rules) -> SweepPlan:
        self._block("plan_sweep", rules)
        return cost_data.plan(self.time, all_owners=rules.all_owners)

    def sweep(self, chosen: Sequence[Leftover], rules: Rules, told: Callable[[Outcome], None]) -> SweepReport:
        self._block("sweep", tuple(item.key for item in chosen), rules)
        report = cost_data.report(tuple(chosen))
        for outcome in report.outcomes:
            told(outcome)
        return report

    def drift(self, endpoint: str, baseline: str, since: float | None, column: str) -> DriftReport:
        self._block("drift", endpoint, baseline, since, column)
        return cost_data.drift(self.time, endpoint, baseline)

    def draft_tuning(self, training_job: str) -> TuningDraft:
        self._block("draft_tuning", training_job)
        return tuning_data.tuning_draft(training_job)

    def create_tuning(self, request: TuningRequest) -> str:
        self._block("create_tuning", request)
        return request.name

    def stop_tuning(self, name: str) -> None:
        self._block("stop_tuning", name)

    def delete_tuning(self, name: str) -> None:
        self._block("delete_tuning", name)

    def draft_warm_start(self, parent: str, kind: WarmStartKind) -> TuningRequest:
        self._block("draft_warm_start", parent, kind)
        draft = tuning_data.tuning_draft().request
        return replace(draft, name=f"{parent}-warm", warm_start=kind, parents=(parent,))

    def deploy_best(self, tuning: str, endpoint: str, instance_type: str, trial: str = "") -> str:
        self._block("deploy_best", tuning, trial)
        return f"{tuning}-endpoint"

    def start_defaults(self, tuning: str, runs: int) -> Sequence[str]:
        self._block("start_defaults", tuning, runs)
        return [f"{tuning}-default-{number}" for number in range(runs)]

    def draft_transform(self, source: str) -> TransformDraft:
        self._block("draft_transform", source)
        return tuning_data.transform_draft(source)

    def create_transform(self, draft: TransformDraft) -> str:
        self._block("create_transform", draft)
        return draft.request.name

    def stop_transform(self, name: str) -> None:
        self._block("stop_transform", name)

    def transform_output(self, name: str, rows: int) -> TransformOutput:
        self._block("transform_output", name, rows)
        return tuning_data.transform_output()

    def draft_experiment(self, endpoint: str) -> Experiment:
        self._block("draft_experiment", endpoint)
        return replace(experiment_data.SPAM, name=f"{endpoint}-ab-0115-080000", endpoint=endpoint)

    def start_experiment(self, experiment: Experiment) -> str:
        self._block("start_experiment", experiment)
        return experiment.name

    def weigh_experiment(self, name: str, weights: Mapping[str, float]) -> None:
        self._block("weigh_experiment", name, dict(weights))

    def stop_experiment(self, name: str, after: After) -> None:
        self._block("stop_experiment", name, after)

    def plan_promotion(self, name: str, variant: str, how: How) -> Promotion:
        self._block("plan_promotion", name, variant, how)
        return experiment_data.promotion(name, variant, how)

    def promote(self, promotion: Promotion) -> None:
        self._block("promote", promotion)

    def remove_experiment(self, name: str) -> None:
        self._block("remove_experiment", name)

    def feed_experiment(self, name: str, path: str) -> Intake:
        self._block("feed_experiment", name, path)
        return Intake(120, 118, {"duplicate": 2})

    def price_feed(self, name: str, request: ReplayRequest) -> tuple[Sequence[str], str]:
        self._block("price_feed", name, request)
        return (("It costs.",), "agreed") if self.target == "aws" else ((), "")

    def start_feed(self, name: str, request: ReplayRequest, confirmed: str) -> None:
        self._block("start_feed", name, request, confirmed)

    def stop_feed(self, name: str) -> bool:
        self._block("stop_feed", name)
        return True

    def rollout_of(self, endpoint: str) -> tuple[str, Facts | None]:
        self._block("rollout_of", endpoint)
        return (self.rollout, None) if self.rollout else (self.last_rollout, rollout_data.facts())

    def rollout_facts(self, endpoint: str) -> Facts:
        self._block("rollout_facts", endpoint)
        return rollout_data.facts()

    def draft_rollout(
        self, endpoint: str, source: str, variant: str, alarms: tuple[str, ...]
    ) -> tuple[Facts, Source]:
        self._block("draft_rollout", endpoint, source, variant, alarms)
        if source.startswith("no-"):
            raise Problem(f"{source} is none of: model, training job, endpoint configuration.", "", "source")
        return rollout_data.facts(), rollout_data.source(source)

    def begin_rollout(self, plan: Plan) -> str:
        self._block("begin_rollout", plan)
        return plan.id

    def question_of_rollout(self, name: str, what: str) -> Sequence[str]:
        self._block("question_of_rollout", name, what)
        return rollout_data.QUESTIONS[what]

    def roll_back_rollout(self, name: str) -> tuple[str, str]:
        self._block("roll_back_rollout", name)
        return name, "SetAlarmState to ALARM."

    def promote_rollout(self, name: str) -> str:
        self._block("promote_rollout", name)
        return "UpdateEndpointWeightsAndCapacities."

    def settle_rollout(self, name: str) -> int:
        self._block("settle_rollout", name)
        return 5

    def plan_rollout_cleaning(self, name: str) -> Cleaning:
        self._block("plan_rollout_cleaning", name)
        return Cleaning(name, (("endpoint configuration", name),), ())

    def clean_rollout(self, cleaning: Cleaning) -> Sequence[str]:
        self._block("clean_rollout", cleaning)
        return [f"Deleted {what} {name}." for what, name in cleaning.things]


def job_row(name: str, status: str, age: float, seconds: float | None = None, **more: Any) -> JobRow:
    """A job created ``age`` seconds before now that ran for ``seconds``."""
    created = NOW - age
    ended = created + seconds if seconds is not None else None
    return JobRow(
        name=name,
        status=status,
        created=created,
        modified=ended or NOW,
        ended=ended,
        instance_type="ml.m5.large",
        instance_count=1,
        **more,
    )


def jobs() -> tuple[JobRow, ...]:
    """A small account: one of each status."""
    return (
        job_row("moons-high-20270115-075812-41c2", "InProgress", 108, secondary_status="Training"),
        job_row("moons-low-20270115-074400-9d01", "Completed", 960, 42, secondary_status="Completed"),
        job_row("plagiarism-sklearn-20270115-071530-77aa", "Failed", 2670, 12.4, secondary_status="Failed"),
        job_row("moons-low-20270115-062000-1b7e", "Stopped", 6000, 300, secondary_status="Stopped"),
        job_row("boston-xgboost-20270114-120000-0042", "Completed", 72_000, 67, secondary_status="Completed"),
    )


def job_detail(row: JobRow) -> JobDetail:
    """The description of a job of `jobs`."""
    steps = [
        ("Starting", 0, 2.1, "Preparing the instance"),
        ("Downloading", 2.1, 3.4, "Downloading input data"),
        ("Training", 3.4, None, "Training image download completed"),
    ]
    transitions = [
        Transition(
            status=name,
            started=row.created + begin,
            ended=None if end is None and row.active else row.created + (end or 40.0),
            message=text,
        )
        for name, begin, end, text in steps
    ]
    if not row.active:
        transitions.append(
            Transition(
                status="Uploading",
                started=row.created + 40,
                ended=row.created + 41.8,
                message="Uploading the model",
            )
        )
    return JobDetail(
        row=row,
        arn=f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{row.name}",
        failure_reason="AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"ValueError: could not convert string to float: 'taska'\""
        if row.status == "Failed"
        else "",
        image="763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5-cpu-py311",
        role="arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole",
        hyperparameters={
            "epochs": "300",
            "learning-rate": "0.01",
            "hidden": "32",
            "sagemaker_program": "train.py",
        },
        channels=(
            Channel(
                name="train",
                location="s3://sagemaker-us-east-1-123456789012/moons/train.csv",
                content_type="text/csv",
                distribution="FullyReplicated",
            ),
        ),
        transitions=tuple(transitions),
        final_metrics=(
            FinalMetric(name="train:loss", value=0.2871, time=row.created + 39),
            FinalMetric(name="validation:accuracy", value=0.9111, time=row.created + 39),
        ),
        metric_definitions={"train:loss": "loss=([0-9.]+)", "validation:accuracy": "accuracy=([0-9.]+)"},
        model_artifact=""
        if row.active
        else f"s3://sagemaker-us-east-1-123456789012/{row.name}/output/model.tar.gz",
        output_path="s3://sagemaker-us-east-1-123456789012/",
        volume_gb=30,
        max_runtime=1800,
        started=row.created + 2,
        training_seconds=None if row.active else 42,
        billable_seconds=None if row.active else 42,
    )


def curve(name: str, start: float, end: float, begin: float, points: int = 60) -> SeriesData:
    """A metric that goes from ``start`` towards ``end``, one point each second."""
    values = tuple(
        (begin + i, round(end + (start - end) * 0.93**i + 0.01 * ((i * 7) % 5 - 2) / (1 + i / 10), 5))
        for i in range(points)
    )
    return SeriesData(name, values)


def log_tail(row: JobRow, lines: int = 40) -> LogTail:
    """The log of a job."""
    texts = [
        f"epoch {i + 1}/300 loss={0.2871 + 0.4 * 0.93**i:.4f} accuracy={0.91 - 0.4 * 0.9**i:.4f}"
        for i in range(lines)
    ]
    texts[0:0] = [
        "Invoking script with the following command:",
        "/usr/bin/python3 train.py --epochs 300 --hidden 32",
        "WARNING: no GPU found, training on 2 CPU threads",
    ]
    return LogTail(tuple(LogLine(row.created + 4 + i, "algo-1", text) for i, text in enumerate(texts)))


def endpoints() -> tuple[EndpointRow, ...]:
    return (
        EndpointRow(
            name="moons-ab-20270115-074500",
            status="InService",
            created=NOW - 900,
            modified=NOW - 860,
            instances=(("ml.t2.medium", 1), ("ml.m5.large", 1)),
        ),
        EndpointRow(
            name="plagiarism-20270115-075900", status="Creating", created=NOW - 60, modified=NOW - 60
        ),
    )


def endpoint_detail(row: EndpointRow) -> EndpointDetail:
    return EndpointDetail(
        row=row,
        arn=f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{row.name}",
        config=f"{row.name}-config",
        raw_config={"DataCaptureConfig": endpoint_data.CAPTURE_CONFIG} if row.status == "InService" else {},
        variants=(
            VariantRow(
                name="champion",
                model="moons-low-9d01",
                instance_type="ml.t2.medium",
                current_weight=0.9,
                desired_weight=0.9,
                current_count=1,
                desired_count=1,
                share=0.9,
            ),
            VariantRow(
                name="challenger",
                model="moons-high-41c2",
                instance_type="ml.m5.large",
                current_weight=0.1,
                desired_weight=0.1,
                current_count=1,
                desired_count=2,
                share=0.1,
            ),
        ),
    )


def traffic() -> EndpointTraffic:
    def wave(name: str, variant: str, base: float, swing: float) -> SeriesData:
        return SeriesData(
            name,
            tuple((NOW - 900 + 10 * i, base + swing * ((i * 13) % 11) / 10) for i in range(90)),
            variant=variant,
        )

    return EndpointTraffic(
        window=900,
        period=10,
        variants=(
            VariantTraffic("champion", 1204, 0, 0, 80.3, 3.4, 3.1, 9.8, 5.2),
            VariantTraffic("challenger", 133, 0, 2, 8.9, 4.1, 3.9, 14.2, 8.8, 3),
        ),
        series=(
            wave("Invocations", "champion", 12, 4), wave("Invocations", "challenger", 1, 2),
            wave("p50", "champion", 3, 0.4), wave("p99", "champion", 8, 3), wave("p50", "challenger", 3.6, 0.8), wave("p99", "challenger", 11, 5),
        ),
    )  # fmt: skip


def study_run(
    name: str, status: str, *, created: float = NOW - 95, interface: str = "low", **more: Any
) -> Run:
    return Run(
        id=name, folder=Path("/nonexistent") / name, study="moons", interface=interface, status=status, created=created,
        parameters={"epochs": 300, "learning-rate": 0.01, "hidden": 32, "seed": 1}, configuration={"target": "embedded"}, **more,
    )  # fmt: skip


def runs() -> tuple[Run, ...]:
    return (
        study_run("moons-20270115-075825-1f3a", "running", step="train"),
        study_run(
            "moons-20270115-074355-c0de",
            "completed",
            created=NOW - 965,
            ended=NOW - 900,
            metrics={"accuracy": 0.8933, "lift": 0.0333},
        ),
        study_run(
            "moons-20270114-180210-77b1",
            "refused",
            created=NOW - 50_000,
            ended=NOW - 49_950,
            message="The gate `beats-baseline` said no: 0.8067 against 0.9 of the RBF SVM.",
            metrics={"accuracy": 0.8067},
        ),
    )


def run_events(run: str, upto: int = 100, *, question: bool = False) -> list[e.Event]:
    """The events of a moons run: all, or only those of its first ``upto`` steps."""
    info = next(info for info in catalog() if info.name == "moons")
    at = NOW - 60
    found: list[e.Event] = [
        e.RunStarted(
            time=at,
            run=run,
            study="moons",
            interface="low",
            target="embedded",
            steps=[{"id": i, "title": t} for i, t in info.steps],
            parameters={"epochs": 300},
        )
    ]
    for number, (identifier, title) in enumerate(info.steps):
        if number >= upto:
            break
        last = number == upto - 1
        at += 2
        found.append(e.StepStarted(time=at, step=identifier, title=title))
        found.append(
            e.ApiCall(
                time=at + 0.1,
                step=identifier,
                service="sagemaker",
                operation="DescribeTrainingJob",
                parameters={"TrainingJobName": run},
                seconds=0.0123,
            )
        )
        found += [replace(event, time=at + 0.2, step=identifier) for event in _of_step(identifier)]
        if last:
            found.append(
                e.Progress(
                    time=at + 1, step=identifier, done=180, total=300, unit="epochs", note="loss 0.2871"
                )
            )
            if question:
                found.append(
                    e.Question(
                        time=at + 1,
                        step=identifier,
                        question="deploy-anyway",
                        text="The net loses to the RBF SVM. Host it anyway?",
                        choices=["no", "yes"],
                        default="no",
                    )
                )
        else:
            found.append(
                e.StepFinished(
                    time=at + 1.8, step=identifier, status="done", seconds=1.8, summary=f"{title} is done."
                )
            )
    if upto >= len(info.steps):
        found.append(
            e.RunFinished(
                time=at + 2,
                run=run,
                status="completed",
                metrics={"accuracy": 0.8933, "precision": 0.9, "recall": 0.8861},
                message="The net beats logistic regression by 3.3 points.",
            )
        )
    return found


def _of_step(step: str) -> list[e.Event]:
    if step == "baseline":
        return [
            e.Table(
                time=0,
                title="Free baselines",
                columns=["model", "accuracy", "seconds"],
                rows=[["logistic regression", 0.86, 0.004], ["RBF SVM", 0.9, 0.011]],
            )
        ]
    if step == "train":
        found: list[e.Event] = [
            e.Log(time=0, message="Training job moons-1f3a is InProgress."),
            e.Artifact(time=0, what="training job", name="moons-1f3a"),
        ]
        for point in range(60):
            found.append(
                e.Metric(time=0, name="train:loss", value=round(0.28 + 0.4 * 0.93**point, 5), x=point * 3)
            )
            found.append(
                e.Metric(
                    time=0, name="validation:loss", value=round(0.31 + 0.38 * 0.94**point, 5), x=point * 3
                )
            )
            found.append(
                e.Metric(
                    time=0, name="validation:accuracy", value=round(0.91 - 0.41 * 0.9**point, 5), x=point * 3
                )
            )
        return found
    if step == "gate":
        return [
            e.Gate(
                time=0,
                name="loss-moves",
                verdict="pass",
                reason="The loss fell from 0.693 to 0.287; ln 2 is 0.693.",
            ),
            e.Gate(
                time=0,
                name="beats-baseline",
                verdict="warn",
                reason="0.8933 beats logistic regression (0.86), not the RBF SVM (0.9).",
                value=0.8933,
                threshold=0.9,
            ),
        ]
    if step == "evaluate":
        axis = [i / 10 for i in range(-15, 26)]
        grid = [
            [1 / (1 + 2.718 ** (-4 * (y + 0.4 * (1 - x) * (x - 0.2)))) for x in axis]
            for y in [j / 10 for j in range(-10, 16)]
        ]
        return [
            e.Table(time=0, title="On 150 points it never saw", columns=["", "said 0", "said 1"], rows=[["is 0", 64, 7], ["is 1", 9, 70]]),
            e.Figure(
                time=0, title="Decision boundary", form="field", x_label="x1", y_label="x2",
                series=[
                    {"name": "net", "x": axis, "y": [j / 10 for j in range(-10, 16)], "z": grid},
                    {"name": "class 0", "x": [-1, -0.5, 0, 0.5, 1], "y": [-0.1, -0.4, -0.6, -0.5, -0.2]},
                    {"name": "class 1", "x": [0, 0.5, 1, 1.5, 2], "y": [0.5, 0.9, 1.1, 0.8, 0.4]},
                ],
            ),
        ]  # fmt: skip
    return []


def populated(*, batch: bool = False, **options: Any) -> Scripted:
    """Services with a small account; with ``batch`` it has transform jobs, too."""
    services = Scripted(**options)
    services.publish(topics.JOBS, jobs())
    for row in jobs():
        services.publish(topics.job(row.name), job_detail(row))
        services.publish(topics.job_logs(row.name), log_tail(row))
        begin = row.created + 4
        services.publish(
            topics.job_metrics(row.name),
            (
                curve("train:loss", 0.69, 0.28, begin),
                curve("validation:loss", 0.68, 0.31, begin),
                curve("validation:accuracy", 0.5, 0.91, begin),
            ),
        )
    services.publish(topics.ENDPOINTS, endpoints())
    for endpoint in endpoints():
        services.publish(topics.endpoint(endpoint.name), endpoint_detail(endpoint))
        services.publish(topics.endpoint_metrics(endpoint.name), traffic())
        services.publish(topics.endpoint_alarms(endpoint.name), endpoint_data.alarms())
        services.publish(topics.endpoint_scaling(endpoint.name), endpoint_data.scaling())
        services.publish(
            topics.endpoint_logs(endpoint.name),
            LogTail(
                (
                    LogLine(NOW - 30, "champion", "GET /ping 200"),
                    LogLine(NOW - 20, "challenger", "POST /invocations 200"),
                )
            ),
        )
    publish_tuning(services)
    publish_transforms(services, tuning_data.transforms() if batch else ())
    services.publish(topics.COSTS, cost_data.costs(NOW))
    services.publish(topics.RUNS, runs())
    services.publish(topics.AUDIT, audit_data.entries(NOW))
    services.publish(topics.REPLAYS, ())
    services.events["moons-20270115-075825-1f3a"] = run_events("moons-20270115-075825-1f3a", upto=4)
    services.events["moons-20270115-074355-c0de"] = run_events("moons-20270115-074355-c0de")
    return services


def publish_tuning(services: Scripted) -> None:
    """The tuning jobs of the account."""
    services.publish(topics.TUNING_JOBS, tuning_data.tuning_jobs())
    for view in (
        tuning_data.tuning_view(),
        tuning_data.tuning_view("boston-xgb-0114", count=22, active=False, defaults=0),
    ):
        services.publish(topics.tuning(view.detail.name), view)


def publish_transforms(services: Scripted, rows: Sequence[TransformRow]) -> None:
    """Transform jobs with their progress and logs."""
    services.publish(topics.TRANSFORMS, tuple(rows))
    for row in rows:
        services.publish(topics.transform(row.name), tuning_data.transform_detail(row))
        services.publish(topics.transform_progress(row.name), tuning_data.transform_progress(row))
        services.publish(topics.transform_logs(row.name), tuning_data.transform_log(row))


def publish_experiments(services: Scripted) -> None:
    """The A/B tests of this machine."""
    services.publish(topics.EXPERIMENTS, experiment_data.reports())
    for report in experiment_data.reports():
        services.publish(topics.experiment(report.name), experiment_data.view(report))
