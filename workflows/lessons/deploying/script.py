"""The third lesson as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from workflows.lessons import boostedscript, learners
from workflows.lessons.deploying import webapp
from workflows.lessons.deploying.info import DEPLOYING
from workflows.runs import Run
from workflows.studies import builtinscript, pieces

_PREDICT = '''
def predict(lines):
    """An endpoint takes 6 MB at a time: CHUNK rows a request, and as many answers, in order."""
    found = []
    for at in range(0, len(lines), CHUNK):
        part = lines[at : at + CHUNK]
        values = [float(one) for one in re.split(r"[,\\n]", ask("\\n".join(part), CHANNEL_TYPE, "text/csv").strip())]
        if len(values) != len(part):
            raise SystemExit(f"{len(values)} answers to {len(part)} rows")
        found += values
    return np.array(found)


def wrong_calls(line):
    """A list does not leave this machine; an unknown content type comes back from the container."""
    from botocore.exceptions import ParamValidationError

    for body, kind in (([1.0, 2.0], CHANNEL_TYPE), (line, "application/x-nonsense")):
        try:
            runtime.invoke_endpoint(EndpointName=NAME, Body=body, ContentType=kind)
            raise SystemExit(f"{body!r} was taken")
        except (ParamValidationError, client.exceptions.ClientError) as error:
            print("refused:", str(error).splitlines()[0][:160], flush=True)

'''
_MAIN = """
def main():
    make_bucket()
    done = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            paths, truth = $rows(folder)
            channels = {part: upload(paths[part], f"{PREFIX}/data/{part}") for part in ("train", "validation")}
            asked = upload(paths["test"], f"{PREFIX}/test")
            lines = paths["test"].read_text().splitlines()$tagged
            _, model_data = $train
        deploy(model_data)
        answers = predict(lines)
        name, value = score(truth["test"], answers)
        print(f"{name}={value:.6g} rows={len(answers)}", flush=True)
        apart = float(np.abs(answers - transform("batch", model_data, asked)).max())
        print(f"apart={apart:.3g}", flush=True)
        wrong_calls(lines[0])$page
        done = True
    finally:
        if not (KEEP and done):$undone
            clean_up()
"""
_TRAIN = 'train("model", HYPERPARAMETERS, channels)'
_TRAIN_SCRIPT = """train_script(
                write_source(folder / "source"), channels, LSTM_HYPERPARAMETERS, f"{NAME}-model", LINES
            )"""
_TAGGED = """
            known = (folder / "vocabulary.json").read_text()
            uri = upload(folder / "vocabulary.json", f"{PREFIX}/model")
            TAGS["mlconsole:vocabulary"], TAGS["mlconsole:vocabulary-uri"] = json.loads(known)["version"], uri"""
_PAGE = """
        url = make_api(make_function(make_role()$known))
        status, answer = visit(url, REVIEW)
        print("the page:", url, flush=True)
        print(f"verdict={answer.get('verdict')} probability={answer.get('probability')}", flush=True)
        if status != 200 or visit(url, " ")[0] != 400:
            raise SystemExit(f"The web app does not answer as it should: {status} {answer}")"""
_UNDONE = """
            undo_webapp()"""


def write(run: Run) -> str:
    """The script of a run, with the values that the run used."""
    high = run.interface == "high"
    values = run.parameters
    reviews = values["subject"] == "reviews"
    constants = f"""\
MODELS = [NAME, f"{{NAME}}-batch"]
CHUNK = {values["chunk"]}  # rows of a request
"""
    counting = (
        values["model"] == learners.XGBOOST
    )  # its words are packed with the function; the LSTM has its own
    main = _MAIN
    for name, text in (
        ("tagged", _TAGGED if reviews and counting else ""),
        ("page", _PAGE if reviews else ""),
        ("undone", _UNDONE if reviews else ""),
        ("rows", "make_data" if counting else "make_lines"),
        ("train", _TRAIN if counting else _TRAIN_SCRIPT),
        ("known", ", known" if counting else ""),
    ):
        main = main.replace(f"${name}", text)
    return boostedscript.write(
        run,
        DEPLOYING.title,
        3,
        constants,
        main + (f"\n\n{webapp.sources()}\n" if reviews else ""),
        (pieces.DEPLOY_HIGH if high else pieces.DEPLOY_LOW)
        + builtinscript.ask(high)
        + _PREDICT
        + (webapp.piece(str(values["review"]), counting) if reviews else ""),
        imports=("io", "os", "urllib.error", "urllib.request", "zipfile") if reviews else (),
        strategy="MultiRecord",
        max_payload=6,
        max_concurrent=1,
    )
