/* Reports as tables: columns side by side, or with -f json an object a row.
 *
 *     look_table t = look_table_of(l, columns, n);
 *     for each row: look_cell_...() once a column, in order
 *     look_table_end(&t, &err);
 *
 * The first rows, some 64 KiB of them, are kept to find how wide the columns are; the others go
 * straight out. Failures stick: cells do nothing after the first, look_table_end tells it. */
#ifndef API_LOOK_TABLE_H
#define API_LOOK_TABLE_H

#include "api/look.h"

typedef struct look_column {
    const char *title, *key; /* key: in JSON; one of them NULL: there it is left out */
    bool right;
} look_column;

#define LOOK_MAX_COLUMNS 24
#define LOOK_SHORT       28

typedef struct look_table {
    look *l;
    const look_column *columns;
    uint32_t n, at; /* columns; cells of this row so far */
    uint32_t widths[LOOK_MAX_COLUMNS];
    bytes held;   /* cells of rows not printed, each ended by a zero byte */
    bool settled; /* the widths are, and the titles are printed */
    bool bare;    /* no titles */
    bool inside;  /* JSON: rows are elements of a list that the caller opened */
    uint64_t rows;
    nrw_status st;
    nrw_error *err;
} look_table;

look_table look_table_of(look *l, const look_column *columns, uint32_t n, nrw_error *err);
void look_cell_text(look_table *t, const char *text);
void look_cell_bytes(look_table *t, span text);
void look_cell_type(look_table *t, const type *ty); /* whole, however long */
void look_cell_int(look_table *t, int64_t x);
void look_cell_maybe(look_table *t, int64_t x); /* below 0: none */
void look_cell_size(look_table *t, uint64_t x); /* "1.3 MB"; JSON: bytes */
void look_cell_bool(look_table *t, bool x);     /* "yes", "-" */
/* A value: a table has it cut to LOOK_SHORT bytes. */
void look_cell_value(look_table *t, const char *text);
/* A number that is spelled already. */
void look_cell_number(look_table *t, const char *digits);
void look_cell_none(look_table *t); /* "-"; JSON: null */
/* Names of the bits, "A B"; JSON: a list. */
void look_cell_bits(look_table *t, uint32_t bits, const char *(*name)(int bit));
void look_cell_ints(look_table *t, const int64_t *x, uint32_t n); /* "1 2"; JSON: a list */
nrw_status look_table_end(look_table *t) NRW_CHECKED;

#endif
