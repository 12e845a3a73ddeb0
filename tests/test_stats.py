"""The Python face of the statistics; the numbers themselves are tested in Rust."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

# This one test imports `locust` into pytest's own process, which must not be patched.
with pytest.MonkeyPatch.context() as environment:
    environment.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")

    import locust.stats
    from locust.exception import CatchResponseError
    from locust.stats import RequestStats, StatsCSVFileWriter, StatsEntry, StatsError


@pytest.fixture
def stats() -> RequestStats:
    return RequestStats()


def test_a_request_counts_in_its_entry_and_in_the_total(stats: RequestStats) -> None:
    stats.log_request("GET", "/", 12.345, 10)
    entry = stats.get("/", "GET")
    assert (entry.num_requests, stats.num_requests, entry.min_response_time) == (1, 1, 12.345)
    assert entry.median_response_time == 12.345
    assert (entry.get_response_time_percentile(0.95), entry.response_times) == (12, {12: 1})


def test_entries_are_made_when_they_are_asked_for(stats: RequestStats) -> None:
    assert ("/", "GET") not in stats.entries
    assert stats.entries["/", "GET"].num_requests == 0
    assert list(stats.entries) == [("/", "GET")]
    assert stats.entries["/", "GET"] is stats.entries["/", "GET"]


def test_errors_keep_the_exception(stats: RequestStats) -> None:
    error = CatchResponseError("too slow")
    stats.log_error("GET", "/", error)
    stats.log_error("GET", "/", CatchResponseError("too slow"))
    [(key, record)] = stats.errors.items()
    assert key == StatsError.create_key("GET", "/", error)
    assert record.error is error
    assert (record.occurrences, record.to_name()) == (2, "GET /: too slow")
    assert locust.stats.get_error_report_summary(stats)[3].startswith("2                  GET /: too slow")
    stats.errors.clear()
    assert not stats.errors


def test_exceptions_are_grouped_by_traceback(stats: RequestStats) -> None:
    for node in ("local", "w1"):
        stats.table.log_exception(node, "bad", "at a")
    assert stats.table.exceptions() == [{"count": 2, "msg": "bad", "traceback": "at a", "nodes": {"local", "w1"}}]


def test_a_replaced_bucket_function_is_followed(stats: RequestStats, monkeypatch: pytest.MonkeyPatch) -> None:
    for response_time in (12, 18, 55):
        stats.log_request("GET", "/", response_time, 0)
    monkeypatch.setattr(locust.stats, "bucket_response_time", lambda t: int(t / 50) * 50)
    assert stats.total.response_times == {0: 2, 50: 1}
    assert stats.total.get_response_time_percentile(1.0) == 50


def test_an_entry_by_hand_keeps_no_window(stats: RequestStats) -> None:
    entry = StatsEntry(stats, "/", "GET")
    entry.log(5, 1)
    assert (entry.num_requests, stats.num_requests) == (1, 0)
    with pytest.raises(ValueError, match="use_response_times_cache"):
        entry.get_current_response_time_percentile(0.5)


def test_changed_constants_are_honoured(stats: RequestStats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locust.stats, "PERCENTILES_TO_REPORT", [0.5, 0.999])
    monkeypatch.setattr(locust.stats, "STATS_NAME_WIDTH", 20)
    assert locust.stats.get_percentile_stats_summary(stats)[1] == "Type     Name                      50%  99.9% # reqs"


def test_history_has_locusts_keys(stats: RequestStats) -> None:
    locust.stats.update_stats_history(SimpleNamespace(stats=stats, user_count=3), "2026-01-31T09:05:10Z")
    [point] = stats.history
    assert point["user_count"] == ["2026-01-31T09:05:10Z", 3]
    assert set(point) == {
        "response_time_percentile_0.5",
        "response_time_percentile_0.95",
        "current_rps",
        "current_fail_per_sec",
        "total_avg_response_time",
        "user_count",
        "time",
    }


def test_tables_go_to_their_logger(stats: RequestStats, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "locust.stats_logger"):
        locust.stats.print_stats(stats)
    assert caplog.messages[0].startswith("Type     Name")
    assert caplog.messages[-1] == ""


def test_csv_files_agree_with_the_table_when_closed(stats: RequestStats, tmp_path: Path) -> None:
    environment = SimpleNamespace(stats=stats)
    writer = StatsCSVFileWriter(environment, [0.5], str(tmp_path / "deep" / "run"))
    stats.log_request("GET", "/", 7, 10)
    writer.close_files()
    rows = (tmp_path / "deep" / "run_stats.csv").read_text().splitlines()
    assert rows[0].endswith("Failures/s,50%")
    assert rows[1].startswith("GET,/,1,0,7,7.0,7.0,7.0,10.0,") and rows[1].endswith(",7")
    assert (tmp_path / "deep" / "run_exceptions.csv").read_bytes() == b"Count,Message,Traceback,Nodes\r\n"
