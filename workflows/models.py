"""botocore's service models in less memory: what a client asks for is unfolded, the rest stays bytes.

SageMaker's model takes 7.4 MB as botocore keeps it and 3.9 without its documentation, as does the list of all services'
endpoints; a console has six models, and asks for some thirty of their operations. They are read once in a process, whatever the number of
its sessions: SageMaker's takes 70 ms, in which a console that changes its target or looks at several would not answer.
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Callable
from typing import Any

_TEXTS = re.compile(rb'"documentation"\s*:\s*"[^"\\]*(?:\\.[^"\\]*)*"')
"""Not within a string: there a quote has a backslash before it."""
_MANY = ("operations", "shapes", "services")
"""Of a service its operations and shapes, of a partition its services: hundreds each."""
_READ: dict[str, Any] = {}
"""Documents by path, for all sessions. What botocore changes in them may be done again: it merges in its own additions, cuts the bucket out of S3's
paths, and completes the endpoints that it was asked for."""


def slim(session: Any) -> None:
    """Let a botocore session load the models of its clients so; call it before the first client is made."""
    from botocore.loaders import JSONFileLoader

    class Slim(JSONFileLoader):
        """Reads the same files."""

        def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
            if full_path not in _READ:
                try:
                    with open_method(full_path, "rb") as file:
                        _READ[full_path] = folded(file.read())
                except FileNotFoundError:
                    return None
            return _READ[full_path]

    session.get_component("data_loader").file_loader = Slim()


class Folded(dict[str, Any]):
    """An object whose members are marshalled until they are asked for.

    It is a dict because botocore merges additions into whatever is one, and keeps what was asked for because it is
    changed in place.
    """

    def __init__(self, members: dict[str, Any]) -> None:
        super().__init__((name, marshal.dumps(value)) for name, value in members.items())

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if type(found) is bytes:
            found = self[name] = marshal.loads(found)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 (this is what that calls)

    def items(self) -> Any:
        return [(name, self[name]) for name in self]

    def values(self) -> Any:
        return [self[name] for name in self]

    def copy(self) -> dict[str, Any]:
        return dict(self.items())

    def __eq__(self, other: object) -> bool:
        return self.copy() == other

    __hash__ = None


def folded(document: bytes) -> Any:
    """A document of botocore's in JSON, its documentation empty (botocore asks for some without looking whether it is
    there) and its `_MANY` folded.

    Raises:
        ValueError: It is not JSON.
    """
    found = json.loads(_TEXTS.sub(b'"documentation":""', document))
    for part in (found, *found.get("partitions", ())):
        for name in _MANY:
            if isinstance(part.get(name), dict):
                part[name] = Folded(part[name])
    return found
