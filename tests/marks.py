"""Whether every drawn mark lies inside its axes: of a figure in memory, and of a written picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
DOT = 15.0
"""Half the size of the largest dot, in points: a mark is where its centre is."""
EDGE = 1.0
"""Points by which the corner of a line may stand out."""

Box = tuple[float, float, float, float]


def marks_outside(figure: Any) -> list[str]:
    """The lines and dots of a figure that have a point outside the limits of their axes."""
    return [f"{axes.get_title(loc='left')!r}: {mark}" for axes in figure.axes for mark in _outside_of(axes)]


def _outside_of(axes: Any) -> Iterator[str]:
    low, high = np.sort(np.array([axes.get_xlim(), axes.get_ylim()]), axis=1).T
    slack = 1e-6 * (high - low)
    for mark, points in chain(_lines(axes), _collections(axes)):
        known = points[np.isfinite(points).all(axis=1)]
        if ((known < low - slack) | (known > high + slack)).any():
            yield str(mark)


def _lines(axes: Any) -> Iterator[tuple[Any, Any]]:
    for line in axes.lines:
        if line.get_visible() and line.get_transform() == axes.transData:
            yield line, np.asarray(line.get_xydata(), dtype=float)


def _collections(axes: Any) -> Iterator[tuple[Any, Any]]:
    for drawn in axes.collections:
        if drawn.get_offset_transform() == axes.transData and len(drawn.get_offsets()):
            yield drawn, np.ma.filled(np.ma.asarray(drawn.get_offsets(), dtype=float), np.nan)
        elif drawn.get_transform() == axes.transData:
            yield drawn, np.concatenate([path.vertices for path in drawn.get_paths()] or [np.empty((0, 2))])


def written_outside(picture: Path) -> list[str]:
    """The groups of an SVG file that hold a clipped mark with a point outside the box that clips it."""
    root = ElementTree.parse(picture).getroot()
    boxes = dict(_boxes(root))
    shapes = {path.get("id"): _points(path.get("d", "")) for path in root.iter(f"{SVG}path") if path.get("id")}
    return [
        group
        for mark, group, clip in _marks(root, "", "")
        if clip in boxes and not all(_is_inside(point, boxes[clip]) for point in _places(mark, shapes))
    ]


def _marks(node: Any, group: str, clip: str) -> Iterator[tuple[Any, str, str]]:
    """Every path or dot beneath a node, with the group that holds it and the id of what clips it."""
    clip = node.get("clip-path", "")[5:-1] or clip
    if node.tag in (f"{SVG}path", f"{SVG}use"):
        yield node, group, clip
    for child in node:
        yield from _marks(child, node.get("id") or group, clip)


def _boxes(root: Any) -> Iterator[tuple[str, Box]]:
    for clip in root.iter(f"{SVG}clipPath"):
        for rectangle in clip.iter(f"{SVG}rect"):
            x, y, width, height = (float(rectangle.get(name)) for name in ("x", "y", "width", "height"))
            yield clip.get("id"), (x, y, x + width, y + height)


def _places(mark: Any, shapes: dict[str | None, list[tuple[float, float]]]) -> list[tuple[float, float]]:
    if mark.tag == f"{SVG}path":
        return _points(mark.get("d", ""))
    x, y = float(mark.get("x", 0)), float(mark.get("y", 0))
    shape = shapes.get(str(mark.get("{http://www.w3.org/1999/xlink}href") or mark.get("href"))[1:], [])
    if all(abs(part) <= DOT for point in shape for part in point):
        return [(x, y)]
    return [(x + across, y + up) for across, up in shape]


def _points(text: str) -> list[tuple[float, float]]:
    """The points through which a path goes."""
    found = []
    for numbers in re.findall(r"[MLCQ]([^A-Za-z]*)", text):
        parts = [float(part) for part in NUMBER.findall(numbers)]
        found.append((parts[-2], parts[-1]))
    return found


def _is_inside(point: tuple[float, float], box: Box) -> bool:
    (x, y), (left, top, right, bottom) = point, box
    return left - EDGE <= x <= right + EDGE and top - EDGE <= y <= bottom + EDGE
