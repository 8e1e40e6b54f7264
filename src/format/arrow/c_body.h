/* The body of a message whose buffers lie in memory of somebody else. */
#ifndef ARROW_C_BODY_H
#define ARROW_C_BODY_H

#include "column/arrow_c_array.h"
#include "format/arrow/write_head.h"

/* Dictionaries that came last, each held with its batch, so that one that lies at the same place is
 * the same. */
typedef struct c_dictionaries {
    mem *m;
    uint32_t n, cap;
    struct c_known *known;
} c_dictionaries;

bool c_dictionary_known(const c_dictionaries *d, const arrow_layout *l,
                        const struct ArrowArray *values);
nrw_status c_dictionary_note(c_dictionaries *d, const arrow_layout *l,
                             const struct ArrowArray *values, arrow_c_shared *batch,
                             nrw_error *err) NRW_CHECKED;
void c_dictionaries_release(c_dictionaries *d);

typedef struct c_extent {
    uint64_t at, len;
    const uint8_t *p;
    bool own; /* p is the body's, of len bytes */
} c_extent;

typedef struct c_body {
    mem *m;
    ipc_head head;
    uint64_t len;
    c_extent *extents; /* rising, without overlap */
    uint32_t n, cap;
} c_body;

/* Rows [first, first + n) of an array, its own offset included. */
typedef struct c_rows {
    const struct ArrowArray *a;
    int64_t first, n;
} c_rows;

c_body c_body_init(mem *m);
void c_body_release(c_body *b);
/* Nodes and buffers of the rows, and of all below; the layout says which there are. */
nrw_status c_body_add(c_body *b, const arrow_layout *l, const c_rows *r,
                      nrw_error *err) NRW_CHECKED;
/* The same of a struct's fields alone. */
nrw_status c_body_add_fields(c_body *b, const arrow_layout *l, const c_rows *r,
                             nrw_error *err) NRW_CHECKED;
/* Bytes [at, at + n); those that no buffer has are zero. */
void c_body_read(const c_body *b, uint64_t at, void *dst, size_t n);

/* An array is not as its schema says. */
nrw_status c_mismatch(const arrow_layout *l, nrw_error *err);

#endif
