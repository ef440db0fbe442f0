"""Does every piece of work some times between callgrind's marks.

    valgrind --tool=callgrind --instr-atstart=no … python -m bench.micro.counted LIBRARY

Instructions do not depend on how busy the machine is. They do depend on the compiler, Python and
numpy; and a little on where memory happens to lie.
"""

from __future__ import annotations

import ctypes
import gc
import sys

from .work import check, works


def main() -> None:
    """All of them, each dumped under its name."""
    marks = ctypes.CDLL(sys.argv[1])
    gc.disable()
    for work in works().values():
        check(work)
        for counts in (False, True):  # the first time Python specialises what it runs
            if counts:
                marks.begin()
            for _ in range(work.repeat):
                work.ours()
        marks.end(work.name.encode())


if __name__ == "__main__":
    main()
