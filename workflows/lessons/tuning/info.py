"""What the menu shows of the fourth lesson, its parameters, and what it says at each step."""

from __future__ import annotations

from workflows.lessons import boosted, subject
from workflows.studies.catalog import Lesson, StudyInfo, Try
from workflows.studies.machines import TRAINING
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

TUNING = StudyInfo(
    name="tuning",
    title="Hyperparameter tuning, and whether it was worth it",
    summary="Searches XGBoost's settings with a tuning job, and asks what the notebooks never asked: is the winner better than the settings "
    "one had anyway, on the same rows, beyond the luck of seeds and rows?",
    teaches=(
        "a tuning job: objective, ranges, strategy, limits; trials are training jobs",
        "why the best of twenty trials looks good by luck alone, and what to do about it",
        "comparing two configurations: the same split, several seeds each, an error for the difference",
        "what a search costs, and when to stop it",
    ),
    minutes=(1.5, 35),
    parameters=(
        *subject.PARAMETERS,
        *boosted.PARAMETERS,
        Parameter("strategy", "choice", "Bayesian", "How settings are searched.",
            choices=(("Bayesian", "learns from trials that have ended"), ("Random", "draws"), ("Hyperband", "many short trials, few long ones"))),
        Parameter("jobs", "int", 20, "Trials at most.", 2, 500, unit="trials"),
        Parameter("parallel", "int", 3, "Trials at a time.", 1, 100, unit="trials"),
        Parameter("runs", "int", 4, "Times that each configuration is trained for the comparison, with other seeds.", 2, 20, unit="runs"),
        Parameter("instance-type", "choice", "ml.m5.large", "Machine for training and transform.", choices=TRAINING),
        Parameter("max-minutes", "int", 30, "A training job is stopped after this time.", 1, 1440, unit="minutes"),
    ),
    steps=(
        ("prepare", "Get the data, split them once"),
        ("audit", "Audit the data"),
        ("baseline", "Free baselines"),
        ("default", "The settings one had anyway, with several seeds"),
        ("tune", "Search: CreateHyperParameterTuningJob"),
        ("gate", "Gate: more than luck?"),
        ("again", "Train the winner again, with several seeds"),
        ("evaluate", "Both on the test rows"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.lessons.tuning.study",
    presets={"as-in-notebook": {"subject": "boston", "jobs": 20, "parallel": 3}},
    algorithm="reviews",
    measures=(
        Measure("gain", "Gain of the tuned settings on the test rows"),
        Measure("tuned_score", "Tuned settings", ""),
        Measure("default_score", "Default settings", ""),
    ),
    lesson=Lesson(
        number=4,
        explains={
            "prepare": "Default and tuned settings are judged on the same rows. The notebooks drew a new split in each, and so a tuned 3.73 stood "
            "beside untuned 2.42 to 4.65: over 20 random splits of that data the same settings score 3.05 to 4.67.",
            "audit": "A search multiplies whatever is wrong with the data: it finds the settings that exploit a leak best.",
            "baseline": "What costs nothing, on the same rows.",
            "default": "Trained several times with other seeds, the same settings score differently. That spread is the yardstick: what is inside "
            "it is no improvement.",
            "tune": "CreateHyperParameterTuningJob takes a training job's definition without the searched settings, their ranges, an objective that "
            "is read from the log by a regular expression, and limits. Each trial is a training job of its own and billed as one. Bayesian search "
            "learns from trials that ended, so that few at a time learn more and take longer.",
            "gate": "The best of k trials is the best of k draws. It counts as more than luck only beyond what the best of k runs of the default "
            "settings would reach, by a prediction interval.",
            "again": "The winner was chosen for its validation score, which therefore flatters it. It is trained again with fresh seeds.",
            "evaluate": "All models answer the test rows by batch transform. The difference has two errors: other test rows, other seeds. Both are "
            "told, and the verdict follows from their sum.",
            "cleanup": "The tuning job and its trials' records cost nothing; their artefacts in S3 do, and go.",
        },
        tries=(
            Try("Random instead of Bayesian", "For two or three settings that matter, draws do about as well.", {"strategy": "Random"}),
            Try("Five trials only", "Whether the other fifteen were worth their money.", {"jobs": "5"}),
            Try("All at once", "Parallel trials cannot learn from each other: the search becomes a draw.", {"parallel": "10"}),
            Try("Reviews", "Whether the same search helps where the words decide.", {"subject": "reviews", "num-round": "300", "jobs": "6"}),
        ),
        bills=(
            ("20 trials", "instance-type", "Training", 40.0),
            ("8 runs for the comparison", "instance-type", "Training", 16.0),
            ("8 batch transforms", "instance-type", "Transform", 32.0),
        ),
    ),
)  # fmt: skip
