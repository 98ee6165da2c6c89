"""The problems of one resource by itself, and how the mesh starts its module."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Hint, Problem, few_of_each
from wasmpack.mesh.api_rules import release_problems, rule_problems
from wasmpack.mesh.apis import GATEWAY, HIGRESS, HTTP_ONLY, ISTIO
from wasmpack.mesh.behaviour import (
    behaviour_problems,
    host_variables,
    plugin_configuration,
    standing_problems,
    url_problems,
    variables,
)
from wasmpack.mesh.direction import Gateways, direction_problems
from wasmpack.mesh.extension_policy import policy_problems
from wasmpack.mesh.object_meta import metadata_problems
from wasmpack.mesh.plugin import Plugin
from wasmpack.mesh.releases import Release
from wasmpack.mesh.schema_rules import SchemaCheck
from wasmpack.mesh.url import MeshUrl
from wasmpack.module_rules.plugin_type import TYPE


def resource_problems(
    plugin: Plugin,
    releases: Mapping[str, Release],
    gateways: Gateways | None = None,
    *,
    given: Collection[str] = (),
) -> dict[str, list[Problem]]:
    """The problems of a resource by itself on each release, most important first.

    :param gateways: those that are applied with it
    :param given: variables that the user gives a value to try
    """
    url = MeshUrl.parse(plugin.text("url"))
    schema = SchemaCheck.of(plugin)
    istio = plugin.api is ISTIO
    everywhere = list(metadata_problems(plugin)) if plugin.alone else []
    everywhere += few_of_each(rule_problems(plugin)) if istio else ()
    everywhere += _url_problems(plugin, url, given)
    found = {}
    for name, release in releases.items():
        found[name] = [*schema.problems(release), *_of_release(plugin, release), *everywhere]
        if url.text and plugin.api in (ISTIO, HIGRESS):
            found[name] += behaviour_problems(plugin, url, release)
        if istio:
            found[name] += few_of_each(direction_problems(plugin, release, gateways))
    return found


def _of_release(plugin: Plugin, release: Release) -> Iterator[Problem]:
    if plugin.api is ISTIO:
        yield from few_of_each(release_problems(plugin, release))
    elif plugin.api is GATEWAY:
        yield from few_of_each(policy_problems(plugin, release))


def _url_problems(plugin: Plugin, url: MeshUrl, given: Collection[str]) -> Iterator[Problem]:
    if url.text and plugin.api in (ISTIO, HIGRESS):
        yield from standing_problems(plugin, url, given)
    elif url.text:
        yield from url_problems(plugin, url)
        yield from host_variables(plugin, given)


def judged_start_up(plugin: Plugin, given: StartUp) -> StartUp:
    """As :func:`start_up_of`, but only with variables that the resource names: it has no others."""
    values, of_host = variables(plugin.fields)
    known = {*values, *of_host}
    env = tuple((name, value) for name, value in given.env if name in known)
    return start_up_of(plugin, replace(given, env=env))


def of_module(problem: Problem, plugin: Plugin) -> Problem:
    """A problem of a resource's module, at the field that names it or that gives it its type."""
    known = with_advice(problem, plugin)
    if problem.where == TYPE:
        return replace(known, where=plugin.document.where(plugin.path("type")))
    at = plugin.document.where(plugin.path("url"))
    return replace(known, where=f"{at}: {problem.where}")


def with_advice(problem: Problem, plugin: Plugin) -> Problem:
    """The problem with advice that this kind of resource can follow."""
    if problem.where != TYPE or plugin.api is ISTIO:
        return problem
    hint = "a filter of the other type, whose name has .filters.network. or .filters.http. in it"
    if plugin.api in HTTP_ONLY:
        hint = f"{plugin.api.reader} runs HTTP filters only; Istio's WasmPlugin has {problem.hint}"
    return replace(problem, hint=Hint(hint))


def start_up_of(plugin: Plugin, given: StartUp | None = None) -> StartUp:
    """How the mesh will start the module: with this configuration, or none, and nothing else.

    :param given: what is to be tried instead
    """
    given = given or StartUp()
    own = plugin.configuration
    if own is None:
        own = plugin_configuration(plugin.fields.get("pluginConfig"))
    values, of_host = variables(plugin.fields)
    own_vm_config = given.vm_config is None and plugin.vm_configuration is not None
    return replace(
        given,
        vm_config=plugin.vm_configuration if own_vm_config else given.vm_config,
        vm_config_in_resource=own_vm_config,
        plugin_config=own if given.plugin_config is None else given.plugin_config,
        env=tuple((values | dict(given.env)).items()),
        env_complete=True,
        host_env=tuple(name for name in of_host if name not in dict(given.env)),
        root_id=given.root_id or plugin.text("pluginName"),
        network=plugin.text("type") == "NETWORK" if given.network is None else given.network,
        fail_open=plugin.text("failStrategy") == "FAIL_OPEN",
    )
