"""Rows of a comparison, printed as a table with ratios and targets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure of ours beside the peer's. ``higher`` says which way is better; ``target`` is on the ratio or, without a peer, on ours."""

    name: str
    unit: str
    ours: float
    peer: float | None
    target: float | None = None
    higher: bool = True

    @property
    def ratio(self) -> float | None:
        """How many times better ours is."""
        if self.peer is None or not self.ours or not self.peer:
            return None
        return self.ours / self.peer if self.higher else self.peer / self.ours

    @property
    def verdict(self) -> str:
        """``met``, ``missed`` or nothing when there is no target."""
        if self.target is None:
            return ""
        if self.peer is not None:
            return "met" if (self.ratio or 0) >= self.target else "MISSED"
        return "met" if (self.ours >= self.target) == self.higher or self.ours == self.target else "MISSED"


def table(title: str, peer: str, rows: list[Row]) -> str:
    """A markdown table."""
    lines = [
        f"### {title}",
        "",
        f"| | unit | mlconsole | {peer} | ratio | target | |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.1f}x"
        sign = ">=" if row.higher or row.peer is not None else "<="
        unit = "x" if row.peer is not None else f" {row.unit}"
        target = "" if row.target is None else f"{sign} {row.target:g}{unit}"
        other = "" if row.peer is None else f"{row.peer:,.4g}"
        lines.append(
            f"| {row.name} | {row.unit} | {row.ours:,.4g} | {other} | {ratio} | {target} | {row.verdict} |"
        )
    return "\n".join(lines)
