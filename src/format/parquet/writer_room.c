/* Who may hold how much of the grant.
 *
 * Of the grant, fixed parts are set aside for bookkeeping and for what each worker needs to
 * compress. The rest is the pool: column actors and finished pages. An actor in use counts with
 * the most it can come to hold meanwhile, an idle one with what it holds. When the next actor would
 * not fit, idle ones are parked, then threads wait for each other: the pool has room for any one
 * actor at its most. Pages are held only in what actors leave, and are evicted when that shrinks.
 * Columns are walked in a circle, so the actor used last is the one needed last: it is parked
 * first, and a part of the columns that fits stays in memory for good.
 *
 * Nobody waits here for a thread that may itself be waiting for a turn held by the waiter: actors
 * and benches are held by running threads only. */
#include "format/parquet/writer_own.h"

#include "format/parquet/writer_budget.h"

/* Bytes parked after which the heap is looked through for pages that are free. */
#define SETTLE ((uint64_t)4 << 20)

nrw_status pq_writer_wait(pq_writer *w)
{
    if (w->stopped)
        return NRW_E_CANCELLED;
    pthread_cond_wait(&w->changed, &w->lock);
    return w->stopped ? NRW_E_CANCELLED : NRW_OK;
}

/* For room, an actor or a bench. Who waits for the horizon is not woken each time these change. */
static nrw_status wait_room(pq_writer *w)
{
    w->room_waits++;
    nrw_status st = pq_writer_wait(w);
    w->room_waits--;
    return st;
}

static void room_changed(pq_writer *w)
{
    if (w->room_waits)
        pthread_cond_broadcast(&w->changed);
}

nrw_status pq_room_plan(pq_writer *w, uint64_t limit, nrw_error *err)
{
    pq_shares s;
    TRY(pq_shares_plan(w->schema, w->opts, w->workers, limit, &s, err));
    w->reserve = s.reserve;
    w->pool = s.pool;
    w->queue_max = s.queue_max;
    w->piece_bytes = s.piece_bytes;
    w->usual_body = s.usual_body;
    w->big_body = s.big_body;
    w->bloom_window = s.bloom_window;
    w->env = (pq_log_env){w->m, w->held, w->spill, s.tail_max};
    w->file_env = (pq_log_env){w->m, NULL, w->spill, s.file_tail};
    return NRW_OK;
}

/* ---- idle actors ---- */

static void push_idle(pq_writer *w, int32_t c)
{
    pq_wactor *a = &w->actor[c];
    a->state = ACTOR_IDLE;
    a->above = PQ_NO_LEAF;
    a->below = w->idle_top;
    if (w->idle_top != PQ_NO_LEAF)
        w->actor[w->idle_top].above = c;
    w->idle_top = c;
}

static void remove_idle(pq_writer *w, int32_t c)
{
    pq_wactor *a = &w->actor[c];
    if (a->above == PQ_NO_LEAF)
        w->idle_top = a->below;
    else
        w->actor[a->above].below = a->below;
    if (a->below != PQ_NO_LEAF)
        w->actor[a->below].above = a->above;
}

/* What pages may take, now that actors hold so much. The reserve keeps pages from being held only
 * to be evicted when the next actor is taken. */
static nrw_status bound_pages(pq_writer *w, nrw_error *err)
{
    uint64_t actors = w->resident + w->reserve;
    actors = actors > w->committed ? actors : w->committed;
    uint64_t limit = actors < w->pool ? w->pool - actors : 0;
    mem_set_limit(w->held, limit);
    uint64_t used = mem_used(w->held);
    uint64_t want = used > limit ? used - limit + used / 8 : 0; /* not for every page anew */
    for (uint64_t i = 0; i < PQ_GROUPS && want; i++) {
        pq_wgroup *g = pq_group_at(w, w->groups_gone + i);
        for (uint32_t c = 0; c < w->leaves.n && want && !g->leaving; c++) {
            TRY(pq_log_evict(&w->env, &g->chunks[c].hashes, &want, err));
            TRY(pq_log_evict(&w->env, &g->chunks[c].data, &want, err));
        }
    }
    return NRW_OK;
}

static void set_held(pq_writer *w, pq_wactor *a, uint64_t held)
{
    w->resident = w->resident - a->held + held;
    a->held = held;
}

static void charge(pq_writer *w, pq_wactor *a, uint64_t bytes)
{
    w->committed = w->committed - a->charged + bytes;
    a->charged = bytes;
}

/* Parks the actor used last. Under the lock, which is let go meanwhile. */
static nrw_status park_one(pq_writer *w, nrw_error *err)
{
    int32_t c = w->idle_top;
    pq_wactor *a = &w->actor[c];
    remove_idle(w, c);
    a->state = ACTOR_PARKING;
    pthread_mutex_unlock(&w->lock);
    nrw_status st = pq_column_park(a->writer, w->spill, err);
    pthread_mutex_lock(&w->lock);
    if (st < 0) {
        push_idle(w, c);
        return st;
    }
    a->state = ACTOR_PARKED;
    w->parked += a->held;
    bool settle = w->parked >= SETTLE;
    w->parked = settle ? 0 : w->parked;
    set_held(w, a, 0);
    charge(w, a, 0);
    room_changed(w);
    if (settle) {
        pthread_mutex_unlock(&w->lock);
        mem_settle();
        pthread_mutex_lock(&w->lock);
    }
    return NRW_OK;
}

/* Waits until there is room for `bytes` of the column's actor. Under the lock. */
static nrw_status make_room(pq_writer *w, pq_wactor *a, uint64_t bytes, nrw_error *err)
{
    int32_t c = (int32_t)(a - w->actor);
    for (;;) {
        if (w->stopped)
            return NRW_E_CANCELLED;
        if (a->state == ACTOR_PARKING) {
            TRY(wait_room(w));
            continue;
        }
        if (w->committed - a->charged + bytes <= w->pool)
            return NRW_OK;
        bool own_top = w->idle_top == c;
        if (own_top) { /* not itself, but the one below */
            remove_idle(w, c);
            a->state = ACTOR_USED;
        }
        bool any = w->idle_top != PQ_NO_LEAF;
        nrw_status st = any ? park_one(w, err) : NRW_OK;
        if (own_top)
            push_idle(w, c);
        TRY(st);
        if (any)
            continue;
        if (!w->used)
            return NRW_OK; /* nobody to wait for */
        TRY(wait_room(w));
    }
}

/* The actor is this thread's from here on. Under the lock. */
static nrw_status occupy(pq_writer *w, uint32_t leaf, uint64_t bytes, nrw_error *err)
{
    pq_wactor *a = &w->actor[leaf];
    if (a->state == ACTOR_IDLE)
        remove_idle(w, (int32_t)leaf);
    a->state = ACTOR_USED;
    charge(w, a, bytes);
    w->used++;
    return bound_pages(w, err);
}

/* Undoes occupy. */
static void leave(pq_writer *w, uint32_t leaf, pq_actor_state was)
{
    pq_wactor *a = &w->actor[leaf];
    pthread_mutex_lock(&w->lock);
    charge(w, a, a->held);
    w->used--;
    if (was == ACTOR_IDLE)
        push_idle(w, (int32_t)leaf);
    else
        a->state = was;
    room_changed(w);
    pthread_mutex_unlock(&w->lock);
}

nrw_status pq_room_take(pq_writer *w, uint32_t leaf, uint64_t values, nrw_error *err)
{
    pq_wactor *a = &w->actor[leaf];
    if (!a->writer) {
        TRY(pq_column_writer_new(w->actors, &w->leaves.at[leaf], w->opts, pq_leaf_options(w, leaf),
                                 &a->writer, err));
    }
    pthread_mutex_lock(&w->lock);
    while (a->state == ACTOR_PARKING && !w->stopped)
        (void)wait_room(w);
    uint64_t bytes = pq_column_most_after(a->writer, values);
    bytes = bytes < a->most ? bytes : a->most;
    bytes = bytes > a->held ? bytes : a->held;
    nrw_status st = make_room(w, a, bytes, err);
    if (st < 0) {
        pthread_mutex_unlock(&w->lock);
        return st;
    }
    pq_actor_state was = a->state;
    st = occupy(w, leaf, bytes, err);
    pthread_mutex_unlock(&w->lock);
    if (st == NRW_OK && was == ACTOR_PARKED)
        st = pq_column_unpark(a->writer, err);
    if (st < 0)
        leave(w, leaf, was);
    return st;
}

nrw_status pq_room_give(pq_writer *w, uint32_t leaf, nrw_error *err)
{
    pq_wactor *a = &w->actor[leaf];
    uint64_t held = pq_column_memory(a->writer);
    held += held / 8; /* what the system's allocator loses between small blocks */
    pthread_mutex_lock(&w->lock);
    set_held(w, a, held);
    charge(w, a, held);
    push_idle(w, (int32_t)leaf);
    w->used--;
    nrw_status st = bound_pages(w, err);
    room_changed(w);
    pthread_mutex_unlock(&w->lock);
    return st;
}

/* ---- benches ---- */

static nrw_status take_usual(pq_writer *w, pq_bench **out, nrw_error *err)
{
    while (!w->benches && w->n_benches == w->workers)
        TRY(wait_room(w));
    if (w->benches) {
        *out = w->benches;
        w->benches = (*out)->next;
        return NRW_OK;
    }
    TRY(pq_bench_new(w->m, w->usual_body, out, err));
    w->n_benches++;
    return NRW_OK;
}

static nrw_status take_big(pq_writer *w, pq_bench **out, nrw_error *err)
{
    while (!w->big && w->big_made)
        TRY(wait_room(w));
    if (!w->big) {
        TRY(pq_bench_new(w->m, w->big_body, &w->big, err));
        w->big->big = w->big_made = true;
    }
    *out = w->big;
    w->big = NULL;
    return NRW_OK;
}

nrw_status pq_bench_take(pq_writer *w, size_t body, pq_bench **out, nrw_error *err)
{
    *out = NULL;
    pthread_mutex_lock(&w->lock);
    nrw_status st = body > w->usual_body ? take_big(w, out, err) : take_usual(w, out, err);
    pthread_mutex_unlock(&w->lock);
    return st;
}

void pq_bench_give(pq_writer *w, pq_bench *b)
{
    if (!b)
        return;
    pthread_mutex_lock(&w->lock);
    if (b->big) {
        w->big = b;
    } else {
        b->next = w->benches;
        w->benches = b;
    }
    room_changed(w);
    pthread_mutex_unlock(&w->lock);
}
