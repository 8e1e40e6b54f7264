/* inspect of formats whose readers tell what they are like: an object or a list of facts a file. */
#include "api/look_table.h"

#include "base/text.h"

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
        if (x->kind == FACT_TEXT)
            look_cell_text(&t, x->text);
        else if (x->kind == FACT_BYTES)
            look_cell_size(&t, x->n);
        else
            look_cell_int(&t, (int64_t)x->n);
    }
    return look_table_end(&t);
}

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

nrw_status look_facts(look *l, const char *path, reader *r, nrw_error *err)
{
    facts f;

    TRY(r->class->facts(r, l->job->root, &f, err));
    TRY(l->json ? facts_json(l, path, &f, err) : facts_text(l, path, &f, err));
    if (job_switch(l->job, "metadata", false))
        TRY(metadata(l, r, err));
    return l->json ? look_printf(l, err, "}\n") : NRW_OK;
}
