"""Training: hyperparameters and channels in, ``xgboost-model`` out, as the container's algorithm mode does it."""

from __future__ import annotations

import filecmp
import os
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from algorithms.builtin.failures import AlgorithmError, ClientError
from algorithms.builtin.job import Channel, Job
from algorithms.builtin.xgb import checkpoints, data, labels, library, metrics, models, notes, table, versions
from algorithms.builtin.xgb.callbacks import Rounds, callbacks
from algorithms.builtin.xgb.data import Data
from algorithms.builtin.xgb.versions import Version

_CUSTOMERS = (
    "for Parameter", "Check failed: base_score", "base_score must be in", "is_valid", "Target is multiclass", "Classification metrics",
    "feature_names mismatch", "Feature shape mismatch", "Invalid shape", "only contains pos or neg", "Unknown tree updater",
    "label must be", "Label set is empty", "labels must", "Invalid Input", "No more tree left for updating", "y_true",
    "should be greater equal", "Unknown objective", "can only be used with binary labels", "monotone", "interaction", "Constrained features",
)  # fmt: skip
"""Marks of errors of the library that come from the customer's data or hyperparameters."""


class Plan(NamedTuple):
    """A training's settings.

    Attributes:
        values: All hyperparameters, parsed.
        parameters: Those for the library.
        base: The job's directory.
    """

    version: Version
    values: dict[str, Any]
    parameters: dict[str, Any]
    metrics: metrics.Plan
    base: Path
    model_dir: Path
    output_dir: Path

    @property
    def objective(self) -> str:
        """The objective, the default where none is named."""
        return str(self.values.get("objective", labels.DEFAULT_OBJECTIVE))


def train(job: Job) -> None:
    """Train a job's model.

    Raises:
        ClientError: Hyperparameters or data cannot be used.
        AlgorithmError: The library failed for another reason.
    """
    notes.info("Running XGBoost Sagemaker in algorithm mode")
    version = versions.of(job.tag)
    values = table.read(job.hyperparameters, version)
    training = job.channel("train")
    kind = data.media_type(training.content_type)
    xgboost = library.load()
    notes.info(
        f"The installed xgboost {xgboost.__version__} stands for the container's {version}"
        if not xgboost.__version__.startswith(f"{version.major}.{version.minor}.")
        else f"xgboost {xgboost.__version__}"
    )
    plan = _plan(job, version, values, xgboost)
    weighted = bool(values.get("csv_weights"))
    train_data = _read(training, kind, plan, weighted=weighted)
    validation: Data | None = None
    if "validation" in job.channels:
        channel = job.channels["validation"]
        _warn_of_copies(training, channel)
        validation = _read(channel, _kind_of(channel, kind), plan, weighted=weighted)
        _check_width(train_data, validation)
    notes.info("Single node training.")
    notes.info(f"Train matrix has {len(train_data.labels)} rows and {train_data.features.shape[1]} columns")
    if validation is not None:
        notes.info(f"Validation matrix has {len(validation.labels)} rows")
    job.model_dir.mkdir(parents=True, exist_ok=True)
    if "_kfold" in values:
        from algorithms.builtin.xgb.folds import cross_validate

        cross_validate(plan, train_data, validation, xgboost)
        return
    wide = train_data.features.shape[1]
    sets = [(train_data.matrix(xgboost, plan.objective), "train")]
    if validation is not None:
        sets.append((validation.matrix(xgboost, plan.objective, wide), "validation"))
    # The library has copies of its own.
    del train_data, validation
    folder = checkpoints.directory(plan.base)
    model = boost(plan, sets, xgboost, folder=folder, target=job.model_dir / models.NAME)
    models.save(model, job.model_dir / models.NAME, version)


def boost(plan: Plan, sets: list[tuple[Any, str]], xgboost: Any, *, folder: Path | None, target: Path) -> Any:
    """Train on the first of the sets (DMatrix and name), evaluate on all; the model.

    Args:
        folder: Where checkpoints are, None for no checkpoints.
        target: Where the model of an interrupted training goes.

    Raises:
        ClientError, AlgorithmError: See `train`.
    """
    found, start = checkpoints.latest(folder)
    if found is not None:
        notes.info(f"Checkpoint loaded from {found}")
        notes.info(f"Resuming from iteration {start}")
    number = plan.values["num_round"] - start
    rounds = Rounds(start, folder, _interruption(plan, target))
    stopping = _stopping(plan, sets, xgboost)
    try:
        with warnings.catch_warnings(), rounds.watching():
            warnings.simplefilter("default")
            warnings.showwarning = _note  # type: ignore[assignment]
            model = xgboost.train(
                plan.parameters,
                sets[0][0],
                num_boost_round=max(0, number),
                evals=sets,
                custom_metric=metrics.function(plan.metrics.custom, plan.objective),
                callbacks=callbacks(xgboost, rounds, stopping),
                xgb_model=str(found) if found is not None else None,
                verbose_eval=False,
            )
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        said = library.first_line(error)
        if any(mark in said for mark in _CUSTOMERS):
            raise ClientError(_remedied(said, xgboost)) from error
        raise AlgorithmError(f"XGB train call failed with exception:\n {said}") from error
    if stopping is not None and len(rounds.lines) < number:
        _tell_stop(plan, rounds, start, model)
    return model


def _plan(job: Job, version: Version, values: dict[str, Any], xgboost: Any) -> Plan:
    parameters = table.library_parameters(values)
    wanted = metrics.plan(
        values.get("eval_metric"),
        values.get("_tuning_objective_metric"),
        str(values.get("objective", "")),
        values.get("tweedie_variance_power", 1.5),
    )
    if values.get("_tuning_objective_metric"):
        notes.info(f"Setting up HPO optimized metric to be : {wanted.stopping}")
    if wanted.library:
        parameters["eval_metric"] = wanted.library
    if parameters.get("tree_method") == "gpu_hist":
        parameters["tree_method"] = "hist"
        if xgboost.build_info().get("USE_CUDA") and os.path.exists("/dev/nvidia0"):  # noqa: PTH110
            parameters["device"] = "cuda"
            notes.warning("tree_method gpu_hist is hist on device cuda in this version of xgboost.")
        else:
            notes.warning("tree_method gpu_hist is not available on this machine: hist on the CPU is used.")
    if values.get("use_dask_gpu_training") == "true":
        raise ClientError(
            "Some configurations unsuitable for Dask GPU training were found: Dask training is only available for GPU instances. "
            "Leave use_dask_gpu_training out."
        )
    return Plan(version, values, parameters, wanted, job.model_dir.parent, job.model_dir, job.output_dir)


def _kind_of(channel: Channel, kind: str) -> str:
    """A validation channel's format: the train channel's, when nothing is said."""
    return data.media_type(channel.content_type) if channel.content_type else kind


def _read(channel: Channel, kind: str, plan: Plan, *, weighted: bool) -> Data:
    found = data.read(channel, kind, weighted=weighted and kind == data.CSV)
    labels.check(found, plan.values)
    return found


def _check_width(train_data: Data, validation: Data) -> None:
    have, other = train_data.features.shape[1], validation.features.shape[1]
    # Sparse rows name the columns that they use; the last ones may be missing in a channel.
    if other > have or (train_data.kind != data.LIBSVM and other != have):
        raise ClientError(
            f"feature_names mismatch: the train channel has {have} features, the validation channel has {other}. Both must have "
            "the same columns."
        )


def _warn_of_copies(training: Channel, validation: Channel) -> None:
    """The container's warning of files that are in both channels."""
    known = {path.name: path for path in training.files()}
    same = [
        path.name
        for path in validation.files()
        if path.name in known and filecmp.cmp(path, known[path.name], shallow=False)
    ]
    if same:
        notes.warning(
            f"Suspected identical files found. ({training.folder}/{same[0]} and {validation.folder}/{same[0]}). "
            "Note: Duplicate data in the training set and validation set is usually not intentional and can impair the validity "
            "of the model evaluation by the validation score."
        )


def _stopping(plan: Plan, sets: list[tuple[Any, str]], xgboost: Any) -> Any | None:
    """The library's early stopping: on the last metric that was asked for, on validation data, keeping the best model.

    The containers before 1.3 stop on training data when there is no other, and keep every tree beside the best round's number.
    """
    count = plan.values.get("early_stopping_rounds")
    if count is None:
        return None
    pickles = plan.version.pickles
    if len(sets) < 2 and not pickles:
        notes.warning("early_stopping_rounds has no effect without a validation channel.")
        return None
    watched = plan.metrics.stopping
    name = sets[-1][1]
    if pickles and watched:
        notes.plain(f"Will train until {name}-{watched} hasn't improved in {count} rounds.")
    return xgboost.callback.EarlyStopping(
        rounds=count,
        metric_name=watched,
        data_name=name,
        maximize=metrics.is_maximized(watched) if watched else None,
        save_best=not pickles,
    )


def _tell_stop(plan: Plan, rounds: Rounds, start: int, model: Any) -> None:
    """The lines behind which the metrics of the job are those of its best round, as in the containers before 1.3."""
    if not plan.version.pickles:
        return
    best = model.best_iteration - start
    notes.plain("Stopping. Best iteration:")
    notes.plain(f"{rounds.lines[best]}\n" if 0 <= best < len(rounds.lines) else "")


def _interruption(plan: Plan, target: Path) -> Any:
    """What saves the model when the job is stopped: always before 1.3, where save_model_on_termination says so since."""
    if not plan.version.pickles and plan.values.get("save_model_on_termination") != "true":
        return None

    def leave(model: Any) -> None:
        models.save(model, target, plan.version)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    return leave


def _note(message: Any, *_: Any) -> None:
    """A warning of the library as a line of the log."""
    notes.warning(library.first_line(message))


def _remedied(said: str, xgboost: Any) -> str:
    if "Unknown tree updater" in said:
        return f"{said}: xgboost {xgboost.__version__} does not have it. Leave updater out, or choose tree_method instead."
    return said
