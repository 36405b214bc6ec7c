#define _GNU_SOURCE /* strnlen, strtok_r under -std=c11 */
#include "overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sha256.h"

static const char MAGIC[] = "sotto-npu-model 1\n";

enum { MAX_WORDS = 24, MAX_TEXT = 4096 };

typedef struct {
  const char *words[MAX_WORDS];
  int count;
} statement;

static int is_word(const statement *line, int index, const char *word) {
  return index < line->count && strcmp(line->words[index], word) == 0;
}

/* A number of at most `limit`, -1 if the word is none. */
static int64_t number(const statement *line, int index, int64_t limit) {
  if (index >= line->count) return -1;
  char *end;
  const char *word = line->words[index];
  if (*word < '0' || *word > '9') return -1;
  const unsigned long long value = strtoull(word, &end, 0);
  return *end == '\0' && value <= (unsigned long long)limit ? (int64_t)value : -1;
}

static int type_of(const statement *line, int index, npu_type *type) {
  static const char *const names[] = {"i8", "i16", "i32", "bf16", "bfp16", "f32"};
  for (int i = 0; i < 6; i++)
    if (is_word(line, index, names[i])) {
      *type = (npu_type)i;
      return 1;
    }
  return 0;
}

static int read_array(npu_overlay *overlay, const statement *line) {
  if (line->count != 6 || !is_word(line, 2, "columns") || !is_word(line, 4, "rows")) return 0;
  overlay->generation = is_word(line, 1, "npu1") ? 1 : is_word(line, 1, "npu2") ? 2 : 0;
  overlay->columns = (int)number(line, 3, overlay->generation == 2 ? 8 : 4);
  overlay->rows = (int)number(line, 5, NPU_MAX_ROWS);
  const int columns = overlay->columns, rows = overlay->rows;
  if (overlay->generation == 0 || columns < 1 || rows < 1 || (columns & (columns - 1)) != 0) return 0;
  return columns >= rows ? columns % rows == 0 : rows % columns == 0;
}

static int read_matmul(npu_program *program, const statement *line) {
  if (!is_word(line, 3, "tile") || !is_word(line, 7, "subtile")) return 0;
  int *sizes[] = {&program->m, &program->k, &program->n, &program->r, &program->s, &program->t};
  for (int i = 0; i < 6; i++)
    if ((*sizes[i] = (int)number(line, i < 3 ? 4 + i : 5 + i, 4096)) < 1) return 0;
  if (program->m % program->r || program->k % program->s || program->n % program->t) return 0;
  npu_type b;
  if (!is_word(line, 11, "a") || !type_of(line, 12, &program->in) || !is_word(line, 13, "b") ||
      !type_of(line, 14, &b) || b != program->in || !is_word(line, 15, "c") || !type_of(line, 16, &program->out))
    return 0;
  if (program->in == TYPE_I32 || program->in == TYPE_F32 || is_integer(program->in) != is_integer(program->out))
    return 0;
  const int64_t m = program->m, k = program->k, n = program->n;
  if (program->in == TYPE_BFP16 && (m % 8 || k % 8 || n % 8)) return 0;
  if (program->out == TYPE_BFP16 && (m % 8 || n % 8)) return 0;
  if (type_bytes(program->in, m * k) % 4 || type_bytes(program->in, k * n) % 4 || type_bytes(program->out, m * n) % 4)
    return 0;
  if (line->count == 17) return 1;
  const int64_t reduce = is_word(line, 17, "reduce") ? number(line, 18, 65535) : -1;
  program->reduce = (uint32_t)reduce;
  return line->count == 19 && reduce >= 1;
}

static int read_attention(npu_program *program, const statement *line) {
  if (line->count != 10 || !is_word(line, 3, "tile") || !is_word(line, 6, "in") || !is_word(line, 8, "out")) return 0;
  program->m = (int)number(line, 4, 256);
  program->k = (int)number(line, 5, 256);
  if (program->m < 1 || program->k < 1 || program->m % 8 || program->k % 8) return 0;
  if (!type_of(line, 7, &program->in) || !type_of(line, 9, &program->out)) return 0;
  const int known_in = program->in == TYPE_BF16 || program->in == TYPE_BFP16;
  return known_in && (program->out == TYPE_F32 || program->out == program->in);
}

static int read_vectors(npu_program *program, const statement *line) {
  program->in = program->out = TYPE_BF16;
  program->n = is_word(line, 3, "length") ? (int)number(line, 4, 16384) : -1;
  return line->count == 5 && program->n >= 2 && program->n % 2 == 0;
}

static int read_program(npu_overlay *overlay, const statement *line) {
  static const char *const names[] = {"matmul", "attention", "softmax", "gelu", "layernorm"};
  if (overlay->generation == 0 || overlay->program_count == NPU_MAX_PROGRAMS) return 0;
  if (number(line, 1, NPU_MAX_PROGRAMS) != overlay->program_count) return 0;
  npu_program *program = &overlay->programs[overlay->program_count++];
  for (int i = 0; i < 5; i++) {
    if (!is_word(line, 2, names[i])) continue;
    program->operation = (npu_operation)i;
    return i == 0 ? read_matmul(program, line) : i == 1 ? read_attention(program, line) : read_vectors(program, line);
  }
  return 0;
}

static int read_statement(npu_overlay *overlay, const statement *line) {
  if (is_word(line, 0, "array")) return overlay->generation == 0 && read_array(overlay, line);
  if (is_word(line, 0, "program")) return read_program(overlay, line);
  if (!is_word(line, 0, "runtime") || line->count != 2 || overlay->runtime >= 0) return 0;
  overlay->runtime = number(line, 1, 0xfff0);
  return overlay->runtime >= 0 && overlay->runtime % 16 == 0;
}

/* Every statement has been read; what is left is what one alone cannot tell. */
static const char *missing(const npu_overlay *overlay) {
  if (overlay->generation == 0) return "an array statement";
  if (overlay->program_count == 0) return "a program";
  if (overlay->runtime >= 0) return NULL;
  if (overlay->program_count > 1) return "a runtime statement to choose between programs";
  const npu_program *only = &overlay->programs[0];
  if (only->operation == PROGRAM_MATMUL && only->reduce == 0) return "a runtime statement or reduce";
  return only->operation == PROGRAM_ATTENTION ? "a runtime statement for the number of keys" : NULL;
}

static int32_t read_text(npu_overlay *overlay, const char *source, size_t size, error_sink error) {
  char text[MAX_TEXT + 1];
  size_t length = strnlen(source, size);
  if (length > MAX_TEXT)
    return fail(error, SOTTO_UNSUPPORTED,
                "Cannot configure the overlay: its description must be at most %d bytes, is %zu", MAX_TEXT, length);
  for (size_t i = length; i < size; i++)
    if (source[i] != '\0')
      return fail(error, SOTTO_UNSUPPORTED,
                  "Cannot configure the overlay: only zeros may follow its description, byte %zu is not", i);
  memcpy(text, source, length);
  text[length] = '\0';
  *overlay = (npu_overlay){.runtime = -1};
  char *rest_of_text = text;
  for (int row = 1; rest_of_text != NULL && *rest_of_text != '\0'; row++) {
    char *line_text = rest_of_text;
    rest_of_text = strchr(line_text, '\n');
    if (rest_of_text != NULL) *rest_of_text++ = '\0';
    if (row == 1) continue;
    statement line = {.count = 0};
    char *rest_of_line, *word = strtok_r(line_text, " ", &rest_of_line);
    for (; word != NULL && line.count < MAX_WORDS; word = strtok_r(NULL, " ", &rest_of_line))
      line.words[line.count++] = word;
    if (word != NULL || !read_statement(overlay, &line))
      return fail(
          error, SOTTO_UNSUPPORTED,
          "Cannot configure the overlay: line %d of its description is not understood (it begins with \"%.40s\")", row,
          line.count > 0 ? line.words[0] : "");
  }
  const char *lacking = missing(overlay);
  if (lacking == NULL) return SOTTO_OK;
  return fail(error, SOTTO_UNSUPPORTED, "Cannot configure the overlay: its description lacks %s", lacking);
}

int32_t npu_overlay_read(npu_overlay *overlay, const uint8_t *pdi, size_t size, error_sink error) {
  if (size >= sizeof MAGIC - 1 && memcmp(pdi, MAGIC, sizeof MAGIC - 1) == 0)
    return read_text(overlay, (const char *)pdi, size, error);
  uint8_t digest[32];
  sha256(pdi, size, digest);
  if (!npu_overlay_known(overlay, digest)) *overlay = (npu_overlay){.runtime = -1};
  return SOTTO_OK;
}
