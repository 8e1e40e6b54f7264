/* How Arrow lays the values of a field out in buffers: what the types of ours do not say. A layout
 * is made from a schema message (IPC) or a C schema; arrays.h reads and builder.h writes by it.
 * Source: Arrow's Columnar.rst (format 1.5), Schema.fbs. */
#ifndef COLUMN_ARROW_LAYOUT_H
#define COLUMN_ARROW_LAYOUT_H

#include "column/flatbuf.h"
#include "column/note.h"

typedef enum arrow_kind {
    LAID_NULL,       /* no buffers */
    LAID_BITS,       /* validity, bits */
    LAID_FIXED,      /* validity, values of `width` bytes */
    LAID_BYTES,      /* validity, offsets, bytes */
    LAID_VIEWS,      /* validity, views, and any number of buffers that they point into */
    LAID_LIST,       /* validity, offsets; maps too, over a struct of key and value */
    LAID_LIST_VIEW,  /* validity, offsets, sizes */
    LAID_FIXED_LIST, /* validity; `list_size` elements a row */
    LAID_STRUCT,     /* validity */
    LAID_RUNS,       /* nothing; run ends and values are children */
    LAID_UNION       /* as many as `buffers` says; it is passed over */
} arrow_kind;

/* What a value becomes besides being copied. */
typedef enum arrow_change {
    CHANGE_NONE,
    CHANGE_WIDTH,        /* decimals, and times of 32 bits: two's complement of another width */
    CHANGE_DATE_MILLIS,  /* to days */
    CHANGE_MONTHS,       /* int32 months to an interval */
    CHANGE_DAYS_MILLIS,  /* int32 days, int32 milliseconds */
    CHANGE_MONTHS_NANOS, /* int32 months, int32 days, int64 nanoseconds */
    CHANGE_NO_TYPE       /* no type of ours holds it: `why` says what it is */
} arrow_change;

typedef struct arrow_layout {
    const field *f; /* what it becomes; of runs and dictionaries the values */
    arrow_kind kind;
    arrow_change change;
    const char *why;
    uint32_t width;
    uint8_t offset_bytes; /* 4 or 8 */
    uint8_t buffers;      /* of its own, without those that views point into */
    int32_t list_size;
    bool dictionary; /* its arrays hold indices; all else says how the dictionary lies */
    int64_t dictionary_id;
    uint8_t index_bytes;
    bool index_signed;
    uint32_t n_children;
    struct arrow_layout *children;

    /* Places in a record batch: of its node, its first buffer (with those of views before not yet
     * counted), how many layouts of views come before. A dictionary has places of two kinds: as
     * indices in the batch, as values (the first ones) in its own. */
    uint32_t node, buffer, views;
    uint32_t index_node, index_buffer, index_views;
} arrow_layout;

/* Nodes, buffers and layouts of views in a batch. */
typedef struct arrow_places {
    uint32_t nodes, buffers, views;
} arrow_places;

/* Layouts of the fields that arrow_fields_read (arrow_schema.h) has read as `s`; they lie in `a`
 * and refer to `s`. */
nrw_status arrow_layout_read(const flat_vector *fields, const schema *s, arena *a,
                             arrow_layout **out, nrw_error *err) NRW_CHECKED;
/* Sets the places of n layouts that make a batch, and of the dictionaries under them. */
arrow_places arrow_layout_place(arrow_layout *at, uint32_t n);
/* A type somewhere in it that no type of ours holds: what it is; NULL: none. */
const char *arrow_layout_refusal(const arrow_layout *l);
bool arrow_layout_has_dictionary(const arrow_layout *l);
/* Bytes of a row in buffers, as far as the type tells. */
uint64_t arrow_layout_row(const arrow_layout *l);
/* The same without what lies below it. */
uint64_t arrow_layout_own(const arrow_layout *l);

#endif
