"""Where cameras of a vendor differ in numbers, and what was measured of a model."""

from __future__ import annotations

from dataclasses import dataclass

MiB = 1 << 20
MOST_CHUNK = 256 * MiB  # where nothing is known: time limits a chunk before
MAX_DEPTH = 64  # of a tuning


@dataclass(frozen=True)
class Quirks:
    """Where cameras of a vendor differ; each value's evidence stands where the vendor sets it."""

    close_after_open_s: float = 0.0  # CloseSession not sooner than this after OpenSession
    reconnect_pause_s: float = 0.0  # between a close and the next Init Command Request
    max_chunk: int = MOST_CHUNK  # largest partial read asked for
    whole_objects: bool = True  # whether bodies stand GetObject of what is not small
    event_poll_s: float = 0.5  # between two polls of events, while a caller waits for one
    busy_poll_s: float = 2.0  # and while objects are read
    keep_awake_s: float = 10.0  # of silence, after which an idle camera is asked for something
    capture_s: float = 70.0  # how long a capture's events may take (libgphoto2's figure)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How to read from a model.

    depth: requests outstanding at a time. chunk: bytes of each partial read; 0: whole objects;
    None: adaptive. gain: the measured rate ÷ that of 1 MiB one at a time. note: when and how this
    was measured; in a vendor's file, the evidence. whole: whether GetObject works; None: untried.
    whole_mb_per_s: its rate (10^6 bytes a second). whole_size: bytes of the object that was
    measured; with chunk 0, larger objects are read in parts.
    """

    depth: int = 1
    chunk: int | None = None
    gain: float = 1.0
    note: str = ""
    whole: bool | None = None
    whole_mb_per_s: float | None = None
    whole_size: int | None = None

    def is_sane(self) -> bool:
        """Whether the values can be what was once written."""
        return (
            type(self.depth) is int
            and 1 <= self.depth <= MAX_DEPTH
            and (self.chunk is None or (type(self.chunk) is int and 0 <= self.chunk < 1 << 32))
            and isinstance(self.gain, (int, float))
            and 0 <= self.gain < 1e6
            and isinstance(self.note, str)
            and (self.whole is None or isinstance(self.whole, bool))
            and (self.whole_mb_per_s is None or _is_rate(self.whole_mb_per_s))
            and (self.whole_size is None or (type(self.whole_size) is int and self.whole_size > 0))
        )


def _is_rate(value: object) -> bool:
    """In MB/s; what was read back may be anything."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e6


STANDARDS_OWN = Quirks()
