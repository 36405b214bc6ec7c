#include "context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_features.h"
#include "scratch.h"
#include "status.h"

enum { MAX_THREADS = 256 };

uint32_t sotto_cpu_abi(void) { return SOTTO_CPU_ABI; }

/* Text that grows in a buffer and is cut at its end. */
typedef struct {
  char *text;
  size_t capacity, length;
} text_buffer;

static void append(text_buffer *buffer, const char *format, ...) {
  if (buffer->length >= buffer->capacity) return;
  va_list arguments;
  va_start(arguments, format);
  int written = vsnprintf(buffer->text + buffer->length, buffer->capacity - buffer->length, format, arguments);
  va_end(arguments);
  if (written > 0) buffer->length += (size_t)written;
}

/* The names of the variants this CPU can run, each between `quote`s. */
static void append_variants(text_buffer *buffer, const char *quote) {
  int count;
  const kernel_variant *variants = kernel_variants(&count);
  const char *separator = "";
  for (int i = 0; i < count; i++) {
    if (!kernel_variant_runs(&variants[i])) continue;
    append(buffer, "%s%s%s%s", separator, quote, variants[i].name, quote);
    separator = ", ";
  }
}

int32_t sotto_cpu_describe(char *json, size_t json_capacity) {
  if (json == NULL || json_capacity == 0) return SOTTO_INVALID_ARGUMENT;
  text_buffer out = {json, json_capacity, 0};
  char name[64];
  cpu_name(name, sizeof name);
  append(&out, "{\"cpu\": \"%s\", \"features\": [", name);
  unsigned features = cpu_detect();
  const char *separator = "";
  for (int i = 0; i < CPU_FEATURE_COUNT; i++) {
    if (!(features >> i & 1)) continue;
    append(&out, "%s\"%s\"", separator, cpu_feature_name(i));
    separator = ", ";
  }
  append(&out, "], \"variants\": [");
  append_variants(&out, "\"");
  append(&out, "]}");
  return SOTTO_OK;
}

static void free_context(handle_object *object) {
  cpu_context *context = (cpu_context *)object;
  pool_destroy(context->pool);
  scratch_discard(context);
  free(context);
}

/* The variant of that name, or for "" the best, if this CPU runs it; else NULL. */
static const kernel_variant *find_variant(const char *name, size_t length) {
  int count;
  const kernel_variant *variants = kernel_variants(&count), *found = NULL;
  for (int i = 0; i < count; i++) {
    int is_named = length == 0 || (strlen(variants[i].name) == length && memcmp(variants[i].name, name, length) == 0);
    if (is_named && kernel_variant_runs(&variants[i])) found = &variants[i];
  }
  return found;
}

int32_t sotto_cpu_context_create(int32_t threads, const char *variant, size_t variant_length, uint64_t *context,
                                 char *text, size_t text_capacity) {
  error_sink error = {text, text_capacity};
  if (context == NULL || (variant == NULL && variant_length > 0))
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot create a context because a pointer is missing");
  *context = 0;
  if (threads < 1 || threads > MAX_THREADS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot create a context because threads must be 1 to %d: got %d",
                MAX_THREADS, threads);
  const kernel_variant *chosen = find_variant(variant, variant_length);
  if (chosen == NULL) {
    char names[128] = "";
    append_variants(&(text_buffer){names, sizeof names, 0}, "");
    int shown = variant_length < 40 ? (int)variant_length : 40;
    return fail(error, SOTTO_UNSUPPORTED, "Cannot use kernels \"%.*s\" because this CPU can run only: %s", shown,
                variant, names);
  }
  cpu_context *created = malloc(sizeof *created);
  if (created == NULL) return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot create a context because memory was refused");
  *created = (cpu_context){.object = {.kind = HANDLE_CONTEXT, .free_object = free_context},
                           .variant = chosen->name,
                           .table = kernel_variant_table(chosen)};
  created->kernels = &created->table;
  arithmetic_rates(created->kernels, created->rates);
  created->pool = pool_create(threads);
  if (created->pool == NULL) {
    free(created);
    return fail(error, SOTTO_NO_THREADS, "Cannot create a context because the system refused %d threads", threads);
  }
  *context = handle_enter(&created->object);
  if (*context == 0) {
    free_context(&created->object);
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot create a context because memory was refused");
  }
  return SOTTO_OK;
}

int32_t sotto_cpu_context_describe(uint64_t context, char *json, size_t json_capacity) {
  if (json == NULL || json_capacity == 0) return SOTTO_INVALID_ARGUMENT;
  cpu_context *found = (cpu_context *)handle_acquire(context, HANDLE_CONTEXT);
  if (found == NULL) return SOTTO_INVALID_HANDLE;
  text_buffer out = {json, json_capacity, 0};
  append(&out, "{\"variant\": \"%s\", \"threads\": %d, \"rates\": {", found->variant, pool_threads(found->pool));
  const char *separator = "";
  for (int i = 0; i <= SOTTO_ARITHMETIC_I8; i++) {
    if (found->rates[i] == 0) continue;
    append(&out, "%s\"%s\": %.0f", separator, arithmetic_name(i), found->rates[i]);
    separator = ", ";
  }
  append(&out, "}}");
  object_release(&found->object);
  return SOTTO_OK;
}

int32_t sotto_cpu_destroy(uint64_t handle) { return handle_destroy(handle) ? SOTTO_OK : SOTTO_INVALID_HANDLE; }
