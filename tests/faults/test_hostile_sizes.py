"""Files that are read back, of any content and length: little memory, and time by the byte.

Memory is that of Python's allocator, time is counted in the lines of Python that are run, so that
neither depends on the machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ptpfast import DeviceInfo, SinkError
from ptpfast.library.keep.deletion_journal import DeletionJournal
from ptpfast.library.keep.manifest import Manifest
from ptpfast.measure.summary import read_summaries
from ptpfast.state import tuning
from ptpfast.transfer.journal import Identity, Journal

SIZE = 2 << 20
HEX = "0" * 64
DEEP = b"[" * 1000 + b"]" * 1000

CONTENTS: dict[str, Callable[[int], bytes]] = {
    "newlines": lambda size: b"\n" * size,
    "carriage returns": lambda size: b"\r\n" * (size // 2),
    "letters": lambda size: b"x\n" * (size // 2),
    "spaces": lambda size: b" \n" * (size // 2),
    "empty objects": lambda size: b"{}\n" * (size // 3),
    "one line": lambda size: b"0" * size,
    "one line of a list": lambda size: b'{"a": [' + b"{}," * (size // 3) + b"{}]}",
    "almost checksums": lambda size: f"{HEX} x\n".encode() * (size // 67),
    "checksums of one file": lambda size: f"{HEX}  a\n".encode() * (size // 68),
    "checksums of many files": lambda size: b"".join(
        f"{HEX}  {number:x}\n".encode() for number in range(size // 72)
    ),
    "escapes": lambda size: b"\\" + HEX.encode() + b"  " + b"\\" * size,
    "many escapes": lambda size: (
        (b"\\" + HEX.encode() + b"  " + b"\\" * 8000 + b"\n") * (size // 8068)
    ),
    "deep": lambda size: (b'{"a":' + DEEP + b"}\n") * (size // 2010),
    "long numbers": lambda size: (b'{"a":' + b"9" * 5000 + b"}\n") * (size // 5010),
    "endless numbers": lambda size: (
        b'{"type": "summary", "schema": 1, "best_mb_per_s": 1e999999, "stalls": NaN}\n'
        * (size // 80)
    ),
    "one key": lambda size: b"{" + b'"a": 1, ' * (size // 8) + b'"a": 1}',
}
READERS: dict[str, Callable[[Path], Any]] = {
    "checksums": Manifest,
    "deletions": lambda path: DeletionJournal(path.parent).pending("camera"),
    "part's journal": lambda path: Journal(
        str(path.parent / "x"), Identity("c", 1, "x", 1, "")
    ).read(),
    "tunings": lambda _: tuning.load(DeviceInfo(manufacturer="M", model="M")),
    "earlier measurements": read_summaries,
}


def place(reader: str, folder: Path) -> Path:
    names = {
        "checksums": folder / "SHA256SUMS",
        "deletions": DeletionJournal(folder).path,
        "part's journal": folder / "x.part.json",
        "earlier measurements": folder / "runs.jsonl",
    }
    file = names.get(reader) or tuning.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def lines_run(call: Callable[[], object]) -> int:
    """Lines of Python's code that a call runs."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with contextlib.suppress(ValueError, SinkError):
            call()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_read_back_takes_a_few_times_its_size(
    tmp_path: Path, reader: str, content: str
) -> None:
    file = place(reader, tmp_path)
    file.write_bytes(CONTENTS[content](SIZE))
    tracemalloc.start()
    kept: Any = None
    try:
        with contextlib.suppress(ValueError, SinkError):  # how these files are refused
            kept = READERS[reader](file)
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # The small file of tunings is taken apart as a whole; it has a limit of 1 MiB.
    assert most < (16 if reader == "tunings" else 6) * SIZE
    del kept


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_read_back_takes_time_by_the_byte(
    tmp_path: Path, reader: str, content: str
) -> None:
    file = place(reader, tmp_path)
    counts = []
    for size in (SIZE // 32, SIZE // 8):
        file.write_bytes(CONTENTS[content](size))
        counts.append(lines_run(lambda: READERS[reader](file)))
    assert counts[1] < 5 * counts[0] + 1000
    assert counts[1] < 5 * SIZE // 8  # lines of code a byte


@pytest.mark.parametrize("content", CONTENTS)
def test_a_list_of_checksums_is_added_to_in_little_memory(tmp_path: Path, content: str) -> None:
    file = tmp_path / "SHA256SUMS"
    file.write_bytes(before := CONTENTS[content](SIZE))
    is_list = content in ("newlines", "carriage returns", "spaces") or content.endswith(
        (" of one file", " of many files", "many escapes")
    )
    tracemalloc.start()
    try:
        with contextlib.nullcontext() if is_list else pytest.raises(SinkError, match="not a list"):
            manifest = Manifest(file)
            manifest.add(tmp_path / "new.NEF", "1" * 64)
            manifest.write()
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 4 * SIZE
    if not is_list:
        assert file.read_bytes() == before
        return
    kept = before if before.endswith(b"\n") else before + b"\n"
    assert file.read_bytes() == kept + f"{'1' * 64}  new.NEF\n".encode()


def test_a_file_that_is_listed_twice_has_its_new_checksum_alone(tmp_path: Path) -> None:
    file = tmp_path / "SHA256SUMS"
    one, two, new = (letter * 64 for letter in "abc")
    file.write_text(f"{one}  a\n# odd\n{one}  b\n{two} *a\r\n{two}  b")
    manifest = Manifest(file)
    assert manifest.sha256(tmp_path / "a") == two
    manifest.add(tmp_path / "a", new)
    assert manifest.sha256(tmp_path / "a") == new
    manifest.write()
    assert file.read_text() == f"{new}  a\n# odd\n{one}  b\n{two}  b\n"
    assert Manifest(file).sha256(tmp_path / "a") == manifest.sha256(tmp_path / "a") == new


def test_of_many_measurements_the_last_ones_are_kept(tmp_path: Path) -> None:
    rows = [
        json.dumps({"type": "summary", "schema": 1, "best_mb_per_s": number})
        for number in range(3000)
    ]
    (tmp_path / "runs.jsonl").write_text("\n".join(rows))
    found = read_summaries(tmp_path / "runs.jsonl")
    assert [found[0].rates.best_mb_per_s, found[-1].rates.best_mb_per_s] == [2000, 2999]


def test_an_entry_of_the_longest_names_is_read_back(tmp_path: Path) -> None:
    identity = Identity("\U0001f4f7" * 400, 1, "\U0001f4f7" * 127, 1, "2026-01-01T00:00:00")
    journal = DeletionJournal(tmp_path)
    journal.note("proven", identity, sha256=hashlib.sha256(b"").hexdigest())
    assert list(journal.pending(identity.camera)) == [identity]
