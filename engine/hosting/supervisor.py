"""Endpoints: brought up, changed, restored after a restart and deleted without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import random
import shutil
import tempfile
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.changes import Changes
from engine.hosting import processes, progress
from engine.hosting.backlog import Backlog, forget
from engine.hosting.capture import Writer
from engine.hosting.deployment import Deployment, Outcome
from engine.hosting.endpoint import Endpoint
from engine.hosting.failures import reason
from engine.hosting.meters import Meters
from engine.hosting.ondemand import Concurrency, OnDemand
from engine.hosting.router import Router
from engine.store import Missing

if TYPE_CHECKING:
    from engine.context import Engine

KIND = "endpoint"
UTILISATION_SECONDS = 10.0

log = logging.getLogger(__name__)


class Hosting:
    """Creates, serves, restores and deletes endpoints.

    ``live`` holds every endpoint that takes requests; what is stored says what should be there, so that an engine that is
    killed at any moment carries on where it was.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.live: dict[str, Endpoint] = {}
        self.meters = Meters(engine)
        self.captures = Writer(engine, engine.layout.captures)
        self.backlogs: dict[str, Backlog] = {}
        seed = os.environ.get("MLCONSOLE_ROUTER_SEED")
        self.router = Router(engine, self.meters, random.Random(int(seed)) if seed else random.Random())
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, asyncio.Task[None]] = {}
        self.changes = Changes()
        self._sampler: asyncio.Task[None] | None = None
        self._sockets: Path | None = None

    async def start(self) -> None:
        """Kill what an engine that was killed left running, then bring back every endpoint."""
        await asyncio.to_thread(self._sweep)
        await asyncio.to_thread(self.captures.recover)
        self.meters.start()
        self._sampler = asyncio.create_task(self._sample(), name="hosting-utilisation")
        for found in self.engine.store.select(KIND):
            if found.status == "Creating":
                self._run(found.name, self._create(found.name))
            elif found.status == "Deleting":
                self._run(found.name, self._delete(found.name))
            elif found.status == "Updating":
                self._run(found.name, self._resume_update(found.name))
            elif found.status == "RollingBack":
                self._run(found.name, self._resume_rollback(found.name))
            elif found.status in ("InService", "UpdateRollbackFailed"):
                self._run(found.name, self._resume(found.name))

    async def stop(self) -> None:
        """End every worker; the endpoints stay as they are stored and come back with the next engine."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        if self._sampler is not None:
            self._sampler.cancel()
            await asyncio.gather(self._sampler, return_exceptions=True)
            self._sampler = None
        endpoints = list(self.live.values())
        self.live.clear()
        await asyncio.gather(*(backlog.stop() for backlog in self.backlogs.values()))
        self.backlogs.clear()
        await asyncio.gather(*(endpoint.stop() for endpoint in endpoints))
        await asyncio.to_thread(self.captures.stop)
        await self.meters.stop()
        if self._sockets is not None:
            await asyncio.to_thread(shutil.rmtree, self._sockets, ignore_errors=True)
            self._sockets = None

    async def reset(self) -> None:
        """End and forget every endpoint (test mode; the store is cleared by the engine)."""
        await self.stop()
        self.meters.forget()
        self.captures.forget()
        await asyncio.to_thread(shutil.rmtree, self.engine.layout.endpoints, ignore_errors=True)
        self.changes.tell_all()
        self.meters.start()
        self._sampler = asyncio.create_task(self._sample(), name="hosting-utilisation")

    def create(self, name: str) -> None:
        """Begin to bring up an endpoint that is stored as Creating."""
        self._run(name, self._create(name))

    def update(self, name: str) -> None:
        """Begin to move an endpoint that is stored as Updating to the document below ``update``."""
        self._run(name, self._update(name))

    def delete(self, name: str) -> None:
        """Begin to end an endpoint that is stored as Deleting."""
        self._run(name, self._delete(name))

    def _run(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Do something with an endpoint in the background, after what is already being done with it."""
        before = self._last.get(name)

        async def in_turn() -> None:
            try:
                if before is not None:
                    await asyncio.wait([before])
            except BaseException:
                work.close()
                raise
            await work

        task = asyncio.create_task(in_turn(), name=f"endpoint {name}")
        self._tasks.add(task)
        self._last[name] = task

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if self._last.get(name) is task:
                del self._last[name]
            if not task.cancelled() and task.exception() is not None:
                log.error("Endpoint %s: %s", name, task.exception(), exc_info=task.exception())

        task.add_done_callback(done)

    async def _create(self, name: str) -> None:
        document = self.engine.store.get(KIND, name).document
        endpoint = self._endpoint(name)
        try:
            await endpoint.start(document)
        except Exception as error:
            await asyncio.to_thread(shutil.rmtree, self._root(name), ignore_errors=True)
            self._settle(name, "Failed", {"FailureReason": reason(name, error)})
            return
        self._go_live(endpoint)
        self._settle(name, "InService", {})

    async def _resume(self, name: str) -> bool:
        """Bring an endpoint back as it is stored; True when that was possible."""
        document = self.engine.store.get(KIND, name).document
        endpoint = self._endpoint(name)
        try:
            await endpoint.resume(*_standing(document))
        except Exception as error:
            self._settle(name, "Failed", {"FailureReason": reason(name, error), "update": None})
            return False
        self._go_live(endpoint)
        return True

    def _go_live(self, endpoint: Endpoint) -> None:
        self.live[endpoint.name] = endpoint
        if endpoint.blue.asynchronous:
            backlog = self.backlogs[endpoint.name] = Backlog(self.engine, endpoint)
            backlog.start()

    async def _resume_update(self, name: str) -> None:
        if await self._resume(name):
            await self._update(name)

    async def _resume_rollback(self, name: str) -> None:
        """The weights and instances of before are what is stored, and what came up."""
        if await self._resume(name):
            self._settle(name, "InService", {"update": None})

    async def _update(self, name: str) -> None:
        if name not in self.live:
            return  # It could not be brought back after a restart, and is Failed.
        document = self.engine.store.get(KIND, name).document
        wanted = document["update"]
        if wanted.get("config") is None:
            await self._reshape(name, document, wanted)
            return

        def note(made: progress.Progress) -> None:
            def change(stored: dict[str, Any]) -> None:
                stored["update"]["progress"] = made

            # A reset may have taken the endpoint away meanwhile.
            with contextlib.suppress(Missing):
                self.engine.store.update(KIND, name, change, now=self.engine.clock.time())

        outcome: Outcome = await Deployment(self.engine, self.live[name], document, note).run()
        self._settle(name, outcome.status, outcome.fields)

    async def _reshape(self, name: str, document: Mapping[str, Any], wanted: dict[str, Any]) -> None:
        """New instance counts when their workers are healthy, then new weights; all as before when one is not."""
        endpoint = self.live[name]
        member = endpoint.blue.member
        changing = [
            variant
            for variant in wanted["instances"]
            if any(wanted[key][variant] != document[key][variant] for key in ("instances", "counts"))
        ]
        changed: list[str] = []
        try:
            for variant in changing:
                await member(variant).scale(tuple(wanted["instances"][variant]), wanted["counts"][variant])
                changed.append(variant)
        except Exception as error:
            self._settle(name, "RollingBack", {"FailureReason": reason(name, error)})
            for variant in changed:
                try:
                    await member(variant).scale(
                        tuple(document["instances"][variant]), document["counts"][variant]
                    )
                except Exception:
                    log.exception("Endpoint %s: variant %s keeps its new instances.", name, variant)
            self._settle(name, "InService", {"update": None})
            return
        for variant, config in wanted.get("serverless", {}).items():
            found = member(variant)
            if isinstance(found, OnDemand):
                found.adjust(Concurrency.of(config))
        endpoint.blue.weigh(wanted["weights"])
        self._settle(name, "InService", {"FailureReason": None, "update": None, **wanted})

    async def _delete(self, name: str) -> None:
        endpoint = self.live.pop(name, None)
        backlog = self.backlogs.pop(name, None)
        if backlog is not None:
            await backlog.stop()
        forget(self.engine, name)
        if endpoint is not None:
            await endpoint.stop()
            await asyncio.to_thread(self.captures.flush)
        await asyncio.to_thread(shutil.rmtree, self._root(name), ignore_errors=True)
        self.meters.flush()
        found = self.engine.store.find(KIND, name)
        if found is not None:
            self.engine.store.delete("tags", found.document["EndpointArn"])
            self.engine.store.delete(KIND, name)
        self.changes.tell(name)

    def _settle(self, name: str, status: str, fields: Mapping[str, Any]) -> None:
        """Store the end of a change, and wake who waits for it."""

        def change(document: dict[str, Any]) -> None:
            for key, value in fields.items():
                if value is None:
                    document.pop(key, None)
                else:
                    document[key] = value

        # A reset may have taken the endpoint away meanwhile.
        with contextlib.suppress(Missing):
            self.engine.store.update(KIND, name, change, now=self.engine.clock.time(), status=status)
        self.changes.tell(name)

    def _root(self, name: str) -> Path:
        return self.engine.layout.endpoints / name

    def _endpoint(self, name: str) -> Endpoint:
        return Endpoint(self.engine, name, self._root(name), self.socket_directory())

    def socket_directory(self) -> Path:
        """A directory of this user alone whose sockets' paths stay below the 108 bytes that the kernel allows."""
        if self._sockets is None:
            path = socket_place(self.engine.layout.endpoints)
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            state = path.stat()
            if path.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o077:
                raise PermissionError(f"{path} is not this user's alone; remove it and start again.")
            self._sockets = path
        return self._sockets

    def _sweep(self) -> None:
        """Workers of an engine that was killed die with it; this is for the systems where they do not."""
        for path in self.engine.layout.endpoints.glob("*/workers/*/*/pid"):
            if processes.kill_remembered(path):
                log.warning("Killed the worker that an earlier engine left behind: %s", path.parent)
        for folder in self.engine.layout.endpoints.glob("*/workers"):
            shutil.rmtree(folder, ignore_errors=True)
        place = socket_place(self.engine.layout.endpoints)
        if place.is_dir() and not place.is_symlink() and place.stat().st_uid == os.getuid():
            shutil.rmtree(place, ignore_errors=True)

    async def _sample(self) -> None:
        """CPU and memory of every worker, as a share of a core and of the machine's memory."""
        memory = self.engine.settings.memory_mb * 2**20
        before: dict[int, tuple[float, float]] = {}
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(UTILISATION_SECONDS)
            seen: dict[int, tuple[float, float]] = {}
            for endpoint in list(self.live.values()):
                for variant in [each for fleet in endpoint.fleets() for each in fleet.members()]:
                    for worker in variant.workers:
                        pid = worker.pid
                        used = processes.usage(pid) if pid is not None else None
                        if pid is None or used is None:
                            continue
                        now = loop.time()
                        seen[pid] = (now, used.cpu_seconds)
                        if pid not in before:
                            continue
                        then, cpu = before[pid]
                        percent = 100 * (used.cpu_seconds - cpu) / max(1e-6, now - then)
                        self.meters.utilisation(
                            endpoint.name, variant.name, percent, 100 * used.resident / memory
                        )
            before = seen


def _standing(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, list[str]] | None]:
    """What of a stored endpoint is in service: a document, and which of its instances when a rolling update ended some."""
    wanted = document.get("update")
    made = (wanted or {}).get("progress")
    if wanted is None or made is None:
        return document, None
    if made["stage"] == progress.PROMOTING:
        return progress.lasting(wanted), None
    gone = progress.ended(wanted, made)
    return document, None if gone is None else progress.remaining(document, wanted, gone)


def socket_place(endpoints: Path) -> Path:
    """Where the workers' sockets are: below the endpoints' directory, or in the temporary one where that path is too long."""
    inside = endpoints.absolute() / ".sockets"
    if len(os.fsencode(inside)) <= 80:
        return inside
    digest = hashlib.sha256(os.fsencode(inside)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"mlconsole-{os.getuid()}-{digest}"
