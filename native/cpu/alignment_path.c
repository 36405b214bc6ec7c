/* Where the tokens of a text begin, from the scores of its alignment heads (openai-whisper, whisper/timing.py):
 *
 *   softmax over the P positions;  each position standardized over the N tokens;  the median of seven positions;
 *   the mean of the heads;  the cheapest way through the negative of that, by dynamic time warping
 *
 * Sums are doubles and go over tokens and heads in their order, so that the path is the portable device's. Threads
 * share the rows of softmax, then blocks of positions: few enough that what all heads say of them stays in the cache
 * between the readings for mean, variance and median. */
#include <math.h>
#include <string.h>

#include "alignment_path.h"
#include "memory.h"

enum {
  MEDIAN_WIDTH = 7, /* 0.14 s (openai-whisper, find_alignment) */
  HALF = MEDIAN_WIDTH / 2,
  BLOCK = 64,
  SEEN = HALF + BLOCK + HALF /* positions that a block's medians depend on */
};

/* Of one head, over all tokens. */
typedef struct {
  double mean[SEEN];
  double scale[SEEN]; /* one over the standard deviation; 0 where all values are equal */
} position_statistics;

typedef struct {
  const alignment_path *path;
  const kernel_table *kernels;
  position_statistics *statistics; /* of each thread [H] */
  float *costs;                    /* [R, P] */
} path_job;

static int64_t path_rows(const alignment_path *path) { return path->tokens - path->start; }

static size_t cost_floats(const alignment_path *path) {
  return round_up((size_t)(path_rows(path) * path->held), SOTTO_ALIGNMENT / sizeof(float));
}

size_t path_scratch_floats(const alignment_path *path, int threads) {
  const size_t statistics = (size_t)threads * (size_t)path->heads * sizeof(position_statistics);
  return cost_floats(path) + statistics / sizeof(float);
}

static void softmax_part(void *argument, int part, int parts) {
  const path_job *job = argument;
  const alignment_path *path = job->path;
  const share rows = share_of(path->heads * path->tokens, 1, part, parts);
  for (int64_t r = rows.begin; r < rows.end; r++) {
    float *const row = path->scores + r * path->positions;
    const float inverse = 1 / job->kernels->softmax_f32(row, path->held, 1);
    for (int64_t p = 0; p < path->held; p++) row[p] *= inverse;
  }
}

/* Of `count` ≤ SEEN positions from `weights` on. */
static void describe(const alignment_path *path, const float *weights, int64_t count, position_statistics *out) {
  double variance[SEEN] = {0};
  memset(out->mean, 0, sizeof out->mean);
  for (int64_t n = 0; n < path->tokens; n++)
    for (int64_t p = 0; p < count; p++) out->mean[p] += weights[n * path->positions + p];
  for (int64_t p = 0; p < count; p++) out->mean[p] /= (double)path->tokens;
  for (int64_t n = 0; n < path->tokens; n++)
    for (int64_t p = 0; p < count; p++) {
      const double away = weights[n * path->positions + p] - out->mean[p];
      variance[p] += away * away;
    }
  for (int64_t p = 0; p < count; p++) out->scale[p] = variance[p] > 0 ? sqrt((double)path->tokens / variance[p]) : 0;
}

static inline float lower(float a, float b) { return a < b ? a : b; }
static inline float higher(float a, float b) { return a < b ? b : a; }

/* The median of seven. Of any five neither the least nor the largest can be it; nor, of the three left and a sixth, the
 * least or the largest; it is the median of the two left and the seventh. Without branches, so that it is computed for
 * as many positions at a time as a vector has. */
static inline float median(const float *x) {
  const float low0 = lower(x[0], x[1]), high0 = higher(x[0], x[1]);
  const float low1 = lower(x[2], x[3]), high1 = higher(x[2], x[3]);
  const float a = higher(low0, low1), b = lower(high0, high1);
  const float c = lower(higher(x[4], lower(low0, low1)), higher(high0, high1));
  const float d = higher(lower(a, b), lower(c, x[5]));
  const float e = lower(higher(a, b), higher(c, x[5]));
  return higher(lower(d, e), lower(higher(d, e), x[6]));
}

/* costs [R, P], columns [first, first + count): less the mean of the heads' medians. */
static void fill_costs(const path_job *job, position_statistics *statistics, int64_t first, int64_t count) {
  const alignment_path *path = job->path;
  const int64_t H = path->heads, N = path->tokens, T = path->positions, P = path->held;
  const int64_t begin = first < HALF ? 0 : first - HALF, end = P - first < count + HALF ? P : first + count + HALF;
  for (int64_t h = 0; h < H; h++) describe(path, path->scores + h * N * T + begin, end - begin, &statistics[h]);
  /* Row n is the query that token n + 1 is written by. */
  for (int64_t r = 0; r < path_rows(path); r++) {
    double sum[BLOCK] = {0};
    for (int64_t h = 0; h < H; h++) {
      const float *const row = path->scores + (h * N + path->start - 1 + r) * T + begin;
      float seen[SEEN + HALF], *const at = seen + (begin - first + HALF); /* position `first` at seen[HALF] */
      for (int64_t p = 0; p < end - begin; p++)
        at[p] = (float)((row[p] - statistics[h].mean[p]) * statistics[h].scale[p]);
      if (P <= HALF) { /* nothing to mirror */
        for (int64_t p = 0; p < count; p++) sum[p] += at[p];
        continue;
      }
      float *const last = at + (end - begin - 1);
      for (int64_t p = 1; p <= HALF && begin == first; p++) at[-p] = at[p];
      for (int64_t p = 1; p <= HALF && end == P; p++) last[p] = last[-p];
      for (int64_t p = 0; p < count; p++) sum[p] += median(seen + p);
    }
    for (int64_t p = 0; p < count; p++) job->costs[r * P + first + p] = -(float)(sum[p] / (double)H);
  }
}

static void cost_part(void *argument, int part, int parts) {
  const path_job *job = argument;
  const share columns = share_of(job->path->held, BLOCK, part, parts);
  for (int64_t p = columns.begin; p < columns.end; p += BLOCK)
    fill_costs(job, job->statistics + part * job->path->heads, p, columns.end - p < BLOCK ? columns.end - p : BLOCK);
}

/* costs [rows, columns] become the least sums of the ways to each cell: one row, one column or both at a time. Of ways
 * equally dear the one along the row is taken. */
static void sum_costs(float *costs, int64_t rows, int64_t columns) {
  for (int64_t j = 1; j < columns; j++) costs[j] += costs[j - 1];
  for (int64_t i = 1; i < rows; i++) {
    const float *const above = costs + (i - 1) * columns;
    float *const here = costs + i * columns;
    float before = here[0] += above[0];
    for (int64_t j = 1; j < columns; j++) {
      const float both = above[j - 1], row = above[j];
      const float other = both < row ? both : row < both ? row : INFINITY;
      before = here[j] += other < before ? other : before;
    }
  }
}

/* Walks the cheapest way from its end; the sums say where it came from. */
static void walk_back(const float *sums, int64_t rows, int64_t columns, int32_t *entries) {
  for (int64_t i = rows - 1, j = columns - 1; i >= 0 && j >= 0;) {
    entries[i] = (int32_t)j;
    const float *const here = sums + i * columns + j;
    const float both = i > 0 && j > 0 ? here[-columns - 1] : INFINITY;
    const float row = i > 0 ? here[-columns] : INFINITY, column = j > 0 ? here[-1] : INFINITY;
    const int is_both = both < row && both < column, is_row = row < both && row < column;
    if (is_both || is_row) i--;
    if (!is_row) j--;
  }
}

void find_path(const cpu_context *context, const alignment_path *path) {
  const path_job job = {.path = path,
                        .kernels = context->kernels,
                        .costs = path->scratch,
                        .statistics = (position_statistics *)(void *)(path->scratch + cost_floats(path))};
  pool_run(context->pool, softmax_part, (void *)&job);
  pool_run(context->pool, cost_part, (void *)&job);
  sum_costs(job.costs, path_rows(path), path->held);
  walk_back(job.costs, path_rows(path), path->held, path->entries);
}
