"""The plagiarism run as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from workflows import detached
from workflows.data import place
from workflows.interfaces import images
from workflows.ledger import Ledger
from workflows.runs import Run
from workflows.studies import hosting, scriptmode
from workflows.studies.plagiarism import pinned, trained
from workflows.studies.scripthead import region_of

_BODY = '''\
def clean(text):
    """Lower case, everything else than a-z and 0-9 a space."""
    text = re.sub(r"[^a-zA-Z0-9]", " ", text.lower())
    return text.replace("  ", " ").replace("   ", " ")


def containment(answer, source, n):
    """The share of the answer's word n-grams that its source has too."""
    from sklearn.feature_extraction.text import CountVectorizer

    try:
        counts = CountVectorizer(analyzer="word", ngram_range=(n, n)).fit_transform([answer, source]).toarray()
    except ValueError:  # no n-gram at all
        return 0.0
    return float(np.minimum(counts[0], counts[1]).sum() / max(1, counts[0].sum()))


def common_subsequence(answer, source):
    """The longest common subsequence of words as a share of the answer's words (dynamic program)."""
    words, others = answer.split(), source.split()
    above = [0] * (len(others) + 1)
    for word in words:
        row = [0]
        for column, other in enumerate(others):
            row.append(above[column] + 1 if word == other else max(row[-1], above[column + 1]))
        above = row
    return above[-1] / len(words)


def make_data(folder):
    """Features and classes (1: copied) of the training answers as CSV, label first; the test answers kept here."""
    import pandas as pd

    frame = pd.read_csv(CORPUS / "file_information.csv")
    frame["Text"] = [clean((CORPUS / name).read_text(encoding="utf-8", errors="ignore")) for name in frame["File"]]
    sources = {row.Task: row.Text for row in frame.itertuples() if row.Category == "orig"}
    answers = frame[frame["Category"] != "orig"].copy()
    answers["Number"] = answers["Category"].map({"non": 0, "heavy": 1, "light": 2, "cut": 3})
    for name in FEATURES:
        answers[name] = [
            common_subsequence(row.Text, sources[row.Task])
            if name == "lcs_word"
            else containment(row.Text, sources[row.Task], int(name[2:]))
            for row in answers.itertuples()
        ]
    test = []  # of each task one answer of every copied category, and two that are not copied
    for copied, count in ((True, 1), (False, 2)):
        for _, group in answers[(answers["Number"] > 0) == copied].groupby(["Task", "Number"]):
            test += list(group.sample(min(len(group), count), random_state=SPLIT_SEED).index)
    train = answers.drop(index=test)
    test = answers.loc[sorted(test)]
    rows = [
        ",".join([str(int(number > 0)), *map(repr, map(float, values))])
        for number, values in zip(train["Number"], train[FEATURES].to_numpy())
    ]
    (folder / "train.csv").write_text("\\n".join(rows) + "\\n")
    return test[FEATURES].to_numpy(float), (test["Number"] > 0).to_numpy(int)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        test_x, test_y = make_data(folder)
        make_bucket()
        done = False
        try:
            data = upload(folder / "train.csv", f"{PREFIX}/data/train")
            job, model_data = train_script(write_source(folder / "source"), {"train": data})
            left_out = logged(job, METRICS["cv:accuracy"])[-1]
            if left_out < TARGET:
                raise SystemExit(f"Not deployed: {left_out:.4f} of the answers left out are right, {TARGET} is required.")
            deploy(model_data)
            answers = invoke(test_x)
            accuracy = float((answers[:, 0] == test_y).mean())
            print(f"leave_one_out={left_out:.4f} accuracy={accuracy:.4f} (one answer is {1 / len(test_y):.2f})", flush=True)
            done = True
        finally:
            if not (KEEP and done):
                clean_up()
'''


def write(run: Run) -> str:
    """The script of a run, with the values that the run used (or would use, if it never reached its target)."""
    region = region_of(run)
    prepared = Ledger(run.folder).outputs("prepare")
    asked = [name.strip() for name in str(run.parameters["features"]).split(",")]
    # Which features are selected is only known once the corpus was read.
    names = prepared.get("names") or ([*pinned.CHOSEN] if asked == [pinned.SELECT] else asked)
    constants = (
        f"CORPUS = Path({_corpus(run)!r})  # file_information.csv and the texts\n"
        f"FEATURES = {list(names)!r}\n"
        f"SPLIT_SEED = {run.parameters['split-seed']}\n"
        f"TARGET = {run.parameters['target']}\n"
    )
    return scriptmode.write(
        run,
        scriptmode.Program(
            needs="numpy, pandas and scikit-learn",
            imports=(),
            training_image=images.sklearn(region),
            inference_image=images.sklearn(region),
            hyperparameters=trained.hyperparameters(run.parameters, list(names)),
            metrics=trained.METRICS,
            environment=hosting.environment(region),
            source=trained.source(),
            constants=constants,
            body=_BODY,
        ),
    )


def _corpus(run: Run) -> str:
    """The folder of the texts: the run's own copy, else where it would take them from."""
    own = run.work / pinned.TEXTS
    if own.is_dir():
        return str(own)
    source = "" if run.parameters["data"] == "auto" else str(run.parameters["data"])
    return str(place.locate("plagiarism", detached.own_configuration(run.configuration), source).folder)
