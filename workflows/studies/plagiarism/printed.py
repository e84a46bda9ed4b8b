"""What executed copies of the course's notebook printed for the 25 test answers of split seed 1."""

from __future__ import annotations

from workflows.studies.scores import Confusion

LOGISTIC = Confusion(tn=9, fp=1, fn=0, tp=15)
"""Logistic regression on c_1, c_5 and lcs_word: what `--as-in-notebook` repeats."""
PRINTED = (
    (
        "PyTorch 6-20-1, c_1 … c_5 and lcs_word, training answers repeated to 168",
        Confusion(tn=10, fp=0, fn=2, tp=13),
    ),
    ("PyTorch with 10 hidden units, 80 epochs", Confusion(tn=9, fp=1, fn=0, tp=15)),
    ("logistic regression, c_1, c_5, lcs_word", LOGISTIC),
    ("100 extra trees, the best 3 of c_1 … c_8 and lcs_word", Confusion(tn=10, fp=0, fn=0, tp=15)),
)
