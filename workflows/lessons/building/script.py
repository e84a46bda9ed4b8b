"""The second lesson as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from workflows.lessons import boostedscript
from workflows.lessons.building.info import BUILDING
from workflows.runs import Run

_MAIN = """
def main():
    make_bucket()
    try:
        with tempfile.TemporaryDirectory() as folder:
            paths, truth = make_data(Path(folder))
            channels = {part: upload(paths[part], f"{PREFIX}/data/{part}") for part in ("train", "validation")}
            asked = upload(paths["test"], f"{PREFIX}/test")
        _, model_data = train("model", HYPERPARAMETERS, channels)
        found = transform("model", model_data, asked)
        if len(found) != len(truth["test"]):
            raise SystemExit(f"{len(found)} answers to {len(truth['test'])} rows")
        name, value = score(truth["test"], found)
        print(f"{name}={value:.6g} rows={len(found)}", flush=True)
    finally:
        clean_up(())


if __name__ == "__main__":
    main()
"""


def write(run: Run) -> str:
    """The script of a run, with the values that the run used."""
    values = run.parameters
    return boostedscript.write(
        run,
        BUILDING.title,
        2,
        'MODELS = [f"{NAME}-model"]\n',
        _MAIN,
        strategy=str(values["strategy"]),
        max_payload=int(values["max-payload-mb"]),
        max_concurrent=int(values["max-concurrent"]),
    )
