"""Where a probe's answers differ, and why: `on purpose`, `not there yet`, or a defect, in a sentence.

Such a probe is expected to fail, and the tests say so when it no longer does. What is kept on purpose is in
`docs/compatibility.md`, too.
"""

from __future__ import annotations

OTHER_WORDS = frozenset(
    [
        "HttpUser bodies: body that cannot be",
        "HttpUser breaking: bad chunk",
        "HttpUser breaking: tls verified",
        "HttpUser breaking: plain http to tls",
        "HttpUser breaking: tls to plain http",
        "HttpUser caught: context of the user that is wrong",
        "HttpUser failures: error of, /bad-chunk",
        "HttpUser failures: error of, /encoded/gzip-corrupt",
        "HttpUser failures: error of, /garbage",
        "HttpUser failures: malformed answer, /garbage",
        "HttpUser failures: timeout that cannot be, 0",
        "HttpUser failures: timeout that cannot be, -1",
        "HttpUser failures: timeout that cannot be, text",
        "HttpUser failures: timeout that cannot be, 5",
        "HttpUser failures: timeout that cannot be, (0, 1)",
        "HttpUser failures: timeout that cannot be, True",
        "HttpUser failures: timeout that cannot be, [1, 1]",
        "HttpUser parameters: url that is no text, b'/echo'",
        "HttpUser prepared: success of a sent response",
        "HttpUser proxies: that cannot be, nonsense://x",
        "HttpUser receiving: gzip corrupt",
        "HttpUser rest_blocks: caught keyword",
        "HttpUser session: verify false and true",
        "HttpUser session: verify by request",
        "HttpUser session: verify a file that is not its authority",
        "HttpUser session: too many arguments",
        "HttpUser session: missing url",
        "HttpUser streaming: too slow",
        "HttpUser ways: request of a broken body, /bad-chunk",
        "FastHttpUser breaking: bad chunk",
        "FastHttpUser breaking: plain http to tls",
        "FastHttpUser breaking: tls to plain http",
        "FastHttpUser failures: malformed answer fast, /garbage",
        "FastHttpUser failures: malformed answer fast, /two-lengths",
        "FastHttpUser failures: malformed answer fast, /length-and-chunked",
        "FastHttpUser fast_only: secure",
        "FastHttpUser fast_surface: max retries of one call",
        "FastHttpUser receiving: gzip corrupt",
        "FastHttpUser redirects: limit of one call",
        "FastHttpUser rest_blocks: caught keyword",
    ]
)
"""Errors told in words of our own. That it is told, and the exceptions' classes, are compared."""

REASONS: dict[str, list[str]] = {
    "on purpose: Locust takes a 103 for the response itself": [
        "HttpUser receiving: informational",
    ],
    "on purpose: `request_meta` itself cannot be replaced": [
        "HttpUser caught: meta replaced",
        "FastHttpUser caught: meta replaced",
    ],
    "on purpose: `stream` of the session is heeded, Locust counts such a response when it is read": [
        "HttpUser streaming: of the session",
    ],
    "on purpose: `urlopen` asks for encodings, too, as all requests of the session do": [
        "FastHttpUser fast_session: urlopen",
    ],
    "on purpose: a `gevent.Timeout` of the locustfile's is its own, as with the other client": [
        "FastHttpUser caught: gevent timeout around",
    ],
    "on purpose: a body whose length is told in two ways is refused": [
        "HttpUser failures: malformed answer, /two-lengths",
        "HttpUser failures: malformed answer, /length-and-chunked",
    ],
    "on purpose: a connection whose redirect was read whole is used again": [
        "FastHttpUser redirects: of a large body is read",
    ],
    "on purpose: a dict as the session's cookies is taken; requests fails with the response": [
        "HttpUser cookies: of the session replaced by a dict",
    ],
    "on purpose: a folded header line is refused": [
        "HttpUser responses: head, b'HTTP/1.1 200 OK\\r\\nX-Folded: a\\r\\n b\\r\\nContent-Length: 0\\r\\n\\r\\n'",
    ],
    "on purpose: a header of one's own counts in any case; geventhttpclient knows two spellings of some": [
        "FastHttpUser headers: override of a default in another case",
    ],
    "on purpose: a header's name that is no text is a failed request": [
        "HttpUser headers: name, 5",
    ],
    "on purpose: a host name that cannot be resolved is a failed request, whatever is wrong with it": [
        "HttpUser failures: url that is none, http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/",
        "FastHttpUser failures: url that is none fast, http://a..b/",
    ],
    "on purpose: a method that is no text is sent as text, for the server to refuse": [
        "HttpUser session: verb that is none, None",
        "HttpUser session: verb that is none, 5",
        "HttpUser session: verb that is none, b'GET'",
    ],
    "on purpose: a request can be prepared before the first one is sent; Locust raises": [
        "HttpUser prepared: before the first request",
    ],
    "on purpose: a request that arrived and got no answer is not sent again; Locust sends it four times": [
        "FastHttpUser breaking: closed without an answer",
        "FastHttpUser breaking: reset",
        "FastHttpUser breaking: after a failure the client goes on",
        "FastHttpUser failures: many failures in a row",
        "FastHttpUser failures: head of a failure",
    ],
    "on purpose: an empty form has a length of 0; requests sends it in no chunks at all": [
        "HttpUser bodies: form, {'a': None}",
    ],
    "on purpose: credentials in an absolute URL are sent; geventhttpclient drops them": [
        "FastHttpUser parameters: credentials in an absolute url",
    ],
    "on purpose: geventhttpclient itself is not installed; a pool is `locust.contrib.fasthttp`'s": [
        "FastHttpUser fast_surface: pool shared",
    ],
    "on purpose: it works, where Locust raises": [
        "FastHttpUser auth: pair as of the fast client, ('u', 5)",
        "FastHttpUser bodies: body, bytearray(b'mutable')",
        "FastHttpUser caught: verdict by time",
        "HttpUser ways: no context, plain",
        "HttpUser ways: no context, hook",
        "FastHttpUser fast_surface: error response bool",
    ],
    "on purpose: listeners get the response that the task has": [
        "FastHttpUser fast_surface: listeners get a fast response",
    ],
    "on purpose: long header lines are read, and too many headers are a malformed answer": [
        "HttpUser failures: malformed answer, /huge-header?bytes=100000",
        "HttpUser failures: malformed answer, /endless-headers",
    ],
    "on purpose: each user has connections of its own, also where users share an adapter": [
        "HttpUser adapters: of its own for two users",
        "HttpUser adapters: of its own used elsewhere",
    ],
    "on purpose: names in the statistics are text": [
        "HttpUser caught: name that is no text, 5",
        "HttpUser caught: name that is no text, ('a', 'b')",
        "HttpUser caught: name that is no text, ['list']",
        "FastHttpUser caught: name that is no text, 5",
        "FastHttpUser caught: name that is no text, ('a', 'b')",
        "FastHttpUser caught: name that is no text, ['list']",
    ],
    "on purpose: no `&` after the query for a parameter without a value": [
        "FastHttpUser breaking: timeout none",
    ],
    "on purpose: one connection serves a hook's requests, a prepared one, and a stream whose end is here": [
        "HttpUser hooks: sending another request",
        "HttpUser prepared: sent with arguments",
        "HttpUser streaming: raw of an encoded body",
        "HttpUser streaming: two at once",
        "HttpUser streaming: length counted",
    ],
    "on purpose: pairs as headers are taken; requests raises": [
        "HttpUser headers: pairs",
    ],
    "on purpose: pairs or text as the session's params are sent; requests drops them": [
        "HttpUser parameters: params of the session as pairs and text",
    ],
    "on purpose: space around a Location is no part of it": [
        "HttpUser redirects: location,  /echo ",
        "FastHttpUser redirects: location,  /echo ",
    ],
    "on purpose: the body is given as it is, where Locust raises": [
        "FastHttpUser receiving: unknown encoding",
    ],
    "on purpose: the history has the URL of each hop, where Locust has the last one in all": [
        "FastHttpUser receiving: redirect",
    ],
    "`LocustUserAgent` has no `response_type` and `request_type`": [
        "FastHttpUser fast_surface: seams of the agent",
    ],
    "a list as `auth` is ignored": [
        "FastHttpUser auth: pair as of the fast client, ['u', 'p']",
    ],
    "a response's request has its body as bytes, and its cookies in a header alone": [
        "HttpUser responses: request",
        "HttpUser responses: request cookies",
        "HttpUser responses: raise for status has both",
    ],
    "a stream that breaks before its head was handed over has failed at once": [
        "HttpUser streaming: bad chunk",
    ],
    "through a proxy no `Connection: keep-alive` is sent, CONNECT has a Host, the fast client an Accept": [
        "HttpUser proxies: of a request",
        "HttpUser proxies: of the session",
        "HttpUser proxies: of the session updated",
        "HttpUser proxies: with credentials",
        "HttpUser proxies: for one host",
        "HttpUser proxies: for all",
        "HttpUser proxies: https through a tunnel",
        "HttpUser proxies: https through a tunnel with credentials",
        "HttpUser proxies: without a scheme",
        "HttpUser proxies: environment trusted",
        "HttpUser proxies: environment trusted with exceptions",
        "HttpUser proxies: redirect through it",
        "FastHttpUser proxies: of the class",
        "FastHttpUser proxies: of the class with tls",
    ],
    "the words of the error differ, and it comes after the request": [
        "FastHttpUser caught: context of the user that is wrong",
    ],
}

DIFFERENT = {probe: reason for reason, probes in REASONS.items() for probe in probes}
