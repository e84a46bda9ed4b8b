"""`sitecustomize` of the Python programs in a shell that `engine env` set up: STS at AWS's own address becomes the engine's STS.

The SageMaker SDKs ask STS under ``https://sts.REGION.amazonaws.com`` for the account and the execution role, whatever
``AWS_ENDPOINT_URL`` says. The request keeps the Host it was signed for, so its signature stays good. A copy of this file
lies in a folder of its own on PYTHONPATH: it uses the standard library alone.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys

# Every Python of the shell starts with this file: `typing` and `re` would cost more than all of it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

_STS = r"https?://(sts(?:\.[a-z0-9-]+)?\.amazonaws\.com)(?::\d+)?(/.*)?"
_LOOPBACK = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/?"
_PATCHED = "botocore.handlers"


def redirect(request: Any, **_: Any) -> None:
    """Send a signed STS request to the engine; a handler of botocore's ``before-send`` event."""
    import re

    target = os.environ.get("AWS_ENDPOINT_URL", "")
    found = re.fullmatch(_STS, request.url)
    if found is not None and re.fullmatch(_LOOPBACK, target):
        request.headers["Host"] = found[1]
        request.url = target.rstrip("/") + (found[2] or "/")


class Finder:
    """Adds `redirect` to botocore's handlers at the moment a program imports botocore."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own spec, whose execution ends with the handler in place; None for every other module."""
        if name != _PATCHED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            module.BUILTIN_HANDLERS.append(("before-send.sts", redirect))

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _hand_on() -> None:
    """Run the sitecustomize that this one stands before."""
    here = os.path.realpath(__file__.rpartition(os.sep)[0])
    others = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(sys.modules[__name__])


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, Finder())
    _hand_on()
