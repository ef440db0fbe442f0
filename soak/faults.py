"""A table of faults that counts one when it has been done to somebody, and not when it was due.

A fault whose place in the payload was never reached, because the connection had ended before, is
armed again.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable

from ptpfast.sim import FOR_EVER, Fault, FaultTable
from ptpfast.sim.kinds import Stage

from .plan import Row


class CountingTable(FaultTable):
    """Faults are armed from `rows`, in order, as the reads between them go by."""

    def __init__(self, rows: Iterable[Row], armed: Iterable[str] = ()) -> None:
        super().__init__(armed)
        self.applied: Counter[str] = Counter()  # by kind
        self._plan = deque(rows)
        self._here = threading.local()  # what is due in this thread's transaction
        self._passed = 0
        self._told: set[Fault] = set()

    def read_begins(self) -> None:
        """One more read of object bytes: perhaps the next fault is armed."""
        self._passed += 1
        if self._plan and self._passed > self._plan[0][0]:
            self.add(self._plan.popleft()[1])
            self._passed = 0

    def left(self) -> tuple[list[Row], list[str]]:
        """What is still to be armed, and what is armed and was not done; what is told to this
        visit only ends with it, also when another camera takes this one's place."""
        with self._lock:
            armed = [str(fault) for fault, _ in self._rows if fault not in self._told]
            return list(self._plan), armed

    def tell(self, lies: Iterable[str]) -> None:
        """Faults for this visit only: those of the visit before are withdrawn."""
        with self._lock:
            self._rows = [row for row in self._rows if row[0] not in self._told]
        self._told = {Fault.parse(text) for text in lies}
        for fault in self._told:
            self.add(fault)

    def due_at_init(self, *, on_event: bool) -> list[Fault]:
        """All of them are done to whoever connects."""
        return self._count(super().due_at_init(on_event=on_event))

    def due_before(self, operation: int, handle: int) -> list[Fault]:
        """All of them are done to whoever has asked."""
        return self._count(super().due_before(operation, handle))

    def due_during(
        self,
        operation: int,
        handle: int,
        size: int | None,
        sent_before: int,
        *,
        about_object: bool = True,
        dataset: bool = True,
    ) -> list[tuple[int, Fault]]:
        """They are counted when the transaction is over, by how far it came."""
        due = super().due_during(
            operation, handle, size, sent_before, about_object=about_object, dataset=dataset
        )
        self._here.due = [(min(place, size or 0), fault) for place, fault in due]
        self._here.size = size or 0
        return due

    def transaction_ends(self, sent: int) -> None:
        """Of `sent` payload bytes."""
        due, self._here.due = getattr(self._here, "due", []), []
        for place, fault in due:
            if fault.stage is Stage.RESPONSE:
                place = self._here.size
            # Those of a dataset change it before the first byte leaves.
            if fault.stage is Stage.DATASET or sent >= place:
                self._count([fault])
            elif fault not in self._told:
                self.add(fault)

    def _count(self, faults: list[Fault]) -> list[Fault]:
        with self._lock:
            self.applied.update(fault.kind for fault in faults)
        return faults

    def _take(self, fits):  # type: ignore[no-untyped-def]
        due = super()._take(fits)
        with self._lock:
            # Thousands come and go; those that are done are not looked at again.
            self._rows = [
                row
                for row in self._rows
                if row[0].times == FOR_EVER or row[1][0] < row[0].at + row[0].times - 1
            ]
            self.fired.clear()
        return due
