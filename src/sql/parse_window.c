/* OVER (..), the WINDOW clause, and what the one takes from the other. */
#include "sql/own.h"

static const struct {
    const char *word;
    sql_frame_kind kind;
} frames[] = {{"rows", SQL_FRAME_ROWS}, {"range", SQL_FRAME_RANGE}, {"groups", SQL_FRAME_GROUPS}};

static sql_frame_kind frame_at(const sql_parser *p)
{
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        if (sql_word_at(p, 0, frames[i].word) && !sql_sign_at(p, 1, ")"))
            return frames[i].kind;
    return SQL_FRAME_NONE;
}

/* ---- frames ---- */

static nrw_status bound(sql_parser *p, sql_bound_kind *kind, sql_expr **offset, nrw_error *err)
{
    bool unbounded = sql_take_word(p, "unbounded");

    if (sql_take_words(p, "current", "row")) {
        *kind = SQL_BOUND_CURRENT;
        return NRW_OK;
    }
    if (!unbounded)
        TRY(sql_expr_level(p, SQL_LEVEL_IN + 1, offset, err));
    if (sql_take_word(p, "preceding")) {
        *kind = unbounded ? SQL_BOUND_UNBOUNDED_PRECEDING : SQL_BOUND_PRECEDING;
        return NRW_OK;
    }
    *kind = unbounded ? SQL_BOUND_UNBOUNDED_FOLLOWING : SQL_BOUND_FOLLOWING;
    return sql_take_word(p, "following") ? NRW_OK : sql_expected(p, "PRECEDING or FOLLOWING", err);
}

static nrw_status exclusion(sql_parser *p, sql_window *w, nrw_error *err)
{
    if (!sql_take_word(p, "exclude"))
        return NRW_OK;
    if (sql_take_words(p, "current", "row"))
        w->exclude = SQL_EXCLUDE_CURRENT;
    else if (sql_take_word(p, "group"))
        w->exclude = SQL_EXCLUDE_GROUP;
    else if (sql_take_word(p, "ties"))
        w->exclude = SQL_EXCLUDE_TIES;
    else if (!sql_take_words(p, "no", "others"))
        return sql_expected(p, "CURRENT ROW, GROUP, TIES or NO OTHERS", err);
    return NRW_OK;
}

static nrw_status frame(sql_parser *p, sql_window *w, nrw_error *err)
{
    size_t at = sql_peek(p, 0)->at;

    w->frame = frame_at(p);
    if (w->frame == SQL_FRAME_NONE)
        return NRW_OK;
    p->i++;
    if (sql_take_word(p, "between")) {
        TRY(bound(p, &w->from, &w->from_offset, err));
        TRY(sql_want_word(p, "and", err));
        TRY(bound(p, &w->to, &w->to_offset, err));
    } else {
        TRY(bound(p, &w->from, &w->from_offset, err));
        w->to = SQL_BOUND_CURRENT;
    }
    if (w->from == SQL_BOUND_UNBOUNDED_FOLLOWING || w->to == SQL_BOUND_UNBOUNDED_PRECEDING ||
        w->from > w->to)
        return sql_fail_at(p, at, err, "the frame of the window ends before it begins");
    return exclusion(p, w, err);
}

/* ---- definitions ---- */

/* Whether the name of another window stands first. */
static bool base_at(const sql_parser *p)
{
    return sql_name_at(p, 0, SQL_PLACE_COLUMN) && !sql_words_at(p, "partition", "by") &&
           frame_at(p) == SQL_FRAME_NONE;
}

/* What stands in the parentheses. */
static nrw_status definition(sql_parser *p, sql_window *w, nrw_error *err)
{
    TRY(sql_want_sign(p, "(", err));
    if (base_at(p))
        TRY(sql_take_name(p, SQL_PLACE_COLUMN, "a window", &w->name, err));
    if (sql_take_words(p, "partition", "by"))
        TRY(sql_expr_list(p, &w->partition_by, err));
    if (sql_take_words(p, "order", "by"))
        TRY(sql_order_list(p, &w->order_by, err));
    TRY(frame(p, w, err));
    return sql_want_sign(p, ")", err);
}

nrw_status sql_over(sql_parser *p, sql_expr *call, nrw_error *err)
{
    sql_window *w, **open;

    TRY(arena_alloc(p->a, sizeof *w, (void **)&w, err));
    call->over = w;
    if (sql_sign_at(p, 0, "("))
        TRY(definition(p, w, err));
    else
        TRY(sql_take_name(p, SQL_PLACE_COLUMN, "a window", &w->name, err));
    if (w->name.text.len == 0)
        return NRW_OK;
    TRY(sql_push(p, &p->open, &p->n_open, sizeof *open, &open, err));
    *open = w;
    return NRW_OK;
}

/* ---- names of windows ---- */

/* Takes from the definition what w does not say itself. */
static nrw_status take_over(sql_parser *p, sql_window *w, const sql_window *from, nrw_error *err)
{
    if (w->partition_by.n)
        return sql_fail_at(p, w->name.at, err, "the window it builds on says PARTITION BY already");
    if (w->order_by.n && from->order_by.n)
        return sql_fail_at(p, w->name.at, err, "the window it builds on says ORDER BY already");
    w->partition_by = from->partition_by;
    if (!w->order_by.n)
        w->order_by = from->order_by;
    if (w->frame == SQL_FRAME_NONE) {
        w->frame = from->frame;
        w->from = from->from;
        w->to = from->to;
        w->from_offset = from->from_offset;
        w->to_offset = from->to_offset;
        w->exclude = from->exclude;
    }
    return NRW_OK;
}

static nrw_status resolve(sql_parser *p, sql_window *w, const sql_query *q, nrw_error *err)
{
    for (uint32_t i = 0; q && i < q->n_windows; i++)
        if (span_alike(q->windows[i].name.text, w->name.text))
            return take_over(p, w, &q->windows[i].window, err);
    return sql_fail_at(p, w->name.at, err, "there is no window %.*s in the query's WINDOW clause",
                       (int)size_min(w->name.text.len, 60), (const char *)w->name.text.data);
}

nrw_status sql_window_clause(sql_parser *p, sql_query *q, nrw_error *err)
{
    sql_named_window *named, w;

    do {
        w = (sql_named_window){0};
        TRY(sql_take_name(p, SQL_PLACE_COLUMN, "the name of a window", &w.name, err));
        TRY(sql_want_word(p, "as", err));
        TRY(definition(p, &w.window, err));
        if (w.window.name.text.len)
            TRY(resolve(p, &w.window, q, err));
        for (uint32_t i = 0; i < q->n_windows; i++)
            if (span_alike(q->windows[i].name.text, w.name.text))
                return sql_fail_at(p, w.name.at, err, "this name has a window already");
        TRY(sql_push(p, &q->windows, &q->n_windows, sizeof w, &named, err));
        *named = w;
    } while (sql_more(p));
    return NRW_OK;
}

nrw_status sql_windows_end(sql_parser *p, const sql_query *q, nrw_error *err)
{
    for (uint32_t i = 0; i < p->n_open; i++)
        TRY(resolve(p, p->open[i], q, err));
    p->n_open = 0;
    p->open = NULL;
    return NRW_OK;
}
