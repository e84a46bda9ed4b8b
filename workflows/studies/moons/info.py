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
        "how a decision boundary takes shape, and how much of a score is the luck of a seed",
        "that the hosted model answers exactly as the one scored offline",
    ),
    minutes=(0.5, 8),
    parameters=(
        Parameter("epochs", "int", 300, "Most passes over the training points.", 1, 5000),
        Parameter("learning-rate", "float", 0.03, "Adam's step size.", 1e-6, 1.0),
        Parameter("hidden", "int", 128, "Hidden units of the net's hidden layer.", 1, 1024, unit="units"),
        Parameter(
            "widths",
            "text",
            "",
            "Hidden layers to compare, such as 8,32,128, a training job each; empty: `hidden` alone.",
        ),
        Parameter(
            "lengths", "text", "", "Numbers of epochs to compare, such as 80,300; empty: `epochs` alone."
        ),
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
        Parameter(
            "seed",
            "int",
            1,
            "Seed of the net's weights, of the mixing and of what is held out.",
            0,
            2**31 - 1000,
        ),
        Parameter(
            "seeds",
            "int",
            5,
            "Nets that a job trains, with this many seeds; the first is hosted, all of them show how much of a score is luck.",
            1,
            100,
            unit="seeds",
        ),
        Parameter(
            "final-activation",
            "choice",
            "none",
            "What stands before the sigmoid.",
            choices=(
                ("none", "nothing, as it should be"),
                ("relu", "a ReLU: a common mistake, with which a net can be dead from its first epoch"),
            ),
        ),
        Parameter(
            "dead-after",
            "int",
            10,
            "Epochs at a loss of ln 2 that does not move after which training is given up; 0 never.",
            0,
            5000,
            unit="epochs",
        ),
        Parameter(
            "boundary-every",
            "int",
            5,
            "Epochs between two decision boundaries in the training log; 0 writes none.",
            0,
            5000,
            unit="epochs",
        ),
        Parameter(
            "data",
            "choice",
            "generated",
            "Where the points come from.",
            choices=(
                ("generated", "the notebook's 600 points, the same in every run"),
                ("imported", "your own, of which a quarter tests: mlconsole data import moons FILE"),
            ),
        ),
        Parameter("parallel", "int", 2, "Jobs that run at a time when nets are compared.", 1, 8, unit="jobs"),
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
        Measure(
            "accuracy",
            "Accuracy",
            unit="share",
            baseline="baseline_accuracy",
            count="points",
            notebook=0.807,
            sums_up=True,
        ),
        Measure("precision", "Precision", unit="share"),
        Measure("recall", "Recall", unit="share"),
    ),
)
