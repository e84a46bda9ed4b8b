"""The moons run as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from string import Template

from workflows.interfaces import images
from workflows.runs import Run
from workflows.studies import hosting, scriptmode
from workflows.studies.moons import data, trained

_BODY = Template('''\
def make_data(folder):
    """The data of the study: 450 training points as CSV (label first), 150 test points kept here."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    np.random.seed(0)
    points, labels = make_moons($points, noise=$noise)
    train_x, test_x, train_y, test_y = train_test_split(points, labels, test_size=$test_share, random_state=1)
    rows = [f"{float(label)!r},{float(x)!r},{float(y)!r}" for label, (x, y) in zip(train_y, train_x)]
    (folder / "train.csv").write_text("\\n".join(rows) + "\\n")
    return train_x, test_x, train_y, test_y


def baselines(train_x, test_x, train_y, test_y):
    """Test accuracy of two classifiers that cost nothing."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    models = {"logistic regression": LogisticRegression(), "RBF SVM": SVC()}
    return {name: float(model.fit(train_x, train_y).score(test_x, test_y)) for name, model in models.items()}


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        train_x, test_x, train_y, test_y = make_data(folder)
        free = baselines(train_x, test_x, train_y, test_y)
        print("baselines:", free, flush=True)
        make_bucket()
        done = False
        try:
            data = upload(folder / "train.csv", f"{PREFIX}/data/train")
            job, model_data = train(write_source(folder / "source"), data)
            loss = min(logged(job, METRICS["train:loss"]))
            if loss > math.log(2) - 0.02:
                raise SystemExit(f"Not deployed: the loss stayed at {loss:.4f}, near ln 2: the net is dead.")
            deploy(model_data)
            accuracy = float(((invoke(test_x.astype(np.float32)) > 0.5) == test_y).mean())
            print(f"accuracy={accuracy:.4f} best_baseline={max(free.values()):.4f}", flush=True)
            done = True
        finally:
            if not (KEEP and done):
                clean_up()
''')


def write(run: Run) -> str:
    """The script of a run, with the values that the run used."""
    region = scriptmode.region_of(run)
    return scriptmode.write(
        run,
        scriptmode.Program(
            needs="numpy and scikit-learn",
            imports=("math",),
            training_image=images.pytorch("training", region),
            inference_image=images.pytorch("inference", region),
            hyperparameters=trained.hyperparameters(run.parameters),
            metrics=trained.METRICS,
            environment=hosting.environment(region),
            source=trained.source(),
            body=_BODY.substitute(points=data.POINTS, noise=data.NOISE, test_share=data.TEST_SHARE),
        ),
    )
