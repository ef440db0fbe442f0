"""The fuzzed sessions: some of them each time, and that what must not be would be found."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz import ROOT, target_process, targets
from fuzz.cameras import Plan
from fuzz.sessions import LEAKS_OF_PYTHON, Worker, _only_pythons_own_leaks
from fuzz.truth import Told
from fuzz.visit import FindingError, Visit
from fuzz.watch import Watch

import ptpfast

pytestmark = pytest.mark.tools


def test_some_sessions_with_a_camera_that_lies_find_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    words = [sys.executable, "-m", "fuzz.session_process", "1", "60", "1000", str(state)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    seed, sessions, compared = map(int, state.read_text().split())
    assert (seed, sessions) == (-1, 60)
    assert compared > 30


def a_visit(folder: Path) -> tuple[Visit, int, int, bytes]:
    """A visit, and an object of its camera: handle, size, bytes."""
    visit = Visit(1, 0, folder, Plan("standard", "standard"))
    stored = visit.card.files()[3]
    content = b"".join(visit.card.expected(stored.handle).spans(0, stored.size))
    return visit, stored.handle, stored.size, content


@pytest.mark.parametrize("wrong", ["a byte", "shorter", "longer", "of nothing"])
def test_bytes_that_are_not_the_camera_s_are_a_finding(tmp_path: Path, wrong: str) -> None:
    visit, handle, size, content = a_visit(tmp_path)
    visit.claims.append((handle, size, content))
    visit.check(Told())
    changed = bytearray(content)
    if wrong == "a byte":
        changed[100] ^= 1
    elif wrong == "of nothing":
        handle = 0xBAD
    else:
        changed = changed[:-1] if wrong == "shorter" else changed + b"x"
    visit.claims.append((handle, size, bytes(changed)))
    with pytest.raises(FindingError):
        visit.check(Told())


def test_bytes_no_protocol_can_vouch_for_are_asked_for_their_number_only(tmp_path: Path) -> None:
    visit, handle, size, content = a_visit(tmp_path)
    visit.claims.append((handle, size, bytes(len(content))))
    visit.check(Told(risky={handle}))
    visit.claims.append((handle, size, content[1:]))
    with pytest.raises(FindingError):
        visit.check(Told(risky={handle}))


def test_a_file_nobody_spoke_of_is_a_finding(tmp_path: Path) -> None:
    visit, *_ = a_visit(tmp_path)
    (tmp_path / "x.NEF.part").touch()
    (tmp_path / "SHA256SUMS").touch()
    visit.check(Told())
    (tmp_path / "x.NEF").touch()
    with pytest.raises(FindingError, match=r"x\.NEF"):
        visit.check(Told())


def test_what_a_user_may_not_see_is_a_finding(tmp_path: Path) -> None:
    visit, *_ = a_visit(tmp_path)

    def defect() -> None:
        raise KeyError("of ours")

    with pytest.raises(FindingError, match="KeyError"):
        visit.attempt("something", defect)


WRITES = {
    "a file": "open(outside / 'x', 'w')",
    "a descriptor": "os.open(outside / 'x', os.O_WRONLY | os.O_CREAT)",
    "a link": "os.symlink('/', outside / 'x')",
    "a folder": "os.mkdir(outside / 'x')",
    "another name": "os.rename(jail.folder / 'a', outside / 'x')",
    "through a link": "os.symlink(outside, jail.folder / 'l'); open(jail.folder / 'l' / 'x', 'w')",
}


@pytest.mark.parametrize("what", WRITES)
def test_a_write_outside_of_the_jail_is_noted(tmp_path: Path, what: str) -> None:
    script = (
        "import os, pathlib, sys\n"
        "from fuzz.session_process import Jail\n"
        "outside, jail = pathlib.Path(sys.argv[1]), Jail()\n"
        "(jail.folder / 'a').write_text('fine')\n"
        "assert not jail.escapes\n"
        f"{WRITES[what]}\n"
        "assert jail.escapes\n"
        "jail.close()\n"
    )
    # A process of its own: the hook that watches stays as long as the process does.
    words = [sys.executable, "-c", script, str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, env={**os.environ, "TMPDIR": str(tmp_path.parent)})


@pytest.fixture
def watch() -> Iterator[Watch]:
    before = threading.excepthook
    watch = Watch()
    yield watch
    threading.excepthook = before
    logging.getLogger("ptpfast").removeHandler(watch)


def test_an_exception_that_is_only_logged_is_a_finding(watch: Watch) -> None:
    log = logging.getLogger("ptpfast")
    log.warning("a poll failed", exc_info=ptpfast.PTPError("the camera refuses"))
    watch.check()
    log.warning("a poll failed", exc_info=KeyError("of ours"))
    with pytest.raises(FindingError, match="a poll failed: KeyError"):
        watch.check()
    watch.check()  # told once


def test_an_exception_that_ends_a_thread_is_a_finding(watch: Watch) -> None:
    def defect() -> None:
        raise IndexError("of ours")

    thread = threading.Thread(target=defect)
    thread.start()
    thread.join()
    with pytest.raises(FindingError, match="IndexError"):
        watch.check()


DEFECT = """
import logging, pathlib, sys
from fuzz.session_process import Sessions
from fuzz.visit import FindingError, Visit

def defect(visit, port, gate_port):
    logging.getLogger("ptpfast").warning("a poll failed", exc_info=KeyError("of ours"))

Visit.run = defect
sessions = Sessions(pathlib.Path(sys.argv[1]))
try:
    sessions.one(1)
except FindingError as error:
    assert "of ours" in str(error)
else:
    sys.exit("nothing was found")
finally:
    sessions.close()
"""


def test_a_session_behind_which_an_error_was_logged_is_a_finding(tmp_path: Path) -> None:
    words = [sys.executable, "-c", DEFECT, str(tmp_path / "state")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_leaks_that_grow_with_the_sessions_are_told_from_python_s_own() -> None:
    summary = "SUMMARY: AddressSanitizer: 99 byte(s) leaked in {} allocation(s)."
    assert _only_pythons_own_leaks(summary.format(53))
    assert not _only_pythons_own_leaks(summary.format(LEAKS_OF_PYTHON + 1))
    assert not _only_pythons_own_leaks(f"ERROR: AddressSanitizer: overflow {summary.format(1)}")
    assert not _only_pythons_own_leaks("killed")


def test_a_process_that_dies_is_a_finding_with_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzz.sessions.WORK", tmp_path)
    monkeypatch.setattr("fuzz.sessions.FINDINGS", tmp_path)
    worker = Worker(0, 1, 0.0, "plain", count=1)
    worker.process = subprocess.Popen([sys.executable, "-c", "import os; os._exit(3)"])
    worker.process.wait()
    worker.log.write_text("seed 4 visit 0: dead")
    worker._state.write_text("4 3 2")
    assert worker.over()
    assert worker.done == 3
    assert "seed 4" in worker.findings[0]


def test_fuzzing_by_chance_stops_at_a_finding_and_leaves_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_zeros(data: bytes) -> None:
        assert b"\0" not in data

    monkeypatch.setitem(targets.TARGETS, "packets", targets.Target(no_zeros, list))
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "x").write_bytes(b"some")
    options = ["-runs=-1", *_options(tmp_path)]
    with pytest.raises(AssertionError):
        target_process.unguided("packets", [*options, str(tmp_path / "known")])
    left = (tmp_path / "last-input").read_bytes()
    assert b"\0" in left[4 : 4 + int.from_bytes(left[:4], "little")]


def test_fuzzing_by_chance_ends_after_the_runs_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[bytes] = []
    monkeypatch.setitem(targets.TARGETS, "packets", targets.Target(seen.append, list))
    (tmp_path / "x").write_bytes(b"some")
    target_process.unguided("packets", ["-runs=7", *_options(tmp_path), str(tmp_path)])
    assert len(seen) == 7
    assert "number_of_executed_units: 7" in capsys.readouterr().out


def _options(folder: Path) -> list[str]:
    return ["-seed=1", "-max_len=9", "-max_total_time=60", f"-artifact_prefix={folder}/"]
