"""All REST APIs: their deployments, ready to be looked up."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from engine.gateways.record import DEPLOYMENT
from engine.gateways.routes import Routes
from engine.gateways.throttling import Throttle

if TYPE_CHECKING:
    from engine.context import Engine

_KEPT = 64


class Snapshot:
    """An API at the moment of a deployment: its routes, customised gateway responses, binary media types."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.routes = Routes(document["Resources"])
        self.responses: dict[str, dict[str, Any]] = document["Responses"]
        self.media_types: list[str] = document["MediaTypes"]
        self.compress_from: int | None = document["CompressFrom"]
        self.validators: dict[str, dict[str, Any]] = document.get("Validators", {})
        self.name: str = document["Name"]
        self.disabled: bool = document["Disabled"]


class Gateways:
    """What the public surface needs at hand."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.throttle = Throttle()
        # A deployment never changes: what was made of it is good for as long as it exists.
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()

    def snapshot(self, api_id: str, deployment_id: str) -> Snapshot | None:
        """A deployment's, or None when there is none."""
        name = f"{api_id}/{deployment_id}"
        found = self._snapshots.get(name)
        if found is None:
            row = self.engine.store.find(DEPLOYMENT, name)
            if row is None:
                return None
            found = self._snapshots[name] = Snapshot(row.document["Snapshot"])
            if len(self._snapshots) > _KEPT:
                self._snapshots.popitem(last=False)
        return found

    def forget(self, api_id: str) -> None:
        """Drop what was made of an API's deployments."""
        for name in [name for name in self._snapshots if name.startswith(f"{api_id}/")]:
            del self._snapshots[name]

    def reset(self) -> None:
        """Forget everything (test mode)."""
        self._snapshots.clear()
        self.throttle.clear()


def frozen(document: dict[str, Any]) -> dict[str, Any]:
    """What a deployment keeps of an API's document."""
    api = document["Api"]
    return {
        "Resources": document["Resources"],
        "Responses": document["Responses"],
        "MediaTypes": api.get("binaryMediaTypes") or [],
        "CompressFrom": api.get("minimumCompressionSize"),
        "Name": api["name"],
        "Validators": document.get("Validators", {}),
        "Disabled": bool(api.get("disableExecuteApiEndpoint")),
    }
