#include "status.h"

#include <stdarg.h>
#include <stdio.h>

int32_t fail(error_sink error, int32_t status, const char *format, ...) {
  if (error.text != NULL && error.capacity > 0) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.text, error.capacity, format, arguments);
    va_end(arguments);
  }
  return status;
}
