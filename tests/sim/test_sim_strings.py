"""Text that a simulated camera is given: sent as it is, or refused before anybody connects."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

import ptpfast
from conftest import HASTY, PATIENT, Cameras
from ptpfast import PTPError, pull
from ptpfast.ptp.codes import DataType
from ptpfast.ptp.datasets import DevicePropDesc
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.vendors import STANDARD

LONE = ["\ud83d", "\udc00.NEF", "a\ud800b.JPG", "\udcff\udcfe.MOV", "\udbff\ue000"]


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_every_text_with_a_lone_surrogate_arrives_with_a_replacement(
    camera: Cameras, tmp_path: Path, vendor: str
) -> None:
    store = Store()
    folder = store.add_folder("DIR\ud800")
    for number, name in enumerate(LONE):
        store.add(name, bytes([number]) * 1000, parent=folder)
    known = ptpfast.vendors.named(vendor)
    model = dataclasses.replace(
        known.model, manufacturer="\udc01", name="M\ud801", device_version="\udfff"
    )
    sim = camera(vendor=dataclasses.replace(known, body=model), store=store, name="N\udead")
    sim.body.properties[0xD001] = DevicePropDesc(0xD001, DataType.STR, True, "\ud802", "\ud803")
    with ptpfast.connect(sim.host, port=sim.port, timeouts=PATIENT) as session:
        assert session.device_info.model == "M\ufffd"
        assert session.link.connection.name == "N\ufffd"
        assert session.property(0xD001) == "\ufffd"
        session.set_property(0xD001, "\ud804x")
        assert session.property(0xD001) == "\ufffdx"
    report = pull(f"{sim.host}:{sim.port}", tmp_path, timeouts=PATIENT)
    assert len(report.having("downloaded")) == len(LONE)
    assert sim.defects == 0


@pytest.mark.parametrize("name", ["", "\0", "a\0b.NEF", "x" * 254, "\ud800" * 254])
def test_an_odd_name_ends_no_session(camera: Cameras, tmp_path: Path, name: str) -> None:
    store = Store()
    store.add(name, b"1" * 100)
    store.add("b.NEF", b"2" * 100)
    sim = camera(store=store)
    report = pull(f"{sim.host}:{sim.port}", tmp_path, timeouts=PATIENT)
    assert len(report.having("downloaded")) == 2


@pytest.mark.parametrize("name", ["x" * 255, "\U0001f4f7" * 128])
def test_a_name_too_long_for_a_dataset_is_refused_when_it_is_given(name: str) -> None:
    store = Store()
    handle = store.add("a.NEF", 1)
    for give in (
        lambda: store.add(name, 1),
        lambda: store.add_folder(name),
        lambda: store.replace(handle, name=name),
    ):
        with pytest.raises(ValueError, match="at most 254"):
            give()
    assert [stored.name for stored in store] == ["a.NEF"]


@pytest.mark.parametrize(
    "wrong", [{"name": "a\0b"}, {"guid": b"short"}, {"name": "x" * 300, "model": "y" * 255}]
)
def test_an_identity_that_fits_into_no_packet_is_refused_at_once(wrong: dict[str, object]) -> None:
    given = dict(wrong)
    if model := given.pop("model", None):
        given["vendor"] = dataclasses.replace(
            STANDARD, body=dataclasses.replace(STANDARD.model, name=str(model))
        )
    with pytest.raises(ValueError, match=r"NUL|16 bytes|254"):
        SimulatedCamera(**given)  # type: ignore[arg-type]


def test_a_defect_of_the_simulated_camera_is_counted_and_shown(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, shown = camera(objects=1), []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    monkeypatch.setattr(sim.body, "perform", lambda *_: 1 // 0)
    with pytest.raises(PTPError):
        ptpfast.connect(sim.host, port=sim.port, timeouts=HASTY)
    assert sim.wait_for(lambda: bool(sim.defects))
    assert sim.defects == 1
    sim.close()
    assert [each.exc_type for each in shown] == [ZeroDivisionError]
