#include "lanes.h"

#define PEAK_NAME peak_i8_neondot
#define PEAK_VALUES I8_STEP
#define PEAK_DOT lanes_dot_i8
#define PEAK_SUM(sums) lanes_sum_of(lanes_of_integers(sums))

#include "../lanes/peak.h"
