"""Gates on forecasts: whether they move, cover what came, and beat what is free."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from workflows.events import Gate
from workflows.studies import gates
from workflows.studies.forecasting import told
from workflows.studies.forecasting.scores import LEVELS, Forecast, Judged, compared, score, weight

LEAST_MOVE = 0.01
"""A median that moves by less than this share of its level says no more than a mean."""
COVERED = LEVELS[-1] - LEVELS[0]
"""The share of days that should be inside the band."""
FAR_OFF = 0.3
"""A coverage that is off by so much is wrong, whatever its error."""


def moves(step: str, job: str, forecasts: Sequence[Forecast]) -> Gate:
    """Whether medians move inside a window, and the band has a width."""
    import numpy as np

    level = float(np.mean([np.abs(one.median).mean() for one in forecasts])) or 1.0
    width = float(np.mean([(one.quantiles[-1] - one.quantiles[0]).mean() for one in forecasts])) / level
    if width < LEAST_MOVE:
        reason = f"{job}: the 80 % band is {width:.1%} of the level wide: all sample paths are alike, it forecasts no uncertainty."
        return gates.judgement(step, f"{job}: not flat", "fail", reason, width, LEAST_MOVE)
    move = float(np.mean([one.median.std() for one in forecasts])) / level
    if move < LEAST_MOVE:
        reason = f"{job}: the median moves by {move:.1%} of its level inside a window: the forecast is flat, a mean says as much."
        return gates.judgement(step, f"{job}: not flat", "warn", reason, move, LEAST_MOVE)
    reason = f"{job}: the median moves by {move:.0%} of its level inside a window."
    return gates.judgement(step, f"{job}: not flat", "pass", reason, move, LEAST_MOVE)


def covers(step: str, job: str, judged: Sequence[Judged]) -> Gate:
    """Whether the 80 % band holds 80 % of the days, up to two standard errors (windows are the independent pieces)."""
    import numpy as np

    shares = [float(score([item]).coverage) for item in judged if weight(item.actual) > 0]
    share = float(np.mean(shares))
    error = statistics.stdev(shares) / math.sqrt(len(shares)) if len(shares) > 1 else float("nan")
    off = abs(share - COVERED)
    text = f"{job}: {share:.0%} ± {error:.0%} of the days are inside the 80 % band"
    if off > FAR_OFF:
        way = "far too narrow: it promises what it cannot hold" if share < COVERED else "far too wide"
        return gates.judgement(step, f"{job}: coverage", "fail", f"{text}; it is {way}.", share, COVERED)
    # Without an error (one window) only what is far off is told apart.
    if off > max(2 * error, 0.05):
        way = "too narrow" if share < COVERED else "too wide"
        return gates.judgement(step, f"{job}: coverage", "warn", f"{text}; it is {way}.", share, COVERED)
    return gates.judgement(step, f"{job}: coverage", "pass", f"{text}.", share, COVERED)


def against(
    step: str, job: str, ours: Sequence[Judged], theirs: Sequence[Judged], method: str, group: str
) -> Gate:
    """The job against the best free forecast of the same windows, chosen with hindsight: it is the hardest one to beat."""
    gap, error = compared(ours, theirs)
    value, rival = score(ours).mean_wql, score(theirs).mean_wql
    name = f"{job}: against free, {group}"
    text = (
        f"{job}: mean wQL {value:.4f} against {rival:.4f} of the {method} on {len(ours)} windows ({told.GROUPS[group]}), a difference "
        f"of {gap:+.4f} ± {error:.4f}"
    )
    if gap <= 0:
        return gates.judgement(step, name, "pass", f"{text}.", value, rival)
    if math.isfinite(error) and gap <= error:
        return gates.judgement(
            step,
            name,
            "warn",
            f"{text}: worse than what costs nothing, within one standard error.",
            value,
            rival,
        )
    return gates.judgement(
        step, name, "fail", f"{text}: it loses to a forecast that costs nothing.", value, rival
    )
