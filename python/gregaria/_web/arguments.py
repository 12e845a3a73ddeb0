"""What the page is told when it is loaded: Locust's `template_args`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import locust
from gregaria._secrets import is_named_like_one
from locust import argument_parser, stats
from locust.contrib.fasthttp import FastHttpUser
from locust.runners import MasterRunner, Runner
from locust.user.users import HttpUser

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.shape import LoadTestShape


def of(environment: Environment, runner: Runner, *, is_picking: bool) -> dict[str, Any]:
    """All that Locust tells, under Locust's names."""
    from locust import web

    return {
        **_classes(environment, is_picking),
        **_hosts(environment),
        **_shape(environment.shape_class, is_picking),
        **_options(environment),
        "extra_options": extra_options(),
        "history": runner.stats.history,
        "is_distributed": isinstance(runner, MasterRunner),
        "is_host_required": web.HOST_IS_REQUIRED,
        "locustfile": environment.locustfile,
        "percentiles_to_chart": stats.PERCENTILES_TO_CHART,
        "percentiles_to_statistics": stats.PERCENTILES_TO_STATISTICS,
        "state": runner.state,
        "tasks": "{}",
        "user_count": runner.user_count,
        "version": locust.__version__,
        "worker_count": _worker_count(runner),
    }


def escaped(args: Any) -> str:
    """JSON for a page: in one line, in order, without what could end a script."""
    words = json.dumps(args, sort_keys=True)
    return words.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("'", "\\u0027")


def extra_options() -> dict[str, dict[str, Any]]:
    """The locustfile's arguments. Of a secret the page is told that it has a value, and not which."""
    return {name: _without_secret(name, option) for name, option in argument_parser.ui_extra_args_dict().items()}


def is_secret(name: str) -> bool:
    """Whether nobody is to read the value of this argument."""
    return name in argument_parser.get_parser().secret_args_included_in_web_ui or is_named_like_one(name)


def _without_secret(name: str, option: dict[str, Any]) -> dict[str, Any]:
    if not option["is_secret"] and not is_named_like_one(name):
        return option
    return {**option, "is_secret": True, "default_value": "", "is_set": bool(option["default_value"])}


def _classes(environment: Environment, is_picking: bool) -> dict[str, Any]:
    available, tasks = environment.available_user_classes, environment.available_user_tasks
    return {
        "available_shape_classes": ["Default", *sorted(environment.available_shape_classes or {})],
        "available_user_classes": sorted(available) if available else None,
        "available_user_tasks": (
            {name: [task.__name__ for task in of_class] for name, of_class in tasks.items()} if tasks else None
        ),
        "show_userclass_picker": is_picking,
        "users": {name: user_class.json() for name, user_class in available.items()} if available else None,
    }


def _hosts(environment: Environment) -> dict[str, Any]:
    """Where requests go, and whether that is clear."""
    if environment.host:
        return {"host": environment.host, "missing_host_warning": False, "override_host_warning": False}
    hosts = {user_class.host for user_class in environment.user_classes}
    if len(hosts) < 2:
        host = hosts.pop() if hosts else None
        return {"host": host or "", "missing_host_warning": not host, "override_host_warning": False}
    is_missing = any(issubclass(each, HttpUser | FastHttpUser) and not each.host for each in environment.user_classes)
    return {"host": "", "missing_host_warning": is_missing, "override_host_warning": True}


def _shape(shape: LoadTestShape | None, is_picking: bool) -> dict[str, Any]:
    if shape is None:
        return {"hide_common_options": None, "shape_use_common_options": None}
    reads_options = shape.use_common_options
    return {"hide_common_options": not (is_picking or reads_options), "shape_use_common_options": reads_options}


def _options(environment: Environment) -> dict[str, Any]:
    options = environment.parsed_options
    return {
        "num_users": options and options.num_users,
        "profile": environment.profile,
        "run_time": options and options.run_time,
        "spawn_rate": options and options.spawn_rate,
        "stats_history_enabled": options and options.stats_history_enabled,
    }


def _worker_count(runner: Runner) -> int:
    if not isinstance(runner, MasterRunner):
        return 0
    workers = runner.clients
    return len(workers.ready) + len(workers.spawning) + len(workers.running)
