"""Short runs without a web page: how they end, what they leave, with which exit code."""

from __future__ import annotations

from ..case import Case, run

BEGIN = "from locust import *\nimport locust.stats\nlocust.stats.CONSOLE_STATS_INTERVAL_SEC = 60\n"


def users(task: str, more: str = "") -> str:
    return f"""{BEGIN}
class A(User):
    wait_time = constant(9)
    @task
    def a(self):
        {task}
        self.environment.runner.quit()
{more}
"""


def fires(exception: str = "None") -> str:
    return f"self.environment.events.request.fire(request_type='X', name='x', response_time=1, response_length=1, exception={exception})"


def listener(event: str, body: str) -> str:
    return f"@events.{event}.add_listener\ndef on_{event}(environment=None, **_):\n    {body}\n"


def ends(line: str, text: str, **kwargs: dict[str, str]) -> Case:
    return run(f"--headless {line}", text, **kwargs)


CASES = {
    "no failure": ends("", users(fires())),
    "failure": ends("", users(fires("ValueError('bad')"))),
    "failure and a code": ends("--exit-code-on-error 4", users(fires("ValueError('bad')"))),
    "failure and no code": ends("--exit-code-on-error 0", users(fires("ValueError('bad')"))),
    "failure and a code in a variable": ends("", users(fires("ValueError(1)")), env={"LOCUST_EXIT_CODE_ON_ERROR": "5"}),
    "failure and a code above a byte": ends("--exit-code-on-error 256", users(fires("ValueError('bad')"))),
    "failure and a negative code": ends("--exit-code-on-error -1", users(fires("ValueError('bad')"))),
    "exception": ends("-t 1", users("1 / 0")),
    "exception and a code": ends("-t 1 --exit-code-on-error 3", users("1 / 0")),
    "code of a listener": ends(
        "", users(fires("ValueError(1)"), listener("quitting", "environment.process_exit_code = 9"))
    ),
    "code of zero of a listener": ends(
        "", users(fires("ValueError(1)"), listener("quitting", "environment.process_exit_code = 0"))
    ),
    "code of a task": ends("", users("self.environment.process_exit_code = 8")),
    "listener that fails at the start": ends("-t 1", users("pass", listener("test_start", "1 / 0"))),
    "listener that fails while quitting": ends("", users("pass", listener("quitting", "1 / 0"))),
    "listener that fails at quit": ends("", users("pass", listener("quit", "1 / 0"))),
    "listener that fails at a request": ends("", users(fires(), listener("request", "1 / 0"))),
    "failure and a listener that fails": ends("", users(fires("ValueError(1)"), listener("quitting", "1 / 0"))),
    "what listeners are told": ends(
        "--exit-code-on-error 6",
        users(
            fires("ValueError(1)"),
            "@events.quit.add_listener\ndef told(exit_code, **_): print('quit', exit_code)\n"
            "@events.quitting.add_listener\ndef asked(environment, **_): print('quitting', environment.runner.state)\n",
        ),
    ),
    "sys.exit in a task": ends("", users("import sys; sys.exit(3)")),
    "StopUser in a task": ends("-t 1", users("raise locust.exception.StopUser")),
    "run time": ends(
        "-t 1", BEGIN + "class A(User):\n    wait_time = constant(0.1)\n    @task\n    def a(self): pass\n"
    ),
    "run time of zero": ends("-t 0", users("pass")),
    "no users": ends("-u 0 -t 1", users("pass")),
    "shape": ends(
        "",
        users(
            "pass", "class S(LoadTestShape):\n    def tick(self): return (1, 1) if self.get_run_time() < 1 else None\n"
        ),
    ),
    "shape that ends at once": ends("", users("pass", "class S(LoadTestShape):\n    def tick(self): return None\n")),
    "shape that raises": ends("", users("pass", "class S(LoadTestShape):\n    def tick(self): 1 / 0\n")),
    "csv": ends("--csv out", users(fires())),
    "csv with history": ends("--csv out/x --csv-full-history", users(fires("ValueError(1)"))),
    "json file": ends("--json-file j", users(fires())),
    "log file": ends("--logfile logs/l.log", users(fires())),
    "quiet": ends("-L ERROR --only-summary", users(fires())),
    "reset": ends("--reset-stats", users(fires())),
    "options that only the page needs": ends(
        "--class-picker --web-login --web-port 1 --tls-cert none --build-path none --web-host 300.0.0.1", users("pass")
    ),
    "base path without a slash": ends("--web-base-path x", users("pass")),
    "options that only a cluster needs": ends(
        "--expect-workers 3 --expect-workers-max-wait 1 --enable-rebalancing --master-host none", users("pass")
    ),
    "processes of zero": ends("--processes 0", users("pass")),
    "autostart and autoquit": ends("--autostart --autoquit 0", users("pass")),
    "defaults that are filled in": ends(
        "", users("print(self.environment.parsed_options.num_users, self.environment.parsed_options.spawn_rate)")
    ),
    "stop timeout": ends("-s 2", users("print(self.environment.stop_timeout)")),
    "all of it in a file": run(
        "",
        users("print(self.environment.parsed_options.host)"),
        files={"locust.conf": "headless\nhost = h\nusers = 1\nonly-summary = true\n"},
    ),
    "all of it in variables": run(
        "",
        users("print(self.environment.parsed_options.host)"),
        env={"LOCUST_HEADLESS": "1", "LOCUST_HOST": "h", "LOCUST_ONLY_SUMMARY": "on"},
    ),
}
