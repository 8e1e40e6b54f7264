/* Low-water marks: from which row of a scan on no key comes any more below which value. What lies
 * below a mark is complete once the scan has come there, so who gathers by that key need not keep
 * it. Marks follow from metadata alone, never from how rows are cut. */
#ifndef DATASET_MARKS_H
#define DATASET_MARKS_H

#include "dataset/scan.h"

typedef struct key_mark {
    int64_t row; /* ordinal in the scan, as in b->first_row */
    span key;    /* no key of that row or a later one is below (descending: above); as flat_span */
} key_mark;

typedef struct key_marks {
    const char *object, *column; /* for messages */
    type type;                   /* of the key; nulls may come anywhere unless `strict` */
    bool descending;
    bool strict; /* no key of an earlier row is equal to the mark, and none is null */
    uint32_t n;
    const key_mark *at; /* rising in rows, and in keys (descending: falling), which may be equal */
    int64_t most;       /* rows between two of them, at most */
} key_marks;

/* A stretch of rows and what is known of its keys. */
typedef struct key_range {
    int64_t row, rows;
    bool no_nulls; /* known to have none */
    bool empty;    /* known to have nothing but nulls */
    span min, max; /* of the others; min.data NULL: not known */
} key_range;

/* Marks so many rows apart or more. */
#define MARK_ROWS ((int64_t)1 << 16)

/* The marks of ranges in the order of their rows, that cover them all; out->n is 0 where there are
 * too few of them to keep what is gathered small. Keys are copied to `a`; scratch is the caller's
 * to free. type and strict of *out are set by the caller, the rest here. */
nrw_status marks_of_ranges(const key_range *ranges, size_t n, arena *scratch, arena *a,
                           key_marks *out, nrw_error *err) NRW_CHECKED;

/* The marks of column c of s, which was not started, by what its inputs' metadata say of it. As
 * above; books of what is needed meanwhile are children of m. */
nrw_status scan_marks(scan *s, mem *m, uint32_t c, arena *a, key_marks *out,
                      nrw_error *err) NRW_CHECKED;

#endif
