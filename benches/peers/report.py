"""The results as people read them. No number is made here."""

from __future__ import annotations

from calls import CALLS
from peers import Peer
from results import Results, Summary
from verdict import verdicts

SCHEMES = {"http": "HTTP", "https": "TLS"}


def table(head: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as they need to be, the first one left-aligned."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: list[str]) -> str:
        first, *others = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        return "  ".join(["  " + cells[0].ljust(len(first)), *others]).rstrip()

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])


def number(value: float) -> str:
    """Three digits or more, thousands apart."""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def better(ratio: float) -> str:
    """A ratio in which above 1 we are better, in words."""
    return f"{number(ratio)}x better" if ratio >= 1 else f"{number(1 / ratio)}x worse"


def load_row(label: str, summary: Summary) -> list[str]:
    spread = f"{number(summary.cpu_us_least)}-{number(summary.cpu_us_most)}"
    cores = [f"{value:.2f}" for value in (summary.generator_cores, summary.target_cores, summary.other_cores)]
    figures = [number(summary.requests_per_second), number(summary.peak_mib)]
    return [label, number(summary.cpu_us), spread, *figures, *cores, str(summary.rounds)]


def load_section(results: Results, peers: list[Peer], scheme: str, users: int) -> str:
    head = ["peer", "CPU us/request", "min-max", "requests/s", "peak MiB", "cores", "target", "others", "rounds"]
    summaries = [(peer, results.summary(peer.key, scheme, users)) for peer in peers]
    rows = [load_row(peer.label, summary) for peer, summary in summaries if summary]
    title = f"{SCHEMES[scheme]}, {users} user{'s' if users > 1 else ''}"
    parts = [title, table(head, rows)]
    for _, summary in summaries:
        if summary and results.ratios(summary):
            parts.append(ratio_table(results, peers, summary))
    return "\n\n".join(parts)


def ratio_table(results: Results, peers: list[Peer], ours: Summary) -> str:
    labels = {peer.key: peer.label for peer in peers}
    by_peer = {ratio["peer"]: ratio for ratio in results.ratios(ours)}
    columns = ["cpu_per_request", "requests_per_second", "peak_memory"]
    rows = [
        ["against " + labels[key], *(better(float(str(by_peer[key][column]))) for column in columns)]
        for key in labels
        if key in by_peer
    ]
    return table([labels[ours.peer], "CPU/request", "requests/s", "peak memory"], rows)


def call_section(results: Results, peers: list[Peer]) -> str:
    """A row for each call and peer; the ratios are those of CPU per request, ours under theirs."""
    rows = []
    for call in CALLS:
        found = {peer.key: results.call(call.key, peer.key) for peer in peers}
        for peer in peers:
            if summary := found[peer.key]:
                ours = [found.get("ours-http"), found.get("ours-fast")]
                ratios = [number(summary.cpu_us / own.cpu_us) + "x" if own else "-" for own in ours]
                figures = [number(summary.cpu_us), number(summary.requests_per_second), number(summary.peak_mib)]
                rows.append([f"{call.label}, {peer.label}", *figures, *ratios])
    head = ["call, 64 users", "CPU us/request", "requests/s", "peak MiB", "of HttpUser's", "of FastHttpUser's"]
    return "Calls: CPU per request, and how many times ours that is\n\n" + table(head, rows)


def idle_section(results: Results, peers: list[Peer]) -> str:
    cases = [(peer, scheme) for scheme in ("http", "https") for peer in peers]
    idles = [(peer, results.idle(peer.key, scheme)) for peer, scheme in cases]
    rows = [
        [
            f"{SCHEMES[idle.scheme]}, {peer.label}",
            f"{idle.few} to {idle.many}",
            number(idle.kib_per_user),
            f"{number(idle.spawn_cpu_seconds)} s",
            f"{number(idle.spawn_seconds)} s",
        ]
        for peer, idle in idles
        if idle
    ]
    head = ["idle, connected", "users", "KiB/user", "CPU until all answered", "wall"]
    return "Idle users: memory that each one adds, and the cost of spawning the larger number\n\n" + table(head, rows)


def startup_section(results: Results, peers: list[Peer]) -> str:
    found = [(peer, results.startup(peer.key)) for peer in peers]
    rows = [
        [
            peer.label,
            f"{startup.version_seconds:.3f} s",
            f"{startup.first_request_cpu_seconds:.3f} s",
            f"{startup.first_request_seconds:.3f} s",
        ]
        for peer, startup in found
        if startup
    ]
    return "Start-up\n\n" + table(["peer", "--version", "CPU to first request", "wall"], rows)


def truth_section(results: Results, peers: list[Peer]) -> str:
    labels = {peer.key: peer.label for peer in peers}
    rows = [
        [
            f"{run.users} users, {labels[run.peer]}",
            number(run.median_ms),
            number(run.percentile_95_ms),
            number(run.probe_median_ms),
            number(run.probe_95_ms),
            number(run.requests),
        ]
        for run in results.truths
    ]
    head = ["tasks of 4 ms CPU, answers after 20 ms", "median ms", "95 % ms", "probe median", "probe 95 %", "requests"]
    lags = [f"  {run.users} users, {labels[run.peer]}: {run.lag}" for run in results.truths if run.lag]
    return "\n".join([f"Truth (server: {results.truth_server})", "", table(head, rows), *lags])


def verdict_section(results: Results) -> str:
    words = {True: "met", False: "NOT MET", None: "not measured"}
    rows = [[line.target, line.limit, line.measured, words[line.met]] for line in verdicts(results)]
    return "Verdict (targets judge, they do not fail the bench)\n\n" + table(["target", "limit", "measured", ""], rows)


def noise_section(results: Results) -> list[str]:
    """Said when other programs were busy enough to matter."""
    disturbed = [run for run in results.loads if run.other_cores > 0.15]
    if not disturbed:
        return []
    most = max(run.other_cores for run in disturbed)
    return [
        f"Noise: in {len(disturbed)} of {len(results.loads)} windows other programs used more than 0.15 cores"
        f" (at most {most:.2f}). That moves everything, CPU per request too: a generator that has to wait for a core"
        " finds more answers when it wakes, and looks cheaper. Repeat on a quiet machine."
    ]


def completeness_section(results: Results) -> list[str]:
    limits = ["Left out by design:", *(f"  {limit}" for limit in results.limits)] if results.limits else []
    missing = ["INCOMPLETE, not measured:", *(f"  {what}" for what in results.missing)] if results.missing else []
    return ["\n".join(part) for part in (limits, missing) if part]


def report(results: Results, peers: list[Peer]) -> str:
    settings = "  ".join(f"{name}: {value}" for name, value in (results.machine | results.settings).items())
    parts = [settings, *(load_section(results, peers, *case) for case in results.cases())]
    if results.calls:
        parts.append(call_section(results, peers))
    if results.idles:
        parts.append(idle_section(results, peers))
    if results.startups:
        parts.append(startup_section(results, peers))
    if results.truths:
        parts.append(truth_section(results, peers))
    parts += [*noise_section(results), verdict_section(results), *completeness_section(results)]
    return "\n\n".join(parts)
