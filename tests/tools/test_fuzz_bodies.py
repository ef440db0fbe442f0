"""The fuzzed sessions reach every simulated body, every dialect, every transport and every menu."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from fuzz import ROOT, mutations
from fuzz.cameras import BODIES, MENUS, SHOT, Plan, card, vendor_of
from fuzz.forms import CONTAINERS, FRAMES, HEAD, PACKETS, Form, Request
from fuzz.mutations import CHANGES, Record
from fuzz.responder import HostileCamera, Mutator
from fuzz.session_process import Responder
from fuzz.surprises import surprise
from fuzz.truth import Told, Truth
from fuzz.visit import FindingError, Visit

from ptpfast import vendors
from ptpfast.engine import containers, wire
from ptpfast.vendors.sony.catalogue import Handles

pytestmark = pytest.mark.tools

KINDS = [(body, "") for body in BODIES] + [(body, menu) for menu in MENUS for body in MENUS[menu]]


def told_by(camera: HostileCamera) -> Told:
    return Told.of(camera.end())


def test_every_body_gets_its_share_and_is_spoken_to_as_every_vendor() -> None:
    plans = [Plan.of(seed) for seed in range(300 * len(BODIES))]
    assert set(Counter(plan.body for plan in plans).values()) == {300}
    pairs = {(plan.body, plan.dialect) for plan in plans}
    assert pairs == {(body, vendor) for body in BODIES for vendor in vendors.NAMES}
    assert {(plan.body, plan.role) for plan in plans} == {
        (body, role) for body in BODIES for role in vendors.ROLES
    }
    assert {(plan.body, plan.menu) for plan in plans} == set(KINDS)
    own = sum(plan.dialect == vendor_of(plan.body) for plan in plans)
    assert own > len(plans) / 2
    assert plans[7] == Plan.of(7)


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    # A process of its own: threads and descriptors of the user are watched.
    process = Responder()
    yield process
    process.close()


@pytest.mark.parametrize(("body", "menu"), KINDS)
def test_an_honest_session_with_every_body_compares_what_it_reads(
    responder: Responder, tmp_path: Path, body: str, menu: str
) -> None:
    plan = Plan(body, "nikon", rate=0.4, menu=menu).calm
    began = responder.ask(begin="honest", plan=asdict(plan))
    visit = Visit(1, 0, tmp_path, plan, calm=True)
    try:
        visit.run(began["port"], began["gate"])
    finally:
        told = Told.of(responder.ask(end=True))
    assert told == Told()
    visit.check(told)
    assert visit.compared == len(visit.card.files())


@pytest.mark.parametrize("body", BODIES)
def test_pictures_that_are_taken_are_compared_too(tmp_path: Path, body: str) -> None:
    plan = Plan(body, vendor_of(body), role="remote", options={"end_data": "last"})
    camera = HostileCamera("remote", plan)
    visit = Visit(1, 0, tmp_path, plan)
    handles = camera.capture()
    told = told_by(camera)
    assert [handle for handle, _, _ in told.taken] == handles
    source = handles[0]
    right = Truth(card(body), "camera", told).expected(source, SHOT)
    stored = camera.store.get(source)
    if stored is not None and stored.content is not None:
        assert right == b"".join(stored.content.spans(0, SHOT))
    visit.claims = [(source, SHOT, right)]
    visit.check(told)
    assert visit.compared == 1
    visit.claims = [(source, SHOT, bytes([right[0] ^ 1]) + right[1:])]
    with pytest.raises(FindingError, match="wrong from byte 0"):
        visit.check(told)


def test_a_file_of_a_content_list_is_known_by_the_session_s_handle(tmp_path: Path) -> None:
    plan = Plan("sony-a7m4", "sony")
    visit = Visit(1, 0, tmp_path, plan, space="contents")
    source = visit.card.files()[2].handle
    told = Told(vague=False)
    truth = Truth(visit.card, "contents", told)
    handle = next(each for each in truth._by_content if truth.sources(each) == [source])
    size = truth.size(source)
    visit.claims = [(handle, size, bytes(size))]
    with pytest.raises(FindingError, match="is wrong"):
        visit.check(told)
    visit.check(replace(told, risky={source}))
    visit.check(replace(told, vague=True))
    unknown = Handles().of("no file")
    visit.claims = [(unknown, size, bytes(size))]
    with pytest.raises(FindingError, match="does not have"):
        visit.check(told)
    visit.check(replace(told, vague=True))


@pytest.mark.parametrize("space", ["memory", "turns"])
def test_a_picture_whose_handle_is_the_session_s_is_one_of_the_camera_s(
    tmp_path: Path, space: str
) -> None:
    visit = Visit(1, 0, tmp_path, Plan("standard", "standard"), space=space)
    told = Told(taken=[(0x50001, SHOT, "A.JPG"), (0x50002, SHOT, "B.JPG")])
    second = Truth(visit.card, space, told).expected(0x50002, SHOT)
    visit.claims = [(0x40000001, SHOT, second)]
    visit.check(told)
    visit.claims = [(0x40000001, SHOT, second[:-1] + b"\0\0"[: 1 if second[-1] else 0] + b"\1")]
    with pytest.raises(FindingError):
        visit.check(told)


def test_a_simulated_camera_that_fails_is_a_finding(tmp_path: Path) -> None:
    visit = Visit(1, 0, tmp_path, Plan("standard", "standard"))
    with pytest.raises(FindingError, match="itself has failed"):
        visit.check(Told(defects=1))


REQUEST = Request(0x1009, 5, (0x40001,))
ANSWERS: dict[str, tuple[Form, list[bytes]]] = {
    "packets": (PACKETS, [*PACKETS.data_phase(REQUEST, b"x" * 50), wire.pack(
        wire.OperationResponse(0x2001, 5)
    )]),
    "containers": (CONTAINERS, [*CONTAINERS.data_phase(REQUEST, b"x" * 50), containers.pack(
        wire.ContainerKind.RESPONSE_CONTAINER, 0x2001, 5
    )]),
    "frames": (FRAMES, [(64).to_bytes(4, "little") + b"x" * 60]),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_every_change_knows_the_packets_of_every_connection(name: str) -> None:
    form, packets = ANSWERS[name]
    for raw in packets:
        for change in CHANGES:
            results = [change(random.Random(seed), raw, form) for seed in range(30)]
            assert any(result != [raw] for result in results) or change is mutations.split
            assert all(isinstance(piece, bytes) for result in results for piece in result)


@pytest.mark.parametrize("name", ["packets", "containers"])
def test_fields_of_a_response_and_a_data_phase_are_found(name: str) -> None:
    form, (*data, response) = ANSWERS[name]
    assert form.starts(data[0])
    assert not form.responds(data[0])
    assert b"".join(raw[HEAD:] for raw in data if form.has_payload(raw)) == b"x" * 50
    assert form.responds(response)
    assert not form.has_payload(response)
    at = form.id_at(response)
    assert response[at : at + 4] == (5).to_bytes(4, "little")
    assert response[form.code_at : form.code_at + 2] == b"\x01\x20"


def mutator(form: Form, rate: float) -> Mutator:
    plan = Plan("standard", "standard", rate=rate)
    return Mutator("seed", plan, form, Record(), lambda chance: "nothing")


@pytest.mark.parametrize("name", ["packets", "containers"])
def test_packets_that_come_in_pieces_leave_whole_and_unchanged(name: str) -> None:
    form, packets = ANSWERS[name]
    stream, honest = b"".join(packets), mutator(form, 0.0)
    left = [honest.change(stream[at : at + 7]) for at in range(0, len(stream), 7)]
    assert b"".join(left) == stream
    assert [piece for piece in left if piece] != [stream]


def test_first_operations_are_spared_on_all_connections() -> None:
    form, packets = ANSWERS["packets"]
    stream, record = b"".join(packets), Record()
    plan = Plan("standard", "standard", rate=1.0, spared=2)
    first, second = (Mutator(seed, plan, form, record, lambda _: "") for seed in "ab")
    asked = wire.pack(wire.OperationRequest(1, 0x1009, 5, (0x40001,)))
    first.requested(asked)
    assert [each.change(stream) for each in (first, second)] == [stream, stream]
    first.requested(asked)
    assert second.change(stream) != stream
    assert record.done


@pytest.mark.parametrize("name", ["packets", "containers"])
def test_another_dataset_is_framed_as_is_right(name: str) -> None:
    form, packets = ANSWERS[name]
    request = Request(0x1007, 5, ())  # reads no object's bytes
    for seed in range(20):
        hostile = mutator(form, 1.0)
        hostile._chance, hostile._requests = random.Random(seed), {5: request}
        changed = hostile._other_dataset(packets)
        assert changed[-1] == packets[-1]
        assert form.starts(changed[0])
        assert all(int.from_bytes(raw[:4], "little") == len(raw) for raw in changed)
        assert "another dataset" in hostile._record.done[0]


def test_bytes_of_objects_are_no_dataset_that_is_changed() -> None:
    form, packets = ANSWERS["containers"]
    hostile = mutator(form, 1.0)
    hostile._requests = {5: REQUEST}
    assert hostile._other_dataset(packets) == packets


def test_owners_press_every_button_while_a_session_runs() -> None:
    done = set()
    for seed in range(60):
        camera = HostileCamera("buttons", Plan("standard", "standard"))
        done.add(surprise(camera, random.Random(seed)).split()[0])
        told = told_by(camera)
        assert not told.defects
    assert done == {"button:", "event:"}


SHORT = """
import sys
from fuzz.hurry import hurry
hurry()
from ptpfast.vendors import NAMES, Quirks, named
long = {}
for name, module in sys.modules.items():
    if name.startswith("ptpfast.vendors.") or name == "ptpfast.session.capture":
        for key, value in vars(module).items():
            if key.endswith("_S") and isinstance(value, (int, float)) and value > 0.5:
                long[name, key] = value
            if isinstance(value, Quirks) and value.close_after_open_s + value.capture_s > 0.5:
                long[name, key] = value
assert not long, long
"""


def test_every_wait_for_a_camera_is_below_half_a_second() -> None:
    done: Any = subprocess.run(
        [sys.executable, "-c", SHORT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
