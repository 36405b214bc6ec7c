#include "lanes.h"

#include "../lanes/gelu.h"
