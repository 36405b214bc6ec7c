#include "lanes.h"

#define PEAK_NAME peak_f16_avx512fp16
#define PEAK_VALUES 2
#define PEAK_DOT lanes_fma_f16
#define PEAK_SUM(sums) lanes_sum_of(lanes_sum_halves(sums))

#include "../lanes/peak.h"
