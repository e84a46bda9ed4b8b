"""What an endpoint's stored document runs as: a fleet whose variants know their commands, files and instances."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import images
from engine.hosting import containers
from engine.hosting.fleet import Fleet
from engine.hosting.ondemand import Concurrency, OnDemand
from engine.hosting.variant import Plan, Variant, VariantFailed, processes

if TYPE_CHECKING:
    from engine.context import Engine

DEFAULT_HEALTH_TIMEOUT = 480.0
"""Seconds a container may take to answer /ping when the configuration does not say."""


class Blueprint:
    """Makes fleets of one endpoint: fetches what their models need, starts nothing."""

    def __init__(self, engine: Engine, endpoint: str, root: Path, sockets: Path) -> None:
        self.engine = engine
        self.endpoint = endpoint
        self.root = root
        self._models = root / "models"
        self._sockets = sockets

    async def fleet(self, document: Mapping[str, Any]) -> Fleet:
        """The fleet that a document describes, its models unpacked.

        Raises:
            ArtifactError: Model data that cannot be used.
            VariantFailed: An image that cannot serve.
        """
        generation = secrets.token_hex(4)
        config = document["config"]
        variants, shadows = [
            {
                variant["VariantName"]: await self._variant(document, variant, generation)
                for variant in config.get(kind) or []
            }
            for kind in ("ProductionVariants", "ShadowProductionVariants")
        ]
        capture = config.get("DataCaptureConfig")
        return Fleet(
            document["EndpointConfigName"],
            config,
            variants,
            document["weights"],
            shadows,
            self.engine.hosting.captures.of(self.endpoint, capture),
        )

    async def _variant(
        self, document: Mapping[str, Any], variant: Mapping[str, Any], generation: str
    ) -> Variant:
        name = variant["VariantName"]
        plan = await asyncio.to_thread(self._plan, document, variant)
        place = self.root / "workers" / name
        serverless = document.get("serverless", {}).get(name)
        if serverless:
            concurrency = Concurrency.of(serverless)
            return OnDemand(self.engine, plan, place, self._sockets, generation, concurrency)
        return Variant(self.engine, plan, place, self._sockets, generation)

    def prune(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Remove the unpacked models that none of these documents serves."""
        used = {
            containers.model_directory(self._models, model["container"]).name
            for document in documents
            for model in document["models"].values()
        }
        for path in self._models.iterdir():
            if path.is_dir() and path.name not in used:
                shutil.rmtree(path, ignore_errors=True)

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
            endpoint=self.endpoint,
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
            count=document["counts"][name],
            health_timeout=float(
                variant.get("ContainerStartupHealthCheckTimeoutInSeconds") or DEFAULT_HEALTH_TIMEOUT
            ),
            isolate_network=bool(model.get("EnableNetworkIsolation")),
            routing=(variant.get("RoutingConfig") or {}).get("RoutingStrategy", ""),
        )

    def _threads(self, document: Mapping[str, Any]) -> int:
        workers = sum(len(ids) for ids in document["instances"].values())
        return max(1, self.engine.settings.cores // max(1, workers))


def instance_ids(count: int, cores: int) -> list[str]:
    """Ids for the worker processes that stand for ``count`` instances."""
    return [f"i-{secrets.token_hex(9)[:17]}" for _ in range(processes(count, cores))]
