"""A locustfile's own arguments, and what variables and files make of them."""

from __future__ import annotations

from ..case import Case

TEXT = "parser.add_argument('--my-text', env_var='MY_TEXT', default='none')"
NUMBER = "parser.add_argument('-n', '--number', type=int, env_var='NUMBER')"
FLAG = "parser.add_argument('--flag', action='store_true', env_var='FLAG')"
OFF = "parser.add_argument('--no-cache', dest='cache', action='store_false', env_var='NO_CACHE')"
CHOICE = "parser.add_argument('--choice', choices=['a', 'b'], default='a', is_multiple=True)"
SEVERAL = "parser.add_argument('--many', nargs='*', env_var='MANY')"
TWO = "parser.add_argument('--pair', nargs=2, type=int)"
ADDED = "parser.add_argument('--add', action='append', env_var='ADD')"
COUNTED = "parser.add_argument('-v', '--verbose', action='count', default=0, env_var='LOUD')"
BOTH = "import argparse\nparser.add_argument('--both', action=argparse.BooleanOptionalAction, env_var='BOTH')"
CONSTANT = "parser.add_argument('--fast', dest='mode', action='store_const', const='f', env_var='FAST')"
NEEDED = "parser.add_argument('--needed', required=True, env_var='NEEDED')"
PERHAPS = "parser.add_argument('--perhaps', nargs='?', const='c', default='d', env_var='PERHAPS')"
GROUP = "group = parser.add_argument_group('Mine', 'of mine')\ngroup.add_argument('--in-group', env_var='IN_GROUP', type=int)"
EXCLUSIVE = "group = parser.add_mutually_exclusive_group()\ngroup.add_argument('--one')\ngroup.add_argument('--other')"
FILE = "parser.add_argument('--settings', is_config_file=True)"


def conf(add: str, text: str, line: str = "", **env: str) -> Case:
    return Case(line, env, {"locust.conf": text}, add=add)


def typed(add: str, line: str, **env: str) -> Case:
    return Case(line, env, add=add)


CASES = {
    "text": typed(TEXT, "--my-text x -u 3"),
    "text abbreviated": typed(TEXT, "--my x"),
    "text missing": typed(TEXT, "--my-text"),
    "text like an unknown one": typed(TEXT, "--my-txt x"),
    "text by its variable": typed(TEXT, "", MY_TEXT="x"),
    "text by a file": conf(TEXT, "my-text = in a file"),
    "text by a file with dashes": conf(TEXT, "--my-text x"),
    "text by a file with a line below": conf(TEXT, "my_text = x"),
    "text by its destination": conf(TEXT, "my-tex = x"),
    "text everywhere": conf(TEXT, "my-text = file", "--my-text typed", MY_TEXT="variable"),
    "text in a variable and a file": conf(TEXT, "my-text = file", "", MY_TEXT="variable"),
    "text in TOML": Case(files={"pyproject.toml": "[tool.locust]\nmy-text = 'x'\nusers = 2"}, add=TEXT),
    "text in a named file": Case("--config a.conf", files={"a.conf": "my-text = x"}, add=TEXT),
    "text as a list": conf(TEXT, "my-text = [a, b]"),
    "not declared": Case(files={"locust.conf": "my-text = x"}),
    "number": typed(NUMBER, "-n 3"),
    "number joined": typed(NUMBER, "-n3 --number=4"),
    "number that is none": typed(NUMBER, "-n x"),
    "number in a file": conf(NUMBER, "number = 3"),
    "number by its short name": conf(NUMBER, "n = 3"),
    "number in a file that is none": conf(NUMBER, "number = x"),
    "number in a variable that is none": typed(NUMBER, "", NUMBER="x"),
    "number before locusts": typed(NUMBER, "-n x -u y"),
    "number after locusts": typed(NUMBER, "-u y -n x"),
    "flag": typed(FLAG, "--flag"),
    "flag in a file": conf(FLAG, "flag"),
    "flag in a file off": conf(FLAG, "flag = no"),
    "flag in a file neither": conf(FLAG, "flag = maybe"),
    "flag in a variable": typed(FLAG, "", FLAG="on"),
    "flag in a variable off": conf(FLAG, "flag = true", "", FLAG="0"),
    "flag that switches off": typed(OFF, "--no-cache"),
    "flag that switches off in a file": conf(OFF, "no-cache = true"),
    "flag that switches off in a variable": typed(OFF, "", NO_CACHE="1"),
    "choice": typed(CHOICE, "--choice b"),
    "choice that is none": typed(CHOICE, "--choice c"),
    "choice in a file that is none": conf(CHOICE, "choice = c"),
    "several": typed(SEVERAL, "--many a b --headless"),
    "several in a file": conf(SEVERAL, "many = [a, b]"),
    "several in a file, and classes": conf(SEVERAL, "many = [a, b]", "A B"),
    "several in a file of one": conf(SEVERAL, "many = a b"),
    "several in a variable": typed(SEVERAL, "", MANY="[a, b]"),
    "several in a variable of one": typed(SEVERAL, "", MANY="a b"),
    "several in a variable that is empty": typed(SEVERAL, "", MANY=""),
    "two in a file": conf(TWO, "pair = [1, 2]"),
    "two in a file of one": conf(TWO, "pair = 1"),
    "two in a file of three": conf(TWO, "pair = [1, 2, 3]"),
    "added": typed(ADDED, "--add a --add b"),
    "added in a file": conf(ADDED, "add = [a, b]"),
    "added in a file of one": conf(ADDED, "add = a"),
    "added in a file, and typed": conf(ADDED, "add = [a, b]", "--add c"),
    "added in a variable": typed(ADDED, "", ADD="[a, b]"),
    "added in a variable of one": typed(ADDED, "", ADD="a, b"),
    "added in a variable that is empty": typed(ADDED, "", ADD=""),
    "perhaps in a file that is empty": conf(PERHAPS, "perhaps ="),
    "number that is empty": typed(NUMBER, "", NUMBER=""),
    "counted": typed(COUNTED, "-vv"),
    "counted in a file": conf(COUNTED, "verbose = 3"),
    "counted in a file as a flag": conf(COUNTED, "verbose"),
    "counted in a variable": typed(COUNTED, "", LOUD="2"),
    "counted in a variable that is none": typed(COUNTED, "", LOUD="x"),
    "both ways": typed(BOTH, "--no-both"),
    "both ways in a file": conf(BOTH, "both = false"),
    "both ways in a file on": conf(BOTH, "both = true"),
    "both ways by the other name": conf(BOTH, "no-both = true"),
    "both ways in a variable": typed(BOTH, "", BOTH="off"),
    "constant": typed(CONSTANT, "--fast"),
    "constant in a file": conf(CONSTANT, "fast = yes"),
    "needed": typed(NEEDED, "--needed x"),
    "needed and missing": typed(NEEDED, "-u 3"),
    "needed in a file": conf(NEEDED, "needed = x"),
    "needed in a variable": typed(NEEDED, "", NEEDED="x"),
    "perhaps": typed(PERHAPS, "--perhaps"),
    "perhaps in a file": conf(PERHAPS, "perhaps = x"),
    "perhaps in a variable": typed(PERHAPS, "", PERHAPS=""),
    "group": typed(GROUP, "--in-group 3"),
    "group in a file": conf(GROUP, "in-group = 3"),
    "group in a variable": typed(GROUP, "", IN_GROUP="3"),
    "exclusive": typed(EXCLUSIVE, "--one a"),
    "exclusive both": typed(EXCLUSIVE, "--one a --other b"),
    "exclusive in a file and typed": conf(EXCLUSIVE, "one = a", "--other b"),
    "exclusive in a variable and typed": typed(
        EXCLUSIVE.replace("'--one'", "'--one', env_var='ONE'"), "--other b", ONE="a"
    ),
    "exclusive in a variable and a file": conf(
        EXCLUSIVE.replace("'--one'", "'--one', env_var='ONE'"), "other = b", "", ONE="a"
    ),
    "exclusive in a file both": conf(EXCLUSIVE, "one = a\nother = b"),
    "exclusive in two files": Case(
        files={"locust.conf": "one = a", "pyproject.toml": "[tool.locust]\nother = 'b'"}, add=EXCLUSIVE
    ),
    "file of its own": Case("--settings a.conf", files={"a.conf": "users = 3"}, add=FILE),
    "file of its own and the named": Case(
        "--settings a.conf --config b.conf", files={"a.conf": "users = 3", "b.conf": "users = 4"}, add=FILE
    ),
    "locusts default changed": typed("parser.set_defaults(host='h', num_users=9)", "-u 3"),
    "own destination of locusts": typed("parser.add_argument('--target', dest='host')", "--target t"),
    "taken": typed("parser.add_argument('--users')", "-u 3"),
    "taken short": typed("parser.add_argument('-f')", "-f a.py"),
    "replaces locusts": typed(
        "parser.conflict_handler = 'resolve'\nparser.add_argument('--profile', type=int)", "--profile 3"
    ),
    "ours taken": typed("parser.add_argument('--seed', type=int)", "--seed 3"),
    "ours taken in a file": conf("parser.add_argument('--seed', type=int)", "seed = 3"),
    "ours taken by a beginning": typed("parser.add_argument('--seeds', type=int)", "--see 3"),
    "positional": typed("parser.add_argument('place')", "x"),
    "secret, required, not shown": typed(
        "parser.add_argument('--key', is_secret=True, is_required=True, include_in_web_ui=False)", "--key k"
    ),
    "nonsense keyword": typed("parser.add_argument('--key', is_nonsense=True)", "--key k"),
    "web keyword in a group": typed("parser.add_argument_group('g').add_argument('--key', is_secret=True)", "--key k"),
    "listener that raises": typed("1 / 0", "-u 3"),
    "prefix of locusts": typed("parser.add_argument('--user')", "--user 3 --users 4"),
    "unknown beside": typed(TEXT, "--my-text x --bogus"),
}
