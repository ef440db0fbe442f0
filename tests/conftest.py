"""What most tests share: a simulated camera, a session, and a watch for what tests leave."""

from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ptpfast
from ptpfast import Session, Timeouts, vendors
from ptpfast.discovery import networks
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors import Vendor

if TYPE_CHECKING:
    from ptpfast.filesystem import PtpIpFileSystem

ENGINE = Path(ptpfast.__file__).parent / "engine"
# Long enough for a loaded machine, short enough that a hang is seen.
PATIENT = Timeouts(connect=10, operation=20, idle=20, close=5)
# For tests in which the camera goes silent on purpose.
HASTY = Timeouts(connect=2, operation=1.5, idle=1.5, close=1, approval=0.3)


_all_networks = networks._all_networks


def _refuse_to_search() -> Any:
    """Take the place of the list of networks, so that no packet of a test leaves this computer."""
    if sys.modules.get("ifaddr", ...) is None:  # a test has it missing
        return _all_networks()
    raise AssertionError("a test searches the networks of this computer: give it `interfaces`")


def pytest_configure() -> None:
    networks._all_networks = _refuse_to_search
    # A shell's `&` has Ctrl-C ignored and `nohup` the end of a terminal, also in what is started
    # from here; some of that ends by them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for name in ("wire", "sink", "phase", "framing", "channel", "tap"):
        sources = [ENGINE / f"{name}.{ending}" for ending in ("pyx", "pxd")]
        built = max((p.stat().st_mtime for p in ENGINE.glob(f"{name}.*.so")), default=0)
        stale = any(path.exists() and path.stat().st_mtime > built for path in sources)
        if stale and "site-packages" not in ENGINE.parts:  # where pip sets the times
            pytest.exit(f"{name} is older than its source: run `make build`", returncode=3)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of a matrix take turns: each has a tenth of its cases, unless THOROUGH is set. They
    are not always the same for each test, and always the same for one."""
    if os.environ.get("THOROUGH"):
        return
    left = [item for item in items if item.get_closest_marker("matrix") and not _has_turn(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in set(left)]


def _has_turn(item: pytest.Item) -> bool:
    return zlib.crc32(item.name.encode()) % 10 == 0


def _descriptors() -> set[str]:
    try:
        return {f"{fd}:{os.readlink(f'/proc/self/fd/{fd}')}" for fd in os.listdir("/proc/self/fd")}
    except OSError:
        return set()


def _sockets_and_pipes() -> int:
    return sum("socket:" in entry or "pipe:" in entry for entry in _descriptors())


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    threads, descriptors = set(threading.enumerate()), _sockets_and_pipes()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
        assert not thread.is_alive(), f"a thread is left: {thread}"
    assert _sockets_and_pipes() <= descriptors, _descriptors()


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new name for each test: to have pytest find one takes it longer the more there are."""
    return map(tmp_path_factory.mktemp("homes").joinpath, map(str, itertools.count()))


@pytest.fixture(autouse=True)
def _no_settings_of_this_computer(_homes: Iterator[Path]) -> Iterator[None]:
    home = next(_homes)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("config", "cache", "data"):
            (home / name).mkdir(parents=True)
            patch.setenv(f"PTPFAST_{name.upper()}", str(home / name))
        patch.setenv("PTPFAST_ALLOW_MEMORY", "1")  # where the tests' folders are
        yield


def without_pauses(vendor: str | Vendor) -> Vendor:
    """A vendor that waits for no real camera's sake at the end of a session."""
    vendor = vendors.named(vendor) if isinstance(vendor, str) else vendor
    quirks = dataclasses.replace(vendor.quirks, close_after_open_s=0, reconnect_pause_s=0)
    return dataclasses.replace(vendor, quirks=dataclasses.replace(quirks, event_poll_s=0.02))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def camera(stack: ExitStack) -> Callable[..., SimulatedCamera]:
    """Makes simulated cameras: small objects unless told otherwise."""

    def make(vendor: str | Vendor = "standard", **options: Any) -> SimulatedCamera:
        options.setdefault("objects", 4)
        options.setdefault("size", 300_000)
        return stack.enter_context(SimulatedCamera(vendor=vendor, **options))

    return make


def spoken_by(camera: SimulatedCamera) -> Vendor:
    """The vendor to connect with: of a body behind a gate, with the gate's ports."""
    vendor, gate = camera.body.vendor, camera.gate_port
    if gate is None:
        return vendor
    from ptpfast.vendors.panasonic import panasonic

    at_gate = panasonic(description_port=gate, access_port=gate)
    return dataclasses.replace(vendor, transport=at_gate.transport)


@pytest.fixture
def connect(stack: ExitStack) -> Callable[..., Session]:
    """Opens sessions, closed before their cameras are."""

    def open_session(camera: SimulatedCamera, **options: Any) -> Session:
        options.setdefault("timeouts", PATIENT)
        options.setdefault("vendor", without_pauses(spoken_by(camera)))
        session = ptpfast.connect(camera.host, port=camera.port, **options)
        return stack.enter_context(session)

    return open_session


@pytest.fixture
def files(stack: ExitStack) -> Callable[..., PtpIpFileSystem]:
    """Opens cards as fsspec filesystems, closed before their cameras are."""
    import fsspec

    def open_card(camera: SimulatedCamera, **options: Any) -> PtpIpFileSystem:
        options.setdefault("timeouts", PATIENT)
        options.setdefault("vendor", without_pauses(spoken_by(camera)))
        fs = fsspec.filesystem("ptpip", host=camera.host, port=camera.port, **options)
        stack.callback(closed, fs)
        return fs

    def closed(fs: PtpIpFileSystem) -> None:
        fs.close()
        fs.clear_instance_cache()

    return open_card


Cameras = Callable[..., SimulatedCamera]
Sessions = Callable[..., Session]
Files = Callable[..., "PtpIpFileSystem"]
