/* Parts of nested columns are read alone: where expressions take fields of a scan's column, the
 * scan gets a column for the part ("user.address.city"), which is read, tested and pruned by like
 * any other. In conditions always, so that the rest comes only for rows that pass; in a list where
 * it does not look at the whole column anyway. */
#include "sql/bind_own.h"

#define LONGEST_PATH 512

typedef struct splitter {
    arena *a;
    plan *scan;
    uint32_t cap; /* of its columns */
    bool *whole;  /* columns that are left as they are */
    nrw_error *err;
} splitter;

/* ---- which part an expression is ---- */

/* Puts the path that e takes into out; 0: it is no path from a column. */
static size_t path_of(const plan *scan, const expr *e, char out[LONGEST_PATH], uint32_t *column)
{
    int32_t at = expr_field(e);
    const char *name;
    size_t n = 0, m;

    if (e->kind == EXPR_COLUMN) {
        *column = e->column;
        name = sql_column_path(scan->table, scan->table_columns[e->column]);
    } else if (at >= 0) {
        n = path_of(scan, e->args[0], out, column);
        if (!n)
            return 0;
        out[n++] = '.';
        name = e->args[0]->type.children[at].name;
    } else {
        return 0;
    }
    m = strlen(name);
    if (n + m + 2 > LONGEST_PATH)
        return 0;
    memcpy(out + n, name, m + 1);
    return n + m;
}

/* The part of the table that e is, by its place in the schema; -1: it is none that is read alone.
 */
static int32_t part_of(const plan *scan, const expr *e, uint32_t *column)
{
    const schema *s = &scan->table->schema;
    char path[LONGEST_PATH];
    int32_t found = -1;

    if (!s->n_parts || expr_field(e) < 0 || !path_of(scan, e, path, column))
        return -1;
    for (uint32_t i = 0; i < s->n_parts; i++) {
        if (strcmp(s->part_paths[i], path) != 0)
            continue;
        if (found >= 0 || !type_equal(&s->fields[s->n_fields + i].type, &e->type))
            return -1;
        found = (int32_t)(s->n_fields + i);
    }
    return found;
}

static void see_whole(const splitter *w, const expr *e)
{
    uint32_t column;

    if (e->kind == EXPR_COLUMN)
        w->whole[e->column] = true;
    else if (part_of(w->scan, e, &column) < 0)
        for (uint32_t i = 0; i < e->n_args; i++)
            see_whole(w, e->args[i]);
}

/* ---- expressions over parts ---- */

/* The scan's column for that part; a new one where it has none yet. */
static nrw_status column_for(splitter *w, uint32_t part, const type *t, uint32_t *out)
{
    plan *p = w->scan;
    const char *path = sql_column_path(p->table, part);
    plan_column *columns = p->columns;
    uint32_t *places = p->table_columns;

    for (*out = 0; *out < p->n; ++*out)
        if (p->table_columns[*out] == part)
            return NRW_OK;
    if (p->n == w->cap) {
        w->cap = 2 * w->cap + 4;
        TRY(arena_alloc(w->a, w->cap * sizeof *columns, (void **)&p->columns, w->err));
        TRY(arena_alloc(w->a, w->cap * sizeof *places, (void **)&p->table_columns, w->err));
        memcpy(p->columns, columns, p->n * sizeof *columns);
        memcpy(p->table_columns, places, p->n * sizeof *places);
    }
    p->columns[p->n] = (plan_column){span_of(path), *t};
    p->table_columns[p->n++] = part;
    return NRW_OK;
}

static nrw_status split(splitter *w, const expr **e);

static nrw_status split_all(splitter *w, const expr *const *from, uint32_t n, const expr ***out)
{
    TRY(arena_alloc(w->a, n * sizeof **out + 1, (void **)out, w->err));
    for (uint32_t i = 0; i < n; i++) {
        (*out)[i] = from[i];
        TRY(split(w, &(*out)[i]));
    }
    return NRW_OK;
}

/* e with its paths replaced by the columns that they are. */
static nrw_status split(splitter *w, const expr **e)
{
    const expr *was = *e;
    uint32_t column, place;
    int32_t part = part_of(w->scan, was, &column);
    expr *copy;

    if (part >= 0) {
        if (w->whole && w->whole[column])
            return NRW_OK;
        TRY(column_for(w, (uint32_t)part, &was->type, &place));
        return expr_column(w->a, place, &was->type, e, w->err);
    }
    if (was->n_args == 0)
        return NRW_OK;
    TRY(arena_alloc(w->a, sizeof *copy, (void **)&copy, w->err));
    *copy = *was;
    TRY(split_all(w, was->args, was->n_args, &copy->args));
    TRY(split_all(w, was->written, was->n_written, &copy->written));
    *e = copy;
    return NRW_OK;
}

/* ---- plans ---- */

static nrw_status split_pushed(splitter *w)
{
    const expr **pushed;

    TRY(split_all(w, w->scan->pushed, w->scan->n_pushed, &pushed));
    w->scan->pushed = pushed;
    return NRW_OK;
}

/* The list `top` over conditions over a scan: columns that come behind the scan's others are seen
 * by these alone. */
static nrw_status split_list(arena *a, plan *top, plan *scan, nrw_error *err)
{
    splitter w = {a, scan, scan->n, NULL, err};
    uint32_t had = scan->n;
    bool *whole;

    TRY(split_pushed(&w));
    for (plan *p = top->left; p != scan; p = p->left)
        TRY(split_all(&w, p->exprs, 1, &p->exprs));
    TRY(arena_alloc(a, had * sizeof *whole + 1, (void **)&whole, err));
    w.whole = whole;
    for (uint32_t c = 0; c < top->n; c++)
        see_whole(&w, top->exprs[c]);
    TRY(split_all(&w, top->exprs, top->n, &top->exprs));
    for (plan *p = top->left; p != scan; p = p->left) {
        p->n = scan->n;
        p->columns = scan->columns;
    }
    return NRW_OK;
}

/* A scan below anything else, which counts on its columns. */
static nrw_status split_scan(arena *a, plan **p, nrw_error *err)
{
    splitter w = {a, *p, (*p)->n, NULL, err};
    uint32_t had = (*p)->n;

    TRY(split_pushed(&w));
    return plan_first_columns(a, *p, had, p, err);
}

static plan *scan_below(const plan *p)
{
    plan *x = p->left;

    while (x && x->kind == PLAN_FILTER)
        x = x->left;
    return x && x->kind == PLAN_SCAN ? x : NULL;
}

nrw_status plan_split_parts(arena *a, plan **p, nrw_error *err)
{
    plan *scan = (*p)->kind == PLAN_PROJECT ? scan_below(*p) : NULL;

    if (scan)
        return split_list(a, *p, scan, err);
    if ((*p)->kind == PLAN_SCAN)
        return split_scan(a, p, err);
    if ((*p)->left)
        TRY(plan_split_parts(a, &(*p)->left, err));
    return (*p)->right ? plan_split_parts(a, &(*p)->right, err) : NRW_OK;
}
