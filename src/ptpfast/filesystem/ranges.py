"""Many ranges of files at once: neighbours are merged, and requested one behind the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .queue import Range, RangeQueue
from .target import Target

MERGED_GAP = 64 << 10  # bytes between two ranges that cost less than a request
LARGEST_MERGED = 32 << 20


def resolved(start: int | None, end: int | None, size: int) -> tuple[int, int]:
    """Return a range as Python slices it: [start, end) within `size`, not reversed."""
    first, last, _ = slice(start, end).indices(size)
    return first, max(first, last)


@dataclass(slots=True)
class _Merged:
    start: int
    end: int
    members: list[tuple[int, int, int]] = field(default_factory=list)  # position, start, end


def merged(spans: Sequence[tuple[int, int, int]], gap: int) -> list[_Merged]:
    """Merge (position, start, end) of one file where at most `gap` bytes are between them."""
    rows: list[_Merged] = []
    for position, start, end in sorted(spans, key=lambda span: span[1:]):
        last = rows[-1] if rows else None
        if (
            last is None
            or start > last.end + gap
            or max(end, last.end) - last.start > LARGEST_MERGED
        ):
            last = _Merged(start, end)
            rows.append(last)
        last.end = max(last.end, end)
        last.members.append((position, start, end))
    return rows


class Spans:
    """Ranges of files, by path. `add` each, then `read` all; `close` after it."""

    def __init__(self, queue: RangeQueue, target: Callable[[str], Target]) -> None:
        self._queue = queue
        self._target = target
        self._sized: dict[str, tuple[Target, int]] = {}
        self._wanted: list[tuple[Target, int, int] | Exception] = []

    def add(self, path: str, start: int | None, end: int | None) -> None:
        """Add a range, as Python slices it; what is wrong with it becomes its result."""
        try:
            if path not in self._sized:
                target = self._target(path)
                self._sized[path] = target, target.size(self._queue.camera)
            target, size = self._sized[path]
            self._wanted.append((target, *resolved(start, end, size)))
        except Exception as error:  # noqa: BLE001 - it is the result
            self._wanted.append(error)

    def read(self, gap: int) -> list[bytes | BaseException]:
        """Read the ranges, and return the bytes of each, or its error."""
        results: list[bytes | BaseException] = [
            b"" if isinstance(row, tuple) else row for row in self._wanted
        ]
        spans: dict[Target, list[tuple[int, int, int]]] = {}
        for position, row in enumerate(self._wanted):
            if isinstance(row, tuple) and row[2] > row[1]:
                spans.setdefault(row[0], []).append((position, *row[1:]))
        due = [
            (each, Range(target, each.start, each.end - each.start))
            for target, several in spans.items()
            for each in merged(several, gap)
        ]
        self._queue.add([wanted for _, wanted in due])
        try:
            while due:
                _share(*due.pop(0), results)
        finally:  # Ctrl-C
            for _, left in due:
                left.future.cancel()
        return results

    def close(self) -> None:
        """Remove temporary files."""
        for target, _ in self._sized.values():
            target.close()


def _share(row: _Merged, wanted: Range, results: list[bytes | BaseException]) -> None:
    error = wanted.future.exception()
    if error is None:
        view = memoryview(wanted.future.result())
        for position, start, end in row.members:
            results[position] = bytes(view[start - row.start : end - row.start])
    else:
        for position, _, _ in row.members:
            results[position] = error
