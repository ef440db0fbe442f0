"""What Canon EOS bodies announce when they wait for EOS Utility: a UPnP device in SSDP.

The headers are those of NOTIFY messages that published clients quote (a 6D names
`/desc.xml`). The description is that of an EOS Rebel T6 in the mode for phones (vcam), with the
service of the mode for EOS Utility. X_deviceUsbId is left out, as it is not published for each
body. The service's own description is not known and not served.
"""

from __future__ import annotations

from html import escape

from ..announcement import BASE, Announcement, Identity, SsdpAnnouncement
from .signs import EOS_UTILITY

SERVER = "Camera OS/1.0 UPnP/1.0 Canon Device Discovery/1.0"
GUID_HEAD = bytes.fromhex("00000000000000000001")  # the MAC follows
_DEVICE = "urn:schemas-upnp-org:device:Basic:1"
_PATH = "/upnp/CameraDevDesc.xml"
_OWN = 'xmlns:ns="urn:schemas-canon-com:schema-upnp"'
_ANY_COMPUTER = "uuid:00000000-0000-0000-0001-FFFFFFFFFFFF"


def announces(identity: Identity) -> tuple[Announcement, ...]:
    """Return what a body announces."""
    udn = f"uuid:{identity.uuid.upper()}"
    documents = {_PATH: _description(identity, udn)}
    return (SsdpAnnouncement(udn, (_DEVICE, EOS_UTILITY), SERVER, _PATH, documents),)


def _description(identity: Identity, udn: str) -> str:
    model, nickname = escape(identity.model), escape(identity.nickname)
    return f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0">
<specVersion><major>1</major><minor>0</minor></specVersion>
<URLBase>{BASE}/upnp/</URLBase>
<device>
<deviceType>{_DEVICE}</deviceType>
<friendlyName>{model}</friendlyName>
<manufacturer>Canon</manufacturer>
<manufacturerURL>http://www.canon.com/</manufacturerURL>
<modelDescription>Canon Digital Camera</modelDescription>
<modelName>{model}</modelName>
<serialNumber>{identity.serial_number}</serialNumber>
<UDN>{udn}</UDN>
<serviceList><service>
<serviceType>{EOS_UTILITY}</serviceType>
<serviceId>urn:schemas-canon-com:serviceId:ICPO-WFTEOSSystemService-1</serviceId>
<SCPDURL>CameraSvcDesc.xml</SCPDURL>
<controlURL>control/CanonCamera/</controlURL>
<eventSubURL></eventSubURL>
<ns:X_targetId {_OWN}>{_ANY_COMPUTER}</ns:X_targetId>
<ns:X_onService {_OWN}>0</ns:X_onService>
<ns:X_deviceNickname {_OWN}>{nickname}</ns:X_deviceNickname>
</service></serviceList>
<presentationURL>/</presentationURL>
</device>
</root>
"""
