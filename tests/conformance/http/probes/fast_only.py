"""What `FastHttpUser` alone has."""

from __future__ import annotations

from ..probe import fast


@fast
def the_class(client, locust, say):
    r = client.get("/json")
    say(type(r).__name__, type(client).__name__, isinstance(client, locust.contrib.fasthttp.FastHttpSession))


@fast
def default_headers(user, another):
    user = another(user, default_headers={"X-Mine": "1"})
    user.client.get("/echo", headers={"X-Other": "2"})


@fast
def network_timeout(user, another, say):
    user = another(user, network_timeout=0.1)
    say(user.client.get("/delay?ms=3000").status_code)


@fast
def connection_timeout(user, another, say):
    user = another(user, connection_timeout=0.5)
    say(user.client.get("/json").status_code)


@fast
def max_redirects(user, another, say):
    user = another(user, max_redirects=1)
    say(user.client.get("/redirect/3").status_code)


@fast
def secure(user, another, tls, say):
    user = another(user, insecure=False)
    say(user.client.get(tls + "/json").status_code)


@fast
def unknown_arguments_become_query(client):
    client.get("/echo", nonsense=1)


@fast
def unknown_arguments_become_a_form(client):
    client.post("/echo", a="b")


@fast
def auth_pair(client):
    client.get("/echo", auth=("u", "p"))


@fast
def str_of_a_failed_one(client, say):
    r = client.get("/status/404")
    say(str(r.error), r.ok, r.status_code)
