/* A matrix [N, K] in INT8, as `project_i8` reads it: one stream of blocks of 16 rows, of each its groups of 64 columns one
 * after the other, of each group
 *
 *   codes   [32, 16, 2] pairs of columns, of all rows: −127 … 127; zeros behind the last weight and the last row
 *   scales  F32 [16], one a row: weight = code · scale
 *
 * A vector then holds a pair of each row, and its products with a pair of activations are sums of as many rows: none has
 * to be added up across a vector, and scales are applied to 16 rows at once. A group is 17 lines of a cache; scales are
 * 6 % of what is read. */
#ifndef SOTTO_ROWS_I8_H
#define SOTTO_ROWS_I8_H

#include <stdint.h>

enum {
  I8_GROUP = 64,
  I8_BLOCK = 16,
  I8_GROUP_CODES = I8_BLOCK * I8_GROUP,
  I8_GROUP_BYTES = I8_GROUP_CODES + I8_BLOCK * (int)sizeof(float)
};

static inline int64_t i8_groups(int64_t K) { return (K + I8_GROUP - 1) / I8_GROUP; }

/* What rows of activations are filled up to. */
static inline int64_t i8_codes(int64_t K) { return i8_groups(K) * I8_GROUP; }

static inline int64_t i8_block_bytes(int64_t K) { return i8_groups(K) * I8_GROUP_BYTES; }

static inline int64_t i8_matrix_bytes(int64_t N, int64_t K) { return (N + I8_BLOCK - 1) / I8_BLOCK * i8_block_bytes(K); }

/* Where things lie, in bytes from the matrix's begin. */
static inline int64_t i8_group_at(int64_t n, int64_t group, int64_t K) {
  return n / I8_BLOCK * i8_block_bytes(K) + group * I8_GROUP_BYTES;
}
static inline int64_t i8_code_at(int64_t n, int64_t k, int64_t K) {
  return i8_group_at(n, k / I8_GROUP, K) + (k % I8_GROUP / 2 * I8_BLOCK + n % I8_BLOCK) * 2 + k % 2;
}
static inline int64_t i8_scale_at(int64_t n, int64_t group, int64_t K) {
  return i8_group_at(n, group, K) + I8_GROUP_CODES + n % I8_BLOCK * (int64_t)sizeof(float);
}

#endif
