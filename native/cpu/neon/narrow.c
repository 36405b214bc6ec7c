#include "lanes.h"

#include "../lanes/narrow.h"
