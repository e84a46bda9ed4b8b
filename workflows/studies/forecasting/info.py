"""What the menu shows of the forecasting study, and its parameters."""

from __future__ import annotations

from workflows.studies.catalog import StudyInfo
from workflows.studies.forecasting.notebook import BEST
from workflows.studies.machines import ONE_JOB
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

_DATA = (
    ("auto", "an import of your own, the real days, else the built-in sample"),
    ("synthetic", "the built-in sample, even where the real days are there"),
)
_SERIES = (
    ("whole", "one series, what is forecast hidden in it"),
    ("cold", "whole, and short ones: it learns to begin from nothing"),
    ("years", "a series per year, as in the notebook"),
)
_FEATURES = (
    ("none", "only what DeepAR derives from the date"),
    ("annual", "cosine and sine of the year: December lies beside January"),
    ("days-off", "1 on week-ends and public holidays"),
    ("both", "annual and days-off"),
)
_LIKELIHOODS = (("student-T", "heavy tails"), ("gaussian", "thin tails"))
_WHAT_IFS = (
    ("all-off", "every day a day off"),
    ("none-off", "every day a working day"),
)

FORECASTING = StudyInfo(
    name="forecasting",
    title="Forecasting: DeepAR",
    summary="Trains DeepAR several times on a household's daily power and scores every job by batch transform on windows that none "
    "was trained on, beside forecasts that cost nothing; hosts the median job, asks it about a year it never saw, and what "
    "would change if every day were a day off.",
    teaches=(
        "what a forecast is worth: a mean of the last thirty days beats most runs of the notebook",
        "that the same settings score differently each time, so that one training job says little",
        "how a probabilistic forecast is judged: quantile loss, coverage of the 80 % band, several origins",
        "why a series should not be broken up, and how a feature tells the model that December lies beside January",
    ),
    minutes=(2, 20),
    parameters=(
        Parameter("data", "choice", "auto", "Where the days come from.", choices=_DATA),
        Parameter("series", "choice", "cold", "What is trained on.", choices=_SERIES),
        Parameter("features", "choice", "both", "Dynamic features beside the series.", choices=_FEATURES),
        Parameter("prediction-length", "int", 30, "Days that are forecast.", 1, 400, unit="days"),
        Parameter("backtests", "int", 10, "Windows of the unseen year that are forecast, one after another.", 0, 300, unit="windows"),
        Parameter("context-length", "int", 60, "Days that the network reads before it forecasts.", 1, 400, unit="days"),
        Parameter("epochs", "int", 10, "Most passes; one is ten mini-batches where data are few.", 1, 1000),
        Parameter("num-cells", "int", 30, "LSTM units in each layer.", 1, 400),
        Parameter("num-layers", "int", 1, "LSTM layers.", 1, 8),
        Parameter("dropout-rate", "float", 0.3, "Zoneout: how often a unit keeps its state.", 0.0, 0.9),
        Parameter("likelihood", "choice", "student-T", "The distribution of a day.", choices=_LIKELIHOODS),
        Parameter("learning-rate", "float", 0.01, "Of the optimiser.", 1e-5, 1.0),
        Parameter("mini-batch-size", "int", 128, "Windows per step of the optimiser.", 1, 1028, unit="windows"),
        Parameter("early-stopping-patience", "int", 0, "Epochs without a better loss after which a job ends; 0: none.", 0, 1000),
        Parameter("jobs", "int", 5, "Training jobs with the same settings; the median one is hosted.", 1, 9, unit="jobs"),
        Parameter(
            "seed", "int", -1,
            "Seed of the first job, one more for each other; -1: none, another outcome each time. AWS does not document random_seed.",
            -1, 2**31 - 10,
        ),
        Parameter("samples", "int", 1000, "Sample paths behind each forecast.", 20, 5000, unit="paths"),
        Parameter("what-if", "choice", "all-off", "What is assumed of the days, with the feature days-off.", choices=_WHAT_IFS),
        Parameter("parallel", "int", 2, "Jobs that run at a time.", 1, 4, unit="jobs"),
        *ONE_JOB,
    ),
    steps=(
        ("prepare", "Get the days, pin the windows"),
        ("audit", "Audit the series"),
        ("baseline", "Free forecasts"),
        ("train", "Train DeepAR, several times"),
        ("gate", "Gate: what the logs say"),
        ("evaluate", "Score by batch transform"),
        ("deploy", "Host the median job"),
        ("predict", "Forecast live: unseen year, what if"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.studies.forecasting.study",
    presets={
        "as-in-notebook": {
            "series": "years",
            "features": "none",
            "prediction-length": 30,
            "context-length": 30,
            "epochs": 50,
            "num-cells": 50,
            "num-layers": 2,
            "dropout-rate": 0.1,
            "likelihood": "student-T",
            "learning-rate": 0.001,
            "mini-batch-size": 128,
            "early-stopping-patience": 10,
        }
    },
    measures=(
        Measure(
            "jobs_median_wql", "Mean wQL, notebook's windows, median job", "lower", baseline="baseline_wql", spread="jobs_sd",
            spread_of="{} jobs", seeds="jobs", notebook=BEST, sums_up=True,
        ),
        Measure("mean_wql", "Mean wQL, notebook's windows, hosted job", "lower", baseline="baseline_wql"),
        Measure("unseen_mean_wql", "Mean wQL, unseen year", "lower", baseline="unseen_baseline_wql", sums_up=True),
        Measure("rmse", "RMSE, notebook's windows", "lower", "kW", baseline="baseline_rmse"),
        Measure("unseen_rmse", "RMSE, unseen year", "lower", "kW", baseline="unseen_baseline_rmse"),
        Measure("mase", "MASE, notebook's windows", "lower"),
        Measure("unseen_coverage", "Unseen days in the 80 % band", "", "share"),
        Measure("empty_wql", "Mean wQL from an empty target", "lower", baseline="empty_free_wql"),
    ),
)  # fmt: skip
