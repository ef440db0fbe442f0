"""One session for an address: threads, close, collection, pickles, forks."""

from __future__ import annotations

import dataclasses
import gc
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import PATIENT, Cameras, Files
from forking import in_child
from ptpfast import InitFailed
from ptpfast.filesystem import PtpIpFileSystem
from ptpfast.sim import SimulatedCamera

SIZE = 2_000_000


def content(camera: SimulatedCamera, handle: int) -> bytes:
    return b"".join(camera.store.expected(handle).spans(0, SIZE))


def assert_right(sim: SimulatedCamera, fs: PtpIpFileSystem, path: str) -> None:
    assert fs.cat_file(path) == content(sim, fs.info(path)["handle"])


def test_no_session_is_opened_before_it_is_needed(camera: Cameras, files: Files) -> None:
    sim = camera()
    fs = files(sim)
    assert sim.sessions_opened == 0
    fs.ls("/")
    assert sim.sessions_opened == 1


def test_filesystems_of_threads_share_one_session_and_get_their_own_bytes(
    camera: Cameras, files: Files
) -> None:
    sim = camera(size=SIZE, objects=6)
    paths = files(sim).find("/")
    together = threading.Barrier(6, timeout=30)

    def work(number: int) -> None:
        fs = files(sim)  # of this thread
        together.wait()
        path = paths[number]
        expected = content(sim, fs.info(path)["handle"])
        with fs.open(path) as file:
            pieces = []
            while piece := file.read(70_000):
                pieces.append(piece)
        assert b"".join(pieces) == expected
        assert_right(sim, fs, path)
        starts = [0, 500_000, 1_900_000]
        ends = [start + 1000 for start in starts]
        got = fs.cat_ranges([path] * 3, starts, ends)
        assert got == [expected[s:e] for s, e in zip(starts, ends, strict=True)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert sim.sessions_opened == 1


def test_a_session_lost_by_several_threads_is_opened_again_once(
    camera: Cameras, files: Files
) -> None:
    sim = camera(size=SIZE, objects=4, faults=["drop on GetPartialObject at 3"])
    fs = files(sim)
    paths = fs.find("/")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda path: assert_right(sim, fs, path), paths))
    assert sim.sessions_opened == 2


def test_close_ends_the_session_when_no_other_filesystem_uses_it(
    camera: Cameras, files: Files
) -> None:
    sim = camera()
    one, two = files(sim), files(sim, allow_delete=True)
    assert one is not two
    path = one.find("/")[0]
    two.ls("/")
    one.close()
    assert sim.sessions_closed == 0
    two.close()
    assert (sim.sessions_opened, sim.sessions_closed) == (1, 1)
    two.close()
    assert one.cat_file(path)  # opened again
    assert sim.sessions_opened == 2
    with one:
        pass
    assert sim.sessions_closed == 2


def test_a_file_that_is_open_goes_on_after_close(camera: Cameras, files: Files) -> None:
    sim = camera(size=SIZE)
    fs = files(sim)
    path = fs.find("/")[0]
    with fs.open(path) as file:
        first = file.read(300_000)
        fs.close()
        assert first + file.read() == content(sim, fs.info(path)["handle"])


def test_a_filesystem_of_a_thread_that_has_ended_does_not_keep_the_session(
    camera: Cameras, files: Files
) -> None:
    sim = camera()
    fs = files(sim)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: files(sim).ls("/")).result()
    fs.ls("/")
    fs.close()
    assert sim.sessions_closed == 1


def test_a_forgotten_filesystem_ends_its_session(camera: Cameras) -> None:
    sim = camera()
    fs = PtpIpFileSystem(host=sim.host, port=sim.port, timeouts=PATIENT, skip_instance_cache=True)
    fs.ls("/")
    del fs
    gc.collect()
    assert sim.counters.wait_for(lambda: sim.sessions_closed == 1, timeout=30)


def test_other_options_of_a_session_are_refused_while_it_is_open(
    camera: Cameras, files: Files
) -> None:
    sim = camera()
    fs = files(sim)
    fs.ls("/")
    other = files(sim, depth=2)
    with pytest.raises(ValueError, match="other options"):
        other.ls("/")
    fs.close()
    assert other.ls("/")


def test_pickles_hold_the_arguments_and_a_file_its_place(camera: Cameras) -> None:
    sim = camera(size=SIZE)
    fs = PtpIpFileSystem(host=sim.host, port=sim.port, timeouts={"operation": 20}, nickname="a")
    try:
        again = pickle.loads(pickle.dumps(fs))
        assert again == fs
        assert again.fsid == fs.fsid == f"ptpip://a@{sim.host}:{sim.port}"
        assert PtpIpFileSystem.from_json(fs.to_json()) == fs
        path = fs.find("/")[0]
        with fs.open(path) as file:
            file.seek(1000)
            copy = pickle.loads(pickle.dumps(file))
        with copy:
            assert copy.read(10) == content(sim, fs.info(path)["handle"])[1000:1010]
    finally:
        fs.close()
        fs.clear_instance_cache()


BRIEF = dataclasses.replace(PATIENT, held=0)


def test_a_forked_child_is_told_that_the_parent_has_the_camera_and_leaves_it_alone(
    camera: Cameras, files: Files
) -> None:
    sim = camera(size=SIZE)
    fs = files(sim, timeouts=BRIEF)
    path = fs.find("/")[0]
    expected = content(sim, fs.info(path)["handle"])
    with fs.open(path) as file:
        first = file.read(300_000)

        def work() -> None:
            for read in (lambda: fs.cat_file(path), file.read):
                with pytest.raises(InitFailed, match="busy"):
                    read()
            fs.close()

        in_child(work)
        assert first + file.read() == expected
    assert (sim.sessions_opened, sim.sessions_closed) == (1, 0)
    assert_right(sim, fs, path)


def test_a_forked_child_reads_on_by_its_own_session_if_the_parent_has_closed_its(
    camera: Cameras, files: Files
) -> None:
    sim = camera(size=SIZE)
    fs = files(sim)
    path = fs.find("/")[0]
    expected = content(sim, fs.info(path)["handle"])
    with fs.open(path) as file:
        file.read(300_000)
        fs.close()

        def work() -> None:
            assert fs.cat_file(path) == expected
            assert file.read() == expected[300_000:]
            fs.close()

        in_child(work)
        assert file.read() == expected[300_000:]
    assert sim.sessions_opened == 3
