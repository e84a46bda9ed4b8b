"""The built-in algorithms beside the libraries people would use by hand: time and peak memory of the whole process, from 10,000 to 1,000,000 rows.

Ours is the container's command on a recordIO-protobuf file, as ``record_set`` uploads it (start, read, train, write the model). The peer is
a script that loads the same rows from a ``.npy`` file and fits. Both may use all cores, and they take turns in one run.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.report import Row

SIZES = (10_000, 100_000, 1_000_000)
FEATURES = 30
REPEATS = 3
PEER = Path(__file__).parent / "programs" / "peer.py"


@dataclass(frozen=True)
class Run:
    """One process: seconds from start to end, peak resident memory in MB, what it printed, and its CPU seconds."""

    seconds: float
    peak: float
    output: str
    cpu: float


@dataclass(frozen=True)
class Case:
    """An algorithm with its hyperparameters, and the peers by the names in ``programs/peer.py``; targets are on the first one."""

    repository: str
    hyperparameters: dict[str, str]
    peers: tuple[str, ...]
    target: float | None = None
    labels: bool = False
    flat: bool = True
    tag: str = "1"
    sizes: tuple[int, ...] = field(default=SIZES)


CASES = (
    Case(
        "pca",
        {"feature_dim": str(FEATURES), "num_components": "10", "mini_batch_size": "5000"},
        ("pca",),
        1.0,
    ),
    Case("kmeans", {"feature_dim": str(FEATURES), "k": "8"}, ("kmeans", "minibatch"), 1.0),
    Case(
        "linear-learner",
        {"feature_dim": str(FEATURES), "predictor_type": "binary_classifier"},
        ("logistic", "sgd"),
        labels=True,
    ),
    Case(
        "xgboost",
        {"objective": "binary:logistic", "max_depth": "6", "eta": "0.3", "num_round": "20"},
        ("xgboost",),
        labels=True,
        flat=False,
        tag="3.0-5",
    ),
)


def run(command: list[str], **variables: str) -> Run:
    """Run a process to its end.

    Raises:
        RuntimeError: It failed; the message is the end of what it said.
    """
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=os.environ | variables
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{text[-2000:]}")
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return Run(seconds, usage.ru_maxrss / scale, text, usage.ru_utime + usage.ru_stime)


def data(rows: int, folder: Path) -> None:
    """Twelve overlapping blobs with a label that is mostly linear in the features, as ``.npy`` and as recordIO-protobuf."""
    import numpy as np

    from algorithms.formats import records

    random = np.random.default_rng(0)
    centres = random.normal(scale=4, size=(12, FEATURES))
    x = (centres[random.integers(0, 12, rows)] + random.normal(size=(rows, FEATURES))).astype("float32")
    score = x @ random.normal(size=FEATURES) + random.normal(scale=2, size=rows)
    labels = (score > np.median(score)).astype("float32")
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", labels)
    for name, given in (("plain", None), ("labelled", labels)):
        (folder / name).mkdir()
        with (folder / name / "matrix_0.pbr").open("wb") as file:
            file.writelines(records.dense(x, given))


def _prepare(rows: int, folder: Path) -> None:
    """`data` in a process of its own: a child's peak begins at what its parent holds when it is forked."""
    maker = multiprocessing.get_context("spawn").Process(target=data, args=(rows, folder))
    maker.start()
    maker.join()
    if maker.exitcode:
        raise RuntimeError(f"the data of {rows:,} rows could not be made")


def ours(case: Case, data_folder: Path, more: dict[str, str] | None = None) -> Run:
    """The container's command on a job directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for part in ("input/config", "input/data", "model", "output/data"):
            (base / part).mkdir(parents=True)
        (base / "input/data/train").symlink_to(data_folder / ("labelled" if case.labels else "plain"))
        (base / "input/config/hyperparameters.json").write_text(
            json.dumps(case.hyperparameters | (more or {}))
        )
        inputs = {"train": {"ContentType": "application/x-recordio-protobuf", "TrainingInputMode": "File"}}
        (base / "input/config/inputdataconfig.json").write_text(json.dumps(inputs))
        return run(
            [sys.executable, "-m", "algorithms.builtin.train", case.repository, case.tag],
            SAGEMAKER_BASE_DIR=folder,
        )


def peer(name: str, case: Case, folder: Path) -> Run:
    """The peer's script on the same rows."""
    labels = [str(folder / "y.npy")] if case.labels else []
    return run([sys.executable, str(PEER), name, str(folder / "x.npy"), *labels])


def _case(case: Case, folders: dict[int, Path]) -> list[Row]:
    rows: list[Row] = []
    peaks = []
    for size in case.sizes:
        repeats = REPEATS if size < 1_000_000 else 1
        mine: list[Run] = []
        theirs: dict[str, list[Run]] = {name: [] for name in case.peers}
        for _ in range(repeats):
            mine.append(ours(case, folders[size]))
            for name in case.peers:
                theirs[name].append(peer(name, case, folders[size]))
        seconds = statistics.median(r.seconds for r in mine)
        peaks.append(statistics.median(r.peak for r in mine))
        for name in case.peers:
            label = f"{case.repository}, {size:,} rows, against {name}"
            target = case.target if name == case.peers[0] else None
            other = statistics.median(r.seconds for r in theirs[name])
            rows.append(Row(f"{label}: time", "s", seconds, other, target, higher=False))
            peak = statistics.median(r.peak for r in theirs[name])
            rows.append(Row(f"{label}: peak memory", "MB", peaks[-1], peak, higher=False))
    # Ten thousand rows are less than the buffers that every size uses; from a hundred thousand on memory must not grow.
    if case.flat:
        rows.append(
            Row(
                f"{case.repository}: peak memory, {case.sizes[-1]:,} rows against {case.sizes[-2]:,}",
                "MB", peaks[-1], peaks[-2], 1 / 1.3, higher=False,
            )
        )  # fmt: skip
    return rows


def _stacked(folder: Path) -> Row:
    """32 linear models in one pass beside one."""
    case = next(case for case in CASES if case.repository == "linear-learner")
    many = statistics.median(ours(case, folder, {"num_models": "32"}).seconds for _ in range(REPEATS))
    one = statistics.median(ours(case, folder, {"num_models": "1"}).seconds for _ in range(REPEATS))
    return Row(
        "linear-learner, 32 models in one pass against one, 100,000 rows", "s", many, one, 1 / 3, higher=False
    )


def main() -> tuple[str, str, list[Row]]:
    """Medians of three runs, of one for a million rows."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        folders = {}
        for size in SIZES:
            folders[size] = Path(folder) / str(size)
            folders[size].mkdir()
            _prepare(size, folders[size])
        for case in CASES:
            rows += _case(case, folders)
        rows.append(_stacked(folders[100_000]))
    return "Built-in algorithms, whole processes", "library by hand", rows
