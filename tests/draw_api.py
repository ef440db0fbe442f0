"""Draws docs/api.md from the docstrings of the public names.

python tests/draw_api.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ptpfast
import ptpfast.aio
from ptpfast import metrics, testing
from ptpfast.filesystem import PtpIpFileSystem
from ptpfast.library.iterating import Results
from ptpfast.sim import SimulatedCamera

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
CHAPTERS: dict[str, list[str]] = {
    "Connect and download": [
        *("connect", "Session", "pull", "PullOptions", "Report"),
        *("pull_iter", "PullIterator", "Transfer", "Timeouts"),
        *("Observer", "Selection", "FileResult", "CameraReport", "Vendor"),
    ],
    "New shots as they happen": ["watch", "WatchOptions", "Watch", "WatchStatus", "ShotPreview"],
    "Find cameras": ["discover", "Found"],
    "Objects and what a camera says": [
        *("ObjectInfo", "ObjectTable", "Listing", "DeviceInfo", "StorageInfo", "DevicePropDesc"),
        *("Event", "Response"),
    ],
    "Destinations and measurements": [
        "FileSink",
        "MemorySink",
        "CallbackSink",
        "Timeline",
        "Trace",
    ],
    "Errors": [
        *("PTPError", "NetworkError", "ConnectFailed", "ConnectionLost", "Timeout", "InitFailed"),
        *("ResponseError", "DeviceBusy", "AccessDenied", "InvalidObjectHandle", "ProtocolError"),
        *("SinkError", "TransferError", "Unreadable", "Unsupported", "Cancelled"),
    ],
    "Codes": ["OperationCode", "ResponseCode", "EventCode", "ObjectFormat"],
}
AIO = ["connect", "Session", "pull", "pull_iter", "PullIterator"]
AIO += ["watch", "Items", "Events", "Listing", "ObjectFile"]
WITH_MEMBERS = {
    "Session",
    "Report",
    "PullIterator",
    "Watch",
    "Observer",
    "ObjectTable",
    "FileSink",
    "MemorySink",
    "CallbackSink",
}

# A longer signature has a line for each parameter.
WIDTH = 88
LISTS = {"Args", "Attributes", "Raises"}
SECTION = r"(Args|Attributes|Example|Notes|Raises|Returns|Yields):"

OF_METRICS = ("Metrics", "tracing")
OF_TESTING = ("camera", "flaky_camera", "make_camera", "assert_complete")


def text_of(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def signature_of(name: str, thing: Any) -> str:
    try:
        signature = str(inspect.signature(thing))
    except (TypeError, ValueError):
        return name
    if " at 0x" in signature:  # a default without a text of its own
        return name
    return name + signature.replace("'", "").replace("(self, ", "(").replace("(self)", "()")


def members_of(kind: type) -> Iterator[tuple[str, str]]:
    """Title and docstring of each public method and property, in the order of the source.

    Those of `Results` are among them: it is not public, so it has no entry of its own.
    """
    members = dict(vars(kind))
    if issubclass(kind, Results):
        members = {**members, **{n: m for n, m in vars(Results).items() if n not in members}}
    for name, member in members.items():
        if name.startswith("_") or not text_of(member):
            continue
        if isinstance(member, property):
            yield f"{kind.__name__}.{name}", text_of(member)
        elif callable(member):
            awaited = "async " if inspect.iscoroutinefunction(member) else ""
            yield f"{awaited}{kind.__name__}.{signature_of(name, member)}", text_of(member)


def bare(title: str) -> str:
    """A title without signature."""
    return title.removeprefix("async ").partition("(")[0]


def drawn() -> str:
    """The page."""
    lines = ["# API reference", "", "Made from the docstrings by `python tests/draw_api.py`."]
    for chapter, names in CHAPTERS.items():
        lines += ["", f"## {chapter}"]
        for name in names:
            thing = getattr(ptpfast, name)
            lines += entry("###", f"ptpfast.{name}", signature_of(name, thing), text_of(thing))
            if name in WITH_MEMBERS:
                for title, text in members_of(thing):
                    lines += entry("####", bare(title), title, text)
    lines += ["", "## asyncio and trio"]
    for name in AIO:
        thing = getattr(ptpfast.aio, name)
        lines += entry("###", f"ptpfast.aio.{name}", signature_of(name, thing), text_of(thing))
        for title, text in members_of(thing) if isinstance(thing, type) else ():
            lines += entry("####", f"aio.{bare(title)}", title, text)
    lines += ["", "## Filesystem"]
    title = "ptpfast.filesystem.PtpIpFileSystem"
    signature = signature_of("PtpIpFileSystem", PtpIpFileSystem)
    lines += entry("###", title, signature, text_of(PtpIpFileSystem))
    for member, text in members_of(PtpIpFileSystem):
        lines += entry("####", bare(member), member, text)
    lines += ["", "## Metrics and spans"]
    for name in OF_METRICS:
        thing = getattr(metrics, name)
        lines += entry("###", f"ptpfast.metrics.{name}", signature_of(name, thing), text_of(thing))
        for member, text in members_of(thing) if isinstance(thing, type) else ():
            lines += entry("####", bare(member), member, text)
    lines += ["", "## Simulated camera"]
    title = "ptpfast.sim.SimulatedCamera"
    lines += entry(
        "###", title, "SimulatedCamera(vendor, store, **settings)", text_of(SimulatedCamera)
    )
    lines += ["", "## Tests of your own program", "", inspect.cleandoc(testing.__doc__ or "")]
    for name in OF_TESTING:
        lines += entry("###", f"ptpfast.testing.{name}", *called(name))
    return "\n".join(lines) + "\n"


def called(name: str) -> tuple[str, str]:
    """The signature and the text of a fixture or a function of the plugin."""
    thing = getattr(testing, name)
    plain = getattr(thing, "_get_wrapped_function", lambda: thing)()
    title = f"ptpfast.testing.{name}"  # of a fixture, which is not called
    return signature_of(name, plain) if plain is thing else title, text_of(plain)


def entry(level: str, title: str, signature: str, text: str) -> list[str]:
    heading = ["", f"{level} {title}", ""]
    if signature != title:
        heading += ["```text", wrapped(signature), "```", ""]
    return [*heading, *page_of(text)]


def wrapped(signature: str) -> str:
    """A signature, with a line for each parameter if it is long."""
    if len(signature) <= WIDTH:
        return signature
    name, _, rest = signature.partition("(")
    inside, depth, at = [""], 1, 0
    while depth:
        letter = rest[at]
        depth += (letter in "([{") - (letter in ")]}")
        at += 1
        if letter == "," and depth == 1:
            inside.append("")
        elif depth:
            inside[-1] += letter
    parameters = "".join(f"    {each.strip()},\n" for each in inside)
    return f"{name}(\n{parameters}){rest[at:]}"


def page_of(text: str) -> list[str]:
    """A docstring as lines of Markdown: sections by name, a list entry for each thing described."""
    lines: list[str] = []
    section = ""
    for line in text.splitlines():
        if re.fullmatch(SECTION, line):
            if section == "Example":
                lines.append("```")
            section = line.removesuffix(":")
            lines += [f"**{section}**", "", *(["```text"] if section == "Example" else [])]
        elif section == "Example":
            lines.append(line.removeprefix("    "))
        elif not section or not line:
            lines.append(line)
        elif line.startswith("        "):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(described(line.strip()) if section in LISTS else line.strip())
    return [*lines, "```"] if section == "Example" else lines


def described(line: str) -> str:
    """`name: text` of a section as an entry of a list, with the name as code."""
    name, colon, text = line.partition(": ")
    return f"- `{name}`: {text}" if colon else f"- {line}"


if __name__ == "__main__":
    PAGE.write_text(drawn(), encoding="utf-8")
