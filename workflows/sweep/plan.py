"""Tells what is left over, and why, and what protects it. Looks only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from workflows import lifetime
from workflows.costs.overview import Billed
from workflows.lifetime import KEEP
from workflows.observe.gateway import Gateway, answered
from workflows.observe.objects import listed
from workflows.observe.reading import not_found
from workflows.observe.rows import ACTIVE_ENDPOINT
from workflows.problem import Problem
from workflows.rollout import record
from workflows.runs import Run
from workflows.sweep import inventory
from workflows.sweep.inventory import PREFIX, Inventory, Listed
from workflows.sweep.leftovers import (
    ALARM,
    CONFIG,
    ENDPOINT,
    LOGS,
    MODEL,
    OBJECTS,
    ORDER,
    TARGET,
    WEBAPP,
    Leftover,
    Rules,
    SweepPlan,
)

RUN = re.compile(r"[a-z0-9-]+-\d{8}-\d{6}-[0-9a-f]{4}")
"""The ids of runs; other folders below the prefix are inputs of jobs that a person named."""
NOT_OURS = f"not made by mlconsole (no tag {lifetime.OWN}…)"
SERVICE_ALARM = "TargetTracking-"


def plan(
    gateway: Gateway, rules: Rules, now: float, *, bucket: str = "", runs: Sequence[Run] | None = None
) -> SweepPlan:
    """What is left over now.

    Args:
        now: Epoch seconds.
        bucket: Where runs keep their objects; empty: the gateway's.
        runs: The runs on this machine; None: they are looked up.

    Raises:
        Problem: Endpoints, configurations, models or running transform jobs cannot be listed.
    """
    if runs is None:
        from workflows.runs import list_runs

        runs = list_runs()
    place = bucket or str(getattr(gateway, "bucket", ""))
    found = inventory.take(
        gateway, now, rules.idle, bucket=place, everything=not rules.expired_only, logs=rules.logs
    )
    finder = _Finder(gateway, rules, now, found, {run.id: run for run in runs}, place)
    items = list(finder.endpoints())
    if not rules.expired_only:
        for find in (
            finder.webapps,
            finder.configs,
            finder.models,
            finder.targets,
            finder.alarms,
            finder.folders,
            finder.logs,
        ):
            items += find()
    items.sort(key=lambda item: (ORDER.index(item.kind), item.created or 0.0, item.name))
    return SweepPlan(
        items=tuple(items),
        at=now,
        rules=rules,
        notes=tuple(dict.fromkeys(found.notes)),
        region=found.billed.region,
        as_of=found.billed.as_of,
    )


class _Finder:
    """The rules, on one inventory."""

    def __init__(
        self,
        gateway: Gateway,
        rules: Rules,
        now: float,
        found: Inventory,
        runs: Mapping[str, Run],
        bucket: str,
    ) -> None:
        self._gateway, self._rules, self._now = gateway, rules, now
        self._found, self._runs, self._bucket = found, runs, bucket
        self._tags: dict[str, Mapping[str, str]] = {}

    def endpoints(self) -> Iterator[Leftover]:
        for row in self._found.billed.rows:
            if row.bill.kind != ENDPOINT:
                continue
            reason = self._why_endpoint(row)
            if not reason:
                continue
            expired = row.lifetime.expired(self._now)
            protected = self._owned(row.owner)
            if row.lifetime.keep:
                protected = f"it is to be kept (tag {KEEP})"
            elif row.bill.status in ACTIVE_ENDPOINT:
                protected = f"it is {row.bill.status} now"
            elif not expired:
                protected = (
                    protected
                    or self._alive(row.lifetime.expires)
                    or self._young(row.bill.since)
                    or self._running(row.owner)
                )
            yield Leftover(
                kind=ENDPOINT,
                name=row.bill.name,
                reason=reason,
                created=row.bill.since,
                hourly=row.bill.hourly,
                owner=row.owner,
                protected=protected,
                attached=tuple(self._attached(row.bill.name)),
            )

    def configs(self) -> Iterator[Leftover]:
        used = {config for configs in self._found.config_of.values() for config in configs}
        needed = record.needed(used)
        for name, item in self._found.configs.items():
            if name not in used:
                busy = f"rolling back {needed[name]} needs it" if name in needed else ""
                yield replace(
                    self._listed(CONFIG, item, "no endpoint uses it", busy),
                    attached=tuple(self._models_only_of([name])),
                )

    def models(self) -> Iterator[Leftover]:
        used = {model for models in self._found.models_of.values() for model in models}
        for name, item in self._found.models.items():
            if name not in used:
                busy = "a transform job that runs uses it" if name in self._found.busy_models else ""
                yield self._listed(MODEL, item, "no configuration uses it", busy)

    def targets(self) -> Iterator[Leftover]:
        for item in self._found.targets:
            if item.endpoint not in self._found.endpoints:
                yield self._hanging(TARGET, item, "its endpoint is gone")

    def alarms(self) -> Iterator[Leftover]:
        for item in self._found.alarms:
            if item.endpoint not in self._found.endpoints:
                service = "application auto scaling made it: it goes with its policy"
                yield self._hanging(
                    ALARM,
                    item,
                    f"its endpoint {item.endpoint} is gone",
                    service if item.name.startswith(SERVICE_ALARM) else "",
                )

    def webapps(self) -> Iterator[Leftover]:
        for item in self._found.webapps:
            if item.endpoint in self._found.endpoints:
                continue
            owner = self._named(item.endpoint) or "mlconsole webapp"
            yield Leftover(
                kind=WEBAPP,
                name=item.name,
                reason=f"its endpoint {item.endpoint} is gone"
                if item.endpoint
                else "its function is not there",
                created=item.created,
                owner=owner,
                protected=self._running(owner) or self._young(item.created),
            )

    def logs(self) -> Iterator[Leftover]:
        for item in self._found.log_groups:
            if item.endpoint not in self._found.endpoints:
                yield self._hanging(LOGS, item, "its endpoint is gone")

    def folders(self) -> Iterator[Leftover]:
        names = [name for name in self._found.folders if RUN.fullmatch(name)]
        candidates = [(name, *self._why_folder(name)) for name in names]
        candidates = [one for one in candidates if one[1]]
        if not candidates:
            return
        used = inventory.data_of_models(self._gateway, self._found)
        for name, reason, protected in candidates:
            uri = f"s3://{self._bucket}/{PREFIX}{name}/"
            users = [model for model, place in used.items() if place.startswith(uri)]
            objects = listed(self._gateway, uri, inventory.MOST_OBJECTS)
            if objects is not None and not objects:
                continue
            newest = max((item.modified for item in objects or ()), default=None) or None
            many = "it has more than 100 000 objects: delete it with S3's own tools"
            yield Leftover(
                kind=OBJECTS,
                name=uri,
                reason=reason,
                created=newest,
                octets=sum(item.size for item in objects) if objects is not None else None,
                objects=len(objects) if objects is not None else None,
                owner=f"run {name}",
                protected=protected
                or (f"the files of model {users[0]} lie there" if users else "")
                or (many if objects is None else "")
                or self._young(newest),
            )

    def _why_endpoint(self, row: Billed) -> str:
        if row.lifetime.expired(self._now):
            return "its lifetime is over"
        if self._rules.expired_only:
            return ""
        if row.bill.status in ("Failed", "OutOfService"):
            return f"it is {row.bill.status} and serves nobody"
        if row.activity is not None and row.activity.verdict == "idle":
            return row.activity.reason
        return ""

    def _why_folder(self, name: str) -> tuple[str, str]:
        """Why the objects of a run are left over, and what protects them; an empty reason: they are not."""
        run = self._runs.get(name)
        if run is None:
            elsewhere = (
                ""
                if self._gateway.target == "embedded" or self._rules.all_owners
                else "the run may be on another machine"
            )
            return "its run is not on this machine", elsewhere
        from workflows.runs import left

        if run.active:
            return "", ""
        if left(run):
            return "its run has ended", f"the run is not cleaned up: `mlconsole runs stop {name}` does that"
        return f"its run has ended ({run.status}) and is cleaned up", ""

    def _attached(self, endpoint: str) -> Iterator[tuple[str, str]]:
        """The configurations and models that only this endpoint uses and that mlconsole made: they go with it."""
        found = self._found
        others = {
            config for name, configs in found.config_of.items() if name != endpoint for config in configs
        }
        own = [
            config
            for config in found.config_of.get(endpoint, ())
            if config in found.configs and config not in others
        ]
        own = [
            config for config in own if not self._owned_by_tags(found.configs[config].arn, config)
        ]  # fmt: skip
        for config in own:
            yield CONFIG, config
        yield from self._models_only_of(own)

    def _models_only_of(self, own: Sequence[str]) -> Iterator[tuple[str, str]]:
        """The models that only these configurations use and that mlconsole made: they go with them."""
        found = self._found
        kept = {model for config, models in found.models_of.items() if config not in own for model in models}
        for model in dict.fromkeys(model for config in own for model in found.models_of.get(config, ())):
            free = model in found.models and model not in kept | found.busy_models
            if free and not self._owned_by_tags(found.models[model].arn, model):
                yield MODEL, model

    def _listed(self, kind: str, item: Listed, reason: str, busy: str = "") -> Leftover:
        tags = self._tags_of(item.arn)
        owner = lifetime.owner(tags) or self._named(item.name)
        protected = busy or (
            f"it is to be kept (tag {KEEP})" if lifetime.of_tags(tags).keep else self._owned(owner)
        )
        protected = protected or self._running(owner) or self._young(item.created)
        return Leftover(
            kind=kind,
            name=item.name,
            reason=reason,
            created=item.created,
            owner=owner,
            protected=protected,
        )

    def _hanging(self, kind: str, item: Listed, reason: str, protected: str = "") -> Leftover:
        """What hung on an endpoint that is gone: ours when its endpoint was a run's, or by its own name or tags."""
        owner = self._named(item.endpoint) or self._named(item.name)
        if not owner and kind == ALARM:
            owner = lifetime.owner(self._alarm_tags(item.arn))
        return Leftover(
            kind=kind,
            name=item.name,
            reason=reason,
            created=item.created,
            octets=item.octets,
            owner=owner,
            protected=protected or self._owned(owner) or self._young(item.created),
        )

    def _named(self, name: str) -> str:
        """Runs and what mlconsole names itself can be told by their names."""
        if RUN.fullmatch(name) and name in self._runs:
            return f"run {name}"
        return name if name.startswith("mlconsole") else ""

    def _owned(self, owner: str) -> str:
        return "" if owner or self._rules.all_owners else NOT_OURS

    def _owned_by_tags(self, arn: str, name: str) -> str:
        tags = self._tags_of(arn)
        if lifetime.of_tags(tags).keep:
            return f"it is to be kept (tag {KEEP})"
        return self._owned(lifetime.owner(tags) or self._named(name))

    def _running(self, owner: str) -> str:
        what, _, name = owner.partition(" ")
        run = self._runs.get(name) if what == "run" else None
        if run is None:
            return ""
        if run.active:
            return f"run {name} is at work"
        return ""

    def _alive(self, expires: float | None) -> str:
        if expires is None:
            return ""
        return f"its lifetime has {(expires - self._now) / 3600:.1f} h to go"

    def _young(self, created: float | None) -> str:
        if created is not None and self._now - created < self._rules.young:
            return f"it is younger than {self._rules.young / 60:.0f} min"
        return ""

    def _tags_of(self, arn: str) -> Mapping[str, str]:
        if arn not in self._tags:
            try:
                self._tags[arn] = lifetime.tags_of(self._gateway, arn) if arn else {}
            except Problem as problem:
                if not not_found(problem):
                    self._found.notes.append(f"Tags cannot be read: {problem.sentence}")
                self._tags[arn] = {}
        return self._tags[arn]

    def _alarm_tags(self, arn: str) -> Mapping[str, str]:
        try:
            answer = answered(self._gateway, "cloudwatch", "list_tags_for_resource", ResourceARN=arn)
        except Problem:
            return {}
        return {str(tag["Key"]): str(tag["Value"]) for tag in answer.get("Tags") or ()}
