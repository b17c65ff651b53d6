"""Under which addresses others reach us: this machine, its network, and containers on it."""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass

_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not bound
_BRIDGES = ("docker", "br-", "podman", "cni", "virbr", "lxc")
_SIOCGIFADDR = 0x8915  # linux/sockios.h


@dataclass(frozen=True, slots=True)
class Addresses:
    """URLs without a trailing slash; a list may be empty."""

    here: str
    network: tuple[str, ...]
    containers: tuple[str, ...]


def addresses(host: str, port: int) -> Addresses:
    """The addresses of a server that listens on `host`:`port`. Asks the kernel alone, and sends nothing."""
    if host not in _EVERYWHERE:
        own = _url(host, port)
        local = host == "localhost" or _is_loopback(host)
        return Addresses(own, () if local else (own,), () if local else (own,))
    found = _interfaces()
    network = [ip for name, ip in found if not name.startswith(_BRIDGES)]
    bridges = [ip for name, ip in found if name.startswith(_BRIDGES)]
    primary = _primary()
    if primary is not None and primary not in bridges:
        network = [primary, *(ip for ip in network if ip != primary)]
    return Addresses(
        _url("localhost", port),
        tuple(_url(ip, port) for ip in network),
        # Docker's own name works in every container of Docker Desktop, and elsewhere where it is mapped
        tuple(_url(name, port) for name in ("host.docker.internal", *bridges)),
    )


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _interfaces() -> list[tuple[str, str]]:
    """Name and IPv4 address of every interface but loopback; empty where the kernel isn't Linux."""
    try:
        import fcntl
    except ImportError:
        return []
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:  # no IPv4 address
                continue
            ip = socket.inet_ntoa(answer[20:24])
            if not _is_loopback(ip):
                found.append((name, ip))
    return found


def _primary() -> str | None:
    """The address that the default route would use. Connecting a UDP socket sends no packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737)
        except OSError:
            return None
        ip: str = probe.getsockname()[0]
        return None if _is_loopback(ip) else ip
