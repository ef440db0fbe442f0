"""Numbers in which the cameras of a vendor differ, and the measured settings of a model."""

from __future__ import annotations

from dataclasses import dataclass

MiB = 1 << 20
MOST_CHUNK = 256 * MiB  # where nothing is known: time limits a chunk before
MAX_DEPTH = 64  # of a tuning


@dataclass(frozen=True)
class Quirks:
    """Numbers in which cameras of a vendor differ. The vendor's file has the evidence for each."""

    close_after_open_s: float = 0.0  # CloseSession not sooner than this after OpenSession
    reconnect_pause_s: float = 0.0  # between a close and the next Init Command Request
    max_chunk: int = MOST_CHUNK  # largest partial read asked for
    whole_objects: bool = True  # whether bodies can handle GetObject of large objects
    event_poll_s: float = 0.5  # between two polls of events, while a caller waits for one
    quick_poll_s: float = 0.5  # and right after the camera has reported something
    busy_poll_s: float = 2.0  # and while objects are read
    keep_awake_s: float = 10.0  # of silence, after which an idle camera is asked for something
    session_id: int = 1  # the first one tried with OpenSession
    fixed_chunk: int | None = None  # the only size of a partial read, unless the user wants another
    capture_s: float = 70.0  # how long a capture's events may take (libgphoto2's figure)


@dataclass(frozen=True, slots=True)
class Tuning:
    """The settings for reading from a model.

    Attributes:
        depth: Requests outstanding at a time.
        chunk: Bytes of each partial read; 0: whole objects; None: adaptive.
        gain: The measured rate ÷ that of 1 MiB one at a time.
        note: When and how this was measured; in a vendor's file, the evidence.
        whole: Whether GetObject works; None: untried.
        whole_mb_per_s: The rate of GetObject in MB/s (10^6 bytes).
        whole_size: Bytes of the measured object; with chunk 0, larger objects are read in parts.
    """

    depth: int = 1
    chunk: int | None = None
    gain: float = 1.0
    note: str = ""
    whole: bool | None = None
    whole_mb_per_s: float | None = None
    whole_size: int | None = None

    def is_sane(self) -> bool:
        """Return whether `tune` can have written these values."""
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
    """Return whether a value from a file can be a rate in MB/s."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e6


STANDARDS_OWN = Quirks()
