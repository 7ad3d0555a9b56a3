"""Which addresses are public, whichever way they are written."""

from ipaddress import ip_address

import pytest

from app.errors import Invalid
from app.settings import Settings
from app.sync import addresses

REFUSED = (
    "0.0.0.1", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808",
    "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1", "2001:db8::1",
    "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255",
    "2001:200::1", "2400:cb00::1", "2606:4700::1111", "2a00:1450::1",
)  # fmt: skip
WRITTEN = (
    "127.1", "0x7f000001", "2130706433", "017700000001", "①②⑦.0.0.1", "127.0.0.1.", "127.0.0.1。", "[::ffff:127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]", "[::127.0.0.1]", "[fe80::1%25eth0]", "169.254.169.254", "localhost", "LOCALHOST.",
    "a.localhost",
)  # fmt: skip
"""The same and the like, as people write them who try."""


class TestPublic:
    @pytest.mark.parametrize("address", REFUSED)
    def test_what_leads_into_a_network_is_not(self, address: str) -> None:
        assert not addresses.public(ip_address(address))

    @pytest.mark.parametrize("address", PUBLIC)
    def test_the_internet_is(self, address: str) -> None:
        assert addresses.public(ip_address(address))


class TestDemand:
    @pytest.mark.parametrize("host", WRITTEN)
    def test_what_is_plainly_not_public_is_refused_when_it_is_written(self, host: str) -> None:
        with pytest.raises(Invalid) as raised:
            addresses.demand(f"https://{host}:8443/hook", ())
        (fault,) = raised.value.faults
        assert (fault.code, fault.pointer) == ("address-refused", "/url")

    @pytest.mark.parametrize(
        "host", ["hooks.example.jp", "菊.example.jp", "10.example.jp", "1.1.1.1", "[2606:4700::1]"]
    )
    def test_names_and_public_addresses_are_taken(self, host: str) -> None:
        addresses.demand(f"https://{host}/hook", ())

    def test_the_operator_may_allow_a_host_and_no_other(self) -> None:
        addresses.demand("http://127.0.0.1:9000/", ("127.0.0.1", "::1"))
        addresses.demand("http://[::1]:9000/", ("127.0.0.1", "::1"))
        with pytest.raises(Invalid):
            addresses.demand("http://127.0.0.2/", ("127.0.0.1",))


class TestHost:
    def test_it_is_what_is_resolved(self) -> None:
        urls = ("https://Hooks.Example.JP.:8443/a", "https://菊.example.jp", "http://①②⑦.0.0.1/", "http://[::1]/")
        assert [*map(addresses.host, urls)] == ["hooks.example.jp", "xn--kp1a.example.jp", "127.0.0.1", "::1"]

    def test_what_the_operator_allows_may_be_written_as_an_address_may(self) -> None:
        settings = Settings(webhook_allowed_hosts="菊.Example.jp., [::1], Kiku.local.")  # type: ignore[arg-type]
        for url in ("http://菊.example.jp/", "http://[::1]/", "http://kiku.local./"):
            assert addresses.host(url) in settings.webhook_allowed_hosts
