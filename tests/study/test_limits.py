"""Input that would take hours or all memory is refused before the work, in a message."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from helpers.claims.verdicts import _matches
from helpers.errors import StudyError
from helpers.reading.units import MOST_UNITS, read_units
from helpers.study.data import Entity, Label, Time
from helpers.study.file import MOST_BYTES, read_yaml

SECONDS = 5.0
LABEL = Label(en="x", zh="x")


def write(folder: Path, text: str) -> Path:
    path = folder / "study.yml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[" * 50_000, "nested too deeply"),
        ("a: " + "{a: " * 50_000, "nested too deeply"),
        ("- " * 50_000, "nested too deeply"),
        ("\n".join(f"k{number}: [1, 2, 3]" for number in range(150_000)), "more than 100,000 items"),
        ("#" * (MOST_BYTES + 1), "larger than 5 MB"),
        (
            "a: &a [1, 1]\n"
            + "\n".join(
                f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefghijklmnopqr", "bcdefghijklmnopqrs", strict=True)
            ),
            "unpack into more than",
        ),
        ("a: 1\n" * 2, "the key 'a' stands twice"),
    ],
    ids=["brackets", "braces", "dashes", "many keys", "large", "references", "twice"],
)
def test_a_study_file_without_end_is_refused_at_once(text, rule, tmp_path):
    started = time.process_time()
    with pytest.raises(StudyError, match=rule):
        read_yaml(write(tmp_path, text))
    assert time.process_time() - started < SECONDS


def test_many_keys_are_read_in_a_moment(tmp_path):
    path = write(tmp_path, "\n".join(f"k{number}: 1" for number in range(40_000)))
    started = time.process_time()
    assert len(read_yaml(path)) == 40_000
    assert time.process_time() - started < SECONDS


def test_a_key_that_is_a_list_is_no_key(tmp_path):
    with pytest.raises(StudyError, match="not valid YAML"):
        read_yaml(write(tmp_path, "? [a, b]\n: 1\n"))


@pytest.mark.parametrize(
    "span", [{"first": 2015, "last": 2_000_000_000}, {"first": 2015, "last": 2021, "read_from": -(10**12)}]
)
def test_a_mistyped_period_does_not_become_millions(span):
    with pytest.raises(ValueError, match="periods, more than 2,000"):
        Time(name="year", label=LABEL, **span)


def test_a_million_entities_are_refused(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("name\n" + "\n".join(f"unit{number}" for number in range(MOST_UNITS + 1)) + "\n")
    with pytest.raises(StudyError, match="it lists 50,001 entities, more than 50,000"):
        read_units(path, Entity(name="unit", key="name", label=LABEL))


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("robustness.*.x", "robustness.leave_out.x", True),
        ("robustness.*.x", "robustness.a.b.x", False),
        ("robustness.*.x", "robustness..x", False),
        ("region.*_minus_*.x", "region.east_minus_west.x", True),
        ("region.*_minus_*.x", "region.east.x", False),
        ("*.*", "a.b", True),
    ],
)
def test_a_star_stands_for_the_rest_of_one_word(pattern, key, matches):
    assert _matches(pattern, key) is matches


def test_a_key_of_stars_is_looked_up_in_a_moment():
    started = time.process_time()
    assert not _matches("a." + "*" * 60 + "b", "a." + "c" * 60)
    assert not _matches("a." + "*c" * 25 + "b", "a." + "c" * 60)
    assert time.process_time() - started < 1.0
