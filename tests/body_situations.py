"""What each simulated body is asked in each situation, and what becomes of it when a fault strikes.

A situation ends in one of the words of outcomes.toml. Wrong bytes are no outcome: they fail.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ptpfast
from adversity import SHAPES, assert_right, expected_files, outcome
from conftest import PATIENT, spoken_by, without_pauses
from outcomes import cells_of
from ptpfast import Event, PTPError, Session, Timeouts, vendors
from ptpfast.ptp.codes import EventCode
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.session import persistence
from ptpfast.sim import KINDS, LINKS, Fault, Link, SimulatedCamera
from ptpfast.sim.kinds import Kind, Stage
from ptpfast.transport import handshake
from ptpfast.vendors.fujifilm import functions
from ptpfast.vendors.nikon.body_network import PcConnection, with_pc_connection
from ptpfast.vendors.sony import sending

FILES, SIZE = 3, 80_000
OFFSET, PART = 20_000, 30_000  # of a part
# Where a fault strikes in what comes of each; as far into a dataset as the shortest one goes.
INSIDE = {"copy": 30_000, "part": 10_000, "thumbnail": 600}
IN_A_DATASET = 4

# Nothing but time tells of these. Too little patience costs one more try at most.
SILENT = {"no_answer", "stall", "black_hole", "no_response", "response_tid_zero", "drip"}
SILENT |= {"init_silence", "event_silence"}
SHORT = Timeouts(connect=1, operation=0.4, idle=0.4, close=0.2, approval=1)

# Bodies with rules about time, and these rules.
ASKING = {"nikon-z6-3", "nikon-z8", "nikon-z9"}
QUICK = PcConnection(hold_s=0, pause_s=0, locked_s=0)

Operations = Mapping[str, tuple[int, ...]]
_STANDARD: Operations = {
    "opening": (Op.GetDeviceInfo, Op.OpenSession),
    "listing": (Op.GetObjectHandles, Op.GetObjectInfo, Op.GetStorageIDs),
    "copy": (Op.GetPartialObject,),
    "part": (Op.GetPartialObject,),
    "thumbnail": (Op.GetThumb,),
    "event": (),  # they come on the Event connection
    "deletion": (Op.DeleteObject,),
}
_CANON = {**_STANDARD, "opening": (0x9116, Op.GetDeviceInfo, 0x9115), "event": (0x9116,)}
_NIKON = {**_STANDARD, "event": (0x90C7,)}
_NIKON_Z = {**_STANDARD, "event": (0x941C,)}
_FUJIFILM = {
    **_STANDARD,
    "opening": (Op.GetDevicePropValue, Op.OpenSession, Op.SetDevicePropValue),
    "listing": (Op.GetObjectInfo, Op.GetDevicePropValue),
    "copy": (Op.GetPartialObject, Op.GetDevicePropValue),
    "part": (Op.GetPartialObject, Op.GetDevicePropValue),
    "event": (Op.GetDevicePropValue,),
    "deletion": (),
}
_SONY_LISTS = {
    "opening": (0x9209, 0x9201, Op.GetDeviceInfo, 0x923B, 0x9210),
    "listing": (0x923C, 0x9209),
    "copy": (0x923D,),
    "part": (0x923D,),
    "thumbnail": (0x923E,),
    "event": (),
    "deletion": (),
}
_SONY_TRANSFER = {
    **_STANDARD,
    "opening": (0x9201, 0x9202, 0x9212, 0x9209),
    "copy": (0x9211,),
    "part": (0x9211,),
    "deletion": (),
}
_SONY_SENDING = {**_STANDARD, "opening": (0x9280, Op.GetDeviceInfo, 0x9281), "deletion": ()}
ASKED: dict[str, Operations] = {
    **dict.fromkeys(("canon-80d", "canon-m50", "canon-r6m2"), _CANON),
    **dict.fromkeys(("nikon-d5300", "nikon-d7200", "nikon-d850"), _NIKON),
    **dict.fromkeys(("nikon-z6", "nikon-z6-3", "nikon-z8", "nikon-z9"), _NIKON_Z),
    **dict.fromkeys(("fuji-xt2", "fuji-xt4"), _FUJIFILM),
    "panasonic-bgh1": _STANDARD,
    "ricoh-theta-m15": {**_STANDARD, "copy": (Op.GetObject,), "part": ()},
    "sony-a7m4": _SONY_LISTS,
    "sony-a7r3": _SONY_SENDING,
    "sony-a7sm3": _SONY_TRANSFER,
}
# Operations without a data phase from the camera.
WITHOUT_DATA = {
    *(Op.OpenSession, Op.SetDevicePropValue, Op.DeleteObject),
    *(0x9115, 0x9210, 0x9212, 0x9280),
}
IN_PASSING = {Op.GetDevicePropValue}  # beside an object's bytes
DATASETS = ("opening", "listing", "event")  # what comes then is one


def _quickened(link: Link) -> Link:
    """A link that costs milliseconds: there are hundreds of cases."""
    times = {"rtt": min(link.rtt, 0.004), "jitter": min(link.jitter, 0.002)}
    rate = link.rate and max(link.rate, 4e6)
    return dataclasses.replace(link, operation=min(link.operation, 0.003), rate=rate, **times)


WAYS: dict[str, dict[str, Any]] = {
    **{name: options for name, options in SHAPES.items() if "vendor" not in options},
    **{name: {"link": _quickened(link)} for name, link in LINKS.items()},
}


def operation_name(code: int | None) -> str:
    """The standard's, or a vendor's code."""
    if code in list(Op):
        return Op(code).name
    return f"0x{code:04X}" if code else ""


class Situation(NamedTuple):
    """A body with a fault in one of its operations, and how its bytes come."""

    body: str
    name: str
    fault: Fault
    way: str

    def __str__(self) -> str:
        return f"{self.body}, {self.name}, {self.fault}, {self.way}"

    @property
    def timeouts(self) -> Timeouts:
        """Short ones where nothing but silence tells of the fault."""
        return SHORT if self.fault.kind in SILENT else PATIENT

    def camera(self, faults: list[Fault]) -> SimulatedCamera:
        """The body, with these faults from the beginning."""
        options: dict[str, Any] = {"objects": FILES, "size": SIZE, **WAYS[self.way]}
        vendor = vendors.with_body(self.body)
        if self.body in ASKING:
            vendor = dataclasses.replace(vendor, body=with_pc_connection(vendor.model, QUICK))
        return SimulatedCamera(vendor, faults=faults, **options)

    def said(self) -> str:
        """What outcomes.toml says becomes of it."""
        holds = {
            self.way,
            operation_name(self.fault.operation),
            self.body,
            vendors.BODIES[self.body],
        }
        cells = [c for c in cells_of(self.fault.kind) if c.situation == f"body_{self.name}"]
        outcomes = [cell.outcome for cell in cells if cell.conditions <= holds]
        return outcomes[-1] if outcomes else f"no cell body_{self.name} in [{self.fault.kind}]"


def _fits(kind: Kind, name: str, operation: int) -> bool:
    """Whether a fault can strike in an operation of a situation."""
    if kind.operation not in (None, operation):
        return False
    if kind.stage in (Stage.DATASET, Stage.DATA) and operation in WITHOUT_DATA:
        return False
    if kind.stage is Stage.DATASET and name not in DATASETS:
        return False
    return not kind.about_object or (name in INSIDE and operation not in IN_PASSING)


def situations_of(kind: Kind, body: str) -> list[tuple[str, int | None]]:
    """Every situation in which a fault can strike a body, with the operations in turn."""
    if kind.stage is Stage.INIT:
        return [("opening", None)]
    return [
        (name, operation)
        for name, operations in ASKED[body].items()
        for operation in operations
        if _fits(kind, name, operation)
    ]


def situations() -> Iterator[Situation]:
    """Every fault on every body, each in one situation and over one way, taken in turn."""
    ways = [*WAYS]
    for i, (name, kind) in enumerate(KINDS.items()):
        for j, body in enumerate(ASKED):
            # By situation first: a body may have several operations in one and one in another.
            fitting: dict[str, list[int | None]] = {}
            for situation, operation in situations_of(kind, body):
                fitting.setdefault(situation, []).append(operation)
            if not fitting:
                continue
            situation = [*fitting][(i + j) % len(fitting)]
            operations = fitting[situation]
            operation = operations[(i + j) // len(fitting) % len(operations)]
            after = _place(kind, situation, operation)
            at = _AT[body.partition("-")[0] == "fuji"] if _strikes_file(situation, operation) else 1
            way = [w for w in ways if w in SHAPES] if name in SILENT else ways
            value = _SECOND if kind.operation == Op.DeleteObject else None
            fault = Fault(name, value, operation=operation, after=after, at=at)
            yield Situation(body, situation, fault, way[(2 * i + j) % len(way)])


_AT = (4, 2)  # of the descriptions, the first one of a file; Fujifilm's bodies show no folders


def _strikes_file(situation: str, operation: int | None) -> bool:
    return situation == "listing" and operation == Op.GetObjectInfo


_SECOND = 0x40004  # the handle of the second file, of bodies that can delete


def _place(kind: Kind, situation: str, operation: int | None) -> int | None:
    """Where in the payload it strikes; None for before the operation."""
    inside = INSIDE.get(situation) if operation not in IN_PASSING else None
    if kind.stage is Stage.DATA or (kind.stage is Stage.BREAK and inside):
        return inside or IN_A_DATASET
    return None


def shorten_pauses(body: str, setattr: Callable[[object, str, object], None]) -> None:
    """Have a session make no pause that only real cameras need."""
    if body == "panasonic-bgh1":  # it is not probed: nothing is waited for
        setattr(handshake, "PROBE_ANSWER_S", 0.0)
    setattr(persistence, "FIRST_PAUSE_S", 0.01)
    setattr(handshake, "AFTER_DROP_S", 0.05)
    setattr(functions, "UNTOLD_S", 0.05)
    setattr(sending, "QUIRKS", dataclasses.replace(sending.QUIRKS, close_after_open_s=0))


def _again(sim: SimulatedCamera) -> str:
    return ", connected again" if sim.connections > 1 else ""


def opened(session: Session, sim: SimulatedCamera, _: Path) -> str:
    """The card can be read."""
    return f"opened{_again(sim)}" if len(session.objects()) == FILES else "opened, reads too little"


def listed(session: Session, sim: SimulatedCamera, _: Path) -> str:
    """What the listing has, and what it lacks."""
    there = {sim.store.path(item.handle): item.size for item in sim.store.files()}
    table = session.objects()
    found = {info.path: info.size for info in table}
    if found == there:
        return f"whole{_again(sim)}"
    words = [f"{len(table.failures)} set aside"] if table.failures else []
    lacks = len(there.keys() - found.keys()) - len(table.failures)
    words += [f"{lacks} not listed"] if lacks > 0 and found.keys() <= there.keys() else []
    if not found.keys() <= there.keys() or any(there[path] != found[path] for path in found):
        words.append("as the camera says")
    return ", ".join(words) + _again(sim)


def copied(session: Session, sim: SimulatedCamera, folder: Path) -> str:
    """What a run comes to; its files are right."""
    expected = expected_files(sim)
    report = ptpfast.pull(session, folder)
    assert_right(folder, expected)
    return f"{report.failed} set aside" if report.failed > 1 else outcome(sim, report)


def part_read(session: Session, sim: SimulatedCamera, _: Path) -> str:
    """A part of an object in memory."""
    info = session.objects()[0]
    (stored,) = [item for item in sim.store.files() if sim.store.path(item.handle) == info.path]
    content = sim.store.expected(stored.handle)
    right = b"".join(content.spans(OFFSET, PART))
    buffer = bytearray(PART)
    size = session.read_into(info, buffer, offset=OFFSET, size=PART)
    assert size == PART
    assert buffer == right
    return f"whole{_again(sim)}"


def shown(session: Session, sim: SimulatedCamera, _: Path) -> str:
    """The thumbnail of an object."""
    info = session.objects()[0]
    (stored,) = [item for item in sim.store.files() if sim.store.path(item.handle) == info.path]
    came = session.thumbnail(info)
    assert stored.thumbnail is not None
    if came == stored.thumbnail:
        return f"whole{_again(sim)}"
    size = min(len(came), len(stored.thumbnail))
    assert came[:size] == stored.thumbnail[:size]
    return "too little" if len(came) == size else "too much"


def told(session: Session, sim: SimulatedCamera, _: Path) -> str:
    """Of two pictures: the fault strikes when the camera is asked for events of the first."""
    first = {sim.store.get(handle).name for handle in sim.capture()}
    early: list[Event] = []
    while not sim.faults.fired:
        early += session.events(0.02)
    later = {sim.store.get(handle).name for handle in sim.capture()}
    found: set[str] = set()
    for event in itertools.chain(early, session.events(PATIENT.operation)):
        if event.code == EventCode.ObjectAdded:
            found.add(session.object_info(event.parameters[0]).name)
        if later <= found:
            return f"{'both' if first <= found else 'the later one'} told{_again(sim)}"
    return "not told"


def deleted(session: Session, sim: SimulatedCamera, _: Path) -> str:
    """Of the first picture: how many are left on the card."""
    info = session.objects()[0]
    left = {item.name for item in sim.store.files()}
    session.delete(info)
    left -= {item.name for item in sim.store.files()}
    if left == {info.name}:
        return f"deleted{_again(sim)}"
    words = "nothing" if not left else "both" if info.name in left else "the other one"
    return f"{words} deleted"


WORK: dict[str, Callable[[Session, SimulatedCamera, Path], str]] = {
    "opening": opened,
    "listing": listed,
    "copy": copied,
    "part": part_read,
    "thumbnail": shown,
    "event": told,
    "deletion": deleted,
}


def came_of(situation: Situation, sim: SimulatedCamera, folder: Path) -> str:
    """Strike and see."""
    vendor = without_pauses(spoken_by(sim))
    opening = situation.name == "opening"
    if opening:
        sim.faults.add(situation.fault)
    timeouts = situation.timeouts if opening else PATIENT
    try:
        with ptpfast.connect(
            sim.host, port=sim.port, vendor=vendor, timeouts=timeouts, depth=1
        ) as session:
            if not opening:
                if situation.name != "listing":
                    session.objects()
                session.link.connection.timeouts = situation.timeouts
                sim.faults.add(situation.fault)
            return WORK[situation.name](session, sim, folder)
    except PTPError as error:
        return f"ends with {type(error).__name__}" if str(error) else "ends without a word"
