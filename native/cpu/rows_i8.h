/* A matrix in INT8, as `project_i8` reads it: rows one behind the other, each
 *
 *   codes   ⌈K / 64⌉ groups of 64, each −127 … 127; zeros behind the last weight
 *   scales  F32, one a group: weight = code · scale
 *
 * filled up to 32 bytes: the matrix is one stream, and where it begins on a line of a cache no vector of codes lies on
 * two. A group of 64 is a line of codes. Scales are 6 % of what is read. */
#ifndef SOTTO_ROWS_I8_H
#define SOTTO_ROWS_I8_H

#include <stdint.h>

enum { I8_GROUP = 64, I8_ROW_GRAIN = 32 };

static inline int64_t i8_groups(int64_t K) { return (K + I8_GROUP - 1) / I8_GROUP; }

/* Codes of a row; also what rows of activations are filled up to. */
static inline int64_t i8_codes(int64_t K) { return i8_groups(K) * I8_GROUP; }

static inline int64_t i8_row_bytes(int64_t K) {
  const int64_t bytes = i8_codes(K) + i8_groups(K) * (int64_t)sizeof(float);
  return (bytes + I8_ROW_GRAIN - 1) / I8_ROW_GRAIN * I8_ROW_GRAIN;
}

#endif
