"""A live endpoint: its variants, their weights, and how its stored document becomes processes."""

from __future__ import annotations

import asyncio
import random
import secrets
import shutil
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import images
from engine.hosting import containers
from engine.hosting.variant import Plan, Variant, VariantFailed

if TYPE_CHECKING:
    from engine.context import Engine

DEFAULT_HEALTH_TIMEOUT = 480.0
"""Seconds a container may take to answer /ping when the configuration does not say."""


class Endpoint:
    """What requests for one endpoint name are routed by."""

    def __init__(self, engine: Engine, name: str, root: Path, sockets: Path) -> None:
        self.engine = engine
        self.name = name
        self.root = root
        self.variants: dict[str, Variant] = {}
        self._models = root / "models"
        self._sockets = sockets
        self._names: list[str] = []
        self._cumulative: list[float] = []

    async def start(self, document: Mapping[str, Any]) -> None:
        """Fetch the models, start every worker and wait until all are healthy.

        Raises:
            ArtifactError: Model data that cannot be used.
            VariantFailed: A container that does not come up.
        """
        variants = await self._prepare(document)
        try:
            async with asyncio.TaskGroup() as group:
                for variant in variants.values():
                    group.create_task(variant.start())
        except BaseException as error:
            await asyncio.gather(*(variant.stop() for variant in variants.values()))
            if isinstance(error, BaseExceptionGroup):
                raise error.exceptions[0] from error
            raise
        self.variants = variants
        self.weigh(document["weights"])

    async def resume(self, document: Mapping[str, Any]) -> None:
        """Take requests again after a restart of the engine: they wait for the workers, which start in the background."""
        variants = await self._prepare(document)
        for variant in variants.values():
            variant.start_later()
        self.variants = variants
        self.weigh(document["weights"])

    async def replace(self, document: Mapping[str, Any]) -> None:
        """Start another document's variants beside these, move the traffic at once, end these after their last request."""
        other = Endpoint(self.engine, self.name, self.root, self._sockets)
        await other.start(document)
        old = self.variants
        self.variants = other.variants
        self.weigh(document["weights"])
        await asyncio.gather(*(variant.stop(drain=60) for variant in old.values()))
        await asyncio.to_thread(self._prune, document)

    async def scale(self, variant: str, instances: tuple[str, ...]) -> None:
        """Run exactly these instances of a variant."""
        await self.variants[variant].scale(instances)

    async def stop(self) -> None:
        """End every worker."""
        await asyncio.gather(*(variant.stop() for variant in self.variants.values()))
        self.variants = {}

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Share traffic by these weights from now on."""
        self._names = [name for name in self.variants if weights.get(name, 0) > 0]
        self._cumulative = list(accumulate(weights[name] for name in self._names))

    def pick(self, rng: random.Random) -> Variant | None:
        """A variant with probability weight / sum of weights; None when every weight is zero."""
        names = self._names
        if len(names) == 1:
            return self.variants[names[0]]
        if not names:
            return None
        return self.variants[rng.choices(names, cum_weights=self._cumulative)[0]]

    async def _prepare(self, document: Mapping[str, Any]) -> dict[str, Variant]:
        generation = secrets.token_hex(4)
        plans = {}
        for variant in document["config"]["ProductionVariants"]:
            plans[variant["VariantName"]] = await asyncio.to_thread(self._plan, document, variant)
        return {
            name: Variant(self.engine, plan, self.root / "workers" / name, self._sockets, generation)
            for name, plan in plans.items()
        }

    def _plan(self, document: Mapping[str, Any], variant: Mapping[str, Any]) -> Plan:
        name = variant["VariantName"]
        model = document["models"][name]
        container = model["container"]
        runtime = images.resolve(container["Image"])
        command = runtime.serving(container.get("Environment") or {})
        if command is None:
            raise VariantFailed(f"The image {container['Image']} of production variant {name} cannot serve.")
        extra, environment = containers.code(self.engine, self._models, container)
        return Plan(
            endpoint=self.name,
            name=name,
            command=command,
            environment={
                **containers.base_environment(self.engine),
                "SAGEMAKER_FRAMEWORK": runtime.framework,
                "OMP_NUM_THREADS": str(self._threads(document)),
                **environment,
            },
            model=containers.model(self.engine, self._models, container),
            extra=extra,
            instances=tuple(document["instances"][name]),
            health_timeout=float(
                variant.get("ContainerStartupHealthCheckTimeoutInSeconds") or DEFAULT_HEALTH_TIMEOUT
            ),
            isolate_network=bool(model.get("EnableNetworkIsolation")),
        )

    def _threads(self, document: Mapping[str, Any]) -> int:
        workers = sum(len(ids) for ids in document["instances"].values())
        return max(1, self.engine.settings.cores // max(1, workers))

    def _prune(self, document: Mapping[str, Any]) -> None:
        """Remove the unpacked models that no variant serves any more."""
        used = {
            containers.model_directory(self._models, model["container"]).name
            for model in document["models"].values()
        }
        for path in self._models.iterdir():
            if path.is_dir() and path.name not in used:
                shutil.rmtree(path, ignore_errors=True)


def instance_ids(count: int, cores: int) -> list[str]:
    """Ids for the worker processes that stand for ``count`` instances: one each, but never more than twice the cores."""
    return [f"i-{secrets.token_hex(9)[:17]}" for _ in range(min(count, max(1, 2 * cores)))]
