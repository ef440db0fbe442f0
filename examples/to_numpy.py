"""Find the sharpest picture on the card. Nothing is written to the disk.

    python examples/to_numpy.py 192.168.1.1

Needs numpy and Pillow. Each picture goes from the socket straight into the same numpy array.
"""

import io
import sys

import numpy
from PIL import Image

import ptpfast


def sharpness(picture: memoryview) -> float:
    """Return the mean squared step between neighbouring pixels."""
    with Image.open(io.BytesIO(picture)) as image:
        grey = numpy.asarray(image.convert("L"), numpy.float32)
    return float((numpy.diff(grey, axis=0) ** 2).mean() + (numpy.diff(grey, axis=1) ** 2).mean())


def sharpest(address: str) -> tuple[str, float]:
    """Return the name of the sharpest JPEG, and its sharpness."""
    with ptpfast.connect(address) as session:
        objects = session.objects(formats="jpeg")
        memory = numpy.empty(objects.size.max(), numpy.uint8)  # for the largest one
        found = {}
        for info in objects:
            size = session.read_into(info, memory)
            found[info.name] = sharpness(memory[:size].data)
    best = max(found, key=found.__getitem__)
    return best, found[best]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(*sharpest(sys.argv[1]))
