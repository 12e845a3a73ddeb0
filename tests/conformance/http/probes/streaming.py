"""Streams: a response handed over before its body is read."""

from __future__ import annotations

from ..probe import both, fast, http


@http
def iter_content(client, say):
    r = client.get("/bytes/5000", stream=True)
    say(r.status_code, r.headers["content-length"], [len(part) for part in r.iter_content(1000)])


@http
def iter_content_without_a_size(client, say):
    r = client.get("/bytes/50", stream=True)
    say(b"".join(r.iter_content(None)) == client.get("/bytes/50").content)


@http
def iter_content_of_one_byte(client, say):
    say([part.decode("latin-1") for part in client.get("/json", stream=True).iter_content()])


@http
def iter_content_as_text(client, say):
    say("".join(client.get("/json", stream=True).iter_content(4, decode_unicode=True)))


@http.each("\n", None, "\r\n", ",")
def iter_lines(client, say, target, value):
    target.respond("/lines", body="one\ntwo\r\nthree,four\n\nlast")
    say([line.decode() for line in client.get("/lines", stream=True).iter_lines(delimiter=value and value.encode())])


@http
def iter_lines_as_text(client, say, target):
    target.respond("/lines", body="eins\nzwei ü\n", headers={"content-type": "text/plain; charset=utf-8"})
    say(list(client.get("/lines", stream=True).iter_lines(chunk_size=3, decode_unicode=True)))


@http
def raw_read(client, say):
    r = client.get("/bytes/100", stream=True)
    say(len(r.raw.read(10)), len(r.raw.read(20)), len(r.raw.read()), len(r.raw.read()))


@http
def raw_as_seen(client, say):
    r = client.get("/json", stream=True)
    say(r.raw.status, r.raw.reason, r.raw.version, r.raw.headers["content-type"], r.raw.closed)
    r.raw.read(decode_content=True)
    say(r.raw.read(), r.raw.isclosed())


@http
def raw_of_an_encoded_body(client, say):
    r = client.get("/encoded/gzip", stream=True)
    say(r.raw.read(2) == b"\x1f\x8b")
    r = client.get("/encoded/gzip", stream=True)
    say(b"".join(r.iter_content(10)).decode() == client.get("/encoded/gzip").text)


@http
def raw_stream(client, say):
    r = client.get("/bytes/100", stream=True)
    say([len(part) for part in r.raw.stream(40)])


@http
def content_read_later(client, say):
    r = client.get("/json", stream=True)
    say(r._content_consumed, r.content == client.get("/json").content, r.text, r._content_consumed)


@http
def json_read_later(client, say):
    say(client.get("/json", stream=True).json())


@http
def content_after_iterating(client, say):
    r = client.get("/json", stream=True)
    list(r.iter_content(10))
    r.content


@http
def iterated_twice(client, say):
    r = client.get("/json", stream=True)
    say(len(list(r.iter_content(5))))
    list(r.iter_content(5))


@http
def iterated_after_content(client, say):
    r = client.get("/json", stream=True)
    r.content
    say([len(part) for part in r.iter_content(5)], [line.decode() for line in r.iter_lines()])


@http
def closed(client, say):
    r = client.get("/bytes/1000000", stream=True)
    r.close()
    say(client.get("/json").status_code)


@http
def abandoned(client, say):
    r = client.get("/bytes/10000000", stream=True)
    next(r.iter_content(10))
    r.close()
    say(client.get("/json").status_code)


@http
def within_a_with(client, say):
    with client.get("/json", stream=True, catch_response=True) as r:
        say(r.json())


@http
def judged_by_its_content(client, say):
    with client.get("/bytes/100", stream=True, catch_response=True) as r:
        if len(b"".join(r.iter_content(30))) == 100:
            r.failure("a hundred bytes")


@http
def chunked(client, say):
    r = client.get("/chunked/500?chunk=100", stream=True)
    say(sum(len(part) for part in r.iter_content(64)))
    r = client.get("/chunked/500?chunk=100", stream=True)
    say([len(part) for part in r.iter_content(None)])


@http
def as_it_drips(client, say):
    r = client.get("/drip?bytes=4&ms=20", stream=True)
    say(r.request_meta["response_time"] < 60, [len(part) for part in r.iter_content(None)])


@http
def without_a_body(client, say):
    for path in ("/no-content", "/not-modified", "/bytes/0"):
        r = client.get(path, stream=True)
        say(r.status_code, list(r.iter_content(5)), r.content)


@http
def redirected(client, say):
    r = client.get("/redirect/2", stream=True)
    say(r.status_code, len(r.history), r.json())


@http
def failing_status(client, say):
    r = client.get("/status/500", stream=True)
    say(r.status_code, r.text)


@http
def broken_off(client, say):
    r = client.get("/close-mid-body", stream=True)
    say(r.status_code)
    list(r.iter_content(10))


@http
def reset_on_the_way(client, say):
    r = client.get("/reset-mid-body", stream=True)
    say(r.status_code)
    list(r.iter_content(None))


@http
def bad_chunk(client, say):
    r = client.get("/bad-chunk", stream=True)
    say(r.status_code)
    list(r.iter_content(10))


@http
def corrupt(client, say):
    r = client.get("/encoded/gzip-corrupt", stream=True)
    say(r.status_code)
    list(r.iter_content(10))


@http
def too_slow(client, say):
    r = client.get("/drip?bytes=10&ms=400", stream=True, timeout=0.1)
    say(r.status_code)
    list(r.iter_content(1))


@http
def of_the_session(client, say):
    client.stream = True
    r = client.get("/json")
    say(r._content_consumed, r.text)
    r = client.get("/json", stream=False)
    say(r._content_consumed)


@http
def two_at_once(client, say):
    one, two = client.get("/bytes/100", stream=True), client.get("/bytes/200", stream=True)
    say(len(two.content), len(one.content))


@http
def connection_is_used_again_after_the_end(client):
    client.get("/json", stream=True).content
    client.get("/json")


@http
def length_counted(client, say):
    r = client.get("/chunked/500", stream=True)
    say(r.request_meta["response_length"])
    r = client.get("/bytes/500", stream=True)
    say(r.request_meta["response_length"])


@fast
def fast_iter_content(client, say):
    r = client.get("/bytes/100", stream=True)
    say(sum(len(part) for part in r.iter_content(chunk_size=30)))


@fast
def fast_iter_lines(client, say, target):
    target.respond("/lines", body="one\ntwo\n\nlast")
    say(list(client.iter_lines("/lines")))
    say(list(client.iter_lines("/lines", method="POST", data="x", name="named")))


@fast
def fast_iter_lines_of_a_failure(client):
    list(client.iter_lines("/status/404"))


@fast
def fast_content_later(client, say):
    r = client.get("/json", stream=True)
    say(r.status_code, bytes(r.content), r.text, r.json())


@fast
def fast_stream_read(client, say):
    r = client.get("/bytes/100", stream=True)
    say(len(r.stream.read(10)), len(r.stream.read(1000)))


@fast
def fast_read(client, say):
    r = client.get("/bytes/100", stream=True)
    say(len(r.read(10)), len(r.read()))


@fast
def fast_within_a_with(client, say):
    with client.get("/json", stream=True, catch_response=True) as r:
        say(r.json())
        r.failure("no")


@fast
def fast_abandoned(client, say):
    r = client.get("/bytes/10000000", stream=True)
    r.release()
    say(client.get("/json").status_code)


@fast
def fast_lengths(client, say):
    client.get("/bytes/500", stream=True).content
    client.get("/chunked/500", stream=True).content


@both
def false(client, say):
    say(len(client.get("/bytes/10", stream=False).content))
