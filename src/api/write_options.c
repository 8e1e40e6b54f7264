/* The Parquet writing options of a job. */
#include "api/move.h"

#include "codec/codec.h"
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

static nrw_status option_column(const char *option, const schema *s, const char *name,
                                uint32_t *out, nrw_error *err)
{
    int32_t at = schema_find(s, name);
    const char *near;

    if (at >= 0) {
        *out = (uint32_t)at;
        return NRW_OK;
    }
    near = schema_nearest(s, name);
    if (near)
        err_next(err, "did you mean %s?", near);
    return err_set(err, NRW_E_ARG, "--%s: there is no column %s in the output", option, name);
}

static nrw_status parse_level(const char *text, const codec *c, int32_t *out, nrw_error *err)
{
    char *end;
    long level = strtol(text, &end, 10);

    if (end == text || *end || level < c->min_level || level > c->max_level) {
        if (c->min_level == c->max_level)
            return err_set(err, NRW_E_ARG, "--compression: %s has no levels", c->name);
        return err_set(err, NRW_E_ARG, "--compression: levels of %s are %d to %d, not %s", c->name,
                       c->min_level, c->max_level, text);
    }
    *out = (int32_t)level;
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
    return colon ? parse_level(colon + 1, c, level, err) : NRW_OK;
}

static nrw_status compression(nrw_job *job, const schema *s, pq_column_options *columns,
                              nrw_error *err)
{
    const char *level = job_last(job, "compression-level");
    const job_word *w;

    for (size_t i = 0; (w = job_each(job, "compression", i)); i++) {
        const char *value;
        int32_t id = 0, lv = 0;
        uint32_t at = 0, end = s->n_fields;
        char *name;
        TRY(split_column(job, w->value, &name, &value, err));
        TRY(parse_codec(value, &id, &lv, err));
        if (name) {
            TRY(option_column("compression", s, name, &at, err));
            end = at + 1;
        }
        for (; at < end; at++) {
            columns[at].codec = id;
            columns[at].level = lv;
        }
    }
    for (uint32_t i = 0; level && i < s->n_fields; i++)
        if (columns[i].codec != CODEC_NONE)
            TRY(parse_level(level, codec_by_id(columns[i].codec), &columns[i].level, err));
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

/* May values of this physical type be written so? (Encodings.md of the format) */
static bool encoding_fits(int32_t encoding, const field *f)
{
    pq_physical p = pq_written_type_of(&f->type).physical;

    switch (encoding) {
    case PQ_DELTA_BINARY_PACKED: return p == PQ_INT32 || p == PQ_INT64;
    case PQ_DELTA_LENGTH_BYTE_ARRAY: return p == PQ_BYTE_ARRAY;
    case PQ_DELTA_BYTE_ARRAY: return p == PQ_BYTE_ARRAY || p == PQ_FIXED_LEN_BYTE_ARRAY;
    case PQ_BYTE_STREAM_SPLIT: return p != PQ_BOOLEAN && p != PQ_BYTE_ARRAY;
    case PQ_RLE: return p == PQ_BOOLEAN;
    case -1: return p != PQ_BOOLEAN;
    default: return true;
    }
}

static nrw_status one_encoding(const schema *s, const char *value, uint32_t at,
                               pq_column_options *columns, nrw_error *err)
{
    const size_t n = sizeof encoding_names / sizeof *encoding_names;
    char type_name[64];

    for (size_t i = 0; i < n; i++) {
        if (!same_name(value, encoding_names[i].name))
            continue;
        if (!encoding_fits(encoding_names[i].encoding, &s->fields[at])) {
            type_print(&s->fields[at].type, type_name, sizeof type_name);
            return err_set(err, NRW_E_ARG, "--encoding: %s is not for column %s, which is %s",
                           value, s->fields[at].name, type_name);
        }
        columns[at].encoding = encoding_names[i].encoding;
        columns[at].dictionary = encoding_names[i].encoding < 0;
        return NRW_OK;
    }
    err_next(err, "it is one of plain dictionary delta_binary_packed delta_length_byte_array "
                  "delta_byte_array byte_stream_split rle");
    return err_set(err, NRW_E_ARG, "--encoding: there is no encoding %s", value);
}

static nrw_status encodings(nrw_job *job, const schema *s, pq_column_options *columns,
                            nrw_error *err)
{
    const job_word *w;

    for (size_t i = 0; (w = job_each(job, "encoding", i)); i++) {
        const char *value;
        uint32_t at = 0;
        char *name;
        TRY(split_column(job, w->value, &name, &value, err));
        if (!name)
            return err_set(err, NRW_E_ARG, "--encoding takes COLUMN=NAME, not %s", w->value);
        TRY(option_column("encoding", s, name, &at, err));
        TRY(one_encoding(s, value, at, columns, err));
    }
    return NRW_OK;
}

/* Those of the first input are kept, --kv-metadata adds or replaces. ARROW:schema describes other
 * columns than those written, so it is not. */
static nrw_status key_values(nrw_job *job, const pq_key_value *kept, uint32_t n_kept,
                             pq_write_options *o, nrw_error *err)
{
    pq_key_value *all;
    const job_word *w;
    uint32_t n = 0, more = 0;

    while (job_each(job, "kv-metadata", more))
        more++;
    TRY(arena_alloc(job->a, (n_kept + more + 1) * sizeof *all, (void **)&all, err));
    for (uint32_t i = 0; i < n_kept; i++)
        if (strcmp(kept[i].key, "ARROW:schema") != 0)
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
        all[at] = (pq_key_value){key, eq + 1, strlen(eq + 1)};
        n += at == n;
    }
    o->key_values = all;
    o->n_key_values = n;
    return NRW_OK;
}

nrw_status job_write_options(nrw_job *job, const schema *s, const pq_key_value *kept,
                             uint32_t n_kept, pq_write_options *o, nrw_error *err)
{
    pq_column_options *columns;
    uint64_t rows, version, page, dictionary;

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
    o->version = (int)version;
    o->page_index = job_switch(job, "page-index", true);
    o->page_crc = job_switch(job, "page-checksum", true);
    TRY(arena_alloc(job->a, s->n_fields * sizeof *columns + 1, (void **)&columns, err));
    for (uint32_t i = 0; i < s->n_fields; i++)
        columns[i] = (pq_column_options){.codec = CODEC_ZSTD,
                                         .level = 3,
                                         .encoding = -1,
                                         .dictionary = job_switch(job, "dictionary", true),
                                         .statistics = job_switch(job, "statistics", true)};
    TRY(compression(job, s, columns, err));
    TRY(encodings(job, s, columns, err));
    o->columns = columns;
    return key_values(job, kept, n_kept, o, err);
}
