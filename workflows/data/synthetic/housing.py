"""Made-up block groups: 20,640 rows of eight facts and a price.

The lessons of the real data that are in it: price follows income with a ceiling at 5; the coast is dear and cities are dearer,
which no straight line over latitude and longitude can say; some averages have absurd tails (a resort with a hundred rooms a
household); a third of the variance is noise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROWS = 20_640
CITIES = (
    (34.05, -118.25, 1.1, 0.9),
    (37.75, -122.35, 1.6, 0.7),
    (32.75, -117.15, 0.8, 0.5),
    (38.55, -121.45, 0.2, 0.6),
)
"""Latitude, longitude, how much dearer than the land around, and its reach in degrees."""


def write(folder: Path) -> None:
    """``housing.csv`` with a header."""
    frame().to_csv(folder / "housing.csv", index=False, lineterminator="\n", float_format="%.6g")


def frame() -> Any:
    """The table."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(1990)
    city = random.choice(len(CITIES) + 1, ROWS, p=(0.36, 0.22, 0.1, 0.1, 0.22))
    inland = random.gamma(1.6, 0.9, ROWS)
    north = random.uniform(32.6, 41.8, ROWS)
    latitude = np.where(city < len(CITIES), 0.0, north)
    longitude = np.where(city < len(CITIES), 0.0, _coast(north) + inland)
    for number, (lat, lon, _, reach) in enumerate(CITIES):
        here = city == number
        latitude[here] = lat + reach * 0.5 * random.standard_normal(here.sum())
        longitude[here] = lon + reach * 0.5 * np.abs(random.standard_normal(here.sum()))
    income = np.exp(1.25 + 0.45 * random.standard_normal(ROWS)).clip(0.5, 15.0001)
    age = np.where(city < 2, random.normal(33, 11, ROWS), random.normal(25, 11, ROWS)).round().clip(1, 52)
    rooms = (3.2 + 0.45 * income + 0.6 * random.standard_normal(ROWS)).clip(0.8)
    resort = random.random(ROWS) < 0.004
    rooms[resort] *= random.uniform(4, 20, resort.sum())
    bedrooms = (rooms * random.normal(0.2, 0.02, ROWS)).clip(0.33)
    people = np.exp(7.05 + 0.7 * random.standard_normal(ROWS)).round().clip(3, 35_682)
    together = (2.9 + 0.55 * random.standard_normal(ROWS) - 0.03 * income).clip(0.7)
    together[random.random(ROWS) < 0.001] *= 60
    dear = sum(
        worth * np.exp(-(((latitude - lat) / reach) ** 2) - ((longitude - lon) / reach) ** 2)
        for lat, lon, worth, reach in CITIES
    )
    coast = np.exp(-(longitude - _coast(latitude)).clip(0) / 0.6)
    price = (
        0.1
        + 0.36 * income
        + 0.9 * dear
        + 0.55 * coast
        - 0.12 * (together.clip(0, 6) - 2.9)
        + 0.004 * (age - 28)
    )
    price *= np.exp(0.24 * random.standard_normal(ROWS))
    return pd.DataFrame(
        {
            "MedInc": income,
            "HouseAge": age,
            "AveRooms": rooms,
            "AveBedrms": bedrooms,
            "Population": people,
            "AveOccup": together,
            "Latitude": latitude.clip(32.54, 41.95).round(2),
            "Longitude": longitude.clip(-124.35, -114.31).round(2),
            "Price": price.clip(0.14999, 5.00001),
        }
    )


def _coast(latitude: Any) -> Any:
    """The longitude of the coast at a latitude, roughly: it runs from San Diego to the north-west."""
    return -117.2 - 0.78 * (latitude - 32.6)
