"""The command line as a locustfile sees it: a parser that it may add its own arguments to.

Locust's own options are the engine's. The parser here holds what locustfiles add, takes their values out of the
command line, and leaves the rest to the engine; the result is one namespace of both.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, NamedTuple, NoReturn

from gregaria import _engine

from .util.timespan import parse_timespan

DEFAULT_CONFIG_FILES = ("~/.locust.conf", "locust.conf", "pyproject.toml")


class _Arguments(argparse._ActionsContainer):
    """What takes arguments: a parser or a group of its arguments."""

    def add_argument(self, *args: Any, **kwargs: Any) -> argparse.Action:
        """Add an argument as argparse does.

        Further keywords: `env_var` names an environment variable that sets it; `include_in_web_ui` (default true, but
        in a group), `is_secret`, `is_required` and `is_multiple` say how the web page asks for it.
        """
        taken = set(_engine.option_strings()).intersection(args)
        if taken:
            raise argparse.ArgumentError(None, f"conflicting option string: {', '.join(sorted(taken))}")
        shown = {
            "include_in_web_ui": kwargs.pop("include_in_web_ui", isinstance(self, argparse.ArgumentParser)),
            "is_secret": kwargs.pop("is_secret", False),
            "is_required": kwargs.pop("is_required", False),
            "is_multiple": kwargs.pop("is_multiple", False),
        }
        env_var = kwargs.pop("env_var", None)
        action = super().add_argument(*args, **kwargs)
        for name, value in {**shown, "env_var": env_var}.items():
            setattr(action, name, value)
        return action


class _Group(_Arguments, argparse._ArgumentGroup):
    pass


class _ExclusiveGroup(_Arguments, argparse._MutuallyExclusiveGroup):
    pass


class LocustArgumentParser(_Arguments, argparse.ArgumentParser):
    """An `ArgumentParser` whose arguments may be shown on the web page and set by environment variables."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("prog", "locust")
        kwargs.setdefault("add_help", False)
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def add_argument_group(self, *args: Any, **kwargs: Any) -> argparse._ArgumentGroup:
        """Add a group, whose arguments may have an `env_var`, too."""
        group = _Group(self, *args, **kwargs)
        self._action_groups.append(group)
        return group

    def add_mutually_exclusive_group(self, **kwargs: Any) -> argparse._MutuallyExclusiveGroup:
        """Add a group of which one argument may be given."""
        group = _ExclusiveGroup(self, **kwargs)
        self._mutually_exclusive_groups.append(group)
        return group

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line and leave with exit code 2."""
        sys.stderr.write(f"{self.prog}: error: {message}\n")
        sys.exit(2)

    @property
    def args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        return self._actions_with("include_in_web_ui")

    @property
    def secret_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        return self._actions_with("include_in_web_ui", "is_secret")

    @property
    def required_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        return self._actions_with("include_in_web_ui", "is_required")

    @property
    def multiple_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        return self._actions_with("include_in_web_ui", "is_multiple")

    def _actions_with(self, *marks: str) -> dict[str, argparse.Action]:
        return {action.dest: action for action in self._actions if all(getattr(action, mark, False) for mark in marks)}

    def _from_environment(self, arguments: list[str]) -> list[str]:
        """Return what environment variables say of the arguments that are not on the command line."""
        typed = {argument.split("=", 1)[0] for argument in arguments}
        words: list[str] = []
        for action in self._actions:
            value = os.environ.get(getattr(action, "env_var", None) or "")
            if value is not None and action.option_strings and typed.isdisjoint(action.option_strings):
                words += self._as_typed(action, value)
        return words

    def _as_typed(self, action: argparse.Action, value: str) -> list[str]:
        option = action.option_strings[-1]
        if action.nargs == 0:
            if value.lower() not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
                self.error(
                    f"Unexpected value for {action.env_var}: {value!r}. "  # type: ignore[attr-defined]
                    "Expecting 'true', 'false', 'yes', 'no', 'on', 'off', '1' or '0'"
                )
            return [option] if value.lower() in ("true", "yes", "on", "1") else []
        if action.nargs is not None and value.startswith("[") and value.endswith("]"):
            return [option, *(item.strip() for item in value[1:-1].split(","))]
        return [f"{option}={value}"]


class UIExtraArgOptions(NamedTuple):
    """How the web page asks for an argument of a locustfile."""

    default_value: str
    is_secret: bool
    is_required: bool
    help_text: str
    is_multiple: bool
    choices: list[str] | None = None


def get_parser(default_config_files: Any = DEFAULT_CONFIG_FILES) -> LocustArgumentParser:
    """Return a parser with what locustfiles add to it; fires `events.init_command_line_parser`."""
    import locust

    parser = LocustArgumentParser()
    locust.events.init_command_line_parser.fire(parser=parser)
    return parser


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return every option: the engine's and those of the locustfile. Leaves with exit code 2 on a mistake."""
    parser = get_parser()
    own, rest = parser.parse_known_args(parser._from_environment(arguments) + arguments)
    try:
        options = _engine.parse_arguments(rest)
    except _engine.UsageError as error:
        parser.error(str(error))
    return argparse.Namespace(**options, **vars(own))


def parse_options(args: list[str] | None = None) -> argparse.Namespace:
    """Return every option. Deprecated: Locust says so, too."""
    print("The parse_options function from argument_parser module is deprecated.")
    return parse(sys.argv[1:] if args is None else args)


def default_args_dict() -> dict[str, Any]:
    """Return every option of Locust's own with its default; what a namespace has beyond them is custom."""
    return _engine.default_options()


def ui_extra_args_dict(args: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """Return the locustfile's arguments that the web page asks for, with their present values."""
    parser = get_parser()
    arguments = sys.argv[1:] if args is None else args
    values = vars(parser.parse_known_args(parser._from_environment(arguments) + arguments)[0])
    return {
        dest: UIExtraArgOptions(
            default_value=values[dest],
            is_secret=dest in parser.secret_args_included_in_web_ui,
            is_required=dest in parser.required_args_included_in_web_ui,
            help_text=action.help or "",
            is_multiple=dest in parser.multiple_args_included_in_web_ui,
            choices=list(action.choices) if action.choices is not None else None,
        )._asdict()
        for dest, action in parser.args_included_in_web_ui.items()
        if dest in values
    }


def timespan(time_str: str) -> int:
    """Return the seconds of a time span, for `type=`."""
    try:
        return parse_timespan(time_str)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive_integer(string: str) -> int:
    """Return a whole number from 1 on, for `type=`."""
    try:
        value = int(string)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{string}'") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"Invalid --expect-workers argument ({value}), must be a positive number")
    return value


def raise_argument_type_error(err_msg: str) -> NoReturn:
    raise argparse.ArgumentTypeError(err_msg)
