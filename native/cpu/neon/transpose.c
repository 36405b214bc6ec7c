#include "lanes.h"
#include "lanes_transpose.h"

#include "../lanes/transpose.h"
