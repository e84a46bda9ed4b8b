"""The second lesson as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from workflows.lessons import pieces as lessons
from workflows.lessons.building.info import BUILDING
from workflows.runs import Run
from workflows.studies import pieces

_MAIN = """
def main():
    make_bucket()
    try:
        with tempfile.TemporaryDirectory() as folder:
            paths, truth = make_data(Path(folder))
            channels = {part: upload(paths[part], f"{PREFIX}/data/{part}") for part in ("train", "validation")}
            asked = upload(paths["test"], f"{PREFIX}/test")
        model_data = train(NAME, HYPERPARAMETERS, channels)
        found = transform(NAME, model_data, asked)
        if len(found) != len(truth["test"]):
            raise SystemExit(f"{len(found)} answers to {len(truth['test'])} rows")
        name, value = score(truth["test"], found)
        print(f"{name}={value:.6g} rows={len(found)}", flush=True)
    finally:
        clean_up()


if __name__ == "__main__":
    main()
"""


def write(run: Run) -> str:
    """The script of a run, with the values that the run used."""
    high = run.interface == "high"
    values = run.parameters
    settings = f'BATCH_STRATEGY, MAX_PAYLOAD, MAX_CONCURRENT = "{values["strategy"]}", {values["max-payload-mb"]}, {values["max-concurrent"]}\n'
    train = lessons.TRAIN_HIGH if high else lessons.TRAIN_LOW
    transform = lessons.TRANSFORM_HIGH if high else lessons.TRANSFORM_LOW
    parts = (
        lessons.head(run, BUILDING.title, 2),
        settings,
        pieces.STORAGE,
        train,
        lessons.ANSWERS,
        transform,
        pieces.AFTERWARDS,
        _MAIN,
    )
    return "".join(parts)
