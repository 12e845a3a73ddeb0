"""`--otel`: traces, metrics and logs for OpenTelemetry, as its own environment variables say."""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from . import events
from ._version import __version__
from .runners import MasterRunner as MasterRunner
from .runners import WorkerRunner

if TYPE_CHECKING:
    from .runners import Runner

logger = logging.getLogger(__name__)

MAX_REQUEST_NAMES = 20
"""How many names requests may have before further ones are counted together: a name is a series in every store."""

request_names: set[str] = set()

_SIGNALS = {
    "traces": ("trace", "SpanExporter"),
    "metrics": ("metric", "MetricExporter"),
    "logs": ("_log", "LogExporter"),
}
"""What each kind of signal is called in the modules and classes of exporters."""


def setup_opentelemetry(locustfile: str, profile: str | None) -> bool:
    """Begin to report; whether it does. Without the SDK that is told, and the run goes on.

    `locustfile` and `profile` become attributes of everything that is reported.
    """
    try:
        resources = importlib.import_module("opentelemetry.sdk.resources")
    except ImportError:
        logger.error("OpenTelemetry SDK is not installed, opentelemetry not enabled. Run 'pip install gregaria[otel]'")
        return False
    wanted = {signal: _exporters_of(signal) for signal in _SIGNALS}
    if all(names == {"none"} for names in wanted.values()):
        logger.info("No OpenTelemetry exporters configured, opentelemetry not enabled")
        return False
    resource = resources.Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME", "locust"),
            "service.version": __version__,
            "host.name": socket.gethostname(),
            "filename": locustfile,
            "profile": profile or "",
        }
    )
    for signal, set_up in (("traces", _set_up_traces), ("metrics", _set_up_metrics), ("logs", _set_up_logs)):
        if wanted[signal]:
            set_up(resource, list(_made(signal, wanted[signal])))
    _instrument()
    logger.debug("OpenTelemetry configured!")
    return True


def _exporters_of(signal: str) -> set[str]:
    names = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").split(",")
    return {name.strip().lower() for name in names if name.strip()}


def _made(signal: str, names: set[str]) -> Iterator[tuple[str, Any]]:
    """The exporters of these names, each with its name."""
    for name in sorted(names - {"none"}):
        if name == "console":
            module = "_logs" if signal == "logs" else {"traces": "trace", "metrics": "metrics"}[signal]
            kind = {"traces": "ConsoleSpanExporter", "metrics": "ConsoleMetricExporter"}.get(signal)
            found = importlib.import_module(f"opentelemetry.sdk.{module}.export")
            yield name, getattr(found, kind or _newer(found, "ConsoleLogRecordExporter", "ConsoleLogExporter"))()
        elif name == "otlp":
            exporter = _over_otlp(signal)
            if exporter is None:
                continue
            yield name, exporter
        elif (signal, name) == ("metrics", "prometheus"):
            logger.warning("Prometheus metrics exporter is not yet implemented!")
            continue
        else:
            logger.warning(f"Unknown {signal} exporter '{name}'. Ignored")
            continue
        logger.debug("Configured %s exporter: %s", signal, name)


def _newer(module: Any, *names: str) -> str:
    """The first of these names that the module has: some were renamed."""
    return next(name for name in names if hasattr(module, name))


def _over_otlp(signal: str) -> Any:
    """An exporter for the protocol that the environment names, or `None` and a warning."""
    general = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    protocol = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL", general).lower().strip()
    package = {"grpc": "grpc", "http": "http", "http/protobuf": "http"}.get(protocol)
    if package is None:
        logger.warning(f"Unknown OpenTelemetry otlp exporter protocol '{protocol}'. Use 'grpc' or 'http/protobuf'")
        return None
    module, kind = _SIGNALS[signal]
    try:
        found = importlib.import_module(f"opentelemetry.exporter.otlp.proto.{package}.{module}_exporter")
    except ImportError:
        logger.warning(
            f"OpenTelemetry otlp exporter for '{protocol}' is not available. "
            f"Please install the required package: opentelemetry-exporter-otlp-proto-{package}"
        )
        return None
    return getattr(found, f"OTLP{kind}")()


def _set_up_traces(resource: Any, exporters: list[tuple[str, Any]]) -> None:
    api = importlib.import_module("opentelemetry.trace")
    sdk = importlib.import_module("opentelemetry.sdk.trace")
    export = importlib.import_module("opentelemetry.sdk.trace.export")
    provider = sdk.TracerProvider(resource=resource)
    for name, exporter in exporters:
        processor = export.BatchSpanProcessor if name == "otlp" else export.SimpleSpanProcessor
        provider.add_span_processor(processor(exporter))
    api.set_tracer_provider(provider)


def _set_up_metrics(resource: Any, exporters: list[tuple[str, Any]]) -> None:
    api = importlib.import_module("opentelemetry.metrics")
    sdk = importlib.import_module("opentelemetry.sdk.metrics")
    export = importlib.import_module("opentelemetry.sdk.metrics.export")
    readers = [export.PeriodicExportingMetricReader(exporter) for _, exporter in exporters]
    api.set_meter_provider(sdk.MeterProvider(resource=resource, metric_readers=readers))
    meter = api.get_meter("locust")
    durations = meter.create_histogram(
        "locust.client.duration", unit="s", description="From the request to the last byte of its response"
    )
    events.request.add_listener(_recorder(durations))

    def observe_users(environment: Any, runner: Runner, **_: Any) -> None:
        if isinstance(runner, WorkerRunner):
            return  # Its master knows of all users.

        def count(_options: Any) -> Iterator[Any]:
            for name, users in runner.user_classes_count.items():
                yield api.Observation(users, {"user_class": name})

        meter.create_observable_gauge(
            "locust.users.count", callbacks=[count], unit="{user}", description="Users that are running"
        )

    events.init.add_listener(observe_users)


def _recorder(durations: Any) -> Callable[..., None]:
    def record(name: str, response_time: float | None, exception: Any, **_: Any) -> None:
        if response_time is None:
            return
        if name not in request_names and len(request_names) < MAX_REQUEST_NAMES:
            request_names.add(name)
        attributes = {"name": name if name in request_names else "Too many unique request names"}
        if exception:
            attributes["error.type"] = type(exception).__name__
        durations.record(response_time / 1000, attributes=attributes)

    return record


def _set_up_logs(resource: Any, exporters: list[tuple[str, Any]]) -> None:
    api = importlib.import_module("opentelemetry._logs")
    sdk = importlib.import_module("opentelemetry.sdk._logs")
    export = importlib.import_module("opentelemetry.sdk._logs.export")
    provider = sdk.LoggerProvider(resource=resource)
    for name, exporter in exporters:
        processor = export.BatchLogRecordProcessor if name == "otlp" else export.SimpleLogRecordProcessor
        provider.add_log_record_processor(processor(exporter))
    api.set_logger_provider(provider)
    handler = _log_handler(sdk, provider)
    if handler is None:
        return
    handler.name = "opentelemetry"
    # Not to the logger of the tables: they are for people.
    for root in (logging.getLogger(), logging.getLogger("locust")):
        root.addHandler(handler)


def _log_handler(sdk: Any, provider: Any) -> logging.Handler | None:
    """What hands log records over: the SDK's, or where newer ones have it, that of the instrumentation of `logging`."""
    found = getattr(sdk, "LoggingHandler", None)
    if found is None:
        try:
            found = importlib.import_module("opentelemetry.instrumentation.logging.handler").LoggingHandler
        except ImportError:
            logger.warning(
                "OpenTelemetry logs are not exported. Please install 'opentelemetry-instrumentation-logging'"
            )
            return None
    handler: logging.Handler = found(logger_provider=provider)
    return handler


def _instrument() -> None:
    for library, kind, options in (
        ("requests", "RequestsInstrumentor", {"request_hook": _name_span}),
        ("urllib3", "URLLib3Instrumentor", {}),
    ):
        try:
            found = importlib.import_module(f"opentelemetry.instrumentation.{library}")
        except ImportError:
            logger.info(
                f"OpenTelemetry '{library}' instrumentation is not installed. "
                f"Please install 'opentelemetry-instrumentation-{library}'"
            )
        else:
            getattr(found, kind)().instrument(**options)


def _name_span(span: Any, request: Any) -> None:
    name = getattr(request, "_explicit_name", None) or urlparse(request.url).path or "/"
    span.update_name(f"{request.method} {name}")
