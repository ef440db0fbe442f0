"""Whose turn it is at a connection, whatever interrupts."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import pytest

from ptpfast import ConnectionLost, Timeout
from ptpfast.link.turn import Turn


def test_no_signal_handler_that_raises_leaves_it_taken() -> None:
    class Rung(Exception):
        pass

    def ring(number: int, frame: FrameType | None) -> None:
        raise Rung

    before = signal.signal(signal.SIGALRM, ring)
    try:
        for number in range(2000):
            turn = Turn()
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + number * 1e-7)
                while True:
                    with turn.now():
                        pass
            except Rung:
                pass
            assert not turn._lock._is_owned()  # type: ignore[attr-defined]
    finally:
        signal.signal(signal.SIGALRM, before)


def test_it_is_one_threads_and_no_threads_twice() -> None:
    turn = Turn()
    with turn.now():
        assert not turn.held_by_other_thread
        with pytest.raises(RuntimeError, match="already runs a transaction"):
            turn.now()
        others: list[object] = []

        def try_it() -> None:
            others.append(turn.held_by_other_thread)
            with pytest.raises(Timeout), turn.within(0.001):
                pass

        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
        assert others == [True]
    with turn.within(0.001):
        assert not turn.held_by_other_thread
    assert not turn.held_by_other_thread
    turn.over = True
    with pytest.raises(ConnectionLost, match="has been closed"):
        turn.now()
