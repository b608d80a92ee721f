"""A picture of matplotlib's with as few elements as it needs: the same drawing, a fifth of the nodes.

Groups that say nothing are taken apart, all marks of one series become one line that carries them as markers, lines of
one style become one path, and so do areas of one style that do not meet (bars, tiles of a grid). What is drawn, and in
which order where things can cover each other, stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from xml.etree import ElementTree

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
DROPPED = {f"{{{SVG}}}metadata", f"{{{SVG}}}style"}
NEEDED = re.compile(r"#([\w.\-]+)")
UPRIGHT = re.compile(r"rotate\(-?0 [^)]*\)")
AXIS = "matplotlib.axis"
CORNERS = re.compile(r"(-?[\d.]+(?:e-?\d+)?) (-?[\d.]+(?:e-?\d+)?)")
STRAIGHT = re.compile(r"[MLz\s\d.e\-]+")
# The order within an axis: its grid below its marks below its words.
LAYERS = ("path", "use", "polyline", "text")

TOUCH = 1e-3
"""Of a picture's points: boxes that overlap by less share an edge."""

Element = ElementTree.Element
Box = tuple[float, float, float, float]


def thin_picture(text: str) -> str:
    """The same picture with fewer elements.

    Parameters
    ----------
    text
        An SVG document without a document type (so that nothing in it is expanded). One that is not well-formed is
        given back as it is.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (its document type, and so every entity, was cut off before)
    except ElementTree.ParseError:
        return text
    needed = set(NEEDED.findall(" ".join(value for item in root.iter() for value in item.attrib.values())))
    definitions = ElementTree.Element(f"{{{SVG}}}defs")
    root[:] = _flat(root, needed, definitions)
    _join(root, definitions)
    root.insert(0, definitions)
    for item in root.iter():
        item.tail = None
        item.text = item.text if item.tag == _tag("text") else None
    return ElementTree.tostring(root, encoding="unicode")


def _tag(name: str) -> str:
    return f"{{{SVG}}}{name}"


def _flat(parent: Element, needed: set[str], definitions: Element) -> Iterator[Element]:
    """Children of an element, with those of groups that say nothing in the place of the group."""
    axis = parent.get("id", "").startswith(AXIS)
    found: list[Element] = []
    for item in list(parent):
        if item.tag in DROPPED:
            continue
        inside = list(_flat(item, needed, definitions))
        if item.get("id") not in needed:
            item.attrib.pop("id", None)
        if UPRIGHT.fullmatch(item.get("transform", "")):
            del item.attrib["transform"]
        if item.tag == _tag("defs"):
            definitions.extend(inside)
        elif item.tag == _tag("g") and not item.attrib:
            found.extend(inside)
        else:
            item[:] = inside
            found.append(item)
    yield from sorted(found, key=_layer) if axis else found


def _layer(item: Element) -> int:
    name = item.tag.rpartition("}")[2]
    return LAYERS.index(name) if name in LAYERS else 0


def _join(parent: Element, definitions: Element) -> None:
    """Neighbours that can be one element are made one."""
    groups = [list(group) for _, group in groupby(parent, key=_likeness)]
    thin = [item for group in groups for item in _joined(group, definitions)]
    runs = [list(run) for _, run in groupby(thin, key=lambda item: _is_area(item) or id(item))]
    parent[:] = [item for run in runs for item in _joined_areas(run)]
    for item in parent:
        if item.tag == _tag("g"):
            _join(item, definitions)


def _likeness(item: Element) -> tuple[object, ...]:
    """Equal for neighbours that can be joined; unlike everything else for those that cannot."""
    style, clip = item.get("style", ""), item.get("clip-path", "")
    names = set(item.attrib)
    if item.tag == _tag("use") and names == {HREF, "x", "y", "style"}:
        return ("use", item.get(HREF), style)
    # Lines alone, and none that shines through: their crossings would look different.
    line = item.tag == _tag("path") and "fill: none" in style and "opacity" not in style
    if line and names <= {"d", "style", "clip-path"}:
        return ("path", style, clip)
    if item.tag == _tag("g") and names == {"clip-path"}:
        return ("g", clip)
    return ("alone", id(item))


def _joined(group: list[Element], definitions: Element) -> list[Element]:
    first = group[0]
    if len(group) == 1:
        return group
    if first.tag == _tag("path"):
        first.set("d", " ".join(item.get("d", "").strip() for item in group))
        return [first]
    if first.tag == _tag("g"):
        first[:] = [child for item in group for child in item]
        return [first]
    return [_marked_line(group, definitions)]


def _is_area(item: Element) -> bool:
    """Whether a path is an area with straight sides, whose corners say all of where it is."""
    plain = item.tag == _tag("path") and set(item.attrib) <= {"d", "style", "clip-path"}
    filled = "fill: none" not in item.get("style", "fill: none") and "url(" not in item.get("style", "")
    return plain and filled and STRAIGHT.fullmatch(item.get("d", "")) is not None


def _joined_areas(run: list[Element]) -> list[Element]:
    """Areas that follow each other, those of one style as one path while none of them covers another."""
    if len(run) == 1:
        return run
    kept: list[tuple[Element, list[Box]]] = []
    for item in run:
        box = _box(item)
        for first, boxes in reversed(kept):
            if any(_meet(box, other) for other in boxes):
                kept.append((item, [box]))
                break
            if all(first.get(name) == item.get(name) for name in ("style", "clip-path")):
                first.set("d", f"{first.get('d', '').strip()} {item.get('d', '').strip()}")
                boxes.append(box)
                break
        else:
            kept.append((item, [box]))
    return [item for item, _ in kept]


def _box(item: Element) -> Box:
    corners = [(float(x), float(y)) for x, y in CORNERS.findall(item.get("d", ""))]
    across, down = zip(*corners, strict=True) if corners else ((0.0,), (0.0,))
    return min(across), min(down), max(across), max(down)


def _meet(one: Box, other: Box) -> bool:
    """Whether two boxes share more than an edge."""
    # Asked of all pairs, most of which lie apart: the first comparison tells.
    return (
        one[2] - other[0] > TOUCH
        and other[2] - one[0] > TOUCH
        and one[3] - other[1] > TOUCH
        and other[3] - one[1] > TOUCH
        and min(one[2] - one[0], one[3] - one[1], other[2] - other[0], other[3] - other[1]) > TOUCH
    )


def _marked_line(marks: list[Element], definitions: Element) -> Element:
    """An unseen line through the places of some equal marks, which draws the mark at each."""
    shape = {HREF: marks[0].get(HREF, ""), "style": marks[0].get("style", "")}
    known = [item for item in definitions if item.tag == _tag("marker") and item[0].attrib == shape]
    marker = known[0] if known else ElementTree.SubElement(definitions, _tag("marker"))
    if not known:
        marker.attrib.update(id=f"k{len(definitions)}", markerUnits="userSpaceOnUse", overflow="visible")
        ElementTree.SubElement(marker, _tag("use"), shape)
    places = " ".join(f"{item.get('x')},{item.get('y')}" for item in marks)
    carried = dict.fromkeys(("marker-start", "marker-mid", "marker-end"), f"url(#{marker.get('id')})")
    return ElementTree.Element(_tag("polyline"), {"points": places, "fill": "none", **carried})
