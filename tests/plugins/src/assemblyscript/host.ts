// The part of the Proxy-Wasm ABI 0.2.1 that this plugin uses.

const STATUS_OK: u32 = 0; // proxy_status_t
const LOG_LEVEL_ERROR: u32 = 4; // proxy_log_level_t
const LOG_LEVEL_CRITICAL: u32 = 5;
const BUFFER_PLUGIN_CONFIGURATION: u32 = 7; // proxy_buffer_type_t
const MAP_HTTP_RESPONSE_HEADERS: u32 = 2; // proxy_map_type_t

@external("env", "proxy_log")
declare function proxy_log(level: u32, message: usize, size: usize): u32;

@external("env", "proxy_get_buffer_bytes")
declare function proxy_get_buffer_bytes(
  buffer: u32,
  start: u32,
  maxSize: u32,
  data: usize,
  size: usize,
): u32;

@external("env", "proxy_replace_header_map_value")
declare function proxy_replace_header_map_value(
  map: u32,
  key: usize,
  keySize: usize,
  value: usize,
  valueSize: usize,
): u32;

/** Where proxy_get_buffer_bytes writes the address and the size of its result. */
const resultData = memory.data(sizeof<usize>());
const resultSize = memory.data(sizeof<usize>());

/**
 * What the host places in the plugin's memory lies outside the garbage-collected heap, as the
 * collector cannot see the address the host keeps; the plugin copies and frees it.
 */
export function allocate(size: usize): usize {
  return heap.alloc(size);
}

/** The bytes of the plugin configuration, or null when the host does not give them. */
export function readPluginConfiguration(size: u32): Uint8Array | null {
  if (size == 0) return new Uint8Array(0); // the host returns no memory for an empty buffer
  const status = proxy_get_buffer_bytes(
    BUFFER_PLUGIN_CONFIGURATION,
    0,
    size,
    resultData,
    resultSize,
  );
  if (status != STATUS_OK) return null;
  const data = load<usize>(resultData);
  const bytes = new Uint8Array(<i32>load<usize>(resultSize));
  memory.copy(bytes.dataStart, data, bytes.length);
  heap.free(data);
  return bytes;
}

export function replaceResponseHeader(name: ArrayBuffer, value: ArrayBuffer): void {
  proxy_replace_header_map_value(
    MAP_HTTP_RESPONSE_HEADERS,
    changetype<usize>(name),
    name.byteLength,
    changetype<usize>(value),
    value.byteLength,
  );
}

export function logError(message: string): void {
  log(LOG_LEVEL_ERROR, message);
}

/**
 * Takes the place of AssemblyScript's own abort, which is an import that no Proxy-Wasm host has
 * (the option "use" in asconfig.json).
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message === null ? "abort" : message;
  const where = file === null ? "?" : file;
  log(LOG_LEVEL_CRITICAL, `header-append: ${what} (${where}:${line}:${column})`);
  unreachable();
}

function log(level: u32, message: string): void {
  const text = String.UTF8.encode(message);
  proxy_log(level, changetype<usize>(text), text.byteLength);
}
