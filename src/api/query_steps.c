/* What a step that gathers rows needs, wishes for and spills, by what is known of its rows. */
#include "api/query_own.h"

#include "exec/hash_rows.h"
#include "exec/op_first.h"
#include "exec/op_group.h"
#include "exec/op_window.h"
#include "exec/rows_pack.h"
#include "exec/sort_key.h"
#include "exec/window.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

static uint64_t orders_width(const plan_estimate *e, const sort_order *orders, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum = room_add(sum, room_add(2, e->width[orders[i].column]));
    return sum;
}

/* Bits of a sort's key in the spill file: a mark and a value each. Where all are words of 8 bytes
 * each of them stays by itself. */
static uint64_t orders_bits(const plan_estimate *e, const sort_order *orders, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        const type *t = &e->of->columns[orders[i].column].type;
        if (type_is_view(t) || t->width != 8)
            return room_mul(8, orders_width(e, orders, n));
        sum = room_add(sum, room_add(8, e->packed[orders[i].column]));
    }
    return sum;
}

/* Columns that the spill file need not have, since a sort's key tells them. */
typedef struct told {
    const plan_estimate *e;
    uint32_t n, column[PACK_PARTS];
    bool ends;
    uint64_t packed; /* bits that they would take */
} told;

static void told_add(told *t, uint32_t column)
{
    const type *of = &t->e->of->columns[column].type;
    bool again = false;

    t->ends |= t->n == PACK_PARTS || !sort_key_reads(of);
    if (t->ends)
        return;
    for (uint32_t i = 0; i < t->n; i++)
        again |= t->column[i] == column;
    t->column[t->n++] = column;
    if (!again && sort_key_tells_all(of))
        t->packed = room_add(t->packed, t->e->packed[column]);
}

uint64_t step_count(const plan_estimate *e, uint64_t times)
{
    if (times == SURELY) /* whatever conditions leave */
        return room_at_most(room_mul(e->whole, times), e->most);
    return times == FEW ? e->few : room_at_most(room_mul(e->rows, times), e->most);
}

room_rows step_rows(const plan_estimate *e, uint64_t times, uint64_t keys)
{
    return (room_rows){.n = step_count(e, times),
                       .width = plan_row_width(e),
                       .keys = keys,
                       .packed = plan_row_packed(e)};
}

/* What the spill file has of a state: values that lie beside it (agg_value.h), with their heads. */
static uint64_t saved_bytes(const plan_estimate *e, const aggregate *g)
{
    uint64_t bytes = 16;

    if (!g->class->save || aggregate_gathers(g))
        return 0;
    for (uint32_t i = 0; i < g->n_args; i++)
        bytes = room_add(bytes, room_add(16, plan_expr_width(e, g->args[i])));
    return bytes;
}

static room_groups groups_of(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    const plan *p = e->of;
    room_groups g = {.rows =
                         step_rows(e->left, times, plan_columns_width(e->left, NULL, p->n_keys)),
                     .groups = step_count(e, times),
                     .shared = p->n_keys && !p->marks};

    if (p->marks) { /* those between two marks are kept, by one worker maybe */
        g.rows.n = room_at_most(g.rows.n, workers * (uint64_t)p->marks->most);
        g.groups = room_at_most(g.groups, (uint64_t)p->marks->most);
    }
    for (uint32_t i = 0; i < p->n_aggregates; i++) {
        const aggregate *a = &p->aggregates[i];
        g.state += aggregate_room(a);
        g.hang += aggregate_gathers(a) ? GROUP_HANG : 0;
        g.saved = room_add(g.saved, saved_bytes(e->left, a));
        g.shared &= !a->class->drop && a->class->traits & AGG_UNPLACED;
    }
    return g;
}

/* What a join is about. */
typedef struct join_rooms {
    room_rows left, right, results;
} join_rooms;

/* Whether the join's sides are hashed by columns that the spill file has anyway (hash_rows.h). */
static bool hashes_follow(const plan *p)
{
    for (uint32_t k = 0; k < p->n_join_keys; k++) {
        const type *t = &p->right->columns[p->right_keys[k]].type;
        if (type_is_view(t) || type_is_nested(t) || !key_is_canonical(t))
            return false;
    }
    return p->n_join_keys > 0;
}

static bool results_are_of_one(join_kind k)
{
    return k == JOIN_SEMI || k == JOIN_ANTI || k == JOIN_MARK || k == JOIN_RIGHT_SEMI ||
           k == JOIN_RIGHT_ANTI || k == JOIN_RIGHT_MARK;
}

/* Keys whose values have several spellings are kept in one beside the columns (op_build.c). */
static join_rooms join_of(const plan_estimate *e, uint64_t times, uint64_t results)
{
    const plan *p = e->of;
    join_rooms j = {step_rows(e->left, times, 0), step_rows(e->right, times, 0),
                    step_rows(e, results, 0)};

    for (uint32_t k = 0; k < p->n_join_keys; k++)
        if (!key_is_canonical(&e->right->of->columns[p->right_keys[k]].type))
            j.right.keys = room_add(j.right.keys, e->right->width[p->right_keys[k]]);
    j.right.packed_keys = j.right.keys;
    j.left.told = j.right.told = hashes_follow(p);
    j.results.of_one = results_are_of_one(p->join);
    return j;
}

static budget join_need(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    join_rooms j = join_of(e, times, times);

    return room_of_join(&j.left, &j.right, &j.results, workers);
}

static uint64_t columns_bits(const plan_estimate *e, const uint32_t *columns, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum = room_add(sum, orders_bits(e, &(sort_order){.column = columns[i]}, 1));
    return sum;
}

static uint64_t less(uint64_t bits, uint64_t told)
{
    return bytes_of_bits(bits > told && bits < UINT64_MAX ? bits - told : bits);
}

/* Beside the columns. */
static uint64_t window_keys_packed(const plan_estimate *e, const window_call *w)
{
    told t = {.e = e};

    for (uint32_t i = 0; i < w->n_partition; i++)
        told_add(&t, w->partition[i]);
    for (uint32_t i = 0; i < w->n_orders; i++)
        told_add(&t, w->orders[i].column);
    return less(room_add(orders_bits(e, w->orders, w->n_orders),
                         columns_bits(e, w->partition, w->n_partition)),
                t.packed);
}

static room_window window_of(const plan_estimate *e, uint64_t times)
{
    const plan *p = e->of;
    room_window x = {.rows = step_rows(e->left, times, 0),
                     .runs_on = true,
                     .stops_anywhere = true,
                     .gathers = window_gathers(p->windows, p->n_windows)};
    room_rows *r = &x.rows;

    r->width = plan_row_width(e); /* the next set of calls has the columns of those before */
    if (plan_gatherers(p) > 1)
        r->packed = plan_row_packed(e);
    for (uint32_t i = 0; i < p->n_windows; i++) {
        const window_call *w = &p->windows[i];
        uint64_t keys = room_add(plan_columns_width(e->left, w->partition, w->n_partition),
                                 orders_width(e->left, w->orders, w->n_orders));
        r->keys = room_at_least(r->keys, keys);
        r->packed_keys = room_at_least(r->packed_keys, window_keys_packed(e->left, w));
        x.runs_on &= window_runs_on(w);
        x.stops_anywhere &= window_stops_anywhere(w);
    }
    return x;
}

static budget window_need(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    room_window w = window_of(e, times);

    return room_of_window(&w, workers);
}

/* Rows that wait, sorted by their group. */
static room_rows first_rows(const plan_estimate *e, uint64_t times)
{
    const plan *p = e->of;
    room_rows r = step_rows(e->left, times, plan_columns_width(e->left, p->per, p->n_per));

    r.keys = room_add(r.keys, plan_columns_width(e->left, p->of, p->n_of));
    r.packed_keys = bytes_of_bits(
        room_add(columns_bits(e->left, p->per, p->n_per), columns_bits(e->left, p->of, p->n_of)));
    return r;
}

static bool any_text(const plan *p, const uint32_t *columns, uint32_t n)
{
    bool any = false;

    for (uint32_t i = 0; i < n; i++)
        any |= type_is_view(&p->left->columns[columns[i]].type);
    return any;
}

/* The state of the groups there may be, with codes of dictionaries. Of texts nobody knows the
 * length: UINT64_MAX. */
static uint64_t first_state(const plan_estimate *e, uint64_t times, bool surely)
{
    const plan *p = e->of;
    const uint64_t key = 24, *values = surely ? e->left->domain : e->left->distinct;
    uint64_t rows = step_count(e->left, times), groups = 1;

    if (surely && (any_text(p, p->per, p->n_per) || any_text(p, p->of, p->n_of)))
        return UINT64_MAX;
    for (uint32_t i = 0; i < p->n_per; i++)
        groups = room_mul(groups, values[p->per[i]]);
    groups = room_at_most(groups, rows);
    groups =
        op_first_memory(groups, (uint32_t)p->limit, room_at_most(room_mul(groups, p->limit), rows),
                        key * room_at_least(room_at_least(p->n_per, p->n_of), 1));
    return room_add(groups, 2 * MIB + 256 * KIB);
}

static budget first_need(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    const room_rows r = first_rows(e, times);
    const uint64_t late = op_first_late(&r, workers), state = first_state(e, times, false);
    budget b = {.least = room_add(room_at_most(state, MIB), late), .wish = state};

    if (first_state(e, times, true) == UINT64_MAX)
        b.wish = room_add(state, late);
    b.least = room_at_most(b.least, b.wish);
    return b;
}

uint64_t step_late(const plan_estimate *e, uint64_t grant, uint32_t workers)
{
    const room_rows r = first_rows(e, EVERY);

    if (first_state(e, EVERY, true) <= grant)
        return 0;
    return op_first_late_share(grant, first_state(e, EVERY, false), op_first_late(&r, workers));
}

static room_rows sorted_rows(const plan_estimate *e, uint64_t times)
{
    const plan *p = e->of;
    room_rows r = step_rows(e->left, times, orders_width(e->left, p->orders, p->n_orders));
    told t = {.e = e->left};

    for (uint32_t i = 0; i < p->n_orders; i++)
        told_add(&t, p->orders[i].column);
    r.packed_keys = less(orders_bits(e->left, p->orders, p->n_orders), t.packed);
    return r;
}

budget step_need(const plan_estimate *e, uint64_t times, uint32_t workers)
{
    const plan *p = e->of;
    room_groups g;
    room_rows r;

    switch (p->kind) {
    case PLAN_GROUP: g = groups_of(e, times, workers); return room_of_group(&g, workers);
    case PLAN_JOIN: return join_need(e, times, workers);
    case PLAN_WINDOW: return window_need(e, times, workers);
    case PLAN_FIRST: return first_need(e, times, workers);
    default: break;
    }
    r = sorted_rows(e, times);
    return room_of_sort(&r, p->limit, workers);
}

bool step_must_fit(const plan *p)
{
    bool gathers = p->kind == PLAN_WINDOW && window_gathers(p->windows, p->n_windows);

    for (uint32_t i = 0; p->kind == PLAN_WINDOW && i < p->n_windows; i++)
        gathers |= !window_runs_on(&p->windows[i]);
    for (uint32_t i = 0; p->kind == PLAN_GROUP && i < p->n_aggregates; i++)
        gathers |= aggregate_gathers(&p->aggregates[i]);
    return gathers;
}

/* Whether nothing spills, whatever comes. */
static bool fits(const query_part *part, uint32_t workers)
{
    const plan_estimate *e = part->step;
    const plan *p = e->of;
    const uint64_t grant = part->grant / part->n;
    room_groups g;
    room_window w;
    room_rows r;

    if (p->kind == PLAN_FIRST)
        return step_late(e, grant, workers) == 0;
    if (part->grant < part->certain || part->certain == UINT64_MAX)
        return false;
    switch (p->kind) {
    case PLAN_GROUP:
        g = groups_of(e, EVERY, workers);
        return p->marks || room_group_fits(&g, grant, workers);
    case PLAN_SORT: r = sorted_rows(e, EVERY); return room_sort_fits(&r, p->limit, grant, workers);
    case PLAN_WINDOW: w = window_of(e, EVERY); return room_window_fits(&w, grant, workers);
    default: return true;
    }
}

uint64_t step_spill(const query_part *part, uint64_t times, uint32_t workers)
{
    const plan_estimate *e = part->step;
    const uint64_t grant = part->grant / part->n;
    room_rows r;
    join_rooms j;
    room_window w;

    if (fits(part, workers))
        return 0;
    switch (e->of->kind) {
    case PLAN_GROUP:
        return room_mul(part->n, room_group_spill(part->need.spill / part->n, grant, workers));
    case PLAN_SORT: r = sorted_rows(e, EVERY); return room_sort_spill(&r, grant, workers);
    case PLAN_WINDOW:
        w = window_of(e, EVERY);
        return room_mul(part->n, room_window_spill(&w, grant, workers));
    case PLAN_JOIN:
        j = join_of(e, EVERY, times);
        return room_join_spill(&j.left, &j.right, &j.results, grant, workers);
    case PLAN_FIRST:
        r = first_rows(e, EVERY);
        return op_first_spill(&r, (uint32_t)e->of->limit, grant, step_late(e, grant, workers),
                              workers);
    default: return part->need.spill;
    }
}
