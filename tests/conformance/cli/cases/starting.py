"""What a command does before a run: what is listed, checked and refused, in which order, with which exit code."""

from __future__ import annotations

from ..case import run

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
    wait_time = constant(9)
    @task
    def c(self): self.environment.runner.quit()
class Base(User):
    abstract = True
"""
SHAPE = """
class Steps(LoadTestShape):
    def tick(self): return None
"""
COMMON_SHAPE = SHAPE + "    use_common_options = True\n"
SHOW = """
@events.init.add_listener
def show(environment, **_):
    import os
    for c in environment.user_classes:
        print(c.__name__, c.weight, c.fixed_count, c.host, sorted(t.__name__ for t in c.tasks))
    print(environment.locustfile, [os.path.basename(file) for file in environment.parsed_locustfiles],
          type(environment.shape_class).__name__, sorted(environment.available_user_classes),
          sorted(environment.available_shape_classes or {}), environment.profile)
    print(environment.host, environment.stop_timeout, environment.reset_stats, environment.tags, environment.exclude_tags)
    environment.process_exit_code = 7
    raise RuntimeError("enough")
"""
PERCENTILES = "from locust import stats\nstats.PERCENTILES_TO_{} = {}\n" + USERS

ASKING = [
    "--list",
    "-l A",
    "--list Nobody",
    "--list --master --worker",
    "--list --processes 0",
    "--list --headless --autostart",
    "--list --tags x",
    "--show-task-ratio",
    "--show-task-ratio -u 10",
    "--show-task-ratio -u 0",
    "--show-task-ratio A",
    "--show-task-ratio C",
    "--show-task-ratio --tags none",
    "--show-task-ratio --master --worker",
    "--show-task-ratio --show-task-ratio-json C",
    "--show-task-ratio-json",
    "--show-task-ratio-json -u 7 C",
    "--show-task-ratio-json A",
    "--show-task-ratio --equal-weights",
    """--show-task-ratio --config-users '{"user_class_name": "A", "tasks": ["a"], "weight": 9}'""",
    """--show-task-ratio --config-users '{"user_class_name": "B", "fixed_count": 4}' -u 10""",
    "--show-task-ratio --web-base-path x",
    "--show-task-ratio -u 1",
]

REFUSED = [
    "--headless Nobody",
    "--headless A Nobody",
    "--headless --nonsense",
    "--headless -u many",
    "--headless --csv-full-history",
    "--csv-full-history --autoquit 3",
    "--headless --autoquit 3",
    "--autoquit 0",
    "--autoquit 3 Nobody",
    "--headless --master --worker",
    "--master --worker Nobody",
    "--headless --processes -2",
    "--processes -2 --list",
    "--processes 2 --master",
    "--web-base-path x",
    "--web-base-path x Nobody",
    "--headless --config nowhere.conf",
    "--headless --config nowhere.conf -f nowhere.py",
    "--headless -f nowhere.py --nonsense",
    "--headless --config-users nonsense",
    "--headless --config-users nowhere.json",
    """--headless --config-users '{"user_class_name": "Nobody"}'""",
    """--headless --config-users '{"user_class_name": "Nobody"}' --show-task-ratio""",
    """--headless --config-users '{"user_class_name": "A", "tasks": 3}'""",
    """--headless --config-users '{"user_class_name": "A", "__dict__": 3}'""",
    "--headless --config-users '[3]'",
    "--headless --config-users",
    "--web-auth a:b",
    "--headless --slave",
    "-f - --headless",
    "-f - --list",
]

CASES = {
    **{f"asking {line}": run(line, USERS) for line in ASKING},
    **{f"refused {line}": run(line, USERS) for line in REFUSED},
    "environment": run("--headless --profile p -H h -s 1m --reset-stats -T a -E b", USERS + SHOW),
    "environment of a class": run("--headless C", USERS + SHOW),
    "environment of equal weights": run("--headless --equal-weights", USERS + SHOW),
    "environment of classes in a variable": run("--headless", USERS + SHOW, env={"LOCUST_USER_CLASSES": "B"}),
    "environment with settings of users": run(
        """--headless --config-users c.json '{"user_class_name": "C", "fixed_count": 2, "host": "h"}'""",
        USERS + SHOW,
        files={
            "c.json": '[{"user_class_name": "A", "tasks": ["a"], "weight": 9}, {"user_class_name": "B", "weight": 0}]'
        },
    ),
    "environment with settings of a class that is not chosen": run(
        """--headless --config-users '{"user_class_name": "A", "weight": 9}' -- C""", USERS + SHOW
    ),
    "environment with settings of a name that is no task": run(
        """--headless --config-users '{"user_class_name": "A", "tasks": ["no"]}' -- A""", USERS + SHOW
    ),
    "environment with a shape": run("--headless", USERS + SHAPE + SHOW),
    "shape and options it ignores": run("--headless -t 3 -u 2 -r 1", USERS + SHAPE + SHOW),
    "shape and one option it ignores": run("--headless -r 1", USERS + SHAPE + SHOW),
    "shape that reads the options": run("--headless -t 3 -u 2", USERS + COMMON_SHAPE + SHOW),
    "shape and a ratio": run("--show-task-ratio -u 3", USERS + SHAPE),
    "more fixed than users": run("--headless -u 1", USERS.replace("fixed_count = 1", "fixed_count = 3") + SHOW),
    "more fixed than users, asked": run("--show-task-ratio -u 1", USERS.replace("fixed_count = 1", "fixed_count = 3")),
    "more fixed than no users": run("--headless -u 0", USERS + SHOW),
    "weights of zero": run("--headless A B", USERS.replace("weight = 3", "weight = 0")),
    "a weight of zero": run("--headless", USERS.replace("weight = 3", "weight = 0") + SHOW),
    "weights of zero, listed": run("--list A", USERS.replace("weight = 3", "weight = 0")),
    "limit of open files": run(
        "--headless A",
        USERS + "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (512, 20000))\n"
        "@events.init.add_listener\ndef show(**_):\n    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 10000)\n    1 / 0\n",
    ),
    "limit of open files that is too low": run(
        "--headless A",
        USERS + "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (512, 600))\n"
        "@events.init.add_listener\ndef show(**_):\n    print(resource.getrlimit(resource.RLIMIT_NOFILE)[1])\n    1 / 0\n",
    ),
    "more than is told": run("--headless --class-picker -L DEBUG C", USERS),
    "no class": run("--headless", "from locust import *\n"),
    "no class, listed": run("--list", "from locust import *\n"),
    "no class but abstract ones": run("--headless", "from locust import *\nclass A(User): abstract = True\n"),
    "no class and an unknown one": run("--headless A", "from locust import *\n"),
    "headful": run("--headless --headful --web-base-path x", USERS),
    "headless and autostart": run("--headless --autostart", USERS + SHOW),
    "autostart and autoquit, listed": run("--autostart --autoquit 3 --list", USERS),
    "percentiles to chart too many": run("--list", PERCENTILES.format("CHART", [0.1] * 7)),
    "percentiles to chart of one": run("--list", PERCENTILES.format("CHART", [1])),
    "percentiles to chart of zero": run("--headless --autoquit 3", PERCENTILES.format("CHART", [0])),
    "percentiles to chart as text": run("--list", PERCENTILES.format("CHART", ["0.5"])),
    "percentiles to chart of words": run("--list", PERCENTILES.format("CHART", ["half"])),
    "percentiles to chart of six": run("--list", PERCENTILES.format("CHART", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])),
    "percentiles to statistics of one": run("--list", PERCENTILES.format("STATISTICS", [0.5, 1.0])),
    "percentiles to statistics of words": run("--list", PERCENTILES.format("STATISTICS", ["half"])),
    "percentiles to statistics of many": run("--list", PERCENTILES.format("STATISTICS", [0.1] * 7)),
    "percentiles after a mistake": run("--nonsense", PERCENTILES.format("CHART", [0])),
    "full history before percentiles": run("--csv-full-history", PERCENTILES.format("CHART", [0])),
    "log file in a folder": run("--list --logfile logs/deep/l.log", USERS),
    "log level of warnings": run("--list -L WARNING", USERS),
    "skipped log setup": run("--list --skip-log-setup", USERS),
    "skipped log setup and no class": run("--headless --skip-log-setup", "from locust import *\n"),
    "csv in a folder": run("--headless --csv a/b/out", USERS + SHOW),
    "csv of a ratio": run("--show-task-ratio --csv out", USERS),
    "listener that fails in init": run("--headless", USERS + "\n@events.init.add_listener\ndef f(**_): 1 / 0\n"),
    "listener that fails while parsing": run(
        "--headless",
        USERS + "\n@events.init_command_line_parser.add_listener\ndef f(parser): parser.add_argument('--host')\n",
    ),
    "listener that fails while parsing, listed": run(
        "--list", USERS + "\n@events.init_command_line_parser.add_listener\ndef f(parser): 1 / 0\n"
    ),
    "listener that exits while parsing": run(
        "--headless", USERS + "\n@events.init_command_line_parser.add_listener\ndef f(parser): raise SystemExit(5)\n"
    ),
    "listener that expects no workers": run(
        "--headless --master",
        USERS
        + "\n@events.init_command_line_parser.add_listener\ndef f(parser): parser.set_defaults(expect_workers=0)\n",
    ),
    "own argument that is missing": run(
        "--headless",
        USERS + "\n@events.init_command_line_parser.add_listener\n"
        "def f(parser): parser.add_argument('--needed', required=True)\n",
    ),
    "own argument in a file": run(
        "--headless",
        USERS
        + "\n@events.init_command_line_parser.add_listener\ndef f(parser): parser.add_argument('--mine', type=int)\n"
        "@events.init.add_listener\ndef show(environment, **_):\n    print(environment.parsed_options.mine)\n    1 / 0\n",
        files={"locust.conf": "mine = 3\n"},
    ),
    "settings of users in a file": run(
        "--headless", USERS + SHOW, files={"locust.conf": 'config-users = {"user_class_name": "C", "fixed_count": 5}\n'}
    ),
    "locustfile in a file": run("", None, files={"locust.conf": "locustfile = my.py\nlist = true\n", "my.py": USERS}),
    "locustfile in a TOML file": run(
        "--list", None, files={"pyproject.toml": "[tool.locust]\nlocustfile = 'my.py'\n", "my.py": USERS}
    ),
    "locustfile in a named file": run(
        "--config a.conf -l", None, files={"a.conf": "locustfile=my.py\n", "my.py": USERS}
    ),
    "broken file": run("--headless", USERS, files={"locust.conf": "=x\n"}),
    "unknown key": run("--headless", USERS, files={"locust.conf": "unknown-key = 1\n"}),
    "unknown key and no locustfile": run("--headless -f no.py", USERS, files={"locust.conf": "unknown-key = 1\n"}),
    "bad flag and no locustfile": run("--headless -f no.py", USERS, env={"LOCUST_MODE_MASTER": "x"}),
}
