"""`ptpfast live`: frames in a file, on standard output and on a page of this computer."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from command_line import at, records, run
from conftest import Cameras
from ptpfast.cli import live_page
from ptpfast.cli.live_page import LivePage
from ptpfast.session.live import Frame

BODY = "nikon-z9"
START, END = b"\xff\xd8", b"\xff\xd9"


@pytest.fixture
def page() -> Iterator[LivePage]:
    with LivePage("127.0.0.1", 0) as page:
        yield page


@contextmanager
def asked(address: str, path: str, host: str | None = None) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    with closing(connection):
        connection.request("GET", path, headers={} if host is None else {"Host": host})
        with connection.getresponse() as answer:
            yield answer


def test_frames_go_into_a_new_file_one_after_the_other(camera: Cameras, tmp_path: Path) -> None:
    path = tmp_path / "view.mjpeg"
    done = run("live", at(camera(body=BODY)), "--to", path, "--frames", 5)
    assert done.exit_code == 0, done.output
    assert "5 frames" in done.stderr
    content = path.read_bytes()
    assert content.startswith(START)
    assert content.endswith(END)
    assert content.count(END + START) == 4


def test_an_existing_file_is_never_replaced(camera: Cameras, tmp_path: Path) -> None:
    path = tmp_path / "view.mjpeg"
    path.write_bytes(b"mine")
    done = run("live", at(camera(body=BODY)), "--to", path, "--frames", 1)
    assert done.exit_code == 2
    assert "exists; name a new file" in done.stderr
    assert path.read_bytes() == b"mine"


def test_frames_on_standard_output_are_nothing_else(camera: Cameras) -> None:
    done = run("live", at(camera(body=BODY)), "--to", "-", "--frames", 2)
    assert done.stdout_bytes.startswith(START)
    assert done.stdout_bytes.endswith(END)


def test_records_and_frames_do_not_share_standard_output(camera: Cameras) -> None:
    done = run("live", at(camera(body=BODY)), "--to", "-", "--json")
    assert done.exit_code == 2
    assert "both write to standard output" in done.stderr


def test_a_record_counts_the_frames(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(body=BODY)
    done = run("live", at(sim), "--to", tmp_path / "view", "--frames", 3, "--json")
    _, row = records(done.stdout)
    assert row["frames"] == 3


def test_a_camera_without_live_view_is_said(camera: Cameras, tmp_path: Path) -> None:
    done = run("live", at(camera()), "--to", tmp_path / "view")
    assert done.exit_code == 1
    assert "no live view is known for this camera" in done.stderr


def test_a_port_in_use_is_a_sentence(camera: Cameras, page: LivePage) -> None:
    port = urlsplit(page.address).port
    done = run("live", at(camera(body=BODY)), "--port", port)
    assert done.exit_code == 2
    assert f"no page at port {port}" in done.stderr


def test_the_page_shows_the_newest_frame(page: LivePage) -> None:
    parts = urlsplit(page.address)
    with asked(page.address, parts.path) as answer:
        assert b'<img src="stream"' in answer.read()
    page.show(Frame.of(START + b"old" + END, 0.0))
    page.show(Frame.of(START + b"new" + END, 0.1))
    with asked(page.address, f"{parts.path}stream") as stream:
        boundary = stream.headers.get_boundary()
        head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n".encode()
        assert stream.read(len(head) + 7) == head + START + b"new" + END


def test_no_frame_can_begin_a_page_of_its_own(page: LivePage) -> None:
    page.show(Frame.of(START + END, 0.0))
    boundaries = set()
    for _ in range(2):
        with asked(page.address, f"{urlsplit(page.address).path}stream") as stream:
            boundaries.add(stream.headers.get_boundary())
            assert stream.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in stream.headers["Content-Security-Policy"]
    assert len(boundaries) == 2


@pytest.mark.parametrize("path", ["/", "/stream", "/wrong-token/", "/wrong-token/stream"])
def test_the_page_needs_its_token(page: LivePage, path: str) -> None:
    with asked(page.address, path) as answer:
        assert answer.status == 404


def test_another_name_of_this_computer_is_refused(page: LivePage) -> None:
    parts = urlsplit(page.address)
    with asked(page.address, parts.path, "evil.example:80") as answer:
        assert answer.status == 404


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Counts the connections that a page has begun to serve. It waits for each without end."""
    begun = threading.Semaphore(0)
    process = live_page._Server.process_request

    def count(server: live_page._Server, *given: object) -> None:
        process(server, *given)
        begun.release()

    monkeypatch.setattr(live_page._Server, "process_request", count)
    monkeypatch.setattr(live_page, "SLOWEST_S", None)
    return begun


def connected(page: LivePage) -> socket.socket:
    parts = urlsplit(page.address)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def test_a_program_that_never_asks_does_not_hold_the_end(served: threading.Semaphore) -> None:
    page = LivePage("127.0.0.1", 0)
    page.__enter__()
    ending = threading.Thread(target=page.__exit__, args=(None, None, None))
    with connected(page) as client:
        client.sendall(b"G")
        assert served.acquire(timeout=20)
        ending.start()
        assert client.recv(1) == b""
    ending.join(20)
    assert not ending.is_alive()


def test_of_many_connections_without_the_token_the_oldest_ends(
    served: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_page, "MOST_STRANGERS", 2)
    with ExitStack() as stack:
        page = stack.enter_context(LivePage("127.0.0.1", 0))
        first, _, _ = (stack.enter_context(connected(page)) for _ in range(3))
        path = urlsplit(page.address).path
        answer = stack.enter_context(asked(page.address, path))
        assert first.recv(1) == b""
        assert answer.status == 200


def test_a_connection_that_is_reset_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = threading.Event()
    shutdown = live_page._Server.shutdown_request

    def note(server: live_page._Server, request: socket.socket) -> None:
        shutdown(server, request)
        ended.set()

    monkeypatch.setattr(live_page._Server, "shutdown_request", note)
    with LivePage("127.0.0.1", 0) as page:
        with connected(page) as client:
            client.sendall(b"GET ")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert ended.wait(20)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_again_while_the_page_ends_leaves_no_server(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    page = LivePage("127.0.0.1", 0)
    stop, calls = page._stop, 0

    def interrupted() -> None:
        nonlocal calls
        calls += 1
        if calls > 1 or when == "after":
            stop()
        if calls == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(page, "_stop", interrupted)
    with pytest.raises(KeyboardInterrupt), page:
        pass
    assert not page._thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        connected(page)
