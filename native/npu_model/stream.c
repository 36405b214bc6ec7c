#include "stream.h"

enum { HEADER_WORDS = 4, VERSION_1_0 = 0x0001 };

const char *stream_open(stream_reader *reader, const uint32_t *words, size_t count) {
  if (count < HEADER_WORDS) return "it is shorter than its header";
  if ((words[0] & 0xffff) != VERSION_1_0) return "its version is not 1.0";
  const uint32_t generation = words[0] >> 16 & 0xff;
  if (generation != 3 && generation != 4) return "it is for an unknown generation of NPU";
  if (words[3] != 4 * count) return "its header counts other bytes than were given";
  *reader = (stream_reader){.words = words,
                            .count = count,
                            .at = HEADER_WORDS,
                            .left = words[2],
                            .generation = (int)generation - 2,
                            .columns = (int)(words[1] & 0xff)};
  return NULL;
}

/* Words of the operation that begins at `w` with `left` words to the stream's end; 0 where it does not fit. */
static size_t operation_words(const uint32_t *w, size_t left) {
  size_t words;
  switch (w[0]) {
  case OP_WRITE: words = 3; break;
  case OP_MASK_WRITE: words = 4; break;
  case OP_BLOCK_WRITE:
    if (left < 3 || w[2] % 4 != 0 || w[2] < 16) return 0;
    words = w[2] / 4;
    break;
  case OP_SYNC: words = left >= 2 && w[1] == 16 ? 4 : 0; break;
  case OP_PATCH: words = left >= 2 && w[1] == 24 ? 6 : 0; break;
  default: return 0;
  }
  return words <= left ? words : 0;
}

int stream_next(stream_reader *reader, stream_item *item, const char **why) {
  const size_t left = reader->count - reader->at;
  if (reader->left == 0) {
    *why = "words follow its last operation";
    return left == 0 ? 0 : -1;
  }
  *why = "it ends before its last operation";
  if (left == 0) return -1;
  const uint32_t *w = reader->words + reader->at;
  const size_t words = operation_words(w, left);
  *why = "an operation is unknown or does not fit";
  if (words == 0) return -1;
  *item = (stream_item){.operation = (stream_operation)w[0]};
  switch (item->operation) {
  case OP_WRITE:
    item->address = w[1];
    item->value = w[2];
    break;
  case OP_MASK_WRITE:
    item->address = w[1];
    item->value = w[2];
    item->mask = w[3];
    break;
  case OP_BLOCK_WRITE:
    item->address = w[1];
    item->data = w + 3;
    item->data_words = (uint32_t)words - 3;
    break;
  case OP_PATCH:
    item->address = w[2];
    item->argument = w[3];
    item->offset = w[4];
    break;
  case OP_SYNC:
    item->is_input = (w[2] & 0xff) != 0;
    item->row = (int)(w[2] >> 8 & 0xff);
    item->column = (int)(w[2] >> 16 & 0xff);
    item->rows = (int)(w[3] >> 8 & 0xff);
    item->columns = (int)(w[3] >> 16 & 0xff);
    item->channel = (int)(w[3] >> 24);
    break;
  }
  reader->at += words;
  reader->left--;
  return 1;
}
