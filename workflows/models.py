"""botocore's service models in less memory: as plain dictionaries, with empty documentation.

SageMaker's model takes 7.4 MB as botocore keeps it and 2 MB so; a console has six of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any


def slim(session: Any) -> None:
    """Let a botocore session load the models of its clients so; call it before the first client is made."""
    from botocore.loaders import JSONFileLoader

    class Slim(JSONFileLoader):
        """Reads the same files."""

        def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
            try:
                with open_method(full_path, "rb") as file:
                    return json.loads(file.read(), object_hook=_slimmed)
            except FileNotFoundError:
                return None

    session.get_component("data_loader").file_loader = Slim()


def _slimmed(found: dict[str, Any]) -> dict[str, Any]:
    if isinstance(found.get("documentation"), str):  # a shape may have a member of that name
        found["documentation"] = ""  # botocore asks for some without looking whether they are there
    for name, value in found.items():
        if type(value) is str:
            found[name] = sys.intern(value)
    return found
