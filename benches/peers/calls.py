"""Calls that are more than a bare GET: what each costs, beside the peers that can make the same one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from load import LoadRun, run_load
from peers import HERE, LOCUSTFILES, Peer, locust_arguments, locusts, wrk_arguments
from target import Target

USERS = 64


@dataclass(frozen=True)
class Call:
    """`users`: how its user classes in `locustfiles/calls.py` begin. `wrk`: the options that make wrk send the same.

    `locust`: whether Locust can make it; `fast`: whether there is a user class of the fast client.
    """

    key: str
    label: str
    users: str
    path: str = "/"
    wrk: tuple[str, ...] | None = ()
    fast: bool = True
    locust: bool = True
    scheme: str = "http"

    def arguments(self, peer: Peer, url: str) -> list[str]:
        if peer.key == "wrk":
            return [*wrk_arguments(url, USERS)[:-1], *(self.wrk or ()), url + self.path]
        kind = "FastHttpUser" if peer.key.endswith("-fast") else "HttpUser"
        return [*locust_arguments(LOCUSTFILES / "calls.py", url, USERS), self.users + kind]

    def peers(self, known: list[Peer]) -> Iterator[Peer]:
        """Those that can make this call, made ready for it."""
        for peer in [*(peer for peer in known if peer.key == "wrk" and self.wrk is not None), *locusts(known)]:
            can = self.locust or peer.key.startswith("ours-")
            if can and (self.fast or not peer.key.endswith("-fast")):
                yield replace(peer, arguments=lambda url, _users, peer=peer: self.arguments(peer, url))


def twenty_headers() -> tuple[str, ...]:
    headers = [f"X-Header-{n}: value {n} of a header" for n in range(20)]
    cookies = "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark"
    return tuple(part for header in [*headers, cookies] for part in ("-H", header))


CALLS = [
    Call("json", "POST of JSON, answer read with .json()", "Json", wrk=("-s", str(HERE / "post.lua"))),
    Call("download", "GET of 1 MiB", "Download", path="/megabyte"),
    Call("catch", "catch_response=True, success()", "Catch"),
    Call("headers", "20 headers, two cookies, name=", "Headers", wrk=twenty_headers()),
    Call("sign", "auth= a function", "Sign", wrk=None, fast=False),
    *(
        Call(users.lower(), label, users, wrk=None, fast=False)
        for label, users in (
            ("a hook on the session", "Hooks"),
            ("a mounted adapter with retries", "Retry"),
            ("proxies=", "Proxy"),
            ("data= a generator", "Upload"),
            ("prepare_request(), send()", "Prepared"),
            ("cookies= a jar", "Jar"),
            ("a mounted adapter of an own class", "Adapter"),
            ("client.send replaced", "Replaced"),
        )
    ),
    Call("http2", "GET over HTTP/2 and TLS", "Http2", wrk=None, fast=False, locust=False, scheme="http2"),
]


@dataclass(frozen=True)
class CallRun:
    call: str
    load: LoadRun


def run_call(call: Call, peer: Peer, target: Target, seconds: float, folder: Path) -> CallRun:
    return CallRun(call.key, run_load(peer, target, call.scheme, USERS, seconds, folder))
