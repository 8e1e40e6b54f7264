/* The face of the Arrow folder: a reader and a writer of Arrow's IPC format, files ("Feather" V2)
 * and streams.
 * Source: Arrow's Columnar.rst (format 1.5), Message.fbs, File.fbs. */
#ifndef ARROW_ARROW_H
#define ARROW_ARROW_H

#include "codec/codec.h"
#include "column/arrow_c_array.h"
#include "format/format.h"

extern const format format_arrow;

/* ---- writing ---- */
typedef struct arrow_write_options {
    const codec *codec; /* NULL: none */
    int level;
    uint32_t batch_rows; /* at most, in a record batch */
    bool no_dictionary;  /* columns that were dictionaries are written plainly */
    uint32_t n_key_values;
    const key_value *key_values;
} arrow_write_options;

#define ARROW_BATCH_ROWS 65536

/* "lz4", "zstd"; NULL: Arrow has no such. */
const codec *arrow_codec(const char *name);
nrw_status arrow_write_budget(const schema *s, const arrow_write_options *o, uint32_t workers,
                              budget *out, nrw_error *err);
/* What each worker holds of a batch, in the batch's account. */
budget arrow_write_held(const schema *s);
/* A stream where the target cannot go back or `stream` says so, else a file. s and what o points to
 * outlive the writer. Record batches are cut by rows and by their plain size, which grows with the
 * columns, never by what memory there is. */
nrw_status arrow_writer_open(mem *grant, spill *sp, target *t, const schema *s,
                             const arrow_write_options *o, bool stream, uint32_t workers,
                             writer **out, nrw_error *err);

/* Who takes record batches as they are, in this process. */
typedef struct arrow_taker arrow_taker;
struct arrow_taker {
    /* The schema as an IPC message, before all arrays. */
    nrw_status (*schema)(arrow_taker *t, span message, nrw_error *err);
    /* Takes the array where it succeeds; it is charged to the writer's account until it is handed
     * out (arrow_c_hand_out). May wait. By one thread at a time, in order. */
    nrw_status (*take)(arrow_taker *t, struct ArrowArray *array, nrw_error *err);
    void (*stop)(arrow_taker *t); /* the job has failed: ends the wait */
    arrow_books *books;           /* of what is handed out */
};
/* A writer to t, which outlives it, as s and what o points to. All that was taken is handed out or
 * released before the writer is closed. */
nrw_status arrow_taker_open(mem *grant, arrow_taker *t, const schema *s,
                            const arrow_write_options *o, uint32_t workers, writer **out,
                            nrw_error *err);

/* ---- reading what is in memory ---- */
/* A stream of structs as a live file (io/file.h) of the IPC format, whose bodies are the arrays'
 * own buffers: nothing is copied before it is read. *stream is taken, also on failure. Arrays are
 * released when what was expected of them is forgotten. */
nrw_status arrow_file_of_stream(mem *m, const char *name, struct ArrowArrayStream *stream,
                                io_file **out, nrw_error *err) NRW_CHECKED;

#endif
