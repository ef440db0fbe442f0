"""Real servers of S3, SFTP and WebDAV on this machine, each behind a proxy that can cut.

S3 is moto's server, SFTP is OpenSSH's `sshd` with keys of its own, WebDAV is wsgidav and Debian's
lighttpd. None of them needs root.
"""

from __future__ import annotations

import getpass
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec.asyn

from programs import missing, module, program
from ptpfast.library.remote import opening
from remote_folders import Proxy

GROUP = "--group remote"
S3_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""
WEBDAV_SERVER = """
import resource, sys, threading
from cheroot import wsgi
from wsgidav.wsgidav_app import WsgiDAVApp
if int(sys.argv[2]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
app = WsgiDAVApp({
    "provider_mapping": {"/dav": sys.argv[1]},
    "simple_dc": {"user_mapping": {"*": {"me": {"password": "secret"}}}},
    "http_authenticator": {
        "accept_basic": True, "accept_digest": False, "default_to_digest": False
    },
    "verbose": 0, "logging": {"enable": False},
})
server = wsgi.Server(("127.0.0.1", 0), app)
server.prepare()
print(server.bind_addr[1], flush=True)
threading.Thread(target=server.serve, daemon=True).start()
sys.stdin.read()
server.stop()
"""


# `/dev/stdin` is a socket that listens already: no port is chosen here that another one could take.
LIGHTTPD = """
server.modules = ("mod_auth", "mod_authn_file", "mod_webdav")
server.bind = "/dev/stdin"
server.document-root = "{place}/served"
server.upload-dirs = ("{place}/uploads")
server.errorlog = "{place}/errors"
mimetype.assign = ("" => "application/octet-stream")
auth.backend = "plain"
auth.backend.plain.userfile = "{place}/users"
auth.require = ("" => ("method" => "basic", "realm" => "dav", "require" => "valid-user"))
webdav.activate = "enable"
webdav.opts = ("propfind-depth-infinity" => "enable")
"""


@dataclass
class Site:
    """A server with a folder for pictures.

    Attributes:
        url: That of the folder, through the proxy.
        files: Returns name and bytes of each file there, not through the proxy.
        storage: `storage_options` for it.
        restart: Kills the server in the middle of what it does, and starts it again.
    """

    url: str
    proxy: Proxy
    files: Callable[[], dict[str, bytes]]
    storage: dict[str, Any] = field(default_factory=dict)
    restart: Callable[[], None] | None = None


def begin_loop_of_fsspec() -> None:
    """Begin the threads of fsspec, and of its loop: they stay to the end of the process."""
    loop = fsspec.asyn.get_loop()

    async def warm() -> None:
        loop.set_default_executor(ThreadPoolExecutor(1))
        await loop.run_in_executor(None, int)

    fsspec.asyn.sync(loop, warm)


@contextmanager
def python_server(script: str, *arguments: object) -> Iterator[int]:
    """Run a script that prints its port, and ends at the end of its input."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def of_folder(folder: Path) -> Callable[[], dict[str, bytes]]:
    return lambda: {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def limit_of(most: int) -> Callable[[], None]:
    """What a server does before it starts, so that no file of it grows beyond `most` bytes."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if most:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return limit


@contextmanager
def s3(place: Path, most: int = 0) -> Iterator[Site]:
    for name in ("s3fs", "moto"):
        module(name, GROUP)
    with python_server(S3_SERVER) as port:
        keys = {"key": "x", "secret": "y", "client_kwargs": {"region_name": "us-east-1"}}

        def direct() -> Any:
            return opening.opened(
                "s3://bucket", {"endpoint_url": f"http://127.0.0.1:{port}"} | keys
            )

        def files() -> dict[str, bytes]:
            there = direct()
            try:
                return {
                    path.rpartition("/")[2]: there.cat_file(path) for path in there.find("bucket")
                }
            finally:
                opening.close(there)

        there = direct()
        there.call_s3("create_bucket", Bucket="bucket")
        opening.close(there)
        proxy = Proxy(port)
        storage = {"endpoint_url": f"http://127.0.0.1:{proxy.port}"} | keys
        try:
            yield Site("s3://bucket/today", proxy, files, storage)
        finally:
            proxy.close()


@contextmanager
def sftp(place: Path, most: int = 0) -> Iterator[Site]:
    module("sshfs", GROUP)
    sshd = sshd_program()
    keygen = program("ssh-keygen")
    for name in ("host", "mine"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
    (place / "authorized").write_text((place / "mine.pub").read_text())
    (place / "config").write_text(
        f"HostKey {place}/host\nAuthorizedKeysFile {place}/authorized\nStrictModes no\n"
        f"PidFile none\nUsePAM no\nSubsystem sftp internal-sftp\nPermitRootLogin yes\n"
        "PasswordAuthentication no\nLogLevel ERROR\n"
    )
    folder = place / "served"
    folder.mkdir()

    def serve(client: socket.socket) -> None:
        command = [sshd, "-i", "-e", "-f", str(place / "config")]
        process = subprocess.Popen(
            command,
            stdin=client,
            stdout=client,
            stderr=subprocess.DEVNULL,
            preexec_fn=limit_of(most),
        )
        process.wait()

    # One sshd for each connection, so that no port is shared; the proxy in front of it cuts.
    inner = Proxy(serve=serve)
    proxy = Proxy(inner.port)
    host = (place / "host.pub").read_text()
    (place / "known").write_text(f"[127.0.0.1]:{proxy.port} {host}")
    storage = {
        "client_keys": [str(place / "mine")],
        "known_hosts": str(place / "known"),
        "config": None,
    }
    url = f"sftp://{getpass.getuser()}@127.0.0.1:{proxy.port}{folder}/today"
    try:
        yield Site(url, proxy, of_folder(folder), storage)
    finally:
        proxy.close()
        inner.close()


def sshd_program() -> str:
    """The path of sshd, which only root has in PATH; skips or fails without it."""
    usual = "/usr/sbin/sshd"
    path = shutil.which("sshd") or (usual if os.access(usual, os.X_OK) else None)
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # where it drops its rights
    return path or program("sshd")


@contextmanager
def webdav(place: Path, most: int = 0) -> Iterator[Site]:
    for name in ("webdav4", "wsgidav", "cheroot"):
        module(name, GROUP)
    folder = place / "served"
    folder.mkdir()
    with python_server(WEBDAV_SERVER, folder, most) as port:
        proxy = Proxy(port)
        try:
            url = f"webdav://me:secret@127.0.0.1:{proxy.port}/dav/today"
            yield Site(url, proxy, of_folder(folder))
        finally:
            proxy.close()


def lighttpd_command(place: Path, listener: socket.socket) -> list[str]:
    """The command of a lighttpd for `place`; skips or fails without it or its module."""
    package = "lighttpd lighttpd-mod-webdav"
    command = [program("lighttpd", package), "-f", str(place / "config")]
    (place / "config").write_text(LIGHTTPD.format(place=place))
    (place / "users").write_text("me:secret\n")
    # `-tt` loads the modules, too.
    tried = subprocess.run([*command, "-tt"], stdin=listener, stderr=subprocess.PIPE, text=True)
    if tried.returncode:
        missing(f"lighttpd with mod_webdav (Debian: apt-get install -y {package}): {tried.stderr}")
    return command


@contextmanager
def lighttpd(place: Path, most: int = 0) -> Iterator[Site]:
    module("webdav4", GROUP)
    for name in ("served/dav", "uploads"):
        (place / name).mkdir(parents=True)
    command: list[str] = []
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        running.append(
            subprocess.Popen(
                command,
                stdin=listener,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=limit_of(most),
            )
        )

    def restart() -> None:
        stop()
        start()

    def stop() -> None:
        process = running.pop()
        process.kill()
        process.wait()

    # Clients wait in its backlog while no server runs.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command += [*lighttpd_command(place, listener), "-D"]
        start()
        proxy = Proxy(listener.getsockname()[1])
        try:
            url = f"webdav://me:secret@127.0.0.1:{proxy.port}/dav/today"
            yield Site(url, proxy, of_folder(place / "served"), restart=restart)
        finally:
            stop()
            proxy.close()


SITES = {"s3": s3, "sftp": sftp, "webdav": webdav, "lighttpd": lighttpd}
