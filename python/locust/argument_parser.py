"""The command line as a locustfile sees it: a parser that it may add its own arguments to.

Locust's own options are the engine's. The parser knows their names, so that it can tell what belongs to whom, and their
defaults; what was typed of them it hands to the engine, which understands it. The result is one namespace of both.
"""

from __future__ import annotations

import argparse
import difflib
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar

import locust
from gregaria import _engine, locating
from gregaria.__main__ import version_line

from . import runners as runners
from .util.directory import get_abspaths_in as get_abspaths_in
from .util.timespan import parse_timespan
from .util.url import is_url as is_url

version = locust.__version__

DEFAULT_CONFIG_FILES = ("~/.locust.conf", "locust.conf", "pyproject.toml")

_N = TypeVar("_N", int, float)
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_LOCUSTS = (*_engine.options(), ("user_classes", [], "*", "LOCUST_USER_CLASSES", "UserClass"))
"""Locust's options, and the user classes, which have no name: see `_engine.options`."""

_OURS = frozenset(_engine.our_option_strings())
"""What Locust does not have, and a locustfile that runs on Locust may therefore call its own."""

_TYPED = "_typed_of_locusts_options"


class _LocustsOption(argparse.Action):
    """An option of Locust's own: keeps what was typed, for the engine."""

    def __call__(self, parser: object, namespace: object, values: Any, option_string: str | None = None) -> None:
        typed = vars(namespace).setdefault(_TYPED, {})
        typed[self.dest] = values


class _TakesEnvironment(argparse._ActionsContainer):
    """Whatever arguments are added to, with `env_var`: the parser itself and its groups."""

    def add_argument(self, *args: Any, env_var: str | None = None, **kwargs: Any) -> argparse.Action:
        """Add an argument as argparse does; `env_var` names an environment variable that sets it, too.

        The command line goes before the variable. A flag is set by `true`, `yes`, `on` or `1`, and several values
        are written `[a, b]`.

        Raises `ValueError` for an argument without a dash that has an `env_var`, and what argparse raises.
        """
        for name in _OURS.intersection(args):
            if isinstance(self._option_string_actions.get(name), _LocustsOption):
                del self._option_string_actions[name]
        action = super().add_argument(*args, **kwargs)
        if env_var and not action.option_strings:
            raise ValueError("env_var can't be set for a positional arg.")
        action.env_var = env_var  # type: ignore[attr-defined]
        return action

    def add_argument_group(self, *args: Any, **kwargs: Any) -> argparse._ArgumentGroup:
        """Add a group, a section of the help. Its arguments take `env_var`, and are not shown on the web page."""
        group = _Group(self, *args, **kwargs)
        self._action_groups.append(group)
        return group

    def add_mutually_exclusive_group(self, **kwargs: Any) -> argparse._MutuallyExclusiveGroup:
        """Add a group of which one argument at most may be given."""
        group = _ExclusiveGroup(self, **kwargs)
        self._mutually_exclusive_groups.append(group)
        return group


class _Group(_TakesEnvironment, argparse._ArgumentGroup):
    pass


class _ExclusiveGroup(_TakesEnvironment, argparse._MutuallyExclusiveGroup):
    pass


class LocustArgumentParser(_TakesEnvironment, argparse.ArgumentParser):
    """An `ArgumentParser` whose arguments may be shown on the web page and set by environment variables."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("prog", "locust")
        super().__init__(*args, **kwargs)

    def add_argument(self, *args: Any, **kwargs: Any) -> argparse.Action:
        """Add an argument as argparse does.

        Further keywords: `env_var` names an environment variable that sets it; `include_in_web_ui` (default true),
        `is_secret`, `is_required` and `is_multiple` say how the web page asks for it.
        """
        marks = {
            "include_in_web_ui": kwargs.pop("include_in_web_ui", True),
            "is_secret": kwargs.pop("is_secret", False),
            "is_required": kwargs.pop("is_required", False),
            "is_multiple": kwargs.pop("is_multiple", False),
        }
        action = super().add_argument(*args, **kwargs)
        for mark, value in marks.items():
            setattr(action, mark, value)
        return action

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Return the namespace of all options, Locust's and those that were added, and the arguments nobody knows.

        Leaves with exit code 2, and a line on standard error, on a mistake.
        """
        arguments = list(sys.argv[1:] if args is None else args)
        parsed, unknown = super().parse_known_args(self._with_environment(arguments), namespace)
        typed = getattr(parsed, _TYPED, {})
        if typed:
            delattr(parsed, _TYPED)
        if any(isinstance(action, _LocustsOption) for action in self._actions):
            for dest, value in self._understood(typed).items():
                setattr(parsed, dest, value)
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and what was meant if that can be guessed, and leave with exit code 2."""
        _, unrecognized, arguments = message.partition("unrecognized arguments: ")
        meant = difflib.get_close_matches(arguments.split()[0], self._option_string_actions, 1) if unrecognized else []
        hint = "".join(f"\nDid you mean '{option}'?" for option in meant)
        sys.stderr.write(f"{self.prog}: error: {message}{hint}\n")
        sys.exit(2)

    def format_help(self) -> str:
        """Return the help of Locust's own options, and after it that of the others."""
        own = [action for action in self._actions if not isinstance(action, _LocustsOption | argparse._HelpAction)]
        if len(own) + 1 >= len(self._actions):
            return super().format_help()
        formatter = self._get_formatter()
        for group in self._action_groups:
            formatter.start_section(group.title)
            formatter.add_text(group.description)
            formatter.add_arguments(action for action in group._group_actions if action in own)
            formatter.end_section()
        return f"{_engine.help_text()}\n{formatter.format_help()}"

    @property
    def args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        """The arguments that the web page asks for, by destination."""
        return self._actions_with("include_in_web_ui")

    @property
    def secret_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        """Those of them whose value it does not show."""
        return self._actions_with("include_in_web_ui", "is_secret")

    @property
    def required_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        """Those of them without which it starts no test."""
        return self._actions_with("include_in_web_ui", "is_required")

    @property
    def multiple_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        """Those of them that take several of their choices."""
        return self._actions_with("include_in_web_ui", "is_multiple")

    def _actions_with(self, *marks: str) -> dict[str, argparse.Action]:
        return {action.dest: action for action in self._actions if all(getattr(action, mark, False) for mark in marks)}

    def _understood(self, typed: Mapping[str, Any]) -> dict[str, Any]:
        """Those of Locust's options that are given, as the engine understands what was typed and the environment."""
        try:
            options = _engine.parse_arguments(list(_as_arguments(typed)))
        except _engine.UsageError as error:
            self.error(str(error))
        if options["random_seed"] is not None:
            from gregaria import seeding

            options["random_seed"] = seeding.as_number(options["random_seed"])
        # A variable can set a flag, but not take it back.
        given = [
            dest for dest, _, values, env, _ in _LOCUSTS if env and env in os.environ and (values or options[dest])
        ]
        return {dest: options[dest] for dest in (*typed, *given)}

    def _with_environment(self, arguments: list[str]) -> list[str]:
        """The arguments, and after them what environment variables say of options that are not among them."""
        typed = {argument.split("=", 1)[0] for argument in arguments}
        words: list[str] = []
        for action in self._actions:
            value = os.environ.get(getattr(action, "env_var", None) or "")
            if value is not None and typed.isdisjoint(action.option_strings):
                words += self._as_typed(action, value)
        end = arguments.index("--") if "--" in arguments else len(arguments)
        return arguments[:end] + words + arguments[end:]

    def _as_typed(self, action: argparse.Action, value: str) -> list[str]:
        option = action.option_strings[-1]
        if action.nargs == 0:
            return self._flag_as_typed(action, value)
        several = action.nargs in ("*", "+") or (isinstance(action.nargs, int) and action.nargs > 1)
        appended = isinstance(action, argparse._AppendAction) and not several
        if not (several or appended) or not (value.startswith("[") and value.endswith("]")):
            return [f"{option}={value}"]
        items = [item.strip() for item in value[1:-1].split(",")]
        return [f"{option}={item}" for item in items] if appended else [option, *items]

    def _flag_as_typed(self, action: argparse.Action, value: str) -> list[str]:
        both_ways = isinstance(action, argparse.BooleanOptionalAction)
        if value.lower() in _TRUE:
            return [action.option_strings[0 if both_ways else -1]]
        if value.lower() in _FALSE:
            return [action.option_strings[1]] if both_ways else []
        if isinstance(action, argparse._CountAction) and value.isdecimal():
            return [action.option_strings[-1]] * int(value)
        self.error(
            f"Unexpected value for {action.env_var}: '{value}'. "  # type: ignore[attr-defined]
            "Expecting 'true', 'false', 'yes', 'no', 'on', 'off', '1' or '0'"
        )

    # By other names, which configargparse has.
    add = add_arg = add_argument
    parse = argparse.ArgumentParser.parse_args
    parse_known = parse_known_args


def _as_arguments(typed: Mapping[str, Any]) -> Iterable[str]:
    """What was typed of Locust's options, written out: no abbreviations, and values where they belong."""
    for dest, names, values, _, _ in _LOCUSTS:
        if dest not in typed or not names:
            continue
        long = next(name for name in names if name.startswith("--"))
        match values:
            case None:
                yield long
            case "*":
                yield from (long, *typed[dest])
            case _:
                yield f"{long}={typed[dest]}"
    yield from ("--", *typed.get("user_classes", ()))


class UIExtraArgOptions(NamedTuple):
    """How the web page asks for an argument of a locustfile."""

    default_value: str
    is_secret: bool
    is_required: bool
    help_text: str | None
    is_multiple: bool
    choices: list[str] | None = None


def get_empty_argument_parser(
    add_help: bool = True, default_config_files: Sequence[str] = DEFAULT_CONFIG_FILES
) -> LocustArgumentParser:
    """Return a parser that knows which locustfile to run, and nothing else.

    Configuration files are not read yet, whatever `default_config_files` names.
    """
    parser = LocustArgumentParser(add_help=add_help, usage=argparse.SUPPRESS)
    parser.add_argument("-f", "--locustfile", default="locustfile.py", env_var="LOCUST_LOCUSTFILE")
    parser.add_argument("--config")
    return parser


def setup_parser_arguments(parser: LocustArgumentParser) -> None:
    """Add Locust's own options to `parser`, as far as it does not have them."""
    defaults = _engine.default_options()
    shown = argparse.SUPPRESS  # The engine has a help text of its own.
    for dest, names, values, _, metavar in _LOCUSTS:
        new = [name for name in names if name not in parser._option_string_actions]
        if dest == "version":
            parser.add_argument(*new, action="version", version=version_line(), include_in_web_ui=False, help=shown)
        elif dest != "help" and (new or not names):
            takes: dict[str, Any] = {"nargs": {None: 0, "1": None}.get(values, values), "default": defaults.get(dest)}
            takes |= {"metavar": metavar or None, "action": _LocustsOption, "include_in_web_ui": False, "help": shown}
            parser.add_argument(*new, dest=dest, **takes)


def get_parser(default_config_files: Sequence[str] = DEFAULT_CONFIG_FILES) -> LocustArgumentParser:
    """Return a parser of all options: Locust's, and what locustfiles add to it.

    Fires `locust.events.init_command_line_parser`. Configuration files are not read yet, whatever
    `default_config_files` names.
    """
    parser = LocustArgumentParser()
    setup_parser_arguments(parser)
    locust.events.init_command_line_parser.fire(parser=parser)
    return parser


def parse_locustfile_option(args: list[str] | None = None) -> argparse.Namespace:
    """Return what has to be known before a locustfile is imported; other arguments are left alone.

    Leaves with exit code 2 on a mistake, and with 0 when help or the version were asked for, which it prints.
    """
    parser = get_empty_argument_parser(add_help=False)
    for flag, short in (("--help", "-h"), ("--version", "-V")):
        parser.add_argument(flag, short, action="store_true")
    parser.add_argument("--worker", action="store_true", env_var="LOCUST_MODE_WORKER")
    parser.add_argument("--master", action="store_true", env_var="LOCUST_MODE_MASTER")
    parser.add_argument("--master-host", default="127.0.0.1", env_var="LOCUST_MASTER_NODE_HOST")
    parser.add_argument("--master-port", type=int, default=5557, env_var="LOCUST_MASTER_NODE_PORT")
    options: argparse.Namespace = parser.parse_known_args(args)[0]
    if options.help or options.version:
        # It says what is asked for, and leaves.
        get_parser().parse_args(args)
    return options


def get_locustfiles_locally(options: argparse.Namespace) -> list[str]:
    """Return the absolute paths of what `options.locustfile` names: files, folders, addresses, with commas between.

    Leaves with exit code 1 where there is no such file.
    """
    return locating.locustfiles(options.locustfile)


def parse_locustfile_paths(paths: list[str]) -> list[str]:
    """Return the absolute paths of files, of those in folders, and of what is downloaded from addresses.

    Leaves with exit code 1 where there is no such file.
    """
    return [found for path in paths for found in locating.locustfiles(path)]


def download_locustfile_from_url(url: str) -> str:
    """Return the path of a temporary file with what is at `url`. Leaves with exit code 1 if that is no Python."""
    return locating.downloaded(url)


def parse_options(args: list[str] | None = None) -> argparse.Namespace:
    """Return every option. Deprecated: Locust says so, too."""
    print("Warning: This function is deprecated and may be removed in a future version")
    options: argparse.Namespace = get_parser().parse_args(args)
    return options


def default_args_dict() -> dict[str, Any]:
    """Return every option of Locust's own with its default; what a namespace has beyond them is custom."""
    return _engine.default_options()


def ui_extra_args_dict(args: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """Return the locustfile's arguments that the web page asks for, with their present values."""
    parser = get_parser()
    values = vars(parser.parse_args(args))
    return {
        dest: UIExtraArgOptions(
            default_value=values[dest],
            is_secret=dest in parser.secret_args_included_in_web_ui,
            is_required=dest in parser.required_args_included_in_web_ui,
            help_text=action.help,
            is_multiple=dest in parser.multiple_args_included_in_web_ui,
            choices=list(action.choices) if action.choices is not None else None,
        )._asdict()
        for dest, action in parser.args_included_in_web_ui.items()
        if dest in values
    }


def timespan(time_str: str) -> int:
    """Return the seconds of a time span, for `type=`. Raises `argparse.ArgumentTypeError` if it is none."""
    try:
        return parse_timespan(time_str)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive_integer(string: str) -> int:
    """Return a whole number from 1 on, for `type=`. Raises `argparse.ArgumentTypeError` if it is none."""
    try:
        value = int(string)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{string}'") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"Invalid --expect-workers argument ({value}), must be a positive number")
    return value


def gt_zero(t: Callable[[Any], _N]) -> Callable[[Any], _N]:
    """Return a function for `type=`: what `t` makes of a text, if that is finite and above 0.

    It raises what `t` raises, and `argparse.ArgumentTypeError` for a number that is not in that range.
    """

    def checked(value: Any) -> _N:
        number = t(value)
        if not math.isfinite(number):
            raise argparse.ArgumentTypeError("must be a finite number")
        if number <= 0:
            raise argparse.ArgumentTypeError("must be > 0")
        return number

    return checked


def json_user_config(string: str) -> list[dict[str, Any]]:
    """Return settings of user classes, from JSON or a file whose name ends in `.json`, for `type=`.

    Raises `argparse.ArgumentTypeError` if it is neither, or if settings name no user class.
    """
    try:
        settings = _json_of(string)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"The --config-users argument must be a valid JSON string or file: {error}"
        ) from error
    settings = settings if isinstance(settings, list) else [settings]
    for user_settings in settings:
        if "user_class_name" not in user_settings:
            raise argparse.ArgumentTypeError("The user config must specify a user_class_name")
    return settings


def _json_of(string: str) -> Any:
    if string.endswith(".json"):
        with open(string, encoding="utf-8") as file:
            return json.load(file)
    return json.loads(string)


def raise_argument_type_error(err_msg: str) -> type[argparse.Action]:
    """Return an action for an option that is gone. It raises `argparse.ArgumentError`, which tells `err_msg`."""

    class ErrorRaisingAction(argparse.Action):
        def __call__(self, parser: object, namespace: object, values: object, option_string: str | None = None) -> None:
            raise argparse.ArgumentError(self, err_msg)

    return ErrorRaisingAction
