/* From the scores of a text's alignment heads to where each of its tokens begins: what
 * kernels/portable/alignment_path.ts computes. But for softmax (its last bit, and 0 below 2^-126), the numbers are the same
 * bits.
 *
 * Letters: H heads, N tokens, T audio positions, P of them that hold audio, R rows of the path. */
#ifndef SOTTO_ALIGNMENT_PATH_H
#define SOTTO_ALIGNMENT_PATH_H

#include "context.h"

typedef struct {
  int64_t heads, tokens, positions; /* H, N, T */
  int64_t held;                     /* P, 1…T */
  int64_t start;                    /* tokens before the text, 1…N − 1: R = N − start */
  float *scores;                    /* [H, N, T]; overwritten */
  float *scratch;                   /* path_scratch_floats, aligned to SOTTO_ALIGNMENT */
  int32_t *entries;                 /* [R]: the position at which each row is entered; receives the result */
} alignment_path;

/* Floats of scratch that find_path needs on so many threads. */
size_t path_scratch_floats(const alignment_path *path, int threads);

/* Walks on all threads of the context. */
void find_path(const cpu_context *context, const alignment_path *path);

#endif
