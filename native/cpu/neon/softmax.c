#include "lanes.h"

#include "../lanes/softmax.h"
