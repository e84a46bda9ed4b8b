"""The LSTM's part of a lesson's printed script: its settings, the training job in script mode, and its code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.interfaces import images
from workflows.lessons import boosted, learners, recurrent
from workflows.runs import Run
from workflows.studies import builtinscript, hosting, pieces, scriptmode


def _trains(run: Run) -> bool:
    return learners.LSTM in learners.names(run.parameters)


def hosted(region: str, **batch: Any) -> str:
    """Assignments of what deploying and batch transform use where the LSTM is the only model; ``batch`` as `builtinscript.settings` takes it."""
    image, variables = images.pytorch("inference", region), hosting.environment(region)
    return builtinscript.settings(image, recurrent.LINES, answers=boosted.CSV, variables=variables, **batch)


def settings(parameters: Mapping[str, Any], region: str) -> str:
    """Assignments of what its training job uses, and of what serves it."""
    return f"""\
{scriptmode.settings(images.pytorch("training", region), recurrent.METRICS)}\
LSTM_HYPERPARAMETERS = {pieces.literal(recurrent.settings(parameters))}
LSTM_IMAGE, LINES = "{images.pytorch("inference", region)}", "{recurrent.LINES}"
LSTM_ENVIRONMENT = {pieces.literal(hosting.environment(region))}
"""


def imports(run: Run) -> tuple[str, ...]:
    """Modules of the standard library that its steps need."""
    return ("tarfile",) if _trains(run) and run.interface == "low" else ()


def steps(run: Run) -> str:
    """The functions ``write_source`` and ``train_script``; nothing where no LSTM is trained."""
    return scriptmode.steps(run.interface == "high") if _trains(run) else ""


def sources(run: Run) -> str:
    """The code that SageMaker runs, as the script carries it; nothing where no LSTM is trained."""
    if not _trains(run):
        return ""
    found = {name: path.read_text(encoding="utf-8") for name, path in recurrent.sources().items()}
    return f"\n\n{pieces.sources(found)}\n"
