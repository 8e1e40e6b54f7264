/* ARROW:schema, the schema that Arrow's writers keep beside Parquet's own (base64 of an IPC
 * message): durations, zones, dictionaries and layouts that Parquet has no names for. */
#include "base/base64.h"
#include "column/arrow_schema.h"
#include "format/parquet/meta_priv.h"

/* ---- reading ---- */

static const char key[] = PQ_ARROW_KEY;

/* A pair of the list; the value is taken where the key is Arrow's. */
static nrw_status read_pair(thrift_in *in, arena *a, char **value, size_t *len, nrw_error *err)
{
    char name[sizeof key] = {0};
    int16_t last;
    thrift_field f;
    size_t n;
    bool is = false;
    TRY(thrift_enter(in, &last, err));
    for (;;) {
        TRY(thrift_read_field(in, &last, &f, err));
        if (f.type == THRIFT_STOP)
            return NRW_OK;
        if (f.id == 1 && f.type == THRIFT_BINARY) {
            TRY(thrift_read_length(in, &n, err));
            size_t take = size_min(n, sizeof name - 1);
            TRY(thrift_read_raw(in, name, take, err));
            TRY(thrift_skip_raw(in, n - take, err));
            is = n == sizeof key - 1 && memcmp(name, key, n) == 0;
        } else if (f.id == 2 && is) {
            TRY(thrift_get_binary(in, f, a, value, len, NULL, err));
        } else {
            TRY(thrift_skip(in, f.type, err));
        }
    }
}

static nrw_status find_value(thrift_in *in, arena *a, char **value, size_t *len, nrw_error *err)
{
    uint8_t type;
    uint32_t count;
    TRY(thrift_read_list(in, &type, &count, err));
    for (uint32_t i = 0; i < count && !*value && type == THRIFT_STRUCT; i++)
        TRY(read_pair(in, a, value, len, err));
    return NRW_OK;
}

static nrw_status read_value(pq_meta *p, arena *a, char **value, size_t *len, nrw_error *err)
{
    pq_walk w;
    uint64_t bytes = p->footer_at + p->footer_len - p->kv_at;
    TRY(pq_walk_open(p, p->kv_at, bytes, PQ_WINDOW, &w, err));
    nrw_status st = find_value(&w.in, a, value, len, err);
    pq_walk_close(&w);
    return st;
}

/* Parquet's schema stands without it, so what cannot be understood is left aside. */
nrw_status pq_arrow_read(pq_meta *p, arena *a, schema *out, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    char *value = NULL;
    uint8_t *message;
    size_t len = 0;
    *out = (schema){0};
    if (!p->kv_at)
        return NRW_OK;
    TRY(read_value(p, a, &value, &len, err));
    if (!value)
        return NRW_OK;
    message = (uint8_t *)value;
    p->arrow_damaged = !base64_decode((span){message, len}, message, &len);
    if (p->arrow_damaged)
        return NRW_OK;
    nrw_status st = arrow_schema_read((span){message, len}, a, out, &why);
    p->arrow_damaged = st == NRW_E_CORRUPT;
    if (p->arrow_damaged)
        *out = (schema){0};
    else if (st < 0 && err)
        *err = why;
    return p->arrow_damaged ? NRW_OK : st;
}

/* ---- applying ---- */

static bool same_decimal(const type *a, const type *b)
{
    return a->precision == b->precision && a->scale == b->scale;
}

/* Text to Arrow; enums are binary there. */
static bool is_text(const type *t)
{
    return t->id == TYPE_UTF8 || t->id == TYPE_JSON;
}

/* Whether the layout is one for values of f. */
static bool form_fits(const field *f, const field *arrow)
{
    const type *a = &f->type, *b = &arrow->type;
    if (type_is_view(a))
        return type_is_view(b) && is_text(a) == is_text(b);
    return a->id == b->id && (a->id == TYPE_LIST || a->id == TYPE_DATE ||
                              (a->id == TYPE_DECIMAL && same_decimal(a, b)));
}

static void take_arrow(const field *f, const field *arrow, field_note *to)
{
    const field_note *n = arrow->note;
    bool same = type_equal(&f->type, &arrow->type);
    if (form_fits(f, arrow)) {
        to->form = n->form;
        to->list_size = n->list_size;
    }
    if (n->dictionary && (same || form_fits(f, arrow))) {
        to->dictionary = true;
        to->ordered = n->ordered;
        to->index_bits = n->index_bits;
        to->index_signed = n->index_signed;
    }
    if (f->type.id == TYPE_TIMESTAMP && f->type.utc && arrow->type.id == TYPE_TIMESTAMP)
        to->zone = n->zone;
    to->keys_sorted = f->type.id == TYPE_MAP && n->keys_sorted;
    to->n_pairs = n->n_pairs;
    to->pairs = n->pairs;
}

nrw_status pq_arrow_apply(arena *a, const field *arrow, field *f, nrw_error *err)
{
    field_note note = {.edges = -1, .version = -1};
    if (arrow->type.id == TYPE_DURATION && f->type.id == TYPE_INT64)
        f->type = arrow->type;
    if (!arrow->note)
        return NRW_OK;
    if (f->note)
        note = *f->note;
    take_arrow(f, arrow, &note);
    return note_copy(a, &note, &f->note, err);
}
