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

size_t gemm_scratch_bytes(const gemm_kernel *kernel, int64_t k) {
  return (size_t)tiles_at_a_time(kernel, k) * (gemm_tile_bytes(kernel, k) + gemm_sums_bytes(kernel));
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

void gemm_multiply_panel(const gemm_product *p, const char *packed, float *sums, int64_t row, int64_t tiles,
                         int64_t panel) {
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
          .out = p->out + r * p->out_stride + column,
          .out_stride = p->out_stride,
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
  const int64_t all_tiles = ceil_div(p->m, kernel->mr), all_panels = ceil_div(p->b->n, kernel->nr);
  const int over_rows = parts_over_rows(all_tiles, all_panels, parts);
  const share panels = share_of(all_panels, 1, part / over_rows, parts / over_rows);
  /* Tiles times these panels, tile by tile, cut evenly: where 125 tiles are shared by two, both pack the one between. */
  const int64_t width = panels.end - panels.begin;
  const share mine = share_of(all_tiles * width, 1, part % over_rows, over_rows);

  const int64_t at_a_time = tiles_at_a_time(kernel, p->b->k);
  char *packed = (char *)p->scratch + (size_t)part * p->scratch_stride;
  float *sums = (float *)(packed + (size_t)at_a_time * gemm_tile_bytes(kernel, p->b->k));
  for (int64_t at = mine.begin, next; at < mine.end; at = next) {
    const int64_t tile = at / width, first = at % width, whole = (mine.end - at) / width;
    const int64_t count = first > 0 || whole == 0 ? 1 : whole < at_a_time ? whole : at_a_time;
    next = first > 0 || whole == 0 ? at - first + width : at + count * width;
    if (next > mine.end) next = mine.end;
    gemm_pack_tiles(p, packed, tile * kernel->mr, count);
    for (int64_t panel = first; panel < width && panel < first + next - at; panel++) {
      if (p->cancel != NULL && atomic_load_explicit(p->cancel, memory_order_relaxed) != 0) return;
      gemm_multiply_panel(p, packed, sums, tile * kernel->mr, count, panels.begin + panel);
    }
  }
}
