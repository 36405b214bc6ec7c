/* sotto_cpu_decoder_create: finds the weights in their files, copies those that cannot be read in place, and checks
 * on all threads that every value is finite. */
#include "decoder.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "memory.h"
#include "status.h"

/* Values a thread converts at a time: a multiple of every block of dtype.h, 16 KB in F32. */
enum { CHUNK = 4096 };

enum { DIMS = 6, LAYER_TENSORS = 24, OTHER_TENSORS = 4 };

/* Upper bounds of the dimensions, far above any Whisper's, so that no product of them overflows. */
static const struct {
  const char *name;
  int32_t most;
} bounds[DIMS] = {{"n_audio_ctx", 1 << 20},  {"n_vocab", 1 << 24},     {"n_text_ctx", 1 << 20},
                  {"n_text_state", 1 << 16}, {"n_text_head", 1 << 16}, {"n_text_layer", 1 << 10}};

/* ---- Which tensor goes where: the order of decoderTensors() in model/weight_names.ts. */

typedef struct {
  text_decoder *decoder;
  const uint64_t *words; /* of the next weight */
  int64_t next;
  int32_t status; /* the first failure; nothing is read after it */
  error_sink error;
} weight_reader;

/* What a weight is for: added, or multiplied with once a window, or streamed by every step. */
typedef enum { ADDED, ONCE_A_WINDOW, EVERY_STEP } weight_use;

static kept_format format_for(const text_decoder *decoder, const stored_weight *stored, weight_use use) {
  if (use == EVERY_STEP && decoder->weight_format == SOTTO_WEIGHTS_I8) return KEPT_I8;
  return use == ADDED || stored->dtype == SOTTO_F32 || stored->dtype == SOTTO_BF16 ? KEPT_F32 : KEPT_F16;
}

static int is_kept_in_place(const stored_weight *stored, weight_use use, kept_format format) {
  return use != ADDED && ((stored->dtype == SOTTO_F32 && format == KEPT_F32) ||
                          (stored->dtype == SOTTO_F16 && format == KEPT_F16));
}

/* The next weight's values: in the file, or in memory that `convert_part` will fill. */
static matrix read_weight(weight_reader *reader, int64_t rows, int64_t columns, weight_use use) {
  matrix result = {.rows = rows, .columns = columns};
  if (reader->status != SOTTO_OK) return result;
  stored_weight *stored = &reader->decoder->stored[reader->next];
  reader->status = weight_resolve(reader->words, rows * columns, stored, reader->error);
  if (reader->status != SOTTO_OK) return result;
  result.format = format_for(reader->decoder, stored, use);
  result.values = stored->bytes;
  if (!is_kept_in_place(stored, use, result.format)) {
    const int64_t bytes = result.format == KEPT_I8 ? i8_matrix_bytes(rows, columns)
                                                   : rows * columns * (result.format == KEPT_F16 ? 2 : 4);
    void *const values = memory_allocate((size_t)bytes);
    reader->decoder->copies[reader->next] = (weight_copy){values, result.format, rows, columns};
    result.values = values;
    if (values == NULL)
      reader->status = fail(reader->error, SOTTO_OUT_OF_MEMORY,
                            "Cannot load the decoder because memory for %" PRId64 " weights was refused", rows * columns);
  }
  reader->words += SOTTO_WEIGHT_WORDS;
  reader->next++;
  return result;
}

static const float *read_vector(weight_reader *reader, int64_t elements) {
  return read_weight(reader, 1, elements, ADDED).values;
}

static linear read_linear(weight_reader *reader, int64_t rows, int64_t columns, weight_use use) {
  linear result;
  result.weight = read_weight(reader, rows, columns, use);
  result.bias = read_vector(reader, rows);
  return result;
}

static layer_norm read_norm(weight_reader *reader, int64_t C) {
  layer_norm result;
  result.weight = read_vector(reader, C);
  result.bias = read_vector(reader, C);
  return result;
}

/* `use` is the keys' and values'. */
static attention_weights read_attention(weight_reader *reader, int64_t C, weight_use use) {
  attention_weights result;
  result.query = read_linear(reader, C, C, EVERY_STEP);
  result.key = (linear){read_weight(reader, C, C, use), NULL};
  result.value = read_linear(reader, C, C, use);
  result.out = read_linear(reader, C, C, EVERY_STEP);
  return result;
}

static int32_t read_weights(text_decoder *decoder, const uint64_t *words, error_sink error) {
  const int64_t C = decoder->dims.n_text_state;
  weight_reader reader = {decoder, words, 0, SOTTO_OK, error};
  decoder->tokens = read_weight(&reader, decoder->dims.n_vocab, C, EVERY_STEP);
  decoder->positions = read_vector(&reader, decoder->dims.n_text_ctx * C);
  for (int32_t i = 0; i < decoder->dims.n_text_layer; i++) {
    decoder_layer *layer = &decoder->layers[i];
    layer->self_norm = read_norm(&reader, C);
    layer->self = read_attention(&reader, C, EVERY_STEP);
    layer->cross_norm = read_norm(&reader, C);
    layer->cross = read_attention(&reader, C, ONCE_A_WINDOW);
    layer->mlp_norm = read_norm(&reader, C);
    layer->up = read_linear(&reader, 4 * C, C, EVERY_STEP);
    layer->down = read_linear(&reader, C, 4 * C, EVERY_STEP);
  }
  decoder->final_norm = read_norm(&reader, C);
  return reader.status;
}

/* ---- Copying and checking, each tensor split over the threads. */

typedef struct {
  const text_decoder *decoder;
  atomic_llong *non_finite; /* [tensors] */
} convert_job;

static int64_t count_in_place(const kernel_table *kernels, const stored_weight *stored, share values) {
  const int is_f16 = stored->dtype == SOTTO_F16;
  const uint8_t *const bytes = stored->bytes + values.begin * (is_f16 ? 2 : 4);
  return (is_f16 ? kernels->count_non_finite_f16 : kernels->count_non_finite_f32)(bytes, values.end - values.begin);
}

static int64_t copy_and_count(const kernel_table *kernels, const stored_weight *stored, int is_f16, void *copy,
                              share values) {
  float chunk[CHUNK];
  int64_t non_finite = 0;
  for (int64_t i = values.begin; i < values.end; i += CHUNK) {
    const int64_t count = values.end - i < CHUNK ? values.end - i : CHUNK;
    float *const target = is_f16 ? chunk : (float *)copy + i;
    weight_to_f32(stored, i, count, target);
    non_finite += kernels->count_non_finite_f32(target, count);
    if (is_f16) kernels->narrow_f16(chunk, count, (uint16_t *)copy + i);
  }
  return non_finite;
}

/* A group of a row to its codes; answers its scale. */
static float pack_group(const kernel_table *kernels, const float *values, int64_t count, int8_t codes[I8_GROUP]) {
  float low = 0, high = 0;
  kernels->range(values, count, &low, &high);
  const float largest = high > -low ? high : -low;
  const i8_step step = {.reciprocal = largest > 0 ? 127 / largest : 0, .zero = 0, .bottom = -127};
  kernels->quantize_i8(values, count, &step, codes);
  return largest / 127;
}

/* Rows of whole blocks. */
static int64_t pack_and_count(const kernel_table *kernels, const stored_weight *stored, const weight_copy *copy,
                              share rows) {
  enum { MOST_BLOCK = 32 }; /* of dtype.h: a group's weights may begin and end within one */
  const int64_t K = copy->columns, block = dtype_describe(stored->dtype)->elements;
  int8_t *const matrix = copy->values;
  int64_t non_finite = 0;
  for (int64_t row = rows.begin; row < rows.end; row++) {
    if (row % I8_BLOCK == 0) memset(matrix + i8_group_at(row, 0, K), 0, (size_t)i8_block_bytes(K));
    for (int64_t k = 0; k < K; k += I8_GROUP) {
      float values[I8_GROUP + 2 * MOST_BLOCK];
      int8_t codes[I8_GROUP];
      const int64_t first = row * K + k, count = K - k < I8_GROUP ? K - k : I8_GROUP;
      const int64_t begin = first / block * block, end = (first + count + block - 1) / block * block;
      weight_to_f32(stored, begin, end - begin, values);
      non_finite += kernels->count_non_finite_f32(values + (first - begin), count);
      const float scale = pack_group(kernels, values + (first - begin), count, codes);
      memcpy(matrix + i8_scale_at(row, k / I8_GROUP, K), &scale, sizeof scale);
      int8_t *const at = matrix + i8_code_at(row, k, K);
      for (int64_t i = 0; i < count; i++) at[i / 2 * 2 * I8_BLOCK + i % 2] = codes[i];
    }
  }
  return non_finite;
}

/* One thread's share of a weight, copied where it has to be: how many of it are not finite. */
static int64_t convert_weight(const text_decoder *decoder, int64_t i, int part, int parts) {
  const kernel_table *kernels = decoder->context->kernels;
  const stored_weight *stored = &decoder->stored[i];
  const weight_copy *copy = &decoder->copies[i];
  if (copy->values != NULL && copy->format == KEPT_I8)
    return pack_and_count(kernels, stored, copy, share_of(copy->rows, I8_BLOCK, part, parts));
  const share values = share_of(stored->elements, CHUNK, part, parts);
  if (copy->values == NULL) return count_in_place(kernels, stored, values);
  return copy_and_count(kernels, stored, copy->format == KEPT_F16, copy->values, values);
}

static void convert_part(void *argument, int part, int parts) {
  const convert_job *job = argument;
  const text_decoder *decoder = job->decoder;
  for (int64_t i = 0; i < decoder->tensors; i++) {
    const int64_t found = convert_weight(decoder, i, part, parts);
    if (found > 0) atomic_fetch_add_explicit(&job->non_finite[i], found, memory_order_relaxed);
  }
}

static int32_t convert_weights(text_decoder *decoder, error_sink error) {
  atomic_llong *non_finite = calloc((size_t)decoder->tensors, sizeof *non_finite);
  if (non_finite == NULL)
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot load the decoder because memory was refused");
  convert_job job = {decoder, non_finite};
  pool_run(decoder->context->pool, convert_part, &job);
  for (int64_t i = 0; i < decoder->tensors; i++)
    if (decoder->copies[i].values != NULL) weight_forget(&decoder->stored[i]);
  int32_t status = SOTTO_OK;
  for (int64_t i = 0; i < decoder->tensors && status == SOTTO_OK; i++) {
    const long long found = atomic_load(&non_finite[i]);
    if (found > 0)
      status = fail(error, SOTTO_NON_FINITE,
                    "Cannot load the decoder because weights must be finite: got %lld NaN or infinite in weight %" PRId64,
                    found, i);
  }
  free(non_finite);
  return status;
}

/* ---- The object. */

static void free_decoder(handle_object *object) {
  text_decoder *decoder = (text_decoder *)object;
  for (int64_t i = 0; i < decoder->tensors; i++) {
    if (decoder->stored != NULL) weight_release(&decoder->stored[i]);
    if (decoder->copies != NULL) memory_free(decoder->copies[i].values);
  }
  free(decoder->stored);
  free(decoder->copies);
  free(decoder->layers);
  if (decoder->context != NULL) object_release(&decoder->context->object);
  free(decoder);
}

static int32_t check_dims(const int32_t *dims, size_t dims_length, size_t weights_length, error_sink error) {
  if (dims == NULL || dims_length != DIMS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot load the decoder because it has %d dimensions: got %zu", DIMS,
                dims == NULL ? 0 : dims_length);
  for (int i = 0; i < DIMS; i++)
    if (dims[i] < 1 || dims[i] > bounds[i].most)
      return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot load the decoder because %s must be 1 to %d: got %d",
                  bounds[i].name, bounds[i].most, dims[i]);
  if (dims[3] % dims[4] != 0)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot load the decoder because n_text_state must be a multiple of n_text_head: got %d and %d",
                dims[3], dims[4]);
  const size_t tensors = (size_t)dims[5] * LAYER_TENSORS + OTHER_TENSORS;
  if (weights_length != tensors * SOTTO_WEIGHT_WORDS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot load the decoder because it has %zu weights: got %zu", tensors,
                weights_length / SOTTO_WEIGHT_WORDS);
  return SOTTO_OK;
}

int32_t sotto_cpu_decoder_create(uint64_t context, const int32_t *dims, size_t dims_length, const uint64_t *weights,
                                 size_t weights_length, int32_t weight_format, uint64_t *decoder, char *text,
                                 size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  if (decoder == NULL || weights == NULL)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot load the decoder because a pointer is missing");
  *decoder = 0;
  if (weight_format != SOTTO_WEIGHTS_AS_STORED && weight_format != SOTTO_WEIGHTS_I8)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot load the decoder because its weights' format must be %d or %d: got %d", SOTTO_WEIGHTS_AS_STORED,
                SOTTO_WEIGHTS_I8, weight_format);
  int32_t status = check_dims(dims, dims_length, weights_length, error);
  if (status != SOTTO_OK) return status;
  cpu_context *owner = (cpu_context *)handle_acquire(context, HANDLE_CONTEXT);
  if (owner == NULL)
    return fail(error, SOTTO_INVALID_HANDLE, "Cannot load the decoder because the context is not open");
  text_decoder *made = calloc(1, sizeof *made);
  if (made == NULL) {
    object_release(&owner->object);
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot load the decoder because memory was refused");
  }
  made->object = (handle_object){.kind = HANDLE_DECODER, .free_object = free_decoder};
  made->context = owner;
  made->weight_format = weight_format;
  made->dims = (decoder_dims){dims[0], dims[1], dims[2], dims[3], dims[4], dims[5]};
  made->head_width = dims[3] / dims[4];
  made->tensors = (int64_t)dims[5] * LAYER_TENSORS + OTHER_TENSORS;
  made->stored = calloc((size_t)made->tensors, sizeof *made->stored);
  made->copies = calloc((size_t)made->tensors, sizeof *made->copies);
  made->layers = calloc((size_t)dims[5], sizeof *made->layers);
  if (made->stored == NULL || made->copies == NULL || made->layers == NULL)
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot load the decoder because memory was refused");
  if (status == SOTTO_OK) status = read_weights(made, weights, error);
  if (status == SOTTO_OK) status = convert_weights(made, error);
  if (status == SOTTO_OK && (*decoder = handle_enter(&made->object)) == 0)
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot load the decoder because memory was refused");
  if (status != SOTTO_OK) free_decoder(&made->object);
  return status;
}
