"""Card transactions for tests of the fraud study: small, separable, and broken on demand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def transactions(
    folder: Path,
    rows: int = 2400,
    frauds: int = 60,
    *,
    shuffled: bool = False,
    copied: int = 0,
) -> None:
    """A data folder with real-looking transactions whose frauds lie three standard deviations off in 28 columns."""
    random = np.random.default_rng(7)
    labels = np.r_[np.ones(frauds, int), np.zeros(rows - frauds, int)]
    values = random.normal(size=(rows, 28)).round(4) + 3.0 * labels[:, None]
    table = pd.DataFrame(values, columns=[f"V{number}" for number in range(1, 29)])
    table.insert(0, "Time", random.permutation(rows).astype(float))
    table["Amount"] = random.gamma(1, 50, rows).round(2)
    table["Class"] = random.permutation(labels) if shuffled else labels
    if copied:
        table = pd.concat([table, table.head(copied)])
    (folder / "creditcard").mkdir(parents=True)
    table.to_csv(folder / "creditcard" / "creditcard.csv", index=False)
