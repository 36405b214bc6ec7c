/* What a PDI stands for: which modelled tile programs run on which tiles. README.md defines the text. */
#ifndef SOTTO_NPU_OVERLAY_H
#define SOTTO_NPU_OVERLAY_H

#include "../cpu/status.h"

enum { NPU_MAX_COLUMNS = 8, NPU_MAX_ROWS = 4, NPU_MAX_PROGRAMS = 8, NPU_RUNTIME_WORDS = 4 };

typedef enum { TYPE_I8, TYPE_I16, TYPE_I32, TYPE_BF16, TYPE_BFP16, TYPE_F32 } npu_type;

/* Bytes of `values` numbers; bfp16 comes in blocks of eight. */
static inline int64_t type_bytes(npu_type type, int64_t values) {
  switch (type) {
  case TYPE_I8: return values;
  case TYPE_I16:
  case TYPE_BF16: return 2 * values;
  case TYPE_BFP16: return values / 8 * 9;
  default: return 4 * values;
  }
}

static inline int is_integer(npu_type type) { return type == TYPE_I8 || type == TYPE_I16 || type == TYPE_I32; }

typedef enum {
  PROGRAM_MATMUL,
  PROGRAM_ATTENTION,
  PROGRAM_SOFTMAX,
  PROGRAM_GELU,
  PROGRAM_LAYERNORM,
  PROGRAM_SEED_ATTENTION /* the int8 attention of seed_kernels */
} npu_operation;

typedef struct {
  npu_operation operation;
  int m, k, n; /* tiles of a matmul; attention: m rows of queries or keys, k their width; vectors: n values */
  int r, s, t; /* subtiles of a matmul */
  npu_type in, out;
  uint32_t reduce; /* matmul: tiles summed into one; 0 where the runtime words say it */
} npu_program;

typedef struct {
  int generation;    /* 1 = XDNA1, 2 = XDNA2; 0 = a PDI nobody knows */
  int columns, rows; /* compute tiles in use */
  int64_t runtime;   /* address of the runtime words in a tile, -1 for none */
  int program_count;
  npu_program programs[NPU_MAX_PROGRAMS];
} npu_overlay;

/* Reads a PDI. SOTTO_OK also for one that nobody knows (generation 0). */
int32_t npu_overlay_read(npu_overlay *overlay, const uint8_t *pdi, size_t size, error_sink error);

/* The overlay of a real binary; 0 if its hash is not known. */
int npu_overlay_known(npu_overlay *overlay, const uint8_t digest[32]);

/* The columns whose MM2S 0 feeds the rows: every `*step`-th, each `*rows_each` rows. */
static inline void feeding_columns(const npu_overlay *overlay, int *step, int *rows_each) {
  *step = overlay->columns > overlay->rows ? overlay->columns / overlay->rows : 1;
  *rows_each = overlay->rows > overlay->columns ? overlay->rows / overlay->columns : 1;
}

#endif
