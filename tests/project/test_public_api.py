"""The public face: what is there, that it is documented, and that importing it is quiet."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ptpfast

ROOT = Path(__file__).parents[2]

NAMES = {
    *("__version__", "connect", "pull", "Session", "Report", "Response", "Transfer", "Timeouts"),
    *("ObjectInfo", "ObjectTable", "DeviceInfo", "StorageInfo", "DevicePropDesc", "Event"),
    *("FileSink", "MemorySink", "CallbackSink", "Timeline", "Trace"),
    *("OperationCode", "ResponseCode", "EventCode", "ObjectFormat"),
    *("PTPError", "NetworkError", "ConnectFailed", "ConnectionLost", "Timeout", "InitFailed"),
    *("ResponseError", "DeviceBusy", "AccessDenied", "InvalidObjectHandle", "ProtocolError"),
    *("SinkError", "TransferError", "Unreadable", "Unsupported", "Cancelled", "PullOptions"),
    *("CameraReport", "FileResult", "Listing", "Observer", "Selection", "Vendor"),
    *("Found", "discover"),
    *("PullIterator", "pull_iter"),
    *("Watch", "ShotPreview", "WatchOptions", "WatchStatus", "watch"),
}
SESSION = {
    *("device_info", "storage_ids", "storage_info", "objects", "object_info", "thumbnail", "read"),
    *("read_into", "stream", "open", "download", "delete", "capture", "property", "set_property"),
    *("events", "transaction", "close", "cancel", "usable", "supports"),
}


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_all_lists_exactly_the_public_names() -> None:
    assert set(ptpfast.__all__) == NAMES
    assert len(ptpfast.__all__) == len(NAMES)
    for name in NAMES:
        assert getattr(ptpfast, name) is not None


def test_a_session_has_the_promised_names() -> None:
    members = {name for name in dir(ptpfast.Session) if not name.startswith("_")}
    assert members | {"device_info"} >= SESSION


@pytest.mark.parametrize("name", sorted(NAMES - {"__version__"}))
def test_every_public_name_has_a_docstring(name: str) -> None:
    assert inspect.getdoc(getattr(ptpfast, name))


@pytest.mark.parametrize("name", sorted(SESSION - {"device_info"}))
def test_every_method_of_a_session_has_a_docstring(name: str) -> None:
    assert inspect.getdoc(getattr(ptpfast.Session, name))


def test_the_compiled_modules_show_few_names() -> None:
    from ptpfast.engine import channel, sink, wire

    shown = [
        name
        for module in (wire, sink, channel)
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    assert len(shown) <= 30, sorted(shown)


def test_importing_prints_nothing_and_loads_neither_numpy_nor_the_edges() -> None:
    loaded = run("import sys, ptpfast; print(*sys.modules)").split()
    assert "ptpfast.engine.channel" in loaded
    for name in ("numpy", "click", "rich", "ptpfast.sim", "ptpfast.cli", "ptpfast.ptpip"):
        assert name not in loaded
    for name in ("sqlite3", "ptpfast.listing", "ptpfast.state.index"):  # where they are used
        assert name not in loaded


def test_importing_starts_no_thread_and_opens_no_socket() -> None:
    code = "import threading, ptpfast; print(threading.active_count())"
    assert run(code).strip() == "1"


def test_the_simulated_camera_is_reached_from_the_package() -> None:
    assert run("import ptpfast; print(ptpfast.sim.SimulatedCamera.__name__)").strip() == (
        "SimulatedCamera"
    )
    with pytest.raises(AttributeError, match="no attribute 'simm'"):
        ptpfast.simm  # noqa: B018


def test_the_version_is_one_literal() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert "version" in project["dynamic"]
    assert f'"{ptpfast.__version__}"' in (ROOT / "src/ptpfast/_version.py").read_text()


def test_uncompiled_sources_say_what_to_do(tmp_path: Path) -> None:
    package = tmp_path / "ptpfast"
    package.mkdir()
    for path in (ROOT / "src/ptpfast").glob("*.py"):
        (package / path.name).write_bytes(path.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", "import ptpfast"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "make build" in done.stderr
    assert "pip install" in done.stderr


def documented() -> dict[str, object]:
    """The public functions, and the methods of a session."""
    functions = {"connect": ptpfast.connect, "pull": ptpfast.pull}
    methods = {
        f"Session.{name}": member
        for name, member in vars(ptpfast.Session).items()
        if not name.startswith("_") and inspect.isfunction(member)
    }
    return {**functions, **methods}


def section(text: str, title: str) -> str:
    """The indented lines below `Args:` or another title."""
    found = re.search(rf"^{title}:\n((?:    .*\n|\n)*)", text + "\n", re.MULTILINE)
    return found[1] if found else ""


@pytest.mark.parametrize("name", sorted(documented()))
def test_each_argument_of_a_public_function_is_described(name: str) -> None:
    function = documented()[name]
    arguments = [
        one.name
        for one in inspect.signature(function).parameters.values()
        if one.name != "self" and one.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    described = section(inspect.getdoc(function) or "", "Args")
    for argument in arguments:
        line = rf"^    (?:\w+, )*{argument}(?:, \w+)*:"
        assert re.search(line, described, re.MULTILINE), argument


def test_help_of_a_session_shows_public_names_and_what_they_are() -> None:
    shown = pydoc.plain(pydoc.render_doc(ptpfast.Session))
    for name in SESSION:
        assert re.search(rf"\b{name}\b", shown), name
    assert "The camera's report about itself" in shown
    assert not re.search(r"^ \|  _[a-z]", shown, re.MULTILINE)
