"""A script that trains nothing but behaves as a training: its score depends on two hyperparameters and a seed."""

from __future__ import annotations

import secrets
import tarfile
from collections.abc import Mapping
from pathlib import Path

from workflows.interfaces import images
from workflows.interfaces.base import Interface, MetricDefinition
from workflows.observe.tuning_rows import Objective, Range
from workflows.platform import Platform
from workflows.tuning.request import Input, Template, TuningRequest, continuous, integer

PROGRAM = """
import argparse, os, random, shutil, time
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, default=0.5)
parser.add_argument("--depth", type=int, default=2)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--pause", type=float, default=0.0)
found, _ = parser.parse_known_args()
loss = (found.rate - 0.3) ** 2 + 0.01 * found.depth + 0.001 * random.Random(found.seed).random()
for epoch in range(3):
    print(f"epoch={epoch} loss={loss + 0.1 * (2 - epoch):.9f}", flush=True)
    time.sleep(found.pause)
code = Path(os.environ["SM_MODEL_DIR"]) / "code"
code.mkdir()
(code / "inference.py").write_text(SERVING)
(code.parent / "loss.txt").write_text(str(loss))
"""
SERVING = """
from pathlib import Path
def model_fn(folder):
    return float((Path(folder) / "loss.txt").read_text())
def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return [float(line) for line in text.split()]
def predict_fn(rows, loss):
    return [row + loss for row in rows]
def output_fn(rows, accept):
    return "".join(f"{row:.6f}\\n" for row in rows)
"""
METRIC = MetricDefinition("validation:loss", r"loss=([0-9.e-]+)")
LEAST = Objective(name="validation:loss", direction="Minimize")
RANGES = (continuous("rate", 0.01, 1.0, "Logarithmic"), integer("depth", 1, 8))


def fresh(start: str) -> str:
    """A name that no other test has."""
    return f"{start}-{secrets.token_hex(3)}"


def submitted(interface: Interface, folder: Path, prefix: str) -> dict[str, str]:
    """The program uploaded, and the hyperparameters that make a container run it."""
    (folder / "train.py").write_text(f"SERVING = {SERVING!r}\n{PROGRAM}")
    archive = folder / "sourcedir.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "train.py", "train.py")
    return {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": interface.upload(archive, f"{prefix}/code"),
    }


def request(
    platform: Platform,
    interface: Interface,
    folder: Path,
    name: str,
    *,
    ranges: tuple[Range, ...] = RANGES,
    static: Mapping[str, str] | None = None,
) -> TuningRequest:
    """A tuning job of the program: four random trials, two at a time."""
    prefix = f"s3://{platform.bucket}/mlconsole/{name}"
    (folder / "rows.csv").write_text("1\n2\n3\n")
    rows = interface.upload(folder / "rows.csv", f"{prefix}/data")
    template = Template(
        image=images.pytorch("training", platform.region),
        role=platform.role_arn,
        inputs=(Input(name="train", uri=rows, content_type="text/csv"),),
        output=f"{prefix}/output",
        objective=LEAST,
        ranges=ranges,
        static={**submitted(interface, folder, prefix), **(static or {})},
        metrics=(METRIC,),
        max_seconds=600,
    )
    return TuningRequest(
        name=name,
        templates=(template,),
        strategy="Random",
        most_jobs=4,
        parallel=2,
        random_seed=7,
        tags={"mlconsole:test": name},
    )
