"""A badge for pages elsewhere: one line in SVG, without script, that says how a release stands."""

from __future__ import annotations

from html import escape

from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.oracle.web.api.asking import reading_index
from provenance_oracle.oracle.web.api.standing_words import StandingWords, best_of, standing_of
from provenance_oracle.oracle.web.api.table import Body
from provenance_oracle.verifier.text import printable

_TITLE = "provenance"
_WORDS_MAX_CHARS = 60
_CHAR_WIDTH, _PAD, _HEIGHT = 6.6, 16, 20
# An SVG image can hold scripts and links; this one may run and load nothing, wherever it is opened.
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


class Badges:
    """Draws badges from an index."""

    def __init__(self, index: RecordIndex) -> None:
        self._index = index

    def badge(self, digest: bytes) -> Body:
        """Return the badge of the release to which a digest leads. A release without a record has one too."""
        with reading_index():
            found = best_of(self._index.by_digest(digest).records)
        return Body(badge_svg(standing_of(found.entry if found else None)).encode(), headers=_HEADERS)


def badge_svg(standing: StandingWords) -> str:
    """Return the picture. Its text is escaped, and cut if it is long."""
    words = printable(standing.words, _WORDS_MAX_CHARS)
    left, right = (round(len(text) * _CHAR_WIDTH + _PAD) for text in (_TITLE, words))
    texts = "".join(
        f'<text x="{middle}" y="14" text-anchor="middle" textLength="{width - _PAD}">{escape(text)}</text>'
        for text, middle, width in ((_TITLE, left / 2, left), (words, left + right / 2, right))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img"'
        f' aria-label="{escape(f"{_TITLE}: {words}")}"><title>{escape(f"{_TITLE}: {words}")}</title>'
        f'<rect width="{left + right}" height="{_HEIGHT}" rx="4" fill="{standing.color}"/>'
        f'<path d="M4 0h{left - 4}v{_HEIGHT}H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4" fill="#27272a"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{texts}</g></svg>\n'
    )
