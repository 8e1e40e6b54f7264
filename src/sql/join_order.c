/* In which order inner joins are made. The largest relation streams, what its rows meet is built:
 * relations hang from it as a tree along equalities, each with what hangs from itself, so that what
 * a condition keeps out of a far relation never comes near the large one. Sizes are rows that
 * metadata tell, and guesses at what conditions keep: a function of rows and query alone.
 *
 * Semi and anti joins that look at one relation are done there, unless it is the one that streams:
 * they pay where what is built gets smaller. */
#include "sql/bind_own.h"

#define MOST_RELATIONS 64
#define MANY_ROWS      1e18 /* of relations that nobody knows the rows of */
#define KEPT_ORDERED   0.3  /* by a condition inside of a relation */
#define KEPT_GROUPS    0.25

typedef struct relation {
    plan *p;
    uint32_t from;     /* its first column, as written */
    uint32_t to;       /* and as placed */
    double rows, kept; /* rows without the conditions on it alone; the part that they leave */
    double arm;        /* the part that it and all that hangs from it leave */
    int parent;        /* -1: none */
    bool placed;
} relation;

/* A semi or anti join: its left columns as written, its right ones above RIGHT_BASE. */
typedef struct filter_join {
    const plan *j;
    const expr *on;
    bool done;
} filter_join;

typedef struct region {
    arena *a;
    relation at[MOST_RELATIONS];
    filter_join filters[MOST_RELATIONS];
    uint32_t n, n_filters, n_columns, n_edges, next;
    conjuncts on;
    bool fits;
} region;

/* ---- taking joins apart ---- */

static uint32_t further(void *self, uint32_t c)
{
    return c + *(const uint32_t *)self;
}

static nrw_status add_condition(region *r, const expr *e, uint32_t base, nrw_error *err)
{
    if (!e)
        return NRW_OK;
    r->fits &= !e->changes;
    TRY(expr_renumber(r->a, e, further, &base, &e, err));
    return conjuncts_split(r->a, e, &r->on, err);
}

typedef struct two_sides {
    uint32_t n_left, base;
} two_sides;

static uint32_t right_above(void *self, uint32_t c)
{
    const two_sides *s = self;

    return c < s->n_left ? c + s->base : c - s->n_left + RIGHT_BASE;
}

static nrw_status take_apart(region *r, plan *p, nrw_error *err);

static nrw_status take_filter_join(region *r, const plan *p, nrw_error *err)
{
    two_sides s = {p->left->n, r->n_columns};
    filter_join f = {.j = p};

    TRY(take_apart(r, p->left, err));
    if (r->n_filters == MOST_RELATIONS) {
        r->fits = false;
        return NRW_OK;
    }
    if (p->condition)
        TRY(expr_renumber(r->a, p->condition, right_above, &s, &f.on, err));
    r->filters[r->n_filters++] = f;
    return NRW_OK;
}

static nrw_status take_relation(region *r, plan *p)
{
    if (r->n == MOST_RELATIONS) {
        r->fits = false;
        return NRW_OK;
    }
    r->at[r->n++] = (relation){.p = p, .from = r->n_columns, .kept = 1, .parent = -1};
    r->n_columns += p->n;
    return NRW_OK;
}

static nrw_status take_apart(region *r, plan *p, nrw_error *err)
{
    uint32_t base = r->n_columns;
    bool free = p->kind == PLAN_JOIN && p->n_join_keys == 0 && !p->ordered;

    if (p->kind == PLAN_FILTER) {
        TRY(take_apart(r, p->left, err));
        return add_condition(r, p->exprs[0], base, err);
    }
    if (free && p->join == JOIN_INNER) {
        TRY(take_apart(r, p->left, err));
        TRY(take_apart(r, p->right, err));
        return add_condition(r, p->condition, base, err);
    }
    if (free && (p->join == JOIN_SEMI || p->join == JOIN_ANTI))
        return take_filter_join(r, p, err);
    return take_relation(r, p);
}

/* ---- sizes ---- */

static double rows_of(const plan *p)
{
    double l = p->left ? rows_of(p->left) : 1, r = p->right ? rows_of(p->right) : 1;

    switch (p->kind) {
    case PLAN_SCAN: return p->table->rows < 0 ? MANY_ROWS : (double)p->table->rows;
    case PLAN_VALUES: return (double)p->n_rows;
    case PLAN_RANGE: return ((double)p->to - (double)p->from) / (double)p->step;
    case PLAN_FILTER: return l * KEPT_ORDERED;
    case PLAN_GROUP: return p->n_keys ? l * KEPT_GROUPS : 1;
    case PLAN_SORT:
    case PLAN_LIMIT: return l < (double)p->limit ? l : (double)p->limit;
    case PLAN_UNION: return l + r;
    case PLAN_JOIN: return p->n > p->left->n && r > l && p->join != JOIN_SINGLE ? r : l;
    default: return l;
    }
}

/* ---- which relations a condition looks at ---- */

/* Which relation a column is of, as written. */
static uint32_t relation_of(const region *r, uint32_t c)
{
    uint32_t i = 0;

    while (i + 1 < r->n && r->at[i + 1].from <= c)
        i++;
    return i;
}

typedef struct looking {
    const region *r;
    uint64_t at;
} looking;

static void look(void *self, uint32_t c)
{
    looking *l = self;

    if (c < RIGHT_BASE)
        l->at |= (uint64_t)1 << relation_of(l->r, c);
}

static uint64_t relations_of(const region *r, const expr *e)
{
    looking l = {r, 0};

    if (e)
        expr_columns(e, look, &l);
    return l.at;
}

/* The one relation of a set; -1: there is none, or there are several. */
static int lone(uint64_t set)
{
    return set && !(set & (set - 1)) ? __builtin_ctzll(set) : -1;
}

static bool edge_of(const region *r, const expr *e, int *x, int *y)
{
    if (!expr_is_call(e, "=") || e->n_args != 2)
        return false;
    *x = lone(relations_of(r, e->args[0]));
    *y = lone(relations_of(r, e->args[1]));
    return *x >= 0 && *y >= 0 && *x != *y;
}

static void measure(region *r)
{
    int x, y;

    for (uint32_t i = 0; i < r->n; i++)
        r->at[i].rows = rows_of(r->at[i].p);
    for (uint32_t i = 0; i < r->on.n; i++) {
        int one = lone(relations_of(r, r->on.at[i]));
        if (one >= 0)
            r->at[one].kept *= expr_kept(r->on.at[i]);
        r->n_edges += edge_of(r, r->on.at[i], &x, &y);
    }
}

/* Of conditions (a AND b) OR (c AND d) over several relations: (a OR c), where these look at one.
 * It stands beside what it was made of. */
static nrw_status one_sided(region *r, const expr *e, uint64_t one, const expr **out,
                            nrw_error *err)
{
    *out = NULL;
    for (uint32_t i = 0; i < e->n_args; i++) {
        const expr *all = NULL;
        conjuncts parts = {0};
        TRY(conjuncts_split(r->a, e->args[i], &parts, err));
        for (uint32_t k = 0; k < parts.n; k++)
            if (relations_of(r, parts.at[k]) == one)
                TRY(expr_and(r->a, all, parts.at[k], &all, err));
        if (!all) {
            *out = NULL;
            return NRW_OK;
        }
        TRY(expr_or(r->a, *out, all, out, err));
    }
    return NRW_OK;
}

static nrw_status add_one_sided(region *r, nrw_error *err)
{
    uint32_t n = r->on.n;

    for (uint32_t i = 0; i < n; i++) {
        const expr *e = r->on.at[i], *more;
        uint64_t looks = relations_of(r, e);
        if (e->kind != EXPR_OR || e->fails || lone(looks) >= 0)
            continue;
        for (uint32_t k = 0; k < r->n; k++) {
            if (!(looks >> k & 1))
                continue;
            TRY(one_sided(r, e, (uint64_t)1 << k, &more, err));
            if (more)
                TRY(conjuncts_split(r->a, more, &r->on, err));
        }
    }
    return NRW_OK;
}

/* ---- the tree ---- */

static int largest(const region *r)
{
    int best = -1;

    for (uint32_t i = 0; i < r->n; i++)
        if (!r->at[i].placed &&
            (best < 0 || r->at[i].rows * r->at[i].kept > r->at[best].rows * r->at[best].kept))
            best = (int)i;
    return best;
}

/* How many rows of y a row of x meets at least, when all of them meet one. */
static double fan_out(const region *r, int x, int y)
{
    double most = r->at[x].rows < 1 ? 1 : r->at[x].rows;

    return r->at[y].rows > most ? r->at[y].rows / most : 1;
}

/* Hangs all that equalities lead to from what is placed; what multiplies rows least comes first. */
static void grow(region *r)
{
    for (;;) {
        double least = 0;
        int from = -1, to = -1;
        for (uint32_t i = 0; i < r->on.n; i++) {
            int x, y;
            if (!edge_of(r, r->on.at[i], &x, &y) || r->at[x].placed == r->at[y].placed)
                continue;
            int near = r->at[x].placed ? x : y, far = near == x ? y : x;
            double f = fan_out(r, near, far);
            if (from >= 0 && f >= least)
                continue;
            least = f;
            from = near;
            to = far;
        }
        if (from < 0)
            return;
        r->at[to].placed = true;
        r->at[to].parent = from;
    }
}

static double measure_arm(region *r, int x)
{
    r->at[x].arm = r->at[x].kept;
    for (uint32_t i = 0; i < r->n; i++)
        if (r->at[i].parent == x)
            r->at[x].arm *= measure_arm(r, (int)i);
    return r->at[x].arm;
}

/* The arm of x to be joined after `last` (-1: first): what leaves least goes first. */
static int next_arm(const region *r, int x, int last)
{
    int best = -1;

    for (int i = 0; i < (int)r->n; i++) {
        const relation *c = &r->at[i], *l = &r->at[last < 0 ? 0 : last],
                       *b = &r->at[best < 0 ? 0 : best];
        if (c->parent != x)
            continue;
        if (last >= 0 && !(c->arm > l->arm || (c->arm >= l->arm && i > last)))
            continue;
        if (best < 0 || c->arm < b->arm)
            best = i;
    }
    return best;
}

/* ---- putting together ---- */

static uint32_t less(void *self, uint32_t c)
{
    const two_sides *s = self;

    return c >= RIGHT_BASE ? c - RIGHT_BASE + s->n_left : c - s->base;
}

static uint32_t placed(void *self, uint32_t c)
{
    const region *r = self;
    const relation *x = &r->at[relation_of(r, c)];

    return c >= RIGHT_BASE ? c : c - x->from + x->to;
}

static nrw_status join_filter(region *r, filter_join *f, plan **p, uint32_t base, nrw_error *err)
{
    two_sides s = {(*p)->n, base};
    const expr *on = f->on;
    plan *made;

    if (on)
        TRY(expr_renumber(r->a, on, less, &s, &on, err));
    TRY(plan_join(r->a, f->j->join, *p, f->j->right, on, &made, err));
    made->in_nulls = f->j->in_nulls;
    f->done = true;
    *p = made;
    return NRW_OK;
}

static nrw_status join_two(region *r, plan **p, plan *right, nrw_error *err)
{
    TRY(plan_join(r->a, JOIN_INNER, *p, right, NULL, p, err));
    (*p)->ordered = true;
    return NRW_OK;
}

static nrw_status put_together(region *r, int x, plan **out, nrw_error *err)
{
    relation *me = &r->at[x];

    *out = me->p;
    for (uint32_t i = 0; i < r->n_filters && me->parent >= 0; i++)
        if (lone(relations_of(r, r->filters[i].on)) == x)
            TRY(join_filter(r, &r->filters[i], out, me->from, err));
    me->to = r->next;
    r->next += me->p->n;
    for (int i = next_arm(r, x, -1); i >= 0; i = next_arm(r, x, i)) {
        plan *arm;
        TRY(put_together(r, i, &arm, err));
        TRY(join_two(r, out, arm, err));
    }
    return NRW_OK;
}

/* The rest of the filters, then the columns as they were. */
static nrw_status finish(region *r, plan **p, const plan *was, nrw_error *err)
{
    bool moved = false;
    const expr **exprs;
    span *names;

    for (uint32_t i = 0; i < r->n_filters; i++) {
        filter_join *f = &r->filters[i];
        if (f->done)
            continue;
        if (f->on)
            TRY(expr_renumber(r->a, f->on, placed, r, &f->on, err));
        TRY(join_filter(r, f, p, 0, err));
    }
    TRY(arena_alloc(r->a, was->n * sizeof *exprs + 1, (void **)&exprs, err));
    TRY(arena_alloc(r->a, was->n * sizeof *names + 1, (void **)&names, err));
    for (uint32_t c = 0; c < was->n; c++) {
        uint32_t to = placed(r, c);
        moved |= to != c;
        names[c] = was->columns[c].name;
        TRY(expr_column(r->a, to, &was->columns[c].type, &exprs[c], err));
    }
    return moved ? plan_project(r->a, *p, exprs, names, was->n, p, err) : NRW_OK;
}

nrw_status plan_order_joins(arena *a, plan **p, conjuncts *c, bool *done, nrw_error *err)
{
    region *r;
    plan *was = *p, *component;

    *done = false;
    TRY(arena_alloc(a, sizeof *r, (void **)&r, err));
    *r = (region){.a = a, .fits = true};
    TRY(take_apart(r, was, err));
    for (uint32_t i = 0; i < c->n; i++)
        TRY(add_condition(r, c->at[i], 0, err));
    if (!r->fits || r->n < 2)
        return NRW_OK;
    TRY(add_one_sided(r, err));
    measure(r);
    if (r->n_edges == 0)
        return NRW_OK;
    *p = NULL;
    for (int root = largest(r); root >= 0; root = largest(r)) {
        r->at[root].placed = true;
        grow(r);
        measure_arm(r, root);
        TRY(put_together(r, root, &component, err));
        if (*p)
            TRY(join_two(r, p, component, err));
        else
            *p = component;
    }
    *c = r->on;
    *done = true;
    return finish(r, p, was, err);
}
