"""`POST /swarm` without the class picker: every field, in every shape that it may come in."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")

class Visitor(User):
    wait_time = constant(0.05)

    @task
    def look(self):
        _count("/look")

_fired = []

@_events.test_start.add_listener
def _(environment, **_):
    _fired.append(("test_start", environment.host, environment.parsed_options.region))

@_events.test_stop.add_listener
def _(**_):
    _fired.append("test_stop")

@_events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--region", choices=["eu", "us"], default="eu", help="Where to")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--nothing")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--names", nargs="*", default=["a"])
    parser.add_argument("--numbers", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--arg1", default="first")
    parser.add_argument("--token", is_secret=True, default="s3cret")
    parser.add_argument("--inner", include_in_web_ui=False, default="in")
"""

OPTIONS = "{name: vars(environment.parsed_options)[name] for name in '%s'.split()}"


def seen_options(web: Web, *names: str) -> None:
    web.see(OPTIONS % " ".join(names))


def a_test_starts(web: Web) -> None:
    web.inside("_fired.clear()")
    web.post("/swarm", {"user_count": 2, "spawn_rate": 100, "host": "http://shop.example"})
    web.until("environment.runner.state == 'running'")
    web.see("environment.runner.user_count", "environment.host", "_fired", "environment.runner.target_user_count")
    seen_options(web, "num_users", "spawn_rate", "host", "user_classes", "run_time", "profile")
    web.post("/stop")
    web.see("environment.runner.state", "environment.runner.user_count", "_fired")
    web.see_log()


def more_users_while_it_runs(web: Web) -> None:
    web.start(2)
    web.inside("_fired.clear()")
    web.until("environment.stats.total.num_requests > 3")
    web.post("/swarm", {"user_count": 4, "spawn_rate": 100})
    web.until("environment.runner.user_count == 4")
    web.see("environment.stats.total.num_requests > 3", "_fired", "environment.runner.target_user_count")


def fewer_users_while_it_runs(web: Web) -> None:
    web.start(4)
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100})
    web.until("environment.runner.user_count == 1")
    web.see("environment.runner.state")


def no_users_at_all(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1})
    web.until("environment.runner.state == 'running'")
    web.see("environment.runner.user_count")


def the_answer_comes_before_the_users(web: Web) -> None:
    answer = web.post("/swarm", {"user_count": 5, "spawn_rate": 1})
    assert answer.json["success"]
    web.see("environment.runner.user_count < 5")


def a_start_that_is_under_way_is_called_off(web: Web) -> None:
    web.post("/swarm", {"user_count": 50, "spawn_rate": 1})
    web.until("environment.runner.user_count > 0")
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100})
    web.until("environment.runner.state == 'running'")
    web.see("environment.runner.user_count", "environment.runner.target_user_count")


def stopped_while_it_starts(web: Web) -> None:
    web.post("/swarm", {"user_count": 50, "spawn_rate": 1})
    web.until("environment.runner.user_count > 0")
    web.post("/stop")
    web.see("environment.runner.user_count", "environment.runner.state")


def started_again_after_a_stop(web: Web) -> None:
    web.start(1)
    web.until("environment.stats.total.num_requests > 0")
    web.post("/stop")
    web.inside("_fired.clear()")
    web.inside("[_count('/before') for _ in range(3)]")
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100})
    web.until("environment.runner.state == 'running'")
    web.see("_fired", "('/before', 'GET') in environment.stats.entries")


def without_fields(web: Web) -> None:
    web.post("/swarm")
    web.see("environment.runner.state")
    web.see_log()


def without_a_rate(web: Web) -> None:
    web.post("/swarm", {"user_count": 3})
    seen_options(web, "num_users", "spawn_rate")
    web.see_log()


def without_a_count(web: Web) -> None:
    web.post("/swarm", {"spawn_rate": 3, "host": "http://kept"})
    seen_options(web, "num_users", "spawn_rate", "host")
    web.see("environment.host")


def a_count_that_is_no_number(web: Web) -> None:
    web.post("/swarm", {"user_count": "x", "spawn_rate": 1})
    web.see_log()


def a_count_that_is_not_whole(web: Web) -> None:
    web.post("/swarm", {"user_count": "1.5", "spawn_rate": 1})
    web.post("/swarm", {"user_count": "", "spawn_rate": 1})
    web.post("/swarm", {"user_count": "1e3", "spawn_rate": 1})
    web.see_log()


def a_count_below_zero(web: Web) -> None:
    web.post("/swarm", {"user_count": "-1", "spawn_rate": 1})
    seen_options(web, "num_users", "spawn_rate")
    web.see_log()


def counts_as_python_reads_them(web: Web) -> None:
    for count in (" 2 ", "+2", "0_2", "\u0662"):
        web.post("/swarm", {"user_count": count, "spawn_rate": 100})
        web.until("environment.runner.user_count == 2")
        web.quietly("POST", "/stop")


def a_rate_that_is_no_number(web: Web) -> None:
    web.post("/swarm", {"user_count": 1, "spawn_rate": "fast"})
    web.post("/swarm", {"user_count": 1, "spawn_rate": ""})
    web.see_log()


def a_rate_of_nothing(web: Web) -> None:
    web.post("/swarm", {"user_count": 1, "spawn_rate": 0})
    web.post("/swarm", {"user_count": 1, "spawn_rate": "-2"})
    web.see_log()


def a_rate_that_is_not_finite(web: Web) -> None:
    for rate in ("inf", "-inf", "nan", "Infinity", "1e400"):
        web.post("/swarm", {"user_count": 1, "spawn_rate": rate})
    web.see_log()


def a_rate_that_is_a_fraction(web: Web) -> None:
    web.post("/swarm", {"user_count": 1, "spawn_rate": "0.5"})
    seen_options(web, "spawn_rate")


def fields_before_a_bad_one_are_kept_and_those_after_too(web: Web) -> None:
    web.post(
        "/swarm", [("region", "us"), ("user_count", "x"), ("spawn_rate", "7"), ("count", "9"), ("host", "http://h")]
    )
    seen_options(web, "region", "num_users", "spawn_rate", "count", "host")
    web.see("environment.host")


def fields_after_a_bad_rate(web: Web) -> None:
    web.post("/swarm", [("spawn_rate", "x"), ("user_count", "4"), ("count", "9"), ("host", "http://h")])
    seen_options(web, "num_users", "spawn_rate", "count", "host")
    web.see("environment.host")


def a_host(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "host": "https://shop.example/base"})
    web.see("environment.host")
    seen_options(web, "host")


def an_empty_host(web: Web) -> None:
    web.inside("setattr(environment, 'host', 'http://before')")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "host": ""})
    web.see("environment.host")
    seen_options(web, "host")


def a_host_with_angles(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "host": "http://<script>alert(1)</script>&\"'"})
    web.see("environment.host")
    seen_options(web, "host")


def a_host_that_is_not_named_is_left(web: Web) -> None:
    web.inside("setattr(environment, 'host', 'http://before')")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1})
    web.see("environment.host")


def a_run_time(web: Web) -> None:
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100, "run_time": "1s"})
    seen_options(web, "run_time")
    web.until("environment.runner.state == 'running'")
    web.until("environment.runner.state == 'stopped'")
    web.see("environment.runner.user_count")
    web.see_log("locust")


def run_times_of_every_form(web: Web) -> None:
    for time in ("90", "3m", "1h20m", "1h30m10s", "0"):
        web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "run_time": time})
        seen_options(web, "run_time")


def an_empty_run_time(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "run_time": ""})
    seen_options(web, "run_time")


def a_run_time_that_is_none(web: Web) -> None:
    for time in ("soon", "1h30", "1.5h", "-1", " 5"):
        web.post("/swarm", {"user_count": 1, "spawn_rate": 1, "run_time": time, "count": 8})
    seen_options(web, "run_time", "count", "num_users")
    web.see("environment.runner.state")
    web.see_log()


def a_later_test_has_not_the_run_time_of_the_one_before(web: Web) -> None:
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100, "run_time": "1s"})
    web.post("/swarm", {"user_count": 2, "spawn_rate": 100})
    web.until("environment.runner.user_count == 2")
    web.inside("_gevent.sleep(1.3)")
    web.see("environment.runner.state")


def a_stop_ends_the_run_time(web: Web) -> None:
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100, "run_time": "1s"})
    web.until("environment.runner.state == 'running'")
    web.post("/stop")
    web.inside("environment.runner.start(1, 100)")
    web.inside("_gevent.sleep(1.3)")
    web.see("environment.runner.state")


def a_profile(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "profile": "night"})
    web.see("environment.profile")
    seen_options(web, "profile")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1})
    web.see("environment.profile")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "profile": ""})
    web.see("environment.profile")
    seen_options(web, "profile")


def an_argument_of_the_locustfile(web: Web) -> None:
    web.inside("_fired.clear()")
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100, "region": "us"})
    web.until("environment.runner.state == 'running'")
    web.see("_fired")
    seen_options(web, "region")


def a_choice_that_there_is_not(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "region": "mars"})
    seen_options(web, "region")


def numbers(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "count": "12", "share": "0.25"})
    seen_options(web, "count", "share")


def a_number_that_is_none(web: Web) -> None:
    web.post("/swarm", [("share", "1"), ("count", "many"), ("region", "us"), ("user_count", "1"), ("spawn_rate", "1")])
    seen_options(web, "count", "share", "region", "num_users")
    web.see("environment.runner.state")
    web.see_log()


def a_flag(web: Web) -> None:
    for value in ("true", "false", "True", "on", "1", ""):
        web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "fast": value})
        seen_options(web, "fast")


def what_was_not_given_is_text(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "nothing": "5"})
    seen_options(web, "nothing")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "nothing": ""})
    seen_options(web, "nothing")


def lists(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "names": "x,y, z"})
    seen_options(web, "names")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "names": ["p", "q"]})
    seen_options(web, "names")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "names": ["p,r", "q"]})
    seen_options(web, "names")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "names": ""})
    seen_options(web, "names")


def lists_of_numbers(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "numbers": "4,5"})
    seen_options(web, "numbers")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "numbers": ["6", "7"]})
    seen_options(web, "numbers")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "numbers": "8,x"})
    seen_options(web, "numbers")


def a_name_with_a_digit(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "arg1": "second"})
    seen_options(web, "arg1")


def options_of_locusts_own(web: Web) -> None:
    web.post(
        "/swarm",
        {"user_count": 0, "spawn_rate": 1, "stop_timeout": "3", "tags": "a", "reset_stats": "true", "inner": "changed"},
    )
    seen_options(web, "stop_timeout", "tags", "reset_stats", "inner")
    web.see("environment.stop_timeout", "environment.reset_stats")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "stop_timeout": "3.5"})


def names_that_there_are_not(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "unheard_of": "5"})
    web.see("hasattr(environment.parsed_options, 'unheard_of')")


def user_classes_without_the_picker(web: Web) -> None:
    web.post("/swarm", {"user_count": 2, "spawn_rate": 100, "user_classes": "Buyer"})
    web.until("environment.runner.state == 'running'")
    web.see("environment.runner.user_classes_count")
    seen_options(web, "user_classes")


def a_shape_class_without_the_picker(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "shape_class": "Nobody"})


def a_field_twice(web: Web) -> None:
    web.post(
        "/swarm", [("user_count", "1"), ("user_count", "2"), ("spawn_rate", "100"), ("region", "us"), ("region", "eu")]
    )
    seen_options(web, "num_users", "region")


def a_form_in_parts(web: Web) -> None:
    part = '--X\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    fields = {"user_count": "1", "spawn_rate": "100", "host": "http://parts", "region": "us", "names": "é,ü"}
    body = "".join(part % field for field in fields.items()) + "--X--\r\n"
    web.ask("POST", "/swarm", body.encode(), {"Content-Type": "multipart/form-data; boundary=X"})
    seen_options(web, "num_users", "region", "names")


def json_is_no_form(web: Web) -> None:
    web.post_json("/swarm", {"user_count": 1, "spawn_rate": 1})
    web.see_log()


def no_content_type(web: Web) -> None:
    web.ask("POST", "/swarm", "user_count=1&spawn_rate=1", {"Content-Type": "text/plain"})


def fields_in_the_query_do_not_count(web: Web) -> None:
    web.post("/swarm?user_count=1&spawn_rate=1")


def text_beyond_ascii(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "nothing": "Zürich ✓", "profile": "Größe +1 %"})
    seen_options(web, "nothing", "profile")


def a_secret_is_set_as_any_other(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "token": "new"})
    seen_options(web, "token")


def what_the_page_tells_of_a_secret(web: Web) -> None:
    web.note("secret", web.quietly("GET", "/").args["extra_options"]["token"])


def no_runner(web: Web) -> None:
    web.inside("globals().update(_runner=environment.runner); environment.runner = None")
    try:
        web.post("/swarm", {"user_count": 1, "spawn_rate": 1})
        web.post("/swarm", {"user_count": 1, "host": "http://x"})
        web.post("/swarm", {"user_count": 1, "spawn_rate": 1, "run_time": "5"})
        web.see_log()
    finally:
        web.inside("environment.runner = _runner")


def a_rate_beyond_what_is_wise(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": "101"})
    web.until("environment.runner.state == 'running'")
    web.see_log("locust.runners")
