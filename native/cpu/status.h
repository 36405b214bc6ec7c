/* Statuses with a text: `return fail(error, capacity, SOTTO_INVALID_ARGUMENT, "Cannot …: got %d", n);` */
#ifndef SOTTO_STATUS_H
#define SOTTO_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "../include/sotto_cpu.h"

/* Where an entry point writes its text; NULL with capacity 0 is allowed. */
typedef struct {
  char *text;
  size_t capacity;
} error_sink;

/* Writes the text, cut to the capacity and always terminated, and answers `status`. */
int32_t fail(error_sink error, int32_t status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
