#include "lanes.h"

#include "../lanes/project.h"
