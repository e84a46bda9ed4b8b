"""What the menu shows of the second lesson, its parameters, and what it says at each step."""

from __future__ import annotations

from dataclasses import replace

from workflows.lessons import boosted, learners, recurrent, subject
from workflows.studies.catalog import Lesson, StudyInfo, Try
from workflows.studies.machines import TRAINING
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

MODEL = replace(
    learners.MODEL,
    choices=(*learners.MODEL.choices, (learners.BOTH, "both on the same rows, in one table; reviews only")),
)
TRANSFORM = (
    Parameter(
        "strategy", "choice", "MultiRecord", "How many records a request of the transform holds.",
        choices=(("MultiRecord", "as many as fit"), ("SingleRecord", "one")),
    ),
    Parameter("max-payload-mb", "int", 6, "Most megabytes of a request.", 1, 100, unit="MB"),
    Parameter("max-concurrent", "int", 1, "Requests at a time to an instance.", 1, 100),
)  # fmt: skip

BUILDING = StudyInfo(
    name="building",
    title="Building models and batch transform",
    summary="Trains SageMaker's own XGBoost on house prices or film reviews, makes a model of the artefact, and scores rows it never saw "
    "by batch transform: no endpoint, and a number with its error instead of a look at a scatter plot.",
    teaches=(
        "a training job: image, channels, hyperparameters, machine, and where its model goes",
        "a model in SageMaker is an image and an artefact under one name; it costs nothing",
        "batch transform: every row scored once, in order, without an endpoint",
        "why one pinned split and a free baseline belong beside every score",
    ),
    minutes=(0.3, 9),
    parameters=(
        *subject.PARAMETERS[:1],
        MODEL,
        *subject.PARAMETERS[1:],
        *boosted.PARAMETERS,
        *recurrent.PARAMETERS,
        *TRANSFORM,
        Parameter("instance-type", "choice", "ml.m5.large", "Machine for training and transform.", choices=TRAINING),
        Parameter("max-minutes", "int", 30, "The training job is stopped after this time.", 1, 1440, unit="minutes"),
    ),
    steps=(
        ("prepare", "Get the data, split them once"),
        ("audit", "Audit the data"),
        ("baseline", "Free baselines"),
        ("train", "Train: CreateTrainingJob"),
        ("gate", "Gate: did it learn?"),
        ("model", "Make a model: CreateModel"),
        ("evaluate", "Batch transform, and its scores"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.lessons.building.study",
    presets={
        "as-in-notebook": {"subject": "boston", "num-round": 200},
        "reviews": {"subject": "reviews", "model": "both", "num-round": 500, "gamma": 4.0},
    },
    check=learners.check,
    algorithm="reviews",
    measures=(
        # RMSE of houses is better when it is low, accuracy on reviews when it is high: the measure judges neither.
        Measure("score", "Score on the test rows", ""),
        Measure("baseline_score", "Score of the free baseline", ""),
        Measure("xgboost_score", "XGBoost on the test rows", ""),
        Measure("lstm_score", "LSTM on the test rows", ""),
    ),
    lesson=Lesson(
        number=2,
        explains={
            "prepare": "A model is judged on rows it never saw, so the rows are parted first: training rows teach it, validation rows "
            "tell when to stop, test rows are looked at once. The course's notebooks part them at random anew in each notebook, and "
            "their scores cannot be compared: the same settings gave 2.42 to 4.65 there. Here a row's set follows from its content.",
            "audit": "Before a minute of training is paid: are rows there twice, on both sides of the split, are labels mixed up, is a column "
            "constant? Each of these makes a score that is too good or a model that learns nothing.",
            "baseline": "The mean, or the commoner verdict, costs nothing; a straight line costs a second. What SageMaker trains has to beat "
            "them, or the money is wasted.",
            "train": "CreateTrainingJob names an image (the algorithm), channels (S3 prefixes that appear below /opt/ml/input/data), "
            "hyperparameters (all of them texts), a machine, and an S3 prefix for the result. SageMaker starts the machine, runs the image "
            "with the word `train`, packs /opt/ml/model into model.tar.gz, and stops the machine: only those seconds are billed. With model=lstm the image "
            "is PyTorch's, and the algorithm your own: a source folder in S3, named by two more hyperparameters (script mode).",
            "gate": "The log already tells whether the job learned: its best validation score against the free baseline on the same rows. "
            "A model that fails here is not made, scored or hosted.",
            "model": "CreateModel puts an image and an artefact under one name. Nothing runs and nothing is billed yet; transform jobs and "
            "endpoints refer to it.",
            "evaluate": "CreateTransformJob starts a machine with the model, sends it the file line by line in requests of at most "
            "MaxPayloadInMB, writes the answers beside each other in the order of the rows (test.csv.out), and stops the machine. "
            "A score with its standard error takes the place of the notebook's scatter plot.",
            "cleanup": "The notebooks leave models and objects behind; the model costs nothing, the objects a little, forever. Everything "
            "is deleted here, and its absence is proved by listing.",
        },
        tries=(
            Try("Reviews instead of houses", "The same calls learn from 5,000 word counts: only the data and the objective change.",
                {"subject": "reviews", "num-round": "500"}),
            Try("An LSTM beside XGBoost", "Your own code in the PyTorch container reads the reviews word by word. One table: both, what is free, and what the "
                "notebooks printed; logistic regression, which takes a second, is better than both.",
                {"subject": "reviews", "model": "both", "num-round": "500"}),
            Try("A tree of one level", "Stumps know no interactions: the score falls towards that of the straight line.",
                {"max-depth": "1"}),
            Try("One record a request", "The answers are the same, the transform takes many more requests.",
                {"strategy": "SingleRecord", "rows": "2000"}),
            Try("Another split", "How far the score moves by the split alone: the notebooks' differences are of that size.",
                {"split-seed": "2"}),
        ),
        bills=(("training job", "instance-type", "Training", 2.0), ("batch transform", "instance-type", "Transform", 4.0)),
    ),
)  # fmt: skip
