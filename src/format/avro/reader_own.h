/* Inside of the reader: reader.c is the class and its memory, reader_cut.c cuts morsels,
 * reader_columns.c reads them. Internal to the Avro folder. */
#ifndef AVRO_READER_OWN_H
#define AVRO_READER_OWN_H

#include "format/avro/piece.h"
#include "format/format.h"

#include <pthread.h>

typedef struct morsel {
    av_piece piece;
    uint64_t at, end;
    int64_t block;
    av_block cut; /* the last one; where it is cut it is the only one */
    uint32_t rows;
    uint32_t first, n; /* rows of the morsel that are decoded, or will be when touched */
    bool decoded;
    uint32_t columns_left;
    struct morsel *next_free;
} morsel;

typedef struct av_reader {
    reader base;
    mem *m, *grant;
    arena *a;
    av_header header;
    const av_type *type;
    const char *schema_path;              /* --read schema=; NULL: none */
    uint64_t buffer_blocks, buffer_bytes; /* --read; how much is asked for ahead, 0: not said */
    av_columns columns;
    av_columns written;    /* of the file, where `columns` are of another schema */
    uint64_t codec_memory; /* of one worker */

    uint32_t n;
    av_program program;
    av_shape shape;
    bool eager; /* how much comes of a run is not known before it is unpacked and decoded */

    /* the cutter */
    av_walk walk;
    av_block ahead; /* read, but not cut yet */
    bool has_ahead;
    uint64_t asked_for;   /* of the file, ahead of what is read */
    uint64_t run_bytes;   /* so much of the file the next run is likely to have; 0: not known */
    size_t run_most;      /* bytes that were read of one, at most */
    int64_t row, cut_row; /* of the next morsel, of the block behind the one ahead */
    uint32_t left;        /* rows of a block cut by rows alone: no column is wanted */

    _Atomic uint64_t stored_seen, raw_seen; /* bytes unpacked so far: how blocks expand */
    pthread_mutex_t lock;
    morsel *free;
} av_reader;

/* ---- reader_cut.c ---- */

/* As reader_class.next: one thread at a time. */
nrw_status av_reader_next(reader *base, batch *b, nrw_error *err) NRW_CHECKED;
/* Back to those that wait for use; any thread. */
void av_morsel_give(av_reader *r, morsel *m);
void av_morsels_free(av_reader *r); /* those that wait */

/* ---- reader_columns.c ---- */

/* Of batches whose state is a morsel. */
extern const column_source av_column_source;

#endif
