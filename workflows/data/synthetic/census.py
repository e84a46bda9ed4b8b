"""Made-up counties: 3,220 rows, 34 correlated facts, two rows with holes.

The lessons of the real data that are in it: a few hidden causes (wealth, city or country, origin of the people, kind of work)
explain most of what the columns say, so that seven principal components hold about four fifths of the variance; shares add up to
a hundred; populations have a tail over four powers of ten; some values are missing. Names of counties are invented.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

STATES = (
    "Alabama", "Arizona", "California", "Colorado", "Florida", "Georgia", "Idaho", "Illinois", "Iowa", "Kansas", "Kentucky",
    "Louisiana", "Maine", "Michigan", "Minnesota", "Mississippi", "Missouri", "Montana", "Nebraska", "New Mexico", "New York",
    "North Carolina", "North Dakota", "Ohio", "Oklahoma", "Oregon", "Pennsylvania", "Puerto Rico", "South Dakota", "Tennessee",
    "Texas", "Utah", "Vermont", "Virginia", "Washington", "West Virginia", "Wisconsin", "Wyoming",
)  # fmt: skip
FIRST = ("Ash", "Birch", "Cedar", "Clear", "Deer", "Elk", "Fair", "Fox", "Green", "High", "Iron", "Lake", "Maple", "New", "Oak", "Pine", "Red", "Rock", "Salt", "Spring", "Stone", "West", "White", "Wolf")  # fmt: skip
LAST = ("bridge", "brook", "burg", "dale", "field", "ford", "grove", "haven", "land", "mont", "port", "ridge", "ton", "view", "ville", "wood")  # fmt: skip
ROWS = 3_220


def write(folder: Path) -> None:
    """``acs2015_county_data.csv`` with the 37 columns of the original."""
    frame().to_csv(folder / "acs2015_county_data.csv", index=False, lineterminator="\n")


def frame() -> Any:
    """The table; the rows 548 and 2661 have holes."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(2015)
    state = np.sort(random.integers(0, len(STATES), ROWS))
    # The hidden causes, with a part that neighbours in a state share.
    wealth, city, latin, black, farm = (
        0.55 * random.standard_normal(len(STATES))[state] + 0.85 * random.standard_normal(ROWS)
        for _ in range(5)
    )
    city = 0.9 * city + 0.3 * wealth
    latin[state == STATES.index("Puerto Rico")] += 3.5
    wealth[state == STATES.index("Puerto Rico")] -= 2.2

    def noise(size: float) -> Any:
        return 0.8 * size * random.standard_normal(ROWS)

    people = np.exp(10.25 + 1.05 * city + 0.25 * wealth + noise(0.75)).clip(90, 10_000_000).astype(int)
    men = (people * (0.499 - 0.004 * city + noise(0.012)).clip(0.4, 0.62)).astype(int)
    origins = np.column_stack(
        [
            np.exp(1.5 + 1.25 * latin + noise(0.35)),
            np.exp(4.35 + 0.12 * farm + noise(0.12)),
            np.exp(0.6 + 1.6 * black - 0.5 * wealth + noise(0.5)),
            np.exp(-1.0 - 0.5 * wealth + 0.5 * farm + noise(1.0)),
            np.exp(-0.8 + 0.8 * city + 0.45 * wealth + noise(0.55)),
            np.exp(-4.0 + 0.4 * city + noise(1.0)),
        ]
    )
    origins = _shares(origins, 98.0)
    coloured = (origins[:, 0] + origins[:, 2]) / 100
    income = np.exp(10.72 + 0.21 * wealth + 0.05 * city - 0.16 * coloured + noise(0.07)).round()
    per_head = np.exp(10.1 + 0.20 * wealth + 0.04 * city - 0.30 * coloured + noise(0.06)).round()
    error = np.exp(12.0 - 0.42 * np.log(people) + 0.1 * wealth + noise(0.22))
    poverty = (17.0 - 5.6 * wealth + 15 * coloured - 0.4 * city + noise(1.9)).clip(1.2, 66)
    children = (1.34 * poverty + noise(2.6)).clip(0, 84)
    unemployed = (7.6 - 1.9 * wealth + 5 * coloured - 0.9 * farm + noise(1.6)).clip(0.1, 36)
    work = _shares(
        np.exp(
            np.column_stack(
                [
                    3.45 + 0.13 * wealth + 0.08 * city + noise(0.09),
                    2.93 - 0.09 * wealth + 0.04 * city + noise(0.11),
                    3.12 + 0.06 * city - 0.03 * farm + noise(0.09),
                    2.52 + 0.18 * farm - 0.17 * city + noise(0.20),
                    2.78 - 0.22 * wealth - 0.10 * city - 0.14 * farm + noise(0.27),
                ]
            )
        ),
        100.0,
    )
    travel = _shares(
        np.exp(
            np.column_stack(
                [
                    4.38 - 0.03 * farm + noise(0.05),
                    2.32 - 0.06 * wealth + 0.05 * latin + noise(0.22),
                    -1.2 + 0.95 * city + noise(0.95),
                    0.9 + 0.3 * farm - 0.1 * city + noise(0.55),
                    0.2 + 0.1 * city + noise(0.6),
                    1.32 + 0.36 * farm + 0.12 * wealth + noise(0.36),
                ]
            )
        ),
        100.0,
    )
    employer = _shares(
        np.exp(
            np.column_stack(
                [
                    4.34 + 0.05 * city - 0.06 * farm + noise(0.05),
                    2.80 - 0.10 * wealth + 0.06 * black + noise(0.24),
                    1.98 + 0.40 * farm - 0.20 * city + noise(0.24),
                    -1.8 + 0.60 * farm + noise(0.8),
                ]
            )
        ),
        100.0,
    )
    adults = (people * (0.74 - 0.06 * latin.clip(0, 2) + noise(0.02)).clip(0.35, 0.9)).astype(int)
    employed = (people * (0.445 + 0.035 * wealth - 0.0025 * poverty + noise(0.02)).clip(0.15, 0.62)).astype(
        int
    )
    columns = {
        "CensusId": state * 1_000 + 1_001 + 2 * _counter(state),
        "State": [STATES[index] for index in state],
        "County": _names(state),
        "TotalPop": people, "Men": men, "Women": people - men,
        **dict(zip(("Hispanic", "White", "Black", "Native", "Asian", "Pacific"), origins.T, strict=True)),
        "Citizen": adults, "Income": income, "IncomeErr": (error * 1.4).round(), "IncomePerCap": per_head.astype(int),
        "IncomePerCapErr": (error * 0.7).astype(int), "Poverty": poverty.round(1), "ChildPoverty": children.round(1),
        **dict(zip(("Professional", "Service", "Office", "Construction", "Production"), work.T, strict=True)),
        **dict(zip(("Drive", "Carpool", "Transit", "Walk", "OtherTransp", "WorkAtHome"), travel.T, strict=True)),
        "MeanCommute": (23.0 + 2.0 * wealth - 2.6 * farm + 1.0 * city + noise(3.4)).clip(5, 44).round(1),
        "Employed": employed,
        **dict(zip(("PrivateWork", "PublicWork", "SelfEmployed", "FamilyWork"), employer.T, strict=True)),
        "Unemployment": unemployed.round(1),
    }  # fmt: skip
    table = pd.DataFrame(columns)
    table.loc[548, "ChildPoverty"] = np.nan
    table.loc[2661, ["Income", "IncomeErr"]] = np.nan
    return table


def _shares(values: Any, total: float) -> Any:
    """Rows scaled to a sum, with one decimal as the original has them."""
    return (values / values.sum(axis=1, keepdims=True) * total).round(1)


def _counter(groups: Any) -> Any:
    """0, 1, 2 … within each run of equal values."""
    import numpy as np

    return np.arange(len(groups)) - np.searchsorted(groups, groups)


def _names(state: Any) -> list[str]:
    names = [first + last for first in FIRST for last in LAST]
    return [
        names[(7 * int(place) + int(index)) % len(names)]
        for place, index in zip(_counter(state), state, strict=True)
    ]
