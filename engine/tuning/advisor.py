"""The advisor: a process that answers which configuration to try next, by a Gaussian process or a Parzen estimator.

``python -m engine.tuning.advisor`` reads one JSON request a line and writes one JSON answer a line. It keeps nothing between
requests: each brings the space and every trial. It exists because the models need torch, which the engine must not load, and
ends when its standard input does, that is with the engine.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from engine.tuning.ranges import Parameter


def suggest(request: Mapping[str, Any]) -> dict[str, str]:
    """The configuration to try next, as texts by name.

    Args:
        request: ``space`` (`Parameter.specification`), ``trials`` (``parameters`` as texts and ``value``, None while the trial
            runs), ``minimize``, ``seed``, and ``sampler``, ``gp`` or ``tpe``.
    """
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = [_parameter(item) for item in request["space"]]
    distributions = {parameter.name: _distribution(parameter) for parameter in space}
    study = optuna.create_study(
        direction="minimize" if request["minimize"] else "maximize",
        sampler=_sampler(request["sampler"], int(request["seed"])),
    )
    for trial in request["trials"]:
        given = trial["parameters"]
        if not all(parameter.contains(given.get(parameter.name, "")) for parameter in space):
            continue
        value = trial["value"]
        study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.RUNNING if value is None else TrialState.COMPLETE,
                params={parameter.name: _inward(parameter, given[parameter.name]) for parameter in space},
                distributions=distributions,
                value=value,
            )
        )
    found = study.ask(distributions).params
    return {parameter.name: _outward(parameter, found[parameter.name]) for parameter in space}


def _parameter(item: Mapping[str, Any]) -> Parameter:
    return Parameter(
        item["name"], item["kind"], item["low"], item["high"], item["scale"], tuple(item["values"])
    )


def _sampler(name: str, seed: int) -> Any:
    import warnings

    import optuna

    warnings.simplefilter("ignore")
    # The Gaussian process needs torch, the Parzen estimator does not.
    if name == "gp" and importlib.util.find_spec("torch") is not None:
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=1)
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, n_startup_trials=1)


def _distribution(parameter: Parameter) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.kind == "Categorical":
        return CategoricalDistribution(parameter.values)
    if parameter.kind == "Integer":
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.scale == "log")
    if parameter.scale == "reverse":
        return FloatDistribution(1 - parameter.high, 1 - parameter.low, log=True)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.scale == "log")


def _inward(parameter: Parameter, text: str) -> Any:
    """A text as a value of the parameter's distribution."""
    if parameter.kind == "Categorical":
        return text
    if parameter.kind == "Integer":
        return int(float(text))
    if parameter.scale == "reverse":
        # 1 - (1 - x) is not always x in floating point.
        return min(max(1 - float(text), 1 - parameter.high), 1 - parameter.low)
    return float(text)


def _outward(parameter: Parameter, value: Any) -> str:
    if parameter.kind == "Categorical":
        return str(value)
    return parameter.text(1 - value if parameter.scale == "reverse" else value)


def answer(line: str) -> dict[str, Any]:
    """The answer to one line: ``parameters``, or ``error`` with what went wrong, and the request's ``id``."""
    number = None
    try:
        request = json.loads(line)
        number = request.get("id")
        return {"id": number, "parameters": suggest(request)}
    except Exception as error:  # whatever a model fails with, the engine goes on without it
        return {"id": number, "error": f"{type(error).__name__}: {error}"}


def serve(lines: Sequence[str] | Any, out: Any) -> None:
    """Answer requests until there are no more."""
    for line in lines:
        out.write(json.dumps(answer(line)) + "\n")
        out.flush()


def main() -> None:
    """Serve standard input and output; what libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, out)


if __name__ == "__main__":
    main()
