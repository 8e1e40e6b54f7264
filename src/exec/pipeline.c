#include "exec/pipeline.h"

#include "exec/crew.h"

typedef struct run {
    pipeline *p;
    crew crew;
    pthread_mutex_t cut; /* the source's cutter and `taken` */
    int64_t taken;
    pthread_mutex_t lock; /* what follows */
    bool failed;
    uint64_t failed_morsel;
    nrw_error err;
} run;

static void stop_all(pipeline *p)
{
    if (p->source->class->stop)
        p->source->class->stop(p->source);
    for (op *o = p->first; o; o = o->next)
        if (o->class->stop)
            o->class->stop(o);
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

/* One batch; whatever becomes of it, its columns are dropped. begun: its source has, with these
 * rows. */
static nrw_status carry_batch(pipeline *p, batch *b, bool begun, nrw_error *err)
{
    nrw_status st = NRW_OK;

    if (b->source && b->source->begin && !begun)
        st = b->source->begin(b->source_self, b, err);
    if (st >= 0)
        st = p->first->class->push(p->first, b, err);
    atomic_fetch_add_explicit(&p->rows_in, b->rows, memory_order_relaxed);
    if (st < 0)
        batch_abandon(b);
    else
        batch_release(b);
    return st;
}

/* Of a lazy source a morsel is one batch unless a step cut it short. */
static nrw_status carry_lazy(pipeline *p, batch *b, nrw_error *err)
{
    bool (*const varies)(const source *s, uint32_t column) = p->source->class->varies;
    const uint32_t rows = b->rows;
    bool begun = false;
    nrw_status st;

    b->offset = 0;
    b->last = true;
    b->n_cols = p->source->n_cols;
    for (uint32_t c = 0; c < b->n_cols; c++)
        b->cols[c] = (batch_column){
            .state = COLUMN_LAZY, .varies = !varies || varies(p->source, c), .tag = c};
    for (;;) {
        st = carry_batch(p, b, begun, err);
        if (st < 0 || b->last)
            break;
        begun = batch_move_on(b, rows - b->offset - b->rows);
    }
    batch_forget_ahead(b);
    return st;
}

static nrw_status carry_filled(pipeline *p, batch *b, nrw_error *err)
{
    nrw_status st;

    for (b->offset = 0;; b->offset += b->rows) {
        b->rows = 0;
        b->last = false;
        b->n_cols = p->source->n_cols;
        for (uint32_t c = 0; c < b->n_cols; c++)
            b->cols[c] = (batch_column){.state = COLUMN_TAKEN, .tag = c};
        st = cancel_check(&p->cancel, err); /* a morsel may be long */
        if (st >= 0)
            st = p->source->class->fill(p->source, b, err);
        if (st < 0)
            batch_release(b);
        else
            st = carry_batch(p, b, false, err);
        if (st < 0 || b->last)
            return st;
    }
}

static nrw_status take(run *r, batch *b, nrw_error *err)
{
    pipeline *p = r->p;
    const source_class *from = p->source->class;
    nrw_status st = NRW_END;

    if (p->enough && atomic_load_explicit(p->enough, memory_order_relaxed))
        return NRW_END;
    if (from->prepares)
        st = from->next(p->source, b, err);
    pthread_mutex_lock(&r->cut);
    if (!from->prepares && (p->limit < 0 || r->taken < p->limit))
        st = from->next(p->source, b, err);
    if (st == NRW_OK) {
        if (p->morsels <= b->morsel)
            p->morsels = b->morsel + 1;
        b->source_number = b->morsel;
        b->morsel += p->first_morsel;
        if (p->limit >= 0 && r->taken + b->rows > p->limit)
            b->rows = (uint32_t)(p->limit - r->taken); /* lazy sources alone are limited here */
        r->taken += b->rows;
        atomic_store_explicit(&p->reached, b->first_row + b->rows, memory_order_relaxed);
    }
    if (st == NRW_END)
        atomic_store_explicit(&p->reached, INT64_MAX, memory_order_relaxed);
    pthread_mutex_unlock(&r->cut);
    return st;
}

typedef struct worker {
    run *run;
    uint32_t index;
} worker;

static void *work(void *arg)
{
    const worker *w = arg;
    run *r = w->run;
    pipeline *p = r->p;
    mem *m = p->own ? p->own[w->index] : p->batches;
    batch_column *cols = NULL;
    size_t bytes = p->source->n_cols * sizeof *cols;
    /* where the workers' batches are told apart */
    const uint64_t share = p->own ? mem_limit(p->batches) / p->workers : 0;
    nrw_error err = NRW_ERROR_INIT;
    uint64_t morsel = 0;
    nrw_status st = mem_zalloc(p->batches, bytes, (void **)&cols, &err);

    while (st == NRW_OK && !has_failed(r)) {
        batch b = {.cols = cols, .m = m, .worker = w->index, .share = share};

        crew_enter(&r->crew, w->index);
        st = cancel_check(&p->cancel, &err);
        if (st >= 0)
            st = take(r, &b, &err);
        if (st != NRW_OK)
            break;
        morsel = b.morsel;
        st = p->source->lazy ? carry_lazy(p, &b, &err) : carry_filled(p, &b, &err);
        b.morsel = b.source_number;
        if (p->source->class->done)
            p->source->class->done(p->source, &b);
    }
    if (st < 0)
        fail(r, morsel, st, &err);
    crew_end(&r->crew);
    mem_free(p->batches, cols, cols ? bytes : 0);
    return NULL;
}

static bool start_worker(pthread_t *t, worker *w)
{
    pthread_attr_t attr;
    int failed;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 512 << 10);
    failed = pthread_create(t, &attr, work, w);
    pthread_attr_destroy(&attr);
    return !failed;
}

void pipeline_add(pipeline *p, op *o)
{
    op **at = &p->first;

    while (*at)
        at = &(*at)->next;
    *at = o;
}

uint64_t pipeline_rows_out(const pipeline *p)
{
    const op *o = p->first;

    while (o->next)
        o = o->next;
    return atomic_load_explicit(&o->rows_in, memory_order_relaxed);
}

uint64_t pipeline_bytes_in(const pipeline *p)
{
    return p->source->class->bytes_read ? p->source->class->bytes_read(p->source) : 0;
}

nrw_status pipeline_finish(op *from, nrw_error *err)
{
    for (op *o = from; o; o = o->next)
        if (o->class->finish)
            TRY(o->class->finish(o, err));
    return NRW_OK;
}

nrw_status pipeline_run(pipeline *p, nrw_error *err)
{
    run r = {.p = p, .err = NRW_ERROR_INIT};
    pthread_t threads[PIPELINE_MAX_WORKERS];
    worker workers[PIPELINE_MAX_WORKERS];
    uint32_t n = p->workers > PIPELINE_MAX_WORKERS ? PIPELINE_MAX_WORKERS : p->workers;
    uint32_t started = 0;

    pthread_mutex_init(&r.cut, NULL);
    pthread_mutex_init(&r.lock, NULL);
    crew_init(&r.crew, n);
    /* the calling thread is the first worker; one that cannot be created is done without */
    for (uint32_t i = 0; i < n; i++)
        workers[i] = (worker){&r, i};
    while (started + 1 < n && start_worker(&threads[started], &workers[started + 1]))
        started++;
    work(&workers[0]);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    pthread_mutex_destroy(&r.cut);
    pthread_mutex_destroy(&r.lock);
    crew_release(&r.crew);
    if (!r.failed)
        return NRW_OK;
    if (err)
        *err = r.err;
    return r.err.status;
}
