/* Files mapped read-only, or bytes copied: where weights are read from. */
#ifndef SOTTO_MAPPED_FILE_H
#define SOTTO_MAPPED_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

typedef struct {
  handle_object object;
  const uint8_t *bytes;
  size_t length;
  int is_mapped; /* else allocated */
} mapped_file;

/* One weight of a table [n, SOTTO_WEIGHT_WORDS], resolved and checked against its file. */
typedef struct {
  mapped_file *file; /* held: release with weight_release */
  const uint8_t *bytes;
  size_t length;
  int32_t dtype;
  int64_t elements;
} stored_weight;

/* Resolves words of a weight table. SOTTO_OK, or a status with text. `elements` is what the caller needs. */
int32_t weight_resolve(const uint64_t words[SOTTO_WEIGHT_WORDS], int64_t elements, stored_weight *out, error_sink error);
void weight_release(stored_weight *weight);

/* Converts elements [begin, begin + count) to F32; begin and count are multiples of the type's block. */
void weight_to_f32(const stored_weight *weight, int64_t begin, int64_t count, float *out);

/* Says that a weight was read and packed: its pages need not stay in memory beside what was made of them. The kernel keeps
 * them as a cache; who reads the weight again finds it unchanged. */
void weight_forget(const stored_weight *weight);

#endif
