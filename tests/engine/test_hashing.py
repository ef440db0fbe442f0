"""Digests by XXH3 instead of SHA-256: in a download, over an interruption, in `pull`."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
import xxhash

import ptpfast
from command_line import at, records, run
from conftest import Cameras, Sessions
from noted import read_note
from objects_of import content
from ptpfast import ConnectionLost, TransferError
from ptpfast.transfer.hashing import ALGORITHMS, digest_of, new_hash

MiB = 1 << 20
SIZE = 3_000_000


@pytest.mark.parametrize("packet", [1000, 65_536])
@pytest.mark.parametrize("verify", ["hash", "disk", "reread"])
def test_the_digest_is_that_of_the_bytes_whatever_the_packets(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str, packet: int
) -> None:
    sim = camera(size=SIZE, data_packet_size=packet)
    session = connect(sim)
    info = session.objects()[0]
    transfer = session.download(info, tmp_path / "x", verify=verify, algorithm="xxh3")
    expected = content(sim, info.handle)
    assert (tmp_path / "x").read_bytes() == expected
    assert transfer.xxh3 == xxhash.xxh3_128(expected).hexdigest()
    assert transfer.digest == f"xxh3:{transfer.xxh3}"
    assert transfer.sha256 is None


@pytest.mark.parametrize("first", ALGORITHMS)
@pytest.mark.parametrize("then", ALGORITHMS)
def test_a_part_file_is_continued_by_either_algorithm(
    camera: Cameras, connect: Sessions, tmp_path: Path, first: str, then: str
) -> None:
    sim = camera(size=SIZE, faults=[f"drop after-total {2 * MiB}"])
    session = connect(sim)
    info = session.objects()[0]
    with pytest.raises(ConnectionLost):
        session.download(info, tmp_path / "x", chunk=MiB // 2, verify="hash", algorithm=first)
    transfer = connect(sim).download(info, tmp_path / "x", verify="hash", algorithm=then)
    assert transfer.resumed_at > 0
    expected = content(sim, info.handle)
    assert (tmp_path / "x").read_bytes() == expected
    digests = {"sha256": hashlib.sha256, "xxh3": xxhash.xxh3_128}
    assert transfer.digest == f"{then}:{digests[then](expected).hexdigest()}"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_file_that_the_disk_changed_is_not_published(
    camera: Cameras, connect: Sessions, tmp_path: Path, algorithm: str
) -> None:
    def spoil(received: int, size: int | None) -> None:
        with (tmp_path / "x.part").open("r+b") as file:
            file.write(b"spoiled")

    session = connect(camera())
    options = {"verify": "hash", "algorithm": algorithm, "progress": spoil}
    with pytest.raises(TransferError, match="differs from the received bytes"):
        session.download(session.objects()[0], tmp_path / "x", **options)
    assert not (tmp_path / "x").exists()


def test_an_algorithm_that_cannot_be_had_is_said_before_anything_is_asked(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera()
    session = connect(sim)
    info = session.objects()[0]
    asked = sim.operations.total()
    with pytest.raises(ValueError, match=r"one of sha256, xxh3, not 'md5'"):
        session.download(info, tmp_path / "x", verify="hash", algorithm="md5")
    with pytest.raises(ValueError, match="not 'md5'"):
        ptpfast.pull(session, tmp_path, algorithm="md5")
    monkeypatch.setitem(sys.modules, "xxhash", None)
    with pytest.raises(ValueError, match="pip install xxhash"):
        session.download(info, tmp_path / "x", verify="hash", algorithm="xxh3")
    assert sim.operations.total() == asked
    result = run("pull", at(sim), tmp_path, "--algorithm", "xxh3")
    assert result.exit_code == 2
    assert "xxh3 needs the package xxhash" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_pull_by_xxh3_implies_hash_and_says_the_digest(camera: Cameras, tmp_path: Path) -> None:
    sim = camera()
    result = run("pull", at(sim), tmp_path, "--algorithm", "xxh3", "--json")
    assert result.exit_code == 0
    files = [row for row in records(result.stdout) if row["type"] == "file"]
    assert files
    for row in files:
        written = Path(row["file"]).read_bytes()
        assert row["verified"] == "hash"
        assert row["sha256"] is None
        assert row["xxh3"] == xxhash.xxh3_128(written).hexdigest()


def test_pull_checks_as_much_as_it_is_told(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=1)
    for number, (words, level) in enumerate(
        [
            ([], "size"),
            (["--verify", "hash"], "hash"),
            (["--algorithm", "sha256"], "hash"),
            (["--algorithm", "xxh3", "--verify", "disk"], "disk"),
            (["--manifest"], "hash"),
        ]
    ):
        result = run("pull", at(sim), tmp_path / str(number), *words, "--json")
        rows = [row for row in records(result.stdout) if row["type"] == "file"]
        assert [row["verified"] for row in rows] == [level], words
        assert all((row["sha256"] or row["xxh3"]) is not None for row in rows) == (level != "size")


@pytest.mark.parametrize("option", [["--manifest"], ["--copies", "c"], ["--delete-verified"]])
def test_what_needs_sha256_does_not_go_with_another(
    camera: Cameras, tmp_path: Path, option: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sim = camera()
    result = run("pull", at(sim), "here", "--algorithm", "xxh3", *option)
    assert result.exit_code == 2
    assert "leave --algorithm out" in result.stderr
    with pytest.raises(ValueError, match="need SHA-256"):
        ptpfast.pull(f"{sim.host}:{sim.port}", "here", algorithm="xxh3", manifest=True)
    assert run("pull", at(sim), "here", "--algorithm", "sha256", *option).exit_code == 0


def test_a_journal_of_an_earlier_schema_is_not_believed(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE, faults=[f"drop after-total {2 * MiB}"])
    session = connect(sim)
    info = session.objects()[0]
    with pytest.raises(ConnectionLost):
        session.download(info, tmp_path / "x", chunk=MiB // 2)
    journal = tmp_path / "x.part.json"
    entry = read_note(journal)
    journal.write_text(json.dumps(entry | {"schema": entry["schema"] - 1}))
    assert connect(sim).download(info, tmp_path / "x").resumed_at == 0
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_a_digest_says_of_which_kind_it_is() -> None:
    for algorithm in ALGORITHMS:
        assert digest_of(new_hash(algorithm)).startswith(f"{algorithm}:")
