/* Verbs that move rows: copy, sample, gen (and head, which is copy with a limit). */
#ifndef API_MOVE_H
#define API_MOVE_H

#include "api/files.h"
#include "api/job.h"
#include "exec/op_write.h"
#include "exec/pipeline.h"
#include "format/parquet/column_write.h"
#include "format/parquet/parquet.h"

/* The job's Parquet options for writing s; key-value metadata `kept` come from the input. */
nrw_status job_write_options(nrw_job *job, const schema *s, const key_value *kept, uint32_t n_kept,
                             pq_write_options *o, nrw_error *err);

/* What the file says of itself: of `kept`, what an input brings along, without Arrow's schema;
 * --kv-metadata adds or replaces. In the job's arena, with room for one more. */
nrw_status job_key_values(nrw_job *job, const key_value *kept, uint32_t n_kept, key_value **out,
                          uint32_t *n_out, nrw_error *err);

/* Inputs of a job: files by their format, or the generator. */
typedef struct job_inputs {
    mem *m;
    arena *a;
    file_set files;
    scan_input *inputs;
    size_t n;
    scan *scan;
    const void *gen;  /* gen_options of `gen` */
    const char *name; /* for messages: the first file, or "gen" */
} job_inputs;

/* "read avro", "generate", and what of: a plan's first step. */
void job_describe_source(const job_inputs *in, plan_step *s);
nrw_status job_inputs_open(nrw_job *job, job_inputs *in, nrw_error *err);
void job_inputs_close(job_inputs *in);

/* The rows of the job's sources, by its words, into one Parquet file called `name` in messages; t
 * is published, and closed by the caller. The limits are settled. */
nrw_status move_merge(nrw_job *job, const char *name, target *t, nrw_error *err) NRW_CHECKED;

/* A file by its path, in whatever format. */
nrw_status job_open_file(nrw_job *job, const char *path, reader **out, nrw_error *err) NRW_CHECKED;
/* One that is open, which is taken, also on failure. */
nrw_status job_read_file(nrw_job *job, io_file *f, reader **out, nrw_error *err) NRW_CHECKED;
/* Rows of one file, by its metadata: nothing is decoded. */
nrw_status job_count_rows(nrw_job *job, const char *path, int64_t *rows, nrw_error *err);

#endif
