#include "sql/estimate.h"

#include "exec/room.h"
#include "exec/rows_pack.h"

#define TEXT   24u /* bytes of a text nobody knows more of */
#define NESTED 256u
#define PICKED 16u
#define ALIKE  8u /* rows of a group, if groups are few */
#define UNEVEN 4u /* times as many days, of which some are missing */

/* A value in a row: texts have their place and length beside them. */
static uint64_t type_width(const type *t, uint64_t text)
{
    if (type_is_nested(t))
        return NESTED;
    return type_is_view(t) ? room_add(8, text) : t->width;
}

uint64_t plan_columns_width(const plan_estimate *e, const uint32_t *columns, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum = room_add(sum, e->width[columns ? columns[i] : i]);
    return sum;
}

uint64_t plan_row_width(const plan_estimate *e)
{
    return plan_columns_width(e, NULL, e->of->n);
}

uint64_t plan_row_packed(const plan_estimate *e)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < e->of->n; i++)
        sum = room_add(sum, e->packed[i]);
    return bytes_of_bits(sum);
}

/* Bits of a value in the spill file of which nothing but its width is known: of a text its length
 * takes less there. */
static uint64_t packed_of(const type *t, uint64_t width)
{
    return room_mul(8, type_is_view(t) && width != UNKNOWN ? width - 5 : width);
}

/* ---- expressions ---- */

/* Texts are as long as all that goes in. */
uint64_t plan_expr_width(const plan_estimate *in, const expr *e)
{
    uint64_t text = 0;

    if (e->kind == EXPR_COLUMN)
        return in->width[e->column];
    if (!type_is_view(&e->type))
        return type_width(&e->type, TEXT);
    if (e->kind == EXPR_CONSTANT)
        return type_width(&e->type, e->constant->null_count ? 0 : flat_span(e->constant, 0).len);
    if (expr_grows(e))
        return UNKNOWN;
    for (uint32_t i = 0; i < e->n_args; i++)
        text = room_add(text, plan_expr_width(in, e->args[i]));
    return type_width(&e->type, text > TEXT ? text : TEXT);
}

/* Whole numbers inside, of which one is as many units as the other. */
static bool are_alike(const type *x, const type *y)
{
    if (x->id == TYPE_DECIMAL || y->id == TYPE_DECIMAL)
        return x->id == y->id && x->scale == y->scale;
    return x->id >= TYPE_INT8 && x->id <= TYPE_UINT128 && y->id >= TYPE_INT8 &&
           y->id <= TYPE_UINT128;
}

const expr *plan_same_number(const expr *e)
{
    return expr_is_cast(e) && are_alike(&e->type, &e->args[0]->type) ? e->args[0] : e;
}

/* How many whole numbers there are between its bounds. */
static uint64_t numbers_in(const value_bounds *b)
{
    return b->known ? room_add((uint64_t)b->greatest - (uint64_t)b->least, 1) : UNKNOWN;
}

/* Of computed values, and of null. */
static uint64_t expr_domain(const plan_estimate *in, const expr *e)
{
    uint32_t values, days;

    if (e->kind == EXPR_COLUMN)
        return in->domain[e->column];
    if (e->kind == EXPR_CONSTANT)
        return 1;
    if (expr_date_part(e, &values, &days) && values)
        return values + 1;
    if (days && e->args[0]->kind == EXPR_COLUMN) /* the first and the last one, and null */
        return room_add(numbers_in(&in->bounds[e->args[0]->column]) / days, 3);
    return e->type.id == TYPE_BOOL ? 3 : UNKNOWN;
}

static uint64_t expr_distinct(const plan_estimate *in, const expr *e)
{
    uint64_t most = expr_domain(in, e), of;
    uint32_t values, days;

    if (e->kind == EXPR_COLUMN)
        return in->distinct[e->column];
    if (!expr_date_part(e, &values, &days) || e->args[0]->kind != EXPR_COLUMN)
        return most;
    of = in->distinct[e->args[0]->column];
    if (of != UNKNOWN && days)
        of = room_at_most(of, of / (days / UNEVEN + 1) + 2);
    return room_at_most(of, most);
}

/* ---- relations ---- */

static void take_columns(plan_estimate *e, uint32_t at, const plan_estimate *from, uint32_t n)
{
    for (uint32_t c = 0; c < n; c++) {
        e->width[at + c] = from->width[c];
        e->distinct[at + c] = from->distinct[c];
        e->domain[at + c] = from->domain[c];
        e->bounds[at + c] = from->bounds[c];
        e->packed[at + c] = from->packed[c];
    }
}

static void of_types(plan_estimate *e)
{
    for (uint32_t c = 0; c < e->of->n; c++) {
        e->width[c] = type_width(&e->of->columns[c].type, TEXT);
        e->distinct[c] = e->domain[c] = e->packed[c] = UNKNOWN;
    }
}

static void estimate_scan(const sql_catalog *c, plan_estimate *e)
{
    const plan *p = e->of;

    e->rows = e->most = p->table->rows < 0 ? UNKNOWN : (uint64_t)p->table->rows;
    for (uint32_t i = 0; i < p->n; i++) {
        column_values v = {.bytes = e->rows ? UNKNOWN : TEXT, .distinct = UNKNOWN};
        c->values(c->self, p->table, p->table_columns[i], &v);
        e->distinct[i] = v.distinct;
        e->width[i] = type_width(&p->columns[i].type, v.bytes);
        if (!v.bounded || type_is_view(&p->columns[i].type) || type_is_nested(&p->columns[i].type))
            continue;
        e->packed[i] = rows_pack_bits(&p->columns[i].type, v.least < 0 ? v.least : 0,
                                      v.greatest > 0 ? v.greatest : 0); /* null is zero */
        e->bounds[i] = (value_bounds){true, v.least, v.greatest};
        e->domain[i] = room_add(numbers_in(&e->bounds[i]), 1);
    }
}

static void estimate_values(plan_estimate *e)
{
    const plan *p = e->of;

    e->rows = e->most = p->n_rows;
    for (uint64_t i = 0; i < p->n_rows * p->n; i++) {
        uint64_t width = plan_expr_width(e, p->exprs[i]), *most = &e->width[i % p->n];
        *most = width > *most ? width : *most;
    }
}

static void estimate_range(plan_estimate *e)
{
    const plan *p = e->of;
    uint64_t span =
        p->step > 0 ? (uint64_t)p->to - (uint64_t)p->from : (uint64_t)p->from - (uint64_t)p->to;
    uint64_t step = p->step > 0 ? (uint64_t)p->step : 0 - (uint64_t)p->step;
    bool none = p->step > 0 ? p->to <= p->from : p->to >= p->from;

    e->rows = e->most = none || step == 0 ? 0 : span / step + 1;
}

/* No more groups than combinations of keys. */
static nrw_status estimate_group(arena *a, plan_estimate *e, nrw_error *err)
{
    const plan *p = e->of;

    take_columns(e, 0, e->left, p->n_keys);
    TRY(plan_combinations(a, e->left, p->n_keys, true, &e->most, err));
    TRY(plan_combinations(a, e->left, p->n_keys, false, &e->rows, err));
    e->most = p->n_keys ? e->most : 1; /* of no rows, too */
    e->rows = p->n_keys ? room_at_most(e->rows, e->most) : 1;
    for (uint32_t i = 0; i < p->n_aggregates; i++) {
        const aggregate *g = &p->aggregates[i];
        uint64_t *width = &e->width[p->n_keys + i];
        if (!type_is_view(&g->result) || g->n_args == 0)
            continue;
        *width = plan_expr_width(e->left, g->args[0]);
        if (aggregate_gathers(g)) /* the texts of all rows, perhaps */
            *width = room_mul(*width, e->left->rows);
    }
    return NRW_OK;
}

/* A side without a match is null, in columns that had none perhaps. */
static void may_be_null(plan_estimate *e)
{
    for (uint32_t c = 0; c < e->of->n; c++)
        e->domain[c] = room_add(e->domain[c], 1);
}

/* Rows of a side that meet one of n rows: as many have the same keys as have on average. */
static uint64_t rows_that_meet(const plan_estimate *side, const uint32_t *keys, uint32_t n_keys,
                               uint64_t n)
{
    uint64_t values = 1;

    for (uint32_t k = 0; k < n_keys; k++)
        values = room_mul(values, side->distinct[keys[k]]);
    if (values == UNKNOWN || n_keys == 0)
        return side->rows;
    return room_at_most(side->rows, room_mul(n, side->rows / room_at_least(values, 1) + 1));
}

/* Equal keys: as many rows as the larger side has, about; some times that where a condition picks
 * from all pairs. */
static void estimate_join(plan_estimate *e)
{
    const plan *p = e->of, *l = p->left;
    uint64_t left = e->left->rows, right = e->right->rows, both = room_mul(left, right);

    if (!join_only_right(p->join))
        take_columns(e, 0, e->left, l->n);
    if (join_only_right(p->join))
        take_columns(e, 0, e->right, p->right->n);
    else if (p->n == l->n + p->right->n)
        take_columns(e, l->n, e->right, p->right->n);
    may_be_null(e);
    e->most = room_mul(e->left->most, e->right->most);
    e->rows = left > right ? left : right;
    if (p->n_join_keys == 0)
        e->rows = p->condition ? room_mul(e->rows, PICKED) : both;
    switch (p->join) {
    case JOIN_SEMI:
        e->most = e->left->most;
        e->rows = rows_that_meet(e->left, p->left_keys, p->n_join_keys, right);
        break;
    case JOIN_RIGHT_SEMI:
        e->most = e->right->most;
        e->rows = rows_that_meet(e->right, p->right_keys, p->n_join_keys, left);
        break;
    case JOIN_ANTI:
    case JOIN_MARK:
    case JOIN_SINGLE:
        e->most = e->left->most;
        e->rows = left;
        break;
    case JOIN_RIGHT_ANTI:
    case JOIN_RIGHT_MARK:
        e->most = e->right->most;
        e->rows = right;
        break;
    case JOIN_LEFT:
    case JOIN_RIGHT:
    case JOIN_FULL:
        e->most = room_add(e->most, room_add(e->left->most, e->right->most));
        e->rows = room_add(e->rows, p->join == JOIN_FULL ? room_at_most(left, right) : 0);
        break;
    case JOIN_INNER: break;
    }
    e->rows = room_at_most(e->rows, e->most);
}

/* Sources are as large as they are, and so is what follows from their rows alone. */
static uint64_t few_of(const plan_estimate *e)
{
    const plan *p = e->of;
    uint64_t few = e->left ? e->left->few : e->rows;

    if (p->kind == PLAN_GROUP && e->rows == e->left->rows)
        few = few / ALIKE + 1;
    if (e->right)
        few = p->kind == PLAN_UNION ? room_add(few, e->right->few)
                                    : room_at_least(few, e->right->few);
    if (p->kind == PLAN_JOIN && e->left->few == e->left->rows && e->right->few == e->right->rows)
        few = e->rows;
    return room_at_most(few, e->rows);
}

static nrw_status estimate_one(arena *a, const sql_catalog *c, plan_estimate *e, nrw_error *err)
{
    const plan *p = e->of;
    const expr *x;

    of_types(e);
    if (e->left) {
        e->most = e->left->most;
        e->rows = e->left->rows;
    }
    switch (p->kind) {
    case PLAN_SCAN: estimate_scan(c, e); break;
    case PLAN_VALUES: estimate_values(e); break;
    case PLAN_RANGE: estimate_range(e); break;
    case PLAN_PROJECT:
        for (uint32_t i = 0; i < p->n; i++) {
            e->width[i] = plan_expr_width(e->left, p->exprs[i]);
            e->distinct[i] = expr_distinct(e->left, p->exprs[i]);
            e->domain[i] = expr_domain(e->left, p->exprs[i]);
            x = plan_same_number(p->exprs[i]);
            if (x->kind == EXPR_COLUMN)
                e->bounds[i] = e->left->bounds[x->column];
            if (p->exprs[i]->kind == EXPR_COLUMN)
                e->packed[i] = e->left->packed[x->column];
        }
        break;
    case PLAN_GROUP: TRY(estimate_group(a, e, err)); break;
    case PLAN_JOIN: estimate_join(e); break;
    case PLAN_UNION:
        take_columns(e, 0, e->left, p->n);
        for (uint32_t i = 0; i < p->n; i++) {
            e->width[i] = e->width[i] > e->right->width[i] ? e->width[i] : e->right->width[i];
            e->distinct[i] = room_add(e->distinct[i], e->right->distinct[i]);
            e->domain[i] = room_add(e->domain[i], e->right->domain[i]);
            e->packed[i] = UNKNOWN;
            e->bounds[i].known = false;
        }
        e->most = room_add(e->most, e->right->most);
        e->rows = room_add(e->rows, e->right->rows);
        break;
    case PLAN_WINDOW:
        take_columns(e, 0, e->left, e->left->of->n);
        for (uint32_t i = 0; i < p->n_windows; i++)
            if (type_is_view(&p->windows[i].result)) {
                const window_call *w = &p->windows[i];
                e->width[p->left->n + i] =
                    w->kind != WINDOW_AGGREGATE && w->n_args ? e->left->width[w->args[0]] : UNKNOWN;
            }
        break;
    case PLAN_SORT:
    case PLAN_LIMIT:
        e->most = room_at_most(e->most, p->limit);
        e->rows = room_at_most(e->rows, p->limit);
        take_columns(e, 0, e->left, p->n);
        break;
    case PLAN_FILTER:
        take_columns(e, 0, e->left, p->n);
        e->most = room_at_most(e->most, plan_groups_asked(e->left, p->exprs[0]));
        e->rows = room_at_most(e->rows, e->most);
        break;
    case PLAN_FIRST: take_columns(e, 0, e->left, p->n); break;
    }
    e->few = few_of(e);
    e->whole = e->rows;
    for (uint32_t c = 0; c < p->n; c++) {
        e->domain[c] = room_at_most(e->domain[c], e->most);
        e->packed[c] = room_at_most(e->packed[c], packed_of(&p->columns[c].type, e->width[c]));
    }
    return NRW_OK;
}

nrw_status plan_estimate_of(arena *a, const sql_catalog *c, const plan *p, plan_estimate **out,
                            nrw_error *err)
{
    plan_estimate *e;

    TRY(arena_alloc(a, sizeof *e, (void **)&e, err));
    *e = (plan_estimate){.of = p};
    TRY(arena_alloc(a, p->n * sizeof *e->width + 1, (void **)&e->width, err));
    TRY(arena_alloc(a, p->n * sizeof *e->distinct + 1, (void **)&e->distinct, err));
    TRY(arena_alloc(a, p->n * sizeof *e->domain + 1, (void **)&e->domain, err));
    TRY(arena_alloc(a, p->n * sizeof *e->bounds + 1, (void **)&e->bounds, err));
    TRY(arena_alloc(a, p->n * sizeof *e->packed + 1, (void **)&e->packed, err));
    TRY(arena_alloc(a, p->n * sizeof *e->kept + 1, (void **)&e->kept, err));
    if (p->left)
        TRY(plan_estimate_of(a, c, p->left, &e->left, err));
    if (p->right)
        TRY(plan_estimate_of(a, c, p->right, &e->right, err));
    *out = e;
    return estimate_one(a, c, e, err);
}
