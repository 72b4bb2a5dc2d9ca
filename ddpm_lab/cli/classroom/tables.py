"""Tables as a spreadsheet saves them: with commas, semicolons or tabs, in UTF-8 or UTF-16."""

import csv
import io
from pathlib import Path

from ddpm_lab import _files


def rows_of(path: Path) -> list[list[str]]:
    """The rows of a table that are not empty, as texts; the first one has the names.

    Returns
    -------
    a list of rows, each a list of texts

    Raises
    ------
    OSError, ValueError
        If there is none, or it is no text.

    >>> from tempfile import mkdtemp
    >>> path = _files.write_whole(f"{mkdtemp()}/a.csv", b"name;points\\nAda;1,5\\n")
    >>> rows_of(path)
    [['name', 'points'], ['Ada', '1,5']]
    """
    text = _files.read_text(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise ValueError(f"{path} must be a table; got: {error}. Save it again as CSV.") from None
    return [[cell.strip() for cell in row] for row in rows if any(row)]


def number(text: str) -> float:
    """A number with a point or a comma.

    >>> number("1,5")
    1.5
    """
    return float(text.replace(",", "."))
