/* What the kernel tests share: arrays with guards around them, hostile contents, comparison, and the tolerances.
 *
 * A test compares a kernel with the definition of its operation in double precision. For each kernel the program prints
 * how many values it compared and the largest error as a share of what is tolerated, so that a tolerance far too wide is
 * seen as well as one that is broken. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "../cpu/kernels.h"

/* ---- Tolerances, all of them. `magnitude` is what the kernel's contract measures its error by. */

#define ROUNDING 0x1p-24 /* of one F32 operation, relative */
#define SMALLEST 0x1p-126 /* below this the result of a step may be flushed or rounded to a multiple of 2^-149 */

/* A sum of K products in F32, in whatever order; magnitude = Σ|a·b|. */
#define TOLERANCE_SUM(K, magnitude) (((double)(K) + 2) * ROUNDING * (magnitude) + SMALLEST)
/* A sum of what groups of 64 values give: INT8, whose integers are exact, or F16, whose roundings the test does too;
 * magnitude = Σ over groups of |what one gives|. */
#define TOLERANCE_GROUPS(K, magnitude) TOLERANCE_SUM((K) / 64 + 5, magnitude)
/* lanes/functions.h: 2e-8 · |x| and two roundings of the result. */
#define TOLERANCE_GELU(x, result) (2e-8 * (x) + 4 * ROUNDING * (result) + SMALLEST)
/* What products of less than F32 may add to that: |x| · Φ(−|x|) is at most 0.17, its relative error 7.5e-5. */
#define TOLERANCE_GELU_COARSE 1.5e-5
/* magnitude = the largest of the row's |in − mean| · scale · |weight| and |bias|; spread = the mean's size against the
 * row's deviation, which says how many digits the difference from it has left. */
#define TOLERANCE_LAYERNORM(magnitude, spread) (5e-7 * (magnitude) * (1 + (spread)))
/* magnitude = the largest |v|; score = the largest |q · k| / √D, whose rounding the exponential turns into an error. */
#define TOLERANCE_ATTENTION(magnitude, score) ((2e-6 + 8 * ROUNDING * (score)) * (magnitude))
/* Scores of rounded operands; what is left is the rounding of weights, 2⁻⁹ each and of one sign at worst, and the coarse
 * exponential; in INT8, whose rounding the test does too, a weight that fell to the other side, by 1/255. */
#define TOLERANCE_ATTENTION_HALF(magnitude, score) ((0x1p-8 + 8 * ROUNDING * (score)) * (magnitude))

/* Relative; exponent = the largest |scale · x|, whose rounding the exponential turns into an error. */
#define TOLERANCE_SOFTMAX(exponent) (5e-7 + 4 * ROUNDING * (exponent))
/* lanes/choose.h: relative. */
#define TOLERANCE_SUM_EXP 1e-6
/* lanes/mel.h: of a power against the frame's largest, and of its logarithm. */
#define TOLERANCE_POWER 1e-6
#define TOLERANCE_LOG 2e-6

/* ---- The record of one kernel. */

typedef struct {
  const char *kernel;
  int64_t compared;
  double worst; /* largest error / tolerance */
  int failures;
} kernel_check;

/* Prints the first few failures with the text that says which case it was. */
void check_close(kernel_check *check, double got, double want, double tolerance, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void check_true(kernel_check *check, int condition, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- Arrays. */

/* `count` floats between guards; unaligned by one float if `shift`. Ends the program where memory is refused. */
float *guarded_floats(int64_t count, int shift);
/* Fails if a guard was written to; frees the array. */
void guarded_free(kernel_check *check, float *values);

/* What arrays are filled with. */
typedef enum {
  FILL_RANDOM,    /* −1…1 */
  FILL_ZERO_ROWS, /* every other row 0 */
  FILL_ONE_HOT,   /* one row that is not 0, and it has one value that is not 0 */
  FILL_SUBNORMAL, /* below 2^-126 */
  FILL_SIGNED_ZERO,
  FILL_LARGE, /* about 1e15, so that products reach 1e30 */
  FILL_EXTREME, /* rows of +1, rows of −1: as INT8, sums as large as they get */
  FILL_COUNT
} fill_mode;

const char *fill_name(fill_mode mode);
void fill(float *values, int64_t rows, int64_t columns, fill_mode mode);

/* −1…1, the same sequence in every run. */
double random_uniform(void);

double gelu_of(double x);

/* ---- One test a slot, which kernel_list.h demands: a new slot without one does not link. */
#define SLOT(slot, type) void test_##slot(kernel_check *check, type *kernel);
SOTTO_KERNEL_SLOTS(SLOT)
#undef SLOT

#endif
