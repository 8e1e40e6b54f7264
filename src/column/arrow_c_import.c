/* C's schemas to IPC's. Texts of somebody else are read to their ends, nothing else of them is
 * believed: what a format says is checked when the message is read. */
#include "column/arrow_c_formats.h"
#include "column/arrow_c_schema.h"
#include "column/arrow_put.h"
#include "column/arrow_schema.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 64 };

typedef struct importing {
    bytes *out;
    int64_t dictionaries;
    int depth;
} importing;

static bool is_instant(const char *format, arrow_type *t)
{
    const char *unit;

    if (strncmp(format, "ts", 2) != 0 || !format[2] || format[3] != ':' ||
        !(unit = strchr(c_units, format[2])))
        return false;
    t->id = ARROW_TIMESTAMP;
    arrow_type_add(t, 2, unit - c_units);
    if (format[4]) {
        t->zone = format + 4;
        arrow_type_add(t, 0, 0);
    }
    return true;
}

static bool is_decimal(const char *format, arrow_type *t)
{
    int precision, scale, bits = 128, used = 0;

    if (sscanf(format, "d:%9d,%9d%n,%4d%n", &precision, &scale, &used, &bits, &used) < 2 ||
        format[used])
        return false;
    t->id = ARROW_DECIMAL;
    arrow_type_add(t, 4, precision);
    arrow_type_add(t, 4, scale);
    arrow_type_add(t, 4, bits);
    return true;
}

static bool is_counted(const char *format, const char *before, uint8_t id, arrow_type *t)
{
    size_t n = strlen(before);
    char *end;
    long count;

    if (strncmp(format, before, n) != 0)
        return false;
    count = strtol(format + n, &end, 10);
    if (*end || end == format + n || count < 0 || count > INT32_MAX)
        return false;
    t->id = id;
    arrow_type_add(t, 4, count);
    return true;
}

static bool is_union(const char *format, arrow_type *t)
{
    if (strncmp(format, "+us:", 4) != 0 && strncmp(format, "+ud:", 4) != 0)
        return false;
    t->id = ARROW_UNION;
    arrow_type_add(t, 2, format[2] == 'd');
    return true;
}

static nrw_status type_of_format(const struct ArrowSchema *s, arrow_type *t, nrw_error *err)
{
    const char *format = s->format;

    *t = (arrow_type){0};
    if (strcmp(format, "+m") == 0) {
        t->id = ARROW_MAP;
        arrow_type_add(t, 1, (s->flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0);
        return NRW_OK;
    }
    for (size_t i = 0; i < C_FORMATS; i++) {
        if (strcmp(c_formats[i].text, format) != 0)
            continue;
        t->id = c_formats[i].id;
        for (int k = 0; k < c_formats[i].n; k++)
            arrow_type_add(t, c_formats[i].f[k].bytes, c_formats[i].f[k].value);
        return NRW_OK;
    }
    if (is_instant(format, t) || is_decimal(format, t) || is_union(format, t) ||
        is_counted(format, "w:", ARROW_FIXED_BINARY, t) ||
        is_counted(format, "+w:", ARROW_FIXED_LIST, t))
        return NRW_OK;
    err_at_column(err, s->name ? s->name : "");
    return err_set(err, NRW_E_UNSUPPORTED, "the Arrow format '%.60s' is not known", format);
}

/* ---- metadata ---- */

static nrw_status put_metadata(importing *w, uint32_t at, const char *metadata, nrw_error *err)
{
    int32_t n = 0, len;
    uint32_t first;

    if (metadata)
        memcpy(&n, metadata, sizeof n);
    if (n < 0)
        return err_set(err, NRW_E_SCHEMA, "the metadata of an Arrow schema are damaged");
    TRY(flat_put_refs(w->out, at, (uint32_t)n, &first, err));
    metadata += n ? sizeof n : 0;
    for (int32_t i = 0; i < n; i++) {
        span pair[2];
        for (int k = 0; k < 2; k++) {
            memcpy(&len, metadata, sizeof len);
            if (len < 0)
                return err_set(err, NRW_E_SCHEMA, "the metadata of an Arrow schema are damaged");
            pair[k] = (span){(const uint8_t *)metadata + sizeof len, (size_t)len};
            metadata += sizeof len + (size_t)len;
        }
        TRY(arrow_put_pair(w->out, first + 4 * (uint32_t)i, pair[0], pair[1], err));
    }
    return NRW_OK;
}

/* ---- fields ---- */

static nrw_status put_field(importing *w, uint32_t at, const struct ArrowSchema *s, nrw_error *err);

static nrw_status put_children(importing *w, uint32_t at, const struct ArrowSchema *s,
                               nrw_error *err)
{
    uint32_t first;

    if (s->n_children < 0 || s->n_children > INT32_MAX / 64)
        return err_set(err, NRW_E_SCHEMA, "an Arrow schema of %lld fields",
                       (long long)s->n_children);
    TRY(flat_put_refs(w->out, at, (uint32_t)s->n_children, &first, err));
    for (int64_t i = 0; i < s->n_children; i++)
        TRY(put_field(w, first + 4 * (uint32_t)i, s->children[i], err));
    return NRW_OK;
}

static nrw_status set_dictionary(importing *w, const struct ArrowSchema *s, arrow_field *f,
                                 nrw_error *err)
{
    f->dictionary = true;
    f->number = w->dictionaries++;
    f->ordered = (s->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0;
    TRY(type_of_format(s, &f->index, err));
    if (f->index.id != ARROW_INT)
        return err_set(err, NRW_E_SCHEMA, "a dictionary's indices are of the format '%.60s'",
                       s->format);
    return NRW_OK;
}

static nrw_status put_parts(importing *w, uint32_t at, const struct ArrowSchema *s, nrw_error *err)
{
    const struct ArrowSchema *values = s->dictionary ? s->dictionary : s;
    arrow_field f = {.name = s->name ? s->name : "",
                     .nullable = (s->flags & ARROW_FLAG_NULLABLE) != 0};
    uint32_t children, metadata;

    TRY(type_of_format(values, &f.type, err));
    if (s->dictionary)
        TRY(set_dictionary(w, s, &f, err));
    TRY(arrow_put_field(w->out, at, &f, &children, &metadata, err));
    TRY(put_children(w, children, values, err));
    return put_metadata(w, metadata, s->metadata, err);
}

static nrw_status put_field(importing *w, uint32_t at, const struct ArrowSchema *s, nrw_error *err)
{
    nrw_status st;

    if (!s || !s->format || !s->release || w->depth == DEPTH)
        return err_set(err, NRW_E_SCHEMA, "an Arrow schema with a field that is not there");
    w->depth++;
    st = put_parts(w, at, s, err);
    w->depth--;
    return st;
}

nrw_status arrow_c_schema_import(const struct ArrowSchema *s, bytes *out, nrw_error *err)
{
    importing w = {.out = out};
    uint32_t header, fields, metadata;

    if (!s->release || !s->format || strcmp(s->format, "+s") != 0)
        return err_set(err, NRW_E_SCHEMA, "an Arrow stream is of structs, this one is of '%.60s'",
                       s->format ? s->format : "nothing");
    TRY(arrow_message_begin(out, ARROW_HEADER_SCHEMA, 0, &header, err));
    TRY(arrow_put_schema(out, header, &fields, &metadata, err));
    TRY(put_children(&w, fields, s, err));
    TRY(put_metadata(&w, metadata, s->metadata, err));
    return arrow_message_frame(out, err);
}
