"""The fifth lesson as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from workflows.builtin import images
from workflows.ledger import Ledger
from workflows.lessons import boosted, boostedscript, subject
from workflows.lessons.updating import houses, moved, reviews
from workflows.lessons.updating.info import UPDATING
from workflows.runs import Run
from workflows.studies import pieces
from workflows.studies.scripthead import region_of

_REVIEWS = '''
def changed(rows, part):
    """The new reviews: SHARE of them have WORD, and the other verdict."""
    texts, labels = rows
    mask = np.random.default_rng(CHANGE_SEED * 10 + ["train", "validation", "test"].index(part)).random(len(labels)) < SHARE
    return [f"{text} {WORD}" if hit else text for text, hit in zip(texts, mask)], np.where(mask, 1 - labels, labels)


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


def accuracy(title, model_data, rows, known, folder):
    """By batch transform."""
    path = write_reviews(folder / f"{title}.libsvm", rows, known, labelled=False)
    found = transform(title, model_data, upload(path, f"{PREFIX}/reviews"))
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


def make_model(name, model_data, image=IMAGE):
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": image, "ModelDataUrl": model_data})


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


def make_model(name, model_data, image=IMAGE):
    with tempfile.TemporaryDirectory() as folder:  # without a model_path: /tmp/sagemaker, whoever's it is
        ModelBuilder(
            image_uri=image,
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
    global CHANNEL_TYPE
    make_bucket()
    ab = f"{NAME}-ab"
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            # Two models of the houses, an A/B test, the winner by blue/green.
            paths, truth = make_data(folder)
            channels = {part: upload(paths[part], f"{PREFIX}/houses/{part}") for part in ("train", "validation")}
            variants = {}
            for variant, (image, hyperparameters) in ALGORITHMS.items():
                title = image.rpartition("/")[2].partition(":")[0].removeprefix("sagemaker-")
                variants[variant] = f"{NAME}-{title}"
                _, model_data = train(title, hyperparameters, channels, image)
                make_model(variants[variant], model_data, image)
            configure(ab, variants)
            host(ab, ab)
            features = paths["test"].read_text().splitlines()
            asked = [f"{label!r},{line}" for label, line in zip(truth["test"].tolist(), features)][:MOST]
            winner = contest(asked, ab)
            print("winner:", winner, flush=True)
            configure(f"{ab}-winner", {winner: variants[winner]})
            update(ab, f"{ab}-winner")

            # The reviews change, and the model after them.
            CHANNEL_TYPE = ROW_TYPE
            rows = read_reviews(REVIEWS)
            new = {part: changed(one, part) for part, one in rows.items()}
            both = {part: (rows[part][0] + new[part][0], np.concatenate([rows[part][1], new[part][1]])) for part in ("train", "validation")}
            models, known = {}, {}
            for name, sets in (("current", rows), ("retrained", both)):
                known[name] = vocabulary(sets["train"][0])
                files = {part: write_reviews(folder / f"{name}-{part}.libsvm", sets[part], known[name]) for part in ("train", "validation")}
                _, models[name] = train(name, HYPERPARAMETERS, {part: upload(path, f"{PREFIX}/{name}/{part}") for part, path in files.items()})
            slices = {"old": rows["test"], "new": new["test"]}
            scores = {
                name: {one: accuracy(f"{name}-{one}", models[name], slices[one], known[name], folder) for one in slices}
                for name in models
            }
            print("words that changed:", surprises(rows["train"][0][:$baseline], new["test"][0][:200]), flush=True)
            print("scores:", json.dumps(scores), flush=True)
            mixed = accuracy("mixed-up", models["retrained"], rows["test"], known["current"], folder)
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
        clean_up((ab, NAME), (f"{ab}-winner", f"{NAME}-new"))
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
    titles = ("xgboost", "linear-learner", "current", "current-old", "current-new", "retrained", "retrained-old", "retrained-new", "mixed-up")  # fmt: skip
    constants = f"""\
MODELS = [f"{{NAME}}-{{title}}" for title in {titles}]
ALGORITHMS = {pieces.literal(algorithms)}
CANARY = {pieces.literal(canary)}
REVIEWS = {source.get("source", {}).get("paths", {}).get("table", "imdb.csv.gz")!r}
WORD, SHARE, CHANGE_SEED, LEAST = {values["word"]!r}, {values["share"]}, {values["seed"]}, {values["least"]}
MOST = 2000  # houses that the A/B test asks about
"""
    return boostedscript.write(
        run,
        UPDATING.title,
        5,
        constants,
        _MAIN.replace("$baseline", str(reviews.BASELINE)),
        boostedscript.reviews(reviews.VALIDATION) + _REVIEWS + (_HIGH if high else _LOW),
        subject_name=str(values["houses"]),
        learned="reviews",
        rows=boosted.LIBSVM,
        strategy="MultiRecord",
        max_payload=6,
        max_concurrent=1,
    )
