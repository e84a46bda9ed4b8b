"""The forecasting run as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from string import Template

from workflows import detached
from workflows.data.loading import daily_power
from workflows.data.place import Located, locate
from workflows.ledger import Ledger
from workflows.runs import Run
from workflows.studies import builtinscript, pieces, scripthead
from workflows.studies.forecasting import features, free, lines, local, scores, trained
from workflows.studies.forecasting.windows import DECEMBERS, UNSEEN_YEAR, Power, pinned, read
from workflows.studies.scripthead import Head, region_of

_CONSTANTS = Template("""\
DATA = $data
JOBS = $jobs
METRICS = $metrics
LEVELS = $levels
CONFIGURATION = $configuration
SERIES = "$series"  # years: one per year; whole: one, with what is forecast hidden in it; cold: that one and short ones
FEATURES = $features
WINDOWS = $windows  # name, group, first day, days
ANYWAY = $anyway  # host it even when it loses to what is free
MODELS = [NAME, *(f"{NAME}-{title}" for title in JOBS)]
$settings""")

_DATA = Template('''
def read_days():
    """The mean power of each day in kW, by date."""
    table = pd.read_csv(DATA)
    if "kilowatts" in table:
        return pd.Series(table["kilowatts"].to_numpy(), pd.to_datetime(table["day"]))
    return pd.Series(table["Global_active_power"].to_numpy() / 1440, pd.to_datetime(table["datetime"]))


def is_off(day):
    """Whether it is a week-end or a public holiday of France."""
    from dateutil.easter import easter

    moving = [easter(day.year) + datetime.timedelta(days=days) for days in $after_easter]
    return day.weekday() >= 5 or day.date() in moving or (day.month, day.day) in $fixed


def feature_rows(dates):
    turns = 2 * np.pi * dates.day_of_year.to_numpy() / 365.25
    rows = {
        "cosine of the year": np.cos(turns).round(6).tolist(),
        "sine of the year": np.sin(turns).round(6).tolist(),
        "day off": [float(is_off(day)) for day in dates],
    }
    return [rows[name] for name in FEATURES]


def line(power, first, target_end, features_end, hidden=()):
    """A series in DeepAR's JSON: days up to the one before ``target_end``, features up to the one before ``features_end``."""
    target = power[first : target_end - pd.Timedelta(days=1)].copy() if target_end > first else power[:0]
    for start, days in hidden:
        target[start : start + pd.Timedelta(days=days - 1)] = np.nan
    found = {
        "start": f"{first:%Y-%m-%d} 00:00:00",
        "target": [None if math.isnan(value) else float(value) for value in target],
    }
    rows = feature_rows(pd.date_range(first, features_end - pd.Timedelta(days=1)))
    return found | ({"dynamic_feat": rows} if rows else {})


def make_lines(power):
    """Training series, test series, and the request of each window."""
    train, test, asked = [], [], []
    ends = [(pd.Timestamp(start), days) for _, group, start, days in WINDOWS if group == "$notebook"]
    for _, group, start, days in WINDOWS:
        start = pd.Timestamp(start)
        end = start + pd.Timedelta(days=days)
        first = power.index[0] if SERIES != "years" else pd.Timestamp(start.year, 1, 1)
        asked.append(line(power, first, start, end))
        if group == "$notebook":
            test.append(line(power, first, end, end))
            if SERIES == "years":
                train.append(line(power, first, start, start))
    if SERIES != "years":
        last = max(start for start, _ in ends)
        train = [line(power, power.index[0], last, last, [one for one in ends if one[0] < last])]
    if SERIES == "cold":
        horizon, first = ends[0][1], power.index[0]
        length = pd.Timedelta(days=max($short, 2 * horizon))
        while first + length <= last:
            if all(first + length <= start or first >= start + pd.Timedelta(days=days) for start, days in ends):
                train.append(line(power, first, first + length, first + length))
            first += pd.Timedelta(days=horizon)
    return train, test, asked


def free_forecast(history, days):
    """The mean of the last thirty days, with the spread of the last sixty: quantiles (levels, days)."""
    recent = history[-$spread:]
    return history[-$month:].mean() + np.quantile(recent - recent.mean(), LEVELS)[:, None] + np.zeros(days)


def losses(actual, quantiles):
    """Twice the summed pinball loss, the mean over the levels; and what it is divided by."""
    levels = np.array(LEVELS)[:, None]
    above = actual - quantiles
    return 2 * np.maximum(levels * above, (levels - 1) * above).sum(axis=1).mean(), np.abs(actual).sum()


def score(actuals, forecasts):
    """mean_wQuantileLoss over windows."""
    pairs = [losses(actual, forecast) for actual, forecast in zip(actuals, forecasts)]
    return sum(loss for loss, _ in pairs) / sum(size for _, size in pairs)


def gap(actuals, ours, theirs):
    """The difference of two scores on the same windows, and its standard error over windows."""
    pairs = [(losses(a, x)[0] - losses(a, y)[0], np.abs(a).sum()) for a, x, y in zip(actuals, ours, theirs)]
    differences, sizes = np.array(pairs).T
    ratio = differences.sum() / sizes.sum()
    count = len(pairs)
    spread = ((differences - ratio * sizes) ** 2).sum() / (count - 1) if count > 1 else math.nan
    return ratio, math.sqrt(spread / count) / sizes.mean()


def write_lines(path, found):
    path.write_text("".join(json.dumps(one) + "\\n" for one in found))
    return path


def quantiles_of(prediction):
    return np.array([prediction["quantiles"][f"{level:g}"] for level in LEVELS])

''')

_TAIL = Template('''
def answers(output, uri):
    key = f"{output}/{uri.rpartition('/')[2]}.out"
    text = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    return [quantiles_of(json.loads(one)) for one in text.splitlines() if one.strip()]


def passes(title, job):
    """What the log tells: the loss is finite and fell, and there is a test score."""
    found = logged(job, METRICS["train:loss"])
    scored = logged(job, METRICS["test:mean_wQuantileLoss"])
    print(title, "loss", found[0], "to", min(found), "mean wQL in the log", scored[-1], flush=True)
    return all(map(math.isfinite, [*found, scored[-1]])) and (len(found) == 1 or found[0] - min(found) >= $least_fall)


def main():
    power = read_days()
    train_lines, test_lines, asked = make_lines(power)
    starts = [pd.Timestamp(start) for _, _, start, _ in WINDOWS]
    actuals = [power[a : a + pd.Timedelta(days=w[3] - 1)].to_numpy() for a, w in zip(starts, WINDOWS)]
    free = [free_forecast(power[: a - pd.Timedelta(days=1)].to_numpy(), w[3]) for a, w in zip(starts, WINDOWS)]
    groups = {group: [n for n, w in enumerate(WINDOWS) if w[1] == group] for group in dict.fromkeys(w[1] for w in WINDOWS)}

    def of(found, group):
        return [found[n] for n in groups[group]]

    make_bucket()
    done = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            channels = {
                name: upload(write_lines(folder / f"{name}.json", found), f"{PREFIX}/{name}").rpartition("/")[0]
                for name, found in (("train", train_lines), ("test", test_lines))
            }
            uri = upload(write_lines(folder / "windows.json", asked), f"{PREFIX}/asked")
        board = {}
        for title, hyperparameters in JOBS.items():
            job, model_data = train(title, hyperparameters, channels)
            if passes(title, job):
                found = transform(title, model_data, uri)
                board[title] = (score(of(actuals, "$notebook"), of(found, "$notebook")), model_data, found)
        if not board:
            raise SystemExit("Not deployed: no job passes what its log is read for.")
        ranked = sorted(board, key=lambda title: board[title][0])
        chosen = ranked[len(ranked) // 2]
        wql, model_data, found = board[chosen]
        for group in groups:
            difference, error = gap(of(actuals, group), of(found, group), of(free, group))
            print(
                f"{group}: mean wQL {score(of(actuals, group), of(found, group)):.4f} against "
                f"{score(of(actuals, group), of(free, group)):.4f} of the mean of 30 days, {difference:+.4f} ± {error:.4f}",
                flush=True,
            )
            if difference > 0 and not difference <= error and not ANYWAY:
                raise SystemExit(f"Not deployed: it loses to a forecast that costs nothing ({group}).")
        deploy(model_data)
        days = WINDOWS[0][3]
        first = pd.Timestamp($unseen_year, 1, 1)
        empty = line(power, first, first, first + pd.Timedelta(days=days))
        body = json.dumps({"instances": [empty], "configuration": CONFIGURATION})
        (prediction,) = json.loads(ask(body, "application/json", "application/json"))["predictions"]
        actual = power[first : first + pd.Timedelta(days=days - 1)].to_numpy()
        unseen = score([actual], [quantiles_of(prediction)])
        baseline = score(of(actuals, "$notebook"), of(free, "$notebook"))
        print(f"chosen={chosen} mean_wql={wql:.4f} free={baseline:.4f} empty_target={unseen:.4f}", flush=True)
        done = True
    finally:
        if not (KEEP and done):
            clean_up()


if __name__ == "__main__":
    main()
''')


def write(run: Run) -> str:
    """The script of a run, with the values that the run used (or would use, if it never reached its data)."""
    parameters = run.parameters
    settings = builtinscript.settings(
        trained.uri(region_of(run)),
        "application/jsonlines",
        strategy="SingleRecord",
        environment='{"DEEPAR_INFERENCE_CONFIG": json.dumps(CONFIGURATION)}',
    )
    values = {
        "data": repr(_days(run)),
        "jobs": trained.seeded(parameters),
        "metrics": pieces.literal({metric.name: metric.regex for metric in trained.METRICS}),
        "levels": list(scores.LEVELS),
        "configuration": lines.configuration(int(parameters["samples"])),
        "series": parameters["series"],
        "short": lines.SHORT,
        "features": list(features.CHOICES[str(parameters["features"])]),
        "windows": _windows(run),
        "anyway": run.auto_answers.get("deploy-anyway") == "deploy",
        "settings": settings,
        "after_easter": features.AFTER_EASTER,
        "fixed": features.FIXED,
        "spread": free.SPREAD,
        "month": free.MEAN,
        "notebook": DECEMBERS,
        "unseen_year": UNSEEN_YEAR,
        "least_fall": trained.LEAST_FALL,
    }
    head = Head(
        title="The forecasting case study (DeepAR)",
        needs="numpy and pandas,\nthe table of days (DATA)",
        imports=("datetime", "json", "math"),
        packages=("import numpy as np", "import pandas as pd"),
        sdk_imports=builtinscript.SDK_IMPORTS,
        constants=_CONSTANTS.substitute(values),
    )
    steps = builtinscript.hosted(run.interface == "high")
    return scripthead.write(run, head) + _DATA.substitute(values) + steps + _TAIL.substitute(values)


def _days(run: Run) -> str:
    """The run's own table of days, else the one that it would take."""
    own = run.work / local.POWER
    return str(own if _prepared(run) else _located(run).path)


def _windows(run: Run) -> list[tuple[str, str, str, int]]:
    if _prepared(run):
        found = read(run.work / local.WINDOWS)
    else:
        daily = daily_power(_located(run))
        power = Power(daily.index[0].date(), daily.to_numpy())
        found = pinned(power, int(run.parameters["prediction-length"]), int(run.parameters["backtests"]))
    return [(item.name, item.group, str(item.start), item.days) for item in found]


def _prepared(run: Run) -> bool:
    return Ledger(run.folder).finished("prepare") is not None


def _located(run: Run) -> Located:
    source = "synthetic" if run.parameters["data"] == "synthetic" else ""
    return locate(local.DATASET, detached.own_configuration(run.configuration), source)
