"""Simulated Sony bodies, sessions with them, and what these have asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ptpfast
from ptpfast.ptp.codes import ResponseCode as Code
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.vendors.sony.codes import EXTENDED_VERSION, VERSION, SonyProperty
from ptpfast.vendors.sony.simulated import Profile, Sony, begin
from raw_initiator import Initiator

SIZE = 700_000
S1, S2 = SonyProperty.S1, SonyProperty.S2
PRESSED, RELEASED = b"\2\0", b"\1\0"
# Device info is asked for twice (see `camera_of`), once more for the version of a body that has
# one, and then with the flag for extended codes.
DEVICE_INFOS = {
    "a7m4": [*3 * [(0x9202, (0x12C,))], (0x9202, (0x12C, 1))],
    "a7sm3": 3 * [(0x9202, (0x12C,))],
    "a7r3": 2 * [(0x9202, (0x12C,))],
}
# All properties, for a body with extended codes and for others.
ALL_PROPERTIES = {"a7m4": (0x9209, (0, 1)), "a7sm3": (0x9209, ()), "a7r3": (0x9209, ())}


def authentication(body: str) -> list[tuple[int, tuple[int, ...]]]:
    phases = [(0x9201, (phase, 0, 0)) for phase in (1, 2, 3)]
    return [*phases[:2], *DEVICE_INFOS[body], phases[2]]


def camera_of(body: str, **options: Any) -> SimulatedCamera:
    """A body that prepares itself for a moment, so that its device info is asked for twice."""
    camera = SimulatedCamera(body=f"sony-{body}", **{"objects": 4, "size": SIZE, **options})
    profile = Profile(empty_device_infos=1, hangs_at_all_storages=body == "a7r3")
    profile.vendor_code_version = EXTENDED_VERSION if body == "a7m4" else VERSION
    begin(camera.body, profile)
    return camera


@contextmanager
def session_with(
    camera: SimulatedCamera, role: Any = "download", **options: Any
) -> Iterator[ptpfast.Session]:
    with ptpfast.connect(
        camera.host, port=camera.port, role=role, index=False, **options
    ) as session:
        yield session


def state_of(camera: SimulatedCamera) -> Sony:
    state: Sony = camera.body.state["sony"]
    return state


def asked(camera: SimulatedCamera, *codes: int) -> list[tuple[int, tuple[int, ...]]]:
    """Code and parameters of the logged operations; of these codes only, if some are given."""
    log = [(each.operation, each.parameters) for each in camera.log]
    return [each for each in log if not codes or each[0] in codes]


def content_of(camera: SimulatedCamera, handle: int) -> bytes:
    content = camera.store.expected(handle)
    return b"".join(content.spans(0, content.size))


def recorded(camera: SimulatedCamera) -> dict[str, bytes]:
    """Name → bytes of each file of the pictures that the camera takes from now on."""
    taken: dict[str, bytes] = {}
    take: Callable[..., list[int]] = camera.body.capture

    def capture(*given: Any, **named: Any) -> list[int]:
        handles = take(*given, **named)
        for handle in handles:
            stored = camera.store.get(handle)
            assert stored is not None
            taken[stored.name] = content_of(camera, handle)
        return handles

    camera.body.capture = capture  # type: ignore[method-assign]
    return taken


def authenticate(asking: Initiator, *parameters: int) -> None:
    assert asking.ask(0x9201, 1, 0, 0).data == bytes(8)
    assert asking.ask(0x9201, 2, 0, 0).code == Code.OK
    while not asking.ask(0x9202, *(parameters or (VERSION,))).data:
        pass
    assert asking.ask(0x9201, 3, 0, 0).code == Code.OK


@contextmanager
def opened(body: str, mode: int | None = None, **options: Any) -> Iterator[Any]:
    with camera_of(body, **options) as camera, Initiator(camera, session=mode is None) as asking:
        if mode is not None:
            assert asking.ask(0x9210, 1, mode).code == Code.OK
        yield camera, asking


def single_files(count: int = 2) -> Store:
    return Store.synthetic(count, 1000, pairs=False)
