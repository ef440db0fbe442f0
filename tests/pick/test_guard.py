"""Who may ask the server of `pick`, and what its answers allow the browser."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import Cameras, Sessions
from pages import OWN, Page, picking
from ptpfast.pick import server

COMMAND = {"do": "pause"}


@pytest.fixture
def page(camera: Cameras, connect: Sessions, tmp_path: Path) -> Iterator[Page]:
    with picking(connect, camera(), tmp_path) as opened:
        yield opened.page


@pytest.mark.parametrize("path", ["/", "/events", "/wrong/", "/wrong/events", "//", "/wrong/../"])
def test_nothing_is_told_without_the_token(page: Page, path: str) -> None:
    answer = page.ask("GET", path)
    assert (answer.status, answer.body) == (404, b"not found")


def test_each_run_has_another_token(
    camera: Cameras, connect: Sessions, tmp_path: Path, page: Page
) -> None:
    with picking(connect, camera(), tmp_path) as other:
        assert len(other.page.parts.path.strip("/")) == len(page.parts.path.strip("/")) >= 20
        assert other.page.ask("GET", page.parts.path).status == 404


def test_the_address_that_a_browser_is_given_works_once(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    with picking(connect, camera(), tmp_path) as opened:
        page, path = opened.page, urlsplit(opened.opening).path
        assert page.ask("GET", path, headers={"Host": "evil.example"}).status == 404
        answer = page.ask("GET", path)
        assert (answer.status, answer.headers["Location"]) == (303, page.parts.path)
        assert page.ask("GET", path).status == 404


@pytest.mark.parametrize("path", ["", "events", "main.js", "command", "thumbnails", "preview/1"])
@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_of_this_computer_is_refused(page: Page, path: str, host: str) -> None:
    for method in ("GET", "POST"):
        assert page.ask(method, page.below(path), headers={"Host": host}).status == 404


def test_programs_that_connect_and_never_ask_do_not_take_the_place_of_the_page(page: Page) -> None:
    with ExitStack() as stack:
        where = page.parts.hostname, page.parts.port
        for _ in range(server.MOST_CONNECTIONS + 1):
            stack.enter_context(socket.create_connection(where, timeout=20))
        assert page.ask("GET", page.parts.path).status == 200


def test_who_is_refused_does_not_stay_connected(page: Page) -> None:
    for path in ("/", "/wrong/"):
        assert page.ask("GET", path).headers["Connection"] == "close"
    assert "Connection" not in page.ask("GET", page.parts.path).headers


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
def test_other_sites_are_refused(page: Page, origin: str) -> None:
    for method, path in (("GET", ""), ("GET", "events"), ("POST", "command")):
        headers = {**OWN, "Origin": origin}
        assert page.ask(method, page.below(path), COMMAND, headers).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_that_the_browser_calls_foreign_are_refused(page: Page, site: str) -> None:
    assert page.ask("GET", page.below(""), headers={"Sec-Fetch-Site": site}).status == 403


def test_a_command_needs_an_origin_and_the_header_of_the_page(page: Page) -> None:
    path = page.below("command")
    own = {"Origin": page.origin, **OWN}
    assert page.ask("POST", path, COMMAND, own).status == 200
    for name in ("Origin", "X-Ptpfast-Pick"):
        less = {key: value for key, value in own.items() if key != name}
        assert page.ask("POST", path, COMMAND, less).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(page: Page, method: str) -> None:
    headers = {"Origin": page.origin, **OWN}
    assert page.ask(method, page.below("command"), COMMAND, headers).status == 405


@pytest.mark.parametrize("path", ["", "main.js", "pick.css", "thumbnails", "nothing"])
def test_answers_are_kept_by_nobody_and_allow_no_foreign_script(page: Page, path: str) -> None:
    headers = page.ask("GET", page.below(path)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Set-Cookie" not in headers
    assert "Access-Control-Allow-Origin" not in headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_page_has_no_inline_script_and_nothing_from_elsewhere(page: Page) -> None:
    for name in ("", "main.js", "sheet.js", "talk.js", "viewer.js", "model.js", "thumbs.js"):
        text = page.ask("GET", page.below(name)).body.decode()
        assert "http://" not in text
        assert "https://" not in text
        assert "innerHTML" not in text
        assert "<script>" not in text
        assert " style=" not in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"[]",
        b"[" * 100_000,
        b'{"do": "rm"}',
        b'{"do": ["pause"]}',
        b'{"do": "download"}',
        b'{"do": "download", "ids": "1"}',
        b'{"do": "download", "ids": [true]}',
        b'{"do": "download", "ids": [-1]}',
        b'{"do": "download", "ids": [1e300]}',
        b'{"do": "download", "ids": [99999999999]}',
        b'{"do": "download", "ids": [1], "take": "../"}',
        b'{"do": "download", "ids": [1], "take": ["raw"]}',
        b'{"do": "pause"' + b" " * (2 << 20) + b"}",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_command_that_the_page_never_gives_is_refused(page: Page, body: bytes) -> None:
    assert page.ask("POST", page.below("command"), body).status == 400
    assert page.command(do="pause") == {}


def test_thumbnails_are_limited_in_number(page: Page) -> None:
    path = page.below("thumbnails")
    assert page.ask("POST", path, {"ids": list(range(200))}).status == 200
    assert page.ask("POST", path, {"ids": list(range(201))}).status == 400


def test_only_this_computer_can_reach_the_port(page: Page) -> None:
    assert page.parts.hostname == "127.0.0.1"
