/* What a format says of a field beyond name and type: kept from input to output, so that who reads
 * the copy finds it again. Values do not depend on it. */
#ifndef COLUMN_NOTE_H
#define COLUMN_NOTE_H

#include "column/type.h"

/* How Arrow lays text, binary, lists and decimals out. */
typedef enum arrow_form {
    ARROW_PLAIN, /* 32-bit offsets; decimals of 128 bits where they fit */
    ARROW_LARGE, /* 64-bit offsets; decimals of 256 bits */
    ARROW_VIEW,
    ARROW_LARGE_VIEW,
    ARROW_FIXED,      /* fixed-size list */
    ARROW_DECIMAL_32, /* also narrower ones */
    ARROW_DECIMAL_64,
    ARROW_MILLIS, /* dates as milliseconds */
    ARROW_UNKNOWN /* a type of Arrow that has no counterpart here */
} arrow_form;

/* What binary values or structs stand for, where no type of ours does. */
typedef enum note_meaning {
    MEANS_NOTHING,
    MEANS_GEOMETRY,  /* WKB, planar */
    MEANS_GEOGRAPHY, /* WKB, on a globe */
    MEANS_VARIANT    /* a struct of metadata and value, both binary */
} note_meaning;

typedef struct note_pair {
    const char *key, *value;
    size_t value_len;
} note_pair;

typedef struct field_note {
    arrow_form form;
    int32_t list_size; /* ARROW_FIXED */
    bool dictionary;   /* Arrow's dictionary of the field's type, with indices ... */
    bool ordered, index_signed;
    uint8_t index_bits;
    bool keys_sorted; /* maps */
    const char *zone; /* of instants: "Europe/Berlin"; NULL: UTC */
    uint32_t n_pairs; /* custom metadata of Arrow's field */
    const note_pair *pairs;
    note_meaning meaning;
    const char *crs; /* geometry, geography: coordinate reference system; NULL: the default */
    int32_t edges;   /* geography: number of the interpolation; -1: not said */
    int32_t version; /* variant: of its specification; -1: not said */
} field_note;

/* A copy with its texts in `a`; NULL of NULL. */
nrw_status note_copy(arena *a, const field_note *n, const field_note **out, nrw_error *err);

static inline note_meaning field_meaning(const field *f)
{
    return f->note ? f->note->meaning : MEANS_NOTHING;
}

#endif
