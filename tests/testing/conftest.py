"""The plugin's fixtures, instead of the suite's own of the same names."""

from ptpfast.testing import camera, flaky_camera, make_camera

__all__ = ["camera", "flaky_camera", "make_camera"]
