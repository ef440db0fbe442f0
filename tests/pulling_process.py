"""A process that pulls a card, to be killed: it reads what to do, and prints what came of it.

{"body", "port", "gate", "folder"}
"""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

import ptpfast
from conftest import PATIENT, without_pauses
from ptpfast import vendors
from ptpfast.session import persistence
from ptpfast.vendors.panasonic import panasonic


def pulled(order: dict[str, Any]) -> dict[str, Any]:
    """The counts of a run, or the error that has ended it."""
    vendor = without_pauses(vendors.BODIES[order["body"]])
    if (gate := order["gate"]) is not None:
        at_gate = panasonic(description_port=gate, access_port=gate)
        vendor = dataclasses.replace(vendor, transport=at_gate.transport)
    try:
        with ptpfast.connect(
            "127.0.0.1", port=order["port"], vendor=vendor, timeouts=PATIENT
        ) as session:
            report = ptpfast.pull(session, order["folder"])
    except ptpfast.PTPError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {
        "ok": report.ok and report.listed,
        "downloaded": report.downloaded,
        "skipped": report.skipped,
        "failed": [str(each) for each in report.having("failed")],
    }


if __name__ == "__main__":
    persistence.FIRST_PAUSE_S = 0.01
    sys.stdout.write(json.dumps(pulled(json.loads(sys.stdin.readline()))) + "\n")
