/* One step of the text decoder: pre-norm blocks of self-attention, cross-attention and MLP (openai-whisper,
 * whisper/model.py, TextDecoder).
 *
 * All threads walk through the same phases, each doing its share, with a barrier between two phases: six a block, well
 * under a microsecond each, where waking the pool for each would cost more than the work. What is little work, layer
 * norms and the codes of activations, every thread does for itself rather than wait for others. */
#include <string.h>

#include "decoder_pass.h"
#include "dtype.h"

enum {
  COLUMN_GRAIN = 16,   /* columns of a product that a thread takes at least: whole vectors of its output */
  LOGIT_PIECE = 1 << 13 /* columns of logits between two looks at the caller's wish: a few ms of STEP_ROWS rows */
};

/* out [rows, n] = in · wᵀ of the rows n of an INT8 matrix. */
static void project_codes(const pass *p, const matrix *w, share n, const float *in, int64_t in_stride, int64_t rows,
                          float *out, int64_t out_stride) {
  const int64_t stride = i8_codes(w->columns);
  float scales[STEP_ROWS];
  for (int64_t r = 0; r < rows; r++)
    scales[r] = p->kernels->quantize_i16(in + r * in_stride, w->columns, p->codes + r * stride);
  p->kernels->project_i8(p->codes, stride, scales, rows, matrix_row(w, n.begin),
                         n.end - n.begin, w->columns, out, out_stride);
}

static void project_values(const pass *p, const matrix *w, share n, const float *in, int64_t in_stride, int64_t rows,
                           float *out, int64_t out_stride) {
  project_kernel *const kernel = w->format == KEPT_F16 ? p->kernels->project_f16 : p->kernels->project_f32;
  kernel(in, in_stride, rows, matrix_row(w, n.begin), n.end - n.begin, w->columns, out,
         out_stride);
}

/* Columns n of out [rows, N] = in · weightᵀ + bias. */
static void project(const pass *p, const linear *layer, share n, const float *in, int64_t rows, float *out,
                    int64_t out_stride) {
  const matrix *w = &layer->weight;
  if (n.begin == n.end || is_stopped(p)) return;
  (w->format == KEPT_I8 ? project_codes : project_values)(p, w, n, in, w->columns, rows, out + n.begin, out_stride);
  if (layer->bias != NULL)
    for (int64_t r = 0; r < rows; r++)
      for (int64_t i = n.begin; i < n.end; i++) out[r * out_stride + i] += layer->bias[i];
}

/* x += in · weightᵀ + bias. */
static void project_residual(const pass *p, const linear *layer, const float *in) {
  const share n = part_of(p, layer->weight.rows, COLUMN_GRAIN);
  project(p, layer, n, in, p->rows, p->product, p->C);
  for (int64_t r = 0; r < p->rows; r++)
    for (int64_t i = n.begin; i < n.end; i++) p->x[r * p->C + i] += p->product[r * p->C + i];
  end_phase(p);
}

static void normalize(const pass *p, const layer_norm *norm) {
  p->kernels->layernorm(p->x, p->normed, norm->weight, norm->bias, p->rows, p->C);
}

/* x = a row of the token embedding, as the checkpoint has it: `normed` is free. */
static void read_token(const pass *p, int32_t token, float *x) {
  const stored_weight *tokens = p->decoder->stored; /* the first tensor */
  const int64_t block = dtype_describe(tokens->dtype)->elements, first = token * p->C;
  const int64_t begin = first / block * block, end = (first + p->C + block - 1) / block * block;
  weight_to_f32(tokens, begin, end - begin, p->normed);
  memcpy(x, p->normed + (first - begin), (size_t)p->C * sizeof *x);
}

/* x = token embedding + position. */
static void embed(const pass *p) {
  const share runs = part_of(p, p->run_count, 1);
  for (int64_t i = runs.begin; i < runs.end; i++) {
    const token_run *run = &p->runs[i];
    const int32_t *const tokens = run->of->tokens + (int64_t)run->sequence * run->of->count + run->first;
    for (int64_t t = 0; t < run->span; t++) {
      const float *const position = p->decoder->positions + (run->of->position + run->first + t) * p->C;
      float *const x = p->x + (run->row + t) * p->C;
      read_token(p, tokens[t], x);
      for (int64_t c = 0; c < p->C; c++) x[c] += position[c];
    }
  }
  end_phase(p);
}

static void run_layer(const pass *p, int64_t index) {
  const decoder_layer *layer = &p->decoder->layers[index];
  const int64_t C = p->C;
  const share own = part_of(p, C, p->is_by_heads ? C / p->parts : COLUMN_GRAIN);

  normalize(p, &layer->self_norm);
  project(p, &layer->self.query, own, p->normed, p->rows, p->qkv, 3 * C);
  project(p, &layer->self.key, own, p->normed, p->rows, p->qkv + C, 3 * C);
  project(p, &layer->self.value, own, p->normed, p->rows, p->qkv + 2 * C, 3 * C);
  if (!p->is_by_heads) end_phase(p);
  if (!is_stopped(p)) self_attention(p, index);
  end_phase(p);
  project_residual(p, &layer->self.out, p->attended);

  normalize(p, &layer->cross_norm);
  project(p, &layer->cross.query, own, p->normed, p->rows, p->qkv, C);
  if (!p->is_by_heads) end_phase(p);
  if (!is_stopped(p)) cross_attention(p, index);
  end_phase(p);
  project_residual(p, &layer->cross.out, p->attended);

  normalize(p, &layer->mlp_norm);
  const share up = part_of(p, 4 * C, COLUMN_GRAIN);
  project(p, &layer->up, up, p->normed, p->rows, p->hidden, 4 * C);
  if (up.begin < up.end)
    for (int64_t r = 0; r < p->rows; r++) p->kernels->gelu(p->hidden + r * 4 * C + up.begin, up.end - up.begin);
  end_phase(p);
  project_residual(p, &layer->down, p->hidden);
}

/* out [rows, V] = logits of the rows of `normed` from `first` on. */
static void project_logits(const pass *p, int64_t first, int64_t rows, float *out) {
  const linear tokens = {p->decoder->tokens, NULL};
  const int64_t V = tokens.weight.rows;
  const share own = part_of(p, V, COLUMN_GRAIN);
  for (int64_t n = own.begin; n < own.end; n += LOGIT_PIECE) {
    const share piece = {n, own.end - n < LOGIT_PIECE ? own.end : n + LOGIT_PIECE};
    project(p, &tokens, piece, p->normed + first * p->C, rows, out, V);
  }
}

/* Logits of some rows of x. A product takes as many as follow each other where the logits go. */
static void flush_logits(const pass *p, const int64_t *rows, float *const *outs, int64_t count) {
  const layer_norm *norm = &p->decoder->final_norm;
  const int64_t V = p->decoder->dims.n_vocab;
  for (int64_t i = 0; i < count; i++)
    p->kernels->layernorm(p->x + rows[i] * p->C, p->normed + i * p->C, norm->weight, norm->bias, 1, p->C);
  for (int64_t i = 0; i < count;) {
    int64_t run = 1;
    while (i + run < count && outs[i + run] == outs[i] + run * V) run++;
    project_logits(p, i, run, outs[i]);
    i += run;
  }
}

/* Logits of the wanted tokens of this pass. */
static void compute_logits(const pass *p) {
  const int64_t V = p->decoder->dims.n_vocab;
  int64_t rows[STEP_ROWS], count = 0;
  float *outs[STEP_ROWS];
  for (int64_t r = 0; r < p->run_count; r++) {
    const token_run *run = &p->runs[r];
    for (int64_t j = 0; j < run->of->row_count; j++) {
      const int64_t i = run->of->rows[j] - run->first;
      if (i < 0 || i >= run->span) continue;
      rows[count] = run->row + i;
      outs[count++] = run->of->logits + (run->sequence * run->of->row_count + j) * V;
      if (count == STEP_ROWS) {
        flush_logits(p, rows, outs, count);
        count = 0;
      }
    }
  }
  flush_logits(p, rows, outs, count);
}

/* The probability of each token that follows one of this pass, which has a single run. */
static void compute_probabilities(const pass *p) {
  const alignment *wanted = p->job->request->alignment;
  const token_run *run = &p->runs[0];
  const int64_t V = p->decoder->dims.n_vocab;
  normalize(p, &p->decoder->final_norm);
  project_logits(p, 0, p->rows, wanted->logits);
  end_phase(p);
  const share rows = part_of(p, p->rows, 1);
  for (int64_t r = rows.begin; r < rows.end && run->first + r + 1 < run->of->count; r++) {
    const int64_t next = run->first + r + 1;
    const int32_t token = run->of->tokens[next];
    if (token >= wanted->vocabulary) {
      wanted->probabilities[next] = 0;
      continue;
    }
    float *const logits = wanted->logits + r * V;
    const float sum = p->kernels->softmax_f32(logits, wanted->vocabulary, 1);
    wanted->probabilities[next] = logits[token] / sum;
  }
}

/* The pass of STEP_ROWS rows from row `first` of the step on; answers how many it has. */
static int64_t lay_out(pass *p, int64_t first) {
  const step_request *request = p->job->request;
  int64_t begin = 0; /* of a sequence, among the rows of the step */
  p->rows = p->run_count = p->window_count = 0;
  for (const advance *of = request->advances; of < request->advances + request->count; of++) {
    const int64_t window_begin = p->rows;
    for (int sequence = 0; sequence < of->sequences; sequence++, begin += of->count) {
      const int64_t skipped = first > begin ? first - begin : 0, room = STEP_ROWS - p->rows;
      if (skipped >= of->count || room == 0) continue;
      const int64_t span = of->count - skipped < room ? of->count - skipped : room;
      p->runs[p->run_count++] = (token_run){of, sequence, p->rows, skipped, span};
      p->rows += span;
    }
    for (int64_t row = window_begin; row < p->rows; row += ATTEND_ROWS)
      p->windows[p->window_count++] =
          (window_rows){of, row, p->rows - row < ATTEND_ROWS ? p->rows - row : ATTEND_ROWS};
  }
  return p->rows;
}

static void step_part(void *argument, int part, int parts) {
  step_job *job = argument;
  const decoder_session *session = job->request->advances->session;
  const text_decoder *decoder = session->decoder;
  const int64_t C = decoder->dims.n_text_state, H = decoder->dims.n_text_head;
  pass p = {.job = job,
            .decoder = decoder,
            .kernels = decoder->context->kernels,
            .part = part,
            .parts = parts,
            .C = C,
            .H = H,
            .D = decoder->head_width,
            .is_by_heads = H % parts == 0 && C / parts % COLUMN_GRAIN == 0,
            .x = session->x,
            .attended = session->x + STEP_ROWS * C,
            .product = session->x + STEP_ROWS * 2 * C,
            .qkv = session->x + STEP_ROWS * 3 * C,
            .hidden = session->x + STEP_ROWS * 6 * C,
            .normed = session->scratch + part * scratch_floats(decoder)};
  p.scores = p.normed + STEP_ROWS * C;
  if (session->codes != NULL) p.codes = session->codes + part * STEP_ROWS * code_stride(decoder);
  for (int64_t first = 0, rows; (rows = lay_out(&p, first)) > 0; first += rows) {
    if (first > 0) { /* logits of the pass before may be read from x still */
      if (part == 0) atomic_store_explicit(&job->is_over, is_stopped(&p), memory_order_relaxed);
      end_phase(&p);
      if (atomic_load_explicit(&job->is_over, memory_order_relaxed)) return; /* all or none: it changes behind `embed` alone */
    }
    embed(&p);
    for (int64_t layer = 0; layer < decoder->dims.n_text_layer; layer++) run_layer(&p, layer);
    if (job->request->alignment == NULL)
      compute_logits(&p);
    else
      compute_probabilities(&p);
  }
}

int64_t scratch_floats(const text_decoder *decoder) {
  return STEP_ROWS * (int64_t)decoder->dims.n_text_state + score_floats(decoder);
}

void run_step(const step_request *request) {
  thread_pool *pool = request->advances->session->decoder->context->pool;
  step_job job = {.request = request, .barrier = {.parts = pool_threads(pool)}};
  pool_run(pool, step_part, &job);
}
