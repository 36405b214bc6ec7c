#include "axlf.h"

#include <stdlib.h>
#include <string.h>

/* Places in the container, and sizes of its records, as XRT's xclbin.h lays them out. */
enum {
  AT_LENGTH = 304,
  AT_UUID = 416,
  AT_SECTION_COUNT = 448,
  AT_SECTIONS = 456,
  SECTION_BYTES = 40,
  MOST_SECTIONS = 256,
  KIND_XML = 2,
  KIND_MEMORY = 6,
  KIND_CONNECTIVITY = 7,
  KIND_IP = 8,
  KIND_GROUP_MEMORY = 26,
  KIND_GROUP_CONNECTIVITY = 27,
  KIND_PARTITION = 32,
  PARTITION_BYTES = 184,
  AT_COLUMN_WIDTH = 32,
  AT_START_COLUMNS = 40,
  AT_PDIS = 120,
  PDI_BYTES = 96,
  AT_PDI_IMAGE = 16,
  AT_CDO_GROUPS = 24,
  CDO_BYTES = 96,
  MOST_COLUMNS = 64
};

typedef struct {
  const uint8_t *bytes;
  uint64_t size;
} span;

static uint32_t u32(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}
static uint64_t u64(const uint8_t *at) { return u32(at) | (uint64_t)u32(at + 4) << 32; }

static int is_inside(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

/* An array_offset record of a section: `count` elements of `each` bytes at an offset. NULL if it leaves the section. */
static const uint8_t *array(span section, uint64_t record, uint64_t each, uint32_t *count) {
  if (!is_inside(record, 8, section.size)) return NULL;
  *count = u32(section.bytes + record);
  const uint64_t offset = u32(section.bytes + record + 4);
  return is_inside(offset, *count * each, section.size) ? section.bytes + offset : NULL;
}

static const char *read_partition(xclbin_file *file, span section) {
  if (section.size < PARTITION_BYTES) return "its partition is cut short";
  file->columns = section.bytes[AT_COLUMN_WIDTH] | section.bytes[AT_COLUMN_WIDTH + 1] << 8;
  if (file->columns < 1 || file->columns > MOST_COLUMNS) return "its partition has no sensible number of columns";
  uint32_t starts, pdis, groups;
  if (array(section, AT_START_COLUMNS, 2, &starts) == NULL || starts == 0)
    return "its partition's start columns lie outside it";
  const uint8_t *pdi = array(section, AT_PDIS, PDI_BYTES, &pdis);
  if (pdi == NULL || pdis == 0) return "its partition holds no PDI, or one outside itself";
  for (uint32_t i = 0; i < pdis; i++) {
    const uint64_t at = (uint64_t)(pdi - section.bytes) + (uint64_t)i * PDI_BYTES;
    uint32_t size;
    const uint8_t *image = array(section, at + AT_PDI_IMAGE, 1, &size);
    if (image == NULL || size == 0) return "a PDI is empty, or lies outside its partition";
    const uint8_t *group = array(section, at + AT_CDO_GROUPS, CDO_BYTES, &groups);
    if (group == NULL || groups == 0) return "a PDI's groups lie outside its partition";
    for (uint32_t g = 0; g < groups; g++) {
      const uint64_t record = (uint64_t)(group - section.bytes) + (uint64_t)g * CDO_BYTES;
      uint32_t ids;
      if (array(section, record + 16, 8, &ids) == NULL || array(section, record + 24, 4, &ids) == NULL)
        return "a group's kernels lie outside its partition";
      const uint32_t name = u32(section.bytes + record);
      if (name >= section.size || memchr(section.bytes + name, 0, section.size - name) == NULL)
        return "a group's name does not end";
    }
    if (i > 0) continue;
    file->pdi = image;
    file->pdi_size = size;
  }
  return NULL;
}

/* Sections that begin with a count of records. */
static const char *check_counted(span section, uint64_t first, uint64_t each) {
  if (section.size < first) return "a section is shorter than its own header";
  const uint64_t count = u32(section.bytes);
  return count <= (section.size - first) / each ? NULL : "a section counts more records than it holds";
}

/* The value of attribute `name` in the tag [at, end), copied; 0 if there is none or it does not fit. */
static int attribute(const char *at, const char *end, const char *name, char *value, size_t capacity) {
  const size_t length = strlen(name);
  for (; at + length + 2 < end; at++) {
    if (at[0] != ' ' || strncmp(at + 1, name, length) != 0 || at[1 + length] != '=' || at[2 + length] != '"') continue;
    const char *from = at + length + 3, *quote = memchr(from, '"', (size_t)(end - from));
    if (quote == NULL || (size_t)(quote - from) >= capacity) return 0;
    for (const char *c = from; c < quote; c++)
      if ((unsigned char)*c < 0x20 || *c == '\\') return 0; /* goes into JSON as it is */
    memcpy(value, from, (size_t)(quote - from));
    value[quote - from] = '\0';
    return 1;
  }
  return 0;
}

static int number_attribute(const char *at, const char *end, const char *name, uint32_t limit, uint32_t *value) {
  char text[24], *rest;
  if (!attribute(at, end, name, text, sizeof text) || *text < '0' || *text > '9') return 0;
  const unsigned long long number = strtoull(text, &rest, 0);
  *value = (uint32_t)number;
  return *rest == '\0' && number <= limit;
}

static const char *read_argument(axlf_kernel *kernel, const char *at, const char *end) {
  uint32_t id, qualifier;
  if (!number_attribute(at, end, "id", AXLF_ARGUMENTS - 1, &id) || id != (uint32_t)kernel->argument_count)
    return "a kernel's arguments are not numbered in order, or too many";
  axlf_argument *argument = &kernel->arguments[kernel->argument_count++];
  const int is_read = attribute(at, end, "name", argument->name, sizeof argument->name) &&
                      number_attribute(at, end, "addressQualifier", 4, &qualifier) &&
                      number_attribute(at, end, "size", 8, &argument->size) &&
                      number_attribute(at, end, "offset", 4096, &argument->offset);
  if (!is_read || argument->size == 0) return "a kernel's argument lacks its name, kind, size or offset";
  argument->is_buffer = qualifier == 1;
  return NULL;
}

static const char *read_kernels(xclbin_file *file, span section) {
  if (section.size == 0 || memchr(section.bytes, 0, section.size - 1) != NULL)
    return "its kernel metadata is empty or not text";
  const char *at = (const char *)section.bytes, *end = at + section.size;
  axlf_kernel *kernel = NULL;
  while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
    const char *close = memchr(at, '>', (size_t)(end - at));
    if (close == NULL) return "its kernel metadata ends inside a tag";
    const size_t length = (size_t)(close - at);
    const char *why = NULL;
    if (length > 8 && strncmp(at, "<kernel ", 8) == 0) {
      if (file->kernel_count == AXLF_KERNELS) return "it has too many kernels";
      kernel = &file->kernels[file->kernel_count++];
      if (!attribute(at, close, "name", kernel->name, sizeof kernel->name)) return "a kernel has no name";
    } else if (kernel != NULL && length > 5 && strncmp(at, "<arg ", 5) == 0) {
      why = read_argument(kernel, at, close);
    } else if (length == 8 && strncmp(at, "</kernel", 8) == 0) {
      kernel = NULL;
    }
    if (why != NULL) return why;
    at = close;
  }
  return file->kernel_count == 0 ? "it has no kernel" : NULL;
}

static const char *read_section(xclbin_file *file, uint32_t kind, span section) {
  switch (kind) {
  case KIND_XML: return file->kernel_count > 0 ? "it has kernel metadata twice" : read_kernels(file, section);
  case KIND_MEMORY:
  case KIND_GROUP_MEMORY: return check_counted(section, 8, 40);
  case KIND_CONNECTIVITY:
  case KIND_GROUP_CONNECTIVITY: return check_counted(section, 4, 12);
  case KIND_IP: return check_counted(section, 8, 80);
  case KIND_PARTITION: return file->pdi != NULL ? "it has two partitions" : read_partition(file, section);
  default: return NULL;
  }
}

static const char *read(xclbin_file *file, const uint8_t *bytes, size_t size) {
  if (size < 8 || memcmp(bytes, "xclbin2", 8) != 0) return "it does not begin with xclbin2";
  if (size < AT_SECTIONS) return "it is shorter than its header";
  if (u64(bytes + AT_LENGTH) != size) return "its header says another length";
  const uint32_t count = u32(bytes + AT_SECTION_COUNT);
  if (count < 1 || count > MOST_SECTIONS || !is_inside(AT_SECTIONS, (uint64_t)count * SECTION_BYTES, size))
    return "its section headers do not fit";
  uint32_t seen = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *header = bytes + AT_SECTIONS + i * SECTION_BYTES;
    const uint64_t offset = u64(header + 24), length = u64(header + 32);
    if (!is_inside(offset, length, size)) return "a section lies outside it";
    const uint32_t kind = u32(header);
    const char *why = read_section(file, kind, (span){bytes + offset, length});
    if (why != NULL) return why;
    if (kind == KIND_MEMORY || kind == KIND_IP || kind == KIND_CONNECTIVITY) seen |= 1u << kind;
  }
  if (file->pdi == NULL) return "it has no partition for an NPU";
  if (file->kernel_count == 0) return "it has no kernel metadata";
  return seen == (1u << KIND_MEMORY | 1u << KIND_IP | 1u << KIND_CONNECTIVITY)
             ? NULL
             : "it lacks memory topology, kernel instances or connectivity";
}

static void write_uuid(char *to, const uint8_t *from) {
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = "0123456789abcdef"[from[i] >> 4];
    *to++ = "0123456789abcdef"[from[i] & 15];
  }
  *to = '\0';
}

int32_t axlf_read(xclbin_file *file, const uint8_t *bytes, size_t size, error_sink error) {
  *file = (xclbin_file){.columns = 0};
  const char *why = read(file, bytes, size);
  if (why != NULL) return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot use the xclbin of %zu bytes: %s", size, why);
  write_uuid(file->uuid, bytes + AT_UUID);
  return SOTTO_OK;
}
