"""python-gphoto2 with any body: `every_body_client.py PORT MODEL SETTING VALUE ABILITY…`.

It tries the abilities in this order, and writes what came of each as JSON: what it did, or the
error in words. It writes a line `ready` and reads one before it looks for events.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import gphoto2 as gp  # type: ignore[import-not-found, unused-ignore]

EVENTS, EVENT_MS = 60, 250  # of waiting for a file


def opened(path: str, model: str) -> Any:
    camera, ports, models = gp.Camera(), gp.PortInfoList(), gp.CameraAbilitiesList()
    ports.load()
    camera.set_port_info(ports[ports.lookup_path(path)])
    models.load()
    camera.set_abilities(models[models.lookup_model(model)])
    camera.init()
    return camera


def entries(found: Any) -> list[str]:
    return [found.get_name(number) for number in range(found.count())]


def walked(camera: Any, folder: str = "/") -> Iterator[tuple[str, str]]:
    for name in entries(camera.folder_list_files(folder)):
        yield folder, name
    for name in entries(camera.folder_list_folders(folder)):
        yield from walked(camera, folder.rstrip("/") + "/" + name)


def digest(camera: Any, folder: str, name: str) -> str:
    file = camera.file_get(folder, name, gp.GP_FILE_TYPE_NORMAL)  # it owns the bytes
    return hashlib.sha256(memoryview(file.get_data_and_size())).hexdigest()


def captured(camera: Any) -> dict[str, str]:
    path = camera.capture(gp.GP_CAPTURE_IMAGE)
    return {path.name: digest(camera, path.folder, path.name)}


def added(camera: Any) -> str:
    """The name of the file of the picture that the owner takes."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for _ in range(EVENTS):
        kind, data = camera.wait_for_event(EVENT_MS)
        if kind == gp.GP_EVENT_FILE_ADDED:
            return str(data.name)
    raise LookupError("no event has named a file")


def changed(camera: Any, name: str, value: str) -> str:
    setting = camera.get_single_config(name.rpartition("/")[2])
    setting.set_value(value)
    camera.set_single_config(name.rpartition("/")[2], setting)
    return value


def frame(camera: Any) -> str:
    file = camera.capture_preview()  # it owns the bytes
    return bytes(memoryview(file.get_data_and_size())[:2]).hex()


def main(path: str, model: str, name: str, value: str, *wanted: str) -> dict[str, Any]:
    camera = opened(path, model)
    abilities: dict[str, Callable[[], Any]] = {
        "summary": lambda: str(camera.get_summary()),
        "list": lambda: [file for _, file in walked(camera)],
        "download": lambda: {file: digest(camera, at, file) for at, file in walked(camera)},
        "properties": lambda: changed(camera, name, value),
        "capture": lambda: captured(camera),
        "events": lambda: added(camera),
        "live view": lambda: frame(camera),
    }
    done: dict[str, Any] = {}
    for ability in wanted:
        try:
            found = abilities[ability]()
            done[ability] = {"did": found} if found else {"failed": "it finds nothing"}
        except (gp.GPhoto2Error, LookupError) as error:
            done[ability] = {"failed": str(error)}
    with contextlib.suppress(gp.GPhoto2Error):  # a body that still writes a picture is busy
        camera.exit()
    return done


if __name__ == "__main__":
    came = main(*sys.argv[1:])
    sys.stdout.write(json.dumps(came) + "\n")
