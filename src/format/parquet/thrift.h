/* Thrift compact protocol, both directions. The reader works on a window that is refilled from a
 * file region, so a footer of any size is walked in constant memory; strings that must be kept are
 * copied out, with their length checked against what remains. Nesting is limited. */
#ifndef PARQUET_THRIFT_H
#define PARQUET_THRIFT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "io/file.h"

enum { THRIFT_STOP = 0, THRIFT_TRUE = 1, THRIFT_FALSE = 2, THRIFT_I8 = 3, THRIFT_I16 = 4,
       THRIFT_I32 = 5, THRIFT_I64 = 6, THRIFT_DOUBLE = 7, THRIFT_BINARY = 8, THRIFT_LIST = 9,
       THRIFT_SET = 10, THRIFT_MAP = 11, THRIFT_STRUCT = 12 };

typedef struct thrift_in {
    const uint8_t *p, *end; /* window */
    io_file *file;          /* NULL: the window is all there is */
    uint8_t *window;
    size_t window_cap;
    uint64_t next_offset, limit; /* file bytes [next_offset, limit) are still outside the window */
    uint64_t window_offset;      /* file offset of `window` start, for error places */
    int depth;
} thrift_in;

typedef struct thrift_out {
    bytes *to;
    int16_t last_id[16];
    int depth;
} thrift_out;

#endif
