"""The xgboost library: found, and imported without what this process does not need."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

from algorithms.builtin.failures import ClientError


def load() -> Any:
    """The module ``xgboost``.

    xgboost imports scikit-learn for its own scikit-learn interface, which takes longer (2 s) than most trainings here; a
    process that has not imported it yet is spared that.

    Raises:
        ClientError: It is not installed.
    """
    if "xgboost" in sys.modules:
        return sys.modules["xgboost"]
    if importlib.util.find_spec("xgboost") is None:
        raise ClientError(
            "The xgboost library is not installed on this machine. Install it with 'pip install xgboost' (on x86-64 Linux and "
            "Windows 'pip install xgboost-cpu' is enough) into the environment that runs the engine, and start the engine again."
        )
    if "sklearn" in sys.modules:
        return importlib.import_module("xgboost")
    hidden: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    hidden["sklearn"] = None
    try:
        return importlib.import_module("xgboost")
    finally:
        del hidden["sklearn"]


def first_line(error: BaseException) -> str:
    """What an error of the library says, without time, source position and stack."""
    text = str(error).strip().partition("\nStack trace")[0].strip()
    lines = [line for line in text.splitlines() if line.strip()]
    head = lines[0] if lines else type(error).__name__
    if head.startswith("[") and "] " in head:
        head = head.partition("] ")[2]
        # "/some/where/objective.cu:83: message" is how the library writes its own position.
        place, found, rest = head.partition(": ")
        if found and place.rpartition(":")[2].isdigit():
            head = rest
    return "\n".join([head, *lines[1:3]])
