"""python-gphoto2 (`gphoto2` on PyPI, with its own libgphoto2) as a contender.

    python -m bench.contenders.python_gphoto2 --port N [--host H] [--dir D]

Each object as in that project's copying example: `file_get`, then `save`. Only that counts, not the
connecting and listing. It does not flush files to the disk; the others do.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ..peers import RUN_S
from .cost import SETTLE_S, Cost


def connect(host: str, port: int) -> Any:
    """The module and the camera, connected to."""
    gphoto2 = import_module("gphoto2")
    ports = gphoto2.PortInfoList()
    ports.load()
    abilities = gphoto2.CameraAbilitiesList()
    abilities.load()
    camera = gphoto2.Camera()
    camera.set_port_info(ports[ports.lookup_path(f"ptpip:{host}:{port}:{port}")])
    camera.set_abilities(abilities[abilities.lookup_model("PTP/IP Camera")])
    camera.init()
    return gphoto2, camera


def files(camera: Any, folder: str = "/") -> Iterator[tuple[str, str]]:
    """Folder and name of every object."""
    names = camera.folder_list_files(folder)
    for at in range(names.count()):
        yield folder, names.get_name(at)
    folders = camera.folder_list_folders(folder)
    for at in range(folders.count()):
        yield from files(camera, f"{folder.rstrip('/')}/{folders.get_name(at)}")


def main() -> None:
    """Fetches the whole card and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, default=Path())
    options = parser.parse_args()
    signal.alarm(RUN_S)
    cost = Cost()
    with tempfile.TemporaryDirectory(prefix="ptpfast-bench-") as home:
        os.environ["HOME"] = home  # libgphoto2 keeps settings there
        gphoto2, camera = connect(options.host, options.port)
        found = list(files(camera))
        time.sleep(SETTLE_S)
        size = 0
        for folder, name in found:
            path = options.dir / name
            with cost.measured():
                camera.file_get(folder, name, gphoto2.GP_FILE_TYPE_NORMAL).save(str(path))
            size += path.stat().st_size
        camera.exit()
    cost.report(size)


if __name__ == "__main__":
    main()
