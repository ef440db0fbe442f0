"""Decode each RAW file while the camera sends the next one.

    python examples/decode_while_downloading.py 192.168.1.1 today

Needs rawpy and Pillow. LibRaw releases the GIL while it decodes, and ptpfast while it receives. If
decoding is slower than the camera, the download waits between two files.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import rawpy
from PIL import Image

import ptpfast


def decoded(address: str, folder: Path) -> Iterator[Path]:
    """Download the RAW files of a camera, and yield the path of a JPEG for each of them."""
    with ptpfast.pull_iter(address, folder, formats="raw") as results:
        for result in results:
            if result.status != "downloaded":
                continue
            with rawpy.imread(str(result.path)) as raw:
                pixels = raw.postprocess(use_camera_wb=True, half_size=True)
            preview = result.path.with_suffix(".preview.jpg")
            Image.fromarray(pixels).save(preview, quality=90)
            yield preview


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for path in decoded(sys.argv[1], Path(sys.argv[2])):
        print(path)
