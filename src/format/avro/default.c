#include "format/avro/default.h"

#include "format/avro/write_value.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

static nrw_status encode(const av_type *t, const json_node *j, bytes *out, int depth,
                         nrw_error *err);

static nrw_status is_not(const av_type *t, nrw_error *err)
{
    return err_set(err, NRW_E_SCHEMA, "a default of the schema is no %s", av_kind_name(t->kind));
}

static nrw_status put_text(const char *text, bytes *out, nrw_error *err)
{
    TRY(av_put_long(out, (int64_t)strlen(text), err));
    return bytes_append(out, text, strlen(text), err);
}

/* "Complex Types, Records": code points 0 to 255 are bytes. */
static nrw_status put_bytes(const av_type *t, const char *text, bytes *out, nrw_error *err)
{
    const uint8_t *p = (const uint8_t *)text;
    int64_t n = 0;

    for (const uint8_t *q = p; *q; q++)
        n += (*q & 0xC0) != 0x80;
    if (t->kind == AV_FIXED && n != t->size)
        return is_not(t, err);
    if (t->kind == AV_BYTES)
        TRY(av_put_long(out, n, err));
    for (; *p; p++) {
        uint8_t byte = *p;
        if (byte >= 0x80) {
            if (byte > 0xC3)
                return is_not(t, err);
            byte = (uint8_t)((byte & 3) << 6 | (p[1] & 0x3F));
            p++;
        }
        TRY(bytes_append(out, &byte, 1, err));
    }
    return NRW_OK;
}

static nrw_status put_real(const av_type *t, const json_node *j, bytes *out, nrw_error *err)
{
    const double x = j->text ? strtod(j->text, NULL) : 0; /* some write "NaN" as text */
    const float narrow = (float)x;

    if (j->kind != JSON_NUMBER && j->kind != JSON_STRING)
        return is_not(t, err);
    return t->kind == AV_FLOAT ? bytes_append(out, &narrow, sizeof narrow, err)
                               : bytes_append(out, &x, sizeof x, err);
}

static nrw_status put_symbol(const av_type *t, const char *symbol, bytes *out, nrw_error *err)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (strcmp(t->names[i], symbol) == 0)
            return av_put_long(out, i, err);
    return is_not(t, err);
}

static nrw_status put_items(const av_type *t, const json_node *j, bytes *out, int depth,
                            nrw_error *err)
{
    int64_t n = 0;

    if (j->kind != (t->kind == AV_ARRAY ? JSON_ARRAY : JSON_OBJECT))
        return is_not(t, err);
    for (const json_node *c = j->first; c; c = c->next)
        n++;
    if (n)
        TRY(av_put_long(out, n, err));
    for (const json_node *c = j->first; c; c = c->next) {
        if (t->kind == AV_MAP)
            TRY(put_text(c->key, out, err));
        TRY(encode(t->types[0], c, out, depth + 1, err));
    }
    return av_put_long(out, 0, err);
}

static nrw_status put_record(const av_type *t, const json_node *j, bytes *out, int depth,
                             nrw_error *err)
{
    if (j->kind != JSON_OBJECT)
        return is_not(t, err);
    for (uint32_t i = 0; i < t->n; i++) {
        const json_node *x = json_member(j, t->names[i]);
        x = x ? x : t->defaults[i];
        if (!x)
            return is_not(t, err);
        TRY(encode(t->types[i], x, out, depth + 1, err));
    }
    return NRW_OK;
}

/* The first branch whose default it can be. */
static nrw_status put_union(const av_type *t, const json_node *j, bytes *out, int depth,
                            nrw_error *err)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const size_t before = out->len;
        nrw_status st;
        TRY(av_put_long(out, i, err));
        st = encode(t->types[i], j, out, depth + 1, NULL);
        if (st != NRW_E_SCHEMA)
            return st;
        out->len = before;
    }
    return is_not(t, err);
}

static nrw_status put_whole(const av_type *t, const json_node *j, bytes *out, nrw_error *err)
{
    int64_t x;

    if (!json_whole(j, &x) || (t->kind == AV_INT && x != (int32_t)x))
        return is_not(t, err);
    return av_put_long(out, x, err);
}

static nrw_status encode(const av_type *t, const json_node *j, bytes *out, int depth,
                         nrw_error *err)
{
    uint8_t truth = j->kind == JSON_TRUE;

    if (depth > DEPTH_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a default is nested more than %d deep", DEPTH_MAX);
    switch (t->kind) {
    case AV_NULL: return j->kind == JSON_NULL ? NRW_OK : is_not(t, err);
    case AV_BOOLEAN:
        return truth || j->kind == JSON_FALSE ? bytes_append(out, &truth, 1, err) : is_not(t, err);
    case AV_INT:
    case AV_LONG: return put_whole(t, j, out, err);
    case AV_FLOAT:
    case AV_DOUBLE: return put_real(t, j, out, err);
    case AV_ARRAY:
    case AV_MAP: return put_items(t, j, out, depth, err);
    case AV_RECORD: return put_record(t, j, out, depth, err);
    case AV_UNION: return put_union(t, j, out, depth, err);
    default: break;
    }
    if (j->kind != JSON_STRING)
        return is_not(t, err);
    return t->kind == AV_STRING ? put_text(j->text, out, err)
           : t->kind == AV_ENUM ? put_symbol(t, j->text, out, err)
                                : put_bytes(t, j->text, out, err);
}

nrw_status av_default_encode(const av_type *t, const json_node *j, bytes *out, nrw_error *err)
{
    return encode(t, j, out, 0, err);
}
