"""`pull --exec` and `watch --exec`: run a command for one file after the other, in a thread."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import click

from ..engine.text import in_text, on_disk
from .output import Output, plural, say
from .signals import wait_for

if TYPE_CHECKING:
    from ..library.report.results import FileResult

PLACE = "{}"  # of the file's path in the command
LONGEST_PAUSE_S = 60.0  # between two tries; the first pause is a second, each next one twice that


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of the command for one file.

    Attributes:
        path: The file.
        tries: How often the command was run.
        error: Why the last try failed; empty if it succeeded.
    """

    path: str
    tries: int
    error: str = ""


def words_of(command: str) -> list[str]:
    """Return the program and its arguments. No shell reads them. ValueError if there are none."""
    words = shlex.split(command)
    if not words:
        raise ValueError("the command is empty")
    return words if any(PLACE in word for word in words) else [*words, PLACE]


def _words(ctx: Any, param: Any, value: str | None) -> list[str] | None:
    if value is None:
        return None
    try:
        return words_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


exec_option = click.option(
    "--exec",
    "words",
    callback=_words,
    metavar="COMMAND",
    help="Run this for each file, without a shell; {} is its path.",
)
retries_option = click.option(
    "--exec-retries",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="How many times to retry a command that failed.",
)


def tell(output: Output, ran: Ran, note: Callable[[str], object]) -> None:
    """Say what came of the command for a file."""
    file = in_text(ran.path)
    output.record("exec", file=file, tries=ran.tries, error=ran.error or None)
    if ran.error:
        tries = f" ({plural(ran.tries, 'try', 'tries')})" if ran.tries > 1 else ""
        note(f"--exec failed for {file}: {in_text(ran.error)}{tries}")


class Hook:
    """Runs a command for each file that is added, in their order. Use it in a `with`."""

    def __init__(
        self, words: list[str], camera: str, retries: int, told: Callable[[Ran], object]
    ) -> None:
        """words: as `words_of` returns them. told: called in the thread after each file."""
        self._words = words
        self._camera = camera
        self._retries = retries
        self._told = told
        self.failed: int = 0  # files
        self._files: SimpleQueue[tuple[FileResult, str] | None] = SimpleQueue()
        self._is_ending = threading.Event()
        self._is_done = threading.Event()  # `Thread.join` is not safe from a Ctrl-C
        self._thread = threading.Thread(target=self._work, name="ptpfast exec", daemon=True)

    def __enter__(self) -> Hook:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until the command has been run for all files; without pauses between tries."""
        self._is_ending.set()
        self._files.put(None)
        wait_for(self._is_done)
        self._thread.join()

    def add(self, result: FileResult, camera: str = "") -> None:
        """Run the command for a downloaded file, after those that were added before.

        Args:
            result: Of the file.
            camera: The camera, if there are several.
        """
        self._files.put((result, camera or self._camera))

    def _work(self) -> None:
        try:
            while (file := self._files.get()) is not None:
                ran = self._run(*file)
                self.failed += bool(ran.error)
                self._told(ran)
        finally:
            self._is_done.set()

    def _run(self, result: FileResult, camera: str) -> Ran:
        path = os.fspath(result.path or "")
        words = [word.replace(PLACE, path) for word in self._words]
        environment = {**os.environ, **variables(result, result.camera or camera)}
        pause_s = 1.0
        for tried in range(self._retries + 1):
            if not (error := _error_of(words, environment)):
                return Ran(path, tried + 1)
            if tried < self._retries:
                self._is_ending.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return Ran(path, self._retries + 1, error)


@contextmanager
def hooked(
    output: Output, words: list[str] | None, retries: int, camera: str, shown: object
) -> Iterator[Hook | None]:
    """Yield a hook for the files of a run, None without words; wait for it at the end.

    Args:
        output: Gets the records.
        words: The command; None for no hook.
        retries: How often to run a failed one again.
        camera: The only camera.
        shown: The display, which writes lines beside its own; a failure is told without one, too.
    """
    if words is None:
        yield None
        return
    note: Callable[[str], object] = getattr(shown, "write", say)
    with Hook(words, camera, retries, lambda ran: tell(output, ran, note)) as hook:
        yield hook


def variables(result: FileResult, camera: str) -> dict[str, str]:
    """Return the environment of the command: what is known of the file."""
    info, transfer = result.object, result.transfer
    captured = info.captured if info is not None else None
    found = {
        "PTPFAST_PATH": os.fspath(result.path or ""),
        "PTPFAST_CAMERA": camera,
        "PTPFAST_TIME": captured.isoformat() if captured is not None else "",
        "PTPFAST_DIGEST": (transfer.digest or "") if transfer is not None else "",
        "PTPFAST_SIZE": str(result.size or 0),
        "PTPFAST_SOURCE": on_disk(info.path) if info is not None else "",
        "PTPFAST_FORMAT": info.kind if info is not None else "",
    }
    return {name: value.replace("\0", "") for name, value in found.items()}


def _error_of(words: list[str], environment: dict[str, str]) -> str:
    """Run the command once; return why it failed, or ''."""
    try:
        # Its output must not get between our lines; a Ctrl-C at the terminal is not meant for it.
        done = subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=_diagnostics(),
            start_new_session=True,
            check=False,
        )
    except (OSError, ValueError) as error:
        return f"{words[0]} cannot be run: {getattr(error, 'strerror', None) or error}"
    if done.returncode < 0:
        return f"{words[0]} was ended by signal {-done.returncode}"
    return f"{words[0]} ended with status {done.returncode}" if done.returncode else ""


def _diagnostics() -> int:
    """Return the descriptor of standard error; that of nothing if it is closed."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return subprocess.DEVNULL
