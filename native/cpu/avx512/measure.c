#include "lanes.h"

#include "../lanes/measure.h"
