/* What choosing a token asks of its logits, against its definition: the highest exactly, sums in double precision. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_check.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Around every width that values are taken in, and more than two blocks of a sum. */
static const int64_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1023, 1024, 1025, 2500};

/* What logits are like. */
typedef enum {
  LOGITS_RANDOM,
  LOGITS_EQUAL,   /* few different values, so that most are equal to others */
  LOGITS_RISING,  /* every one a new highest */
  LOGITS_HOLES,   /* NaN of both signs, −∞ and ±0 among them */
  LOGITS_LARGE,   /* about 1000, whose F32 have few digits */
  LOGITS_LOW,     /* one far above all others, which weigh nothing */
  LOGITS_NONE,    /* all forbidden */
  LOGITS_COUNT
} logits_mode;

static float logit_of(logits_mode mode, int64_t i, int64_t n) {
  const float random = (float)(random_uniform() * 10);
  const int kind = (int)((random_uniform() + 1) * 4);
  switch (mode) {
    case LOGITS_EQUAL: return (float)(kind / 2);
    case LOGITS_RISING: return (float)i / 64;
    case LOGITS_HOLES: {
      const float holes[] = {NAN, -INFINITY, -NAN, 0.0f, -0.0f};
      return kind < 5 ? holes[kind] : random;
    }
    case LOGITS_LARGE: return 1000 + random;
    case LOGITS_LOW: return i == n / 3 ? 40 : -80 + random;
    case LOGITS_NONE: return i % 2 ? NAN : -INFINITY;
    default: return random;
  }
}

static float *make_logits(logits_mode mode, int64_t n) {
  float *values = guarded_floats(n, 1);
  for (int64_t i = 0; i < n; i++) values[i] = logit_of(mode, i, n);
  return values;
}

/* The next place in falling order behind `last` (-1: the first), or -1: by looking at all of them each time. */
static int64_t next_highest(const float *values, int64_t n, int64_t last) {
  int64_t best = -1;
  for (int64_t i = 0; i < n; i++) {
    if (!(values[i] > -INFINITY)) continue;
    if (last >= 0 && !(values[i] < values[last] || (values[i] == values[last] && i > last))) continue;
    if (best < 0 || values[i] > values[best]) best = i;
  }
  return best;
}

void test_highest(kernel_check *check, highest_kernel *kernel) {
  enum { MOST = 33 };
  const int64_t mosts[] = {1, 2, 6, MOST};
  for (logits_mode mode = 0; mode < LOGITS_COUNT; mode++)
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
      for (size_t m = 0; m < COUNT_OF(mosts); m++) {
        const int64_t n = sizes[s], most = mosts[m];
        float *values = make_logits(mode, n);
        int32_t places[MOST + 1];
        for (int64_t i = 0; i <= MOST; i++) places[i] = -7;
        const int64_t count = kernel(values, n, most, places);
        int64_t want = -1, found = 0;
        for (; found < most && (want = next_highest(values, n, want)) >= 0; found++)
          check_true(check, places[found] == want, "place %lld of %lld values, mode %d, is %lld: got %d", (long long)found,
                     (long long)n, (int)mode, (long long)want, places[found]);
        check_true(check, count == found, "%lld values, mode %d, have %lld: got %lld", (long long)n, (int)mode,
                   (long long)found, (long long)count);
        check_true(check, places[most] == -7, "%lld places and no more", (long long)most);
        guarded_free(check, values);
      }
}

void test_sum_exp(kernel_check *check, sum_exp_kernel *kernel) {
  for (logits_mode mode = 0; mode < LOGITS_COUNT; mode++)
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
      const int64_t n = sizes[s];
      float *values = make_logits(mode, n);
      const int64_t at = next_highest(values, n, -1);
      const float highest = at < 0 ? 0 : values[at];
      double want = 0;
      for (int64_t i = 0; i < n; i++)
        if (values[i] > -INFINITY) want += exp((double)values[i] - highest);
      check_close(check, kernel(values, n, highest), want, TOLERANCE_SUM_EXP * want, "%lld values, mode %d", (long long)n,
                  (int)mode);
      guarded_free(check, values);
    }
}
