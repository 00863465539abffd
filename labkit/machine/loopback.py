"""Which hosts are this machine: no proxy leads there, and none of them is AWS."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine."""
    name = (host or "").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and (address.is_loopback or address.is_unspecified)


def leads_here(url: str) -> bool:
    """Whether a URL leads to this machine; what is no URL leads nowhere."""
    try:
        return is_loopback(urlsplit(url).hostname)
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as, in one of the short forms that a C library takes, too: 127.1."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.ip_address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return None
    return getattr(address, "ipv4_mapped", None) or address
