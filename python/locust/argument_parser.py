"""The command line as a locustfile sees it: a parser that it may add its own arguments to.

Locust's own options are the engine's: their names, their defaults, what their texts stand for, and their help. Argparse
tells apart what was typed, because a locustfile's arguments may be whatever argparse has. Environment variables and
configuration files are written out as arguments before that, and stand before those that were typed.
"""

from __future__ import annotations

import argparse
import difflib
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
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
_OURS = frozenset(_engine.our_option_strings())
"""What Locust does not have, and a locustfile that runs on Locust may therefore call its own."""

_FLAGS = (
    argparse._StoreConstAction,  # and with it `store_true` and `store_false`
    argparse._AppendConstAction,
)


class _TakesEnvironment(argparse._ActionsContainer):
    """Whatever arguments are added to, with `env_var`: the parser itself and its groups."""

    def add_argument(self, *args: Any, env_var: str | None = None, **kwargs: Any) -> argparse.Action:
        """Add an argument as argparse does; `env_var` names an environment variable that sets it, too.

        The command line goes before the variable, and that before configuration files, where the key is the long name.
        A flag is set by `true`, `yes`, `on` or `1`, and several values are written `[a, b]`. With `is_config_file` it
        names a configuration file.

        Raises `ValueError` for an argument without a dash that has an `env_var`, and what argparse raises.
        """
        for name in _OURS.intersection(args):
            if getattr(self._option_string_actions.get(name), "is_locusts", False):
                del self._option_string_actions[name]
        names_a_file = kwargs.pop("is_config_file", False) or kwargs.pop("is_config_file_arg", False)
        action = super().add_argument(*args, **kwargs)
        if env_var and not action.option_strings:
            raise ValueError("env_var can't be set for a positional arg.")
        action.env_var = env_var  # type: ignore[attr-defined]
        action.is_config_file_arg = names_a_file  # type: ignore[attr-defined]
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


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with the variable that sets an argument."""

    def _get_help_string(self, action: argparse.Action) -> str:
        variable = getattr(action, "env_var", None)
        return (action.help or "") + (f" [env:{variable}]" if variable else "")


class LocustArgumentParser(_TakesEnvironment, argparse.ArgumentParser):
    """An `ArgumentParser` whose arguments environment variables and files set, too, and the web page asks for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make a parser, as argparse does. `default_config_files` are read where they exist; the last one wins."""
        kwargs.setdefault("prog", "locust")
        kwargs.setdefault("formatter_class", _Formatter)
        self._default_config_files = list(kwargs.pop("default_config_files", ()))
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
        return super().parse_known_args(self._with_configuration(arguments), namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and what was meant if that can be guessed, and leave with exit code 2."""
        _, unrecognized, arguments = message.partition("unrecognized arguments: ")
        meant = self._meant(arguments.split()[0]) if unrecognized else []
        hint = "".join(f"\nDid you mean '{option}'?" for option in meant)
        sys.stderr.write(f"{self.prog}: error: {message}{hint}\n")
        sys.exit(2)

    def _meant(self, word: str) -> list[str]:
        """The known option that is most like it; one that Locust lacks only if they are very much alike."""
        known = {name: name in _OURS for name in self._option_string_actions}
        locusts = difflib.get_close_matches(word, [name for name, is_ours in known.items() if not is_ours], 1)
        return locusts or difflib.get_close_matches(word, list(known), 1, cutoff=0.8)

    def format_help(self) -> str:
        """Return the help of Locust's own options, and after it that of the others."""
        locusts = [action for action in self._actions if getattr(action, "is_locusts", False)]
        own = [action for action in self._actions if action not in locusts and not _asks_for_help(action)]
        if not locusts:
            return super().format_help()
        if not own:
            return _engine.help_text()
        formatter = self._get_formatter()
        for group in self._action_groups:
            formatter.start_section("Options of the locustfile" if group is self._optionals else group.title)
            formatter.add_text(group.description)
            formatter.add_arguments(action for action in group._group_actions if action in own)
            formatter.end_section()
        return _engine.help_text(f"{formatter.format_help()}\n")

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

    def _with_configuration(self, arguments: list[str]) -> list[str]:
        """The arguments, and before them what environment variables and files say of other options."""
        rows = [
            (names, _takes(action), getattr(action, "env_var", None), self._rivals_of(action))
            for action in self._actions
            if (names := [name for name in action.option_strings if self._option_string_actions.get(name) is action])
        ]
        asks_for_help = any(map(_asks_for_help, self._actions)) and not {"-h", "--help"}.isdisjoint(arguments)
        files = [] if asks_for_help else self._default_config_files
        named = [name for action in self._actions if _names_a_file(action) for name in action.option_strings]
        try:
            return _engine.with_configuration(arguments, rows, files, [] if asks_for_help else named)
        except _engine.UsageError as error:
            self.error(str(error))

    def _rivals_of(self, action: argparse.Action) -> list[str]:
        groups = [group._group_actions for group in self._mutually_exclusive_groups if action in group._group_actions]
        return [name for actions in groups for other in actions if other is not action for name in other.option_strings]

    def _get_option_tuples(self, option_string: str) -> list[Any]:
        """What an abbreviation may stand for. An option that Locust does not have is written in full."""
        matches: list[Any] = super()._get_option_tuples(option_string)
        return [match for match in matches if match[1] not in _OURS or not getattr(match[0], "is_locusts", False)]

    # By other names, which configargparse has.
    add = add_arg = add_argument
    parse = argparse.ArgumentParser.parse_args
    parse_known = parse_known_args


def _takes(action: argparse.Action) -> str:
    """How the action's option is written: see `_engine.with_configuration`."""
    if isinstance(action, argparse.BooleanOptionalAction):
        return "both ways"
    if isinstance(action, argparse._CountAction):
        return "count"
    if isinstance(action, _FLAGS):
        return "nothing"
    if action.nargs in ("*", "+") or (isinstance(action.nargs, int) and action.nargs > 1):
        return "several"
    if action.nargs == "?":
        return "perhaps"
    return "repeated" if isinstance(action, argparse._AppendAction) else "one"


def _asks_for_help(action: argparse.Action) -> bool:
    return isinstance(action, argparse._HelpAction)


def _names_a_file(action: argparse.Action) -> bool:
    return bool(getattr(action, "is_config_file_arg", False))


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
    """Return a parser that knows which locustfile to run and which configuration file to read, and nothing else."""
    parser = LocustArgumentParser(add_help=add_help, usage=argparse.SUPPRESS, default_config_files=default_config_files)
    _add_locusts(parser, "locustfile", "config")
    return parser


def setup_parser_arguments(parser: LocustArgumentParser) -> None:
    """Add Locust's own options to `parser`, as far as it does not have them."""
    _add_locusts(parser, *(row[0] for row in _engine.options()))
    parser.add_argument(
        "user_classes",
        nargs="*",
        metavar="UserClass",
        default=os.environ.get("LOCUST_USER_CLASSES", "").split(),
        include_in_web_ui=False,
        help=argparse.SUPPRESS,
    ).is_locusts = True  # type: ignore[attr-defined]


def _add_locusts(parser: LocustArgumentParser, *dests: str) -> None:
    """Add those of Locust's options that `parser` does not have."""
    defaults = _engine.default_options()
    for dest, names, takes, env_var, metavar, gone in _engine.options():
        new = [name for name in names if name not in parser._option_string_actions]
        if dest not in dests or not new:
            continue
        how: dict[str, Any] = {"dest": dest, "env_var": env_var, "include_in_web_ui": False, "help": argparse.SUPPRESS}
        if dest == "version":
            how |= {"action": "version", "version": version_line()}
        elif gone is not None:
            how |= {"action": raise_argument_type_error(gone), "nargs": 0 if takes == "nothing" else None}
            how |= {"default": defaults[dest]}
        elif takes == "nothing":
            how |= {"action": "help" if dest == "help" else "store_true"}
        else:
            how |= {"type": _type_of(dest), "metavar": metavar or None, "default": defaults[dest]}
            how |= {"several": {"nargs": "*"}, "repeated": {"action": "append"}}.get(takes, {})
            how |= {"is_config_file": True} if dest == "config" else {}
        parser.add_argument(*new, **how).is_locusts = True  # type: ignore[attr-defined]


def _type_of(dest: str) -> Callable[[str], Any]:
    """What makes a value of the text that this option of Locust's is given."""
    if dest == "config_users":
        return json_user_config

    def understood(text: str) -> Any:
        try:
            value = _engine.option_value(dest, text)
        except _engine.UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return _as_seed(value) if dest == "random_seed" else value

    return understood


def _as_seed(value: str | int) -> int | None:
    from gregaria import seeding

    return seeding.as_number(value)


def get_parser(default_config_files: Sequence[str] = DEFAULT_CONFIG_FILES) -> LocustArgumentParser:
    """Return a parser of all options: Locust's, and what locustfiles add to it.

    Fires `locust.events.init_command_line_parser`.
    """
    parser = get_empty_argument_parser(default_config_files=default_config_files)
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
    _add_locusts(parser, "worker", "master", "master_host", "master_port")
    options: argparse.Namespace = parser.parse_known_args(args)[0]
    if options.help or options.version:
        # It says what is asked for, and leaves.
        get_parser().parse_args(args)
    return options


def get_locustfiles_locally(options: argparse.Namespace) -> list[str]:
    """Return the absolute paths of what `options.locustfile` names: files, folders, addresses, with commas between.

    Leaves with exit code 1 where there is no such file.
    """
    key = getattr(options, "cluster_key", None)
    master = (options.master_host, options.master_port, key) if getattr(options, "worker", False) else None
    return locating.locustfiles(options.locustfile, master=master)


def parse_locustfile_paths(paths: list[str]) -> list[str]:
    """Return the absolute paths of files, of those in folders, and of what is downloaded from addresses.

    Leaves with exit code 1 where there is no such file.
    """
    return [found for path in paths for found in locating.found(path)]


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
    # A program that makes a page may have arguments of its own, which are none of ours.
    values = vars(parser.parse_known_args(args)[0])
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
