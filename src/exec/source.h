/* Where a pipeline's morsels come from: files (source_scan), or what another pipeline has gathered
 * (groups, sorted rows, a hash table's rows that nobody met). */
#ifndef EXEC_SOURCE_H
#define EXEC_SOURCE_H

#include "dataset/scan.h"

typedef struct source source;

typedef struct source_class {
    const char *name;
    /* The next morsel: its number (from 0, without gaps); of a lazy source also rows, first_row and
     * what its columns are read from. NRW_END after the last. By one thread at a time, unless
     * `prepares`. */
    nrw_status (*next)(source *s, batch *b, nrw_error *err);
    /* Of sources that are not lazy: the next batch of the morsel, its rows and held columns (n_cols
     * of them, set to taken beforehand); b->last where it is the final one. A morsel may have no
     * rows. By the thread that carries the morsel. */
    nrw_status (*fill)(source *s, batch *b, nrw_error *err);
    void (*done)(source *s,
                 const batch *b);      /* the morsel is through; any thread; NULL: no matter */
    void (*stop)(source *s);           /* wakes all waits; NULL: nothing waits */
    void (*close)(source *s);          /* NULL: the owner of the state closes it */
    uint64_t (*bytes_read)(source *s); /* so far; any thread; NULL: none */
    /* Of a lazy source: whether values of the column may be of any length. NULL: of all. */
    bool (*varies)(const source *s, uint32_t column);
    bool prepares; /* `next` does work that lasts, and waits: all threads may be in it at once */
} source_class;

struct source {
    const source_class *class;
    uint32_t n_cols; /* at most; of a lazy source exactly */
    bool lazy;       /* columns are read when touched, and a batch may be cut short */
};

/* The columns a scan was started with; the scan stays the caller's. */
typedef struct source_scan {
    source base;
    scan *scan;
} source_scan;

source_scan source_scan_of(scan *s, uint32_t n_cols);

#endif
