"""What the owner of a camera does while a session runs: buttons that are pressed, and events."""

from __future__ import annotations

import random

from ptpfast.ptp.codes import EventCode
from ptpfast.sim import SimulatedCamera

from .forms import EVENTS, NUMBERS


def surprise(camera: SimulatedCamera, chance: random.Random) -> str:
    """Do something to a camera, and say what."""
    files = camera.store.files()
    handle = chance.choice(files).handle if files else chance.choice(NUMBERS)
    match chance.randrange(6):
        case 0:
            return f"button: pictures {camera.capture()}"
        case 1:
            camera.push_event(EventCode.ObjectAdded, handle)
            return f"event: ObjectAdded of {handle:#x}"
        case 2:
            code, value = chance.choice(EVENTS), chance.choice(NUMBERS)
            camera.push_event(code, value)
            return f"event: {code:#x} with {value:#x}"
        case 3 if files:
            camera.delete(handle)
            return f"button: {handle:#x} is deleted"
        case 4 if files:
            camera.mark(handle)
            return f"button: {handle:#x} is marked"
    camera.push_event(EventCode.DevicePropChanged, 0x5001)
    return "event: DevicePropChanged"
