"""The services of the running program: the polling hub, the runs on this machine and the catalog of studies."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Any, TypeVar

from console.shifting import ShiftingServices
from workflows import accounts, firsttime, notices
from workflows.explain import explain
from workflows.problem import Problem

if TYPE_CHECKING:
    from console.services import Deliver, Services, Unwatch
    from workflows.comparison import Comparison
    from workflows.configuration import Configuration
    from workflows.creation import NewVariant
    from workflows.drift.report import DriftReport
    from workflows.events import Event
    from workflows.hub import Hub
    from workflows.inspecting.bucket import Folder, Preview
    from workflows.inspecting.code import Snippet
    from workflows.inspecting.relations import Related
    from workflows.lessons.progress import Progress
    from workflows.lifetime import Lifetime
    from workflows.lineage import Lineage
    from workflows.observe.captures import Capture, CapturePage
    from workflows.observe.gateway import Gateway
    from workflows.observe.rows import DeletionPlan, Invocation
    from workflows.observe.transform_rows import TransformOutput
    from workflows.observe.watch_rows import AlarmHistory
    from workflows.runs import Run
    from workflows.safety.rehearsal import Rehearsal
    from workflows.studies.catalog import StudyInfo
    from workflows.studies.parameters import Value
    from workflows.studies.shelf import Shelf
    from workflows.sweep.leftovers import Leftover, Outcome, Rules, SweepPlan, SweepReport
    from workflows.targets.entries import Entry
    from workflows.targets.glance import Glance
    from workflows.targets.glances import Glances
    from workflows.topics import HubStatus, Topic
    from workflows.traffic.bill import Bill
    from workflows.traffic.plan import Plan as ReplayPlan
    from workflows.traffic.reports import Report
    from workflows.traffic.sources import Source as ReplaySource
    from workflows.transforms.draft import TransformDraft
    from workflows.tuning.draft import TuningDraft
    from workflows.tuning.request import TuningRequest, WarmStartKind
    from workflows.weights import Change

T = TypeVar("T")
IDLE = 5.0
"""Seconds without an event after which a follower looks whether anybody still reads."""


class LiveServices(ShiftingServices):
    """Implements `console.services.Services` on the layers below.

    Args:
        grain: Seconds in whose steps time passes on the screen, for slow lines; 0: none.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        read_only: bool = False,
        grain: float = 0.0,
        playing: Rehearsal | None = None,
    ) -> None:
        from workflows.hub import Hub

        if read_only:
            configuration = replace(configuration, read_only="all")
        self.configuration = configuration
        self.target = str(configuration.target)
        self.profile = configuration.profile
        self.region = configuration.region
        self.read_only = configuration.looks_only
        self.grain = grain
        self.interface = str(configuration.interface)
        self.notices = notices.ways(configuration.notify_by)
        self._playing = playing
        self._hub: Hub = Hub.of(configuration, playing)
        self._glances: Glances | None = None

    def now(self) -> float:
        return time.time() // self.grain * self.grain if self.grain else time.time()

    def start(self, on_status: Callable[[HubStatus], None]) -> None:
        self._hub.subscribe_status(on_status)

    def close(self) -> None:
        self._hub.close()

    def watch(self, topic: Topic[Any], deliver: Deliver) -> Unwatch:
        return self._hub.subscribe(topic, deliver).close

    def refresh(self) -> None:
        self._hub.refresh()

    def first_time(self) -> bool:
        return firsttime.first_time()

    def pause(self, paused: bool) -> None:
        if paused:
            self._hub.pause()
        else:
            self._hub.resume()

    def hidden(self, yes: bool) -> None:
        self._hub.hidden(yes)

    def studies(self) -> Sequence[StudyInfo]:
        from workflows.studies.catalog import catalog

        return catalog()

    def lessons(self) -> Sequence[StudyInfo]:
        from workflows.lessons.catalog import lessons

        return lessons()

    def progress(self) -> Mapping[str, Progress]:
        from workflows import runs
        from workflows.lessons.progress import progress

        return progress(self.lessons(), runs.list_runs())

    def start_run(
        self, study: str, values: Mapping[str, Value], *, interface: str, keep: bool, preset: str
    ) -> Run:
        from workflows import runs

        return runs.start(
            study,
            values,
            interface=interface,
            keep=keep,
            configuration=self.configuration,
            interactive=True,
            preset=preset,
        )

    def find_run(self, run: str) -> Run:
        from workflows import runs

        return runs.find(run)

    def follow(self, run: str, deliver: Callable[[Event], None], closed: Callable[[], bool]) -> None:
        from workflows import lineage, runs
        from workflows.events import RunFinished

        found = runs.find(run)
        checked = None if found.active else lineage.check(found)
        seen, ended = 0, False
        while not (closed() or ended):
            for event in runs.follow(found, offset=seen, timeout=IDLE):
                if closed():
                    return
                seen += 1
                ended = isinstance(event, RunFinished)
                shown = checked.shown(event) if checked else event
                if shown is not None:
                    deliver(shown)

    def stop_run(self, run: str) -> None:
        from workflows import runs

        runs.stop(runs.find(run))

    def resume_run(self, run: str) -> None:
        from workflows import runs

        runs.resume(runs.find(run))

    def answer(self, run: str, question: str, choice: str) -> None:
        from workflows import runs

        runs.answer(runs.find(run), question, choice)

    def code(self, run: str, interface: str = "") -> str:
        from workflows import runs

        return runs.code(runs.find(run), interface)

    def shelves(self) -> Mapping[str, Shelf]:
        from workflows.studies.shelf import shelves

        return shelves(self.configuration)

    def withheld(self, runs: Sequence[Run]) -> Mapping[str, str]:
        from workflows import lineage

        checked = {run.id: lineage.check(run, quick=True).sentence for run in runs}
        return {name: why for name, why in checked.items() if why}

    def lineage(self, run: str) -> Lineage:
        from workflows import lineage, runs

        return lineage.check(runs.find(run))

    def remains(self, runs: Sequence[str]) -> Mapping[str, Sequence[str]]:
        from workflows.runs import find, left

        return {name: left(find(name)) for name in runs}

    def events_of(self, run: str) -> Sequence[Event]:
        from workflows import runs

        return tuple(runs.follow(runs.find(run), timeout=0))

    def compare(self, a: str, b: str) -> Comparison:
        from workflows import runs
        from workflows.comparison import compare

        return compare(runs.find(a), runs.find(b))

    def write_report(self, run: str) -> Path:
        from workflows import runs
        from workflows.report import files

        found = runs.find(run)
        return files.write(found, found.folder / f"{found.id}.html").file

    def host_together(self, endpoint: str, variants: Sequence[NewVariant]) -> str:
        from workflows import creation
        from workflows.interfaces.rollouts.low import LowRollouts
        from workflows.lifetime import COMMAND

        def make(gateway: Gateway) -> str:
            planned = creation.plan(gateway, endpoint, variants, role="", tags={COMMAND: "console"})
            creation.create(LowRollouts(gateway), planned)
            return endpoint

        return self._use(make)

    def stop_job(self, name: str) -> None:
        from workflows.observe import jobs

        self._use(lambda gateway: jobs.stop(gateway, name))

    def plan_deletion(self, endpoint: str) -> DeletionPlan:
        from workflows.observe import endpoints

        return self._use(lambda gateway: endpoints.plan_deletion(gateway, endpoint))

    def delete_endpoint(self, plan: DeletionPlan) -> Sequence[str]:
        from workflows.observe import endpoints

        return self._use(lambda gateway: endpoints.delete(gateway, plan))

    def profiles(self) -> Sequence[str]:
        return accounts.profiles()

    def regions(self) -> Sequence[str]:
        return accounts.regions()

    def elsewhere(self, **changes: str) -> LiveServices:
        there = replace(self.configuration, **changes)  # type: ignore[arg-type]
        return LiveServices(there, grain=self.grain)

    def targets(self) -> Sequence[Entry]:
        from workflows.targets.entries import listed

        return listed(self.configuration)

    def glances(self, entries: Sequence[Entry], deliver: Callable[[Glance], None]) -> None:
        from workflows.targets.glances import Glances

        if self._glances is None:
            self._glances = Glances(self.configuration)
        for glance in self._glances.look(entries):
            deliver(glance)

    def rehearse(self, task: Callable[[Services], Any]) -> Sequence[str]:
        from workflows.safety import rehearsal

        playing = rehearsal.Rehearsal()
        twin = LiveServices(replace(self.configuration, read_only=""), playing=playing)
        failure = ""
        try:
            with rehearsal.within(playing):
                task(twin)
        except rehearsal.Rehearsed:
            pass
        except Exception as error:
            if not playing.calls:
                raise
            failure = f"Then: {explain(error, self.target)}" if isinstance(error, Problem) else ""
        finally:
            twin.close()
        lines = rehearsal.told(playing.calls) or ["Nothing would be sent: it is so already."]
        rest = playing.ended or failure
        return [*lines, *(["", rest] if rest else [])]

    def describe(self, kind: str, name: str) -> Mapping[str, Any]:
        from workflows.inspecting import documents

        return self._use(lambda gateway: documents.describe(gateway, kind, name))

    def relations(
        self, kind: str, name: str, document: Mapping[str, Any]
    ) -> tuple[tuple[Related, ...], bool]:
        from workflows.inspecting import relations

        named = relations.named(kind, document)
        users, complete = self._use(lambda gateway: relations.using(gateway, kind, name, document))
        return (*named, *(one for one in users if one not in named)), complete

    def equivalents(self, kind: str, name: str, document: Mapping[str, Any]) -> tuple[Snippet, ...]:
        from workflows.inspecting import code

        def where(gateway: Gateway) -> code.Where:
            platform = getattr(gateway, "gateway", gateway)
            return code.Where(gateway.region, self.profile, str(getattr(platform, "endpoint_url", "") or ""))

        return code.snippets(kind, name, document, self._use(where))

    def notify(self, text: str, details: Mapping[str, str]) -> None:
        if self.configuration.notify_webhook:
            status = self._hub.status()  # the region that is asked, which the configuration need not name
            where = {
                "target": self.target,
                "profile": self.profile,
                "region": status.region or self.region,
                "account": status.account,
            }
            notices.post(self.configuration.notify_webhook, text, {**details, **where})

    def s3_folder(self, uri: str) -> Folder:
        from workflows.inspecting import bucket

        return self._use(lambda gateway: bucket.folder(gateway, uri))

    def s3_preview(self, uri: str) -> Preview:
        from workflows.inspecting import bucket

        return self._use(lambda gateway: bucket.preview(gateway, uri))

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str, accept: str, variant: str
    ) -> Invocation:
        from workflows.observe import endpoints

        return self._use(
            lambda gateway: endpoints.invoke(
                gateway, endpoint, body, content_type=content_type, accept=accept, target_variant=variant
            )
        )

    def change_weights(self, change: Change) -> None:
        from workflows.interfaces.rollouts.low import LowRollouts

        self._use(lambda gateway: LowRollouts(gateway).weigh(change.endpoint, change.weights, change.counts))

    def captures(self, endpoint: str, variant: str, after: Capture | None) -> CapturePage:
        from workflows.observe import captures

        return self._use(lambda gateway: captures.page(gateway, endpoint, variant, after=after))

    def alarm_history(self, alarm: str) -> AlarmHistory:
        from workflows.observe import alarms

        return self._use(lambda gateway: alarms.history(gateway, alarm))

    def price_replay(self, endpoint: str, plan: ReplayPlan, source: ReplaySource) -> Bill | None:
        if self.target == "embedded":
            return None
        from workflows.traffic import bill

        def priced(gateway: Gateway) -> Bill:
            payloads = source.load(gateway, endpoint)
            mean = sum(len(payload.body) for payload in payloads) / len(payloads)
            return bill.of(gateway, endpoint, plan, payload_bytes=mean)

        return self._use(priced)

    def start_replay(
        self, endpoint: str, plan: ReplayPlan, source: ReplaySource, *, variant: str, confirmed: str
    ) -> Report:
        from workflows.traffic import reports

        report = reports.begin(
            endpoint, plan, source, self.configuration, variant=variant, confirmed=confirmed
        )
        reports.start(report, self.configuration)
        return report

    def stop_replay(self, report: str) -> None:
        from workflows.traffic import reports

        reports.stop(reports.find(report))

    def set_lifetime(self, endpoint: str, seconds: float | None, *, keep: bool = False) -> Lifetime:
        from workflows import lifetime
        from workflows.observe.endpoints import describe

        def change(gateway: Gateway) -> Lifetime:
            arn = describe(gateway, endpoint).arn
            if keep:
                return lifetime.keep(gateway, arn)
            if seconds is None:
                return lifetime.free(gateway, arn)
            return lifetime.limit(gateway, arn, seconds, time.time())

        return self._use(change)

    def plan_sweep(self, rules: Rules) -> SweepPlan:
        from workflows.sweep.plan import plan

        return self._use(lambda gateway: plan(gateway, rules, time.time()))

    def sweep(self, chosen: Sequence[Leftover], rules: Rules, told: Callable[[Outcome], None]) -> SweepReport:
        from workflows.sweep.removal import remove

        return self._use(lambda gateway: remove(gateway, chosen, rules, now=time.time, told=told))

    def drift(self, endpoint: str, baseline: str, since: float | None, column: str) -> DriftReport:
        from workflows.drift import apart
        from workflows.drift.operations import drift

        return self._use(
            lambda gateway: drift(
                gateway, endpoint, baseline, now=time.time(), since=since, column=column, comparing=apart.compare
            )
        )  # fmt: skip

    def draft_tuning(self, training_job: str) -> TuningDraft:
        from workflows.tuning.draft import draft_of

        return self._use(lambda gateway: draft_of(gateway, training_job))

    def create_tuning(self, request: TuningRequest) -> str:
        from workflows.tuning import asked

        return self._use(lambda gateway: asked.create(gateway, request))

    def stop_tuning(self, name: str) -> None:
        from workflows.observe import tuning

        self._use(lambda gateway: tuning.stop(gateway, name))

    def delete_tuning(self, name: str) -> None:
        from workflows.observe import tuning

        self._use(lambda gateway: tuning.delete(gateway, name))

    def draft_warm_start(self, parent: str, kind: WarmStartKind) -> TuningRequest:
        from workflows.tuning import asked

        return self._use(lambda gateway: asked.warm_start(gateway, parent, kind))

    def deploy_best(self, tuning: str, endpoint: str, instance_type: str, trial: str = "") -> str:
        from workflows.tuning import asked

        return self._use(lambda gateway: asked.deploy_best(gateway, tuning, endpoint, instance_type, trial))

    def start_defaults(self, tuning: str, runs: int) -> Sequence[str]:
        from workflows.tuning import asked

        return self._use(lambda gateway: asked.start_defaults(gateway, tuning, runs))

    def draft_transform(self, source: str) -> TransformDraft:
        from workflows.transforms.draft import draft

        return self._use(lambda gateway: draft(gateway, source))

    def create_transform(self, draft: TransformDraft) -> str:
        from workflows.transforms import asked

        return self._use(lambda gateway: asked.create(gateway, draft))

    def stop_transform(self, name: str) -> None:
        from workflows.observe import transforms

        self._use(lambda gateway: transforms.stop(gateway, name))

    def transform_output(self, name: str, rows: int) -> TransformOutput:
        from workflows.observe import transforms
        from workflows.transforms.output import preview

        return self._use(lambda gateway: preview(gateway, transforms.describe(gateway, name), rows))

    def _use(self, action: Callable[[Gateway], T]) -> T:
        """The result of an action at the target; the caller's thread waits."""
        finished = Flag()
        outcome: list[Any] = [None, None]

        def done(value: Any, problem: Problem | None) -> None:
            outcome[:] = [value, problem]
            finished.set()

        playing = self._playing
        self._hub.use(action if playing is None else playing.rehearsed(action), done)
        finished.wait()
        if outcome[1] is not None:
            raise outcome[1]
        if playing is not None and playing.ended:
            playing.stop(playing.ended)
        result: T = outcome[0]
        return result
