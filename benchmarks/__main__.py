"""``python -m benchmarks [wire|lifecycle|endpoints|gateway|console|consoles|logs|algorithms|forecasting|plagiarism|tuning|fraud]``: comparisons as tables with ratios; without a name all but ``fraud``, which needs data. Machines are noisy: take ratios, not digits."""

from __future__ import annotations

import importlib
import sys

from benchmarks.report import table

ALL = (
    "wire",
    "lifecycle",
    "endpoints",
    "gateway",
    "console",
    "consoles",
    "logs",
    "algorithms",
    "forecasting",
    "plagiarism",
    "tuning",
)
NEEDING_DATA = ("fraud",)
"""Run when named: ``MLCONSOLE_DATA_DIR`` must lead to the data."""


def main() -> None:
    wanted = sys.argv[1:] or list(ALL)
    unknown = sorted(set(wanted) - {*ALL, *NEEDING_DATA})
    if unknown:
        raise SystemExit(
            f"there is no benchmark {', '.join(unknown)}; there are {', '.join((*ALL, *NEEDING_DATA))}"
        )
    missed = []
    for name in wanted:
        title, peer, rows = importlib.import_module(f"benchmarks.{name}").main()
        print(table(title, peer, rows), flush=True)
        print()
        missed += [row.name for row in rows if row.verdict == "MISSED"]
    print("targets missed: " + (", ".join(missed) if missed else "none"))


if __name__ == "__main__":
    main()
