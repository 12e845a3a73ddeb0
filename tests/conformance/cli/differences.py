"""Which cases differ, and why. What is kept on purpose is in `docs/compatibility.md`, too.

Such a case is expected to fail, and the tests say so when it no longer does.
"""

from __future__ import annotations

REASONS: dict[str, list[str]] = {
    "on purpose: several users' settings in brackets are JSON; Locust splits them and cannot read the pieces": [
        "behind: settings of several users",
        'behind: line config-users = [{"user_class_name": "A"}, {"user_class_name": "B"}]',
    ],
    "on purpose: what is wrong with a flag's setting is said; Locust breaks with a traceback": [
        "behind: line headless = [1]",
        "declared: counted in a variable that is none",
    ],
}

DIFFERENT = {case: reason for reason, cases in REASONS.items() for case in cases}

REWORDED = {
    # The words after these are another parser's, or free.
    "typed: -r fast": "locust: error: argument -r/--spawn-rate: invalid ",
    "typed: -r ''": "locust: error: argument -r/--spawn-rate: invalid ",
    "typed: -t ''": "locust: error: argument -t/--run-time: Invalid time span format",
    "typed: --web-auth a:b": "--web-login",
    "behind: removed in a variable": "--web-login",
    "behind: line web-auth = a:b": "--web-login",
    "behind: broken": "locust: error: Couldn't parse TOML file: ",
    "behind: broken elsewhere": "locust: error: Couldn't parse TOML file: ",
    "behind: broken, and help": "locust: error: Couldn't parse TOML file: ",
    "behind: line users = [1, 2]": "locust: error: users can't be set to a list '[",
    "behind: list as a number": "locust: error: users can't be set to a list '[",
    "starting: refused --web-auth a:b": "--web-login",
    "starting: refused --web-base-path x": "Invalid format for --web-base-path argument (x)",
    "starting: refused --processes 2 --master": "--master cannot be combined with --processes",
    "starting: headful": "Invalid format for --web-base-path argument (x)",
    **{
        f"starting: refused --headless --config-users '{settings}": words
        for settings, words in {
            """{"user_class_name": "Nobody"}'""": "ERROR/locust.main: Error applying user config",
            """{"user_class_name": "Nobody"}' --show-task-ratio""": "ERROR/locust.main: Error applying user config",
            """{"user_class_name": "A", "tasks": 3}'""": "argument of type 'int' is not iterable",
            """{"user_class_name": "A", "__dict__": 3}'""": "attribute '__dict__' of 'type' objects is not writable",
        }.items()
    },
    "starting: shape and options it ignores": "The following option(s) will be ignored: --users, --spawn-rate, --run-time",
    "starting: shape and one option it ignores": "The following option(s) will be ignored: --spawn-rate",
    "starting: shape and a ratio": "--run-time, --users or --spawn-rate have no impact on LoadShapes",
    # As far as it goes it is raised.
    "starting: limit of open files that is too low": "System open file limit '",
    "starting: more than is told": "DEBUG/locust.main: Locust is running with the UserClass Picker Enabled",
    # Without the frames that only import a file, nothing is left of the traceback but the mistake.
    "starting: weights of zero": "There are no users with weight > 0.",
    "finding: syntax": "SyntaxError: invalid syntax",
    "finding: indentation": "IndentationError: expected an indented block",
    "finding: null byte": "source code string cannot contain null bytes",
    "finding: shape that cannot be made": "TypeError: Can't instantiate abstract class S",
    "finding: test with a fixture that is not there": "nothing_there",
    "ending: shape that raises": "CRITICAL/locust.runners: Unhandled exception in greenlet: ",
}
"""Where the words are free, or of another library: what they contain on both sides."""
