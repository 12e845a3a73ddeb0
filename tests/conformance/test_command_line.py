"""The command line: what is listed and refused, in which words, on which stream, with which exit code."""

from __future__ import annotations

import json
import re

import pytest

from .harness import same

USERS = """
from locust import *
class A(User):
    weight = 3
    @task(2)
    def a(self): self.environment.runner.quit()
    @task
    class Set(TaskSet):
        @task
        def deep(self): pass
        @task(3)
        class Deeper(SequentialTaskSet):
            @task
            def first(self): pass
            @task
            def second(self): pass
class B(A): pass
class C(User):
    fixed_count = 1
    @task
    def c(self): self.environment.runner.quit()
class Base(User):
    abstract = True
"""


@pytest.mark.parametrize(
    "options",
    [
        "--list",
        "--list A",
        "--show-task-ratio",
        "--show-task-ratio -u 10",
        "--show-task-ratio A",
        "--show-task-ratio-json",
        "--show-task-ratio-json -u 7 A C",
        "--show-task-ratio --tags none",
    ],
)
def test_asking_only(both, options):
    pair = both(USERS, *options.split(), headless=False)
    ours = pair.assert_same(but=["printed"])
    assert ours.exit_code == 0
    if "json" in options:
        # Locust has no order for the classes that are named on the command line.
        same("printed", *(json.loads("\n".join(run.printed)) for run in (pair.theirs, ours)))
    else:
        same("printed", pair.theirs.printed, ours.printed)


REFUSED = {
    "--headless Nobody A None": (1, "Unknown User(s): "),
    "--headless --nonsense": (2, "unrecognized arguments: --nonsense"),
    "--headless --user-count 3": (2, "unrecognized arguments: --user-count"),
    "--headless -u many": (2, "argument -u/--users: invalid int value: 'many'"),
    "--headless -r 0": (2, "argument -r/--spawn-rate: must be > 0"),
    "--headless -r fast": (2, "argument -r/--spawn-rate: "),
    "--headless -r inf": (2, "argument -r/--spawn-rate: must be a finite number"),
    "--headless -t 5x": (2, "argument -t/--run-time: "),
    "--headless -s soon": (2, "argument -s/--stop-timeout: "),
    "--headless -L LOUD": (2, "argument --loglevel/-L: invalid choice: 'LOUD'"),
    "--headless -u": (2, "argument -u/--users: expected one argument"),
    "--headless --csv-full-history": (2, "'--csv-full-history' requires '--csv'."),
    "--headless --exit-code-on-error x": (2, "argument --exit-code-on-error: invalid int value: 'x'"),
    "--headless --config nowhere.conf": (2, "Unable to open config file: nowhere.conf"),
    "--headless -f nowhere.py": (1, "Could not find 'nowhere.py'. Ensure your locustfile ends with '.py'"),
    "--headless -f nowhere": (1, "Could not find 'nowhere'."),
    "--headless -f empty": (1, "Could not find any locustfiles in directory 'empty'"),
    "--headless -f -": (1, ""),
    "--headless -f locustfile.py,other.py": (1, "Duplicate user class names: A is defined in both "),
    "--headless --head": (2, "ambiguous option: --head could match --headless, --headful"),
    "--web-auth a:b": (2, ""),
    "--autoquit 3": (1, "--autoquit is only meaningful in combination with --autostart"),
    "--headless --config-users nonsense": (2, "argument --config-users: "),
    '--headless --config-users {"user_class_name":"Nobody"}': (255, "Error applying user config"),
}


@pytest.mark.parametrize("options", REFUSED)
def test_refused(both, options):
    exit_code, words = REFUSED[options]
    other = {"other.py": "from locust import *\nclass A(User): pass\n", "empty/_hidden.py": ""}
    pair = both(USERS, *options.split(), headless=False, files=other)
    ours = pair.assert_same(but=["said"])
    assert ours.exit_code == exit_code
    assert not ours.printed
    for run in (pair.theirs, ours):
        assert words in run.stderr


SCRIPTS = {
    "missing": (None, 1, "Could not find 'locustfile.py'"),
    "empty": ("", 1, "No User class found!"),
    "syntax error": ("def f(:\n    pass\n", 1, "SyntaxError: invalid syntax"),
    "import error": ("import nothing_there\n", 1, "ModuleNotFoundError: No module named 'nothing_there'"),
    "exception": ("from locust import *\nraise RuntimeError('on import')\n", 1, "RuntimeError: on import"),
    "only abstract": ("from locust import *\nclass A(User):\n    abstract = True\n", 1, "No User class found!"),
    "sys.exit": ("import sys\nsys.exit('enough')\n", 1, "enough"),
    "weight zero": ("from locust import *\nclass A(User):\n    weight = 0\n", 1, "no users with weight > 0"),
    "shape that cannot be made": (
        "from locust import *\nclass A(User): pass\nclass S(LoadTestShape):\n"
        "    def __init__(self): raise RuntimeError('no shape')\n    def tick(self): return None\n",
        1,
        "RuntimeError: no shape",
    ),
    "conflicting option": (
        "from locust import *\n@events.init_command_line_parser.add_listener\n"
        "def add(parser): parser.add_argument('--users')\nclass A(User): pass\n",
        1,
        "conflicting option string: --users",
    ),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_locustfiles_that_cannot_be_used(both, case):
    text, exit_code, words = SCRIPTS[case]
    pair = both(text)
    ours = pair.assert_same(but=["said"])
    assert ours.exit_code == exit_code
    for run in (pair.theirs, ours):
        assert words in run.stderr


NO_HOST = """
from locust import *
class U(HttpUser):
    HOST
    @task
    def t(self):
        self.client.get("/x")
        self.environment.runner.quit()
"""


@pytest.mark.parametrize(
    ("setting", "options", "exit_code"),
    [
        ("", [], 0),
        ("host = 'nonsense'", [], 1),
        ("host = 'ftp://127.0.0.1'", [], 1),
        ("host = 'http://127.0.0.1:1'", [], 1),
        ("host = 'http://nothing.invalid'", [], 1),
        ("host = 'http://127.0.0.1:99999'", [], 1),
        ("", ["-H", "nonsense"], 1),
        ("", ["-H", "http://127.0.0.1:1/"], 1),
        ("host = 'http://nothing.invalid'", ["-H", "http://127.0.0.1:1"], 1),
    ],
)
def test_hosts(both, setting, options, exit_code):
    text = NO_HOST.replace("HOST", setting or "pass").replace("wait_time", "")
    text = text.replace("@task", "wait_time = constant(9)\n    @task")
    # A task that raises never comes to `quit()`.
    pair = both(text, "--only-summary", "-t", "3s", *options, host=False)
    ours = pair.assert_same(but=["said"])
    same("said", said(pair.theirs), said(ours))
    assert ours.exit_code == exit_code


def said(run):
    """Log lines only, as tracebacks of tasks are compared elsewhere; a name may take until the end to be looked up."""
    lines = [line for line in run.said if line.split("/")[0] in ("INFO", "WARNING", "ERROR", "CRITICAL")]
    return [line for line in lines if "--run-time limit reached" not in line]


HTTPS = """
import os
from locust import *
class U(HttpUser):
    host = os.environ["TLS_TARGET"]
    @task
    def t(self):
        self.client.get("/json")
        self.client.get("/json", verify=False, name="unverified")
        self.environment.runner.quit()
"""


def test_a_certificate_that_nobody_trusts(both):
    # The words are those of another TLS library, and urllib3's warning of the unverified request is missing.
    pair = both(HTTPS, "--only-summary", host=False)
    ours = pair.assert_same(but=["errors", "said"])
    assert ours.rows["GET", "/json"] == (1, 1)
    assert ours.rows["GET", "unverified"] == (1, 0)
    for run in (pair.theirs, ours):
        assert len(run.errors) == 1
        assert "SSLError" in run.errors[0][1]
        assert "certificate" in run.errors[0][1]


OPTIONS = """
import json
from locust import *
@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--my-text", type=str, default="none", env_var="MY_TEXT", help="Text")
    parser.add_argument("--my-number", type=int, default=3, include_in_web_ui=False)
    parser.add_argument("--my-choice", choices=["one", "two"], default="one")
    parser.add_argument("--my-flag", action="store_true")
    parser.add_argument("--my-secret", is_secret=True, default="hush")
@events.test_start.add_listener
def show(environment, **kwargs):
    options = vars(environment.parsed_options)
    names = ("my_text", "my_number", "my_choice", "my_flag", "my_secret", "num_users", "spawn_rate", "run_time", "host",
             "tags", "exclude_tags", "csv_prefix", "headless", "loglevel", "stop_timeout", "user_classes", "only_summary",
             "exit_code_on_error", "reset_stats", "locustfile", "html_file", "stats_history_enabled", "profile")
    print(json.dumps({name: options[name] for name in names}, sort_keys=True))
    print(json.dumps(sorted(options.keys() - {
        "io_threads", "random_seed", "hgrm_prefix", "checks", "abort_on_check", "junit"})))
    print(environment.host, environment.stop_timeout, environment.reset_stats, environment.tags, environment.exclude_tags)
class U(User):
    @tag("a", "b")
    @task
    def t(self): self.environment.runner.quit()
"""


@pytest.mark.parametrize(
    ("options", "environment", "files"),
    [
        ("", {}, {}),
        ("--my-text a --my-number 4 --my-choice two --my-flag --my-secret x", {}, {}),
        ("-u3 -r=2.5 --run-time=1h20m --stop-timeout 90 -L WARNING U", {}, {}),
        ("--only-summary --reset-stats --exit-code-on-error 3 -T a b -E c", {}, {}),
        ("", {"MY_TEXT": "from outside", "LOCUST_USERS": "4", "LOCUST_RUN_TIME": "30s", "LOCUST_HOST": "http://h"}, {}),
        ("-u 9", {"LOCUST_USERS": "4", "LOCUST_SPAWN_RATE": "2", "LOCUST_TAGS": "a"}, {}),
        ("", {}, {"locust.conf": "users = 7\nrun-time: 10s\n# note\nmy-text = in a file\n[section]\nonly-summary\n"}),
        ("--config my.conf -u 2", {}, {"my.conf": "users = 7\nspawn-rate 3\nheadless = true\ntags = [a, b]\n"}),
        ("", {}, {"pyproject.toml": '[tool.locust]\nusers = 5\nhost = "http://toml"\nexclude-tags = ["x"]\n'}),
        ("--my-choice three", {}, {}),
        ("--my-number x", {}, {}),
        ("", {}, {"locust.conf": "unknown-key = 1\n"}),
    ],
)
def test_options(both, options, environment, files):
    # Where several users quit, Locust complains that they were stopped by each other.
    but = ["said"] if "-u3" in options else []
    both(OPTIONS, *options.split(), environment=environment, files=files, host=False).assert_same(but=but)


@pytest.mark.parametrize("options", ["--version", "-V", "--help", "-h", "--nonsense --version"])
def test_help_and_version(both, options):
    pair = both(None, *options.split(), headless=False, host=False)
    ours = pair.assert_same(but=["printed"])
    assert ours.exit_code == 0
    theirs = pair.theirs
    if "elp" in options or "-h" in options:
        assert ours.printed[0] == theirs.printed[0]
        assert set(named(theirs)) - {"--skip-log"} <= set(named(ours))
    else:
        assert ours.printed[0].split(" from ")[0].startswith(theirs.printed[0].split(" from ")[0])


def named(run):
    """All long options that the help tells of."""
    found = (re.match(r"\s+(?:-\w(?: <[^>]*>)?, )?(--[a-z-]+)", line) for line in run.printed)
    return sorted(match[1] for match in found if match)


def test_config_users(both):
    text = USERS + "\n@events.test_start.add_listener\ndef show(environment, **kwargs):\n"
    text += "    for c in environment.user_classes: print(c.__name__, c.weight, c.fixed_count, [t.__name__ for t in c.tasks])\n"
    config = json.dumps(
        [{"user_class_name": "A", "weight": 9, "tasks": ["a"]}, {"user_class_name": "C", "fixed_count": 2}]
    )
    both(text, "--only-summary", "-u", "3", "--config-users", config).assert_same(but=["said"])
    both(text, "--only-summary", "--config-users", "c.json", files={"c.json": config}).assert_same()


def test_equal_weights(both):
    text = USERS + "\n@events.test_start.add_listener\ndef show(environment, **kwargs):\n"
    text += "    for c in environment.user_classes: print(c.__name__, c.weight, sorted(t.__name__ for t in c.tasks))\n"
    both(text, "--only-summary", "--equal-weights", "-t", "1s").assert_same()


IMPORTS = {
    "locustfile.py": "import sys\nfrom helper import VALUE\nimport package.inner\nfrom locust import *\n"
    "class U(User):\n    @task\n    def t(self):\n        print(VALUE, package.inner.NAME, __name__, 'locustfile' in sys.modules)\n"
    "        self.environment.runner.quit()\n",
    "helper.py": "VALUE = 'from a sibling'\n",
    "package/__init__.py": "",
    "package/inner.py": "NAME = __name__\n",
    "more/second.py": "from locust import *\nimport beside\nclass V(User):\n    @task\n    def t(self):\n"
    "        print(beside.TEXT)\n        self.environment.runner.quit()\n",
    "more/beside.py": "TEXT = 'beside the second'\n",
}


@pytest.mark.parametrize(
    "options", ["", "-f more/second.py", "-f locustfile.py,more/second.py U", "-f more --list", "-f package,more V"]
)
def test_finding_and_importing(both, options):
    pair = both(None, *options.split(), "--only-summary", files=IMPORTS)
    pair.assert_same(but=["said"] if "package" in options else [])


def test_logfile(both):
    pair = both(USERS, "--only-summary", "--logfile", "logs/locust.log", "-L", "debug", "C")
    ours = pair.assert_same(but=["said"])
    for run in (pair.theirs, ours):
        assert "Shutting down (exit code 0)" in (run.folder / "logs" / "locust.log").read_text()
        assert "INFO" not in run.stderr


def test_skip_log_setup(both):
    both(USERS, "--skip-log-setup", "C").assert_same()
