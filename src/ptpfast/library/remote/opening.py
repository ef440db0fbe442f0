"""The filesystem of a URL, and the packages that it needs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .place import credentials_of, scheme_of, shown

# What reads `scheme://`, as pip installs it. Others are named by fsspec.
PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "sftp": "sshfs",
    "ssh": "sshfs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "smb": "smbprotocol",
    "oci": "ocifs",
    "oss": "ossfs",
    "dropbox": "dropboxdrivefs",
}
WEBDAV = {
    "webdav": "http",
    "webdav+http": "http",
    "webdavs": "https",
    "webdav+https": "https",
    "dav": "http",
    "davs": "https",
}
PACKAGES |= dict.fromkeys(WEBDAV, "webdav4[fsspec]")
SFTP = ("sftp", "ssh")
S3 = ("s3", "s3a")
# An object appears under its name when its last part has come, and folders are only names.
OBJECT_STORES = (*S3, "gs", "gcs", "abfs", "az", "oci", "oss")
READ_ONLY = ("ptpip", "http", "https", "data", "github", "gist", "git", "zip", "tar", "libarchive")
S3_TRIES = 2  # of s3fs, for each request
WEBDAV_TIMEOUT_S = 60.0  # a server that stores a large file may be silent for long


class MissingPackage(ImportError):
    """A package that the destination needs is not installed.

    Attributes:
        hint: How to install it.
    """

    def __init__(self, message: str, package: str) -> None:
        self.hint: str = f"pip install '{package}'" if "[" in package else f"pip install {package}"
        super().__init__(f"{message}; {self.hint}")
        self.message = message


@dataclass(frozen=True, slots=True)
class Kind:
    """What a filesystem can do.

    Attributes:
        scheme: That of its URLs.
        has_folders: Whether a folder must be made before its first file.
        moves: Whether a file is written under a temporary name, and then moved.
    """

    scheme: str
    has_folders: bool
    moves: bool

    @classmethod
    def of(cls, url: str) -> Kind:
        """Return the kind of a URL's filesystem."""
        scheme = scheme_of(url)
        is_store = scheme in OBJECT_STORES
        return cls(scheme, not is_store, not is_store)

    @property
    def is_s3(self) -> bool:
        """Whether it is S3, whose ETags are checksums."""
        return self.scheme in S3

    @property
    def is_sftp(self) -> bool:
        """Whether it is SFTP, where a lost connection needs another filesystem object."""
        return self.scheme in SFTP

    @property
    def is_webdav(self) -> bool:
        """Whether it is WebDAV, where one request has the whole file."""
        return self.scheme in WEBDAV


def check(url: str) -> None:
    """Check that the packages for a URL are here, and that it can be written to.

    Raises:
        MissingPackage: one is not installed.
        ValueError: nothing reads such URLs, or nothing can be written there.
    """
    scheme = scheme_of(url)
    if scheme in READ_ONLY:
        raise ValueError(f"{scheme}:// cannot be written to")
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise MissingPackage(f"{shown(url)} needs fsspec", "ptpfast[fsspec]") from error
    package = PACKAGES.get(scheme)
    try:
        if scheme in SFTP:  # fsspec's own, for paramiko, accepts any host key
            importlib.import_module("sshfs")
        else:
            fsspec.get_filesystem_class("webdav" if scheme in WEBDAV else scheme)
    except ImportError as error:
        if package is None:
            raise MissingPackage(f"{scheme}:// needs another package: {error}", scheme) from error
        raise MissingPackage(f"{scheme}:// needs the package {package}", package) from error
    except ValueError as error:
        raise ValueError(f"{shown(url)}: fsspec knows no {scheme}://") from error


def opened(url: str, options: Mapping[str, Any]) -> Any:
    """Return a new filesystem of a URL, which nothing else uses. It may raise any error."""
    import fsspec

    scheme, more = scheme_of(url), {"skip_instance_cache": True, **options}
    if scheme in WEBDAV:
        host, user = credentials_of(url)
        more = {"auth": user, "timeout": WEBDAV_TIMEOUT_S, **more}
        more.setdefault("base_url", f"{WEBDAV[scheme]}://{host}")
        return fsspec.get_filesystem_class("webdav")(**more)
    if scheme in SFTP:
        kind = importlib.import_module("sshfs").SSHFileSystem
        # Without known hosts it would trust any server; () stands for ~/.ssh/known_hosts.
        told = {"known_hosts": (), **_of_sftp(url)}
        return kind(**{**told, **more})
    if scheme in S3:  # ptpfast has its own tries, with pauses that the run's end interrupts
        more.setdefault("config_kwargs", {"retries": {"max_attempts": 1}})
    filesystem = fsspec.core.url_to_fs(url, **more)[0]
    if scheme in S3:
        filesystem.retries = S3_TRIES
    return filesystem


def _of_sftp(url: str) -> dict[str, Any]:
    """Return host, port and user of a URL as arguments."""
    host, user = credentials_of(url)
    from urllib.parse import urlsplit

    parts = urlsplit(f"//{host}")
    found: dict[str, Any] = {"host": parts.hostname or ""}
    if parts.port is not None:
        found["port"] = parts.port
    if user is not None:
        found["username"] = user[0]
        if user[1]:
            found["password"] = user[1]
    return found


def root_of(url: str, filesystem: Any) -> str:
    """Return the path of a URL in its filesystem, without a slash at its end."""
    scheme = scheme_of(url)
    if scheme in WEBDAV or scheme in SFTP:
        path = url.partition("://")[2].partition("/")[2].strip("/")
        return f"/{path}" if path and scheme in SFTP else path
    return str(filesystem._strip_protocol(url)).rstrip("/")


def close(filesystem: Any) -> None:
    """Close the connections of a filesystem. Never raises."""
    with suppress(Exception):
        if (client := getattr(filesystem, "client", None)) is not None and hasattr(client, "http"):
            client.http.close()
        elif hasattr(filesystem, "close_session") and getattr(filesystem, "_s3", None) is not None:
            filesystem.close_session(filesystem.loop, filesystem._s3creator)
        elif hasattr(filesystem, "_pool"):
            from fsspec.asyn import sync

            sync(filesystem.loop, filesystem._finalize, filesystem._pool, filesystem._stack)
