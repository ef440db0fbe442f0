"""How Sony cameras are found: by SSDP, for remote control and for "Send to Computer".

Sources: Sony's Camera Control PTP 3 Reference (page 39), airmtp for "Send to Computer".
"""

from __future__ import annotations

from ..signs import Signs

REMOTE = "urn:schemas-sony-com:service:DigitalImaging:1"
SEND = "urn:microsoft-com:service:MtpNullService:1"

SIGNS = Signs(searches=(REMOTE, SEND), manufacturer="sony", addresses=("192.168.122.1",))
