/* The face of the Arrow folder: a reader and a writer of Arrow's IPC format, files ("Feather" V2)
 * and streams.
 * Source: Arrow's Columnar.rst (format 1.5), Message.fbs, File.fbs. */
#ifndef ARROW_ARROW_H
#define ARROW_ARROW_H

#include "codec/codec.h"
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

#endif
