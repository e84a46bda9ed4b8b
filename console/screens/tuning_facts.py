"""What is known of a tuning job as lines of text: pure functions from observed values to styled lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.formatting import Status, ago, clock, count, crop, duration, number, span, status, thin_bar
from console.screens import facts
from workflows import costs

if TYPE_CHECKING:
    from console.screens.findings import Findings
    from console.widgets.drawing import Lines, Run
    from workflows.observe.tuning_rows import Definition, Range, TrialRow, TuningDetail, TuningRow, TuningView

LABEL = 11


def counted(row: TuningRow) -> str:
    """The trials in a cell: ``12/20 ●2 ✗1``."""
    counts = row.counts
    text = f"{counts.ended}/{row.most_jobs}" if row.most_jobs else f"{counts.ended}"
    if counts.running:
        text += f" ●{counts.running}"
    if counts.failed:
        text += f" ✗{counts.failed}"
    return text


def dollars(amount: float | None) -> str:
    """US dollars as far as they are known: ``$0.012``, ``$3.40``."""
    if amount is None:
        return "–"
    if not amount:
        return "$0"
    if 0 < amount < 0.00005:
        return "<$0.0001"
    if amount < 0.001:
        return f"${amount:.4f}"
    return f"${amount:.3f}" if amount < 1 else f"${amount:,.2f}"


def cost_of(view: TuningView) -> str:
    """What all trials have cost so far, or would have cost on AWS."""
    known = [trial.cost for trial in view.trials if trial.cost is not None]
    return dollars(sum(known)) if known else "–"


def possible(verb: str, row: TuningRow) -> bool:
    """Whether an action makes sense for a tuning job in this status."""
    if verb == "stop":
        return row.status == "InProgress"
    if verb == "delete":
        return not row.active
    if verb == "warm_start":
        return row.status in ("Completed", "Stopped", "Failed")
    return True


def trial_status(trial: TrialRow) -> Status:
    """The status of a trial; one that the tuning job ended early has a word of its own."""
    return status("Early stop" if trial.early_stopped else trial.status)


def short_name(trial: str, tuning: str) -> str:
    """A trial's name without that of its tuning job: ``017-3fa2c1d9``."""
    return trial.removeprefix(f"{tuning}-") if trial.startswith(f"{tuning}-") else trial


def tuned_text(trial: TrialRow) -> str:
    """Searched hyperparameters on one line: ``eta 0.1 · max_depth 5``."""
    return " · ".join(f"{name} {shown(value)}" for name, value in trial.tuned.items())


def shown(value: str) -> str:
    """A hyperparameter as a person reads it: no quotes, no seventeen digits."""
    bare = value.strip().strip('"')
    try:
        found = float(bare)
    except ValueError:
        return bare
    return number(found) if "." in bare or "e" in bare.lower() else bare


def hyperparameters(trial: TrialRow, detail: TuningDetail) -> dict[str, str]:
    """All hyperparameters of a trial as they can be given to a training job."""
    definition = detail.definition(trial.definition)
    return dict(sorted({**(definition.static if definition is not None else {}), **trial.tuned}.items()))


def range_text(item: Range) -> str:
    """What is searched: ``0.01 to 0.3 · logarithmic``."""
    if item.kind == "categorical":
        return f"{len(item.values)} values: {', '.join(shown(value) for value in item.values)}"
    if item.kind == "auto":
        return f"found by Autotune around {item.hint or 'what it knows'}"
    low, high = item.low_text or number(item.low), item.high_text or number(item.high)
    scaling = {"Logarithmic": "logarithmic", "ReverseLogarithmic": "reverse logarithmic"}.get(
        item.scaling, item.scaling.lower()
    )
    return f"{low} to {high} · {item.kind}, {scaling}"


def overview(
    view: TuningView | None,
    row: TuningRow | None,
    now: float,
    width: int,
    *,
    target: str,
    findings: Findings | None = None,
) -> Lines:
    """State, counters, best, time and cost left; then the best hyperparameters, what is searched, and how."""
    row = view.detail.row if view is not None else row
    if row is None:
        return [[("Loading the tuning job …", "dim")]]
    return [
        *header(view, row, now, width, target=target, findings=findings),
        *(settings(view.detail, view.detail.best, width) if view is not None else []),
    ]


def header(
    view: TuningView | None,
    row: TuningRow,
    now: float,
    width: int,
    *,
    target: str,
    findings: Findings | None,
) -> Lines:
    """What a person wants to know first."""
    state = status(row.status)
    lines: Lines = [
        [(row.name, "strong")],
        [
            (str(state), state.role),
            (f" · {duration(row.seconds(now))}", ""),
            (f" · {row.strategy} · created {clock(row.created, day=True)}", "dim"),
        ],
    ]
    if view is not None and view.detail.failure_reason:
        lines += [[], facts.head("Why it failed")]
        lines += facts.sentences(view.detail.failure_reason.strip().splitlines()[-12:], width, "bad")
    lines += [[], *_counters(view, row, width)]
    detail = view.detail if view is not None else None
    objective = detail.objective if detail is not None else None
    if objective is not None:
        lines += _fact("Objective", f"{objective.name}, {objective.direction.lower()}", width)
    lines += _best(detail, row, now, width)
    if findings is not None:
        lines += _left(findings, now, width, target)
        lines += _fact("Default", findings.comparison.sentence, width, _verdict_role(findings))
    return lines


def _counters(view: TuningView | None, row: TuningRow, width: int) -> Lines:
    counts = row.counts
    done, rest = thin_bar(row.part_done, max(8, min(30, width - LABEL - 55)))
    text = f" {counts.ended} of {row.most_jobs}" if row.most_jobs else f" {counts.ended}, no limit"
    line: list[Run] = [
        (crop("Trials", LABEL), "dim"),
        (done, "live" if row.active else "ok"),
        (rest, "faint"),
        (text, "strong"),
    ]
    early = sum(1 for trial in view.trials if trial.early_stopped) if view is not None else 0
    more: list[Run] = [
        (f" · {amount} {word}", role)
        for amount, word, role in (
            (counts.running, "running", "live"),
            (counts.retryable, "to be tried again", "wait"),
            (early or counts.stopped, "stopped early" if early else "stopped", "wait"),
            (counts.failed, "failed", "bad"),
        )
        if amount
    ]
    if sum(len(run[0]) for run in (*line, *more)) <= width:
        return [[*line, *more]]
    more[0] = (more[0][0].removeprefix(" · "), more[0][1])
    return [line, [(" " * LABEL, ""), *more]]


def _best(detail: TuningDetail | None, row: TuningRow, now: float, width: int) -> Lines:
    best = detail.best if detail is not None else None
    if best is None or best.value is None:
        value = number(row.best_value) if row.best_value is not None else "no trial has a value yet"
        return _fact("Best", value, width, "strong" if row.best_value is not None else "dim")
    about = f" · trial {short_name(best.name, row.name)}"
    if best.ended is not None:
        about += f" · {ago(best.ended, now)}"
    lines: Lines = [[(crop("Best", LABEL), "dim"), (number(best.value), "strong"), (about, "dim")]]
    overall = detail.overall_best if detail is not None else None
    if overall is not None and overall.name != best.name and overall.value is not None:
        lines += _fact(
            "Overall", f"{number(overall.value)} · {overall.name}, of an earlier tuning job", width, "dim"
        )
    return lines


def _left(findings: Findings, now: float, width: int, target: str) -> Lines:
    found, row = findings.forecast, findings.view.detail.row
    lines: Lines = []
    if row.active:
        if found.seconds_left is None:
            text = found.basis or "not known yet"
        else:
            text = f"about {span(found.seconds_left)}"
            if found.low is not None and found.high is not None and span(found.low) != span(found.high):
                text += f" ({span(found.low)} to {span(found.high)})"
            text += f" · {found.basis}" if found.basis else ""
        lines += _fact("Time left", text, width)
    cost = f"{dollars(found.cost)} so far"
    if row.active and found.cost_left:
        cost += f", {dollars(found.cost_left)} to come"
    if found.unknown:
        cost += f", without {', '.join(found.unknown)} (no price is known here)"
    place = "on AWS, free here; " if target == "embedded" else ""
    return lines + _fact(
        "Cost", f"{cost} ({place}estimate, {costs.REGION} prices of {costs.DATE})", width, "dim"
    )


def _verdict_role(findings: Findings) -> str:
    return {"better": "ok", "inside": "wait", "maybe": "wait", "worse": "bad"}.get(
        findings.comparison.verdict, "dim"
    )


def settings(detail: TuningDetail, best: TrialRow | None, width: int) -> Lines:
    """The best hyperparameters beside what is searched, and how it is searched."""
    lines: Lines = []
    tuned = best.tuned if best is not None else {}
    several = len(detail.definitions) > 1
    for definition in detail.definitions:
        title = f"Searched by {definition.name or 'definition'}" if several else "Searched"
        lines += [[], facts.head(title, "the best value, and the range")]
        lines += _ranges(
            definition, tuned if not several or (best and best.definition == definition.name) else {}, width
        )
    lines += [[], facts.head("How it searches")]
    lines += _fact("Strategy", _strategy(detail), width)
    early = (
        "Auto: ends trials that fall behind the median of the others"
        if detail.early_stopping == "Auto"
        else "off"
    )
    lines += _fact("Early stop", early, width)
    lines += _fact("Limits", _limits(detail), width)
    if detail.warm_start:
        lines += _fact("Warm start", f"{detail.warm_start} from {', '.join(detail.parents)}", width)
    if detail.converged_at is not None:
        lines += _fact(
            "Converged", f"{clock(detail.converged_at, day=True)}: nothing better is to be expected", width
        )
    for definition in detail.definitions:
        if definition.static:
            lines += [[], facts.head("Fixed hyperparameters", definition.name)]
            lines += facts.pairs(definition.static, width)
        lines += [[], facts.head("Trials", definition.name), *_template(definition, width)]
    return [*lines, *_fact("ARN", detail.arn, width)]


def _ranges(definition: Definition, tuned: object, width: int) -> Lines:
    values: dict[str, str] = dict(tuned) if isinstance(tuned, dict) else {}
    name_width = min(max([len(item.name) for item in definition.ranges] + [9]) + 2, max(12, width // 3))
    best = [shown(values[item.name]) if item.name in values else "–" for item in definition.ranges]
    value_width = min(10, max(map(len, best), default=0))
    lines: Lines = []
    for item, value in zip(definition.ranges, best, strict=True):
        lines.append(
            [
                (crop(item.name, name_width - 1) + " ", "dim"),
                (crop(value, value_width) + "  ", "strong"),
                (range_text(item), "dim"),
            ]
        )
    return lines or [[("nothing: Autotune chooses", "dim")]]


def _strategy(detail: TuningDetail) -> str:
    text = detail.row.strategy
    if detail.resource is not None:
        text += f", {detail.resource[0]} to {detail.resource[1]} epochs"
    if detail.random_seed is not None:
        text += f", seed {detail.random_seed}"
    if detail.autotune:
        text += ", Autotune"
    return text


def _limits(detail: TuningDetail) -> str:
    row = detail.row
    parts = [
        count(row.most_jobs, "trial") if row.most_jobs else "no limit on trials",
        f"{row.parallel} at a time",
    ]
    if detail.max_runtime:
        parts.append(f"{duration(detail.max_runtime)} in all")
    if detail.target_value is not None:
        parts.append(f"until {number(detail.target_value)} is reached")
    if detail.most_not_improving:
        since = f" ({detail.not_improving} so far)" if detail.not_improving is not None else ""
        parts.append(f"until {detail.most_not_improving} trials are no better{since}")
    if detail.complete_on_convergence:
        parts.append("until it converges")
    return ", ".join(parts)


def _template(definition: Definition, width: int) -> Lines:
    machines = ", ".join(f"{amount} × {kind}" for kind, amount in definition.instances) or "–"
    lines = _fact("Instance", machines + (", spot" if definition.spot else ""), width)
    if definition.max_runtime:
        lines += _fact("Time limit", f"{duration(definition.max_runtime)} each", width)
    if definition.retries:
        lines += _fact("Retries", str(definition.retries), width)
    lines += _fact("Image", definition.image, width)
    for name, location in definition.channels:
        lines += _fact(name, location, width)
    return lines + _fact("Output", definition.output_path, width)


def trial_facts(trial: TrialRow, tuning: str, now: float, width: int, *, rank: int | None = None) -> Lines:
    """One trial below the list: rank, status, time, all its hyperparameters, and why it failed."""
    state = trial_status(trial)
    place = f" · rank {rank}" if rank is not None else ""
    line: list[Run] = [
        (short_name(trial.name, tuning), "strong"),
        (f"  {state}", state.role),
        (f" · {duration(trial.seconds(now))}{place}", "dim"),
    ]
    if trial.cost is not None:
        line.append((f" · {dollars(trial.cost)}", "dim"))
    lines: Lines = [line]
    if trial.failure_reason:
        lines += facts.sentences(trial.failure_reason.strip().splitlines()[-4:], width, "bad")
    elif trial.value is None and trial.objective_status == "Failed":
        lines += facts.sentences(
            ["It ended without a value: its log has no number that the objective's metric definition finds."],
            width,
            "wait",
        )
    return lines + facts.sentences([tuned_text(trial)], width)


def _fact(label: str, value: str, width: int, role: str = "") -> Lines:
    return facts.fact(label, value, width, role, label_width=LABEL)
