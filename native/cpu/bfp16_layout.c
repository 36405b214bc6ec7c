#include "bfp16_layout.h"

enum { ROWS = BFP16_SUBTILE_ROWS, SUBTILE_BYTES = ROWS * BFP16_BLOCK_BYTES, TILE_COLUMN_STEP = ROWS * BFP16_BLOCK };

/* `size` holds `least` and is a multiple of `step`. */
static int is_size(int64_t size, int64_t least, int64_t step) { return size >= least && size % step == 0; }

int32_t bfp16_layout_read(int32_t rows, int32_t columns, const int32_t *words, size_t words_length,
                          bfp16_layout *layout, error_sink error) {
  if (words == NULL || words_length != SOTTO_BFP16_LAYOUT_WORDS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because the layout must have %d words: got %zu",
                SOTTO_BFP16_LAYOUT_WORDS, words == NULL ? 0 : words_length);
  *layout = (bfp16_layout){rows, columns, words[0], words[1], words[2], words[3], words[4]};
  const bfp16_layout l = *layout;
  if (rows < 1 || columns < 1)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because rows and columns must be at least 1: got %d × %d",
                rows, columns);
  if (words[0] != 0 && words[0] != 1)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because the order must be 0 or 1: got %d", words[0]);
  if (!is_size(l.stored_rows, rows, l.is_dim32 ? ROWS : 1) || !is_size(l.stored_columns, columns, BFP16_BLOCK))
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot convert because %d × %d values do not fit into %d × %d stored, which must be multiples of %d × %d",
                rows, columns, words[1], words[2], l.is_dim32 ? ROWS : 1, BFP16_BLOCK);
  const int is_narrow = l.tile_columns != l.stored_columns;
  const int is_tiled = is_size(l.tile_rows, 1, l.is_dim32 ? ROWS : 1) &&
                       is_size(l.tile_columns, 1, is_narrow ? TILE_COLUMN_STEP : BFP16_BLOCK) &&
                       l.stored_rows % l.tile_rows == 0 && l.stored_columns % l.tile_columns == 0;
  if (!is_tiled)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot convert because tiles of multiples of %d × %d must divide the %d × %d stored: got %d × %d", ROWS,
                TILE_COLUMN_STEP, words[1], words[2], words[3], words[4]);
  return SOTTO_OK;
}

int64_t bfp16_layout_bytes(const bfp16_layout *layout) {
  return layout->stored_rows * (layout->stored_columns / BFP16_BLOCK) * BFP16_BLOCK_BYTES;
}

bfp16_run bfp16_layout_run(const bfp16_layout *layout, int64_t row, int64_t column) {
  const int64_t row_bytes = layout->stored_columns / BFP16_BLOCK * BFP16_BLOCK_BYTES;
  if (!layout->is_dim32)
    return (bfp16_run){0, layout->stored_columns, row * row_bytes, row_bytes, BFP16_BLOCK_BYTES};
  /* A band of subtiles is as many bytes as 8 rows; as wide as the matrix, it lies where those rows lay. */
  if (layout->tile_columns == layout->stored_columns)
    return (bfp16_run){0, layout->stored_columns, row * row_bytes, BFP16_BLOCK_BYTES, SUBTILE_BYTES};
  /* In a narrower tile it is 8 rows of the tile's rectangle, each an eighth of the subtiles. */
  const int64_t in_tile = column % layout->tile_columns, columns = layout->tile_columns / ROWS;
  const int64_t tile_offset = column / layout->tile_columns * (layout->tile_columns / BFP16_BLOCK * BFP16_BLOCK_BYTES);
  return (bfp16_run){column, columns, (row + in_tile / columns) * row_bytes + tile_offset, BFP16_BLOCK_BYTES,
                     SUBTILE_BYTES};
}
