/* Conditions go down to where rows come from; what compares the two sides of a join becomes its
 * keys. */
#include "sql/bind_own.h"

/* ---- which columns a condition looks at ---- */

typedef struct reach {
    uint32_t from, to; /* columns in [from, to) are inside */
    bool inside, outside;
} reach;

static void see(void *self, uint32_t c)
{
    reach *r = self;

    if (c >= r->from && c < r->to)
        r->inside = true;
    else
        r->outside = true;
}

/* Only columns in [from, to), or none at all. */
static bool within(const expr *e, uint32_t from, uint32_t to)
{
    reach r = {from, to, false, false};

    expr_columns(e, see, &r);
    return !r.outside;
}

static bool looks_at_any(const expr *e)
{
    reach r = {0, UINT32_MAX, false, false};

    expr_columns(e, see, &r);
    return r.inside;
}

static uint32_t shift_down(void *self, uint32_t c)
{
    return c - *(uint32_t *)self;
}

static nrw_status push(arena *a, plan **p, conjuncts *c, nrw_error *err);

/* The conditions left over stand in a filter on top. */
static nrw_status on_top(arena *a, plan **p, const conjuncts *c, nrw_error *err)
{
    const expr *cond = NULL;

    for (uint32_t i = 0; i < c->n; i++)
        TRY(expr_and(a, cond, c->at[i], &cond, err));
    return cond ? plan_filter(a, *p, cond, p, err) : NRW_OK;
}

static nrw_status push_nothing(arena *a, plan *p, nrw_error *err)
{
    conjuncts none = {0};

    if (p->left)
        TRY(push(a, &p->left, &none, err));
    none = (conjuncts){0};
    return p->right ? push(a, &p->right, &none, err) : NRW_OK;
}

static nrw_status push_project(arena *a, plan **p, conjuncts *c, nrw_error *err)
{
    conjuncts down = {0}, stay = {0};

    for (uint32_t i = 0; i < c->n; i++) {
        const expr *e;
        bool changes = false;
        for (uint32_t k = 0; k < (*p)->n; k++)
            changes |= (*p)->exprs[k]->changes;
        if (changes) {
            TRY(conjuncts_split(a, c->at[i], &stay, err));
            continue;
        }
        TRY(expr_replace(a, c->at[i], (*p)->exprs, &e, err));
        TRY(conjuncts_split(a, e, &down, err));
    }
    TRY(push(a, &(*p)->left, &down, err));
    return on_top(a, p, &stay, err);
}

static nrw_status push_group(arena *a, plan **p, conjuncts *c, nrw_error *err)
{
    conjuncts down = {0}, stay = {0};

    for (uint32_t i = 0; i < c->n; i++) {
        bool keys = looks_at_any(c->at[i]) && within(c->at[i], 0, (*p)->n_keys);
        TRY(conjuncts_split(a, c->at[i], keys ? &down : &stay, err));
    }
    TRY(push(a, &(*p)->left, &down, err));
    return on_top(a, p, &stay, err);
}

/* Whether columns x and y of a relation have the same values. */
static bool same_column(const plan *p, uint32_t x, uint32_t y)
{
    return x == y || (p->kind == PLAN_PROJECT && !p->exprs[x]->changes &&
                      expr_equal(p->exprs[x], p->exprs[y]));
}

/* Whether column c is a partition's key of every call: rows of one partition all have it. */
static bool parts_all(const plan *w, uint32_t c)
{
    for (uint32_t i = 0; i < w->n_windows; i++) {
        const window_call *call = &w->windows[i];
        bool found = false;
        for (uint32_t k = 0; k < call->n_partition; k++)
            found |= same_column(w->left, call->partition[k], c);
        if (!found)
            return false;
    }
    return true;
}

typedef struct partitions {
    const plan *window;
    bool others;
} partitions;

static void see_partition(void *self, uint32_t c)
{
    partitions *p = self;

    p->others |= c >= p->window->left->n || !parts_all(p->window, c);
}

/* Of c < 7, c <= 7, c = 7, over column c: the largest number that passes; 0: who knows. */
static uint64_t most_of(const expr *e, uint32_t column)
{
    bool less = expr_is_call(e, "<"), is = expr_is_call(e, "<=") || expr_is_call(e, "=");
    int64_t most;

    if ((!less && !is) || e->args[0]->kind != EXPR_COLUMN || e->args[0]->column != column ||
        !expr_is_constant(e->args[1]) || e->args[1]->type.id != TYPE_INT64 ||
        e->args[1]->constant->null_count)
        return 0;
    memcpy(&most, e->args[1]->constant->data, sizeof most);
    most -= less && most > 0;
    return most > 0 ? (uint64_t)most : 1; /* none passes: one is as good */
}

/* row_number() that only small numbers are asked of. */
static void limit_numbers(plan *p, const conjuncts *c)
{
    window_call *w = &p->windows[0];

    for (uint32_t i = 0; p->n_windows == 1 && w->kind == WINDOW_ROW_NUMBER && i < c->n; i++) {
        uint64_t most = most_of(c->at[i], p->left->n);
        if (most && (!w->most || most < w->most))
            w->most = most;
    }
}

/* What leaves out whole partitions. */
static nrw_status push_window(arena *a, plan **p, conjuncts *c, nrw_error *err)
{
    conjuncts down = {0}, stay = {0};

    for (uint32_t i = 0; i < c->n; i++) {
        partitions keys = {*p, c->at[i]->changes || !looks_at_any(c->at[i])};
        expr_columns(c->at[i], see_partition, &keys);
        TRY(conjuncts_split(a, c->at[i], keys.others ? &stay : &down, err));
    }
    limit_numbers(*p, &stay);
    TRY(push(a, &(*p)->left, &down, err));
    return on_top(a, p, &stay, err);
}

static nrw_status push_union(arena *a, plan **p, conjuncts *c, nrw_error *err)
{
    conjuncts l = {0}, r = {0};

    for (uint32_t i = 0; i < c->n; i++) {
        TRY(conjuncts_split(a, c->at[i], &l, err));
        TRY(conjuncts_split(a, c->at[i], &r, err));
    }
    TRY(push(a, &(*p)->left, &l, err));
    return push(a, &(*p)->right, &r, err);
}

/* ---- joins ---- */

typedef struct join_key {
    const expr *left, *right; /* over their own sides */
    bool null_equal;
} join_key;

/* An equality of the two sides. */
static nrw_status as_key(arena *a, const plan *j, const expr *e, join_key *out, bool *is,
                         nrw_error *err)
{
    uint32_t n = j->left->n, all = n + j->right->n;

    *is = false;
    out->null_equal = expr_is_call(e, "is not distinct from");
    if ((!out->null_equal && !expr_is_call(e, "=")) || e->n_args != 2)
        return NRW_OK;
    for (int turn = 0; turn < 2; turn++) {
        const expr *l = e->args[turn], *r = e->args[1 - turn];
        bool lone = j->join == JOIN_MARK; /* 1 IN (SELECT ..): the left side may be a constant */
        if ((!lone && !looks_at_any(l)) || !looks_at_any(r) || !within(l, 0, n) ||
            !within(r, n, all))
            continue;
        if (type_is_nested(&l->type))
            return NRW_OK;
        out->left = l;
        TRY(expr_renumber(a, r, shift_down, &n, &out->right, err));
        *is = true;
        return NRW_OK;
    }
    return NRW_OK;
}

/* The key columns of one side; expressions are computed behind its columns. */
static nrw_status key_columns(arena *a, plan **side, const join_key *keys, uint32_t n, bool right,
                              uint32_t *out, nrw_error *err)
{
    plan *p = *side;
    const expr **exprs;
    span *names;
    uint32_t all = p->n;

    TRY(arena_alloc(a, (p->n + n) * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(a, (p->n + n) * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < p->n; c++) {
        names[c] = p->columns[c].name;
        TRY(expr_column(a, c, &p->columns[c].type, &exprs[c], err));
    }
    for (uint32_t k = 0; k < n; k++) {
        const expr *e = right ? keys[k].right : keys[k].left;
        if (e->kind == EXPR_COLUMN) {
            out[k] = e->column;
            continue;
        }
        exprs[all] = e;
        out[k] = all++;
    }
    return all == p->n ? NRW_OK : plan_project(a, p, exprs, names, all, side, err);
}

typedef struct renumbering {
    uint32_t n_left, more;
} renumbering;

static uint32_t behind(void *self, uint32_t c)
{
    const renumbering *r = self;

    return c < r->n_left ? c : c + r->more;
}

/* Columns that were computed for keys alone are dropped again. */
static nrw_status drop_keys(arena *a, plan **p, uint32_t n_left, uint32_t n_right, nrw_error *err)
{
    plan *j = *p;
    bool both = j->join != JOIN_SEMI && j->join != JOIN_ANTI && j->join != JOIN_MARK;
    uint32_t n = n_left + (both ? n_right : j->join == JOIN_MARK);
    const expr **exprs;
    span *names;

    if (j->n == n)
        return NRW_OK;
    TRY(arena_alloc(a, n * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(a, n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < n; c++) {
        uint32_t from = c < n_left ? c : j->left->n + (c - n_left);
        names[c] = j->columns[from].name;
        TRY(expr_column(a, from, &j->columns[from].type, &exprs[c], err));
    }
    return plan_project(a, j, exprs, names, n, p, err);
}

/* Conditions of the join itself become keys where they can. */
static nrw_status settle_join(arena *a, plan **p, const conjuncts *on, nrw_error *err)
{
    plan *j = *p, *made;
    uint32_t n_left = j->left->n, n_right = j->right->n, n = 0, n_old = j->n_join_keys;
    uint32_t *left, *right;
    join_key *keys;
    bool *null_equal;
    const expr *rest = NULL;
    renumbering r = {n_left, 0};

    TRY(arena_alloc(a, (on->n + 1) * sizeof *keys, (void **)&keys, err));
    for (uint32_t i = 0; i < on->n; i++) {
        bool is;
        TRY(as_key(a, j, on->at[i], &keys[n], &is, err));
        if (is)
            n++;
        else
            TRY(expr_and(a, rest, on->at[i], &rest, err));
    }
    TRY(arena_alloc(a, (n + n_old) * sizeof *left + 1, (void **)&left, err));
    TRY(arena_alloc(a, (n + n_old) * sizeof *right + 1, (void **)&right, err));
    TRY(arena_alloc(a, (n + n_old) * sizeof *null_equal + 1, (void **)&null_equal, err));
    for (uint32_t k = 0; k < n_old; k++) {
        left[k] = j->left_keys[k];
        right[k] = j->right_keys[k];
        null_equal[k] = j->null_equal[k];
    }
    for (uint32_t k = 0; k < n; k++)
        null_equal[n_old + k] = keys[k].null_equal;
    TRY(key_columns(a, &j->left, keys, n, false, left + n_old, err));
    TRY(key_columns(a, &j->right, keys, n, true, right + n_old, err));
    r.more = j->left->n - n_left;
    if (rest && r.more)
        TRY(expr_renumber(a, rest, behind, &r, &rest, err));
    TRY(plan_join(a, j->join, j->left, j->right, rest, &made, err));
    made->n_join_keys = n + n_old;
    made->left_keys = left;
    made->right_keys = right;
    made->null_equal = null_equal;
    made->in_nulls = j->in_nulls;
    *p = made;
    return drop_keys(a, p, n_left, n_right, err);
}

/* A mark that is asked for as a condition of its own is a semi join, or, denied, an anti join;
 * the mark's column is there still. */
static nrw_status unmark(arena *a, plan **p, conjuncts *c, nrw_error *err)
{
    plan *j = *p, *made;
    uint32_t mark = j->left->n;
    const expr **exprs;
    span *names;

    for (uint32_t i = 0; i < c->n; i++) {
        const expr *e = c->at[i];
        bool denied = expr_is_call(e, "not") && e->args[0]->kind == EXPR_COLUMN &&
                      e->args[0]->column == mark && !j->in_nulls;
        bool asked = e->kind == EXPR_COLUMN && e->column == mark;
        if (!denied && !asked)
            continue;
        c->at[i] = c->at[--c->n];
        TRY(plan_join(a, asked ? JOIN_SEMI : JOIN_ANTI, j->left, j->right, j->condition, &made,
                      err));
        TRY(arena_alloc(a, (mark + 1) * sizeof *exprs, (void **)&exprs, err));
        TRY(arena_alloc(a, (mark + 1) * sizeof *names, (void **)&names, err));
        for (uint32_t k = 0; k < mark; k++) {
            names[k] = made->columns[k].name;
            TRY(expr_column(a, k, &made->columns[k].type, &exprs[k], err));
        }
        names[mark] = (span){0};
        TRY(expr_bool(a, asked, &exprs[mark], err));
        return plan_project(a, made, exprs, names, mark + 1, p, err);
    }
    return NRW_OK;
}

static nrw_status push_join(arena *a, plan **p, conjuncts *c, nrw_error *err)
{
    plan *j = *p;
    join_kind kind = j->join;
    uint32_t n = j->left->n, all = n + j->right->n;
    bool to_left = kind != JOIN_RIGHT && kind != JOIN_FULL;
    bool to_right = kind == JOIN_INNER || kind == JOIN_RIGHT;
    conjuncts own = {0}, on = {0}, l = {0}, r = {0}, stay = {0};

    if (j->condition)
        TRY(conjuncts_split(a, j->condition, &own, err));
    for (uint32_t i = 0; i < own.n; i++) { /* of ON */
        const expr *e = own.at[i];
        bool right_rows = kind != JOIN_RIGHT && kind != JOIN_FULL && !j->in_nulls;
        if (looks_at_any(e) && within(e, n, all) && right_rows) {
            TRY(expr_renumber(a, e, shift_down, &n, &e, err));
            TRY(conjuncts_split(a, e, &r, err));
        } else if (looks_at_any(e) && within(e, 0, n) &&
                   (kind == JOIN_INNER || kind == JOIN_SEMI || kind == JOIN_RIGHT)) {
            TRY(conjuncts_split(a, e, &l, err));
        } else {
            TRY(conjuncts_split(a, e, &on, err));
        }
    }
    for (uint32_t i = 0; i < c->n; i++) { /* from above */
        const expr *e = c->at[i];
        if (within(e, 0, n) && to_left) {
            TRY(conjuncts_split(a, e, &l, err));
        } else if (to_right && looks_at_any(e) && within(e, n, all)) {
            TRY(expr_renumber(a, e, shift_down, &n, &e, err));
            TRY(conjuncts_split(a, e, &r, err));
        } else {
            TRY(conjuncts_split(a, e, kind == JOIN_INNER ? &on : &stay, err));
        }
    }
    TRY(push(a, &j->left, &l, err));
    TRY(push(a, &j->right, &r, err));
    TRY(settle_join(a, p, &on, err));
    return on_top(a, p, &stay, err);
}

static nrw_status push_into_join(arena *a, plan **p, conjuncts *c, nrw_error *err)
{
    bool ordered = (*p)->ordered;

    if (!ordered)
        TRY(plan_order_joins(a, p, c, &ordered, err));
    if ((*p)->kind == PLAN_PROJECT)
        return push_project(a, p, c, err);
    if ((*p)->join == JOIN_MARK) {
        TRY(unmark(a, p, c, err));
        if ((*p)->kind == PLAN_PROJECT)
            return push_project(a, p, c, err);
    }
    return push_join(a, p, c, err);
}

/* ---- all kinds ---- */

static nrw_status push_scan(arena *a, plan *p, const conjuncts *c, nrw_error *err)
{
    TRY(arena_alloc(a, c->n * sizeof *p->pushed + 1, (void **)&p->pushed, err));
    for (uint32_t i = 0; i < c->n; i++)
        p->pushed[i] = c->at[i];
    p->n_pushed = c->n;
    return NRW_OK;
}

static nrw_status push(arena *a, plan **p, conjuncts *c, nrw_error *err)
{
    switch ((*p)->kind) {
    case PLAN_FILTER:
        TRY(conjuncts_split(a, (*p)->exprs[0], c, err));
        *p = (*p)->left;
        return push(a, p, c, err);
    case PLAN_PROJECT: return push_project(a, p, c, err);
    case PLAN_GROUP: return push_group(a, p, c, err);
    case PLAN_WINDOW: return push_window(a, p, c, err);
    case PLAN_UNION: return push_union(a, p, c, err);
    case PLAN_JOIN: return push_into_join(a, p, c, err);
    case PLAN_SCAN: return push_scan(a, *p, c, err);
    case PLAN_SORT:
        if ((*p)->limit == UINT64_MAX)
            return push(a, &(*p)->left, c, err);
        break;
    default: break;
    }
    TRY(push_nothing(a, *p, err));
    return on_top(a, p, c, err);
}

nrw_status plan_push_down(arena *a, plan **p, nrw_error *err)
{
    conjuncts none = {0};

    return push(a, p, &none, err);
}
