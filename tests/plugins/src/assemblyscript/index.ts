/**
 * header-append: adds the response headers named in the plugin configuration, a JSON object such
 * as {"first-header": "some-value"}.
 *
 * Written directly against the Proxy-Wasm ABI 0.2.1, without an SDK. The section names in the
 * comments are those of the ABI specification.
 */

import { Header, parseConfiguration } from "./configuration";
import { allocate, logError, readPluginConfiguration, replaceResponseHeader } from "./host";

const ACTION_CONTINUE: u32 = 0; // proxy_action_t

// One VM serves several plugin configurations, so both maps are keyed by context id.
const pluginHeaders = new Map<u32, Header[]>(); // by plugin context
const streamParents = new Map<u32, u32>(); // from stream context to plugin context

/** The host looks for this name only, it never calls the function ("Integration"). */
export function proxy_abi_version_0_2_1(): void {}

/** The host places what it returns here ("Memory management"). */
export function proxy_on_memory_allocate(size: usize): usize {
  return allocate(size);
}

export function proxy_on_context_create(contextId: u32, parentContextId: u32): void {
  if (parentContextId != 0) streamParents.set(contextId, parentContextId);
}

export function proxy_on_delete(contextId: u32): void {
  streamParents.delete(contextId);
  pluginHeaders.delete(contextId);
}

export function proxy_on_vm_start(_unused: u32, _vmConfigurationSize: u32): bool {
  return true;
}

/** Returning false makes the host refuse the plugin ("Configuration"). */
export function proxy_on_configure(contextId: u32, configurationSize: u32): bool {
  pluginHeaders.delete(contextId);
  const headers = readHeaders(configurationSize);
  if (headers === null) {
    logError("header-append: the plugin configuration must be a JSON object with string values");
    return false;
  }
  pluginHeaders.set(contextId, headers);
  return true;
}

function readHeaders(configurationSize: u32): Header[] | null {
  const document = readPluginConfiguration(configurationSize);
  if (document === null) return null;
  return parseConfiguration(document);
}

export function proxy_on_response_headers(
  contextId: u32,
  _headerCount: u32,
  _endOfStream: u32,
): u32 {
  if (!streamParents.has(contextId)) return ACTION_CONTINUE;
  const parentId = streamParents.get(contextId);
  if (!pluginHeaders.has(parentId)) return ACTION_CONTINUE;
  const headers = pluginHeaders.get(parentId);
  for (let i = 0; i < headers.length; i++) {
    replaceResponseHeader(headers[i].name, headers[i].value);
  }
  return ACTION_CONTINUE;
}
