"""What the menu shows of the third lesson, its parameters, and what it says at each step."""

from __future__ import annotations

from dataclasses import replace

from workflows.lessons import boosted, learners, recurrent, subject
from workflows.studies.catalog import Lesson, StudyInfo, Try
from workflows.studies.machines import ONE_JOB
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter

MISHAPS = (
    ("none", "nothing"),
    ("wrong-vocabulary", "the endpoint gets a model that counts other words"),
    ("endpoint-gone", "the endpoint is deleted while the page is up"),
    ("large-body", "somebody sends 10 MB"),
)
_SUBJECTS = tuple(
    replace(one, default="reviews") if one.name == "subject" else one for one in subject.PARAMETERS
)

DEPLOYING = StudyInfo(
    name="deploying",
    title="Deploying a model, with Lambda and API Gateway",
    summary="Hosts XGBoost, or an LSTM, on film reviews, shows that the endpoint and batch transform say the same, and puts a web page in front of it: a role, "
    "a function with the model's own vocabulary, a REST API and the page, tested end to end and taken away again.",
    teaches=(
        "an endpoint in three calls, asked in chunks that fit its limit of 6 MB",
        "the endpoint and batch transform agree: computed row by row, not looked at",
        "Lambda and API Gateway: what each is for, what may call what, and why a browser needs CORS",
        "preprocessing belongs to the model: a vocabulary has a version, and another one is refused",
    ),
    minutes=(0.6, 16),
    parameters=(
        _SUBJECTS[0],
        learners.MODEL,
        *_SUBJECTS[1:],
        *boosted.PARAMETERS,
        *recurrent.PARAMETERS,
        Parameter("chunk", "int", 512, "Rows of one request to the endpoint.", 1, 10_000, unit="rows"),
        Parameter("review", "text", "This film was a wonderful surprise: great acting, a good story, and not one dull minute.",
            "The review that the page is asked about."),
        Parameter("mishap", "choice", "none", "What goes wrong on purpose once the page is up.", choices=MISHAPS),
        *ONE_JOB,
    ),
    steps=(
        ("prepare", "Get the data, split them once"),
        ("baseline", "Free baselines"),
        ("train", "Train"),
        ("gate", "Gate: did it learn?"),
        ("deploy", "Deploy: three calls"),
        ("predict", "Ask the endpoint, in chunks"),
        ("transform", "The same rows by batch transform: do they agree?"),
        ("mistakes", "Calls that fail"),
        ("webapp", "The web app: role, function, API, page"),
        ("page", "Test it end to end"),
        ("mishap", "Something goes wrong"),
        ("cleanup", "Clean up"),
    ),
    module="workflows.lessons.deploying.study",
    presets={
        "as-in-notebook": {"subject": "reviews", "num-round": 500},
        "houses": {"subject": "housing"},
        "lstm": {"subject": "reviews", "model": "lstm"},
    },
    check=learners.check,
    algorithm="reviews",
    measures=(
        Measure("score", "Score on the test rows", ""),
        Measure("apart", "Largest difference between endpoint and batch transform", "lower"),
        Measure("probability", "Probability of the asked review", ""),
    ),
    lesson=Lesson(
        number=3,
        explains={
            "prepare": "Reviews become counts of the 5,000 commonest words of the training reviews. This vocabulary is half of the model: column 17 "
            "means one word here and another one elsewhere. It has a version, a hash of its words in their order. With model=lstm the reviews stay as they are: "
            "the training code makes a word dictionary, which travels in the artefact, so that endpoint, batch transform and page send the text itself.",
            "baseline": "The commoner verdict, and logistic regression, which costs a second: what an endpoint for six cents an hour has to beat.",
            "train": "One training job, as in lesson 2: XGBoost, or with model=lstm your own PyTorch code.",
            "gate": "An endpoint is billed by the hour. A model that learned nothing is not hosted.",
            "deploy": "CreateModel, CreateEndpointConfig, CreateEndpoint; the SDK's deploy makes the same three calls. The model carries the version of "
            "its vocabulary and its place in S3 as tags, so that whoever uses the endpoint later can tell. On AWS this takes some minutes, and "
            "from then on the machine is billed until the endpoint is deleted, whether anybody asks or not.",
            "predict": "InvokeEndpoint takes at most 6 MB. The test rows are sent 512 at a time, as lines in the format of the training channel without "
            "the label, and as many answers come back, in order.",
            "transform": "The same model scores the same rows by batch transform. The notebooks print .84544 twice and say that it should agree; here every "
            "row's two answers are compared.",
            "mistakes": "Two ways to call it wrong. A list instead of bytes does not leave this machine: boto3 refuses it. A content type that the container "
            "does not know does, and comes back as ModelError with the container's own status and message.",
            "webapp": "A browser has no AWS keys and cannot sign. So API Gateway gets an address that everybody may call; it passes each request to a function, "
            "and the function, whose role may call this one endpoint, makes counts of the review and asks. In the course this is clicked together, "
            "and endpoint, vocabulary and address are pasted by hand. Here one action makes it, and refuses before anything is made when the "
            "vocabulary is not the model's. `mlconsole webapp create ENDPOINT` is the same action.",
            "page": "The page relies on a contract: where it is served, CORS for pages from elsewhere (the browser asks first, with OPTIONS), a verdict "
            "as JSON, and errors as JSON that it can show. It is tested on the live path; the page's answer must be the endpoint's own.",
            "mishap": "What holds on a good day is no test. The function asks every few seconds which model its endpoint serves; a wrong answer is worse than none.",
            "cleanup": "API, function, role, log and page go first, then the endpoint, which is what costs, then the rest. The notebooks leave "
            "all of it but the endpoint behind. Its absence is proved by looking again.",
        },
        tries=(
            Try("A model that counts other words", "Before deploying it is refused; in a running web app the function answers 409 until it is deployed again.",
                {"mishap": "wrong-vocabulary"}),
            Try("Delete the endpoint and ask the page", "The page says that the model's endpoint is not there (503), and stays up.", {"mishap": "endpoint-gone"}),
            Try("Send 10 MB", "The function refuses what is no review (413), API Gateway what is over its own limit; both say so in words that the page can show.",
                {"mishap": "large-body"}),
            Try("An LSTM instead of XGBoost", "The endpoint takes the review itself (text/plain): the function packs no vocabulary, and there is none that could be wrong.",
                {"model": "lstm"}),
            Try("Houses instead of reviews", "The endpoint part alone: CSV rows, prices, and the same agreement.", {"subject": "housing"}),
        ),
        bills=(
            ("training job", "instance-type", "Training", 2.0),
            ("endpoint", "hosting-instance-type", "Hosting", 12.0),
            ("batch transform", "instance-type", "Transform", 4.0),
        ),
    ),
)  # fmt: skip
