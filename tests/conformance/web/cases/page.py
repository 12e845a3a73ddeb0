"""The page and what it is told: arguments of the locustfile, hosts, what was asked for before."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = '''
from locust import FastHttpUser, HttpUser, LoadTestShape, User, constant, task

class Buyer(HttpUser):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")

class Visitor(FastHttpUser):
    wait_time = constant(0.05)

    @task(2)
    def look(self):
        _count("/look")

    @task
    def search(self):
        _count("/search")

class Silent(User):
    """Needs no host, and tells of itself in its own way."""
    @task
    def wait_for_it(self):
        _gevent.sleep(0.05)

    @classmethod
    def json(cls):
        return {"host": cls.host, "mood": "quiet", "list": [1, None]}

@_events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--region", choices=["eu", "us"], default="eu", help="Where to <b>")
    parser.add_argument("--count", type=int, default=3, is_required=True)
    parser.add_argument("--share", type=float, default=0.5, env_var="SHARE")
    parser.add_argument("--nothing")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--names", nargs="*", default=["a"], choices=["a", "b"], is_multiple=True)
    parser.add_argument("--arg1", default="first")
    parser.add_argument("--from-the-line", default="not this")
    parser.add_argument("--inner", include_in_web_ui=False, default="in")
    parser.add_argument_group("Others").add_argument("--grouped")
'''
ARGUMENTS = ["--from-the-line", "typed", "-u", "7", "-r", "2.5", "-t", "1m"]

KEYS = [
    "tasks",
    "state",
    "user_count",
    "worker_count",
    "is_distributed",
    "num_users",
    "spawn_rate",
    "run_time",
    "profile",
]


def _told(web: Web, *keys: str) -> None:
    args = web.quietly("GET", "/").args
    for key in keys:
        web.note(key, args.get(key, "not there"))


def the_page(web: Web) -> None:
    web.get("/")


def arguments_of_the_locustfile(web: Web) -> None:
    _told(web, "extra_options")


def what_was_asked_for_on_the_command_line(web: Web) -> None:
    _told(web, "num_users", "spawn_rate", "run_time", "profile")


def after_a_start(web: Web) -> None:
    web.start(2, host="http://asked.example", profile="day", region="us", run_time="3m")
    _told(web, "num_users", "spawn_rate", "run_time", "profile", "host", "state", "user_count", "extra_options")


def while_users_come(web: Web) -> None:
    web.post("/swarm", {"user_count": 20, "spawn_rate": 5})
    web.until("environment.runner.state == 'spawning'")
    _told(web, "state", "num_users", "spawn_rate")


def after_a_stop(web: Web) -> None:
    web.start(2)
    web.quietly("POST", "/stop")
    _told(web, *KEYS)


def as_programs_look_for_it(web: Web) -> None:
    web.start(2)
    text = web.quietly("GET", "/").text
    for looked_for in (
        '"state": "running"',
        '"num_users": 2',
        '"spawn_rate": 100.0',
        '"user_count": 2',
        '"tasks": "{}"',
    ):
        web.note(looked_for, looked_for in text)


def html_in_what_it_is_told(web: Web) -> None:
    web.inside("setattr(environment, 'host', \"http://</script><!--&'\")")
    answer = web.quietly("GET", "/")
    web.note("host", answer.args["host"])
    web.note("escaped", r'"http://\u003c/script\u003e\u003c!--\u0026\u0027"' in answer.text)


def a_host_of_the_environment(web: Web) -> None:
    web.inside("setattr(environment, 'host', 'http://environment')")
    _told(web, "host", "missing_host_warning", "override_host_warning")


def the_same_host_for_all(web: Web) -> None:
    web.inside("Buyer.host = Visitor.host = Silent.host = 'http://all'")
    _told(web, "host", "missing_host_warning", "override_host_warning")
    web.inside("Buyer.host = Visitor.host = Silent.host = None")


def several_hosts(web: Web) -> None:
    web.inside("Buyer.host = 'http://a'; Visitor.host = 'http://b'")
    _told(web, "host", "missing_host_warning", "override_host_warning")
    web.inside("Buyer.host = Visitor.host = None")


def a_class_with_a_host_and_one_without(web: Web) -> None:
    web.inside("Buyer.host = 'http://a'")
    _told(web, "host", "missing_host_warning", "override_host_warning")
    web.inside("Buyer.host = None")


def an_empty_host(web: Web) -> None:
    web.inside("Buyer.host = Visitor.host = Silent.host = ''")
    _told(web, "host", "missing_host_warning", "override_host_warning")
    web.inside("Buyer.host = Visitor.host = Silent.host = None")


def a_host_that_must_be_given(web: Web) -> None:
    web.inside("_web.HOST_IS_REQUIRED = True")
    _told(web, "is_host_required")
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1})
    web.inside("_web.HOST_IS_REQUIRED = False")


def a_shape(web: Web) -> None:
    web.inside("environment.shape_class = type('S', (LoadTestShape,), {'tick': lambda self: (1, 1)})()")
    _told(web, "hide_common_options", "shape_use_common_options")
    web.inside("environment.shape_class = type('S', (LoadTestShape,), {'tick': None, 'use_common_options': True})()")
    _told(web, "hide_common_options", "shape_use_common_options")


def a_shape_is_started(web: Web) -> None:
    web.inside("environment.shape_class = type('Steady', (LoadTestShape,), {'tick': lambda self: (2, 100)})()")
    web.inside("environment.shape_class.runner = environment.runner")
    web.post("/swarm", {"host": "http://shaped"})
    web.until("environment.runner.user_count == 2")
    web.see("environment.host")
    web.post("/swarm")
    web.post("/swarm", {"user_count": "9", "spawn_rate": "1"})
    web.see_log("locust.runners")
    _told(web, "state")
    web.post("/stop")
    web.see("environment.runner.user_count")


def bad_numbers_are_told_in_spite_of_a_shape(web: Web) -> None:
    web.inside("environment.shape_class = type('Steady', (LoadTestShape,), {'tick': lambda self: (1, 100)})()")
    web.post("/swarm", {"user_count": "x", "spawn_rate": "", "run_time": "never"})
    web.inside("_gevent.sleep(0.2)")


def a_shape_needs_no_numbers(web: Web) -> None:
    web.inside("environment.shape_class = type('Steady', (LoadTestShape,), {'tick': lambda self: (1, 100)})()")
    web.post("/swarm", {"user_count": "-1", "spawn_rate": "0", "run_time": "90"})
    web.inside("_gevent.sleep(0.2)")
    web.see("environment.parsed_options.run_time", "environment.parsed_options.num_users")


def keys_that_a_locustfile_adds(web: Web) -> None:
    web.inside("web_ui.template_args.update(all_profiles=['a', 'b'], mine={'deep': None}, state='mine', num_users=99)")
    _told(web, "all_profiles", "mine", "state", "num_users")
    web.inside("[web_ui.template_args.pop(key) for key in ('all_profiles', 'mine')]")


def arguments_anew_from_a_program(web: Web) -> None:
    web.inside("setattr(environment, 'host', 'http://now'); web_ui.update_template_args()")
    web.see("web_ui.template_args['host']", "sorted(web_ui.template_args)")


def listeners_of_the_parser_are_asked_at_each_page(web: Web) -> None:
    web.inside("globals().update(_asked=[])")
    web.inside("_events.init_command_line_parser.add_listener(lambda parser, **_: _asked.append(1))")
    web.quietly("GET", "/")
    web.quietly("GET", "/")
    web.see("len(_asked)")
    web.inside("_events.init_command_line_parser._handlers.pop()")


def attributes_of_the_object(web: Web) -> None:
    web.see(
        "type(web_ui).__name__",
        "web_ui is environment.web_ui",
        "web_ui.environment is environment",
        "web_ui.host",
        "web_ui.port",
        "web_ui.tls_cert",
        "web_ui.tls_key",
        "web_ui.userclass_picker_is_active",
        "web_ui.web_login",
        "web_ui.auth_args",
        "type(web_ui.stats_csv_writer).__name__",
        "isinstance(web_ui.greenlet, _gevent.Greenlet)",
        "web_ui.server.server_port > 0",
        "web_ui.server.server_host",
        "hasattr(web_ui, 'login_manager')",
        "sorted(name for name in dir(web_ui) if not name.startswith('_'))",
    )


def an_argument_is_posted_and_stays_the_parsers(web: Web) -> None:
    web.post("/swarm", {"user_count": 0, "spawn_rate": 1, "arg1": "posted"})
    web.note("default", web.quietly("GET", "/").args["extra_options"]["arg1"]["default_value"])


def what_classes_tell_after_a_change(web: Web) -> None:
    web.post_json("/user", {"user_class_name": "Visitor", "tasks": ["search"], "weight": 5})
    _told(web, "users", "available_user_tasks")
    web.inside(
        "setattr(Visitor, 'weight', 1); setattr(Visitor, 'tasks', [*environment.available_user_tasks['Visitor']])"
    )


def classes_without_the_picker_are_all(web: Web) -> None:
    _told(web, "available_user_classes", "show_userclass_picker", "available_shape_classes")
