"""`ptpfast.aio` on asyncio and trio: its methods, several cameras, events, and pulls."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

import command_line
import ptpfast
from aio_sessions import assert_sessions_are_closed, open_at, until
from conftest import PATIENT, Cameras
from objects_of import content
from ptpfast import ConnectionLost, EventCode, NetworkError, OperationCode, aio
from ptpfast.sim import SimulatedCamera

Run = Callable[[Callable[[], Awaitable[None]]], None]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    def run_one(main: Callable[[], Awaitable[None]]) -> None:
        async def limited() -> None:
            with anyio.fail_after(100):
                await main()

        anyio.run(limited, backend=request.param)

    return run_one


def test_reads_of_each_kind_return_the_bytes_of_the_camera(
    camera: Cameras, tmp_path: Path, run: Run
) -> None:
    sim = camera(objects=3, size=300_000)

    async def main() -> None:
        async with open_at(sim) as session:
            first = (await session.objects())[0]
            wanted = content(sim, first.handle)
            assert await session.read(first) == wanted
            buffer = bytearray(len(wanted))
            assert await session.read_into(first, buffer) == len(wanted)
            assert buffer == wanted
            pieces = [bytes(piece) async for piece in session.stream(first, 70_000)]
            assert b"".join(pieces) == wanted
            assert len(pieces) > 1
            async with await session.open(first) as file:
                assert await file.seek(1000) == 1000
                assert await file.read(10) == wanted[1000:1010]
                assert file.tell() == 1010
                assert await file.read() == wanted[1010:]
            transfer = await session.download(first, tmp_path / "one")
            assert transfer.path.read_bytes() == wanted
            tables = [table async for table in (await session.listing()).pieces(2)]
            assert sum(map(len, tables)) == 3
            assert len(tables) > 1
            thumbnails = {handle: data async for handle, data in session.thumbnails([first])}
            assert thumbnails == {first.handle: session.sync.thumbnail(first)}
            assert session.supports(OperationCode.GetObject)
        assert not session.usable
        with pytest.raises(ConnectionLost):
            await session.objects()

    run(main)
    assert_sessions_are_closed(sim)


def test_session_can_be_awaited_and_closed_by_hand(camera: Cameras, run: Run) -> None:
    sim = camera()

    async def main() -> None:
        session = await open_at(sim)
        assert len(await session.handles()) > 0
        await session.close()
        await session.close()

    run(main)
    assert_sessions_are_closed(sim)


def test_error_of_the_thread_is_raised_in_the_task(camera: Cameras, run: Run) -> None:
    async def main() -> None:
        async with open_at(camera()) as session:
            with pytest.raises(ptpfast.InvalidObjectHandle):
                await session.read(0xDEAD)
            with pytest.raises(ValueError, match="chunk_size"):
                await anext(session.stream(1, 0))
        with pytest.raises(NetworkError):
            await aio.connect("127.0.0.1:9")

    run(main)


def test_items_left_early_leave_the_session_usable(camera: Cameras, run: Run) -> None:
    sim = camera(objects=2, size=2_000_000)

    async def main() -> None:
        async with open_at(sim) as session:
            first = (await session.objects())[0]
            async with session.stream(first, 50_000) as pieces:
                async for _ in pieces:
                    break
            assert [piece async for piece in pieces] == []
            assert await session.read(first) == content(sim, first.handle)

    run(main)


def test_many_cameras_in_one_loop_wait_for_none_of_them(
    camera: Cameras, tmp_path: Path, run: Run
) -> None:
    sims = [camera(objects=2, size=100_000, seed=seed) for seed in range(8)]
    silent = [camera(faults=["no_answer on GetObjectHandles times 0"]) for _ in range(60)]
    done: list[int] = []

    async def hang(sim: SimulatedCamera) -> None:
        async with open_at(sim, timeouts=dataclasses.replace(PATIENT, close=0.1)) as session:
            await session.objects()

    async def fetch(sim: SimulatedCamera, to: Path) -> None:
        report = await aio.pull(command_line.at(sim), to, timeouts=PATIENT, history=False)
        done.append(report.downloaded)

    async def main() -> None:
        async with anyio.create_task_group() as hanging:
            for sim in silent:
                hanging.start_soon(hang, sim)
            async with anyio.create_task_group() as tasks:
                for number, sim in enumerate(sims):
                    tasks.start_soon(fetch, sim, tmp_path / str(number))
            hanging.cancel_scope.cancel()

    run(main)
    assert done == [2] * 8


def test_failing_camera_of_a_task_group_ends_the_others_in_order(
    camera: Cameras, tmp_path: Path
) -> None:
    good, bad = camera(objects=40, size=500_000), camera(objects=2)
    bad.faults.add("drop on GetObject times 0")
    bad.faults.add("drop on GetPartialObject times 0")

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                aio.pull(command_line.at(good), tmp_path / "good", timeouts=PATIENT, chunk=10_000)
            )
            tasks.create_task(
                aio.pull(command_line.at(bad), tmp_path / "bad", timeouts=PATIENT, retry=0)
            )

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    (error,) = caught.value.exceptions
    assert isinstance(error, NetworkError)
    assert vars(error)["report"].downloaded == 0
    assert_sessions_are_closed(good)
    report = ptpfast.pull(command_line.at(good), tmp_path / "good", timeouts=PATIENT)
    assert (report.downloaded + report.skipped, report.ok) == (40, True)


@pytest.mark.parametrize("vendor", ["standard", "canon"])
def test_events_come_while_the_session_is_idle(camera: Cameras, run: Run, vendor: str) -> None:
    sim = camera(vendor, objects=2)
    seen: list[int] = []

    async def main() -> None:
        async with open_at(sim, role="remote") as session, anyio.create_task_group() as tasks:
            waits = anyio.Event()

            async def listen() -> None:
                waits.set()
                async for event in session.events():
                    seen.append(event.code)
                    if event.code == EventCode.ObjectAdded:
                        return

            tasks.start_soon(listen)
            await waits.wait()
            assert await session.capture() is not None

    run(main)
    assert EventCode.ObjectAdded in seen


def test_waiting_for_events_holds_up_no_operation_and_ends_with_the_session(
    camera: Cameras, run: Run
) -> None:
    sim = camera(objects=2)
    ended: list[str] = []

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            session = await open_at(sim)

            async def listen() -> None:
                async for _ in session.events():
                    pass
                ended.append("listening")

            tasks.start_soon(listen)
            for _ in range(3):
                assert len(await session.objects()) == 2
            await session.close()

    run(main)
    assert ended == ["listening"]


def test_events_stop_after_their_timeout(camera: Cameras, run: Run) -> None:
    async def main() -> None:
        async with open_at(camera()) as session:
            assert [event async for event in session.events(timeout=0.05)] == []
            with pytest.raises(ValueError, match="timeout"):
                session.events(timeout=-1)

    run(main)


def test_results_of_a_pull_come_one_by_one_with_the_report_last(
    camera: Cameras, tmp_path: Path, run: Run
) -> None:
    sim = camera(objects=30, size=20_000)
    files: list[Any] = []

    async def main() -> None:
        async with open_at(sim) as session:
            async with aio.pull_iter(session, tmp_path) as results:
                with pytest.raises(RuntimeError, match="has ended"):
                    _ = results.report
                async for result in results:
                    assert result.path is not None
                    assert result.path.read_bytes() == content(sim, result.handle)
                    files.append(result)
            assert results.report.files == files
            assert len(await session.objects()) == len(files) == 30

    run(main)


def test_operation_of_a_pulled_session_waits_for_the_end_of_the_pull(
    camera: Cameras, tmp_path: Path, run: Run
) -> None:
    sims = [camera(objects=10, size=50_000, seed=seed) for seed in (1, 2)]

    async def main() -> None:
        async with open_at(sims[0]) as one, open_at(sims[1]) as other:
            done: list[str] = []

            async def pull(*sessions: aio.Session) -> None:
                report = await aio.pull(list(sessions), tmp_path / str(len(done)), history=False)
                done.append(f"{report.downloaded}")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(pull, one, other)
                tasks.start_soon(pull, other, one)  # they do not wait for each other
                await anyio.lowlevel.checkpoint()
                with anyio.move_on_after(0):
                    await one.objects()
            assert done == ["20", "20"] or done == ["20", "0"]

    run(main)


def test_closing_a_session_ends_what_other_tasks_do_with_it(camera: Cameras, run: Run) -> None:
    sim = camera(faults=["no_answer on GetObject times 0"])
    errors: list[str] = []

    async def main() -> None:
        session = await open_at(sim, timeouts=dataclasses.replace(PATIENT, close=0.1))
        handle = (await session.objects())[0].handle

        async def use() -> None:
            try:
                await session.transaction(OperationCode.GetObject, handle)
            except ptpfast.PTPError as error:
                errors.append(type(error).__name__)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(use)
            tasks.start_soon(use)
            await until(lambda: sim.operations[OperationCode.GetObject] > 0)
            await session.close()

    run(main)
    assert sorted(errors) == ["Cancelled", "ConnectionLost"]


def test_forgotten_session_ends_its_thread_and_connection(camera: Cameras, run: Run) -> None:
    async def main() -> None:
        session = await open_at(camera())
        assert session.usable
        del session

    run(main)  # the fixture of all tests looks for threads and descriptors


# What a method is in `ptpfast.Session`, and what it is here.
PLAIN = {"supports", "cancel"}


def public(kind: type) -> dict[str, Any]:
    return {name: member for name, member in vars(kind).items() if not name.startswith("_")}


def test_session_has_the_names_of_the_other_session() -> None:
    assert set(public(aio.Session)) == set(public(ptpfast.Session))


@pytest.mark.parametrize("name", sorted(public(ptpfast.Session)))
def test_method_has_the_signature_of_the_other_session(name: str) -> None:
    theirs, ours = public(ptpfast.Session)[name], public(aio.Session)[name]
    assert inspect.getdoc(ours)
    if isinstance(theirs, property):
        assert isinstance(ours, property)
        assert (ours.fset is None) == (theirs.fset is None)
        theirs, ours = theirs.fget, ours.fget
    wanted, found = inspect.signature(theirs), inspect.signature(ours)
    assert list(found.parameters.values()) == list(wanted.parameters.values())
    returns = str(wanted.return_annotation)
    iterates = returns.startswith(("Iterator[", "Generator["))
    if iterates:
        kind = "Events" if name == "events" else f"Items[{returns.partition('[')[2]}"
        assert found.return_annotation == kind
    elif name == "open":
        assert found.return_annotation == "ObjectFile"
    else:
        assert found.return_annotation == returns
    is_awaited = isinstance(public(ptpfast.Session)[name], property) or name in PLAIN
    is_awaited |= iterates
    assert inspect.iscoroutinefunction(ours) != is_awaited


def test_functions_have_the_options_of_the_others() -> None:
    for ours, theirs in (
        (aio.connect, ptpfast.connect),
        (aio.pull, ptpfast.pull),
        (aio.pull_iter, ptpfast.pull_iter),
    ):
        wanted = list(inspect.signature(theirs).parameters)
        assert list(inspect.signature(ours).parameters) == wanted


def test_import_of_the_package_needs_no_anyio() -> None:
    code = (
        "import sys, ptpfast; assert 'anyio' not in sys.modules\n"
        "sys.modules['anyio'] = None\n"
        "try:\n    ptpfast.aio\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ptpfast[aio]" in done.stdout
