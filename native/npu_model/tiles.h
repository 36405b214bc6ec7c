/* What the array does in one round: takes a round's words from every input port, gives a round's words to every output. */
#ifndef SOTTO_NPU_TILES_H
#define SOTTO_NPU_TILES_H

#include "../cpu/threads.h"
#include "overlay.h"
#include "products.h"

/* Bytes of a round. `in` is MM2S 0 of every `step`-th column, `more` MM2S 1 and `out` S2MM 0 of every column. */
typedef struct {
  int step;
  int64_t in, more, out;
} round_bytes;

/* The sizes of a round of a program; runtime words as README.md defines them. A text where they are not right. */
const char *round_sizes(const npu_overlay *overlay, const npu_program *program, const uint32_t *runtime,
                        round_bytes *sizes);

/* Multiplications and additions of one tile in a round: what the clock counts. */
uint64_t round_tile_operations(const npu_program *program, const uint32_t *runtime);

/* One round. in[c], more[c], out[c] belong to column c. Zero where memory is refused. */
int round_compute(const npu_overlay *overlay, const npu_program *program, const uint32_t *runtime,
                  const uint8_t *const *in, const uint8_t *const *more, uint8_t *const *out, thread_pool *pool);

/* The parts of round_compute, one file each. */
int matmul_round(const npu_overlay *overlay, const npu_program *program, uint32_t reduce, const uint8_t *const *in,
                 const uint8_t *const *more, uint8_t *const *out, thread_pool *pool);
int attention_round(const npu_overlay *overlay, const npu_program *program, const uint32_t *runtime,
                    const uint8_t *const *in, const uint8_t *const *more, uint8_t *const *out, thread_pool *pool);
int seed_attention(const uint8_t *in, uint8_t *out);
void vector_softmax(const uint16_t *in, uint16_t *out, int length);
void vector_gelu(const uint16_t *in, uint16_t *out, int length);
void vector_layernorm(const uint16_t *in, uint16_t *out, int length);

#endif
