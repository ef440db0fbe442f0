"""Many cameras, read by the workers of a dask.distributed cluster; needs the extra `cluster`."""

from .draining import CameraResult
from .rig import Camera, Rig
from .running import RigReport, pull

__all__ = ["Camera", "CameraResult", "Rig", "RigReport", "pull"]
