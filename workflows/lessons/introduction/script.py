"""The first lesson as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from string import Template

from workflows.interfaces import images
from workflows.lessons.introduction import steps
from workflows.lessons.introduction.info import INTRODUCTION
from workflows.runs import Run
from workflows.studies import hosting, scriptmode
from workflows.studies.moons import data
from workflows.studies.scripthead import region_of

_BODY = Template('''\
def make_data(folder):
    """450 points of two interleaved half circles as CSV, the class first."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    np.random.seed(0)
    points, labels = make_moons($points, noise=$noise)
    train_x, _, train_y, _ = train_test_split(points, labels, test_size=$test_share, random_state=1)
    rows = [f"{float(label)!r},{float(x)!r},{float(y)!r}" for label, (x, y) in zip(train_y, train_x)]
    (folder / "train.csv").write_text("\\n".join(rows) + "\\n")


def ask(body, content_type):
    answer = runtime.invoke_endpoint(EndpointName=NAME, Body=body, ContentType=content_type, Accept="application/json")
    return json.loads(answer["Body"].read())


def main():
    make_bucket()
    done = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            make_data(folder)
            data = upload(folder / "train.csv", f"{PREFIX}/data/train")
            job, model_data = train_script(write_source(folder / "source"), {"train": data})
        print("train accuracy:", logged(job, METRICS["train:accuracy"])[-1])
        deploy(model_data)
        seen = ask("look", "application/x-look")
        print("\\n".join(["the container:", *seen["processes"], *seen["tree"], seen["ping"]["answered"].splitlines()[0]]))
        print(f"probability={ask(POINT, 'text/csv')[0]}", flush=True)
        done = True
    finally:
        if not (KEEP and done):
            clean_up()
''')


def write(run: Run) -> str:
    """The script of a run, with the values that the run used."""
    region = region_of(run)
    image = images.sklearn(region)
    return scriptmode.write(
        run,
        scriptmode.Program(
            title=f"Lesson 1, {INTRODUCTION.title},",
            needs="numpy and scikit-learn",
            imports=("json",),
            training_image=image,
            inference_image=image,
            hyperparameters={"c": str(run.parameters["c"])},
            metrics=steps.METRICS,
            environment=hosting.environment(region),
            source=steps.source(),
            constants=f"POINT = {run.parameters['point']!r}",
            body=_BODY.substitute(points=data.POINTS, noise=data.NOISE, test_share=data.TEST_SHARE),
        ),
    )
