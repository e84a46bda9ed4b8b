"""How much of an answer is copied: the corpus's categories, their numbers and the class that a classifier learns."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Category(StrEnum):
    """As Clough and Stevenson (2011) had the answers written; ``orig`` is the Wikipedia article of a task."""

    NON = "non"
    HEAVY = "heavy"
    LIGHT = "light"
    CUT = "cut"
    ORIG = "orig"

    @property
    def number(self) -> int:
        """0 not copied, 1 heavily revised, 2 lightly revised, 3 cut and pasted, -1 the original."""
        return _NUMBERS[self]

    @property
    def label(self) -> int:
        """The class: 1 plagiarised, 0 not, -1 the original."""
        return min(self.number, 1)


_NUMBERS = {Category.NON: 0, Category.HEAVY: 1, Category.LIGHT: 2, Category.CUT: 3, Category.ORIG: -1}

NAMES = tuple(category.value for category in Category)


def numerical(information: pd.DataFrame) -> pd.DataFrame:
    """File, Task and Category (a name) as File, Task, Category (a number) and Class; the index stays.

    Raises:
        ValueError: A category that there is not.
    """
    found = [Category(name) for name in information["Category"]]
    return information.assign(
        Category=[category.number for category in found], Class=[category.label for category in found]
    )
