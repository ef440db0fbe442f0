"""Finds, controls and uses a Sony camera with awire (AlphaWire, a C library): prints what came as
JSON. `awire_client.py VERSION FILES`: of the protocol, and how many files a picture has."""

import hashlib
import json
import sys
import time

import awire

SEARCH_S = 10  # for a camera; the library itself stops after some seconds
CLOUDY = 0x8010  # of the white balance
QUIET = awire.AwLogLevel.ERROR


def main(version: str, files: int) -> dict[str, object]:
    awire.log_set_level(QUIET)
    devices = awire.AwDeviceList()
    assert devices.open()
    try:
        return used(devices, awire.AwSonyProtocolVersion[version], files)
    finally:
        devices.close()


def used(devices: awire.AwDeviceList, version: int, files: int) -> dict[str, object]:
    device, result = devices.open_device(found(devices))
    assert device is not None, result
    control = device.open_control()
    try:
        assert control.connect(version)
        balance = control.get_property_by_code(awire.AwPropertyCode.WHITE_BALANCE)
        changed = bool(balance.set_value(CLOUDY))
        pictures = [control.capture_and_download()]
        pictures += [control.download_image() for _ in range(files - 1)]
        view = bytes(control.get_live_view_image() or b"")
        return {
            "changed": changed,
            "properties": control.get_num_properties(),
            "files": {
                one.filename: hashlib.sha256(one.data).hexdigest() for one in pictures if one
            },
            "view": view[:2].hex(),
        }
    finally:
        control.close()
        device.close()


def found(devices: awire.AwDeviceList) -> awire.AwDeviceInfo:
    devices.refresh()
    give_up = time.monotonic() + SEARCH_S
    while not len(devices) and time.monotonic() < give_up:
        devices.poll_updates()
    (device,) = devices
    return device


if __name__ == "__main__":
    came = main(sys.argv[1], int(sys.argv[2]))
    sys.stdout.write("\n" + json.dumps(came))  # the library prints lines of its own
