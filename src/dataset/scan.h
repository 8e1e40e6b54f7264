/* Several inputs as one: files in order, one schema over all of them (unify.h), morsels numbered
 * through. An input whose columns are others is read through a map (mapped.h).
 *
 * At most two files are open for reading at a time (the one being cut, and the one before it whose
 * last morsels are still under way) or, by file, one for each thread; so memory does not follow the
 * number of files. */
#ifndef DATASET_SCAN_H
#define DATASET_SCAN_H

#include "dataset/listing.h"
#include "dataset/unify.h"
#include "format/format.h"

typedef struct scan scan;

/* What is known of an input without opening it. When it is read it must be so. */
typedef struct scan_said {
    int64_t rows;
    uint64_t bytes;
    const schema *schema;
} scan_said;

/* How the i-th input is opened; called again for reading after planning closed it. */
typedef struct scan_input {
    const char *name;
    nrw_status (*open)(const void *self, mem *m, reader **out, nrw_error *err);
    const void *self;
    const scan_said *said; /* NULL: it is opened to see */
} scan_input;

typedef struct scan_file_counts {
    const char *name;
    int64_t rows;
} scan_file_counts;

/* Whether inputs are read whole, each by one thread, several at a time, or one after the other, cut
 * into ranges of rows that all threads share. The rows are the same, in the same order. */
typedef enum process_by { PROCESS_AUTO, PROCESS_FILE, PROCESS_BATCH } process_by;

/* All zero is good. */
typedef struct scan_options {
    schema_change on_change;
    process_by process_by;
    uint32_t threads;       /* that look at inputs; 0: one */
    const listing *listing; /* its columns are added, its values by the inputs' names; NULL: none;
                               outlives the scan */
} scan_options;

/* Opens each input once (but the first only those of which nothing is said), several at a time
 * where their metadata are small: their schemas become one (NRW_E_SCHEMA where they do not, naming
 * both files and the column), rows are summed. inputs outlive the scan. */
nrw_status scan_open(mem *m, const scan_input *inputs, size_t n, const scan_options *opts,
                     scan **out, nrw_error *err) NRW_CHECKED;
const schema *scan_schema(const scan *s);
/* Of a scan that was started: of the column that is number i of those chosen. */
const type *scan_column_type(const scan *s, uint32_t i);
/* Rows are going to be tested: PROCESS_AUTO is then by batch, where what cannot match is not read.
 * Before scan_budget. */
void scan_filtered(scan *s);
/* *why: as in "they are small". */
bool scan_by_file(const scan *s, const char **why);
/* What was done to column c of the schema, which no file may know of: false where its type is that
 * of every file. *without: how many files lack it. */
bool scan_widened(const scan *s, uint32_t c, size_t *without);
/* -1: not known yet, since a format does not tell before it is read. Once all is read it is. */
int64_t scan_rows(const scan *s);
/* Makes it known: looks at all inputs that do not tell. Before scan_start. */
nrw_status scan_count(scan *s, nrw_error *err) NRW_CHECKED;
uint64_t scan_bytes(const scan *s); /* of all files */
size_t scan_files(const scan *s);
scan_file_counts scan_file(const scan *s, size_t i);
/* The first file's reader, open until the first scan_next: for metadata that a plan takes over. */
reader *scan_first(const scan *s);

/* Calls `visit` with a reader of each input in turn, all metadata and no rows being read of it; the
 * first is open already, another one only while it is visited, charged to m. Each must still be
 * what scan_open saw. NRW_END from `visit` ends it. Not beside scan_start. */
typedef nrw_status (*scan_visit)(void *self, reader *r, nrw_error *err);
nrw_status scan_each(scan *s, mem *m, scan_visit visit, void *self, nrw_error *err);
/* Input i as scan_each shows it; the caller closes it. */
nrw_status scan_open_input(scan *s, size_t i, mem *m, reader **out, nrw_error *err) NRW_CHECKED;

nrw_status scan_budget(const scan *s, const uint32_t *cols, uint32_t n, uint32_t workers,
                       budget *out, nrw_error *err);
nrw_status scan_start(scan *s, const uint32_t *cols, uint32_t n, const batch_shape *shape,
                      mem *grant, spill *sp, nrw_error *err);
/* As reader_class.next, with b->morsel and b->first_row over all inputs. Not thread-safe. May wait
 * for morsels of the file before the last one. */
nrw_status scan_next(scan *s, batch *b, nrw_error *err);
/* The morsel is through (all columns done); any thread. */
void scan_morsel_done(scan *s, const batch *b);
/* Of what is closed: complete once the pipeline has ended and scan_stop or the end was reached. */
void scan_counts(scan *s, uint32_t col, reader_counts *out);
/* What the filter of the shape left out so far; not while scan_next is at work. */
void scan_pruned(scan *s, prune_counts *out);
uint64_t scan_bytes_read(scan *s);
void scan_stop(scan *s);
void scan_close(scan *s);

#endif
