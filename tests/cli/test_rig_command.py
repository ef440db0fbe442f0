"""`ptpfast pull --scheduler`: what it refuses, which options win, and what its table shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from command_line import records, run
from ptpfast import cluster
from ptpfast.cli.output import Output
from ptpfast.cli.rig import RigDisplay
from ptpfast.ptp.errors import ConnectFailed

RIG = '[[camera]]\naddress = "127.0.0.1:9"\nname = "left"\n[options]\nverify = "hash"\nretry = 2\n'


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    path = tmp_path / "rig.toml"
    path.write_text(RIG)
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the cluster was asked for; it has one camera that failed."""
    calls: list[tuple[Any, ...]] = []

    def pull(scheduler: str, rig: cluster.Rig, place: str, *, told: Any) -> cluster.RigReport:
        calls.append((scheduler, rig, place))
        told(NUMBERS)
        left = cluster.CameraResult("left", 3, 1, 1, 5_000, failures=(("A.NEF", "torn"),))
        return cluster.RigReport([left])

    monkeypatch.setattr(cluster, "pull", pull)
    return calls


NUMBERS: Mapping[str, Any] = {
    "camera": "left",
    "state": "waiting",
    "files": 1,
    "of_files": 4,
    "bytes": 2_000_000,
    "of_bytes": 8_000_000,
}


def test_options_of_the_command_line_win_over_the_file(
    rig: Path, asked: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    words = ["--verify", "disk", "--format", "raw", "--timeout", "7"]
    done = run("pull", "--scheduler", "tcp://10.0.0.1:8786", rig, tmp_path / "in", *words)
    assert done.exit_code == 1
    ((scheduler, sent, place),) = asked
    assert (scheduler, place) == ("tcp://10.0.0.1:8786", str(tmp_path / "in"))
    assert sent.options.keys() == {"verify", "retry", "formats", "timeouts"}
    assert (sent.options["verify"], sent.options["formats"]) == ("disk", ("raw",))
    assert sent.options["timeouts"].idle == 7
    assert done.stdout == "left: 3 downloaded, 1 skipped, 1 failed\n"
    assert "left: waiting" in done.stderr
    assert "left: A.NEF failed: torn" in done.stderr


def test_records_tell_of_numbers_cameras_and_the_sum(
    rig: Path, asked: list[tuple[Any, ...]]
) -> None:
    rows = records(run("pull", "--scheduler", "a:1", rig, "s3://bucket/in", "--json").stdout)
    assert asked[0][2] == "s3://bucket/in"
    assert [row["type"] for row in rows] == ["header", "progress", "camera", "summary"]
    assert rows[1].items() >= NUMBERS.items()
    assert rows[2]["failures"] == [{"name": "A.NEF", "reason": "torn"}]
    assert (rows[3]["ok"], rows[3]["downloaded"], rows[3]["bytes"]) == (False, 3, 5_000)


def test_relative_folder_is_sent_as_an_absolute_one(
    rig: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    run("pull", "in", "--scheduler", "a:1")  # no rig: refused
    run("pull", rig, "in", "--scheduler", "a:1")
    assert [call[2] for call in asked] == [str(tmp_path / "in")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["RIG", "RIG", "in"], "give the file of the rig"),
        (["nothing.toml", "in"], "nothing.toml: No such file or directory"),
        (["RIG", "s3://bucket/../in"], "has the part '..'"),
        (["RIG", "in", "--dry-run"], "--dry-run does not go with --scheduler"),
        (["RIG", "in", "--copies", "b"], "--copies does not go with --scheduler"),
        (["RIG", "in", "--exec", "true {}"], "--exec does not go with --scheduler"),
        (["RIG", "in", "--bwlimit", "2M"], "--bwlimit does not go with --scheduler"),
        (["RIG", "in", "--trace", "t.pcapng"], "--trace does not go with --scheduler"),
    ],
)
def test_what_makes_no_sense_with_a_scheduler_is_refused(
    rig: Path, asked: list[tuple[Any, ...]], words: list[str], said: str, tmp_path: Path
) -> None:
    there = {"RIG": str(rig), "t.pcapng": str(tmp_path / "t.pcapng")}
    done = run("pull", "--scheduler", "a:1", *(there.get(word, word) for word in words))
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
    assert not asked


def test_scheduler_that_does_not_answer_is_unreachable(
    rig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(*_: Any, **__: Any) -> Any:
        raise ConnectFailed("no dask scheduler answers at a:1")

    monkeypatch.setattr(cluster, "pull", pull)
    done = run("pull", "--scheduler", "a:1", rig, "in")
    assert done.exit_code == 3
    assert "no dask scheduler answers at a:1" in done.stderr


def test_table_has_a_row_for_each_camera() -> None:
    display = RigDisplay(Output("pull", quiet=True), ["left", "right"])
    display.told(NUMBERS)
    assert display.rows() == [
        ("left", "1/4", "2.0 MB of 8.0 MB", "waiting"),
        ("right", "", "", "not begun"),
    ]
    display.told({**NUMBERS, "files": 4, "state": "reading"})
    assert display.rows()[0][3] == "done"
