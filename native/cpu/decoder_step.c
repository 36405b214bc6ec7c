/* One step of the text decoder: pre-norm blocks of self-attention, cross-attention and MLP (openai-whisper,
 * whisper/model.py, TextDecoder).
 *
 * All threads walk through the same phases, each doing its share, with a barrier between two phases: about ten a
 * block, well under a microsecond each, where waking the pool for each would cost more than the work. New tokens are
 * rows of activations: row s · span + i is token i of sequence s. A pass takes up to STEP_ROWS rows, so that a long
 * prompt goes through the layers in several passes, and every pass reads every weight once. */
#include <math.h>
#include <string.h>

#include "dtype.h"
#include "phase_barrier.h"
#include "session.h"

typedef struct {
  decoder_session *session;
  const step_request *request;
  phase_barrier barrier;
} step_job;

/* One thread's view of a pass over tokens [first, first + span) of every sequence. */
typedef struct {
  step_job *job;
  const text_decoder *decoder;
  const kernel_table *kernels;
  int part, parts;
  int64_t C, H, D;
  int64_t first, span; /* tokens of the request */
  int64_t position;    /* of token `first` in the context */
  int64_t rows;        /* sequences · span */
  float *scores;       /* [ATTEND_ROWS, score_stride] */
  int16_t *codes;      /* [STEP_ROWS, code_stride], where weights are INT8 */
} pass;

static share part_of(const pass *p, int64_t count, int64_t grain) { return share_of(count, grain, p->part, p->parts); }

/* Columns of a product that a thread takes at least: whole vectors of its output. */
enum { COLUMN_GRAIN = 16 };

/* out [rows, n] = in · wᵀ of the rows n of an INT8 matrix. Each thread makes the codes of all of `in` for itself: a few
 * per cent of its product, and less than a phase more would cost. */
static void project_codes(const pass *p, const matrix *w, share n, const float *in, int64_t in_stride, int64_t rows,
                          float *out, int64_t out_stride) {
  const int64_t stride = i8_codes(w->columns);
  float scales[STEP_ROWS];
  for (int64_t r = 0; r < rows; r++)
    scales[r] = p->kernels->quantize_i16(in + r * in_stride, w->columns, p->codes + r * stride);
  p->kernels->project_i8(p->codes, stride, scales, rows, (const char *)w->values + n.begin * matrix_row_bytes(w),
                         n.end - n.begin, w->columns, out, out_stride);
}

static void project_values(const pass *p, const matrix *w, share n, const float *in, int64_t in_stride, int64_t rows,
                           float *out, int64_t out_stride) {
  project_kernel *const kernel = w->format == KEPT_F16 ? p->kernels->project_f16 : p->kernels->project_f32;
  kernel(in, in_stride, rows, (const char *)w->values + n.begin * matrix_row_bytes(w), n.end - n.begin, w->columns, out,
         out_stride);
}

/* This thread's columns of out [rows, N] = in · weightᵀ + bias. */
static share project(const pass *p, const linear *layer, const float *in, int64_t in_stride, int64_t rows, float *out,
                     int64_t out_stride) {
  const matrix *w = &layer->weight;
  const share n = part_of(p, w->rows, COLUMN_GRAIN);
  if (n.begin == n.end) return n;
  (w->format == KEPT_I8 ? project_codes : project_values)(p, w, n, in, in_stride, rows, out + n.begin, out_stride);
  if (layer->bias != NULL)
    for (int64_t r = 0; r < rows; r++)
      for (int64_t i = n.begin; i < n.end; i++) out[r * out_stride + i] += layer->bias[i];
  return n;
}

/* x += in · weightᵀ + bias. */
static void project_residual(const pass *p, const linear *layer, const float *in) {
  decoder_session *session = p->job->session;
  const share n = project(p, layer, in, layer->weight.columns, p->rows, session->product, p->C);
  for (int64_t r = 0; r < p->rows; r++)
    for (int64_t i = n.begin; i < n.end; i++) session->x[r * p->C + i] += session->product[r * p->C + i];
  phase_end(&p->job->barrier);
}

static void normalize(const pass *p, const layer_norm *norm) {
  decoder_session *session = p->job->session;
  const share rows = part_of(p, p->rows, 1);
  if (rows.begin < rows.end)
    p->kernels->layernorm(session->x + rows.begin * p->C, session->normed + rows.begin * p->C, norm->weight,
                          norm->bias, rows.end - rows.begin, p->C);
  phase_end(&p->job->barrier);
}

static void read_row(const pass *p, const matrix *m, int64_t row, float *out) {
  const char *const bytes = (const char *)m->values + row * matrix_row_bytes(m);
  if (m->format != KEPT_I8) {
    dtype_to_f32(m->format == KEPT_F16 ? SOTTO_F16 : SOTTO_F32, (const uint8_t *)bytes, m->columns, out);
    return;
  }
  const float *const scales = (const float *)(const void *)(bytes + i8_codes(m->columns));
  for (int64_t k = 0; k < m->columns; k += I8_GROUP)
    p->kernels->dequantize_i8((const int8_t *)bytes + k, m->columns - k < I8_GROUP ? m->columns - k : I8_GROUP,
                              scales[k / I8_GROUP], 0, out + k);
}

/* x = token embedding + position. */
static void embed(const pass *p) {
  const matrix *tokens = &p->decoder->tokens;
  const step_request *request = p->job->request;
  const share rows = part_of(p, p->rows, 1);
  for (int64_t r = rows.begin; r < rows.end; r++) {
    const int64_t sequence = r / p->span, i = r % p->span;
    const int64_t token = request->tokens[sequence * request->count + p->first + i];
    const float *const position = p->decoder->positions + (p->position + i) * p->C;
    float *const x = p->job->session->x + r * p->C;
    read_row(p, tokens, token, x);
    for (int64_t c = 0; c < p->C; c++) x[c] += position[c];
  }
  phase_end(&p->job->barrier);
}

static int64_t score_stride(const text_decoder *decoder) {
  const int64_t audio = key_blocks(decoder->dims.n_audio_ctx), context = key_blocks(decoder->dims.n_text_ctx);
  return (audio > context ? audio : context) * KEY_BLOCK;
}

/* One head's cache. */
typedef struct {
  const void *keys, *values;
  const float *key_scales, *value_scales; /* of each block where they are I16; NULL where they are F32 */
  int64_t positions;                      /* how many there are to attend to */
} head_cache;

/* values[t] *= the scale of t's block. */
static void apply_scales(float *values, int64_t count, const float *scales) {
  for (int64_t t = 0; t < count; t++) values[t] *= scales[t / KEY_BLOCK];
}

/* `rows` ≤ ATTEND_ROWS queries attend to a head's cache: all to all of it, or where it is causal the last to all and
 * each one before to one less. `seen_scores` [rows, T], where it is not NULL, receives what goes into softmax. */
static void attend(const pass *p, const float *q, int64_t q_stride, int64_t rows, const head_cache *cache,
                   int is_causal, float *out, int64_t out_stride, float *seen_scores) {
  const int64_t D = p->D, T = cache->positions, stride = score_stride(p->decoder);
  const int is_i16 = cache->key_scales != NULL;
  combine_kernel *const combine = is_i16 ? p->kernels->combine_i16 : p->kernels->combine_f32;
  const char *keys = cache->keys;
  for (int64_t block = 0; block < key_blocks(T); block++, keys += D * KEY_BLOCK * (is_i16 ? 2 : 4))
    combine(q, q_stride, rows, keys, KEY_BLOCK, KEY_BLOCK, D, p->scores + block * KEY_BLOCK, stride);
  float sums[ATTEND_ROWS];
  const float scale = 1.0f / sqrtf((float)D);
  for (int64_t r = 0; r < rows; r++) {
    float *const scores = p->scores + r * stride;
    const int64_t seen = is_causal ? T - rows + 1 + r : T;
    if (is_i16) apply_scales(scores, seen, cache->key_scales);
    if (seen_scores != NULL)
      for (int64_t t = 0; t < T; t++) seen_scores[r * T + t] = scores[t] * scale;
    sums[r] = p->kernels->softmax_f32(scores, seen, scale);
    if (is_i16) apply_scales(scores, seen, cache->value_scales);
    for (int64_t t = seen; t < T; t++) scores[t] = 0;
  }
  combine(p->scores, stride, rows, cache->values, D, D, T, out, out_stride);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t d = 0; d < D; d++) out[r * out_stride + d] /= sums[r];
}

/* Appends keys and values of a sequence's new tokens to one head's cache; k, v [span, D], 3C between rows. */
static void append(const pass *p, const float *k, const float *v, float *keys, float *values) {
  const int64_t D = p->D, stride = 3 * p->C;
  for (int64_t i = 0; i < p->span; i++) {
    const int64_t position = p->position + i, column = position % KEY_BLOCK;
    float *const block = keys + position / KEY_BLOCK * D * KEY_BLOCK;
    /* Whole blocks are multiplied: what lies behind the last position must be a number. */
    if (column == 0) memset(block, 0, (size_t)(D * KEY_BLOCK) * sizeof *block);
    for (int64_t d = 0; d < D; d++) block[d * KEY_BLOCK + column] = k[i * stride + d];
    memcpy(values + position * D, v + i * stride, (size_t)D * sizeof *v);
  }
}

/* A task is one head of one sequence. */
static void self_attention(const pass *p, int64_t layer) {
  decoder_session *session = p->job->session;
  const int64_t C = p->C, D = p->D;
  const share tasks = part_of(p, p->job->request->sequences * p->H, 1);
  for (int64_t task = tasks.begin; task < tasks.end; task++) {
    const int64_t sequence = task / p->H, h = task % p->H;
    float *const keys = self_keys(session, (int)sequence, layer * p->H + h);
    float *const values = self_values(session, (int)sequence, layer * p->H + h);
    const float *const q = session->qkv + sequence * p->span * 3 * C + h * D;
    float *const out = session->attended + sequence * p->span * C + h * D;
    append(p, q + C, q + 2 * C, keys, values);
    for (int64_t i = 0; i < p->span; i += ATTEND_ROWS) {
      const int64_t rows = p->span - i < ATTEND_ROWS ? p->span - i : ATTEND_ROWS;
      const head_cache cache = {keys, values, NULL, NULL, p->position + i + rows};
      attend(p, q + i * 3 * C, 3 * C, rows, &cache, 1, out + i * C, C, NULL);
    }
  }
  phase_end(&p->job->barrier);
}

/* Where a head's scores for row `row` of this pass are wanted, or NULL. */
static float *wanted_scores(const pass *p, int64_t layer, int64_t head, int64_t row) {
  const step_request *request = p->job->request;
  const alignment *wanted = request->alignment;
  if (wanted == NULL) return NULL;
  for (int64_t i = 0; i < wanted->head_count; i++)
    if (wanted->heads[2 * i] == layer && wanted->heads[2 * i + 1] == head)
      return wanted->scores + (i * request->count + p->first + row) * p->decoder->dims.n_audio_ctx;
  return NULL;
}

/* A task is one head for a few rows, whatever sequence they belong to: they share the window. */
static void cross_attention(const pass *p, int64_t layer) {
  decoder_session *session = p->job->session;
  const int64_t C = p->C, D = p->D, groups = (p->rows + ATTEND_ROWS - 1) / ATTEND_ROWS;
  const share tasks = part_of(p, p->H * groups, 1);
  for (int64_t task = tasks.begin; task < tasks.end; task++) {
    const int64_t h = task / groups, first = task % groups * ATTEND_ROWS;
    const int64_t rows = p->rows - first < ATTEND_ROWS ? p->rows - first : ATTEND_ROWS;
    const int64_t head = layer * p->H + h, T = p->decoder->dims.n_audio_ctx;
    const float *const scales = cross_scales(session, head);
    const head_cache cache = {cross_keys(session, head), cross_values(session, head), scales, scales + key_blocks(T), T};
    attend(p, session->qkv + first * C + h * D, C, rows, &cache, 0, session->attended + first * C + h * D, C,
           wanted_scores(p, layer, h, first));
  }
  phase_end(&p->job->barrier);
}

static void run_layer(const pass *p, int64_t index) {
  const decoder_layer *layer = &p->decoder->layers[index];
  decoder_session *session = p->job->session;
  phase_barrier *barrier = &p->job->barrier;
  const int64_t C = p->C;

  normalize(p, &layer->self_norm);
  project(p, &layer->self.query, session->normed, C, p->rows, session->qkv, 3 * C);
  project(p, &layer->self.key, session->normed, C, p->rows, session->qkv + C, 3 * C);
  project(p, &layer->self.value, session->normed, C, p->rows, session->qkv + 2 * C, 3 * C);
  phase_end(barrier);
  self_attention(p, index);
  project_residual(p, &layer->self.out, session->attended);

  normalize(p, &layer->cross_norm);
  project(p, &layer->cross.query, session->normed, C, p->rows, session->qkv, C);
  phase_end(barrier);
  cross_attention(p, index);
  project_residual(p, &layer->cross.out, session->attended);

  normalize(p, &layer->mlp_norm);
  const share up = project(p, &layer->up, session->normed, C, p->rows, session->hidden, 4 * C);
  if (up.begin < up.end)
    for (int64_t r = 0; r < p->rows; r++)
      p->kernels->gelu(session->hidden + r * 4 * C + up.begin, up.end - up.begin);
  phase_end(barrier);
  project_residual(p, &layer->down, session->hidden);
}

/* Logits of the wanted tokens of this pass. A product takes one wanted token of every sequence, or of a single
 * sequence as many as follow each other, for these lie at even distances both in `normed` and in `logits`. */
static void compute_logits(const pass *p) {
  const step_request *request = p->job->request;
  const linear tokens = {p->decoder->tokens, NULL};
  const int64_t V = tokens.weight.rows;
  int is_normed = 0;
  for (int64_t j = 0; j < request->row_count;) {
    const int64_t i = request->rows[j] - p->first;
    int64_t run = 1;
    if (request->sequences == 1)
      while (j + run < request->row_count && request->rows[j + run] == request->rows[j] + run && i + run < p->span) run++;
    if (i >= 0 && i < p->span) {
      if (!is_normed) normalize(p, &p->decoder->final_norm);
      is_normed = 1;
      const int is_single = request->sequences == 1;
      project(p, &tokens, p->job->session->normed + i * p->C, is_single ? p->C : p->span * p->C,
              is_single ? run : request->sequences, request->logits + j * V, is_single ? V : request->row_count * V);
    } else {
      run = 1;
    }
    j += run;
  }
}

/* The probability of each token that follows one of this pass. */
static void compute_probabilities(const pass *p) {
  const step_request *request = p->job->request;
  const alignment *wanted = request->alignment;
  const linear tokens = {p->decoder->tokens, NULL};
  const int64_t V = tokens.weight.rows;
  normalize(p, &p->decoder->final_norm);
  project(p, &tokens, p->job->session->normed, p->C, p->rows, wanted->logits, V);
  phase_end(&p->job->barrier);
  const share rows = part_of(p, p->rows, 1);
  for (int64_t r = rows.begin; r < rows.end && p->first + r + 1 < request->count; r++) {
    const int64_t next = p->first + r + 1;
    const int32_t token = request->tokens[next];
    if (token >= wanted->vocabulary) {
      wanted->probabilities[next] = 0;
      continue;
    }
    float *const logits = wanted->logits + r * V;
    const float sum = p->kernels->softmax_f32(logits, wanted->vocabulary, 1);
    wanted->probabilities[next] = logits[token] / sum;
  }
}

static void step_part(void *argument, int part, int parts) {
  step_job *job = argument;
  const step_request *request = job->request;
  const text_decoder *decoder = job->session->decoder;
  pass p = {.job = job,
            .decoder = decoder,
            .kernels = decoder->context->kernels,
            .part = part,
            .parts = parts,
            .C = decoder->dims.n_text_state,
            .H = decoder->dims.n_text_head,
            .D = decoder->head_width,
            .scores = job->session->scratch + part * scratch_floats(decoder)};
  if (job->session->codes != NULL) p.codes = job->session->codes + part * STEP_ROWS * code_stride(decoder);
  const int64_t most = STEP_ROWS / request->sequences;
  for (p.first = 0; p.first < request->count; p.first += most) {
    p.span = request->count - p.first < most ? request->count - p.first : most;
    p.position = request->position + p.first;
    p.rows = request->sequences * p.span;
    embed(&p);
    for (int64_t layer = 0; layer < decoder->dims.n_text_layer; layer++) run_layer(&p, layer);
    if (request->alignment == NULL)
      compute_logits(&p);
    else
      compute_probabilities(&p);
  }
}

int64_t scratch_floats(const text_decoder *decoder) {
  const int64_t scores = ATTEND_ROWS * score_stride(decoder);
  const int64_t block = KEY_BLOCK * ((int64_t)decoder->dims.n_text_state + decoder->head_width);
  return scores > block ? scores : block;
}

void run_step(decoder_session *session, const step_request *request) {
  thread_pool *pool = session->decoder->context->pool;
  step_job job = {.session = session, .request = request, .barrier = {.parts = pool_threads(pool)}};
  pool_run(pool, step_part, &job);
}
