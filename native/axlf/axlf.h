/* Reads an xclbin (an AXLF container) as far as an NPU needs it, and refuses what would crash libxrt. */
#ifndef SOTTO_AXLF_H
#define SOTTO_AXLF_H

#include "../cpu/status.h"

enum { AXLF_KERNELS = 8, AXLF_ARGUMENTS = 16, AXLF_NAME = 64 };

typedef struct {
  char name[AXLF_NAME];
  int is_buffer;
  uint32_t size;   /* bytes it has among the kernel's arguments */
  uint32_t offset; /* where they begin */
} axlf_argument;

typedef struct {
  char name[AXLF_NAME];
  int argument_count;
  axlf_argument arguments[AXLF_ARGUMENTS];
} axlf_kernel;

typedef struct {
  char uuid[37];
  int columns;        /* of the partition */
  const uint8_t *pdi; /* inside the bytes that were read */
  size_t pdi_size;
  int kernel_count;
  axlf_kernel kernels[AXLF_KERNELS];
} xclbin_file;

/* Reads `bytes`. Every count and offset of the sections that libxrt walks is checked.
 * SOTTO_INVALID_ARGUMENT and a text if anything is out of order. */
int32_t axlf_read(xclbin_file *file, const uint8_t *bytes, size_t size, error_sink error);

#endif
