"""`pull` to real servers: S3 (moto), SFTP (OpenSSH), WebDAV (wsgidav and Debian's lighttpd), cut,
stopped, restarted and full."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Cameras
from objects_of import content
from ptpfast import Report, SinkError
from ptpfast.library.remote import target as target_module
from ptpfast.library.remote.target import Target
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store
from remote_folders import contents, fetch
from remote_servers import SITES, Site, begin_loop_of_fsspec

pytestmark = pytest.mark.tools  # servers of their own, a minute or two

MIB = 1 << 20
SIZE = 12 * MIB  # three parts of the least size that S3 takes
Serve = Callable[..., Site]


@pytest.fixture(scope="module", autouse=True)
def _loop_of_fsspec() -> None:
    begin_loop_of_fsspec()


@pytest.fixture(autouse=True)
def _quick_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(target_module, "LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr(target_module, "PART", 5 * MIB)
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)


@pytest.fixture(params=SITES)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def site(kind: str, tmp_path: Path) -> Iterator[Site]:
    with SITES[kind](tmp_path) as site:
        yield site


def run(sim: SimulatedCamera, site: Site, **options: Any) -> Report:
    return fetch(sim, site.url, storage_options=site.storage, **options)


def assert_all_there(sim: SimulatedCamera, site: Site) -> None:
    there = site.files()
    assert sorted(there.values()) == contents(sim)
    assert sorted(there) == sorted(each.name for each in sim.store.files())


@pytest.mark.parametrize("verify", ["size", "disk"])
def test_files_of_all_sizes_are_stored_and_known_again(
    camera: Cameras, site: Site, verify: Any
) -> None:
    store = Store()
    for number, size in enumerate((0, 1, 70_000, 5 * MIB, 5 * MIB + 1, 10 * MIB)):
        store.add(f"IMG_{number}.DNG", size)
    sim = camera(store=store)
    report = run(sim, site, verify=verify)
    assert report.ok
    wanted = {each.name: content(sim, each.handle) for each in sim.store.files()}
    there = site.files()
    assert {name: data for name, data in wanted.items() if data} == {
        name: data for name, data in there.items() if data
    }
    assert run(sim, site, verify=verify).downloaded == 0
    assert site.files() == there


def test_odd_names_arrive_as_they_are(camera: Cameras, site: Site) -> None:
    store = Store()
    for name in ("100%41.JPG", "a b+c&d.JPG", "ä#1.JPG", "[x].JPG", "%2F.JPG"):
        store.add(name, 10_000)
    sim = camera(store=store)
    assert run(sim, site, verify="disk").ok
    assert_all_there(sim, site)
    assert run(sim, site).here == 5


@pytest.mark.parametrize("at", [100_000, 7 * MIB, SIZE])
def test_connection_that_is_cut_mid_file_leaves_the_right_bytes(
    camera: Cameras, site: Site, at: int
) -> None:
    sim = camera(objects=2, size=SIZE)
    site.proxy.cuts.append(at)
    assert run(sim, site, verify="disk").ok
    assert site.proxy.cut_count == 1
    assert_all_there(sim, site)


def test_lost_camera_does_not_begin_the_upload_again(camera: Cameras, site: Site) -> None:
    sim = camera(objects=1, size=SIZE)
    sim.faults.add("drop after 7000000 on GetPartialObject")
    sim.faults.add("drop after 300000 on GetPartialObject at 4")
    assert run(sim, site, chunk=1_000_000, verify="disk").ok
    assert_all_there(sim, site)
    assert site.proxy.passed < SIZE + 2 * MIB


@pytest.mark.parametrize("at", [2, 8])  # in the first part, and in the second one
def test_object_that_cannot_be_read_leaves_nothing_there(
    camera: Cameras, site: Site, at: int
) -> None:
    sim = camera(objects=1, size=SIZE)
    sim.faults.add(f"respond=0x200F on GetPartialObject at {at} times 0")
    report = run(sim, site, chunk=1_000_000)
    assert (report.downloaded, report.failed) == (0, 1)
    gc.collect()  # a file of fsspec that is collected may complete itself
    assert site.files() == {}


def test_stopped_server_ends_the_run_with_nothing_half(camera: Cameras, site: Site) -> None:
    sim = camera(objects=3, size=SIZE)
    site.proxy.stop_after(SIZE + 7 * MIB)
    with pytest.raises(SinkError) as caught:
        run(sim, site, retry=1)
    assert site.proxy.is_stopped
    named = {name: data for name, data in site.files().items() if not name.startswith(".ptpfast-")}
    wanted = {each.name: content(sim, each.handle) for each in sim.store.files()}
    assert named.items() <= wanted.items()
    assert caught.value.report.downloaded == len(named) or caught.value.report.remaining
    site.proxy.start_again()
    assert run(sim, site).ok
    # Also if only the answer about a name was lost.
    assert sorted(wanted.values()) == sorted(
        data for name, data in site.files().items() if not name.startswith(".ptpfast-")
    )
    assert named.items() <= site.files().items()


@pytest.mark.parametrize("kind", ["lighttpd"])
@pytest.mark.parametrize("at", [100_000, SIZE, SIZE + 7 * MIB])
def test_server_that_is_killed_and_restarted_gets_the_right_bytes(
    camera: Cameras, site: Site, at: int
) -> None:
    sim = camera(objects=2, size=SIZE)
    seen: list[dict[str, bytes]] = []

    def restart() -> None:
        site.restart()
        seen.append(site.files())

    site.proxy.on_cut = restart
    site.proxy.cuts.append(at)
    assert run(sim, site, verify="disk").ok
    assert len(seen) == 1
    assert_all_there(sim, site)
    there = site.files()  # what had a name when the server was killed was whole
    assert {k: v for k, v in seen[0].items() if not k.startswith(".ptpfast-")}.items() <= (
        there.items()
    )


def test_deletion_follows_the_proof_at_the_server(camera: Cameras, site: Site) -> None:
    sim = camera(objects=2, size=300_000)
    wanted = contents(sim)
    assert run(sim, site, delete_verified=True).deleted == 2
    assert sorted(site.files().values()) == wanted
    assert contents(sim) == []


@pytest.mark.parametrize("verify", ["hash", "disk"])
def test_etag_of_s3_saves_the_reading_back_with_hash_only(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: Any
) -> None:
    store = Store()
    for number, size in enumerate((1, 70_000, 5 * MIB, 11 * MIB)):
        store.add(f"IMG_{number}.DNG", size)
    read: list[str] = []
    hexdigest = Target.hexdigest

    def told(self: Target, path: Any, algorithm: str) -> str:
        read.append(path.name)
        return hexdigest(self, path, algorithm)

    monkeypatch.setattr(Target, "hexdigest", told)
    with SITES["s3"](tmp_path) as site:
        sim = camera(store=store)
        report = run(sim, site, verify=verify)
        assert report.ok
        assert len(read) == (0 if verify == "hash" else 4)
        assert_all_there(sim, site)
    sums = {each.path.name: each.transfer.sha256 for each in report.files}
    assert sums == {
        each.name: hashlib.sha256(content(sim, each.handle)).hexdigest()
        for each in sim.store.files()
    }


# Where the test can change or limit what the server has: moto keeps it in its memory.
@pytest.mark.parametrize("kind", ["sftp", "webdav", "lighttpd"])
def test_bytes_that_change_there_are_found(camera: Cameras, kind: str, tmp_path: Path) -> None:
    with SITES[kind](tmp_path) as site:
        sim = camera(objects=2, size=300_000)
        assert run(sim, site).ok
        path = next(path for path in (tmp_path / "served").rglob("*") if path.is_file())
        status = path.stat()
        data = bytearray(path.read_bytes())
        data[1000] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        report = run(sim, site, delete_verified=True)
        assert (report.deleted, report.failed) == (1, 1)


@pytest.mark.parametrize("kind", ["sftp", "webdav", "lighttpd"])
def test_full_server_keeps_no_half_file_under_a_name(
    camera: Cameras, kind: str, tmp_path: Path
) -> None:
    with SITES[kind](tmp_path, most=2 * MIB) as site:
        sim = camera(objects=5, size=3 * MIB)
        with pytest.raises(SinkError) as caught:
            run(sim, site, retry=0)
        assert kind != "lighttpd" or "free space" in str(caught.value)  # it says only 500
        assert [name for name in site.files() if not name.startswith(".ptpfast-")] == []


def test_missing_bucket_ends_the_run_in_a_sentence(camera: Cameras, tmp_path: Path) -> None:
    said = r"cannot write s3://nothing/.* does not exist"
    with SITES["s3"](tmp_path) as site, pytest.raises(SinkError, match=said):
        fetch(camera(objects=3), "s3://nothing/here", storage_options=site.storage)


def test_unknown_host_key_is_refused_in_a_sentence(camera: Cameras, tmp_path: Path) -> None:
    with SITES["sftp"](tmp_path) as site:
        other = (tmp_path / "mine.pub").read_text()
        (tmp_path / "known").write_text(f"[127.0.0.1]:{site.proxy.port} {other}")
        with pytest.raises(SinkError, match=r"[Hh]ost key"):
            run(camera(), site)
        assert site.files() == {}


def test_host_that_was_never_seen_is_not_trusted(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # without known hosts
    with SITES["sftp"](tmp_path) as site:
        del site.storage["known_hosts"]
        with pytest.raises(SinkError, match=r"[Hh]ost key"):
            run(camera(), site)
        assert site.files() == {}


@pytest.mark.parametrize("kind", ["webdav", "lighttpd"])
def test_wrong_password_ends_the_run_in_a_sentence(
    camera: Cameras, kind: str, tmp_path: Path
) -> None:
    with SITES[kind](tmp_path) as site:
        site.url = site.url.replace("secret", "wrong")
        with pytest.raises(SinkError, match="401"):
            run(camera(), site)
        assert site.files() == {}
