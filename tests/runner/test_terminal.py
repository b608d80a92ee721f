"""The progress line: on a terminal one line, elsewhere nothing."""

from __future__ import annotations

import io

import pytest

from helpers.runner import execution
from helpers.runner.terminal import ProgressLine


class Terminal(io.StringIO):
    """Text that says of itself that it is a terminal."""

    def isatty(self):
        """It says so."""
        return True


def test_nothing_is_written_where_there_is_no_terminal():
    stream = io.StringIO()
    with ProgressLine(stream):
        assert execution.listeners == []
    assert stream.getvalue() == ""


def test_the_line_names_notebook_cell_and_seconds():
    line = ProgressLine(Terminal())
    line.update("03_baseline_regression", 4, 17)
    assert line.text() == "03_baseline_regression cell 4 of 17, 0.0 s"


def test_notebooks_side_by_side_share_one_line():
    line = ProgressLine(Terminal())
    line.update("04_b", 1, 2)
    line.update("03_a", 2, 2)
    assert line.text() == "03_a cell 2 of 2, 0.0 s   04_b cell 1 of 2, 0.0 s"


def test_a_notebook_at_its_end_leaves_the_line():
    with ProgressLine(Terminal()) as line:
        line.update("03_a", 1, 2)
        line.update("03_a", 3, 2)
        assert line.text() == ""


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_what_is_told_stays_in_a_line_of_its_own(stream, capsys):
    with ProgressLine(stream) as line:
        line.tell("03_a: ran for 1.0 s")
    assert capsys.readouterr().out == "03_a: ran for 1.0 s\n"


def test_a_notebook_that_never_began_is_not_named():
    stream = Terminal()
    with ProgressLine(stream) as line:
        line.update("03_a", 3, 2)
    assert "03_a" not in stream.getvalue()


def test_the_line_stops_listening_at_the_end():
    with ProgressLine(Terminal()) as line:
        assert execution.listeners == [line.update]
    assert execution.listeners == []
