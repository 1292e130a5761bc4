"""Work pools: the pool type of each target and server, and its job template, which is checked before it is sent."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from hnintel.errors import UsageError
from hnintel.settings import Settings, variable

_PLACEHOLDER = re.compile(r"\{\{\s*([^}]*?)\s*\}\}")
_SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|PASSPHRASE", re.IGNORECASE)

#: A container loses its files, so its warehouse is Snowflake, with the login of a block.
_IN_A_CONTAINER = {
    variable("warehouse"): "snowflake",
    variable("snowflake_block"): "snowflake-connector/hn-intelligence",
    variable("home"): "/tmp/hn-intelligence",  # noqa: S108 - in the container, which has a single run
}
_IMAGE = "{{ prefect.variables.hn_image }}"


@dataclass(frozen=True, slots=True)
class Target:
    """A platform that runs flows.

    ``here`` is the pool type on a self-hosted server, ``cloud`` on Prefect Cloud; None where that server has no such
    type. ``defaults`` are the default values of variables in the job template. ``manifest`` is merged into the
    template's ``job_manifest``, entries of lists by position.
    """

    here: str | None
    cloud: str | None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)


#: A run's pod runs as an unprivileged user, and writes only to its own temporary folders.
_CONFINED_JOB = {
    "spec": {
        "template": {
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 10001,
                    "runAsGroup": 10001,
                    "fsGroup": 10001,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "volumeMounts": [
                            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of the container
                            {"name": "home", "mountPath": "/home/hn"},
                        ],
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "home", "emptyDir": {}}],
            }
        }
    }
}

TARGETS: dict[str, Target] = {
    "local": Target("process", "process"),
    "cloud": Target(None, "process"),
    "ecs": Target(
        "ecs",
        "ecs:push",
        {"image": _IMAGE, "cpu": 1024, "memory": 4096, "family": "hn-intelligence", "env": _IN_A_CONTAINER},
    ),
    "cloud-run": Target(
        "cloud-run-v2",
        "cloud-run-v2:push",
        {"image": _IMAGE, "cpu": "1000m", "memory": "4Gi", "timeout": 3600, "env": _IN_A_CONTAINER},
    ),
    "kubernetes": Target(
        "kubernetes",
        "kubernetes",
        {
            "image": _IMAGE,
            "namespace": "hn-intelligence",
            "service_account_name": "hn-intelligence",
            "cpu_request": "500m",
            "memory_request": "2Gi",
            "memory_limit": "4Gi",
            "finished_job_ttl": 3600,
            "env": _IN_A_CONTAINER,
        },
        _CONFINED_JOB,
    ),
    "modal": Target(None, "modal:push", {"env": _IN_A_CONTAINER}),
    "managed": Target(None, "prefect:managed", {"env": _IN_A_CONTAINER}),
}


def pool_type(target: str, on_cloud: bool) -> str:
    """Return the pool type of *target* on this server.

    Raises:
        UsageError: the server does not support the target.
    """
    supported = TARGETS[target]
    kind = supported.cloud if on_cloud else supported.here
    if kind is None:
        what = "Prefect Cloud itself" if target == "cloud" else f"{supported.cloud} pools, which are Prefect Cloud's"
        raise UsageError(f"--target {target} needs {what}: run `prefect cloud login` first, or use --target local")
    return kind


def template_of(
    metadata: Mapping[str, Any], kind: str, defaults: Mapping[str, Any], manifest: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the server's job template of a pool type, with our *defaults* and *manifest* in it.

    Args:
        metadata: the server's worker metadata, by package and type.
        kind: the pool's type.
        defaults: values of the template's variables.
        manifest: merged into its ``job_manifest``.

    Raises:
        UsageError: the server does not know the type, or the template rejects our values.
    """
    entry = next((types[kind] for types in metadata.values() if kind in types), None)
    if entry is None:
        raise UsageError(f"the server knows no work pools of type {kind}: it has {_known(metadata)}")
    template: dict[str, Any] = copy.deepcopy(entry["default_base_job_configuration"])
    for name, value in defaults.items():
        if name in template["variables"]["properties"]:
            template["variables"]["properties"][name]["default"] = value
    if manifest:
        configuration = template["job_configuration"]
        configuration["job_manifest"] = _laid_over(configuration["job_manifest"], manifest)
    wrong = next(problems(template, defaults), None)
    if wrong:
        raise UsageError(f"the job template of {kind} pools: {wrong}; see deployments/provisioning/pools.py")
    return template


def _laid_over(base: Any, over: Any) -> Any:
    """Return *base* with the values of *over* in place of those under the same keys, at any depth."""
    if isinstance(base, dict) and isinstance(over, Mapping):
        return base | {name: _laid_over(base.get(name), value) for name, value in over.items()}
    if isinstance(base, list) and isinstance(over, list):
        return [_laid_over(*pair) for pair in zip(base, over, strict=False)] + base[len(over) :] + over[len(base) :]
    return copy.deepcopy(over)


def problems(template: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problems of a job template: invalid defaults, undeclared placeholders, secrets in plain text."""
    variables = template["variables"]
    known = variables["properties"]
    for name, value in defaults.items():
        if name not in known:
            yield f"it has no variable '{name}'"
            continue
        if "{{" in str(value):
            continue  # filled in when a run starts
        schema = {**known[name], "$defs": variables.get("$defs", {}), "definitions": variables.get("definitions", {})}
        for error in jsonschema.Draft202012Validator(schema).iter_errors(value):
            yield f"'{name}' is {value!r}: {error.message}"
    for named in _PLACEHOLDER.findall(str(template["job_configuration"])):
        if named.partition(".")[0] not in {*known, "prefect", "ctx"} and not named.startswith("$"):
            yield f"its configuration names '{named}', which it does not declare as a variable"
    for name in _env(known):
        if _SECRET.search(name) or "SecretStr" in _annotation(name):
            yield f"{name} would be a secret in plain text: put it in a block, or in the platform's secret store"


def _env(known: Mapping[str, Any]) -> list[str]:
    default = known.get("env", {}).get("default") or {}
    return list(default) if isinstance(default, Mapping) else [str(entry.get("name")) for entry in default]


def _annotation(name: str) -> str:
    field_name = next(
        (name_of_field for name_of_field in Settings.model_fields if variable(name_of_field) == name), None
    )
    return str(Settings.model_fields[field_name].annotation) if field_name else ""


def _known(metadata: Mapping[str, Any]) -> str:
    return ", ".join(sorted(kind for types in metadata.values() for kind in types))
