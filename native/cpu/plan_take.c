/* What a step takes: buffers of the plan, and room for weights. */
#include <inttypes.h>

#include "dtype.h"
#include "memory.h"
#include "plan_reader.h"

int32_t refuse_step(const plan_reader *reader, const char *rule, int64_t found) {
  return fail(reader->error, SOTTO_INVALID_ARGUMENT,
              "Cannot prepare step %" PRId64 " (%s) because %s: got %" PRId64, reader->index, reader->name, rule, found);
}

int32_t take_buffer(plan_reader *reader, int64_t index, int64_t rows, int64_t columns, float **out) {
  const cpu_plan *plan = reader->plan;
  CHECK(index >= 0 && index < (int64_t)plan->buffer_count, "a buffer's index must be one of the plan's", index);
  const plan_buffer *buffer = &plan->buffers[index];
  CHECK(buffer->rows == rows, "a buffer must have the rows the step names", buffer->rows);
  CHECK(buffer->columns == columns, "a buffer must have the columns the step names", buffer->columns);
  *out = buffer->data;
  return SOTTO_OK;
}

/* Room for packed weights; *target receives its address once it exists. */
static weight_load *take_place(plan_reader *reader, int kind, void *target, size_t bytes) {
  weight_load *load = &reader->loads[reader->load_count++];
  *load = (weight_load){.kind = kind, .offset = reader->weight_bytes, .target = target, .bytes = bytes, .taps = 1};
  reader->weight_bytes += round_up(bytes, SOTTO_ALIGNMENT);
  return load;
}

/* Adds a weight of `rows` rows of `columns` elements to a load. */
static int32_t take_weight(plan_reader *reader, weight_load *load, int64_t index, int64_t rows, int64_t columns) {
  CHECK(index >= 0 && index < reader->weight_count, "a weight's index must be one of the plan's", index);
  TRY(weight_resolve(reader->weights + index * SOTTO_WEIGHT_WORDS, rows * columns, &load->stored[load->parts],
                     reader->error));
  load->index[load->parts] = index;
  load->n[load->parts++] = rows;
  return SOTTO_OK;
}

int32_t take_gemm_kernel(const plan_reader *reader, int64_t arithmetic, gemm_kernel **out) {
  const kernel_table *kernels = reader->plan->context->kernels;
  switch (arithmetic) {
    case SOTTO_ARITHMETIC_F32: *out = kernels->gemm_f32; return SOTTO_OK;
    case SOTTO_ARITHMETIC_BF16: *out = kernels->gemm_bf16; return SOTTO_OK;
    case SOTTO_ARITHMETIC_F16: *out = kernels->gemm_f16; return SOTTO_OK;
    case SOTTO_ARITHMETIC_I8: *out = kernels->gemm_i8; return SOTTO_OK;
    default: return refuse_step(reader, "its arithmetic must be one of enum sotto_arithmetic", arithmetic);
  }
}

int32_t take_attention_kernel(const plan_reader *reader, int64_t arithmetic, attention_kernel **out) {
  const kernel_table *kernels = reader->plan->context->kernels;
  switch (arithmetic) {
    case SOTTO_ARITHMETIC_F32: *out = kernels->attention_f32; return SOTTO_OK;
    case SOTTO_ARITHMETIC_BF16: *out = kernels->attention_bf16; return SOTTO_OK;
    case SOTTO_ARITHMETIC_I8: *out = kernels->attention_i8; return SOTTO_OK;
    default: return refuse_step(reader, "its arithmetic must be one that attention has a kernel for", arithmetic);
  }
}

int32_t take_vector(plan_reader *reader, int64_t index, int64_t elements, const float **target) {
  weight_load *load = take_place(reader, LOAD_VECTOR, target, (size_t)elements * sizeof(float));
  return take_weight(reader, load, index, elements, 1);
}

int32_t take_matrix(plan_reader *reader, plan_step *step, const gemm_part_words *parts, int count, int64_t k,
                    int64_t taps, int64_t scales) {
  const gemm_kernel *kernel = step->product.kernel;
  int64_t n = 0;
  int has_bias = 0;
  for (int i = 0; i < count; i++) {
    CHECK(is_axis(parts[i].n), "N must be 1 to 2^30", parts[i].n);
    n += parts[i].n;
    has_bias |= parts[i].bias != -1;
  }
  CHECK(n <= MAX_AXIS && n * k <= MAX_AXIS * 64, "a matrix must have at most 2^36 elements", n);
  step->weights.n = n;
  step->weights.k = k;
  weight_load *panels = take_place(reader, LOAD_PANELS, &step->weights.panels, gemm_panels_bytes(kernel, n, k));
  panels->kernel = kernel;
  panels->k = k;
  panels->taps = taps;
  for (int i = 0; i < count; i++) {
    TRY(take_weight(reader, panels, parts[i].weight, parts[i].n, k));
    const dtype_block *block = dtype_describe(panels->stored[i].dtype);
    CHECK(k % block->elements == 0, "the rows of a matrix must be whole blocks of its dtype", k);
  }
  if (scales != 0) {
    CHECK(scales > 0 && scales <= reader->weight_count, "1 + a weight's index must be one of the plan's", scales);
    TRY(weight_resolve(reader->weights + (scales - 1) * SOTTO_WEIGHT_WORDS, k, &panels->stored[COLUMN_SCALES], reader->error));
    panels->has_scales = 1;
  }
  if (has_bias) {
    size_t bytes = round_up((size_t)n, (size_t)kernel->nr) * sizeof(float), offset = reader->weight_bytes;
    int64_t first = 0;
    int is_placed = 0;
    for (int i = 0; i < count; first += parts[i++].n) {
      if (parts[i].bias == -1) continue;
      weight_load *load = take_place(reader, LOAD_VECTOR, is_placed ? NULL : &step->weights.bias, is_placed ? 0 : bytes);
      load->offset = offset;
      load->first = first;
      TRY(take_weight(reader, load, parts[i].bias, parts[i].n, 1));
      is_placed = 1;
    }
  }
  grow(&reader->scratch_bytes, gemm_scratch_bytes(kernel, k, NULL));
  return SOTTO_OK;
}
