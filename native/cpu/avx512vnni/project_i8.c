#include "lanes.h"

#include "../lanes/project_i8.h"
