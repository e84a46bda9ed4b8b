"""Carries out a study's steps: events, ledger, reuse after an interruption, and a clean-up that proves itself."""

from __future__ import annotations

import time
import traceback

from workflows import events
from workflows.failures import Cancelled, WorkflowError, explained
from workflows.studies import cleanup
from workflows.studies.context import Context
from workflows.studies.parameters import ParameterError
from workflows.studies.study import Refused, Result, Step, Study

CLEANUP = "cleanup"


def carry_out(study: Study, context: Context, only_clean_up: bool = False) -> events.RunFinished:
    """All steps, then the clean-up, whatever happened. The returned event has been sent already.

    Args:
        study: The study of the run.
        context: The run at work.
        only_clean_up: Do no step: delete what an interrupted run left.
    """
    status, message = "completed", ""
    if only_clean_up:
        status = context.run.outcome or "stopped"
        message = "What the run had left was deleted."
    else:
        status, message = _steps(study, context)
    left: list[str] = []
    try:
        left = _clean_up(
            study, context, status, keep=context.run.keep and status == "completed" and not only_clean_up
        )
    except Exception as error:
        traceback.print_exc()
        left = [f"{item['what']} {item['name']}" for item in context.ledger.resources()]
        problem = f"Cleaning up failed: {_sentence(error, context.platform.target)} `mlconsole runs stop {context.run.id}` tries again."
        message = f"{message} {problem}".strip()
        status = "failed" if status == "completed" else status
    metrics: dict[str, float] = {}
    if only_clean_up:
        metrics = context.run.metrics
    elif status == "completed":
        try:
            metrics = study.metrics(context)
            message = study.conclusion(context)
        except Exception as error:
            traceback.print_exc()
            status, message = "failed", _sentence(error, context.platform.target)
    elif status == "refused":
        metrics = study.metrics(context)
    if not only_clean_up:
        context.ledger.measured(metrics)
    finished = events.RunFinished(
        time=time.time(),
        run=context.run.id,
        status=status,
        metrics=metrics,
        message=message,
        left_behind=left,
    )
    context.step = ""
    context.send(finished)
    context.changed(
        status=status,
        message=message,
        metrics=metrics,
        left_behind=left,
        ended=finished.time,
        step="",
        question=None,
    )
    return finished


def _steps(study: Study, context: Context) -> tuple[str, str]:
    titles = dict(study.info.steps)
    for step in study.steps:
        began = time.monotonic()
        context.step = step.id
        context.changed(step=step.id)
        context.send(events.StepStarted(time=time.time(), step=step.id, title=titles[step.id]))
        _explain(study, context, titles[step.id])
        try:
            context.check()
            _step(step, context, began)
        except Refused as refusal:
            _finished(context, "failed", began, str(refusal))
            return "refused", str(refusal)
        except Cancelled:
            _finished(context, "stopped", began, "Stopped on request.")
            return "stopped", f"Stopped on request during {titles[step.id]!r}."
        except Exception as error:
            traceback.print_exc()
            sentence = _sentence(error, context.platform.target)
            context.log(sentence, level="error")
            _finished(context, "failed", began, sentence)
            return "failed", sentence
    return "completed", ""


def _explain(study: Study, context: Context, title: str) -> None:
    """What a lesson says about the step that begins."""
    lesson = study.info.lesson
    if lesson is not None and (text := lesson.explains.get(context.step)):
        context.note(title, text)


def _step(step: Step, context: Context, began: float) -> None:
    ledger = context.ledger
    inputs = step.inputs(context)
    reusable, reason = ledger.reusable(step.id, inputs)
    if reusable and not step.holds(context, ledger.outputs(step.id)):
        reusable, reason = False, "what it made is not there any more"
    if reusable:
        record = ledger.finished(step.id) or {}
        _finished(context, "reused", began, f"{record.get('summary', '')} (from before the interruption)")
        return
    if reason:
        context.log(f"The earlier result is refused: {reason}. The step is done again.", level="warning")
        ledger.forget(step.id)
    ledger.begin(step.id, inputs)
    result: Result = step.run(context)
    ledger.finish(step.id, result.outputs, result.files, result.summary, time.monotonic() - began)
    _finished(context, "done", began, result.summary)


def _clean_up(study: Study, context: Context, status: str, keep: bool) -> list[str]:
    began = time.monotonic()
    context.step = CLEANUP
    context.changed(step=CLEANUP)
    context.send(events.StepStarted(time=time.time(), step=CLEANUP, title="Clean up"))
    _explain(study, context, "Clean up")
    if keep:
        _finished(context, "skipped", began, cleanup.kept(context))
        return []
    if status != "completed":
        context.changed(status="stopping")
    try:
        left, summary = cleanup.delete_everything(context)
    except Exception as error:
        _finished(context, "failed", began, _sentence(error, context.platform.target))
        raise
    _finished(context, "failed" if left else "done", began, summary)
    return left


def _finished(context: Context, status: str, began: float, summary: str) -> None:
    seconds = round(time.monotonic() - began, 3)
    context.send(
        events.StepFinished(
            time=time.time(), step=context.step, status=status, seconds=seconds, summary=summary
        )
    )


def _sentence(error: BaseException, target: str) -> str:
    return str(error) if isinstance(error, WorkflowError | ParameterError) else explained(error, target)
