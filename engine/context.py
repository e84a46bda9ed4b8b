"""The engine's object graph: what a handler reaches through its first argument."""

from __future__ import annotations

from engine.clock import Clock
from engine.hosting.fleet import Hosting
from engine.jobs.supervisor import Supervisor
from engine.layout import Layout
from engine.objects import ObjectStore
from engine.series import MetricStore
from engine.settings import Settings
from engine.store import Store
from engine.streams import LogStore


class Engine:
    """Everything that one running engine owns."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock(settings.time_scale)
        self.layout = Layout(settings.data_dir)
        self.layout.root.mkdir(parents=True, exist_ok=True)
        self.store = Store(self.layout.database)
        self.objects = ObjectStore(self.layout.objects)
        self.logs = LogStore(self.layout.logs)
        self.metrics = MetricStore(self.layout.metrics)
        self.jobs = Supervisor(self)
        self.hosting = Hosting(self)

    async def start(self) -> None:
        """Make the default role and bucket, re-adopt jobs and bring endpoints back."""
        await self.jobs.start()
        await self.hosting.start()

    async def stop(self) -> None:
        """Leave jobs running behind their shims, end the serving workers, flush and close the stores."""
        await self.hosting.stop()
        await self.jobs.stop()
        self.metrics.close()
        self.logs.close()
        self.store.close()

    async def reset(self) -> None:
        """Wipe everything (test mode): jobs killed, endpoints ended, stores emptied, defaults made again."""
        await self.hosting.reset()
        await self.jobs.reset()
        self.metrics.clear()
        self.logs.clear()
        self.objects.clear()
        self.store.clear()
