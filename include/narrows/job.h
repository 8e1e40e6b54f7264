/* Jobs: what a verb of the command does, as a call. A job is a verb, sources, a target and options,
 * all by the names of the command's documentation; the command line is a thin layer over this.
 *
 *     nrw_job *job;
 *     nrw_job_new("sample", &job, &err);
 *     nrw_job_source(job, "data.parquet", &err);
 *     nrw_job_target(job, "output.parquet", &err);
 *     nrw_job_option(job, "first", "10", &err); nrw_job_option(job, "of", "id", &err);
 *     nrw_job_option(job, "per", "group", &err); nrw_job_option(job, "memory", "32MiB", &err);
 *     nrw_job_run(job, &err);
 *     nrw_job_free(job);
 *
 * A job is used by one thread at a time, but for nrw_job_progress and nrw_job_cancel. Texts that a
 * call hands out belong to the caller, who frees them with nrw_free. */
#ifndef NARROWS_JOB_H
#define NARROWS_JOB_H

#include "narrows/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nrw_job nrw_job;

/* NRW_E_ARG for an unknown verb; err->next suggests the nearest. */
NRW_API nrw_status nrw_job_new(const char *verb, nrw_job **out, nrw_error *err) NRW_CHECKED;
NRW_API void nrw_job_free(nrw_job *job); /* NULL is fine */

/* A file, directory, glob, or "-" for standard input. */
NRW_API nrw_status nrw_job_source(nrw_job *job, const char *source, nrw_error *err) NRW_CHECKED;
/* A file or "-" for standard output. */
NRW_API nrw_status nrw_job_target(nrw_job *job, const char *target, nrw_error *err) NRW_CHECKED;
/* `name` without dashes ("row-group-size"), `value` as on the command line ("" for switches).
 * NRW_E_ARG for unknown names (err->next suggests the nearest), options that the verb does not
 * have, and values that cannot be understood. Given again: lists grow, of others the last counts.
 */
NRW_API nrw_status nrw_job_option(nrw_job *job, const char *name, const char *value,
                                  nrw_error *err) NRW_CHECKED;

/* What the job would read, hold, spill and write, and its peak; nothing is run or written. */
NRW_API nrw_status nrw_job_plan(nrw_job *job, int json, char **text, nrw_error *err) NRW_CHECKED;

/* Runs to the end. NRW_OK, NRW_REJECTED (done, some rows rejected), or an error with the target as
 * it was. Reports of the looking verbs and rows for "-" are written to standard output. */
NRW_API nrw_status nrw_job_run(nrw_job *job, nrw_error *err) NRW_CHECKED;

/* Asks a running job to stop: it ends with NRW_E_CANCELLED within a morsel. Any thread, also from
 * a signal handler. */
NRW_API void nrw_job_cancel(nrw_job *job);

typedef struct nrw_progress {
    const char *phase; /* "copy", "publish" ...: static text */
    double fraction;   /* of the whole run; < 0: not known */
    uint64_t rows_in, rows_out, bytes_in, bytes_out;
    uint64_t rss, memory; /* resident now; the ceiling */
    uint64_t spill;       /* bytes on disk now */
    double seconds;
} nrw_progress;

/* Where a running job stands. Any thread. */
NRW_API void nrw_job_progress(nrw_job *job, nrw_progress *out);

/* After a run, also a failed one: everything about it as a JSON object (what --report writes). */
NRW_API nrw_status nrw_job_report(nrw_job *job, char **json, nrw_error *err) NRW_CHECKED;
/* After a run that moved rows: the lines that the command prints at the end, without a newline
 * after the last; lines after the first are details. Empty for looking verbs. */
NRW_API nrw_status nrw_job_summary(nrw_job *job, char **text, nrw_error *err) NRW_CHECKED;

NRW_API void nrw_free(void *text);

/* ---- what there is, as data: for argument parsing, help, completion ---- */
typedef struct nrw_verb {
    const char *name, *usage, *sentence;
    const char *examples; /* command lines, one a line */
    int moves_rows;       /* else it looks */
} nrw_verb;

typedef struct nrw_option {
    const char *name;     /* "row-group-size" */
    const char *argument; /* "ROWS"; NULL: a switch */
    const char *group;    /* "rows", "read", "write", "run" */
    const char *initial;  /* the default, as text; NULL: none */
    const char *help;
    const char *verbs; /* " copy sample gen " */
    char letter;       /* 'f' for -f; 0: none */
} nrw_option;

NRW_API const nrw_verb *nrw_verb_at(size_t i);     /* NULL past the end */
NRW_API const nrw_option *nrw_option_at(size_t i); /* NULL past the end */

/* Called first thing by a command that owns its process: settings of the allocator and the kernel
 * that make resident memory follow the books. Measures the baseline that --memory includes. */
NRW_API void nrw_process_init(void);

#ifdef __cplusplus
}
#endif
#endif
