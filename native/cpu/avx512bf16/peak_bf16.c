#include "lanes.h"

#define PEAK_NAME peak_bf16_avx512bf16
#define PEAK_VALUES 2
#define PEAK_DOT lanes_dot_bf16
#define PEAK_SUM lanes_sum_of

#include "../lanes/peak.h"
