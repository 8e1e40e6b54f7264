#include "dataset/listing.h"

#include "base/utf8.h"
#include "dataset/hive_name.h"

#include <stdlib.h>

/* A folder's name is at most 255 bytes on any file system; object keys may be longer. */
#define LONGEST 2048

static bool is_key(span written, const char *key)
{
    char name[LONGEST];

    if (written.len > sizeof name)
        return false;
    return span_is((span){(uint8_t *)name, hive_unescape(written, (uint8_t *)name)}, key);
}

/* The first folder of that key. */
static bool find_key(const char *path, const char *key, span *value)
{
    hive_folder f;

    while (hive_next(&path, &f)) {
        if (!is_key(f.key, key))
            continue;
        *value = f.value;
        return true;
    }
    return false;
}

/* ---- which keys ---- */

static int by_name(const void *a, const void *b)
{
    const field *x = a, *y = b;
    int c = strcasecmp(x->name, y->name);

    return c ? c : strcmp(x->name, y->name);
}

static nrw_status first_keys(arena *a, const char *path, field *out, uint32_t *n, nrw_error *err)
{
    const char *at = path;
    hive_folder f;

    while (hive_next(&at, &f)) {
        char name[LONGEST], *kept;
        bool there = false;
        size_t len;
        if (f.key.len > sizeof name)
            continue;
        len = hive_unescape(f.key, (uint8_t *)name);
        for (uint32_t i = 0; i < *n; i++)
            there |= strlen(out[i].name) == len && memcmp(out[i].name, name, len) == 0;
        if (there)
            continue;
        TRY(arena_strndup(a, name, len, &kept, err));
        out[(*n)++] =
            (field){.name = kept, .type = type_of(TYPE_UTF8), .nullable = true, .field_id = -1};
    }
    qsort(out, *n, sizeof *out, by_name);
    return NRW_OK;
}

static uint32_t folders_of(const char *path)
{
    hive_folder f;
    uint32_t n = 0;

    while (hive_next(&path, &f))
        n++;
    return n;
}

static nrw_status other_keys(const char *first, const char *path, const char *key, nrw_error *err)
{
    err_next(err, "give --read hive_partitioning=false to read them without such columns");
    return err_set(err, NRW_E_SCHEMA, "%.300s has folders of other keys than %.300s: %s", path,
                   first, key);
}

/* Every file has the keys of the first one and no others. */
static nrw_status check_keys(const path_list *files, const field *keys, uint32_t n, nrw_error *err)
{
    const uint32_t most = folders_of(files->at[0]);

    for (size_t i = 1; i < files->n; i++) {
        const char *path = files->at[i], *at = path;
        hive_folder f;
        span value;
        for (uint32_t k = 0; k < n; k++)
            if (!find_key(path, keys[k].name, &value))
                return other_keys(files->at[0], path, keys[k].name, err);
        if (folders_of(path) == most && most == n)
            continue;
        while (hive_next(&at, &f)) {
            bool known = false;
            for (uint32_t k = 0; k < n && !known; k++)
                known = is_key(f.key, keys[k].name);
            if (!known) {
                char name[64] = "";
                memcpy(name, f.key.data, size_min(f.key.len, sizeof name - 1));
                return other_keys(files->at[0], path, name, err);
            }
        }
    }
    return NRW_OK;
}

/* ---- their types ---- */

/* A whole number as it is printed: what else BIGINT could be read from does not come back. */
static bool is_plain_number(const char *s, size_t n)
{
    size_t from = n && s[0] == '-';

    if (n == from || n - from > 19 || (s[from] == '0' && n > 1))
        return false;
    for (size_t i = from; i < n; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

/* Words such as `epoch` are dates, too, but not as a folder's name; a date has no time that would
 * be lost, a timestamp no zone. */
static bool may_be(type_id id, const char *s, size_t n)
{
    const char *allowed = id == TYPE_DATE ? "0123456789-" : "0123456789-:. T";
    uint32_t minus = 0;

    if (id == TYPE_INT64)
        return is_plain_number(s, n);
    for (size_t i = 0; i < n; i++) {
        minus += i && s[i] == '-';
        if (!s[i] || !strchr(allowed, s[i]))
            return false;
    }
    return minus == 2;
}

/* A usual date of years 1000 to 9999, without asking the cast. */
static bool is_usual_date(const char *s, size_t n)
{
    return n == 10 && s[0] > '0' && s[4] == '-' && s[7] == '-' &&
           ((s[5] == '0' && s[6] > '0') || (s[5] == '1' && s[6] <= '2')) &&
           ((s[8] == '0' && s[9] > '0') || s[8] == '1' || (s[8] == '2' && s[9] <= '8'));
}

static nrw_status reads_as(arena *a, const type *t, const char *s, size_t n, bool *good,
                           nrw_error *err)
{
    const expr *e;

    *good = false;
    if (!may_be(t->id, s, n))
        return NRW_OK;
    *good = t->id == TYPE_INT64 ? n < 19 : is_usual_date(s, n);
    if (*good)
        return NRW_OK;
    TRY(expr_text(a, (span){(const uint8_t *)s, n}, &e, err));
    TRY(expr_cast(a, e, t, true, &e, err));
    *good = expr_is_constant(e) && e->constant->null_count == 0;
    return NRW_OK;
}

typedef struct candidates {
    type at[3];
    bool out[3];
    size_t values;
} candidates;

static nrw_status try_value(arena *a, candidates *c, const char *s, size_t n, nrw_error *err)
{
    c->values++;
    for (uint32_t i = 0; i < 3; i++) {
        bool good;
        if (c->out[i])
            continue;
        TRY(reads_as(a, &c->at[i], s, n, &good, err));
        c->out[i] = !good;
    }
    return NRW_OK;
}

static nrw_status find_type(arena *scratch_of, const path_list *files, field *key, nrw_error *err)
{
    candidates c = {
        {type_of(TYPE_DATE), type_timestamp(UNIT_US, false), type_of(TYPE_INT64)}, {0}, 0};
    span last = {0};
    nrw_status st = NRW_OK;

    for (size_t i = 0; i < files->n && st >= 0; i++) {
        char text[LONGEST];
        arena *a;
        span value;
        if (!find_key(files->at[i], key->name, &value) || hive_is_null(value) ||
            (last.data && span_equal(value, last)))
            continue;
        last = value;
        if (value.len > sizeof text)
            return NRW_OK;
        if (c.out[0] && c.out[1] && c.out[2])
            return NRW_OK;
        TRY(arena_new(arena_mem(scratch_of), &a, err));
        st = try_value(a, &c, text, hive_unescape(value, (uint8_t *)text), err);
        arena_free(a);
    }
    for (uint32_t i = 3; i-- > 0 && c.values;)
        if (!c.out[i])
            key->type = c.at[i];
    return st;
}

/* ---- types that were given ---- */

static nrw_status bad_types(const char *text, nrw_error *err)
{
    err_next(err, "as in --read \"hive_types={'dt': DATE, 'n': INTEGER}\"");
    return err_set(err, NRW_E_ARG, "hive_types: cannot read %.200s", text);
}

/* A name, in quotes or bare, up to its colon. */
static bool take_key(const char **at, char *name, size_t cap)
{
    const char *p = *at;
    char quote;
    size_t n = 0;

    p += strspn(p, " ,");
    quote = *p == '\'' || *p == '"' ? *p++ : 0;
    while (*p && n + 1 < cap && (quote ? *p != quote || p[1] == quote : !strchr(" :", *p))) {
        p += quote && *p == quote;
        name[n++] = *p++;
    }
    name[n] = '\0';
    p += quote && *p == quote;
    p += strspn(p, " ");
    *at = p + 1;
    return n && *p == ':';
}

/* Up to the comma or brace behind it, over those in parentheses. */
static bool take_type(const char **at, char *name, size_t cap)
{
    const char *p = *at;
    int depth = 0;
    size_t n = 0;

    for (p += strspn(p, " "); *p && (depth || !strchr(",}", *p)) && n + 1 < cap; p++) {
        depth += (*p == '(') - (*p == ')');
        name[n++] = *p;
    }
    while (n && name[n - 1] == ' ')
        n--;
    name[n] = '\0';
    *at = p;
    return n && *p;
}

static nrw_status given_types(const char *text, field *keys, uint32_t n, bool *given,
                              nrw_error *err)
{
    const char *p = text + strspn(text, " ");
    char name[LONGEST], type_name[256];

    if (*p++ != '{')
        return bad_types(text, err);
    while (*(p += strspn(p, " ,")) != '}') {
        uint32_t k = 0;
        if (!take_key(&p, name, sizeof name) || !take_type(&p, type_name, sizeof type_name))
            return bad_types(text, err);
        while (k < n && strcasecmp(keys[k].name, name) != 0)
            k++;
        if (k == n)
            return err_set(err, NRW_E_ARG, "hive_types: no folder has the key %s", name);
        TRY(type_parse(type_name, &keys[k].type, err));
        if (type_is_nested(&keys[k].type))
            return err_set(err, NRW_E_ARG, "hive_types: a key cannot be %s", type_name);
        given[k] = true;
    }
    return p[1 + strspn(p + 1, " ")] ? bad_types(text, err) : NRW_OK;
}

/* ---- the face ---- */

static bool read_bool(const char *value, bool *out)
{
    span s = span_of(value);

    *out = span_is_word(s, "true") || span_is(s, "1");
    return *out || span_is_word(s, "false") || span_is(s, "0");
}

nrw_status listing_option(listing_options *o, span name, const char *value, nrw_error *err)
{
    bool on = false, is_bool = read_bool(value, &on);

    if (span_is_word(name, "hive_types")) {
        o->types = value;
        return NRW_OK;
    }
    if (span_is_word(name, "filename")) {
        o->filename = !is_bool ? value : on ? "filename" : NULL;
        return NRW_OK;
    }
    if (span_is_word(name, "hive_partitioning"))
        o->no_hive = !on;
    else if (span_is_word(name, "hive_types_autocast"))
        o->all_text = !on;
    else
        return NRW_END;
    return is_bool ? NRW_OK
                   : err_set(err, NRW_E_ARG, "%.*s is true or false, not %.100s", (int)name.len,
                             (const char *)name.data, value);
}

static nrw_status open_keys(arena *a, const path_list *files, const listing_options *o, field *keys,
                            uint32_t n, nrw_error *err)
{
    bool *given;

    TRY(check_keys(files, keys, n, err));
    TRY(arena_alloc(a, n + 1, (void **)&given, err));
    if (o->types)
        TRY(given_types(o->types, keys, n, given, err));
    for (uint32_t k = 0; k < n; k++)
        if (!given[k] && !o->all_text)
            TRY(find_type(a, files, &keys[k], err));
    return NRW_OK;
}

nrw_status listing_open(arena *a, const path_list *files, const listing_options *o, listing *out,
                        nrw_error *err)
{
    uint32_t n = 0, most = o->no_hive ? 0 : folders_of(files->at[0]);
    field *keys;

    *out = (listing){.filename = o->filename != NULL};
    TRY(arena_alloc(a, (most + 1) * sizeof *keys, (void **)&keys, err));
    if (!o->no_hive) {
        TRY(first_keys(a, files->at[0], keys, &n, err));
        TRY(open_keys(a, files, o, keys, n, err));
    }
    TRY(schema_new(a, n + out->filename, &out->columns, err));
    if (out->filename)
        out->columns.fields[0] =
            (field){.name = o->filename, .type = type_of(TYPE_UTF8), .field_id = -1};
    memcpy(out->columns.fields + out->filename, keys, n * sizeof *keys);
    return NRW_OK;
}

static nrw_status not_text(const char *path, const char *name, nrw_error *err)
{
    err_at_object(err, path);
    return err_set(err, NRW_E_VALUE, "column %.60s: the path is not UTF-8", name);
}

nrw_status listing_value(const listing *l, const char *path, uint32_t column, arena *a,
                         const expr **out, nrw_error *err)
{
    const field *f = &l->columns.fields[column];
    char text[LONGEST], name[64];
    span value;
    size_t n;

    if (l->filename && column == 0) {
        if (!utf8_valid(path, strlen(path)))
            return not_text(path, f->name, err);
        TRY(expr_text(a, span_of(path), out, err));
        return expr_cast(a, *out, &f->type, false, out, err);
    }
    if (!find_key(path, f->name, &value) || hive_is_null(value)) {
        TRY(expr_null(a, out, err));
        return expr_cast(a, *out, &f->type, false, out, err);
    }
    if (value.len > sizeof text)
        return err_set(err, NRW_E_VALUE, "a folder's name is longer than %d bytes", LONGEST);
    n = hive_unescape(value, (uint8_t *)text);
    if (!utf8_valid(text, n))
        return not_text(path, f->name, err);
    TRY(expr_text(a, (span){(uint8_t *)text, n}, out, err));
    TRY(expr_cast(a, *out, &f->type, false, out, err));
    if (expr_is_constant(*out))
        return NRW_OK;
    type_print(&f->type, name, sizeof name);
    err_at_object(err, path);
    err_next(err, "give its type with --read \"hive_types={'%.60s': VARCHAR}\"", f->name);
    return err_set(err, NRW_E_VALUE, "the folder's %.60s, '%.*s', is not a value of %s", f->name,
                   (int)size_min(n, 100), text, name);
}

/* ---- which files a condition leaves ---- */

/* Paths come in order, so that neighbours mostly have the same keys: the answer is kept. */
typedef struct pruning {
    const listing *l;
    const listing_condition *c;
    mem *m;
    const char *last; /* the path that `keep` is of; NULL: none */
    bool keep;
} pruning;

static bool same_values(const pruning *p, const char *path)
{
    if (!p->last)
        return false;
    for (uint32_t k = 0; k < p->l->columns.n_fields; k++) {
        span a, b;
        if (!p->c->looks_at[k])
            continue;
        if ((k == 0 && p->l->filename) || !find_key(path, p->l->columns.fields[k].name, &a) ||
            !find_key(p->last, p->l->columns.fields[k].name, &b) || !span_equal(a, b))
            return false;
    }
    return true;
}

static nrw_status keeps_path(pruning *p, const char *path, arena *a, nrw_error *err)
{
    const uint32_t n = p->l->columns.n_fields;
    const expr **values;

    TRY(arena_alloc(a, n * sizeof *values + 1, (void **)&values, err));
    for (uint32_t k = 0; k < n; k++)
        if (p->c->looks_at[k])
            TRY(listing_value(p->l, path, k, a, &values[k], err));
    p->last = path;
    return p->c->keeps(p->c->self, values, &p->keep, err);
}

nrw_status listing_prune(arena *a, const listing *l, const path_list *files,
                         const listing_condition *c, path_list *out, nrw_error *err)
{
    pruning p = {l, c, arena_mem(a), NULL, false};
    nrw_status st = NRW_OK;

    *out = (path_list){0};
    TRY(arena_alloc(a, files->n * sizeof *out->at, (void **)&out->at, err));
    out->cap = files->n;
    for (size_t i = 0; i < files->n && st >= 0; i++) {
        if (!same_values(&p, files->at[i])) {
            arena *scratch;
            TRY(arena_new(p.m, &scratch, err));
            st = keeps_path(&p, files->at[i], scratch, err);
            arena_free(scratch);
        }
        if (p.keep)
            out->at[out->n++] = files->at[i];
    }
    if (!out->n)
        out->at[out->n++] = files->at[0];
    return st;
}
