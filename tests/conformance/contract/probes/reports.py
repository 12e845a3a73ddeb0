"""`locust.stats`: tables, JSON, CSV files, the history, reports to a master."""

from __future__ import annotations

import csv
import inspect
import io
import json
import os
import tempfile
from pathlib import Path

import gevent

import locust

from ..probe import probe
from ..running import ended, local, logged, until, user_class
from ..tables import filled, row, table


@probe
def a_line_of_the_table(say):
    locust.stats.STATS_NAME_WIDTH = 60
    try:
        stats = filled()
        entry = stats.get("/a", "GET")
        say(entry.to_string(current=False)[:120], str(entry)[:80], entry.percentile())
        long = stats.get("/" + "x" * 200, "OPTIONS")
        say(len(str(long)))
        try:
            long.percentile()
        except ValueError as e:
            say(str(e))
    finally:
        locust.stats.STATS_NAME_WIDTH = 80


@probe.each("print_stats", "print_percentile_stats", "print_error_report")
def what_is_printed_by(say, value):
    stats = filled()
    locust.stats.STATS_NAME_WIDTH = 80
    with logged("locust.stats_logger") as lines:
        say(getattr(locust.stats, value)(stats))
    say(*[line for line in lines if "waited" not in line])


@probe.each("get_stats_summary", "get_percentile_stats_summary", "get_error_report_summary")
def the_lines_of(say, value):
    stats = filled()
    locust.stats.STATS_NAME_WIDTH = 80
    say(getattr(locust.stats, value)(stats), getattr(locust.stats, value)(table()))


@probe
def no_errors_to_report(say):
    with logged("locust.stats_logger") as lines:
        locust.stats.print_error_report(table())
    say(lines)


@probe
def the_printer(say):
    before = locust.stats.CONSOLE_STATS_INTERVAL_SEC
    locust.stats.CONSOLE_STATS_INTERVAL_SEC = 0.05
    try:
        printer = locust.stats.stats_printer(filled())
        with logged("locust.stats_logger") as lines:
            greenlet = gevent.spawn(printer)
            until(lambda: sum("Aggregated" in line for line in lines) == 2)
            greenlet.kill()
        say(callable(printer), sum("# reqs" in line for line in lines))
    finally:
        locust.stats.CONSOLE_STATS_INTERVAL_SEC = before


@probe
def json_on_stdout(say):
    import contextlib

    stats = filled()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        locust.stats.print_stats_json(stats)
    rows = json.loads(out.getvalue())
    say(sorted((r["name"], r["num_requests"]) for r in rows), out.getvalue().splitlines()[:2], stats.total.num_requests)


@probe
def json_in_a_file(say):
    with tempfile.TemporaryDirectory() as folder:
        locust.stats.save_stats_json(filled(), folder + "/out")
        say(os.listdir(folder), sorted(row["name"] for row in json.loads(Path(folder, "out.json").read_text())))


@probe
def the_history_of_a_run(say):
    before = locust.stats.HISTORY_STATS_INTERVAL_SEC
    locust.stats.HISTORY_STATS_INTERVAL_SEC = 0.05
    try:
        env = local()
        with ended(env) as runner:
            greenlet = gevent.spawn(locust.stats.stats_history, runner)
            gevent.sleep(0.12)
            say(len(env.stats.history), runner.state)
            runner.start(2, 100)
            until(lambda: len(env.stats.history) > 1)
            runner.stop()
            say(
                sorted(env.stats.history[-1]),
                env.stats.history[0]["user_count"][1] in (0, 2),
                env.stats.history[-1]["user_count"][1],
            )
            say([len(v) for v in env.stats.history[-1].values()])
            n = len(env.stats.history)
            gevent.sleep(0.12)
            say(len(env.stats.history) == n, greenlet.dead)
            greenlet.kill()
    finally:
        locust.stats.HISTORY_STATS_INTERVAL_SEC = before


@probe
def a_point_of_the_history(say):
    env = local()
    with ended(env) as runner:
        env.stats.log_request("GET", "/", 12, 3)
        locust.stats.update_stats_history(runner, "2020-01-01T00:00:00Z")
        locust.stats.update_stats_history(runner, timestamp=None)
        say(env.stats.history[0], env.stats.history[1]["time"] == env.stats.history[1]["user_count"][0])


@probe
def no_history_where_times_are_not_kept(say):
    env = local()
    env.stats = table(cache=False)
    with ended(env) as runner:
        say(locust.stats.stats_history(runner), env.stats.history)


@probe
def the_current_percentile(say):
    stats = filled()
    say(
        stats.total.get_current_response_time_percentile(0.5),
        stats.get("/a", "GET").get_current_response_time_percentile(0.5),
    )
    try:
        table(cache=False).total.get_current_response_time_percentile(0.5)
    except ValueError as e:
        say(str(e))


@probe
def readable_percentiles(say):
    say(locust.stats.get_readable_percentiles([0.5, 0.66, 0.999, 0.9999, 0.99999, 1.0, 0.1234]))
    say(locust.stats.PERCENTILES_TO_REPORT, locust.stats.PERCENTILES_TO_STATISTICS, locust.stats.PERCENTILES_TO_CHART)


@probe
def helpers(say):
    s = locust.stats
    say(s.calculate_response_time_percentile({10: 5, 20: 5}, 10, 0.5), s.calculate_response_time_percentile({}, 0, 0.5))
    say(s.diff_response_time_dicts({1: 5, 2: 3}, {1: 5, 2: 1}), s.avg([1, 2, 4]), s.avg([]))
    say(s.sorttable({"b": 1, "a": 2}))


@probe
def csv_of_requests_failures_and_exceptions(say):
    env = local()
    with ended(env) as runner:
        for n in (5.0, 6.0, 7.0):
            env.stats.log_request("GET", "/a", n, 10)
        env.stats.log_error("GET", "/a", ValueError('bad, "really"'))
        runner.log_exception("node", "msg", "trace\nback")
        writer = locust.stats.StatsCSV(env, [0.5, 0.95, 1.0])
        say(
            writer.requests_csv_columns,
            writer.failures_columns,
            writer.exceptions_columns,
            writer.percentiles_na,
            writer.percentiles_to_report,
        )
        for name in ("requests_csv", "failures_csv", "exceptions_csv"):
            out = io.StringIO()
            say(getattr(writer, name)(csv.writer(out)))
            rows = list(csv.reader(io.StringIO(out.getvalue())))
            say(name, [row[:9] + row[11:] if name == "requests_csv" else row[:4] for row in rows])
        say(writer.close_files())


@probe
def csv_of_an_empty_table(say):
    env = locust.env.Environment()
    writer = locust.stats.StatsCSV(env, [0.5, 0.95])
    for name in ("requests_csv", "failures_csv", "exceptions_csv"):
        out = io.StringIO()
        getattr(writer, name)(csv.writer(out))
        say(name, list(csv.reader(io.StringIO(out.getvalue()))))


@probe.each(False, True)
def csv_files(say, value):
    env = local()
    with tempfile.TemporaryDirectory() as folder, ended(env):
        env.stats.log_request("GET", "/a", 5, 10)
        writer = locust.stats.StatsCSVFileWriter(env, [0.5, 1.0], folder + "/out", full_history=value)
        say(
            sorted(n for n in os.listdir(folder) if "phases" not in n),
            writer.stats_history_file_name() == folder + "/out_stats_history.csv",
            writer.base_filepath == folder + "/out",
            writer.full_history,
        )
        greenlet = gevent.spawn(writer)

        def read(name):
            return list(csv.reader(io.StringIO(Path(folder, f"out_{name}.csv").read_text())))

        until(lambda: (writer.stats_history_flush(), len(read("stats_history")) > 1)[1])
        for flush in (writer.requests_flush, writer.failures_flush, writer.exceptions_flush):
            say(flush())
        say(
            read("stats")[0],
            len(read("stats")),
            read("stats_history")[0],
            [row[2:4] for row in read("stats_history")[1:3]][: 2 if value else 1],
            read("failures"),
            read("exceptions"),
        )
        say(writer.stats_history_csv_columns == read("stats_history")[0])
        greenlet.kill()
        writer.close_files()


@probe
def the_width_of_names_may_be_set(say):
    before = locust.stats.STATS_NAME_WIDTH
    try:
        locust.stats.STATS_NAME_WIDTH = 20
        say(locust.stats.get_stats_summary(filled())[:2])
    finally:
        locust.stats.STATS_NAME_WIDTH = before


@probe
def percentiles_to_report_may_be_set(say):
    before = locust.stats.PERCENTILES_TO_REPORT
    locust.stats.STATS_NAME_WIDTH = 80
    try:
        locust.stats.PERCENTILES_TO_REPORT = [0.5, 0.999]
        say(locust.stats.get_percentile_stats_summary(filled()))
    finally:
        locust.stats.PERCENTILES_TO_REPORT = before


@probe
def a_replaced_bucket(say):
    before = locust.stats.bucket_response_time
    locust.stats.bucket_response_time = lambda t: round(t / 100) * 100
    try:
        stats = table()
        for n in (10.0, 120.0, 190.0, 260.0):
            stats.log_request("GET", "/", n, 1)
        say(stats.total.response_times, stats.total.get_response_time_percentile(0.5), stats.total.median_response_time)
    finally:
        locust.stats.bucket_response_time = before


@probe.each([0.5] * 7, [0], [1], ["x"], [0.5])
def percentiles_that_are_checked(say, value):
    import contextlib

    before = locust.stats.PERCENTILES_TO_CHART
    locust.stats.PERCENTILES_TO_CHART = value
    error = io.StringIO()
    try:
        with contextlib.redirect_stderr(error):
            locust.stats.validate_stats_configuration()
        say("valid")
    except SystemExit as e:
        say(e.code, error.getvalue())
    except TypeError:
        say("TypeError")
    finally:
        locust.stats.PERCENTILES_TO_CHART = before


@probe
def a_report_to_a_master(say):
    worker, master = locust.event.Events(), locust.event.Events()
    mine, theirs = filled(), table()
    locust.stats.setup_distributed_stats_event_listeners(worker, mine)
    locust.stats.setup_distributed_stats_event_listeners(master, theirs)
    data = {}
    worker.report_to_master.fire(client_id="w", data=data)
    say(sorted(data), mine.total.num_requests, len(mine.errors), [e.num_requests for e in mine.entries.values()])
    data = json.loads(json.dumps(data))
    say(data["stats_total"]["name"], data["stats_total"]["num_requests"])
    for record in [*data["stats"], data["stats_total"]]:
        for key in ("response_times", "num_reqs_per_sec", "num_fail_per_sec"):
            record[key] = {int(k): v for k, v in record[key].items()}
    master.worker_report.fire(client_id="w", data=data)
    master.worker_report.fire(client_id="w", data=data)
    say(
        row(theirs.total),
        [row(e) for e in locust.stats.sorttable(theirs.entries)],
        [(e.error, e.occurrences) for e in theirs.errors.values()],
    )


@probe
def statistics_in_a_subclass(say):
    class Mine(locust.stats.RequestStats):
        def log_request(self, method, name, response_time, content_length):
            say("log_request", method, name, response_time, content_length)
            super().log_request(method, name, response_time, content_length)

        def log_error(self, method, name, error):
            say("log_error", method, name, repr(error))
            super().log_error(method, name, error)

    env = locust.env.Environment(user_classes=[user_class()])
    env.stats = Mine()
    env.create_local_runner()
    with ended(env):
        env.events.request.fire(
            request_type="GET", name="/", response_time=1, response_length=2, exception=OSError("x")
        )
        say(row(env.stats.total))


@probe
def a_replaced_log_request(say):
    env = local()
    with ended(env):
        env.stats.log_request = lambda *args: say(args)
        env.events.request.fire(request_type="GET", name="/", response_time=1, response_length=2)
        say(env.stats.total.num_requests)


@probe
def attributes_of_an_entry_may_be_set(say):
    stats = table()
    for name, value in dict(
        start_time=5,
        last_request_timestamp=7,
        num_requests=3,
        num_failures=1,
        total_response_time=9,
        min_response_time=1,
        max_response_time=8,
        total_content_length=4,
        num_none_requests=1,
    ).items():
        try:
            setattr(stats.total, name, value)
            say(name, getattr(stats.total, name))
        except AttributeError:
            say(name, "AttributeError")


@probe
def rates(say):
    stats = table()
    stats.log_request("GET", "/", 1, 1)
    entry = stats.get("/", "GET")
    entry.start_time = stats.total.start_time = int(stats.last_request_timestamp) - 20
    say(
        round(entry.total_rps, 2),
        entry.current_rps,
        list(entry.num_reqs_per_sec.values()),
        list(entry.num_fail_per_sec),
    )


@probe.each(
    "stats_printer",
    "stats_history",
    "update_stats_history",
    "print_stats",
    "print_stats_json",
    "save_stats_json",
    "print_percentile_stats",
    "print_error_report",
    "sort_stats",
    "get_readable_percentiles",
    "setup_distributed_stats_event_listeners",
    "calculate_response_time_percentile",
    "StatsCSV",
    "StatsCSVFileWriter",
    "RequestStats",
    "StatsEntry",
    "StatsError",
)
def the_signature_of(say, value):
    signature = inspect.signature(getattr(locust.stats, value))
    say([(p.name, None if p.default is p.empty else p.default) for p in signature.parameters.values()])
