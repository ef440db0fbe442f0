"""What Sony bodies announce in PC remote mode: a UPnP device in SSDP.

Sources: Sony's Camera Control PTP 3 Reference (pages 39 to 41) for the names, camcon for the
headers. Places and values in the service's description are inferred from published clients that
read it. X_PTP_PairingNecessity is left out, as its values are not known. An ILCE-7RM3 is older than
the reference; that it announces the same is inferred. "Send to Computer" announces another device,
whose description is not known.
"""

from __future__ import annotations

from html import escape

from ..announcement import Announcement, Identity, SsdpAnnouncement
from .signs import REMOTE

SERVER = "UPnP/1.0 SonyImagingDevice/1.0"
_DEVICE = "urn:schemas-upnp-org:device:Basic:1"
_PATH, _SERVICE_PATH = "/dd.xml", "/DigitalImagingDesc.xml"


def announces(identity: Identity) -> tuple[Announcement, ...]:
    """Return what a body announces."""
    udn = f"uuid:00000000-0005-0010-8000-{identity.mac}"
    documents = {_PATH: device_description(identity.model, udn)}
    documents[_SERVICE_PATH] = _service_description(identity)
    return (SsdpAnnouncement(udn, (_DEVICE, REMOTE), SERVER, _PATH, documents),)


def device_description(model: str, udn: str) -> str:
    """Return the description of the device."""
    return f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0">
<specVersion><major>1</major><minor>0</minor></specVersion>
<device>
<deviceType>{_DEVICE}</deviceType>
<friendlyName>{escape(model)}</friendlyName>
<manufacturer>Sony Corporation</manufacturer>
<modelName>{escape(model)}</modelName>
<UDN>{udn}</UDN>
<serviceList><service>
<serviceType>{REMOTE}</serviceType>
<serviceId>urn:schemas-sony-com:serviceId:DigitalImaging</serviceId>
<SCPDURL>{_SERVICE_PATH}</SCPDURL>
<controlURL>/upnp/control/DigitalImaging</controlURL>
</service></serviceList>
</device>
</root>
"""


def _service_description(identity: Identity) -> str:
    return f"""<?xml version="1.0"?>
<scpd xmlns="urn:schemas-upnp-org:service-1-0">
<X_DigitalImagingDeviceInfo>
<X_DeviceInfo>
<X_ModelName>{escape(identity.model)}</X_ModelName>
<X_MacAddress>{identity.mac}</X_MacAddress>
</X_DeviceInfo>
<X_ServerVersion>3.00</X_ServerVersion>
<X_PTP_Information>
<X_PTP_Versions>3.00</X_PTP_Versions>
<X_PTP_RemoteControlSupport>Enable</X_PTP_RemoteControlSupport>
</X_PTP_Information>
</X_DigitalImagingDeviceInfo>
</scpd>
"""
