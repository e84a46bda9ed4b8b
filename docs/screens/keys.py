"""Writes the table of keys into docs/console.md from the registry of actions."""

from __future__ import annotations

from pathlib import Path

from console.keytable import markdown_table

BEGIN = "<!-- keys: made by docs/screens/keys.py -->\n"
END = "<!-- end of keys -->"
PAGE = Path(__file__).parents[1] / "console.md"


def main() -> None:
    """Replace what stands between the two marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{markdown_table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
