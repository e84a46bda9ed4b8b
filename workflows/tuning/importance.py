"""Which hyperparameters matter, and how sure that is.

Method: functional analysis of variance on a random forest (Hutter, Hoos and Leyton-Brown, An Efficient Approach for Assessing
Hyperparameter Importance, ICML 2014). A forest is fitted to the trials on the axes of the ranges (logarithmic where scaled so);
the importance of a hyperparameter is the part of the forest's variance over the whole search space that its main effect
explains: Var_v(E[f | x_j = v]) / Var(f). What the main effects leave is interaction. Because the space is integrated evenly,
it does not matter that a Bayesian search has looked more often where it is good.

How sure: everything is repeated on bootstrap samples of the trials; the interval holds the middle 90%. A made-up
hyperparameter that was never given to any training (`PROBE`) takes part: what is not above its upper end is not told
apart from noise. Values that are far behind the others (more than three quartile distances, as of a diverged training) are
drawn in to that fence, or a single one would be all of the variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflows.observe.tuning_rows import Range, TrialRow, TuningDetail
from workflows.tuning.analysis import position, scored

FEWEST = 12
"""Scored trials below which nothing is said."""
FEWEST_PER_RANGE = 4
"""Scored trials per searched hyperparameter below which nothing is said."""
SAMPLES = 30
"""Bootstrap samples."""
TREES = 32
GRID = 12
"""Points per axis at which a main effect is taken."""
POINTS = 128
"""Points of the search space over which it is averaged."""
PROBE = "(chance)"


@dataclass(frozen=True, slots=True)
class ParameterImportance:
    """The part of the variance that a hyperparameter's main effect explains, 0 to 1, with a 90% bootstrap interval.

    ``clear``: its lower end is above what a hyperparameter without any effect gets.
    """

    name: str
    share: float
    low: float
    high: float
    clear: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """The importances, greatest first; empty with the reason in ``problem`` where nothing can be said.

    ``interactions`` is what no main effect explains, ``noise`` what a hyperparameter without any effect gets at most,
    ``fit`` the forest's out-of-bag R²: near zero or below, the trials do not tell what matters.
    """

    parameters: tuple[ParameterImportance, ...] = ()
    interactions: float = 0.0
    noise: float = 0.0
    fit: float = 0.0
    trials: int = 0
    problem: str = ""

    @property
    def sentence(self) -> str:
        """What can be read from it, in plain words."""
        if self.problem:
            return self.problem
        clear = [item.name for item in self.parameters if item.clear]
        if not clear:
            return f"From {self.trials} trials no hyperparameter can be told apart from chance."
        weak = " The forest explains little of the trials: take it as a hint." if self.fit < 0.2 else ""
        verb = "matters" if len(clear) == 1 else "matter"
        return f"From {self.trials} trials: {', '.join(clear)} {verb} clearly.{weak}"


def importance(
    detail: TuningDetail, trials: Sequence[TrialRow], *, definition: str = "", seed: int = 0
) -> Importance:
    """The importance of each searched hyperparameter.

    Takes a second or more and loads scikit-learn: call it in a thread of its own, not on an event loop.

    Args:
        definition: The training job definition to look at, where a tuning job has several.
        seed: Of everything random in it: the same trials give the same answer.
    """
    found = detail.definition(definition) or (detail.definitions[0] if detail.definitions else None)
    if found is None:
        return Importance(problem="The tuning job has no definition to look at.")
    mine = [trial for trial in scored(trials) if not found.name or trial.definition in ("", found.name)]
    ranges = [item for item in found.ranges if item.kind != "auto" and _wide(item)]
    if not ranges:
        return Importance(trials=len(mine), problem="No hyperparameter with a range of its own was searched.")
    rows = [
        ([position(item, trial.tuned.get(item.name, "")) for item in ranges], float(trial.value or 0.0))
        for trial in mine
    ]
    whole = [(places, value) for places, value in rows if None not in places]
    fewest = max(FEWEST, FEWEST_PER_RANGE * len(ranges))
    if len(whole) < fewest:
        return Importance(
            trials=len(whole),
            problem=f"{_counted(len(whole), 'trial')} with a value {'is' if len(whole) == 1 else 'are'} too few to tell what matters: "
            f"{_counted(len(ranges), 'hyperparameter')} need{'s' if len(ranges) == 1 else ''} at least {fewest}.",
        )
    return _measured(ranges, whole, detail, seed)


def _counted(number_of: int, noun: str) -> str:
    return f"{number_of} {noun}{'' if number_of == 1 else 's'}"


def _wide(item: Range) -> bool:
    return len(item.values) > 1 if not item.numeric else item.high > item.low


def _measured(
    ranges: list[Range], rows: list[tuple[list[Any], float]], detail: TuningDetail, seed: int
) -> Importance:
    import numpy as np

    minimize = detail.objective is None or detail.objective.direction == "Minimize"
    values = _fenced(np.array([value for _, value in rows]), minimize)
    if float(np.ptp(values)) == 0.0:
        return Importance(trials=len(rows), problem="All trials have the same objective value.")
    random = np.random.default_rng(seed)
    places = np.array([row for row, _ in rows], dtype=float)
    encoded, columns, grids = _encoded(ranges, places, random)
    space = [_space(grid, random) for grid in grids]
    shares, rest, fits = [], [], []
    for number in range(SAMPLES + 1):
        chosen = np.arange(len(rows)) if number == 0 else random.integers(0, len(rows), len(rows))
        sample = encoded[chosen].copy()
        # The probe is drawn anew each time: one draw may happen to go along with the objective.
        sample[:, columns[-1][0]] = random.random(len(rows))
        if float(np.ptp(values[chosen])) == 0.0:
            continue
        forest = _forest(number == 0, seed + number)
        forest.fit(sample, values[chosen])
        if number == 0:
            fits.append(float(forest.oob_score_))
        effects = _main_effects(forest, columns, grids, space, encoded.shape[1])
        shares.append(effects)
        rest.append(max(0.0, 1.0 - float(sum(effects))))
    table = np.array(shares)
    low, high = np.quantile(table, [0.05, 0.95], axis=0)
    noise = float(high[-1])
    parameters = [
        ParameterImportance(
            item.name, float(np.median(table[:, column])), float(low[column]), float(high[column]), float(low[column]) > noise
        )
        for column, item in enumerate(ranges)
    ]  # fmt: skip
    return Importance(
        parameters=tuple(sorted(parameters, key=lambda item: -item.share)),
        interactions=float(np.median(rest)),
        noise=noise,
        fit=fits[0],
        trials=len(rows),
    )


def _fenced(values: Any, minimize: bool) -> Any:
    """Values far on the bad side drawn in to the outer fence of Tukey."""
    import numpy as np

    low, high = np.quantile(values, [0.25, 0.75])
    width = 3 * (high - low)
    if width == 0:
        return values
    return np.minimum(values, high + width) if minimize else np.maximum(values, low - width)


def _encoded(ranges: list[Range], places: Any, random: Any) -> tuple[Any, list[list[int]], list[Any]]:
    """The forest's columns (categories one by one, then the probe), which belong to which hyperparameter, and the points of
    each axis as columns."""
    import numpy as np

    blocks, columns, grids, width = [], [], [], 0
    for column, item in enumerate(ranges):
        if item.numeric:
            block = places[:, [column]]
            grid = ((np.arange(GRID) + 0.5) / GRID)[:, None]
        else:
            count = len(item.values)
            which = np.rint(places[:, column] * max(1, count - 1)).astype(int)
            block, grid = np.eye(count)[which], np.eye(count)
        blocks.append(block)
        grids.append(grid)
        columns.append(list(range(width, width + block.shape[1])))
        width += block.shape[1]
    blocks.append(random.random((len(places), 1)))
    grids.append(((np.arange(GRID) + 0.5) / GRID)[:, None])
    columns.append([width])
    return np.hstack(blocks), columns, grids


def _space(grid: Any, random: Any) -> Any:
    """`POINTS` points of one axis, evenly and in random order: together they are a Latin hypercube."""
    import numpy as np

    order = random.permutation(POINTS)
    if grid.shape[1] == 1:
        return ((order + 0.5) / POINTS)[:, None]
    return grid[np.mod(order, len(grid))]


def _forest(out_of_bag: bool, seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(
        n_estimators=100 if out_of_bag else TREES,
        min_samples_leaf=2,
        oob_score=out_of_bag,
        bootstrap=True,
        n_jobs=1,
        random_state=seed,
    )


def _main_effects(
    forest: Any, columns: list[list[int]], grids: list[Any], space: list[Any], width: int
) -> list[float]:
    import numpy as np

    points = np.empty((POINTS, width))
    for where, place in zip(columns, space, strict=True):
        points[:, where] = place
    total = float(np.var(forest.predict(points)))
    if total <= 0.0:
        return [0.0] * len(columns)
    effects = []
    for where, grid in zip(columns, grids, strict=True):
        spread = np.repeat(points[None], len(grid), axis=0)
        spread[:, :, where] = grid[:, None, :]
        means = forest.predict(spread.reshape(-1, width)).reshape(len(grid), POINTS).mean(axis=1)
        effects.append(min(1.0, float(np.var(means)) / total))
    return effects
