/* Where the blocks of a BFP16 matrix lie: rows, or the DIM32 order of subtiles of 8 rows × 9 bytes, by kernel tiles.
 * tensor/bfp16_layout.ts has the picture. */
#ifndef SOTTO_BFP16_LAYOUT_H
#define SOTTO_BFP16_LAYOUT_H

#include <stdint.h>

#include "format_kernels.h"
#include "status.h"

/* A matrix [rows, columns] inside [stored_rows, stored_columns]. */
typedef struct {
  int64_t rows, columns;
  int is_dim32;
  int64_t stored_rows, stored_columns, tile_rows, tile_columns;
} bfp16_layout;

/* Reads the SOTTO_BFP16_LAYOUT_WORDS of the interface and checks that everything fits. */
int32_t bfp16_layout_read(int32_t rows, int32_t columns, const int32_t *words, size_t words_length,
                          bfp16_layout *layout, error_sink error);

int64_t bfp16_layout_bytes(const bfp16_layout *layout);

/* A run of blocks evenly spaced in memory: columns [column, column + columns) of a band, up to 8 rows from a multiple
 * of 8. */
typedef struct {
  int64_t column, columns;
  int64_t offset;     /* of the first block, in bytes */
  int64_t row_step;   /* bytes between rows */
  int64_t block_step; /* bytes between blocks of a row */
} bfp16_run;

/* The run of a band that begins at a column: 0, then where the last run ended. Columns of padding belong to it. */
bfp16_run bfp16_layout_run(const bfp16_layout *layout, int64_t row, int64_t column);

#endif
