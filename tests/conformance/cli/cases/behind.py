"""What stands behind the command line: environment variables and configuration files, and which of them wins."""

from __future__ import annotations

from ..case import Case


def conf(text: str, line: str = "", **env: str) -> Case:
    return Case(line, env, {"locust.conf": text})


def toml(text: str, line: str = "", **env: str) -> Case:
    return Case(line, env, {"pyproject.toml": text})


def env(line: str = "", **variables: str) -> Case:
    return Case(line, variables)


def everywhere(line: str = "", **variables: str) -> Case:
    """Each file says what it is, and each one thing less than the weaker ones."""
    said = ("host", "users", "profile", "csv", "html", "logfile")
    files = {
        "home/.locust.conf": "\n".join(f"{key} = {index}" for index, key in enumerate(said)),
        "locust.conf": "\n".join(f"{key} = {index + 10}" for index, key in enumerate(said[:-1])),
        "pyproject.toml": "[tool.locust]\n" + "\n".join(f"{key} = {index + 20}" for index, key in enumerate(said[:-2])),
        "my.conf": "\n".join(f"{key} = {index + 30}" for index, key in enumerate(said[:-3])),
    }
    return Case(line, variables, files)


CASES = {
    # Which wins.
    "all files but the named one": everywhere(),
    "all files": everywhere("--config my.conf"),
    "all files and a variable": everywhere("--config my.conf", LOCUST_USERS="40"),
    "all files, variables, and typed": everywhere("-H typed --config my.conf", LOCUST_USERS="40", LOCUST_HOST="41"),
    "named twice": Case("--config a.conf --config b.conf", files={"a.conf": "users 1\nhost a", "b.conf": "users 2"}),
    "named with an equals sign": Case("--config=a.conf", files={"a.conf": "users 1"}),
    "named in the home folder": Case("--config '~/a.conf'", files={"home/a.conf": "users 1"}),
    "named in another folder": Case("--config etc/a.conf -u 3", files={"etc/a.conf": "users 1\nrun-time 5m"}),
    "named TOML": Case("--config a.toml", files={"a.toml": "[tool.locust]\nusers = 3", "locust.conf": "users = 4"}),
    "named by an abbreviation": Case("--conf a.conf", files={"a.conf": "users 1"}),
    "named without any table": Case("--config a.toml", files={"a.toml": "users = 3"}),
    "named in a file": Case(files={"locust.conf": "config = a.conf", "a.conf": "users = 3"}),
    "named is a folder": Case("--config home", files={"home/x": ""}),
    "variable and typed": env("-u 6", LOCUST_USERS="7"),
    "variable and abbreviated": env("--user 6", LOCUST_USERS="7"),
    "variable and joined": env("-u6", LOCUST_USERS="7"),
    "bad variable and typed": env("-u 6", LOCUST_USERS="x"),
    "bad variable and joined": env("-u6", LOCUST_USERS="x"),
    "file and abbreviated": conf("users = 3", "--user=6"),
    "bad file and typed": conf("users = x", "--users 6"),
    "bad variable before bad file": conf("users = x", "", LOCUST_SPAWN_RATE="0"),
    "typed mistake after a bad variable": env("-r 0", LOCUST_USERS="x"),
    "flag off in a variable": conf("headless = true", "", LOCUST_HEADLESS="false"),
    "flag off in the stronger file": Case(
        files={"locust.conf": "headless = true", "pyproject.toml": "[tool.locust]\nheadless = false"}
    ),
    "flag on in the stronger file": Case(
        files={"locust.conf": "headless = no", "pyproject.toml": "[tool.locust]\nheadless = true"}
    ),
    "flag off in a file, and typed": conf("headless = false", "--headless"),
    "lists are not joined": Case(
        files={"locust.conf": "tags = [a, b]", "pyproject.toml": "[tool.locust]\ntags = ['c']"}
    ),
    "list of a variable before a class": env("A -u 3 B", LOCUST_TAGS="[a, b]"),
    "list of a variable, and only classes": env("A B", LOCUST_TAGS="[a, b]"),
    "list of a variable after an option": env("-u 3 A", LOCUST_TAGS="[a, b]"),
    "list of a file before two dashes": conf("tags = [a, b]", "-- A"),
    # Variables.
    "flags in other cases": env("", LOCUST_HEADLESS="TRUE", LOCUST_AUTOSTART="On", LOCUST_RESET_STATS="1"),
    "flags that are off": env("", LOCUST_HEADLESS="No", LOCUST_AUTOSTART="0", LOCUST_RESET_STATS="off"),
    "flag that is empty": env("", LOCUST_HEADLESS=""),
    "flag that is neither": env("", LOCUST_PRINT_STATS="maybe"),
    "flag of the first pass that is neither": env("", LOCUST_MODE_WORKER="maybe"),
    "number that is none": env("", LOCUST_PROCESSES="many"),
    "text that is empty": env("", LOCUST_HOST="", LOCUST_CSV=""),
    "number that is empty": env("", LOCUST_USERS=""),
    "list": env("", LOCUST_TAGS="[a, b]", LOCUST_EXCLUDE_TAGS="c d"),
    "list that is empty": env("", LOCUST_TAGS=""),
    "list of nothing": env("", LOCUST_TAGS="[]"),
    "list in JSON": env("", LOCUST_TAGS='["a, b", 3, true, null]'),
    "list with blanks": env("", LOCUST_TAGS="[a,, b , ]"),
    "scalar in brackets": env("", LOCUST_HOST="[a, b]"),
    "settings of users": env("", LOCUST_CONFIG_USERS='{"user_class_name": "A"}'),
    "settings of several users": env("", LOCUST_CONFIG_USERS='[{"user_class_name": "A"}]'),
    "classes": env("", LOCUST_USER_CLASSES=" A  B "),
    "classes and typed": env("C", LOCUST_USER_CLASSES="A B"),
    "classes that are empty": env("", LOCUST_USER_CLASSES=""),
    "locustfile": env("", LOCUST_LOCUSTFILE="a.py"),
    "all with names of their own": env(
        "",
        LOCUST_USERCLASS_PICKER="1",
        LOCUST_MODE_MASTER="1",
        LOCUST_MASTER_NODE_HOST="h",
        LOCUST_MASTER_NODE_PORT="3",
        LOCUST_ENABLE_OPENTELEMETRY="yes",
        LOCUST_STOP_TIMEOUT="1m",
        LOCUST_WEB_BASE_PATH="/x",
        LOCUST_EXPECT_WORKERS_MAX_WAIT="5",
    ),
    "options without a variable": env("", LOCUST_JSON="1", LOCUST_LIST="1", LOCUST_PROFILE="x", LOCUST_CONFIG="y"),
    "removed in a variable": env("", LOCUST_WEB_AUTH="x"),
    "removed flag in a variable": env("", LOCUST_LEGACY_UI="false"),
    # The lines of a file.
    **{
        f"line {line}": conf(line)
        for line in (
            "users = 4",
            "users: 4",
            "users 4",
            "users=4",
            "--users 4",
            "--users=4",
            "  users  =  4  ",
            "headless",
            "--headless",
            "headless = yes",
            "headless # note",
            "headless = true # note",
            "headless = [1]",
            "host =",
            'host = ""',
            "host = 'a b' ; note",
            "host = 'a b",
            'host = "a" b"',
            "host: a#b",
            "host = a ;b",
            "host = # note",
            "host = http://h:80/?a=b",
            "=x",
            ":",
            "users;3",
            "# users = 4",
            "; users = 4",
            "[users = 4",
            "--- users",
            "-u 4",
            "u = 4",
            "L = debug",
            "user = 4",
            "head = true",
            "mast = 4",
            "Users = 4",
            "users = [1, 2]",
            "tags = [Critical, Normal]",
            "tags = [1, 'b']",
            'tags = ["a, b"]',
            "tags = []",
            "tags = a b",
            "tags =",
            "unknown = 1",
            "unknown",
            "unknown = [1, 2]",
            "user_classes = A",
            "num_users = 4",
            "web-auth = a:b",
            "slave = true",
            "web-port = 80",
            "loglevel = debug",
            "loglevel = loud",
            "spawn-rate = 0",
            "run-time = 1h",
            "locustfile = my.py",
            "locustfile",
            "help = true",
            'config-users = {"user_class_name": "A"}',
            'config-users = [{"user_class_name": "A"}, {"user_class_name": "B"}]',
        )
    },
    "last line wins": conf("users = 3\nusers = 4"),
    "flag twice": conf("headless = true\nheadless = false"),
    "number of the bad line": conf("\nusers = 3\n\n=x\n"),
    "windows line ends": conf("users = 3\r\nheadless\r\n"),
    "sections and rules": conf("[run]\n---\nusers = 3\n\n[web]\nheadless\n"),
    "byte that is no text": Case(files={"locust.conf": "host = h\u00fc\u4e16\n"}),
    "empty file": conf(""),
    # The table of a TOML file.
    "table": toml("[tool.locust]\nusers = 3\nspawn-rate = 2.0\nheadless = true\ntags = ['a', 3]\nhost = 'h'"),
    "table beside others": toml("[project]\nname = 'x'\n[tool.locust]\nusers = 3\n[tool.ruff]\nusers = 9"),
    "inline table": toml("[tool]\nlocust = {users = 3}"),
    "dotted keys": toml("tool.locust.users = 3"),
    "no table": toml("users = 3"),
    "false flag": toml("[tool.locust]\nheadless = false"),
    "text as a flag": toml("[tool.locust]\nheadless = 'yes'"),
    "text as a number": toml("[tool.locust]\nusers = '3'"),
    "float as an int": toml("[tool.locust]\nusers = 3.0"),
    "list as a number": toml("[tool.locust]\nusers = [3]"),
    "empty list": toml("[tool.locust]\ntags = []"),
    "unknown key": toml("[tool.locust]\nbogus = 3"),
    "key with a line below": toml("[tool.locust]\nspawn_rate = 3"),
    "broken": toml("[tool.locust]\nusers = "),
    "broken elsewhere": toml("users = \n[tool.locust]\nusers = 3"),
    "broken, and help": toml("users = ", "--help"),
    "broken file, and version": conf("=x", "--version"),
    "bad key, and version": conf("bogus = 3", "-V"),
}
