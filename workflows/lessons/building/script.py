"""The second lesson as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from workflows.lessons import boostedscript, learners
from workflows.lessons.building.info import BUILDING
from workflows.runs import Run

_XGBOOST = '''
def xgboost(folder):
    """The labels of the test rows, and XGBoost's answers to them."""
    paths, truth = make_data(folder)
    channels = {part: upload(paths[part], f"{PREFIX}/data/{part}") for part in ("train", "validation")}
    asked = upload(paths["test"], f"{PREFIX}/test")
    _, model_data = train("xgboost", HYPERPARAMETERS, channels)
    return truth["test"], transform("xgboost", model_data, asked)

'''
_LSTM = '''
def lstm(folder):
    """The verdicts of the test reviews, and the LSTM's answers to them."""
    paths, truth = make_lines(folder)
    channels = {part: upload(paths[part], f"{PREFIX}/reviews/{part}") for part in ("train", "validation")}
    asked = upload(paths["test"], f"{PREFIX}/test")
    _, model_data = train_script(write_source(folder / "source"), channels, LSTM_HYPERPARAMETERS, f"{NAME}-lstm", LINES)
    return truth["test"], transform("lstm", model_data, asked, LSTM_IMAGE, LINES, LSTM_ENVIRONMENT)

'''
_MAIN = """
def main():
    make_bucket()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for model in ($models):
                truth, found = model(Path(folder))
                if len(found) != len(truth):
                    raise SystemExit(f"{len(found)} answers to {len(truth)} rows")
                name, value = score(truth, found)
                print(f"{model.__name__}: {name}={value:.6g} rows={len(found)}", flush=True)
    finally:
        clean_up(())
"""


def write(run: Run) -> str:
    """The script of a run, with the values that the run used."""
    values = run.parameters
    models = learners.names(values)
    parts = {learners.XGBOOST: _XGBOOST, learners.LSTM: _LSTM}
    return boostedscript.write(
        run,
        BUILDING.title,
        2,
        f'MODELS = [f"{{NAME}}-{{title}}" for title in {models}]\n',
        _MAIN.replace("$models", "".join(f"{name}, " for name in models).strip()),
        "".join(parts[name] for name in models),
        strategy=str(values["strategy"]),
        max_payload=int(values["max-payload-mb"]),
        max_concurrent=int(values["max-concurrent"]),
    )
