/* The operations of an instruction stream: transaction format 1.0, one after the other. */
#ifndef SOTTO_NPU_STREAM_H
#define SOTTO_NPU_STREAM_H

#include <stddef.h>
#include <stdint.h>

typedef enum { OP_WRITE = 0, OP_BLOCK_WRITE = 1, OP_MASK_WRITE = 3, OP_SYNC = 0x80, OP_PATCH = 0x81 } stream_operation;

typedef struct {
  stream_operation operation;
  uint32_t address;     /* WRITE, BLOCK_WRITE, MASK_WRITE, PATCH */
  const uint32_t *data; /* BLOCK_WRITE */
  uint32_t data_words;
  uint32_t value, mask;                              /* WRITE, MASK_WRITE */
  uint32_t argument, offset;                         /* PATCH */
  int column, row, columns, rows, channel, is_input; /* SYNC */
} stream_item;

typedef struct {
  const uint32_t *words;
  size_t count, at;
  uint32_t left; /* operations */
  int generation, columns;
} stream_reader;

/* Checks the header. NULL, or what is wrong. */
const char *stream_open(stream_reader *reader, const uint32_t *words, size_t count);

/* The next operation: 1; 0 at the end; -1 where the stream is malformed, and why. */
int stream_next(stream_reader *reader, stream_item *item, const char **why);

#endif
