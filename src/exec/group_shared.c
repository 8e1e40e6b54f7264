/* One table for each group. While tables are small every worker has its own, and groups that come
 * to several of them are put together at the end. Once there are many and they take a third of
 * their share, a worker's table has the groups of its part of the hashes alone, and all workers put
 * rows there, one after the other: so memory holds as many groups as there are, not that many for
 * each worker. Nothing depends on it: a group may still lie in several tables, as rows of few keys
 * go to the worker's own. */
#include "exec/group_taking.h"
#include "exec/hash_rows.h"

/* By bits that slots do not go by. */
static uint32_t owner_of(const op_group *o, uint64_t hash)
{
    return (uint32_t)((hash & UINT32_MAX) * o->spec.workers >> 32);
}

static bool is_shared(const op_group *o)
{
    return atomic_load_explicit(&o->shared, memory_order_relaxed);
}

/* Few groups are found again by their own worker soonest, as long as there is room for them. */
static bool outgrows(const op_group *o, const group_worker *w)
{
    const uint64_t third = group_share(o) / 3;

    return mem_used(w->m) > (w->table.n > GROUP_SHARED_FROM ? third : 2 * third);
}

bool group_begins_sharing(const op_group *o, const group_worker *w)
{
    return o->shares && !w->spread && (is_shared(o) || outgrows(o, w));
}

/* ---- what a worker had before ---- */

/* Rows of a block whose hashes are p's. */
static nrw_status move_block(op_group *o, uint32_t p, const rows_block *b, uint64_t *moved,
                             nrw_error *err)
{
    group_table *t = &o->workers[p].table;
    uint64_t n = 0, bytes = 0;

    for (uint32_t at = 0; at < b->len; at += row_bytes(b->data + at))
        if (owner_of(o, row_hash(b->data + at)) == p) {
            n++;
            bytes += row_bytes(b->data + at);
        }
    if (t->n && group_table_growth(t, n, bytes) > group_room(o, &o->workers[p]))
        TRY(group_flush(o, &o->workers[p], err));
    TRY(group_table_reserve(t, t->n + n, err));
    for (uint32_t at = 0; at < b->len; at += row_bytes(b->data + at))
        if (owner_of(o, row_hash(b->data + at)) == p)
            group_table_expect(t, row_hash(b->data + at));
    for (uint32_t at = 0; at < b->len; at += row_bytes(b->data + at))
        if (owner_of(o, row_hash(b->data + at)) == p)
            TRY(group_table_copy(t, b->data + at, err));
    *moved = n;
    return NRW_OK;
}

/* *came rows made n groups: as many of them go along as of the groups. */
static nrw_status move_rows(op_group *o, rows *from, uint64_t came, nrw_error *err)
{
    const uint64_t n = from->n;
    uint64_t moved;
    nrw_status st = NRW_OK;

    for (uint32_t i = 0; st >= 0 && i < from->n_blocks; i++) {
        for (uint32_t p = 0; st >= 0 && p < o->spec.workers; p++) {
            group_worker *to = &o->workers[p];
            pthread_mutex_lock(&to->lock);
            st = move_block(o, p, &from->blocks[i], &moved, err);
            if (st >= 0)
                to->came += (uint64_t)((double)came / (double)n * (double)moved);
            pthread_mutex_unlock(&to->lock);
        }
        rows_drop_block(from, i);
    }
    return st;
}

static nrw_status spread(op_group *o, group_worker *w, nrw_error *err)
{
    group_table old;
    uint64_t came;
    nrw_status st;

    w->spread = true;
    pthread_mutex_lock(&w->lock);
    old = w->table;
    came = w->came;
    group_table_init(&w->table, &o->shape, w->m, o->m);
    group_book_reset(&w->book);
    w->came = 0;
    mem_free(old.m, old.slots, group_table_slots_bytes(&old));
    pthread_mutex_unlock(&w->lock);
    st = move_rows(o, &old.rows, came, err);
    rows_release(&old.rows);
    return st;
}

nrw_status group_sharing(op_group *o, group_worker *w, bool *share, nrw_error *err)
{
    *share = false;
    if (group_begins_sharing(o, w)) {
        atomic_store_explicit(&o->shared, true, memory_order_relaxed);
        TRY(spread(o, w, err));
    }
    if (!w->spread)
        return NRW_OK;
    pthread_mutex_lock(&w->lock);
    *share = w->passing == 0;
    pthread_mutex_unlock(&w->lock);
    return NRW_OK;
}

/* ---- rows that come ---- */

/* Rows of a batch by their owners. */
typedef struct sharing {
    const group_taking *whole;
    vector *columns;  /* of one owner's rows */
    uint64_t *hashes; /* of all rows */
    uint32_t *ends;   /* each owner's, in sel */
    uint16_t *sel;    /* a chunk's rows, one owner's after the other */
    bool *done;
} sharing;

static uint32_t begin_of(const sharing *s, uint32_t p)
{
    return p ? s->ends[p - 1] : 0;
}

/* The n rows that `sel` names. */
static nrw_status take_some(sharing *s, uint32_t p, const uint16_t *sel, uint32_t n, nrw_error *err)
{
    op_group *o = s->whole->o;
    group_taking t = *s->whole;
    uint32_t taken = 0;
    nrw_status st = NRW_OK;

    t.w = &o->workers[p];
    t.rows = n;
    t.columns = s->columns;
    t.hashes = s->hashes;
    t.sel = sel;
    for (uint32_t c = 0; st >= 0 && c < o->n_in; c++)
        st = vector_take(&s->whole->columns[c], sel, n, t.b->m, &t.columns[c], err);
    while (st >= 0 && taken < n)
        st = group_take_slices(&t, GROUP_SLICE, &taken, err);
    for (uint32_t c = 0; c < o->n_in; c++) {
        vector_release(&t.columns[c]);
        t.columns[c] = (vector){0};
    }
    return st;
}

/* p's lock is held. */
static nrw_status take_owned(sharing *s, uint32_t p, nrw_error *err)
{
    const uint32_t at = begin_of(s, p);

    s->done[p] = true;
    return take_some(s, p, s->sel + at, s->ends[p] - at, err);
}

static void sort_by_owner(sharing *s, uint32_t first, uint32_t n)
{
    const op_group *o = s->whole->o;
    uint32_t workers = o->spec.workers, at = 0;

    memset(s->ends, 0, workers * sizeof *s->ends);
    for (uint32_t i = first; i < first + n; i++)
        s->ends[owner_of(o, s->hashes[i])]++;
    for (uint32_t p = 0; p < workers; p++) {
        uint32_t rows = s->ends[p];
        s->ends[p] = at;
        at += rows;
    }
    for (uint32_t i = first; i < first + n; i++)
        s->sel[s->ends[owner_of(o, s->hashes[i])]++] = (uint16_t)i;
}

/* Tables that nobody is at come first, the worker's own before all. */
static nrw_status take_chunk(sharing *s, uint32_t first, uint32_t n, nrw_error *err)
{
    op_group *o = s->whole->o;
    uint32_t workers = o->spec.workers, own = (uint32_t)(s->whole->w - o->workers);
    nrw_status st = NRW_OK;

    sort_by_owner(s, first, n);
    memset(s->done, 0, workers * sizeof *s->done);
    for (uint32_t k = 0; st >= 0 && k < 2 * workers; k++) {
        uint32_t p = (own + k) % workers;
        pthread_mutex_t *lock = &o->workers[p].lock;
        if (s->done[p] || begin_of(s, p) == s->ends[p])
            continue;
        if (k >= workers)
            pthread_mutex_lock(lock);
        else if (pthread_mutex_trylock(lock) != 0)
            continue;
        st = take_owned(s, p, err);
        pthread_mutex_unlock(lock);
    }
    return st;
}

nrw_status group_take_shared(group_taking *t, uint32_t first, nrw_error *err)
{
    op_group *o = t->o;
    mem *m = t->b->m;
    const uint32_t workers = o->spec.workers, chunk = GROUP_CHUNK * workers;
    const size_t columns = o->n_in * sizeof(vector), hashes = t->rows * sizeof(uint64_t),
                 each = sizeof(uint32_t) + sizeof(bool),
                 bytes = columns + hashes + workers * each + t->rows * sizeof(uint16_t);
    sharing s = {.whole = t};
    nrw_status st = NRW_OK;

    TRY(group_canonical_keys(t, err));
    TRY(mem_zalloc(m, bytes, (void **)&s.columns, err));
    s.hashes = (uint64_t *)(void *)((uint8_t *)s.columns + columns);
    s.ends = (uint32_t *)(void *)(s.hashes + t->rows);
    s.sel = (uint16_t *)(void *)(s.ends + workers);
    s.done = (bool *)(void *)(s.sel + t->rows);
    for (uint32_t c = 0; c < o->spec.n_keys; c++)
        hash_vector(&t->columns[c], t->rows, c > 0, s.hashes);
    for (uint32_t at = first; st >= 0 && at < t->rows; at += chunk)
        st = take_chunk(&s, at, t->rows - at < chunk ? t->rows - at : chunk, err);
    mem_free(m, s.columns, bytes);
    return st;
}
