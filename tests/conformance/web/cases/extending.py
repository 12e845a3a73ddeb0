"""What a locustfile adds with Flask: routes, blueprints, hooks, pages of its own, other views."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
import os

import flask
from flask import Blueprint, Response, jsonify, redirect, render_template, request, session, url_for

from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")

_seen = []

@_events.init.add_listener
def _extend(environment, web_ui, **_):
    app = web_ui.app
    app.secret_key = "for the tests"

    @app.route("/hello")
    def hello():
        return "hello <b>you</b>"

    @app.route("/json", methods=["GET", "POST"])
    def as_json():
        return jsonify(z=1, a=[1, None], method=request.method, form=request.form, args=request.args)

    @app.route("/body", methods=["POST", "PUT", "PATCH", "DELETE"])
    def body():
        return {"json": request.get_json(silent=True), "text": request.get_data(as_text=True), "type": request.content_type}

    @app.route("/file/<name>/<path:rest>")
    def with_parts(name, rest):
        return {"name": name, "rest": rest}

    @app.route("/headers")
    def headers():
        kept = {name: value for name, value in request.headers if name in ("X-Mine", "Accept", "Cookie")}
        return {"headers": kept, "scheme": request.scheme, "host": request.host.partition(":")[0],
                "remote": request.remote_addr, "url": request.full_path, "path": request.path, "root": request.script_root}

    @app.route("/status")
    def status():
        return Response("no tea", 418, {"X-Own": "1", "Content-Type": "text/plain"})

    @app.route("/cookie")
    def cookie():
        session["count"] = session.get("count", 0) + 1
        return {"count": session["count"]}

    @app.route("/away")
    def away():
        return redirect(url_for("locust.index"))

    @app.route("/addresses")
    def addresses():
        names = ["index", "swarm", "stop", "reset_stats", "stats_report", "request_stats", "request_stats_csv",
                 "request_stats_full_history_csv", "failures_stats_csv", "exceptions", "exceptions_csv", "tasks", "logs",
                 "login", "update_user", "get_worker_count"]
        return {name: url_for(f"locust.{name}") for name in names} | {"asset": url_for("locust.send_assets", path="x.js")}

    @app.route("/fails")
    def fails():
        raise ValueError("<b>within</b>")

    @app.route("/aborts")
    def aborts():
        flask.abort(403)

    @app.route("/page")
    def page():
        web_ui.update_template_args()
        return render_template("index.html", template_args={
            **web_ui.template_args,
            "extended_tabs": [{"title": "Cache </script>", "key": "cache"}],
            "extended_tables": [{"key": "cache", "structure": [{"key": "name", "title": "Name"}]}],
            "extended_csv_files": [{"href": "/cache/csv", "title": "Download"}],
        })

    @app.route("/csv")
    def csv():
        rows = iter(["a,b\\r\\n", "1,2\\r\\n"])
        return Response(rows, mimetype="text/csv", headers={"Content-Disposition": "attachment;filename=own.csv"})

    @app.route("/big")
    def big():
        return "x" * 3_000_000

    @app.route("/environment")
    def the_environment():
        return {"state": environment.runner.state, "greenlet": type(_gevent.getcurrent()).__name__}

    @app.route("/waits")
    def waits():
        _gevent.sleep(0.3)
        return "waited"

    @app.route("/template")
    def template():
        return flask.render_template_string("{% set l = [] %}{% do l.append(1) %}{{ l }} {{ '<b>' }}")

    @app.errorhandler(410)
    def gone(error):
        return "gone for good", 410

    @app.route("/gone")
    def is_gone():
        flask.abort(410)

    blueprint = Blueprint("mine", "mine", url_prefix="/mine", template_folder=os.path.join(os.getcwd(), "templates"),
                          static_folder=os.path.join(os.getcwd(), "things"), static_url_path="/things")

    @blueprint.route("/")
    def mine():
        return render_template("mine.html", who="<me>")

    @blueprint.before_request
    def only_mine():
        _seen.append(request.path)

    app.register_blueprint(blueprint)
"""

VIEWS = [
    *("index", "swarm", "stop", "reset_stats", "stats_report", "request_stats", "request_stats_csv", "tasks", "logs"),
    *("request_stats_full_history_csv", "failures_stats_csv", "exceptions", "exceptions_csv", "login", "update_user"),
    *("get_worker_count", "send_assets"),
]

FILES = {"templates/mine.html": "<p>{{ who }}</p>", "things/thing.txt": "a thing"}


def a_route(web: Web) -> None:
    web.get("/hello")
    web.ask("HEAD", "/hello")
    web.ask("OPTIONS", "/hello")
    web.post("/hello")
    web.get("/hello/")


def a_route_that_takes_forms(web: Web) -> None:
    web.get("/json?x=1&x=2&y=%C3%BC")
    web.post("/json", [("f", "1"), ("g", "ü &")])


def bodies(web: Web) -> None:
    web.post_json("/body", {"deep": [1, "ü"]})
    web.ask("PUT", "/body", b"\x00plain", {"Content-Type": "text/plain"})
    web.ask("DELETE", "/body")
    web.ask("PATCH", "/body", "x=1")


def parts_of_the_path(web: Web) -> None:
    web.get("/file/a%20b/c/d%C3%BC")
    web.get("/file/a+b/c;d=1")
    web.get("/file/only")


def headers(web: Web) -> None:
    web.get("/headers?q=%20x", X_Mine="me", Accept="text/x")


def a_status_of_its_own(web: Web) -> None:
    answer = web.get("/status")
    web.note("header", answer.headers["X-Own"])


def a_session(web: Web) -> None:
    for _ in range(3):
        web.get("/cookie")


def a_redirect(web: Web) -> None:
    web.get("/away")


def addresses_by_name(web: Web) -> None:
    web.get("/addresses")


def a_route_that_fails(web: Web) -> None:
    answer = web.quietly("GET", "/fails")
    web.note("answer", [answer.status, answer.headers["Content-Type"], answer.text])
    web.see_log("locust.web")


def a_route_that_aborts(web: Web) -> None:
    web.get("/aborts")
    web.get("/gone")


def a_page_of_its_own(web: Web) -> None:
    web.get("/page")


def rows_one_after_the_other(web: Web) -> None:
    web.get("/csv")


def a_large_answer(web: Web) -> None:
    answer = web.quietly("GET", "/big")
    web.note("length", [answer.status, len(answer.body)])


def routes_see_the_test(web: Web) -> None:
    web.start(1)
    web.get("/environment")


def a_route_that_waits_holds_up_nobody(web: Web) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(web.quietly, "GET", "/waits")
        web.note("meanwhile", web.quietly("GET", "/hello").status)
        web.note("is still waiting", not waiting.done())
        web.note("waited", waiting.result().text)


def a_template_with_do(web: Web) -> None:
    web.get("/template")


def a_blueprint(web: Web) -> None:
    web.get("/mine/")
    web.get("/mine")
    web.get("/mine/things/thing.txt")
    web.get("/mine/things/nope.txt")
    web.see("_seen")


def the_built_in_routes_are_as_they_were(web: Web) -> None:
    for path in ("/stats/requests", "/exceptions", "/tasks", "/worker-count", "/login", "/nope", "/stats/requests/csv"):
        web.get(path)
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100, "host": "http://h"})
    web.until("environment.runner.state == 'running'")
    web.post("/stats/reset")
    web.post("/stop")
    web.post_json("/user", {"user_class_name": "Buyer"})
    web.post_json("/user", {"user_class_name": "Nobody"})
    web.get("/")


def the_application(web: Web) -> None:
    web.see(
        "type(web_ui.app).__mro__[-3].__name__",
        "isinstance(web_ui.app, flask.Flask)",
        "web_ui.app.name",
        "web_ui.app.debug",
        "web_ui.app.testing",
        "sorted(web_ui.app.blueprints)",
        "web_ui.app is web_ui.app",
        *(
            f"[[rule.rule, sorted(rule.methods)] for rule in web_ui.app.url_map.iter_rules('locust.{name}')]"
            for name in VIEWS
        ),
        "callable(web_ui.app.view_functions['locust.request_stats'].clear_cache)",
        "web_ui.app.config['PROPAGATE_EXCEPTIONS']",
    )


def asked_without_a_connection(web: Web) -> None:
    for path in ("/hello", "/worker-count", "/stats/requests", "/tasks", "/nope", "/"):
        web.note(
            path, web.inside(f"[(answer := web_ui.app.test_client().get('{path}')).status_code, answer.content_type]")
        )
    web.note(
        "swarm",
        web.inside(
            "web_ui.app.test_client().post('/swarm', data={'user_count': 1, 'spawn_rate': 100, 'host': 'x'}).json"
        ),
    )
    web.note(
        "parts", web.inside("web_ui.app.test_client().post('/user', json={'user_class_name': 'Buyer'}).status_code")
    )


def a_cache_that_is_cleared(web: Web) -> None:
    web.inside("_count('/first')")
    web.inside("web_ui.app.view_functions['locust.request_stats'].clear_cache()")
    web.note("rows", [row["name"] for row in web.quietly("GET", "/stats/requests").json["stats"]])
