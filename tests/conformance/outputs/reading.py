"""Reads what a run left with other people's readers, in an interpreter that has them and nothing of ours.

Its arguments are folders. For each it prints one line of JSON: what the readers found there.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pandas
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from locust_csv2openmetrics import collect_locust_stats, write_openmetrics_to_textfile
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry


def found_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"types": {}, "rows": {}}
    for path in sorted(folder.glob("out_*.csv")):
        kind = path.name[len("out_") : -len(".csv")]
        frame = pandas.read_csv(path)
        found["types"][kind] = {column: str(frame[column].dtype) for column in frame}
        found["rows"][kind] = len(frame)
    stats = pandas.read_csv(folder / "out_stats.csv")
    found["requests"] = int(stats.loc[stats["Name"] == "Aggregated", "Request Count"].iloc[0])
    found["openmetrics"] = openmetrics(folder)
    if (folder / "out.hlog").exists():
        found["histograms"] = histograms(folder)
    return found


def openmetrics(folder: Path) -> list[str]:
    registry = CollectorRegistry()
    collect_locust_stats(str(folder / "out_stats.csv"), labels={"run": "x"}, registry=registry)
    write_openmetrics_to_textfile(str(folder / "metrics.txt"), registry)
    families = text_string_to_metric_families((folder / "metrics.txt").read_text())
    return [family.name for family in families]


def histograms(folder: Path) -> dict[str, Any]:
    """How many values each tag's histograms hold, and the median of all: this reader takes no tags, so it gets none."""
    counts: dict[str, int] = {}
    tagged: dict[str, list[str]] = {}
    header: list[str] = []
    for line in (folder / "out.hlog").read_text().splitlines():
        if line.startswith(("#", '"')):
            header.append(line)
            continue
        match = re.fullmatch(r"(?:Tag=([^,\s]+),)?([^,]+,[^,]+,[^,]+,[^,]+)", line)
        assert match, line
        tagged.setdefault(match[1] or "", []).append(match[2])
    for tag, lines in tagged.items():
        (folder / "one.hlog").write_text("\n".join([*header, *lines, ""]))
        total = HdrHistogram(1, 2**36 - 1, 3)
        reader = HistogramLogReader(str(folder / "one.hlog"), total)
        while (interval := reader.get_next_interval_histogram()) is not None:
            total.add(interval)
        counts[tag] = total.get_total_count()
        if not tag:
            counts["median in µs"] = total.get_value_at_percentile(50)
    return counts


for folder in sys.argv[1:]:
    print(json.dumps(found_in(Path(folder))))
