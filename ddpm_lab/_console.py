"""Words for every console: not each of them has ✓, é or μ.

A console says which letters it has by its encoding: cp437 or cp1252 on Windows, ASCII in a bare
container. Python stops a program that prints another letter. Here such a letter is written out in
plain ones, as a person would, and what the console has is left as it is.
"""

import codecs
import sys
import unicodedata
from io import TextIOWrapper

_PLAIN = {
    "✓": "ok", "✗": "BAD", "○": "o", "•": "*", "→": "->", "←": "<-", "↔": "<->", "…": "...",
    "⋯": "...", "−": "-", "–": "-", "—": "-", "⁄": "/", "·": "*", "×": "x", "±": "+/-",
    "√": "sqrt", "∞": "inf",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∈": "in", "∑": "sum", "∏": "prod", "∫": "integral",
    "‖": "||", "∥": "||", "│": "|", "─": "-", "▸": ">", "“": '"', "”": '"', "‘": "'",
    "’": "'", "°": " degrees", "■": "#", "□": ".",
}  # fmt: skip


def plain(text: str) -> str:
    """The text in ASCII.

    >>> plain("✓ Fréchet: μ² ≤ 10⁻⁴ …")
    'ok Frechet: mu^2 <= 10^-4 ...'
    """
    return "".join(_letter(letter, before) for letter, before in zip(text, " " + text))


def _letter(letter, before):
    if letter.isascii():
        return letter
    if letter in _PLAIN:
        return _PLAIN[letter]
    if letter != (simple := unicodedata.normalize("NFKD", letter)):
        raised, again = (unicodedata.decomposition(x)[:7] == "<super>" for x in (letter, before))
        return "^" * (raised and not again) + plain(simple)
    if unicodedata.combining(letter):
        return ""  # an accent, parted from its letter
    name = unicodedata.name(letter, "")
    greek = name.startswith("GREEK SMALL LETTER")
    return name.split()[-1].lower().replace("lamda", "lambda") if greek else "?"


def _plainly(error):
    """For `codecs`: the letters that could not be encoded, in plain ones."""
    before = error.object[max(error.start - 1, 0) : error.start]
    return plain(before + error.object[error.start : error.end])[len(plain(before)) :], error.end


codecs.register_error("ddpm_lab.plain", _plainly)


def say(text: str) -> None:
    """Print, in letters that the console has.

    >>> say("✓ right")
    ✓ right
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "ddpm_lab.plain").decode(encoding))


def prepare() -> None:
    """Let all that this program prints, argparse's help as well, be in letters the console has."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # not one that a test or a notebook put there
            stream.reconfigure(errors="ddpm_lab.plain")
