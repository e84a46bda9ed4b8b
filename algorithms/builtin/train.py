"""The built-in algorithms' ``train`` command: ``python -m algorithms.builtin.train REPOSITORY [TAG]`` inside a job."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from algorithms.builtin import job as jobs
from algorithms.builtin.algorithm import find
from algorithms.builtin.failures import AlgorithmError, ClientError


def main(repository: str, tag: str, base: Path) -> int:
    """Train; the exit status is 0, 2 for the customer's fault, 1 for any other. The reason goes to ``output/failure``."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, _stop)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if os.environ.get("OMP_NUM_THREADS", "").isdigit():
        cpus = max(1, min(cpus, int(os.environ["OMP_NUM_THREADS"])))
    print("Docker entrypoint called with argument(s): train")
    print("Running default environment configuration script")
    try:
        job = jobs.read(base, repository, tag, name=os.environ.get("TRAINING_JOB_NAME", ""), cpus=cpus)
        find(repository).train(job)
    except (ClientError, AlgorithmError) as error:
        return _fail(base, error.kind, str(error), error.code)
    except MemoryError:
        return _fail(
            base, "ClientError", "Out of memory. Use a smaller mini_batch_size or a smaller model.", 2
        )
    except Exception as error:
        import traceback

        traceback.print_exc()
        return _fail(base, "AlgorithmError", f"{type(error).__name__}: {error}", 1)
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    # StopTrainingJob sends SIGTERM; what lies in the model directory is uploaded, as on AWS.
    sys.stdout.flush()
    os._exit(0)


def _fail(base: Path, kind: str, message: str, code: int) -> int:
    text = f"{kind}: {message}"
    print(text, file=sys.stderr, flush=True)
    path = base / "output" / "failure"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, errors="replace")
    return code


if __name__ == "__main__":
    status = main(
        sys.argv[1],
        sys.argv[2] if len(sys.argv) > 2 else "",
        Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")),
    )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
