/* GROUP BY. ROLLUP, CUBE and GROUPING SETS become the sets they stand for; items beside one another
 * are combined, each set of the one with each of the other. */
#include "sql/own.h"

#define MOST_SETS 65535
#define MOST_CUBE 16

/* What is being filled: the texts of its expressions tell them apart. */
typedef struct groups {
    sql_group_by *by;
    uint32_t n;
    span *texts;
} groups;

/* The sets of one item. */
typedef struct sets {
    uint32_t n;
    sql_group_set *at;
} sets;

static nrw_status group_item(sql_parser *p, groups *g, sets *out, nrw_error *err);

/* ---- sets ---- */

static nrw_status new_set(sql_parser *p, sets *s, sql_group_set **out, nrw_error *err)
{
    if (s->n >= MOST_SETS)
        return sql_fail_at(p, sql_peek(p, 0)->at, err, "GROUP BY stands for more than %d sets",
                           MOST_SETS);
    return sql_push(p, &s->at, &s->n, sizeof **out, out, err);
}

static nrw_status put(sql_parser *p, sql_group_set *set, uint32_t place, nrw_error *err)
{
    uint32_t *slot;

    for (uint32_t i = 0; i < set->n; i++)
        if (set->at[i] == place)
            return NRW_OK;
    TRY(sql_push(p, &set->at, &set->n, sizeof *slot, &slot, err));
    *slot = place;
    return NRW_OK;
}

static nrw_status put_all(sql_parser *p, sql_group_set *set, const sql_group_set *from,
                          nrw_error *err)
{
    for (uint32_t i = 0; i < from->n; i++)
        TRY(put(p, set, from->at[i], err));
    return NRW_OK;
}

/* Each of a with each of b. */
static nrw_status combine(sql_parser *p, sets *a, const sets *b, nrw_error *err)
{
    sets both = {0};
    sql_group_set *set;

    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++) {
            TRY(new_set(p, &both, &set, err));
            TRY(put_all(p, set, &a->at[i], err));
            TRY(put_all(p, set, &b->at[k], err));
        }
    *a = both;
    return NRW_OK;
}

/* ---- expressions ---- */

/* The place of an expression: the same one, by its printing, has the same place. */
static nrw_status place_of(sql_parser *p, groups *g, sql_expr *e, uint32_t *out, nrw_error *err)
{
    span text, *kept;

    TRY(sql_print_whole(p->a, e, &text, err));
    for (*out = 0; *out < g->n; (*out)++)
        if (span_equal(text, g->texts[*out]))
            return NRW_OK;
    TRY(sql_push(p, &g->texts, &g->n, sizeof *kept, &kept, err));
    *kept = text;
    return sql_add(p, &g->by->exprs, e, err);
}

/* An expression, or several in parentheses, as one set. */
static nrw_status put_expr(sql_parser *p, groups *g, sql_group_set *set, nrw_error *err)
{
    sql_expr *e;
    uint32_t place;

    TRY(sql_expr_any(p, &e, err));
    if (e->kind != SQL_EXPR_ROW) {
        TRY(place_of(p, g, e, &place, err));
        return put(p, set, place, err);
    }
    for (uint32_t i = 0; i < e->args.n; i++) {
        TRY(place_of(p, g, e->args.at[i], &place, err));
        TRY(put(p, set, place, err));
    }
    return NRW_OK;
}

/* ---- items ---- */

/* The parts of ROLLUP and CUBE, each a set. */
static nrw_status parts(sql_parser *p, groups *g, sets *out, nrw_error *err)
{
    sql_group_set *set;

    p->i += 2;
    if (sql_take_sign(p, ")"))
        return NRW_OK;
    do {
        TRY(new_set(p, out, &set, err));
        TRY(put_expr(p, g, set, err));
    } while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

static nrw_status rollup(sql_parser *p, groups *g, sets *out, nrw_error *err)
{
    sets part = {0};
    sql_group_set *set;

    TRY(parts(p, g, &part, err));
    for (uint32_t n = 0; n <= part.n; n++) {
        TRY(new_set(p, out, &set, err));
        for (uint32_t i = 0; i < n; i++)
            TRY(put_all(p, set, &part.at[i], err));
    }
    return NRW_OK;
}

/* The chosen parts, and with them each choice of those from `first` on. */
static nrw_status subsets(sql_parser *p, const sets *part, uint32_t first,
                          const sql_group_set *chosen, sets *out, nrw_error *err)
{
    sql_group_set *set, more;

    TRY(new_set(p, out, &set, err));
    *set = *chosen;
    for (uint32_t i = first; i < part->n; i++) {
        more = (sql_group_set){0};
        TRY(put_all(p, &more, chosen, err));
        TRY(put_all(p, &more, &part->at[i], err));
        TRY(subsets(p, part, i + 1, &more, out, err));
    }
    return NRW_OK;
}

static nrw_status cube(sql_parser *p, groups *g, sets *out, nrw_error *err)
{
    size_t at = sql_peek(p, 0)->at;
    sets part = {0};
    sql_group_set none = {0};

    TRY(parts(p, g, &part, err));
    if (part.n >= MOST_CUBE)
        return sql_fail_at(p, at, err, "CUBE stands for more than %d sets", MOST_SETS);
    return subsets(p, &part, 0, &none, out, err);
}

static nrw_status grouping_sets(sql_parser *p, groups *g, sets *out, nrw_error *err)
{
    sql_group_set *set;

    p->i += 2;
    TRY(sql_want_sign(p, "(", err));
    do {
        sets item = {0};
        TRY(group_item(p, g, &item, err));
        for (uint32_t i = 0; i < item.n; i++) {
            TRY(new_set(p, out, &set, err));
            *set = item.at[i];
        }
    } while (sql_more(p));
    return sql_want_sign(p, ")", err);
}

static nrw_status group_item(sql_parser *p, groups *g, sets *out, nrw_error *err)
{
    sql_group_set *set;
    nrw_status st;

    TRY(sql_enter(p, err));
    if (sql_word_at(p, 0, "rollup") && sql_sign_at(p, 1, "(")) {
        st = rollup(p, g, out, err);
    } else if (sql_word_at(p, 0, "cube") && sql_sign_at(p, 1, "(")) {
        st = cube(p, g, out, err);
    } else if (sql_words_at(p, "grouping", "sets")) {
        st = grouping_sets(p, g, out, err);
    } else {
        TRY(new_set(p, out, &set, err));
        st = put_expr(p, g, set, err);
    }
    sql_leave(p);
    return st;
}

nrw_status sql_group_clause(sql_parser *p, sql_group_by *out, nrw_error *err)
{
    groups g = {.by = out};
    sets all = {0};
    sql_group_set *set;

    out->there = true;
    out->all = sql_take_all(p);
    if (out->all)
        return NRW_OK;
    TRY(new_set(p, &all, &set, err));
    do {
        sets item = {0};
        TRY(group_item(p, &g, &item, err));
        TRY(combine(p, &all, &item, err));
    } while (sql_more(p));
    out->n_sets = all.n;
    out->sets = all.at;
    return NRW_OK;
}
