/* What a format is to the layers above: a reader that cuts its input into morsels of lazy columns,
 * and a writer that takes batches. One folder a format, and one row in formats.c. */
#ifndef FORMAT_FORMAT_H
#define FORMAT_FORMAT_H

#include "column/batch.h"
#include "column/row_filter.h"
#include "io/file.h"
#include "io/spill.h"
#include "io/target.h"

/* What a part needs to run at all, and what it would like. A part that was granted at least
 * `least` finishes; `spill` is the most it may write to disk with exactly `least`. */
typedef struct budget {
    uint64_t least, wish;
    uint64_t spill; /* UINT64_MAX: not known beforehand */
    bool large;     /* parts of the input are larger than what `wish` has for them: some is spilled
                       even so */
} budget;

/* ---- reading ---- */
typedef struct reader reader;

typedef struct reader_counts {
    uint64_t pages_decompressed, pages_skipped; /* data pages whose body was / was never decoded */
    uint64_t bytes_decompressed;
} reader_counts;

/* What of a file cannot be read. */
typedef struct damage {
    const char *column;  /* "": of all columns */
    int64_t first, rows; /* the rows that are lost, by their ordinals in the file; rows -1: nobody
                            knows how many */
    uint64_t from, to;   /* the bytes of the file that are lost; equal: not told */
    const nrw_error *why;
} damage;

typedef nrw_status (*damage_found)(void *self, const damage *d, nrw_error *err);

/* See reader_class.ranges; bounds are valid for the time of the call. */
typedef nrw_status (*range_found)(void *self, int64_t row, const value_facts *facts,
                                  nrw_error *err);

/* How the consumer would like its batches: a reader keeps each bound as far as it can know. */
typedef struct batch_shape {
    uint32_t max_rows;   /* at most BATCH_MAX_ROWS */
    size_t column_bytes; /* decoded bytes of the widest column: for who goes column by column */
    size_t batch_bytes;  /* decoded bytes of all columns: for who holds whole batches; 0: any */
    uint32_t workers;    /* threads that read */
    bool any_order;      /* nobody waits for the rows before: threads may go far apart */
    const row_filter *filter; /* rows that cannot pass need not come; NULL: all come */
    /* Of readers that have leaves_out: what is damaged is told, by any thread, in no order, and
     * does not come. NULL: damage is an error. */
    damage_found damaged;
    void *damaged_self;
    size_t row_bytes; /* of batch_bytes: what each row takes beside its columns */
} batch_shape;

/* What the filter left out unread. */
typedef struct prune_counts {
    uint64_t rows;
    uint64_t groups, of_groups; /* row groups left out whole, of how many the cutter has seen */
    uint64_t pages;             /* ruled out by their bounds in the others, of any column */
} prune_counts;

/* What the rows of a file bring along to another one. */
typedef struct key_value {
    const char *key, *value; /* value NULL: none */
    size_t value_len;
} key_value;

typedef struct sort_key {
    int32_t column;
    bool descending, nulls_first;
} sort_key;

typedef struct carried {
    uint32_t n_key_values, n_sorted;
    key_value *key_values;
    sort_key *sorted; /* all rows, by these columns */
} carried;

/* What verifying looked at, for a report: "12 pages". */
typedef struct verify_count {
    const char *name;
    int64_t n;
    bool detail; /* for machines alone */
} verify_count;

typedef struct verify_counts {
    uint32_t n;
    verify_count at[6];
    uint64_t bytes;
} verify_counts;

/* What a file is like, for inspect: numbers, bytes, text; FACT_PARTS: a number, of what its rows
 * lie in. */
typedef enum fact_kind { FACT_NUMBER, FACT_BYTES, FACT_TEXT, FACT_PARTS } fact_kind;

typedef struct fact {
    const char *key, *title; /* for machines, for people */
    fact_kind kind;
    uint64_t n;
    char text[64];
} fact;

/* What the values of a column are like, about: by a part of a file. UINT64_MAX: not known. */
typedef struct column_values {
    uint64_t bytes;    /* of a text or binary value */
    uint64_t distinct; /* how many different ones, nulls among them */
    bool bounded;      /* all lie between these, which are whole numbers */
    int64_t least, greatest;
} column_values;

#define FACTS_MAX 12

typedef struct facts {
    uint32_t n;
    fact at[FACTS_MAX];
} facts;

/* A column over the whole file, for inspect; -1: not known, or there is none. */
typedef struct column_facts {
    uint32_t column;
    char stored[64]; /* how its values lie, in the format's words */
    uint64_t bytes;  /* in the file */
    int64_t nulls;
    int64_t entries; /* of its dictionary */
} column_facts;
typedef nrw_status (*column_told)(void *self, const column_facts *c, nrw_error *err);

/* A record batch, for inspect. */
typedef struct stretch_facts {
    int64_t rows, first_row;
    uint64_t bytes; /* of its buffers */
    const char *codec;
    uint64_t start, end; /* in the file */
} stretch_facts;
typedef nrw_status (*stretch_told)(void *self, const stretch_facts *s, nrw_error *err);

typedef nrw_status (*fault_found)(void *self, const nrw_error *what, nrw_error *err);

/* A verifier's answer to a failed step: a fault of the file goes to the callback; anything else
 * ends the walk. */
static inline nrw_status verify_tell(fault_found fault, void *self, nrw_status st,
                                     const nrw_error *what, nrw_error *err)
{
    if (st == NRW_E_CORRUPT || st == NRW_E_VALUE || st == NRW_E_UNSUPPORTED)
        return fault(self, what, err);
    if (err)
        *err = *what;
    return st;
}

typedef struct reader_class {
    const char *name;
    const schema *(*schema)(const reader *r);
    int64_t (*rows)(const reader *r); /* -1: not known without reading */
    /* Finds out how many rows there are, without decoding any. NULL: rows() tells. */
    nrw_status (*count)(reader *r, int64_t *rows, nrw_error *err);
    /* For reading the columns cols[0..n) by `workers` threads. */
    nrw_status (*budget)(const reader *r, const uint32_t *cols, uint32_t n, uint32_t workers,
                         budget *out, nrw_error *err);
    /* Chooses the columns, in the order the batches will have; memory is charged to `grant`
     * (child of which the reader may make), oversize pages go to `s`. Once, before next. */
    nrw_status (*start)(reader *r, const uint32_t *cols, uint32_t n, const batch_shape *shape,
                        mem *grant, spill *s, nrw_error *err);
    /* Cuts the next morsel: fills rows, first_row (ordinal in this file), n_cols, cols, source,
     * source_self, source_state of *b. NRW_END after the last. Called by one thread at a time, in
     * order; numbers of morsels are the caller's and rise by one a call. Stretches that the filter
     * of the shape rules out may be left out: they are missing in first_row, and counted. */
    nrw_status (*next)(reader *r, batch *b, nrw_error *err);
    /* Per chosen column; any thread, at any time. NULL: nothing is counted. */
    void (*counts)(const reader *r, uint32_t col, reader_counts *out);
    /* Of the cutter, between calls of next; NULL: it leaves nothing out. */
    void (*pruned)(const reader *r, prune_counts *out);
    /* For a plan: "10 row groups". */
    void (*describe)(const reader *r, char *out, size_t cap);
    /* Wakes every thread that waits for a turn; the job has failed. NULL: nobody waits. */
    void (*stop)(reader *r);
    void (*close)(reader *r); /* after all batches were released */

    /* What metadata may tell; each may be NULL: nothing is known. */
    nrw_status (*carries)(reader *r, arena *a, carried *out, nrw_error *err);
    /* Least and greatest value of a column of whole numbers; least > greatest: there are none.
     * False: not known. m is for the time of the call. */
    bool (*bounds)(reader *r, mem *m, uint32_t column, int64_t *least, int64_t *greatest);
    /* What is known of a column's values in each stretch of rows, one behind the other, all rows of
     * the file: `row` is the first one's ordinal in it. Only what can be believed. NRW_END from
     * `found` ends it. m is for the time of the call. */
    nrw_status (*ranges)(reader *r, mem *m, uint32_t column, range_found found, void *self,
                         nrw_error *err);
    /* What the values of a column are like; what is not known is left as it is. m is for the time
     * of the call. */
    void (*values)(reader *r, mem *m, uint32_t column, column_values *out);
    /* At most how many rows may pass the filter, and of what that is the sum ("4 of them may match
     * by statistics"). */
    nrw_status (*estimate)(reader *r, mem *m, const row_filter *f, char *text, size_t cap,
                           int64_t *rows, nrw_error *err);
    /* Leaves out what is damaged while it reads, where the shape asks for it: fewer rows come of a
     * morsel than `next` said, perhaps none. */
    bool leaves_out;
    /* Of others: reads all of the columns once and tells what is damaged. NULL: it cannot. Memory
     * as for one column. */
    nrw_status (*find_damage)(reader *r, const uint32_t *cols, uint32_t n, mem *m, spill *sp,
                              damage_found found, void *self, nrw_error *err);
    /* Everything the file says of itself against what is in it. Each fault goes to the callback as
     * an error with its place; it goes on behind it where it can, unless the callback fails. Errors
     * are of the walk itself. */
    nrw_status (*verify)(reader *r, spill *sp, mem *m, fault_found fault, void *self,
                         verify_counts *out, nrw_error *err);
    /* For inspect, where metadata are not Parquet's. Memory as for reading a little of the file. */
    nrw_status (*facts)(reader *r, mem *m, facts *out, nrw_error *err);
    /* Beside facts; NULL: nothing more is said of columns, of stretches of rows. */
    nrw_status (*columns)(reader *r, mem *m, column_told told, void *self, nrw_error *err);
    nrw_status (*stretches)(reader *r, mem *m, stretch_told told, void *self, nrw_error *err);
    /* The schema as the file has it, where that is in the language called so ("avsc"). */
    bool (*schema_text)(const reader *r, const char *language, span *out);
    /* How the file spells a column's type; NULL where it is nested, or says nothing. */
    void (*spelled)(const reader *r, uint32_t column, const char **physical, const char **logical);
} reader_class;

struct reader {
    const reader_class *class;
    io_file *file;
};

static inline void reader_counted(const reader *r, uint32_t col, reader_counts *out)
{
    *out = (reader_counts){0};
    if (r->class->counts)
        r->class->counts(r, col, out);
}

static inline void reader_wake(reader *r)
{
    if (r->class->stop)
        r->class->stop(r);
}

/* --read NAME=VALUE, as given. */
typedef struct read_options {
    size_t n;
    const char *const *at;
} read_options;

/* A format that can be read. */
typedef struct format {
    const char *name;
    const char *extensions[4];  /* with the dot */
    bool (*matches)(span head); /* the first FORMAT_HEAD bytes of a file, or all of a shorter one */
    /* Takes f, also on failure. m: books of the metadata. */
    nrw_status (*open)(mem *m, io_file *f, const read_options *opts, reader **out, nrw_error *err);
} format;

#define FORMAT_HEAD 16

/* ---- writing ---- */
typedef struct writer writer;

typedef struct file_summary {
    int64_t rows; /* as the written footer says */
    int64_t row_groups;
    uint64_t bytes;
    uint64_t spilled;
    uint64_t encoded; /* before compression */
} file_summary;

typedef struct writer_class {
    const char *name;
    /* Takes the batch's first columns, as many as the file has (the caller still releases the
     * batch). Any number of threads at once; order is that of b->morsel, which start at 0 without
     * gaps, and of the batches in one morsel. */
    nrw_status (*push)(writer *w, batch *b, nrw_error *err);
    /* All batches were pushed: writes what is left and the footer. Does not publish. */
    nrw_status (*finish)(writer *w, file_summary *out, nrw_error *err);
    void (*stop)(writer *w); /* the job has failed: wakes all waits */
    void (*close)(writer *w);
    /* One column more, behind the others: null in all rows pushed so far. Between pushes, by one
     * thread, while no morsel is half pushed. `f` is nullable; what it points to stays until the
     * writer is closed. NULL: the format has no such thing. */
    nrw_status (*add_null_column)(writer *w, const field *f, nrw_error *err);
} writer_class;

struct writer {
    const writer_class *class;
};

#endif
