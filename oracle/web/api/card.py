"""The picture that others show beside a link to a record (https://ogp.me/): 1200 by 630 pixels, PNG."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.oracle.web.api.asking import reading_index
from provenance_oracle.oracle.web.api.standing_words import StandingWords, day_of, signers_of_record, standing_of
from provenance_oracle.oracle.web.api.table import Body
from provenance_oracle.verifier.errors import RecordError, naming_extras
from provenance_oracle.verifier.record.fields import Entry, product_line_from_code
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 1200, 630
_MARGIN = 80
_KEPT_PICTURES = 64  # of about 30 kB each
_NAME_CHARS, _LINE_CHARS = 200, 80
_NAME_SIZES = (72, 60, 48, 40, 32)
_PAPER, _INK, _QUIET = "#fafaf9", "#18181b", "#52525b"


class Cards:
    """Draws cards from an index."""

    def __init__(self, index: RecordIndex) -> None:
        self._index = index

    def card(self, record_id: bytes) -> Body:
        """Return the card of a record. Raises RecordError if there is none with this id."""
        with reading_index():
            found = self._index.record(record_id)
        if found is None:
            wanted = "the id of a record or release"
            raise RecordError("no record has this id", where=record_id.hex(), got="nothing", wanted=wanted)
        entry = found.entry
        return Body(draw_card(entry.name, entry.version, standing_of(entry), card_facts(entry)))


def card_facts(entry: Entry) -> tuple[tuple[str, str], ...]:
    """Return what a card says of a record: pairs of a heading and a text, which may be hostile."""
    return (
        ("Confirmed by", signers_of_record(entry)),
        ("Recorded", day_of(entry)),
        ("Hardware", f"{product_line_from_code(entry.product_line)}, grade {entry.grade}"),
        ("Manifest", f"{entry.manifest_digest.hex()[:32]}…"),
    )


@lru_cache(_KEPT_PICTURES)
def draw_card(name: str, version: str, standing: StandingWords, facts: tuple[tuple[str, str], ...]) -> bytes:
    """Return the picture. Texts are cut for it, so a long or strange name costs no more than any other.

    Raises:
        UsageError: Pillow is not installed.
    """
    with naming_extras():
        from PIL import Image, ImageDraw, ImageFont
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 24), fill=standing.color)
    draw.text((_MARGIN, 64), "Provenance of an AI model", _QUIET, ImageFont.load_default(32))
    shown = printable(name, _NAME_CHARS)
    size = next((one for one in _NAME_SIZES if _width(draw, shown, one) <= WIDTH - 2 * _MARGIN), _NAME_SIZES[-1])
    draw.text((_MARGIN, 140), _fitted(draw, shown, size), _INK, ImageFont.load_default(size))
    line = _fitted(draw, f"version {printable(version, _LINE_CHARS)}", 36)
    draw.text((_MARGIN, 232), line, _QUIET, ImageFont.load_default(36))
    words = _fitted(draw, printable(standing.words, _LINE_CHARS), 36)
    box = (_MARGIN, 306, _MARGIN + _width(draw, words, 36) + 48, 370)
    draw.rounded_rectangle(box, 32, fill=standing.color)
    draw.text((_MARGIN + 24, 316), words, "#ffffff", ImageFont.load_default(36))
    for number, (heading, text) in enumerate(facts):
        left, top = _MARGIN + number % 2 * 540, 412 + number // 2 * 96
        draw.text((left, top), heading, _QUIET, ImageFont.load_default(24))
        draw.text((left, top + 32), printable(text, _LINE_CHARS), _INK, ImageFont.load_default(30))
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def _width(draw: ImageDraw, text: str, size: int) -> int:
    from PIL import ImageFont

    return round(draw.textlength(text, ImageFont.load_default(size)))


def _fitted(draw: ImageDraw, text: str, size: int) -> str:
    """Return as much of a text as fits on a line, with a mark if some is left out."""
    room = WIDTH - 2 * _MARGIN - 48
    if _width(draw, text, size) <= WIDTH - 2 * _MARGIN:
        return text
    while text and _width(draw, f"{text}…", size) > room:
        text = text[: len(text) * 9 // 10]
    return f"{text}…"
