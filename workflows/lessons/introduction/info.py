"""What the menu shows of the first lesson, its parameters, and what it says at each step."""

from __future__ import annotations

from workflows.studies.catalog import Lesson, StudyInfo, Try
from workflows.studies.machines import ONE_JOB
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

INTRODUCTION = StudyInfo(
    name="introduction",
    title="Introduction to deployment",
    summary="A guided tour on a real endpoint: the three parts of a model as files, what a container sees, what an endpoint is made of, "
    "and a REST call as bytes and as curl.",
    teaches=(
        "a model is three things: an artefact, training code, inference code",
        "the container contract: /opt/ml, SM_* variables, /ping and /invocations",
        "an endpoint is a configuration, models and processes behind a signed REST API",
        "the same call as raw HTTP, as curl, as boto3 and as AWS CLI",
    ),
    minutes=(0.3, 7),
    parameters=(
        Parameter("c", "float", 1.0, "The support vector machine's C: less is smoother.", 1e-4, 1e4),
        Parameter("point", "text", "0.5,0.25", "A point to ask about, x,y."),
        *ONE_JOB,
    ),
    steps=(
        ("prepare", "Make the data: 450 points"),
        ("train", "Train, and look at /opt/ml"),
        ("parts", "The three parts of a model"),
        ("deploy", "Host it"),
        ("inside", "Inside the endpoint"),
        ("predict", "A REST call, byte by byte"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.lessons.introduction.study",
    presets={"as-in-notebook": {"c": 1.0}},
    algorithm="tour",
    measures=(
        Measure("train_accuracy", "Accuracy on the training points", unit="share"),
        Measure("probability", "Probability of the asked point", ""),
    ),
    lesson=Lesson(
        number=1,
        explains={
            "prepare": "Two interleaved half circles, 450 points with their class. They go to S3: SageMaker reads data from S3 and writes results "
            "to S3, and a training machine sees nothing else of yours.",
            "train": "CreateTrainingJob starts a machine with an image and puts everything below /opt/ml before your code begins: channels below "
            "input/data, settings in input/config, and room for the result in model. This job prints what it finds there. Paths also come as "
            "SM_* variables.",
            "parts": "What the job left is an archive with the artefact. With it come two programs: the training code that made it (it is not needed any "
            "more), and the inference code that turns requests into what the artefact takes. Losing or mixing up one of the three is how "
            "deployments break, so all three have a hash here.",
            "deploy": "Three calls: CreateModel joins image, artefact and inference code; CreateEndpointConfig says which models on which machines "
            "with which share of the traffic; CreateEndpoint starts them. From here on the machine is billed until the endpoint is deleted.",
            "inside": "The container was started with the word `serve` and listens for two requests: GET /ping says that it is well, and POST "
            "/invocations takes the body of every call. The inference code tells here what it sees around itself.",
            "predict": "An application calls one URL with a signed POST. The endpoint passes the body through to /invocations unchanged, and the answer "
            "back. Everything that boto3, the SDK or the AWS CLI do is this request.",
            "cleanup": "An endpoint is billed while it exists, asked or not. Configuration and model cost nothing, but keep names and confuse; all are "
            "deleted, and their absence is proved by listing.",
        },
        tries=(
            Try("Ask about another point", "The probability follows the moons; far away from both it goes back to a half.", {"point": "3,3"}),
            Try("A stiffer model", "C = 0.001: the artefact's size and the answers change, the three parts and every call stay the same.", {"c": "0.001"}),
            Try("Send nonsense", "The inference code refuses; the caller sees a ModelError that holds the container's own message.", {"point": "0.5"}),
        ),
        bills=(("training job", "instance-type", "Training", 2.0), ("endpoint", "hosting-instance-type", "Hosting", 10.0)),
    ),
)  # fmt: skip
