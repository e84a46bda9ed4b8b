"""All alarms: kept, judged about once a second, told about when they change."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from engine.alarms import reasons
from engine.alarms.history import History
from engine.alarms.rules import ALARM, OK, UNKNOWN, Point, Verdict
from engine.alarms.watch import Watch
from engine.changes import Changes

if TYPE_CHECKING:
    from engine.context import Engine

KIND = "alarm"
LOOK_SECONDS = 1.0
_REST = 50
"""Between two passes lies at least so many times what a pass took: alarms never take more than 2 % of a core."""
_HELD_SECONDS = 10.0
"""How long SetAlarmState's state stays before the alarm is judged again: "returns to its actual state quickly, often within seconds"."""
_PRUNE_SECONDS = 3600.0
_ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", UNKNOWN: "InsufficientDataActions"}

_log = logging.getLogger("engine.alarms")

Deliver = Callable[[str, str], str | None]
"""Carries out an alarm's action: takes the action's ARN and the alarm's name, returns why it could not, None when it did."""


class Alarms:
    """Every alarm of the account.

    ``changes`` is told an alarm's name whenever its state changes and when it is deleted. ``deliver`` carries out actions, by the service
    in their ARNs.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.changes = Changes()
        self.history = History(engine.store)
        self.deliver: dict[str, Deliver] = {}
        self._watches: dict[str, Watch] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pruned = 0.0

    async def start(self) -> None:
        """Take up every alarm in the state that it had."""
        for row in self.engine.store.select(KIND):
            self._watches[row.name] = self._watch(row.document)
        self._task = asyncio.create_task(self._run(), name="alarms")
        self._wake.set()

    async def stop(self) -> None:
        """End watching; the alarms stay as they are stored."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._watches.clear()

    async def reset(self) -> None:
        """Forget every alarm (test mode; the store is cleared by the engine)."""
        self._watches.clear()
        self.changes.tell_all()

    def state(self, name: str) -> str | None:
        """An alarm's StateValue, None when there is no such alarm."""
        found = self._watches.get(name)
        return found.state if found else None

    def find(self, name: str) -> dict[str, Any] | None:
        """An alarm's document, for reading only."""
        found = self._watches.get(name)
        return found.document if found else None

    def points(self, name: str) -> list[Point | None]:
        """The data points of an alarm's last evaluation, oldest first."""
        found = self._watches.get(name)
        return found.points if found else []

    def documents(self) -> list[dict[str, Any]]:
        """Every alarm's document in order of name, for reading only."""
        return [self._watches[name].document for name in sorted(self._watches)]

    def put(self, config: dict[str, Any]) -> bool:
        """Create an alarm, or overwrite its configuration and leave its state alone; True when it is new."""
        name = config["AlarmName"]
        now = self.engine.clock.time()
        known = self.find(name)
        document = {
            **config,
            "AlarmArn": self.engine.settings.arn("cloudwatch", f"alarm:{name}"),
            "AlarmConfigurationUpdatedTimestamp": now,
        }
        if known is None:
            document |= {
                "StateValue": UNKNOWN,
                "StateReason": reasons.CREATED,
                "StateUpdatedTimestamp": now,
                "StateTransitionedTimestamp": now,
            }
            self.engine.store.create(KIND, name, document, now=now, status=UNKNOWN)
        else:
            document |= {key: value for key, value in known.items() if key.startswith("State")}
            self.engine.store.update(KIND, name, lambda _: document, now=now)
        self._watches[name] = self._watch(document)
        self.history.configured("Create" if known is None else "Update", document, now)
        self._wake.set()
        return known is None

    def amend(self, name: str, **fields: Any) -> None:
        """Change members of an alarm's configuration that do not change what it watches."""
        watch = self._watches[name]
        now = self.engine.clock.time()
        document = {**watch.document, **fields, "AlarmConfigurationUpdatedTimestamp": now}
        self.engine.store.update(KIND, name, lambda _: document, now=now)
        watch.document = document
        self.history.configured("Update", document, now)

    def set_state(self, name: str, state: str, reason: str, data: str | None) -> None:
        """Put an alarm into a state for some seconds, until it is judged again.

        ``data`` is JSON; the ``recentDatapoints`` in it are what a scaling policy goes by, as on AWS.
        """
        watch = self._watches[name]
        watch.hold(self.engine.clock.time() + _HELD_SECONDS, json.loads(data) if data else None)
        self._change(watch, state, reason, data)

    def delete(self, names: Iterable[str]) -> None:
        """Delete alarms; names that are not there do not matter."""
        for name in names:
            watch = self._watches.pop(name, None)
            if watch is None:
                continue
            self.engine.store.delete(KIND, name)
            self.engine.store.delete("tags", watch.document["AlarmArn"])
            self.history.configured("Delete", watch.document, self.engine.clock.time())
            self.changes.tell(name)

    def _watch(self, document: dict[str, Any]) -> Watch:
        width, idle = self.engine.scaling.pace(document["AlarmName"])
        return Watch(document, width=width, idle=idle, since=self.engine.clock.time())

    def _change(self, watch: Watch, state: str, reason: str, data: str | None) -> None:
        """Store another state, tell who waits for it, and do what the alarm does on entering it."""
        now = self.engine.clock.time()
        old = watch.document
        entered = state != old["StateValue"]
        new = {**old, "StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": now}
        new["StateReasonData"] = data
        if entered:
            new["StateTransitionedTimestamp"] = now
        self.engine.store.update(KIND, watch.name, lambda _: new, now=now, status=state)
        watch.document = new
        if not entered:
            return
        self.history.changed(watch.name, old, new, now)
        self.changes.tell(watch.name)
        if new.get("ActionsEnabled", True):
            for action in new.get(_ACTIONS[state]) or ():
                self.history.acted(watch.name, action, self._act(watch.name, action), now)

    def _act(self, name: str, action: str) -> str | None:
        """Carry out an action; why it could not be."""
        service = (action.split(":") + [""] * 3)[2]
        deliver = self.deliver.get(service)
        if deliver is None:
            return f"This engine does not deliver actions to {service or action}: the state change is recorded only."
        return deliver(action, name)

    async def _run(self) -> None:
        while True:
            if not self._watches:
                self._wake.clear()
                await self._wake.wait()
            spent = 0.0
            try:
                spent = await self._pass()
            except Exception:  # Alarms go on, whatever one of them holds.
                _log.exception("Alarms could not be judged.")
            await asyncio.sleep(max(LOOK_SECONDS, _REST * spent))

    async def _pass(self) -> float:
        """Judge the alarms that are due; the CPU seconds that it took."""
        now = self.engine.clock.time()
        if now > self._pruned + _PRUNE_SECONDS:
            self._pruned = now
            self.history.prune(now)
        due = [watch for watch in self._watches.values() if watch.due(self.engine.metrics, now)]
        if not due:
            return 0.0
        self.engine.hosting.meters.flush()
        verdicts, spent = await asyncio.to_thread(self._judge, due, now)
        for watch, verdict in zip(due, verdicts, strict=True):
            # It may have been deleted, overwritten or set meanwhile.
            current = self._watches.get(watch.name) is watch and watch.held <= now
            if current and verdict is not None and verdict.state != watch.state:
                reason = reasons.text(watch.rule, verdict)
                self._change(watch, verdict.state, reason, reasons.data(watch.document, verdict, now))
        return spent

    def _judge(self, due: list[Watch], now: float) -> tuple[list[Verdict | None], float]:
        began = time.thread_time()
        verdicts: list[Verdict | None] = []
        for watch in due:
            try:
                verdicts.append(watch.judge(self.engine.metrics, now))
            except Exception:
                _log.exception("Alarm %s could not be judged.", watch.name)
                verdicts.append(None)
        return verdicts, time.thread_time() - began
