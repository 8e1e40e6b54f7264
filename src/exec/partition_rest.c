/* Rows sorted by folder, to files. A worker cuts its batch where the folder's name changes. A
 * folder that begins and ends in the batch is the worker's own; the first and the last may be
 * shared with its neighbours: batches of such a folder are numbered in the operator's turn, and who
 * sees the next folder begin ends it. So at most two folders a worker are open. */
#include "exec/partition_own.h"

#include "exec/dense.h"

struct rest_part {
    rest_part *before, *behind; /* in the list of all */
    folder_files files;
    writer *writer;
    uint64_t done;    /* batches that are written; under the operator's lock, for who waits for it
                         may free this */
    uint64_t batches; /* (order) given out so far */
    uint64_t ordinal;
    int64_t kept;    /* rows to come that are in finished files; who writes its next batch */
    uint64_t pushed; /* batches that its writer got; as `kept` */
};

/* Rows of one folder in a batch. */
typedef struct stretch {
    uint32_t first, n;
} stretch;

typedef struct cut {
    vector *columns; /* written ones, then the name */
    uint32_t n, cap;
    stretch *at;
} cut;

/* ---- folders ---- */

static void part_free(op_rest *o, rest_part *p)
{
    pthread_mutex_lock(&o->lock);
    *(p->before ? &p->before->behind : &o->parts) = p->behind;
    if (p->behind)
        p->behind->before = p->before;
    pthread_mutex_unlock(&o->lock);
    if (p->writer)
        p->writer->class->close(p->writer);
    folder_files_close(&p->files);
    mem_free(o->m, p, sizeof *p);
}

static nrw_status part_new(op_rest *o, span folder, uint64_t ordinal, rest_part **out,
                           nrw_error *err)
{
    rest_part *p;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(o->m, sizeof *p, (void **)&p, err));
    p->ordinal = ordinal;
    st = folder_files_open(&p->files, o->env, folder, err);
    if (st == NRW_OK)
        st = folder_files_keep(&p->files, &p->kept, err);
    pthread_mutex_lock(&o->lock);
    p->behind = o->parts;
    if (o->parts)
        o->parts->before = p;
    o->parts = p;
    if (o->stopped && st == NRW_OK)
        st = NRW_E_CANCELLED;
    pthread_mutex_unlock(&o->lock);
    if (st < 0)
        part_free(o, p);
    else
        *out = p;
    return st;
}

static nrw_status open_writer(op_rest *o, rest_part *p, nrw_error *err)
{
    writer *w;

    TRY(folder_files_go_on(&p->files, err));
    TRY(parquet_room_open(o->room, &p->files.files, &w, err));
    pthread_mutex_lock(&o->lock);
    p->writer = w;
    pthread_mutex_unlock(&o->lock);
    return NRW_OK;
}

/* Waits until so many of its batches are written. */
static nrw_status part_wait(op_rest *o, const rest_part *p, uint64_t batches)
{
    bool stopped;

    pthread_mutex_lock(&o->lock);
    while (p->done != batches && !o->stopped)
        pthread_cond_wait(&o->changed, &o->lock);
    stopped = o->stopped;
    pthread_mutex_unlock(&o->lock);
    return stopped ? NRW_E_CANCELLED : NRW_OK;
}

static void part_written(op_rest *o, rest_part *p)
{
    pthread_mutex_lock(&o->lock);
    p->done++;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

/* Rows of the batch to the folder's writer. */
static nrw_status push_rows(op_rest *o, rest_part *p, const batch *like, const cut *c, stretch s,
                            nrw_error *err)
{
    batch b;
    nrw_status st = NRW_OK;

    if (!p->writer)
        TRY(open_writer(o, p, err));
    TRY(dense_new(like, o->n_written, s.n, &b, err));
    b.morsel = p->pushed++;
    b.offset = 0;
    b.last = true;
    for (uint32_t i = 0; st == NRW_OK && i < o->n_written; i++) {
        vector v;
        st = vector_slice(&c->columns[i], s.first, s.n, b.m, &v, err);
        if (st == NRW_OK)
            st = dense_put(&b, i, &v, err);
    }
    if (st == NRW_OK)
        st = p->writer->class->push(p->writer, &b, err);
    dense_free(&b, o->n_written);
    return st;
}

/* The folder's batch `number`, but for rows that are in finished files. */
static nrw_status part_push(op_rest *o, rest_part *p, uint64_t number, const batch *like,
                            const cut *c, stretch s, nrw_error *err)
{
    uint32_t kept;

    TRY(part_wait(o, p, number));
    kept = p->kept < s.n ? (uint32_t)p->kept : s.n;
    p->kept -= kept;
    s = (stretch){s.first + kept, s.n - kept};
    if (s.n)
        TRY(push_rows(o, p, like, c, s, err));
    part_written(o, p);
    return NRW_OK;
}

/* All its rows have been given to workers: as soon as they are written, the folder is listed and
 * freed. Where that fails it stays until the end, others may be at it. */
static nrw_status part_finish(op_rest *o, rest_part *p, uint64_t batches, nrw_error *err)
{
    file_summary is;

    TRY(part_wait(o, p, batches));
    if (p->kept)
        return folder_files_lacks(&p->files, p->kept, err);
    if (p->writer)
        TRY(p->writer->class->finish(p->writer, &is, err));
    TRY(turn_wait(&o->list, p->ordinal));
    TRY(o->listed(o->self, p->files.folder, p->files.footers, err));
    turn_done(&o->list, p->ordinal);
    part_free(o, p);
    return NRW_OK;
}

/* ---- a batch ---- */

static bool same_folder(const vector *names, uint32_t a, uint32_t b)
{
    return !span_compare(view_span(names, a), view_span(names, b));
}

static nrw_status cut_add(cut *c, mem *m, uint32_t first, nrw_error *err)
{
    void *at = c->at;
    uint32_t cap = c->cap ? 2 * c->cap : 16;

    if (c->n == c->cap) {
        TRY(mem_realloc(m, &at, c->cap * sizeof *c->at, cap * sizeof *c->at, err));
        c->at = at;
        c->cap = cap;
    }
    c->at[c->n++] = (stretch){.first = first};
    return NRW_OK;
}

static nrw_status cut_rows(cut *c, mem *m, uint32_t rows, const vector *names, nrw_error *err)
{
    for (uint32_t i = 0; i < rows; i++) {
        if (!i || !same_folder(names, i - 1, i))
            TRY(cut_add(c, m, i, err));
        c->at[c->n - 1].n++;
    }
    return NRW_OK;
}

/* Where the batch's first and last rows go. */
typedef struct place {
    rest_part *first, *last; /* first NULL: it begins here; last NULL: it is the first */
    uint64_t number;         /* of the batch in `first` */
    rest_part *ended;        /* to be finished, with so many batches */
    uint64_t batches;
    uint64_t ordinal; /* of the first folder that begins here */
} place;

/* In the operator's turn. */
static nrw_status find_place(op_rest *o, const cut *c, place *out, nrw_error *err)
{
    const vector *names = &c->columns[o->n_written];
    span first = view_span(names, 0), last = view_span(names, c->at[c->n - 1].first);
    rest_part *open = o->open;
    bool joins = open && !span_compare(first, (span){(const uint8_t *)open->files.folder,
                                                     open->files.folder_size - 1});
    uint32_t begin = c->n - joins;

    *out = (place){.ordinal = o->folders};
    o->folders += begin;
    if (joins) {
        out->first = open;
        out->number = open->batches++;
    }
    if (!begin)
        return NRW_OK;
    if (open) {
        out->ended = open;
        out->batches = open->batches;
        o->open = NULL;
    }
    TRY(part_new(o, last, o->folders - 1, &out->last, err));
    out->last->batches = 1;
    o->open = out->last;
    return NRW_OK;
}

/* A folder that begins and ends here. */
static nrw_status whole_folder(op_rest *o, const batch *b, const cut *c, stretch s,
                               uint64_t ordinal, nrw_error *err)
{
    span folder = view_span(&c->columns[o->n_written], s.first);
    rest_part *p;

    TRY(part_new(o, folder, ordinal, &p, err));
    TRY(part_push(o, p, 0, b, c, s, err));
    return part_finish(o, p, 1, err);
}

static nrw_status write_stretches(op_rest *o, const batch *b, const cut *c, const place *at,
                                  nrw_error *err)
{
    uint64_t ordinal = at->ordinal;
    uint32_t i = 0;

    if (at->first)
        TRY(part_push(o, at->first, at->number, b, c, c->at[i++], err));
    if (at->ended)
        TRY(part_finish(o, at->ended, at->batches, err));
    for (; i + 1 < c->n; i++)
        TRY(whole_folder(o, b, c, c->at[i], ordinal++, err));
    return at->last ? part_push(o, at->last, 0, b, c, c->at[i], err) : NRW_OK;
}

static nrw_status rest_rows(op_rest *o, batch *b, cut *c, nrw_error *err)
{
    place at;
    nrw_status st;

    batch_drop(b, o->n_written + 1);
    TRY(batch_take(b, NULL, o->n_written + 1, SIZE_MAX, c->columns, err));
    st = cut_rows(c, b->m, b->rows, &c->columns[o->n_written], err);
    if (st == NRW_OK)
        st = turn_wait(&o->order, b->morsel);
    if (st == NRW_OK) {
        st = find_place(o, c, &at, err);
        turn_done(&o->order, b->morsel);
    }
    if (st == NRW_OK)
        st = write_stretches(o, b, c, &at, err);
    for (uint32_t i = 0; i <= o->n_written; i++)
        vector_release(&c->columns[i]);
    return st;
}

static nrw_status rest_push(op *base, batch *b, nrw_error *err)
{
    op_rest *o = (op_rest *)base;
    size_t bytes = (o->n_written + 1) * sizeof(vector);
    cut c = {0};
    nrw_status st;

    if (o->cancel && atomic_load_explicit(o->cancel, memory_order_relaxed))
        return err_set(err, NRW_E_CANCELLED, "interrupted");
    op_count(base, b->rows, 0);
    TRY(mem_zalloc(b->m, bytes, (void **)&c.columns, err));
    st = rest_rows(o, b, &c, err);
    mem_free(b->m, c.at, c.cap * sizeof *c.at);
    mem_free(b->m, c.columns, bytes);
    return st;
}

/* ---- life ---- */

static void rest_stop(op *base)
{
    op_rest *o = (op_rest *)base;

    turn_stop(&o->order);
    turn_stop(&o->list);
    pthread_mutex_lock(&o->lock);
    o->stopped = true;
    pthread_cond_broadcast(&o->changed);
    for (rest_part *p = o->parts; p; p = p->behind)
        if (p->writer)
            p->writer->class->stop(p->writer);
    pthread_mutex_unlock(&o->lock);
}

nrw_status op_rest_finish(op_rest *o, nrw_error *err)
{
    rest_part *p = o->open;

    o->open = NULL;
    return p ? part_finish(o, p, p->batches, err) : NRW_OK;
}

static void rest_close(op *base)
{
    (void)base;
}

void op_rest_init(op_rest *o)
{
    static const op_class class = {"write sorted partitions", rest_push, NULL, rest_stop,
                                   rest_close};

    o->base.class = &class;
    turn_init(&o->order);
    turn_init(&o->list);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->changed, NULL);
}

void op_rest_release(op_rest *o)
{
    while (o->parts)
        part_free(o, o->parts);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
}
