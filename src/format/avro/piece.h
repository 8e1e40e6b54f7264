/* A run of blocks on its way through a worker: read, unpacked and decoded a piece at a time.
 * Internal to the Avro folder.
 *
 * A piece is what is decoded at once: rows of whole blocks that fit, or of a part of a block that
 * does not and is unpacked by stream. Strings point into the unpacked bytes. One thread at a time.
 */
#ifndef AVRO_PIECE_H
#define AVRO_PIECE_H

#include "format/avro/container.h"
#include "format/avro/program.h"
#include "format/avro/repeats.h"
#include "format/format.h"

/* The same for all pieces of a reader. */
typedef struct av_shape {
    io_file *file;
    const av_header *header;
    const av_program *program;
    mem *m;
    size_t stored_max;    /* bytes of blocks read at once */
    size_t raw_max;       /* unpacked bytes at once; more only for a single record that has more */
    uint32_t rows_max;    /* records decoded at once */
    bool repeats;         /* there is room to look for text that repeats */
    damage_found damaged; /* NULL: damage is an error; else it is told and left out */
    void *damaged_self;
} av_shape;

/* Records of one block among the unpacked bytes. */
typedef struct av_segment {
    av_block block;
    uint32_t start, at, end; /* in `raw`; [at, end) is not yet decoded */
    uint32_t all, rows;      /* records; `rows` are not yet decoded */
    int64_t record;          /* number of the next one in the block */
    int64_t first_row;       /* ordinal in the file of the block's first one */
    bool whole;              /* nothing may be left behind the last record */
} av_segment;

typedef struct av_piece {
    const av_shape *shape;
    uint64_t at, end; /* of the run in the file: from its first block's numbers on */
    int64_t number;   /* of the block at `at` */
    int64_t row;      /* ordinal in the file of its first record */
    int64_t lost;     /* records of the run that were announced and do not come */
    bool cut;         /* `block` is the whole run, and ends early */

    codec_ctx codec;
    buffer *stored; /* the run as it lies in the file, [stored_at, ...) */
    uint64_t stored_at;
    buffer *raw;
    uint64_t raw_at;                            /* without a codec: where in the file it lies */
    uint32_t n_segments, cap_segments, segment; /* `segment`: the one being decoded */
    av_segment *segments;
    av_stream stream;
    av_block block;        /* of the stream */
    int64_t block_row;     /* ordinal in the file of its first record */
    int64_t left;          /* its records not measured yet */
    size_t carry, carried; /* where in `raw`, and how many, are bytes of records not complete yet */

    av_slot *slots;
    av_guess *guesses, *sparse_guesses; /* of the elements of the program, of its sparse steps */
    av_guess *skip_guesses;             /* of its skip steps, when needed */
    uint64_t guess_rows;  /* records since how often the former two are wrong is counted */
    av_repeats *repeats;  /* of each column of text; NULL: not looked for */
    uint32_t rows_before; /* of what was decoded last */
    uint32_t n_vectors;
    vector *vectors;                  /* decoded: one an output of the program */
    size_t *vector_sizes;             /* as vector_bytes says; 0: not asked yet */
    uint64_t stored_bytes, raw_bytes; /* unpacked so far */
} av_piece;

nrw_status av_piece_init(av_piece *p, const av_shape *s, nrw_error *err) NRW_CHECKED;
void av_piece_free(av_piece *p);
/* The run [at, end), whose first block is `number` and begins with record `row` of the file. */
void av_piece_start(av_piece *p, uint64_t at, uint64_t end, int64_t number, int64_t row);
/* The same of one block that is cut. */
void av_piece_start_cut(av_piece *p, const av_block *b, int64_t row);
/* Decodes the next rows, at most `most`, and says how many. There are some, or it fails; where
 * damage is left out, NRW_END: no more come. What was decoded before is gone. */
nrw_status av_piece_next(av_piece *p, uint32_t most, uint32_t *rows, nrw_error *err) NRW_CHECKED;
/* Drops all it holds of the run but what the codec keeps. */
void av_piece_drop(av_piece *p);

#endif
