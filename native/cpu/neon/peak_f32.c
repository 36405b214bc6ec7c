#include "lanes.h"

#define PEAK_NAME peak_f32_neon
#define PEAK_VALUES 1
#define PEAK_DOT(a, b, sum) lanes_fma(sum, a, b)
#define PEAK_SUM lanes_sum_of

#include "../lanes/peak.h"
