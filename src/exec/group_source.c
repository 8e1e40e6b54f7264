/* Groups leave, part by part. Where no group is left to carry, a worker puts the next part together
 * in a seat that is free, while others do so with the parts behind it; then all of them carry
 * stretches of its table, in order, each a morsel. So there are as many parts in memory as workers,
 * at most, and nobody waits for a part before to leave but for the last stretches of it. */
#include "exec/group_own.h"

#include "exec/dense.h"

/* ---- parts come to seats; the operator's lock is held ---- */

/* Parts are put together from the first on: the least that is has the groups that leave next, if it
 * is so far. */
static group_worker *front_of(op_group *o)
{
    group_worker *front = NULL;

    for (uint32_t i = 0; i < o->spec.workers; i++) {
        group_worker *w = &o->workers[i];
        if ((w->seat.state == SEAT_LOADS || w->seat.state == SEAT_LEAVES) &&
            (!front || w->seat.first < front->seat.first))
            front = w;
    }
    return front && front->seat.state == SEAT_LEAVES ? front : NULL;
}

/* A morsel for w. */
static bool hand_out(op_group *o, group_worker *w)
{
    group_worker *from = front_of(o);

    if (!from)
        return false;
    w->from = from;
    w->at = from->seat.next;
    w->end = from->seat.next += from->seat.step;
    if (w->end >= group_table_end(from->walked)) {
        w->end = group_table_end(from->walked);
        from->seat.state = SEAT_GIVEN;
    }
    from->seat.users++;
    return true;
}

/* The next part, with a seat that is free; NULL: there is none. What lies behind a part that is
 * being cut is not put together before it, or it would keep its seat until all of that one has
 * left. A wide one has all the memory, alone. */
static group_worker *take_part(op_group *o, group_part *part)
{
    group_worker *free = NULL;
    uint32_t taken = 0;
    bool cut, wide;

    if (o->todo.n == 0)
        return NULL;
    *part = o->todo.at[o->todo.n - 1];
    cut = group_is_cut(o, part);
    wide = group_is_wide(o, part);
    for (uint32_t i = 0; i < o->spec.workers; i++) {
        group_worker *w = &o->workers[i];
        if (w->seat.state == SEAT_FREE)
            free = w;
        else if (w->seat.wide ||
                 (!cut && w->seat.state == SEAT_CUTS && w->seat.first < part->first))
            return NULL;
        else
            taken++;
    }
    if (!free || (wide && taken))
        return NULL;
    o->todo.n--;
    free->seat =
        (group_seat){.state = cut ? SEAT_CUTS : SEAT_LOADS, .wide = wide, .first = part->first};
    return free;
}

/* Whether all groups were given to morsels. */
static bool is_over(const op_group *o)
{
    bool over = o->todo.n == 0;

    for (uint32_t i = 0; i < o->spec.workers; i++)
        over &= o->workers[i].seat.state == SEAT_FREE || o->workers[i].seat.state == SEAT_GIVEN;
    return over;
}

/* ---- what is done without the lock ---- */

static nrw_status cut(op_group *o, group_worker *seat, group_part *part, nrw_error *err)
{
    group_part out[GROUP_CUT];
    uint32_t n;
    nrw_status st;

    TRY(group_cut(o, seat, part, out, &n, err));
    pthread_mutex_lock(&o->lock);
    st = group_todo_add(o, &o->todo, out, n, err);
    if (st >= 0)
        seat->seat.state = SEAT_FREE;
    pthread_mutex_unlock(&o->lock);
    return st;
}

/* Bytes of the rows of a batch, at most: they are looked at once for each column. */
#define NEAR ((uint64_t)256 << 10)

/* How many groups leave in a batch: fewer where rows are long, by the first ones. */
static uint32_t batch_groups(const op_group *o, const group_table *t)
{
    uint64_t at = 0, bytes = 0, n, fit, most = o->hang ? GROUP_LEAVE : GROUP_MORSEL;
    uint8_t *row;

    for (n = 0; n < 64 && group_table_next(t, &at, &row); n++)
        bytes += row_bytes(row);
    fit = n ? size_min(2 * o->spec.held, NEAR) * n / bytes : most;
    return (uint32_t)(fit < 16 ? 16 : fit < most ? fit : most);
}

static nrw_status load(op_group *o, group_worker *seat, group_part *part, nrw_error *err)
{
    const group_table *t;
    uint64_t morsels;

    TRY(o->merges ? group_merge_tables(o, seat, part, err)
                  : group_put_together(o, seat, part, err));
    t = seat->walked;
    /* of a kept part one group after the other, by one worker */
    seat->seat.most = seat->kept.bytes ? 1 : batch_groups(o, t);
    /* an eighth less, as hashes fall unevenly: mostly a morsel is one batch */
    morsels = seat->kept.bytes ? 1 : t->n / (seat->seat.most - seat->seat.most / 8) + 1;
    seat->seat.step = group_table_end(t) / morsels + 1;
    if (t->n == 0)
        group_walked_free(o, seat);
    pthread_mutex_lock(&o->lock);
    seat->seat.state = seat->walked ? SEAT_LEAVES : SEAT_FREE;
    pthread_mutex_unlock(&o->lock);
    return NRW_OK;
}

static nrw_status prepare(op_group *o, group_worker *seat, group_part *part, nrw_error *err)
{
    nrw_status st =
        seat->seat.state == SEAT_CUTS ? cut(o, seat, part, err) : load(o, seat, part, err);

    pthread_cond_broadcast(&o->changed);
    return st;
}

/* ---- the source ---- */

static nrw_status source_next(source *s, batch *b, nrw_error *err)
{
    op_group *o = group_of(s);
    group_worker *seat;
    group_part part;
    nrw_status st = NRW_OK;

    pthread_mutex_lock(&o->lock);
    while (st >= 0 && !hand_out(o, &o->workers[b->worker])) {
        seat = take_part(o, &part);
        if (o->stopped) {
            st = NRW_E_CANCELLED;
        } else if (seat) {
            pthread_mutex_unlock(&o->lock);
            st = prepare(o, seat, &part, err);
            pthread_mutex_lock(&o->lock);
        } else if (is_over(o)) {
            st = NRW_END;
            break;
        } else {
            pthread_cond_wait(&o->changed, &o->lock);
        }
    }
    if (st == NRW_OK)
        b->morsel = o->morsels++;
    pthread_mutex_unlock(&o->lock);
    return st;
}

static void source_stop(source *s)
{
    op_group *o = group_of(s);

    pthread_mutex_lock(&o->lock);
    o->stopped = true;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

/* A morsel of its seat has all it needs. */
static void leave_seat(op_group *o, group_worker *from)
{
    bool last;

    pthread_mutex_lock(&o->lock);
    last = --from->seat.users == 0 && from->seat.state == SEAT_GIVEN;
    pthread_mutex_unlock(&o->lock);
    if (!last)
        return;
    group_walked_free(o, from);
    pthread_mutex_lock(&o->lock);
    from->seat.state = SEAT_FREE;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

uint64_t group_bulk(const op_group *o, uint8_t *row)
{
    const group_shape *s = &o->shape;
    uint64_t bytes = 0;

    for (uint32_t i = 0; s->drops && i < s->n_aggregates; i++)
        if (s->aggregates[i].class->bulk)
            bytes += s->aggregates[i].class->bulk(&s->aggregates[i], row + s->states[i]);
    return bytes;
}

static nrw_status results(op_group *o, group_worker *w, uint32_t k, uint8_t **rows, uint32_t n,
                          mem *m, vector *out, nrw_error *err)
{
    const aggregate *g = &o->spec.aggregates[k];
    nrw_status st;

    if (w && w->kept.bytes && g->class->finish_saved)
        return group_finish_kept(o, w, k, rows[0], m, out, err);
    group_shift(rows, n, o->results[k]);
    st = aggregate_finish(g, rows, n, m, out, err);
    group_shift(rows, n, -(ptrdiff_t)o->results[k]);
    return st;
}

nrw_status group_leave(op_group *o, group_worker *w, batch *b, uint8_t **rows, uint32_t n,
                       nrw_error *err)
{
    vector v;

    b->rows = n;
    for (uint32_t c = 0; c < o->spec.n_keys; c++) {
        TRY(rows_column(&o->shape.layout, (const uint8_t *const *)rows, n, c, b->m, &v, err));
        TRY(dense_put(b, c, &v, err));
    }
    for (uint32_t k = 0; k < o->spec.n_aggregates; k++) {
        TRY(results(o, w, k, rows, n, b->m, &v, err));
        TRY(dense_put(b, o->spec.n_keys + k, &v, err));
    }
    return NRW_OK;
}

static nrw_status source_fill(source *s, batch *b, nrw_error *err)
{
    op_group *o = group_of(s);
    group_worker *w = &o->workers[b->worker], *from = w->from;
    const size_t bytes = from->seat.most * sizeof(uint8_t *);
    uint8_t **rows;
    uint64_t bulk = 0;
    uint32_t n = 0;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(b->m, bytes, (void **)&rows, err));
    b->last = false;
    while (n < from->seat.most && bulk < GROUP_BULK && !b->last) {
        b->last = !group_table_next_to(from->walked, &w->at, w->end, &rows[n]);
        if (!b->last)
            bulk += group_bulk(o, rows[n++]);
    }
    if (n)
        st = group_leave(o, from, b, rows, n, err);
    mem_free(b->m, rows, bytes);
    if (st >= 0 && b->last)
        leave_seat(o, from);
    return st;
}

const source_class group_source_class = {.name = "group",
                                         .next = source_next,
                                         .fill = source_fill,
                                         .stop = source_stop,
                                         .prepares = true};
