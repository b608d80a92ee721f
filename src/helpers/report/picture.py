"""Pictures of the notebooks as part of the page: SVG kept to drawing, its names made its own, its text left as text."""

from __future__ import annotations

import base64
import html
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import nh3

from helpers.report.sanitise import words_of
from helpers.report.sections.thinning import thin_picture

DRAWING = words_of(
    "svg g path rect circle ellipse line polyline polygon text tspan use defs clipPath marker title pattern image"
)
DRAWN = words_of(
    "d x y x1 x2 y1 y2 cx cy r rx ry width height viewBox points transform clip-path style fill stroke stroke-width",
    "opacity text-anchor id href xlink:href class patternUnits preserveAspectRatio",
    "markerUnits overflow marker-start marker-mid marker-end",
)
EMBEDDED = re.compile(r'<img src="data:image/svg\+xml;base64,([A-Za-z0-9+/=\s]+)" alt="([^"]*)">')
SAFE_STYLE = re.compile(r"[\w\s:;#.,%()'\"+\-]*")
OWN = re.compile(r"#[\w.\-]+")
PIXELS = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*")
# A label of a row: words that end at the axis, in one or both languages.
LABEL = re.compile(
    r'<text style="[^"]*text-anchor: end[^"]*" x="([\d.]+)" y="([\d.]+)"(?: class="t" lang="en")?>([^<]*)</text>'
    r'(?:<text [^>]*lang="zh">[^<]*</text>)?'
)
DRAWN_PICTURE = re.compile(r"<svg .*?</svg>", re.DOTALL)
LIFT = 4.6
"""From the foot of a word to its middle, in points."""
MOSTLY = 0.6
"""Of the labels of a picture, so many stand in the table that it shows."""
INSIDE = re.compile(r"url\(#[\w.\-]+\)")


def _keep(tag: str, name: str, value: str) -> str | None:
    if name in ("href", "xlink:href"):
        return value if OWN.fullmatch(value) or (tag == "image" and PIXELS.fullmatch(value)) else None
    if name == "clip-path" or name.startswith("marker-"):
        return value if INSIDE.fullmatch(value) else None
    if name == "style":
        harmless = SAFE_STYLE.fullmatch(value) and "url(" not in INSIDE.sub("", value) and "expression" not in value
        return value if harmless else None
    return value


CLEANER = nh3.Cleaner(
    tags=DRAWING,
    clean_content_tags={"script", "style", "metadata", "foreignObject"},
    attributes=dict.fromkeys(DRAWING, DRAWN),
    attribute_filter=_keep,
    url_schemes={"data"},
    link_rel=None,
)


def open_pictures(piece: str, name: str) -> str:
    """Embedded SVG images of a piece of HTML as parts of the page, so that their text is text.

    Parameters
    ----------
    piece
        HTML with ``<img src="data:image/svg+xml;base64,...">``.
    name
        Put before every id of a picture, since ids of the page are its own.
    """
    count = iter(range(1, 1000))
    return EMBEDDED.sub(lambda match: _inline(match, f"{name}-{next(count)}"), piece)


def _inline(match: re.Match[str], name: str) -> str:
    text = base64.b64decode(match[1]).decode("utf-8")
    text = re.sub(r"<\?xml[^>]*\?>|<!DOCTYPE[^>]*>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = thin_picture(text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)  # the page's own letters
    text = re.sub(r"\n\s*", " ", text).replace(" />", "/>")
    clean = CLEANER.clean(text)
    clean = re.sub(r'\sid="([^"]+)"', rf' id="{name}-\1"', clean)
    clean = re.sub(r'(href="|url\()#', rf"\1#{name}-", clean)
    drawn = clean.replace("<svg", f'<svg role="img" aria-label="{match[2]}"', 1)
    # On a phone a picture keeps the size at which its words can be read, and scrolls in its place.
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{match[2]}">{drawn}</div>'


def link_rows(piece: str, tables: Mapping[str, Mapping[str, str]]) -> str:
    """Rows of a picture as links to the rows of a table that bear the same names; all of a row is the link.

    Parameters
    ----------
    piece
        HTML of one output, with pictures as parts of the page.
    tables
        Name of a table near by -> label of a row -> id of that row; the nearest table last.
    """
    return DRAWN_PICTURE.sub(lambda match: _link_picture(match[0], tables), piece)


def _link_picture(svg: str, tables: Mapping[str, Mapping[str, str]]) -> str:
    labels = list(LABEL.finditer(svg))
    counted = Counter(html.unescape(label[3]) for label in labels)
    names = [name for name, count in counted.items() if count == 1]
    fitting = {table: sum(name in rows for name in names) for table, rows in tables.items()}
    best = max(reversed(fitting), key=lambda table: fitting[table], default="")
    if not best or len(names) < 2 or fitting[best] < MOSTLY * len(counted):
        return svg
    gap = _gap([float(label[2]) for label in labels])
    wide = "100%" if len({label[1] for label in labels}) == 1 else "0"

    def row(match: re.Match[str]) -> str:
        name = html.unescape(match[3])
        target = tables[best].get(name) if counted[name] == 1 else None
        if target is None:
            return match[0]
        top = float(match[2]) - LIFT - gap / 2
        area = f'<rect x="0" y="{top:.1f}" width="{wide}" height="{gap:.1f}" fill="none"></rect>'
        return f'<a href="#{target}">{area}{match[0]}</a>'

    # What can be reached by keyboard is no part of one image.
    return LABEL.sub(row, svg).replace('<svg role="img"', '<svg role="group"', 1)


def _gap(heights: Sequence[float]) -> float:
    """The smallest distance of two rows."""
    places = sorted(set(heights))
    return min((after - before for before, after in itertools.pairwise(places)), default=12.0)
