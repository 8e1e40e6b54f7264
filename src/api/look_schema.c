/* schema: columns and types; of several files those that all have, and who differs. */
#include "api/look_table.h"

#include "api/files.h"
#include "base/utf8.h"
#include "expr/keyword.h"
#include "format/avro/avro.h"

#include <string.h>

/* The first file's columns, and which of them all files have alike; then the keys of folders. */
typedef struct common {
    const reader *first;
    const char *name;
    schema s;
    bool *alike;
    bool *key; /* the value comes from the path, whatever files say */
} common;

/* ---- one schema ---- */

static nrw_status print_text(look *l, const common *c, nrw_error *err)
{
    static const look_column columns[] = {
        {"", "name", false}, {"", "type", false}, {"", "nullable", false}};
    look_table t = look_table_of(l, columns, 3, err);

    t.bare = true;
    for (uint32_t i = 0; i < c->s.n_fields; i++) {
        if (!c->alike[i])
            continue;
        look_cell_text(&t, c->s.fields[i].name);
        look_cell_type(&t, &c->s.fields[i].type);
        look_cell_text(&t, c->s.fields[i].nullable ? "" : "NOT NULL");
    }
    return look_table_end(&t);
}

static void text_or_none(look_table *t, const char *text)
{
    if (text)
        look_cell_text(t, text);
    else
        look_cell_none(t);
}

static nrw_status print_json(look *l, const common *c, nrw_error *err)
{
    static const look_column columns[] = {{"", "name", false},     {"", "type", false},
                                          {"", "nullable", false}, {"", "physical", false},
                                          {"", "logical", false},  {"", "field_id", false}};
    look_table t = look_table_of(l, columns, 6, err);

    TRY(look_printf(l, err, "["));
    t.inside = true;
    for (uint32_t i = 0; i < c->s.n_fields; i++) {
        const field *f = &c->s.fields[i];
        const char *physical = NULL, *logical = NULL;
        if (!c->alike[i])
            continue;
        if (!c->key[i])
            c->first->class->spelled(c->first, i, &physical, &logical);
        look_cell_text(&t, f->name);
        look_cell_type(&t, &f->type);
        look_cell_bool(&t, f->nullable);
        text_or_none(&t, physical);
        text_or_none(&t, logical);
        if (f->field_id >= 0)
            look_cell_int(&t, f->field_id);
        else
            look_cell_none(&t);
    }
    TRY(look_table_end(&t));
    return look_printf(l, err, "]\n");
}

/* GRANT is no keyword that DuckDB keeps, but SQL's standard does. */
static bool is_reserved(span name)
{
    keyword_kind kind = keyword_kind_of(name);

    return kind == KEYWORD_RESERVED || kind == KEYWORD_FUNCTION || span_is(name, "grant");
}

static nrw_status put_identifier(look *l, const char *text, size_t len, nrw_error *err)
{
    const span name = {(const uint8_t *)text, len};
    bool plain = len > 0 && len < 60 && !(text[0] >= '0' && text[0] <= '9') && !is_reserved(name);

    for (size_t i = 0; i < len && plain; i++)
        plain = (text[i] >= 'a' && text[i] <= 'z') || text[i] == '_' ||
                (text[i] >= '0' && text[i] <= '9');
    return plain ? bytes_append(&l->line, text, len, err) : bytes_quote(&l->line, name, '"', err);
}

static nrw_status put_type(look *l, const type *ty, nrw_error *err)
{
    size_t n = type_print(ty, NULL, 0);
    TRY(bytes_reserve(&l->line, n + 1, err));
    l->line.len += type_print(ty, (char *)l->line.data + l->line.len, n + 1);
    return NRW_OK;
}

/* The table is called as the file, without folder and extension. */
static nrw_status print_sql(look *l, const common *c, nrw_error *err)
{
    const char *slash = strrchr(c->name, '/'), *name = slash ? slash + 1 : c->name;
    const char *dot = strchr(name + (*name == '.'), '.');
    const char *sep = "";

    TRY(bytes_printf(&l->line, err, "CREATE TABLE "));
    TRY(put_identifier(l, name, dot ? (size_t)(dot - name) : strlen(name), err));
    TRY(bytes_printf(&l->line, err, " ("));
    for (uint32_t i = 0; i < c->s.n_fields; i++) {
        const field *f = &c->s.fields[i];
        if (!c->alike[i])
            continue;
        TRY(bytes_printf(&l->line, err, "%s\n    ", sep));
        TRY(put_identifier(l, f->name, strlen(f->name), err));
        TRY(bytes_append(&l->line, " ", 1, err));
        TRY(put_type(l, &f->type, err));
        TRY(bytes_printf(&l->line, err, "%s", f->nullable ? "" : " NOT NULL"));
        sep = ",";
    }
    TRY(bytes_printf(&l->line, err, "\n);\n"));
    return look_flush_line(l, err);
}

/* Avro's, in JSON: of an Avro file its own, else what a copy would have. */
static nrw_status print_avsc(look *l, const common *c, nrw_error *err)
{
    schema alike = {0};
    span own;

    if (l->files.n == 1 && c->first->class->schema_text &&
        c->first->class->schema_text(c->first, "avsc", &own)) {
        TRY(bytes_append(&l->line, own.data, own.len, err));
    } else {
        TRY(schema_new(l->job->a, c->s.n_fields, &alike, err));
        alike.n_fields = 0;
        for (uint32_t i = 0; i < c->s.n_fields; i++)
            if (c->alike[i])
                alike.fields[alike.n_fields++] = c->s.fields[i];
        TRY(avro_schema_text(l->job->root, &alike, &l->line, err));
    }
    TRY(bytes_append(&l->line, "\n", 1, err));
    return look_flush_line(l, err);
}

static nrw_status print_common(look *l, const common *c, nrw_error *err)
{
    const char *format = job_last(l->job, "format");

    if (l->json)
        return print_json(l, c, err);
    if (format && strcmp(format, "avsc") == 0)
        return print_avsc(l, c, err);
    return format && strcmp(format, "sql") == 0 ? print_sql(l, c, err) : print_text(l, c, err);
}

/* ---- several ---- */

/* Names may come twice: the same place first. */
static int32_t place_of(const schema *s, const char *name, uint32_t likely)
{
    if (likely < s->n_fields && strcmp(s->fields[likely].name, name) == 0)
        return (int32_t)likely;
    for (uint32_t i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

/* Strikes what s has not alike from c; with `l` it tells how s differs. */
static nrw_status compare(common *c, const schema *s, const char *name, look *l, bool *differs,
                          nrw_error *err)
{
    char mine[256], other[256];
    bool moved = false, odd = false;

    for (uint32_t i = 0; i < c->s.n_fields; i++) {
        field *f = &c->s.fields[i];
        if (c->key[i])
            continue;
        int32_t at = place_of(s, f->name, i);
        bool same = at >= 0 && type_equal(&f->type, &s->fields[at].type);
        moved |= at >= 0 && (uint32_t)at != i;
        if (same) {
            f->nullable |= s->fields[at].nullable;
            continue;
        }
        c->alike[i] = false;
        odd = true;
        if (!l)
            continue;
        type_print(&f->type, mine, sizeof mine);
        if (at >= 0)
            type_print(&s->fields[at].type, other, sizeof other);
        TRY(at < 0
                ? look_printf(l, err, "%s: has no column %s\n", name, f->name)
                : look_printf(l, err, "%s: column %s is %s, not %s\n", name, f->name, other, mine));
    }
    for (uint32_t i = 0; i < s->n_fields; i++) {
        if (place_of(&c->s, s->fields[i].name, i) >= 0)
            continue;
        odd = true;
        type_print(&s->fields[i].type, other, sizeof other);
        if (l)
            TRY(look_printf(l, err, "%s: has also column %s, %s\n", name, s->fields[i].name,
                            other));
    }
    if (moved && !odd && l)
        TRY(look_printf(l, err, "%s: has the columns in another order\n", name));
    *differs = odd || moved;
    return NRW_OK;
}

/* Walks the files after the first; with `tell` it prints. */
static nrw_status compare_all(look *l, common *c, bool tell, size_t *differing, nrw_error *err)
{
    *differing = 0;
    for (size_t i = 1; i < l->files.n; i++) {
        bool differs = false;
        reader *r;
        nrw_status st;
        TRY(job_open_file(l->job, l->files.at[i], &r, err));
        st = compare(c, r->class->schema(r), l->files.at[i], tell ? l : NULL, &differs, err);
        r->class->close(r);
        TRY(st);
        *differing += differs;
    }
    return NRW_OK;
}

static nrw_status print_all(look *l, common *c, nrw_error *err)
{
    size_t differing;

    TRY(compare_all(l, c, false, &differing, err));
    TRY(print_common(l, c, err));
    if (!differing)
        return NRW_OK;
    if (!l->json && !job_last(l->job, "format")) {
        TRY(look_printf(l, err, "\n"));
        TRY(compare_all(l, c, true, &differing, err));
    }
    err_at_object(err, c->name);
    return err_set(err, NRW_E_SCHEMA, "%zu of %zu other file%s differ%s from it", differing,
                   l->files.n - 1, l->files.n == 2 ? "" : "s", differing == 1 ? "s" : "");
}

/* Own columns, those of folders in their place or behind them. */
static nrw_status fill(look *l, common *c, const schema *own, nrw_error *err)
{
    arena *a = l->job->a;
    file_set files = {.all = l->files};
    const schema *keys = &files.listing.columns;
    files_words words;

    TRY(files_words_of(l->job, &words, err));
    TRY(files_list(l->job, a, &words, &files, err));
    TRY(schema_new(a, own->n_fields + keys->n_fields, &c->s, err));
    TRY(arena_alloc(a, c->s.n_fields + 1, (void **)&c->alike, err));
    TRY(arena_alloc(a, c->s.n_fields + 1, (void **)&c->key, err));
    memcpy(c->s.fields, own->fields, own->n_fields * sizeof *own->fields);
    c->s.n_fields = own->n_fields;
    for (uint32_t i = 0; i < keys->n_fields; i++) {
        int32_t at = -1;
        for (uint32_t k = 0; k < own->n_fields && at < 0; k++)
            at = strcasecmp(own->fields[k].name, keys->fields[i].name) == 0 ? (int32_t)k : -1;
        if (at < 0)
            at = (int32_t)c->s.n_fields++;
        c->s.fields[at] = keys->fields[i];
        c->key[at] = true;
    }
    memset(c->alike, 1, c->s.n_fields);
    return NRW_OK;
}

nrw_status look_schema(look *l, nrw_error *err)
{
    common c = {.name = l->files.at[0]};
    reader *r;
    nrw_status st;

    TRY(job_open_file(l->job, c.name, &r, err));
    c.first = r;
    st = fill(l, &c, r->class->schema(r), err);
    if (st >= 0)
        st = print_all(l, &c, err);
    r->class->close(r);
    return st;
}
