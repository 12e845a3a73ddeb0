"""Whether the files in this folder are what their readers take them for: `make check-deploy`.

Nothing is started and no cluster asked. The Containerfile goes through hadolint; the compose file through the schema
of its specification; the manifests, put together as `kubectl` does where that is there, and the chart, rendered by
Helm's own code in several settings, through the schemas of the Kubernetes API. Each command line in them goes
through `locust`, with the variables beside it. And what they say of one another has to be so: a service leads to one
kind of pod, workers find their master.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import compose_spec
import helm_python
import kubernetes_validate
import yaml

HERE = Path(__file__).parent
LOCUST = sys.argv[1] if len(sys.argv) > 1 else "python3"
SETTINGS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "a pipeline": {
        "mode": "pipeline",
        "run": {"checks": ["p95 < 500ms", "requests > 20000"]},
        "clusterKey": {"value": "0123456789abcdef"},
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
        "master": {"nodeSelector": {"disk": "fast"}, "podAnnotations": {"a": "1"}},
        "run": {"autostart": True},
        "worker": {"processes": 2, "args": ["--loglevel", "DEBUG"], "portRange": "", "podAnnotations": {"b": "2"}},
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
    checks = (containerfile, compose, readme, manifests, chart)
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


def compose() -> Iterator[str]:
    whole = yaml.safe_load((HERE / "compose.yaml").read_text())
    try:
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(whole))  # which knows no `<<`
    except ValueError as error:
        yield str(error)
    services = whole["services"]
    for name, service in services.items():
        where = f"compose.yaml: {name}"
        if service["image"] == "gregaria" and "build" not in service:
            yield f"{where}: started alone it is looked for in a registry"
        asked = {} if "entrypoint" in service else parsed(tuple(service["command"]))
        yield from taken(where, asked)
        if asked.get("worker") and "restart" not in service:
            yield f"{where}: it does not come back after its master has ended"
        is_target_up = service.get("depends_on") == {"target": {"condition": "service_healthy"}}
        if asked.get("headless") and not (is_target_up and "healthcheck" in services["target"]):
            yield f"{where}: it may begin before the target listens"


def readme() -> Iterator[str]:
    yield from waits("README.md", (HERE / "README.md").read_text())


def manifests() -> Iterator[str]:
    both = [resource for folder in ("page", "pipeline") for resource in resources(HERE / "kubernetes" / folder)]
    yield from valid("kubernetes", both)
    if shutil.which("kubectl"):
        # In one namespace: what one of them names is not to be the other's.
        yield from related("kubernetes", both)
        yield from there("README.md", (HERE / "README.md").read_text(), both)
    else:
        print("  without kubectl manifests are not put together: names and selectors are not looked at")


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
        for name, values in SETTINGS.items():
            loaded.validate_schema(values)
            rendered = loaded.render(values, name="shop", namespace="load")
            if values.get("mode") == "pipeline":
                yield from waits(f"chart, {name}: NOTES.txt", rendered["gregaria/templates/NOTES.txt"])
            texts = [text for path, text in rendered.items() if path.endswith(".yaml") and text.strip()]
            found = [yaml.safe_load(text) for text in texts]
            yield from valid(f"chart, {name}", found)
            yield from related(f"chart, {name}", found)
            yield from there(f"chart, {name}: NOTES.txt", rendered["gregaria/templates/NOTES.txt"], found)
        for values in WRONG:
            try:
                loaded.validate_schema(values)
                loaded.render(values)
            except helm_python.HelmError:
                continue
            yield f"chart: it takes {values}"


def valid(where: str, found: list[dict[str, Any]]) -> Iterator[str]:
    for resource in found:
        what = f"{where}: {resource['kind']} {resource['metadata']['name']}"
        try:
            kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{what}: {error.message}"
        if pod := template(resource):
            yield from taken(what, options(pod))


def related(where: str, found: list[dict[str, Any]]) -> Iterator[str]:
    """Whether these resources, in one namespace, mean each other by the names and labels that they use."""
    names = [(resource["kind"], resource["metadata"]["name"]) for resource in found]
    yield from (f"{where}: {kind} {name} is there twice" for kind, name in {*names} if names.count((kind, name)) > 1)
    pods = {f"{kind} {name}": pod for (kind, name), one in zip(names, found, strict=True) if (pod := template(one))}
    for (kind, name), resource in zip(names, found, strict=True):
        spec = resource.get("spec", {})
        chosen = {"Service": spec.get("selector"), "NetworkPolicy": spec.get("podSelector", {}).get("matchLabels")}
        if labels := chosen.get(kind):
            selected = [pod for pod, made in pods.items() if labels.items() <= made["metadata"]["labels"].items()]
            if len(selected) != 1:
                yield f"{where}: {kind} {name} leads to {selected or 'nothing'}"
        if kind == "HorizontalPodAutoscaler" and ("Deployment", spec["scaleTargetRef"]["name"]) not in names:
            yield f"{where}: {kind} {name} scales nothing"
    for resource in found:
        if resource["kind"] == "Job":
            yield from ends(where, resource, found)
    yield from enough(where, found)
    for name, pod in pods.items():
        asked = options(pod)
        if asked.get("worker") and ("Service", asked["master_host"]) not in names:
            yield f"{where}: {name} looks for a master at {asked['master_host']}, which no service is called"


def waits(where: str, text: str) -> Iterator[str]:
    """Whether the commands that wait for a run end with its exit code, which this `kubectl` knows at the third try."""
    found = re.search(r"^ *until .*?^ *\(exit [^\n]*", text, re.DOTALL | re.MULTILINE)
    if not found:
        yield f"{where}: nothing waits for a run"
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
                yield f"{where}: of a run that is {condition} with the exit code `{code}` it makes {ended}"


def ends(where: str, job: dict[str, Any], found: list[dict[str, Any]]) -> Iterator[str]:
    """Whether a job ends by itself, and not before the run is over."""
    name, spec = job["metadata"]["name"], job["spec"]
    if not {"activeDeadlineSeconds", "backoffLimit"} <= spec.keys():
        yield f"{where}: Job {name} has no activeDeadlineSeconds, or no backoffLimit"
        return
    asked = [options(pod) for resource in found if resource["kind"] == "Job" and (pod := template(resource))]
    longest = max(run["run_time"] + run["expect_workers_max_wait"] for run in asked if run.get("run_time"))
    if spec["activeDeadlineSeconds"] <= longest:
        yield f"{where}: Job {name} is ended after {spec['activeDeadlineSeconds']} s, its run may last {longest} s"


def enough(where: str, found: list[dict[str, Any]]) -> Iterator[str]:
    """Whether a master that begins by itself waits for no more workers than there are before it has begun."""
    least = {one["spec"]["scaleTargetRef"]["name"]: one["spec"]["minReplicas"] for one in found if is_scaler(one)}
    workers: dict[str, int] = {}
    expected = {}
    for resource in found:
        if not (pod := template(resource)):
            continue
        asked, name, spec = options(pod), resource["metadata"]["name"], resource["spec"]
        if asked.get("worker"):
            count = least.get(name) or spec.get("replicas") or spec.get("parallelism") or 1
            workers[asked["master_host"]] = count * (asked["processes"] or 1)
        elif asked.get("headless") or asked.get("autostart"):
            expected[name] = asked["expect_workers"]
    for name, count in expected.items():
        if count > workers.get(name, 0):
            yield f"{where}: {name} waits for {count} workers, of which {workers.get(name, 0)} come"


def there(where: str, text: str, found: list[dict[str, Any]]) -> Iterator[str]:
    """Whether the jobs and services that a text names are there."""
    names = {f"{resource['kind'].lower()}/{resource['metadata']['name']}" for resource in found}
    for name in re.findall(r"\b(?:job|service)/[\w-]+", text):
        if name not in names:
            yield f"{where}: there is no {name}"


def is_scaler(resource: dict[str, Any]) -> bool:
    return bool(resource["kind"] == "HorizontalPodAutoscaler")


def template(resource: dict[str, Any]) -> dict[str, Any] | None:
    """The pods that a resource makes, if it makes any."""
    return resource.get("spec", {}).get("template")


def taken(where: str, options: dict[str, Any]) -> Iterator[str]:
    """Whether `locust` took them; and of a run that is judged, whether its exit code is the verdict."""
    if mistake := options.get("mistake"):
        yield f"{where}: {mistake}"
    elif options.get("headless"):
        if options["exit_code_on_error"]:
            yield f"{where}: a failed request ends it with {options['exit_code_on_error']}, though all checks hold"
        if not any("requests >" in check for check in options["checks"]):
            yield f"{where}: it passes when all workers are lost, for no check asks for an amount of work"


def options(pod: dict[str, Any]) -> dict[str, Any]:
    """What `locust` takes a pod's arguments and variables for."""
    container = pod["spec"]["containers"][0]
    given = [(entry["name"], entry["value"]) for entry in container.get("env", []) if "value" in entry]
    return parsed(tuple(container["args"]), tuple(given))


@cache
def parsed(args: tuple[str, ...], variables: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """What `locust` takes these for; or its complaint, as `mistake`."""
    code = """
import json, sys
from locust.argument_parser import get_parser
print(json.dumps(vars(get_parser().parse_args(sys.argv[1:])), default=str))
"""
    command = [LOCUST, "-c", code, *map(str, args)]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **dict(variables)})
    if ended.returncode:
        return {"mistake": f"{args}: {(ended.stderr.splitlines() or ['no answer'])[-1]}"}
    understood: dict[str, Any] = json.loads(ended.stdout)
    return understood


if __name__ == "__main__":
    main()
