"""What the console asks of the layers below it. The application knows only this protocol; tests bring their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from workflows.topics import HubStatus, Snapshot, Topic

if TYPE_CHECKING:
    from workflows.abtest.definition import Experiment
    from workflows.abtest.operations import After, Intake
    from workflows.abtest.promotion import How, Promotion
    from workflows.abtest.replaying import ReplayRequest
    from workflows.comparison import Comparison
    from workflows.creation import NewVariant
    from workflows.drift.report import DriftReport
    from workflows.events import Event
    from workflows.inspecting.bucket import Folder, Preview
    from workflows.inspecting.code import Snippet
    from workflows.inspecting.relations import Related
    from workflows.lessons.progress import Progress
    from workflows.lifetime import Lifetime
    from workflows.lineage import Lineage
    from workflows.observe.captures import Capture, CapturePage
    from workflows.observe.rows import DeletionPlan, Invocation
    from workflows.observe.transform_rows import TransformOutput
    from workflows.observe.watch_rows import AlarmHistory
    from workflows.rollout.facts import Facts, Source
    from workflows.rollout.plan import Plan
    from workflows.rollout.remains import Cleaning
    from workflows.runs import Run
    from workflows.studies.catalog import StudyInfo
    from workflows.studies.parameters import Value
    from workflows.studies.shelf import Shelf
    from workflows.sweep.leftovers import Leftover, Outcome, Rules, SweepPlan, SweepReport
    from workflows.targets.entries import Entry
    from workflows.targets.glance import Glance
    from workflows.traffic.bill import Bill
    from workflows.traffic.plan import Plan as ReplayPlan
    from workflows.traffic.reports import Report
    from workflows.traffic.sources import Source as ReplaySource
    from workflows.transforms.draft import TransformDraft
    from workflows.tuning.draft import TuningDraft
    from workflows.tuning.request import TuningRequest, WarmStartKind
    from workflows.weights import Change

Deliver = Callable[[Snapshot[Any]], None]
Unwatch = Callable[[], None]


class Services(Protocol):
    """Observation, actions and runs.

    ``deliver`` callbacks come from other threads with immutable values. Methods marked *blocks* take as long as the
    backend takes: they are called in threads of their own, and raise what `workflows.explain` can explain.
    """

    target: str
    profile: str
    region: str
    read_only: bool
    interface: str
    notices: frozenset[str]
    """How the terminal tells of what is watched: ``bell``, ``title``, ``desktop``."""

    def now(self) -> float:
        """Epoch seconds."""

    def start(self, on_status: Callable[[HubStatus], None]) -> None:
        """Begin observing in the background; returns at once."""

    def close(self) -> None:
        """Stop observing; returns at once, calls in flight are abandoned."""

    def watch(self, topic: Topic[Any], deliver: Deliver) -> Unwatch:
        """Observe a topic until the returned function is called. What is known already is delivered at once."""

    def refresh(self) -> None:
        """Poll everything watched as soon as the budget allows."""

    def first_time(self) -> bool:
        """Whether this is the first console on this machine; told once. Blocks (a file)."""

    def pause(self, paused: bool) -> None:
        """Stop or go on polling."""

    def hidden(self, yes: bool) -> None:
        """Whether nobody looks: another window has the focus."""

    def studies(self) -> Sequence[StudyInfo]:
        """The catalog."""

    def lessons(self) -> Sequence[StudyInfo]:
        """The lessons, by number."""

    def progress(self) -> Mapping[str, Progress]:
        """How far the person is in each lesson, by its name. Blocks (files)."""

    def start_run(
        self, study: str, values: Mapping[str, Value], *, interface: str, keep: bool, preset: str
    ) -> Run:
        """Start a run that asks its questions here. Blocks."""

    def find_run(self, run: str) -> Run:
        """The run of an id. Blocks (a file)."""

    def follow(self, run: str, deliver: Callable[[Event], None], closed: Callable[[], bool]) -> None:
        """Deliver all events of a run, then new ones as they come. Blocks until its end or until ``closed``."""

    def stop_run(self, run: str) -> None:
        """Ask a run to stop and clean up. Blocks."""

    def resume_run(self, run: str) -> None:
        """Go on with a run that was interrupted, stopped or failed. Blocks."""

    def answer(self, run: str, question: str, choice: str) -> None:
        """Answer the question of a run. Blocks."""

    def code(self, run: str, interface: str = "") -> str:
        """A run as a plain script, in its own interface or in another one. Blocks."""

    def shelves(self) -> Mapping[str, Shelf]:
        """The data and the cost of each study. Blocks (files)."""

    def withheld(self, runs: Sequence[Run]) -> Mapping[str, str]:
        """Why results of these runs must not be shown, by run; those whose results may be are left out. Blocks (files)."""

    def lineage(self, run: str) -> Lineage:
        """Whether the results of a run are still what it computed. Blocks (it hashes files)."""

    def remains(self, runs: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """What each of these runs has made and not deleted, such as ``endpoint NAME`` and ``model NAME``. Blocks (files)."""

    def events_of(self, run: str) -> Sequence[Event]:
        """What a run has told until now. Blocks (a file)."""

    def compare(self, a: str, b: str) -> Comparison:
        """What differs between two runs of a study. Blocks (it hashes files)."""

    def write_report(self, run: str) -> Path:
        """Write a run's report; returns the file. Blocks."""

    def host_together(self, endpoint: str, variants: Sequence[NewVariant]) -> str:
        """Create an endpoint with these variants; returns its name while it is being created. Blocks."""

    def stop_job(self, name: str) -> None:
        """Stop a training job. Blocks."""

    def plan_deletion(self, endpoint: str) -> DeletionPlan:
        """What deleting an endpoint deletes. Blocks."""

    def delete_endpoint(self, plan: DeletionPlan) -> Sequence[str]:
        """Carry out a plan; returns what was deleted. Blocks."""

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str, accept: str, variant: str
    ) -> Invocation:
        """Send a payload. Blocks."""

    def change_weights(self, change: Change) -> None:
        """Change weights and instance counts of an endpoint's variants. Blocks."""

    def captures(self, endpoint: str, variant: str, after: Capture | None) -> CapturePage:
        """The newest captured requests of an endpoint, or those that come after one. Empty ``variant``: of all. Blocks."""

    def alarm_history(self, alarm: str) -> AlarmHistory:
        """What became of a CloudWatch alarm, newest first. Blocks."""

    def price_replay(self, endpoint: str, plan: ReplayPlan, source: ReplaySource) -> Bill | None:
        """What a replay would cost, to be agreed to; None where it costs nothing. Blocks."""

    def start_replay(
        self, endpoint: str, plan: ReplayPlan, source: ReplaySource, *, variant: str, confirmed: str
    ) -> Report:
        """Start a replay in a process of its own. Blocks."""

    def stop_replay(self, report: str) -> None:
        """Ask a replay to end. Blocks (a file)."""

    # other targets

    def profiles(self) -> Sequence[str]:
        """The AWS profiles of this machine. Blocks (files)."""

    def regions(self) -> Sequence[str]:
        """The regions in which there is SageMaker. Blocks (files)."""

    def elsewhere(self, **changes: str) -> Services:
        """Services with another ``target``, ``profile`` or ``region``, and otherwise these options."""

    def targets(self) -> Sequence[Entry]:
        """The targets that are looked at side by side, the present one among them."""

    def glances(self, entries: Sequence[Entry], deliver: Callable[[Glance], None]) -> None:
        """Look at these targets; each is delivered as it answers, a problem of it, too. Blocks."""

    # rehearsals

    def rehearse(self, task: Callable[[Services], Any]) -> Sequence[str]:
        """The calls by which a task would change something, as lines of text; it gets services that send none. Blocks."""

    # any resource

    def describe(self, kind: str, name: str) -> Mapping[str, Any]:
        """A resource of one of `workflows.inspecting.kinds` as AWS describes it. Blocks."""

    def relations(
        self, kind: str, name: str, document: Mapping[str, Any]
    ) -> tuple[tuple[Related, ...], bool]:
        """What belongs together with a resource of this document, and whether all that could use it were looked at. Blocks."""

    def equivalents(self, kind: str, name: str, document: Mapping[str, Any]) -> tuple[Snippet, ...]:
        """The code that asks for a resource, and that would make one like it. Blocks (a file)."""

    def s3_folder(self, uri: str) -> Folder:
        """What lies below an S3 URI; ``s3://`` stands for the buckets. Blocks."""

    def s3_preview(self, uri: str) -> Preview:
        """The beginning of an object. Blocks."""

    def notify(self, text: str, details: Mapping[str, str]) -> None:
        """Tell the webhook of the configuration, if there is one. Blocks."""

    # costs, lifetimes, leftovers, drift

    def set_lifetime(self, endpoint: str, seconds: float | None, *, keep: bool = False) -> Lifetime:
        """Let an endpoint expire so many seconds from now (None: it does not), or keep it from every sweep. Blocks."""

    def plan_sweep(self, rules: Rules) -> SweepPlan:
        """What is left over, and what protects it. Blocks."""

    def sweep(self, chosen: Sequence[Leftover], rules: Rules, told: Callable[[Outcome], None]) -> SweepReport:
        """Delete leftovers that a new look still finds; ``told`` hears of each from another thread. Blocks."""

    def drift(self, endpoint: str, baseline: str, since: float | None, column: str) -> DriftReport:
        """What an endpoint is asked against a baseline; ``since`` is seconds. Blocks."""

    # hyperparameter tuning

    def draft_tuning(self, training_job: str) -> TuningDraft:
        """A tuning job as it could be made from a training job. Blocks."""

    def create_tuning(self, request: TuningRequest) -> str:
        """Create a tuning job; returns its name. Blocks."""

    def stop_tuning(self, name: str) -> None:
        """Stop a tuning job and its running trials. Blocks."""

    def delete_tuning(self, name: str) -> None:
        """Delete a tuning job that has ended; its training jobs stay. Blocks."""

    def draft_warm_start(self, parent: str, kind: WarmStartKind) -> TuningRequest:
        """A tuning job that learns from a finished one: as the parent, with a new name. Blocks."""

    def deploy_best(self, tuning: str, endpoint: str, instance_type: str, trial: str = "") -> str:
        """Make model, endpoint configuration and endpoint of the best trial; returns the endpoint's name while it is being
        created. Empty texts: named after the trial, on the trials' own instance type. ``trial``: that one, whatever has become the best since. Blocks."""

    def start_defaults(self, tuning: str, runs: int) -> Sequence[str]:
        """Start training jobs with the default configuration and different seeds; returns their names. Blocks."""

    # batch transform

    def draft_transform(self, source: str) -> TransformDraft:
        """A transform job as it could be made from a model or a training job. Blocks."""

    def create_transform(self, draft: TransformDraft) -> str:
        """Create a transform job, and its model where there is none yet; returns the job's name. Blocks."""

    def stop_transform(self, name: str) -> None:
        """Stop a transform job. Blocks."""

    def transform_output(self, name: str, rows: int) -> TransformOutput:
        """The result of a transform job with its first rows beside their input. Blocks."""

    # A/B tests

    def draft_experiment(self, endpoint: str) -> Experiment:
        """An A/B test as it could be started on an endpoint. Blocks."""

    def start_experiment(self, experiment: Experiment) -> str:
        """Start an A/B test: its variants get their weights; returns its name. Blocks."""

    def weigh_experiment(self, name: str, weights: Mapping[str, float]) -> None:
        """Change the weights of a running test. Blocks."""

    def stop_experiment(self, name: str, after: After) -> None:
        """End a test without a winner, and what feeds it. Blocks."""

    def plan_promotion(self, name: str, variant: str, how: How) -> Promotion:
        """What promoting a variant (empty: the winner) would do. Blocks (files)."""

    def promote(self, promotion: Promotion) -> None:
        """Carry out a promotion; the test ends. Blocks."""

    def remove_experiment(self, name: str) -> None:
        """Delete a test that has ended. Blocks (files)."""

    def feed_experiment(self, name: str, path: str) -> Intake:
        """Take rewards from a file of this machine. Blocks."""

    def price_feed(self, name: str, request: ReplayRequest) -> tuple[Sequence[str], str]:
        """What a replay costs: sentences to be agreed to (none here) and the confirmation that they stand for. Blocks."""

    def start_feed(self, name: str, request: ReplayRequest, confirmed: str) -> None:
        """Let a process of its own send labelled rows to a test. Blocks."""

    def stop_feed(self, name: str) -> bool:
        """End it; whether there was one. Blocks."""

    # rollouts

    def rollout_of(self, endpoint: str) -> tuple[str, Facts | None]:
        """The newest rollout of an endpoint (empty: none), and, where that has ended, what a new one is planned upon. Blocks."""

    def rollout_facts(self, endpoint: str) -> Facts:
        """What a rollout is planned upon. Blocks."""

    def draft_rollout(
        self, endpoint: str, source: str, variant: str, alarms: tuple[str, ...]
    ) -> tuple[Facts, Source]:
        """The same with the states of these alarms, and what the name of the new model means. Blocks."""

    def begin_rollout(self, plan: Plan) -> str:
        """Start a rollout; returns its name. Blocks."""

    def question_of_rollout(self, name: str, what: Literal["roll back", "promote"]) -> Sequence[str]:
        """What a person is told before a rollout is rolled back or promoted: calls, weights, costs. Blocks."""

    def roll_back_rollout(self, name: str) -> tuple[str, str]:
        """Take the new model back; the rollout that does it, and by which call. Blocks."""

    def promote_rollout(self, name: str) -> str:
        """Give the variant with the new model all of the traffic; by which call. Blocks."""

    def settle_rollout(self, name: str) -> int:
        """Delete the alarms of a rollout that has ended; how many. Blocks."""

    def plan_rollout_cleaning(self, name: str) -> Cleaning:
        """What cleaning a rollout would delete. Blocks."""

    def clean_rollout(self, cleaning: Cleaning) -> Sequence[str]:
        """Carry it out; a sentence for each thing that is proved to be gone. Blocks."""
