"""The moons run as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from string import Template

from workflows.interfaces import images
from workflows.ledger import Ledger
from workflows.runs import Run
from workflows.studies import hosting, scriptmode
from workflows.studies.moons import data, trained
from workflows.studies.moons.candidates import candidates
from workflows.studies.scripthead import region_of

_GENERATED = """\
    from sklearn.datasets import make_moons

    np.random.seed(0)
    points, labels = make_moons($points, noise=$noise)
    stratify = None"""
_IMPORTED = """\
    rows = np.loadtxt($path, delimiter=",", ndmin=2)
    points, labels = rows[:, 1:], rows[:, 0].astype(int)
    stratify = labels"""
_BODY = Template('''\
def make_data(folder):
    """The data of the study: training points as CSV (label first); test points are kept here."""
    from sklearn.model_selection import train_test_split

$points
    train_x, test_x, train_y, test_y = train_test_split(
        points, labels, test_size=$test_share, random_state=1, stratify=stratify
    )
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
            job, model_data = train_script(write_source(folder / "source"), {"train": data})
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


def _hyperparameters(run: Run) -> dict[str, str]:
    """Those of the net that the run chose; before it did, those of the first one it compares."""
    chosen: dict[str, str] | None = Ledger(run.folder).outputs("train").get("hyperparameters")
    return chosen or candidates(run.parameters)[0].hyperparameters(run.parameters)


def _points(run: Run) -> str:
    if run.parameters.get("data") != "imported":
        return Template(_GENERATED).substitute(points=data.POINTS, noise=data.NOISE)
    return Template(_IMPORTED).substitute(
        path=repr(Ledger(run.folder).outputs("prepare").get("path", "<your points>"))
    )


def write(run: Run) -> str:
    """The script of a run, with the values that the run used; of nets that were compared it trains the chosen one."""
    region = region_of(run)
    return scriptmode.write(
        run,
        scriptmode.Program(
            needs="numpy and scikit-learn",
            imports=("math",),
            training_image=images.pytorch("training", region),
            inference_image=images.pytorch("inference", region),
            hyperparameters=_hyperparameters(run),
            metrics=trained.METRICS,
            environment=hosting.environment(region),
            source=trained.source(),
            body=_BODY.substitute(points=_points(run), test_share=data.TEST_SHARE),
        ),
    )
