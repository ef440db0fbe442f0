"""A client of a Canon EOS body by python-gphoto2: `HOST PORT`. It writes what it did as JSON.

It waits for a line on standard input before it looks for events.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time

import gphoto2 as gp  # type: ignore[import-not-found, unused-ignore]

FOLDER = "/store_00010001/DCIM/100CANON"
EVENTS_S = 1.5


def opened(host: str, port: str) -> gp.Camera:
    camera, ports, models = gp.Camera(), gp.PortInfoList(), gp.CameraAbilitiesList()
    ports.load()
    camera.set_port_info(ports[ports.lookup_path(f"ptpip:{host}:{port}:{port}")])
    models.load()
    camera.set_abilities(models[models.lookup_model("PTP/IP Camera")])
    camera.init()
    return camera


def digest(camera: gp.Camera, folder: str, name: str) -> str:
    file = camera.file_get(folder, name, gp.GP_FILE_TYPE_NORMAL)  # it owns the bytes
    return hashlib.sha256(memoryview(file.get_data_and_size())).hexdigest()


def names_in(camera: gp.Camera, folder: str) -> list[str]:
    found = camera.folder_list_files(folder)
    return [found.get_name(number) for number in range(found.count())]


def added(camera: gp.Camera) -> list[str]:
    """The paths of new files; the events before the button was pressed are among them."""
    found, until = [], time.monotonic() + EVENTS_S
    while time.monotonic() < until:
        kind, data = camera.wait_for_event(200)
        if kind == gp.GP_EVENT_FILE_ADDED:
            found.append(f"{data.folder}/{data.name}")
    return found


def changed(camera: gp.Camera, name: str, value: str) -> list[str]:
    """A setting before and after it was set."""
    before = camera.get_single_config(name)
    was = before.get_value()
    before.set_value(value)
    camera.set_single_config(name, before)
    return [was, camera.get_single_config(name).get_value()]


def main() -> None:
    camera = opened(*sys.argv[1:3])
    done: dict[str, object] = {"summary": str(camera.get_summary())}
    names = names_in(camera, FOLDER)
    done["files"] = {name: digest(camera, FOLDER, name) for name in names}
    path = camera.capture(gp.GP_CAPTURE_IMAGE)
    done["captured"] = [path.name, digest(camera, path.folder, path.name)]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    done["added"] = added(camera)
    done["iso"] = changed(camera, "iso", "800")
    try:
        frame = camera.capture_preview()
        done["preview"] = memoryview(frame.get_data_and_size())[:2].hex()
    except gp.GPhoto2Error as error:
        done["preview"] = str(error)
    camera.exit()
    sys.stdout.write(json.dumps(done))


main()
