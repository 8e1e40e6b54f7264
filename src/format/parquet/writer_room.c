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
 * Writers that share a room share all of that but the held pages, which have an account of their
 * own: what does not fit there is spilled at once. The unit that is parked is (file, column).
 *
 * Nobody waits here for a thread that may itself be waiting for a turn held by the waiter: actors
 * and benches are held by running threads only. A writer's lock may be held when the room's is
 * taken, never the other way round. */
#include "format/parquet/writer_own.h"

/* Bytes parked after which the heap is looked through for pages that are free. */
#define SETTLE ((uint64_t)4 << 20)

void pq_room_init(pq_room *r, mem *m, spill *s, uint32_t workers)
{
    *r = (pq_room){.m = m, .spill = s, .workers = workers};
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
}

void pq_room_release(pq_room *r)
{
    while (r->benches) {
        pq_bench *b = r->benches;
        r->benches = b->next;
        pq_bench_free(b);
    }
    pq_bench_free(r->big);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
}

void pq_room_wake(pq_room *r)
{
    pthread_mutex_lock(&r->lock);
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

nrw_status pq_writer_wait(pq_writer *w)
{
    if (w->stopped)
        return NRW_E_CANCELLED;
    pthread_cond_wait(&w->changed, &w->lock);
    return w->stopped ? NRW_E_CANCELLED : NRW_OK;
}

/* For room, an actor or a bench. Under the lock. */
static void wait_room(pq_room *r)
{
    r->waits++;
    pthread_cond_wait(&r->changed, &r->lock);
    r->waits--;
}

static void room_changed(pq_room *r)
{
    if (r->waits)
        pthread_cond_broadcast(&r->changed);
}

nrw_status pq_room_plan(pq_writer *w, uint64_t limit, nrw_error *err)
{
    pq_shares s;
    TRY(pq_shares_plan(w->schema, w->opts, w->workers, limit, &s, err));
    w->own_room.shares = s;
    return NRW_OK;
}

/* ---- idle actors ---- */

static void push_idle(pq_room *r, pq_wactor *a)
{
    a->state = ACTOR_IDLE;
    a->above = NULL;
    a->below = r->idle_top;
    if (r->idle_top)
        r->idle_top->above = a;
    r->idle_top = a;
}

static void remove_idle(pq_room *r, pq_wactor *a)
{
    if (a->above)
        a->above->below = a->below;
    else
        r->idle_top = a->below;
    if (a->below)
        a->below->above = a->above;
}

static pq_wactor *moved(pq_wactor *a, const pq_wactor *old, pq_wactor *new)
{
    return a ? new + (a - old) : NULL;
}

void pq_room_moved(pq_room *r, const pq_wactor *old, pq_wactor *new, uint32_t n)
{
    pthread_mutex_lock(&r->lock);
    r->idle_top = moved(r->idle_top, old, new);
    for (uint32_t i = 0; i < n; i++) {
        if (new[i].state != ACTOR_IDLE)
            continue;
        new[i].above = moved(new[i].above, old, new);
        new[i].below = moved(new[i].below, old, new);
    }
    pthread_mutex_unlock(&r->lock);
}

/* What pages of a writer may take, now that actors hold so much. The reserve keeps pages from being
 * held only to be evicted when the next actor is taken. */
static nrw_status bound_pages(pq_writer *w, nrw_error *err)
{
    pq_room *r = w->room;
    pthread_mutex_lock(&r->lock);
    uint64_t actors = r->resident + r->shares.reserve;
    actors = actors > r->committed ? actors : r->committed;
    pthread_mutex_unlock(&r->lock);
    uint64_t limit = actors < r->shares.pool ? r->shares.pool - actors : 0;
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

static nrw_status pages_follow(pq_writer *w, nrw_error *err)
{
    if (w->room->shared)
        return NRW_OK;
    pthread_mutex_lock(&w->lock);
    nrw_status st = bound_pages(w, err);
    pthread_mutex_unlock(&w->lock);
    return st;
}

static void set_held(pq_room *r, pq_wactor *a, uint64_t held)
{
    r->resident = r->resident - a->held + held;
    a->held = held;
}

static void charge(pq_room *r, pq_wactor *a, uint64_t bytes)
{
    r->committed = r->committed - a->charged + bytes;
    a->charged = bytes;
}

/* Parks the actor used last. Under the lock, which is let go meanwhile. */
static nrw_status park_one(pq_room *r, nrw_error *err)
{
    pq_wactor *a = r->idle_top;
    remove_idle(r, a);
    a->state = ACTOR_PARKING;
    r->parking++;
    pthread_mutex_unlock(&r->lock);
    nrw_status st = pq_column_park(a->writer, r->spill, err);
    pthread_mutex_lock(&r->lock);
    r->parking--;
    if (st < 0) {
        push_idle(r, a);
        room_changed(r);
        return st;
    }
    a->state = ACTOR_PARKED;
    r->parked += a->held;
    bool settle = r->parked >= SETTLE;
    r->parked = settle ? 0 : r->parked;
    set_held(r, a, 0);
    charge(r, a, 0);
    room_changed(r);
    if (settle) {
        pthread_mutex_unlock(&r->lock);
        mem_settle();
        pthread_mutex_lock(&r->lock);
    }
    return NRW_OK;
}

/* Waits until there is room for `bytes` of the column's actor. Under the lock. */
static nrw_status make_room(pq_writer *w, pq_wactor *a, uint64_t bytes, nrw_error *err)
{
    pq_room *r = w->room;
    for (;;) {
        if (w->stopped)
            return NRW_E_CANCELLED;
        if (a->state == ACTOR_PARKING) {
            wait_room(r);
            continue;
        }
        if (r->committed - a->charged + bytes <= r->shares.pool)
            return NRW_OK;
        bool own_top = r->idle_top == a;
        if (own_top) { /* not itself, but the one below */
            remove_idle(r, a);
            a->state = ACTOR_USED;
        }
        bool any = r->idle_top != NULL;
        nrw_status st = any ? park_one(r, err) : NRW_OK;
        if (own_top)
            push_idle(r, a);
        TRY(st);
        if (any)
            continue;
        if (!r->used && !r->parking)
            return NRW_OK; /* nobody to wait for */
        wait_room(r);
    }
}

/* The actor is this thread's from here on. Under the lock. */
static void occupy(pq_room *r, pq_wactor *a, uint64_t bytes)
{
    if (a->state == ACTOR_IDLE)
        remove_idle(r, a);
    a->state = ACTOR_USED;
    charge(r, a, bytes);
    r->used++;
}

/* Undoes occupy. */
static void leave(pq_room *r, pq_wactor *a, pq_actor_state was)
{
    pthread_mutex_lock(&r->lock);
    charge(r, a, a->held);
    r->used--;
    if (was == ACTOR_IDLE)
        push_idle(r, a);
    else
        a->state = was;
    room_changed(r);
    pthread_mutex_unlock(&r->lock);
}

/* Takes the actor, whatever state it is in: *was. */
static nrw_status take_actor(pq_writer *w, pq_wactor *a, uint64_t values, pq_actor_state *was,
                             nrw_error *err)
{
    pq_room *r = w->room;
    pthread_mutex_lock(&r->lock);
    while (a->state == ACTOR_PARKING)
        wait_room(r);
    uint64_t bytes = pq_column_most_after(a->writer, values);
    bytes = bytes < a->most ? bytes : a->most;
    bytes = bytes > a->held ? bytes : a->held;
    nrw_status st = make_room(w, a, bytes, err);
    if (st == NRW_OK) {
        *was = a->state;
        occupy(r, a, bytes);
    }
    pthread_mutex_unlock(&r->lock);
    return st;
}

nrw_status pq_room_take(pq_writer *w, uint32_t leaf, uint64_t values, nrw_error *err)
{
    pq_wactor *a = &w->actor[leaf];
    pq_actor_state was = ACTOR_NONE;
    if (!a->writer)
        TRY(pq_column_writer_new(w->actors, &w->leaves.at[leaf], w->opts, pq_leaf_options(w, leaf),
                                 &a->writer, err));
    TRY(take_actor(w, a, values, &was, err));
    nrw_status st = pages_follow(w, err);
    if (st == NRW_OK && was == ACTOR_PARKED)
        st = pq_column_unpark(a->writer, err);
    if (st < 0)
        leave(w->room, a, was);
    return st;
}

nrw_status pq_room_give(pq_writer *w, uint32_t leaf, nrw_error *err)
{
    pq_wactor *a = &w->actor[leaf];
    pq_room *r = w->room;
    uint64_t held = pq_column_memory(a->writer);
    held += held / 8; /* what the system's allocator loses between small blocks */
    pthread_mutex_lock(&r->lock);
    set_held(r, a, held);
    charge(r, a, held);
    push_idle(r, a);
    r->used--;
    room_changed(r);
    pthread_mutex_unlock(&r->lock);
    return pages_follow(w, err);
}

void pq_room_leave(pq_writer *w)
{
    pq_room *r = w->room;
    pthread_mutex_lock(&r->lock);
    for (uint32_t l = 0; w->actor && l < w->leaves.n; l++) {
        pq_wactor *a = &w->actor[l];
        while (a->state == ACTOR_PARKING)
            wait_room(r);
        if (a->state == ACTOR_IDLE)
            remove_idle(r, a);
        a->state = ACTOR_NONE;
        set_held(r, a, 0);
        charge(r, a, 0);
    }
    room_changed(r);
    pthread_mutex_unlock(&r->lock);
}

/* ---- benches ---- */

static nrw_status take_usual(pq_room *r, pq_bench **out, nrw_error *err)
{
    while (!r->benches && r->n_benches == r->workers)
        wait_room(r);
    if (r->benches) {
        *out = r->benches;
        r->benches = (*out)->next;
        return NRW_OK;
    }
    TRY(pq_bench_new(r->m, r->shares.usual_body, out, err));
    r->n_benches++;
    return NRW_OK;
}

static nrw_status take_big(pq_room *r, pq_bench **out, nrw_error *err)
{
    while (!r->big && r->big_made)
        wait_room(r);
    if (!r->big) {
        TRY(pq_bench_new(r->m, r->shares.big_body, &r->big, err));
        r->big->big = r->big_made = true;
    }
    *out = r->big;
    r->big = NULL;
    return NRW_OK;
}

nrw_status pq_bench_take(pq_room *r, size_t body, pq_bench **out, nrw_error *err)
{
    *out = NULL;
    pthread_mutex_lock(&r->lock);
    nrw_status st = body > r->shares.usual_body ? take_big(r, out, err) : take_usual(r, out, err);
    pthread_mutex_unlock(&r->lock);
    return st;
}

void pq_bench_give(pq_room *r, pq_bench *b)
{
    if (!b)
        return;
    pthread_mutex_lock(&r->lock);
    if (b->big) {
        r->big = b;
    } else {
        b->next = r->benches;
        r->benches = b;
    }
    room_changed(r);
    pthread_mutex_unlock(&r->lock);
}

/* ---- a room of many writers ---- */

static nrw_status room_accounts(pq_room *r, uint64_t memory, uint32_t most, nrw_error *err)
{
    pq_room_shares s;
    TRY(pq_room_shares_plan(r->schema, r->opts, r->workers, memory - r->back, most, &s, err));
    r->shares = s.each;
    r->shares.pool += r->back;
    r->writers = s.writers;
    return mem_child(r->account, "finished pages", s.held, &r->held, err);
}

nrw_status parquet_room_new(mem *m, spill *sp, const schema *s, const pq_write_options *opts,
                            uint32_t workers, uint64_t memory, uint64_t back, uint32_t most,
                            parquet_room **out, nrw_error *err)
{
    mem *account = NULL;
    void *p = NULL;
    *out = NULL;
    TRY(mem_child(m, "writers of partitions", memory, &account, err));
    nrw_status st = mem_zalloc(account, sizeof(pq_room), &p, err);
    if (st < 0) {
        mem_free_account(account);
        return st;
    }
    pq_room *r = p;
    pq_room_init(r, account, sp, workers ? workers : 1);
    r->shared = true;
    r->account = account;
    r->schema = s;
    r->opts = opts;
    r->back = back;
    st = room_accounts(r, memory, most, err);
    if (st < 0)
        parquet_room_close(r);
    else
        *out = r;
    return st;
}

nrw_status parquet_room_shrink(parquet_room *r, nrw_error *err)
{
    nrw_status st = NRW_OK;
    pthread_mutex_lock(&r->lock);
    r->shares.pool -= r->back;
    r->back = 0;
    while (st == NRW_OK && r->committed > r->shares.pool) {
        if (r->idle_top)
            st = park_one(r, err);
        else if (r->used || r->parking)
            wait_room(r);
        else
            break;
    }
    pthread_mutex_unlock(&r->lock);
    return st;
}

uint32_t parquet_room_writers(const parquet_room *r)
{
    return r->writers;
}

void parquet_room_close(parquet_room *r)
{
    if (!r)
        return;
    mem *account = r->account;
    pq_room_release(r);
    mem_free_account(r->held);
    mem_free(account, r, sizeof *r);
    mem_free_account(account);
}
