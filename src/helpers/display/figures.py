"""Pictures: one house style, the project's own font, and SVG files that are the same bytes on every run."""

from __future__ import annotations

import base64
import html
import io
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.display.prose import View
from helpers.display.svg import name_families, round_svg
from helpers.errors import StudyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), distinct for every common kind of colour blindness and in grey print; the order is by use.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C", "#000000")
INK = "#222222"
QUIET = "#767676"
GRID = "#E3E3E3"
WIDTH = 6.0  # inches; small, so that text stays readable when a phone shrinks the picture


class FigureView(View):
    """A figure with its caption; the picture is inside, as SVG."""


def region_colours(regions: tuple[str, ...] | list[str]) -> dict[str, str]:
    """The colour of each region, the same in every picture: by place in the study's own order."""
    return {region: PALETTE[place % len(PALETTE)] for place, region in enumerate(regions)}


OWN_FAMILIES = ("Study Sans SC", "DejaVu Sans")
"""What every written picture names: the project's own font, and the one that comes with matplotlib."""
FONT = Path(__file__).parent / "fonts" / "StudySansSC-Regular.otf"
# Looked at only for characters that the project's own font lacks, and only those that the machine has.
SYSTEM_FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei")

STYLE: dict[str, Any] = {
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 10.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "figure.figsize": (WIDTH, 3.8),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "text.parse_math": False,  # a study's words may hold two dollar signs
    "svg.fonttype": "none",
}


@cache
def font_families() -> tuple[str, ...]:
    """The families that draw text, in order: the project's own, matplotlib's, then a Chinese one of the system."""
    from matplotlib import font_manager

    font_manager.fontManager.addfont(FONT)
    here = {font.name for font in font_manager.fontManager.ttflist}
    return (*OWN_FAMILIES, *(name for name in SYSTEM_FONTS if name in here))


def set_style() -> None:
    """Put the house style on for every picture drawn from now on."""
    import matplotlib as mpl
    from cycler import cycler

    for name, item in STYLE.items():
        mpl.rcParams[name] = item  # type: ignore[index]
    mpl.rcParams["font.family"] = list(font_families())
    mpl.rcParams["axes.prop_cycle"] = cycler(color=PALETTE)


def new_figure(rows: int = 1, columns: int = 1, *, height: float = 3.8, **options: Any) -> tuple[Figure, Any]:
    """A figure of the report's width in the house style, and its axes as ``plt.subplots`` gives them."""
    import matplotlib.pyplot as plt

    set_style()
    return plt.subplots(rows, columns, figsize=(WIDTH, height), **options)


def draw_svg(figure: Figure, name: str) -> bytes:
    """The picture as SVG: text as text, no date, the same bytes for the same picture.

    Raises
    ------
    StudyError
        A character for which no font has a glyph.
    """
    import matplotlib as mpl

    target = io.BytesIO()
    with warnings.catch_warnings(), mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        warnings.filterwarnings("error", message=r"Glyph .* missing from")
        try:
            figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
        except UserWarning as warning:
            raise StudyError(
                f"figure {name}",
                f"no font of this machine draws a character of its text ({warning})",
                "use another character, or install a font that has it (for Chinese: Noto Sans CJK)",
            ) from None
    return round_svg(name_families(target.getvalue(), OWN_FAMILIES), name)


def show_svg(svg: bytes, *, caption: str, alt: str) -> FigureView:
    """A picture with its caption. As an image element the SVG is sealed: nothing in it can run or load."""
    if not alt.strip():
        raise StudyError(f"figure {caption!r}", "it has no description", "say in `alt` what the picture shows")
    data = base64.b64encode(svg).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(alt)}">'
    body = f"{image}<figcaption>{html.escape(caption)}</figcaption>"
    return FigureView(f'<figure class="picture">{body}</figure>', f"{caption}\n{alt}")


def draw_estimates(axes: Axes, estimates: Any, *, label: str = "", marked: str | None = None) -> Axes:
    """Estimates with their intervals, one row each, first on top, a line at zero.

    Parameters
    ----------
    estimates
        DataFrame indexed by the rows' labels, columns estimate, ci_low, ci_high.
    label
        Of the horizontal axis.
    marked
        The row to show in the first colour; the others are grey. All in the first colour when left out.
    """
    places = range(len(estimates))
    for place, (name, row) in zip(places, estimates.iterrows(), strict=True):
        colour = PALETTE[0] if marked is None or name == marked else QUIET
        axes.plot([row["ci_low"], row["ci_high"]], [place, place], color=colour, solid_capstyle="butt")
        axes.plot(row["estimate"], place, "o", color=colour, markersize=6)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(list(places), [str(name) for name in estimates.index])
    axes.set_ylim(len(estimates) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.set_xlabel(label)
    return axes
