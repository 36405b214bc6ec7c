/* Reads a plan's words: checks everything a run relies on, and lays out its memory. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "memory.h"
#include "plan.h"

/* Beyond any Whisper (the largest product of large-v3 is 1500 × 5120 × 1280), and small enough that products of two
 * such numbers cannot overflow. */
#define MAX_AXIS ((int64_t)1 << 30)

/* Weights, biases and addend of one step at most. */
enum { MAX_LOADS_PER_STEP = 2 + MAX_GEMM_PARTS };

typedef struct {
  cpu_plan *plan;
  const uint64_t *weights; /* [weight_count, SOTTO_WEIGHT_WORDS] */
  int64_t weight_count;
  weight_load *loads;
  size_t load_count;
  size_t weight_bytes;  /* laid out so far */
  size_t scratch_bytes; /* of one thread */
  size_t head_floats;   /* of all heads */
  int64_t index;        /* of the step being read, for messages */
  const char *name;
  error_sink error;
} plan_reader;

static const char *const op_names[] = {
    [SOTTO_OP_TRANSPOSE] = "transpose", [SOTTO_OP_CONV1D] = "conv1d",       [SOTTO_OP_LAYERNORM] = "layernorm",
    [SOTTO_OP_GEMM] = "gemm",           [SOTTO_OP_ATTENTION] = "attention",
};

static int32_t refuse(plan_reader *reader, const char *rule, int64_t found) {
  return fail(reader->error, SOTTO_INVALID_ARGUMENT,
              "Cannot prepare step %" PRId64 " (%s) because %s: got %" PRId64, reader->index, reader->name, rule, found);
}

#define CHECK(condition, rule, found) \
  do {                                \
    if (!(condition)) return refuse(reader, rule, found); \
  } while (0)
#define TRY(call)                             \
  do {                                        \
    int32_t status_ = (call);                 \
    if (status_ != SOTTO_OK) return status_;  \
  } while (0)

static int is_axis(int64_t size) { return size >= 1 && size <= MAX_AXIS; }

/* A buffer that must be [rows, columns]. */
static int32_t take_buffer(plan_reader *reader, int64_t index, int64_t rows, int64_t columns, float **out) {
  const cpu_plan *plan = reader->plan;
  CHECK(index >= 0 && index < (int64_t)plan->buffer_count, "a buffer's index must be one of the plan's", index);
  const plan_buffer *buffer = &plan->buffers[index];
  CHECK(buffer->rows == rows, "a buffer must have the rows the step names", buffer->rows);
  CHECK(buffer->columns == columns, "a buffer must have the columns the step names", buffer->columns);
  *out = buffer->data;
  return SOTTO_OK;
}

/* Whether two arrays share memory. */
static int overlaps(const float *a, int64_t a_floats, const float *b, int64_t b_floats) {
  return (uintptr_t)a < (uintptr_t)(b + b_floats) && (uintptr_t)b < (uintptr_t)(a + a_floats);
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

static int32_t take_vector(plan_reader *reader, int64_t index, int64_t elements, const float **target) {
  weight_load *load = take_place(reader, LOAD_VECTOR, target, (size_t)elements * sizeof(float));
  return take_weight(reader, load, index, elements, 1);
}

static void grow(size_t *size, size_t needed) {
  if (*size < needed) *size = needed;
}

/* One matrix of a product: its index, its bias or -1, its rows. */
typedef struct {
  int64_t weight, bias, n;
} gemm_part_words;

/* Panels and bias of a product whose parts lie side by side; `taps` as in weight_load. */
static int32_t take_matrix(plan_reader *reader, plan_step *step, const gemm_part_words *parts, int count, int64_t k,
                           int64_t taps) {
  const gemm_kernel *kernel = reader->plan->context->kernels->gemm_f32;
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
  panels->k = k;
  panels->taps = taps;
  for (int i = 0; i < count; i++) {
    TRY(take_weight(reader, panels, parts[i].weight, parts[i].n, k));
    const dtype_block *block = dtype_describe(panels->stored[i].dtype);
    CHECK(k % block->elements == 0, "the rows of a matrix must be whole blocks of its dtype", k);
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
  grow(&reader->scratch_bytes, gemm_scratch_bytes(kernel, k));
  return SOTTO_OK;
}

static int32_t read_transpose(plan_reader *reader, const int64_t *words, plan_step *step) {
  step->rows = words[3];
  step->columns = words[4];
  float *input;
  TRY(take_buffer(reader, words[1], step->rows, step->columns, &input));
  TRY(take_buffer(reader, words[2], step->columns, step->rows, &step->output));
  int64_t floats = step->rows * step->columns;
  CHECK(!overlaps(input, floats, step->output, floats), "input and output must not overlap", words[2]);
  step->input = input;
  return SOTTO_OK;
}

static int32_t read_layernorm(plan_reader *reader, const int64_t *words, plan_step *step) {
  step->rows = words[5];
  step->columns = words[6];
  float *input;
  TRY(take_buffer(reader, words[1], step->rows, step->columns, &input));
  TRY(take_buffer(reader, words[2], step->rows, step->columns, &step->output));
  int64_t floats = step->rows * step->columns;
  CHECK(input == step->output || !overlaps(input, floats, step->output, floats),
        "input and output must be the same or not overlap", words[2]);
  step->input = input;
  TRY(take_vector(reader, words[3], step->columns, &step->weight));
  return take_vector(reader, words[4], step->columns, &step->bias);
}

/* The kernel slides over frames that lie one behind the other, so the inputs of an output frame are 3 · channels_in
 * neighbouring floats: a product whose rows overlap. The weight [out, in, tap] is packed as [out, tap · in]. */
static int32_t read_conv1d(plan_reader *reader, const int64_t *words, plan_step *step) {
  const int64_t frames_in = words[6], frames_out = words[7], channels_in = words[8], channels_out = words[9];
  const int64_t stride = words[10], taps = 3;
  CHECK(stride == 1 || stride == 2, "stride must be 1 or 2", stride);
  CHECK(is_axis(frames_in), "frames_in must be 1 to 2^30", frames_in);
  CHECK(frames_out == (frames_in - 1) / stride + 1, "frames_out must be frames_in / stride, rounded up", frames_out);
  CHECK(is_axis(channels_in) && channels_in <= MAX_AXIS / taps, "channels_in must be 1 to 2^30 / 3", channels_in);
  float *input;
  TRY(take_buffer(reader, words[1], frames_in, channels_in, &input));
  TRY(take_buffer(reader, words[2], frames_out, channels_out, &step->output));
  CHECK(!overlaps(input, frames_in * channels_in, step->output, frames_out * channels_out),
        "input and output must not overlap", words[2]);
  const gemm_part_words part = {words[3], words[4], channels_out};
  CHECK(part.bias >= 0, "a convolution must have a bias", part.bias);
  TRY(take_matrix(reader, step, &part, 1, taps * channels_in, taps));
  step->product = (gemm_product){
      .a = {.data = input, .offset = -channels_in, .stride = stride * channels_in, .length = frames_in * channels_in},
      .m = frames_out,
      .addend_stride = channels_out,
      .is_gelu = 1,
  };
  if (words[5] == -1) return SOTTO_OK;
  return take_vector(reader, words[5], frames_out * channels_out, &step->product.addend);
}

static int32_t read_gemm(plan_reader *reader, const int64_t *words, plan_step *step) {
  const int64_t m = words[4], k = words[5], activation = words[6], count = words[7];
  CHECK(is_axis(m), "M must be 1 to 2^30", m);
  CHECK(is_axis(k), "K must be 1 to 2^30", k);
  CHECK(activation == 0 || activation == 1, "activation must be 0 or 1", activation);
  CHECK(count >= 1 && count <= MAX_GEMM_PARTS, "a product must have 1 to 3 parts", count);
  gemm_part_words parts[MAX_GEMM_PARTS];
  for (int i = 0; i < count; i++) {
    parts[i] = (gemm_part_words){words[8 + 3 * i], words[9 + 3 * i], words[10 + 3 * i]};
    CHECK(parts[i].bias >= -1, "a bias must be a weight's index or -1", parts[i].bias);
  }
  TRY(take_matrix(reader, step, parts, (int)count, k, 1));
  const int64_t n = step->weights.n;
  float *input, *residual = NULL;
  TRY(take_buffer(reader, words[1], m, k, &input));
  TRY(take_buffer(reader, words[2], m, n, &step->output));
  CHECK(!overlaps(input, m * k, step->output, m * n), "input and output must not overlap", words[2]);
  if (words[3] != -1) {
    TRY(take_buffer(reader, words[3], m, n, &residual));
    CHECK(residual == step->output || !overlaps(residual, m * n, step->output, m * n),
          "residual and output must be the same or not overlap", words[3]);
  }
  step->product = (gemm_product){
      .a = {.data = input, .offset = 0, .stride = k, .length = m * k},
      .m = m,
      .addend = residual,
      .addend_stride = n,
      .is_gelu = activation == 1,
  };
  return SOTTO_OK;
}

static int32_t read_attention(plan_reader *reader, const int64_t *words, plan_step *step) {
  const attention_kernel *kernel = reader->plan->context->kernels->attention_f32;
  const int64_t T = words[3];
  step->heads = words[4];
  step->head_width = words[5];
  CHECK(is_axis(T), "T must be 1 to 2^30", T);
  CHECK(is_axis(step->heads), "heads must be 1 to 2^30", step->heads);
  CHECK(is_axis(step->head_width), "head_width must be 1 to 2^30", step->head_width);
  step->rows = T;
  step->columns = step->heads * step->head_width;
  CHECK(step->columns <= MAX_AXIS / 3, "heads · head_width must be at most 2^30 / 3", step->columns);
  float *input;
  TRY(take_buffer(reader, words[1], T, 3 * step->columns, &input));
  TRY(take_buffer(reader, words[2], T, step->columns, &step->output));
  CHECK(!overlaps(input, 3 * T * step->columns, step->output, T * step->columns), "input and output must not overlap",
        words[2]);
  step->input = input;
  step->head_floats = kernel->packed_floats(T, step->head_width);
  grow(&reader->head_floats, step->head_floats * (size_t)step->heads);
  grow(&reader->scratch_bytes, kernel->scratch_floats(T, step->head_width) * sizeof(float));
  return SOTTO_OK;
}

static int32_t read_step(plan_reader *reader, const int64_t *words, plan_step *step) {
  const int64_t op = words[0];
  reader->name = op >= SOTTO_OP_TRANSPOSE && op <= SOTTO_OP_ATTENTION ? op_names[op] : "unknown";
  step->op = (enum sotto_op)op;
  switch (op) {
    case SOTTO_OP_TRANSPOSE: return read_transpose(reader, words, step);
    case SOTTO_OP_CONV1D: return read_conv1d(reader, words, step);
    case SOTTO_OP_LAYERNORM: return read_layernorm(reader, words, step);
    case SOTTO_OP_GEMM: return read_gemm(reader, words, step);
    case SOTTO_OP_ATTENTION: return read_attention(reader, words, step);
    default: return refuse(reader, "its operation must be one of enum sotto_op", op);
  }
}

/* The buffers lie in the arena, which is allocated here. Sizes are compared without a sum that could overflow. */
static int32_t read_buffers(cpu_plan *plan, const int64_t *words, int64_t arena, error_sink error) {
  for (size_t i = 0; i < plan->buffer_count; i++) {
    const int64_t offset = words[3 * i], rows = words[3 * i + 1], columns = words[3 * i + 2];
    if (!is_axis(rows) || !is_axis(columns))
      return fail(error, SOTTO_INVALID_ARGUMENT,
                  "Cannot prepare buffer %zu because both axes must be 1 to 2^30: got %" PRId64 " × %" PRId64, i, rows,
                  columns);
    if (offset < 0 || offset % 16 != 0 || offset > arena || rows * columns > arena - offset)
      return fail(error, SOTTO_INVALID_ARGUMENT,
                  "Cannot prepare buffer %zu because it must begin at a multiple of 16 and end inside the arena of "
                  "%" PRId64 " floats: got %" PRId64 " floats at %" PRId64,
                  i, arena, rows * columns, offset);
  }
  plan->arena = memory_allocate((size_t)arena * sizeof(float));
  if (plan->arena == NULL)
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory for %" PRId64 " floats was refused",
                arena);
  for (size_t i = 0; i < plan->buffer_count; i++)
    plan->buffers[i] = (plan_buffer){plan->arena + words[3 * i], words[3 * i + 1], words[3 * i + 2]};
  return SOTTO_OK;
}

/* Gives every step its memory. */
static int32_t place(plan_reader *reader) {
  cpu_plan *plan = reader->plan;
  const size_t threads = (size_t)pool_threads(plan->context->pool);
  plan->scratch_stride = round_up(reader->scratch_bytes, SOTTO_ALIGNMENT);
  plan->scratch = memory_allocate(plan->scratch_stride * threads);
  plan->packed_heads = memory_allocate(reader->head_floats * sizeof(float));
  plan->weights = memory_allocate(reader->weight_bytes);
  if (plan->scratch == NULL || plan->packed_heads == NULL || plan->weights == NULL)
    return fail(reader->error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory for %zu bytes was refused",
                reader->weight_bytes + plan->scratch_stride * threads + reader->head_floats * sizeof(float));
  for (size_t i = 0; i < reader->load_count; i++) {
    weight_load *load = &reader->loads[i];
    void *address = plan->weights + load->offset;
    if (load->target != NULL) memcpy(load->target, &address, sizeof address);
    /* What lies behind a bias's last element is read too. */
    if (load->kind == LOAD_VECTOR) memset(address, 0, load->bytes);
  }
  for (size_t i = 0; i < plan->step_count; i++) {
    plan_step *step = &plan->steps[i];
    step->product.kernel = plan->context->kernels->gemm_f32;
    step->product.b = &step->weights;
    step->product.out = step->output;
    step->product.out_stride = step->weights.n;
    step->product.scratch = plan->scratch;
    step->product.scratch_stride = plan->scratch_stride;
  }
  return SOTTO_OK;
}

static void free_plan(handle_object *object) {
  cpu_plan *plan = (cpu_plan *)object;
  memory_free(plan->arena);
  memory_free(plan->weights);
  memory_free(plan->scratch);
  memory_free(plan->packed_heads);
  free(plan->buffers);
  free(plan->steps);
  object_release(&plan->context->object);
  free(plan);
}

static int32_t read_plan(plan_reader *reader, const int64_t *buffers, const int64_t *steps, int64_t arena) {
  cpu_plan *plan = reader->plan;
  TRY(read_buffers(plan, buffers, arena, reader->error));
  for (size_t i = 0; i < plan->step_count; i++) {
    reader->index = (int64_t)i;
    TRY(read_step(reader, steps + i * SOTTO_STEP_WORDS, &plan->steps[i]));
  }
  TRY(place(reader));
  return plan_load_weights(plan, reader->loads, reader->load_count, reader->error);
}

int32_t sotto_cpu_plan_create(uint64_t context, const int64_t *buffers, size_t buffers_length, const uint64_t *weights,
                              size_t weights_length, const int64_t *steps, size_t steps_length, int64_t arena,
                              uint64_t *plan, char *text, size_t text_capacity) {
  error_sink error = {text, text_capacity};
  if ((buffers == NULL && buffers_length > 0) || (weights == NULL && weights_length > 0) ||
      (steps == NULL && steps_length > 0) || plan == NULL)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot prepare a plan because an array is missing");
  *plan = 0;
  if (buffers_length == 0 || buffers_length % 3 != 0 || weights_length % SOTTO_WEIGHT_WORDS != 0 ||
      steps_length == 0 || steps_length % SOTTO_STEP_WORDS != 0)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot prepare a plan because its tables must be whole rows of 3, %d and %d words: got %zu, %zu and "
                "%zu words",
                SOTTO_WEIGHT_WORDS, SOTTO_STEP_WORDS, buffers_length, weights_length, steps_length);
  if (arena < 1 || arena > MAX_AXIS * 64)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot prepare a plan because its arena must be 1 to 2^36 floats: got %" PRId64,
                arena);
  cpu_context *held = (cpu_context *)handle_acquire(context, HANDLE_CONTEXT);
  if (held == NULL) return fail(error, SOTTO_INVALID_HANDLE, "Cannot prepare a plan because its context is closed");

  cpu_plan *created = calloc(1, sizeof *created);
  if (created == NULL) {
    object_release(&held->object);
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory was refused");
  }
  created->object = (handle_object){.kind = HANDLE_PLAN, .free_object = free_plan};
  created->context = held;
  atomic_flag_clear(&created->is_running);
  created->buffer_count = buffers_length / 3;
  created->buffers = calloc(created->buffer_count, sizeof *created->buffers);
  created->step_count = steps_length / SOTTO_STEP_WORDS;
  created->steps = calloc(created->step_count, sizeof *created->steps);
  plan_reader reader = {.plan = created,
                        .weights = weights,
                        .weight_count = (int64_t)(weights_length / SOTTO_WEIGHT_WORDS),
                        .loads = calloc(created->step_count * MAX_LOADS_PER_STEP, sizeof(weight_load)),
                        .error = error};
  int32_t status;
  if (created->buffers == NULL || created->steps == NULL || reader.loads == NULL)
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory was refused");
  else
    status = read_plan(&reader, buffers, steps, arena);
  for (size_t i = 0; i < reader.load_count; i++)
    for (int part = 0; part < MAX_GEMM_PARTS; part++) weight_release(&reader.loads[i].stored[part]);
  free(reader.loads);
  if (status == SOTTO_OK && (*plan = handle_enter(&created->object)) == 0)
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory was refused");
  if (status != SOTTO_OK) free_plan(&created->object);
  return status;
}
