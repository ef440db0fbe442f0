"""What goes wrong, drawn from a seed: the same seed gives the same faults in the same order.

Each row is a fault and how many reads of object bytes come between the one before and it. When it
is armed it waits for the first operation it fits.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.codes import ResponseCode as Code
from ptpfast.sim import KINDS, Fault, Store
from ptpfast.sim.faults import AT_END
from ptpfast.sim.kinds import Stage

Row = tuple[int, str]  # reads to let pass, and the fault as text

# What a description says and nobody can know to be untrue. A camera that tells it in mid-run gets
# the file it described; so it is told when the card is looked at, remembered, and must be found out
# by the next run.
LIES = ("name", "parent", "self_parent", "object_size", "missing_names")
FIXED_PART = 52  # bytes of an ObjectInfo before its first string
DATASETS = (Op.GetObjectInfo, Op.GetObjectHandles, Op.GetStorageIDs, Op.GetStorageInfo)
ARRAYS = (Op.GetObjectHandles, Op.GetStorageIDs)
BEFORE = (*DATASETS, Op.GetDeviceInfo, Op.OpenSession)
# They cost a timeout each.
SILENT = ("init_silence", "event_silence", "no_answer", "black_hole", "no_end", "no_response")
REFUSALS = (
    Code.GeneralError,
    Code.InvalidObjectHandle,
    Code.AccessDenied,
    Code.StoreNotAvailable,
    Code.SessionNotOpen,
    Code.IncompleteTransfer,
    Code.OperationNotSupported,
    Code.ParameterNotSupported,
    Code.InvalidTransactionID,
    0xA001,
)
LENGTHS = (0, 4, 7, 8, 11, 12, 13, 30, 70_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF4, 0xFFFFFFFF)

VALUES: dict[str, Callable[[random.Random], int | float | str]] = {
    "init_fail": lambda chance: chance.choice((1, 2, 3, 99)),
    "init_number": lambda chance: chance.choice((0, 7, 0xFFFFFFFF)),
    "event_fail": lambda chance: chance.choice((1, 2, 3)),
    "event_late": lambda chance: chance.choice((0.05, 0.2)),
    "delay": lambda chance: chance.choice((0.02, 0.1, 0.3)),
    "respond": lambda chance: int(chance.choice(REFUSALS)),
    "stall": lambda chance: chance.choice((0, 0.05, 0.2, 0.3)),
    "cut_data": lambda chance: chance.randrange(1, 12),
    "long_array": lambda chance: chance.choice((1, 1000, 0xFFFFFFF0)),
    "extra_handle": lambda chance: chance.choice((0xDEADBEEF, 1, 0xFFFFFFFE)),
    "announce": lambda chance: chance.choice(
        ("unknown", "unknown32", "0", "+1", "-1", "+5000", str(1 << 40))
    ),
    "error_after": lambda chance: int(chance.choice((0x2007, 0x2002, 0x2013, 0x2019))),
    "overrun": lambda chance: chance.choice((1, 1000, 300_000)),
    "length": lambda chance: chance.choice(LENGTHS),
    "unknown_packet": lambda chance: chance.choice((0, 15, 99, 0xFFFFFFFF)),
    "event_burst": lambda chance: chance.choice((1, 100, 1500)),
    "extra_parameters": lambda chance: chance.choice((1, 3, 5)),
}


def faults(seed: str, count: int, most_reads: int, read: int) -> list[Row]:
    """`count` faults of all kinds but the lies, in any order; `read` is the operation that the
    camera's objects are read with, and up to `most_reads` of them pass between two faults."""
    chance = random.Random(f"{seed} faults")
    kinds = [kind for kind in KINDS if kind not in LIES]
    drawn: list[str] = []
    while len(drawn) < count:
        chance.shuffle(kinds)
        # Half as many of those that cost a timeout.
        drawn += [kind for kind in kinds if kind not in SILENT or chance.random() < 0.5]
    drawn = drawn[:count]
    return [(chance.randint(0, most_reads), str(_fault(kind, chance, read))) for kind in drawn]


def _fault(kind: str, chance: random.Random, read: int) -> Fault:
    value = VALUES[kind](chance) if kind in VALUES else None
    stage = KINDS[kind].stage
    if stage is Stage.INIT:
        return Fault(kind, value)
    if stage is Stage.DATASET:
        fitting = ARRAYS if kind == "long_array" else DATASETS
        operation = KINDS[kind].operation or chance.choice(fitting)
        return Fault(kind, value, operation=operation)
    operation, after = read, None
    if stage in (Stage.DATA, Stage.BREAK):
        after = _place(chance)
        if kind == "vanish" or chance.random() < 0.85:
            return Fault(kind, value, operation=operation, after=after)
        return Fault(kind, value, operation=chance.choice(DATASETS), after=chance.randrange(9))
    if chance.random() < 0.4:
        operation = chance.choice(BEFORE if stage is Stage.ANSWER else DATASETS)
    times = chance.choice((1, 1, 2, 5)) if kind == "busy" else 1
    return Fault(kind, value, operation=operation, times=times)


def _place(chance: random.Random) -> int:
    """Any byte of the first 64 KiB, or further inside; the ends are special and come more often."""
    which = chance.random()
    if which < 0.1:
        return 0
    if which < 0.2:
        return AT_END
    if which < 0.7:
        return chance.randrange(1 << 16)
    return chance.randrange(1 << 20)


def lies(seed: str, store: Store, count: int) -> list[str]:
    """Untrue descriptions of `count` files."""
    chance = random.Random(f"{seed} lies")
    files = store.files()
    told = []
    for stored in chance.sample(files, min(count, len(files))):
        kind = chance.choice(LIES)
        value: int | str | None = None
        if kind == "name":
            value = chance.choice(("../../evil", "evil.DNG", "", "CON", chance.choice(files).name))
        elif kind == "parent":
            value = chance.choice((0, 0xDEAD, chance.choice(files).parent))
        elif kind == "object_size":
            value = chance.choice((0, 1, stored.size - 1, stored.size + 1, 0xFFFFFFFF))
        elif kind == "missing_names":
            kind, value = "cut_data", chance.randrange(FIXED_PART, FIXED_PART + 9)
        told.append(str(Fault(kind, value, operation=Op.GetObjectInfo, handle=stored.handle)))
    return told
