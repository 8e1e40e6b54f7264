/* Stages, one after the other; a stage's scans are open while it runs. */
#include "exec/op_filter.h"
#include "exec/op_group.h"
#include "sql/compile.h"

typedef struct scanning {
    scan *s;
    source_scan source;
    mem *reading;
    op *filter;
    mem *filtering;
    predicate *p;
    uint32_t *places;
} scanning;

static nrw_status refuse(const sql_exec *x, const plan *p, uint64_t least, nrw_error *err)
{
    err_next(err, "give more --memory");
    return err_set(err, NRW_E_MEMLIMIT,
                   "reading %.100s takes at least %llu KiB, %llu KiB are left "
                   "for it",
                   p->table->name, (unsigned long long)(least >> 10),
                   (unsigned long long)(x->reading >> 10));
}

static nrw_status open_filter(sql_exec *x, const sql_branch *b, scanning *o, nrw_error *err)
{
    const plan *p = b->scan;
    const uint32_t *columns;
    schema s;
    uint32_t n;

    /* the condition names the columns of the scan as they are read */
    TRY(schema_new(x->a, p->n, &s, err));
    for (uint32_t c = 0; c < p->n; c++) {
        s.fields[c] = p->table->schema.fields[p->table_columns[c]];
        s.fields[c].name = sql_column_path(p->table, p->table_columns[c]);
    }
    TRY(predicate_parse(x->a, &b->filter, 1, &s, p->table->name, &o->p, err));
    if (predicate_is_always(o->p)) {
        o->p = NULL;
        return NRW_OK;
    }
    n = predicate_columns(o->p, &columns);
    TRY(arena_alloc(x->a, n * sizeof *o->places + 1, (void **)&o->places, err));
    memcpy(o->places, columns, n * sizeof *o->places);
    TRY(mem_child(x->m, "filter", MEM_NO_LIMIT, &o->filtering, err));
    return op_filter_new(o->filtering, o->p, o->places, x->held, 256u << 10, &o->filter, err);
}

/* Numbers of the table's columns, for pruning by the file's own. */
static nrw_status table_filter(sql_exec *x, const sql_branch *b, predicate **out, nrw_error *err)
{
    return predicate_parse(x->a, &b->filter, 1, &b->scan->table->schema, b->scan->table->name, out,
                           err);
}

static nrw_status open_scan(sql_exec *x, const sql_branch *b, scanning *o, nrw_error *err)
{
    const plan *p = b->scan;
    predicate *rows = NULL;
    const bool deals = op_any_deals(b->first);
    batch_shape shape = {.max_rows = deals ? BATCH_MAX_ROWS : BATCH_MAX_ROWS / 2,
                         .column_bytes = x->held,
                         .batch_bytes = sql_batch_bytes(x->batches / x->workers),
                         .row_bytes = deals ? x->dealt_row / 2 : 0, /* columns are there twice */
                         .workers = x->workers,
                         .any_order = !op_any_waits(b->first)};
    budget need;

    TRY(x->catalog->open(x->catalog->self, p->table, &o->s, err));
    if (b->filter)
        scan_filtered(o->s);
    TRY(scan_budget(o->s, p->table_columns, p->n, x->workers, &need, err));
    if (need.least > x->reading)
        return refuse(x, p, need.least, err);
    if (b->filter) {
        TRY(open_filter(x, b, o, err));
        TRY(table_filter(x, b, &rows, err));
        shape.filter = o->p ? predicate_filter(rows) : NULL;
    }
    TRY(mem_child(x->m, "read", x->reading, &o->reading, err));
    TRY(scan_start(o->s, p->table_columns, p->n, &shape, o->reading, x->spill, err));
    o->source = source_scan_of(o->s, p->n);
    return NRW_OK;
}

static void close_scan(sql_exec *x, scanning *o)
{
    prune_counts pruned = {0};

    if (o->s) {
        scan_pruned(o->s, &pruned);
        x->pruned.rows += pruned.rows;
        x->pruned.groups += pruned.groups;
        x->pruned.of_groups += pruned.of_groups;
        x->pruned.pages += pruned.pages;
        x->bytes_in += scan_bytes_read(o->s);
        scan_stop(o->s);
        scan_close(o->s);
    }
    x->rows_filtered += o->filter ? atomic_load(&o->filter->rows_filtered) : 0;
    op_close(o->filter);
    mem_free_account(o->filtering);
    mem_free_account(o->reading);
}

/* Accounts of a stage. */
typedef struct flight {
    mem *batches;
    mem *own[PIPELINE_MAX_WORKERS]; /* of each worker */
} flight;

static pipeline pipeline_of(const sql_exec *x, const sql_branch *b, const flight *f)
{
    return (pipeline){.source = b->source,
                      .batches = f->batches,
                      .own = f->own,
                      .workers = x->workers,
                      .limit = -1,
                      .enough = b->enough,
                      .first = b->first};
}

/* The branch's scan as the pipeline's source, what its filter does not pass left out. */
static nrw_status begin_scan(sql_exec *x, const sql_branch *b, scanning *o, pipeline *p,
                             nrw_error *err)
{
    TRY(open_scan(x, b, o, err));
    p->source = &o->source.base;
    if (o->filter) {
        o->filter->next = b->first;
        p->first = o->filter;
    }
    return NRW_OK;
}

static nrw_status run(const sql_exec *x, pipeline *p, nrw_error *err)
{
    nrw_status st;

    x->watch(x->watcher, p);
    st = pipeline_run(p, err);
    x->watch(x->watcher, NULL);
    return st;
}

/* Groups go on while rows come, to the operators that they lead to; what is left when all came is
 * the source of `out`. */
static nrw_status run_fed(sql_exec *x, const sql_branch *b, const flight *f, pipeline *out,
                          nrw_error *err)
{
    const sql_branch *feed = &b->feed->branches[0];
    pipeline in = pipeline_of(x, feed, f);
    scanning o = {0};
    nrw_status st;

    in.first_morsel = out->first_morsel;
    in.enough = b->enough;
    op_group_stream(b->feed->end, b->first, in.first_morsel);
    st = begin_scan(x, feed, &o, &in, err);
    if (st >= 0)
        st = run(x, &in, err);
    x->rows_in += atomic_load(&in.rows_in);
    close_scan(x, &o);
    out->first_morsel += in.morsels;
    if (st >= 0)
        st = run(x, out, err);
    out->morsels += in.morsels;
    return st;
}

static nrw_status run_branch(sql_exec *x, const sql_branch *b, const flight *f, uint64_t first,
                             uint64_t *morsels, nrw_error *err)
{
    pipeline p = pipeline_of(x, b, f);
    scanning o = {0};
    nrw_status st = NRW_OK;

    p.first_morsel = first;
    if (b->feed) {
        st = run_fed(x, b, f, &p, err);
    } else {
        if (b->scan)
            st = begin_scan(x, b, &o, &p, err);
        if (st >= 0)
            st = run(x, &p, err);
        if (st >= 0 && b->scan)
            x->rows_in += atomic_load(&p.rows_in);
        close_scan(x, &o);
    }
    *morsels = p.morsels;
    return st;
}

bool plan_is_row_by_row(const plan *p)
{
    while (p->kind == PLAN_PROJECT || p->kind == PLAN_FILTER || p->kind == PLAN_LIMIT ||
           p->kind == PLAN_FIRST || p->kind == PLAN_WINDOW ||
           (p->kind == PLAN_SORT && p->limit == UINT64_MAX))
        p = p->left;
    return p->kind == PLAN_SCAN;
}

static void close_op(sql_exec *x, sql_op *at)
{
    uint64_t n = atomic_load(&at->o->rows_filtered);

    if (at->o->class->limits)
        x->rows_limited += n;
    else
        x->rows_filtered += n;
    op_close(at->o);
    at->o = NULL;
}

/* What nobody needs behind stage s; NULL: all. */
static void close_behind(sql_exec *x, const sql_stage *s)
{
    for (uint32_t i = x->n_ops; i-- > 0;)
        if (x->ops[i].o && (!s || x->ops[i].last == s))
            close_op(x, &x->ops[i]);
}

static nrw_status open_flight(const sql_exec *x, flight *f, nrw_error *err)
{
    *f = (flight){0};
    TRY(mem_child(x->m, "batches", x->batches, &f->batches, err));
    for (uint32_t i = 0; i < x->workers && i < PIPELINE_MAX_WORKERS; i++)
        TRY(mem_child(f->batches, "batches", MEM_NO_LIMIT, &f->own[i], err));
    return NRW_OK;
}

static void close_flight(flight *f)
{
    for (uint32_t i = 0; i < PIPELINE_MAX_WORKERS; i++)
        mem_free_account(f->own[i]);
    mem_free_account(f->batches);
}

static nrw_status run_branches(sql_exec *x, const sql_stage *s, const flight *f, nrw_error *err)
{
    uint64_t first = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t morsels = 0;
        TRY(run_branch(x, &s->branches[i], f, first, &morsels, err));
        first += s->branches[i].ends ? 0 : morsels;
    }
    return NRW_OK;
}

static nrw_status run_stage(sql_exec *x, const sql_stage *s, nrw_error *err)
{
    flight f;
    nrw_status st = open_flight(x, &f, err);

    if (st >= 0)
        st = run_branches(x, s, &f, err);
    if (st >= 0 && s->end && s->end->class->finish)
        st = s->end->class->finish(s->end, err);
    close_flight(&f);
    if (st >= 0)
        close_behind(x, s);
    return st;
}

nrw_status sql_gather(sql_exec *x, nrw_error *err)
{
    for (const sql_stage *s = x->stages; s->next; s = s->next)
        if (!s->marks) /* else it runs with the branch that it feeds */
            TRY(run_stage(x, s, err));
    return NRW_OK;
}

nrw_status sql_deliver(sql_exec *x, op *sink, nrw_error *err)
{
    sql_stage *last = x->stages;

    while (last->next)
        last = last->next;
    sql_stage_lead(last, sink);
    return run_stage(x, last, err);
}

void sql_exec_close(sql_exec *x)
{
    close_behind(x, NULL);
    x->n_ops = 0;
}
