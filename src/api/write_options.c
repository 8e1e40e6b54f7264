/* The Parquet writing options of a job. */
#include "api/list_item.h"
#include "api/move.h"
#include "api/output.h"

#include "base/base64.h"
#include "codec/codec.h"
#include "column/arrow_schema.h"
#include "format/parquet/leaf_write.h"
#include "format/parquet/written_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Splits "[COLUMN=]VALUE"; the column may be in double quotes. Without one *column is NULL. */
static nrw_status split_column(nrw_job *job, const char *word, char **column, const char **value,
                               nrw_error *err)
{
    const char *eq = word[0] == '"' ? strstr(word + 1, "\"=") : strchr(word, '=');

    *column = NULL;
    *value = word;
    if (!eq)
        return NRW_OK;
    if (word[0] == '"')
        TRY(arena_strndup(job->a, word + 1, (size_t)(eq - word - 1), column, err));
    else
        TRY(arena_strndup(job->a, word, (size_t)(eq - word), column, err));
    *value = eq + (word[0] == '"' ? 2 : 1);
    return NRW_OK;
}

/* What is written, and the options of each leaf of it. */
typedef struct chosen {
    const schema *s;
    pq_leaves leaves;
    pq_column_options *of;
} chosen;

/* How a leaf is called in options: names of columns and fields with dots between them, key and
 * value of maps. Lists add nothing. */
static void leaf_path(const chosen *c, uint32_t leaf, char *out, size_t cap)
{
    const pq_wleaf *l = &c->leaves.at[leaf];
    const field *f = &c->s->fields[l->column];
    size_t n = (size_t)snprintf(out, cap, "%s", f->name);

    for (uint32_t i = 0; i < l->n_route && n < cap; i++) {
        const type *t = &f->type;
        const char *const entry[] = {PQ_KEY_NAME, PQ_VALUE_NAME};
        f = &t->children[l->route[i]];
        if (t->id != TYPE_LIST)
            n += (size_t)snprintf(out + n, cap - n, ".%s",
                                  t->id == TYPE_MAP ? entry[l->route[i]] : f->name);
    }
}

/* Leaves [*first, *end) lie in what is called so: all of a column, or in a part of a nested one. */
static nrw_status option_column(const char *option, const chosen *c, const char *name,
                                uint32_t *first, uint32_t *end, nrw_error *err)
{
    const schema *s = c->s;
    int32_t at = schema_find(s, name);
    size_t len = strlen(name);
    char path[1024];
    const char *near;

    if (at >= 0 && (uint32_t)at < s->n_fields) {
        *first = c->leaves.first[at];
        *end = c->leaves.first[at + 1];
        return NRW_OK;
    }
    *first = *end = 0;
    for (uint32_t i = 0; i < c->leaves.n; i++) {
        leaf_path(c, i, path, sizeof path);
        if (strncasecmp(path, name, len) != 0 || (path[len] && path[len] != '.'))
            continue;
        *first = *end ? *first : i;
        *end = i + 1;
    }
    if (*end)
        return NRW_OK;
    near = schema_nearest(s, name);
    if (near)
        err_next(err, "did you mean %s?", near);
    return err_set(err, NRW_E_ARG, "--%s: there is no column %s in the output", option, name);
}

nrw_status job_codec_level(const char *text, const codec *c, int *out, nrw_error *err)
{
    char *end;
    long level = strtol(text, &end, 10);

    if (end == text || *end || level < c->min_level || level > c->max_level) {
        if (c->min_level == c->max_level)
            return err_set(err, NRW_E_ARG, "--compression: %s has no levels", c->name);
        return err_set(err, NRW_E_ARG, "--compression: levels of %s are %d to %d, not %s", c->name,
                       c->min_level, c->max_level, text);
    }
    *out = (int)level;
    return NRW_OK;
}

static nrw_status parse_codec(const char *value, int32_t *id, int32_t *level, nrw_error *err)
{
    const char *colon = strchr(value, ':');
    const codec *c;
    char name[32];

    snprintf(name, sizeof name, "%.*s", (int)(colon ? (size_t)(colon - value) : strlen(value)),
             value);
    c = codec_by_name(name);
    if (!c) {
        err_next(err, "it is one of zstd snappy gzip lz4 brotli none");
        return err_set(err, NRW_E_ARG, "--compression: there is no codec %s", name);
    }
    if (c->parquet_id == CODEC_LZ4) /* the framing of Hadoop: read, but no longer written */
        c = codec_by_id(CODEC_LZ4_RAW);
    *id = c->parquet_id;
    *level = c->default_level;
    return colon ? job_codec_level(colon + 1, c, level, err) : NRW_OK;
}

static nrw_status compression(nrw_job *job, chosen *c, nrw_error *err)
{
    pq_column_options *columns = c->of;
    const char *level = job_last(job, "compression-level");
    const job_word *w;

    for (size_t i = 0; (w = job_each(job, "compression", i)); i++) {
        const char *value;
        int32_t id = 0, lv = 0;
        uint32_t at = 0, end = c->leaves.n;
        char *name;
        TRY(split_column(job, w->value, &name, &value, err));
        TRY(parse_codec(value, &id, &lv, err));
        if (name)
            TRY(option_column("compression", c, name, &at, &end, err));
        for (; at < end; at++) {
            columns[at].codec = id;
            columns[at].level = lv;
        }
    }
    for (uint32_t i = 0; level && i < c->leaves.n; i++)
        if (columns[i].codec != CODEC_NONE)
            TRY(job_codec_level(level, codec_by_id(columns[i].codec), &columns[i].level, err));
    return NRW_OK;
}

static const struct {
    const char *name;
    int32_t encoding; /* -1: the dictionary, by rule */
} encoding_names[] = {{"plain", PQ_PLAIN},
                      {"dictionary", -1},
                      {"rle_dictionary", -1},
                      {"delta_binary_packed", PQ_DELTA_BINARY_PACKED},
                      {"delta_length_byte_array", PQ_DELTA_LENGTH_BYTE_ARRAY},
                      {"delta_byte_array", PQ_DELTA_BYTE_ARRAY},
                      {"byte_stream_split", PQ_BYTE_STREAM_SPLIT},
                      {"rle", PQ_RLE}};

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char x = *a == '-' ? '_' : *a, y = *b == '-' ? '_' : *b;
        if ((x | 32) != (y | 32) && x != y)
            return false;
    }
    return *a == *b;
}

static nrw_status one_encoding(chosen *c, const char *value, uint32_t at, nrw_error *err)
{
    const size_t n = sizeof encoding_names / sizeof *encoding_names;
    char type_name[64];

    for (size_t i = 0; i < n; i++) {
        if (!same_name(value, encoding_names[i].name))
            continue;
        const field *f = c->leaves.at[at].field;
        if (!pq_encoding_fits(encoding_names[i].encoding, &f->type)) {
            char path[1024];
            leaf_path(c, at, path, sizeof path);
            type_print(&f->type, type_name, sizeof type_name);
            return err_set(err, NRW_E_ARG, "--encoding: %s is not for column %s, which is %s",
                           value, path, type_name);
        }
        c->of[at].encoding = encoding_names[i].encoding;
        c->of[at].dictionary = encoding_names[i].encoding < 0;
        return NRW_OK;
    }
    err_next(err, "it is one of plain dictionary delta_binary_packed delta_length_byte_array "
                  "delta_byte_array byte_stream_split rle");
    return err_set(err, NRW_E_ARG, "--encoding: there is no encoding %s", value);
}

static nrw_status encodings(nrw_job *job, chosen *c, nrw_error *err)
{
    const job_word *w;

    for (size_t i = 0; (w = job_each(job, "encoding", i)); i++) {
        const char *value;
        uint32_t at = 0, end = 0;
        char *name;
        TRY(split_column(job, w->value, &name, &value, err));
        if (!name)
            return err_set(err, NRW_E_ARG, "--encoding takes COLUMN=NAME, not %s", w->value);
        TRY(option_column("encoding", c, name, &at, &end, err));
        for (; at < end; at++)
            TRY(one_encoding(c, value, at, err));
    }
    return NRW_OK;
}

static nrw_status false_positives(nrw_job *job, double *out, nrw_error *err)
{
    const char *text = job_last(job, "bloom-filter-false-positive-ratio");
    char *end;

    *out = 0.01;
    if (!text)
        return NRW_OK;
    *out = strtod(text, &end);
    if (*end == '%' && !end[1])
        *out /= 100;
    else if (*end || end == text)
        *out = 0;
    if (*out >= 1e-9 && *out <= 0.5)
        return NRW_OK;
    return err_set(err, NRW_E_ARG,
                   "--bloom-filter-false-positive-ratio is from 1e-9 to 0.5, not %s", text);
}

static bool bloom_fits(const field *f)
{
    return f->type.id != TYPE_BOOL && f->type.id != TYPE_NULL;
}

static nrw_status one_bloom(chosen *c, const char *name, double ratio, nrw_error *err)
{
    uint32_t at = 0, end = c->leaves.n, n = 0;

    if (strcmp(name, "*") != 0)
        TRY(option_column("bloom-filter", c, name, &at, &end, err));
    for (; at < end; at++)
        if (bloom_fits(c->leaves.at[at].field)) {
            c->of[at].bloom = ratio;
            n++;
        }
    if (n)
        return NRW_OK;
    return err_set(err, NRW_E_ARG, "--bloom-filter: %s has no values to look up, only %s", name,
                   c->leaves.n && c->leaves.at[end - 1].field->type.id == TYPE_BOOL
                       ? "true and false"
                       : "nulls");
}

static nrw_status bloom_filters(nrw_job *job, chosen *c, nrw_error *err)
{
    const job_word *w;
    const char *name;
    double ratio;
    span item;

    TRY(false_positives(job, &ratio, err));
    for (size_t i = 0; (w = job_each(job, "bloom-filter", i)); i++) {
        const char *p = w->value;
        while (list_item_next(&p, &item)) {
            TRY(list_item_column(job->a, item, &name, err));
            if (!name)
                return err_set(err, NRW_E_ARG,
                               "--bloom-filter: cannot read %s as a list of columns", w->value);
            TRY(one_bloom(c, name, ratio, err));
        }
    }
    return NRW_OK;
}

/* Arrow's reader takes keys and values of the file from there, where it is. */
static nrw_status arrow_text(nrw_job *job, const schema *s, const pq_key_value *kv, uint32_t n,
                             pq_key_value *out, nrw_error *err)
{
    bytes message = bytes_init(job->words_mem, INT32_MAX), text = message;
    char *copy = NULL;
    note_pair *pairs;
    nrw_status st;

    TRY(arena_alloc(job->a, n * sizeof *pairs + 1, (void **)&pairs, err));
    for (uint32_t i = 0; i < n; i++)
        pairs[i] = (note_pair){kv[i].key, kv[i].value ? kv[i].value : "", kv[i].value_len};
    st = arrow_schema_write(s, pairs, n, ARROW_IN_PARQUET, &message, err);
    if (st == NRW_OK)
        st = base64_encode((span){message.data, message.len}, &text, err);
    if (st == NRW_OK)
        st = arena_strndup(job->a, (const char *)text.data, text.len, &copy, err);
    *out = (pq_key_value){PQ_ARROW_KEY, copy, text.len};
    bytes_release(&message);
    bytes_release(&text);
    return st;
}

nrw_status job_key_values(nrw_job *job, const key_value *kept, uint32_t n_kept, key_value **out,
                          uint32_t *n_out, nrw_error *err)
{
    key_value *all;
    const job_word *w;
    uint32_t n = 0, more = 0;

    while (job_each(job, "kv-metadata", more))
        more++;
    TRY(arena_alloc(job->a, (n_kept + more + 2) * sizeof *all, (void **)&all, err));
    for (uint32_t i = 0; i < n_kept; i++)
        if (strcmp(kept[i].key, PQ_ARROW_KEY) != 0)
            all[n++] = kept[i];
    for (uint32_t i = 0; i < more; i++) {
        const char *eq;
        uint32_t at;
        char *key;
        w = job_each(job, "kv-metadata", i);
        eq = strchr(w->value, '=');
        if (!eq)
            return err_set(err, NRW_E_ARG, "--kv-metadata takes KEY=VALUE, not %s", w->value);
        TRY(arena_strndup(job->a, w->value, (size_t)(eq - w->value), &key, err));
        for (at = 0; at < n && strcmp(all[at].key, key) != 0; at++)
            ;
        all[at] = (key_value){key, eq + 1, strlen(eq + 1)};
        n += at == n;
    }
    *out = all;
    *n_out = n;
    return NRW_OK;
}

/* ARROW:schema is made anew for the columns that are written, where it says more than Parquet's own
 * schema. */
static nrw_status key_values(nrw_job *job, const schema *s, const pq_key_value *kept,
                             uint32_t n_kept, pq_write_options *o, nrw_error *err)
{
    pq_key_value *all;
    uint32_t n, more;

    TRY(job_key_values(job, kept, n_kept, &all, &n, err));
    for (more = 0; more < n && strcmp(all[more].key, PQ_ARROW_KEY) != 0; more++)
        ;
    if (more == n && arrow_schema_wanted(s)) {
        TRY(arrow_text(job, s, all, n, &all[n], err));
        n++;
    }
    o->key_values = all;
    o->n_key_values = n;
    return NRW_OK;
}

nrw_status job_write_options(nrw_job *job, const schema *s, const key_value *kept, uint32_t n_kept,
                             pq_write_options *o, nrw_error *err)
{
    chosen c = {.s = s};
    uint64_t rows, version, page_version, page, dictionary, cut;

    *o = pq_write_defaults();
    TRY(job_count(job, "row-group-size", 1, INT64_MAX, (uint64_t)o->row_group_rows, &rows, err));
    o->row_group_rows = (int64_t)rows;
    TRY(job_size(job, "row-group-size-bytes", 0, o->row_group_bytes, &o->row_group_bytes, err));
    TRY(job_size(job, "data-page-size-limit", 0, o->page_bytes, &page, err));
    TRY(job_size(job, "dictionary-size-limit", 0, o->dictionary_bytes, &dictionary, err));
    if (page < 1024 || page > (256 << 20))
        return err_set(err, NRW_E_ARG, "--data-page-size-limit is from 1KiB to 256MiB");
    if (dictionary > (256 << 20))
        return err_set(err, NRW_E_ARG, "--dictionary-size-limit is at most 256MiB");
    if (o->row_group_bytes < 4096)
        return err_set(err, NRW_E_ARG, "--row-group-size-bytes is at least 4KiB");
    o->page_bytes = (uint32_t)page;
    o->dictionary_bytes = (uint32_t)dictionary;
    TRY(job_count(job, "parquet-version", 1, 2, 1, &version, err));
    TRY(job_count(job, "data-page-version", 1, 2, version, &page_version, err));
    TRY(job_count(job, "statistics-truncate-length", 1, 65536, o->statistics_truncate, &cut, err));
    o->version = (int)version;
    o->page_version = (int)page_version;
    o->statistics_truncate = (uint32_t)cut;
    o->page_index = job_switch(job, "page-index", true);
    o->page_crc = job_switch(job, "page-checksum", true);
    TRY(pq_leaves_of(s, job->a, &c.leaves, err));
    TRY(arena_alloc(job->a, c.leaves.n * sizeof *c.of + 1, (void **)&c.of, err));
    for (uint32_t i = 0; i < c.leaves.n; i++)
        c.of[i] = (pq_column_options){.codec = CODEC_ZSTD,
                                      .level = 3,
                                      .encoding = -1,
                                      .dictionary = job_switch(job, "dictionary", true),
                                      .statistics = job_switch(job, "statistics", true)};
    TRY(compression(job, &c, err));
    TRY(encodings(job, &c, err));
    TRY(bloom_filters(job, &c, err));
    o->columns = c.of;
    return key_values(job, s, kept, n_kept, o, err);
}
