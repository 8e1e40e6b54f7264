#include "column/json_value.h"

#include "column/json_out.h"
#include "column/print.h"

static size_t float_number(const type *t, const uint8_t *p, char *out)
{
    double d;
    float f;
    uint16_t h;
    if (t->id == TYPE_FLOAT64) {
        memcpy(&d, p, 8);
    } else if (t->id == TYPE_FLOAT32) {
        memcpy(&f, p, 4);
        d = f;
    } else {
        memcpy(&h, p, 2);
        d = print_half_to_float(h);
    }
    return print_json_f64(d, out);
}

/* Up to 15 digits as a double would be written (12.30 is 12.3, 5 is 5.0), wider ones in full. */
size_t json_number(const type *t, const uint8_t *p, char *out)
{
    int64_t x = 0;
    int32_t low;
    if (t->id != TYPE_DECIMAL)
        return float_number(t, p, out);
    if (t->precision > 15 || t->width > 8)
        return print_decimal(p, t->width, t->scale, out);
    if (t->width == 4) {
        memcpy(&low, p, 4);
        x = low;
    } else {
        memcpy(&x, p, 8);
    }
    print_digits d = {x < 0 ? 0 - (uint64_t)x : (uint64_t)x, -t->scale};
    while (d.digits && d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    if (d.digits == 0)
        d.exponent = 0;
    return print_json_digits(d, x < 0, out);
}

static nrw_status drained(const json_sink *s, nrw_error *err)
{
    return s->drain && s->out->len >= s->soft ? s->drain(s->self, s->out, err) : NRW_OK;
}

/* NRW_END of a drain must get through, too. */
#define PASS(expr)                                                                                 \
    do {                                                                                           \
        nrw_status pass_st_ = (expr);                                                              \
        if (pass_st_ != NRW_OK)                                                                    \
            return pass_st_;                                                                       \
    } while (0)

static nrw_status put(const json_sink *s, const char *text, nrw_error *err)
{
    return bytes_append(s->out, text, strlen(text), err);
}

#define STEP 1024

static nrw_status put_text(const json_sink *s, span text, bool blob, nrw_error *err)
{
    char printed[4 * STEP];
    for (size_t at = 0; at < text.len;) {
        size_t n = size_min(text.len - at, STEP);
        const uint8_t *from = text.data + at;
        at += n;
        if (blob) {
            n = print_blob(from, n, printed);
            from = (const uint8_t *)printed;
        }
        TRY(bytes_reserve(s->out, 6 * n, err));
        s->out->len += json_escape(from, n, (char *)s->out->data + s->out->len);
        PASS(drained(s, err));
    }
    return NRW_OK;
}

static nrw_status put_string(const json_sink *s, span text, bool blob, nrw_error *err)
{
    TRY(put(s, "\"", err));
    PASS(put_text(s, text, blob, err));
    return put(s, "\"", err);
}

static bool is_bytes(const type *t)
{
    return t->id == TYPE_BINARY || t->id == TYPE_BSON || t->id == TYPE_FIXED;
}

static nrw_status put_embedded(const json_sink *s, span text, nrw_error *err)
{
    size_t n;
    TRY(bytes_reserve(s->out, text.len, err));
    if (!json_minify(text.data, text.len, (char *)s->out->data + s->out->len, &n))
        return put_string(s, text, false, err);
    s->out->len += n;
    return NRW_OK;
}

/* Types that DuckDB's JSON has between quotes. */
static bool is_quoted(const type *t)
{
    return t->id == TYPE_DATE || t->id == TYPE_TIME || t->id == TYPE_TIMESTAMP ||
           t->id == TYPE_DURATION || t->id == TYPE_INTERVAL || t->id == TYPE_UUID;
}

static nrw_status put_flat(const json_sink *s, const type *t, span value, nrw_error *err)
{
    char text[PRINT_MAX + 2];
    size_t n = 0;
    if (t->id == TYPE_UTF8 || t->id == TYPE_ENUM)
        return put_string(s, value, false, err);
    if (t->id == TYPE_JSON)
        return put_embedded(s, value, err);
    if (is_bytes(t))
        return put_string(s, value, true, err);
    if (t->id == TYPE_DECIMAL || (t->id >= TYPE_FLOAT16 && t->id <= TYPE_FLOAT64)) {
        n = json_number(t, value.data, text);
    } else if (is_quoted(t)) {
        text[0] = '"';
        n = 1 + print_fixed(t, value.data, text + 1);
        text[n++] = '"';
    } else {
        n = print_fixed(t, value.data, text);
    }
    return bytes_append(s->out, text, n, err);
}

static nrw_status put_nested_key(const json_sink *s, const vector *keys, uint32_t row,
                                 nrw_error *err)
{
    bytes text = bytes_init(s->out->m, s->out->max);
    json_sink inner = {.out = &text};
    nrw_status st = json_value(&inner, keys, row, err);
    if (st == NRW_OK)
        st = put_string(s, (span){text.data, text.len}, false, err);
    bytes_release(&text);
    return st;
}

/* The key as text between quotes. */
static nrw_status put_key(const json_sink *s, const vector *keys, uint32_t row, nrw_error *err)
{
    const type *t = &keys->type;
    char text[PRINT_MAX];
    bool null;
    span v = vector_value(keys, row, &null);
    if (null) /* only where a file breaks the rule that keys are there */
        return put(s, "\"NULL\"", err);
    if (type_is_nested(t))
        return put_nested_key(s, keys, row, err);
    if (is_bytes(t) || type_is_view(t))
        return put_string(s, v, is_bytes(t), err);
    v.len = print_fixed(t, v.data, text);
    v.data = (const uint8_t *)text;
    return put_string(s, v, false, err);
}

static nrw_status put_list(const json_sink *s, const vector *v, uint32_t row, nrw_error *err)
{
    const uint32_t *at = vector_offsets(v);
    TRY(put(s, "[", err));
    for (uint32_t i = at[row]; i < at[row + 1]; i++) {
        TRY(put(s, i > at[row] ? "," : "", err));
        PASS(json_value(s, &v->children[0], i, err));
    }
    return put(s, "]", err);
}

static nrw_status put_map(const json_sink *s, const vector *v, uint32_t row, nrw_error *err)
{
    const uint32_t *at = vector_offsets(v);
    TRY(put(s, "{", err));
    for (uint32_t i = at[row]; i < at[row + 1]; i++) {
        TRY(put(s, i > at[row] ? "," : "", err));
        PASS(put_key(s, &v->children[0], i, err));
        TRY(put(s, ":", err));
        PASS(json_value(s, &v->children[1], i, err));
    }
    return put(s, "}", err);
}

static nrw_status put_struct(const json_sink *s, const vector *v, uint32_t row, nrw_error *err)
{
    TRY(put(s, "{", err));
    for (uint32_t c = 0; c < v->n_children; c++) {
        const char *name = v->type.children[c].name;
        TRY(put(s, c ? "," : "", err));
        TRY(json_string(s->out, name, strlen(name), err));
        TRY(put(s, ":", err));
        PASS(json_value(s, &v->children[c], row, err));
    }
    return put(s, "}", err);
}

nrw_status json_value(const json_sink *s, const vector *v, uint32_t row, nrw_error *err)
{
    bool null;
    span value = vector_value(v, row, &null);
    PASS(drained(s, err));
    if (null)
        return put(s, "null", err);
    switch (v->type.id) {
    case TYPE_LIST: return put_list(s, v, row, err);
    case TYPE_MAP: return put_map(s, v, row, err);
    case TYPE_STRUCT: return put_struct(s, v, row, err);
    default: return put_flat(s, &v->type, value, err);
    }
}
