"""SVG files that are the same bytes whatever the last bits of the numbers that were drawn."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.display.figures import draw_svg, new_figure
from helpers.display.svg import DECIMALS, round_svg


def draw(noise: float) -> bytes:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 200))
    figure, axes = new_figure()
    axes.plot(x * (1 + noise), y * (1 - noise))
    axes.scatter(x * (1 + noise), y)
    axes.set_title("Title")
    return draw_svg(figure, "made")


@pytest.mark.parametrize("noise", [1e-15, -3e-14, 1e-12])
def test_last_bits_do_not_reach_the_picture(noise):
    assert draw(noise) == draw(0.0)


def test_what_can_be_seen_does():
    assert draw(1e-3) != draw(0.0)


def test_coordinates_are_rounded_and_scales_are_not():
    svg = b'<svg><path d="M 1.23456 -0.0001 L 10.5 3.125e-05"/><g transform="translate(7.12345 2) scale(0.015625)"/></svg>'
    rounded = round_svg(svg, "made").decode()
    assert 'd="M 1.23 0 L 10.5 0"' in rounded
    assert "translate(7.12 2) scale(0.015625)" in rounded
    assert DECIMALS == 2


def test_ids_are_counted_and_what_refers_to_them_follows():
    svg = b'<svg><clipPath id="p0123456789"/><path id="m9876543210"/><use xlink:href="#m9876543210" clip-path="url(#p0123456789)"/><g id="axes_1"/></svg>'
    assert round_svg(svg, "made").decode() == (
        '<svg><clipPath id="p1-made"/><path id="m2-made"/><use xlink:href="#m2-made" clip-path="url(#p1-made)"/><g id="axes_1"/></svg>'
    )


def test_a_colour_is_no_id():
    svg = b'<svg><g style="fill: #0072b2; stroke: #a0123456789"/></svg>'
    assert round_svg(svg, "made") == svg
