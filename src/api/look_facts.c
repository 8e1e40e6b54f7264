/* inspect of formats whose readers tell what they are like: an object or a list of facts a file. */
#include "api/look_table.h"

#include "base/text.h"
#include "column/note.h"

#include <string.h>

static nrw_status facts_json(look *l, const char *path, const facts *f, nrw_error *err)
{
    TRY(bytes_printf(&l->line, err, "{\"file\":"));
    TRY(look_json_string(l, path, strlen(path), err));
    for (uint32_t i = 0; i < f->n; i++) {
        const fact *x = &f->at[i];
        TRY(bytes_printf(&l->line, err, ",\"%s\":", x->key));
        TRY(x->kind == FACT_TEXT ? look_json_string(l, x->text, strlen(x->text), err)
                                 : bytes_printf(&l->line, err, "%llu", (unsigned long long)x->n));
    }
    return look_flush_line(l, err);
}

static void fact_cell(look_table *t, const fact *x)
{
    if (x->kind == FACT_TEXT)
        look_cell_text(t, x->text);
    else if (x->kind == FACT_BYTES)
        look_cell_size(t, x->n);
    else
        look_cell_int(t, (int64_t)x->n);
}

static nrw_status facts_text(look *l, const char *path, const facts *f, nrw_error *err)
{
    static const look_column columns[] = {{"", NULL, false}, {"", NULL, true}};
    look_table t;

    TRY(look_printf(l, err, "%s\n", path));
    t = look_table_of(l, columns, 2, err);
    t.bare = true;
    for (uint32_t i = 0; i < f->n; i++) {
        const fact *x = &f->at[i];
        look_cell_text(&t, x->title);
        fact_cell(&t, x);
    }
    return look_table_end(&t);
}

/* NULL as key: the parts. */
static const fact *find_fact(const facts *f, const char *key)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (key ? strcmp(f->at[i].key, key) == 0 : f->at[i].kind == FACT_PARTS)
            return &f->at[i];
    return NULL;
}

nrw_status look_facts_row(look_table *t, const char *path, reader *r, nrw_error *err)
{
    static const char *const keys[] = {"format", "rows", NULL, "n_columns", "bytes", "codec"};
    facts f;

    TRY(r->class->facts(r, t->l->job->root, &f, err));
    look_cell_text(t, path);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const fact *x = find_fact(&f, keys[i]);
        if (x)
            fact_cell(t, x);
        else
            look_cell_none(t);
    }
    return NRW_OK;
}

/* ---- columns and stretches ---- */

typedef struct place {
    look_table *t;
    const schema *s;
    int64_t number;
} place;

static const look_column column_columns[] = {
    {"column", "name", false}, {"type", "type", false},  {"stored", "stored", false},
    {"bytes", "bytes", true},  {"nulls", "nulls", true}, {"dictionary", "entries", true}};

static nrw_status column_row(void *self, const column_facts *c, nrw_error *err)
{
    const place *p = self;
    look_table *t = p->t;

    (void)err;
    look_cell_text(t, p->s->fields[c->column].name);
    look_cell_type(t, &p->s->fields[c->column].type);
    look_cell_text(t, c->stored);
    look_cell_size(t, c->bytes);
    look_cell_maybe(t, c->nulls);
    look_cell_maybe(t, c->entries);
    return t->st;
}

static const look_column stretch_columns[] = {{"record batch", "record_batch", true},
                                              {"rows", "rows", true},
                                              {"first row", "first_row", true},
                                              {"buffers", "buffers", true},
                                              {"codec", "codec", false},
                                              {"from byte", "start", true},
                                              {"to byte", "end", true}};

static nrw_status stretch_row(void *self, const stretch_facts *s, nrw_error *err)
{
    place *p = self;
    look_table *t = p->t;

    (void)err;
    look_cell_int(t, p->number++);
    look_cell_int(t, s->rows);
    look_cell_int(t, s->first_row);
    look_cell_size(t, s->bytes);
    look_cell_text(t, s->codec);
    look_cell_int(t, (int64_t)s->start);
    look_cell_int(t, (int64_t)s->end);
    return t->st;
}

/* A list in the object of the file, or a table behind an empty line. */
static nrw_status print_columns(look *l, reader *r, nrw_error *err)
{
    look_table t = look_table_of(l, column_columns, 6, err);
    place p = {.t = &t, .s = r->class->schema(r)};
    nrw_status st;

    TRY(look_printf(l, err, l->json ? ",\"columns\":[" : "\n"));
    t.inside = true;
    st = r->class->columns(r, l->job->root, column_row, &p, err);
    t.st = st < 0 ? st : t.st;
    TRY(look_table_end(&t));
    return look_printf(l, err, l->json ? "]" : "");
}

static nrw_status print_stretches(look *l, reader *r, nrw_error *err)
{
    look_table t = look_table_of(l, stretch_columns, 7, err);
    place p = {.t = &t};
    nrw_status st;

    TRY(look_printf(l, err, l->json ? ",\"record_batches\":[" : "\n"));
    t.inside = true;
    st = r->class->stretches(r, l->job->root, stretch_row, &p, err);
    t.st = st < 0 ? st : t.st;
    TRY(look_table_end(&t));
    return look_printf(l, err, l->json ? "]" : "");
}

/* ---- metadata ---- */

/* Keys and values, and the schema as the file has it. */
static nrw_status metadata(look *l, reader *r, nrw_error *err)
{
    static const look_column columns[] = {{"key", "key", false}, {"value", "value", false}};
    look_table t;
    carried c = {0};
    span text;

    if (r->class->schema_text && r->class->schema_text(r, "avsc", &text)) {
        TRY(look_printf(l, err, l->json ? ",\"schema\":" : "\n"));
        TRY(l->json ? look_json_string(l, (const char *)text.data, text.len, err)
                    : bytes_append(&l->line, text.data, text.len, err));
        TRY(look_flush_line(l, err));
        TRY(look_printf(l, err, l->json ? "" : "\n"));
    }
    if (r->class->carries)
        TRY(r->class->carries(r, l->job->a, &c, err));
    TRY(look_printf(l, err, l->json ? ",\"metadata\":[" : c.n_key_values ? "\n" : ""));
    t = look_table_of(l, columns, 2, err);
    t.inside = true;
    t.bare = c.n_key_values == 0;
    for (uint32_t i = 0; i < c.n_key_values; i++) {
        const key_value *kv = &c.key_values[i];
        look_cell_text(&t, kv->key);
        look_cell_bytes(&t, (span){(const uint8_t *)kv->value, kv->value_len});
    }
    TRY(look_table_end(&t));
    return look_printf(l, err, l->json ? "]" : "");
}

/* Metadata of columns, where there are any. */
static nrw_status column_metadata(look *l, const schema *s, nrw_error *err)
{
    static const look_column columns[] = {
        {"column", "column", false}, {"key", "key", false}, {"value", "value", false}};
    look_table t = look_table_of(l, columns, 3, err);
    bool any = false;

    for (uint32_t i = 0; i < s->n_fields && t.st >= 0; i++) {
        const field_note *note = s->fields[i].note;
        for (uint32_t k = 0; note && k < note->n_pairs; k++) {
            if (!any)
                TRY(look_printf(l, err, l->json ? ",\"column_metadata\":[" : "\n"));
            any = true;
            t.inside = true;
            look_cell_text(&t, s->fields[i].name);
            look_cell_text(&t, note->pairs[k].key);
            look_cell_bytes(
                &t, (span){(const uint8_t *)note->pairs[k].value, note->pairs[k].value_len});
        }
    }
    t.bare = !any;
    TRY(look_table_end(&t));
    return look_printf(l, err, any && l->json ? "]" : "");
}

/* ---- a file ---- */

/* What was asked for is there to be told. */
static nrw_status check_options(look *l, const reader *r, nrw_error *err)
{
    const char *name = r->class->name;

    if (job_switch(l->job, "pages", false))
        return err_set(err, NRW_E_ARG, "--pages is for Parquet, this is %s", name);
    if (job_switch(l->job, "columns", false) && !r->class->columns)
        return err_set(err, NRW_E_ARG, "--columns is for Parquet and Arrow, this is %s", name);
    if (job_switch(l->job, "row-groups", false) && !r->class->stretches)
        return err_set(err, NRW_E_ARG, "--row-groups is for Parquet and Arrow, this is %s", name);
    return NRW_OK;
}

nrw_status look_facts(look *l, const char *path, reader *r, bool columns, nrw_error *err)
{
    facts f;

    TRY(check_options(l, r, err));
    TRY(r->class->facts(r, l->job->root, &f, err));
    TRY(l->json ? facts_json(l, path, &f, err) : facts_text(l, path, &f, err));
    if (columns && r->class->columns)
        TRY(print_columns(l, r, err));
    if (job_switch(l->job, "row-groups", false))
        TRY(print_stretches(l, r, err));
    if (job_switch(l->job, "metadata", false)) {
        TRY(metadata(l, r, err));
        TRY(column_metadata(l, r->class->schema(r), err));
    }
    return l->json ? look_printf(l, err, "}\n") : NRW_OK;
}
