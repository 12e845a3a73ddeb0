"""Every file in `locustfiles/`: it runs on both, and both reach the same parts of the shop."""

from __future__ import annotations

import pytest

from .harness import LOCUSTFILES, same

SHAPES = {"shape_ramp", "shape_spike", "shape_steady", "shape_step"}
OTHER = {
    "guard",
    "custom_client",
    "failures",
    "http2",
    "extending",
    "messages",
    "shape_options",
    "async_user",
    "test_shop",
}
CLIENTS = {path.stem for path in LOCUSTFILES.glob("*_client.py")}
"""They speak other protocols: `clients/` has servers for them."""
PLAIN = sorted(path.stem for path in LOCUSTFILES.glob("*.py") if path.stem not in SHAPES | OTHER | CLIENTS)


@pytest.mark.parametrize("name", PLAIN)
def test_it_sends_the_same_kinds_of_requests(both, name):
    pair = both(
        LOCUSTFILES / f"{name}.py",
        "-u",
        "40",
        "-r",
        "40",
        "-t",
        "4s" if name == "checkout" else "2s",
        "-s",
        "5",
        "--only-summary",
    )
    ours = pair.assert_same(but=["printed", "counts", "rows"])
    assert ours.exit_code == 0
    same("rows", set(pair.theirs.rows), set(ours.rows))
    same("kinds of requests", _without_numbers(pair.theirs.counts), _without_numbers(ours.counts))
    # Every request that the target saw is in our table.
    assert sum(ours.counts.values()) == ours.rows["", "Aggregated"][0]


@pytest.mark.parametrize("name", sorted(path.stem for path in (LOCUSTFILES / "web").glob("*.py")))
def test_what_extends_the_page_runs_without_one(both, name):
    pair = both(LOCUSTFILES / "web" / f"{name}.py", "-u", "2", "-r", "10", "-t", "1s", "-s", "2", "--only-summary")
    assert pair.assert_same(but=["rows", "counts"]).exit_code == 0


def _without_numbers(counts):
    return {"/api/products/[id]" if "/api/products/" in key else key for key in counts}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_shapes(both, name):
    pair = both(LOCUSTFILES / f"{name}.py", "-s", "5", "--only-summary", environment={"TEST_SECONDS": "3"})
    ours = pair.assert_same(but=["counts", "rows", "said"])
    same("rows", set(pair.theirs.rows), set(ours.rows))
    assert sum(ours.counts.values()) == ours.rows["", "Aggregated"][0]


def test_who_decides_what_a_failure_is(both):
    pair = both(LOCUSTFILES / "failures.py", "-u", "2", "-r", "10", "-t", "2s", "-s", "5", "--only-summary")
    ours = pair.assert_same(but=["counts", "rows", "errors"])
    assert ours.exit_code == 1
    same("errors", {text for _, text in pair.theirs.errors}, {text for _, text in ours.errors})
    assert ours.rows["POST", "/login (guess)"][1] == 0


def test_a_guard_refuses_production(both):
    host = "https://shop.prod.example.com"
    # Locust goes on without users until the time is over: a test that is quit in `test_start` ends here at once.
    ours = both(LOCUSTFILES / "guard.py", "-H", host, "-t", "2s", "--only-summary", host=False).assert_same(
        but=["said"]
    )
    assert ours.exit_code == 3
    assert not ours.counts


def test_a_guard_lets_others_pass(both):
    pair = both(LOCUSTFILES / "guard.py", "-t", "1s", "-s", "2", "--only-summary")
    assert pair.assert_same(but=["rows", "counts"]).exit_code == 0


def test_a_client_of_ones_own(both, sides):
    port = sides[0].target.host.rsplit(":")[-1]
    pair = both(
        LOCUSTFILES / "custom_client.py", "-u", "20", "-r", "20", "-t", "1s", "--only-summary", "--tcp-port", port
    )
    ours = pair.assert_same(but=["rows", "counts", "errors"])
    assert ours.exit_code == 0
    assert {key[0] for key in ours.rows} == {key[0] for key in pair.theirs.rows}


def test_test_functions(both):
    ours = both(LOCUSTFILES / "test_shop.py", "-u", "8", "-r", "20", "-t", "2s", "--only-summary").assert_same(
        but=["rows", "counts"]
    )
    assert ours.exit_code == 0
    assert ours.rows["POST", "/api/checkout"][0] > 4 and ours.rows["GET", "/api/search (visitor)"][0] > 20


def test_options_and_a_watchdog_of_ones_own(both):
    options = ("-u", "4", "-r", "10", "-s", "5", "--only-summary", "--word", "tent")
    ours = both(LOCUSTFILES / "extending.py", *options, "-t", "2s").assert_same(but=["rows", "counts"])
    assert (ours.exit_code, ours.printed) == (0, ["products found: True"])

    pair = both(LOCUSTFILES / "extending.py", *options, "-t", "30s", "--give-up-at", "-1")
    assert pair.assert_same(but=["rows", "counts"]).exit_code == 7


def test_a_shape_that_heeds_the_options(both):
    pair = both(LOCUSTFILES / "shape_options.py", "-u", "4", "-r", "10", "-t", "3s", "-s", "5", "--only-summary")
    ours = pair.assert_same(but=["rows", "counts", "said"])
    # Locust says when it is over that there is a limit.
    same("said", [line for line in pair.theirs.said if "limit set" not in line], ours.said)
    assert any("Shape test updating to 2 users" in line for line in ours.said)


def test_messages_to_oneself(both):
    pair = both(LOCUSTFILES / "messages.py", "-u", "3", "-r", "10", "-t", "1s", "-s", "5", "--only-summary")
    assert pair.assert_same(but=["rows", "counts"]).printed == ["accounts taken: 100"]
