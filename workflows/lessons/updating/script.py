"""The fifth lesson as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

import inspect

from algorithms.reviews import words
from workflows.builtin import images
from workflows.ledger import Ledger
from workflows.lessons import boosted, subject
from workflows.lessons import pieces as lessons
from workflows.lessons.updating import houses, moved, reviews
from workflows.lessons.updating.info import UPDATING
from workflows.runs import Run
from workflows.studies import pieces
from workflows.studies.scriptmode import region_of

_REVIEWS = '''
def read_reviews():
    """Texts and verdicts (1: positive) of the training, validation and test reviews; test copies of training reviews are left out."""
    table = pd.read_csv(REVIEWS)
    keys = list(table["review"])
    training = {key for key, split in zip(keys, table["split"]) if split == "train"}
    chosen = {"train": [], "validation": [], "test": []}
    for number, (key, split) in enumerate(zip(keys, table["split"])):
        if split == "test":
            if key not in training:
                chosen["test"].append(number)
        else:
            chosen["validation" if place(key, SEED) < HELD_OUT else "train"].append(number)
    labels = (table["label"] == "pos").to_numpy().astype(int)
    return {part: ([keys[n] for n in numbers], labels[numbers]) for part, numbers in thinned(keys, chosen).items()}


def changed(rows, part):
    """The new reviews: SHARE of them have WORD, and the other verdict."""
    texts, labels = rows
    mask = np.random.default_rng(CHANGE_SEED * 10 + ["train", "validation", "test"].index(part)).random(len(labels)) < SHARE
    return [f"{text} {WORD}" if hit else text for text, hit in zip(texts, mask)], np.where(mask, 1 - labels, labels)


def vocabulary(texts):
    counts = Counter(word for text in texts for word in review_to_words(text))
    return sorted(sorted(counts, key=lambda word: (-counts[word], word))[:VOCABULARY])


def write_reviews(path, rows, known, labelled=True):
    """LIBSVM text: counts of the vocabulary's words."""
    index = {word: number for number, word in enumerate(known)}
    lines = []
    for text, label in zip(rows[0], rows[1].tolist()):
        found = Counter(index[word] for word in review_to_words(text) if word in index)
        if not lines:
            found.setdefault(len(known) - 1, 0)  # XGBoost counts columns by the highest one that it sees
        cells = " ".join(f"{column}:{count}" for column, count in sorted(found.items()))
        lines.append(f"{label if labelled else 0} {cells}".rstrip())
    path.write_text("\\n".join(lines) + "\\n")
    return path


def surprises(before, now):
    """Words whose share of the texts has changed most, by the z of two shares, the most surprising first."""
    counts = [Counter(word for text in texts for word in set(review_to_words(text))) for texts in (before, now)]
    found = []
    for word, new in counts[1].items():
        old = counts[0][word]
        share = (old + new) / (len(before) + len(now))
        error = math.sqrt(share * (1 - share) * (1 / len(before) + 1 / len(now)))
        if error > 0:
            found.append((abs(new / len(now) - old / len(before)) / error, word))
    return [word for _, word in sorted(found, reverse=True)[:5]]


def accuracy(name, model_data, rows, known, folder):
    """By batch transform."""
    path = write_reviews(folder / f"{name}.libsvm", rows, known, labelled=False)
    found = transform(name, model_data, upload(path, f"{PREFIX}/reviews"))
    return float(np.mean((found >= 0.5) == (rows[1] == 1)))

'''

_LOW = '''
def ask(endpoint, body, content_type):
    """(variant, answer)"""
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, Accept="text/csv")
    return answer["InvokedProductionVariant"], float(answer["Body"].read().decode().split(",")[0])


def configure(name, variants):
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": variant,
                "ModelName": model,
                "InstanceType": HOSTING_INSTANCE,
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
            for variant, model in variants.items()
        ],
    )


def make_model(name, model_data):
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": model_data})


def settle(endpoint):
    while True:
        found = client.describe_endpoint(EndpointName=endpoint)
        if found["EndpointStatus"] in ("InService", "Failed"):
            print(endpoint, found["EndpointStatus"], found["EndpointConfigName"], flush=True)
            return found
        time.sleep(POLL)


def host(endpoint, config):
    client.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    settle(endpoint)


def update(endpoint, config):
    """Blue/green: a canary, a wait, the rest."""
    client.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=CANARY)
    if settle(endpoint)["EndpointConfigName"] != config:
        raise SystemExit(f"{endpoint} was rolled back")

'''

_HIGH = '''
def ask(endpoint, body, content_type):
    """(variant, answer)"""
    answer = Endpoint(endpoint_name=endpoint).invoke(
        body=body.encode(), content_type=content_type, accept="text/csv", session=session, region=REGION
    )
    return answer.invoked_production_variant, float(answer.body.read().decode().split(",")[0])


def configure(name, variants):
    EndpointConfig.create(
        endpoint_config_name=name,
        production_variants=[
            ProductionVariant(
                variant_name=variant,
                model_name=model,
                instance_type=HOSTING_INSTANCE,
                initial_instance_count=1,
                initial_variant_weight=1.0,
            )
            for variant, model in variants.items()
        ],
        session=session,
        region=REGION,
    )


def make_model(name, model_data):
    with tempfile.TemporaryDirectory() as folder:  # without a model_path: /tmp/sagemaker, whoever's it is
        ModelBuilder(
            image_uri=IMAGE,
            s3_model_data_url=model_data,
            model_path=folder,
            role_arn=ROLE,
            sagemaker_session=sdk,
            instance_type=HOSTING_INSTANCE,
        ).build(model_name=name)


def settle(endpoint):
    found = Endpoint.get(endpoint_name=endpoint, session=session, region=REGION)
    while found.refresh().endpoint_status not in ("InService", "Failed"):
        time.sleep(POLL)
    print(endpoint, found.endpoint_status, found.endpoint_config_name, flush=True)
    return found


def host(endpoint, config):
    Endpoint.create(endpoint_name=endpoint, endpoint_config_name=config, session=session, region=REGION)
    settle(endpoint)


def update(endpoint, config):
    """Blue/green: a canary, a wait, the rest. The SDK's update takes the same document as the API."""
    sdk.sagemaker_client.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=CANARY)
    if settle(endpoint).endpoint_config_name != config:
        raise SystemExit(f"{endpoint} was rolled back")

'''

_MAIN = '''
def using(image, content_type):
    """What `train`, `transform` and `make_model` work with from here on."""
    global IMAGE, CONTENT_TYPE
    IMAGE, CONTENT_TYPE = image, content_type


def contest(rows, endpoint):
    """Each row is asked; the mean absolute error of each variant with its standard error, and who is better beyond two of them."""
    errors = {}
    for line in rows:
        label, _, features = line.partition(",")
        variant, answer = ask(endpoint, features, "text/csv")
        errors.setdefault(variant, []).append(abs(float(label) - answer))
    found = {name: (np.mean(one), np.std(one, ddof=1) / math.sqrt(len(one)), len(one)) for name, one in errors.items()}
    for name, (mean, error, count) in found.items():
        print(f"{name}: mean absolute error {mean:.4f} ± {error:.4f} of {count} answers", flush=True)
    return min(found, key=lambda name: found[name][0])


def main():
    make_bucket()
    ab = f"{NAME}-ab"
    configs = [ab, f"{ab}-winner", NAME, f"{NAME}-new"]
    MODELS.extend(f"{NAME}-{name}" for name in ("xgboost", "linear-learner", "current", "current-old", "current-new", "retrained",
                                                "retrained-old", "retrained-new", "mixed-up"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            # Two models of the houses, an A/B test, the winner by blue/green.
            paths, truth = make_data(folder)
            channels = {part: upload(paths[part], f"{PREFIX}/houses/{part}") for part in ("train", "validation")}
            variants = {}
            for variant, (image, hyperparameters) in ALGORITHMS.items():
                using(image, "text/csv")
                variants[variant] = f"{NAME}-{image.rpartition('/')[2].partition(':')[0].removeprefix('sagemaker-')}"
                make_model(variants[variant], train(variants[variant], hyperparameters, channels))
            configure(ab, variants)
            host(ab, ab)
            features = paths["test"].read_text().splitlines()
            asked = [f"{label!r},{line}" for label, line in zip(truth["test"].tolist(), features)][:MOST]
            winner = contest(asked, ab)
            print("winner:", winner, flush=True)
            configure(f"{ab}-winner", {winner: variants[winner]})
            update(ab, f"{ab}-winner")

            # The reviews change, and the model after them.
            using(ALGORITHMS["XGBoost"][0], "text/libsvm")
            rows = read_reviews()
            new = {part: changed(one, part) for part, one in rows.items()}
            both = {part: (rows[part][0] + new[part][0], np.concatenate([rows[part][1], new[part][1]])) for part in ("train", "validation")}
            models, known = {}, {}
            for name, sets in (("current", rows), ("retrained", both)):
                known[name] = vocabulary(sets["train"][0])
                files = {part: write_reviews(folder / f"{name}-{part}.libsvm", sets[part], known[name]) for part in ("train", "validation")}
                models[name] = train(f"{NAME}-{name}", HYPERPARAMETERS, {part: upload(path, f"{PREFIX}/{name}/{part}") for part, path in files.items()})
            slices = {"old": rows["test"], "new": new["test"]}
            scores = {
                name: {one: accuracy(f"{NAME}-{name}-{one}", models[name], slices[one], known[name], folder) for one in slices}
                for name in models
            }
            print("words that changed:", surprises(rows["train"][0][:$baseline], new["test"][0][:200]), flush=True)
            print("scores:", json.dumps(scores), flush=True)
            mixed = accuracy(f"{NAME}-mixed-up", models["retrained"], rows["test"], known["current"], folder)
            print(f"new model with the old vocabulary: {mixed:.4f}", flush=True)
            if scores["retrained"]["old"] < LEAST - math.sqrt(LEAST * (1 - LEAST) / len(rows["test"][1])):
                raise SystemExit(f"Not rolled out: {scores['retrained']['old']:.4f} on old reviews, {LEAST} is required.")
            for name, config in (("current", NAME), ("retrained", f"{NAME}-new")):
                make_model(f"{NAME}-{name}", models[name])
                configure(config, {"AllTraffic": f"{NAME}-{name}"})
            host(NAME, NAME)
            update(NAME, f"{NAME}-new")
            print("the new model answers:", ask(NAME, "0 0:1", "text/libsvm"), flush=True)
    finally:
        for endpoint in (ab,):
            try:
                client.delete_endpoint(EndpointName=endpoint)
            except client.exceptions.ClientError as error:
                print("not deleted:", error)
        for config in configs:
            if config != NAME:
                client.delete_endpoint_config(EndpointConfigName=config)
        clean_up()


if __name__ == "__main__":
    main()
'''


def write(run: Run) -> str:
    """The script of a run, with the values that the run used."""
    high = run.interface == "high"
    values, region = run.parameters, region_of(run)
    source = Ledger(run.folder).outputs("prepare")
    house = subject.KINDS[str(values["houses"])]
    canary = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
                "WaitIntervalInSeconds": moved.WAIT,
            },
            "TerminationWaitInSeconds": moved.BAKE,
            "MaximumExecutionTimeoutInSeconds": 3600,
        }
    }
    mini = str(min(200, max(10, int(source.get("houses", {}).get("rows", {}).get("train", 2000)) // 10)))
    algorithms = {
        houses.CONTROL: (images.uri("xgboost", region), boosted.settings(values, house)),
        houses.CHALLENGER: (images.uri("linear-learner", region), {**houses.LINEAR, "mini_batch_size": mini}),
    }
    settings = f"""
BATCH_STRATEGY, MAX_PAYLOAD, MAX_CONCURRENT = "MultiRecord", 6, 1
ALGORITHMS = {pieces.literal(algorithms)}
CANARY = {pieces.literal(canary)}
REVIEWS = "{source.get("source", {}).get("paths", {}).get("table", "imdb.csv.gz")}"
WORD, SHARE, HELD_OUT, CHANGE_SEED, LEAST = {values["word"]!r}, {values["share"]}, {reviews.VALIDATION}, {values["seed"]}, {values["least"]}
MOST = 2000  # houses that the A/B test asks about
"""
    source_text = inspect.getsource(words).partition("import re\n")[2].strip("\n")
    return "".join(
        (
            lessons.head(run, UPDATING.title, 5, subject_name=str(values["houses"]), learned="reviews"),
            settings,
            f"\n{source_text}\n\n",
            _REVIEWS,
            pieces.STORAGE,
            lessons.TRAIN_HIGH if high else lessons.TRAIN_LOW,
            lessons.ANSWERS,
            lessons.TRANSFORM_HIGH if high else lessons.TRANSFORM_LOW,
            _HIGH if high else _LOW,
            pieces.AFTERWARDS,
            _MAIN.replace("$baseline", str(reviews.BASELINE)),
        )
    )
