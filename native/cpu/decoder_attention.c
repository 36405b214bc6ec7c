/* Attention of the text decoder: to the tokens so far, and to the window. */
#include <math.h>
#include <string.h>

#include "decoder_pass.h"

static int64_t score_stride(const text_decoder *decoder) {
  const int64_t audio = key_blocks(decoder->dims.n_audio_ctx), context = key_blocks(decoder->dims.n_text_ctx);
  return (audio > context ? audio : context) * KEY_BLOCK;
}

int64_t score_floats(const text_decoder *decoder) { return ATTEND_ROWS * score_stride(decoder); }

/* Of `count` tasks for each head, ordered by head, this thread's. */
static share tasks_of(const pass *p, int64_t count) {
  return part_of(p, p->H * count, p->is_by_heads ? p->H / p->parts * count : 1);
}

/* One head's cache. */
typedef struct {
  const void *keys, *values;
  int64_t positions; /* how many there are to attend to */
  int width;         /* bytes of a number: 4 of F32; 2 of I16, with a scale for each block; 1 of I8, for each position */
  const float *key_scales, *value_scales;
} head_cache;

/* values[t] *= the scale of t, or of t's block. */
static void apply_scales(float *values, int64_t count, int width, const float *scales) {
  if (width == 1)
    for (int64_t t = 0; t < count; t++) values[t] *= scales[t];
  if (width != 2) return;
  for (int64_t t = 0; t < count; t += KEY_BLOCK) {
    const int64_t end = count - t < KEY_BLOCK ? count : t + KEY_BLOCK;
    const float scale = scales[t / KEY_BLOCK];
    for (int64_t i = t; i < end; i++) values[i] *= scale;
  }
}

/* `rows` ≤ ATTEND_ROWS queries attend to a head's cache: all to all of it, or where it is causal the last to all and
 * each one before to one less. `seen_scores` [rows, T], where it is not NULL, receives what goes into softmax. */
static void attend(const pass *p, const float *q, int64_t q_stride, int64_t rows, const head_cache *cache,
                   int is_causal, float *out, int64_t out_stride, float *seen_scores) {
  const int64_t D = p->D, T = cache->positions, stride = score_stride(p->decoder);
  const int width = cache->width;
  combine_kernel *const combine = width == 1   ? p->kernels->combine_i8
                                  : width == 2 ? p->kernels->combine_i16
                                               : p->kernels->combine_f32;
  const char *keys = cache->keys;
  for (int64_t block = 0; block < key_blocks(T); block++, keys += D * KEY_BLOCK * width)
    combine(q, q_stride, rows, keys, KEY_BLOCK, KEY_BLOCK, D, p->scores + block * KEY_BLOCK, stride);
  float sums[ATTEND_ROWS];
  const float scale = 1.0f / sqrtf((float)D);
  for (int64_t r = 0; r < rows; r++) {
    float *const scores = p->scores + r * stride;
    const int64_t seen = is_causal ? T - rows + 1 + r : T;
    apply_scales(scores, seen, width, cache->key_scales);
    if (seen_scores != NULL)
      for (int64_t t = 0; t < T; t++) seen_scores[r * T + t] = scores[t] * scale;
    sums[r] = p->kernels->softmax_f32(scores, seen, scale);
    apply_scales(scores, seen, width, cache->value_scales);
    for (int64_t t = seen; t < T; t++) scores[t] = 0;
  }
  combine(p->scores, stride, rows, cache->values, D, D, T, out, out_stride);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t d = 0; d < D; d++) out[r * out_stride + d] /= sums[r];
}

/* Appends keys and values of a run to one head's cache; k, v [span, D], 3C between rows. */
static void append(const pass *p, const token_run *run, const float *k, const float *v, float *keys, float *values) {
  const int64_t D = p->D, stride = 3 * p->C;
  for (int64_t i = 0; i < run->span; i++) {
    const int64_t position = run->of->position + run->first + i, column = position % KEY_BLOCK;
    float *const block = keys + position / KEY_BLOCK * D * KEY_BLOCK;
    /* Whole blocks are multiplied: what lies behind the last position must be a number. */
    if (column == 0) memset(block, 0, (size_t)(D * KEY_BLOCK) * sizeof *block);
    for (int64_t d = 0; d < D; d++) block[d * KEY_BLOCK + column] = k[i * stride + d];
    memcpy(values + position * D, v + i * stride, (size_t)D * sizeof *v);
  }
}

/* A task is one head of one run. */
void self_attention(const pass *p, int64_t layer) {
  const int64_t C = p->C, D = p->D;
  const share tasks = tasks_of(p, p->run_count);
  for (int64_t task = tasks.begin; task < tasks.end; task++) {
    const int64_t h = task / p->run_count, head = layer * p->H + h;
    const token_run *run = &p->runs[task % p->run_count];
    float *const keys = self_keys(run->of->session, run->sequence, head);
    float *const values = self_values(run->of->session, run->sequence, head);
    const float *const q = p->qkv + run->row * 3 * C + h * D;
    float *const out = p->attended + run->row * C + h * D;
    append(p, run, q + C, q + 2 * C, keys, values);
    for (int64_t i = 0; i < run->span; i += ATTEND_ROWS) {
      const int64_t rows = run->span - i < ATTEND_ROWS ? run->span - i : ATTEND_ROWS;
      const head_cache cache = {keys, values, run->of->position + run->first + i + rows, sizeof(float), NULL, NULL};
      attend(p, q + i * 3 * C, 3 * C, rows, &cache, 1, out + i * C, C, NULL);
    }
  }
}

/* Where a head's scores for row `row` of this pass are wanted, or NULL. */
static float *wanted_scores(const pass *p, int64_t layer, int64_t head, int64_t row) {
  const step_request *request = p->job->request;
  const alignment *wanted = request->alignment;
  if (wanted == NULL) return NULL;
  for (int64_t i = 0; i < wanted->head_count; i++)
    if (wanted->heads[2 * i] == layer && wanted->heads[2 * i + 1] == head)
      return wanted->scores +
             (i * request->advances->count + p->runs[0].first + row) * p->decoder->dims.n_audio_ctx;
  return NULL;
}

/* A task is one head for a few rows of one window. */
void cross_attention(const pass *p, int64_t layer) {
  const int64_t C = p->C, D = p->D, T = p->decoder->dims.n_audio_ctx;
  const share tasks = tasks_of(p, p->window_count);
  for (int64_t task = tasks.begin; task < tasks.end; task++) {
    const int64_t h = task / p->window_count, head = layer * p->H + h;
    const window_rows *window = &p->windows[task % p->window_count];
    const decoder_session *session = window->of->session;
    const float *const scales = cross_scales(session, head);
    const head_cache cache = {cross_keys(session, head), cross_values(session, head), T, session->cross_width,
                              scales, scales + cross_scale_count(session)};
    attend(p, p->qkv + window->row * C + h * D, C, window->rows, &cache, 0, p->attended + window->row * C + h * D, C,
           wanted_scores(p, layer, h, window->row));
  }
}
