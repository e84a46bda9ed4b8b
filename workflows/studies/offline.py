"""Scores points with a model archive on this machine, through the serving code that the archive itself carries.

It runs as a process of its own, so that torch does not stay in the run's memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from workflows.failures import WorkflowError

_PROGRAM = """
import json
import sys
folder, points, answers = sys.argv[1:4]
sys.path.insert(0, folder + "/code")
import inference
import numpy as np
model = inference.model_fn(folder)
with open(points, "rb") as file:
    inputs = inference.input_fn(file.read(), "application/x-npy")
answer = inference.output_fn(inference.predict_fn(inputs, model), "application/x-npy")
with open(answers, "wb") as file:
    file.write(answer[0] if isinstance(answer, tuple) else answer)
if hasattr(inference, "examine_fn"):
    with open(answers + ".json", "w") as file:
        json.dump(inference.examine_fn(folder, inputs), file)
"""


def predict(model: Path, points: Any, work: Path, timeout: float = 300.0) -> Any:
    """The answers of the unpacked model in the folder ``model`` for an array of points, as its endpoint would give them.

    Raises:
        WorkflowError: The model cannot be loaded or does not answer.
    """
    return examine(model, points, work, timeout)[0]


def examine(model: Path, points: Any, work: Path, timeout: float = 300.0) -> tuple[Any, dict[str, Any]]:
    """As `predict`, with what the archive's ``examine_fn(folder, inputs)`` tells of itself (empty when it has none).

    Raises:
        WorkflowError: The model cannot be loaded or does not answer.
    """
    import numpy as np

    asked, answered = work / "offline-points.npy", work / "offline-answers.npy"
    np.save(asked, points)
    told = answered.with_name(f"{answered.name}.json")
    for path in (answered, told):
        path.unlink(missing_ok=True)
    command = [sys.executable, "-c", _PROGRAM, str(model), str(asked), str(answered)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=work)
    if done.returncode != 0 or not answered.exists():
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise WorkflowError(
            f"The model cannot be scored offline: {last}. The training job's log tells what it saved."
        )
    facts: dict[str, Any] = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
    return np.load(answered, allow_pickle=False), facts
