"""The routing table and the neighbours, as Linux writes them, and tunnels."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from ptpfast.network import routes
from ptpfast.network.routes import Route

TABLE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
wlan0\t0000A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0
eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
tun0\t0001A8C0\t0100080A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t0000000A\t00000000\t0201\t0\t0\t0\t000000FF\t0\t0\t0
"""
NEIGHBOURS = """IP address       HW type     Flags       HW address            Mask     Device
192.168.0.1      0x1         0x2         00:11:22:33:44:55     *        wlan0
192.168.0.10     0x1         0x0         00:00:00:00:00:00     *        wlan0
192.168.0.11     0x1         zz          00:00:00:00:00:00     *        wlan0
"""
little_endian = pytest.mark.skipif(
    sys.byteorder != "little", reason="the example is of such a machine"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "route"
    path.write_text(TABLE)
    return path


@little_endian
def test_the_table_is_read_without_rejected_routes(table: Path) -> None:
    home = IPv4Network("192.168.0.0/24")
    assert routes.routes(table) == [
        Route("wlan0", IPv4Network("0.0.0.0/0"), IPv4Address("192.168.0.1"), 600),
        Route("wlan0", home, None, 600),
        Route("eth0", home, None, 100),
        Route("tun0", IPv4Network("192.168.1.0/24"), IPv4Address("10.8.0.1"), 0),
    ]
    assert routes.gateways(table) == ["192.168.0.1"]


@little_endian
def test_the_narrowest_network_and_the_smallest_metric_lead_to_a_host(table: Path) -> None:
    found = routes.ways_to("192.168.0.9", routes.routes(table))
    assert [row.interface for row in found] == ["eth0", "wlan0", "wlan0"]
    assert routes.ways_to("192.168.1.9", routes.routes(table))[0].interface == "tun0"
    assert routes.ways_to("fe80::1", routes.routes(table)) == []


def test_a_damaged_or_missing_table_has_no_routes(tmp_path: Path) -> None:
    path = tmp_path / "route"
    assert routes.routes(path) == []
    for damage in (b"", b"\xff\n\xff", b"x\nwlan0 00000000\n", b"x\nw zz 0 3 0 0 0 0\n"):
        path.write_bytes(damage)
        assert routes.routes(path) == []


def test_a_neighbour_is_there_if_it_has_answered(tmp_path: Path) -> None:
    path = tmp_path / "arp"
    assert routes.has_neighbour("192.168.0.1", path) is None
    path.write_text(NEIGHBOURS)
    known = {host: routes.has_neighbour(f"192.168.0.{host}", path) for host in (1, 10, 11, 12)}
    assert known == {1: True, 10: False, 11: None, 12: None}


def test_a_tunnel_is_known_by_its_type_and_by_its_name(tmp_path: Path) -> None:
    net = tmp_path / "sys/class/net"
    for name, kind in (("eth0", "1"), ("office", "65534"), ("odd", "x")):
        (net / name).mkdir(parents=True)
        (net / name / "type").write_text(f"{kind}\n")
    (net / "bridge").mkdir()
    (net / "bridge/tun_flags").write_text("0x1002\n")
    names = ("eth0", "office", "odd", "bridge", "wg0", "utun3", "wlan0")
    assert [name for name in names if routes.is_tunnel(name, tmp_path)] == [
        *("office", "bridge", "wg0", "utun3")
    ]


def test_the_own_address_on_the_way_is_found_without_a_packet() -> None:
    assert routes.local_address("127.0.0.1", 15740) == "127.0.0.1"
    with pytest.raises(PermissionError):
        routes.local_address("255.255.255.255", 15740)  # a broadcast is not allowed


def test_private_addresses_are_those_of_local_networks() -> None:
    private = ["192.168.1.1", "10.0.0.1", "169.254.1.1", "fe80::1%wlan0"]
    assert all(map(routes.is_private, private))
    assert not any(map(routes.is_private, ["8.8.8.8", "camera.example", ""]))
