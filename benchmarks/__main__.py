"""``python -m benchmarks [wire|lifecycle|console|algorithms|forecasting|tuning]``: every comparison, as tables with ratios. Machines are noisy: take ratios, not digits."""

from __future__ import annotations

import importlib
import sys

from benchmarks.report import table

ALL = ("wire", "lifecycle", "console", "algorithms", "forecasting", "tuning")


def main() -> None:
    wanted = sys.argv[1:] or list(ALL)
    unknown = sorted(set(wanted) - set(ALL))
    if unknown:
        raise SystemExit(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}")
    missed = []
    for name in wanted:
        title, peer, rows = importlib.import_module(f"benchmarks.{name}").main()
        print(table(title, peer, rows), flush=True)
        print()
        missed += [row.name for row in rows if row.verdict == "MISSED"]
    print("targets missed: " + (", ".join(missed) if missed else "none"))


if __name__ == "__main__":
    main()
