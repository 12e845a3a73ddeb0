"""Where a probe's answers differ, and why: `on purpose`, `not there yet`, or a defect, in a sentence.

Such a probe is expected to fail, and the tests say so when it no longer does. What is kept on purpose is in
`docs/compatibility.md`, too.
"""

from __future__ import annotations

OTHER_WORDS = frozenset(
    {
        "HttpUser breaking: bad chunk",
        "HttpUser breaking: tls verified",
        "HttpUser breaking: plain http to tls",
        "HttpUser breaking: tls to plain http",
        "HttpUser receiving: gzip corrupt",
        "FastHttpUser breaking: tls to plain http",
        "FastHttpUser fast_only: secure",
    }
)
"""What is wrong with a response or a certificate is said in words of our own. The exceptions' classes are compared."""

SENT_AGAIN = "on purpose: a request that arrived and got no answer is not sent again; Locust sends it four times"
CLASSES = "the exception's classes are others than geventhttpclient's"

DIFFERENT: dict[str, str] = {
    "FastHttpUser fast_session: urlopen": "on purpose: `urlopen` asks for encodings, too, as all requests of the session do",
    "HttpUser receiving: informational": "on purpose: Locust takes a 103 for the response itself",
    "FastHttpUser breaking: closed without an answer": SENT_AGAIN,
    "FastHttpUser breaking: reset": SENT_AGAIN,
    "FastHttpUser breaking: after a failure the client goes on": SENT_AGAIN,
    "FastHttpUser breaking: bad chunk": CLASSES,
    "FastHttpUser breaking: timeout none": "on purpose: no `&` after the query for a parameter without a value",
    "FastHttpUser breaking: plain http to tls": CLASSES,
    "FastHttpUser receiving: unknown encoding": "on purpose: the body is given as it is, where Locust raises",
    "FastHttpUser receiving: gzip corrupt": "the words of zlib's second call, not of the one that found it",
    "FastHttpUser receiving: redirect": "on purpose: the history has the URL of each hop, where Locust has the last one in all",
}
