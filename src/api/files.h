/* The files of a job, or of one table of a query, as a dataset: which they are, what their paths
 * say, which of them a condition leaves, and how they are read as one. */
#ifndef API_FILES_H
#define API_FILES_H

#include "api/job.h"
#include "dataset/metadata_file.h"

/* How files are taken together: --read and --on-schema-change, or arguments of read_parquet(). */
typedef struct files_words {
    listing_options listing;
    schema_change change;
    process_by process_by;
} files_words;

typedef struct file_set {
    path_list all, left; /* left: those that may have rows */
    listing listing;
    scan_options options;
    scan_input *inputs;            /* of `left` */
    const metadata_entry *entries; /* of the _metadata among the sources; NULL: there is none */
    size_t n_entries;
} file_set;

nrw_status files_words_of(nrw_job *job, files_words *out, nrw_error *err) NRW_CHECKED;
/* Looks at the paths in f->all; all of them are left. A `_metadata` file stands for the files that
 * it names. Everything lies in `a`. */
nrw_status files_list(nrw_job *job, arena *a, const files_words *words, file_set *f,
                      nrw_error *err) NRW_CHECKED;
/* Leaves out what --where rules out by the paths alone. */
nrw_status files_where(nrw_job *job, arena *a, file_set *f, nrw_error *err) NRW_CHECKED;
/* How the files that are left are opened. */
nrw_status files_inputs(nrw_job *job, arena *a, file_set *f, nrw_error *err) NRW_CHECKED;
/* Lines on what was made of columns that are not the same in all files. */
nrw_status files_note(const scan *s, bytes *notes, nrw_error *err) NRW_CHECKED;
/* "3 of 10,000 files, ...", and how they are read. */
void files_describe(const file_set *f, const scan *s, char *out, size_t cap);

#endif
