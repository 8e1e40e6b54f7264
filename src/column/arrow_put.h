/* The tables of a schema message, as both who write one put them: from schemas of ours, and from
 * those of Arrow's C interface. Internal to these. */
#ifndef COLUMN_ARROW_PUT_H
#define COLUMN_ARROW_PUT_H

#include "column/flatbuf.h"

/* A type of Arrow and the fields of its table. */
typedef struct arrow_type {
    uint8_t id;
    uint32_t n;
    flat_field fields[3];
    const char *zone; /* of an instant: its second field; NULL: none */
} arrow_type;

/* The next field. */
void arrow_type_add(arrow_type *t, uint8_t bytes, int64_t value);

typedef struct arrow_field {
    const char *name;
    bool nullable;
    arrow_type type;
    bool dictionary; /* with indices of such a type, and a number */
    arrow_type index;
    int64_t number;
    bool ordered;
} arrow_field;

/* What the reference at `at` then leads to. Fields and schemas get no children and metadata yet:
 * the references to them are told. */
nrw_status arrow_put_field(bytes *out, uint32_t at, arrow_field *f, uint32_t *children,
                           uint32_t *metadata, nrw_error *err) NRW_CHECKED;
nrw_status arrow_put_schema(bytes *out, uint32_t at, uint32_t *fields, uint32_t *metadata,
                            nrw_error *err) NRW_CHECKED;
nrw_status arrow_put_pair(bytes *out, uint32_t at, span key, span value,
                          nrw_error *err) NRW_CHECKED;

#endif
