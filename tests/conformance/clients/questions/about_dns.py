"""`locust.contrib.dns`."""

from __future__ import annotations

import dns.message
from asking import ask, environment, own

from locust.contrib.dns import DNSClient, DNSUser


def questions(address: str) -> None:
    host, port = address.split(":")
    user = DNSUser(environment())
    shop, empty, unknown = (dns.message.make_query(name, "A") for name in ("shop.test", "empty.test", "other.test"))
    ask("a name that is there", lambda: user.client.udp(shop, host, port=int(port)))
    ask("a name for it", lambda: user.client.udp(shop, host, port=int(port), name="look up"))
    ask("over TCP", lambda: user.client.tcp(shop, host, port=int(port), timeout=5))
    ask("no address", lambda: user.client.udp(empty, host, port=int(port)))
    ask("no such name", lambda: user.client.udp(unknown, host, port=int(port)))
    ask("nobody answers", lambda: user.client.udp(shop, "127.0.0.1", port=1, timeout=0.01))
    ask("nobody accepts", lambda: user.client.tcp(shop, "127.0.0.1", port=1, timeout=5))
    ask("a method that is none", lambda: user.client.carrier_pigeon)
    ask("a call of a method that is none", lambda: user.client.carrier_pigeon(shop))
    ask("wrong arguments", lambda: user.client.udp(shop))
    ask("what the user has", lambda: [type(user.client) is DNSClient, own(DNSUser)])
