"""Whether resources of Kubernetes that are there together mean each other, and what their command lines mean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

LOCUST = sys.argv[1] if len(sys.argv) > 1 else "python3"
WORKERS_PORT = 5557


class Nodes:
    """A resource that makes pods, all of one kind: a Deployment or a Job."""

    def __init__(self, resource: dict[str, Any]) -> None:
        self.kind: str = resource["kind"]
        self.name: str = resource["metadata"]["name"]
        self.spec: dict[str, Any] = resource["spec"]
        self.labels: dict[str, str] = self.spec["template"]["metadata"]["labels"]
        self.annotations: dict[str, str] = self.spec["template"]["metadata"].get("annotations") or {}
        self.pod: dict[str, Any] = self.spec["template"]["spec"]
        self.container: dict[str, Any] = self.pod["containers"][0]
        variables = [(entry["name"], entry["value"]) for entry in self.container.get("env", []) if "value" in entry]
        self.options = parsed(tuple(self.container["args"]), tuple(variables))

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Fleets:
    """Resources of one namespace."""

    def __init__(self, resources: list[dict[str, Any]]) -> None:
        self.resources = resources
        self.names = [(resource["kind"], resource["metadata"]["name"]) for resource in resources]
        self.nodes = [Nodes(resource) for resource in resources if "template" in resource.get("spec", {})]

    def complaints(self) -> Iterator[str]:
        for kind, name in sorted(set(self.names)):
            if self.names.count((kind, name)) > 1:
                yield f"{kind} {name} is there twice"
        for (kind, name), resource in zip(self.names, self.resources, strict=True):
            look = _LOOKS.get(kind)
            if look:
                yield from (f"{kind} {name} {complaint}" for complaint in look(self, resource["spec"]))
        for nodes in self.nodes:
            yield from (f"{nodes} {complaint}" for complaint in (*taken(nodes.options), *self._fit(nodes)))

    def _service(self, spec: dict[str, Any]) -> Iterator[str]:
        yield from self._leads(spec["selector"], [port["targetPort"] for port in spec["ports"]])
        if spec.get("type", "ClusterIP") != "ClusterIP" and WORKERS_PORT in [port["port"] for port in spec["ports"]]:
            yield "publishes the workers' port"

    def _policy(self, spec: dict[str, Any]) -> Iterator[str]:
        ports = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
        yield from self._leads(spec["podSelector"]["matchLabels"], ports)

    def _leads(self, selector: dict[str, str], ports: list[str]) -> Iterator[str]:
        chosen = [nodes for nodes in self.nodes if selector.items() <= nodes.labels.items()]
        if len(chosen) != 1:
            yield f"leads to {' and '.join(map(str, chosen)) or 'nothing'}"
        for nodes in chosen:
            there = [port["name"] for port in nodes.container.get("ports", [])]
            yield from (f"leads to the port {port}, which {nodes} has not" for port in ports if port not in there)

    def _ingress(self, spec: dict[str, Any]) -> Iterator[str]:
        for rule in spec["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                if (service["name"], service["port"]["name"]) not in self._service_ports():
                    yield f"leads to {service['name']}, port {service['port']['name']}, which is not there"
            if rule["host"] not in self.allowed_hosts():
                yield f"is for {rule['host']}, under which the page does not answer"

    def _service_ports(self) -> list[tuple[str, str]]:
        services = [resource for resource in self.resources if resource["kind"] == "Service"]
        return [(one["metadata"]["name"], port["name"]) for one in services for port in one["spec"]["ports"]]

    def _autoscaler(self, spec: dict[str, Any]) -> Iterator[str]:
        if ("Deployment", spec["scaleTargetRef"]["name"]) not in self.names:
            yield "scales nothing"

    def _fit(self, nodes: Nodes) -> Iterator[str]:
        if not nodes.spec.get("selector", {}).get("matchLabels", {}).items() <= nodes.labels.items():
            yield "does not select its own pods"
        mounted = {mount["name"] for mount in nodes.container["volumeMounts"]}
        if mounted != {volume["name"] for volume in nodes.pod["volumes"]}:
            yield "mounts other volumes than it has"
        options = nodes.options
        if options.get("worker") and ("Service", options["master_host"]) not in self.names:
            yield f"looks for a master at {options['master_host']}, which no service is called"
        if options.get("headless") or options.get("autostart"):
            # `--expect-workers` of a master that begins by itself.
            there = sum(self._least(worker) for worker in self.nodes if worker.options.get("master_host") == nodes.name)
            if options["expect_workers"] > there:
                yield f"waits for {options['expect_workers']} workers, of which {there} come"
        if nodes.kind == "Job":
            yield from self._ends(nodes)

    def _least(self, worker: Nodes) -> int:
        """How many processes there are before there is load."""
        for resource in self.resources:
            if (
                resource["kind"] == "HorizontalPodAutoscaler"
                and resource["spec"]["scaleTargetRef"]["name"] == worker.name
            ):
                pods = resource["spec"]["minReplicas"]
                break
        else:
            pods = worker.spec.get("replicas") or worker.spec.get("parallelism") or 1
        return int(pods * (worker.options["processes"] or 1))

    def _ends(self, job: Nodes) -> Iterator[str]:
        if not {"activeDeadlineSeconds", "backoffLimit"} <= job.spec.keys():
            yield "has no activeDeadlineSeconds, or no backoffLimit"
            return
        runs = [nodes.options for nodes in self.nodes if nodes.kind == "Job" and nodes.options.get("run_time")]
        longest = max((run["run_time"] + run["expect_workers_max_wait"] for run in runs), default=0)
        if job.spec["activeDeadlineSeconds"] <= longest:
            yield f"is ended after {job.spec['activeDeadlineSeconds']} s, its run may last {longest} s"

    def allowed_hosts(self) -> set[str]:
        """Names under which a page answers, beside those that it knows by itself."""
        return {host for nodes in self.nodes for host in nodes.options.get("web_allowed_hosts") or []}


_LOOKS = {
    "HorizontalPodAutoscaler": Fleets._autoscaler,
    "Ingress": Fleets._ingress,
    "NetworkPolicy": Fleets._policy,
    "Service": Fleets._service,
}


def taken(options: dict[str, Any]) -> Iterator[str]:
    """Whether `locust` took them; and of a run that is judged, whether its exit code is the verdict."""
    if mistake := options.get("mistake"):
        yield mistake
    elif options.get("headless") and options["checks"]:
        if options["exit_code_on_error"]:
            yield f"ends with {options['exit_code_on_error']} after a failed request, though all checks hold"
        if not any("requests >" in check for check in options["checks"]):
            yield "passes when all workers are lost, for no check asks for an amount of work"


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
