"""Render the shipped color set: python -m tools.emoji [FONT] [LIST]

FONT is Noto Color Emoji (Debian: fonts-noto-color-emoji), LIST is Unicode's emoji-test.txt (Debian:
unicode-data). Every emoji of one code point becomes an image of 32 x 32 pixels on white, with
Unicode's group as its class. The result is one PNG sheet, and one line for each image in it. The
same font and list give the same pixels; needs fontTools, which matplotlib brings.
"""

import io
import re
import sys
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
LIST = "/usr/share/unicode/emoji/emoji-test.txt"
FOLDER = Path(__file__).resolve().parents[1] / "ddpm_lab" / "datasets"
SIDE, COLUMNS = 32, 40


def listed(path):
    """(code point, group) of every emoji that is one code point, in Unicode's order."""
    group = ""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        group = line.removeprefix("# group: ") if line.startswith("# group: ") else group
        found = re.match(r"([0-9A-F]+)( FE0F)? *; fully-qualified", line)
        if found and group != "Flags":  # most flags are two code points
            yield int(found[1], 16), group


def glyphs(path):
    """{code point: the PNG that the font holds for it}."""
    font = TTFont(path)
    bitmaps = font["CBDT"].strikeData[0]
    return {
        code: bitmaps[name].imageData
        for code, name in font.getBestCmap().items()
        if name in bitmaps
    }


def rendered(png):
    """A glyph on white, square, small."""
    glyph = Image.open(io.BytesIO(png)).convert("RGBA")
    side = max(glyph.size)
    page = Image.new("RGBA", (side, side), "white")
    page.alpha_composite(glyph, ((side - glyph.width) // 2, (side - glyph.height) // 2))
    return page.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def main(font=FONT, emoji=LIST):
    """Write emoji.png and emoji.txt."""
    drawn = glyphs(font)
    rows = [(code, group) for code, group in listed(emoji) if code in drawn]
    sheet = Image.new("RGB", (COLUMNS * SIDE, -(-len(rows) // COLUMNS) * SIDE), "white")
    for number, (code, _) in enumerate(rows):
        place = (number % COLUMNS * SIDE, number // COLUMNS * SIDE)
        sheet.paste(rendered(drawn[code]), place)
    sheet.save(FOLDER / "emoji.png", optimize=True)
    lines = "".join(f"{code:X} {group}\n" for code, group in rows)
    (FOLDER / "emoji.txt").write_text(lines, encoding="utf-8", newline="\n")
    size = (FOLDER / "emoji.png").stat().st_size
    print(f"{len(rows):,} images, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
