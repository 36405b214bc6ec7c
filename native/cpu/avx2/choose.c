#include "lanes.h"

#include "../lanes/choose.h"
