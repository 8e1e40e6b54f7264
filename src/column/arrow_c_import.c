/* C's schemas to IPC's. Texts of somebody else are read to their ends, nothing else of them is
 * believed: what a format says is checked when the message is read. */
#include "column/arrow_c_formats.h"
#include "column/arrow_c_schema.h"
#include "column/arrow_schema.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 64 };

typedef struct importing {
    bytes *out;
    int64_t dictionaries;
    int depth;
} importing;

/* A type's table: fields in their order; of an instant the zone is set behind. */
typedef struct c_type {
    uint8_t id;
    uint32_t n;
    flat_field f[3];
    const char *zone;
} c_type;

static void add(c_type *t, uint8_t bytes, int64_t value)
{
    t->f[t->n] = (flat_field){.id = (uint16_t)t->n, .bytes = bytes, .value = value};
    t->n++;
}

static bool is_instant(const char *format, c_type *t)
{
    const char *unit;

    if (strncmp(format, "ts", 2) != 0 || !format[2] || format[3] != ':' ||
        !(unit = strchr(c_units, format[2])))
        return false;
    t->id = ARROW_TIMESTAMP;
    add(t, 2, unit - c_units);
    if (format[4]) {
        t->zone = format + 4;
        add(t, 0, 0);
    }
    return true;
}

static bool is_decimal(const char *format, c_type *t)
{
    int precision, scale, bits = 128, used = 0;

    if (sscanf(format, "d:%9d,%9d%n,%4d%n", &precision, &scale, &used, &bits, &used) < 2 ||
        format[used])
        return false;
    t->id = ARROW_DECIMAL;
    add(t, 4, precision);
    add(t, 4, scale);
    add(t, 4, bits);
    return true;
}

static bool is_counted(const char *format, const char *before, uint8_t id, c_type *t)
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
    add(t, 4, count);
    return true;
}

static bool is_union(const char *format, c_type *t)
{
    if (strncmp(format, "+us:", 4) != 0 && strncmp(format, "+ud:", 4) != 0)
        return false;
    t->id = ARROW_UNION;
    add(t, 2, format[2] == 'd');
    return true;
}

static nrw_status type_of_format(const struct ArrowSchema *s, c_type *t, nrw_error *err)
{
    const char *format = s->format;

    *t = (c_type){0};
    if (strcmp(format, "+m") == 0) {
        t->id = ARROW_MAP;
        add(t, 1, (s->flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0);
        return NRW_OK;
    }
    for (size_t i = 0; i < C_FORMATS; i++) {
        if (strcmp(c_formats[i].text, format) != 0)
            continue;
        t->id = c_formats[i].id;
        for (int k = 0; k < c_formats[i].n; k++)
            add(t, c_formats[i].f[k].bytes, c_formats[i].f[k].value);
        return NRW_OK;
    }
    if (is_instant(format, t) || is_decimal(format, t) || is_union(format, t) ||
        is_counted(format, "w:", ARROW_FIXED_BINARY, t) ||
        is_counted(format, "+w:", ARROW_FIXED_LIST, t))
        return NRW_OK;
    err_at_column(err, s->name ? s->name : "");
    return err_set(err, NRW_E_UNSUPPORTED, "the Arrow format '%.60s' is not known", format);
}

static span text_of(const char *s)
{
    return (span){(const uint8_t *)s, strlen(s)};
}

static nrw_status put_type(importing *w, uint32_t at, c_type *t, nrw_error *err)
{
    TRY(flat_put_table(w->out, at, t->f, t->n, err));
    return t->zone ? flat_put_string(w->out, t->f[1].at, text_of(t->zone), err) : NRW_OK;
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
        flat_field pair[] = {{.id = 0}, {.id = 1}};
        TRY(flat_put_table(w->out, first + 4 * (uint32_t)i, pair, 2, err));
        for (int k = 0; k < 2; k++) {
            memcpy(&len, metadata, sizeof len);
            if (len < 0)
                return err_set(err, NRW_E_SCHEMA, "the metadata of an Arrow schema are damaged");
            TRY(flat_put_string(w->out, pair[k].at,
                                (span){(const uint8_t *)metadata + sizeof len, (size_t)len}, err));
            metadata += sizeof len + (size_t)len;
        }
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

static nrw_status put_dictionary(importing *w, uint32_t at, const struct ArrowSchema *s,
                                 nrw_error *err)
{
    flat_field f[] = {
        {.id = 0, .bytes = 8, .value = w->dictionaries++},
        {.id = 1},
        {.id = 2, .bytes = 1, .value = (s->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0}};
    c_type index;

    TRY(type_of_format(s, &index, err));
    if (index.id != ARROW_INT)
        return err_set(err, NRW_E_SCHEMA, "a dictionary's indices are of the format '%.60s'",
                       s->format);
    TRY(flat_put_table(w->out, at, f, 3, err));
    return put_type(w, f[1].at, &index, err);
}

static nrw_status put_parts(importing *w, uint32_t at, const struct ArrowSchema *s, nrw_error *err)
{
    const struct ArrowSchema *values = s->dictionary ? s->dictionary : s;
    flat_field f[ARROW_FIELD_METADATA + 1];
    uint32_t place[ARROW_FIELD_METADATA + 1] = {0}, n = 0;
    c_type t;

    TRY(type_of_format(values, &t, err));
    for (uint16_t id = 0; id <= ARROW_FIELD_METADATA; id++) {
        if (id == ARROW_FIELD_DICTIONARY && !s->dictionary)
            continue;
        place[id] = n;
        f[n++] = (flat_field){.id = id};
    }
    f[place[ARROW_FIELD_NULLABLE]].bytes = f[place[ARROW_FIELD_TYPE_ID]].bytes = 1;
    f[place[ARROW_FIELD_NULLABLE]].value = (s->flags & ARROW_FLAG_NULLABLE) != 0;
    f[place[ARROW_FIELD_TYPE_ID]].value = t.id;
    TRY(flat_put_table(w->out, at, f, n, err));
    TRY(flat_put_string(w->out, f[place[ARROW_FIELD_NAME]].at, text_of(s->name ? s->name : ""),
                        err));
    TRY(put_type(w, f[place[ARROW_FIELD_TYPE]].at, &t, err));
    if (s->dictionary)
        TRY(put_dictionary(w, f[place[ARROW_FIELD_DICTIONARY]].at, s, err));
    TRY(put_children(w, f[place[ARROW_FIELD_CHILDREN]].at, values, err));
    return put_metadata(w, f[place[ARROW_FIELD_METADATA]].at, s->metadata, err);
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
    flat_field message[] = {
        {.id = ARROW_MESSAGE_VERSION, .bytes = 2, .value = ARROW_VERSION_5},
        {.id = ARROW_MESSAGE_HEADER_ID, .bytes = 1, .value = ARROW_HEADER_SCHEMA},
        {.id = ARROW_MESSAGE_HEADER},
        {.id = ARROW_MESSAGE_BODY, .bytes = 8}};
    flat_field head[] = {{.id = ARROW_SCHEMA_ENDIANNESS, .bytes = 2},
                         {.id = ARROW_SCHEMA_FIELDS},
                         {.id = ARROW_SCHEMA_METADATA}};
    importing w = {.out = out};

    if (!s->release || !s->format || strcmp(s->format, "+s") != 0)
        return err_set(err, NRW_E_SCHEMA, "an Arrow stream is of structs, this one is of '%.60s'",
                       s->format ? s->format : "nothing");
    TRY(flat_put_root(out, message, 4, err));
    TRY(flat_put_table(out, message[2].at, head, 3, err));
    TRY(put_children(&w, head[1].at, s, err));
    TRY(put_metadata(&w, head[2].at, s->metadata, err));
    return arrow_message_frame(out, err);
}
