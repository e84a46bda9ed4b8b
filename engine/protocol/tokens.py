"""Opaque pagination tokens: nobody can read or forge a position, and a token of one list is of no use to another."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from engine.errors import ServiceError

_MAC = 12
# The page's own parameters: a client may change its page size between pages, so a token is not bound to them.
_PAGING = frozenset(
    [
        "NextToken",
        "nextToken",
        "MaxResults",
        "maxResults",
        "Marker",
        "marker",
        "MaxItems",
        "maxItems",
        "MaxRecords",
        "Limit",
        "limit",
        "ContinuationToken",
        "StartAfter",
        "MaxKeys",
        "MaxBuckets",
        "PageSize",
        "pageSize",
        "MaxDatapoints",
    ]
)


class Tokens:
    """Makes and reads tokens. The key comes from the account's secret, so tokens outlast a restart of the engine."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"pagination tokens", "sha256")

    def encode(self, operation: str, params: Mapping[str, Any], position: Any) -> str:
        """A token for the page of ``operation`` after ``position`` (anything that JSON can hold).

        ``params`` are the request's parameters: the token is only good with the same filters and the same order.
        """
        text = json.dumps(position, separators=(",", ":")).encode()
        mac = self._mac(operation, params, text)
        return urlsafe_b64encode(mac + self._masked(mac, text)).decode()

    def decode(
        self,
        operation: str,
        params: Mapping[str, Any],
        token: str,
        *,
        code: str = "ValidationException",
        message: str = "The pagination token is not valid for this request. Start again without a token.",
    ) -> Any:
        """The position that `encode` was given.

        Raises:
            ServiceError: ``code`` with ``message``: the token is damaged, or of another operation, filter or engine.
        """
        try:
            raw = urlsafe_b64decode(token.encode("ascii"))
        except ValueError as error:
            raise ServiceError(code, message) from error
        mac = raw[:_MAC]
        text = self._masked(mac, raw[_MAC:])
        if not hmac.compare_digest(mac, self._mac(operation, params, text)):
            raise ServiceError(code, message)
        return json.loads(text)

    def _mac(self, operation: str, params: Mapping[str, Any], text: bytes) -> bytes:
        bound = {name: value for name, value in params.items() if name not in _PAGING}
        about = json.dumps([operation, bound], sort_keys=True, default=str, separators=(",", ":")).encode()
        return hmac.digest(self._key, len(about).to_bytes(4, "big") + about + text, "sha256")[:_MAC]

    def _masked(self, mac: bytes, text: bytes) -> bytes:
        mask = hashlib.shake_256(self._key + mac).digest(len(text))
        return bytes(left ^ right for left, right in zip(text, mask, strict=True))
