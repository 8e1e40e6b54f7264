/* Flatbuffers, as far as Arrow's schemas need them. Reading trusts no offset: each is checked
 * against the bytes before it is followed, and what does not hold is told by false. Writing goes
 * forward: a table before what it refers to. */
#ifndef COLUMN_FLATBUF_H
#define COLUMN_FLATBUF_H

#include "base/buffer.h"

/* ---- reading ---- */
typedef struct flat_table {
    span all;
    uint32_t at, len;            /* of the table's own bytes */
    uint32_t vtable, vtable_len; /* where its fields lie */
} flat_table;

typedef struct flat_vector {
    span all;
    uint32_t at, n; /* of its first element; elements are known to be there */
} flat_vector;

bool flat_root(span all, flat_table *out);
/* Scalars, or `initial` where the field is not there. A field too narrow in its table is false. */
bool flat_i64(const flat_table *t, int id, int64_t initial, int64_t *out);
bool flat_i32(const flat_table *t, int id, int32_t initial, int32_t *out);
bool flat_i16(const flat_table *t, int id, int16_t initial, int16_t *out);
bool flat_u8(const flat_table *t, int id, uint8_t initial, uint8_t *out);
/* What the field refers to; *has is false where it is not there. */
bool flat_child(const flat_table *t, int id, bool *has, flat_table *out);
bool flat_string(const flat_table *t, int id, bool *has, span *out);
/* Of references, 4 bytes each; not there: of none. */
bool flat_refs(const flat_table *t, int id, flat_vector *out);
/* Of structs or scalars, `bytes` each. */
bool flat_structs(const flat_table *t, int id, uint32_t bytes, flat_vector *out);
bool flat_element(const flat_vector *v, uint32_t i, flat_table *out);

/* ---- writing ---- */
typedef struct flat_field {
    uint16_t id;
    uint8_t bytes; /* 1, 2, 4 or 8; 0: a reference, to be set by flat_point */
    int64_t value;
    uint32_t at; /* set by flat_put_table: where the field lies */
} flat_field;

/* Every table has a vtable of its own, right before it: some readers look for one only behind the
 * table that led there. */
/* An empty buffer and its root table. `fields` rise by id, at most 16 of them, ids below 16. */
nrw_status flat_put_root(bytes *out, flat_field *fields, uint32_t n, nrw_error *err) NRW_CHECKED;
/* Appends what the reference at `at` then leads to: a table, a text, or a vector of n references
 * that lie one after the other, 4 bytes each, from *first on. */
nrw_status flat_put_table(bytes *out, uint32_t at, flat_field *fields, uint32_t n,
                          nrw_error *err) NRW_CHECKED;
nrw_status flat_put_string(bytes *out, uint32_t at, span text, nrw_error *err) NRW_CHECKED;
nrw_status flat_put_refs(bytes *out, uint32_t at, uint32_t n, uint32_t *first,
                         nrw_error *err) NRW_CHECKED;

/* The head of a vector of n structs or scalars; the caller appends these, which then begin at a
 * multiple of 8. */
nrw_status flat_put_structs(bytes *out, uint32_t at, uint32_t n, nrw_error *err) NRW_CHECKED;

#endif
