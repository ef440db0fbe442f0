"""A pytest plugin: simulated cameras for the tests of your own program.

Load it in your `conftest.py`; then its fixtures are there, and nothing else changes:

    pytest_plugins = ["ptpfast.testing"]

A test asks for a camera by name and gives its address to the program under test:

    def test_import_copies_the_card(camera, tmp_path):
        my_program.import_from(camera.address, tmp_path)
        assert_complete(camera, tmp_path)

Needs `pip install 'ptpfast[testing]'`.
"""

from __future__ import annotations

from ..sim import LINKS, Fault, Link, SimulatedCamera, Store
from ..vendors import BODIES
from .compare import assert_complete
from .fixtures import FLAKY, MakeCamera, camera, flaky_camera, make_camera

__all__ = [
    "BODIES",
    "FLAKY",
    "LINKS",
    "Fault",
    "Link",
    "MakeCamera",
    "SimulatedCamera",
    "Store",
    "assert_complete",
    "camera",
    "flaky_camera",
    "make_camera",
]
