/*
 * header-append: adds the response headers named in the plugin configuration,
 * a JSON object such as {"first-header": "some-value"}.
 *
 * Written directly against the Proxy-Wasm ABI 0.2.1: no SDK, no libc, no WASI. The section
 * names in the comments are those of the ABI specification.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define HOSTCALL(name) extern __attribute__((import_module("env"), import_name(#name)))

enum { STATUS_OK = 0 };                   /* proxy_status_t */
enum { LOG_LEVEL_ERROR = 4 };             /* proxy_log_level_t */
enum { BUFFER_PLUGIN_CONFIGURATION = 7 }; /* proxy_buffer_type_t */
enum { MAP_HTTP_RESPONSE_HEADERS = 2 };   /* proxy_map_type_t */
enum { ACTION_CONTINUE = 0 };             /* proxy_action_t */

HOSTCALL(proxy_log)
uint32_t proxy_log(uint32_t level, const char *message, size_t size);

HOSTCALL(proxy_get_buffer_bytes)
uint32_t proxy_get_buffer_bytes(uint32_t buffer, uint32_t start, uint32_t max_size,
                                uint8_t **data, size_t *size);

HOSTCALL(proxy_replace_header_map_value)
uint32_t proxy_replace_header_map_value(uint32_t map, const uint8_t *key, size_t key_size,
                                        const uint8_t *value, size_t value_size);

/* The host looks for this name only, it never calls the function ("Integration"). */
EXPORT(proxy_abi_version_0_2_1) void proxy_abi_version_0_2_1(void) {}

/* ---- Memory: power-of-two blocks, each freed block is kept for the next of its size ---- */

typedef struct Block {
  struct Block *next_free;
  uint32_t size_class; /* the block takes 1 << size_class bytes, this header included */
} Block;

enum { PAGE_SIZE = 65536, MIN_SIZE_CLASS = 4, MAX_SIZE_CLASS = 30 };

extern uint8_t __heap_base; /* set by the linker: first byte after data and stack */
static uint8_t *heap_top;   /* end of the blocks carved so far */
static Block *free_blocks[MAX_SIZE_CLASS + 1];

static bool reserve_up_to(uintptr_t end) {
  uintptr_t available = __builtin_wasm_memory_size(0) * PAGE_SIZE;
  if (end <= available) return true;
  size_t pages = (end - available + PAGE_SIZE - 1) / PAGE_SIZE;
  return __builtin_wasm_memory_grow(0, pages) != SIZE_MAX;
}

static Block *carve_block(uint32_t size_class) {
  if (!heap_top) heap_top = &__heap_base; /* the linker aligns it to 16 bytes */
  uint8_t *end = heap_top + ((size_t)1 << size_class);
  if (!reserve_up_to((uintptr_t)end)) return NULL;
  Block *block = (Block *)heap_top;
  block->size_class = size_class;
  heap_top = end;
  return block;
}

/* Exported: the host places what it returns here ("Memory management"). */
EXPORT(malloc) void *malloc(size_t size) {
  uint32_t size_class = MIN_SIZE_CLASS;
  while (((size_t)1 << size_class) - sizeof(Block) < size) {
    if (++size_class > MAX_SIZE_CLASS) return NULL;
  }
  Block *block = free_blocks[size_class];
  if (block) {
    free_blocks[size_class] = block->next_free;
  } else {
    block = carve_block(size_class);
  }
  return block ? block + 1 : NULL;
}

static void release(void *memory) {
  if (!memory) return;
  Block *block = (Block *)memory - 1;
  block->next_free = free_blocks[block->size_class];
  free_blocks[block->size_class] = block;
}

/* ---- Configuration: a JSON object of strings (RFC 8259), decoded in place ---- */

typedef struct {
  const uint8_t *data;
  size_t size;
} Text;

typedef struct Header {
  Text name;
  Text value;
  struct Header *next;
} Header;

typedef struct {
  uint8_t *at;
  const uint8_t *end;
} Cursor;

static void skip_space(Cursor *in) {
  while (in->at < in->end &&
         (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) {
    in->at++;
  }
}

static bool take(Cursor *in, uint8_t expected) {
  if (in->at == in->end || *in->at != expected) return false;
  in->at++;
  return true;
}

static bool take_hex_digit(Cursor *in, uint32_t *value) {
  if (in->at == in->end) return false;
  uint8_t c = *in->at++;
  uint32_t digit;
  if (c >= '0' && c <= '9') {
    digit = c - '0';
  } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
    digit = (c | 0x20) - 'a' + 10;
  } else {
    return false;
  }
  *value = *value << 4 | digit;
  return true;
}

static uint8_t *put_utf8(uint8_t *out, uint32_t code) {
  if (code < 0x80) {
    *out++ = (uint8_t)code;
  } else if (code < 0x800) {
    *out++ = (uint8_t)(0xC0 | code >> 6);
    *out++ = (uint8_t)(0x80 | (code & 0x3F));
  } else {
    *out++ = (uint8_t)(0xE0 | code >> 12);
    *out++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    *out++ = (uint8_t)(0x80 | (code & 0x3F));
  }
  return out;
}

/* The four digits of \uXXXX. Surrogates are refused: only the BMP is supported. */
static bool take_code_unit(Cursor *in, uint8_t **out) {
  uint32_t code = 0;
  for (int i = 0; i < 4; i++) {
    if (!take_hex_digit(in, &code)) return false;
  }
  if (code >= 0xD800 && code <= 0xDFFF) return false;
  *out = put_utf8(*out, code);
  return true;
}

/* What follows a backslash. */
static bool take_escape(Cursor *in, uint8_t **out) {
  if (in->at == in->end) return false;
  uint8_t c = *in->at++;
  switch (c) {
    case '"': case '\\': case '/': break;
    case 'b': c = '\b'; break;
    case 'f': c = '\f'; break;
    case 'n': c = '\n'; break;
    case 'r': c = '\r'; break;
    case 't': c = '\t'; break;
    case 'u': return take_code_unit(in, out);
    default: return false;
  }
  *(*out)++ = c;
  return true;
}

/* Decoding in place is safe: no escape is shorter than the UTF-8 it stands for. */
static bool take_string(Cursor *in, Text *text) {
  if (!take(in, '"')) return false;
  uint8_t *out = in->at;
  text->data = out;
  while (in->at < in->end) {
    uint8_t c = *in->at++;
    if (c == '"') {
      text->size = (size_t)(out - text->data);
      return true;
    }
    if (c < 0x20) return false; /* control characters must be escaped */
    if (c != '\\') {
      *out++ = c;
    } else if (!take_escape(in, &out)) {
      return false;
    }
  }
  return false;
}

static bool take_member(Cursor *in, Header *header) {
  skip_space(in);
  if (!take_string(in, &header->name)) return false;
  skip_space(in);
  if (!take(in, ':')) return false;
  skip_space(in);
  if (!take_string(in, &header->value)) return false;
  skip_space(in);
  return true;
}

/* Appends each member to *headers; the caller frees the list, after a failure too. */
static bool take_object(Cursor *in, Header **headers) {
  skip_space(in);
  if (!take(in, '{')) return false;
  skip_space(in);
  if (take(in, '}')) return true;
  do {
    Header *header = malloc(sizeof *header);
    if (!header) return false;
    header->next = NULL;
    *headers = header;
    headers = &header->next;
    if (!take_member(in, header)) return false;
  } while (take(in, ','));
  return take(in, '}');
}

static bool parse_configuration(uint8_t *data, size_t size, Header **headers) {
  Cursor in = {.at = data, .end = data + size};
  if (!take_object(&in, headers)) return false;
  skip_space(&in);
  return in.at == in.end;
}

/* ---- Contexts: one per plugin configuration, and one per stream with that as parent ---- */

typedef struct Context {
  uint32_t id;
  uint32_t parent_id;     /* 0 for the context of a plugin configuration */
  uint8_t *configuration; /* the bytes the headers point into */
  Header *headers;
  struct Context *next;
} Context;

/* A plain list: it is no longer than the number of streams in flight. */
static Context *contexts;

static Context *find_context(uint32_t id) {
  Context *context = contexts;
  while (context && context->id != id) context = context->next;
  return context;
}

static void drop_configuration(Context *context) {
  while (context->headers) {
    Header *header = context->headers;
    context->headers = header->next;
    release(header);
  }
  release(context->configuration);
  context->configuration = NULL;
}

EXPORT(proxy_on_context_create)
void proxy_on_context_create(uint32_t context_id, uint32_t parent_context_id) {
  Context *context = malloc(sizeof *context);
  if (!context) __builtin_trap();
  *context = (Context){.id = context_id, .parent_id = parent_context_id, .next = contexts};
  contexts = context;
}

EXPORT(proxy_on_delete) void proxy_on_delete(uint32_t context_id) {
  Context **link = &contexts;
  while (*link && (*link)->id != context_id) link = &(*link)->next;
  Context *context = *link;
  if (!context) return;
  *link = context->next;
  drop_configuration(context);
  release(context);
}

EXPORT(proxy_on_vm_start)
uint32_t proxy_on_vm_start(uint32_t unused, uint32_t vm_configuration_size) {
  (void)unused;
  (void)vm_configuration_size;
  return true;
}

/* Returning false makes the host refuse the plugin ("Configuration"). */
EXPORT(proxy_on_configure)
uint32_t proxy_on_configure(uint32_t context_id, uint32_t configuration_size) {
  static const char refusal[] = "header-append: the plugin configuration must be a JSON object "
                                "with string values";
  Context *context = find_context(context_id);
  if (!context) return false;
  drop_configuration(context);
  if (configuration_size == 0) return true;

  size_t size = 0;
  uint32_t status = proxy_get_buffer_bytes(BUFFER_PLUGIN_CONFIGURATION, 0, configuration_size,
                                           &context->configuration, &size);
  if (status == STATUS_OK &&
      parse_configuration(context->configuration, size, &context->headers)) {
    return true;
  }
  drop_configuration(context);
  proxy_log(LOG_LEVEL_ERROR, refusal, sizeof refusal - 1);
  return false;
}

EXPORT(proxy_on_response_headers)
uint32_t proxy_on_response_headers(uint32_t context_id, uint32_t header_count,
                                   uint32_t end_of_stream) {
  (void)header_count;
  (void)end_of_stream;
  Context *stream = find_context(context_id);
  Context *plugin = stream ? find_context(stream->parent_id) : NULL;
  for (Header *header = plugin ? plugin->headers : NULL; header; header = header->next) {
    proxy_replace_header_map_value(MAP_HTTP_RESPONSE_HEADERS, header->name.data, header->name.size,
                                   header->value.data, header->value.size);
  }
  return ACTION_CONTINUE;
}
