"""The output of a command: results on standard output, messages on standard error.

With `--json` standard output is JSON Lines: one object per line, `type` first, and a header with
the schema's version. All output for a terminal goes through `printable`; JSON is plain ASCII.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any, TextIO

from .._version import __version__
from ..engine.text import printable
from ..ptp.errors import disk_error
from .failure import Failure, OutputClosed

SCHEMA = 1
_NO_BREAK = "\0"  # no text for a terminal has one
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:[kMGT]?B(?:/s)?|s|min|h)\b)")


class Output:
    """The two streams of one run. OutputClosed if standard output is closed,
    SinkError when it cannot be written."""

    def __init__(
        self,
        command: str,
        *,
        json: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        plain: bool = False,
    ) -> None:
        self.plain = plain
        self.last_sentence: str = ""
        self.command = command
        self.json = json
        self.quiet = quiet
        self.verbose = verbose

    def header(self) -> None:
        """Write the first line with `--json`; else nothing."""
        self.record("header", schema=SCHEMA, command=self.command, version=__version__)

    def record(self, type: str, /, **fields: Any) -> None:
        """Write a line of JSON with `--json`; else nothing."""
        if self.json:
            # All but ASCII is escaped; so is the one control character that JSON leaves.
            self._write(json.dumps({"type": type, **fields}).replace("\x7f", "\\u007f"))

    def result(self, text: str, *, whole: bool = False, paths: Sequence[str] = ()) -> None:
        """Write a line to standard output, unless that is JSON. Tabs are kept between columns.

        On a terminal it is broken between words.

        Args:
            text: The line.
            whole: Break it nowhere, as it is meant for programs.
            paths: Parts of it that are not broken at their spaces, to be copied.
        """
        if not self.json:
            text = "\t".join(map(printable, text.split("\t")))
            self._write(text if whole or sys.stdout is None else wrapped(text, sys.stdout, paths))

    def sentence(self, text: str) -> None:
        """Write a sentence to standard output, broken between words on a terminal."""
        self.last_sentence = text
        if not self.json:
            text = printable(text)
            self._write(text if sys.stdout is None else wrapped(text, sys.stdout))

    def row(self, label: str, value: str) -> None:
        """Write a line with a label and a value, which may come from the camera."""
        self.result(f"{label:<20} {value}")

    def note(self, text: str) -> None:
        """Write a line to standard error, unless `--quiet`."""
        if not self.quiet:
            say(text)

    def fail(self, failure: Failure, error: BaseException | None = None) -> None:
        """One line on standard error, and a record."""
        if failure.status == OutputClosed.STATUS:
            return
        if failure.defect and self.verbose and error is not None:
            say("".join(traceback.format_exception(error)), one_line=False)
        text = failure.message + (f"; {failure.hint}" if failure.hint else "")
        say(f"ptpfast: {text}")
        self.record(
            "error", message=failure.message, hint=failure.hint or None, status=failure.status
        )

    @property
    def for_terminal(self) -> bool:
        """Whether results are read by a person on a terminal."""
        return not self.json and is_terminal(sys.stdout)

    def _write(self, line: str) -> None:
        stream = sys.stdout
        if stream is None:  # started with standard output closed
            return
        try:
            stream.write(line + "\n")
            stream.flush()
        except BrokenPipeError:
            _drop_output()
            raise OutputClosed from None
        except OSError as error:
            _drop_output()
            hint = "check the disk or program that standard output goes to"
            raise disk_error("write", "the output", error, hint=hint) from error


def say(text: str, *, one_line: bool = True) -> None:
    """Write a line to standard error, safe for a terminal. A closed output is no error."""
    if sys.stderr is None:
        return
    try:
        lines = [text] if one_line else text.splitlines()
        sys.stderr.write("".join(wrapped(printable(line), sys.stderr) + "\n" for line in lines))
        sys.stderr.flush()
    except OSError:
        pass


def wrapped(text: str, stream: TextIO, paths: Sequence[str] = ()) -> str:
    """Return a sentence in lines that fit a terminal, broken between words but not inside the
    paths; elsewhere unchanged."""
    if not is_terminal(stream):
        return text
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return text
    return in_lines(text, columns or 80, paths)


def in_lines(text: str, columns: int, paths: Sequence[str] = ()) -> str:
    """Return a text in lines of so many columns. Words stay whole, and so do numbers with units
    and the paths in it."""
    import textwrap

    if len(text) <= columns and "\t" not in text:
        return text
    for path in map(printable, paths):
        text = text.replace(path, path.replace(" ", _NO_BREAK))
    lines = textwrap.wrap(
        _BEFORE_UNIT.sub(_NO_BREAK, text),
        columns,
        break_long_words=False,
        break_on_hyphens=False,
        subsequent_indent="  ",
    )
    return "\n".join(lines).replace(_NO_BREAK, " ")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream goes to a terminal."""
    return stream is not None and stream.isatty()


def _drop_output() -> None:
    """Discard the buffer, which would fail again when Python ends."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def human_size(size: int | None) -> str:
    """Bytes for people, in powers of 1000: `25.0 MB`."""
    if size is None:
        return "?"
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.95:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def human_chunk(size: int) -> str:
    """Bytes asked for at a time, which are powers of two as a rule: `1 MiB`, else `2.0 MB`."""
    for factor, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size and not size % factor:
            return f"{size // factor} {unit}"
    return human_size(size)


def human_seconds(seconds: float) -> str:
    """Return a duration as people read it: `0.80 s`, `3 min 07 s`, `2 h 05 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 file`, `3 files`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
