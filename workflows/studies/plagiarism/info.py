"""What the menu shows of the plagiarism study, and its parameters."""

from __future__ import annotations

from workflows.studies.catalog import StudyInfo
from workflows.studies.machines import ONE_JOB
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

_CLASSIFIERS = (
    ("logistic-regression", "a weighted sum of the features; takes c and solver"),
    ("svm", "support vector machine with probabilities; takes c"),
    ("random-forest", "averaged decision trees; takes n-estimators"),
    ("extra-trees", "averaged decision trees with random cuts; takes n-estimators"),
    ("gradient-boosting", "trees that correct each other; takes n-estimators"),
    ("k-neighbors", "the vote of the nearest answers; takes n-neighbors"),
    ("gaussian-nb", "naive Bayes with a normal distribution for each feature"),
)
_DATA = (
    ("auto", "an import of your own, the real corpus, else the built-in sample"),
    ("synthetic", "the built-in sample, even where the real corpus is there"),
)

PLAGIARISM = StudyInfo(
    name="plagiarism",
    title="Plagiarism detector: scikit-learn on features of text",
    summary="Measures how much of 95 short answers is copied from their sources, trains a classifier on SageMaker's scikit-learn "
    "container, scores it on every answer left out once, hosts it, and judges a text of yours.",
    teaches=(
        "features of text: containment of n-grams and the longest common subsequence of words",
        "why 25 test answers say little: the score of one split beside leave-one-out and 60 other splits",
        "how to find labels that are probably wrong, and what a mistake looks like in the texts",
        "that rows of -1 for the originals inflate every correlation",
    ),
    minutes=(1, 8),
    parameters=(
        Parameter("data", "choice", "auto", "Where the corpus comes from.", choices=_DATA),
        Parameter(
            "features",
            "text",
            "c_1,c_3,lcs_word",
            "Features to train on, of c_1, c_2, … and lcs_word; or `select`: chosen on the training answers by correlation.",
        ),
        Parameter(
            "cutoff",
            "float",
            0.98,
            "With features=select: of two features that correlate more than this one is left out.",
            0.1,
            1.0,
        ),
        Parameter("classifier", "choice", "logistic-regression", "What is trained.", choices=_CLASSIFIERS),
        Parameter("c", "float", 100.0, "Inverse of the regularisation.", 1e-6, 1e9),
        Parameter(
            "solver",
            "choice",
            "lbfgs",
            "How logistic regression is fitted.",
            choices=(
                ("lbfgs", "scikit-learn's default since 0.22"),
                (
                    "liblinear",
                    "its default before, as in the notebook's container: the intercept is regularised too",
                ),
            ),
        ),
        Parameter("n-estimators", "int", 100, "Trees of a forest.", 1, 5000, unit="trees"),
        Parameter("n-neighbors", "int", 5, "Neighbours that vote.", 1, 60, unit="answers"),
        Parameter("seed", "int", 1, "Seed of the classifier.", 0, 2**31 - 1),
        Parameter(
            "split-seed",
            "int",
            1,
            "Seed of the split into training and test answers; the class uses 1.",
            0,
            2**31 - 1,
        ),
        Parameter(
            "spread-seeds",
            "int",
            60,
            "Other splits on which the score is shown, as a measure of luck.",
            5,
            500,
            unit="seeds",
        ),
        Parameter(
            "target",
            "float",
            0.9,
            "Share of right answers that is required before anything is hosted.",
            0.5,
            1.0,
        ),
        Parameter(
            "text",
            "text",
            "",
            "A text that is judged through the endpoint; empty: a sample that copies from a source.",
        ),
        *ONE_JOB,
    ),
    steps=(
        ("prepare", "Read the corpus, measure it, split it"),
        ("audit", "Audit texts, labels and features"),
        ("baseline", "Free baselines"),
        ("train", "Train the classifier"),
        ("gate", "Gate: did it learn?"),
        ("evaluate", "Score it, before hosting it"),
        ("deploy", "Host it"),
        ("predict", "Ask the endpoint, judge a text"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.studies.plagiarism.study",
    presets={
        "as-in-notebook": {
            "features": "c_1,c_5,lcs_word",
            "classifier": "logistic-regression",
            "c": 1.0,
            "solver": "liblinear",
            "split-seed": 1,
        }
    },
    measures=(
        Measure(
            "leave_one_out",
            "Leave-one-out accuracy",
            unit="share",
            baseline="baseline_accuracy",
            count="answers",
            sums_up=True,
        ),
        Measure(
            "accuracy",
            "Accuracy on this split",
            unit="share",
            count="points",
            spread="seeds_sd",
            spread_of="{} split seeds",
            notebook=0.96,
            sums_up=True,
        ),
        Measure("precision", "Precision, leave-one-out", unit="share"),
        Measure("recall", "Recall, leave-one-out", unit="share"),
        Measure("seeds_mean", "Accuracy, mean of split seeds", unit="share"),
    ),
)
