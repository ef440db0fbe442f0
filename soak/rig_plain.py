"""Download some cameras without a cluster: what a rig's time is compared with.

The one argument is JSON: `threads`, and `cameras` as pairs of address and folder.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import ptpfast


def main() -> int:
    """Download all of them; 0 if all files have come."""
    job = json.loads(sys.argv[1])

    def download(camera: tuple[str, str]) -> bool:
        address, folder = camera
        return ptpfast.pull(address, folder, formats=["all"]).ok

    with ThreadPoolExecutor(job["threads"]) as pool:
        return 0 if all(pool.map(download, job["cameras"])) else 1


if __name__ == "__main__":
    sys.exit(main())
