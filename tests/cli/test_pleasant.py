"""What makes the command line pleasant: help, narrow terminals, plain lines, notifications."""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import at, records, run
from conftest import Cameras
from ptpfast import __version__
from ptpfast.cli import bars, notification
from ptpfast.cli.main import COMMANDS
from ptpfast.cli.output import Output
from ptpfast.cli.progress import Lines, StatusLine, display
from ptpfast.library import limits


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class AtOnce:
    """A timer that is over before it begins."""

    def __init__(self, seconds: float, expire: Callable[[], object]) -> None:
        self._expire = expire

    def start(self) -> None:
        self._expire()

    def cancel(self) -> None:
        pass

    join = cancel


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


# Help


@pytest.mark.parametrize("words", [[], ["pull"], ["history", "list"]], ids=" ".join)
def test_help_with_a_command_is_its_help(words: list[str]) -> None:
    assert run("help", *words).stdout == run(*words, "--help").stdout
    assert run("help", *words).exit_code == 0


def test_help_of_an_unknown_command_names_a_near_one() -> None:
    done = run("help", "pul")
    assert done.exit_code == 2
    assert "did you mean 'pull'?" in done.stderr


def test_the_version_has_a_short_option() -> None:
    assert run("-V").stdout == run("--version").stdout == f"ptpfast {__version__}\n"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal_of_forty_columns(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = run(*filter(None, [command]), "--help").stdout
    monkeypatch.setenv("COLUMNS", "100")
    wide = run(*filter(None, [command]), "--help").stdout
    long = [line for line in text.splitlines() if len(line) > 40]
    words = [shlex.split(line.removesuffix(" \\")) for line in long]
    assert all(len(each) == 1 for each in words), long  # no word is broken
    if command != "history":  # click shortens what it says of actions
        whole = text.replace(" \\\n", "\n")
        assert sorted("".join(wide.split())) == sorted("".join(whole.split()))


@pytest.mark.parametrize("command", ["ls", "pull", "watch", "simulate", "completion"])
def test_examples_that_are_broken_are_still_the_same_commands(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def examples() -> list[list[str]]:
        text = run(command, "--help").stdout.partition("Examples:\n")[2]
        return [shlex.split(line) for line in text.replace("\\\n", "").splitlines()]

    monkeypatch.setenv("COLUMNS", "300")
    wide = examples()
    monkeypatch.setenv("COLUMNS", "40")
    assert examples() == wide


LONG_LINE = (
    "ok    port         127.0.0.1:38431 accepts connections from /a/folder/that/is/long/a.jpg"
)


@pytest.mark.parametrize(
    ("whole", "lines"),
    [
        (
            False,
            [
                "ok    port         127.0.0.1:38431",
                "  accepts connections from",
                "  /a/folder/that/is/long/a.jpg",
            ],
        ),
        (True, [LONG_LINE]),
    ],
)
def test_lines_of_tables_are_broken_between_words_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, whole: bool, lines: list[str]
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(stream, "fileno", lambda: 1)
    monkeypatch.setattr("os.get_terminal_size", lambda *_: os.terminal_size((40, 24)))
    Output("doctor").result(LONG_LINE, whole=whole)
    Output("doctor").result("  12  fits")
    assert stream.getvalue().splitlines() == [*lines, "  12  fits"]


def test_lines_in_a_pipe_are_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    Output("doctor").result(f"a\t{LONG_LINE}")
    assert stream.getvalue() == f"a\t{LONG_LINE}\n"


# Plain


def test_plain_output_redraws_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)
    with display(Output("pull")) as shown:
        assert isinstance(shown, StatusLine)
    with display(Output("pull", plain=True)) as shown:
        assert isinstance(shown, Lines)


@pytest.mark.parametrize("command", ["pull", "watch", "bench", "pair", "discover", "demo"])
def test_every_command_has_a_plain_mode(command: str) -> None:
    assert "--plain" in run(command, "--help").stdout


def test_plain_sentences_have_no_control_characters(camera: Cameras, tmp_path: Path) -> None:
    done = run("pull", at(camera(objects=2, size=3000)), tmp_path, "--plain")
    assert done.exit_code == 0
    assert "\x1b" not in done.output
    assert "\r" not in done.output


# Colours


@pytest.mark.parametrize(
    ("name", "value", "is_plain"),
    [("NO_COLOR", "1", True), ("CLICOLOR", "0", True), ("X", "", False)],
)
def test_colours_are_off_where_asked(
    name: str, value: str, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    for each in ("NO_COLOR", "CLICOLOR", "FORCE_COLOR"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(name, value)
    assert bars._console().no_color is is_plain


# Notifications


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desktop whose `notify-send` writes down what it is given, and then fails if asked to."""
    log = tmp_path / "notified"
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{log}"\nexit ${{NOTIFY_STATUS:-0}}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(sys, "platform", "linux")
    return log


def test_the_end_of_a_run_is_notified_by_its_summary(
    camera: Cameras, tmp_path: Path, desktop: Path
) -> None:
    done = run("pull", at(camera(objects=2, size=3000)), tmp_path / "in", "--notify")
    assert done.exit_code == 0
    *words, text = desktop.read_text().splitlines()
    assert words == ["--app-name=ptpfast", "--", "ptpfast"]
    assert text.startswith("2 files downloaded")
    assert text in done.stdout


def test_the_error_of_a_run_is_notified(tmp_path: Path, desktop: Path) -> None:
    done = run("pull", "127.0.0.1:9", tmp_path / "in", "--notify")
    assert done.exit_code == 3
    assert "127.0.0.1:9" in desktop.read_text()


def test_no_name_is_markup_or_an_escape_of_a_notification(tmp_path: Path, desktop: Path) -> None:
    """`notify-send` turns a backslash and digits into a control character."""
    assert notification.notify(r"<img src='/etc/x'> & \033[31m") == "desktop"
    text = desktop.read_text().splitlines()[3]
    assert text == r"&lt;img src='/etc/x'&gt; &amp; \\033[31m"


@pytest.mark.parametrize(("status", "by"), [("0", "desktop"), ("1", None)])
def test_a_record_says_what_has_notified_and_of_what(
    camera: Cameras,
    tmp_path: Path,
    desktop: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    by: str | None,
) -> None:
    monkeypatch.setenv("NOTIFY_STATUS", status)
    done = run("pull", at(camera(objects=2, size=3000)), tmp_path / "in", "--notify", "--json")
    (record,) = (each for each in records(done.stdout) if each["type"] == "notified")
    assert record["by"] == by
    assert record["text"].startswith("2 files downloaded")
    assert desktop.read_text().splitlines()[3] == record["text"]


def test_the_record_of_an_error_comes_after_its_notification(tmp_path: Path, desktop: Path) -> None:
    done = run("pull", "127.0.0.1:9", tmp_path / "in", "--notify", "--json")
    *_, notified, error = records(done.stdout)
    assert (notified["type"], error["type"]) == ("notified", "error")
    assert notified["text"] == error["message"]


def test_the_end_of_a_watch_is_notified_by_its_summary(
    camera: Cameras, tmp_path: Path, desktop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "Timer", AtOnce)
    words = ("watch", at(camera()), tmp_path / "in", "--notify", "--max-duration", "1h")
    assert run(*words).exit_code == 8
    assert "--max-duration was over" in desktop.read_text()


def test_nobody_is_notified_unless_asked(camera: Cameras, tmp_path: Path, desktop: Path) -> None:
    run("pull", at(camera(objects=1, size=3000)), tmp_path / "in")
    assert not desktop.exists()


def test_a_failing_notification_is_no_failure(
    camera: Cameras, tmp_path: Path, desktop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_STATUS", "1")
    done = run("pull", at(camera(objects=1, size=3000)), tmp_path / "in", "--notify")
    assert done.exit_code == 0
    assert desktop.exists()
    monkeypatch.setattr(notification.shutil, "which", lambda _: "notify-send")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("pull", at(camera(objects=1, size=3000)), tmp_path / "there", "--notify")
    assert done.exit_code == 0


def test_without_a_desktop_the_bell_is_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_a_terminal(monkeypatch)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    notification.notify("done")
    assert terminal.getvalue() == "\a"
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    notification.notify("done")
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_a_hostile_name_is_one_harmless_argument(
    desktop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification.notify("--x $(id) \x1b[31m" + "a" * 1000)
    text = desktop.read_text().splitlines()[3:]
    assert len(text) == 1
    assert text[0].startswith("--x $(id) ")
    assert "\x1b" not in text[0]
    assert len(text[0]) == notification.LONGEST
