"""What the menu shows of the fifth lesson, its parameters, and what it says at each step."""

from __future__ import annotations

from workflows.lessons import boosted, subject
from workflows.studies.catalog import Lesson, StudyInfo, Try
from workflows.studies.machines import HOSTING, TRAINING
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

UPDATING = StudyInfo(
    name="updating",
    title="Updating a model: A/B test, blue/green, drift",
    summary="Two models share an endpoint until one is shown to be better; it takes over by blue/green. Then the world changes: reviews with a new word "
    "and other verdicts. The change is found without labels, its damage estimated, a new model trained, judged on old and new reviews, rolled "
    "out, rolled back and rolled out again.",
    teaches=(
        "production variants and weights; an A/B test that concludes, however often one looks",
        "blue/green updates with canaries and alarms, and what rolling back is",
        "drift is visible without labels; damage is not: that takes some labels",
        "a vocabulary belongs to its model: a few other words and every answer is wrong",
    ),
    minutes=(2, 45),
    parameters=(
        Parameter("houses", "choice", "housing", "What the A/B test is about.",
            choices=(("housing", "houses in California (free data)"), ("boston", "houses in Boston: only from your own file"))),
        *(item for item in subject.PARAMETERS if item.name != "subject"),
        *(item for item in boosted.PARAMETERS if item.name not in ("num-round", "gamma", "eta", "max-depth", "min-child-weight")),
        Parameter("max-depth", "int", 6, "Levels of a tree.", 1, 20, unit="levels"),
        Parameter("eta", "float", 0.1, "Share of a tree's correction that is taken.", 0.001, 1.0),
        Parameter("gamma", "float", 0.0, "Least gain of a split.", 0.0, 1000.0),
        Parameter("min-child-weight", "float", 1.0, "Least weight of a leaf.", 0.0, 10_000.0),
        Parameter("num-round", "int", 400, "Most trees.", 1, 10_000, unit="trees"),
        Parameter("requests", "int", 12_000, "Requests of the A/B test at most; a verdict ends it.", 100, 1_000_000),
        Parameter("word", "text", "banana", "The word that comes into the new reviews."),
        Parameter("share", "float", 0.2, "Share of the new reviews that have the word, and the other verdict.", 0.0, 1.0),
        Parameter("labels", "int", 200, "New reviews that are labelled to estimate the damage.", 30, 100_000, unit="reviews"),
        Parameter("least", "float", 0.83, "Accuracy on the old reviews that a new model must have.", 0.0, 1.0),
        Parameter("instance-type", "choice", "ml.m5.large", "Machine for training and transform.", choices=TRAINING),
        Parameter("hosting-instance-type", "choice", "ml.m5.large", "Machine for the endpoints.", choices=HOSTING),
        Parameter("max-minutes", "int", 30, "A training job is stopped after this time.", 1, 1440, unit="minutes"),
    ),
    steps=(
        ("prepare", "Houses, old reviews, new reviews"),
        ("train", "Two models of the houses"),
        ("contest", "A/B: two variants, one verdict"),
        ("promote", "The winner takes over: blue/green"),
        ("current", "The reviews' model, hosted"),
        ("drift", "Has the world changed? Without labels"),
        ("damage", "How bad is it? With a few labels"),
        ("retrain", "A new model with its own vocabulary"),
        ("gate", "Gate: old and new reviews"),
        ("rollout", "Roll out, roll back, roll out"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.lessons.updating.study",
    presets={"as-in-notebook": {"houses": "boston", "word": "banana", "share": 0.2}},
    algorithm="reviews",
    measures=(
        Measure("new_model_on_new", "New model on new reviews", unit="share", baseline="old_model_on_new"),
        Measure("new_model_on_old", "New model on old reviews", unit="share"),
        Measure("drift_found_after", "Reviews until the new word was found", "lower"),
    ),
    lesson=Lesson(
        number=5,
        explains={
            "prepare": "The A/B test is about houses. The drift is about reviews: the new ones are reviews of which a fifth has one more word, and the "
            "other verdict, as in the course. Test rows are never trained on, old or new.",
            "train": "XGBoost serves today; LinearLearner is the challenger. Two algorithms, two containers, the same rows.",
            "contest": "One endpoint configuration with two production variants splits the requests by their weights. The notebook looked at ten answers. "
            "Here each answer is scored against the real price, and the interval of the difference holds at all times at once: one may look after "
            "every answer and stop as soon as it excludes zero.",
            "promote": "UpdateEndpoint builds the new fleet beside the old one (green beside blue), moves a tenth of the traffic, waits, moves the rest, and "
            "only then takes the old fleet down. Nobody notices.",
            "current": "The reviews' model of yesterday: bag of words and XGBoost, trained on old reviews, scored on old test reviews, and put behind an endpoint "
            "together with its vocabulary.",
            "drift": "New reviews come without verdicts. Their words are compared with those of the training reviews, each by an exact test, corrected for "
            "thousands of words. How many reviews does it take until the new word is seen?",
            "damage": "That a word is new says nothing about whether answers are wrong. A bound needs no label: at most the reviews that have it. The damage "
            "itself takes labels, and a few hundred are enough.",
            "retrain": "Trained on old and new reviews, with a vocabulary of its own. Only a few words differ, but columns are numbered alphabetically, so most "
            "of them mean another word: the new model is also fed with the old vocabulary here, to see what a mix-up does.",
            "gate": "A new model must be good for the new reviews and still good for the old ones. The notebook's student read an old file twice, saw the same "
            "0.726 twice, and deployed all the same.",
            "rollout": "A canary with alarms. During its bake somebody presses the button: SageMaker takes the new fleet down and blue never stopped serving. "
            "Then the same rollout again, to its end.",
            "cleanup": "Two endpoints, their configurations, models, alarms and objects: deleted, and proved to be gone.",
        },
        tries=(
            Try("Nothing changes", "share = 0: the test for drift stays quiet, and the new model gains nothing.", {"share": "0"}),
            Try("A smaller change", "Whether the word is found when only one review in twenty has it.", {"share": "0.05"}),
            Try("Another word", "movie is in most reviews anyway: a change of a common word is harder to see.", {"word": "movie"}),
            Try("Ask too much", "least = 0.99: the gate refuses, and the old model goes on serving.", {"least": "0.99"}),
        ),
        bills=(
            ("four training jobs", "instance-type", "Training", 10.0),
            ("six batch transforms", "instance-type", "Transform", 24.0),
            ("the A/B endpoint, two fleets", "hosting-instance-type", "Hosting", 60.0),
            ("the reviews' endpoint, blue and green", "hosting-instance-type", "Hosting", 90.0),
        ),
    ),
)  # fmt: skip
