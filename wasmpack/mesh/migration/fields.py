"""Fields of a ServiceMeshExtension as those of a WasmPlugin: each adds its own to ``spec``.

Source: the published mapping (OpenShift documentation, "Migrating from ServiceMeshExtension to
WasmPlugin resources"), and maistra/istio pkg/servicemesh/extension/apply_extension.go for what it
leaves open.
"""

from dataclasses import replace

from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.findings import Rule, Severity
from wasmpack.kubeyaml.documents import FieldPath, shortened
from wasmpack.mesh.migration.extension import PHASES, RAW_CONFIG, Work
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.canonical import JsonObject, JsonValue, parse_json
from wasmpack.oci.reference import Reference
from wasmpack.similar import did_you_mean

NOT_CARRIED_OVER = Rule(
    code="SME001",
    title="a field that is missing, of another type, or that a WasmPlugin cannot hold",
    otherwise="warning",
    example="priority: high",
    fix="as the message says",
)
NO_PHASE = Rule(
    code="SME003",
    title="no phase",
    cause="the old mesh took it from the image's manifest.yaml",
    example="image: quay.io/me/plugin:v1 # and no phase",
    fix="write it, or `--images`",
)
UNKNOWN_PHASE = Rule(
    code="SME004",
    title="a phase that never existed",
    cause="the old mesh never ran this plugin",
    example="phase: AUTHN",
    fix="one of the six",
)
POST_STATS = Rule(
    code="SME005",
    title="the phase PostStats",
    severity=Severity.WARNING,
    cause="nothing runs after the statistics any more, but on OpenShift Service Mesh 2.2",
    example="phase: PostStats",
    fix="check what the plugin adds to them",
)
CONFIGURATION_NOT_OBJECT = Rule(
    code="SME007",
    title="a configuration that is text, or JSON but no object",
    example="config: '[1, 2]'",
    fix="let the plugin read an object",
)
CONFIGURATION_DIFFERS = Rule(
    code="SME008",
    title="a configuration that reaches the plugin in another form",
    severity=Severity.WARNING,
    otherwise="info",
    cause="none instead of `null` or `{}`, or JSON that is written again",
    example="config: {}",
    fix="none, or check the plugin",
)
IMAGE_NOT_LOOKED_AT = Rule(
    code="SME013",
    title="the image was not read, or had no tag",
    severity=Severity.WARNING,
    example="image: quay.io/me/plugin # no tag",
    fix="`--images PREFIX`",
)
FROM_IMAGE_MANIFEST = Rule(
    code="SME014",
    title="phase or priority that the image's manifest.yaml supplies, or may have supplied",
    severity=Severity.WARNING,
    otherwise="info",
    example="phase: PreAuthN # and no priority",
    fix="`--images PREFIX`",
)


def image_url(work: Work, spec: JsonObject) -> None:
    at: FieldPath = ("spec", "image")
    image = work.extension.image
    if not image:
        work.say(NOT_CARRIED_OVER, at, "image is missing or not a string")
        return
    if work.image:
        spec["url"] = work.image.url
        if work.image.sha256:
            spec["sha256"] = work.image.sha256
        return
    try:
        reference = Reference.parse(image)
    except WasmpackError as error:
        work.say(NOT_CARRIED_OVER, at, error.message, error.hint and f"write image: {error.hint}")
        return
    full = str(replace(reference, written=""))
    if not reference.names_registry:
        message = f"{shortened(image)} names no registry: the old mesh never loaded it"
        work.say(NOT_CARRIED_OVER, at, message, f"write image: {full}, if that is meant")
        return
    spec["url"] = f"oci://{image}"
    for fault in MeshUrl.parse(f"oci://{image}").faults:
        work.say(
            NOT_CARRIED_OVER, at, fault.message, fault.hint(scheme=""), severity=fault.severity
        )
    if not (reference.tag or reference.digest):
        message = "without a tag the old mesh never loaded it; now it means latest"
        work.say(IMAGE_NOT_LOOKED_AT, at, message, "name a tag")
    message = (
        "not looked at: a WasmPlugin needs plugin.wasm in the last layer, and images for "
        "ServiceMeshExtension often have another name in manifest.yaml"
    )
    hint = "--images PREFIX packs it again; wasmpack validate image shows whether to"
    work.say(IMAGE_NOT_LOOKED_AT, at, message, hint)


def phase(work: Work, spec: JsonObject) -> None:
    at: FieldPath = ("spec", "phase")
    old, given = work.extension.phase, work.extension.spec.get("phase")
    if given is not None and not isinstance(given, str):
        work.say(NOT_CARRIED_OVER, at, f"invalid phase {shortened(given)}", ", ".join(PHASES))
        return
    manifest = work.image.manifest if work.image else None
    if not old and manifest and manifest.phase:
        old = manifest.phase
        work.say(
            FROM_IMAGE_MANIFEST,
            at,
            f"{old}: from the image's manifest.yaml",
            severity=Severity.INFO,
        )
    if not old:
        message = "unset: the old mesh took it from the image's manifest.yaml"
        unread = "" if work.image else ", which is read with --images only"
        hint = f"write one of {', '.join(PHASES)}"
        work.say(NO_PHASE, at, message + unread, hint)
    elif old not in PHASES:
        hint = did_you_mean(old, PHASES, f"one of {', '.join(PHASES)}")
        message = f"unknown phase {shortened(old)}: the old mesh silently never ran it"
        work.say(UNKNOWN_PHASE, at, message, hint)
    elif PHASES[old]:
        spec["phase"] = PHASES[old]
        work.notes[at] = f"was {old}"
    else:
        message = (
            "PostStats has no counterpart: without a phase the plugin runs after AUTHZ and "
            "STATS, but before Istio's own statistics (after them on OpenShift Service Mesh 2.2)"
        )
        work.say(POST_STATS, at, message, "check what the plugin adds to statistics")


def priority(work: Work, spec: JsonObject) -> None:
    at: FieldPath = ("spec", "priority")
    found: JsonValue = work.extension.spec.get("priority")
    if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
        work.say(NOT_CARRIED_OVER, at, f"{shortened(found)} is not an integer")
        return
    if work.options.as_published:
        if found is not None:
            message = f"{found} is left out, as in the published example"
            work.say(FROM_IMAGE_MANIFEST, at, message, "leave --as-published out")
        return
    manifest = work.image.manifest if work.image else None
    if found is None and manifest and manifest.priority is not None:
        found = manifest.priority
        work.say(
            FROM_IMAGE_MANIFEST,
            at,
            f"{found}: from the image's manifest.yaml",
            severity=Severity.INFO,
        )
    if found is None:
        found = 0
        work.notes[at] = "was unset, which meant 0; now it would mean last of all"
        if work.image is None:
            message = "unset: written as 0, but the image's manifest.yaml may name another"
            work.say(FROM_IMAGE_MANIFEST, at, message, "--images PREFIX reads it")
    spec["priority"] = found


def selector(work: Work, spec: JsonObject) -> None:
    selector = work.extension.spec.get("workloadSelector")
    if selector is None:
        return
    if not isinstance(selector, dict):
        work.say(NOT_CARRIED_OVER, ("spec", "workloadSelector"), "expected a mapping")
        return
    labels = selector.get("labels")
    if labels is not None and not isinstance(labels, dict):
        at = ("spec", "workloadSelector", "labels")
        work.say(NOT_CARRIED_OVER, at, "expected a mapping of labels to values")
    elif labels:
        spec["selector"] = {"matchLabels": labels}


def configuration(work: Work, spec: JsonObject) -> None:
    at: FieldPath = ("spec", "config")
    config = work.extension.spec.get("config")
    if isinstance(config, dict) and set(config) == {RAW_CONFIG}:
        at = (*at, RAW_CONFIG)
        config = config[RAW_CONFIG]
        if isinstance(config, dict):
            work.say(
                CONFIGURATION_DIFFERS,
                at,
                "the plugin got its content, and still does",
                severity=Severity.INFO,
            )
    if isinstance(config, str) and config:
        config = _object_of(work, at, config)
        if config is None:
            return
    if config is None or config == "":
        message = "none: the plugin got the text 'null' as its configuration, and now gets none"
        work.say(CONFIGURATION_DIFFERS, at, message, severity=Severity.INFO)
    elif config == {}:
        message = "empty: the plugin got the text '{}' as its configuration, and now gets none"
        work.say(CONFIGURATION_DIFFERS, at, message)
    elif isinstance(config, dict):
        spec["pluginConfig"] = config
    else:
        work.say(NOT_CARRIED_OVER, at, "expected a mapping, or text")


def _object_of(work: Work, at: FieldPath, text: str) -> JsonObject | None:
    """Parse the text of the 2.0 API, which had any format; None if it is not a JSON object."""
    try:
        value: JsonValue = parse_json(text.encode(), "config")
    except BadArtifact as error:
        value, reason = None, error.message
    else:
        reason = "JSON, but not an object"
    if isinstance(value, dict):
        message = "the text is a JSON object, which the plugin gets reformatted: same content"
        work.say(CONFIGURATION_DIFFERS, at, message, severity=Severity.INFO)
        return value
    message = f"a WasmPlugin can hand over a JSON object only ({reason})"
    hint = (
        'let the plugin read an object, for example {"config": …}, and write that here; or '
        "pack the text into the plugin"
    )
    work.say(CONFIGURATION_NOT_OBJECT, at, message, hint)
    return None
