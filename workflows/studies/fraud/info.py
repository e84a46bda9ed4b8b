"""What the menu shows of the fraud study, and its parameters."""

from __future__ import annotations

from workflows.studies.catalog import StudyInfo
from workflows.studies.machines import HOSTING, TRAINING
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

_REQUIREMENTS = (
    ("catch", "catch at least the target share of the frauds"),
    ("flag", "flag at most the target share of the valid transactions"),
    ("precise", "at least the target share of what is flagged are frauds"),
    ("cost", "misses and false alarms cost least together"),
)
_DATA = (
    ("auto", "an import of your own, the real transactions, else the built-in sample"),
    ("synthetic", "the built-in sample, even where the real transactions are there"),
)
_METRICS = (
    ("compiled", "what the requirement compiles to"),
    ("recall", "share of the frauds that is flagged"),
    ("precision", "share of frauds among what is flagged"),
    ("false-positive-rate", "share of the valid transactions that is flagged"),
    ("accuracy", "share of right answers"),
)

FRAUD = StudyInfo(
    name="fraud",
    title="Fraud detection: LinearLearner",
    summary="Trains the lesson's four LinearLearner variants on card transactions, beside baselines that cost nothing; compiles a "
    "stated requirement to a metric and a threshold, scores all of them by batch transform, and hosts only what passed.",
    teaches=(
        "why an accuracy of 0.998 is worth nothing when 0.17 % of the transactions are frauds",
        "what a stated requirement is as a metric: flagging 15 % of valid transactions is no precision of 85 %",
        "that a threshold moves without training again, and what each point of the curve costs",
        "how the training log tells that a model collapsed, before anything is hosted",
    ),
    minutes=(2, 45),
    parameters=(
        Parameter("data", "choice", "auto", "Where the transactions come from.", choices=_DATA),
        Parameter("requirement", "choice", "catch", "What is required of the detector.", choices=_REQUIREMENTS),
        Parameter(
            "target", "float", 0.0, "The required share; 0 is the usual one: 0.9 caught, 0.15 flagged, 0.8 precise.", 0.0, 1.0
        ),
        Parameter("cost-miss", "float", 100.0, "What a missed fraud costs.", 0.01, 1e9),
        Parameter("cost-alarm", "float", 5.0, "What a false alarm costs.", 0.01, 1e9),
        Parameter(
            "sentence", "text", "", 'The requirement in words instead, such as "flag at most 15 % of valid transactions".'
        ),
        Parameter(
            "stated-metric", "choice", "compiled", "The metric somebody asked for; it is compared with the requirement.",
            choices=_METRICS,
        ),
        Parameter(
            "margin", "float", 0.0,
            "Standard errors by which a threshold meets the requirement on the validation rows, so that it holds on others.",
            0.0, 5.0,
        ),
        Parameter("variants", "text", "all", "Which jobs are trained: all, or some of simple, recall, balanced, precision."),
        Parameter("target-recall", "float", 0.9, "Target of the recall jobs where the requirement names none.", 0.01, 1.0),
        Parameter("target-precision", "float", 0.9, "Target of the precision job where the requirement names none.", 0.01, 1.0),
        Parameter("epochs", "int", 15, "Most passes over the training rows.", 1, 1000),
        Parameter("mini-batch-size", "int", 200, "Rows per step of the optimiser.", 1, 100_000, unit="rows"),
        Parameter(
            "valid-rows", "int", 0, "At most so many valid rows are used, each standing for more; 0 uses all.", 0, 10_000_000,
            unit="rows",
        ),
        Parameter(
            "duplicates", "choice", "together", "What becomes of rows that are exact copies.",
            choices=(("together", "kept, all copies on one side of the split"), ("drop", "one of each is kept")),
        ),
        Parameter(
            "split", "choice", "content", "How rows are split.",
            choices=(("content", "by a hash of the row: copies stay together"), ("random", "shuffled: copies may part")),
        ),
        Parameter("split-seed", "int", 4, "Seed of the split.", 0, 2**31 - 1),
        Parameter("spread-seeds", "int", 5, "Other splits on which the baselines show how far scores are luck.", 0, 50),
        Parameter("parallel", "int", 2, "Jobs that run at a time.", 1, 4, unit="jobs"),
        Parameter("instance-type", "choice", "ml.m5.large", "Machine for training and transform jobs.", choices=TRAINING),
        Parameter("hosting-instance-type", "choice", "ml.t2.medium", "Machine for the endpoint.", choices=HOSTING),
        Parameter("max-minutes", "int", 30, "Each training job is stopped after this time.", 1, 1440, unit="minutes"),
    ),
    steps=(
        ("prepare", "Get and split the data"),
        ("audit", "Audit the data"),
        ("baseline", "Free baselines"),
        ("train", "Train the variants"),
        ("gate", "Gate: what the logs say"),
        ("evaluate", "Score by batch transform"),
        ("deploy", "Host what passed"),
        ("predict", "Ask the endpoint"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.studies.fraud.study",
    presets={
        "as-in-notebook": {
            "requirement": "flag",
            "target": 0.15,
            "stated-metric": "precision",
            "target-recall": 0.9,
            "target-precision": 0.9,
            "epochs": 15,
            "mini-batch-size": 1000,
        }
    },
    measures=(
        Measure("recall", "Recall at the threshold", unit="share", baseline="baseline_recall"),
        Measure("precision", "Precision at the threshold", unit="share", baseline="baseline_precision"),
        Measure("false_positive_rate", "Valid transactions flagged", "lower", unit="share"),
        Measure("average_precision", "Average precision", baseline="logistic_average_precision", sums_up=True),
        Measure("precision_at_recall_90", "Precision at recall .90", unit="share", notebook=0.112, sums_up=True),
        Measure("recall_at_precision_80", "Recall at precision .80", unit="share", notebook=0.780, sums_up=True),
        Measure("cost", "Cost of misses and alarms", "lower"),
    ),
)  # fmt: skip
