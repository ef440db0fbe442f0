"""What an object of the simulated camera is."""

from __future__ import annotations

from ptpfast.sim import SimulatedCamera


def content(camera: SimulatedCamera, handle: int) -> bytes:
    stored = camera.store.get(handle)
    assert stored is not None
    return b"".join(camera.store.expected(handle).spans(0, stored.size))
