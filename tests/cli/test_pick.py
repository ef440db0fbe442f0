"""`ptpfast pick`: the command around the page."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from command_line import at, records, run
from conftest import Cameras
from pages import Page
from ptpfast.cli import pick
from ptpfast.engine.text import in_text
from ptpfast.library.plan.options import Options
from ptpfast.pick.desk import Desk
from ptpfast.session.session import Session
from watched import contents, files_in


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser is to open; the command ends at once."""
    addresses: list[str] = []

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pick, "open_page", addresses.append)
    monkeypatch.setattr(pick, "wait_for", interrupted)
    return addresses


def test_the_address_is_printed_and_opened(
    camera: Cameras, tmp_path: Path, opened: list[str]
) -> None:
    done = run("pick", at(camera()), "--to", tmp_path)
    assert done.exit_code == 130
    address = urlsplit(done.stdout.strip())
    assert address.hostname == "127.0.0.1"
    (opening,) = map(urlsplit, opened)
    assert opening.netloc == address.netloc
    assert opening.path != address.path.rstrip("/")
    assert "0 files downloaded" in done.stderr


def test_the_browser_can_be_left_closed(camera: Cameras, tmp_path: Path, opened: list[str]) -> None:
    done = run("pick", at(camera()), "--to", tmp_path, "--no-browser", "--json")
    _, page, summary, error = records(done.stdout)
    assert page["folder"] == in_text(str(tmp_path))
    assert page["address"].startswith("http://127.0.0.1:")
    assert summary == {"type": "summary", "downloaded": 0, "bytes": 0, "failed": 0}
    assert error["status"] == 130
    assert opened == []


def test_depth_and_chunk_are_those_of_the_session_and_its_downloads(
    camera: Cameras, tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, int | None]] = []
    begin = Desk.__init__

    def noted(desk: Desk, session: Session, options: Options, *rest: Any) -> None:
        made.append((session.habits.depth, options.chunk))
        begin(desk, session, options, *rest)

    monkeypatch.setattr(Desk, "__init__", noted)
    words = ("pick", at(camera()), "--to", tmp_path, "--no-browser")
    assert run(*words, "--depth", 7, "--chunk", "512K").exit_code == 130
    assert run(*words).exit_code == 130
    assert made == [(7, 512_000), (1, None)]


@pytest.mark.parametrize("wrong", [("--depth", 0), ("--depth", 65), ("--chunk", "1")])
def test_a_wrong_depth_or_chunk_is_refused(
    camera: Cameras, tmp_path: Path, wrong: tuple[str, object]
) -> None:
    sim = camera()
    assert run("pick", at(sim), "--to", tmp_path, *wrong).exit_code == 2
    assert sim.sessions_opened == 0


def test_missing_packages_are_named_with_the_way_to_install_them(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.startswith("ptpfast.pick.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    sim = camera()
    done = run("pick", at(sim), "--to", tmp_path)
    assert done.exit_code == 2
    assert "pip install 'ptpfast[pick]'" in done.stderr
    assert sim.sessions_opened == 0


def test_a_port_in_use_is_a_sentence(camera: Cameras, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("pick", at(camera()), "--to", tmp_path, "--port", port, "--no-browser")
    assert done.exit_code == 2
    assert f"no page at port {port}" in done.stderr


def test_a_folder_that_is_a_file_is_refused_before_the_camera_is_asked(
    camera: Cameras, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    sim = camera()
    done = run("pick", at(sim), "--to", tmp_path / "file", "--no-browser")
    assert done.exit_code == 6
    assert "is not a folder" in done.stderr
    assert sim.sessions_opened == 0


def test_a_camera_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = run("pick", f"127.0.0.1:{port}", "--to", tmp_path, "--no-browser")
    assert done.exit_code == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(camera: Cameras, tmp_path: Path, number: int) -> None:
    sim = camera(objects=4)
    words = [sys.executable, "-m", "ptpfast", "pick", at(sim), "--to", str(tmp_path / "to")]
    with subprocess.Popen(
        [*words, "--no-browser", "--json"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        page = Page(json.loads(process.stdout.readline())["address"])
        page.wait_until_listed(2)
        page.command(do="download", ids=list(page.pictures))
        page.wait_for(lambda: page.download["state"] == "idle" and page.download["done"] == 4)
        process.send_signal(number)
        rest = [json.loads(line) for line in process.stdout]
        assert process.wait() == 130
    page.close()
    assert page.has_ended
    assert [row["status"] for row in rest if row["type"] == "file"] == ["downloaded"] * 4
    assert rest[-2]["downloaded"] == 4
    assert sorted(p.read_bytes() for p in files_in(tmp_path / "to")) == sorted(contents(sim))
