"""Pulls with a template: shots, sequences, known again, interrupted, copied, deleted, shared."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

import command_line
import ptpfast
from conftest import PATIENT, Cameras, Sessions
from objects_of import content
from ptpfast import EventCode, NetworkError, ObjectInfo, Observer, Report, pull
from ptpfast.library.keep.deletion_journal import JOURNAL_NAME
from ptpfast.library.plan.namer import Namer
from ptpfast.library.plan.shots import Shots
from ptpfast.library.plan.template import read_template
from ptpfast.sim import Fault, SimulatedCamera, Store
from ptpfast.state import catalog_file
from ptpfast.state.identity import Known, remember
from ptpfast.vendors import STANDARD
from watched import hurried, start, take

NOON = datetime(2026, 1, 2, 12)
SEQ = "{date:%Y}_{seq:03}"
File = tuple[str, str, float | None]


def card(*files: File, store: Store | None = None, size: int = 1000, seed: int = 0) -> Store:
    """Files by folder, name and second; each has a size of its own."""
    store, folders = store or Store(seed=seed), {}
    dcim = store.add_folder("DCIM")
    for number, (folder, name, second) in enumerate(files):
        if folder not in folders:
            folders[folder] = store.add_folder(folder, parent=dcim)
        captured = None if second is None else NOON + timedelta(seconds=second)
        store.add(name, size + number, parent=folders[folder], captured=captured)
    return store


def fetch(sim: SimulatedCamera, folder: Path, template: str | None = SEQ, **options: Any) -> Report:
    options.setdefault("timeouts", PATIENT)
    report = pull(command_line.at(sim), folder, template=template, **options)
    assert_whole(sim, report)
    return report


def assert_whole(sim: SimulatedCamera, report: Report) -> None:
    """Each object of a report is in a file of its own, with its bytes."""
    paths = [result.path for result in report.files if result.status in ("downloaded", "skipped")]
    assert len(set(paths)) == len(paths)
    for result in report.files:
        if result.status == "downloaded" or result.known_by is not None:
            assert result.path is not None
            assert result.path.read_bytes() == content(sim, result.handle)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# The RAW file and the JPEG are written a second apart, over midnight; the sound is later.
SHOT: list[File] = [
    ("100N", "DSC_9999.JPG", 43_200),
    ("100N", "DSC_9999.NEF", 43_199),
    ("100N", "DSC_9999.WAV", 50_000),
]
NEXT: list[File] = [("101N", "DSC_0001.NEF", 43_260), ("101N", "DSC_0001.JPG", 43_260)]


@pytest.mark.parametrize("order", ["listed", "oldest"])
def test_files_of_a_shot_have_one_date_and_one_number(
    camera: Cameras, tmp_path: Path, order: str
) -> None:
    sim = camera(store=card(*SHOT, *NEXT))
    fetch(sim, tmp_path / "one", "{date}/{seq}_{time}", order=order)
    assert tree(tmp_path / "one") == {
        *(f"2026-01-02/0001_235959.{kind}" for kind in ("NEF", "JPG", "WAV")),
        *(f"2026-01-03/0001_000100.{kind}" for kind in ("NEF", "JPG")),
    }
    fetch(sim, tmp_path / "two", order=order)
    assert tree(tmp_path / "two") == {
        *(f"2026_001.{kind}" for kind in ("NEF", "JPG", "WAV")),
        *(f"2026_002.{kind}" for kind in ("NEF", "JPG")),
    }


def test_jpeg_of_another_time_keeps_its_own_date(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(("100N", "A_1.NEF", 0), ("100N", "A_1.JPG", 100_000)))
    fetch(sim, tmp_path, "{date}_{name}")
    assert tree(tmp_path) == {"2026-01-02_A_1.NEF", "2026-01-03_A_1.JPG"}


def test_shots_with_one_name_are_numbered_as_without_a_template(
    camera: Cameras, tmp_path: Path
) -> None:
    burst: list[File] = [
        ("100N", f"D_{number}.{kind}", 0) for number in (1, 2) for kind in ("NEF", "JPG")
    ]
    sim = camera(store=card(*burst))
    for _ in range(2):
        fetch(sim, tmp_path, "{date}_{time}")
        stems = ("2026-01-02_120000", "2026-01-02_120000-1")
        assert tree(tmp_path) == {f"{stem}.{kind}" for stem in stems for kind in ("NEF", "JPG")}


@pytest.mark.parametrize("template", [SEQ, "{date}", "{date}/{name}", "{model}/{time}-{number}"])
@pytest.mark.parametrize("index", [True, False])
def test_second_run_fetches_nothing_again(
    camera: Cameras, tmp_path: Path, template: str, index: bool
) -> None:
    sim = camera(store=card(*SHOT, *NEXT))
    fetch(sim, tmp_path, template, index=index)
    there = tree(tmp_path)
    report = fetch(sim, tmp_path, template, index=index)
    assert (report.here, report.downloaded, report.known("catalog")) == (5, 0, 5)
    assert tree(tmp_path) == there


@pytest.mark.parametrize(
    ("first", "then"), [(SEQ, "{date}/{name}"), ("{name}_x", SEQ), (None, SEQ), (SEQ, None)]
)
def test_history_knows_a_file_that_another_template_has_named(
    camera: Cameras, tmp_path: Path, first: str | None, then: str | None
) -> None:
    sim = camera(store=card(*SHOT, *NEXT))
    fetch(sim, tmp_path, first)
    there = tree(tmp_path)
    assert fetch(sim, tmp_path, then).here == 5
    assert tree(tmp_path) == there


def test_changed_file_is_not_the_picture_any_more(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(("100N", "A.NEF", 0)))
    fetch(sim, tmp_path)
    (tmp_path / "2026_001.NEF").write_bytes(b"edited")
    assert fetch(sim, tmp_path).downloaded == 1
    assert tree(tmp_path) == {"2026_001.NEF", "2026_002.NEF"}
    assert (tmp_path / "2026_001.NEF").read_bytes() == b"edited"


def test_handle_that_is_described_anew_is_named_as_it_is_now() -> None:
    """The index of an earlier session was wrong about it, and about the lead of its shot."""
    namer = Namer(read_template("{date}_{name}"))
    shots = Shots(namer=namer)
    raw = ObjectInfo(1, "A_1.NEF", "100N/A_1.NEF", 10, 0x3000, NOON)
    jpeg = ObjectInfo(2, "A_1.JPG", "100N/A_1.JPG", 10, 0x3801, NOON + timedelta(seconds=1))
    shots.see([raw, jpeg])
    assert namer.name(jpeg) == "2026-01-02_A_1.JPG"
    now = dataclasses.replace(
        raw, name="B_2.NEF", path="100N/B_2.NEF", captured=NOON.replace(day=9)
    )
    shots.see([now])
    assert namer.name(now) == "2026-01-09_B_2.NEF"
    assert namer.lead_of(jpeg) == jpeg


@pytest.mark.parametrize("history", [True, False])
def test_lost_history_leaves_name_size_and_date(
    camera: Cameras, tmp_path: Path, history: bool
) -> None:
    sim = camera(store=card(*SHOT, *NEXT))
    fetch(sim, tmp_path, "{date}/{name}", history=history)
    catalog_file.path().unlink(missing_ok=True)
    report = fetch(sim, tmp_path, "{date}/{name}", history=history)
    assert (report.here, report.known("date")) == (5, 5)


@pytest.mark.parametrize("template", [SEQ, "{date}_{time}"])
def test_without_its_record_no_file_passes_for_another_picture_of_a_burst(
    camera: Cameras, tmp_path: Path, template: str
) -> None:
    """Uncompressed pictures of one second have one size: the file may be any of them."""
    store = Store()
    parent = store.add_folder("100N")
    for number in range(4):
        store.add(f"D_{number}.NEF", 1000, parent=parent, captured=NOON)
    sim = camera(store=store)
    fetch(sim, tmp_path, template, include="D_[23]*")
    catalog_file.path().unlink()
    report = fetch(sim, tmp_path, template)
    assert report.downloaded == 4
    have = {hashlib.sha256(path.read_bytes()).digest() for path in tmp_path.iterdir()}
    assert have == {hashlib.sha256(content(sim, o.handle)).digest() for o in store.files()}


def test_unusable_history_is_said_with_a_template_that_needs_it(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(store=card(("100N", "A.NEF", 0)))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("PTPFAST_DATA", str(tmp_path / "file" / "data"))
    notes = fetch(sim, tmp_path / "dest").notes
    assert any("not recognised: the next run stores them again" in note for note in notes)
    assert not fetch(sim, tmp_path / "other", "{name}").notes


def test_sequence_goes_on_behind_the_highest_number_in_the_folder(
    camera: Cameras, tmp_path: Path
) -> None:
    store = card(("100N", "A.NEF", 0))
    sim = camera(store=store)
    for name in ("2026_041.JPG", "2026_999999999999.NEF", "y3000_99.NEF", "x_2026_500.NEF"):
        (tmp_path / name).write_bytes(b"mine")
    fetch(sim, tmp_path)
    assert "2026_042.NEF" in tree(tmp_path)
    card(("101N", "B.NEF", 5), store=store, size=2000)
    fetch(sim, tmp_path)
    assert "2026_043.NEF" in tree(tmp_path)
    assert (tmp_path / "2026_041.JPG").read_bytes() == b"mine"


def test_sequence_has_a_number_for_each_folder(camera: Cameras, tmp_path: Path) -> None:
    files: list[File] = [("100N", f"D_{n}.NEF", 86_400 * (n % 2)) for n in range(4)]
    fetch(camera(store=card(*files)), tmp_path, "{date:%d}/{seq:2}")
    assert tree(tmp_path) == {"02/01.NEF", "02/02.NEF", "03/01.NEF", "03/02.NEF"}


@pytest.mark.parametrize("policy", ["rename", "skip", "overwrite", "fail"])
def test_sequence_never_meets_a_name_that_is_taken(
    camera: Cameras, tmp_path: Path, policy: str
) -> None:
    sim = camera(store=card(("100N", "A.NEF", 0), ("100N", "B.NEF", 1)))
    (tmp_path / "2026_001.NEF").write_bytes(b"mine")
    assert fetch(sim, tmp_path, on_conflict=policy).downloaded == 2
    assert (tmp_path / "2026_001.NEF").read_bytes() == b"mine"


def test_interrupted_file_of_a_sequence_is_resumed_under_its_number(
    camera: Cameras, tmp_path: Path
) -> None:
    files: list[File] = [("100N", f"D_{number}.NEF", number) for number in range(3)]
    sim = camera(store=card(*files, size=600_000), faults=[Fault("drop", after_total=1_000_000)])
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path, retry=0)
    assert {"2026_001.NEF", "2026_002.NEF.part"} <= tree(tmp_path)
    report = fetch(sim, tmp_path, order="newest")  # another file would be the next one
    resumed = next(r for r in report.files if r.object is not None and r.object.name == "D_1.NEF")
    assert resumed.path == tmp_path / "2026_002.NEF"
    assert resumed.transfer is not None
    assert resumed.transfer.resumed_at > 0
    assert tree(tmp_path) == {f"2026_00{number}.NEF" for number in (1, 2, 3)}


def test_file_that_appears_meanwhile_leaves_the_next_number(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(store=card(*NEXT))

    class Planting(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            if path.name == "2026_001.NEF":
                path.write_bytes(b"mine")

    fetch(sim, tmp_path, observer=Planting())
    assert tree(tmp_path) == {"2026_001.NEF", "2026_002.NEF", "2026_002.JPG"}
    assert (tmp_path / "2026_001.NEF").read_bytes() == b"mine"


def test_two_cameras_share_a_sequence_and_their_folders(camera: Cameras, tmp_path: Path) -> None:
    sims = [camera(store=card(*SHOT, *NEXT, seed=seed), seed=seed) for seed in (1, 2)]
    report = pull([command_line.at(sim) for sim in sims], tmp_path, template=SEQ, timeouts=PATIENT)
    assert (report.downloaded, report.failed) == (10, 0)
    for sim, part in zip(sims, report.cameras, strict=True):
        assert_whole(sim, part.report)
        stems: dict[str, set[str]] = {}
        for result in part.report.files:
            assert result.object is not None
            assert result.path is not None
            stems.setdefault(result.object.name[:8], set()).add(result.path.stem)
        assert all(len(each) == 1 for each in stems.values()), stems
    assert {path.stem for path in tmp_path.iterdir()} == {f"2026_00{n}" for n in range(1, 5)}


def test_two_runs_at_once_give_each_number_once(camera: Cameras, tmp_path: Path) -> None:
    files: list[File] = [("100N", f"D_{number}.NEF", number) for number in range(5)]
    sims = [camera(store=card(*files, seed=seed), seed=seed) for seed in (1, 2)]
    both = threading.Barrier(2, timeout=60)
    reports: dict[int, Report] = {}

    class Meeting(Observer):
        met = False

        def planned(self, report: Report, count: int, size: int) -> None:
            if count and not self.met:
                self.met = True
                both.wait()  # both have the same numbers in mind

    def run(number: int) -> None:
        reports[number] = fetch(sims[number], tmp_path, observer=Meeting())

    threads = [threading.Thread(target=run, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reports[number].downloaded for number in (0, 1)] == [5, 5]
    assert len(tree(tmp_path)) == 10


def test_copies_get_the_names_and_folders_of_the_files(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*SHOT, *NEXT))
    main, copy = tmp_path / "main", tmp_path / "copy"
    for _ in range(2):
        report = fetch(sim, main, "{date}/{seq}", copies=copy)
        assert report.copies("failed") == 0
        assert tree(copy) == tree(main)
    assert report.copies("already here") == 5
    fetch(sim, main, "{name}", copies=copy)  # the history knows the copies, too
    assert tree(copy) == tree(main)
    assert len(tree(main)) == 5


@pytest.mark.parametrize(("main", "copy"), [("a", "a/b"), ("a/b", "a")])
def test_copy_in_the_folder_of_the_files_is_no_file_itself(
    camera: Cameras, tmp_path: Path, main: str, copy: str
) -> None:
    sim = camera(store=card(*NEXT))
    for _ in range(2):
        report = fetch(sim, tmp_path / main, copies=tmp_path / copy)
        assert (report.copies("failed"), report.failed) == (0, 0)
        (tmp_path / main / "2026_001.NEF").unlink()
    assert report.downloaded == 1
    assert {path.name for path in (tmp_path / copy).glob("2026*")} >= {
        "2026_001.NEF",
        "2026_001.JPG",
    }


def test_proven_files_are_deleted_and_listed_by_their_new_paths(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTPFAST_ALLOW_MEMORY", "1")
    sim = camera(store=card(*SHOT, *NEXT))
    want = {o.name: hashlib.sha256(content(sim, o.handle)).hexdigest() for o in sim.store.files()}
    fetch(sim, tmp_path, "{date}/{seq}_{name}", include="*0001*")  # here before the deletion
    report = pull(
        command_line.at(sim),
        tmp_path,
        template="{date}/{seq}_{name}",
        delete_verified=True,
        manifest=True,
        timeouts=PATIENT,
    )
    assert (report.deleted, sim.store.files()) == (5, [])
    listed = dict(
        reversed(line.split("  ")) for line in (tmp_path / "SHA256SUMS").read_text().splitlines()
    )
    files = tree(tmp_path) - {"SHA256SUMS", JOURNAL_NAME}
    assert set(listed) == files
    for path, digest in listed.items():
        assert hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() == digest
        assert want[Path(path).name.partition("_")[2]] == digest


def test_dry_run_shows_the_names_and_makes_nothing(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*SHOT, *NEXT))
    folder = tmp_path / "new"
    arguments = ("pull", command_line.at(sim), folder, "--name", "{date:%Y/%m}/{seq}_{name}")
    done = command_line.run(*arguments, "--dry-run")
    assert f"DCIM/101N/DSC_0001.JPG -> {folder}/2026/01/0002_DSC_0001.JPG" in done.stdout
    assert not folder.exists()
    rows = command_line.records(command_line.run(*arguments, "--dry-run", "--json").stdout)
    planned = {row["file"] for row in rows if row["type"] == "file"}
    assert command_line.run(*arguments).exit_code == 0
    assert planned == {str(folder / path) for path in tree(folder)}


def test_undated_files_are_named_so_and_this_is_said(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(("100N", "A.NEF", None), ("100N", "B.NEF", 0)))
    report = fetch(sim, tmp_path, "{date}/{name}")
    assert tree(tmp_path) == {"undated/A.NEF", "2026-01-02/B.NEF"}
    assert sum("undated" in note for note in report.notes) == 1


def test_folders_of_a_template_are_one_on_every_filesystem(camera: Cameras, tmp_path: Path) -> None:
    (tmp_path / "RAW").mkdir()
    (tmp_path / "jpeg").write_bytes(b"a file of the user's")
    fetch(camera(store=card(*NEXT)), tmp_path, "{kind}/{name}")
    assert tree(tmp_path) == {"RAW/DSC_0001.NEF", "jpeg", "jpeg-1/DSC_0001.JPG"}


def test_template_leads_through_no_link_out_of_the_folder(camera: Cameras, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "dest"
    outside.mkdir()
    folder.mkdir()
    (folder / "raw").symlink_to(outside)
    sim = camera(store=card(("100N", "A.NEF", 0)))
    for _ in range(2):
        fetch(sim, folder, "{kind}/{seq}_{name}")
    assert tree(outside) == set()
    assert (folder / "raw-1" / "0001_A.NEF").exists()


def test_hostile_camera_stays_in_the_folder(camera: Cameras, tmp_path: Path) -> None:
    names = ("..", "SHA256SUMS", "a\x1b[2J.NEF", "x" * 250 + ".NEF", "x" * 249 + "y.NEF", "/etc/b")
    hostile: list[File] = [("100N", name, second) for second, name in enumerate(names)]
    model = dataclasses.replace(STANDARD.model, name="../../x\x1b[2J")
    vendor = dataclasses.replace(STANDARD, body=model)
    sim = camera(vendor=vendor, store=card(*hostile), name="..")
    folder = tmp_path / "deep" / "dest"
    for template in ("{model}/{serial}/{name}", "{serial}{name}", "{nickname}_{number}"):
        assert fetch(sim, folder, template, history=False).ok
    assert all(str(path).startswith("deep/dest/") for path in tree(tmp_path))
    assert "\x1b" not in "".join(tree(tmp_path))


def test_nickname_is_the_one_that_pair_has_given(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(("100N", "A.NEF", 0)))
    with ptpfast.connect(sim.host, port=sim.port, timeouts=PATIENT) as session:
        info = session.device_info
    known = Known("studio", "10.0.0.9", 15740, "", info.model, info.serial_number)
    remember(known, bytes(16), "this computer")
    fetch(sim, tmp_path, "{nickname}_{name}")
    assert tree(tmp_path) == {"studio_A.NEF"}


def test_watch_gives_the_files_of_a_shot_one_number(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The camera reports them one by one, each in a run of its own."""
    hurried(monkeypatch)
    sim = camera(store=card(("100N", "A_1.NEF", 0)))
    with start(connect(sim), tmp_path, template=SEQ) as shots:
        take(shots, 1)
        parent = sim.store.files()[0].parent
        for name, second in (("A_1.JPG", 1), ("A_2.JPG", 9), ("A_2.NEF", 8), ("A_1.WAV", 500)):
            captured = NOON + timedelta(seconds=second)
            handle = sim.store.add(name, 1500, parent=parent, captured=captured)
            sim.push_event(EventCode.ObjectAdded, handle)
            take(shots, 1)
    wanted = {f"2026_001.{kind}" for kind in ("NEF", "JPG", "WAV")}
    assert tree(tmp_path) == wanted | {"2026_002.NEF", "2026_002.JPG"}


def test_tasks_and_iterators_name_as_pull_does(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*NEXT))
    with ptpfast.pull_iter(command_line.at(sim), tmp_path / "a", template=SEQ) as results:
        assert {result.path.name for result in results if result.path} == {
            "2026_001.NEF",
            "2026_001.JPG",
        }

    async def run() -> Report:
        return await ptpfast.aio.pull(command_line.at(sim), tmp_path / "b", template="{name}_x")

    assert anyio.run(run).downloaded == 2
    assert tree(tmp_path / "b") == {"DSC_0001_x.NEF", "DSC_0001_x.JPG"}
