"""Work that starts before its turn and waits at a gate."""

from __future__ import annotations

import threading

import pytest

from helpers.runner.ahead import Ahead, NotNeededError, Queue


def wait(condition):
    assert any(threading.Event().wait(0.01) or condition() for _ in range(500))


@pytest.fixture
def heard():
    return []


@pytest.fixture
def work(heard):
    def make(name):
        def go(gate):
            heard.append(f"{name} starts")
            gate()
            heard.append(f"{name} goes on")
            return len(name)

        return go

    return make


def test_work_waits_at_its_gate(heard, work):
    piece = Ahead(work("a"))
    wait(lambda: heard)
    assert heard == ["a starts"]
    assert piece.finish() == 1
    assert heard == ["a starts", "a goes on"]


def test_work_that_is_dropped_ends_at_its_gate(heard, work):
    piece = Ahead(work("a"))
    piece.drop()
    assert heard == ["a starts"]
    with pytest.raises(NotNeededError):
        piece.finish()


def test_an_error_before_the_gate_is_raised_where_the_result_is_asked_for():
    def fail(_):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Ahead(fail).finish()


def test_only_some_pieces_are_ahead(heard, work):
    queue = Queue({name: work(name) for name in "abc"})
    queue.start(1)
    wait(lambda: heard)
    assert heard == ["a starts"]
    assert queue.finish("a", work("a")) == 1
    wait(lambda: "b starts" in heard)
    queue.close()
    assert sorted(heard) == ["a goes on", "a starts", "b starts"]


def test_work_out_of_turn_is_done_all_the_same(heard, work):
    queue = Queue({name: work(name) for name in "ab"})
    queue.finish("b", work("b"))
    queue.close()
    assert "b goes on" in heard


def test_a_dropped_piece_makes_room_for_the_next(heard, work):
    queue = Queue({name: work(name) for name in "ab"})
    queue.start(1)
    wait(lambda: heard)
    queue.drop("a")
    wait(lambda: "b starts" in heard)
    queue.close()
    assert "b goes on" not in heard
