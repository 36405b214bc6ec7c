#include "lanes.h"

#include "../lanes/layernorm.h"
