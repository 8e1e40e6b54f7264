/* Values by their schema alone: as JSON, or stepped over. For types that contain themselves, whose
 * values no column can be laid out for. */
#include "format/avro/value.h"

#include "base/utf8.h"
#include "column/json_out.h"
#include "column/json_value.h"
#include "column/print.h"
#include "format/avro/cursor.h"

#define MOST_DEEP 500

typedef struct walk {
    const uint8_t *p, *end;
    bytes *out;      /* NULL: step over */
    uint32_t *empty; /* items of no bytes in this record */
    int depth;
    nrw_error *err;
} walk;

static nrw_status walk_value(walk *w, const av_type *t);

static nrw_status put(walk *w, const char *text)
{
    return w->out ? bytes_append(w->out, text, strlen(text), w->err) : NRW_OK;
}

static nrw_status put_string(walk *w, const void *text, size_t len)
{
    return w->out ? json_string(w->out, text, len, w->err) : NRW_OK;
}

static nrw_status take_long(walk *w, int64_t *x)
{
    int got = av_varint(&w->p, w->end, x);

    if (got < 0)
        return err_set(w->err, NRW_E_CORRUPT, "a number is longer than 10 bytes");
    return got ? NRW_OK : NRW_END;
}

static nrw_status take_bytes(walk *w, int64_t len, span *out)
{
    if (len < 0)
        return err_set(w->err, NRW_E_CORRUPT, "a length is negative");
    if (len > w->end - w->p)
        return NRW_END;
    *out = (span){w->p, (size_t)len};
    w->p += len;
    return NRW_OK;
}

/* NRW_END leaves a function, too. */
#define STEP(expr)                                                                                 \
    do {                                                                                           \
        nrw_status step_st_ = (expr);                                                              \
        if (step_st_ != NRW_OK)                                                                    \
            return step_st_;                                                                       \
    } while (0)

/* ---- values that are not nested ---- */

/* A value as text that goes between quotes, or as a number. */
static nrw_status put_printed(walk *w, const av_type *t, span value)
{
    const type as = av_leaf_type(t);
    char number[PRINT_MAX];
    bytes text;
    nrw_status st;

    if (!w->out)
        return NRW_OK;
    if (as.id == TYPE_DECIMAL || as.id == TYPE_FLOAT32 || as.id == TYPE_FLOAT64)
        return bytes_append(w->out, number, json_number(&as, value.data, number), w->err);
    text = bytes_init(w->out->m, INT32_MAX);
    st = print_value(&as, value, &text, w->err);
    if (st >= 0)
        st = json_string(w->out, (const char *)text.data, text.len, w->err);
    bytes_release(&text);
    return st;
}

static nrw_status walk_number(walk *w, const av_type *t)
{
    int64_t x = 0;
    int32_t narrow;

    STEP(take_long(w, &x));
    if (t->kind == AV_INT && x != (int32_t)x)
        return err_set(w->err, NRW_E_CORRUPT, "an int is larger than 32 bits");
    if (!w->out)
        return NRW_OK;
    if (t->logical == AV_PLAIN)
        return json_i64(w->out, x, w->err);
    narrow = (int32_t)x;
    if (t->logical == AV_DATE)
        return put_printed(w, t, SPAN(&narrow));
    return put_printed(w, t, (span){(const uint8_t *)&x, sizeof x});
}

static nrw_status walk_text(walk *w, const av_type *t)
{
    int64_t len = 0;
    span text = {0};

    STEP(take_long(w, &len));
    STEP(take_bytes(w, len, &text));
    if (!w->out)
        return NRW_OK;
    if (t->kind == AV_STRING && !utf8_valid(text.data, text.len))
        return err_set(w->err, NRW_E_CORRUPT, "bad UTF-8");
    return put_string(w, text.data, text.len);
}

static nrw_status walk_bytes(walk *w, const av_type *t)
{
    int64_t len = t->size;
    uint8_t wide[32];
    char text[AV_BIG_DECIMAL_MAX];
    span value = {0};

    if (t->kind == AV_BYTES)
        STEP(take_long(w, &len));
    STEP(take_bytes(w, len, &value));
    if (!w->out)
        return NRW_OK;
    if (t->logical == AV_BIG_DECIMAL) {
        size_t n = av_big_decimal(value, text);
        if (n == 0)
            return err_set(w->err, NRW_E_VALUE, "bytes are not a big-decimal");
        return bytes_append(w->out, text, n, w->err);
    }
    if (t->logical == AV_DECIMAL) {
        const type as = av_leaf_type(t);
        if (!av_decimal(value, as.width, wide))
            return err_set(w->err, NRW_E_VALUE, "a decimal has more than %d digits", t->precision);
        value = (span){wide, as.width};
    }
    return put_printed(w, t, value);
}

static nrw_status walk_boolean(walk *w)
{
    if (w->p == w->end)
        return NRW_END;
    if (*w->p > 1)
        return err_set(w->err, NRW_E_CORRUPT, "a boolean is neither 0 nor 1");
    return put(w, *w->p++ ? "true" : "false");
}

static nrw_status walk_enum(walk *w, const av_type *t)
{
    int64_t x = 0;

    STEP(take_long(w, &x));
    if (x < 0 || x >= t->n)
        return err_set(w->err, NRW_E_CORRUPT, "enum %.100s has no symbol %lld", t->name,
                       (long long)x);
    return put_string(w, t->names[x], strlen(t->names[x]));
}

/* ---- nested ---- */

static nrw_status walk_items(walk *w, const av_type *t, int64_t n, bool *first)
{
    for (; n > 0; n--) {
        const uint8_t *before = w->p;
        if (!*first)
            TRY(put(w, ","));
        *first = false;
        if (t->kind == AV_MAP) {
            STEP(walk_text(w, &(const av_type){.kind = AV_STRING}));
            TRY(put(w, ":"));
        }
        STEP(walk_value(w, t->types[0]));
        if (w->p == before)
            TRY(av_empty_item(w->empty, w->err));
    }
    return NRW_OK;
}

static nrw_status walk_list(walk *w, const av_type *t)
{
    bool first = true;
    int64_t n = 0, size = 0;

    TRY(put(w, t->kind == AV_MAP ? "{" : "["));
    for (;;) {
        STEP(take_long(w, &n));
        if (n == 0)
            break;
        if (n < 0) {
            STEP(take_long(w, &size));
            if (size < 0 || n == INT64_MIN)
                return err_set(w->err, NRW_E_CORRUPT, "a block of items has a wrong size");
            n = -n;
        }
        STEP(walk_items(w, t, n, &first));
    }
    return put(w, t->kind == AV_MAP ? "}" : "]");
}

static nrw_status walk_record(walk *w, const av_type *t)
{
    TRY(put(w, "{"));
    for (uint32_t i = 0; i < t->n; i++) {
        if (i)
            TRY(put(w, ","));
        TRY(put_string(w, t->names[i], strlen(t->names[i])));
        TRY(put(w, ":"));
        STEP(walk_value(w, t->types[i]));
    }
    return put(w, "}");
}

static nrw_status walk_union(walk *w, const av_type *t)
{
    int64_t branch = 0;

    STEP(take_long(w, &branch));
    if (branch < 0 || branch >= t->n)
        return err_set(w->err, NRW_E_CORRUPT, "a union of %u branches has none of number %lld",
                       t->n, (long long)branch);
    return walk_value(w, t->types[branch]);
}

static nrw_status walk_nested(walk *w, const av_type *t)
{
    nrw_status st;

    if (++w->depth > MOST_DEEP)
        return err_set(w->err, NRW_E_UNSUPPORTED, "a value is nested more than %d deep", MOST_DEEP);
    st = t->kind == AV_RECORD  ? walk_record(w, t)
         : t->kind == AV_UNION ? walk_union(w, t)
                               : walk_list(w, t);
    w->depth--;
    return st;
}

static nrw_status walk_value(walk *w, const av_type *t)
{
    span value = {0};

    switch (t->kind) {
    case AV_NULL: return put(w, "null");
    case AV_BOOLEAN: return walk_boolean(w);
    case AV_INT:
    case AV_LONG: return walk_number(w, t);
    case AV_FLOAT:
    case AV_DOUBLE:
        STEP(take_bytes(w, t->kind == AV_FLOAT ? 4 : 8, &value));
        return put_printed(w, t, value);
    case AV_STRING: return walk_text(w, t);
    case AV_BYTES:
    case AV_FIXED: return walk_bytes(w, t);
    case AV_ENUM: return walk_enum(w, t);
    default: return walk_nested(w, t);
    }
}

nrw_status av_json(const av_type *t, const uint8_t **p, const uint8_t *end, uint32_t *empty,
                   bytes *out, nrw_error *err)
{
    walk w = {*p, end, out, empty, 0, err};
    nrw_status st = walk_value(&w, t);

    if (st == NRW_OK)
        *p = w.p;
    return st;
}
