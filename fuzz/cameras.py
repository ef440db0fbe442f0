"""The simulated cameras of the fuzzed sessions: the same for whoever plays and whoever checks.

Everything about a session's camera and its user follows from the session's number (`Plan.of`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

from ptpfast import vendors
from ptpfast.sim import Store
from ptpfast.sim.store import FIRST_DATE
from ptpfast.vendors import ROLES, Role, Vendor
from ptpfast.vendors.panasonic import panasonic

SIZES = (1, 11, 5_000, 12_288, 70_000, 200_000)  # of the files, in bytes
CARD_SEED = 7
SHOT = 30_000  # bytes of a file of a picture that is taken
# Session N has the body N modulo their number: each gets a fair share.
BODIES = ("standard", *vendors.BODIES)
RATES = (0.002, 0.01, 0.01, 0.03, 0.1, 0.4)  # changes per packet
SPARED = (0, 0, 0, 10, 20, 40)
OWN = 0.7  # of the sessions speak as the body's own vendor; the others as any
HONEST = 0.2  # of these others have a camera that changes nothing
REMOTE = 0.35  # of the sessions are under remote control
ASKS = 0.2  # have a camera that asks its owner, who approves at once
HURRIED = 0.1  # have a user who waits, while events are polled and keep-alive requests are sent
# What an owner has chosen in the menu → the bodies that have it.
MENUS = {
    "transfer": ("nikon-z6-3", "nikon-z8", "nikon-z9"),
    "selection": ("fuji-xt4", "fuji-xt2"),
    "auto save": ("fuji-xt4", "fuji-xt2"),
}
IN_MENU = 0.3  # of the sessions with these bodies


def vendor_of(body: str) -> str:
    """Return the name of a body's vendor."""
    return vendors.BODIES.get(body, "standard")


@dataclass(frozen=True)
class Plan:
    """A session's camera, and how its user speaks to it.

    Attributes:
        body: One of `BODIES`.
        dialect: The vendor as which the user speaks.
        rate: Changes per packet; 0: an honest camera.
        spared: Operations before the first change: some bodies need dozens until a session is open.
        menu: One of `MENUS`, or empty.
        hurried: Whether events are polled and keep-alive requests sent at every opportunity.
        options: Keyword arguments of the simulated camera.
    """

    body: str
    dialect: str
    role: Role = "download"
    rate: float = 0.0
    spared: int = 0
    menu: str = ""
    hurried: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int) -> Self:
        """Return the plan of a session."""
        chance, body = random.Random(f"plan {seed}"), BODIES[seed % len(BODIES)]
        dialect, rate = vendor_of(body), chance.choice(RATES)
        if chance.random() >= OWN:
            dialect = chance.choice(vendors.NAMES)
            rate = 0.0 if chance.random() < HONEST else rate
        menus = [menu for menu, bodies in MENUS.items() if body in bodies]
        menu = chance.choice(menus) if menus and chance.random() < IN_MENU else ""
        options: dict[str, Any] = {
            "data_packet_size": chance.choice((1000, 4096, 8192, 16_384, 65_536, 65_536)),
            "announce_total": chance.random() < 0.85,
        }
        if chance.random() < 0.5:
            options["end_data"] = chance.choice(("empty", "last", "whole"))
        if chance.random() < ASKS:
            options |= {"approval": "unknown", "approve_after_s": 0.01}
        role = ROLES[chance.random() < REMOTE]
        spared, hurried = chance.choice(SPARED), chance.random() < HURRIED
        return cls(body, dialect, role, rate, spared, menu, hurried, options)

    @property
    def calm(self) -> Self:
        """The same camera, honest, and a user who speaks as its vendor, to read the card."""
        options = {**self.options, "approval": "approved"}
        return replace(
            self,
            dialect=vendor_of(self.body),
            role="download",
            rate=0.0,
            hurried=False,
            options=options,
        )

    @property
    def announces_total(self) -> bool:
        """Whether a data phase says at its start how many bytes it has; containers always do."""
        return bool(self.options.get("announce_total", True)) or vendor_of(self.body) == "fujifilm"

    def vendor(self, gate_port: int | None) -> Vendor:
        """Return the vendor of the user, over the transport of the body, without the pauses that
        real bodies need."""
        vendor, body = vendors.named(self.dialect), vendors.named(vendor_of(self.body))
        if gate_port is not None:
            body = panasonic(description_port=gate_port, access_port=gate_port)
        quirks = replace(vendor.quirks, close_after_open_s=0, reconnect_pause_s=0)
        quirks = replace(quirks, event_poll_s=0.005, capture_s=0.3)
        return replace(vendor, transport=body.transport, quirks=quirks)


def card(body: str = "standard") -> Store:
    """The card of a body: some files in two folders, and a picture that lies in none. A body that
    shows no folders has all of them in its root."""
    model = vendors.named("standard").model
    if body != "standard":
        model = vendors.with_body(body).model
    store = Store(seed=CARD_SEED, model=model)
    folders = [0, 0]
    if model.files.has_folders:
        folders = [store.add_folder(name) for name in ("100FUZZY", "101FUZZY")]
    for number, size in enumerate(SIZES):
        tail = "JPG" if number % 3 == 0 or not model.files.has_raw else model.files.raw_extension
        parent = folders[number % 2] if number else 0
        moment = FIRST_DATE + number * timedelta(seconds=60)
        store.add(f"IMG_{number:04d}.{tail}", size, parent=parent, captured=moment)
    return store
