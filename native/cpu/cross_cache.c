/* Cross-attention keys and values of a window's features, computed once: 2 · layers products of [T, C] with [C, C].
 *
 * The encoder's kernels multiply (gemm.h). The features are packed as tiles once for all. A task is the keys or the
 * values of one head: its D rows of the weights are packed by the thread that multiplies them and stay in its
 * second-level cache, while the features' tiles pass by, a block of frames at a time, whose products become numbers of
 * the cache before they leave the first levels. So weights take no memory beside those of one head a thread, and tasks
 * are many and alike. */
#include <string.h>

#include "dtype.h"
#include "gemm.h"
#include "memory.h"
#include "scratch.h"
#include "session.h"

/* Scratch of one call: what all threads share, and behind it what each has. Offsets and sizes in bytes. */
typedef struct {
  size_t sums, panels, weights, bias, product, turned; /* where a thread's begin */
  size_t thread_bytes, tiles_bytes;
} layout;

typedef struct {
  const decoder_session *session;
  const gemm_kernel *kernel;
  const float *features;
  int64_t block_rows; /* frames of a block: whole tiles, and whole blocks of keys */
  layout at;
  char *memory; /* the tiles, then each thread's own */
  cancel_watch *cancel;
} cross_job;

static int64_t ceil_div(int64_t count, int64_t by) { return (count + by - 1) / by; }

static size_t take(size_t *bytes, size_t more) {
  const size_t begin = *bytes;
  *bytes += round_up(more, SOTTO_ALIGNMENT);
  return begin;
}

static int64_t least_common_multiple(int64_t a, int64_t b) {
  int64_t multiple = a;
  while (multiple % b != 0) multiple += a;
  return multiple;
}

static void lay_out(cross_job *job) {
  const text_decoder *decoder = job->session->decoder;
  const gemm_kernel *kernel = job->kernel;
  const int64_t T = decoder->dims.n_audio_ctx, C = decoder->dims.n_text_state, D = decoder->head_width;
  const int64_t columns = ceil_div(D, kernel->nr) * kernel->nr;
  layout *at = &job->at;
  job->block_rows = least_common_multiple(KEY_BLOCK, kernel->mr);
  at->sums = take(&at->thread_bytes, (size_t)(job->block_rows / kernel->mr) * gemm_sums_bytes(kernel));
  at->panels = take(&at->thread_bytes, gemm_panels_bytes(kernel, D, C));
  at->weights = take(&at->thread_bytes, (size_t)(kernel->nr * C) * sizeof(float));
  at->bias = take(&at->thread_bytes, (size_t)columns * sizeof(float));
  at->product = take(&at->thread_bytes, (size_t)(job->block_rows * D) * sizeof(float));
  at->turned = take(&at->thread_bytes, (size_t)(KEY_BLOCK * D) * sizeof(float));
  at->tiles_bytes = (size_t)ceil_div(T, kernel->mr) * gemm_tile_bytes(kernel, C);
}

/* ---- Numbers of the cache. */

/* What values [count] are multiplied with to become INT8 codes, and the scales of those. */
static void steps_of(const float *low, const float *high, int64_t count, float *reciprocals, float *scales) {
  for (int64_t i = 0; i < count; i++) {
    const float largest = high[i] > -low[i] ? high[i] : -low[i];
    reciprocals[i] = largest > 0 ? 127 / largest : 0;
    scales[i] = largest / 127;
  }
}

/* rows [count ≤ KEY_BLOCK, D] → a head's block of keys, [D, KEY_BLOCK]; missing positions are 0. */
static void store_keys(const decoder_session *session, int64_t head, int64_t block, const float *rows, int64_t count,
                       float *turned) {
  const kernel_table *kernels = session->decoder->context->kernels;
  const int64_t D = session->decoder->head_width;
  char *const keys = cross_keys(session, head) + block * D * KEY_BLOCK * session->cross_width;
  float *const scales = cross_scales(session, head);
  if (count < KEY_BLOCK) memset(turned, 0, (size_t)(D * KEY_BLOCK) * sizeof *turned);
  kernels->transpose(rows, D, turned, KEY_BLOCK, count, D);
  if (session->cross_width == 2) {
    scales[block] = kernels->quantize_i16(turned, D * KEY_BLOCK, (int16_t *)(void *)keys);
    return;
  }
  float low[KEY_BLOCK] = {0}, high[KEY_BLOCK] = {0}, reciprocals[KEY_BLOCK] = {0};
  kernels->range_columns(turned, KEY_BLOCK, D, count, low, high);
  steps_of(low, high, count, reciprocals, scales + block * KEY_BLOCK);
  for (int64_t d = 0; d < D; d++)
    kernels->quantize_columns_i8(turned + d * KEY_BLOCK, KEY_BLOCK, reciprocals, NULL,
                                 (int8_t *)keys + d * KEY_BLOCK);
}

/* rows [count ≤ KEY_BLOCK, D] → as many of a head's values. */
static void store_values(const decoder_session *session, int64_t head, int64_t block, const float *rows, int64_t count) {
  const kernel_table *kernels = session->decoder->context->kernels;
  const int64_t D = session->decoder->head_width;
  char *const values = cross_values(session, head) + block * KEY_BLOCK * D * session->cross_width;
  float *const scales = cross_scales(session, head) + cross_scale_count(session);
  if (session->cross_width == 2) {
    scales[block] = kernels->quantize_i16(rows, count * D, (int16_t *)(void *)values);
    return;
  }
  float low[KEY_BLOCK], high[KEY_BLOCK], reciprocals[KEY_BLOCK];
  kernels->range_runs(rows, D, count, low, high);
  steps_of(low, high, count, reciprocals, scales + block * KEY_BLOCK);
  for (int64_t t = 0; t < count; t++) {
    const i8_step step = {.reciprocal = reciprocals[t], .zero = 0, .bottom = -127};
    kernels->quantize_i8(rows + t * D, D, &step, (int8_t *)values + t * D);
  }
}

/* ---- Products. */

/* Rows [first, first + D) of a matrix and their bias, packed. */
static void pack_head(const cross_job *job, const linear *source, int64_t first, char *own, gemm_weights *head) {
  const gemm_kernel *kernel = job->kernel;
  const int64_t C = source->weight.columns;
  const int32_t dtype = source->weight.format == KEPT_F16 ? SOTTO_F16 : SOTTO_F32;
  float *const rows = (float *)(own + job->at.weights);
  for (int64_t n = 0; n < head->n; n += kernel->nr) {
    const int64_t count = head->n - n < kernel->nr ? head->n - n : kernel->nr;
    dtype_to_f32(dtype, matrix_row(&source->weight, first + n), count * C, rows);
    kernel->pack_panel(rows, C, (int)count, C, gemm_panel(kernel, head, n / kernel->nr));
  }
  if (source->bias == NULL) return;
  float *const bias = (float *)(own + job->at.bias);
  memset(bias, 0, (size_t)ceil_div(head->n, kernel->nr) * (size_t)kernel->nr * sizeof *bias);
  memcpy(bias, source->bias + first, (size_t)head->n * sizeof *bias);
  head->bias = bias;
}

/* The keys or the values of one head. */
static void run_task(const cross_job *job, int64_t layer, int64_t h, int is_value, char *own) {
  const decoder_session *session = job->session;
  const gemm_kernel *kernel = job->kernel;
  const attention_weights *cross = &session->decoder->layers[layer].cross;
  const int64_t T = session->decoder->dims.n_audio_ctx, C = session->decoder->dims.n_text_state;
  const int64_t D = session->decoder->head_width, head = layer * session->decoder->dims.n_text_head + h;
  float *const product = (float *)(own + job->at.product), *const turned = (float *)(own + job->at.turned);
  gemm_weights weights = {.n = D, .k = C, .panels = own + job->at.panels};
  pack_head(job, is_value ? &cross->value : &cross->key, h * D, own, &weights);
  const int64_t at_a_time = gemm_block_rows(kernel, C) / kernel->mr;
  for (int64_t begin = 0; begin < T && !is_cancelled(job->cancel); begin += job->block_rows) {
    const int64_t rows = T - begin < job->block_rows ? T - begin : job->block_rows;
    const gemm_product block = {.kernel = kernel, .m = rows, .b = &weights, .out = product, .out_stride = D};
    const char *packed = job->memory + (size_t)(begin / kernel->mr) * gemm_tile_bytes(kernel, C);
    const int64_t tiles = ceil_div(rows, kernel->mr);
    for (int64_t tile = 0; tile < tiles; tile += at_a_time)
      for (int64_t panel = 0; panel < ceil_div(D, kernel->nr); panel++)
        gemm_multiply_panel(&block, packed + (size_t)tile * gemm_tile_bytes(kernel, C), (float *)(own + job->at.sums),
                            tile * kernel->mr, tiles - tile < at_a_time ? tiles - tile : at_a_time, panel);
    for (int64_t first = 0; first < rows; first += KEY_BLOCK) {
      const int64_t count = rows - first < KEY_BLOCK ? rows - first : KEY_BLOCK, at = (begin + first) / KEY_BLOCK;
      if (is_value)
        store_values(session, head, at, product + first * D, count);
      else
        store_keys(session, head, at, product + first * D, count, turned);
    }
  }
}

static void pack_part(void *argument, int part, int parts) {
  const cross_job *job = argument;
  const int64_t T = job->session->decoder->dims.n_audio_ctx, C = job->session->decoder->dims.n_text_state;
  const gemm_weights depth = {.k = C};
  const gemm_product features = {
      .kernel = job->kernel, .a = {.data = job->features, .stride = C, .length = T * C}, .m = T, .b = &depth};
  const share tiles = share_of(ceil_div(T, job->kernel->mr), 1, part, parts);
  gemm_pack_tiles(&features, job->memory + (size_t)tiles.begin * gemm_tile_bytes(job->kernel, C),
                  tiles.begin * job->kernel->mr, tiles.end - tiles.begin);
}

static void multiply_part(void *argument, int part, int parts) {
  const cross_job *job = argument;
  const int64_t H = job->session->decoder->dims.n_text_head;
  const share tasks = share_of(2 * H * job->session->decoder->dims.n_text_layer, 1, part, parts);
  char *const own = job->memory + job->at.tiles_bytes + (size_t)part * job->at.thread_bytes;
  for (int64_t task = tasks.begin; task < tasks.end && !is_cancelled(job->cancel); task++)
    run_task(job, task / (2 * H), task % H, task / H % 2 != 0, own);
}

int32_t compute_cross_cache(decoder_session *session, const float *features, cancel_watch *cancel, error_sink error) {
  thread_pool *pool = session->decoder->context->pool;
  cross_job job = {.session = session,
                   .kernel = session->decoder->context->kernels->gemm_f32,
                   .features = features,
                   .cancel = cancel};
  lay_out(&job);
  cpu_context *context = session->decoder->context;
  job.memory = scratch_take(context, job.at.tiles_bytes + (size_t)pool_threads(pool) * job.at.thread_bytes);
  if (job.memory == NULL)
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot set features because memory was refused");
  pool_run(pool, pack_part, &job);
  pool_run(pool, multiply_part, &job);
  scratch_give(context, job.memory);
  return was_cancelled(cancel) ? fail(error, SOTTO_CANCELLED, "Cancelled while features were set") : SOTTO_OK;
}
