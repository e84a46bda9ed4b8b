"""Made-up daily power of a household: 1,442 days with a yearly and a weekly season, weather that lasts some days, and noise.

The lessons of the real data that are in it: winter takes twice as much as summer; week-ends are higher; a cold spell lasts, so
that the mean of the last weeks is a hard baseline to beat; August has days when nobody is at home; each year's training series
ends on the 1st of December, so that December is never a target.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

FIRST, DAYS = "2006-12-16", 1_442


def write(folder: Path) -> None:
    """``household_power_daily.csv``, and the series that the study trains on in ``train.json`` and ``test.json``."""
    from workflows.data import series

    table = frame()
    table.to_csv(folder / "household_power_daily.csv", index=False, lineterminator="\n")
    series.write(folder, series.mean_power(table))


def frame() -> Any:
    """The daily sums, with the columns of the real file."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(235)
    dates = pd.date_range(FIRST, periods=DAYS, freq="D")
    day = dates.day_of_year.to_numpy()
    season = 0.36 * np.cos(2 * np.pi * (day - 15) / 365.25) + 0.05 * np.cos(4 * np.pi * (day - 15) / 365.25)
    week = np.array([-0.07, -0.02, -0.03, -0.10, -0.04, 0.16, 0.15])[dates.day_of_week.to_numpy()]
    weather = np.zeros(DAYS)
    for index in range(1, DAYS):
        weather[index] = 0.72 * weather[index - 1] + 0.10 * random.standard_normal()
    kilowatts = 1.05 + season + week + weather + 0.22 * random.standard_normal(DAYS)
    for year in (2007, 2008, 2009, 2010):
        start = int(np.searchsorted(dates, np.datetime64(f"{year}-08-03"))) + int(random.integers(0, 12))
        kilowatts[start : start + 9] = 0.24 + 0.05 * random.random(9)
    kilowatts = kilowatts.clip(0.19, 3.3)
    minutes = np.full(DAYS, 1_440)
    minutes[0], minutes[-1] = 396, 1_263  # the real measurement began and ended within a day
    volts = 240.8 + 2.0 * random.standard_normal(DAYS)
    active = (kilowatts * minutes).round(3)
    kitchen = (active * (0.06 + 0.05 * random.random(DAYS))).round()
    laundry = (active * (0.05 + 0.08 * random.random(DAYS))).round()
    heater = (active * (0.28 + 0.10 * random.random(DAYS))).round()
    return pd.DataFrame(
        {
            "datetime": dates.strftime("%Y-%m-%d"),
            "Global_active_power": active,
            "Global_reactive_power": (
                minutes * (0.123 + 0.02 * random.standard_normal(DAYS)).clip(0.04)
            ).round(3),
            "Voltage": (volts * minutes).round(2),
            "Global_intensity": (active * 1_000 / volts).round(1),
            "Sub_metering_1": kitchen,
            "Sub_metering_2": laundry,
            "Sub_metering_3": heater,
            "sub_metering_4": (active * 1_000 / 60 - kitchen - laundry - heater).round(3),
        }
    )
