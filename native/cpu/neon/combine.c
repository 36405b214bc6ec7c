#include "lanes.h"

#include "../lanes/combine.h"
