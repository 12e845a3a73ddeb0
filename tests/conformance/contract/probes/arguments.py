"""Arguments of a locustfile's own: what can be declared, and what a command line and the environment make of it."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
from unittest import mock

import locust
from locust import argument_parser
from locust.argument_parser import get_parser, ui_extra_args_dict
from locust.event import Events

from ..probe import probe

LOCUSTS = (
    "num_users",
    "spawn_rate",
    "run_time",
    "host",
    "headless",
    "tags",
    "loglevel",
    "user_classes",
    "stop_timeout",
)
ENVIRONMENT = {
    "NUMBER": "7",
    "ON": "true",
    "OFF": "no",
    "WHAT": "maybe",
    "LIST": "[a, b]",
    "ONE": "z",
    "NOTHING": "",
    "TWICE": "2",
    "SPACED": "two words",
    "DASHED": "-x",
}


def attempt(say, action, **environment):
    """Say what comes of it: a value, or how the process would have ended."""
    said = io.StringIO()
    try:
        with (
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(said),
            mock.patch.dict(os.environ, {**ENVIRONMENT, **environment}),
        ):
            say(action())
    except SystemExit as end:
        say("exit", end.code, said.getvalue().partition("error: ")[2])
    except Exception as error:
        say(type(error).__name__, str(error))


OURS = {
    "abort_on_check",
    "checks",
    "cluster_key",
    "hgrm_prefix",
    "io_threads",
    "iteration_limit",
    "junit",
    "no_locustfile_transfer",
    "plain",
    "random_seed",
    "web_allowed_hosts",
}
"""Options that Locust does not have."""


def parser_with(*declared):
    parser = get_parser(default_config_files=[])
    for names, details in declared:
        parser.add_argument(*names, **details)
    return parser


def parsed(parser, line):
    """Its own arguments, and of Locust's those that most runs set."""
    options = vars(parser.parse_args(line.split()))
    locusts = argument_parser.default_args_dict()
    own = {name: value for name, value in options.items() if name not in locusts and name not in OURS}
    return sorted(own.items()), [options[name] for name in LOCUSTS]


def arg(*names, **details):
    return names, details


TEXT = arg("--text", default="none")
CASES = {
    "nothing": ([], ""),
    "locusts": ([], "--headless -u 5 -r 2.5 -t 1h20m -s 3 -H http://h -T a b -L debug A B"),
    "together": ([TEXT], "--text x -u3 A"),
    "equals sign": ([TEXT], "--text=x=y --users=4"),
    "abbreviated": ([TEXT], "--te x --use 4 --headle"),
    "abbreviation of two": ([arg("--hosts")], "--hos x"),
    "name that begins another": ([arg("--user")], "--user 3"),
    "ambiguous": ([TEXT], "--t x"),
    "ambiguous with ours": ([arg("--special")], "--sp 3"),
    "twice": ([TEXT], "--text x --text y -u 1 -u 2"),
    "value missing": ([TEXT], "--text"),
    "locusts value missing": ([TEXT], "-u --text x"),
    "explicit value of a flag": ([arg("--flag", action="store_true")], "--flag=1"),
    "explicit value of locusts flag": ([], "--headless=1"),
    "unknown": ([TEXT], "--tex1 x"),
    "unknown beside a value": ([TEXT], "--unknown A --text x"),
    "unknown and far": ([TEXT], "--qqqqqq"),
    "unknown short": ([TEXT], "-q"),
    "number": ([arg("--number", type=int)], "--number 5"),
    "no number": ([arg("--number", type=int)], "--number five"),
    "negative number": ([arg("--number", type=int)], "--number -5"),
    "float": ([arg("--number", type=float)], "--number 1e3"),
    "own type": ([arg("--time", type=argument_parser.timespan)], "--time 1h20m"),
    "own type refused": ([arg("--time", type=argument_parser.timespan)], "--time never"),
    "locusts type refused": ([], "-u five"),
    "locusts rate refused": ([], "-r 0"),
    "locusts rate infinite": ([], "-r inf"),
    "locusts time refused": ([], "-t soon"),
    "locusts choice refused": ([], "-L LOUD"),
    "choice": ([arg("--choice", choices=["a", "b"])], "--choice b"),
    "choice refused": ([arg("--choice", choices=["a", "b"])], "--choice c"),
    "flag": ([arg("--flag", action="store_true")], "--flag"),
    "flag off": ([arg("--no-flag", action="store_false", dest="flag")], "--no-flag"),
    "constant": ([arg("--fast", action="store_const", const="f", dest="mode")], "--fast"),
    "both ways": ([arg("--both", action=argparse.BooleanOptionalAction, default=None)], "--no-both"),
    "counted": ([arg("-c", "--count", action="count")], "-cc --count"),
    "appended": ([arg("--add", action="append")], "--add 1 --add 2"),
    "several": ([arg("--many", nargs="+")], "--many 1 2 --headless"),
    "several and classes": ([arg("--many", nargs="*")], "--many 1 2 -- A B"),
    "two": ([arg("--pair", nargs=2)], "--pair 1 2 A"),
    "perhaps": ([arg("--perhaps", nargs="?", const="c", default="d")], "--perhaps"),
    "short of its own": ([arg("-x", "--extra")], "-x5"),
    "short taken": ([arg("-u")], ""),
    "name taken": ([arg("--host")], ""),
    "destination taken": ([arg("--own-host", dest="host", default="own")], "--own-host h"),
    "required": ([arg("--needed", required=True)], ""),
    "required and there": ([arg("--needed", required=True)], "--needed 1"),
    "required for the page": ([arg("--needed", is_required=True)], ""),
    "default of a type": ([arg("--number", type=int, default="5")], ""),
    "suppressed": ([arg("--hidden", default=argparse.SUPPRESS)], ""),
    "dashes in the name": ([arg("--two-words", default=1)], "--two-words 2"),
    "positional": ([arg("place")], "A"),
    "positional and class": ([arg("place")], "A B"),
    "positional missing": ([arg("place")], "--headless"),
    "positional with a variable": ([arg("place", env_var="ONE")], "A"),
    "nonsense keyword": ([arg("--text", nonsense=1)], ""),
    "variable": ([arg("--text", env_var="ONE")], ""),
    "variable and command line": ([arg("--text", env_var="ONE")], "--text typed"),
    "variable and equals sign": ([arg("--text", env_var="ONE")], "--text=typed"),
    "variable that is not set": ([arg("--text", env_var="NOT_THERE", default="d")], ""),
    "variable that is empty": ([arg("--text", env_var="NOTHING", default="d")], ""),
    "variable with a space": ([arg("--text", env_var="SPACED")], ""),
    "variable with a dash": ([arg("--text", env_var="DASHED")], ""),
    "variable of a number": ([arg("--number", env_var="NUMBER", type=int)], ""),
    "variable of no number": ([arg("--number", env_var="ONE", type=int)], ""),
    "variable of no choice": ([arg("--choice", env_var="ONE", choices=["a"])], ""),
    "variable of a flag": ([arg("--flag", env_var="ON", action="store_true")], ""),
    "variable that lets a flag be": ([arg("--flag", env_var="OFF", action="store_true")], ""),
    "variable of no truth": ([arg("--flag", env_var="WHAT", action="store_true")], ""),
    "variable that switches off": ([arg("--both", env_var="OFF", action=argparse.BooleanOptionalAction)], ""),
    "variable that switches on": ([arg("--both", env_var="ON", action=argparse.BooleanOptionalAction)], ""),
    "variable of a list": ([arg("--many", env_var="LIST", nargs="+")], "A"),
    "variable of a list of one": ([arg("--many", env_var="ONE", nargs="*")], ""),
    "variable that appends": ([arg("--add", env_var="LIST", action="append")], ""),
    "variable that looks like a list": ([arg("--text", env_var="LIST")], ""),
    "variable that counts": ([arg("--count", env_var="TWICE", action="count")], ""),
    "variable of what is required": ([arg("--needed", env_var="ONE", required=True)], ""),
}


@probe.each(*CASES)
def case(value, say):
    declared, line = CASES[value]
    attempt(say, lambda: parsed(parser_with(*declared), line))


@probe.each("group", "group without a variable", "exclusive", "one of two", "marked for the page", "nested")
def grouped(value, say):
    parser = parser_with(TEXT)
    group = parser.add_argument_group("Mine", "What is mine")
    either = parser.add_mutually_exclusive_group()

    def add_and_parse():
        match value:
            case "group":
                group.add_argument("--inside", env_var="ONE", type=str)
            case "group without a variable":
                group.add_argument("--inside", default=4)
            case "exclusive" | "one of two":
                either.add_argument("--this", action="store_true")
                either.add_argument("--that", action="store_true")
            case "marked for the page":
                group.add_argument("--inside", include_in_web_ui=False)
            case "nested":
                group.add_mutually_exclusive_group().add_argument("--inside", env_var="ONE")
        return parsed(parser, "--this --that" if value == "one of two" else "-u 3 A")

    attempt(say, add_and_parse)
    say(group.title, group.description, list(parser.args_included_in_web_ui)[-1])


@probe
def defaults(say):
    parser = parser_with(TEXT)
    say([parser.get_default(dest) for dest in (*LOCUSTS[:-1], "text", "nothing")])
    parser.set_defaults(num_users=5, host="http://set", headless=True, text="set", further=3)
    say([parser.get_default(dest) for dest in ("num_users", "host", "headless", "text", "further")])
    for line in ("", "-u 2 -H http://typed --text typed"):
        attempt(say, lambda line=line: parsed(parser, line))
    attempt(say, lambda: parsed(parser, ""), LOCUST_USERS="8", LOCUST_HEADLESS="false")


@probe
def marks(say):
    parser = parser_with(
        arg("--shown"),
        arg("--unseen", include_in_web_ui=False),
        arg("--secret", is_secret=True),
        arg("--unseen-secret", is_secret=True, include_in_web_ui=False),
        arg("--needed", is_required=True),
        arg("--several", is_multiple=True, choices=["a", "b"]),
    )
    for dest in ("shown", "unseen", "secret", "unseen_secret", "needed", "several"):
        action = next(action for action in parser._actions if action.dest == dest)
        say(dest, action.include_in_web_ui, action.is_secret, action.is_required, action.is_multiple, action.env_var)
    shown = list(parser.args_included_in_web_ui)
    say([dest for dest in shown if dest not in argument_parser.default_args_dict()])
    say(
        list(parser.secret_args_included_in_web_ui),
        list(parser.required_args_included_in_web_ui),
        list(parser.multiple_args_included_in_web_ui),
    )


@probe
def on_the_page(patch, say):
    events = Events()
    patch(locust, "events", events)

    @events.init_command_line_parser.add_listener
    def add(parser):
        parser.add_argument("--text", default="t", help="Some text", env_var="ONE")
        parser.add_argument("--choice", choices=["a", "b"], is_multiple=True, nargs="*", is_required=True)
        parser.add_argument("--unseen", include_in_web_ui=False)
        parser.add_argument("--secret", is_secret=True, default=5, type=int)
        parser.add_argument_group("Mine").add_argument("--inside", default=4)

    say(ui_extra_args_dict([]))
    say(ui_extra_args_dict(["--choice", "a", "b", "--secret", "7", "-u", "3"]))
    attempt(say, lambda: ui_extra_args_dict([])["text"])


@probe
def known_and_unknown(say):
    parser = parser_with(TEXT)
    for line in ("--text x --more 1 A", "--more", "-q -u 3", "-- A --more"):
        options, rest = parser.parse_known_args(line.split())
        say(line, options.text, options.num_users, options.user_classes, rest)
    given = argparse.Namespace(before=1)
    say(parser.parse_args(["--text", "y"], given) is given, given.before, given.text, given.num_users)
    say(type(parser.parse_args([])).__name__)


@probe
def other_names(say):
    parser = parser_with()
    parser.add_arg("--one", default=1)
    parser.add("--two", default=2)
    options, rest = parser.parse_known(["--one", "x", "--more"])
    say(options.one, options.two, rest, parser.parse(["--two", "y"]).two)


@probe
def an_empty_one(say):
    parser = argument_parser.get_empty_argument_parser(add_help=False, default_config_files=[])
    say([[action.option_strings, action.dest, action.default] for action in parser._actions])
    attempt(say, lambda: parser.parse_known_args([])[0].locustfile, LOCUST_LOCUSTFILE="from_outside.py")
    say(parser.parse_known_args(["-f", "a.py", "--more"])[1])
    attempt(say, lambda: parser.parse_args(["--more"]))
    argument_parser.setup_parser_arguments(parser)
    attempt(say, lambda: parsed(parser, "-u 3 -f b.py A"))


@probe.each("-f a.py --more", "--locustfile=a.py --worker", "--master --master-port 5", "-f", "--master-port x")
def first_look(value, say):
    attempt(say, lambda: sorted(vars(argument_parser.parse_locustfile_option(value.split())).items()))


VALUES = ("1", "0", "-1", "1.5", "nan", "inf", "text", "", "1h", "20", "1h1h", " 5 ", "1_0")


@probe.each("positive_integer", "timespan", "gt_zero(int)", "gt_zero(float)")
def types(value, say):
    name, _, of = value.rstrip(")").partition("(")
    function = getattr(argument_parser, name)
    for text in VALUES:
        attempt(say, lambda text=text: (function({"int": int, "float": float}[of]) if of else function)(text))


@probe
def user_config(folder, say):
    (folder / "c.json").write_text('[{"user_class_name": "A", "weight": 2}]')
    (folder / "bad.json").write_text("{")
    for text in ('{"user_class_name": "A"}', '{"weight": 1}', "[]", "[{}]", "nowhere.json", "{", "5"):
        attempt(say, lambda text=text: argument_parser.json_user_config(text))
    attempt(say, lambda: argument_parser.json_user_config(str(folder / "c.json")))
    attempt(say, lambda: argument_parser.json_user_config(str(folder / "bad.json")))


@probe
def files(folder, say):
    for name in ("a.py", "b.py", "_c.py", "d.txt"):
        (folder / name).write_text("")

    def found(*paths):
        asked = [str(folder / path) if path else path for path in paths]
        return sorted(os.path.relpath(path, folder) for path in argument_parser.parse_locustfile_paths(asked))

    for paths in (["a.py"], ["a.py", "b.py"], [""], ["."], ["a.py", "."]):
        attempt(say, lambda paths=paths: found(*paths))
    options = argparse.Namespace(locustfile=f"{folder}/a.py,{folder}/b.py")
    attempt(say, lambda: [os.path.basename(path) for path in argument_parser.get_locustfiles_locally(options)])


@probe
def gone(say):
    parser = parser_with(arg("--gone", action=argument_parser.raise_argument_type_error("it is gone"), nargs=0))
    for line in ("--gone", "", "--slave"):
        attempt(say, lambda line=line: parsed(parser, line))


@probe
def deprecated(say):
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        options = argument_parser.parse_options(["-u", "3"])
    say(options.num_users, written.getvalue())


@probe
def custom_ones_are_those_beyond(say):
    known = argument_parser.default_args_dict()
    say(sorted(known.keys() - OURS), {name: known[name] for name in LOCUSTS})
