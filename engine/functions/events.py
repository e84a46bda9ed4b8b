"""Asynchronous invocations: kept until they are done, tried again as Lambda does."""

from __future__ import annotations

import asyncio
import logging
import uuid
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError
from engine.functions.names import LATEST, Reference
from engine.functions.record import EVENT, FUNCTION, Target, target
from engine.store import Filter

if TYPE_CHECKING:
    from engine.context import Engine

RETRIES = 2
OLDEST_SECONDS = 6 * 3600
_WAITS = (60.0, 120.0)
"""Declared seconds before the second and the third try."""
_LONGEST_BACKOFF = 300.0
_AT_ONCE = 16
"""Events of one function that are run at a time: the others wait in the store."""

log = logging.getLogger(__name__)


class Events:
    """The queue of all functions. An event is a row in the store from when it was accepted until it succeeded or was given up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._gates: dict[str, asyncio.Semaphore] = {}

    def start(self) -> None:
        """Go on with what was accepted and is not done."""
        for row in self._engine.store.select(EVENT):
            self._begin(row.name, row.parent)

    async def stop(self) -> None:
        """Leave what is not done to the next engine."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def accept(self, asked: Target, payload: bytes, client_context: str) -> str:
        """Keep an event; its request id."""
        request_id = str(uuid.uuid4())
        now = self._engine.clock.time()
        document = {
            "Qualifier": asked.alias,
            "Payload": b64encode(payload).decode(),
            "ClientContext": client_context,
            "Accepted": now,
            "Due": now,
            "Failures": 0,
            "Throttles": 0,
        }
        self._engine.store.create(EVENT, request_id, document, now=now, parent=asked.name)
        self._engine.functions.meters.note(asked, "AsyncEventsReceived", 1.0)
        self._begin(request_id, asked.name)
        return request_id

    def drop(self, function: str) -> None:
        """Forget a deleted function's events."""
        for row in self._engine.store.select(EVENT, [Filter("parent", "=", function)]):
            self._engine.store.delete(EVENT, row.name)
            task = self._tasks.pop(row.name, None)
            if task is not None:
                task.cancel()
        self._gates.pop(function, None)

    def forget(self) -> None:
        """Forget every event (test mode's reset)."""
        for row in self._engine.store.select(EVENT):
            self._engine.store.delete(EVENT, row.name)

    def _begin(self, request_id: str, function: str) -> None:
        gate = self._gates.setdefault(function, asyncio.Semaphore(_AT_ONCE))
        task = asyncio.create_task(self._run(request_id, function, gate), name=f"event {request_id}")
        self._tasks[request_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(request_id, None))

    async def _run(self, request_id: str, function: str, gate: asyncio.Semaphore) -> None:
        try:
            while (row := self._engine.store.find(EVENT, request_id)) is not None:
                wait = row.document["Due"] - self._engine.clock.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                async with gate:
                    if await self._try(request_id, function, row.document):
                        return
        except asyncio.CancelledError:
            raise
        except Exception:
            if self._engine.functions.stopping:
                return
            log.exception("The event %s of %s is given up.", request_id, function)
            self._engine.store.delete(EVENT, request_id)

    async def _try(self, request_id: str, function: str, document: dict[str, Any]) -> bool:
        """One try; True when the event needs no further one."""
        functions, store, clock = self._engine.functions, self._engine.store, self._engine.clock
        try:
            found = target(self._engine, Reference(function, document["Qualifier"]), routed=True)
        except ServiceError:
            store.delete(EVENT, request_id)
            return True
        retries, oldest = self._limits(function, document["Qualifier"])
        age = clock.time() - document["Accepted"]
        functions.meters.note(found, "AsyncEventAge", age * 1000, "Milliseconds")
        try:
            outcome = await functions.invoke(
                found,
                b64decode(document["Payload"]),
                request_id=request_id,
                client_context=document["ClientContext"],
            )
            failures, throttles = document["Failures"] + bool(outcome.error), document["Throttles"]
            done = not outcome.error
            declared = _WAITS[min(failures, len(_WAITS)) - 1]
        except ServiceError as error:
            if error.code != "TooManyRequestsException":
                raise
            failures, throttles, done = document["Failures"], document["Throttles"] + 1, False
            declared = min(2.0**throttles, _LONGEST_BACKOFF)
        due = clock.time() + declared * clock.scale
        given_up = failures > retries or due - document["Accepted"] > oldest
        if done or given_up:
            store.delete(EVENT, request_id)
            if not done:
                functions.meters.note(found, "AsyncEventsDropped", 1.0)
                log.warning(
                    "The event %s of %s was given up after %d failures.", request_id, function, failures
                )
            return True

        def change(kept: dict[str, Any]) -> None:
            kept |= {"Failures": failures, "Throttles": throttles, "Due": due}

        store.update(EVENT, request_id, change, now=clock.time())
        return False

    def _limits(self, function: str, qualifier: str) -> tuple[int, float]:
        home = self._engine.store.find(FUNCTION, function)
        configs = home.document["EventConfigs"] if home is not None else {}
        config = configs.get(qualifier or LATEST, {})
        return config.get("MaximumRetryAttempts", RETRIES), config.get(
            "MaximumEventAgeInSeconds", OLDEST_SECONDS
        )
