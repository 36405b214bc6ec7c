/* sotto_cpu_log_mel: tables, checks, and the frames split over the threads. */
#include <math.h>
#include <stdlib.h>

#include "context.h"
#include "mel.h"
#include "status.h"

typedef struct {
  const cpu_context *context;
  const mel_tables *tables;
  const float *samples;
  int64_t frames;
  float *out;
} mel_job;

/* Frames a thread takes at a time: a multiple of every variant's lanes. */
enum { FRAME_GRAIN = 16 };

static void run_part(void *argument, int part, int parts) {
  const mel_job *job = argument;
  const share frames = share_of(job->frames, FRAME_GRAIN, part, parts);
  if (frames.begin < frames.end)
    job->context->kernels->mel_f32(job->tables, job->samples + frames.begin * MEL_HOP, frames.end - frames.begin,
                                   job->out + frames.begin * job->tables->bands);
}

static void fill_tables(mel_tables *tables) {
  const double turn = 6.283185307179586476925 / MEL_WINDOW;
  for (int n = 0; n < MEL_WINDOW; n++) {
    tables->window[n] = (float)(0.5 - 0.5 * cos(turn * n));
    tables->cosine[n] = (float)cos(turn * n);
    tables->sine[n] = (float)-sin(turn * n);
  }
}

/* Mel filters are triangles over few bins; any other bank works as well, only slower. */
static void find_bins(const float *filters, int32_t bands, int32_t *first, int32_t *end) {
  for (int32_t b = 0; b < bands; b++) {
    const float *const filter = filters + (int64_t)b * MEL_BINS;
    first[b] = 0;
    end[b] = MEL_BINS;
    while (first[b] < end[b] && filter[first[b]] == 0) first[b]++;
    while (end[b] > first[b] && filter[end[b] - 1] == 0) end[b]--;
  }
}

static int32_t check(const float *samples, size_t samples_length, const float *filters, size_t filters_length,
                     const float *out, size_t out_length, int32_t frames, int32_t bands, error_sink error) {
  if (frames < 1)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot compute log-mel because frames must be at least 1: got %d",
                frames);
  if (bands < 1 || bands > MEL_BINS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot compute log-mel because bands must be 1 to %d: got %d",
                MEL_BINS, bands);
  const size_t needed = (size_t)(frames - 1) * MEL_HOP + MEL_WINDOW;
  if (samples == NULL || samples_length < needed)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot compute log-mel because %d frames need %zu samples: got %zu",
                frames, needed, samples == NULL ? 0 : samples_length);
  if (filters == NULL || filters_length != (size_t)bands * MEL_BINS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot compute log-mel because %d filters have %zu values: got %zu",
                bands, (size_t)bands * MEL_BINS, filters == NULL ? 0 : filters_length);
  if (out == NULL || out_length != (size_t)frames * (size_t)bands)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot compute log-mel because the output has %zu values: got %zu",
                (size_t)frames * (size_t)bands, out == NULL ? 0 : out_length);
  return SOTTO_OK;
}

int32_t sotto_cpu_log_mel(uint64_t context, const float *samples, size_t samples_length, const float *filters,
                          size_t filters_length, float *out, size_t out_length, int32_t frames, int32_t bands,
                          char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  int32_t status = check(samples, samples_length, filters, filters_length, out, out_length, frames, bands, error);
  if (status != SOTTO_OK) return status;
  cpu_context *owner = (cpu_context *)handle_acquire(context, HANDLE_CONTEXT);
  if (owner == NULL)
    return fail(error, SOTTO_INVALID_HANDLE, "Cannot compute log-mel because the context is not open");
  mel_tables *tables = malloc(sizeof *tables + 2 * sizeof(int32_t) * (size_t)bands);
  if (tables == NULL) {
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot compute log-mel because memory was refused");
  } else {
    int32_t *const bins = (int32_t *)(tables + 1);
    fill_tables(tables);
    find_bins(filters, bands, bins, bins + bands);
    tables->bands = bands;
    tables->filters = filters;
    tables->first = bins;
    tables->end = bins + bands;
    mel_job job = {owner, tables, samples, frames, out};
    pool_run(owner->pool, run_part, &job);
    free(tables);
  }
  object_release(&owner->object);
  return status;
}
