/* Narrows: streaming columnar data of any size through a memory limit. */
#ifndef NARROWS_NARROWS_H
#define NARROWS_NARROWS_H

#include "narrows/arrow.h"
#include "narrows/base.h"
#include "narrows/job.h"

#endif
