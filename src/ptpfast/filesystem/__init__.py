"""The card as an fsspec filesystem, `ptpip://host/DCIM/…` (package fsspec).

system   the filesystem: fsspec's names, each by the parts below
file     an open file: blocks that are read ahead
blocks   which blocks to request, and which to keep
camera   one session for each address, and what is shared by all who read there
queue    one range after the other from the camera, in a thread
target   one object that is read, found again after a lost session
tree     folders and paths
url      addresses in URLs
"""

from __future__ import annotations

try:
    import fsspec as _fsspec  # noqa: F401
except ModuleNotFoundError as _error:
    raise ImportError(
        "ptpfast.filesystem needs fsspec; install it with `pip install 'ptpfast[fsspec]'`"
    ) from _error

from .file import PtpIpFile
from .system import PtpIpFileSystem

__all__ = ["PtpIpFile", "PtpIpFileSystem"]
