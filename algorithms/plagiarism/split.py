"""Which answers train and which test: stratified by task and category, drawn as the notebook's ``train_test_dataframe`` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SEED = 1
"""The seed that the notebook passes; with it the class's own split comes out."""

HELPER_SEED = 100
"""What ``train_test_dataframe`` takes when no seed is passed."""

TRAIN, TEST, ORIG = "train", "test", "orig"


def datatypes(frame: pd.DataFrame, seed: int = SEED) -> pd.DataFrame:
    """The frame with a column Datatype: ``train``, ``test``, or ``orig`` for originals.

    Of each task one answer of every plagiarised category tests, and two that are not plagiarised (fewer where there are fewer).
    Each group is drawn by ``DataFrame.sample(random_state=seed)``, so equal seeds give the notebook's very rows.

    Args:
        frame: Columns Task and Category (a number), a row a document, its index without repeats.

    Raises:
        ValueError: The index repeats itself.
    """
    if not frame.index.is_unique:
        raise ValueError("the index of the corpus's frame repeats itself; reset it before splitting")
    kinds = frame["Category"].map(lambda category: ORIG if category < 0 else TRAIN).astype(object)
    for plagiarised, count in ((True, 1), (False, 2)):
        rows = frame[frame["Category"] > 0] if plagiarised else frame[frame["Category"] == 0]
        for _, group in rows.groupby(["Task", "Category"]):
            kinds[group.sample(min(len(group), count), random_state=seed).index] = TEST
    return frame.assign(Datatype=kinds)
