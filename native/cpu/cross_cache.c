/* Cross-attention keys and values of a window's features, computed once: 2 · layers products of [T, C] with [C, C].
 *
 * A task is one block of KEY_BLOCK frames for one matrix. Tasks of a block follow each other, so that its features
 * stay in the second-level cache while the weights come from the third. */
#include <string.h>

#include "session.h"

typedef struct {
  const decoder_session *session;
  const float *features;
} cross_job;

/* Adds a bias to each row; NULL adds none. */
static void add_bias(float *rows, int64_t count, int64_t C, const float *bias) {
  if (bias == NULL) return;
  for (int64_t r = 0; r < count; r++)
    for (int64_t c = 0; c < C; c++) rows[r * C + c] += bias[c];
}

/* [count, D] to INT8, each row with a scale of its own: codes [count, D]. */
static void narrow_rows(const kernel_table *kernels, const float *rows, int64_t count, int64_t stride, int64_t D,
                        int8_t *codes, float *scales) {
  for (int64_t t = 0; t < count; t++) {
    float low = 0, high = 0;
    kernels->range(rows + t * stride, D, &low, &high);
    const float largest = high > -low ? high : -low;
    const i8_step step = {.reciprocal = largest > 0 ? 127 / largest : 0, .zero = 0, .bottom = -127};
    kernels->quantize_i8(rows + t * stride, D, &step, codes + t * D);
    scales[t] = largest / 127;
  }
}

/* rows [count, C] → one block of each head's keys, [D, KEY_BLOCK]; missing positions are 0. */
static void store_keys(const decoder_session *session, int64_t layer, int64_t block, const float *rows, int64_t count,
                       float *head_rows) {
  const text_decoder *decoder = session->decoder;
  const kernel_table *kernels = decoder->context->kernels;
  const int64_t H = decoder->dims.n_text_head, D = decoder->head_width, C = H * D;
  if (session->cross_width == 2 && count < KEY_BLOCK) memset(head_rows, 0, (size_t)(D * KEY_BLOCK) * sizeof *head_rows);
  for (int64_t h = 0; h < H; h++) {
    const int64_t head = layer * H + h;
    char *const keys = cross_keys(session, head) + block * D * KEY_BLOCK * session->cross_width;
    float *const scales = cross_scales(session, head);
    if (session->cross_width == 2) {
      kernels->transpose(rows + h * D, C, head_rows, KEY_BLOCK, count, D);
      scales[block] = kernels->quantize_i16(head_rows, D * KEY_BLOCK, (int16_t *)(void *)keys);
      continue;
    }
    int8_t *const codes = (int8_t *)head_rows;
    narrow_rows(kernels, rows + h * D, count, C, D, codes, scales + block * KEY_BLOCK);
    for (int64_t d = 0; d < D; d++)
      for (int64_t t = 0; t < KEY_BLOCK; t++) keys[d * KEY_BLOCK + t] = t < count ? (char)codes[t * D + d] : 0;
  }
}

/* rows [count, C] → as many rows of each head's values, [count, D]. */
static void store_values(const decoder_session *session, int64_t layer, int64_t block, const float *rows,
                         int64_t count, float *head_rows) {
  const text_decoder *decoder = session->decoder;
  const kernel_table *kernels = decoder->context->kernels;
  const int64_t H = decoder->dims.n_text_head, D = decoder->head_width, C = H * D;
  for (int64_t h = 0; h < H; h++) {
    const int64_t head = layer * H + h;
    char *const values = cross_values(session, head) + block * KEY_BLOCK * D * session->cross_width;
    float *const scales = cross_scales(session, head) + cross_scale_count(session);
    if (session->cross_width == 1) {
      narrow_rows(kernels, rows + h * D, count, C, D, (int8_t *)values, scales + block * KEY_BLOCK);
      continue;
    }
    for (int64_t t = 0; t < count; t++)
      memcpy(head_rows + t * D, rows + t * C + h * D, (size_t)D * sizeof *head_rows);
    scales[block] = kernels->quantize_i16(head_rows, count * D, (int16_t *)(void *)values);
  }
}

static void cross_part(void *argument, int part, int parts) {
  const cross_job *job = argument;
  const decoder_session *session = job->session;
  const text_decoder *decoder = session->decoder;
  const kernel_table *kernels = decoder->context->kernels;
  const int64_t T = decoder->dims.n_audio_ctx, C = decoder->dims.n_text_state;
  const int64_t matrices = 2 * (int64_t)decoder->dims.n_text_layer;
  float *const rows = session->scratch + part * scratch_floats(decoder);
  float *const head_rows = rows + KEY_BLOCK * C;
  const share tasks = share_of(key_blocks(T) * matrices, 1, part, parts);
  for (int64_t task = tasks.begin; task < tasks.end; task++) {
    const int64_t block = task / matrices, layer = task % matrices / 2, first = block * KEY_BLOCK;
    const int64_t count = T - first < KEY_BLOCK ? T - first : KEY_BLOCK;
    const int is_value = (int)(task % 2);
    const attention_weights *cross = &decoder->layers[layer].cross;
    const linear *weights = is_value ? &cross->value : &cross->key;
    (weights->weight.format == KEPT_F16 ? kernels->project_f16 : kernels->project_f32)(
        job->features + first * C, C, count, weights->weight.values, C, C, rows, C);
    add_bias(rows, count, C, weights->bias);
    if (is_value)
      store_values(session, layer, block, rows, count, head_rows);
    else
      store_keys(session, layer, block, rows, count, head_rows);
  }
}

void compute_cross_cache(decoder_session *session, const float *features) {
  cross_job job = {session, features};
  pool_run(session->decoder->context->pool, cross_part, &job);
}
