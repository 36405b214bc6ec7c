#include "tiles.h"

#include <string.h>

static uint32_t reduction(const npu_program *program, const uint32_t *runtime) {
  return program->reduce != 0 ? program->reduce : runtime[1];
}

const char *round_sizes(const npu_overlay *overlay, const npu_program *program, const uint32_t *runtime,
                        round_bytes *sizes) {
  int rows_each;
  *sizes = (round_bytes){.step = 1};
  switch (program->operation) {
  case PROGRAM_MATMUL: {
    const uint32_t reduce = reduction(program, runtime);
    if (reduce < 1 || reduce > 65535) return "runtime word 1 must be the number of tiles to sum, 1 to 65535";
    if (program->reduce == 0 && (runtime[2] != 0 || runtime[3] != 0))
      return "runtime words 2 and 3 must be 0 for a matmul";
    feeding_columns(overlay, &sizes->step, &rows_each);
    sizes->in = type_bytes(program->in, (int64_t)program->m * program->k) * rows_each * reduce;
    sizes->more = type_bytes(program->in, (int64_t)program->k * program->n) * reduce;
    sizes->out = type_bytes(program->out, (int64_t)program->m * program->n) * overlay->rows;
    return NULL;
  }
  case PROGRAM_ATTENTION: {
    const uint32_t tiles = runtime[1];
    if (tiles < 1 || tiles > 65535) return "runtime word 1 must be the number of tiles of keys, 1 to 65535";
    if (runtime[2] > tiles * (uint32_t)program->m) return "runtime word 2 counts more keys than the tiles hold";
    const int64_t tile = type_bytes(program->in, (int64_t)program->m * program->k);
    sizes->in = tile * overlay->rows;
    sizes->more = 2 * tile * tiles;
    sizes->out = type_bytes(program->out, (int64_t)program->m * program->k) * overlay->rows;
    return NULL;
  }
  case PROGRAM_SEED_ATTENTION:
    sizes->in = 3 * 64 * 64;
    sizes->out = 64 * 64;
    return NULL;
  default: sizes->in = sizes->out = type_bytes(TYPE_BF16, program->n) * overlay->rows; return NULL;
  }
}

uint64_t round_tile_operations(const npu_program *program, const uint32_t *runtime) {
  const uint64_t m = (uint64_t)program->m, k = (uint64_t)program->k, n = (uint64_t)program->n;
  switch (program->operation) {
  case PROGRAM_MATMUL: return 2 * m * k * n * reduction(program, runtime);
  case PROGRAM_ATTENTION: return 4 * m * m * k * runtime[1];
  case PROGRAM_SEED_ATTENTION: return 4 * m * m * k;
  default: return 8 * n; /* a few vector operations a value */
  }
}

static void vector_rounds(const npu_overlay *overlay, const npu_program *program, const uint8_t *const *in,
                          uint8_t *const *out) {
  for (int column = 0; column < overlay->columns; column++)
    for (int row = 0; row < overlay->rows; row++) {
      const uint16_t *from = (const uint16_t *)in[column] + (int64_t)row * program->n;
      uint16_t *to = (uint16_t *)out[column] + (int64_t)row * program->n;
      if (program->operation == PROGRAM_SOFTMAX) vector_softmax(from, to, program->n);
      else if (program->operation == PROGRAM_GELU) vector_gelu(from, to, program->n);
      else vector_layernorm(from, to, program->n);
    }
}

int round_compute(const npu_overlay *overlay, const npu_program *program, const uint32_t *runtime,
                  const uint8_t *const *in, const uint8_t *const *more, uint8_t *const *out, thread_pool *pool) {
  switch (program->operation) {
  case PROGRAM_MATMUL: return matmul_round(overlay, program, reduction(program, runtime), in, more, out, pool);
  case PROGRAM_ATTENTION: return attention_round(overlay, program, runtime, in, more, out, pool);
  case PROGRAM_SEED_ATTENTION: return seed_attention(in[0], out[0]);
  default: vector_rounds(overlay, program, in, out); return 1;
  }
}
