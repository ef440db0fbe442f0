"""Each option of a simulated camera is known to type checkers, has a default, and is explained."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any, get_type_hints

import pytest

from ptpfast.sim import FaultTable, SimulatedCamera, settings
from ptpfast.sim.store import Store, StoreOptions

GROUPS = {
    settings.CardOptions: settings.CardSettings,
    settings.BodyOptions: settings.BodySettings,
    settings.SendingOptions: settings.Sending,
    settings.ServiceOptions: settings.Service,
}


@pytest.mark.parametrize(("options", "group"), GROUPS.items(), ids=lambda one: one.__name__)
def test_options_and_settings_of_a_group_have_the_same_names_and_types(
    options: type, group: Any
) -> None:
    assert get_type_hints(options) == get_type_hints(group)
    assert [field.name for field in dataclasses.fields(group)] == list(options.__annotations__)


def test_every_option_is_in_one_group_and_explained() -> None:
    grouped = [name for group in GROUPS for name in group.__annotations__]
    assert sorted(grouped) == sorted(settings.CameraOptions.__annotations__)
    named = re.findall(r"^ {8}(\w[\w, ]*):", SimulatedCamera.__doc__ or "", re.MULTILINE)
    assert set(grouped) <= {name for line in named for name in line.split(", ")}


def test_an_unknown_option_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="'pixels'"):
        SimulatedCamera(pixels=3)  # type: ignore[call-arg]


def test_a_table_of_faults_is_used_as_it_is() -> None:
    table = FaultTable("busy")
    with SimulatedCamera(objects=0, faults=table) as camera:
        assert camera.faults is table


def test_options_of_a_store_are_its_arguments() -> None:
    arguments = list(inspect.signature(Store).parameters)
    assert arguments == list(StoreOptions.__annotations__)
