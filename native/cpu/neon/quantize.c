#include "lanes.h"

#include "../lanes/quantize.h"
