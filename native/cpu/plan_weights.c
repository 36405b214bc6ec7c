/* Reads a plan's weights from their files: converted to F32, checked, packed as the kernels want them, on all threads. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "memory.h"
#include "plan.h"

typedef struct {
  const cpu_plan *plan;
  const weight_load *loads;
  size_t count;
  atomic_llong *non_finite; /* [count, MAX_GEMM_PARTS] */
  float *rows;              /* for each thread nr + 1 rows of the matrix that needs most */
  size_t rows_stride;       /* floats of one thread */
} loading;

static int64_t count_non_finite(const float *values, int64_t count) {
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    found += (bits & 0x7f800000u) == 0x7f800000u; /* all ones in the exponent */
  }
  return found;
}

static void note_non_finite(const loading *l, size_t load, int part, int64_t found) {
  if (found > 0) atomic_fetch_add_explicit(&l->non_finite[load * MAX_GEMM_PARTS + (size_t)part], found, memory_order_relaxed);
}

static void load_vector(const loading *l, size_t index) {
  const weight_load *load = &l->loads[index];
  float *out = (float *)(l->plan->weights + load->offset) + load->first;
  weight_to_f32(&load->stored[0], 0, load->n[0], out);
  note_non_finite(l, index, 0, count_non_finite(out, load->n[0]));
}

/* [channels, taps] to [taps, channels]. */
static void gather_taps(const float *in, int64_t channels, int64_t taps, float *out) {
  for (int64_t c = 0; c < channels; c++)
    for (int64_t t = 0; t < taps; t++) out[t * channels + c] = in[c * taps + t];
}

/* Panel `panel`: rows panel · nr … of the parts laid side by side. */
static void load_panel(const loading *l, size_t index, int64_t panel, float *rows) {
  const weight_load *load = &l->loads[index];
  const int64_t k = load->k;
  float *as_stored = rows + (size_t)load->kernel->nr * (size_t)k;
  int64_t row = panel * load->kernel->nr;
  int part = 0, count = 0;
  if (load->has_scales) weight_to_f32(&load->stored[COLUMN_SCALES], 0, k, as_stored); /* no taps: the place is free */
  for (; part < load->parts && row >= load->n[part]; part++) row -= load->n[part];
  while (count < load->kernel->nr && part < load->parts) {
    float *out = rows + count * k, *converted = load->taps == 1 ? out : as_stored;
    weight_to_f32(&load->stored[part], row * k, k, converted);
    if (load->has_scales)
      for (int64_t i = 0; i < k; i++) out[i] *= as_stored[i];
    note_non_finite(l, index, part, count_non_finite(converted, k));
    if (load->taps != 1) gather_taps(converted, k / load->taps, load->taps, out);
    count++;
    if (++row == load->n[part]) part++, row = 0;
  }
  gemm_weights weights = {.k = k, .panels = l->plan->weights + load->offset};
  load->kernel->pack_panel(rows, k, count, k, gemm_panel(load->kernel, &weights, panel));
}

static void load_part(void *context, int part, int parts) {
  const loading *l = context;
  float *rows = l->rows + (size_t)part * l->rows_stride;
  for (size_t i = 0; i < l->count; i++) {
    if (l->loads[i].kind == LOAD_VECTOR) {
      if ((int)(i % (size_t)parts) == part) load_vector(l, i);
      continue;
    }
    const int64_t nr = l->loads[i].kernel->nr;
    int64_t n = 0;
    for (int p = 0; p < l->loads[i].parts; p++) n += l->loads[i].n[p];
    share panels = share_of((n + nr - 1) / nr, 1, part, parts);
    for (int64_t panel = panels.begin; panel < panels.end; panel++) load_panel(l, i, panel, rows);
  }
}

static int32_t report_non_finite(const loading *l, error_sink error) {
  for (size_t i = 0; i < l->count; i++)
    for (int part = 0; part < l->loads[i].parts; part++) {
      long long found = atomic_load(&l->non_finite[i * MAX_GEMM_PARTS + (size_t)part]);
      if (found > 0)
        return fail(error, SOTTO_NON_FINITE, "Cannot use weight %" PRId64 " because it must be finite: got %lld NaN or infinite values",
                    l->loads[i].index[part], found);
    }
  return SOTTO_OK;
}

int32_t plan_load_weights(cpu_plan *plan, const weight_load *loads, size_t count, error_sink error) {
  loading l = {.plan = plan, .loads = loads, .count = count};
  const size_t threads = (size_t)pool_threads(plan->context->pool);
  for (size_t i = 0; i < count; i++) {
    if (loads[i].kind != LOAD_PANELS) continue;
    size_t floats = (size_t)(loads[i].kernel->nr + 1) * (size_t)loads[i].k;
    if (floats > l.rows_stride) l.rows_stride = floats;
  }
  l.rows_stride = round_up(l.rows_stride, SOTTO_ALIGNMENT / sizeof(float));
  l.rows = memory_allocate(l.rows_stride * threads * sizeof(float));
  l.non_finite = calloc(count * MAX_GEMM_PARTS + 1, sizeof *l.non_finite);
  int32_t status;
  if (l.rows == NULL || l.non_finite == NULL) {
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot read weights because memory was refused");
  } else {
    pool_run(plan->context->pool, load_part, &l);
    for (size_t i = 0; i < count; i++)
      for (int part = 0; part < loads[i].parts; part++) weight_forget(&loads[i].stored[part]);
    status = report_non_finite(&l, error);
  }
  memory_free(l.rows);
  free(l.non_finite);
  return status;
}
