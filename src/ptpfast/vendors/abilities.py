"""What sessions can do with a vendor's cameras, and how that is known.

Each vendor's folder has `ABILITIES`, a row for each ability, and `MAKER`, what the pages call its
cameras; docs/cameras.md and docs/connect.md are drawn from them.
"""

from __future__ import annotations

from typing import NamedTuple


class Ability(NamedTuple):
    """One ability.

    Attributes:
        bodies: The cameras.
        role: `download`, `remote` or `both`; see `connect`.
        ability: What a session can do.
        known: How it is known, one of `KNOWN`.
        note: The source, and limits.
    """

    bodies: str
    role: str
    ability: str
    known: str
    note: str


KNOWN = {
    "official": "the maker's documentation",
    "capture": "bytes or a log of a real camera",
    "code": "published code that is used with real cameras",
    "inferred": "concluded from other bodies, or from what bodies do over USB",
    "simulated": "only the simulated camera shows it",
}
