"""The vendor of a camera that lets nobody in: kept from its pairing, or announced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ptpfast.discovery import Found
from ptpfast.doctor import brand
from ptpfast.state.identity import Known, remember


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Three hosts that announce themselves; the arguments of the searches."""
    asked: list[dict[str, Any]] = []

    def stream(seconds: float, **options: Any) -> Iterator[Found]:
        asked.append(options)
        yield Found("127.0.0.2", 15740, vendor="sony")
        yield Found("127.0.0.1", 15740)
        yield Found("127.0.0.1", 15740, vendor="canon")
        raise AssertionError("it searches on")

    monkeypatch.setattr(brand, "stream", stream)
    return asked


def test_a_camera_that_announces_itself_is_found_in_its_network_alone(
    announced: list[dict[str, Any]],
) -> None:
    vendor = brand.vendor_of("127.0.0.1")
    assert vendor is not None
    assert vendor.name == "canon"
    assert announced == [{"interfaces": ["127.0.0.1"], "addresses": []}]


def test_a_paired_camera_is_not_searched_for(announced: list[dict[str, Any]]) -> None:
    remember(Known("", "127.0.0.1", 15740, "fujifilm"), bytes(range(16)), "name")
    vendor = brand.vendor_of("127.0.0.1")
    assert vendor is not None
    assert vendor.name == "fujifilm"
    assert announced == []


def test_a_camera_that_announces_nothing_has_no_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brand, "stream", lambda *_, **__: (found for found in ()))
    assert brand.vendor_of("127.0.0.1") is None
    assert brand.brand_at("::1", "::1") is None


def test_an_address_that_is_none_of_ipv4_is_not_searched_for() -> None:
    assert brand.brand_at("fe80::1", "fe80::2") is None
