/* The end of a pipeline that leads to a dataset: rows by the values of their keys into folders, one
 * file a folder unless a size is asked for. Which rows a file has, and so its bytes, is a function
 * of the rows and the options alone.
 *
 * The first partitions in row order, as many as the memory carries (direct), get an open writer
 * each. Rows of all others go to a sort by their folder, which spills; at the end they come
 * out folder by folder and are written one after the other. Both ways give the same files, for a
 * Parquet file is a function of its rows. So the number of partitions is not in the memory:
 *
 *     memory = room of `direct` writers (format/parquet/parquet.h) + sort
 *
 * beside which a worker's batch is there twice: as it came, and a partition's rows of it (of those
 * behind the direct ones: all of them).
 *
 * Keys may be of any type but nested ones. Values that print alike are one partition: nulls, all
 * NaN; -0.0 and 0.0 are two. Nested columns cannot be sorted: with them partitions behind the
 * direct ones are an error that says so. */
#ifndef EXEC_OP_PARTITION_H
#define EXEC_OP_PARTITION_H

#include "dataset/file_pattern.h"
#include "exec/op.h"
#include "format/parquet/parquet.h"

/* Where files come from. `open` is called by one thread at a time, whichever it is. */
typedef struct file_maker {
    void *self;
    /* An empty target under a path relative to the dataset's folder ("year=2020/part-0.parquet"),
     * folders made as needed. target_publish is called when the file is complete, then
     * target_close, by any thread and beside other calls. */
    nrw_status (*open)(void *self, const char *path, target **out, nrw_error *err);
    /* The number of the first file in a folder ("year=2020", "" the dataset's own). NULL: 0. */
    nrw_status (*first_number)(void *self, const char *folder, uint64_t *out, nrw_error *err);
    /* Of a run that goes on with an unfinished one, any thread: a file that is finished, which goes
     * to the list with its rows; NRW_END: there is none of that path. NULL: never is. */
    nrw_status (*kept)(void *self, const char *path, parquet_footers *list, int64_t *rows,
                       nrw_error *err);
    /* What must be remembered of a file for who goes on behind it, and what was; NULL: nothing. */
    nrw_status (*carry)(void *self, const char *path, int64_t carry, nrw_error *err);
    nrw_status (*carried)(void *self, const char *path, int64_t *out, nrw_error *err);
} file_maker;

#define PARTITION_MAX_KEYS 64

/* Everything pointed to outlives the operator. */
typedef struct partition_spec {
    const schema *written;   /* of the files */
    const uint32_t *columns; /* of the batch: where each written field comes from */
    uint32_t n_keys;         /* at least 1 */
    const uint32_t *keys;    /* of the batch, in the order of folders; may be written, too */
    const field *key_fields; /* their names and types */
    const pq_write_options *options;
    file_pattern names;
    uint64_t file_bytes; /* as parquet_files has them; 0: no limit */
    int64_t file_groups;
    bool row_groups; /* keep them for parquet_write_metadata */
    const file_maker *maker;
    uint32_t workers;
    uint64_t memory;                /* what the operator has */
    uint64_t folders, stored;       /* as op_partition_budget was told */
    uint32_t direct;                /* at most so many direct writers; 0: by memory */
    size_t held;                    /* bytes of a batch's first column, as batch_hold has it */
    const _Atomic uint32_t *cancel; /* set: end the writing that follows the last batch; or NULL */
} partition_spec;

/* least: finishes whatever comes. wish: some 64 partitions open at once, or as many as there are:
 * `folders`, about; their finished pages, and room to sort the rows of others, of `stored` bytes in
 * all as files have them. Both may be UINT64_MAX: nobody knows. */
nrw_status op_partition_budget(const schema *written, const pq_write_options *opts,
                               uint32_t workers, uint64_t folders, uint64_t stored, budget *out,
                               nrw_error *err);
/* Bytes that go to the spill file at most, of rows as the two say. */
struct room_rows;
nrw_status op_partition_spill(const partition_spec *s, const struct room_rows *rows,
                              const pq_flow *f, uint64_t *out, nrw_error *err) NRW_CHECKED;
nrw_status op_partition_new(mem *m, const partition_spec *spec, spill *s, op **out, nrw_error *err);
/* Once it is finished: all files, folder by folder, in an order that depends on the folders' names
 * alone, each folder's in the order of their numbers. */
const parquet_footers *op_partition_files(const op *o);

/* Names files one after the other in one folder, for writers that roll without keys: what
 * parquet_writer_open_files takes. close it after the writer. */
typedef struct file_roll file_roll;
nrw_status file_roll_new(mem *m, spill *s, const file_maker *maker, const file_pattern *names,
                         uint64_t file_bytes, int64_t file_groups, bool row_groups, file_roll **out,
                         nrw_error *err);
/* Rows in files that are finished: they must not come again. */
int64_t file_roll_kept(const file_roll *r);
const parquet_files *file_roll_files(const file_roll *r);
const parquet_footers *file_roll_footers(const file_roll *r);
void file_roll_close(file_roll *r); /* NULL is fine */

#endif
