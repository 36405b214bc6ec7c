#define _GNU_SOURCE /* strtok_r under -std=c11 */
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const npu_kind KINDS[] = {
    {"phoenix", "NPU Phoenix", 1, 4, 4, 6, 0x1502, 0x00, &npu_clock_xdna1},
    {"hawkpoint", "NPU Hawk Point", 1, 4, 4, 6, 0x1502, 0x01, &npu_clock_xdna1},
    {"strix", "NPU Strix", 2, 8, 4, 32, 0x17f0, 0x10, &npu_clock_xdna2},
    {"krackan", "NPU Krackan 1", 2, 8, 4, 32, 0x17f0, 0x20, &npu_clock_xdna2},
};

enum { MAX_TEXT = 512 };

static int natural(const char *text, int limit) {
  char *end;
  const long value = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;
  return value >= 0 && value <= limit && *end == '\0' ? (int)value : -1;
}

static int read_kind(npu_settings *settings, const char *value) {
  settings->kind = NULL;
  if (strcmp(value, "none") == 0) return 1;
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
    if (strcmp(value, KINDS[i].key) == 0) settings->kind = &KINDS[i];
  return settings->kind != NULL;
}

/* `name`, `name=errno`, each with `@n` or `@n+`. */
static int read_fault(npu_fault *fault, const char *value, char *at, int takes_errno) {
  *fault = (npu_fault){.first = 1, .goes_on = at == NULL, .value = EIO};
  if (value != NULL && (!takes_errno || (fault->value = natural(value, 133)) < 1)) return 0;
  if (at == NULL) return 1;
  const size_t length = strlen(at);
  if (length > 0 && at[length - 1] == '+') {
    fault->goes_on = 1;
    at[length - 1] = '\0';
  }
  const int first = natural(at, 1 << 30);
  fault->first = (uint64_t)first;
  return first >= 1;
}

static int read_setting(npu_settings *settings, char *word) {
  char *at = strchr(word, '@');
  if (at != NULL) *at++ = '\0';
  char *value = strchr(word, '=');
  if (value != NULL) *value++ = '\0';
  const struct {
    const char *name;
    npu_fault *fault;
    int takes_errno;
  } faults[] = {{"context", &settings->context, 1}, {"buffer", &settings->buffer, 1}, {"submit", &settings->submit, 1},
                {"error", &settings->error, 0},     {"hang", &settings->hang, 0},     {"lost", &settings->lost, 0}};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
    if (strcmp(word, faults[i].name) == 0) return read_fault(faults[i].fault, value, at, faults[i].takes_errno);
  if (at != NULL) return 0;
  if (value == NULL) {
    int *flag = strcmp(word, "permission") == 0 ? &settings->is_forbidden
                : strcmp(word, "memlock") == 0  ? &settings->is_unlocked
                                                : NULL;
    if (flag != NULL) *flag = 1;
    return flag != NULL;
  }
  if (strcmp(word, "device") == 0) return read_kind(settings, value);
  int *number = strcmp(word, "slow") == 0       ? &settings->slow_ms
                : strcmp(word, "watchdog") == 0 ? &settings->watchdog_ms
                : strcmp(word, "threads") == 0  ? &settings->threads
                                                : NULL;
  return number != NULL && (*number = natural(value, number == &settings->threads ? 256 : 1 << 20)) >= 0;
}

int32_t npu_settings_read(npu_settings *settings, const char *text, size_t length, error_sink error) {
  char copy[MAX_TEXT + 1];
  *settings = (npu_settings){.kind = &KINDS[0], .watchdog_ms = 2000};
  if (length > MAX_TEXT)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot configure the NPU's model: at most %d bytes, got %zu", MAX_TEXT,
                length);
  if (length > 0) memcpy(copy, text, length);
  copy[length] = '\0';
  char *rest;
  for (char *word = strtok_r(copy, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
    char shown[64];
    strncpy(shown, word, sizeof shown - 1);
    shown[sizeof shown - 1] = '\0';
    if (!read_setting(settings, word))
      return fail(error, SOTTO_INVALID_ARGUMENT,
                  "Cannot configure the NPU's model: \"%s\" is no setting of SOTTO_NPU_MODEL", shown);
  }
  return SOTTO_OK;
}
