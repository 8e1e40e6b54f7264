/* Thrift compact protocol, both directions. The reader works on a window that is refilled from a
 * file region, so a footer of any size is walked in constant memory; strings that must be kept are
 * copied out, with their length checked against what remains. Nesting is limited.
 * Source: thrift-compact-protocol.md of Apache Thrift. */
#ifndef PARQUET_THRIFT_H
#define PARQUET_THRIFT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "io/file.h"

enum {
    THRIFT_STOP = 0,
    THRIFT_TRUE = 1,
    THRIFT_FALSE = 2,
    THRIFT_I8 = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_MAP = 11,
    THRIFT_STRUCT = 12,
    THRIFT_UUID = 13
};

#define THRIFT_DEPTH 32 /* nesting that is read or skipped */

/* ---- reading ---- */
typedef struct thrift_in {
    const uint8_t *p, *end; /* window */
    io_file *file;          /* NULL: the window is all there is */
    uint8_t *window;
    size_t window_cap;
    uint64_t next_offset, limit; /* file bytes [next_offset, limit) are still outside the window */
    uint64_t window_offset;      /* file offset of `window` start, for error places */
    int depth;
    bool partial; /* the bytes may be a prefix: an early end sets `ended` and leaves err alone */
    bool ended;
} thrift_in;

typedef struct thrift_field {
    int16_t id;
    uint8_t type; /* THRIFT_STOP: the struct ends; booleans are THRIFT_TRUE or THRIFT_FALSE */
} thrift_field;

/* Over bytes that lie at file offset `offset`. */
thrift_in thrift_in_bytes(span bytes, uint64_t offset);
/* Over file bytes [from, to), through `window` of `cap` bytes (64 or more), both the caller's. */
thrift_in thrift_in_file(io_file *f, uint64_t from, uint64_t to, uint8_t *window, size_t cap);

/* File offset of the next byte, and bytes from there to the end. */
static inline uint64_t thrift_offset(const thrift_in *t)
{
    return t->window_offset + (uint64_t)(t->p - t->window);
}
static inline uint64_t thrift_left(const thrift_in *t)
{
    return (uint64_t)(t->end - t->p) + (t->limit - t->next_offset);
}

/* Enters a struct: *last is the field id that thrift_read_field counts from. */
nrw_status thrift_enter(thrift_in *t, int16_t *last, nrw_error *err) NRW_CHECKED;
/* The next field header of the struct entered; leaves the struct at THRIFT_STOP. */
nrw_status thrift_read_field(thrift_in *t, int16_t *last, thrift_field *f,
                             nrw_error *err) NRW_CHECKED;
nrw_status thrift_read_i64(thrift_in *t, int64_t *out, nrw_error *err) NRW_CHECKED;
nrw_status thrift_read_i32(thrift_in *t, int32_t *out, nrw_error *err) NRW_CHECKED;
/* An element of a list of booleans; in fields the type is the value. */
nrw_status thrift_read_bool(thrift_in *t, bool *out, nrw_error *err) NRW_CHECKED;
/* Length of a binary, checked against what is left; its bytes follow. */
nrw_status thrift_read_length(thrift_in *t, size_t *len, nrw_error *err) NRW_CHECKED;
/* A binary copied to the arena, with a zero behind it that *len does not count. */
nrw_status thrift_read_binary(thrift_in *t, arena *a, char **out, size_t *len,
                              nrw_error *err) NRW_CHECKED;
nrw_status thrift_read_raw(thrift_in *t, void *dst, size_t len, nrw_error *err) NRW_CHECKED;
/* List header; n elements of at least one byte each are known to be there. */
nrw_status thrift_read_list(thrift_in *t, uint8_t *type, uint32_t *n, nrw_error *err) NRW_CHECKED;
nrw_status thrift_skip_raw(thrift_in *t, uint64_t len, nrw_error *err) NRW_CHECKED;
nrw_status thrift_skip(thrift_in *t, uint8_t type, nrw_error *err) NRW_CHECKED;
/* The same for an element of a list, where a boolean is a byte of its own. */
nrw_status thrift_skip_element(thrift_in *t, uint8_t type, nrw_error *err) NRW_CHECKED;

/* A field's value where it has the type asked for; a field of another type is skipped and the
 * output left as it was, as Thrift readers do. *seen, if not NULL, is set when it was read. */
nrw_status thrift_get_i64(thrift_in *t, thrift_field f, int64_t *out, bool *seen,
                          nrw_error *err) NRW_CHECKED;
nrw_status thrift_get_i32(thrift_in *t, thrift_field f, int32_t *out, bool *seen,
                          nrw_error *err) NRW_CHECKED;
nrw_status thrift_get_bool(thrift_in *t, thrift_field f, bool *out, bool *seen,
                           nrw_error *err) NRW_CHECKED;
nrw_status thrift_get_binary(thrift_in *t, thrift_field f, arena *a, char **out, size_t *len,
                             bool *seen, nrw_error *err) NRW_CHECKED;

/* NRW_E_CORRUPT at the reader's place; err stays empty for a partial reader that ended. */
nrw_status thrift_corrupt(const thrift_in *t, nrw_error *err, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* ---- writing ---- */
typedef struct thrift_out {
    bytes *to;
    int16_t last_id[16];
    int depth;
} thrift_out;

/* Appends to `to`. */
thrift_out thrift_out_init(bytes *to);
/* A struct at top level or as a list element; thrift_end closes it. */
nrw_status thrift_begin(thrift_out *o, nrw_error *err) NRW_CHECKED;
/* Closes what thrift_begin or thrift_write_field_struct opened. */
nrw_status thrift_end(thrift_out *o, nrw_error *err) NRW_CHECKED;
/* The fields of the struct at hand up to this id were appended from elsewhere. */
void thrift_go_on(thrift_out *o, int16_t last_id);
/* Fields, rising by id where bytes should be few. */
nrw_status thrift_write_field_bool(thrift_out *o, int16_t id, bool v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_field_i8(thrift_out *o, int16_t id, int8_t v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_field_i16(thrift_out *o, int16_t id, int16_t v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_field_i32(thrift_out *o, int16_t id, int32_t v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_field_i64(thrift_out *o, int16_t id, int64_t v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_field_binary(thrift_out *o, int16_t id, span v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_field_string(thrift_out *o, int16_t id, const char *v,
                                     nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_field_struct(thrift_out *o, int16_t id, nrw_error *err) NRW_CHECKED;
/* A struct field without fields of its own, as most logical types are. */
nrw_status thrift_write_field_empty(thrift_out *o, int16_t id, nrw_error *err) NRW_CHECKED;
/* n elements of THRIFT_TRUE (booleans), THRIFT_I32 ... THRIFT_STRUCT must follow. */
nrw_status thrift_write_field_list(thrift_out *o, int16_t id, uint8_t type, uint32_t n,
                                   nrw_error *err) NRW_CHECKED;
/* List elements; structs are thrift_begin ... thrift_end. */
nrw_status thrift_write_bool(thrift_out *o, bool v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_i32(thrift_out *o, int32_t v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_i64(thrift_out *o, int64_t v, nrw_error *err) NRW_CHECKED;
nrw_status thrift_write_binary(thrift_out *o, span v, nrw_error *err) NRW_CHECKED;

#endif
