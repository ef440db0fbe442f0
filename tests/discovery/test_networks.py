"""Which networks are searched, and which addresses are tried."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import ptpfast
from ptpfast.discovery import networks
from ptpfast.discovery.networks import Door, IPv4Interface, Network
from ptpfast.transport.contract import Address

ROUTE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
wlan0\t0000A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0
eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0
"""


@pytest.fixture
def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "route"
    path.write_text(ROUTE)
    monkeypatch.setattr(networks, "ROUTES", path)
    return path


@pytest.mark.skipif(sys.byteorder != "little", reason="the example is of such a machine")
def test_the_gateway_is_read_from_the_table_of_routes(routes: Path) -> None:
    assert networks.gateways() == ["192.168.0.1"]


def test_a_missing_or_damaged_table_of_routes_has_no_gateway(routes: Path) -> None:
    for damage in (b"", b"\xff\n\xff", b"x\nwlan0 00000000\n"):
        routes.write_bytes(damage)
        assert networks.gateways() == []
    routes.unlink()
    assert networks.gateways() == []


def inside(*interfaces: str) -> list[Network]:
    return [Network(IPv4Interface(each)) for each in interfaces]


def test_known_addresses_are_tried_in_the_networks_of_this_computer_only(routes: Path) -> None:
    def tried(*interfaces: str) -> set[tuple[str, int, str | None]]:
        doors = networks.doors(None, inside(*interfaces))
        return {(*door.camera, door.vendor) for door in doors}

    assert tried("10.0.0.7/24") == set()
    assert tried("192.168.1.7/24") == {("192.168.1.1", 15740, None)}
    assert tried("192.168.122.7/24") == {("192.168.122.1", 15740, None)}
    # Also the gateway.
    assert tried("192.168.0.7/24") == {
        ("192.168.0.1", 55740, "fujifilm"),
        ("192.168.0.1", 15740, None),
    }


def test_given_addresses_are_tried_instead_of_known_ones(routes: Path) -> None:
    home = inside("192.168.1.7/24")
    assert networks.doors([], home) == []
    here = Address("127.0.0.1", 15740)
    assert networks.doors("127.0.0.1", home) == [Door(here, None)]
    with pytest.raises(ValueError, match="is a web address"):
        networks.doors("http://127.0.0.1/", home)


def test_an_interface_is_an_address_of_this_computer() -> None:
    for wrong in ("192.0.2.1", "lo", "", "::1", "127.0.0.1/8"):
        with pytest.raises(ValueError, match="is no IPv4 address of this computer"):
            ptpfast.discover(0, interfaces=wrong, addresses=[])
    with pytest.raises(TypeError, match="interfaces takes addresses"):
        ptpfast.discover(0, interfaces=[1], addresses=[])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="seconds takes a number of seconds"):
        ptpfast.discover(-1, interfaces="127.0.0.1", addresses=[])


def test_a_computer_without_a_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "_all_networks", list)
    with pytest.raises(ptpfast.ConnectFailed, match="this computer is in no network"):
        ptpfast.discover(0, addresses=[])


@pytest.mark.parametrize("library", ["zeroconf", "ifaddr"])
def test_a_missing_library_is_named_with_the_extra(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        ModuleNotFoundError, match=rf"{library}: pip install 'ptpfast\[discovery\]'"
    ):
        ptpfast.discover(0, addresses=[])
