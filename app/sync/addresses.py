"""Where webhooks may lead: public addresses, and the hosts the operator allows.

An address is judged after its name was resolved, and that very address is connected to (``sender.py``): a name that
means something else a moment later gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import urlsplit

from app.errors import Fault, Invalid
from app.settings import host_name

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Iterable[tuple[Any, ...]]]
"""As ``socket.getaddrinfo`` does it."""

# Python's is_private and is_global each let a dozen of these through. Source: the IANA registries of special-purpose
# addresses; 224.0.0.0/4 and 240.0.0.0/4 are multicast and reserved.
_NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
# All that is public in IPv6 is in here: what embeds an IPv4 address (mapped, compatible, NAT64) is not, but for 6to4
# and Teredo, which are among the exceptions.
_UNICAST = IPv6Network("2000::/3")
_NOT_UNICAST = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


def demand(url: str, allowed: Collection[str]) -> None:
    """Go on only if nothing about the address says already that it will be refused; names are not resolved.

    Raises: Invalid (``validation``) with the fault ``address-refused`` or ``url-invalid``.
    """
    name = host(url)
    if not name or urlsplit(url).port == 0:
        raise _refusal("url-invalid", "There is no such host or port.")
    literal = _literal(name)
    local = name == "localhost" or name.endswith(".localhost")
    if name not in allowed and (local or (literal is not None and not public(literal))):
        detail = "This leads to an address that is not public; the operator may allow its host."
        raise _refusal("address-refused", detail)


def host(url: str) -> str:
    """The host of an address, as it is resolved."""
    return host_name(urlsplit(url).hostname or "")


def resolved(name: str, port: int, allowed: Collection[str], resolve: Resolve) -> list[tuple[Any, Any]]:
    """The family and address of each socket that may be connected to, in the resolver's order; empty: refused.

    A name of which one address is refused is refused: that it has another is how a rebinding name looks.
    Raises: OSError, UnicodeError as ``resolve`` does.
    """
    found = [*dict.fromkeys((family, address) for family, _, _, _, address in resolve(name, port))]
    judged = all(public(ipaddress.ip_address(str(address[0]).partition("%")[0])) for _, address in found)
    return found if name in allowed or judged else []


def public(address: Address) -> bool:
    """Whether the address is one of the internet's, and neither it nor one within it is anything else."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC)
    return address in _UNICAST and not any(address in network for network in _NOT_UNICAST)


def _refusal(code: str, detail: str) -> Invalid:
    return Invalid("validation", "The webhook cannot be stored.", (Fault(code, detail, pointer="/url"),))


def _literal(name: str) -> Address | None:
    """The address that the resolver reads in a host without asking anybody: also ``127.1`` and ``0x7f000001``."""
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(name))
    except (OSError, UnicodeError):
        return None
