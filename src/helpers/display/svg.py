"""An SVG file of matplotlib's as it is kept: coordinates to a declared number of decimals, ids in their order.

matplotlib writes six decimals, of which a printer shows one, and makes ids out of coordinates to the last bit; both
would let the rounding of a processor through. It also names every font that was there to draw with, which differ
between machines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

DECIMALS = 2
"""Of a coordinate, in points: a hundredth of a seventy-second of an inch."""

ASIDE = 3.1e-5
"""Added before rounding: coordinates lie on halves and quarters, and none may lie on the border of two decimals."""

PLACES = re.compile(r'(?<= )(?:d|x|y|points)="[^"]*"|translate\([^)]*\)')
FAMILIES = re.compile(r"(?<=font-family: )[^;\"]*")
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")


def name_families(svg: bytes, families: Sequence[str]) -> bytes:
    """The same picture whose texts all name these families and no font that happens to be on this machine."""
    named = ", ".join([*(f"'{family}'" for family in families), "sans-serif"])
    return FAMILIES.sub(named, svg.decode("utf-8")).encode("utf-8")


def round_svg(svg: bytes, name: str) -> bytes:
    """The same picture with rounded coordinates and ids that bear its name."""
    text = PLACES.sub(lambda place: NUMBER.sub(_round, place[0]), svg.decode("utf-8"))
    made = dict.fromkeys(re.findall(r'(?<=id=")[a-z][0-9a-f]{10}(?=")', text))
    ids = {old: f"{old[0]}{number}-{name}" for number, old in enumerate(made, start=1)}
    return re.sub(r'(?<=["#])[a-z][0-9a-f]{10}\b', lambda match: ids.get(match[0], match[0]), text).encode("utf-8")


def _round(match: re.Match[str]) -> str:
    rounded = f"{float(match[0]) + ASIDE:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if rounded in ("-0", "") else rounded
