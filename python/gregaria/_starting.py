"""What is checked and said before a run begins."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import locust
from gregaria import _engine, _open_files, locating

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.argument_parser import LocustArgumentParser
    from locust.env import Environment
    from locust.shape import LoadTestShape
    from locust.user.users import User

_MINIMUM_OPEN_FILES = 10_000

_PORTS = ("web_port", "master_bind_port", "master_port")

logger = logging.getLogger("locust.main")


def heed_sigterm() -> None:
    """As a container's first process: there the system ignores a signal that nobody handles.

    Once a run begins it is handled for good. Until then nothing is measured.
    """
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))


def import_plugins() -> None:
    """Import `locust_plugins`, if it is there: it may declare options, and so it comes before they are parsed."""
    if importlib.util.find_spec("locust_plugins") is not None:
        importlib.import_module("locust_plugins")


def show_whole_help(locustfile: str | None) -> None:
    """Print the help, with the options of plugins and of this locustfile as far as it can be imported."""
    from locust.argument_parser import get_parser

    import_plugins()
    if locustfile is not None:
        _import_for_its_options(locustfile)
    print(get_parser().format_help(), end="")


def _import_for_its_options(locustfile: str) -> None:
    from locust.util.load_locustfile import load_locustfile

    try:
        paths = locating.locustfiles(locustfile, master=None)
    except SystemExit:  # It was said why.
        return
    for path in paths:
        try:
            load_locustfile(path)
        except (Exception, SystemExit) as error:
            sys.stderr.write(f"The options of {path} are not shown, as it cannot be imported: {error!r}\n")


def check_options(options: Namespace, parser: LocustArgumentParser) -> None:
    """Leave, with Locust's exit codes, where options do not go together."""
    if options.stats_history_enabled and options.csv_prefix is None:
        parser.error("'--csv-full-history' requires '--csv'.")
    locust.stats.validate_stats_configuration()
    if options.headful:
        options.headless = False
    if options.autoquit != -1 and not options.autostart:
        fail("--autoquit is only meaningful in combination with --autostart")
    for name in _PORTS:
        if mistake := mistake_in_port(f"--{name.replace('_', '-')}", getattr(options, name)):
            parser.error(mistake)
    try:
        _engine.check_cluster_key(options.cluster_key or "")
    except ValueError as error:
        fail(f"Invalid --cluster-key: {error}", 255)


def mistake_in_port(option: str, port: int) -> str | None:
    """What is wrong with the port that this option gives."""
    return None if 0 <= port <= 65535 else f"argument {option}: {port} is no port, which is a number from 0 to 65535"


def is_mode_possible(options: Namespace) -> bool:
    """Whether what the options make of this process goes together; an error is logged if not."""
    if options.master and options.worker:
        logger.error("The --master argument cannot be combined with --worker")
        return False
    # Typed it is refused already. A locustfile may have made it the default.
    if options.master and options.expect_workers < 1:
        logger.error(f"Invalid --expect-workers argument ({options.expect_workers}), must be a positive number")
        return False
    return True


def check_web_page(options: Namespace) -> bool:
    """Whether the web page, if there is to be one, can be; an error is logged if not."""
    if options.headless or options.worker:
        return True
    if options.web_base_path and not options.web_base_path.startswith("/"):
        logger.error(
            f"Invalid format for --web-base-path argument ({options.web_base_path}): "
            "it must start with a slash, e.g. /locust"
        )
        return False
    for option, needed in (("web_login", "flask_login"), ("build_path", "jinja2")):
        if getattr(options, option) and importlib.util.find_spec(needed) is None:
            logger.error("`--%s` needs Flask: `pip install 'gregaria[web]'`", option.replace("_", "-"))
            return False
    return True


def choose(user_classes: dict[str, type[User]], options: Namespace) -> list[type[User]]:
    """The classes named on the command line, or all; none, and an error logged, when that is impossible."""
    if not user_classes:
        logger.error("No User class found!")
        return []
    unknown = [name for name in options.user_classes or [] if name not in user_classes]
    if unknown:
        logger.error("Unknown User(s): %s", ", ".join(unknown))
        return []
    return [user_classes[name] for name in options.user_classes or user_classes]


def warn_of_fixed_counts(chosen: list[type[User]], shape: LoadTestShape | None, options: Namespace) -> None:
    """Say so where more users are fixed than there will be."""
    fixed = sum(user_class.fixed_count for user_class in chosen)
    if shape is None and options.num_users and fixed > options.num_users:
        logger.info(
            "Total fixed_count of User classes (%s) is greater than the specified number of users (%s), "
            "so not all will be spawned.",
            fixed,
            options.num_users,
        )


def raise_open_files_limit(users: int) -> None:
    """Allow a connection for each user, or say that there will not be enough."""
    allowed, wanted = _open_files.allow_most(), max(_MINIMUM_OPEN_FILES, users + 1_000)
    if allowed < wanted:
        logger.warning(
            f"System open file limit '{allowed}' is below minimum setting '{wanted}' and could not be raised further: "
            "users may fail to connect. See `ulimit -n`."
        )


def apply_user_config(environment: Environment, options: Namespace) -> bool:
    """Do what `--config-users` says; an error is logged if that cannot be."""
    known = environment.available_user_classes or {}
    for settings in options.config_users or []:
        for user_settings in settings:
            name = user_settings["user_class_name"]
            if name not in known:
                logger.error(f"Error applying user config: the locustfile has no user class {name!r}")
                return False
            try:
                environment.update_user_class(user_settings)
            except Exception as error:
                logger.exception(f"Error applying user config to {name}: {error}")
                return False
    return True


def warn_of_ignored_options(shape: LoadTestShape | None, options: Namespace) -> None:
    """Say so where the shape decides what an option says."""
    from locust.main import COMMON_OPTIONS

    if shape is None or shape.use_common_options:
        return
    ignored = [f"--{name}" for dest, name in COMMON_OPTIONS.items() if getattr(options, dest) is not None]
    if ignored:
        logger.warning(
            "--run-time, --users or --spawn-rate have no impact on LoadShapes unless the shape class "
            "explicitly reads them."
        )
        logger.warning("The following option(s) will be ignored: %s", ", ".join(ignored))


def warn_of_locust_beside_us() -> None:
    """Say so where Locust itself is installed in the same place."""
    beside = os.path.dirname(os.path.dirname(os.path.abspath(locust.__file__)))
    distributions = [name for name in os.listdir(beside) if name.startswith("locust-") and name.endswith(".dist-info")]
    # Our own stands for Locust, for what depends on it.
    if any("+gregaria" not in name for name in distributions):
        sys.stderr.write(
            "The distribution `locust` is installed beside gregaria, and each overwrites the other's files: "
            "run `pip uninstall -y gregaria`, `pip uninstall -y locust` and then `pip install gregaria`.\n"
        )


def fail(message: str, exit_code: int = 1) -> NoReturn:
    """Say it on standard error, where nothing is logged yet, and leave."""
    sys.stderr.write(f"{message}\n")
    sys.exit(exit_code)
