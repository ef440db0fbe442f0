"""`pick` without a browser: the sheet fills, and downloads are complete, whatever happens."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from cards import DATE, card, replaced
from conftest import Cameras, Sessions
from pages import PATIENCE_S, Gate, Held, Page, picking
from ptpfast.pick import app
from ptpfast.sim import Store
from raw_files import KINDS, jpeg
from watched import bytes_of, contents, files_in

LARGE = 24_000_000


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """In the middle of a file that takes a second."""
    return Gate(monkeypatch, 500_000)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


def by_name(page: Page) -> dict[str, int]:
    return {each["name"]: each["id"] for each in page.pictures.values()}


def idle(page: Page, done: int) -> None:
    page.wait_for(lambda: page.download.get("state") == "idle" and page.download["done"] == done)


def test_the_sheet_has_pairs_as_one_picture(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    with picking(connect, camera(objects=7), tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(4)
        assert [each["types"] for each in page.pictures.values()] == [["DNG", "JPG"]] * 3 + [
            ["DNG"]
        ]
        assert all(each["new"] for each in page.pictures.values())
        assert {each["day"] for each in page.pictures.values()} == {"2026-01-02"}


def test_a_page_that_is_opened_later_shows_everything_at_once(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "HEARTBEAT_S", 1e9)
    with ExitStack() as stack:
        opened = stack.enter_context(picking(connect, camera(), tmp_path))
        opened.page.wait_until_listed(2)
        opened.page.wait_for(lambda: len(opened.page.thumbnails) == 2)
        later = Page(opened.page.address)
        later.wait_until_listed(2)
        stack.close()
        later.close()


@pytest.mark.parametrize("depth", [1, 4])
def test_every_thumbnail_comes_by_itself(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(objects=200, size=1000)
    with picking(connect, sim, tmp_path, connecting={"depth": depth}) as opened:
        page = opened.page
        page.wait_until_listed(100)
        page.wait_for(lambda: len(page.thumbnails) == 100)
        ids = list(page.pictures)
        assert page.images(*ids).keys() == set(ids)
        wanted = {
            stored.name.removesuffix(".JPG"): stored.thumbnail
            for stored in sim.store.files()
            if stored.name.endswith(".JPG")
        }
        names = {number: name for name, number in by_name(page).items()}
        assert {names[number]: image for number, image in page.images(*ids).items()} == wanted


def test_selected_pictures_are_downloaded_and_no_others(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=8)
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(4)
        ids = by_name(page)
        assert page.command(do="download", ids=[ids["IMG_0002"], ids["IMG_0004"]]) == {"files": 4}
        idle(page, 4)
        wanted = {
            stored.name: bytes_of(sim.store, stored.handle)
            for stored in sim.store.files()
            if stored.name[:8] in ("IMG_0002", "IMG_0004")
        }
        assert {path.name: path.read_bytes() for path in files_in(tmp_path)} == wanted
        assert page.download["received"] == page.download["size"] == 4 * 300_000
        status = {each["name"]: each["status"] for each in page.pictures.values()}
        assert status == {"IMG_0001": "", "IMG_0002": "done", "IMG_0003": "", "IMG_0004": "done"}
        assert page.pictures[ids["IMG_0002"]]["new"] is False
        assert [result.status for result in opened.results] == ["downloaded"] * 4


@pytest.mark.parametrize(("take", "ending"), [("raw", ".DNG"), ("jpeg", ".JPG")])
def test_half_of_a_pair_can_be_taken(
    camera: Cameras, connect: Sessions, tmp_path: Path, take: str, ending: str
) -> None:
    with picking(connect, camera(objects=4), tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(2)
        assert page.command(do="download", ids=list(page.pictures), take=take) == {"files": 2}
        idle(page, 2)
        assert {path.suffix for path in files_in(tmp_path)} == {ending}


def test_what_is_here_is_not_downloaded_again_and_no_longer_new(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=4)
    for run in range(2):
        with picking(connect, sim, tmp_path) as opened:
            page = opened.page
            page.wait_until_listed(2)
            assert {each["new"] for each in page.pictures.values()} == {run == 0}
            before = sim.payload_bytes
            page.command(do="download", ids=list(page.pictures))
            idle(page, 4)
            status = {each["status"] for each in page.pictures.values()}
            assert status == {"done" if run == 0 else "here"}
            if run:
                assert sim.payload_bytes - before < 300_000
    assert len(files_in(tmp_path)) == 4


def test_a_paused_download_goes_on_from_its_byte(
    camera: Cameras, connect: Sessions, tmp_path: Path, gate: Gate
) -> None:
    sim = camera(objects=2, size=LARGE, bytes_per_s=20_000_000)
    with picking(connect, sim, tmp_path, chunk=1 << 18) as opened:
        page = opened.page
        page.wait_until_listed(1)
        page.command(do="download", ids=list(page.pictures))
        gate.wait()
        page.command(do="pause")
        gate.open()
        page.wait_for(lambda: page.download["state"] == "paused")
        page.wait_for(lambda: {each["status"] for each in page.pictures.values()} == {"queued"})
        assert 0 < page.download["received"] < 2 * LARGE
        assert page.images(*page.pictures)  # the camera is free
        page.command(do="resume")
        idle(page, 2)
        transfers = [each.transfer for each in opened.results if each.transfer is not None]
        assert sum(each.received for each in transfers) < 2 * LARGE
        assert max(each.resumed_at for each in transfers) > 0
    assert sorted(p.read_bytes() for p in files_in(tmp_path)) == sorted(contents(sim))


def test_a_preview_comes_while_a_large_file_arrives(
    camera: Cameras, connect: Sessions, tmp_path: Path, gate: Gate
) -> None:
    store = card(1, size=LARGE)
    made = KINDS["nef"]()
    store.add("OTHER.NEF", made.content, captured=DATE)
    sim = camera(store=store, bytes_per_s=20_000_000)
    with picking(connect, sim, tmp_path, chunk=1 << 18) as opened:
        page = opened.page
        page.wait_until_listed(2)
        ids = by_name(page)
        page.command(do="download", ids=[ids["DSC_0000"]])
        gate.wait()
        wanted, before = opened.desk.preview(ids["OTHER"]), []
        wanted.add_done_callback(lambda _: before.append(len(opened.results)))
        gate.open()
        assert wanted.result(PATIENCE_S) == made.preview
        assert before == [0]
        idle(page, 1)
    (path,) = files_in(tmp_path)
    assert path.read_bytes() == bytes_of(sim.store, sim.store.files()[0].handle)


def test_a_preview_is_served_as_a_picture(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    made, store = KINDS["nef"](), Store()
    store.add("A.NEF", made.content)
    with picking(connect, camera(store=store), tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(1)
        answer = page.ask("GET", page.below(f"preview/{next(iter(page.pictures))}"))
        assert (answer.status, answer.body) == (200, made.preview)
        assert answer.headers["Content-Type"] == "image/jpeg"


def test_a_picture_without_a_preview_is_told_with_the_reason(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    with picking(connect, camera(store=card(1)), tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(1)
        answer = page.ask("GET", page.below(f"preview/{next(iter(page.pictures))}"))
        assert answer.status == 404
        assert "no preview" in json.loads(answer.body)["message"]
        assert page.ask("GET", page.below("preview/99999")).status == 404


def test_bytes_that_are_no_picture_are_not_served_as_one(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    store = Store()
    store.add("A.JPG", b"<script>alert(1)</script>" * 100)
    with picking(connect, camera(store=store), tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(1)
        answer = page.ask("GET", page.below(f"preview/{next(iter(page.pictures))}"))
        assert answer.status == 404
        assert b"<script>" not in answer.body


def test_a_lost_camera_is_told_and_the_download_goes_on(
    camera: Cameras, connect: Sessions, tmp_path: Path, gate: Gate, held: Held
) -> None:
    sim = camera(objects=6, size=4_000_000, bytes_per_s=20_000_000)
    with picking(connect, sim, tmp_path, chunk=1 << 18) as opened:
        page = opened.page
        page.wait_until_listed(3)
        page.command(do="download", ids=list(page.pictures))
        gate.wait()
        sim.drop_connections()
        gate.open()
        page.wait_for(lambda: page.camera["state"] == "lost")
        held.release()
        idle(page, 6)
        page.wait_for(lambda: page.camera["state"] == "ready" and not page.camera["message"])
    assert sorted(p.read_bytes() for p in files_in(tmp_path)) == sorted(contents(sim))


def test_a_camera_that_numbers_its_files_anew_loses_no_choice(
    camera: Cameras, connect: Sessions, tmp_path: Path, gate: Gate
) -> None:
    """After a reconnect the same file has another handle, and its handle is another file's."""
    sim = camera(store=card(4, size=4_000_000), bytes_per_s=20_000_000)
    wanted = {stored.name: bytes_of(sim.store, stored.handle) for stored in sim.store.files()}
    with picking(connect, sim, tmp_path, chunk=1 << 18) as opened:
        page = opened.page
        page.wait_until_listed(4)
        page.command(do="download", ids=[by_name(page)[f"DSC_000{n}"] for n in (0, 2, 3)])
        gate.wait()
        for one, other in (sim.store.files()[2:], sim.store.files()[:1:-1]):
            changes = {"name": other.name, "content": other.content, "captured": other.captured}
            sim.store.replace(one.handle, **changes)
        sim.drop_connections()
        gate.open()
        idle(page, 3)
    have = {path.name: path.read_bytes() for path in files_in(tmp_path)}
    assert have == {name: content for name, content in wanted.items() if name != "DSC_0001.NEF"}


def test_another_file_with_the_handle_of_the_chosen_one_is_not_stored(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(2))
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(2)
        replaced(sim.store, 0)
        number = by_name(page)["DSC_0000"]
        page.command(do="download", ids=[number])
        page.wait_for(lambda: page.pictures[number]["status"] == "failed")
        assert "has changed" in page.pictures[number]["reason"]
        page.wait_for(lambda: page.download["state"] == "idle" and page.download["failed"] == 1)
    assert files_in(tmp_path) == []


def test_a_refresh_shows_what_has_come_and_gone(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=4)
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(2)
        before = set(page.pictures)
        sim.store.add_shot(1000)
        for stored in sim.store.files()[:2]:
            assert sim.store.delete(stored.handle)
        page.command(do="list")
        page.wait_for(lambda: set(by_name(page)) == {"IMG_0002", "IMG_0003"})
        assert len(before & set(page.pictures)) == 1


def test_a_refresh_asks_again_for_what_the_connection_was_lost_at(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    fault = "drop on GetObjectInfo handle 0x40003 times 2"
    with picking(connect, camera(objects=4, faults=[fault]), tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(2)
        page.wait_for(lambda: "cannot be described" in page.camera.get("message", ""))
        assert page.command(do="list") == {}
        page.wait_for(
            lambda: [each["types"] for each in page.pictures.values()] == [["DNG", "JPG"]] * 2
        )


def test_what_its_owner_has_marked_or_protected_is_told(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(body="nikon-d7200", objects=6, size=1000)
    handle = sim.store.files()[0].handle
    sim.mark(handle)
    sim.store.replace(sim.store.files()[2].handle, protected=True)
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(3)
        told = [(each["marked"], each["protected"]) for each in page.pictures.values()]
        assert told == [(True, False), (False, True), (False, False)]
    assert list(sim.body.marked) == [handle]


HOSTILE = [
    "<img src=x onerror=alert(1)>.JPG",
    "</script><script>alert(1)</script>.JPG",
    "\u202egpj.exe.JPG",
    "a\r\nevent: end\ndata: {}\n\n.JPG",
    "\ud800.JPG",
    "../../etc/passwd",
    ".JPG",
    "",
    "x" * 250 + ".JPG",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_and_their_files_are_stored(
    camera: Cameras, connect: Sessions, tmp_path: Path, name: str
) -> None:
    store = Store()
    store.add(name, jpeg(5000))
    with picking(connect, camera(store=store), tmp_path / "to") as opened:
        page = opened.page
        page.wait_until_listed(1)
        (record,) = page.pictures.values()
        text = record["name"] + "".join(record["types"])
        assert text.isprintable()
        assert page.command(do="download", ids=[record["id"]]) == {"files": 1}
        idle(page, 1)
        assert not page.has_ended
    (path,) = files_in(tmp_path / "to")
    assert path.read_bytes() == jpeg(5000)
    assert [each.name for each in tmp_path.iterdir()] == ["to"]


def test_a_full_disk_stops_the_download_and_can_be_resumed(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim, folder = camera(objects=4), tmp_path / "to"
    with picking(connect, sim, folder) as opened:
        page = opened.page
        page.wait_until_listed(2)
        folder.write_bytes(b"in the way")
        page.command(do="download", ids=list(page.pictures))
        page.wait_for(lambda: page.download["state"] == "stopped")
        assert "is not a folder" in page.download["message"]
        assert not opened.desk.ended.is_set()
        folder.unlink()
        page.command(do="resume")
        idle(page, 4)
    assert sorted(p.read_bytes() for p in files_in(folder)) == sorted(contents(sim))


def test_a_cancelled_download_leaves_no_file_half_done(
    camera: Cameras, connect: Sessions, tmp_path: Path, gate: Gate
) -> None:
    sim = camera(objects=2, size=LARGE, bytes_per_s=20_000_000)
    with picking(connect, sim, tmp_path, chunk=1 << 18) as opened:
        page = opened.page
        page.wait_until_listed(1)
        page.command(do="download", ids=list(page.pictures))
        gate.wait()
        page.command(do="clear")
        gate.open()
        page.wait_for(lambda: page.download["files"] == 0)
        page.wait_for(lambda: {each["status"] for each in page.pictures.values()} == {""})
        page.command(do="download", ids=list(page.pictures))
        idle(page, 2)
    assert sorted(p.read_bytes() for p in files_in(tmp_path)) == sorted(contents(sim))


def test_the_end_keeps_what_has_arrived(
    camera: Cameras, connect: Sessions, tmp_path: Path, gate: Gate
) -> None:
    sim = camera(objects=2, size=LARGE, bytes_per_s=20_000_000)
    with picking(connect, sim, tmp_path, chunk=1 << 18) as opened:
        page = opened.page
        page.wait_until_listed(1)
        page.command(do="download", ids=list(page.pictures))
        gate.wait()
        opened.desk.interrupt()
        gate.open()
    assert page.has_ended
    assert any(path.name.endswith(".part") for path in files_in(tmp_path))
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(1)
        page.command(do="download", ids=list(page.pictures))
        idle(page, 2)
        transfers = [each.transfer for each in opened.results if each.transfer is not None]
        assert max(each.resumed_at for each in transfers) > 0
    assert sorted(p.read_bytes() for p in files_in(tmp_path)) == sorted(contents(sim))


def test_a_camera_that_is_lost_while_nothing_happens_is_told(
    camera: Cameras, connect: Sessions, tmp_path: Path, held: Held
) -> None:
    sim = camera(objects=4)
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(2)
        page.wait_for(lambda: len(page.thumbnails) == 2)
        sim.drop_connections()
        page.wait_for(lambda: page.camera["state"] == "lost")
        held.release()
        page.wait_for(lambda: page.camera["state"] == "ready")
        assert len(page.pictures) == 2
