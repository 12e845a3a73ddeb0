"""How locustfiles are found and imported, and what is said of those that cannot be."""

from __future__ import annotations

from ..case import Case, run


def user(name: str, more: str = "") -> str:
    return f"from locust import User, task\n{more}\nclass {name}(User):\n    @task\n    def t(self): pass\n"


def shape(name: str) -> str:
    return f"from locust import LoadTestShape\nclass {name}(LoadTestShape):\n    def tick(self): return None\n"


WHERE = """
@events.init.add_listener
def show(environment, **_):
    import os, sys
    print(__name__, os.path.relpath(__file__), "locustfile" in sys.modules, sys.path[0] == os.getcwd())
    print([os.path.relpath(file) for file in environment.parsed_locustfiles], environment.locustfile)
    print(sorted(environment.available_user_classes), sorted(environment.available_shape_classes or ()),
          type(environment.shape_class).__name__)
    1 / 0
"""
TWO = {"a.py": user("A"), "b.py": user("B")}
FOLDER = {
    "tests/a.py": user("A"),
    "tests/_hidden.py": user("Hidden"),
    "tests/deep/b.py": user("B"),
    "tests/_deep/c.py": user("C"),
    "tests/notes.txt": "",
}


def listed(line: str, **files: str) -> Case:
    return run(f"--list {line}", None, files={name.replace("__", "/") + ".py": text for name, text in files.items()})


def broken(text: str, line: str = "--headless", **files: str) -> Case:
    return run(line, text, files={name.replace("__", "/") + ".py": inner for name, inner in files.items()})


CASES = {
    # Which files.
    "default": run("--list", user("A")),
    "none": run("--list", None, files={"other.py": user("A")}),
    "no suffix": run("--list -f a", None, files=TWO),
    "no suffix and a folder": run("--list -f a", None, files={**TWO, "a/c.py": user("C")}),
    "another suffix": run("--list -f a.txt", None, files={"a.txt": user("A"), "b.py": ""}),
    "two": run("--list -f a.py,b.py", None, files=TWO),
    "two with blanks": run("--list -f ' b.py , a.py '", None, files=TWO),
    "two options": run("--list -f a.py -f b.py", None, files=TWO),
    "one of two is missing": run("--list -f a.py,no.py", None, files=TWO),
    "nothing after a comma": run("--list -f a.py,", None, files=TWO),
    "the same twice": run("--list -f a.py,a.py", None, files=TWO),
    "folder of one": run("--list -f tests", None, files={"tests/a.py": user("A"), "tests/_b.py": user("B")}),
    "folder within": run("--list -f tests", None, files={"tests/deep/_er/a.py": user("A")}),
    "folder of none": run("--list -f tests", None, files={"tests/_a.py": "", "tests/b.txt": "", "c.py": ""}),
    "folder and file": run("--list -f b.py,tests", None, files={"b.py": user("B"), "tests/a.py": user("A")}),
    "folder here": run("--list -f .", None, files={"b.py": user("B")}),
    "all of a folder": run(
        "--headless -f tests A", None, files={**FOLDER, "tests/a.py": "from locust import *\n" + user("A") + WHERE}
    ),
    "dash among others": run("--list -f -,a.py", None, files=TWO),
    "dash": run("--list -f -", None, files=TWO),
    "home folder is not expanded": run("--list -f '~/a.py'", None, files={"home/a.py": user("A")}),
    "an address where nobody answers": run("--list -f http://127.0.0.1:1/a.py", user("A")),
    "an address": run("--list -f SERVER/in/shop.py", None),
    "an address that is elsewhere": run("--list -f SERVER/moved.py", None),
    "an address and a file": run("--list -f a.py,SERVER/in/shop.py", None, files=TWO),
    "an address without a file": run("--list -f SERVER/page", None),
    "an address with an empty file": run("--list -f SERVER/empty.py", None),
    "an address in a file": run("--list", None, files={"locust.conf": "locustfile = SERVER/page\n"}),
    "an address of another kind": run("--list -f ftp://127.0.0.1/a.py", user("A")),
    "an address without a host": run("--list -f http:///a.py", user("A")),
    "dots": run("--list -f tests/../a.py", None, files={**TWO, "tests/x.py": ""}),
    "name with a dot": run("--list -f a.b.py", None, files={"a.b.py": user("A")}),
    "name with a dash": run("--list -f my-test.py", None, files={"my-test.py": user("A")}),
    "named by a variable": run("--list", None, files=TWO, env={"LOCUST_LOCUSTFILE": "b.py,a.py"}),
    # How they are imported.
    "where it is": run("--headless", "from locust import *\n" + user("A") + WHERE),
    "where it is in a folder": run(
        "--headless -f in/my.py", None, files={"in/my.py": "from locust import *\n" + user("A") + WHERE}
    ),
    "called locust": run(
        "--headless -f locust.py", None, files={"locust.py": "from locust import *\n" + user("A") + WHERE}
    ),
    "two, and where": run(
        "--headless -f b.py,a.py", None, files={"a.py": "from locust import *\n" + user("A") + WHERE, "b.py": user("B")}
    ),
    "imports a sibling": run("--list", user("A", "import helper"), files={"helper.py": "print('helping')\n"}),
    "imports beside it": run(
        "--list -f in/my.py", None, files={"in/my.py": user("A", "import helper"), "in/helper.py": "print('beside')\n"}
    ),
    "imports from here": run(
        "--list -f in/my.py", None, files={"in/my.py": user("A", "import helper"), "helper.py": "print('here')\n"}
    ),
    "imports what is beside and here": run(
        "--list -f in/my.py",
        None,
        files={
            "in/my.py": user("A", "import helper"),
            "helper.py": "print('here')\n",
            "in/helper.py": "print('beside')\n",
        },
    ),
    "imports a package": run(
        "--list", user("A", "import p.inner"), files={"p/__init__.py": "", "p/inner.py": "print(__name__)\n"}
    ),
    "imports another locustfile": run(
        "--list -f a.py,b.py", None, files={"a.py": user("A"), "b.py": user("B", "import a; print(a.A)")}
    ),
    "class of another module": run("--list", "from users import A, B\n", files={"users.py": user("A") + user("B")}),
    "class by another name": run("--list", user("A") + "Other = A\n"),
    "class by another name chosen": run("--show-task-ratio Other", user("A") + "Other = A\n"),
    "abstract base": run("--list", user("A") + "A.abstract = True\nclass B(A): pass\n"),
    "same name in two folders": run("--list -f x/a.py,y/a.py", None, files={"x/a.py": user("A"), "y/a.py": user("B")}),
    "same class in two": run(
        "--list -f a.py,b.py", None, files={"a.py": user("A"), "b.py": "from a import A\n" + user("B")}
    ),
    "same class from a third": run(
        "--list -f a.py,b.py", None, files={"a.py": "from c import C\n", "b.py": "from c import C\n", "c.py": user("C")}
    ),
    "two classes of one name": run("--list -f a.py,b.py", None, files={"a.py": user("A"), "b.py": user("A")}),
    "two classes of one name in a folder": run("--list -f t", None, files={"t/a.py": user("A"), "t/b.py": user("A")}),
    "shape": run("--headless", "from locust import *\n" + user("A") + shape("S") + WHERE),
    "two shapes": run("--headless", "from locust import *\n" + user("A") + shape("S") + shape("R") + WHERE),
    "shape of another file": run(
        "--headless -f a.py,s.py",
        None,
        files={"a.py": "from locust import *\n" + user("A") + WHERE, "s.py": shape("S")},
    ),
    "two shapes of one name": run(
        "--list -f a.py,b.py", None, files={"a.py": user("A") + shape("S"), "b.py": shape("S")}
    ),
    "same shape in two": run(
        "--list -f a.py,b.py",
        None,
        files={"a.py": user("A") + "from s import S\n", "b.py": "from s import S\n", "s.py": shape("S")},
    ),
    "shape that shadows its base": run(
        "--headless", "from locust import *\n" + user("A") + shape("LoadTestShape") + WHERE
    ),
    "abstract shape": run(
        "--headless", "from locust import *\n" + user("A") + shape("S") + "    abstract = True\n" + WHERE
    ),
    "only a shape": run("--headless", shape("S")),
    # What cannot be imported.
    "syntax": broken("def f(:\n    pass\n"),
    "indentation": broken("def f():\npass\n"),
    "module that is not there": broken("import nothing_there\n"),
    "name that is not there": broken("from locust import nothing_there\n"),
    "exception": broken("from locust import *\ndef deep():\n    raise RuntimeError('on import')\ndeep()\n"),
    "exception with a cause": broken("try:\n    1 / 0\nexcept Exception as e:\n    raise ValueError('said') from e\n"),
    "exception in a helper": broken("import helper\n", helper="def f():\n    1 / 0\nf()\n"),
    "syntax in a helper": broken("import helper\n", helper="x = = 1\n"),
    "exception in the second": run("--list -f a.py,b.py", None, files={"a.py": user("A"), "b.py": "1 / 0\n"}),
    "exception group": broken("raise ExceptionGroup('several', [ValueError('a'), KeyError('b')])\n"),
    "exit with a text": broken("import sys\nsys.exit('enough')\n"),
    "exit with a number": broken("import sys\nsys.exit(9)\n"),
    "exit with nothing": broken("raise SystemExit\n"),
    "null byte": broken("x = 1\0\n"),
    "class body that raises": broken("from locust import *\nclass A(User):\n    1 / 0\n"),
    "shape that cannot be made": broken(
        user("A") + "from locust import LoadTestShape\nclass S(LoadTestShape):\n    def __init__(self, x): pass\n"
    ),
    "shape that raises": broken(shape("S").replace("    def tick", "    def __init__(self): 1 / 0\n    def tick")),
    "import error before a mistake": broken("1 / 0\n", "--nonsense"),
    "import error before help": broken("1 / 0\n", "--version --nonsense"),
    "warns": broken("import warnings\nwarnings.warn('careful')\n" + user("A"), "--list"),
    "prints": broken("print('out')\nimport sys\nprint('err', file=sys.stderr)\n" + user("A"), "--list"),
    "logs": broken("import logging\nlogging.info('quiet')\nlogging.warning('loud')\n" + user("A"), "--list"),
    # pytest's.
    "tests": run("--list", "def test_one(session): pass\ndef test_two(fastsession): pass\ndef helper(): pass\n"),
    "tests beside a user": run("--list", user("A") + "def test_one(session): pass\n"),
    "test with a fixture that is not there": run("--list", "def test_one(nothing_there): pass\n"),
}
