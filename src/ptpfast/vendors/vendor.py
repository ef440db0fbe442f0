"""The description of a vendor: its cameras, codes, dialect and bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from importlib import import_module
from typing import TYPE_CHECKING

from ..ptp.datasets import DeviceInfo
from ..transport.contract import Transport
from ..transport.ptpip import PTP_IP
from .dialect import Asks, Dialect, Role
from .menus import Menus
from .quirks import STANDARDS_OWN, Quirks, Tuning
from .signs import Signs
from .traced import Traced

if TYPE_CHECKING:
    from .body import Model


@dataclass(frozen=True)
class Vendor:
    """The differences of a vendor. Every default is the standard's behaviour.

    Attributes:
        matches: Whether a DeviceInfo is that of one of its cameras.
        properties: The names of its own device properties.
        dialect: Makes the `Dialect` of a session: a class, or a function that chooses one by the
            camera's DeviceInfo and the role of the session.
        tunings: Measured settings by manufacturer, model and firmware (`tuning.model_key`), with
            the evidence, for users who have not measured theirs.
        body: The simulated camera, instead of MODEL of the folder's `body`.
        transport: The transport of its cameras.
        signs: How its cameras are found in a network.
        menus: What the owner does in the camera's menus.
        traced: What traces have to know of its operations.
    """

    name: str
    matches: Callable[[DeviceInfo], bool] = lambda _: False
    operations: type[IntEnum] | None = None
    properties: type[IntEnum] | None = None
    responses: type[IntEnum] | None = None
    quirks: Quirks = STANDARDS_OWN
    dialect: Callable[[Asks, DeviceInfo, Quirks, Role], Dialect] = Dialect
    tunings: Mapping[str, Tuning] = field(default_factory=dict)
    body: Model | None = None
    transport: Transport = PTP_IP
    signs: Signs = field(default_factory=Signs)
    menus: Menus = field(default_factory=Menus)
    traced: Traced = field(default_factory=Traced)

    @property
    def model(self) -> Model:
        """The body of the simulated camera. It is loaded on first use; a session never uses it."""
        if self.body is not None:
            return self.body
        model: Model = import_module(f".{self.name}.body", __package__).MODEL
        return model
