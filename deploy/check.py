"""Whether the files in this folder are what their readers take them for: `make check-deploy`.

Nothing is started and no cluster asked. The Containerfile goes through hadolint; the compose file through the schema
of its specification; the manifests, put together as `kubectl` does where that is there, and the chart, rendered by
Helm's own code in several settings, through the schemas of the Kubernetes API. And each command line in them goes
through `locust`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
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
    "a pipeline": {"mode": "pipeline", "run": {"checks": ["p95 < 500ms"]}, "clusterKey": {"value": "0123456789abcdef"}},
    "all of it": {
        "autoscaling": {"enabled": True},
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
WRONG: list[dict[str, Any]] = [{"mode": "both"}, {"worker": {"count": 0}}, {"workers": 3}, {"run": {"users": "many"}}]


def main() -> None:
    complaints = [complaint for check in (containerfile, compose, manifests, chart) for complaint in told(check)]
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
    for name, service in whole["services"].items():
        if "entrypoint" not in service:
            yield from taken(f"compose.yaml: {name}", service["command"])


def manifests() -> Iterator[str]:
    for folder in ("page", "pipeline"):
        yield from valid(f"kubernetes/{folder}", resources(HERE / "kubernetes" / folder))


def resources(folder: Path) -> list[dict[str, Any]]:
    if shutil.which("kubectl"):
        whole = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout
        return list(yaml.safe_load_all(whole))
    files = [*folder.glob("*.yaml"), *(folder.parent / "base").glob("*.yaml")]
    return [yaml.safe_load(file.read_text()) for file in files if file.name != "kustomization.yaml"]


def chart() -> Iterator[str]:
    found = helm_python.lint(str(HERE / "chart"))
    yield from (f"{one['path']}: {one['error']}" for one in found["messages"] if one["severity"] > 1)
    yield from map(str, found["errors"])
    with helm_python.Chart.load(str(HERE / "chart")) as loaded:
        for name, values in SETTINGS.items():
            loaded.validate_schema(values)
            rendered = loaded.render(values, name="shop", namespace="load")
            texts = [text for path, text in rendered.items() if path.endswith(".yaml") and text.strip()]
            yield from valid(f"chart, {name}", [yaml.safe_load(text) for text in texts])
        for values in WRONG:
            try:
                loaded.validate_schema(values)
            except helm_python.HelmError:
                continue
            yield f"chart: values.schema.json takes {values}"


def valid(where: str, found: list[dict[str, Any]]) -> Iterator[str]:
    for resource in found:
        what = f"{where}: {resource['kind']} {resource['metadata']['name']}"
        try:
            kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{what}: {error.message}"
        if "template" in resource.get("spec", {}):
            for container in resource["spec"]["template"]["spec"]["containers"]:
                yield from taken(what, container["args"])


def taken(where: str, args: list[str]) -> Iterator[str]:
    """Whether `locust` takes these arguments."""
    code = "import sys; from locust.argument_parser import get_parser; get_parser().parse_args(sys.argv[1:])"
    parsed = subprocess.run([LOCUST, "-c", code, *map(str, args)], capture_output=True, text=True)
    if parsed.returncode:
        yield f"{where}: {args}: {(parsed.stderr.splitlines() or ['no answer'])[-1]}"


if __name__ == "__main__":
    main()
