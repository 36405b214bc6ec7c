#include "gemm.h"

#include "memory.h"

static int64_t ceil_div(int64_t count, int64_t by) { return (count + by - 1) / by; }

/* Bytes of `depth` columns of a tile or panel whose granule has `step_bytes`. */
static size_t depth_bytes(const gemm_kernel *kernel, int step_bytes, int64_t depth) {
  return (size_t)ceil_div(depth, kernel->k_step) * (size_t)step_bytes;
}

/* Panels begin at cache lines. */
static size_t panel_bytes(const gemm_kernel *kernel, int64_t k) {
  return round_up(depth_bytes(kernel, kernel->b_step_bytes, k), SOTTO_ALIGNMENT);
}

/* Blocks of a tile begin at cache lines, and lie one behind the other: so offsets of whole blocks are simple. */
static size_t tile_block_bytes(const gemm_kernel *kernel, int64_t depth) {
  return round_up(depth_bytes(kernel, kernel->a_step_bytes, depth), SOTTO_ALIGNMENT);
}

size_t gemm_tile_bytes(const gemm_kernel *kernel, int64_t k) {
  return (size_t)ceil_div(k, kernel->kc) * tile_block_bytes(kernel, kernel->kc);
}

size_t gemm_sums_bytes(const gemm_kernel *kernel) {
  return round_up((size_t)kernel->mr * (size_t)kernel->nr * sizeof(float), SOTTO_ALIGNMENT);
}

/* A deep product gets a few tiles even if they leave the cache: each panel of B is read once for all of them, and B is
 * the larger. */
enum { MIN_TILES = 4 };

static int64_t tiles_at_a_time(const gemm_kernel *kernel, int64_t k) {
  const int64_t fitting = kernel->block_bytes / (int64_t)gemm_tile_bytes(kernel, k);
  return fitting > MIN_TILES ? fitting : MIN_TILES;
}

int64_t gemm_block_rows(const gemm_kernel *kernel, int64_t k) { return tiles_at_a_time(kernel, k) * kernel->mr; }

size_t gemm_panels_bytes(const gemm_kernel *kernel, int64_t n, int64_t k) {
  return (size_t)ceil_div(n, kernel->nr) * panel_bytes(kernel, k);
}

void *gemm_panel(const gemm_kernel *kernel, const gemm_weights *weights, int64_t index) {
  return (char *)weights->panels + (size_t)index * panel_bytes(kernel, weights->k);
}

int64_t gemm_unit_columns(const gemm_kernel *kernel, const gemm_kernel *next) {
  int64_t columns = kernel->nr;
  while (next != NULL && columns % next->k_step != 0) columns += kernel->nr;
  return columns;
}

/* Tiles whose results wait to be packed: their rows in F32 stay in the first-level cache with a panel (12 KiB; 2 to 64 tiles
 * made no difference above the noise, the scratch is the least here). */
enum { WAITING_TILES = 4 };

/* Bytes of results that wait to become tiles of `next`. */
static size_t waiting_bytes(const gemm_kernel *kernel, const gemm_kernel *next) {
  if (next == NULL) return 0;
  return round_up((size_t)(WAITING_TILES * kernel->mr * gemm_unit_columns(kernel, next)) * sizeof(float), SOTTO_ALIGNMENT);
}

size_t gemm_scratch_bytes(const gemm_kernel *kernel, int64_t k, const gemm_kernel *next) {
  return (size_t)tiles_at_a_time(kernel, k) * (gemm_tile_bytes(kernel, k) + gemm_sums_bytes(kernel)) +
         waiting_bytes(kernel, next);
}

void gemm_pack_columns(const gemm_tiles *to, int64_t tile, int64_t column, const float *rows, int64_t stride, int count,
                       int64_t columns) {
  const gemm_kernel *kernel = to->kernel;
  char *block = (char *)to->tiles + (size_t)tile * gemm_tile_bytes(kernel, to->k) +
                (size_t)(column / kernel->kc) * tile_block_bytes(kernel, kernel->kc);
  kernel->pack_tile(&(gemm_rows){rows, 0, stride, (count - 1) * stride + columns}, 0, count, 0, columns,
                    block + depth_bytes(kernel, kernel->a_step_bytes, column % kernel->kc));
}

/* How many threads share the rows, of `parts`: the others share the columns. The split whose largest share is least work:
 * packing a tile takes about as long as one panel of it (1.1 in INT8, where that counts most, to 0.2 in F32). */
static int parts_over_rows(int64_t tiles, int64_t panels, int parts) {
  int best = parts;
  int64_t least = INT64_MAX;
  for (int rows = parts; rows >= 1; rows--) {
    if (parts % rows != 0) continue;
    int64_t work = ceil_div(tiles * (ceil_div(panels, parts / rows) + 1), rows);
    if (work < least) {
      least = work;
      best = rows;
    }
  }
  return best;
}

/* Asks for a tile's addend before its product begins: pieces of rows far apart, which no hardware foresees. */
static void fetch_addend(const gemm_store *store) {
  for (int r = 0; r < store->rows; r++)
    for (int c = 0; c < store->columns; c += SOTTO_ALIGNMENT / (int)sizeof(float))
      __builtin_prefetch(store->addend + r * store->addend_stride + c);
}

/* As gemm_multiply_panel, with `out` for what the first row of the first tile has in the panel's first column. */
static void multiply_panel(const gemm_product *p, const char *packed, float *sums, int64_t row, int64_t tiles,
                           int64_t panel, float *out, int64_t out_stride) {
  const gemm_kernel *kernel = p->kernel;
  const int64_t k = p->b->k, column = panel * kernel->nr;
  const int64_t columns = p->b->n - column < kernel->nr ? p->b->n - column : kernel->nr;
  const char *b = gemm_panel(kernel, p->b, panel);
  for (int64_t begin = 0; begin < k; begin += kernel->kc) {
    const int64_t depth = k - begin < kernel->kc ? k - begin : kernel->kc;
    const char *b_block = b + depth_bytes(kernel, kernel->b_step_bytes, begin);
    const char *a_block = packed + (size_t)(begin / kernel->kc) * tile_block_bytes(kernel, kernel->kc);
    for (int64_t i = 0; i < tiles; i++) {
      const int64_t r = row + i * kernel->mr;
      const gemm_store store = {
          .out = out + i * kernel->mr * out_stride,
          .out_stride = out_stride,
          .rows = (int)(p->m - r < kernel->mr ? p->m - r : kernel->mr),
          .columns = (int)columns,
          .bias = p->b->bias == NULL ? NULL : p->b->bias + column,
          .addend = p->addend == NULL ? NULL : p->addend + r * p->addend_stride + column,
          .addend_stride = p->addend_stride,
          .is_gelu = p->is_gelu,
      };
      if (store.addend != NULL && begin + depth == k) fetch_addend(&store);
      kernel->multiply(depth, a_block + (size_t)i * gemm_tile_bytes(kernel, k), b_block,
                       (float *)((char *)sums + (size_t)i * gemm_sums_bytes(kernel)), begin == 0,
                       begin + depth == k ? &store : NULL);
    }
  }
}

void gemm_multiply_panel(const gemm_product *p, const char *packed, float *sums, int64_t row, int64_t tiles,
                         int64_t panel) {
  multiply_panel(p, packed, sums, row, tiles, panel, p->out + row * p->out_stride + panel * p->kernel->nr, p->out_stride);
}

/* Multiplies them with `count` panels that make one unit of the next product's tiles, and packs what results; `waiting` has
 * room for it. */
static void multiply_unit(const gemm_product *p, const char *packed, float *sums, float *waiting, int64_t row,
                          int64_t tiles, int64_t panel, int64_t count) {
  const gemm_kernel *kernel = p->kernel;
  const int64_t stride = gemm_unit_columns(kernel, p->to.kernel), column = panel * kernel->nr;
  const int64_t columns = p->b->n - column < stride ? p->b->n - column : stride;
  for (int64_t done = 0; done < tiles; done += WAITING_TILES) {
    const int64_t here = tiles - done < WAITING_TILES ? tiles - done : WAITING_TILES;
    const char *first = packed + (size_t)done * gemm_tile_bytes(kernel, p->b->k);
    for (int64_t i = 0; i < count; i++)
      multiply_panel(p, first, sums, row + done * kernel->mr, here, panel + i, waiting + i * kernel->nr, stride);
    for (int64_t i = 0; i < here; i++) {
      const int64_t r = row + (done + i) * kernel->mr;
      gemm_pack_columns(&p->to, r / kernel->mr, column, waiting + i * kernel->mr * stride, stride,
                        (int)(p->m - r < kernel->mr ? p->m - r : kernel->mr), columns);
    }
  }
}

void gemm_pack_tiles(const gemm_product *p, char *packed, int64_t row, int64_t tiles) {
  const gemm_kernel *kernel = p->kernel;
  const int64_t k = p->b->k;
  for (int64_t i = 0; i < tiles; i++) {
    const int64_t r = row + i * kernel->mr;
    const int count = (int)(p->m - r < kernel->mr ? p->m - r : kernel->mr);
    for (int64_t begin = 0; begin < k; begin += kernel->kc, packed += tile_block_bytes(kernel, kernel->kc))
      kernel->pack_tile(&p->a, r, count, begin, k - begin < kernel->kc ? k - begin : kernel->kc, packed);
  }
}

void gemm_part(void *product, int part, int parts) {
  const gemm_product *p = product;
  const gemm_kernel *kernel = p->kernel;
  const size_t tile_bytes = gemm_tile_bytes(kernel, p->b->k);
  const int64_t all_tiles = ceil_div(p->m, kernel->mr), all_panels = ceil_div(p->b->n, kernel->nr);
  /* Columns are shared by units: panels, or as many as make something of the next product's tiles. */
  const int64_t unit = gemm_unit_columns(kernel, p->to.kernel) / kernel->nr;
  const int over_rows = parts_over_rows(all_tiles, ceil_div(all_panels, unit), parts);
  const share units = share_of(ceil_div(all_panels, unit), 1, part / over_rows, parts / over_rows);
  /* Tiles times these units, tile by tile, cut evenly: where 125 tiles are shared by two, both pack the one between. */
  const int64_t width = units.end - units.begin;
  const share mine = share_of(all_tiles * width, 1, part % over_rows, over_rows);

  const int64_t at_a_time = tiles_at_a_time(kernel, p->b->k);
  char *scratch = (char *)p->scratch + (size_t)part * p->scratch_stride;
  float *sums = (float *)(scratch + (size_t)at_a_time * tile_bytes);
  float *waiting = (float *)((char *)sums + (size_t)at_a_time * gemm_sums_bytes(kernel));
  for (int64_t at = mine.begin, next; at < mine.end; at = next) {
    const int64_t tile = at / width, first = at % width, whole = (mine.end - at) / width;
    const int64_t count = first > 0 || whole == 0 ? 1 : whole < at_a_time ? whole : at_a_time;
    next = first > 0 || whole == 0 ? at - first + width : at + count * width;
    if (next > mine.end) next = mine.end;
    const char *packed = p->tiles == NULL ? scratch : (const char *)p->tiles + (size_t)tile * tile_bytes;
    if (p->tiles == NULL) gemm_pack_tiles(p, scratch, tile * kernel->mr, count);
    for (int64_t u = first; u < width && u < first + next - at; u++) {
      const int64_t panel = (units.begin + u) * unit, panels = all_panels - panel < unit ? all_panels - panel : unit;
      if (p->cancel != NULL && atomic_load_explicit(p->cancel, memory_order_relaxed) != 0) return;
      if (p->to.kernel == NULL)
        gemm_multiply_panel(p, packed, sums, tile * kernel->mr, count, panel);
      else
        multiply_unit(p, packed, sums, waiting, tile * kernel->mr, count, panel, panels);
    }
  }
}
