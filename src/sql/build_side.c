/* Which side of a join is kept. Operators keep the right side and let the left one stream; here
 * joins are turned round whose left side is the smaller one. Of semi, anti and mark joins the kept
 * rows then leave at the end, in their own order, which is what it was. Outer joins would pair rows
 * in the order of the other side: they are turned where nobody sees it. Inner joins have their
 * order by join_order.c.
 *
 * Sizes are rows that metadata tell, and guesses at what conditions keep. A side is taken for the
 * smaller one if it is so by far, and if it would not be the larger one by far were there no
 * conditions but those that bounds tell of: where all guesses are wrong, not much is lost. */
#include "sql/bind_own.h"
#include "sql/estimate.h"

#define MANY_ROWS  1e18 /* nobody knows how many */
#define KEPT_MEET  0.5  /* of rows that have a match, or have none */
#define BY_FAR     2
#define UNEVEN     4  /* times as many values may lie in a stretch as if they lay evenly */
#define ROW_BYTES  56 /* of a row that is kept, beside its values */
#define MOST_BYTES 4096.0

/* Rows of a relation by what is known; the part of them that conditions leave. */
typedef struct guess {
    double all, kept;
} guess;

static guess greater(guess x, guess y, double kept)
{
    return (guess){x.all > y.all ? x.all : y.all, kept};
}

static guess guess_join(const plan *p, guess l, guess r)
{
    switch (p->join) {
    case JOIN_INNER:
        if (p->n_join_keys == 0)
            return (guess){l.all * r.all, l.kept * r.kept};
        return greater(l, r, l.kept * r.kept);
    case JOIN_LEFT: return greater(l, r, l.kept);
    case JOIN_RIGHT: return greater(l, r, r.kept);
    case JOIN_FULL: return greater(l, r, 1);
    case JOIN_SEMI:
    case JOIN_ANTI: return (guess){l.all, l.kept * KEPT_MEET};
    default: return l;
    }
}

static guess guess_limited(const plan *p, guess l)
{
    return (double)p->limit < l.all * l.kept ? (guess){(double)p->limit, 1} : l;
}

/* Of each row. */
static nrw_status guess_scan(arena *a, const sql_catalog *c, const plan_estimate *e, guess *out,
                             nrw_error *err)
{
    part_kept k;

    TRY(scan_kept(a, c, e, &k, NULL, err));
    out->all = k.told * UNEVEN < 1 ? k.told * UNEVEN : 1;
    out->kept = k.guessed * k.told / out->all;
    return NRW_OK;
}

/* Of e, whose sides are l and r; l of a scan: of each of its rows. */
static guess guess_of(const plan_estimate *e, guess l, guess r)
{
    const plan *p = e->of;
    double rows = e->rows == UNKNOWN ? MANY_ROWS : (double)e->rows;

    switch (p->kind) {
    case PLAN_SCAN: return (guess){rows * l.all, l.kept};
    case PLAN_FILTER: return (guess){l.all, l.kept * expr_kept(p->exprs[0])};
    case PLAN_GROUP: return rows < l.all ? (guess){rows, 1} : l;
    case PLAN_SORT:
    case PLAN_LIMIT: return guess_limited(p, l);
    case PLAN_UNION:
        return (guess){l.all + r.all, (l.all * l.kept + r.all * r.kept) / (l.all + r.all + 1)};
    case PLAN_JOIN: return guess_join(p, l, r);
    case PLAN_VALUES:
    case PLAN_RANGE: return (guess){rows, 1};
    default: return l;
    }
}

/* ---- which joins ---- */

static double bytes_of(const plan_estimate *e, double rows)
{
    double width = (double)plan_row_width(e);

    return rows * ((width < MOST_BYTES ? width : MOST_BYTES) + ROW_BYTES);
}

static bool left_is_smaller(const plan_estimate *e, guess l, guess r)
{
    return l.all < MANY_ROWS && r.all < MANY_ROWS &&
           BY_FAR * bytes_of(e->left, l.all * l.kept) <= bytes_of(e->right, r.all * r.kept) &&
           bytes_of(e->left, l.all) <= BY_FAR * bytes_of(e->right, r.all);
}

/* Nested values are not kept in rows yet. */
static bool can_be_kept(const plan *p)
{
    for (uint32_t c = 0; c < p->n; c++)
        if (type_is_nested(&p->columns[c].type))
            return false;
    return true;
}

/* The kind of p with its sides exchanged; JOIN_INNER: it is not to be turned. */
static join_kind turned_kind(const plan *p, bool seen)
{
    bool sure = !p->condition || (!p->condition->fails && !p->condition->changes);

    switch (p->join) {
    case JOIN_SEMI: return sure ? JOIN_RIGHT_SEMI : JOIN_INNER;
    case JOIN_ANTI: return sure ? JOIN_RIGHT_ANTI : JOIN_INNER;
    case JOIN_MARK: return sure ? JOIN_RIGHT_MARK : JOIN_INNER;
    case JOIN_LEFT: return sure && !seen ? JOIN_RIGHT : JOIN_INNER;
    case JOIN_RIGHT: return sure && !seen ? JOIN_LEFT : JOIN_INNER;
    case JOIN_FULL: return sure && !seen ? JOIN_FULL : JOIN_INNER;
    default: return JOIN_INNER;
    }
}

/* ---- turning ---- */

typedef struct two_sides {
    uint32_t n_left, n_right;
} two_sides;

static uint32_t exchanged(void *self, uint32_t c)
{
    const two_sides *s = self;

    return c < s->n_left ? c + s->n_right : c - s->n_left;
}

/* Columns of pairs stand in their old places again. */
static nrw_status put_back(arena *a, const plan *was, plan *p, two_sides *s, plan **out,
                           nrw_error *err)
{
    const expr **exprs;
    span *names;

    TRY(arena_alloc(a, p->n * sizeof *exprs, (void **)&exprs, err));
    TRY(arena_alloc(a, p->n * sizeof *names, (void **)&names, err));
    for (uint32_t c = 0; c < p->n; c++) {
        names[c] = was->columns[c].name;
        TRY(expr_column(a, exchanged(s, c), &was->columns[c].type, &exprs[c], err));
    }
    return plan_project(a, p, exprs, names, p->n, out, err);
}

static nrw_status turn(arena *a, plan **p, join_kind kind, nrw_error *err)
{
    const plan *was = *p;
    two_sides s = {was->left->n, was->right->n};
    const expr *on = was->condition;
    plan *made;

    if (on)
        TRY(expr_renumber(a, on, exchanged, &s, &on, err));
    TRY(plan_join(a, kind, was->right, was->left, on, &made, err));
    made->n_join_keys = was->n_join_keys;
    made->left_keys = was->right_keys;
    made->right_keys = was->left_keys;
    made->null_equal = was->null_equal;
    made->in_nulls = was->in_nulls;
    *p = made;
    return join_only_right(kind) ? NRW_OK : put_back(a, was, made, &s, p, err);
}

/* e is the estimate of *p as it was. */
static nrw_status choose(arena *a, const sql_catalog *c, const plan_estimate *e, plan **p,
                         bool seen, guess *out, nrw_error *err)
{
    const plan *was = *p;
    guess l = {1, 1}, r = {1, 1};
    join_kind kind;

    if (was->left)
        TRY(choose(a, c, e->left, &(*p)->left, plan_sees(was, false, seen), &l, err));
    if (was->right)
        TRY(choose(a, c, e->right, &(*p)->right, plan_sees(was, true, seen), &r, err));
    if (was->kind == PLAN_SCAN)
        TRY(guess_scan(a, c, e, &l, err));
    *out = guess_of(e, l, r);
    if (was->kind != PLAN_JOIN || was->n_join_keys == 0)
        return NRW_OK;
    kind = turned_kind(was, seen);
    if (kind == JOIN_INNER || !left_is_smaller(e, l, r) || !can_be_kept(was->left) ||
        !can_be_kept(was->right))
        return NRW_OK;
    return turn(a, p, kind, err);
}

static bool any_to_turn(const plan *p)
{
    if (!p)
        return false;
    return (p->kind == PLAN_JOIN && turned_kind(p, false) != JOIN_INNER) || any_to_turn(p->left) ||
           any_to_turn(p->right);
}

nrw_status plan_choose_sides(arena *a, const sql_catalog *c, plan **p, nrw_error *err)
{
    plan_estimate *e;
    guess g;

    if (!any_to_turn(*p))
        return NRW_OK;
    TRY(plan_estimate_of(a, c, *p, &e, err));
    return choose(a, c, e, p, true, &g, err);
}
