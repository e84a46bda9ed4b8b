"""What a data set is: its columns, its files, where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["int", "float", "text", "category", "date"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``least`` and ``most`` bound numbers (both allowed), ``choices`` a category's values.

    ``missing`` is how many rows may leave the column empty; None means any number.
    """

    name: str
    kind: Kind
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    missing: int | None = 0
    about: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a data set: its ``role``, the names it may have (the first that is there counts).

    A ``sample`` name holds only some of the rows of the original.
    """

    role: str
    names: tuple[str, ...]
    optional: bool = False
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the original is. ``url`` needs no account; ``page`` tells about it.

    ``size`` is in bytes (0: not known), ``md5`` and ``sha256`` in hexadecimal digits (empty: nobody gives one), ``manual`` the
    steps by which a person gets the file where the address no longer answers or an account is needed.
    """

    page: str
    url: str = ""
    size: int = 0
    md5: str = ""
    sha256: str = ""
    manual: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set.

    ``rows`` is the original's number of rows, ``study`` the study that uses it (empty: lessons only), ``label`` the column
    that is predicted, ``header`` whether the table names its columns. ``stand_in`` tells what the built-in sample is: a
    ``synthetic`` imitation, the original ``generated`` anew, or ``none``.
    """

    name: str
    title: str
    about: str
    study: str
    licence: str
    origin: Origin
    parts: tuple[Part, ...]
    columns: tuple[Column, ...]
    rows: int
    label: str = ""
    header: bool = True
    stand_in: Literal["synthetic", "generated", "none"] = "synthetic"
    why_none: str = ""

    @property
    def main(self) -> Part:
        """The part that holds the table."""
        return self.parts[0]

    def column(self, name: str) -> Column:
        """The column of a name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
