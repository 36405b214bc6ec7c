#include "lanes.h"

#include "../lanes/read.h"
