"""`pull` to a filesystem of fsspec: right bytes, names, the history, verification, deletion."""

from __future__ import annotations

import contextlib
import errno
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

import command_line
from conftest import PATIENT, Cameras
from ptpfast import NetworkError, Observer, SinkError, pull, pull_iter
from ptpfast.library.remote import sending
from ptpfast.library.remote import target as target_module
from ptpfast.library.remote.deletion import journal_folder
from ptpfast.library.remote.opening import MissingPackage
from ptpfast.ptp.codes import OperationCode
from ptpfast.session import persistence
from ptpfast.sim import Store
from ptpfast.sim.content import BytesContent
from remote_folders import Faulty, contents, faulty, fetch, files_in, names

URL = "faulty://card/today"
FOLDER = "/card/today"


@pytest.fixture(autouse=True)
def _quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_module, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(target_module, "LONGEST_PAUSE_S", 0.002)
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(persistence, "LONGEST_PAUSE_S", 0.001)


@pytest.fixture(autouse=True)
def there() -> Iterator[type[Faulty]]:
    with faulty() as kind:
        yield kind


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_module, "PART", 1 << 16)
    monkeypatch.setattr(sending, "PIECE", 1 << 15)


def stored() -> dict[str, bytes]:
    return Faulty().files()


def when(doing: str, error: BaseException, times: int = 1, skip: int = 0) -> list[str]:
    """Have the filesystem fail; the paths for which it did."""
    failed: list[str] = []
    seen = [0]

    def hook(what: str, path: str) -> None:
        if what == doing:
            seen[0] += 1
            if skip < seen[0] <= skip + times:
                failed.append(path)
                raise error

    Faulty.hook = staticmethod(hook)
    return failed


@pytest.mark.parametrize("vendor", ["standard", "nikon", "sony"])
def test_all_files_are_stored_with_the_right_bytes(
    camera: Cameras, small_parts: None, vendor: str
) -> None:
    sim = camera(vendor, objects=5, size=300_001)
    report = fetch(sim, URL)
    assert (report.downloaded, report.ok) == (5, True)
    assert sorted(stored().values()) == contents(sim)
    assert names(stored()) == sorted(each.name for each in sim.store.files())
    assert {str(each.path) for each in report.files} == {
        f"faulty://{path.lstrip('/')}" for path in stored()
    }


def test_memory_filesystem_of_fsspec_gets_the_files(camera: Cameras) -> None:
    sim = camera()
    there = fsspec.filesystem("memory")
    try:
        assert fetch(sim, "memory://new/folder", verify="disk").ok
        assert sorted(files_in(there, "/new/folder").values()) == contents(sim)
    finally:
        there.rm("/new", recursive=True)


def test_file_url_is_a_folder_of_this_computer(camera: Cameras, tmp_path: Path) -> None:
    sim = camera()
    report = fetch(sim, f"file://{tmp_path}/new", manifest=True)
    assert report.destination == tmp_path / "new"
    found = [path for path in (tmp_path / "new").iterdir() if path.name != "SHA256SUMS"]
    assert sorted(path.read_bytes() for path in found) == contents(sim)
    with pytest.raises(ValueError, match="names no folder"):
        fetch(sim, "file://new")


def test_next_run_knows_the_files_by_the_history(camera: Cameras) -> None:
    sim = camera()
    assert fetch(sim, URL).downloaded == 4
    before = (
        sim.operations[OperationCode.GetObject] + sim.operations[OperationCode.GetPartialObject]
    )
    report = fetch(sim, URL)
    assert (report.downloaded, report.here, report.ok) == (0, 4, True)
    assert {each.known_by for each in report.files} == {"catalog"}
    after = sim.operations[OperationCode.GetObject] + sim.operations[OperationCode.GetPartialObject]
    assert before == after
    assert len(stored()) == 4


def test_new_takes_nothing_that_was_stored_elsewhere(camera: Cameras, tmp_path: Path) -> None:
    sim = camera()
    assert fetch(sim, URL).downloaded == 4
    assert fetch(sim, str(tmp_path), new=True).fetched_before == 4


def test_file_that_is_not_known_keeps_its_name(camera: Cameras) -> None:
    sim = camera(objects=1)
    (name,) = [each.name for each in sim.store.files()]
    Faulty().pipe_file(f"{FOLDER}/{name}", b"x" * 300_000)
    assert fetch(sim, URL).downloaded == 1
    stem, _, ending = name.rpartition(".")
    assert names(stored()) == [f"{stem}-1.{ending}", name]
    assert stored()[f"{FOLDER}/{name}"] == b"x" * 300_000
    assert stored()[f"{FOLDER}/{stem}-1.{ending}"] == contents(sim)[0]


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_file_whose_answer_was_lost_is_not_stored_again(camera: Cameras, verify: Any) -> None:
    sim = camera(objects=2)
    plain = Faulty.mv

    def move(self: Any, path1: str, path2: str, **more: Any) -> None:
        plain(self, path1, path2, **more)
        raise ConnectionResetError(errno.ECONNRESET, "the server went away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Faulty, "mv", move)
        with pytest.raises(SinkError):
            fetch(sim, URL, retry=0, verify=verify)
    left = stored()
    assert left
    report = fetch(sim, URL, verify=verify)
    assert (report.downloaded, report.ok) == (2, True)
    assert sorted(stored().values()) == contents(sim)
    assert left.items() <= stored().items()
    assert {str(each.path) for each in report.files} == {
        f"{URL}/{name}" for name in names(stored())
    }
    assert fetch(sim, URL).here == 2


def test_file_with_the_same_bytes_counts_for_one_object_only(camera: Cameras) -> None:
    store = Store(storages=1)
    for folder in ("100AAAAA", "101AAAAA"):
        content = BytesContent(b"\xff\xd8" + b"7" * 5000)
        store.add("A.JPG", content, parent=store.add_folder(folder))
    sim = camera(store=store)
    Faulty().pipe_file(f"{FOLDER}/A.JPG", contents(sim)[0])
    assert fetch(sim, URL).downloaded == 2
    assert names(stored()) == ["A-1.JPG", "A.JPG"] or names(stored()) == ["A-2.JPG", "A.JPG"]
    assert sorted(stored().values()) == contents(sim)


@pytest.mark.parametrize(
    ("policy", "status", "kept"),
    [("skip", "skipped", True), ("fail", "failed", True), ("overwrite", "downloaded", False)],
)
def test_conflicts_are_handled_as_asked(
    camera: Cameras, policy: Any, status: str, kept: bool
) -> None:
    sim = camera(objects=1)
    (name,) = [each.name for each in sim.store.files()]
    Faulty().pipe_file(f"{FOLDER}/{name}", b"other")
    (result,) = fetch(sim, URL, on_conflict=policy).files
    assert result.status == status
    assert stored() == {f"{FOLDER}/{name}": b"other" if kept else contents(sim)[0]}


def test_name_that_is_taken_during_the_upload_is_not_replaced(camera: Cameras) -> None:
    sim = camera(objects=1)
    (name,) = [each.name for each in sim.store.files()]

    def hook(doing: str, path: str) -> None:
        if doing == "write":
            Faulty.hook = staticmethod(lambda *_: None)
            Faulty().pipe_file(f"{FOLDER}/{name}", b"another program")

    Faulty.hook = staticmethod(hook)
    assert fetch(sim, URL).ok
    assert len(stored()) == 2
    assert stored()[f"{FOLDER}/{name}"] == b"another program"
    assert contents(sim)[0] in stored().values()


def test_several_cameras_share_the_names_of_a_folder(camera: Cameras) -> None:
    sims = [camera(objects=3, seed=seed) for seed in (1, 2)]
    report = fetch(sims, URL)
    assert (report.downloaded, report.ok) == (6, True)
    assert sorted(stored().values()) == sorted(contents(sims[0]) + contents(sims[1]))


def test_folders_of_the_card_are_kept_when_asked(camera: Cameras) -> None:
    store = Store()
    for folder in ("100A", "101B"):
        store.add("A.JPG", 50_000, parent=store.add_folder(folder))
    sim = camera(store=store)
    assert fetch(sim, URL, keep_folders=True).ok
    assert sorted(stored()) == [f"{FOLDER}/100A/A.JPG", f"{FOLDER}/101B/A.JPG"]
    assert fetch(sim, URL, keep_folders=True).here == 2


def test_template_names_files_at_a_url(camera: Cameras) -> None:
    sim = camera(objects=4)  # two pairs
    template = "{date}/{seq:03}"
    assert fetch(sim, URL, template=template).ok
    there = sorted(stored())
    assert [path.rpartition("/")[2] for path in there] == [
        *("001.DNG", "001.JPG", "002.DNG", "002.JPG"),
    ]
    for again in (template, "{name}"):
        assert fetch(sim, URL, template=again).here == 4
    assert sorted(stored()) == there
    assert sorted(stored().values()) == contents(sim)


def test_dry_run_shows_the_urls_and_stores_nothing(camera: Cameras) -> None:
    report = fetch(camera(objects=2), URL, dry_run=True)
    assert {str(each.path).rpartition("/")[0] for each in report.files} == {URL}
    assert (report.count("planned"), stored()) == (2, {})


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("fault", ["reset after 10000", "drop", "wrong_tid"])
@pytest.mark.parametrize("at", [1, 2, 3, 7])
def test_upload_continues_after_a_lost_connection(camera: Cameras, fault: str, at: int) -> None:
    sim = camera(objects=1, size=300_000)
    sim.faults.add(f"{fault} on GetPartialObject at {at}")
    opened: list[str] = []

    def hook(doing: str, path: str) -> None:
        if doing == "open":
            opened.append(path)

    Faulty.hook = staticmethod(hook)
    report = fetch(sim, URL, chunk=30_000, verify="disk")
    assert (report.downloaded, report.retries) == (1, 1)
    assert len(opened) == 1
    assert list(stored().values()) == contents(sim)


@pytest.mark.usefixtures("small_parts")
def test_object_that_comes_whole_is_compared_after_a_lost_connection(camera: Cameras) -> None:
    sim = camera(objects=1, size=300_000)
    sim.faults.add("reset after 200000 on GetObject")
    report = fetch(sim, URL, chunk=0, verify="hash")
    assert (report.downloaded, report.retries) == (1, 1)
    assert list(stored().values()) == contents(sim)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("chunk", [30_000, 0])
def test_object_that_changes_behind_a_lost_connection_is_sent_again(
    camera: Cameras, chunk: int
) -> None:
    sim = camera(objects=1, size=300_000)
    (handle,) = [each.handle for each in sim.store.files()]
    sim.faults.add("drop on GetPartialObject at 8" if chunk else "drop after 250000 on GetObject")

    class Changing(Observer):
        def lost(self, error: Any) -> None:
            sim.store.replace(handle, content=BytesContent(b"\7" * 300_000))

    report = fetch(sim, URL, chunk=chunk, observer=Changing(), verify="hash")
    assert (report.downloaded, report.retries) == (1, 1)
    assert list(stored().values()) == [b"\7" * 300_000]


@pytest.mark.parametrize("doing", ["open", "write", "move"])
def test_lost_destination_is_tried_again(camera: Cameras, doing: str) -> None:
    sim = camera(objects=3)
    failed = when(doing, ConnectionResetError("gone"), times=2, skip=1)
    report = fetch(sim, URL)
    assert (len(failed), report.downloaded, report.ok) == (2, 3, True)
    assert sorted(stored().values()) == contents(sim)


@pytest.mark.parametrize("doing", ["open", "move"])
@pytest.mark.parametrize("template", [None, "{date}/{name}"])
def test_folder_that_is_removed_during_the_run_is_made_again(
    camera: Cameras, doing: str, template: str | None
) -> None:
    sim = camera(objects=6)
    times = 0

    def remove(done: str, path: str) -> None:
        nonlocal times
        folder = path.rpartition("/")[0]
        if done == doing:
            times += 1
            if times in (2, 4):  # as another program that takes the files away
                Faulty.pseudo_dirs.remove(folder)
        if done in ("open", "move") and folder not in Faulty.pseudo_dirs:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)

    Faulty.hook = staticmethod(remove)
    report = fetch(sim, URL, template=template)
    assert (report.downloaded, report.ok) == (6, True)
    assert sorted(stored().values()) == contents(sim)


def test_destination_that_stays_lost_ends_the_run(camera: Cameras) -> None:
    when("write", ConnectionResetError("gone"), times=1000)
    with pytest.raises(SinkError, match=r"cannot write faulty://card/today/.*: gone") as caught:
        fetch(camera(objects=3), URL, retry=2)
    assert stored() == {}
    assert caught.value.report.downloaded == 0


def test_server_that_is_not_there_is_reported_at_once(camera: Cameras) -> None:
    failed = when("list", ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), 1000)
    with pytest.raises(SinkError, match="cannot list faulty://card/today: Connection refused"):
        fetch(camera(objects=1), URL)
    assert len(failed) == 1


@pytest.mark.parametrize(
    "error",
    [
        PermissionError("Access Denied"),
        FileNotFoundError("The specified bucket does not exist"),
        NotImplementedError(),
        OSError(errno.EROFS, "Read-only file system"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_concerns_the_destination_ends_the_run(camera: Cameras, error: Exception) -> None:
    failed = when("open", error, times=1000)
    sim = camera(objects=5)
    with pytest.raises(SinkError, match="cannot write faulty://"):
        fetch(sim, URL)
    # The next object may be under way, and a missing folder is made again a few times.
    assert len(failed) <= (12 if isinstance(error, FileNotFoundError) else 2)
    assert stored() == {}


def test_full_destination_keeps_what_is_complete(camera: Cameras) -> None:
    sim = camera(objects=4)
    when("write", OSError(errno.ENOSPC, "No space left on device"), times=1000, skip=2)
    with pytest.raises(SinkError, match="is full"):
        fetch(sim, URL)
    assert len(stored()) == 2
    assert set(stored().values()) <= set(contents(sim))


def test_error_of_one_file_sets_it_aside(camera: Cameras) -> None:
    sim = camera(objects=4)
    when("write", OSError(errno.ENAMETOOLONG, "File name too long"), skip=1)
    report = fetch(sim, URL)
    assert (report.downloaded, report.failed) == (3, 1)
    assert len(stored()) == 3


def test_unknown_errors_in_a_row_end_the_run(camera: Cameras) -> None:
    sim = camera(objects=9)
    failed = when("write", RuntimeError("odd"), times=1000)
    with pytest.raises(SinkError, match="odd"):
        fetch(sim, URL)
    assert len(failed) < 9


class Altering(Faulty):
    """It changes a byte of what it stores."""

    def _open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        file = super()._open(path, mode, **more)
        if mode == "wb":
            write = file.write

            def told(data: Any) -> int:
                return write(bytes([data[0] ^ 1]) + bytes(data[1:]))

            file.write = told
        return file


@pytest.fixture
def altering() -> Iterator[None]:
    fsspec.register_implementation("faulty", Altering, clobber=True)
    yield
    fsspec.register_implementation("faulty", Faulty, clobber=True)


@pytest.mark.usefixtures("altering")
@pytest.mark.parametrize("verify", ["hash", "disk", "reread"])
def test_file_that_differs_there_gets_no_name(camera: Cameras, verify: Any) -> None:
    sim = camera(objects=2)
    report = fetch(sim, URL, verify=verify)
    assert (report.failed, stored()) == (2, {})
    assert "differs from the received bytes" in report.files[0].reason


@pytest.mark.usefixtures("altering")
def test_object_without_a_proof_there_stays_on_the_camera(camera: Cameras) -> None:
    sim = camera(objects=2)
    report = fetch(sim, URL, delete_verified=True)
    assert (report.failed, report.deleted) == (2, 0)
    assert sim.operations[OperationCode.DeleteObject] == 0


def test_objects_are_deleted_after_their_proof(camera: Cameras) -> None:
    sim = camera(objects=3)
    wanted = contents(sim)
    report = fetch(sim, URL, delete_verified=True)
    assert (report.downloaded, report.deleted, report.verify) == (3, 3, "disk")
    assert sorted(stored().values()) == wanted
    assert contents(sim) == []
    (log,) = journal_folder(URL).iterdir()
    assert [text.count('"deleted"') for text in (log.read_text(),)] == [3]


def test_files_from_before_are_compared_before_a_deletion(camera: Cameras) -> None:
    sim = camera(objects=2)
    wanted = contents(sim)
    fetch(sim, URL)
    (path, *_) = stored()
    file = Faulty.store[path]
    file.seek(7)
    file.write(b"\xff" if file.getvalue()[7] != 255 else b"\0")
    report = fetch(sim, URL, delete_verified=True)
    assert (report.deleted, report.failed) == (1, 1)
    assert len(contents(sim)) == 1
    assert contents(sim)[0] in wanted


def test_deletion_is_refused_for_a_filesystem_in_memory(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PTPFAST_ALLOW_MEMORY")
    with pytest.raises(SinkError, match="memory of this process"):
        fetch(camera(), "memory://here", delete_verified=True)


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        (URL, {"copies": "/tmp/x"}, "copies needs a folder of this computer"),
        (URL, {"manifest": True}, "manifest needs a folder of this computer"),
        (URL, {"history": False}, "known by the history only"),
        ("faulty://card/../other", {}, "has the part"),
        ("s3://", {}, "names no folder"),
        ("zip::memory://x", {}, "is a chain"),
        ("nothing://x", {}, "fsspec knows no nothing://"),
        ("ptpip://192.0.2.1/DCIM", {}, "cannot be written to"),
        ("https://example.com/x", {}, "cannot be written to"),
        (Path("s3://bucket/x"), {}, "give the URL as text"),
        ("here", {"storage_options": {}}, "storage_options are for a URL"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    url: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        pull("192.0.2.1", url, **options)


def test_password_of_a_url_is_in_no_report(camera: Cameras) -> None:
    report = fetch(camera(objects=1), "faulty://me:secret@card/today")
    assert "secret" not in f"{report!r} {report.destination} {report.files[0].path}"
    assert str(report.destination) == "faulty://me@card/today"


@pytest.mark.parametrize(
    ("url", "module", "package"),
    [
        ("s3://bucket/x", "s3fs", "s3fs"),
        ("sftp://host/x", "sshfs", "sshfs"),
        ("webdav+https://host/x", "webdav4.fsspec", "webdav4[fsspec]"),
        ("faulty://x", "fsspec", "ptpfast[fsspec]"),
    ],
)
def test_missing_package_is_named_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, package: str
) -> None:
    loaded = sys.modules["fsspec.registry"]._registry
    for scheme in {"s3", "webdav"} & set(loaded):
        monkeypatch.delitem(loaded, scheme)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackage) as caught:
        pull("192.0.2.1", url)
    assert package in caught.value.hint
    done = command_line.run("pull", "192.0.2.1", url)
    assert done.exit_code == 2
    assert package in done.stderr


def test_command_stores_the_files_and_tells_their_urls(camera: Cameras) -> None:
    sim = camera()
    done = command_line.run("pull", command_line.at(sim), URL, "--json", "--verify", "hash")
    assert done.exit_code == 0
    rows = [row for row in command_line.records(done.stdout) if row["type"] == "file"]
    assert {row["file"] for row in rows} == {f"faulty:/{path}" for path in stored()}
    assert sorted(stored().values()) == contents(sim)
    again = command_line.run("pull", command_line.at(sim), URL)
    assert again.stdout == "Up to date: all 4 files are already here\n"
    for flag in ("--manifest", "--no-history", "--copies=x"):
        refused = command_line.run("pull", command_line.at(sim), URL, flag)
        assert (refused.exit_code, "a URL" in refused.stderr) == (2, True)


def test_results_come_one_by_one_and_a_left_loop_leaves_nothing_half(camera: Cameras) -> None:
    sim = camera(objects=30, size=100_000)
    with pull_iter(command_line.at(sim), URL, timeouts=PATIENT) as results:
        for result in results:
            assert result.status == "downloaded"
            break
    assert stored()
    assert set(stored().values()) <= set(contents(sim))
    assert fetch(sim, URL).ok
    assert sorted(stored().values()) == contents(sim)


@pytest.mark.usefixtures("small_parts")
def test_slow_destination_takes_bounded_memory(camera: Cameras) -> None:
    sim = camera(objects=1, size=3_000_000)
    waits, most, received = threading.Event(), [0], [0]
    is_full = threading.Event()

    class Watching(Observer):
        def progress(self, info: Any, received_bytes: int, size: int | None) -> None:
            received[0] = received_bytes
            if received_bytes > 6 << 16:
                is_full.set()

    def hook(doing: str, path: str) -> None:
        if doing == "write" and not waits.is_set():
            assert is_full.wait(20)
            waits.set()
            most[0] = received[0]

    Faulty.hook = staticmethod(hook)
    assert fetch(sim, URL, observer=Watching()).ok
    assert 0 < most[0] <= (target_module.MOST_PARTS + 2) << 16
    assert list(stored().values()) == contents(sim)


def test_camera_that_stays_lost_leaves_nothing_half(camera: Cameras) -> None:
    sim = camera(objects=2, size=300_000)
    with contextlib.suppress(NetworkError):
        sim.faults.add("drop after 150000 on GetPartialObject times 0")
        fetch(sim, URL, retry=0, chunk=100_000)
    assert set(stored().values()) <= set(contents(sim))
