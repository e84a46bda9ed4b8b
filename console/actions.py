"""The registry of actions: one entry gives the key, the footer, the help, the palette command and the docs table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding

from console.places import PLACES

Danger = Literal["none", "confirm", "type-name"]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person can do.

    ``id`` is ``place.verb``: the place is where its key works, the verb names the method ``action_<verb>`` there.
    ``danger`` says what is asked first (on AWS a confirmation becomes typing the name), ``changes`` whether it changes
    anything beyond the screen: such actions are refused in read-only mode. ``command`` is its word in the palette,
    ``aliases`` are others.
    """

    id: str
    keys: str
    label: str
    help: str
    target: str = ""
    danger: Danger = "none"
    changes: bool = False
    footer: bool = False
    command: str = ""
    argument: str = ""
    priority: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return self.id.partition(".")[0]

    @property
    def verb(self) -> str:
        return self.id.partition(".")[2]

    def binding(self) -> Binding:
        """The Textual binding of this action; its id allows a keymap to move it."""
        return Binding(
            self.keys,
            self.verb,
            self.label,
            show=self.footer,
            id=self.id,
            priority=self.priority,
            tooltip=self.help,
        )


ACTIONS: tuple[Action, ...] = (
    # everywhere
    Action("app.home", "1", "Home", "What runs, what failed, what costs", command="home"),
    Action("app.jobs", "2", "Jobs", "All training and transform jobs, live", command="jobs", argument="filter"),
    Action("app.endpoints", "3", "Endpoints", "All endpoints, live", command="endpoints", argument="filter"),
    Action("app.studies", "4", "Studies", "Case studies: start one, attach to a run", command="studies", argument="study"),
    Action("app.tuning", "5", "Tuning", "All hyperparameter tuning jobs, live", command="tuning", argument="filter"),
    Action("app.costs", "6", "Costs", "What bills now, and what is left over", command="costs", argument="filter"),
    Action("app.lessons", "7", "Lessons", "The five lessons, and how far you are", command="lessons", argument="lesson"),
    Action("app.help", "question_mark,f1", "Help", "The keys of this screen", footer=True, command="help"),
    Action("app.palette", "colon,ctrl+p", "Command", "Go anywhere and do anything by name", footer=True),
    Action("app.jump", "apostrophe,ctrl+o", "Jump", "A letter over everything that can be gone to; the letter goes there", command="jump"),
    Action("app.earlier", "left_square_bracket", "Earlier", "To the screen seen before this one", command="earlier", aliases=("-",)),
    Action("app.later", "right_square_bracket", "Later", "To the screen from which [ came back", command="later"),
    Action("app.describe", "J", "Describe", "All that AWS tells of it, folded, as JSON and as YAML", command="describe"),
    Action("app.related", "R", "Related", "What belongs together with it: job, model, configuration, endpoint, alarms, S3", command="related"),
    Action("app.code", "Y", "Code", "The AWS CLI command, boto3 and SDK code that ask for it, to be copied", command="code"),
    Action("app.watch", "W", "Watch", "Tell you when it ends, changes or is in alarm: bell, title, notification, webhook; or no more", command="watch"),
    Action("app.switch", "", "Switch", "Another target, profile or region: target aws, profile NAME, region NAME", command="switch"),
    Action("app.export", "E", "Export", "The list as CSV or JSON, the screen as a picture", command="export", argument="csv|json|svg path"),
    Action("app.picture", "f9", "Picture", "The screen as it is, as a picture (SVG), also from within a question, a text or the command line", command="picture"),
    Action("app.s3", "", "S3", "Buckets, folders and objects, with a preview", command="s3", argument="uri"),
    Action("app.refresh", "r", "Refresh", "Ask for new data now", command="refresh"),
    Action("app.pause", "p", "Pause", "Stop and start the polling", command="pause"),
    Action("app.theme", "", "Theme", "Change the colours: dark, light, contrast, contrast-light, plain, ansi-dark, ansi-light, or a theme of your own", command="theme", argument="name"),
    Action("app.back", "escape", "Back", "Up to where you came from", priority=False),
    Action("app.repaint", "ctrl+l", "Repaint", "Paint the whole screen anew, after another program wrote over it", command="repaint"),
    Action("app.suspend_process", "ctrl+z", "Suspend", "Back to the shell; fg returns", command=""),
    Action("app.quit", "q,ctrl+q,ctrl+c", "Quit", "Leave at once; runs and jobs go on", footer=True, command="quit", aliases=("q", "exit")),
    # every list
    Action("list.up", "up,k", "Up", "One row up"),
    Action("list.down", "down,j", "Down", "One row down"),
    Action("list.page_up", "pageup,ctrl+u", "Page up", "One page up"),
    Action("list.page_down", "pagedown,ctrl+d", "Page down", "One page down"),
    Action("list.first", "home,g", "First", "To the first row"),
    Action("list.last", "end,G", "Last", "To the last row"),
    Action("list.left", "left", "Left", "Scroll left where a line is wider than the screen"),
    Action("list.right", "right", "Right", "Scroll right where a line is wider than the screen"),
    Action("list.open", "enter", "Open", "Open the row under the cursor", footer=True),
    # lists of which rows can be marked
    Action("select.mark", "space", "Mark", "Mark the row, or take the mark away; what is done then is done with all marked rows"),
    Action("select.mark_range", "V,ctrl+@", "Range", "Mark all rows from the last marked one to the cursor"),
    Action("select.mark_all", "asterisk", "All", "Mark all rows that the filter shows, or none"),
    # every log
    Action("log.up", "up,k", "Up", "One line up; stops following"),
    Action("log.down", "down,j", "Down", "One line down"),
    Action("log.page_up", "pageup,ctrl+u", "Page up", "One page up"),
    Action("log.page_down", "pagedown,ctrl+d", "Page down", "One page down"),
    Action("log.first", "home,g", "First", "To the first line kept"),
    Action("log.last", "end,G", "Last", "To the end, and follow"),
    Action("log.left", "left", "Left", "Scroll left while lines are not wrapped"),
    Action("log.right", "right", "Right", "Scroll right while lines are not wrapped"),
    Action("log.follow", "f", "Follow", "Stay at the newest line, or stop staying there", footer=True),
    Action("log.wrap", "w", "Wrap", "Wrap long lines, or cut them"),
    Action("log.search", "slash", "Search", "Search in the log", footer=True),
    Action("log.next_match", "n", "Next", "Next match"),
    Action("log.previous_match", "N", "Previous", "Previous match"),
    Action("log.filter", "ampersand", "Only", "Only lines that match: words, regex.*, !not, stream:algo-1, level:error"),
    Action("log.since", "at", "Since", "Only lines of the last 90s, 15m, 2h; empty: all"),
    Action("log.timestamps", "T", "Times", "Times of the lines: the clock, date and milliseconds, none"),
    Action("log.save", "ctrl+s", "Save", "Save the lines that are shown to a file"),
    # home
    Action("home.new_run", "n", "New run", "Choose a case study and start it", changes=True, footer=True),
    # jobs
    Action("jobs.filter", "slash", "Filter", "Narrow the list: words, regex.*, !not, status:failed, -f fuzzy", target="training job", footer=True),
    Action("jobs.sort", "s", "Sort", "Sort by the next column; a click on a heading sorts by that one", target="training job", footer=True),
    Action("jobs.reverse", "S", "Reverse", "Turn the order round", target="training job"),
    Action("jobs.columns", "C", "Columns", "Choose the columns and their order", target="training job"),
    Action("jobs.next_part", "tab", "Kind", "All jobs, training, trials of tuning jobs, transform: the next kind", footer=True, priority=True),
    Action("jobs.previous_part", "shift+tab", "Previous kind", "The kind before", priority=True),
    Action("jobs.tune", "t", "Tune", "Search better hyperparameters than those of the training job under the cursor", target="training job", changes=True, footer=True),
    Action("jobs.transform", "b", "Batch", "Let the model of the training job under the cursor answer for a whole file", target="training job", changes=True),
    Action("jobs.compare", "equals_sign", "Compare", "Compare the two marked training jobs: settings, results, curves", target="training job"),
    Action("jobs.stop", "x", "Stop", "Stop the job under the cursor", target="job", danger="confirm", changes=True, footer=True),
    Action("jobs.copy", "y", "Copy name", "Copy the name to your clipboard, over SSH too", target="training job"),
    # a job
    Action("job.next_part", "tab", "Next", "Overview, log, metrics, settings: the next one", footer=True, priority=True),
    Action("job.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("job.log", "l", "Log", "The live log", footer=True),
    Action("job.metrics", "m", "Metrics", "The charts of its metrics", footer=True),
    Action("job.axis", "a", "Axis", "Charts over epochs or steps, or over time", footer=True),
    Action("job.scale", "o", "Log scale", "Logarithmic or linear charts", footer=True),
    Action("job.next_chart", "n,right", "Next chart", "Begin with the next chart, where not all find room"),
    Action("job.previous_chart", "N,left", "Previous chart", "Begin with the chart before"),
    Action("job.tune", "t", "Tune", "Search better hyperparameters than those of this job", target="training job", changes=True, footer=True),
    Action("job.transform", "b", "Batch", "Let its model answer for a whole file", target="training job", changes=True),
    Action("job.tuning", "u", "Tuning job", "Up to the tuning job that made it", footer=True),
    Action("job.stop", "x", "Stop", "Stop this training job", target="training job", danger="confirm", changes=True, footer=True),
    Action("job.copy", "y", "Copy ARN", "Copy the ARN to your clipboard, over SSH too", target="training job"),
    # two jobs
    Action("compare.next_part", "tab", "Next", "Settings, curves: the other one", footer=True, priority=True),
    Action("compare.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("compare.all", "d", "All", "Everything, or only what differs", footer=True),
    Action("compare.axis", "a", "Axis", "Charts over epochs or steps, or over time", footer=True),
    Action("compare.scale", "o", "Log scale", "Logarithmic or linear charts", footer=True),
    Action("compare.next_chart", "n,right", "Next chart", "Begin with the next chart, where not all find room", footer=True),
    # tuning
    Action("tunings.filter", "slash", "Filter", "Narrow the list: words, regex.*, !not, strategy:grid, -f fuzzy", target="tuning job", footer=True),
    Action("tunings.sort", "s", "Sort", "Sort by the next column", target="tuning job", footer=True),
    Action("tunings.reverse", "S", "Reverse", "Turn the order round", target="tuning job"),
    Action("tunings.columns", "C", "Columns", "Choose the columns and their order", target="tuning job"),
    Action("tunings.new", "n", "New", "Choose the training job that is to be tuned", target="training job", footer=True),
    Action("tunings.warm_start", "w", "Warm start", "Search on from what the tuning job under the cursor has learned", target="tuning job", changes=True),
    Action("tunings.stop", "x", "Stop", "Stop the tuning job under the cursor and its running trials", target="tuning job", danger="confirm", changes=True, footer=True),
    Action("tunings.delete", "d", "Delete", "Delete the record of the tuning job under the cursor; its training jobs stay", target="tuning job", danger="confirm", changes=True),
    Action("tunings.copy", "y", "Copy name", "Copy the name to your clipboard, over SSH too", target="tuning job"),
    # a tuning job
    Action("tuning.next_part", "tab", "Next", "Overview, trials, progress, scatter, parallel, importance, default: the next one", footer=True, priority=True),
    Action("tuning.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("tuning.next_parameter", "n,right", "Parameter", "The next hyperparameter, or the axes that found no room", footer=True),
    Action("tuning.previous_parameter", "N,left", "Previous", "The hyperparameter before"),
    Action("tuning.next_trial", "down,j", "Next trial", "The next trial of the list stands out in the parallel view"),
    Action("tuning.previous_trial", "up,k", "Previous trial", "The trial before stands out"),
    Action("tuning.open", "enter", "Open", "Open the training job of the trial that stands out", target="training job", footer=True),
    Action("tuning.axis", "a", "Axis", "The progress over trials, or over time", footer=True),
    Action("tuning.more", "plus", "More lines", "Twice as many trials as lines", footer=True),
    Action("tuning.fewer", "minus", "Fewer lines", "Half as many trials as lines", footer=True),
    Action("tuning.filter", "slash", "Filter", "Narrow the trials: words, regex.*, !not, status:failed, -f fuzzy", target="trial", footer=True),
    Action("tuning.sort", "s", "Sort", "Sort the trials by the next column; a click on a heading sorts by that one", target="trial", footer=True),
    Action("tuning.reverse", "S", "Reverse", "Turn the order of the trials round", target="trial"),
    Action("tuning.columns", "C", "Columns", "Choose the columns of the trials and their order", target="trial"),
    Action("tuning.compare", "equals_sign", "Compare", "Compare the two marked trials: settings, results, curves", target="trial"),
    Action("tuning.best", "b", "Best", "Open the training job of the best trial", target="training job", footer=True),
    Action("tuning.copy", "y", "Copy", "Copy the hyperparameters of the trial under the cursor, of the marked ones, or of the best, as JSON", target="trial", footer=True),
    Action("tuning.defaults", "v", "Versus default", "Train the default configuration with several seeds, to compare", target="training job", danger="confirm", changes=True, footer=True),
    Action("tuning.deploy", "e", "Deploy", "Host the model of the best trial", target="endpoint", danger="confirm", changes=True, footer=True),
    Action("tuning.warm_start", "w", "Warm start", "Search on from what this tuning job has learned", target="tuning job", changes=True, footer=True),
    Action("tuning.stop", "x", "Stop", "Stop this tuning job and its running trials", target="tuning job", danger="confirm", changes=True, footer=True),
    Action("tuning.delete", "d", "Delete", "Delete the record of this tuning job; its training jobs stay", target="tuning job", danger="confirm", changes=True),
    # the form of a tuning job
    Action("tune.start", "ctrl+s", "Start", "Start the tuning job", target="tuning job", changes=True, footer=True, priority=True),
    Action("tune.next_field", "tab,down", "Next field", "To the next field"),
    Action("tune.previous_field", "shift+tab,up", "Previous field", "To the field before"),
    Action("tune.close", "escape", "Back", "Back, starting nothing", footer=True),
    # a transform job
    Action("transform.next_part", "tab", "Next", "Overview, log, throughput, output, settings: the next one", footer=True, priority=True),
    Action("transform.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("transform.log", "l", "Log", "The live log", footer=True),
    Action("transform.output", "o", "Output", "The first rows of what came out, beside their input", footer=True),
    Action("transform.next_chart", "n,right", "Next chart", "Begin with the next chart, where not all find room"),
    Action("transform.previous_chart", "N,left", "Previous chart", "Begin with the chart before"),
    Action("transform.stop", "x", "Stop", "Stop this transform job", target="transform job", danger="confirm", changes=True, footer=True),
    Action("transform.copy", "y", "Copy", "Copy where the output is to your clipboard, over SSH too", target="transform job"),
    # the form of a transform job
    Action("batch.start", "ctrl+s", "Start", "Start the transform job", target="transform job", changes=True, footer=True, priority=True),
    Action("batch.next_field", "tab,down", "Next field", "To the next field"),
    Action("batch.previous_field", "shift+tab,up", "Previous field", "To the field before"),
    Action("batch.close", "escape", "Back", "Back, starting nothing", footer=True),
    # endpoints
    Action("endpoints.filter", "slash", "Filter", "Narrow the list: words, regex.*, !not, status:failed, -f fuzzy", target="endpoint", footer=True),
    Action("endpoints.sort", "s", "Sort", "Sort by the next column", target="endpoint", footer=True),
    Action("endpoints.reverse", "S", "Reverse", "Turn the order round", target="endpoint"),
    Action("endpoints.columns", "C", "Columns", "Choose the columns and their order", target="endpoint"),
    Action("endpoints.invoke", "i", "Invoke", "Send a payload to the endpoint under the cursor", target="endpoint", changes=True, footer=True),
    Action("endpoints.experiments", "a", "A/B", "All A/B tests", target="A/B test", footer=True),
    Action("endpoints.delete", "d", "Delete", "Delete the endpoint under the cursor", target="endpoint", danger="confirm", changes=True, footer=True),
    Action("endpoints.copy", "y", "Copy name", "Copy the name to your clipboard, over SSH too", target="endpoint"),
    # an endpoint
    Action("endpoint.older", "m", "Older", "Read older captured requests, too", footer=True),
    Action("endpoint.newest", "e", "Newest", "Read the newest captured requests again", footer=True),
    Action("endpoint.variant", "v", "Variant", "Log and captures of the next variant, then of all again", footer=True),
    Action("endpoint.next_chart", "n", "Next chart", "Begin with the next chart, where not all find room", footer=True),
    Action("endpoint.next_part", "tab", "Next", "Overview, traffic, log, captures, alarms, scaling: the next one", footer=True, priority=True),
    Action("endpoint.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("endpoint.split", "s", "Split", "Change the weights and the instance counts of its variants", target="endpoint", danger="confirm", changes=True, footer=True),
    Action("endpoint.rollout", "o", "Rollout", "Deploy a new model step by step, or see the rollout that runs", target="endpoint", footer=True),
    Action("endpoint.experiment", "a", "A/B", "Compare its variants: the running test, or the form of a new one", target="A/B test", changes=True, footer=True),
    Action("endpoint.replay", "t", "Replay", "Replay requests at it: the form, or the replay that goes on", target="endpoint", changes=True, footer=True),
    Action("endpoint.invoke", "i", "Invoke", "Send a payload", target="endpoint", changes=True, footer=True),
    Action("endpoint.drift", "D", "Drift", "Whether it is asked other things than before", target="endpoint", footer=True),
    Action("endpoint.delete", "d", "Delete", "Delete this endpoint", target="endpoint", danger="confirm", changes=True, footer=True),
    Action("endpoint.copy", "y", "Copy ARN", "Copy the ARN to your clipboard, over SSH too", target="endpoint"),
    Action("endpoint.transform", "b", "Batch", "Let its model answer for a whole file", target="model", changes=True),
    # the traffic split
    Action("weights.up", "up,k", "Up", "The variant above"),
    Action("weights.down", "down,j,tab", "Down", "The variant below"),
    Action("weights.left", "left", "Weight", "Its weight"),
    Action("weights.right", "right", "Instances", "Its number of instances"),
    Action("weights.more", "plus,equals_sign", "More", "More of it"),
    Action("weights.less", "minus", "Less", "Less of it"),
    Action("weights.erase", "backspace", "Erase", "The last digit that was typed"),
    Action("weights.apply", "enter", "Apply", "Ask once more, then change it", changes=True, footer=True),
    Action("weights.cancel", "escape", "Leave", "Change nothing", footer=True),
    # the form of a replay
    Action("load.start", "ctrl+s", "Start", "Start the replay", target="endpoint", changes=True, footer=True, priority=True),
    Action("load.next_field", "tab,down", "Next field", "To the next field"),
    Action("load.previous_field", "shift+tab,up", "Previous field", "To the field before"),
    Action("load.close", "escape", "Back", "Back, starting nothing", footer=True),
    # a replay
    Action("replay.stop", "x", "Stop", "End the replay; its report stays", target="replay", changes=True, footer=True),
    Action("replay.again", "n", "Again", "The form with the settings of this replay", target="replay", changes=True, footer=True),
    Action("replay.endpoint", "u", "Endpoint", "Up to the endpoint", footer=True),
    Action("replay.next_chart", "tab", "Next chart", "Begin with the next chart, where not all find room", priority=True),
    Action("replay.previous_chart", "shift+tab", "Previous chart", "Begin with the chart before", priority=True),
    Action("replay.copy", "y", "Copy id", "Copy the replay's id to your clipboard, over SSH too", target="replay"),
    # the form of a rollout
    Action("deploy.start", "ctrl+s", "Start", "Start the rollout, after it has told what it does", target="endpoint", danger="confirm", changes=True, footer=True, priority=True),
    Action("deploy.last", "f3", "Last", "The last rollout of this endpoint", target="rollout", footer=True),
    Action("deploy.next_field", "tab,down", "Next field", "To the next field"),
    Action("deploy.previous_field", "shift+tab,up", "Previous field", "To the field before"),
    Action("deploy.close", "escape", "Back", "Back, starting nothing", footer=True),
    # a rollout
    Action("rollout.next_part", "tab", "Next", "Overview, what happened, settings: the next one", footer=True, priority=True),
    Action("rollout.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("rollout.events", "l", "Events", "What happened, and back"),
    Action("rollout.roll_back", "b", "Roll back", "Take the new model back, while it runs or afterwards", target="endpoint", danger="confirm", changes=True, footer=True),
    Action("rollout.promote", "m", "Promote", "All traffic to the new model's variant, by weights; an update that runs cannot be promoted", target="endpoint", danger="confirm", changes=True, footer=True),
    Action("rollout.clean", "d", "Clean", "Delete what it has left: alarms, the configuration and the model that do not serve", target="rollout", danger="confirm", changes=True, footer=True),
    Action("rollout.new", "n", "New", "The form of the next rollout on this endpoint", target="endpoint", changes=True, footer=True),
    Action("rollout.endpoint", "e", "Endpoint", "To its endpoint"),
    Action("rollout.copy", "y", "Copy name", "Copy the name to your clipboard, over SSH too", target="rollout"),
    # invoke
    Action("invoke.send", "ctrl+s", "Send", "Send the payload", target="endpoint", changes=True, footer=True, priority=True),
    Action("invoke.earlier", "ctrl+p", "Earlier", "The payload sent before this one", footer=True, priority=True),
    Action("invoke.later", "ctrl+n", "Later", "The payload sent after this one", priority=True),
    Action("invoke.next_field", "tab", "Next field", "To the next field, and to the answer to scroll it", priority=True),
    Action("invoke.previous_field", "shift+tab", "Previous field", "To the field before", priority=True),
    Action("invoke.close", "escape", "Close", "Back to the endpoint", footer=True),
    # drift
    Action("drift.baseline", "b", "Baseline", "What it is compared with: a file, s3://…, job:NAME/CHANNEL, first:N, first:half, before:1d", target="endpoint", footer=True),
    Action("drift.since", "w", "Window", "Only what was captured within the last 90m, 12h, 7d; empty: all", target="endpoint", footer=True),
    Action("drift.column", "c", "Column", "The column of the baseline, or the member of JSON requests, that holds texts", target="endpoint", footer=True),
    Action("drift.look", "n", "Look again", "Read the capture again and compare", target="endpoint", footer=True),
    # costs & clean-up
    Action("costs.next_part", "tab", "Next", "What bills, what is left over: the other one", footer=True, priority=True),
    Action("costs.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("costs.lifetime", "t", "Lifetime", "How long the endpoint under the cursor, or each marked one, may live: 90m, 8h, 7d, off, keep", target="endpoint", changes=True, footer=True),
    Action("costs.choose", "space", "Choose", "Choose what is left over, or leave it", footer=True),
    Action("costs.choose_all", "a", "All", "Choose all that may go and that the filter shows, or none", footer=True),
    Action("costs.delete", "d", "Delete", "Delete the endpoint under the cursor, all marked ones, or all that was chosen", target="leftovers", danger="confirm", changes=True, footer=True),
    Action("costs.filter", "slash", "Filter", "Narrow the list: words, regex.*, !not, kind:endpoint, -f fuzzy; the totals stay those of all", footer=True),
    Action("costs.sort", "s", "Sort", "Sort by the next column; a click on a heading sorts by that one", footer=True),
    Action("costs.reverse", "S", "Reverse", "Turn the order round"),
    Action("costs.columns", "C", "Columns", "Choose the columns and their order"),
    Action("costs.owners", "o", "Owners", "Offer also what mlconsole did not make, or not any more"),
    Action("costs.look", "n", "Look again", "Look anew for what is left over", footer=True),
    Action("costs.copy", "y", "Copy name", "Copy the name to your clipboard, over SSH too"),
    # the audit log
    Action("app.audit", "", "Audit log", "What was changed from here: who, when, where, what, with which result", command="audit", argument="filter"),
    Action("audit.filter", "slash", "Filter", "Narrow the list: words, regex.*, !not, result:read-only, -f fuzzy", target="change", footer=True),
    Action("audit.sort", "s", "Sort", "Sort by the next column", target="change", footer=True),
    Action("audit.reverse", "S", "Reverse", "Turn the order round", target="change"),
    Action("audit.columns", "C", "Columns", "Choose the columns and their order", target="change"),
    Action("audit.copy", "y", "Copy", "Copy the entry as JSON to your clipboard, over SSH too", target="change", footer=True),
    # several targets
    Action("app.targets", "", "Targets", "Several accounts and regions side by side: what runs, what serves, what it costs", command="targets", argument="filter"),
    Action("targets.filter", "slash", "Filter", "Narrow the list: words, regex.*, !not, state:expired, -f fuzzy", target="target", footer=True),
    Action("targets.sort", "s", "Sort", "Sort by the next column", target="target", footer=True),
    Action("targets.reverse", "S", "Reverse", "Turn the order round", target="target"),
    Action("targets.columns", "C", "Columns", "Choose the columns and their order", target="target"),
    Action("targets.copy", "y", "Copy", "Copy what is known of the target as JSON to your clipboard, over SSH too", target="target", footer=True),
    # A/B tests
    Action("app.experiments", "", "A/B tests", "All A/B tests of this machine, live", command="ab"),
    Action("experiments.filter", "slash", "Filter", "Narrow the list: words, regex.*, !not, verdict:better, -f fuzzy", target="A/B test", footer=True),
    Action("experiments.sort", "s", "Sort", "Sort by the next column", target="A/B test", footer=True),
    Action("experiments.reverse", "S", "Reverse", "Turn the order round", target="A/B test"),
    Action("experiments.columns", "C", "Columns", "Choose the columns and their order", target="A/B test"),
    Action("experiments.stop", "x", "Stop", "End the test under the cursor without a winner", target="A/B test", danger="confirm", changes=True, footer=True),
    Action("experiments.copy", "y", "Copy name", "Copy the name to your clipboard, over SSH too", target="A/B test"),
    # an A/B test
    Action("experiment.next_part", "tab", "Next", "Overview, chart, test: the next one", footer=True, priority=True),
    Action("experiment.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("experiment.replay", "f", "Feed", "Send labelled rows as its traffic; ends the replay that runs", target="A/B test", changes=True, footer=True),
    Action("experiment.feed", "i", "Rewards", "Take rewards by InferenceId from a file", target="A/B test", changes=True, footer=True),
    Action("experiment.weigh", "w", "Weights", "Change the variants' weights; what was counted stays valid", target="A/B test", danger="confirm", changes=True, footer=True),
    Action("experiment.promote", "e", "Promote", "Give the winner all the traffic, by weights or blue/green", target="endpoint", danger="confirm", changes=True, footer=True),
    Action("experiment.stop", "x", "Stop", "End it without a winner", target="A/B test", danger="confirm", changes=True, footer=True),
    Action("experiment.delete", "d", "Delete", "Delete a test that has ended", target="A/B test", danger="confirm", changes=True, footer=True),
    Action("experiment.next_variant", "n,right", "Next variant", "The chart of the next challenger"),
    Action("experiment.copy", "y", "Copy name", "Copy the name to your clipboard, over SSH too", target="A/B test"),
    # the form of an A/B test
    Action("trial.start", "ctrl+s", "Start", "Start the A/B test", target="A/B test", danger="confirm", changes=True, footer=True, priority=True),
    Action("trial.next_field", "tab,down", "Next field", "To the next field"),
    Action("trial.previous_field", "shift+tab,up", "Previous field", "To the field before"),
    Action("trial.close", "escape", "Back", "Back, starting nothing", footer=True),
    # the form of what feeds an A/B test
    Action("feeding.start", "ctrl+s", "Start", "Start the replay", target="A/B test", changes=True, footer=True, priority=True),
    Action("feeding.next_field", "tab,down", "Next field", "To the next field"),
    Action("feeding.previous_field", "shift+tab,up", "Previous field", "To the field before"),
    Action("feeding.close", "escape", "Back", "Back, sending nothing", footer=True),
    # studies
    Action("studies.filter", "slash", "Filter", "Narrow the list", target="run", footer=True),
    Action("studies.stop", "x", "Stop", "Stop the run under the cursor and clean up", target="run", danger="confirm", changes=True, footer=True),
    Action("studies.mark", "space", "Mark", "Mark the run under the cursor, to compare it", target="run", footer=True),
    Action("studies.compare", "d", "Compare", "The two marked runs, or the one under the cursor with the marked one or the run before it", target="run", footer=True),
    Action("studies.code", "c", "Code", "The run under the cursor as a plain script", target="run", footer=True),
    # form
    Action("form.start", "ctrl+s", "Start", "Start the study with these settings", target="study", changes=True, footer=True, priority=True),
    Action("form.notebook", "f2", "As in notebook", "The settings of the original notebook, or the defaults again", footer=True),
    Action("form.next_field", "tab,down", "Next field", "To the next field"),
    Action("form.previous_field", "shift+tab,up", "Previous field", "To the field before"),
    Action("form.close", "escape", "Back", "Back to the studies", footer=True),
    Action("fields.page_up", "pageup", "Page up", "Look one page up"),
    Action("fields.page_down", "pagedown", "Page down", "Look one page down"),
    Action("choice.previous", "left", "Previous", "The value before"),
    Action("choice.next", "right,space,enter", "Next", "The next value"),
    # run
    Action("run.next_part", "tab", "Next", "Overview, log, charts, results, calls: the next one", footer=True, priority=True),
    Action("run.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("run.next_chart", "right", "Next chart", "Begin with the next chart, where not all find room"),
    Action("run.previous_chart", "left", "Previous chart", "Begin with the chart before"),
    Action("run.open", "enter", "Full screen", "The result in sight over the whole screen: figures fill it, tables can be sorted and saved, files and exchanges of a lesson scroll", target="run", footer=True),
    Action("run.vary", "v", "Try next", "The form of the lesson with the next change that you have not tried yet", target="lesson", footer=True),
    Action("run.lesson", "l", "Lesson", "Up to the page of the lesson", target="lesson", footer=True),
    Action("run.answer", "a", "Answer", "Answer the question the run waits with", target="run", changes=True),
    Action("run.stop", "x", "Stop", "Stop the run; it cleans up what it made", target="run", danger="confirm", changes=True, footer=True),
    Action("run.again", "n", "Run again", "The form of the study with the settings of this run, once it has ended", target="run", footer=True),
    Action("run.resume", "u", "Resume", "Go on with a run that was interrupted, stopped or failed; finished steps are reused", target="run", changes=True, footer=True),
    Action("run.code", "c", "Code", "The run as a plain script, in its interface", target="run", footer=True),
    Action("run.compare", "d", "Compare", "What differs between this run and another, and what it did to the scores", target="run", footer=True),
    Action("run.report", "o", "Report", "Write the report, a page that opens without a network, and open it where there is a browser", target="run", footer=True),
    Action("run.endpoint", "e", "Endpoint", "To the endpoint that the run has kept", target="endpoint", footer=True),
    Action("run.experiment", "b", "A/B", "An A/B test of its model: the form, or an endpoint with the model of another run beside it", target="A/B test", changes=True),
    Action("run.tune", "t", "Tune", "Search better hyperparameters than those of its training job", target="training job", changes=True),
    Action("run.copy", "y", "Copy id", "Copy the run's id to your clipboard, over SSH too", target="run"),
    # any resource
    Action("inspect.next_part", "tab", "Next", "Describe, JSON, YAML, code, related: the next one", footer=True, priority=True),
    Action("inspect.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("inspect.fold", "minus", "Fold", "Fold everything", footer=True),
    Action("inspect.unfold", "plus,equals_sign", "Unfold", "Unfold everything", footer=True),
    Action("inspect.search", "slash", "Search", "Search names and values", footer=True),
    Action("inspect.next_match", "n", "Next match", "The next match"),
    Action("inspect.previous_match", "N", "Previous match", "The match before"),
    Action("inspect.copy", "y", "Copy", "Copy the value under the cursor, the text, the code, or the name", footer=True),
    # in S3
    Action("bucket.filter", "slash", "Filter", "Narrow the folder: words, regex.*, !not, -f fuzzy", footer=True),
    Action("bucket.sort", "s", "Sort", "Sort by the next of name, size and time; a click on a heading sorts by that one"),
    Action("bucket.reverse", "S", "Reverse", "Turn the order round"),
    Action("bucket.up_folder", "u,backspace", "Up", "To the folder above", footer=True),
    Action("bucket.next_part", "tab", "Read", "Read the object; then into what was read, which has the whole width of a narrow screen, and back", footer=True, priority=True),
    Action("bucket.copy", "y", "Copy URI", "Copy the S3 URI to your clipboard, over SSH too", footer=True),
    # a result
    Action("result.next", "n,tab", "Next", "The next table, figure, file or exchange", footer=True, priority=True),
    Action("result.previous", "N,shift+tab", "Previous", "The one before", priority=True),
    Action("result.sort", "s", "Sort", "Sort by the next column; a click on its heading sorts by any", footer=True),
    Action("result.reverse", "S", "Reverse", "Turn the order round"),
    Action("result.filter", "slash", "Filter", "Only rows that match: words, !word, column:text", footer=True),
    Action("result.save", "w", "Save", "Save it: rows of a table and points of a figure as CSV, a file or an exchange as it is", footer=True),
    Action("result.copy", "y", "Copy", "Copy it to your clipboard, over SSH too: as CSV, a file or an exchange as it is", footer=True),
    # two runs
    Action("comparison.next_part", "tab", "Next", "What differs, results side by side: the other one", footer=True, priority=True),
    Action("comparison.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("comparison.swap", "s", "Swap", "The other run as the one that is compared with", footer=True),
    Action("comparison.first", "a", "Open A", "Open run A", target="run", footer=True),
    Action("comparison.second", "b", "Open B", "Open run B", target="run", footer=True),
    Action("comparison.copy", "y", "Copy", "Copy the comparison as text to your clipboard, over SSH too", footer=True),
    # lessons
    Action("lessons.start", "n", "Start", "The form of the lesson under the cursor", target="lesson", footer=True),
    Action("lessons.vary", "v", "Try", "The form with the next suggested change of the lesson under the cursor", target="lesson", footer=True),
    Action("lessons.last", "l", "Last run", "The newest run of the lesson under the cursor", target="run", footer=True),
    # a lesson
    Action("lesson.next_part", "tab", "Next", "What it teaches; start, try, runs: the other one", footer=True, priority=True),
    Action("lesson.previous_part", "shift+tab", "Previous part", "The part before", priority=True),
    Action("lesson.start", "n", "Start", "Its form: interface, parameters", target="lesson", footer=True),
    Action("lesson.vary", "v", "Try", "The form with the next change that you have not tried yet", target="lesson", footer=True),
    Action("lesson.last", "l", "Last run", "Its newest run", target="run", footer=True),
    # dialogs, prompts, texts
    Action("dialog.cancel", "escape", "Cancel", "Change nothing", footer=True),
    Action("dialog.left", "left,shift+tab", "Left", "The choice to the left"),
    Action("dialog.right", "right,tab", "Right", "The choice to the right"),
    Action("dialog.up", "up", "Up", "Scroll the names that it is about, where they are many"),
    Action("dialog.down", "down", "Down", "Scroll them on"),
    Action("dialog.page_up", "pageup", "Page up", "Scroll them one page back"),
    Action("dialog.page_down", "pagedown", "Page down", "Scroll them one page on"),
    Action("dialog.choose", "enter", "Choose", "Take the marked choice", footer=True),
    Action("dialog.calls", "f4", "Calls", "The AWS calls that would be made, with their parameters; nothing is sent"),
    Action("prompt.cancel", "escape", "Leave", "Leave the line; a filter stays", footer=True),
    Action("prompt.up", "up", "Up", "The suggestion above"),
    Action("prompt.down", "down", "Down", "The suggestion below"),
    Action("command.complete", "tab", "Complete", "Write the marked command into the line; again: the next one"),
    Action("command.earlier", "ctrl+p", "Earlier", "The command typed before"),
    Action("command.later", "ctrl+n", "Later", "The command typed after it"),
    Action("jump.leave", "escape", "Leave", "Go nowhere"),
    Action("columns.show", "space", "Show", "Show the column, or hide it"),
    Action("columns.earlier", "K,shift+up", "Earlier", "Move the column to the left"),
    Action("columns.later", "J,shift+down", "Later", "Move the column to the right"),
    Action("columns.reset", "d", "Default", "The columns that come with the list"),
    Action("columns.keep", "enter", "Keep", "Show the list so from now on, here and next time", footer=True),
    Action("columns.cancel", "escape", "Leave", "Change nothing", footer=True),
    Action("code.copy", "y", "Copy", "Copy all of it to your clipboard, over SSH too", footer=True),
    Action("code.close", "escape", "Close", "Back", footer=True),
    Action("script.other", "i", "Interface", "The same in the other interface: boto3 or the SageMaker SDK", footer=True),
)  # fmt: skip

_BY_ID = {action.id: action for action in ACTIONS}
_BY_PLACE = {place: tuple(action for action in ACTIONS if action.place == place) for place in PLACES}


def get(identifier: str) -> Action:
    """The action of an id.

    Raises:
        KeyError: There is none.
    """
    return _BY_ID[identifier]


def of(place: str) -> tuple[Action, ...]:
    """The actions of a place, in the order of the registry."""
    return _BY_PLACE.get(place, ())


def bindings(place: str) -> list[Binding]:
    """The bindings of a place: what a screen or widget sets as its BINDINGS."""
    return [action.binding() for action in of(place) if action.keys]


def commands() -> Iterable[Action]:
    """The actions that the palette knows by a word."""
    return (action for action in ACTIONS if action.command)
