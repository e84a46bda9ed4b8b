"""Training: windows in random order, Adam, the epoch with the lowest loss is kept."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from algorithms.builtin.deepar.hyperparameters import Hyperparameters
from algorithms.builtin.deepar.likelihoods import Likelihood
from algorithms.builtin.deepar.network import Network
from algorithms.builtin.deepar.optimizer import Adam
from algorithms.builtin.deepar.sampling import Passes, windows
from algorithms.builtin.deepar.windows import Ints, Normal, Panel, View
from algorithms.builtin.failures import AlgorithmError
from algorithms.builtin.log import HOST, Log

_REPORT = 5
_CLIP = 10.0
_PACE = 0.04
"""How fast the kept average follows the parameters: over the last 25 updates or so (Polyak and Juditsky 1992)."""


def fit(
    network: Network,
    panel: Panel,
    view: View,
    normal: Normal,
    likelihood: Likelihood,
    given: Hyperparameters,
    random: np.random.Generator,
    log: Log,
    keep: Callable[[Network], None],
) -> None:
    """Train the network in place; it ends with the parameters of the epoch with the lowest loss, averaged over its last updates.

    Args:
        keep: Called after each best epoch so far with the network to save.

    Raises:
        AlgorithmError: The loss is not finite.
    """
    passes = Passes.plan(len(panel), given.mini_batch_size)
    optimizer = Adam(network.parameters(), given.learning_rate, _CLIP)
    average = copy.deepcopy(network)
    averaged = list(average.parameters())
    updates = 0
    best = (math.inf, 0, copy.deepcopy(network.state_dict()))
    stopped = False
    epoch = 0
    for epoch in range(given.epochs):
        rows, starts = windows(panel, view.horizon, passes, random)
        began = time.monotonic()
        losses: list[float] = []
        reported, tick = 0, began
        for number, part in enumerate(_parts(len(rows), given.mini_batch_size)):
            loss = _update(
                network, optimizer, panel, rows[part], starts[part], view, normal, likelihood, random
            )
            if not math.isfinite(loss):
                raise AlgorithmError(
                    f"The loss of batch {number} of epoch {epoch} is not finite ({loss}). Use a smaller learning_rate than "
                    f"{given.learning_rate:g}, and look for extreme values in the data."
                )
            losses.append(loss)
            updates += 1
            with torch.no_grad():
                torch._foreach_lerp_(averaged, optimizer.parameters, max(_PACE, 10 / (10 + updates)))
            if number % _REPORT == 0:
                now = time.monotonic()
                _report(log, epoch, number, losses, reported, given.mini_batch_size, now - tick)
                reported, tick = (len(losses), now) if number else (0, now)
        elapsed = max(time.monotonic() - began, 1e-9)
        log.info(f"processed a total of {len(rows)} examples")
        timings: dict[str, float] = {"update.time": elapsed * 1000}
        log.metrics({"epochs": given.epochs, **timings} if epoch == 0 else timings)
        log.throughput(len(rows) / elapsed)
        log.info(f"#progress_metric: host={HOST}, completed {100 * (epoch + 1) / given.epochs} % of epochs")
        mean = sum(losses) / len(losses)
        log.quality("train loss", mean, sign="loss", epoch=epoch)
        if mean < best[0]:
            log.info("best epoch loss so far")
            best = (mean, epoch, copy.deepcopy(average.state_dict()))
            saving = time.monotonic()
            keep(average)
            log.metrics({"state.serialize.time": (time.monotonic() - saving) * 1000})
        else:
            log.info("loss did not improve")
            if given.early_stopping_patience is not None and epoch - best[1] >= given.early_stopping_patience:
                stopped = True
                break
    if best[1] != epoch:
        log.info(f"Loading parameters from best epoch ({best[1]})")
    network.load_state_dict(best[2])
    if stopped:
        log.info("stopping training now")
        log.info(f"#progress_metric: host={HOST}, completed 100 % of epochs")
    log.info(f"Final loss: {best[0]} (occurred at epoch {best[1]})")
    log.quality("train final_loss", best[0], sign="loss")


def _update(
    network: Network,
    optimizer: Adam,
    panel: Panel,
    rows: Ints,
    starts: Ints,
    view: View,
    normal: Normal,
    likelihood: Likelihood,
    random: np.random.Generator,
) -> float:
    batch = panel.cut(rows, starts, view, normal)
    output = network.windows(torch.from_numpy(batch.inputs), torch.from_numpy(batch.cat), random)
    losses = likelihood.loss(output, torch.from_numpy(batch.target), torch.from_numpy(batch.scale))
    observed = torch.from_numpy(batch.observed)
    loss = (losses * observed).sum() / observed.sum().clamp_min(1)
    gradients = list(torch.autograd.grad(loss, optimizer.parameters))
    with torch.no_grad():
        optimizer.step(gradients)
    return float(loss.detach())


def _parts(count: int, size: int) -> Iterator[slice]:
    return (slice(begin, begin + size) for begin in range(0, count, size))


def _report(
    log: Log, epoch: int, number: int, losses: list[float], reported: int, size: int, elapsed: float
) -> None:
    log.info(f"Epoch[{epoch}] Batch[{number}] avg_epoch_loss={sum(losses) / len(losses):.6f}")
    recent = losses[reported:]
    mean = sum(recent) / len(recent)
    log.info(f"#quality_metric: host={HOST}, epoch={epoch}, batch={number} train loss <loss>={mean!r}")
    if number:
        speed = _REPORT * size / max(elapsed, 1e-9)
        log.info(f"Epoch[{epoch}] Batch [{number}]\tSpeed: {speed:.2f} samples/sec\tloss={mean:.6f}")
