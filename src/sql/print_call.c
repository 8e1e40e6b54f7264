/* Calls and stars as DuckDB prints them. */
#include "sql/own.h"

/* ---- names ---- */

/* Names that are printed otherwise than in lower case. */
static const char *special_name(const sql_expr *e)
{
    static const char *const names[][2] = {
        {"coalesce", "COALESCE"}, {"grouping", "GROUPING"}, {"try", "TRY"}};
    span name = e->name.text;

    if (e->names.n)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_is_word(name, names[i][0]))
            return names[i][1];
    if (span_is_word(name, "ifnull") && e->args.n == 2)
        return "COALESCE";
    if (span_is_word(name, "count") && !e->args.n && !e->over)
        return "count_star";
    if (e->within_group && span_is_word(name, "percentile_cont"))
        return "quantile_cont";
    if (e->within_group && span_is_word(name, "percentile_disc"))
        return "quantile_disc";
    return NULL;
}

static nrw_status function_name(bytes *b, const sql_expr *e, nrw_error *err)
{
    const char *special = special_name(e);
    bytes lower = bytes_init(b->m, b->max);
    nrw_status st = NRW_OK;

    if (special)
        return sql_print_text(b, special, err);
    for (size_t i = 0; i < e->name.text.len && st == NRW_OK; i++) {
        uint8_t c = ascii_lower(e->name.text.data[i]);
        st = bytes_append(&lower, &c, 1, err);
    }
    if (st == NRW_OK)
        st = sql_print_name(b, (span){lower.data, lower.len}, err);
    bytes_release(&lower);
    return st;
}

/* ---- ORDER BY ---- */

static nrw_status order(bytes *b, const sql_order *o, nrw_error *err)
{
    if (o->by)
        TRY(sql_print(b, o->by, err));
    else
        TRY(sql_print_text(b, "COLUMNS(*)", err));
    TRY(sql_print_text(b, o->descending ? " DESC" : o->ascending ? " ASC" : "", err));
    return sql_print_text(b,
                          o->nulls_first  ? " NULLS FIRST"
                          : o->nulls_last ? " NULLS LAST"
                                          : "",
                          err);
}

nrw_status sql_print_order(bytes *b, const sql_orders *o, nrw_error *err)
{
    TRY(sql_print_text(b, "ORDER BY ", err));
    for (uint32_t i = 0; i < o->n; i++) {
        TRY(sql_print_text(b, i ? ", " : "", err));
        TRY(order(b, &o->at[i], err));
    }
    return NRW_OK;
}

/* ---- windows ---- */

static nrw_status bound(bytes *b, sql_bound_kind kind, const sql_expr *offset, nrw_error *err)
{
    static const char *const words[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW",
                                        " FOLLOWING", "UNBOUNDED FOLLOWING"};

    if (offset)
        TRY(sql_print(b, offset, err));
    return sql_print_text(b, words[kind], err);
}

static bool is_default_frame(const sql_window *w)
{
    return w->frame == SQL_FRAME_NONE ||
           (w->frame == SQL_FRAME_RANGE && w->from == SQL_BOUND_UNBOUNDED_PRECEDING &&
            w->to == SQL_BOUND_CURRENT && w->exclude == SQL_EXCLUDE_NONE);
}

static nrw_status frame(bytes *b, const sql_window *w, nrw_error *err)
{
    static const char *const kinds[] = {"", "ROWS BETWEEN ", "RANGE BETWEEN ", "GROUPS BETWEEN "};
    static const char *const excludes[] = {"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP",
                                           " EXCLUDE TIES"};

    TRY(sql_print_text(b, kinds[w->frame], err));
    TRY(bound(b, w->from, w->from_offset, err));
    TRY(sql_print_text(b, " AND ", err));
    TRY(bound(b, w->to, w->to_offset, err));
    return sql_print_text(b, excludes[w->exclude], err);
}

static nrw_status over(bytes *b, const sql_window *w, nrw_error *err)
{
    const char *between = "";

    TRY(sql_print_text(b, " OVER (", err));
    if (w->partition_by.n) {
        TRY(sql_print_text(b, "PARTITION BY ", err));
        TRY(sql_print_list(b, &w->partition_by, err));
        between = " ";
    }
    if (w->order_by.n) {
        TRY(sql_print_text(b, between, err));
        TRY(sql_print_order(b, &w->order_by, err));
        between = " ";
    }
    if (!is_default_frame(w)) {
        TRY(sql_print_text(b, between, err));
        TRY(frame(b, w, err));
    }
    return sql_print_text(b, ")", err);
}

/* ---- calls ---- */

static nrw_status arguments(bytes *b, const sql_expr *e, nrw_error *err)
{
    for (uint32_t i = 0; i < e->args.n; i++) {
        TRY(sql_print_text(b, i ? ", " : "", err));
        if (e->arg_names.n && e->arg_names.at[i].text.len) {
            TRY(sql_print_name(b, e->arg_names.at[i].text, err));
            TRY(sql_print_text(b, " := ", err));
        }
        TRY(sql_print(b, e->args.at[i], err));
    }
    return NRW_OK;
}

/* WITHIN GROUP of a quantile is printed as the ORDER BY that it comes to. */
static bool order_is_outside(const sql_expr *e)
{
    return e->within_group && !special_name(e);
}

nrw_status sql_print_call(bytes *b, const sql_expr *e, nrw_error *err)
{
    TRY(sql_print_path(b, &e->names, err));
    TRY(sql_print_text(b, e->names.n ? "." : "", err));
    TRY(function_name(b, e, err));
    TRY(sql_print_text(b, e->distinct ? "(DISTINCT " : "(", err));
    TRY(arguments(b, e, err));
    if (e->order_by.n && !order_is_outside(e)) {
        TRY(sql_print_text(b, e->args.n ? " " : "", err));
        TRY(sql_print_order(b, &e->order_by, err));
    }
    TRY(sql_print_text(b, e->ignore_nulls ? " IGNORE NULLS)" : ")", err));
    if (order_is_outside(e)) {
        TRY(sql_print_text(b, " WITHIN GROUP ( ", err));
        TRY(sql_print_order(b, &e->order_by, err));
        TRY(sql_print_text(b, ")", err));
    }
    if (e->filter) {
        TRY(sql_print_text(b, " FILTER (WHERE ", err));
        TRY(sql_print(b, e->filter, err));
        TRY(sql_print_text(b, ")", err));
    }
    return e->over ? over(b, e->over, err) : NRW_OK;
}

/* ---- stars ---- */

static nrw_status replaced(bytes *b, const sql_expr *e, nrw_error *err)
{
    for (uint32_t i = 0; i < e->replace.n; i++) {
        TRY(sql_print_text(b, i ? ", " : " REPLACE (", err));
        TRY(sql_print(b, e->replace.at[i], err));
        TRY(sql_print_text(b, " AS ", err));
        TRY(sql_print_name(b, e->replace_names.at[i].text, err));
    }
    return sql_print_text(b, e->replace.n ? ")" : "", err);
}

static nrw_status renamed(bytes *b, const sql_expr *e, nrw_error *err)
{
    for (uint32_t i = 0; i < e->rename_from.n; i++) {
        TRY(sql_print_text(b, i ? ", " : " RENAME (", err));
        TRY(sql_print_name(b, e->rename_from.at[i].text, err));
        TRY(sql_print_text(b, " AS ", err));
        TRY(sql_print_name(b, e->rename_to.at[i].text, err));
    }
    return sql_print_text(b, e->rename_from.n ? ")" : "", err);
}

nrw_status sql_print_star(bytes *b, const sql_expr *e, nrw_error *err)
{
    if (e->args.n) {
        TRY(sql_print_text(b, e->unpack ? "*COLUMNS(" : "COLUMNS(", err));
        TRY(sql_print(b, e->args.at[0], err));
        return sql_print_text(b, ")", err);
    }
    TRY(sql_print_path(b, &e->names, err));
    TRY(sql_print_text(b, e->names.n ? ".*" : "*", err));
    if (e->exclude.n) {
        TRY(sql_print_text(b, " EXCLUDE (", err));
        TRY(sql_print_names(b, &e->exclude, err));
        TRY(sql_print_text(b, ")", err));
    }
    TRY(replaced(b, e, err));
    return renamed(b, e, err);
}
