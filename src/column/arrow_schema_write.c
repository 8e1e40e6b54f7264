#include "column/arrow_own.h"
#include "column/arrow_put.h"
#include "column/arrow_schema.h"

/* ---- whether ---- */

static bool says_something(const field *f)
{
    const field_note *n = f->note;

    if (f->type.id == TYPE_DURATION ||
        (n && (n->form || n->dictionary || n->keys_sorted || n->zone || n->n_pairs)))
        return true;
    for (uint32_t i = 0; i < f->type.n_children; i++)
        if (says_something(&f->type.children[i]))
            return true;
    return false;
}

bool arrow_schema_wanted(const schema *s)
{
    for (uint32_t i = 0; i < s->n_fields; i++)
        if (says_something(&s->fields[i]))
            return true;
    return false;
}

/* ---- types ---- */

typedef struct writing {
    bytes *out;
    arrow_use use;
    int64_t dictionaries; /* so far: each has a number */
} writing;

static void set_int(arrow_type *t, int bits, bool is_signed)
{
    t->id = ARROW_INT;
    arrow_type_add(t, 4, bits);
    arrow_type_add(t, 1, is_signed);
}

static int arrow_unit(time_unit u)
{
    return u == UNIT_S ? 0 : u == UNIT_MS ? 1 : u == UNIT_NS ? 3 : 2;
}

static void set_decimal(arrow_type *a, const type *t, arrow_form form)
{
    int bits = form == ARROW_DECIMAL_32                   ? 32
               : form == ARROW_DECIMAL_64                 ? 64
               : form == ARROW_LARGE || t->precision > 38 ? 256
                                                          : 128;
    a->id = ARROW_DECIMAL;
    arrow_type_add(a, 4, t->precision);
    arrow_type_add(a, 4, t->scale);
    arrow_type_add(a, 4, bits);
}

static void set_fixed(arrow_type *a, uint32_t width)
{
    a->id = ARROW_FIXED_BINARY;
    arrow_type_add(a, 4, width);
}

static void set_time(arrow_type *a, const field *f)
{
    const type *t = &f->type;

    a->id = t->id == TYPE_TIME       ? ARROW_TIME
            : t->id == TYPE_DURATION ? ARROW_DURATION
                                     : ARROW_TIMESTAMP;
    arrow_type_add(a, 2, arrow_unit(t->unit));
    if (t->id == TYPE_TIME)
        arrow_type_add(a, 4, t->unit == UNIT_S || t->unit == UNIT_MS ? 32 : 64);
    if (t->id == TYPE_TIMESTAMP && t->utc) {
        a->zone = f->note && f->note->zone ? f->note->zone : "UTC";
        arrow_type_add(a, 0, 0);
    }
}

static void set_interval(arrow_type *a)
{
    a->id = ARROW_INTERVAL;
    arrow_type_add(a, 2, 2); /* months, days, nanoseconds */
}

static void set_list(arrow_type *a, const field *f, arrow_form form)
{
    a->id = form == ARROW_FIXED        ? ARROW_FIXED_LIST
            : form == ARROW_LARGE      ? ARROW_LARGE_LIST
            : form == ARROW_VIEW       ? ARROW_LIST_VIEW
            : form == ARROW_LARGE_VIEW ? ARROW_LARGE_LIST_VIEW
                                       : ARROW_LIST;
    if (form == ARROW_FIXED)
        arrow_type_add(a, 4, f->note->list_size);
}

static arrow_type arrow_type_of(const field *f, arrow_use use)
{
    const type *t = &f->type;
    arrow_form form = f->note ? f->note->form : ARROW_PLAIN;
    bool large = form == ARROW_LARGE, view = form == ARROW_VIEW;
    arrow_type a = {0};

    switch (t->id) {
    case TYPE_NULL: a.id = ARROW_NULL; break;
    case TYPE_BOOL: a.id = ARROW_BOOL; break;
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64: set_int(&a, 8 * (int)t->width, true); break;
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64: set_int(&a, 8 * (int)t->width, false); break;
    case TYPE_FLOAT16:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        a.id = ARROW_FLOAT;
        arrow_type_add(&a, 2, t->id - TYPE_FLOAT16);
        break;
    case TYPE_DECIMAL: set_decimal(&a, t, form); break;
    case TYPE_INT128:
    case TYPE_UINT128: /* Arrow has none so wide: as they are written to Parquet */
        set_decimal(&a, &(type){.id = TYPE_DECIMAL, .precision = 39, .width = 32}, form);
        break;
    case TYPE_DATE:
        a.id = ARROW_DATE;
        arrow_type_add(&a, 2, form == ARROW_MILLIS);
        break;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: set_time(&a, f); break;
    case TYPE_UTF8:
    case TYPE_JSON: a.id = large ? ARROW_LARGE_UTF8 : view ? ARROW_UTF8_VIEW : ARROW_UTF8; break;
    case TYPE_ENUM: /* Arrow reads bytes from Parquet */
        if (use == ARROW_ALONE) {
            a.id = ARROW_UTF8;
            break;
        }
        /* fall through */
    case TYPE_BINARY:
    case TYPE_BSON:
        a.id = large ? ARROW_LARGE_BINARY : view ? ARROW_BINARY_VIEW : ARROW_BINARY;
        break;
    case TYPE_INTERVAL:
        if (use == ARROW_ALONE) {
            set_interval(&a);
            break;
        }
        /* fall through */
    case TYPE_FIXED:
    case TYPE_UUID: set_fixed(&a, t->width); break;
    case TYPE_LIST: set_list(&a, f, form); break;
    case TYPE_STRUCT: a.id = ARROW_STRUCT; break;
    case TYPE_MAP:
        a.id = ARROW_MAP;
        arrow_type_add(&a, 1, f->note && f->note->keys_sorted);
        break;
    }
    return a;
}

/* ---- fields ---- */

static nrw_status put_pair(writing *w, uint32_t at, const note_pair *p, nrw_error *err)
{
    return arrow_put_pair(w->out, at, (span){(const uint8_t *)p->key, strlen(p->key)},
                          (span){(const uint8_t *)p->value, p->value_len}, err);
}

/* What Arrow's readers make of the types of Parquet that are extension types there. */
static const char *extension_of(const field *f)
{
    return f->type.id == TYPE_UUID ? ARROW_UUID : f->type.id == TYPE_JSON ? ARROW_JSON : NULL;
}

static nrw_status put_metadata(writing *w, uint32_t at, const field *f, nrw_error *err)
{
    const char *extension = extension_of(f);
    uint32_t n = f->note ? f->note->n_pairs : 0, first;

    for (uint32_t i = 0; i < n; i++)
        if (strcmp(f->note->pairs[i].key, ARROW_EXTENSION) == 0)
            extension = NULL;
    TRY(flat_put_refs(w->out, at, n + (extension != NULL), &first, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(put_pair(w, first + 4 * i, &f->note->pairs[i], err));
    if (!extension)
        return NRW_OK;
    return put_pair(w, first + 4 * n, &(note_pair){ARROW_EXTENSION, extension, strlen(extension)},
                    err);
}

static nrw_status put_field(writing *w, uint32_t at, const field *f, bool nullable, nrw_error *err);

static nrw_status put_children(writing *w, uint32_t at, const field *f, nrw_error *err)
{
    uint32_t first;

    if (f->type.id == TYPE_MAP) {
        const field entries = {.name = "entries",
                               .type = type_nested(TYPE_STRUCT, f->type.children, 2),
                               .field_id = -1};
        TRY(flat_put_refs(w->out, at, 1, &first, err));
        return put_field(w, first, &entries, false, err);
    }
    TRY(flat_put_refs(w->out, at, f->type.n_children, &first, err));
    for (uint32_t i = 0; i < f->type.n_children; i++) {
        const field *child = &f->type.children[i];
        TRY(put_field(w, first + 4 * i, child, child->nullable, err));
    }
    return NRW_OK;
}

static nrw_status put_field(writing *w, uint32_t at, const field *f, bool nullable, nrw_error *err)
{
    arrow_field a = {.name = f->name, .nullable = nullable, .type = arrow_type_of(f, w->use)};
    uint32_t children, metadata;

    if (f->note && f->note->dictionary && !type_is_nested(&f->type) && f->type.id != TYPE_NULL) {
        a.dictionary = true;
        a.number = w->dictionaries++;
        a.ordered = f->note->ordered;
        set_int(&a.index, f->note->index_bits, f->note->index_signed);
    }
    TRY(arrow_put_field(w->out, at, &a, &children, &metadata, err));
    TRY(put_children(w, children, f, err));
    return put_metadata(w, metadata, f, err);
}

/* ---- the message ---- */

nrw_status arrow_schema_put(const schema *s, const note_pair *pairs, uint32_t n_pairs,
                            arrow_use use, bytes *out, uint32_t at, nrw_error *err)
{
    writing w = {.out = out, .use = use};
    uint32_t fields, metadata, first;

    TRY(arrow_put_schema(out, at, &fields, &metadata, err));
    TRY(flat_put_refs(out, fields, s->n_fields, &first, err));
    for (uint32_t i = 0; i < s->n_fields; i++)
        TRY(put_field(&w, first + 4 * i, &s->fields[i], s->fields[i].nullable, err));
    TRY(flat_put_refs(out, metadata, n_pairs, &first, err));
    for (uint32_t i = 0; i < n_pairs; i++)
        TRY(put_pair(&w, first + 4 * i, &pairs[i], err));
    return NRW_OK;
}

nrw_status arrow_message_begin(bytes *out, uint8_t kind, uint64_t body_len, uint32_t *header,
                               nrw_error *err)
{
    flat_field message[] = {{.id = ARROW_MESSAGE_VERSION, .bytes = 2, .value = ARROW_VERSION_5},
                            {.id = ARROW_MESSAGE_HEADER_ID, .bytes = 1, .value = kind},
                            {.id = ARROW_MESSAGE_HEADER},
                            {.id = ARROW_MESSAGE_BODY, .bytes = 8, .value = (int64_t)body_len}};

    TRY(flat_put_root(out, message, 4, err));
    *header = message[2].at;
    return NRW_OK;
}

nrw_status arrow_message_frame(bytes *out, nrw_error *err)
{
    static const uint8_t zeros[8];
    uint8_t head[8];

    TRY(bytes_append(out, zeros, -out->len & 7, err));
    if (out->len > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "an Arrow message of more than 2 GiB");
    store_u32(head, UINT32_MAX);
    store_u32(head + 4, (uint32_t)out->len);
    TRY(bytes_append(out, head, sizeof head, err)); /* to the front, once all is there */
    memmove(out->data + sizeof head, out->data, out->len - sizeof head);
    memcpy(out->data, head, sizeof head);
    return NRW_OK;
}

nrw_status arrow_schema_write(const schema *s, const note_pair *pairs, uint32_t n_pairs,
                              arrow_use use, bytes *out, nrw_error *err)
{
    uint32_t header;

    TRY(arrow_message_begin(out, ARROW_HEADER_SCHEMA, 0, &header, err));
    TRY(arrow_schema_put(s, pairs, n_pairs, use, out, header, err));
    return arrow_message_frame(out, err);
}
