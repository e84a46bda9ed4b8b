"""The serving workers of one transform job: started, started again when they die, ended."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import images
from engine.hosting import containers
from engine.hosting.blueprint import DEFAULT_HEALTH_TIMEOUT
from engine.hosting.client import Unreachable, render
from engine.hosting.worker import Instance, Unhealthy, Worker, with_output
from engine.transforms import record
from engine.transforms.settings import variables, wishes

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.jobs.capacity import Share

_DEATHS = 20
"""How often a job's containers may die before the job fails: each death costs the requests under way one of their tries."""
_ASK = render("GET", "/execution-parameters", {}, b"")
_ASK_SECONDS = 10.0

_log = logging.getLogger("engine.transforms")


class Broken(Exception):
    """A container that does not come up, or does not stay; the message is the job's FailureReason."""


class Fleet:
    """One worker per instance."""

    def __init__(
        self, engine: Engine, name: str, root: Path, document: Mapping[str, Any], share: Share
    ) -> None:
        self.engine = engine
        self.name = name
        self.workers: list[Worker] = []
        self._root = root
        self._document = document
        self._share = share
        self._watchers: list[asyncio.Task[None]] = []
        self._deaths = 0

    @staticmethod
    def ids(count: int) -> list[str]:
        """Instance ids as EC2 makes them."""
        return [f"i-{secrets.token_hex(9)[:17]}" for _ in range(count)]

    @property
    def sockets(self) -> list[str]:
        """The workers' sockets, in the order of their instances."""
        return [str(worker.socket) for worker in self.workers]

    async def start(self, ids: list[str]) -> None:
        """Fetch the model, start a worker per id and wait until all are healthy.

        Raises:
            ArtifactError: Model data that cannot be used.
            Broken: A container that does not come up.
        """
        make = await asyncio.to_thread(self._prepare)
        self.workers = [self._worker(name, make(name)) for name in ids]
        starting = [asyncio.create_task(self._bring_up(worker)) for worker in self.workers]
        try:
            await asyncio.gather(*starting)
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
        self._watchers = [asyncio.create_task(self._keep_alive(worker)) for worker in self.workers]

    async def wishes(self) -> dict[str, Any]:
        """What the container answers to ``/execution-parameters``; nothing when it does not know that."""
        try:
            reply = await self.workers[0].pool.request(_ASK, _ASK_SECONDS)
        except (Unreachable, TimeoutError):
            return {}
        return wishes(reply.body) if reply.status == 200 else {}

    async def broken(self) -> None:
        """Wait until a worker is given up.

        Raises:
            Broken: It is.
        """
        await asyncio.gather(*self._watchers)

    async def stop(self) -> None:
        """End every worker."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self.workers))

    def _prepare(self) -> Any:
        """Fetch what the containers need; a function that describes one's instance."""
        model = self._document["_model"]
        definition = model.get("PrimaryContainer") or model["Containers"][0]
        runtime = images.resolve(definition["Image"])
        given = {**(definition.get("Environment") or {}), **self._document.get("Environment", {})}
        command = runtime.serving(given)
        if command is None:
            raise Broken(f"ClientError: The image {definition['Image']} cannot serve.")
        folder = self._root / "models"
        extra, environment = containers.code(self.engine, folder, definition)
        unpacked = containers.model(self.engine, folder, definition)
        environment = {
            **containers.base_environment(self.engine),
            "SAGEMAKER_FRAMEWORK": runtime.framework,
            "OMP_NUM_THREADS": str(self._share.threads),
            **environment,
            **self._document.get("Environment", {}),
            **variables(self._document),
        }

        def instance(name: str) -> Instance:
            return Instance(
                command=command,
                environment=environment,
                model=unpacked,
                extra=extra,
                group=record.GROUP,
                stream=f"{self.name}/{name}",
                isolate_network=bool(model.get("EnableNetworkIsolation")),
            )

        return instance

    def _worker(self, name: str, instance: Instance) -> Worker:
        # Unix socket paths end at 108 bytes: a digest instead of the names.
        digest = hashlib.sha256(f"{record.KIND}/{self.name}/{name}".encode()).hexdigest()[:12]
        socket = self.engine.hosting.socket_directory() / digest
        return Worker(self.engine, self._root / "workers" / name, socket, instance)

    async def _bring_up(self, worker: Worker) -> None:
        try:
            await worker.start()
            await worker.wait_ready(DEFAULT_HEALTH_TIMEOUT)
        except Unhealthy as error:
            raise Broken(with_output(f"{record.NO_PING}.", worker, error)) from error

    async def _keep_alive(self, worker: Worker) -> None:
        while True:
            await worker.ended()
            _log.warning("Container %s ended with status %s.", worker.instance.stream, worker.exit_status)
            worker.pool.close()
            self._deaths += 1
            if self._deaths > _DEATHS:
                text = f"AlgorithmError: The model container ended {self._deaths} times while it transformed."
                raise Broken(with_output(text, worker, Unhealthy("it ended")))
            await asyncio.sleep(min(5.0, 0.1 * self._deaths))
            await self._bring_up(worker)
