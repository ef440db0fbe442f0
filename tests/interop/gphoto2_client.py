"""Takes a picture with python-gphoto2: `gphoto2_client.py PORT FOLDER`; prints what came as JSON.

A program of its own: the library holds Python's lock while it waits for a camera.
"""

import hashlib
import json
import sys

import gphoto2

EVENTS, EVENT_MS = 40, 250  # of waiting for the second file


def main(port: str) -> dict[str, object]:
    camera = connected(f"ptpip:127.0.0.1:{port}:{port}")
    found: dict[str, object] = {"summary": str(camera.get_summary())}
    files = {}

    def fetch(path: gphoto2.CameraFilePath) -> None:
        file = camera.file_get(path.folder, path.name, gphoto2.GP_FILE_TYPE_NORMAL)
        files[path.name] = hashlib.sha256(file.get_data_and_size()).hexdigest()

    fetch(camera.capture(gphoto2.GP_CAPTURE_IMAGE))
    for _ in range(EVENTS):
        kind, data = camera.wait_for_event(EVENT_MS)
        if kind == gphoto2.GP_EVENT_FILE_ADDED:
            fetch(data)
        elif kind == gphoto2.GP_EVENT_TIMEOUT:
            break
    camera.exit()
    return found | {"files": files}


def connected(path: str) -> gphoto2.Camera:
    ports, models = gphoto2.PortInfoList(), gphoto2.CameraAbilitiesList()
    ports.load()
    models.load()
    camera = gphoto2.Camera()
    camera.set_port_info(ports[ports.lookup_path(path)])
    camera.set_abilities(models[models.lookup_model("PTP/IP Camera")])
    camera.init()
    return camera


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
