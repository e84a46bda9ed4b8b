"""What happened to alarms: kept for 30 days, also after an alarm is deleted."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from engine.alarms.reasons import moment
from engine.store import Filter, Store

KIND = "alarm-history"
KEPT_SECONDS = 30 * 86400
_SUMMARY_LIMIT, _DATA_LIMIT = 255, 4095
CONFIGURED, CHANGED, ACTED = "ConfigurationUpdate", "StateUpdate", "Action"

_STATE = ("StateValue", "StateReason", "StateReasonData")
_UNTOLD = frozenset(("StateReason", "StateReasonData", "StateTransitionedTimestamp"))


class History:
    """The items of all alarms, in the resource store: kind ``alarm-history``, parent the alarm, status the item's type."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._number = 0

    def configured(self, kind: str, document: Mapping[str, Any], now: float) -> None:
        """An alarm was created, updated or deleted (``kind`` is Create, Update or Delete)."""
        word = {"Create": "created", "Update": "updated", "Delete": "deleted"}[kind]
        name = document["AlarmName"]
        alarm = {
            _small(key): moment(value) if key.endswith("Timestamp") else _lowered(value)
            for key, value in document.items()
            if key not in _UNTOLD and value is not None
        }
        data = {"version": "1.0", "type": kind, f"{word}Alarm": alarm}
        self._add(name, CONFIGURED, f'Alarm "{name}" {word}', data, now)

    def changed(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any], now: float) -> None:
        """An alarm's state changed from that in one document to that in another."""
        data = {"version": "1.0", "oldState": _state(old), "newState": _state(new)}
        self._add(name, CHANGED, f"Alarm updated from {old['StateValue']} to {new['StateValue']}", data, now)

    def acted(self, name: str, action: str, error: str | None, now: float) -> None:
        """An action was carried out, or not."""
        data = {
            "actionState": "Failed" if error else "Succeeded",
            "stateUpdateTimestamp": int(now * 1000),
            "notificationResource": action,
        }
        summary = f"Successfully executed action {action}"
        if error:
            data["error"] = error
            summary = f'Failed to execute action {action}. Received error: "{error}"'
        self._add(name, ACTED, summary, data, now)

    def prune(self, now: float) -> None:
        """Forget what is older than CloudWatch keeps it."""
        for item in self._store.select(KIND, [Filter("created", "<", now - KEPT_SECONDS)]):
            self._store.delete(KIND, item.name)

    def _add(self, name: str, kind: str, summary: str, data: dict[str, Any], now: float) -> None:
        self._number += 1
        document = {
            "AlarmName": name,
            "AlarmType": "MetricAlarm",
            "Timestamp": now,
            "HistoryItemType": kind,
            "HistorySummary": summary[:_SUMMARY_LIMIT],
            "HistoryData": _written(data),
        }
        key = f"{self._number:09d}-{secrets.token_hex(4)}"
        self._store.create(KIND, key, document, now=now, status=kind, parent=name)


def _state(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {_small(key): document[key] for key in _STATE if document.get(key) is not None}
    if "stateReasonData" in found:
        found["stateReasonData"] = json.loads(found["stateReasonData"])
    return found


def _written(data: dict[str, Any]) -> str:
    """The data as JSON, without the longest lists and texts below it while it is too long."""
    data = json.loads(json.dumps(data))
    while len(written := json.dumps(data, separators=(",", ":"))) > _DATA_LIMIT:
        leaves = _leaves(data)
        holder, key = max(leaves, key=lambda leaf: len(json.dumps(leaf[0][leaf[1]])))
        del holder[key]
    return written


def _leaves(node: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    found: list[tuple[dict[str, Any], str]] = []
    for key, value in node.items():
        found += _leaves(value) if isinstance(value, dict) else [(node, key)]
    return found


def _lowered(value: Any) -> Any:
    """A value with its members' names as CloudWatch writes them there."""
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    return {_small(key): item for key, item in value.items()} if isinstance(value, dict) else value


def _small(name: str) -> str:
    return "okactions" if name == "OKActions" else name[:1].lower() + name[1:]
