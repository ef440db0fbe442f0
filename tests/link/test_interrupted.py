"""A signal handler that raises at any moment: no descriptor, thread or lock is left over.

Python runs handlers after calls, at the start of a function and at a loop's jump back, so the tests
raise behind each of these in turn, in the functions that own something, by tracing.
"""

from __future__ import annotations

import dis
import fcntl
import gc
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import Cameras
from ptpfast import Timeouts
from ptpfast.engine.sink import Descriptor
from ptpfast.link.turn import Turn
from ptpfast.ownership import files
from ptpfast.ownership.folders import turn
from ptpfast.ownership.readback import read_back
from ptpfast.transfer.syncing import sync_folder
from ptpfast.transfer.verify import hash_from_disk

BRISK = Timeouts(connect=10, operation=10, idle=10, close=1)


RUN_HANDLERS = ("CALL", "RESUME", "JUMP_BACKWARD", "JUMP_ABSOLUTE")


class Rung(BaseException):
    """What the handler raises."""


def raise_at(moment: int, files: tuple[str, ...], work: Callable[[], object], *, ops: bool) -> bool:
    """Runs `work` and raises at its `moment`th line in these files, or with `ops` instruction
    behind which Python runs handlers; False when it has fewer. `__del__` is left alone."""
    left, last = moment, dict[Any, str]()

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal left
        code = frame.f_code
        if not code.co_filename.endswith(files) or code.co_name == "__del__":
            return None
        frame.f_trace_opcodes = ops
        due = event == "line" and not ops
        if event == "opcode" and ops:
            due = last.get(frame, "").startswith(RUN_HANDLERS)
            last[frame] = dis.opname[code.co_code[frame.f_lasti]]
        if due:
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise Rung
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except Rung:
        return True
    finally:
        sys.settrace(before)
        last.clear()
        gc.collect()  # traced frames and this tracer hold each other
    return left < 0


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_turn_is_never_left_taken() -> None:
    turn, moment = Turn(), 0

    def work() -> None:
        with turn.now():
            pass
        with turn.within(0.01):
            pass
        assert not turn.held_by_other_thread

    while raise_at(moment, ("turn.py",), work, ops=True):
        assert not turn._lock._is_owned()  # type: ignore[attr-defined]
        moment += 1
    assert moment > 5


def test_a_connection_is_settled_or_its_turn_is_free(camera: Cameras, connect: Any) -> None:
    session, moment = connect(camera(objects=1)), 0
    connection = session.link.connection
    while raise_at(moment, ("connection.py", "turn.py"), lambda: connection.settle(1), ops=True):
        assert not connection._turn._lock._is_owned()
        moment += 1
    assert moment > 2
    assert session.objects()


def folder_turn(path: Path) -> None:
    with turn(path.parent, 1.0):
        pass


def looked_at(path: Path) -> None:
    with files.open_ours(str(path)):
        pass


WORKS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "turn of a folder": ("folders.py", folder_turn),
    "file of ours": ("files.py", looked_at),
    "file read back": ("readback.py", lambda path: read_back(path, 100)),
    "folder to the disk": ("syncing.py", lambda path: sync_folder(str(path.parent))),
    "checksum from the disk": ("verify.py", lambda path: hash_from_disk(str(path))),
}


@pytest.mark.parametrize("name", WORKS)
def test_a_file_is_never_left_open_or_locked(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").write_bytes(b"x" * 100)
    file, work = WORKS[name]
    before, moment = descriptors(), 0
    while raise_at(moment, (file,), lambda: work(tmp_path / "x"), ops=True):
        assert descriptors() == before, moment
        with Descriptor(tmp_path, os.O_RDONLY) as folder:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        moment += 1
    assert moment > 2


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a socket says that it closes itself
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_is_interrupted_as_it_opens_leaves_nothing(camera: Cameras) -> None:
    sim, moment = camera(objects=1, pending_s=0.5), 0
    files = (
        "ptpfast/transport/handshake.py",
        "ptpfast/link/connection.py",
        "ptpfast/link/events.py",
    )

    def work() -> None:
        ptpfast.connect(sim.host, port=sim.port, timeouts=BRISK).close()

    work()  # then the camera's own thread has opened all that it keeps open
    assert sim.wait_for(lambda: not sim.serving)
    threads, before = threading.active_count(), descriptors()

    def is_over() -> bool:
        return (threading.active_count(), descriptors()) == (threads, before)

    while raise_at(moment, files, work, ops=True):
        for thread in threading.enumerate():
            if thread.name.startswith("ptpfast events"):
                thread.join(10)
        # The camera says nothing once its thread has ended, so it is looked at again.
        assert any(sim.wait_for(is_over, 0.01) for _ in range(2000)), (moment, descriptors())
        moment += 3  # each takes a session's time
    assert moment > 100
    work()


def test_a_descriptor_is_closed_with_its_last_reference(tmp_path: Path) -> None:
    before = descriptors()
    held = Descriptor(tmp_path, os.O_RDONLY)
    assert os.fstat(held.fileno()).st_ino == tmp_path.stat().st_ino
    assert not os.get_inheritable(held.number)
    held.close()
    held.close()
    with pytest.raises(FileNotFoundError):
        Descriptor(tmp_path / "missing", os.O_RDONLY)
    Descriptor(tmp_path, os.O_RDONLY)
    assert descriptors() == before
