/* Who may hold how much of the grant.
 *
 * Of the grant, fixed parts are set aside for bookkeeping and for what each worker needs to
 * compress. The rest is the pool: column actors and finished pages. An actor in use counts with
 * the most it can hold, an idle one with what it holds. When the next actor would not fit, idle
 * ones are parked; pages are held only in what all of these leave, and are evicted when that
 * shrinks. Columns are walked in a circle, so the actor used last is the one needed last: it is
 * parked first, and a part of the columns that fits stays in memory for good.
 *
 * Nobody waits here for a thread that may itself be waiting for a turn held by the waiter: actors
 * and benches are held by running threads only. */
#include "format/parquet/writer_own.h"

#include "format/parquet/writer_budget.h"

nrw_status pq_writer_wait(pq_writer *w)
{
    if (w->stopped)
        return NRW_E_CANCELLED;
    pthread_cond_wait(&w->changed, &w->lock);
    return w->stopped ? NRW_E_CANCELLED : NRW_OK;
}

nrw_status pq_room_plan(pq_writer *w, uint64_t limit, nrw_error *err)
{
    pq_shares s;
    TRY(pq_shares_plan(w->schema, w->opts, w->workers, limit, &s, err));
    w->most = s.actor_most;
    w->pool = s.pool;
    w->pend_max = s.pend_max;
    w->piece_bytes = s.piece_bytes;
    w->usual_body = s.usual_body;
    w->big_body = s.big_body;
    w->env = (pq_log_env){w->m, w->held, w->spill, s.tail_max, s.lean};
    w->file_env = (pq_log_env){w->m, NULL, w->spill, s.file_tail, true};
    return NRW_OK;
}

/* ---- idle actors ---- */

static void push_idle(pq_writer *w, int32_t c)
{
    pq_wcolumn *col = &w->columns[c];
    col->state = ACTOR_IDLE;
    col->above = PQ_NO_COLUMN;
    col->below = w->idle_top;
    if (w->idle_top != PQ_NO_COLUMN)
        w->columns[w->idle_top].above = c;
    w->idle_top = c;
}

static void remove_idle(pq_writer *w, int32_t c)
{
    pq_wcolumn *col = &w->columns[c];
    if (col->above == PQ_NO_COLUMN)
        w->idle_top = col->below;
    else
        w->columns[col->above].below = col->below;
    if (col->below != PQ_NO_COLUMN)
        w->columns[col->below].above = col->above;
}

/* What pages may take, now that actors hold so much. Leaves room for every worker's actor to
 * grow to its most. */
static nrw_status bound_pages(pq_writer *w, nrw_error *err)
{
    uint64_t actors = w->resident + w->most;
    uint64_t limit = actors < w->pool ? w->pool - actors : 0;
    mem_set_limit(w->held, limit);
    uint64_t used = mem_used(w->held);
    uint64_t want = used > limit ? used - limit + used / 8 : 0; /* not for every page anew */
    for (uint64_t i = 0; i < PQ_GROUPS && want; i++) {
        pq_wgroup *g = pq_group_at(w, w->groups_gone + i);
        for (uint32_t c = 0; c < w->n_columns && want && !g->leaving; c++)
            TRY(pq_log_evict(&w->env, &g->chunks[c].data, &want, err));
    }
    return NRW_OK;
}

static void set_held(pq_writer *w, pq_wcolumn *col, uint64_t held)
{
    w->resident = w->resident - col->held + held;
    col->held = held;
}

static void charge(pq_writer *w, pq_wcolumn *col, uint64_t bytes)
{
    w->committed = w->committed - col->charged + bytes;
    col->charged = bytes;
}

/* Parks the actor used last. Under the lock, which is let go meanwhile. */
static nrw_status park_one(pq_writer *w, nrw_error *err)
{
    int32_t c = w->idle_top;
    pq_wcolumn *col = &w->columns[c];
    remove_idle(w, c);
    col->state = ACTOR_PARKING;
    pthread_mutex_unlock(&w->lock);
    nrw_status st = pq_column_park(col->actor, w->spill, err);
    pthread_mutex_lock(&w->lock);
    if (st < 0) {
        push_idle(w, c);
        return st;
    }
    col->state = ACTOR_PARKED;
    set_held(w, col, 0);
    charge(w, col, 0);
    pthread_cond_broadcast(&w->changed);
    return NRW_OK;
}

/* Waits until the column's actor can grow to its most. Under the lock. */
static nrw_status make_room(pq_writer *w, pq_wcolumn *col, nrw_error *err)
{
    for (;;) {
        if (w->stopped)
            return NRW_E_CANCELLED;
        if (col->state == ACTOR_PARKING) {
            TRY(pq_writer_wait(w));
            continue;
        }
        if (w->committed - col->charged + col->most <= w->pool)
            return NRW_OK;
        int32_t c = (int32_t)(col - w->columns);
        bool own_top = w->idle_top == c;
        if (own_top) { /* not itself, but the one below */
            remove_idle(w, c);
            col->state = ACTOR_USED;
        }
        bool any = w->idle_top != PQ_NO_COLUMN;
        nrw_status st = any ? park_one(w, err) : NRW_OK;
        if (own_top)
            push_idle(w, c);
        TRY(st);
        if (any)
            continue;
        if (!w->used)
            return NRW_OK; /* nobody else's to wait for */
        TRY(pq_writer_wait(w));
    }
}

static nrw_status wake(pq_writer *w, uint32_t column, pq_actor_state was, nrw_error *err)
{
    pq_wcolumn *col = &w->columns[column];
    if (was == ACTOR_NONE)
        return pq_column_writer_new(w->actors, &w->schema->fields[column], w->opts,
                                    &w->opts->columns[column], &col->actor, err);
    return was == ACTOR_PARKED ? pq_column_unpark(col->actor, err) : NRW_OK;
}

nrw_status pq_room_take(pq_writer *w, uint32_t column, nrw_error *err)
{
    pq_wcolumn *col = &w->columns[column];
    pthread_mutex_lock(&w->lock);
    nrw_status st = make_room(w, col, err);
    pq_actor_state was = col->state;
    if (st == NRW_OK) {
        if (was == ACTOR_IDLE)
            remove_idle(w, (int32_t)column);
        col->state = ACTOR_USED;
        charge(w, col, col->most);
        w->used++;
    }
    pthread_mutex_unlock(&w->lock);
    if (st < 0)
        return st;
    st = wake(w, column, was, err);
    if (st < 0) {
        pthread_mutex_lock(&w->lock);
        charge(w, col, 0);
        col->state = was;
        w->used--;
        pthread_mutex_unlock(&w->lock);
    }
    return st;
}

nrw_status pq_room_give(pq_writer *w, uint32_t column, nrw_error *err)
{
    pq_wcolumn *col = &w->columns[column];
    uint64_t held = pq_column_memory(col->actor);
    pthread_mutex_lock(&w->lock);
    set_held(w, col, held);
    charge(w, col, held);
    push_idle(w, (int32_t)column);
    w->used--;
    nrw_status st = bound_pages(w, err);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return st;
}

/* ---- benches ---- */

static nrw_status take_usual(pq_writer *w, pq_bench **out, nrw_error *err)
{
    while (!w->benches && w->n_benches == w->workers)
        TRY(pq_writer_wait(w));
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
        TRY(pq_writer_wait(w));
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
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}
