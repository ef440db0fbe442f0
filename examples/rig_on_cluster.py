"""Download forty cameras, or as many as you have, on the workers of a cluster.

    python examples/rig_on_cluster.py tcp://10.0.0.1:8786 /nas/today 192.168.1.1 192.168.1.2 …

Needs `pip install 'ptpfast[cluster]'` here and on the workers. All workers must see the folder.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ptpfast import cluster


def download(scheduler: str, folder: str, addresses: Sequence[str]) -> cluster.RigReport:
    """Download the cameras into folders `camera01`, `camera02`, …, and tell when each is done."""
    cameras = [
        cluster.Camera(address, f"camera{number:02}")
        for number, address in enumerate(addresses, start=1)
    ]

    def told(row: Mapping[str, Any]) -> None:
        if row["of_files"] and row["files"] == row["of_files"]:
            print(f"{row['camera']}: {row['files']} files, {row['bytes'] / 1e6:.0f} MB")

    return cluster.pull(scheduler, cluster.Rig(cameras, {"formats": "all"}), folder, told=told)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    report = download(sys.argv[1], sys.argv[2], sys.argv[3:])
    for camera in report.cameras:
        if not camera.ok:
            print(camera.name, camera.error or camera.failures)
    sys.exit(0 if report.ok else 1)
