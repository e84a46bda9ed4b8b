"""What the menu shows of the moons study, and its parameters."""

from __future__ import annotations

from workflows.studies.catalog import StudyInfo
from workflows.studies.machines import ONE_JOB
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

MOONS = StudyInfo(
    name="moons",
    title="Moon data: a custom PyTorch net",
    summary="Trains a small neural net on 450 points of two interleaved half circles, hosts it, and scores it on 150 points "
    "it never saw, beside two baselines that cost nothing.",
    teaches=(
        "script mode: your own train.py and inference.py on SageMaker's PyTorch container",
        "why a net must first beat a free baseline before anything is hosted",
        "how to tell from the training log alone that a model is dead (a loss that stays at ln 2)",
        "that the hosted model answers exactly as the one scored offline",
    ),
    minutes=(0.5, 8),
    parameters=(
        Parameter("epochs", "int", 300, "Most passes over the training points.", 1, 5000),
        Parameter("learning-rate", "float", 0.03, "Adam's step size.", 1e-6, 1.0),
        Parameter("hidden", "int", 128, "Hidden units of the net's hidden layer.", 1, 1024, unit="units"),
        Parameter(
            "dropout", "float", 0.0, "Share of hidden units that are dropped while training.", 0.0, 0.9
        ),
        Parameter("batch-size", "int", 16, "Points per step of the optimiser.", 1, 450, unit="points"),
        Parameter(
            "patience",
            "int",
            60,
            "Epochs without a better validation loss before training ends; 0 never ends early.",
            0,
            5000,
            unit="epochs",
        ),
        Parameter(
            "validation-share",
            "float",
            0.2,
            "Share of the training points that is held out to watch the net.",
            0.0,
            0.5,
        ),
        Parameter("shuffle", "bool", True, "Whether the points are mixed anew in every epoch."),
        Parameter("seed", "int", 1, "Seed of the net's weights and of the mixing.", 0, 2**31 - 1),
        *ONE_JOB,
    ),
    steps=(
        ("prepare", "Make the data"),
        ("audit", "Audit the data"),
        ("baseline", "Free baselines"),
        ("train", "Train the net"),
        ("gate", "Gate: did it learn?"),
        ("evaluate", "Score it, before hosting it"),
        ("deploy", "Host it"),
        ("predict", "Ask the endpoint"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.studies.moons.study",
    presets={
        "as-in-notebook": {
            "epochs": 80,
            "learning-rate": 0.001,
            "hidden": 20,
            "dropout": 0.3,
            "batch-size": 64,
            "patience": 0,
            "validation-share": 0.0,
            "shuffle": False,
            "seed": 1,
        }
    },
    measures=(
        Measure("accuracy", "Accuracy", unit="share", baseline="baseline_accuracy", count="points"),
        Measure("precision", "Precision", unit="share"),
        Measure("recall", "Recall", unit="share"),
    ),
)
