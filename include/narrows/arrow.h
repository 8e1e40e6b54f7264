/* Rows in memory: Arrow's C data and stream interfaces as a job's result, as its source, and
 * between the two.
 *
 *     struct ArrowArrayStream rows;
 *     nrw_job_new("sql", &job, &err);
 *     nrw_job_source(job, "SELECT * FROM 'in.parquet' WHERE id < 10", &err);
 *     nrw_job_stream(job, &rows, &err);
 *     while (rows.get_next(&rows, &array) == 0 && array.release)
 *         { ...; array.release(&array); }
 *     rows.release(&rows);
 *     nrw_job_free(job);
 *
 * Ownership is Arrow's: who gets a structure calls its `release`, once, or moves it on. What a call
 * takes is zeroed at its place.
 *
 * Memory: what a job hands out is the caller's, and counts no more against --memory; what it is
 * given stays the giver's. Arrays live as long as they are not released, also behind the stream and
 * the job that they came from. */
#ifndef NARROWS_ARROW_H
#define NARROWS_ARROW_H

#include "narrows/job.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The structures as Arrow defines them (CDataInterface.rst, CStreamInterface.rst); whoever has them
 * already has them under the same guards. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* Runs the job (one that moves rows, `sql`, `head` or `tail`; without a target) beside the caller
 * and hands its rows out, some two batches ahead. Arrays are structs with a child a column; they
 * are cut by the rows alone, never by threads or memory. get_next waits for the next one; an error
 * is an errno (nrw_status_errno), its sentence is get_last_error's, and nrw_job_report tells all
 * else. The stream is used by one thread at a time, its arrays by any. Released early it cancels
 * the job. The job outlives it; nothing else may be asked of the job meanwhile but progress and
 * cancel. NRW_E_ARG: the job has a target, or gives no rows. */
NRW_API nrw_status nrw_job_stream(nrw_job *job, struct ArrowArrayStream *out,
                                  nrw_error *err) NRW_CHECKED;

/* Brings a stream of structs as a source called `name`: FROM name in a query, else one of the
 * sources, in their order. `stream` is taken, also on failure. It is read once, and called by one
 * thread at a time, which need not be this one; it is released when the job has read it, or by
 * nrw_job_free. Its arrays are read in place, and released when nobody needs them any more. */
NRW_API nrw_status nrw_job_source_stream(nrw_job *job, const char *name,
                                         struct ArrowArrayStream *stream,
                                         nrw_error *err) NRW_CHECKED;

/* An operator of the caller's. Functions return NRW_OK, or an error, for which they fill err
 * (nrw_error_set); the job ends with it. They are called by one thread at a time, which may be
 * another one each time. */
typedef struct nrw_operator {
    /* The columns that come out, of those that come in; `out` is given. NULL: the same. */
    nrw_status (*schema)(void *self, const struct ArrowSchema *in, struct ArrowSchema *out,
                         nrw_error *err);
    /* Takes a batch, a struct with a child a column, and gives what it makes of it, if anything:
     * out->release stays NULL where no rows come of it. `in` may be moved to `out`. */
    nrw_status (*batch)(void *self, struct ArrowArray *in, struct ArrowArray *out, nrw_error *err);
    /* All batches came: gives what is left, and is called again until nothing is. NULL: nothing
     * is. */
    nrw_status (*finish)(void *self, struct ArrowArray *out, nrw_error *err);
    void (*release)(void *self); /* once, by nrw_job_free; NULL: nothing to do */
    void *self;
} nrw_operator;

/* Puts an operator between the verb's rows and the target, behind those that are there: the verb
 * and the writing are two runs then, which share --memory. Not beside --pipe. *op is copied, and
 * taken, also on failure. */
NRW_API nrw_status nrw_job_operator(nrw_job *job, const nrw_operator *op,
                                    nrw_error *err) NRW_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
