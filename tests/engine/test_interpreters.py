"""ptpfast in a sub-interpreter is refused: its compiled modules belong to one interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
try:
    import _interpreters as interpreters
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters
    run = interpreters.run_string

if sys.argv[1] == "used":
    import ptpfast
sub = interpreters.create()
run(sub, '''
try:
    import ptpfast
except ImportError as error:
    print(f"refused: {error}", flush=True)
else:
    print("imported", flush=True)
''')
interpreters.destroy(sub)
if sys.argv[1] == "used":
    from ptpfast.sim import SimulatedCamera
    with SimulatedCamera(objects=1, size=100_000) as camera:
        with ptpfast.connect(camera.host, port=camera.port) as session:
            print(len(session.read(session.objects()[0])))
"""


def told(first: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, first], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# Python 3.11 does not isolate an interpreter that is the first to import ptpfast.
FIRST = ["used", "unused"] if sys.version_info >= (3, 12) else ["used"]


@pytest.mark.parametrize("first", FIRST)
def test_a_second_interpreter_is_refused_and_the_first_goes_on(first: str) -> None:
    said, *rest = told(first)
    assert said.startswith("refused: ptpfast cannot be imported in a second interpreter")
    assert "use threads or processes" in said
    assert rest == (["100000"] if first == "used" else [])
