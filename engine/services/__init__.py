"""The services' operations: every module below this package registers its own when it is imported."""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import every module of this package and its subpackages, so that their operations are registered."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
