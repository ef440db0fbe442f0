"""A photo booth: take a picture, show it, and keep it. Press Enter for each picture.

python examples/photo_booth.py 192.168.1.1 booth
"""

import sys
import webbrowser
from collections.abc import Callable, Iterable
from pathlib import Path

import ptpfast


def booth(address: str, folder: Path, shots: Iterable[str], show: Callable[[Path], object]) -> None:
    """Take a picture for each of `shots`, download it, and show it."""
    folder.mkdir(exist_ok=True)
    with ptpfast.connect(address, role="remote") as session:
        for _ in shots:
            info = session.capture()
            if info is None:
                print("the camera has not told where the picture is")
                continue
            path = folder / Path(info.name).name  # the camera's word is no path
            show(session.download(info, path).path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    booth(
        sys.argv[1],
        Path(sys.argv[2]),
        sys.stdin,
        lambda path: webbrowser.open(path.absolute().as_uri()),
    )
