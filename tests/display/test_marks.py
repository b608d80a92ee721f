"""Every mark of every written picture lies inside its axes; the two ways to see that one does not."""

from pathlib import Path

import pytest

from helpers.display.figures import draw_svg, new_figure
from marks import marks_outside, written_outside

ROOT = Path(__file__).resolve().parents[2]
PICTURES = sorted((ROOT / "reports").glob("*/figures/*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=[f"{path.parts[-3]} {path.stem}" for path in PICTURES])
def test_every_mark_of_a_written_picture_lies_inside_its_axes(picture: Path):
    assert written_outside(picture) == []


@pytest.mark.parametrize("kind", ["plot", "scatter", "vlines"])
@pytest.mark.parametrize("end, beyond", [(1.0, 0), (0.9, 1)])
def test_a_mark_outside_its_axes_is_seen(kind: str, end: float, beyond: int, tmp_path: Path):
    figure, axes = new_figure()
    if kind == "vlines":
        axes.vlines([0.5], 0.2, 1.0)
    else:
        getattr(axes, kind)([0.5, 0.6], [0.2, 1.0])
    axes.set(xlim=(0, 1), ylim=(0, end))
    assert len(marks_outside(figure)) == beyond
    picture = tmp_path / "picture.svg"
    picture.write_bytes(draw_svg(figure, "picture"))
    assert len(written_outside(picture)) == beyond
    axes.set(ylim=(0, 1))
