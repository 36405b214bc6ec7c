/* What the log-mel kernels share: tables made once a call, and the kernel's signature.
 *
 * The transform of 400 real points is one of 200 complex points: z[n] = x[2n] + i·x[2n+1], 200 = 5 · 5 · 8. */
#ifndef SOTTO_MEL_H
#define SOTTO_MEL_H

#include <stdint.h>

enum {
  MEL_WINDOW = 400, /* samples of a frame: 25 ms at 16 kHz */
  MEL_HOP = 160,    /* from frame to frame: 10 ms */
  MEL_BINS = MEL_WINDOW / 2 + 1,
  MEL_HALF = MEL_WINDOW / 2
};

/* The smallest mel power that is told from silence. */
#define MEL_FLOOR 1e-10f

typedef struct {
  float window[MEL_WINDOW];       /* Hann, periodic: ½ − ½ cos(2πn/400) */
  float cosine[MEL_WINDOW];       /* cos(2πn/400) */
  float sine[MEL_WINDOW];         /* −sin(2πn/400): e^(−2πin/400) = cosine + i·sine */
  int32_t bands;
  const float *filters;           /* [bands, MEL_BINS] */
  const int32_t *first, *end;     /* [bands]: the bins where a filter is not 0 */
} mel_tables;

/* out [frames, bands] = log10(max(mel power, 1e-10)) of frames that begin at samples + MEL_HOP · i. */
typedef void mel_kernel(const mel_tables *tables, const float *samples, int64_t frames, float *out);

#endif
