/* Plans to pipelines. A stage is what runs until an operator has gathered all it needs: one or more
 * branches (sources with operators) that lead, one after the other, into one last operator. Stages
 * run in order; the last one leads to the sink. An operator is closed behind the last stage that
 * has to do with it: estimate.h tells beforehand which stages it has memory in. */
#ifndef SQL_COMPILE_H
#define SQL_COMPILE_H

#include "exec/pipeline.h"
#include "sql/plan.h"

typedef struct sql_branch {
    source *source;     /* NULL: a scan, opened when the stage begins */
    const plan *scan;   /* its plan */
    const char *filter; /* condition that the scan can use; NULL: none */
    op *first, *last;   /* last: where the next operator is linked */
    bool ends;          /* its operators lead nowhere else: nothing is linked behind them, and its
                           morsels are not counted among the others' */
    const _Atomic uint32_t *enough;
    struct sql_stage *feed; /* of groups with marks: the stage that leads to `source`, which runs
                               together with this branch; NULL: it is through */
} sql_branch;

typedef struct sql_stage {
    sql_branch *branches;
    uint32_t n, cap;
    op *end;                /* finished when all branches are through; NULL: of the last stage */
    const key_marks *marks; /* it feeds a later stage, from mark to mark; NULL: runs by itself */
    struct sql_stage *next;
} sql_stage;

/* What the operators that a step of the plan becomes may take, each. */
typedef struct sql_grant {
    const plan *of;
    uint64_t bytes;
    uint64_t late; /* PLAN_FIRST: of them for rows that wait */
} sql_grant;

/* An operator, and the stage behind which nobody needs it. */
typedef struct sql_op {
    op *o;
    const sql_stage *last;
} sql_op;

typedef struct sql_exec {
    arena *a;
    mem *m; /* operators are charged here */
    spill *spill;
    const sql_catalog *catalog;
    uint32_t workers;
    uint64_t reading; /* for a stage's scans */
    uint64_t batches; /* in flight */
    size_t dealt_row; /* bytes beside its columns of a row that is dealt out (op_any_deals) */
    const sql_grant *grants;
    uint32_t n_grants;
    size_t held;
    /* made by sql_compile */
    sql_stage *stages, **end;
    sql_op *ops;
    uint32_t n_ops, cap_ops;
    /* what runs: for progress and cancel */
    void *watcher;
    const cancel_flag *cancel;
    void (*watch)(void *watcher, pipeline *p); /* NULL at the end of each */
    /* counted */
    uint64_t rows_in, bytes_in;
    uint64_t rows_filtered, rows_limited; /* by conditions, by LIMIT */
    prune_counts pruned;
} sql_exec;

/* How many operators that gather rows a step becomes. */
uint32_t plan_gatherers(const plan *p);
/* Fills x->stages. */
nrw_status sql_compile(sql_exec *x, const plan *p, nrw_error *err);
/* Bytes of a batch, of what a worker has in flight: a half, less where there is little. Of a column
 * it holds half as many. */
static inline size_t sql_batch_bytes(uint64_t flight)
{
    const uint64_t some = 512u << 10;

    return (size_t)(flight > 2 * some ? (flight - some) / 2 : flight / 4);
}
/* Whether each row of the result is one of its single scan's: then rows in are rows out and those
 * pruned, filtered and limited. */
bool plan_is_row_by_row(const plan *p);
/* All branches of the stage lead on to o. */
void sql_stage_lead(sql_stage *s, op *o);
/* Runs all stages but the last, which gives rows. */
nrw_status sql_gather(sql_exec *x, nrw_error *err);
/* Behind that: runs the last; rows come to `sink`, which stays the caller's to finish and close. */
nrw_status sql_deliver(sql_exec *x, op *sink, nrw_error *err);
/* Closes the operators that are left, whatever became of them. */
void sql_exec_close(sql_exec *x);

#endif
