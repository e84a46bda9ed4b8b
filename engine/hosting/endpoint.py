"""A live endpoint: its fleets and how requests are split between them. Nothing here reads the store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.hosting.blueprint import Blueprint
from engine.hosting.fleet import Fleet
from engine.hosting.variant import Variant

if TYPE_CHECKING:
    from engine.context import Engine

DRAIN_SECONDS = 65.0
"""How long the last requests of a fleet that is taken out of service may take: a model has 60 s."""


class Standing(NamedTuple):
    """A fleet that was in service before a deployment, and its share of what the deployment leaves."""

    fleet: Fleet
    share: float


class Endpoint:
    """What requests for one endpoint name are routed by.

    ``standing`` are the fleets in service: one, or two after a rolling update whose rollback failed. During a deployment
    ``green`` is the new fleet and ``share`` the part of the requests that it gets.
    """

    def __init__(self, engine: Engine, name: str, root: Path, sockets: Path) -> None:
        self.name = name
        self.root = root
        self.blueprint = Blueprint(engine, name, root, sockets)
        self.standing: list[Standing] = []
        self.green: Fleet | None = None
        self.share = 0.0
        self._leaving: list[Fleet] = []

    @property
    def blue(self) -> Fleet:
        """The fleet of the configuration that DescribeEndpoint names."""
        return self.standing[0].fleet

    @property
    def variants(self) -> dict[str, Variant]:
        """The production variants that DescribeEndpoint shows, by name."""
        return self.blue.variants if self.standing else {}

    def fleets(self) -> list[Fleet]:
        """Every fleet that has processes."""
        found = [item.fleet for item in self.standing]
        return found if self.green is None else [*found, self.green]

    def fleet(self, rng: random.Random) -> Fleet:
        """The fleet that takes the next request."""
        if self.green is not None and rng.random() < self.share:
            return self.green
        if len(self.standing) == 1:
            return self.standing[0].fleet
        return rng.choices(self.standing, [item.share for item in self.standing])[0].fleet

    def pick(self, rng: random.Random) -> Variant | None:
        """The variant that takes the next request; None when every weight is zero.

        A variant that was picked is asked (`Variant.acquire`) before anything else is awaited: a fleet ends when nobody
        is counted in its variants any more.
        """
        return self.fleet(rng).pick(rng)

    def find(self, target: str, rng: random.Random) -> Variant | None:
        """A variant by name (TargetVariant), of the fleet that the split chooses or else of one that has it."""
        chosen = self.fleet(rng).variants.get(target)
        if chosen is not None:
            return chosen
        return next((fleet.variants[target] for fleet in self.fleets() if target in fleet.variants), None)

    async def start(self, document: Mapping[str, Any]) -> None:
        """Fetch the models, start every worker and wait until all are healthy.

        Raises:
            ArtifactError: Model data that cannot be used.
            VariantFailed: A container that does not come up.
        """
        fleet = await self.blueprint.fleet(document)
        await fleet.start()
        self.standing = [Standing(fleet, 1.0)]

    async def resume(
        self, document: Mapping[str, Any], instances: Mapping[str, list[str]] | None = None
    ) -> None:
        """Take requests again after a restart of the engine: they wait for the workers, which start in the background.

        Args:
            instances: Which instances of each variant run, when it is not all that the document has.
        """
        mixed = document.get("mixed")
        if mixed is None:
            running = instances or document["instances"]
            fleets = [Standing(await self.blueprint.fleet({**document, "instances": running}), 1.0)]
        else:
            old = await self.blueprint.fleet({**document, "instances": mixed["blue"]})
            new = await self.blueprint.fleet(mixed["green"])
            fleets = [Standing(old, 1 - mixed["share"]), Standing(new, mixed["share"])]
        for item in fleets:
            item.fleet.start_later()
        self.standing = fleets

    async def promote(self) -> None:
        """Green, which has all traffic, becomes what is in service; what was before ends after its last request."""
        assert self.green is not None
        old = self.standing
        self.standing = [Standing(self.green, 1.0)]
        self.green, self.share = None, 0.0
        await self._leave([item.fleet for item in old])

    async def give_up(self) -> None:
        """Green gets no request any more and ends after its last one."""
        green, self.green, self.share = self.green, None, 0.0
        if green is not None:
            await self._leave([green])

    async def _leave(self, fleets: list[Fleet]) -> None:
        # Kept in mind until they have ended: this may be cancelled while they answer their last requests.
        self._leaving += fleets
        await asyncio.gather(*(fleet.stop(DRAIN_SECONDS) for fleet in fleets))
        self._leaving = [fleet for fleet in self._leaving if fleet not in fleets]

    async def stop(self) -> None:
        """End every worker."""
        fleets = [*self.fleets(), *self._leaving]
        await asyncio.gather(*(fleet.stop() for fleet in fleets))
        self.standing, self.green, self.share, self._leaving = [], None, 0.0, []
