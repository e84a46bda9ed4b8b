"""The key pairs that may sign requests: the account's own, and temporary ones that STS handed out."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

from engine.protocol.signature import Key

if TYPE_CHECKING:
    from engine.clock import Clock
    from engine.settings import Settings
    from engine.store import Store

KIND = "sts-session"
_ALPHABET = string.ascii_uppercase + "234567"


class KeyRing:
    """Finds a key pair by its access key. Temporary pairs live in the store, so they outlast a restart of the engine."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._root = Key(settings.access_key, settings.secret_key)
        self._sessions: dict[str, Key] = {}

    def find(self, access_key: str) -> Key | None:
        """The key pair, also an expired temporary one; None when nobody has it."""
        if access_key == self._root.access_key:
            return self._root
        if access_key not in self._sessions:
            row = self._store.find(KIND, access_key)
            if row is None:
                return None
            document = row.document
            self._sessions[access_key] = Key(
                access_key, document["secret"], document["token"], document["expires"]
            )
        return self._sessions[access_key]

    def principal(self, access_key: str) -> dict[str, str]:
        """Who signs with a temporary key pair: ``arn`` and ``id``; empty for the account's own pair."""
        row = self._store.find(KIND, access_key)
        return dict(row.document["principal"]) if row is not None else {}

    def issue(self, principal: dict[str, str], seconds: int) -> Key:
        """A new temporary key pair of ``principal`` (its ``arn`` and ``id``) that lives for ``seconds``."""
        now = self._clock.time()
        self._drop_expired(now)
        access_key = "ASIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16))
        key = Key(access_key, secrets.token_urlsafe(30), secrets.token_urlsafe(96), float(int(now + seconds)))
        document = {"secret": key.secret, "token": key.token, "expires": key.expires, "principal": principal}
        self._store.create(KIND, access_key, document, now=now)
        return key

    def clear(self) -> None:
        """Forget temporary pairs (test mode; the store is cleared by its owner)."""
        self._sessions.clear()

    def _drop_expired(self, now: float) -> None:
        for row in self._store.select(KIND):
            if row.document["expires"] < now - 3600:
                self._store.delete(KIND, row.name)
                self._sessions.pop(row.name, None)
