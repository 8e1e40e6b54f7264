/* How many combinations of values some columns have.
 *
 * No more than the product of what each has, and than there are rows; and no more than where they
 * come from: columns of one side of a join have no more combinations than that side has rows. Keys
 * that a join makes equal count for either side. */
#include "exec/room.h"
#include "sql/estimate.h"

typedef struct counting {
    arena *a;
    bool sure;
} counting;

static uint64_t at_once(const counting *c, const plan_estimate *e, const bool *of)
{
    uint64_t n = 1;

    for (uint32_t i = 0; i < e->of->n; i++)
        if (of[i])
            n = room_mul(n, c->sure ? e->domain[i] : e->distinct[i]);
    return room_at_most(n, c->sure ? e->most : e->rows);
}

static bool none_from(const bool *of, uint32_t from, uint32_t n)
{
    bool any = false;

    for (uint32_t i = from; i < n; i++)
        any |= of[i];
    return !any;
}

static nrw_status count(const counting *c, const plan_estimate *e, const bool *of, uint64_t *out,
                        nrw_error *err);

/* Of columns that are e's and those of `below` alike: the first n. */
static nrw_status count_below(const counting *c, const plan_estimate *e, const plan_estimate *below,
                              uint32_t n, const bool *of, uint64_t *out, nrw_error *err)
{
    bool *same;

    if (!none_from(of, n, e->of->n))
        return NRW_OK;
    TRY(arena_alloc(c->a, below->of->n + 1, (void **)&same, err));
    memcpy(same, of, n < e->of->n ? n : e->of->n);
    return count(c, below, same, out, err);
}

static void see(void *self, uint32_t column)
{
    ((bool *)self)[column] = true;
}

static nrw_status count_computed(const counting *c, const plan_estimate *e, const bool *of,
                                 uint64_t *out, nrw_error *err)
{
    bool *from;

    TRY(arena_alloc(c->a, e->left->of->n + 1, (void **)&from, err));
    for (uint32_t i = 0; i < e->of->n; i++) {
        if (of[i] && e->of->exprs[i]->changes)
            return NRW_OK;
        if (of[i])
            expr_columns(e->of->exprs[i], see, from);
    }
    return count(c, e->left, from, out, err);
}

static nrw_status count_both(const counting *c, const plan_estimate *e, const bool *of,
                             uint64_t *out, nrw_error *err)
{
    uint64_t left, right;

    TRY(count(c, e->left, of, &left, err));
    TRY(count(c, e->right, of, &right, err));
    *out = room_add(left, right);
    return NRW_OK;
}

/* ---- joins ---- */

typedef struct sides {
    bool *left, *right;
} sides;

static nrw_status sides_new(const counting *c, const plan *p, const sides *from, sides *out,
                            nrw_error *err)
{
    TRY(arena_alloc(c->a, p->left->n + 1, (void **)&out->left, err));
    TRY(arena_alloc(c->a, p->right->n + 1, (void **)&out->right, err));
    if (from) {
        memcpy(out->left, from->left, p->left->n);
        memcpy(out->right, from->right, p->right->n);
    }
    return NRW_OK;
}

static uint64_t sides_at_once(const counting *c, const plan_estimate *e, const sides *s)
{
    return room_mul(at_once(c, e->left, s->left), at_once(c, e->right, s->right));
}

/* Keys as those of the other side, where that makes less. */
static nrw_status move_keys(const counting *c, const plan_estimate *e, sides *s, nrw_error *err)
{
    const plan *p = e->of;
    const sides was = *s;

    for (uint32_t way = 0; way < 2; way++) {
        sides moved;
        TRY(sides_new(c, p, &was, &moved, err));
        for (uint32_t k = 0; k < p->n_join_keys; k++) {
            bool *from = way ? &moved.right[p->right_keys[k]] : &moved.left[p->left_keys[k]];
            bool *to = way ? &moved.left[p->left_keys[k]] : &moved.right[p->right_keys[k]];
            *to |= *from;
            *from = false;
        }
        if (sides_at_once(c, e, &moved) < sides_at_once(c, e, s))
            *s = moved;
    }
    return NRW_OK;
}

/* Rows that met nobody are null on the other side. */
static nrw_status count_side(const counting *c, const plan_estimate *e, const bool *of, bool nulls,
                             uint64_t *product, nrw_error *err)
{
    uint64_t n;

    if (none_from(of, 0, e->of->n))
        return NRW_OK;
    TRY(count(c, e, of, &n, err));
    *product = room_mul(*product, room_add(n, nulls));
    return NRW_OK;
}

static nrw_status count_join(const counting *c, const plan_estimate *e, const bool *of,
                             uint64_t *out, nrw_error *err)
{
    const plan *p = e->of;
    const uint32_t n_left = join_only_right(p->join) ? 0 : p->left->n;
    const bool meet = p->join == JOIN_INNER || p->join == JOIN_SEMI || p->join == JOIN_RIGHT_SEMI;
    const bool marks = p->join == JOIN_MARK || p->join == JOIN_RIGHT_MARK;
    sides s;

    if (marks && of[p->n - 1])
        return NRW_OK;
    TRY(sides_new(c, p, NULL, &s, err));
    for (uint32_t i = 0; i < p->n; i++)
        if (of[i] && i < n_left)
            s.left[i] = true;
        else if (of[i])
            s.right[i - n_left] = true;
    if (meet)
        TRY(move_keys(c, e, &s, err));
    *out = 1;
    TRY(count_side(c, e->left, s.left, !meet, out, err));
    return count_side(c, e->right, s.right, !meet, out, err);
}

/* ---- relations ---- */

static nrw_status count_by_kind(const counting *c, const plan_estimate *e, const bool *of,
                                uint64_t *out, nrw_error *err)
{
    switch (e->of->kind) {
    case PLAN_PROJECT: return count_computed(c, e, of, out, err);
    case PLAN_GROUP: return count_below(c, e, e->left, e->of->n_keys, of, out, err);
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_LIMIT:
    case PLAN_FIRST:
    case PLAN_WINDOW: return count_below(c, e, e->left, e->left->of->n, of, out, err);
    case PLAN_UNION: return count_both(c, e, of, out, err);
    case PLAN_JOIN: return count_join(c, e, of, out, err);
    case PLAN_SCAN:
    case PLAN_VALUES:
    case PLAN_RANGE: break;
    }
    return NRW_OK;
}

static nrw_status count(const counting *c, const plan_estimate *e, const bool *of, uint64_t *out,
                        nrw_error *err)
{
    const uint64_t most = at_once(c, e, of);

    *out = most;
    if (most <= 1)
        return NRW_OK;
    TRY(count_by_kind(c, e, of, out, err));
    *out = room_at_most(*out, most);
    return NRW_OK;
}

nrw_status plan_combinations(arena *a, const plan_estimate *e, uint32_t n, bool sure, uint64_t *out,
                             nrw_error *err)
{
    const counting c = {a, sure};
    bool *of;

    TRY(arena_alloc(a, e->of->n + 1, (void **)&of, err));
    memset(of, true, n);
    return count(&c, e, of, out, err);
}
