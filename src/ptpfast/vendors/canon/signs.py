"""How Canon EOS cameras are found: by SSDP, in the modes that speak PTP/IP.

A camera that announces `ICPO-CameraControlAPIService` there speaks HTTP: it is not looked for.
"""

from __future__ import annotations

from ..signs import Signs

EOS_UTILITY = "urn:schemas-canon-com:service:ICPO-WFTEOSSystemService:1"
SMARTPHONE = "urn:schemas-canon-com:service:ICPO-SmartPhoneEOSSystemService:1"

SIGNS = Signs(searches=(EOS_UTILITY, SMARTPHONE), manufacturer="canon")
