#include "exec/pipeline.h"

#include <pthread.h>

typedef struct run {
    pipeline *p;
    pthread_mutex_t cut; /* the source's cutter and `taken` */
    int64_t taken;
    pthread_mutex_t lock; /* what follows */
    bool failed;
    uint64_t failed_morsel;
    nrw_error err;
} run;

static void stop_all(pipeline *p)
{
    scan_stop(p->source);
    for (uint32_t i = 0; i < p->n_ops; i++)
        if (p->ops[i]->class->stop)
            p->ops[i]->class->stop(p->ops[i]);
    p->sink->class->stop(p->sink);
}

/* Keeps the error of the lowest morsel; that of a thread that was only woken gives way. */
static void fail(run *r, uint64_t morsel, nrw_status st, const nrw_error *err)
{
    bool first, better;

    pthread_mutex_lock(&r->lock);
    first = !r->failed;
    better =
        st != NRW_E_CANCELLED && (r->err.status == NRW_E_CANCELLED || morsel < r->failed_morsel);
    if (first || better) {
        r->failed_morsel = morsel;
        r->err = *err;
        r->err.status = st;
    }
    r->failed = true;
    pthread_mutex_unlock(&r->lock);
    if (first)
        stop_all(r->p);
}

static bool has_failed(run *r)
{
    bool f;

    pthread_mutex_lock(&r->lock);
    f = r->failed;
    pthread_mutex_unlock(&r->lock);
    return f;
}

/* One batch of a morsel through the operators into the sink. */
static nrw_status carry_batch(pipeline *p, batch *b, nrw_error *err)
{
    if (b->source->begin)
        TRY(b->source->begin(b->source_self, b, err));
    for (uint32_t i = 0; i < p->n_ops; i++)
        TRY(p->ops[i]->class->apply(p->ops[i], b, err));
    atomic_fetch_add_explicit(&p->rows_in, b->rows, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->rows_out, batch_alive(b), memory_order_relaxed);
    return p->sink->class->push(p->sink, b, err);
}

/* A morsel is one batch unless a step cut it short. */
static nrw_status carry_morsel(pipeline *p, batch *b, nrw_error *err)
{
    uint32_t rows = b->rows;
    int64_t first_row = b->first_row;

    for (b->offset = 0;; b->offset += b->rows) {
        nrw_status st;

        b->rows = rows - b->offset;
        b->first_row = first_row + b->offset;
        b->last = true;
        b->n_cols = p->n_cols;
        for (uint32_t c = 0; c < p->n_cols; c++)
            b->cols[c] = (batch_column){.state = COLUMN_LAZY, .tag = c};
        st = carry_batch(p, b, err);
        if (st < 0)
            batch_abandon(b);
        else
            batch_release(b);
        if (st < 0 || b->last)
            return st;
    }
}

static nrw_status take(run *r, batch *b, nrw_error *err)
{
    pipeline *p = r->p;
    nrw_status st = NRW_END;

    if (p->enough && atomic_load_explicit(p->enough, memory_order_relaxed))
        return NRW_END;
    pthread_mutex_lock(&r->cut);
    if (p->limit < 0 || r->taken < p->limit)
        st = scan_next(p->source, b, err);
    if (st == NRW_OK) {
        if (p->limit >= 0 && r->taken + b->rows > p->limit)
            b->rows = (uint32_t)(p->limit - r->taken);
        r->taken += b->rows;
        atomic_store_explicit(&p->reached, b->first_row + b->rows, memory_order_relaxed);
    }
    if (st == NRW_END)
        atomic_store_explicit(&p->reached, INT64_MAX, memory_order_relaxed);
    pthread_mutex_unlock(&r->cut);
    return st;
}

static void *work(void *arg)
{
    run *r = arg;
    pipeline *p = r->p;
    batch_column *cols = NULL;
    size_t bytes = p->n_cols * sizeof *cols;
    nrw_error err = NRW_ERROR_INIT;
    uint64_t morsel = 0;
    nrw_status st = mem_zalloc(p->batches, bytes, (void **)&cols, &err);

    while (st == NRW_OK && !has_failed(r)) {
        batch b = {.cols = cols, .m = p->batches};

        if (atomic_load_explicit(&p->cancel, memory_order_relaxed)) {
            st = err_set(&err, NRW_E_CANCELLED, "interrupted");
            break;
        }
        st = take(r, &b, &err);
        if (st != NRW_OK)
            break;
        morsel = b.morsel;
        st = carry_morsel(p, &b, &err);
        scan_morsel_done(p->source, &b);
    }
    if (st < 0)
        fail(r, morsel, st, &err);
    mem_free(p->batches, cols, cols ? bytes : 0);
    return NULL;
}

static bool start_worker(pthread_t *t, run *r)
{
    pthread_attr_t attr;
    int failed;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 512 << 10);
    failed = pthread_create(t, &attr, work, r);
    pthread_attr_destroy(&attr);
    return !failed;
}

nrw_status pipeline_run(pipeline *p, nrw_error *err)
{
    run r = {.p = p, .err = NRW_ERROR_INIT};
    pthread_t threads[PIPELINE_MAX_WORKERS];
    uint32_t n = p->workers > PIPELINE_MAX_WORKERS ? PIPELINE_MAX_WORKERS : p->workers;
    uint32_t started = 0;

    pthread_mutex_init(&r.cut, NULL);
    pthread_mutex_init(&r.lock, NULL);
    /* the calling thread is the first worker; one that cannot be created is done without */
    while (started + 1 < n && start_worker(&threads[started], &r))
        started++;
    work(&r);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    pthread_mutex_destroy(&r.cut);
    pthread_mutex_destroy(&r.lock);
    if (!r.failed)
        return NRW_OK;
    if (err)
        *err = r.err;
    return r.err.status;
}
