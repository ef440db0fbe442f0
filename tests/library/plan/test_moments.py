"""Dates as people write them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from ptpfast import ObjectInfo
from ptpfast.library.plan.moments import moment
from ptpfast.library.plan.selection import Selection

NOW = datetime(2026, 11, 29, 14, 30, 15, 999)
SINCE = {
    "2026-11-22": date(2026, 11, 22),
    "2026-1-2": date(2026, 1, 2),
    "20261122": date(2026, 11, 22),
    "2026-11-22T14:30": datetime(2026, 11, 22, 14, 30),
    "2026-11-22 14:30:05": datetime(2026, 11, 22, 14, 30, 5),
    "2026-11": date(2026, 11, 1),
    "2026": date(2026, 1, 1),
    "today": date(2026, 11, 29),
    "Yesterday": date(2026, 11, 28),
    "now": datetime(2026, 11, 29, 14, 30, 15),
    "2d": datetime(2026, 11, 27, 14, 30, 15),
    "2 days ago": datetime(2026, 11, 27, 14, 30, 15),
    "12h": datetime(2026, 11, 29, 2, 30, 15),
    "1.5h": datetime(2026, 11, 29, 13, 0, 15),
    "90min": datetime(2026, 11, 29, 13, 0, 15),
    "1w": datetime(2026, 11, 22, 14, 30, 15),
}
NO_DATES = ["", "tomorrow", "22.11.2026", "2026-13", "2026-02-30", "12", "2x", "-2d", "999999w"]
NO_DATES += ["0000", "２０２６", "nan", "1e5d", "2026-11-22T25:00", "5/6", "inf h", "x" * 5000]


@pytest.mark.parametrize("text", SINCE)
def test_a_date_is_read_as_people_write_it(text: str) -> None:
    assert moment("since", text, NOW) == SINCE[text]


@pytest.mark.parametrize("text", NO_DATES, ids=lambda text: text[:20] or "nothing")
def test_what_is_no_date_is_refused_with_the_right_forms(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a date; write 2026-11-22, .* 2d or 12h"):
        moment("until", text, NOW)


@pytest.mark.parametrize(
    ("text", "last"),
    [("2026", date(2026, 12, 31)), ("2026-11", date(2026, 11, 30)), ("2024-2", date(2024, 2, 29))],
)
def test_until_a_month_or_a_year_includes_its_last_day(text: str, last: date) -> None:
    assert moment("until", text, NOW) == last


def test_an_object_without_a_capture_date_is_dated_by_its_modification() -> None:
    def made(captured: datetime | None, modified: datetime | None) -> ObjectInfo:
        return ObjectInfo(1, "A.NEF", "A.NEF", 1, 0x3000, captured, modified)

    old, new = datetime(2025, 1, 1), datetime(2026, 11, 5)
    november = Selection(since="2026-11", until="2026-11")
    assert november.apply([made(None, new)])
    assert not november.apply([made(None, old)])
    assert not november.apply([made(old, new)])
    assert november.undated([made(None, None), made(None, new)]) == 1
    ordered = Selection(order="newest").apply([made(old, None), made(None, new), made(None, None)])
    assert [info.modified for info in ordered] == [new, None, None]


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match=r"until .* is before since"):
        Selection(since="2026-11", until="2026-10")
