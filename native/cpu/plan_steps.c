/* The steps of a plan, read from their words and checked; sotto_cpu.h lists the words. */
#include "plan_reader.h"

static const char *const op_names[] = {
    [SOTTO_OP_TRANSPOSE] = "transpose", [SOTTO_OP_CONV1D] = "conv1d",       [SOTTO_OP_LAYERNORM] = "layernorm",
    [SOTTO_OP_GEMM] = "gemm",           [SOTTO_OP_ATTENTION] = "attention",
};

/* Whether two arrays share memory. */
static int overlaps(const float *a, int64_t a_floats, const float *b, int64_t b_floats) {
  return (uintptr_t)a < (uintptr_t)(b + b_floats) && (uintptr_t)b < (uintptr_t)(a + a_floats);
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
  gemm_kernel *kernel;
  TRY(take_gemm_kernel(reader, words[11], &kernel));
  step->product.kernel = kernel;
  TRY(take_matrix(reader, step, &part, 1, taps * channels_in, taps, 0));
  step->product = (gemm_product){
      .kernel = kernel,
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
  gemm_kernel *kernel;
  TRY(take_gemm_kernel(reader, words[8 + 3 * MAX_GEMM_PARTS], &kernel));
  step->product.kernel = kernel;
  TRY(take_matrix(reader, step, parts, (int)count, k, 1, words[9 + 3 * MAX_GEMM_PARTS]));
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
      .kernel = kernel,
      .a = {.data = input, .offset = 0, .stride = k, .length = m * k},
      .m = m,
      .addend = residual,
      .addend_stride = n,
      .is_gelu = activation == 1,
  };
  return SOTTO_OK;
}

static int32_t read_attention(plan_reader *reader, const int64_t *words, plan_step *step) {
  TRY(take_attention_kernel(reader, words[6], &step->attention));
  const attention_kernel *kernel = step->attention;
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

int32_t read_step(plan_reader *reader, const int64_t *words, plan_step *step) {
  const int64_t op = words[0];
  reader->name = op >= SOTTO_OP_TRANSPOSE && op <= SOTTO_OP_ATTENTION ? op_names[op] : "unknown";
  step->op = (enum sotto_op)op;
  switch (op) {
    case SOTTO_OP_TRANSPOSE: return read_transpose(reader, words, step);
    case SOTTO_OP_CONV1D: return read_conv1d(reader, words, step);
    case SOTTO_OP_LAYERNORM: return read_layernorm(reader, words, step);
    case SOTTO_OP_GEMM: return read_gemm(reader, words, step);
    case SOTTO_OP_ATTENTION: return read_attention(reader, words, step);
    default: return refuse_step(reader, "its operation must be one of enum sotto_op", op);
  }
}
