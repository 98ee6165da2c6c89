from wasmpack.actions.build import BuildOptions as BuildOptions
from wasmpack.actions.build import build_image as build_image
from wasmpack.actions.explain import explain as explain
from wasmpack.actions.inspect import ImageView as ImageView
from wasmpack.actions.inspect_module import ModuleView as ModuleView
from wasmpack.actions.local import LocalImage as LocalImage
from wasmpack.actions.migrate import Migration as Migration
from wasmpack.actions.migrate import MigrationRequest as MigrationRequest
from wasmpack.actions.migrate import MigrationRow as MigrationRow
from wasmpack.actions.migrate_images import ImageOutcome as ImageOutcome
from wasmpack.actions.migrate_images import ImageStatus as ImageStatus
from wasmpack.actions.rejected import RejectedArtifact as RejectedArtifact
from wasmpack.actions.render import RenderedPlugin as RenderedPlugin
from wasmpack.actions.render_request import RenderRequest as RenderRequest
from wasmpack.actions.render_secret import RenderedSecret as RenderedSecret
from wasmpack.actions.render_secret import SecretRequest as SecretRequest
from wasmpack.actions.render_secret import render_secret as render_secret
from wasmpack.actions.rendered import Rendered as Rendered
from wasmpack.actions.repack import RepackRequest as RepackRequest
from wasmpack.actions.validate import Checks as Checks
from wasmpack.actions.validate import validate_config as validate_config
from wasmpack.actions.validate_wasmplugin import ImageScope as ImageScope
from wasmpack.api import copy as copy
from wasmpack.api import extract as extract
from wasmpack.api import inspect as inspect
from wasmpack.api import list_images as list_images
from wasmpack.api import list_tags as list_tags
from wasmpack.api import login as login
from wasmpack.api import logout as logout
from wasmpack.api import migrate as migrate
from wasmpack.api import open_image as open_image
from wasmpack.api import prune as prune
from wasmpack.api import pull as pull
from wasmpack.api import push as push
from wasmpack.api import read_module as read_module
from wasmpack.api import remove_images as remove_images
from wasmpack.api import render as render
from wasmpack.api import repack as repack
from wasmpack.api import tag_image as tag_image
from wasmpack.api import validate as validate
from wasmpack.api import validate_resources as validate_resources
from wasmpack.api import write as write
from wasmpack.dry_run.start_up import StartUp as StartUp
from wasmpack.errors import AccessRefused as AccessRefused
from wasmpack.errors import BadArtifact as BadArtifact
from wasmpack.errors import DigestMismatch as DigestMismatch
from wasmpack.errors import NotFound as NotFound
from wasmpack.errors import Notice as Notice
from wasmpack.errors import RegistryUnavailable as RegistryUnavailable
from wasmpack.errors import WasmpackError as WasmpackError
from wasmpack.errors import WasmpackWarning as WasmpackWarning
from wasmpack.errors import WouldOverwrite as WouldOverwrite
from wasmpack.errors import WrongUsage as WrongUsage
from wasmpack.findings import Report as Report
from wasmpack.findings.hints import Blank as Blank
from wasmpack.findings.hints import Command as Command
from wasmpack.findings.hints import Hint as Hint
from wasmpack.findings.report import Finding as Finding
from wasmpack.findings.report import TargetVerdict as TargetVerdict
from wasmpack.findings.report import Verdict as Verdict
from wasmpack.findings.rules import Problem as Problem
from wasmpack.findings.rules import Rule as Rule
from wasmpack.findings.rules import Severity as Severity
from wasmpack.images.contents import Contents as Contents
from wasmpack.images.image import Image as Image
from wasmpack.images.search import FoundFiles as FoundFiles
from wasmpack.images.transfer import Moved as Moved
from wasmpack.images.variants import Variant as Variant
from wasmpack.images.writing import Written as Written
from wasmpack.kubeyaml.documents import Comment as Comment
from wasmpack.kubeyaml.documents import Document as Document
from wasmpack.kubeyaml.reader import read_documents as read_documents
from wasmpack.mesh.kinds import Kind as Kind
from wasmpack.mesh.migration.convert import Migrated as Migrated
from wasmpack.mesh.migration.extension import Extension as Extension
from wasmpack.mesh.migration.extension_manifest import ExtensionManifest as ExtensionManifest
from wasmpack.mesh.migration.work import MigrationOptions as MigrationOptions
from wasmpack.mesh.migration.work import NewImage as NewImage
from wasmpack.mesh.values import Values as Values
from wasmpack.oci.canonical import JsonValue as JsonValue
from wasmpack.oci.descriptor import Descriptor as Descriptor
from wasmpack.oci.descriptor import Digest as Digest
from wasmpack.oci.descriptor import Hasher as Hasher
from wasmpack.oci.descriptor import Platform as Platform
from wasmpack.oci.manifest import Index as Index
from wasmpack.oci.manifest import Manifest as Manifest
from wasmpack.oci.place import ArchivePlace as ArchivePlace
from wasmpack.oci.place import DaemonPlace as DaemonPlace
from wasmpack.oci.place import LayoutPlace as LayoutPlace
from wasmpack.oci.place import NamePlace as NamePlace
from wasmpack.oci.place import Place as Place
from wasmpack.oci.place import parse_place as parse_place
from wasmpack.oci.reference import Reference as Reference
from wasmpack.proxy_abi.host_scan import HostScan as HostScan
from wasmpack.proxy_abi.module import PluginModule as PluginModule
from wasmpack.stores.ports import BlobStatus as BlobStatus
from wasmpack.stores.ports import ImageReader as ImageReader
from wasmpack.stores.ports import Progress as Progress
from wasmpack.stores.registry.options import RegistryOptions as RegistryOptions
from wasmpack.stores.session import Session as Session
from wasmpack.stores.verified import Readable as Readable
from wasmpack.stores.verified import VerifiedStream as VerifiedStream
from wasmpack.targets import Fetcher as Fetcher
from wasmpack.targets import ImageRules as ImageRules
from wasmpack.targets import Target as Target
from wasmpack.targets import all_targets as all_targets

__version__: str
from wasmpack.wasm.cursor import Cursor as Cursor
from wasmpack.wasm.cursor import MalformedModule as MalformedModule
from wasmpack.wasm.cursor import Source as Source
from wasmpack.wasm.types import Export as Export
from wasmpack.wasm.types import Import as Import
from wasmpack.wasm.types import Memory as Memory
from wasmpack.wasm.types import Module as Module
from wasmpack.wasm.types import Section as Section
from wasmpack.wasm.types import Type as Type

__all__ = [
    "AccessRefused",
    "ArchivePlace",
    "BadArtifact",
    "Blank",
    "BlobStatus",
    "BuildOptions",
    "Checks",
    "Command",
    "Comment",
    "Contents",
    "Cursor",
    "DaemonPlace",
    "Descriptor",
    "Digest",
    "DigestMismatch",
    "Document",
    "Export",
    "Extension",
    "ExtensionManifest",
    "Fetcher",
    "Finding",
    "FoundFiles",
    "Hasher",
    "Hint",
    "HostScan",
    "Image",
    "ImageOutcome",
    "ImageReader",
    "ImageRules",
    "ImageScope",
    "ImageStatus",
    "ImageView",
    "Import",
    "Index",
    "JsonValue",
    "Kind",
    "LayoutPlace",
    "LocalImage",
    "MalformedModule",
    "Manifest",
    "Memory",
    "Migrated",
    "Migration",
    "MigrationOptions",
    "MigrationRequest",
    "MigrationRow",
    "Module",
    "ModuleView",
    "Moved",
    "NamePlace",
    "NewImage",
    "NotFound",
    "Notice",
    "Place",
    "Platform",
    "PluginModule",
    "Problem",
    "Progress",
    "Readable",
    "Reference",
    "RegistryOptions",
    "RegistryUnavailable",
    "RejectedArtifact",
    "RenderRequest",
    "Rendered",
    "RenderedPlugin",
    "RenderedSecret",
    "RepackRequest",
    "Report",
    "Rule",
    "SecretRequest",
    "Section",
    "Session",
    "Severity",
    "Source",
    "StartUp",
    "Target",
    "TargetVerdict",
    "Type",
    "Values",
    "Variant",
    "Verdict",
    "VerifiedStream",
    "WasmpackError",
    "WasmpackWarning",
    "WouldOverwrite",
    "Written",
    "WrongUsage",
    "__version__",
    "all_targets",
    "build_image",
    "copy",
    "explain",
    "extract",
    "inspect",
    "list_images",
    "list_tags",
    "login",
    "logout",
    "migrate",
    "open_image",
    "parse_place",
    "prune",
    "pull",
    "push",
    "read_documents",
    "read_module",
    "remove_images",
    "render",
    "render_secret",
    "repack",
    "tag_image",
    "validate",
    "validate_config",
    "validate_resources",
    "write",
]
