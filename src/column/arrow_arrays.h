/* Arrays as Arrow lays them out, to vectors: a range of rows at a time, from wherever their buffers
 * are (a file, a spill file, memory of somebody else). Only what the range needs is read. Nothing
 * that arrays say is believed: offsets, lengths, indices and run ends are checked against the
 * buffers, text is checked to be UTF-8. */
#ifndef COLUMN_ARROW_ARRAYS_H
#define COLUMN_ARROW_ARRAYS_H

#include "column/arrow_layout.h"
#include "column/vector.h"

typedef struct arrow_node {
    int64_t length;
    int64_t nulls;  /* -1: not known */
    int64_t offset; /* rows in its buffers before its first one */
} arrow_node;

/* The entries of a dictionary; `d` has them as other vectors share them, NULL where they are
 * nested. Entries may be null: `values` says which. */
typedef struct arrow_entries {
    vector values; /* flat */
    dict *d;
} arrow_entries;

/* Takes values, also on failure. */
nrw_status arrow_entries_new(mem *m, vector *values, arrow_entries *out, nrw_error *err);
void arrow_entries_release(arrow_entries *e);

/* Where arrays are. Nodes and buffers are numbered as in a record batch. */
typedef struct arrow_arrays arrow_arrays;
struct arrow_arrays {
    nrw_status (*node)(arrow_arrays *s, uint32_t node, arrow_node *out, nrw_error *err);
    /* Bytes of a buffer; 0 where it is not there. */
    nrw_status (*length)(arrow_arrays *s, uint32_t buffer, uint64_t *out, nrw_error *err);
    /* Bytes [at, at + n), which are known to be there. */
    nrw_status (*read)(arrow_arrays *s, uint32_t buffer, uint64_t at, void *dst, size_t n,
                       nrw_error *err);
    /* Of the dictionary of that layout; they live until the caller is done with the rows. */
    nrw_status (*entries)(arrow_arrays *s, const arrow_layout *l, const arrow_entries **out,
                          nrw_error *err);
    /* How many buffers the layouts of views before the i-th one point into, all together; n + 1
     * numbers. NULL: there are no views. */
    const uint32_t *variadic;
};

/* Rows [first, first + n) of the array, charged to m. */
nrw_status arrow_read(arrow_arrays *s, const arrow_layout *l, uint64_t first, uint32_t n, mem *m,
                      vector *out, nrw_error *err);

#endif
