"""The command; see the package."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import tools.scale as package
from tools.scale.tables import all_tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m tools.scale", description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--write", action="store_true", help="renew the tables of docs/scale.md")
    args, tables = parser.parse_args(words), all_tables()
    if args.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")
    else:
        print(*(f"{name}\n\n{table}\n" for name, table in tables.items()), sep="\n")
    return 0


def written(page: str, tables: dict[str, str]) -> str:
    """The page with each table behind its mark, `<!-- table: NAME -->`."""
    for name, table in tables.items():
        mark = f"<!-- table: {name} -->\n\n"
        if page.count(mark) != 1:
            raise ValueError(f"the page must have one place for the table {name}: {mark.strip()}")
        page = re.sub(
            rf"({re.escape(mark)})(\|.*\n)*\n?", lambda m, t=table: f"{m[1]}{t}\n\n", page
        )
    return page


if __name__ == "__main__":
    raise SystemExit(main())
