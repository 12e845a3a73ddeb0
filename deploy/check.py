"""Whether the files in this folder are what their readers take them for: `make check-deploy`.

Nothing is started and no cluster asked. The Containerfile goes through hadolint; the compose file through the schema
of its specification; the manifests, put together as `kubectl` does where that is there, and the chart, rendered by
Helm's own code in several settings, through the schemas of the Kubernetes API. Each command line in them goes
through `locust`, with the variables beside it. And what resources say of one another has to be so (`fleets.py`): a
service leads to one kind of pod, workers find their master.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import compose_spec
import helm_python
import kubernetes_validate
import yaml
from fleets import Fleets, Nodes, parsed, taken

HERE = Path(__file__).parent
OWN: dict[str, Any] = {
    "podLabels": {"team": "shop", "app.kubernetes.io/component": "none of ours"},
    "podSecurityContext": {"fsGroup": 1000},
    "serviceAccountName": "load",
    "terminationGracePeriodSeconds": 90,
    "volumes": [{"name": "reports", "persistentVolumeClaim": {"claimName": "reports"}}],
    "volumeMounts": [{"name": "reports", "mountPath": "/reports"}],
}
SETTINGS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "a pipeline": {
        "mode": "pipeline",
        "run": {"checks": ["p95 < 500ms", "requests > 20000"]},
        "clusterKey": {"value": "0123456789abcdef"},
    },
    "large numbers": {
        "autoscaling": {"enabled": True, "most": 1_000_000},
        "environment": {"LOCUST_STOP_TIMEOUT": 1_000_000},
        "master": {"args": ["--web-port", 8089, "--iterations", 5_000_000], "podAnnotations": {"a": 1_000_000}},
        "mode": "pipeline",
        "run": {"users": 2_000_000, "spawnRate": 1_000_000, "time": 1_000_000, "deadlineSeconds": 2_000_000},
        "worker": {"count": 1_000_000},
    },
    "all of it": {
        "autoscaling": {"enabled": True, "least": 1},
        "clusterKey": {"existingSecret": "key"},
        "environment": {"A": 1, "TOKEN": {"valueFrom": {"secretKeyRef": {"name": "shop", "key": "token"}}}},
        "existingFiles": "mine",
        "imagePullSecrets": [{"name": "registry"}],
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "tls": [{"hosts": ["load.example.com"], "secretName": "tls"}],
        },
        "service": {"type": "LoadBalancer", "annotations": {"a": "1"}, "allowedHosts": ["load.example.net"]},
        "master": {"nodeSelector": {"disk": "fast"}, "podAnnotations": {"a": "1"}, **OWN},
        "run": {"autostart": True},
        "worker": {
            "processes": 2,
            "args": ["--loglevel", "DEBUG"],
            "portRange": "",
            "podAnnotations": {"b": "2"},
            **OWN,
        },
    },
}
KUBECTL = """#!/bin/sh
case "$*" in
*conditions*) echo try >> "$TRIES"; [ "$(wc -l < "$TRIES")" -lt 3 ] || printf %s "$CONDITION" ;;
*exitCode*) printf %s "$CODE" ;;
*condition=complete*) [ "$CONDITION" = Complete ] || exec /bin/sleep 60 ;;
esac
"""
WRONG: list[dict[str, Any]] = [
    {"mode": "both"},
    {"worker": {"count": 0}},
    {"workers": 3},
    {"run": {"users": "many"}},
    {"mode": "pipeline", "run": {"time": "55m1s"}},
    {"mode": "pipeline", "run": {"time": "1h", "deadlineSeconds": 3900}},
]


def main() -> None:
    checks = (versions, containerfile, compose, manifests, chart)
    complaints = [complaint for check in checks for complaint in told(check)]
    if complaints:
        sys.exit(f"{len(complaints)} complaints")


def told(check: Callable[[], Iterator[str]]) -> list[str]:
    complaints = list(check())
    print(f"{check.__name__}: {'good' if not complaints else 'not good'}", flush=True)
    for complaint in complaints:
        print(f"  {complaint}")
    return complaints


def containerfile() -> Iterator[str]:
    lint = subprocess.run(["hadolint", HERE / "Containerfile"], capture_output=True, text=True)
    yield from lint.stdout.splitlines() + lint.stderr.splitlines()


def versions() -> Iterator[str]:
    """Whether the image is asked for as the README has it built."""
    version = tomllib.loads((HERE.parent / "Cargo.toml").read_text())["package"]["version"]
    told = {"chart/Chart.yaml": [str(yaml.safe_load((HERE / "chart/Chart.yaml").read_text())["appVersion"])]}
    told["README.md"] = re.findall(r"gregaria:(\d[\w.]*)", (HERE / "README.md").read_text()) or ["none"]
    for file in sorted(HERE.glob("kubernetes/*/kustomization.yaml")):
        images = yaml.safe_load(file.read_text()).get("images", [])
        told[str(file.relative_to(HERE))] = [image["newTag"] for image in images]
    for where, others in told.items():
        yield from (f"{where} says {other}, and this is {version}" for other in {*others} - {version})


def compose() -> Iterator[str]:
    whole = yaml.safe_load((HERE / "compose.yaml").read_text())
    try:
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(whole))  # which knows no `<<`
    except ValueError as error:
        yield str(error)
    for name, service in whole["services"].items():
        yield from (f"compose.yaml: {name} {complaint}" for complaint in serves(service, whole["services"]))


def serves(service: dict[str, Any], services: dict[str, Any]) -> Iterator[str]:
    options = {} if "entrypoint" in service else parsed(tuple(service["command"]))
    yield from taken(options)
    if service["image"] == "gregaria" and "build" not in service:
        yield "is looked for in a registry when it is started alone"
    if options.get("worker") and "restart" not in service:
        yield "does not come back after its master has ended"
    is_target_up = service.get("depends_on") == {"target": {"condition": "service_healthy"}}
    if options.get("headless") and not (is_target_up and "healthcheck" in services["target"]):
        yield "may begin before the target listens"


def manifests() -> Iterator[str]:
    # In one namespace: what one of them names is not to be the other's.
    both = [resource for folder in ("page", "pipeline") for resource in resources(HERE / "kubernetes" / folder)]
    yield from valid(both)
    readme = (HERE / "README.md").read_text()
    yield from (f"README.md: {complaint}" for complaint in waits(readme))
    if shutil.which("kubectl"):
        yield from Fleets(both).complaints()
        yield from (f"README.md: {complaint}" for complaint in there(readme, both))
    else:
        print("  without kubectl they are not put together: names and selectors are not looked at")
        yield from (f"{nodes} {complaint}" for nodes in Fleets(both).nodes for complaint in taken(nodes.options))


def resources(folder: Path) -> list[dict[str, Any]]:
    if shutil.which("kubectl"):
        whole = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout
        return list(yaml.safe_load_all(whole))
    files = [*folder.glob("*.yaml"), *(folder.parent / "base").glob("*.yaml")]
    return [yaml.safe_load(file.read_text()) for file in files if file.name != "kustomization.yaml"]


def chart() -> Iterator[str]:
    lint = helm_python.lint(str(HERE / "chart"))
    yield from (f"{one['path']}: {one['error']}" for one in lint["messages"] if one["severity"] > 1)
    yield from map(str, lint["errors"])
    with helm_python.Chart.load(str(HERE / "chart")) as loaded:
        for name, values in (*SETTINGS.items(), *told_values()):
            yield from (f"{name}: {complaint}" for complaint in rendered(loaded, values))
        if len(key_checksums(loaded, "0123456789abcdef")) != 1:
            yield "a key has not one checksum in all pods"
        if key_checksums(loaded, "0123456789abcdef") & key_checksums(loaded, "another-0123456789"):
            yield "some pods stay when the key changes"
        for values in WRONG:
            try:
                loaded.validate_schema(values)
                loaded.render(values)
            except helm_python.HelmError:
                continue
            yield f"it takes {values}"


def resources_of(texts: dict[str, str]) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for path, text in texts.items() if path.endswith(".yaml") and text.strip()]


def key_checksums(loaded: helm_python.Chart, key: str) -> set[str | None]:
    """What pods have that changes with the key, so that they are replaced."""
    nodes = Fleets(resources_of(loaded.render({"clusterKey": {"value": key}}))).nodes
    return {one.annotations.get("checksum/key") for one in nodes}


def told_values() -> Iterator[tuple[str, dict[str, Any]]]:
    """What the README installs the chart with."""
    text = (HERE / "README.md").read_text().replace("\\\n", "")
    for command in re.findall(r"^helm install .*", text, re.MULTILINE):
        words = shlex.split(command)
        settings = [value for option, value in pairwise(words) if option == "--set"]
        yield f"README.md, {words[2]}", helm_python.parse_set_string(",".join(settings))
    for example in re.findall(r"^```yaml\n(mode: .*?)^```", text, re.MULTILINE | re.DOTALL):
        yield "README.md, values", yaml.safe_load(example)


def rendered(loaded: helm_python.Chart, values: dict[str, Any]) -> Iterator[str]:
    try:
        loaded.validate_schema(values)
        texts = loaded.render(values, name="shop", namespace="load")
    except helm_python.HelmError as error:
        yield str(error)
        return
    notes = texts.pop("gregaria/templates/NOTES.txt")
    found = resources_of(texts)
    yield from (f"{path} says {number}" for path, text in texts.items() for number in re.findall(r"\d+e\+\d+", text))
    yield from valid(found)
    fleets = Fleets(found)
    yield from fleets.complaints()
    for nodes in fleets.nodes:
        own = values.get("worker" if nodes.options.get("worker") else "master", {})
        lost = [name for name in OWN if name in own and not has(nodes, own, name)]
        yield from (f"{nodes} has not the {name} that it was given" for name in lost)
    for host in values.get("service", {}).get("allowedHosts", []):
        if host not in fleets.allowed_hosts():
            yield f"the page does not answer under {host}"
    yield from (f"NOTES.txt: {complaint}" for complaint in there(notes, found))
    if values.get("mode") == "pipeline":
        yield from (f"NOTES.txt: {complaint}" for complaint in waits(notes))


def has(nodes: Nodes, own: dict[str, Any], name: str) -> bool:
    """Whether pods have what a value of theirs says."""
    match name:
        case "podLabels":
            return bool(nodes.labels.get("team") == own[name]["team"])
        case "podSecurityContext":
            return bool(own[name].items() <= nodes.pod["securityContext"].items())
        case "volumeMounts":
            return all(mount in nodes.container[name] for mount in own[name])
        case "volumes":
            return all(volume in nodes.pod[name] for volume in own[name])
        case _:
            return bool(nodes.pod.get(name) == own[name])


def valid(found: list[dict[str, Any]]) -> Iterator[str]:
    for resource in found:
        try:
            kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{resource['kind']} {resource['metadata']['name']}: {error.message}"


def waits(text: str) -> Iterator[str]:
    """Whether the commands that wait for a run end with its exit code, which this `kubectl` knows at the third try."""
    found = re.search(r"^ *until .*?^ *\(exit [^\n]*", text, re.DOTALL | re.MULTILINE)
    if not found:
        yield "nothing waits for a run"
        return
    for condition, code in (("Complete", "0"), ("FailureTarget Failed", "3"), ("Failed", "")):
        with tempfile.TemporaryDirectory() as folder:
            for name, script in {"kubectl": KUBECTL, "sleep": "#!/bin/sh\n"}.items():
                Path(folder, name).write_text(script)
                Path(folder, name).chmod(0o755)
            environment = {"PATH": f"{folder}:{os.environ['PATH']}", "TRIES": f"{folder}/tries"}
            answers = {"CONDITION": condition, "CODE": code}
            try:
                ended = subprocess.run(["sh", "-c", found[0]], env={**environment, **answers}, timeout=10).returncode
            except subprocess.TimeoutExpired:
                ended = None
            if ended != int(code or 1):
                yield f"of a run that is {condition} with the exit code `{code}` it makes {ended}"


def there(text: str, found: list[dict[str, Any]]) -> Iterator[str]:
    """Whether the jobs and services that a text names are there."""
    names = {f"{resource['kind'].lower()}/{resource['metadata']['name']}" for resource in found}
    for name in re.findall(r"\b(?:job|service)/[\w-]+", text):
        if name not in names:
            yield f"there is no {name}"


if __name__ == "__main__":
    main()
