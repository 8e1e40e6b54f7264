#include "sql/scan_filter.h"

#include "base/buffer.h"
#include "column/print.h"
#include "sql/bind_own.h"

#define TEXT_MAX (1u << 20)

static const char *const operators[] = {"=", "<>", "<", "<=", ">", ">="};
static const char *const turned[] = {"=", "<>", ">", ">=", "<", "<="};

static nrw_status put_name(bytes *out, const plan *p, uint32_t c, nrw_error *err)
{
    return bytes_quote(out, span_of(sql_column_path(p->table, p->table_columns[c])), '"', err);
}

/* Names that come twice cannot be said. */
static bool sayable(const plan *p, uint32_t c)
{
    const schema *s = &p->table->schema;
    const char *path = sql_column_path(p->table, p->table_columns[c]);
    uint32_t same = 0;

    for (uint32_t i = 0; i < s->n_fields + s->n_parts; i++)
        same += strcmp(sql_column_path(p->table, i), path) == 0;
    return same == 1 && (p->table_columns[c] < s->n_fields ||
                         schema_find(s, path) == (int32_t)p->table_columns[c]);
}

static bool is_integer(const type *t)
{
    return (t->id >= TYPE_INT8 && t->id <= TYPE_UINT64) || t->id == TYPE_INT128 ||
           t->id == TYPE_UINT128;
}

/* The column itself, or a cast of it that keeps every value: integers to wider ones. */
static const expr *bare(const expr *e)
{
    while (expr_is_call(e, "cast") && is_integer(&e->type) && is_integer(&e->args[0]->type) &&
           e->type.width > e->args[0]->type.width)
        e = e->args[0];
    return e;
}

static const char *prefix_of(const type *t)
{
    return t->id == TYPE_DATE        ? "DATE "
           : t->id == TYPE_TIMESTAMP ? "TIMESTAMP "
           : t->id == TYPE_TIME      ? "TIME "
                                     : "";
}

/* Constants whose text stands for exactly their value. */
static bool plain(const expr *e)
{
    if (!expr_is_constant(e) || e->constant->null_count)
        return false;
    switch (e->type.id) {
    case TYPE_DATE:
    case TYPE_UTF8:
    case TYPE_DECIMAL:
    case TYPE_FLOAT64: return true;
    case TYPE_TIMESTAMP:
    case TYPE_TIME: return !e->type.utc;
    default: return is_integer(&e->type);
    }
}

static nrw_status put_constant(bytes *out, const expr *e, bool *said, nrw_error *err)
{
    bool quoted = e->type.id != TYPE_DECIMAL && e->type.id != TYPE_FLOAT64 && !is_integer(&e->type);
    span s = flat_span(e->constant, 0);
    size_t from;

    TRY(bytes_printf(out, err, "%s%s", prefix_of(&e->type),
                     quoted && e->type.id != TYPE_UTF8 ? "'" : ""));
    if (e->type.id != TYPE_UTF8) {
        from = out->len;
        TRY(print_value(&e->type, s, out, err));
        /* infinities and years before Christ are not written as literals are */
        for (size_t i = from; i < out->len; i++)
            *said &= out->data[i] < 'A' || out->data[i] == 'e' || out->data[i] == 'E';
        return quoted ? bytes_append(out, "'", 1, err) : NRW_OK;
    }
    *said &= !s.len || !memchr(s.data, 0, s.len);
    return bytes_quote(out, s, '\'', err);
}

/* Types whose literals the condition's language has; floats compare as they are there. */
static bool speaks_of(const expr *column, const expr *constant)
{
    const type *c = &column->type, *k = &constant->type;

    if (is_integer(c))
        return is_integer(k);
    if (c->id == TYPE_DECIMAL)
        return k->id == TYPE_DECIMAL || is_integer(k);
    if (c->id == TYPE_TIMESTAMP || c->id == TYPE_TIME)
        return k->id == c->id && !c->utc;
    return c->id == k->id && (c->id == TYPE_DATE || c->id == TYPE_UTF8 || c->id == TYPE_FLOAT64);
}

static nrw_status put_compare(bytes *out, const plan *p, const expr *e, bool *said, nrw_error *err)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (!expr_is_call(e, operators[i]))
            continue;
        for (int turn = 0; turn < 2; turn++) {
            const expr *c = bare(e->args[turn]), *k = e->args[1 - turn];
            if (c->kind != EXPR_COLUMN || !plain(k) || !speaks_of(c, k) || !sayable(p, c->column))
                continue;
            *said = true;
            TRY(put_name(out, p, c->column, err));
            TRY(bytes_printf(out, err, " %s ", turn ? turned[i] : operators[i]));
            return put_constant(out, k, said, err);
        }
    }
    return NRW_OK;
}

static nrw_status put_null_test(bytes *out, const plan *p, const expr *e, bool *said,
                                nrw_error *err)
{
    bool is = expr_is_call(e, "is null"), is_not = expr_is_call(e, "is not null");

    if ((!is && !is_not) || e->args[0]->kind != EXPR_COLUMN || !sayable(p, e->args[0]->column) ||
        type_is_nested(&e->args[0]->type))
        return NRW_OK;
    *said = true;
    TRY(put_name(out, p, e->args[0]->column, err));
    return bytes_printf(out, err, is ? " IS NULL" : " IS NOT NULL");
}

/* A list of constants; their nulls do not matter, for null is as good as false here. */
static nrw_status put_in(bytes *out, const plan *p, const expr *e, bool *said, nrw_error *err)
{
    const expr *c;
    uint32_t n = 0;

    if (!expr_is_call(e, "in") || !e->n_written)
        return NRW_OK;
    c = bare(e->args[0]);
    if (c->kind != EXPR_COLUMN || !sayable(p, c->column))
        return NRW_OK;
    TRY(put_name(out, p, c->column, err));
    for (uint32_t i = 1; i < e->n_written; i++) {
        const expr *k = e->written[i];
        if (expr_is_constant(k) && k->constant->null_count)
            continue;
        *said = plain(k) && speaks_of(c, k) && out->len <= TEXT_MAX / 2;
        if (!*said)
            return NRW_OK;
        TRY(bytes_printf(out, err, n++ ? ", " : " IN ("));
        TRY(put_constant(out, k, said, err));
        if (!*said)
            return NRW_OK;
    }
    *said = n > 0;
    return bytes_append(out, ")", 1, err);
}

static nrw_status put(bytes *out, const plan *p, const expr *e, bool *said, nrw_error *err)
{
    bool part = false;

    *said = false;
    if (e->kind == EXPR_OR || e->kind == EXPR_AND) {
        for (uint32_t i = 0; i < e->n_args; i++) {
            TRY(bytes_printf(out, err, "%s", i ? (e->kind == EXPR_OR ? " OR " : " AND ") : "("));
            TRY(put(out, p, e->args[i], &part, err));
            if (!part)
                return NRW_OK;
        }
        *said = true;
        return bytes_append(out, ")", 1, err);
    }
    TRY(put_compare(out, p, e, said, err));
    if (!*said)
        TRY(put_in(out, p, e, said, err));
    return *said ? NRW_OK : put_null_test(out, p, e, said, err);
}

nrw_status scan_filter_text(arena *a, const plan *p, const char **text, const expr **rest,
                            nrw_error *err)
{
    bytes out = bytes_init(arena_mem(a), TEXT_MAX);
    char *kept;
    nrw_status st = NRW_OK;

    *text = NULL;
    *rest = NULL;
    for (uint32_t i = 0; st >= 0 && i < p->n_pushed; i++) {
        size_t before = out.len;
        bool said = false;
        if (before)
            st = bytes_append(&out, " AND ", 5, err);
        if (st >= 0)
            st = put(&out, p, p->pushed[i], &said, err);
        if (said)
            continue;
        out.len = before;
        if (st >= 0)
            st = expr_and(a, *rest, p->pushed[i], rest, err);
    }
    if (st >= 0 && out.len) {
        st = arena_strndup(a, (const char *)out.data, out.len, &kept, err);
        *text = kept;
    }
    bytes_release(&out);
    return st;
}
