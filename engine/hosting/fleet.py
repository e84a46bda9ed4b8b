"""A fleet: the variants that one endpoint configuration put into service, and how they share its traffic."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from engine.hosting.capture import Capture
from engine.hosting.shadow import Shadow
from engine.hosting.variant import Variant


class Fleet:
    """The variants of one configuration. An endpoint has one fleet, and during an update a second one beside it.

    Args:
        name: The endpoint configuration's name.
        config: The configuration as it is stored.
        shadows: Variants that get copies of requests and whose answers nobody sees; AWS allows one.
        capture: What of the requests is kept, if anything is.
    """

    def __init__(
        self,
        name: str,
        config: Mapping[str, Any],
        variants: dict[str, Variant],
        weights: Mapping[str, float],
        shadows: dict[str, Variant] | None = None,
        capture: Capture | None = None,
    ) -> None:
        self.name = name
        self.config = config
        self.variants = variants
        self.shadows = shadows or {}
        self.shadow = next((Shadow(variant) for variant in self.shadows.values()), None)
        self.capture = capture
        self.asynchronous = bool(config.get("AsyncInferenceConfig"))
        for variant in self.members():
            variant.fleet = self
        self.weigh(weights)

    def members(self) -> list[Variant]:
        """Every variant, shadows too."""
        return [*self.variants.values(), *self.shadows.values()]

    def member(self, name: str) -> Variant:
        """A variant or a shadow by name."""
        return self.variants.get(name) or self.shadows[name]

    async def start(self) -> None:
        """Start every worker and wait until all are healthy; after a failure none is left.

        Raises:
            VariantFailed: A container that does not come up.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for variant in self.members():
                    group.create_task(variant.start())
        except BaseException as error:
            await self.stop()
            if isinstance(error, BaseExceptionGroup):
                raise error.exceptions[0] from error
            raise

    def start_later(self) -> None:
        """Start the workers in the background; requests wait for them."""
        for variant in self.members():
            variant.start_later()

    async def stop(self, drain: float = 0.0) -> None:
        """End every worker, after the requests under way but no later than ``drain`` seconds."""
        await asyncio.gather(*(variant.stop(drain) for variant in self.variants.values()))
        if self.shadow is not None:
            await self.shadow.stop()
        await asyncio.gather(*(variant.stop() for variant in self.shadows.values()))

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Share traffic by these weights from now on."""
        self.weights = dict(weights)
        self._names = [name for name in self.variants if weights.get(name, 0) > 0]
        self._cumulative = list(accumulate(weights[name] for name in self._names))
        if self.shadow is not None:
            own = weights.get(self.shadow.variant.name, 1.0)
            self.shadow.weigh(own, sum(self._cumulative[-1:]))

    def pick(self, rng: random.Random) -> Variant | None:
        """A variant with probability weight / sum of weights; None when every weight is zero."""
        names = self._names
        if len(names) == 1:
            return self.variants[names[0]]
        if not names:
            return None
        return self.variants[rng.choices(names, cum_weights=self._cumulative)[0]]
