/* Inside the text writers.
 *
 * A batch goes column by column into cells (pieces of text), some rows at a time, then row by row
 * into a buffer, which is written in turn. Cells point at the text of a vector wherever it needs
 * no change. */
#ifndef FORMAT_TEXT_OWN_H
#define FORMAT_TEXT_OWN_H

#include "base/turn.h"
#include "column/lanes.h"
#include "format/text/text.h"

#include <pthread.h>

#define CELLS 4096 /* of a step, at least one row */
#define SCRATCH_SOFT                                                                               \
    ((size_t)128 << 10)               /* beyond it texts that need escapes are cells to stream     \
                                       */
#define STREAM_MIN ((size_t)16 << 10) /* so are longer ones, whatever there is room for */
#define PAD        16                 /* bytes that may be read behind any short cell */

typedef enum cell_place {
    CELL_POINTER, /* `at` is an address */
    CELL_SCRATCH, /* an offset in the scratch */
    CELL_STREAM   /* address of a raw value, to be escaped while it is written; of a nested one: of
                     its vector, and len is the row */
} cell_place;

typedef struct cell {
    uint64_t at;
    uint32_t len;
    uint32_t place;
} cell;

/* How the values of a column become text. */
typedef enum text_how {
    HOW_PRINT,        /* print_fixed, nothing to escape */
    HOW_PRINT_CHECK,  /* may need CSV's quotes, by an unusual delimiter or null string */
    HOW_PRINT_STRING, /* between JSON's quotes */
    HOW_JSON_NUMBER,
    HOW_TEXT, /* escaped as the kind asks */
    HOW_BYTES,
    HOW_JSON,  /* JSON in JSON */
    HOW_NESTED /* printed as JSON */
} text_how;

typedef struct text_field {
    type type;
    text_how how;
    span prefix; /* before each value: a delimiter, a name; PAD bytes behind it */
} text_field;

/* What one thread needs for a batch. */
typedef struct text_task {
    struct text_task *next;
    lane *cols;
    cell *cells; /* column by column, `step` each */
    uint32_t step;
    bytes scratch, out;
    size_t limit; /* of out */
    batch *b;
} text_task;

typedef struct table table;

typedef struct text_writer {
    writer base;
    mem *m;
    target *target;
    arena *arena;
    text_kind kind;
    char delim;
    span null;   /* how nulls are written; PAD bytes behind it */
    span suffix; /* of a row */
    uint32_t n, workers;
    text_field *fields;
    size_t limit; /* of a task's out */
    turn turn;
    _Atomic int64_t rows;
    pthread_mutex_t lock; /* free tasks */
    text_task *tasks;
    table *table;
} text_writer;

/* cells.c: cells [0, rows) of column c. */
nrw_status text_cells(const text_writer *w, text_task *k, uint32_t c, uint32_t rows,
                      nrw_error *err);

/* escape.c */
bool text_csv_quotes(const text_writer *w, const uint8_t *p, size_t n);
/* Is there a character among them that asks for quotes? */
bool text_csv_special(const text_writer *w, const uint8_t *p, size_t n);
/* Doubles the quotes of n bytes into out (room for 2 * n). */
size_t text_csv_double(const uint8_t *p, size_t n, char *out);
bool text_blob_quotes(const text_writer *w, const uint8_t *p, size_t n);

/* names.c: prefixes, header, names that came before. */
nrw_status text_prepare(text_writer *w, const schema *s, const text_options *opts, nrw_error *err);

/* table.c: called in turn. */
nrw_status table_new(text_writer *w, const schema *s, const text_options *opts, nrw_error *err);
nrw_status table_push(text_writer *w, text_task *k, nrw_error *err);
nrw_status table_finish(text_writer *w, nrw_error *err);
void table_free(text_writer *w);
uint64_t table_budget(const schema *s, const text_options *opts);

#endif
