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
CONFIGURED, CHANGED, ACTED = "ConfigurationUpdate", "StateUpdate", "Action"

_STATE = ("StateValue", "StateReason", "StateReasonData")
_UNTOLD = frozenset((*_STATE, "StateUpdatedTimestamp", "StateTransitionedTimestamp"))


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
            _small(key): moment(value) if key.endswith("Timestamp") else value
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

    def _add(self, name: str, kind: str, summary: str, data: Mapping[str, Any], now: float) -> None:
        self._number += 1
        document = {
            "AlarmName": name,
            "AlarmType": "MetricAlarm",
            "Timestamp": now,
            "HistoryItemType": kind,
            "HistorySummary": summary[:255],
            "HistoryData": json.dumps(data, separators=(",", ":"))[:4095],
        }
        key = f"{self._number:09d}-{secrets.token_hex(4)}"
        self._store.create(KIND, key, document, now=now, status=kind, parent=name)


def _state(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {_small(key): document[key] for key in _STATE if document.get(key) is not None}
    if "stateReasonData" in found:
        found["stateReasonData"] = json.loads(found["stateReasonData"])
    return found


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]
