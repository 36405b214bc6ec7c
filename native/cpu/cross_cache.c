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

/* rows [count, C] → one block of each head's keys, [D, KEY_BLOCK]; missing positions are 0. */
static void store_keys(const decoder_session *session, int64_t layer, int64_t block, const float *rows, int64_t count,
                       float *head_rows) {
  const text_decoder *decoder = session->decoder;
  const kernel_table *kernels = decoder->context->kernels;
  const int64_t H = decoder->dims.n_text_head, D = decoder->head_width, C = H * D;
  if (count < KEY_BLOCK) memset(head_rows, 0, (size_t)(D * KEY_BLOCK) * sizeof *head_rows);
  for (int64_t h = 0; h < H; h++) {
    const int64_t head = layer * H + h;
    kernels->transpose(rows + h * D, C, head_rows, KEY_BLOCK, count, D);
    cross_scales(session, head)[block] =
        kernels->quantize_i16(head_rows, D * KEY_BLOCK, cross_keys(session, head) + block * D * KEY_BLOCK);
  }
}

/* rows [count, C] → as many rows of each head's values, [count, D]. */
static void store_values(const decoder_session *session, int64_t layer, int64_t block, const float *rows,
                         int64_t count, float *head_rows) {
  const text_decoder *decoder = session->decoder;
  const int64_t H = decoder->dims.n_text_head, D = decoder->head_width, C = H * D;
  for (int64_t h = 0; h < H; h++) {
    const int64_t head = layer * H + h;
    for (int64_t t = 0; t < count; t++)
      memcpy(head_rows + t * D, rows + t * C + h * D, (size_t)D * sizeof *head_rows);
    cross_scales(session, head)[key_blocks(decoder->dims.n_audio_ctx) + block] = decoder->context->kernels->quantize_i16(
        head_rows, count * D, cross_values(session, head) + block * KEY_BLOCK * D);
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
