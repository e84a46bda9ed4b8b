"""All scalable targets and their policies: kept, steered by their alarms, and what they did."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.alarms.windows import waited
from engine.errors import ServiceError
from engine.scaling import record, tracking
from engine.scaling.decision import Moment, decide
from engine.scaling.record import ACTIVITY, POLICY, TARGET, variant_of
from engine.store import Filter, Missing

if TYPE_CHECKING:
    from engine.context import Engine

ENDPOINT = "endpoint"
LOOK_SECONDS = 1.0
_log = logging.getLogger("engine.scaling")


class Scaling:
    """Scalable targets of this account, all of them endpoint variants.

    Documents hold the members that the service's Describe operations answer, and below ``_`` what only the engine needs.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.targets: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self._alarms: dict[str, str] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Read what is stored; before the alarms are, which ask for `pace`."""
        store = self.engine.store
        self.targets = {row.name: row.document for row in store.select(TARGET)}
        self.policies = {row.name: row.document for row in store.select(POLICY)}
        self._alarms = {
            alarm["AlarmName"]: key
            for key, policy in self.policies.items()
            for alarm in policy.get("Alarms") or ()
        }

    async def start(self) -> None:
        """Follow the activities that an earlier engine began, and steer."""
        self.engine.alarms.deliver["autoscaling"] = self._deliver
        for row in self.engine.store.with_status(ACTIVITY, record.UNDER_WAY):
            self._follow(row.name, row.document)
        self._task = asyncio.create_task(self._run(), name="scaling")
        self._wake.set()

    async def stop(self) -> None:
        """End steering; what is stored goes on with the next engine."""
        tasks = [*self._following.values(), *([self._task] if self._task else [])]
        self._following.clear()
        self._task = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def reset(self) -> None:
        """Forget every target (test mode; the store is cleared by the engine)."""
        following = list(self._following.values())
        self._following.clear()
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        self.targets, self.policies, self._alarms = {}, {}, {}

    def register(self, resource_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Make or change a target; the capacity of an endpoint in service is then brought into its bounds."""
        now = self.engine.clock.time()
        known = self.targets.get(resource_id)
        before = known or record.new_target(self.engine.settings, resource_id, now)
        suspended = {**before["SuspendedState"], **(fields.get("SuspendedState") or {})}
        given = {
            name: fields[name] for name in ("MinCapacity", "MaxCapacity") if fields.get(name) is not None
        }
        document = {**before, **given, "SuspendedState": suspended, "_enforce": self._in_service(resource_id)}
        self._keep(TARGET, resource_id, document, now, new=known is None)
        self.targets[resource_id] = document
        self._wake.set()
        return document

    def _in_service(self, resource_id: str) -> bool:
        name = variant_of(resource_id)
        found = self.engine.store.find(ENDPOINT, name.endpoint) if name else None
        return found is not None and found.status == "InService"

    def deregister(self, resource_id: str) -> None:
        """Forget a target with its policies and their alarms."""
        for policy in [item for item in self.policies.values() if item["ResourceId"] == resource_id]:
            self.remove(resource_id, policy["PolicyName"])
        target = self.targets.pop(resource_id)
        self.engine.store.delete(TARGET, resource_id)
        self.engine.store.delete("tags", target["ScalableTargetARN"])

    def forget(self, endpoint: str) -> None:
        """Deregister every variant of an endpoint that is being deleted."""
        for resource_id in list(self.targets):
            found = variant_of(resource_id)
            if found is not None and found.endpoint == endpoint:
                self.deregister(resource_id)

    def put(self, resource_id: str, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """Make or overwrite a target tracking policy and its alarms."""
        now = self.engine.clock.time()
        key = record.policy_key(resource_id, name)
        known = self.policies.get(key)
        document = {
            **record.identity(resource_id),
            "PolicyName": name,
            "PolicyARN": known["PolicyARN"]
            if known
            else record.policy_arn(self.engine.settings, resource_id, name),
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": config,
            "CreationTime": known["CreationTime"] if known else now,
        }
        before = known["Alarms"] if known else []
        configs = tracking.alarms(document, before)
        document["Alarms"] = [
            {
                "AlarmName": alarm["AlarmName"],
                "AlarmARN": self.engine.settings.arn("cloudwatch", f"alarm:{alarm['AlarmName']}"),
            }
            for alarm in configs
        ]
        self._keep(POLICY, key, document, now, new=known is None, parent=resource_id)
        self.policies[key] = document
        names = {alarm["AlarmName"] for alarm in configs}
        self._alarms |= dict.fromkeys(names, key)
        for alarm in configs:
            self.engine.alarms.put(alarm)
        self._drop(alarm["AlarmName"] for alarm in before if alarm["AlarmName"] not in names)
        self._wake.set()
        return document

    def remove(self, resource_id: str, name: str) -> None:
        """Delete a policy and its alarms.

        Raises:
            KeyError: There is no such policy.
        """
        key = record.policy_key(resource_id, name)
        policy = self.policies.pop(key)
        self.engine.store.delete(POLICY, key)
        self._drop(alarm["AlarmName"] for alarm in policy["Alarms"])

    def pace(self, alarm: str) -> tuple[int | None, float | None]:
        """How an alarm's periods pass here: their length in seconds, and what one without data counts as; None as declared."""
        policy = self.policies.get(self._alarms.get(alarm, ""))
        if policy is None:
            return None, None
        low = f"-{tracking.LOW}-" in alarm
        return waited(tracking.PERIOD, self.engine.clock), tracking.silence(policy) if low else None

    def _drop(self, names: Any) -> None:
        for name in list(names):
            self._alarms.pop(name, None)
            self.engine.alarms.delete([name])

    def _keep(
        self, kind: str, name: str, document: dict[str, Any], now: float, *, new: bool, parent: str = ""
    ) -> None:
        if new:
            self.engine.store.create(kind, name, document, now=now, parent=parent)
        else:
            self.engine.store.update(kind, name, lambda _: document, now=now)

    def _deliver(self, action: str, alarm: str) -> str | None:
        """An alarm tells of its policy: whatever it asks for is done at the next look, and as long as the alarm stays."""
        if not any(policy["PolicyARN"] == action for policy in self.policies.values()):
            return f"Could not find scaling policy {action}."
        self._wake.set()
        return None

    async def _run(self) -> None:
        while True:
            if not self.targets:
                self._wake.clear()
                await self._wake.wait()
            for resource_id in list(self.targets):
                try:
                    self._steer(resource_id)
                except Exception:  # The others are steered, whatever one of them holds.
                    _log.exception("%s could not be scaled.", resource_id)
            await asyncio.sleep(LOOK_SECONDS)

    def _steer(self, resource_id: str) -> None:
        """Bring a target into its bounds, or to where its alarms want it."""
        if resource_id in self._following:
            return
        name = variant_of(resource_id)
        found = self.engine.store.find(ENDPOINT, name.endpoint) if name else None
        if name is None or found is None or found.status != "InService":
            return
        current = found.document["counts"].get(name.variant)
        if current is None:
            return
        target = self.targets[resource_id]
        low, high = target["MinCapacity"], target["MaxCapacity"]
        if target.get("_enforce"):
            if not low <= current <= high:
                bound, limit = ("minimum", low) if current < low else ("maximum", high)
                self._change(resource_id, current, limit, f"{bound} capacity was set to {limit}")
            target["_enforce"] = False
            self._note(resource_id)
            return
        alarms = self.engine.alarms
        policies = [policy for policy in self.policies.values() if policy["ResourceId"] == resource_id]
        moment = Moment(self.engine.clock.time(), self.engine.clock.scale, alarms.state, alarms.points)
        wish = decide(target, policies, current, moment)
        if wish is not None:
            self._change(resource_id, current, wish.desired, wish.cause)

    def _change(self, resource_id: str, current: int, desired: int, cause: str) -> None:
        """Begin an activity that sets a variant's instance count."""
        # At run time: that module needs the engine's own, which needs this one.
        from engine.services.sagemaker.endpoints import reshape

        name = variant_of(resource_id)
        assert name is not None
        now = self.engine.clock.time()
        activity = record.new_activity(resource_id, desired, cause, now)
        activity |= {"_desired": desired, "_way": "Out" if desired > current else "In"}
        key: str = activity["ActivityId"]
        try:
            wish = {"VariantName": name.variant, "DesiredInstanceCount": desired}
            reshape(self.engine, name.endpoint, [wish])
        except ServiceError as error:
            activity |= _failed(desired, error.message, now)
            self._rest(activity, now)
        status = activity["StatusCode"]
        self.engine.store.create(ACTIVITY, key, activity, now=now, status=status, parent=resource_id)
        if status == record.UNDER_WAY:
            self._follow(key, activity)

    def _follow(self, key: str, activity: Mapping[str, Any]) -> None:
        resource_id = activity["ResourceId"]
        task = asyncio.create_task(self._finish(key, activity), name=f"scaling {resource_id}")
        self._following[resource_id] = task

        def done(task: asyncio.Task[None]) -> None:
            if self._following.get(resource_id) is task:
                del self._following[resource_id]
            if not task.cancelled() and task.exception() is not None:
                _log.error("Scaling of %s: %s", resource_id, task.exception(), exc_info=task.exception())

        task.add_done_callback(done)

    async def _finish(self, key: str, activity: Mapping[str, Any]) -> None:
        """Wait until an endpoint is no longer updating, and write down what became of the activity."""
        name = variant_of(activity["ResourceId"])
        assert name is not None
        while True:
            found = self.engine.store.find(ENDPOINT, name.endpoint)
            if found is None or found.status not in ("Updating", "SystemUpdating", "RollingBack"):
                break
            await self.engine.hosting.changes.wait(name.endpoint, LOOK_SECONDS)
        desired, now = activity["_desired"], self.engine.clock.time()
        if found is not None and found.document["counts"].get(name.variant) == desired:
            text = f"Successfully set desired instance count to {desired}. Change successfully fulfilled by sagemaker."
            ended = {"EndTime": now, "StatusCode": record.DONE, "StatusMessage": text}
        else:
            reason = found.document.get("FailureReason", "It was changed.") if found else "It was deleted."
            ended = _failed(desired, reason, now)
        self.engine.store.update(
            ACTIVITY, key, lambda document: {**document, **ended}, now=now, status=str(ended["StatusCode"])
        )
        self._rest(activity, now)

    def _rest(self, activity: Mapping[str, Any], now: float) -> None:
        """Begin the cooldown after an activity."""
        target = self.targets.get(activity["ResourceId"])
        if target is not None:
            target[f"_scaled{activity['_way']}"] = now
            self._note(activity["ResourceId"])

    def _note(self, resource_id: str) -> None:
        """Store a target as it is now."""
        document = self.targets[resource_id]
        try:
            self.engine.store.update(TARGET, resource_id, lambda _: document, now=self.engine.clock.time())
        except Missing:  # Deregistered meanwhile.
            self.targets.pop(resource_id, None)

    def prune(self) -> None:
        """Forget activities that are older than they are told."""
        limit = self.engine.clock.time() - record.KEPT_SECONDS
        for row in self.engine.store.select(ACTIVITY, [Filter("created", "<", limit)]):
            self.engine.store.delete(ACTIVITY, row.name)


def _failed(desired: int, reason: str, now: float) -> dict[str, Any]:
    text = f"Failed to set desired instance count to {desired}. Reason: {reason}"
    return {"EndTime": now, "StatusCode": record.FAILED, "StatusMessage": text}
