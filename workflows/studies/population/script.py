"""The population run as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from string import Template

from workflows.builtin import images
from workflows.ledger import Ledger
from workflows.runs import Run
from workflows.studies import builtinscript, pieces, scripthead
from workflows.studies.population import choosing, jobs, naming, reduced, trained
from workflows.studies.scripthead import Head, region_of

_CONSTANTS = Template("""\
DATA = $data
PCA_IMAGE = "$pca_image"
ENDPOINTS = $endpoints  # K-Means, and PCA where it is hosted too
MODELS = [*ENDPOINTS, f"{NAME}-pca", f"{NAME}-kmeans"]
COUNTY = $county
SCALING, LEAVE_OUT = "$scaling", $leave_out
NUM_COMPONENTS, GOAL = $num_components, $goal  # 0: one fewer than columns; share of the variance to explain
K, KS = $k, range($k_least, $k_most + 1)  # 0: chosen by the curves
STARTS, BOOTSTRAPS, NULLS, STABLE, SEED = $starts, $bootstraps, $nulls, $stability, $seed
KMEANS = $kmeans
MSD_LIMIT = $msd_limit
threadpool_limits(1)  # in many small fits threads only wait for each other
$settings""")

_DATA = Template('''
def make_data():
    """Names of the counties, names of the columns, values as they are, values on one scale."""
    table = pd.read_csv(DATA).drop(columns=LEAVE_OUT).dropna().drop_duplicates()
    names = (table["County"].str.strip() + ", " + table["State"].str.strip()).tolist()
    features = table.drop(columns=["CensusId", "State", "County"])
    values = features.to_numpy(dtype=float)
    shift = values.min(axis=0) if SCALING == "minmax" else values.mean(axis=0)
    unit = values.max(axis=0) - shift if SCALING == "minmax" else values.std(axis=0)
    unit[values.max(axis=0) == values.min(axis=0)] = 1.0
    return names, list(features), values, ((values - shift) / unit).astype(np.float32)


def csv(rows):
    return "\\n".join(",".join(map(repr, row)) for row in rows.astype(float).tolist()) + "\\n"


def write_csv(path, rows):
    path.write_text(csv(rows))
    return path


def artefact(uri):
    """The arrays in model_algo-1, an NDArray file of MXNet, of a model.tar.gz in S3: by name, or 0, 1, ... where they have none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    packed = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        file = io.BytesIO(tar.extractfile(next(one for one in tar if one.name.endswith("model_algo-1"))).read())
    take = lambda form: struct.unpack(form, file.read(struct.calcsize(form)))
    _, _, count = take("<QQQ")
    arrays = []
    for _ in range(count):
        _, _, dimensions = take("<IiI")
        shape = take(f"<{dimensions}q")
        _, _, kind = take("<iii")
        numbers = np.dtype({0: "<f4", 1: "<f8"}[kind])
        arrays.append(np.frombuffer(file.read(int(np.prod(shape)) * numbers.itemsize), numbers).reshape(shape))
    (named,) = take("<Q")
    names = [file.read(take("<Q")[0]).decode() for _ in range(named)] or range(count)
    return dict(zip(names, arrays))


def fit(rows, k, starts, seed):
    return KMeans(k, n_init=starts, random_state=seed).fit(rows)


def curves(rows):
    """For each k: mean squared distance, silhouette, silhouettes with shuffled columns, how far bootstrap draws find the weakest
    segment again (mean Jaccard index), and their adjusted Rand indices."""
    found = {}
    for k in sorted({*KS, *([K] if K else [])}):
        best = fit(rows, k, STARTS, SEED)
        chance = []
        for number in range(NULLS):
            random = np.random.default_rng(SEED + number)
            mixed = np.column_stack([random.permutation(column) for column in rows.T])
            chance.append(float(silhouette_score(mixed, fit(mixed, k, $null_starts, SEED).labels_)))
        random = np.random.default_rng(SEED)
        draws, jaccards = [], []
        for number in range(BOOTSTRAPS):
            drawn = rows[random.integers(0, len(rows), len(rows))]
            again = fit(drawn, k, $bootstrap_starts, SEED + number + 1).predict(rows)
            draws.append(float(adjusted_rand_score(best.labels_, again)))
            common = np.zeros((k, k))
            np.add.at(common, (best.labels_, again), 1)
            jaccards.append((common / (common.sum(axis=1)[:, None] + common.sum(axis=0) - common)).max(axis=1))
        weakest = float(np.mean(jaccards, axis=0).min())
        found[k] = (best.inertia_ / len(rows), float(silhouette_score(rows, best.labels_)), chance, weakest)
        print(f"k={k} msd={found[k][0]:.4f} silhouette={found[k][1]:.3f} by chance {statistics.fmean(chance):.3f}", end=" ")
        print(f"stability {statistics.fmean(draws):.3f} ± {statistics.stdev(draws):.3f}, weakest segment {weakest:.2f}", flush=True)
    return found


def choose(found):
    """The most segments of which every one is found again and that are clear of chance; K where it is given."""
    clear = lambda k: found[k][1] > statistics.fmean(found[k][2]) + $chance * statistics.stdev(found[k][2])
    good = [k for k in found if found[k][3] >= STABLE and clear(k)]
    k = K or max(good, default=0) or max(found, key=lambda one: (found[one][3], -one))
    if not clear(k) or (not K and found[k][3] < $pattern):
        raise SystemExit(f"Not deployed: k = {k} is neither stable nor clear of chance enough.")
    return k


def named(values, labels, columns):
    """A name for each cluster: its largest deviations from the mean of all counties, in standard deviations."""
    related = np.abs(np.nan_to_num(np.corrcoef(values.T)))
    kept = []
    for column in range(values.shape[1]):
        if not any(related[column, other] >= $same for other in kept):
            kept.append(column)
    spread = np.where(values.std(axis=0) == 0, 1.0, values.std(axis=0))
    names = []
    for cluster in range(labels.max() + 1):
        off = (values[labels == cluster].mean(axis=0) - values.mean(axis=0)) / spread
        largest = sorted(kept, key=lambda column: -abs(off[column]))[:3]
        names.append(", ".join(f"{'high' if off[column] > 0 else 'low'} {columns[column]}" for column in largest))
    return names

''')

_TAIL = Template("""
def answers(output, uri):
    key = f"{output}/{uri.rpartition('/')[2]}.out"
    text = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    return parsed(text)


def parsed(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def main():
    names, columns, values, scaled = make_data()
    wanted = COUNTY or names[0]
    if wanted not in names:
        raise SystemExit(f"There is no county {wanted} in {DATA}.")
    make_bucket()
    done = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            uri = upload(write_csv(Path(folder) / "scaled.csv", scaled), f"{PREFIX}/scaled")
        width = scaled.shape[1]
        settings = {
            "feature_dim": str(width),
            "num_components": str(min(NUM_COMPONENTS or width - 1, width, len(scaled) - 1)),
            "mini_batch_size": str(min($pca_batch, len(scaled))),
            "subtract_mean": "true",
            "algorithm_mode": "regular",
        }
        _, pca_data = train("pca", settings, {"train": uri}, PCA_IMAGE)
        arrays = artefact(pca_data)
        singular = arrays["s"].reshape(-1)[::-1].astype(float)  # the artefact has the largest one last
        total = ((scaled.astype(float) - scaled.astype(float).mean(axis=0)) ** 2).sum()
        explained = np.cumsum(singular**2) / total
        print("singular values", np.round(singular[:5], 3), "explained", np.round(explained[:8], 4), flush=True)
        kept = int(np.argmax(explained >= GOAL - 1e-6)) + 1 if explained[-1] >= GOAL - 1e-6 else 0
        if not kept:
            raise SystemExit(f"Not deployed: {len(singular)} components explain {explained[-1]:.1%}; {GOAL:.0%} is the goal.")
        first = lambda found: np.array([one["projection"] for one in found], dtype=np.float32)[:, ::-1][:, :kept]
        projected = first(transform("pca", pca_data, uri, PCA_IMAGE))
        found = curves(projected)
        k = choose(found)
        print(f"k = {k}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            uri = upload(write_csv(Path(folder) / "projected.csv", projected), f"{PREFIX}/projected")
        settings = {**KMEANS, "feature_dim": str(kept), "k": str(k), "mini_batch_size": str(min($kmeans_batch, len(projected)))}
        _, kmeans_data = train("kmeans", settings, {"train": uri})
        scored = transform("kmeans", kmeans_data, uri)
        labels = np.array([int(one["closest_cluster"]) for one in scored])
        msd = float(np.mean([one["distance_to_cluster"] ** 2 for one in scored]))
        if len(np.unique(labels)) < k or msd > found[k][0] * (1 + MSD_LIMIT):
            raise SystemExit(f"Not deployed: {len(np.unique(labels))} of {k} clusters have counties, msd {msd:.4f} against {found[k][0]:.4f}.")
        titles = named(values, labels, columns)
        for cluster in np.argsort(-np.bincount(labels)):
            print(f"cluster {cluster}: {(labels == cluster).sum()} counties, {titles[cluster]}", flush=True)
        deploy(kmeans_data)
        if len(ENDPOINTS) > 1:
            deploy(pca_data, ENDPOINTS[1], PCA_IMAGE)
        row = scaled[names.index(wanted)][None, :]
        if len(ENDPOINTS) > 1:
            point = first(parsed(ask(csv(row), ROW_TYPE, ANSWER_TYPE, ENDPOINTS[1])))
        else:
            vectors = arrays["v"].astype(float)[:, ::-1][:, :kept]
            point = ((row.astype(float) - arrays["mean"].reshape(-1)) @ vectors).astype(np.float32)
        live = parsed(ask(csv(point), ROW_TYPE, ANSWER_TYPE))[0]
        same = abs(live["distance_to_cluster"] - scored[names.index(wanted)]["distance_to_cluster"])
        print(f"{wanted}: {titles[int(live['closest_cluster'])]}; the batch answer differs by {same:.2g}", flush=True)
        centres = next(iter(artefact(kmeans_data).values()))
        print("distances to all centres", np.round(np.sqrt(((centres - point) ** 2).sum(axis=1)), 4).tolist())
        score = float(silhouette_score(projected, labels))
        print(f"components={kept} explained={explained[kept - 1]:.4f} k={k} msd={msd:.4f} silhouette={score:.4f}", flush=True)
        done = True
    finally:
        if not (KEEP and done):
            clean_up(ENDPOINTS)


if __name__ == "__main__":
    main()
""")


def write(run: Run) -> str:
    """The script of a run, with the values that the run used (or would use, if it never reached its data)."""
    region = region_of(run)
    prepared = Ledger(run.folder).outputs("prepare")
    parameters = run.parameters
    left = [name.strip() for name in str(parameters["leave-out"]).split(",") if name.strip()]
    rows = int(prepared.get("rows", 0))
    most = int(parameters["k-most"])
    values = {
        "data": repr(prepared.get("source", {}).get("paths", {}).get("table", "acs2015_county_data.csv")),
        "pca_image": images.uri(jobs.PCA, region),
        "settings": builtinscript.settings(
            images.uri(jobs.KMEANS, region), "text/csv;label_size=0", rows="text/csv"
        ),
        "endpoints": '[NAME, f"{NAME}-components"]' if parameters["host"] == "both" else "[NAME]",
        "county": repr(str(prepared.get("county") or parameters["county"])),
        "scaling": parameters["scaling"],
        "leave_out": left,
        "num_components": parameters["num-components"],
        "goal": parameters["goal"],
        "k": parameters["k"],
        "k_least": parameters["k-least"],
        "k_most": min(most, rows // choosing.LEAST_MEMBERS) if rows else most,
        "starts": parameters["starts"],
        "bootstraps": parameters["bootstraps"],
        "nulls": parameters["nulls"],
        "stability": parameters["stability"],
        "seed": parameters["seed"],
        "kmeans": pieces.literal(
            {
                "epochs": str(parameters["epochs"]),
                "init_method": str(parameters["init-method"]),
                "eval_metrics": '["msd"]',
            }
        ),
        "msd_limit": parameters["msd-limit"],
        "null_starts": choosing.NULL_STARTS,
        "bootstrap_starts": choosing.BOOTSTRAP_STARTS,
        "chance": choosing.CHANCE,
        "pattern": trained.PATTERN,
        "same": naming.SAME,
        "pca_batch": reduced.MINI_BATCH,
        "kmeans_batch": trained.MINI_BATCH,
    }
    head = Head(
        title="The population segmentation case study",
        needs="numpy, pandas and scikit-learn,\nthe census table (DATA)",
        imports=("io", "json", "statistics", "struct", "tarfile"),
        packages=(
            "import numpy as np",
            "import pandas as pd",
            "from sklearn.cluster import KMeans",
            "from sklearn.metrics import adjusted_rand_score, silhouette_score",
            "from threadpoolctl import threadpool_limits",
        ),
        sdk_imports=builtinscript.SDK_IMPORTS,
        constants=_CONSTANTS.substitute(values),
    )
    steps = builtinscript.hosted(run.interface == "high")
    return scripthead.write(run, head) + _DATA.substitute(values) + steps + _TAIL.substitute(values)
