"""README and docs: the examples run, the links lead somewhere, the path of a byte is true."""

from __future__ import annotations

import os
import re
import shlex
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import command_line
import draw_api
import ptpfast
from ptpfast.sim import SimulatedCamera
from ptpfast.watching.watcher import Watcher

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKING = [*PAGES, *(ROOT / name for name in ("SECURITY.md", "CHANGELOG.md"))]
LINKING += [ROOT / folder / "README.md" for folder in ("bench", "examples", "fuzz", "soak")]
# Their blocks are files, which tests/vendors/test_add_a_vendor.py, tests/testing and
# tests/cli/test_add_a_command.py run.
RUN_ELSEWHERE = {"add-a-vendor.md", "testing.md", "add-a-command.md"}
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# The vendors of the two cameras of a page, where they matter.
VENDORS = {"from-ptpip.md": ("nikon", "nikon"), "control.md": ("standard", "nikon")}
# How long the commands that measure may take: seconds, instead of their default.
BUDGETS = {"bench": ["--budget", "2"]}

Connect = Callable[..., socket.socket]


def blocks(page: Path, language: str) -> list[str]:
    return [
        text for name, text in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language
    ]


def commands(page: Path) -> list[list[str]]:
    """The shell lines of each block, without prompt and comment."""
    shells = [
        [
            line.removeprefix("$ ").partition("  # ")[0].partition("    # ")[0].strip()
            for line in text.splitlines()
            if line.startswith("$ ")
        ]
        for text in blocks(page, "console")
    ]
    return [lines for lines in shells if lines]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer of the reader's: a home, a folder to work in, a disk for backups."""
    for name in ("home", "here", "backup"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PTPFAST_ALLOW_MEMORY", "1")  # the tests' folders may be in memory
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.fixture
def addresses(page: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Hosts that the examples of a page name → the port on this machine that stands for them."""
    ports: dict[str, int] = {}
    connect: Connect = socket.create_connection

    def redirected(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
        host, port = address
        return connect(("127.0.0.1", ports.get(host, port)), *rest, **more)

    monkeypatch.setattr(socket, "create_connection", redirected)
    first, second = VENDORS.get(page.name, ("standard", "standard"))
    with (
        SimulatedCamera(vendor=first, objects=6, size=200_000) as camera,
        SimulatedCamera(vendor=second, objects=2, size=200_000) as another,
    ):
        ports |= {"192.168.1.1": camera.port, "192.168.1.2": another.port}
        yield ports


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in RUN_ELSEWHERE], ids=lambda page: page.name
)
def test_python_examples_of_a_page_run(page: Path, place: Path, addresses: dict[str, int]) -> None:
    names: dict[str, Any] = {}
    for text in blocks(page, "python"):
        exec(compile(text, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shell_examples_of_a_page_run(page: Path, place: Path, addresses: dict[str, int]) -> None:
    for lines in commands(page):
        running: list[subprocess.Popen[str]] = []
        try:
            for line in lines:
                run_line(line, place, addresses, running)
        finally:
            for process in running:
                process.terminate()
                process.communicate()


def run_line(
    line: str, place: Path, addresses: dict[str, int], running: list[subprocess.Popen[str]]
) -> None:
    """One line of a console; `running` is what it starts in the background."""
    words = [
        os.path.expanduser(word)
        .replace("/media/backup", str(place / "backup"))
        .replace("/tmp/pictures", str(place / "pictures"))
        for word in shlex.split(line.removesuffix("&"))
    ]
    program, *arguments = words
    if program == "make":
        assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    elif line.endswith("&"):
        assert words[:2] == ["ptpfast", "simulate"], line
        process = subprocess.Popen(
            [sys.executable, "-m", "ptpfast", *arguments, "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        port = re.search(r'"port": ?(\d+)', process.stdout.readline() + process.stdout.readline())
        assert port is not None
        addresses["127.0.0.1"] = int(port[1])
    else:
        assert program == "ptpfast", line
        endless = arguments[0] in ("watch", "pick")
        with pytest.MonkeyPatch.context() as patch:
            if endless:  # until there is nothing more to fetch
                patch.setattr(Watcher, "_wait", interrupted)
                patch.setattr("ptpfast.cli.pick.wait_for", interrupted)
                patch.setattr("ptpfast.cli.pick.open_page", lambda address: None)
            # Its own benchmark has the speed of the engine; here each line would start a camera.
            patch.setattr("ptpfast.measure.run.engine_speed", lambda: None)
            brief = BUDGETS.get(arguments[0], []) + ["--for", "1s"] * ("--for" in arguments)
            done = command_line.run(*arguments, *brief)
        assert done.exit_code == (130 if endless else 0), f"{line}\n{done.output}"


def interrupted(_: object) -> None:
    raise ptpfast.Cancelled("stopped")


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if path.startswith(("http:", "https:")):
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            known = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in known, target


def test_every_page_is_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        targets = LINK.findall(page.read_text(encoding="utf-8"))
        todo += [(page.parent / target.partition("#")[0]).resolve() for target in targets]
    assert set(PAGES) <= reached


def test_the_reference_is_made_from_the_docstrings() -> None:
    written = draw_api.PAGE.read_text(encoding="utf-8")
    assert written == draw_api.drawn(), "run `python tests/draw_api.py`"


def test_a_docstring_is_drawn_with_a_list_entry_for_each_thing() -> None:
    text = "Do it.\n\nArgs:\n    a: one\n        and more\n    b, c: two\n\n"
    text += "Returns:\n    A sum\n    of both.\n\nExample:\n    f(1)"
    assert draw_api.page_of(text) == [
        *("Do it.", "", "**Args**", "", "- `a`: one and more", "- `b, c`: two", ""),
        *("**Returns**", "", "A sum", "of both.", "", "**Example**", "", "```text", "f(1)", "```"),
    ]


def test_a_long_signature_has_a_line_for_each_parameter() -> None:
    long = (
        "f(a: dict[str, int] = {}, *, b: Callable[[int, str], None]) -> tuple[int, str]" + " " * 20
    )
    assert draw_api.wrapped("f(a, b)") == "f(a, b)"
    assert draw_api.wrapped(long).split("\n") == [
        *("f(", "    a: dict[str, int] = {},", "    *,"),
        *("    b: Callable[[int, str], None],", ") -> tuple[int, str]" + " " * 20),
    ]


def test_the_reference_has_every_public_name() -> None:
    listed = [name for names in draw_api.CHAPTERS.values() for name in names]
    assert sorted(listed) == sorted(set(ptpfast.__all__) - {"__version__"})


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def sentences(page: Path) -> list[str]:
    """The sentences of a page, without tables, code, headings and what a program draws."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!-- .*? -->", "", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`]*`", "X", text)
    paragraphs = re.split(r"\n\s*\n|\n(?=[-*] |[0-9]+\. )", text)
    prose = [" ".join(each.split()) for each in paragraphs if not each.startswith(("#", "|"))]
    found = [each for one in prose for each in re.split(r"(?<=[.!?])(?:\*\*)?\s+", one)]
    return [each for each in found if each]


def test_sentences_of_the_documentation_are_short() -> None:
    long = [
        f"{page.name}: {each}"
        for page in PAGES
        for each in sentences(page)
        if len(each.split()) > 40
    ]
    assert long == []
    lengths = [len(each.split()) for page in PAGES for each in sentences(page)]
    assert statistics.median(lengths) <= 16


def test_a_byte_takes_the_path_that_the_page_shows(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "follow-a-byte.md").read_text(encoding="utf-8")
    table = text.partition("<!-- path -->")[2].partition("<!-- path end -->")[0]
    *shown, compiled = re.findall(r"\[`([\w.]+)`\]", table)
    assert compiled == "Channel.receive"
    seen: list[list[str]] = []

    def progress(received: int, size: int | None) -> None:
        frame, path = sys._getframe(1), []
        while frame is not None:
            path.append(frame.f_code.co_qualname)
            frame = frame.f_back  # type: ignore[assignment]
        seen.append(path[::-1])

    with (
        SimulatedCamera(objects=1, size=3_000_000) as camera,
        ptpfast.connect(camera.host, port=camera.port) as session,
    ):
        session.download(session.objects()[0], tmp_path / "one", progress=progress)
    path = iter(seen[0])
    for step in shown:
        assert step in path, f"{step} is not in {seen[0]}, or not at its place"
