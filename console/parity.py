"""What each action of the console is on the command line, and what keeps each change safe. docs/safety.md is made of it.

A new action without a line here fails a test, and so does a new command that changes something.
"""

from __future__ import annotations

from dataclasses import dataclass

from console import actions
from console.places import PLACES

MOVES = "moves about the screen"
SHOWS = "how the screen shows what the command prints"
FORM = "fills in a form: options of the command"
DIALOG = "answers a question of the console: `--yes`, or the prompt"
FILES = "a setting of the console: keymap, theme and memory files"
CONSOLE = "the console itself: it has no meaning for a command that ends"

_MOVING = frozenset(
    (
        "up", "down", "left", "right", "page_up", "page_down", "first", "last", "open", "next_part", "previous_part", "next_chart",
        "previous_chart", "next_field", "previous_field", "next", "previous", "back", "earlier", "later", "jump", "up_folder", "endpoint",
        "lesson", "next_trial", "previous_trial", "next_parameter", "previous_parameter", "next_variant", "next_match", "previous_match",
        "tuning", "best", "mark", "mark_range", "mark_all", "choose", "choose_all",
    )
)  # fmt: skip
_SHOWING = frozenset(
    (
        "sort", "reverse", "columns", "axis", "scale", "wrap", "fold", "unfold", "more", "fewer", "swap", "variant", "copy", "search", "filter", "all",
    )
)  # fmt: skip
_APART = {
    "weights": FORM, "choice": FORM, "prompt": DIALOG, "dialog": DIALOG, "command": CONSOLE, "jump": CONSOLE, "columns": FILES, "code": SHOWS,
}  # fmt: skip

COMMANDS: dict[str, str] = {
    "app.home": "runs ls", "app.jobs": "jobs ls", "app.endpoints": "endpoints ls", "app.studies": "studies ls", "app.tuning": "tuning ls",
    "app.costs": "costs", "app.lessons": "lessons ls", "app.experiments": "ab ls", "app.audit": "audit", "app.targets": "targets", "app.help": "keys",
    "app.describe": "describe", "app.related": "related", "app.code": "code", "app.watch": "watch", "app.switch": "config show",
    "app.export": "jobs ls", "app.s3": "s3 ls", "app.refresh": "jobs ls",
    "log.follow": "jobs logs --follow", "log.since": "jobs logs --since", "log.timestamps": "jobs logs --timestamps", "log.save": "jobs logs", "log.filter": "jobs logs --only", "home.new_run": "run",
    "jobs.tune": "tuning start", "jobs.transform": "transform start", "jobs.compare": "jobs compare", "jobs.stop": "jobs stop",
    "job.log": "jobs logs", "job.metrics": "jobs metrics", "job.tune": "tuning start", "job.transform": "transform start", "job.stop": "jobs stop",
    "tunings.new": "tuning start", "tunings.warm_start": "tuning warm-start", "tunings.stop": "tuning stop", "tunings.delete": "tuning delete",
    "tuning.defaults": "tuning compare", "tuning.deploy": "tuning deploy", "tuning.warm_start": "tuning warm-start",
    "tuning.compare": "jobs compare", "tuning.stop": "tuning stop", "tuning.delete": "tuning delete", "tune.start": "tuning start",
    "transform.log": "transform logs", "transform.output": "transform output", "transform.stop": "transform stop", "batch.start": "transform start",
    "endpoints.invoke": "endpoints invoke", "endpoints.experiments": "ab ls", "endpoints.delete": "endpoints delete",
    "endpoint.older": "endpoints captures", "endpoint.newest": "endpoints captures", "endpoint.split": "endpoints weights",
    "endpoint.rollout": "rollout start", "endpoint.experiment": "ab create", "endpoint.replay": "traffic run", "endpoint.invoke": "endpoints invoke",
    "endpoint.drift": "drift", "endpoint.delete": "endpoints delete", "endpoint.transform": "transform start",
    "weights.apply": "endpoints weights", "load.start": "traffic run", "replay.stop": "traffic stop", "replay.again": "traffic run",
    "deploy.start": "rollout start", "deploy.last": "rollout show", "rollout.events": "rollout watch", "rollout.roll_back": "rollout rollback",
    "rollout.promote": "rollout promote", "rollout.clean": "rollout clean", "rollout.new": "rollout start", "invoke.send": "endpoints invoke",
    "drift.baseline": "drift --baseline", "drift.since": "drift --since", "drift.column": "drift", "drift.look": "drift",
    "costs.lifetime": "endpoints ttl", "costs.delete": "sweep", "costs.owners": "sweep --all-owners", "costs.look": "sweep --plan",
    "experiments.stop": "ab stop", "experiment.replay": "ab replay", "experiment.feed": "ab feed", "experiment.weigh": "ab weigh",
    "experiment.promote": "ab promote", "experiment.stop": "ab stop", "experiment.delete": "ab rm", "trial.start": "ab create", "feeding.start": "ab replay",
    "studies.stop": "runs stop", "studies.compare": "runs diff", "studies.code": "runs code", "form.start": "run", "form.notebook": "run --as-in-notebook",
    "run.answer": "runs answer", "run.stop": "runs stop", "run.again": "run", "run.resume": "runs resume", "run.code": "runs code",
    "run.compare": "runs diff", "run.report": "report", "run.experiment": "endpoints create", "run.tune": "tuning start", "run.vary": "lesson",
    "result.save": "runs show", "comparison.first": "runs show", "comparison.second": "runs show", "script.other": "runs code --interface",
    "lessons.start": "lesson", "lessons.vary": "lesson", "lessons.last": "runs show", "lesson.start": "lesson", "lesson.vary": "lesson", "lesson.last": "runs show",
}  # fmt: skip
"""The command that does what an action does, with an option where that makes the difference."""

REASONS: dict[str, str] = {
    "app.palette": CONSOLE, "app.picture": CONSOLE, "app.pause": CONSOLE, "app.theme": FILES, "app.repaint": CONSOLE, "app.suspend_process": CONSOLE, "app.quit": CONSOLE,
    "weights.erase": FORM, "invoke.earlier": FORM, "invoke.later": FORM,
    **{f"{place}.close": CONSOLE for place in ("tune", "batch", "load", "deploy", "invoke", "trial", "feeding", "form")},
}  # fmt: skip


def command_of(action: actions.Action) -> str:
    """The command of an action; empty where it has none."""
    return COMMANDS.get(action.id, "")


def reason_of(action: actions.Action) -> str:
    """Why an action has no command.

    Raises:
        KeyError: Nobody has said.
    """
    if action.id in REASONS:
        return REASONS[action.id]
    if action.place in _APART:
        return _APART[action.place]
    if action.verb in _MOVING:
        return MOVES
    if action.verb in _SHOWING:
        return SHOWS
    raise KeyError(action.id)


@dataclass(frozen=True, slots=True)
class Change:
    """A way to change something.

    ``does`` is what is asked for: AWS operations, or operations of the audit log where something on this machine changes. ``cost`` says where
    the estimate stands before it: ``form``, ``question``, or why there is none. ``opens``: it only opens a form or a question, and another action does it.
    """

    does: tuple[str, ...]
    cost: str = "nothing bills"
    opens: str = ""


_FORM, _QUESTION = "in the form", "in the question"
_FLEETS = "said without an amount: both fleets are up until the traffic has moved"
_TUNE = ("CreateHyperParameterTuningJob",)
_RUN = ("StartRun",)
_TRANSFORM = ("CreateModel", "CreateTransformJob")
_DELETE = ("DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel")
_WEIGH = ("UpdateEndpointWeightsAndCapacities",)

CHANGES: dict[str, Change] = {
    "jobs.tune": Change(_TUNE, opens="tune.start"), "job.tune": Change(_TUNE, opens="tune.start"), "run.tune": Change(_TUNE, opens="tune.start"),
    "jobs.transform": Change(_TRANSFORM, opens="batch.start"), "job.transform": Change(_TRANSFORM, opens="batch.start"),
    "endpoint.transform": Change(_TRANSFORM, opens="batch.start"),
    "jobs.stop": Change(("StopTrainingJob", "StopTransformJob")), "job.stop": Change(("StopTrainingJob",)),
    "tunings.warm_start": Change(_TUNE, opens="tune.start"), "tuning.warm_start": Change(_TUNE, opens="tune.start"),
    "tunings.stop": Change(("StopHyperParameterTuningJob",)), "tuning.stop": Change(("StopHyperParameterTuningJob",)),
    "tunings.delete": Change(("DeleteHyperParameterTuningJob",)), "tuning.delete": Change(("DeleteHyperParameterTuningJob",)),
    "tuning.defaults": Change(("CreateTrainingJob",), _QUESTION),
    "tuning.deploy": Change(("CreateModel", "CreateEndpointConfig", "CreateEndpoint"), _QUESTION),
    "tune.start": Change(_TUNE, _FORM), "batch.start": Change(_TRANSFORM, _FORM), "transform.stop": Change(("StopTransformJob",)),
    "endpoints.invoke": Change(("InvokeEndpoint",), opens="invoke.send"), "endpoint.invoke": Change(("InvokeEndpoint",), opens="invoke.send"),
    "invoke.send": Change(("InvokeEndpoint",), "one request: the endpoint's instances bill already; serverless by the millisecond"),
    "endpoints.delete": Change(_DELETE), "endpoint.delete": Change(_DELETE),
    "endpoint.split": Change(_WEIGH, opens="weights.apply"), "weights.apply": Change(_WEIGH, "in the question, where instances are added"),
    "endpoint.experiment": Change(("StartExperiment",), opens="trial.start"), "endpoint.replay": Change(("StartReplay",), opens="load.start"),
    "load.start": Change(("StartReplay", "InvokeEndpoint"), "in the question, on AWS"), "replay.stop": Change(("StopReplay",)),
    "replay.again": Change(("StartReplay",), opens="load.start"),
    "deploy.start": Change(("StartRollout", "CreateModel", "CreateEndpointConfig", "PutMetricAlarm", "UpdateEndpoint"), "in the form and in the question"),
    "rollout.roll_back": Change(("SetAlarmState", "UpdateEndpoint"), _FLEETS),
    "rollout.promote": Change(_WEIGH), "rollout.clean": Change(("CleanRollout", "DeleteAlarms", "DeleteEndpointConfig", "DeleteModel")),
    "rollout.new": Change(("StartRollout",), opens="deploy.start"),
    "costs.lifetime": Change(("AddTags", "DeleteTags")), "costs.delete": Change((*_DELETE, "DeleteTrainingJob", "DeleteObjects", "DeleteLogGroup", "DeleteAlarms")),
    "experiments.stop": Change(("StopExperiment", *_WEIGH)), "experiment.stop": Change(("StopExperiment", *_WEIGH)),
    "experiment.replay": Change(("StartFeed", "StopFeed"), opens="feeding.start"), "feeding.start": Change(("StartFeed", "InvokeEndpoint"), "in the question, on AWS"),
    "experiment.feed": Change(("RewardExperiment",)), "experiment.weigh": Change(("WeighExperiment", *_WEIGH)),
    "experiment.promote": Change(("UpdateEndpointWeightsAndCapacities", "UpdateEndpoint"), _FLEETS),
    "experiment.delete": Change(("DeleteExperiment",)), "trial.start": Change(("StartExperiment", *_WEIGH), "the endpoint's instances bill already"),
    "studies.stop": Change(("StopRun",)), "run.stop": Change(("StopRun",)), "form.start": Change(_RUN, _FORM),
    "home.new_run": Change(_RUN, opens="form.start"),
    "run.answer": Change(("AnswerRun",), "the run told it in its form"), "run.resume": Change(("ResumeRun",), "in the question, on AWS"),
    "run.experiment": Change(("CreateEndpointConfig", "CreateEndpoint"), _QUESTION),
}  # fmt: skip

COMMAND_CHANGES: dict[str, Change] = {
    "run": Change(_RUN, "asked for on AWS, or told"), "studies run": Change(_RUN, "asked for on AWS, or told"),
    "lesson": Change(_RUN, "asked for on AWS, or told"), "runs answer": Change(("AnswerRun",)), "runs resume": Change(("ResumeRun",), "asked for on AWS, or told"),
    "runs rm": Change(("DeleteRun",)), "runs stop": Change(("StopRun",)),
    "data fetch": Change(("FetchDataset", "InstallDataset")), "data import": Change(("InstallDataset",)), "data rm": Change(("DeleteDataset",)),
    "jobs start": Change(("CreateTrainingJob",), _QUESTION), "jobs stop": Change(("StopTrainingJob",)), "jobs rm": Change(("DeleteTrainingJob",)),
    "endpoints create": Change(("CreateModel", "CreateEndpointConfig", "CreateEndpoint"), _QUESTION), "endpoints delete": Change(_DELETE),
    "endpoints invoke": Change(("InvokeEndpoint",), "one request"), "endpoints scale": Change(_WEIGH, _QUESTION),
    "endpoints ttl": Change(("AddTags", "DeleteTags")), "endpoints weights": Change(_WEIGH, _QUESTION),
    "webapp create": Change(("CreateWebApp", "CreateRole", "CreateFunction", "CreateRestApi"), _QUESTION),
    "webapp delete": Change(("DeleteWebApp", "DeleteRestApi", "DeleteFunction", "DeleteRole")), "webapp test": Change(("TestWebApp",), "a few requests"),
    "ab create": Change(("StartExperiment", *_WEIGH)), "ab feed": Change(("RewardExperiment",)),
    "ab promote": Change(("UpdateEndpointWeightsAndCapacities", "UpdateEndpoint"), _FLEETS), "ab replay": Change(("FeedExperiment", "StartFeed", "StopFeed", "InvokeEndpoint"), "asked for on AWS"),
    "ab rm": Change(("DeleteExperiment",)), "ab stop": Change(("StopExperiment", *_WEIGH)), "ab weigh": Change(("WeighExperiment", *_WEIGH)),
    "traffic run": Change(("StartReplay", "InvokeEndpoint"), "asked for on AWS"), "traffic stop": Change(("StopReplay",)), "traffic delete": Change(("DeleteReplay",)),
    "rollout start": Change(("StartRollout", "CreateModel", "CreateEndpointConfig", "PutMetricAlarm", "UpdateEndpoint"), _QUESTION),
    "rollout rollback": Change(("RollBack", "SetAlarmState", "UpdateEndpoint")), "rollout promote": Change(("PromoteRollout", *_WEIGH)),
    "rollout clean": Change(("CleanRollout", "DeleteAlarms", "DeleteEndpointConfig", "DeleteModel")),
    "rollout watch": Change(("DeleteAlarms",)),
    "tuning start": Change(_TUNE, _QUESTION), "tuning warm-start": Change(_TUNE, _QUESTION), "tuning compare": Change(("CreateTrainingJob",), _QUESTION),
    "tuning deploy": Change(("CreateModel", "CreateEndpointConfig", "CreateEndpoint"), _QUESTION),
    "tuning stop": Change(("StopHyperParameterTuningJob",)), "tuning delete": Change(("DeleteHyperParameterTuningJob",)),
    "transform start": Change(_TRANSFORM, _QUESTION), "transform stop": Change(("StopTransformJob",)),
    "sweep": Change((*_DELETE, "DeleteTrainingJob", "DeleteObjects", "DeleteLogGroup", "DeleteAlarms")),
    "engine": Change(("StopEngine", "ResetEngine")), "prices refresh": Change(("RefreshPrices",), "reads AWS's Price List, which is free"),
}  # fmt: skip
"""Every command that is not in `console.cli.looking`."""

ASKED_ON_AWS = frozenset(("load.start", "feeding.start", "run.resume"))
"""Actions that are free here, and are asked for on AWS with what they cost."""
ASKED_BY_OPENED = {"weights.apply": "endpoint.split"}
"""Actions whose question is that of the action that opened them."""


def asks(action: actions.Action) -> tuple[str, str]:
    """What is asked before a change here, and on AWS."""
    danger = actions.get(ASKED_BY_OPENED.get(action.id, action.id)).danger
    opens = CHANGES[action.id].opens
    if action.id == "run.experiment":
        return "yes or no", "the name is typed"
    if action.id in ASKED_ON_AWS:
        return "no", "yes or no" if action.id == "run.resume" else "the name is typed"
    if opens and danger == "none":
        return "", ""
    return ("yes or no", "the name is typed") if danger != "none" else ("no", "no")


def place_of(identifier: str) -> str:
    """The place of an action, in words that end a sentence."""
    title = PLACES[actions.get(identifier).place]
    return title[:1].lower() + title[1:]
