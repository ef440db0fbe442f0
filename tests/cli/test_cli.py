"""The command line: what it prints where, how it ends, and that no bad input shows a traceback."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from command_line import at, records, run
from conftest import Cameras, without_pauses
from ptpfast import ConnectFailed, DeviceBusy, OperationCode, Timeouts, __version__, connect, pull
from ptpfast.cli import signals
from ptpfast.cli.main import COMMANDS
from ptpfast.cli.options import WAITS
from ptpfast.cli.output import Output, human_seconds, human_size
from ptpfast.cli.progress import StatusLine
from ptpfast.cli.status import Status
from ptpfast.library.plan import folder as folder_module
from ptpfast.library.report.observer import Observer
from ptpfast.session import persistence
from ptpfast.sim import KINDS, LINKS, Link, SimulatedCamera, Store

TIMEOUT_S = 60  # of a subprocess; it takes a second


@contextmanager
def started(*arguments: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own; killed if it is still there at the end."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    words = [sys.executable, "-m", "ptpfast", *map(str, arguments)]
    with subprocess.Popen(words, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def complete(*arguments: object, **options: Any) -> tuple[int, str, str]:
    """Status, standard output and standard error of a process."""
    with started(*arguments, **options) as process:
        out, err = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, out or "", err or ""


def reads(camera: SimulatedCamera) -> int:
    return sum(
        camera.operations[code]
        for code in (OperationCode.GetObject, OperationCode.GetPartialObject)
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def whole(camera: SimulatedCamera, folder: Path) -> bool:
    """Whether every file that bears an object's own name is that object, byte by byte."""
    here = names(folder)
    return all(
        (folder / stored.name).read_bytes()
        == b"".join(camera.store.expected(stored.handle).spans(0, stored.size))
        for stored in camera.store.files()
        if stored.name in here
    )


def begun(camera: Cameras, folder: Path, objects: int) -> SimulatedCamera:
    """A camera with objects of 3 MB, of whose first one 2 MB are in the folder."""
    fault = "drop on GetPartialObject after 0 at 3"
    sim = camera(objects=objects, size=3_000_000, faults=[fault])
    assert run("pull", at(sim), folder, "--retry", "0", "--chunk", "1M").exit_code == 3
    return sim


# Help


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself_with_examples(command: str) -> None:
    words = [command] if command else []
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    if command:
        assert "--json" in result.stdout
        assert ("--timeout" in result.stdout) == (
            command not in ("discover", "simulate", "demo", "history", "config", "completion")
        )
    else:
        table = result.stdout.partition("Exit status:")[2]
        statuses = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "70", "130", "141"]
        assert re.findall(r"^ +([0-9]+) ", table, re.MULTILINE) == statuses
    assert result.stderr == ""


def test_without_a_command_the_first_steps_are_shown() -> None:
    result = run()
    assert result.exit_code == 2
    assert max(map(len, result.stderr.splitlines())) <= 40
    named = re.findall(r"^  ptpfast ([a-z]+)", result.stderr, re.MULTILINE)
    assert named == ["discover", "ls", "pull", "doctor", "demo"]
    assert set(named) <= set(COMMANDS)


def test_help_of_the_group_says_what_each_command_says_of_itself() -> None:
    text = run("--help").stdout
    for name, line in COMMANDS.items():
        assert re.search(rf"^ +{name} +{re.escape(line)}$", text, re.MULTILINE)
        assert re.search(re.escape(line), " ".join(run(name, "--help").stdout.split()))


def test_help_needs_neither_numpy_nor_rich_nor_any_command() -> None:
    program = (
        "import sys\nfrom ptpfast.__main__ import main\nsys.argv = ['ptpfast', '--help']\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "heavy = {'numpy', 'rich', 'ptpfast.sim', 'ptpfast.cli.pull'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert result.stderr == ""
    assert result.returncode == 0


def test_version_is_told_and_nothing_else() -> None:
    assert run("--version").stdout == f"ptpfast {__version__}\n"


def test_without_click_one_line_says_what_to_install() -> None:
    program = "import sys\nsys.modules['click'] = None\nfrom ptpfast.__main__ import main\nmain()"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "pip install 'ptpfast[cli]'" in result.stderr


# What the commands say


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_info_tells_of_the_camera_and_its_storages(camera: Cameras, vendor: str) -> None:
    sim = camera(vendor, store=Store.synthetic(2, 1000, storages=2))
    text = run("info", at(sim)).stdout
    assert sim.body.vendor.model.name in text
    assert re.findall(r"^Card (\d)  ", text, re.MULTILINE) == ["1", "2"]
    assert sim.guid.hex() not in text
    assert "0x" not in text
    details = run("info", at(sim), "--verbose").stdout
    assert sim.guid.hex() in details
    assert "GetObject, " in details
    told = records(run("info", at(sim), "--json").stdout)
    assert [row["type"] for row in told] == ["header", "camera", "storage", "storage", "files"]
    assert told[1]["model"] == sim.body.vendor.model.name
    assert told[1]["guid"] == sim.guid.hex()
    assert told[2]["capacity"] > told[2]["free"] > 0


def test_ls_in_a_pipe_has_plain_columns(camera: Cameras) -> None:
    sim = camera(objects=2)
    rows = [line.split("\t") for line in run("ls", at(sim)).stdout.splitlines()]
    first = sim.store.files()[0]
    assert rows[0] == [
        f"{first.handle:#010x}",
        "300000",
        first.name[-3:].replace("JPG", "jpeg").replace("DNG", "raw"),
        "2026-01-02T03:04:05",
        sim.store.path(first.handle),
    ]
    assert len(rows) == 2


def test_ls_in_json_has_what_is_promised(camera: Cameras) -> None:
    store = Store()
    store.add("A.NEF", 10, captured=None)
    _, row = records(run("ls", at(camera(store=store)), "--json").stdout)
    assert {key: row[key] for key in ("type", "name", "size", "captured", "path")} == {
        "type": "object",
        "name": "A.NEF",
        "size": 10,
        "captured": None,
        "path": "A.NEF",
    }
    assert isinstance(row["handle"], int)
    assert isinstance(row["format"], int)


def test_ls_selects_as_pull_does(camera: Cameras) -> None:
    sim = camera(objects=6)
    words = ["--format", "raw", "--exclude", "*2.DNG", "--order", "newest"]
    rows = records(run("ls", at(sim), *words, "--json").stdout)[1:]
    assert [row["name"] for row in rows] == ["IMG_0003.DNG", "IMG_0001.DNG"]


def test_names_from_the_camera_cannot_steer_a_terminal(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    store.add("\x1b]0;gotcha\x07\r\nx.NEF", 10)
    sim = camera(store=store, faults=["respond=0x2002 on GetPartialObject times 0"])
    for words in (["ls", at(sim)], ["pull", at(sim), tmp_path], ["pull", at(sim), tmp_path, "-q"]):
        result = run(*[word.replace("-q", "--quiet") if word == "-q" else word for word in words])
        assert not set("\x1b\x07\r") & set(result.output)


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_pull_brings_everything_and_a_second_one_moves_nothing(
    camera: Cameras, tmp_path: Path, vendor: str
) -> None:
    sim = camera(vendor)
    result = run("pull", at(sim), tmp_path)
    assert result.exit_code == 0
    assert result.stdout.startswith("4 files downloaded, 1.2 MB in ")
    assert result.stderr.splitlines()[0] == "4 files selected, 4 to download (1.2 MB)"
    assert len(names(tmp_path)) == 4
    assert whole(sim, tmp_path)
    before = sum(row.payload for row in sim.log if row.operation in DATA)
    result = run("pull", at(sim), tmp_path)
    assert result.exit_code == 0
    assert result.stdout == "Up to date: all 4 files are already here\n"
    assert sum(row.payload for row in sim.log if row.operation in DATA) == before


def test_a_run_that_ends_early_does_not_say_that_all_is_up_to_date(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=100, size=100, withheld=[OperationCode.GetObjectPropList])
    assert run("pull", at(sim), tmp_path).exit_code == 0
    sim.faults.add("drop on GetObjectInfo after 0 at 90")
    lost = run("pull", at(sim), tmp_path, "--no-index", "--retry", "0")
    assert lost.exit_code == 3
    assert lost.stdout.startswith("0 files downloaded; ")


def test_a_copy_that_fails_is_not_up_to_date(camera: Cameras, tmp_path: Path) -> None:
    sim = camera()
    here, there = tmp_path / "here", tmp_path / "there"
    assert run("pull", at(sim), here).exit_code == 0
    (there / "IMG_0001.DNG").mkdir(parents=True)
    failed = run("pull", at(sim), here, "--copies", there, "--on-conflict", "fail")
    assert failed.exit_code == 1
    assert failed.stdout.startswith("0 files downloaded; 4 already here; ")
    assert "1 copy failed" in failed.stdout


@pytest.mark.parametrize(
    ("words", "said", "verified", "digest"),
    [
        ([], "only sizes checked", "size", None),
        (["--manifest"], "read back; SHA-256 equals the received bytes", "hash", "sha256"),
        (["--algorithm", "xxh3"], "read back; XXH3 equals the received bytes", "hash", "xxh3"),
        (
            ["--verify", "disk"],
            "read back from the disk; SHA-256 equals the received bytes",
            "disk",
            "sha256",
        ),
        (["--verify", "reread"], "and again from the camera; SHA-256 equal", "reread", "sha256"),
    ],
)
def test_the_summary_says_how_far_files_are_checked_and_which_are_not_read(
    camera: Cameras,
    tmp_path: Path,
    words: list[str],
    said: str,
    verified: str,
    digest: str | None,
) -> None:
    if digest == "xxh3":
        pytest.importorskip("xxhash")
    sim = camera()
    run("pull", at(sim), tmp_path, "--include", "*1.DNG")
    result = run("pull", at(sim), tmp_path, *words)
    assert said in result.stdout
    assert "; 1 already here; " in result.stdout
    for path in tmp_path.glob("*.JPG"):
        path.unlink()
    summary = records(run("pull", at(sim), tmp_path, *words, "--json").stdout)[-1]
    assert (summary["verified"], summary["digest"], summary["unread"]) == (verified, digest, 2)
    summary = records(run("pull", at(sim), tmp_path, *words, "--json").stdout)[-1]
    assert (summary["verified"], summary["digest"], summary["unread"]) == (None, None, 4)


def test_the_summary_does_not_claim_the_disk_where_memory_may_have_answered(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.cli.summary.FROM_DISK", False)  # as on macOS
    said = run("pull", at(camera()), tmp_path, "--verify", "disk").stdout
    assert "; read back from the disk or from memory; SHA-256 equals the received bytes" in said


DATA = {OperationCode.GetObject, OperationCode.GetPartialObject, 0x9431}


def test_pull_in_json_has_a_line_for_each_object_and_a_summary_last(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(faults=["respond=0x2002 on GetPartialObject handle 0x00040004 times 0"])
    result = run("pull", at(sim), tmp_path, "--json", "--verify", "hash")
    assert result.exit_code == 1
    header, *files, summary = records(result.stdout)
    assert header["command"] == "pull"
    assert [row["type"] for row in files] == ["file"] * 4
    assert [row["status"] for row in files] == ["downloaded", "failed", "downloaded", "downloaded"]
    assert len(files[0]["sha256"]) == 64
    assert "it gave no reason" in files[1]["reason"]
    expected = {"type", "objects", "bytes", "seconds", "skipped", "failed", "retries"}
    assert expected <= set(summary)
    assert summary["type"] == "summary"
    counts = [summary[key] for key in ("objects", "downloaded", "failed", "skipped", "bytes")]
    assert counts == [4, 3, 1, 0, 900_000]


def test_failed_objects_are_listed_for_people_too(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(faults=["respond=0x2002 on GetPartialObject handle 0x00040004 times 0"])
    for quiet in ([], ["--quiet"]):
        result = run("pull", at(sim), tmp_path, *quiet)
        assert result.exit_code == 1
        assert "IMG_0001.JPG" in result.stderr
        assert "failed" in result.stderr


@pytest.mark.parametrize(("code", "status"), [("0x200F", 4), ("0x2002", 4), ("0x2013", 4)])
def test_a_camera_that_hands_out_nothing_at_all_is_status_four(
    camera: Cameras, tmp_path: Path, code: str, status: int
) -> None:
    sim = camera(faults=[f"respond={code} on GetPartialObject times 0"])
    result = run("pull", at(sim), tmp_path)
    assert result.exit_code == status
    assert result.stdout == "0 files downloaded; 4 failed\n"


def test_quiet_says_nothing_when_all_is_well(camera: Cameras, tmp_path: Path) -> None:
    assert run("pull", at(camera()), tmp_path, "--quiet").output == ""


def test_verbose_shows_the_log_on_standard_error_only(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(faults=["respond=0x2002 on GetObjectInfo handle 0x00040004"])
    loud, plain = (run("ls", at(sim), "--json", *more) for more in (["--verbose"], []))
    assert "ptpfast WARNING" in loud.stderr
    assert "WARNING" not in plain.stderr
    records(loud.stdout)


def test_verbose_says_where_the_descriptions_came_from_and_what_they_cost(camera: Cameras) -> None:
    sim = camera("nikon", objects=30, withheld=[OperationCode.GetObjectPropList])
    cold, warm, without = (
        run("ls", at(sim), "--verbose", *more).stderr for more in ([], [], ["--no-index"])
    )
    assert "listed 32 objects: 32 one by one; 34 requests, 34 round trips" in cold
    assert "listed 32 objects: 26 from the index, 6 one by one; 8 requests" in warm
    assert "listed 32 objects: 32 one by one; 33 requests" in without
    assert "from the index" not in run("ls", at(sim), "--verbose").stderr


def test_a_dry_run_lists_what_would_be_fetched(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    result = run("pull", at(sim), tmp_path / "new", "--dry-run")
    assert result.exit_code == 0
    path = sim.store.path(sim.store.files()[0].handle)
    assert f"{path} -> {tmp_path / 'new' / 'IMG_0001.DNG'} (300.0 kB)\n" in result.stdout
    assert result.stdout.endswith("2 files to download, 600.0 kB\n")
    assert names(tmp_path) == []


def test_a_dry_run_counts_what_is_here_if_it_will_be_gone_on_with(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = begun(camera, tmp_path, objects=1)
    result = run("pull", at(sim), tmp_path, "--dry-run")
    assert "1 file selected, 1 to download (1.0 MB)" in result.stderr
    assert f"-> {tmp_path / 'IMG_0001.DNG'} (3.0 MB, 2.0 MB here)\n" in result.stdout
    assert result.stdout.endswith("1 file to download, 1.0 MB (2.0 MB more are here)\n")
    planned, summary = records(run("pull", at(sim), tmp_path, "--dry-run", "--json").stdout)[1:]
    assert planned["kept"] == 2_000_000
    assert summary["elapsed"] > 0
    # By the checksum it came with, also where another digest is asked for; not as another object.
    result = run("pull", at(sim), tmp_path, "--dry-run", "--verify", "hash")
    assert result.stdout.endswith("1 file to download, 1.0 MB (2.0 MB more are here)\n")
    (stored,) = sim.store.files()
    sim.store.replace(stored.handle, captured=stored.captured + timedelta(seconds=9))
    result = run("pull", at(sim), tmp_path, "--dry-run")
    assert result.stdout.endswith("1 file to download, 3.0 MB; 1 part file left over (2.0 MB)\n")


def test_a_continued_file_is_told_with_what_was_here_and_the_rate_of_the_rest(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = begun(camera, tmp_path, objects=1)
    result = run("pull", at(sim), tmp_path)
    line = r"\[1/1\] IMG_0001\.DNG  3\.0 MB: resumed at 2\.0 MB, 1\.0 MB in .+ MB/s\)"
    assert re.fullmatch(line, result.stderr.splitlines()[-1])
    (tmp_path / "IMG_0001.DNG").unlink()
    result = run("pull", at(sim), tmp_path, "--verify", "reread")
    assert re.search(r"  3\.0 MB: 6\.0 MB fetched in ", result.stderr)


def test_the_summary_says_how_long_it_took_in_all(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=1, link=Link(operation=0.02))
    result = run("pull", at(sim), tmp_path)
    assert re.match(
        r"1 file downloaded, 300\.0 kB in .+ \(.+ MB/s\), .+ s in total; ", result.stdout
    )
    (tmp_path / "IMG_0001.DNG").unlink()
    summary = records(run("pull", at(sim), tmp_path, "--json").stdout)[-1]
    assert summary["elapsed"] > summary["seconds"] > 0


def test_the_manifest_is_one_sha256sum_accepts(camera: Cameras, tmp_path: Path) -> None:
    run("pull", at(camera()), tmp_path, "--manifest")
    check = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True)
    assert check.returncode == 0
    assert check.stdout.count(b": OK") == 4


@pytest.mark.parametrize("chunk", ["0", "64KiB", "0.1M", "1G"])
def test_chunks_of_any_size_bring_the_same_bytes(
    camera: Cameras, tmp_path: Path, chunk: str
) -> None:
    sim = camera()
    assert run("pull", at(sim), tmp_path, "--chunk", chunk).exit_code == 0
    assert whole(sim, tmp_path)
    assert (sim.operations[OperationCode.GetObject] == 4) == (chunk == "0")


# Bad inputs


def usage_errors() -> list[Sequence[object]]:
    host = "127.0.0.1:1"
    return [
        [],
        ["pul", host],
        ["--nonsense"],
        ["pull"],
        ["pull", host],
        ["pull", host, ""],
        ["info", ""],
        ["info", "http://camera"],
        ["info", "camera:99999"],
        ["info", "x" * 70],
        ["ls", host, "--format", "png"],
        ["ls", host, "--since", "someday"],
        ["ls", host, "--since", "2026-02-02", "--until", "2026-02-01"],
        ["ls", host, "--timeout", "nan"],
        ["ls", host, "--timeout", "0"],
        ["ls", host, "--timeout", "forever=5"],
        ["ls", host, "--timeout", "total="],
        ["ls", host, "--timeout", "=5"],
        ["pull", host, "here", "--chunk", "-1"],
        ["pull", host, "here", "--chunk", "many"],
        ["pull", host, "here", "--chunk", "1"],
        ["pull", host, "here", "--on-conflict", "ask"],
        ["pull", host, "here", "--verify", "hope"],
        ["pull", host, "here", "--order", "random"],
        ["pull", host, "src", "many"],
        ["pull", host, host, "here"],
        ["pull", host],
        ["simulate", "--fault", "nonsense"],
        ["simulate", "--fault", "drop on Nothing"],
        ["simulate", "--vendor", "nobody"],
        ["simulate", "--dir", "/no/such/folder"],
        ["simulate", "--link", "string"],
        ["simulate", "--link", "gbe", "--rate", "1M"],
        ["simulate", "--link", "gbe", "--card-rate", "1M"],
        ["simulate", "--card-block", "1M"],
        ["simulate", "--host", "no.such.host.invalid"],
        ["simulate", "--host", "::1"],
        ["simulate", "--host", "a..b"],
        ["simulate", "--timeout", "1"],
        ["simulate", "--packet-size", "0"],
        ["demo", "--pairs", "0"],
        ["tune", host, "--show"],
        ["tune", "--show", "--dry-run"],
        ["tune", "--show", "--forget", "Model"],
        ["tune", "--forget", "Model"],
    ]


@pytest.mark.parametrize("words", usage_errors(), ids=lambda words: " ".join(words) or "nothing")
def test_a_wrong_command_line_is_one_line_and_status_two(words: Sequence[object]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    if words:
        assert re.fullmatch(r"ptpfast: .+; see 'ptpfast[ a-z]*--help'\n", result.stderr)
        (header, error) = records(run(*words, "--json").stdout)
        assert (error["type"], error["status"]) == ("error", 2)
        assert header["command"] == (words[0] if words[0] in COMMANDS else "")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("pul", " (did you mean 'pull'?)"),
        ("Download", " (did you mean 'pull'?)"),
        ("192.168.1.1", " (for a camera's address: 'ptpfast info 192.168.1.1')"),
        ("xyzzy", ""),
    ],
)
def test_a_word_that_is_no_command_is_answered_with_the_likely_one(word: str, meant: str) -> None:
    result = run(word)
    assert result.exit_code == 2
    assert result.stderr == f"ptpfast: there is no command '{word}'{meant}; see 'ptpfast --help'\n"


def test_a_port_in_use_is_a_usage_error(camera: Cameras) -> None:
    result = run("simulate", "--port", camera().port)
    assert result.exit_code == 2
    assert result.stderr.count("in use; try another --port") == 1
    assert "attempting" not in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_address_that_cannot_be_listened_at_is_not_blamed_on_the_port() -> None:
    error = run("simulate", "--host", "::1").stderr
    assert "--port" not in error
    assert "attempting" not in error
    assert "--host takes" in error


def test_the_kinds_of_faults_are_explained() -> None:
    lines = run("simulate", "--fault", "help").stdout.splitlines()
    assert len(lines) == len(KINDS)
    assert all(line.endswith(row.help) for line, row in zip(lines, KINDS.values(), strict=True))
    assert "--fault help" in run("simulate", "--fault", "nonsense").stderr
    assert len(records(run("simulate", "--fault", "help", "--json").stdout)) == len(KINDS) + 1


def test_the_profiles_of_links_are_explained() -> None:
    lines = run("simulate", "--link", "help").stdout.splitlines()
    assert [line.split()[0] for line in lines[::3]] == list(LINKS)
    assert [line.strip() for line in lines[1::3]] == [link.said() for link in LINKS.values()]
    assert all(link.source in line for line, link in zip(lines[2::3], LINKS.values(), strict=True))
    assert "--link help" in run("simulate", "--link", "string").stderr
    assert len(records(run("simulate", "--link", "help", "--json").stdout)) == len(LINKS) + 1


@contextmanager
def peer(answer: bytes | None) -> Iterator[str]:
    """Something that accepts a connection and says `answer`, then closes; None: says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            sock, _ = listener.accept()
            with sock:
                if answer:
                    sock.recv(1000)
                    sock.sendall(answer)
                if answer is None:
                    sock.settimeout(10)
                    while sock.recv(1000):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\n<html>no</html>"


@pytest.mark.parametrize("command", ["info", "ls", "pull"])
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("nobody", "nothing listens at 127.0.0.1"),
        (HTTP, "but not as a PTP/IP camera does"),
        (b"", "closed the connection"),
        (None, "accepts connections but does not answer"),
    ],
    ids=["nobody listens", "an HTTP server", "a port that closes", "a silent port"],
)
def test_what_is_no_camera_is_told_in_a_line_with_status_three(
    tmp_path: Path, command: str, answer: bytes | str | None, text: str
) -> None:
    more = [tmp_path] if command == "pull" else []
    with ExitStack() as stack:
        listens = not isinstance(answer, str)
        host = stack.enter_context(peer(answer)) if listens else nobody()
        result = run(command, host, *more, "--timeout", "1.5")
    assert result.exit_code == 3
    assert_one_line(result, text)
    assert result.stdout == ""


def assert_one_line(result: Result, text: str) -> None:
    """Of the lines on standard error, one is the error's; it says what happened and what to try."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("ptpfast: ")]
    assert len(lines) == 1, result.stderr
    assert text in lines[0]
    assert "; " in lines[0]
    assert "Traceback" not in result.output


def test_a_camera_that_holds_an_old_session_is_waited_for_with_a_word_why(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(faults=["init_fail=2"])
    result = run("pull", at(sim), tmp_path)
    assert result.exit_code == 0
    assert "still hold an aborted session" in result.stderr.splitlines()[0]
    sim.faults.add("init_fail=2 times 0")
    result = run("pull", at(sim), tmp_path, "--timeout", "1.5")
    assert result.exit_code == 4
    assert "busy" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", ["bench", "tune"])
def test_what_takes_long_anyway_waits_for_a_busy_camera_too(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("ptpfast.measure.tuner.STEP_S", 0.05)
    sim = camera(size=20_000, faults=["init_fail=2"])
    brief = ["--budget", "1"] if command == "bench" else []
    result = run(command, at(sim), *brief, "--json")
    assert result.exit_code == 0, result.output
    assert "still hold an aborted session" in result.stderr
    waiting = records(result.stdout)[1]
    assert waiting["type"] == "waiting"
    assert "busy" in waiting["reason"]
    sim.faults.add("init_fail=2 times 0")
    result = run(command, at(sim), "--timeout", "held=0.3")
    assert result.exit_code == 4
    assert "busy" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", ["ls", "info", "get"])
def test_a_question_between_two_sessions_is_answered_without_a_word(
    camera: Cameras, command: str
) -> None:
    result = run(command, at(camera(faults=["init_fail=2 times 2"])))
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("command", ["ls", "info", "get"])
def test_a_question_to_a_camera_that_stays_busy_ends_in_a_line(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("ptpfast.transport.timeouts.BETWEEN_SESSIONS_S", 0.1)
    result = run(command, at(camera(faults=["init_fail=2 times 0"])))
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1
    assert "busy" in result.stderr


def test_without_retries_a_camera_that_is_busy_is_not_waited_for(
    camera: Cameras, tmp_path: Path
) -> None:
    result = run("pull", at(camera(faults=["init_fail=2"])), tmp_path, "--retry", "0", "--json")
    assert result.exit_code == 4
    assert [row["type"] for row in records(result.stdout)] == ["header", "error"]
    result = run("pull", at(camera(faults=["init_fail=2"])), tmp_path, "--json")
    assert [row["type"] for row in records(result.stdout)][:2] == ["header", "waiting"]


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("init_fail=1", 4, "not registered"),
        ("event_fail=3", 4, "refused the connection"),
        ("respond=0x200F on GetStorageIDs", 4, "access is denied"),
        ("long_array on GetObjectHandles times 0", 5, "GetObjectHandles"),
        ("drop on GetObjectHandles", 3, ""),
        ("no_answer on GetObjectHandles", 3, "silent"),
        ("sleep on GetObjectHandles", 4, "there is no card"),
        ("length=7 on GetObjectHandles", 5, "broke the protocol"),
        ("wrong_tid on GetObjectHandles", 5, "transaction"),
    ],
)
def test_a_camera_that_misbehaves_while_listing_ends_with_its_status(
    camera: Cameras, tmp_path: Path, fault: str, status: int, text: str
) -> None:
    sim = camera(faults=[fault])
    for words in (["ls", at(sim)], ["pull", at(sim), tmp_path, "--retry", "0"]):
        sim.faults.clear()
        sim.faults.add(fault)
        result = run(*words, "--timeout", "1.5")
        assert result.exit_code == status, result.output
        if status:
            assert_one_line(result, text)
            assert "the same command" not in result.stderr
    assert names(tmp_path) == []


SILENT = ("stall=0", "black_hole", "no_response", "short_data")


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("drop after 150000", {3}),
        ("reset after 150000", {3}),
        ("stall=0 after 150000", {3}),
        ("black_hole after 150000", {3}),
        ("length=7 after 150000", {5}),
        ("unknown_packet=99 after 150000", {0, 5}),
        ("short_data after 150000", {0, 1, 5, 7}),
        ("overrun", {5}),
        ("wrong_tid", {5}),
        ("vanish after 150000", {1, 7}),
        ("error_after=0x2002 after 150000", {1, 7}),
        ("no_response", {3}),
    ],
)
def test_a_camera_that_fails_in_mid_object_leaves_no_unfinished_file(
    camera: Cameras, tmp_path: Path, fault: str, statuses: set[int]
) -> None:
    kind, _, rest = fault.partition(" ")
    sim = camera(faults=[f"{kind} on GetPartialObject handle 0x00040004 {rest} times 0"])
    # Only where the camera is silent on purpose is it to be given up soon.
    patience = "1.5" if kind in SILENT else "20"
    words = ["pull", at(sim), tmp_path, "--timeout", patience, "--retry", "0"]
    result = run(*words, "--json")
    assert result.exit_code in statuses, result.output
    assert "Traceback" not in result.output
    rows = records(result.stdout)
    assert rows[-1]["type"] == "summary"
    if result.exit_code > 1 and rows[-1]["remaining"]:
        assert rows[-2]["type"] == "error"
        assert rows[-2]["status"] == result.exit_code
        assert "1 file complete" in rows[-2]["hint"]
        kept = [row["kept"] for row in rows if row.get("status") == "unfinished"]
        assert ("of IMG_0001.JPG kept" in rows[-2]["hint"]) == any(kept)
    assert whole(sim, tmp_path)
    sim.faults.clear()
    if sim.store.get(0x40004) is not None:
        result = run(*words)
        assert result.exit_code == 0, result.output
        assert whole(sim, tmp_path)
        assert len(names(tmp_path)) == 4


def test_an_object_that_is_larger_than_listed_is_set_aside(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(faults=["object_size=299999 on GetObjectInfo handle 0x00040004 times 0"])
    result = run("pull", at(sim), tmp_path, "--chunk", "0")
    assert result.exit_code == 1, result.output
    assert "IMG_0001.JPG failed: 3 errors at the same place" in result.stderr
    assert "IMG_0001.JPG" not in names(tmp_path)


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/ptpfast", "/dev/null"])
def test_a_destination_that_is_no_folder_is_status_six_before_connecting(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    result = run("pull", "127.0.0.1:1", tmp_path / place)
    assert result.exit_code == 6
    assert_one_line(result, "folder")
    if place.startswith("file"):
        assert f"{tmp_path / 'file'} is not a folder" in result.stderr
    (_, error) = records(run("pull", "127.0.0.1:1", tmp_path / place, "--json").stdout)
    assert error["status"] == 6


@pytest.mark.parametrize("which", ["here", "copies"])
def test_a_folder_that_cannot_be_read_is_status_six_before_connecting(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    sim = camera()
    here, copies = tmp_path / "here", tmp_path / "copies"
    here.mkdir()
    copies.mkdir()
    scan = os.scandir

    def refuse(folder: Any) -> Any:
        if os.fspath(folder) == str(tmp_path / which):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    result = run("pull", at(sim), here, "--copies", copies)
    assert result.exit_code == 6
    assert_one_line(result, f"{tmp_path / which}")
    assert sim.connections == 0


def test_a_camera_that_is_not_there_leaves_no_folder(tmp_path: Path) -> None:
    assert run("pull", nobody(), tmp_path / "new" / "folder").exit_code == 3
    assert names(tmp_path) == []


def test_the_timeout_bounds_a_run_with_a_camera_that_is_gone(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(faults=["black_hole on GetPartialObject after 1000"])
    began = time.monotonic()
    words = ["pull", at(sim), tmp_path, "--timeout", "1.5", "--retry", "0"]
    assert run(*words).exit_code == 3
    assert time.monotonic() - began < 20  # the usual patience is longer


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], Timeouts(held=2)),
        (["5"], Timeouts(5, 5, 5, 0.5, held=2, approval=5)),
        (["1"], Timeouts(1, 1, 1, 0.5, held=1, approval=1)),
        (["total=600", "held=60"], Timeouts(total=600, held=60)),
        (["idle=3", "8", "first-byte=7"], Timeouts(8, 8, 3, 0.5, first_byte=7, held=2, approval=8)),
        (
            ["5", "total=1", "total=2", "7", "close=4"],
            Timeouts(7, 7, 7, 4, total=2, held=2, approval=7),
        ),
    ],
)
def test_every_wait_can_be_given_and_all_of_them_at_once(
    monkeypatch: pytest.MonkeyPatch, words: list[str], expected: Timeouts
) -> None:
    given: list[Timeouts] = []

    def connect(*_: object, timeouts: Timeouts, **__: object) -> None:
        given.append(timeouts)
        raise ConnectFailed("nobody")

    monkeypatch.setattr("ptpfast.session.connecting.connect", connect)
    run("info", "camera", *[word for each in words for word in ("--timeout", each)])
    assert given == [expected]
    assert set(WAITS) == {field.name for field in dataclasses.fields(Timeouts)}
    wrong = run("info", "camera", "--timeout", "name=1")
    assert all(name in wrong.stderr for name in WAITS)


def test_an_object_that_takes_too_long_in_all_goes_on_over_a_new_connection(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    sim = camera(objects=1, size=2_000_000, bytes_per_s=2_000_000)
    result = run("pull", at(sim), tmp_path, "--timeout", "total=0.3", "--retry", "0")
    assert result.exit_code == 3
    assert "IMG_0001.DNG: not complete after 0.3 s" in result.stderr
    result = run("pull", at(sim), tmp_path, "--timeout", "total=0.3", "--json")
    assert result.exit_code == 0, result.output
    *_, file, summary = records(result.stdout)
    assert file["resumed_at"] > 0
    assert summary["retries"] > 0
    assert whole(sim, tmp_path)


@pytest.mark.parametrize(
    "fault",
    ["drop after 150000", "reset after 1000", "length=7 after 150000", "stall=0 after 150000"],
)
def test_a_lost_connection_is_made_again_and_the_object_goes_on(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    kind, _, rest = fault.partition(" ")
    sim = camera(faults=[f"{kind} on GetPartialObject {rest} at 2"])
    result = run("pull", at(sim), tmp_path, "--timeout", "1.5", "--json")
    assert result.exit_code == 0, result.output
    rows = records(result.stdout)
    assert [row["type"] for row in rows].count("retry") == rows[-1]["retries"] == 1
    assert "; reconnecting" in result.stderr
    assert rows[-1]["bytes"] == sum(item.size for item in sim.store.files())
    assert whole(sim, tmp_path)


@pytest.mark.parametrize("fault", ["drop after 1000", "length=7 after 1000", "no_response"])
def test_an_object_that_always_ends_the_connection_is_set_aside_and_the_rest_goes_on(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    kind, _, rest = fault.partition(" ")
    sim = camera(objects=3, faults=[f"{kind} on GetPartialObject handle 0x00040004 {rest} times 0"])
    result = run("pull", at(sim), tmp_path, "--timeout", "1.5", "--retry", "forever")
    assert result.exit_code == 1, result.output
    assert "IMG_0001.JPG failed: 3 errors at the same place" in result.stderr
    assert "2 files downloaded" in result.stdout
    assert "1 failed" in result.stdout


def test_a_file_that_is_begun_anew_because_its_object_changed_is_told_of(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=1, size=3_000_000, faults=["drop after-total 2000000"])
    assert run("pull", at(sim), tmp_path, "--retry", "0").exit_code == 3
    (stored,) = sim.store.files()
    other = Store.synthetic(1, 3_000_000, seed=5)
    sim.store.replace(stored.handle, content=other.expected(other.files()[0].handle))
    result = run("pull", at(sim), tmp_path)
    assert result.exit_code == 0
    assert ", restarted: the 2.0 MB from before could not be verified" in result.stderr
    assert whole(sim, tmp_path)


def test_what_is_left_of_an_object_that_has_vanished_is_named_with_the_reason(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = begun(camera, tmp_path, objects=2)
    part = tmp_path / "IMG_0001.DNG.part"
    before = part.read_bytes()
    (first, _) = sim.store.files()
    sim.store.delete(first.handle)
    for more in ([], ["--dry-run"]):
        result = run("pull", at(sim), tmp_path, *more)
        assert result.exit_code == 0, result.output
        line = (
            f"{part}: 2.0 MB of an earlier run are kept and cannot be resumed (its object is no "
            "longer on the card); delete it and IMG_0001.DNG.part.json if you do not want them"
        )
        assert line in result.stderr.splitlines()
        assert "; 1 part file left over (2.0 MB)" in result.stdout
    summary = records(run("pull", at(sim), tmp_path, "--json").stdout)[-1]
    reason = "its object is no longer on the card"
    assert summary["leftovers"] == [{"file": str(part), "bytes": len(before), "reason": reason}]
    assert summary["ok"]
    assert part.read_bytes() == before
    part.unlink()
    (tmp_path / "IMG_0001.DNG.part.json").unlink()
    result = run("pull", at(sim), tmp_path)
    assert "left over" not in result.stdout
    assert "cannot be resumed" not in result.stderr


@pytest.mark.parametrize("value", ["-1", "1.5", "always", ""])
def test_a_strange_number_of_retries_is_a_usage_error(tmp_path: Path, value: str) -> None:
    result = run("pull", "127.0.0.1", tmp_path, "--retry", value)
    assert result.exit_code == 2
    assert "neither a number nor 'forever'" in result.stderr


def test_files_are_counted_among_those_that_are_fetched(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    (tmp_path / "IMG_0001.DNG").write_bytes(b"mine")
    result = run("pull", at(sim), tmp_path, "--on-conflict", "fail")
    assert "[1/1] IMG_0001.JPG" in result.stderr


def test_totals_are_said_once_when_all_is_listed(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=150, size=100, withheld=[OperationCode.GetObjectPropList])
    lines = run("pull", at(sim), tmp_path).stderr.splitlines()
    planned = [line for line in lines if "selected" in line]
    assert planned == ["150 files selected, 150 to download (15.0 kB)"]
    assert lines[0].startswith("[1] IMG_0001.DNG ")
    assert lines.index(planned[0]) < 5
    assert lines[-1].startswith("[150/150] ")


def test_too_little_room_is_told_with_figures_and_nothing_is_begun(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module.Folder, "free_space", lambda _: 1000)
    sim = camera()
    result = run("pull", at(sim), tmp_path)
    assert result.exit_code == 6
    assert_one_line(result, "4 files need 1.2 MB")
    assert reads(sim) == 0
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_on_the_way_is_status_six_and_goes_on_later(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(size=300_000)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = run("pull", at(sim), tmp_path)
    assert result.exit_code == 6
    assert_one_line(result, "is full")
    assert result.stdout.startswith("0 files downloaded")
    assert all(name.endswith((".part", ".part.json")) for name in names(tmp_path))
    assert run("pull", at(sim), tmp_path).exit_code == 0
    assert whole(sim, tmp_path)
    assert len(names(tmp_path)) == 4


def test_a_defect_of_ours_shows_its_traceback_with_verbose_only(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("ptpfast.cli.info._camera", broken)
    sim = camera()
    plain, loud = run("info", at(sim)), run("info", at(sim), "--verbose")
    assert plain.exit_code == loud.exit_code == 70
    assert_one_line(plain, "a defect in ptpfast: ZeroDivisionError: ours")
    assert "Traceback" in loud.stderr


# Signals and pipes


def end_in_mid_object(
    sim: SimulatedCamera, folder: Path, number: int, *more: str
) -> tuple[int, str, str]:
    """Starts a pull, sends the signal when the camera has stopped in an object; how it ended."""
    with started("pull", at(sim), folder, *more) as process:
        assert sim.wait_for(lambda: sim.operations[OperationCode.GetPartialObject] >= 5, 20)
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_pull_keeps_what_it_has_and_the_next_one_goes_on(
    camera: Cameras, tmp_path: Path, number: int
) -> None:
    sim = camera(objects=2, size=3_000_000)
    # Three requests for the first object; at the fifth a megabyte of the second is here.
    sim.faults.add("stall=0 on GetPartialObject handle 0x00040004 after 0 at 2 times 0")
    status, out, err = end_in_mid_object(sim, tmp_path, number, "--chunk", "1M", "--json")
    assert status == 130, err
    *_, error, summary = records(out)
    assert error["message"] == "interrupted"
    assert (summary["downloaded"], summary["remaining"]) == (1, 1)
    assert "run the same command again to continue" in err
    assert "1.0 MB of IMG_0001.JPG kept" in err
    assert summary["bytes"] == 4_000_000
    assert "Traceback" not in err
    assert names(tmp_path) == ["IMG_0001.DNG", "IMG_0001.JPG.part", "IMG_0001.JPG.part.json"]
    assert whole(sim, tmp_path)

    sim.faults.clear()
    sim.clear_log()
    rows = records(run("pull", at(sim), tmp_path, "--json").stdout)
    (arrived,) = [row for row in rows if row.get("status") == "downloaded"]
    assert arrived["resumed_at"] == 1_000_000
    moved = sum(row.payload for row in sim.log if row.operation == OperationCode.GetPartialObject)
    assert 2_000_000 <= moved < 2_200_000
    assert names(tmp_path) == ["IMG_0001.DNG", "IMG_0001.JPG"]
    assert whole(sim, tmp_path)


def test_an_interrupted_pull_closes_the_session(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2, size=3_000_000, bytes_per_s=2_000_000)
    with started("pull", at(sim), tmp_path, "--chunk", "100k") as process:
        assert sim.wait_for(lambda: sim.operations[OperationCode.GetPartialObject] >= 4, 20)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)  # as a terminal and a wrapper together do
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, err
    assert sim.wait_for(lambda: sim.sessions_closed == 1)
    assert sim.unclean_ends == 0


def test_a_second_signal_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    now = 100.0
    monkeypatch.setattr(signals.os, "_exit", ended.append)
    monkeypatch.setattr(signals.time, "monotonic", lambda: now)
    before = signal.getsignal(signal.SIGTERM)
    with signals.orderly_end():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        now += signals.SAME_S / 2  # the same Ctrl-C, by another way
        signal.raise_signal(signal.SIGINT)
        assert ended == []
        now += signals.SAME_S
        signal.raise_signal(signal.SIGINT)
    assert ended == [130]
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.orderly_end():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_an_output_nobody_reads_ends_quietly(camera: Cameras, more: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        status, _, err = complete("ls", at(camera(objects=300, size=10)), *more, stdout=writing)
    finally:
        os.close(writing)
    assert status == 141
    assert err == ""


def test_an_output_that_cannot_be_written_is_status_six(camera: Cameras) -> None:
    with open("/dev/full", "w") as full:
        status, _, err = complete("ls", at(camera()), stdout=full)
    assert status == 6
    assert err.startswith("ptpfast: cannot write the output")
    assert err.count("\n") == 1


def test_closed_streams_do_no_harm(camera: Cameras, tmp_path: Path) -> None:
    sim = camera()
    words = f"{sys.executable} -m ptpfast pull {at(sim)} {tmp_path} >&- 2>&-"
    assert subprocess.run(["sh", "-c", words], timeout=TIMEOUT_S).returncode == 0
    assert whole(sim, tmp_path)


def test_names_an_encoding_lacks_are_shown_all_the_same(camera: Cameras) -> None:
    store = Store()
    store.add("日本.NEF", 10)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    status, out, _ = complete("ls", at(camera(store=store)), env=environment)
    assert status == 0
    assert "\\u65e5\\u672c.NEF" in out


# Simulate and demo


@contextmanager
def simulated(*more: object) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    with started("simulate", "--port", 0, "--json", *more) as process:
        assert process.stdout is not None
        lines = process.stdout.readline() + process.stdout.readline()
        yield process, records(lines)[1]


def test_simulate_says_where_it_listens_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "A.NEF").write_bytes(b"picture")
    with simulated("--dir", tmp_path / "source") as (process, listening):
        assert listening["type"] == "listening"
        assert (listening["objects"], listening["bytes"]) == (1, 7)
        host = f"{listening['host']}:{listening['port']}"
        assert run("pull", host, tmp_path / "copy").exit_code == 0
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    assert "stopped; " in err
    assert f"ptpfast pull {host} FOLDER" in err
    assert (tmp_path / "copy" / "A.NEF").read_bytes() == b"picture"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", "--dir", "/dev/null"], "'--dir': /dev/null is not a folder"),
        (["ls", "127.0.0.1:9", "--trace", ""], "'--trace': . is a folder; name a file"),
    ],
)
def test_a_path_of_the_wrong_kind_is_named_with_its_option(words: list[str], said: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_simulate_says_how_much_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "A.NEF").write_bytes(b"picture")
    (tmp_path / "link").symlink_to("A.NEF")
    (tmp_path / os.fsdecode(b"bad\xff.jpg")).write_bytes(b"x")
    with simulated("--dir", tmp_path) as (process, listening):
        assert listening["objects"] == 1
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert "2 files left out" in err


def test_simulate_does_what_is_asked_of_it(tmp_path: Path) -> None:
    words = ["--objects", 2, "--size", "1.5k", "--vendor", "nikon", "--packet-size", 100]
    words += ["--rate", "1M", "--rtt", "0.002", "--delay", "0.001", "--card-rate", "1M"]
    words += ["--fault", "busy on GetObjectHandles"]
    with simulated(*words) as (_, listening):
        assert listening["bytes"] == 3000
        host = f"{listening['host']}:{listening['port']}"
        result = run("pull", host, tmp_path, "--json")
    assert result.exit_code == 0
    assert records(result.stdout)[-1]["downloaded"] == 2


def test_simulate_leaves_out_operations_by_name() -> None:
    words = ["--objects", 40, "--without", "GetObjectPropList"]
    with simulated(*words) as (_, listening):
        log = run("ls", f"{listening['host']}:{listening['port']}", "--verbose").stderr
    assert "listed 42 objects: 42 one by one" in log
    assert run("simulate", "--without", "GetLunch").exit_code == 2


def test_simulate_is_a_real_body_with_the_habits_that_are_asked_for() -> None:
    words = ["--body", "nikon-z6", "--objects", 1, "--size", 100, "--busy", 600]
    words += ["--end-data", "last", "--strict-ids", "--needs-probe"]
    with simulated(*words) as (_, listening):
        host, port = str(listening["host"]), int(str(listening["port"]))
        assert "Z 6" in run("info", f"{host}:{port}").stdout
        with connect(host, port=port, vendor=without_pauses("nikon")) as session:
            session.link.command(OperationCode.InitiateCapture, 0, 0)
            with pytest.raises(DeviceBusy):
                session.link.command(OperationCode.InitiateCapture, 0, 0, busy_s=0.0)
    assert run("simulate", "--body", "box brownie").exit_code == 2
    assert run("simulate", "--end-data", "never").exit_code == 2


def test_demo_shows_a_table_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = run("demo", "--pairs", 1)
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        *("Files", "Bytes", "Seconds", "Rate", "CPU", "Verified")
    ]
    assert names(tmp_path) == []
    (_, row) = records(run("demo", "--pairs", 1, "--json").stdout)
    assert (row["files"], row["bytes"], row["verified"]) == (2, 32_500_000, True)


@pytest.mark.parametrize("trouble", ["no room", "interrupt", "difference"])
def test_demo_leaves_nothing_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if trouble == "no room":
        monkeypatch.setattr(folder_module.Folder, "free_space", lambda _: 1000)
    elif trouble == "interrupt":
        monkeypatch.setattr("ptpfast.cli.demo._compare", interrupt)
    else:
        monkeypatch.setattr("ptpfast.sim.first_difference", lambda *_: 17)
    result = run("demo", "--pairs", 1)
    assert result.exit_code == {"no room": 6, "interrupt": 130, "difference": 7}[trouble]
    assert result.stderr.splitlines()[-1].startswith("ptpfast: ")
    assert names(tmp_path) == []


# What people read


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (25_000_000, "25.0 MB"),
        (6 << 30, "6.4 GB"),
        (10**15, "1000.0 TB"),
    ],
)
def test_sizes_are_shown_in_powers_of_a_thousand(size: int | None, text: str) -> None:
    assert human_size(size) == text


def test_durations_are_shown_to_what_matters() -> None:
    shown = [human_seconds(seconds) for seconds in (0.123, 12.34, 187, 7512)]
    assert shown == ["0.12 s", "12.3 s", "3 min 07 s", "2 h 05 min"]


@pytest.fixture
def on_a_terminal() -> Callable[..., tuple[int, str]]:
    """Runs a command on a pseudo-terminal; its status and all it showed. `press` are keys for when
    there is a bar."""

    def own_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def show(*arguments: object, press: bytes = b"", columns: int = 100) -> tuple[int, str]:
        master, slave = os.openpty()
        termios.tcsetwinsize(slave, (24, columns))
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns)}
        words = {"stdin": slave, "stdout": slave, "stderr": slave, "env": environment}
        words |= {"start_new_session": True, "preexec_fn": own_terminal}
        with started(*arguments, **words) as process:
            os.close(slave)
            shown = b""
            try:
                while more := os.read(master, 65536):
                    shown += more
                    if press and "─" in shown.decode(errors="ignore"):
                        os.write(master, press)
                        press = b""
            except OSError:
                pass  # the other side has gone
            os.close(master)
            return process.wait(TIMEOUT_S), shown.decode()

    return show


def test_a_terminal_gets_a_table_and_bars(
    camera: Cameras, tmp_path: Path, on_a_terminal: Callable[..., tuple[int, str]]
) -> None:
    sim = camera()
    status, shown = on_a_terminal("ls", at(sim))
    assert status == 0
    assert re.search(r"SIZE +KIND +DATE +PATH", shown)
    assert "300.0 kB" in shown
    status, shown = on_a_terminal("pull", at(sim), tmp_path)
    assert status == 0
    assert "0/4 preparing" in shown
    assert "MB/s" in shown
    assert "4 files downloaded" in shown


def test_dry_run_keeps_paths_whole_on_a_narrow_terminal(
    camera: Cameras, tmp_path: Path, on_a_terminal: Callable[..., tuple[int, str]]
) -> None:
    folder = tmp_path / "all of my pictures of a very long year"
    status, shown = on_a_terminal("pull", at(camera()), folder, "--dry-run", columns=40)
    assert status == 0
    assert f"  {folder}/IMG_0001.DNG\r\n" in shown
    assert re.search(r"IMG_0001\.DNG ->\r\n", shown)


def test_what_is_compared_with_the_camera_before_it_is_fetched_is_counted(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera("nikon", objects=20, size=1000)
    assert run("ls", at(sim)).exit_code == 0
    counted: list[tuple[int, int]] = []

    class Watching(Observer):
        def confirming(self, done: int, total: int) -> None:
            counted.append((done, total))

    report = pull(at(sim), tmp_path, order="newest", observer=Watching())
    assert report.downloaded == 20
    total = counted[-1][0]
    assert counted == [(done, total) for done in (0, *range(total + 1))]
    assert total >= 14  # some were looked at before
    with StatusLine(Output("pull"), Status()) as shown:
        shown.confirming(3, 20)
        assert shown.status.line(80).startswith("comparing with the camera: 3 of 20")
        shown.confirming(20, 20)
        assert shown.status.line(80).startswith("preparing")


class Screen:
    """What a terminal of so many columns shows of what is written to it, as far as bars need it."""

    PIECE = re.compile(r"\x1b\[\??([0-9;]*)([A-Za-z])|(.)", re.DOTALL)

    def __init__(self, columns: int, text: str) -> None:
        self.rows = [""]
        self._row = column = 0
        for number, command, char in self.PIECE.findall(text):
            if command == "A":
                self._row = max(0, self._row - int(number or 1))
            elif command == "K":
                self.rows[self._row] = ""
            elif char == "\r":
                column = 0
            elif char == "\n":
                self._down()
            elif char:
                if column == columns:  # only now does a full row go on in the next
                    self._down()
                    column = 0
                row = self.rows[self._row].ljust(column)
                self.rows[self._row] = row[:column] + char + row[column + 1 :]
                column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.rows):
            self.rows.append("")


def test_ctrl_c_leaves_no_bar_on_the_terminal(
    camera: Cameras, tmp_path: Path, on_a_terminal: Callable[..., tuple[int, str]]
) -> None:
    sim = camera(faults=["stall=0 on GetPartialObject after 100000 times 0"])
    words = ["--timeout", "close=0.3"]
    status, shown = on_a_terminal("pull", at(sim), tmp_path, *words, press=b"\x03")
    assert status == 130
    assert "^C" in shown  # which the terminal says itself, behind the bars
    rows = Screen(100, shown).rows
    assert any("interrupted" in row for row in rows)
    assert [row for row in rows if "─" in row or "^C" in row] == []
