/* A sink that reads nothing: the rows that come through are counted. */
#ifndef EXEC_SINK_COUNT_H
#define EXEC_SINK_COUNT_H

#include "format/format.h"

typedef struct sink_count {
    writer base;
    _Atomic uint64_t rows;
} sink_count;

/* Nothing to close. */
void sink_count_init(sink_count *s);

#endif
