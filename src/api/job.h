/* What the files of this folder share: a job's words, and what becomes of them. */
#ifndef API_JOB_H
#define API_JOB_H

#include "api/door.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "column/type.h"
#include "format/format.h"
#include "io/glob.h"
#include "io/spill.h"
#include "narrows/job.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct job_word {
    const nrw_option *option;
    const char *value;
    bool negated; /* --no-... */
} job_word;

/* Limits of a run and its books, settled before anything is read (memory.c). */
typedef struct job_limits {
    uint64_t ceiling;  /* of the process */
    uint64_t baseline; /* code, libraries, stacks */
    uint32_t runs;     /* at the same time, which share what is above the baseline; 0: this alone */
    uint64_t held;     /* metadata of the inputs and slack: what the books hold before the shares */
    uint32_t workers;
    uint32_t used; /* of them, at most at a time so far: by who says it */
    uint64_t spill_limit;
} job_limits;

typedef struct plan_step {
    char what[128];  /* "read parquet group, id" */
    const char *how; /* streams bounded spills */
    uint64_t least, grant, spill;
    int64_t rows;     /* -1: none to say */
    bool rows_bound;  /* "<=" */
    char detail[256]; /* a line below; empty: none */
} plan_step;

#define JOB_MAX_STEPS 40

typedef struct job_plan {
    plan_step steps[JOB_MAX_STEPS];
    uint32_t n;
    uint64_t peak, from; /* at most; the least ceiling that would do */
    uint64_t spill;
} job_plan;

/* What a run did, for summary and report. */
typedef struct job_result {
    bool ran;
    nrw_status status;
    double seconds;
    int64_t rows_in, rows_out, rows_filtered, rows_rejected;
    uint64_t lost_blocks, lost_uncounted, lost_bytes; /* of damaged files; uncounted: of so many
                                                         places nobody knows how many rows */
    int64_t rows_limited;                             /* cut off by --limit behind a filter */
    prune_counts pruned;                              /* left out unread by --where */
    int64_t row_groups;
    uint64_t bytes_in, bytes_out, spilled, rss_peak;
    bytes sources; /* JSON: a list of {name, rows} */
    bytes columns; /* JSON: a list of {name, pages ...} */
    bytes targets; /* JSON: of a dataset, a list of {folder, files, rows ...} */
    int64_t files, partitions, targets_left; /* of a dataset; folders that `targets` leaves out */
    bool resumed;                            /* what of it a killed run had finished: */
    uint64_t kept_files, kept_bytes;
    int64_t kept_rows;
    bytes notes;                 /* lines */
    bytes pipes;                 /* JSON: a list of {command, exit, memory} */
    int64_t piped_in, piped_out; /* rows that went into programs, and came back; -1:
                                    there were none */
    uint64_t pipes_memory;       /* of all of them */
    size_t files_read, files_of; /* of the sources, those whose paths the conditions leave */
} job_result;

struct nrw_job {
    mem *words_mem;
    arena *a;
    const nrw_verb *verb;
    path_list sources; /* as typed */
    const char *target;
    job_word *words;
    size_t n_words, cap_words;

    door *doors;                    /* sources that are no files */
    struct job_operator *operators; /* of the caller's */
    way_out *out;                   /* where rows go instead of the target; NULL: the target */
    struct nrw_job *_Atomic feeder; /* runs beside this one and makes what this one reads */

    mem *root; /* the run's books; made by job_limits_settle */
    spill *spill;
    job_limits limits;
    job_plan plan;
    job_result result;

    struct pipeline *_Atomic running; /* for progress and cancel */
    pthread_mutex_t running_lock;     /* held while progress looks at it, and while it changes */
    nrw_progress stood;               /* where the last pipeline ended; under the lock */
    _Atomic uint32_t cancelled;
    _Atomic(const char *) phase;
    _Atomic int64_t rows_total; /* -1: not known; then the bytes read tell how far it is */
    _Atomic uint64_t bytes_total;
    _Atomic uint64_t bytes_out;
    double started;
};

/* ---- words ---- */
/* The last value given for an option; NULL: not given. */
const char *job_last(const nrw_job *job, const char *option);
/* The i-th word of an option (lists, repeated options), NULL past the last. */
const job_word *job_each(const nrw_job *job, const char *option, size_t i);
/* A switch with a default. */
bool job_switch(const nrw_job *job, const char *option, bool initial);
nrw_status job_size(const nrw_job *job, const char *option, uint64_t whole, uint64_t initial,
                    uint64_t *out, nrw_error *err);
nrw_status job_count(const nrw_job *job, const char *option, uint64_t least, uint64_t most,
                     uint64_t initial, uint64_t *out, nrw_error *err);
/* The columns that a list option names (SQL select list of plain columns), as places in s. Not
 * given: *n = 0. A name that s lacks is an error that suggests the nearest; `source` stands in it.
 */
nrw_status job_columns(nrw_job *job, const char *option, const schema *s, const char *source,
                       uint32_t **out, uint32_t *n, nrw_error *err);
/* The files of one pattern, in `a`, behind those that are there. */
nrw_status job_add_files(arena *a, const char *pattern, path_list *out, nrw_error *err);
/* The name of a source that is no file, likewise. */
nrw_status job_add_door(arena *a, const door *d, path_list *out, nrw_error *err);
/* The files that the sources and --files-from come to. */
nrw_status job_files(nrw_job *job, path_list *out, nrw_error *err);
/* The name in `names` (NULL at the end) nearest to `name`, NULL where none is near. */
const char *nearest_name(const char *name, const char *const *names);

/* ---- memory ---- */
/* Ceiling, baseline, workers, spill, and the root account. */
nrw_status job_limits_settle(nrw_job *job, nrw_error *err);
/* No more than n workers run from here on: the baseline is that of fewer, unless more ran before.
 */
void job_use_workers(nrw_job *job, uint32_t n);
/* What the books of this run may hold: the ceiling without the baseline, or its part of that. */
uint64_t job_room(const nrw_job *job);
/* The ceiling that would do for a run whose books hold so much. */
uint64_t job_needs(const nrw_job *job, uint64_t books);
/* For verbs that share nothing out: does the ceiling hold what they need besides metadata? */
nrw_status job_limits_check(nrw_job *job, nrw_error *err);
/* What the root account holds now stays held: called when the inputs are open. */
void job_hold(nrw_job *job);
/* Shares what the ceiling leaves among n parts: grants[i] from least[i] up to wish[i]. Fewer
 * workers are tried by the caller. NRW_E_MEMLIMIT: *needs is the least ceiling that would do. */
nrw_status job_share(const nrw_job *job, const uint64_t *least, const uint64_t *wish, uint32_t n,
                     uint64_t *grants, uint64_t *needs);
/* Parts that take memory in some stages of a run alone: part i in stage s where takes[i * n + s].
 */
typedef struct job_stages {
    uint32_t n;
    bool *takes;
} job_stages;
/* The same, where what the parts of each stage get has to fit. */
nrw_status job_share_stages(const nrw_job *job, const job_stages *stages, const uint64_t *least,
                            const uint64_t *wish, uint32_t n, uint64_t *grants, uint64_t *needs);
/* Gives what stages leave of that which takes most: up to the wishes, so that all takes no more. */
void job_share_left(const job_stages *stages, const uint64_t *wish, uint32_t n, uint64_t *grants);
/* What n parts take together in the stage where that is most; stays at most UINT64_MAX / 4. */
uint64_t job_stages_most(const job_stages *stages, const uint64_t *parts, uint32_t n);

/* The plan as lines, for readers. */
nrw_status job_plan_text(const nrw_job *job, bytes *out, nrw_error *err);

/* ---- running ---- */
/* The pipeline that progress and cancel look at; NULL when it has ended, before it goes away. */
void job_set_running(nrw_job *job, struct pipeline *p);
struct scan;
/* What it is going to read. */
void job_set_total(nrw_job *job, const struct scan *s);

/* ---- verbs ---- */
/* Carries the verb out, or fills the plan. */
nrw_status job_do(nrw_job *job, bool plan_only, nrw_error *err);
nrw_status job_move(nrw_job *job, bool plan_only, nrw_error *err);
nrw_status job_query(nrw_job *job, bool plan_only, nrw_error *err);
/* The verb's rows through programs, which --pipe names, and what comes back to the target: two runs
 * beside each other, which share the ceiling. */
nrw_status job_through(nrw_job *job, bool plan_only, nrw_error *err);
/* Whether the words of a verb that moves rows take a query: expressions, an order. */
nrw_status query_is_asked(nrw_job *job, bool *asked, nrw_error *err) NRW_CHECKED;
nrw_status job_compact(nrw_job *job, bool plan_only, nrw_error *err);
nrw_status job_look(nrw_job *job, nrw_error *err);
nrw_status job_look_plan(nrw_job *job, nrw_error *err);

#endif
