"""What a vendor's folder states: who its cameras are, its codes, its dialect and its bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from importlib import import_module
from typing import TYPE_CHECKING

from ..ptp.datasets import DeviceInfo
from ..transport.contract import Transport
from ..transport.ptpip import PTP_IP
from .dialect import Dialect
from .quirks import STANDARDS_OWN, Quirks, Tuning

if TYPE_CHECKING:
    from .body import Model


@dataclass(frozen=True)
class Vendor:
    """All that sets a vendor apart. Every default is the standard's behaviour.

    matches: whether a camera that says this of itself is one. dialect: made for each session; see
    `Dialect`. tunings: what was measured of models, by manufacturer, model and firmware
    (`tuning.model_key`), with the evidence, for users who have not measured it. body: what the
    simulated camera is, instead of MODEL of the folder's `body`. transport: how its transactions
    travel.
    """

    name: str
    matches: Callable[[DeviceInfo], bool] = lambda _: False
    operations: type[IntEnum] | None = None
    responses: type[IntEnum] | None = None
    quirks: Quirks = STANDARDS_OWN
    dialect: type[Dialect] = Dialect
    tunings: Mapping[str, Tuning] = field(default_factory=dict)
    body: Model | None = None
    transport: Transport = PTP_IP

    @property
    def model(self) -> Model:
        """The body that the simulated camera is. Loaded when it is asked for: a session never
        does."""
        if self.body is not None:
            return self.body
        model: Model = import_module(f".{self.name}.body", __package__).MODEL
        return model
