"""The engine's object graph: what a handler reaches through its first argument."""

from __future__ import annotations

from engine import roles
from engine.alarms.supervisor import Alarms
from engine.clock import Clock
from engine.functions.supervisor import Functions
from engine.gateways.supervisor import Gateways
from engine.hosting.supervisor import Hosting
from engine.jobs.supervisor import Supervisor
from engine.keys import KeyRing
from engine.layout import Layout
from engine.objects import ObjectStore
from engine.protocol.tokens import Tokens
from engine.scaling.supervisor import Scaling
from engine.series import MetricStore
from engine.settings import Settings
from engine.store import Store
from engine.streams import LogStore
from engine.transforms.supervisor import Transforms
from engine.tuning.supervisor import Tuning


class Engine:
    """Everything that one running engine owns."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock(settings.time_scale)
        self.layout = Layout(settings.data_dir)
        self.layout.prepare()
        self.store = Store(self.layout.database)
        self.tokens = Tokens(settings.secret_key)
        self.keys = KeyRing(settings, self.store, self.clock)
        self.objects = ObjectStore(self.layout.objects)
        self.logs = LogStore(self.layout.logs)
        self.metrics = MetricStore(self.layout.metrics)
        self.jobs = Supervisor(self)
        self.tuning = Tuning(self)
        self.hosting = Hosting(self)
        self.transforms = Transforms(self)
        self.functions = Functions(self)
        self.gateways = Gateways(self)
        self.alarms = Alarms(self)
        self.scaling = Scaling(self)

    async def start(self) -> None:
        """Make the default role and bucket, watch alarms and scale, re-adopt jobs, go on with tuning jobs, bring endpoints back and go on with transform jobs."""
        self._make_defaults()
        self.transforms.hold()
        self.scaling.load()
        await self.alarms.start()
        await self.scaling.start()
        await self.jobs.start()
        await self.tuning.start()
        await self.hosting.start()
        await self.transforms.start()
        await self.functions.start()

    def _make_defaults(self) -> None:
        """The execution role and the SDKs' default bucket, unless they are there."""
        now = self.clock.time()
        roles.make_default(self.store, self.settings, now)
        if not self.objects.bucket_exists(self.settings.default_bucket):
            self.objects.create_bucket(self.settings.default_bucket, region=self.settings.region, now=now)

    async def stop(self) -> None:
        """Leave jobs running behind their shims, end the serving workers, flush and close the stores."""
        await self.functions.stop()
        await self.transforms.stop()
        await self.hosting.stop()
        await self.tuning.stop()
        await self.jobs.stop()
        await self.scaling.stop()
        await self.alarms.stop()
        self.metrics.close()
        self.logs.close()
        self.objects.close()
        self.store.close()

    async def reset(self) -> None:
        """Wipe everything (test mode): jobs killed, endpoints ended, stores emptied, defaults made again."""
        await self.transforms.reset()
        await self.hosting.reset()
        await self.tuning.reset()
        await self.jobs.reset()
        await self.functions.reset()
        self.gateways.reset()
        await self.scaling.reset()
        await self.alarms.reset()
        self.metrics.clear()
        self.logs.clear()
        self.objects.clear()
        self.store.clear()
        self.keys.clear()
        self._make_defaults()
