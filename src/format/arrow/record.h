/* A record batch that is open: its header in memory, its columns read when wanted, by several
 * threads at once. A dictionary batch is one, too, of one column. */
#ifndef ARROW_RECORD_H
#define ARROW_RECORD_H

#include "column/arrow_arrays.h"
#include "format/arrow/body.h"
#include "format/arrow/message.h"

struct ipc_dictionary;

/* The buffers of a column, where they are compressed. */
typedef struct ipc_column {
    pthread_mutex_t lock;
    _Atomic uint32_t users; /* morsels that have not done with it, and the cutter */
    ipc_body *bodies;       /* made when the first one is wanted */
    uint32_t first, n;
} ipc_column;

/* What belongs to all batches of a file. */
typedef struct ipc_file {
    io_file *f;
    mem *m;
    ipc_codecs codecs;
    pthread_mutex_t loading; /* of dictionaries; recursive, for they may be made of others */
} ipc_file;

void ipc_file_init(ipc_file *f, io_file *from, mem *m, spill *s, uint64_t headroom);
void ipc_file_release(ipc_file *f); /* the file itself stays open */

typedef struct ipc_record {
    ipc_file *file;
    _Atomic uint32_t refs; /* morsels, and the cutter */
    int64_t number;        /* of its kind */
    uint64_t at;           /* of its message */
    bool forgets;          /* nobody else reads the message: it goes with the record */
    bytes meta;
    flat_vector nodes, buffers;
    int64_t rows;
    const codec *codec; /* NULL: not compressed */
    uint64_t body, body_len;
    uint32_t *variadic; /* NULL: no views */
    uint32_t n_views;
    uint32_t n_columns;
    ipc_column *columns;
    struct ipc_dictionary **dictionaries; /* those that count for it */
    uint32_t n_dictionaries;
} ipc_record;

/* The batch's table in a message: m->header, or what a dictionary holds. The message's bytes are
 * taken over. `p`: what the layouts have; n columns will be read. */
nrw_status ipc_record_open(ipc_file *f, const ipc_message *m, const flat_table *batch, bytes *meta,
                           const arrow_places *p, uint32_t n, ipc_record **out,
                           nrw_error *err) NRW_CHECKED;
/* Only what is said of its rows. */
nrw_status ipc_record_rows(const ipc_message *m, const flat_table *batch, int64_t *rows,
                           nrw_error *err) NRW_CHECKED;
/* A column of it, as arrays: buffers from `first` on, n of them without those of views. */
typedef struct ipc_arrays {
    arrow_arrays base;
    ipc_record *record;
    ipc_column *column;
    const arrow_layout *layout;
} ipc_arrays;
ipc_arrays ipc_arrays_of(ipc_record *r, uint32_t column, const arrow_layout *l);
/* Stored bytes of the column's buffers. */
uint64_t ipc_column_bytes(const ipc_record *r, const arrow_layout *l);

/* Its nulls, as the header says: of a dictionary's indices. -1: of runs, or a number that cannot
 * be. */
int64_t ipc_column_nulls(const ipc_record *r, const arrow_layout *l);

/* A morsel has done with the column (or the cutter with the batch): lets go of its buffers. */
void ipc_column_done(ipc_record *r, uint32_t column);
void ipc_record_unref(ipc_record *r);

#endif
