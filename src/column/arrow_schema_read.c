/* An offset that is followed may lead anywhere in the message, also where another one led; so the
 * number of fields, their depth, and the bytes of their texts are bounded by the message's length.
 */
#include "base/utf8.h"
#include "column/arrow_own.h"
#include "column/arrow_schema.h"
#include "column/flatbuf.h"

enum { DEPTH = 64, FIELD_LEAST = 8 /* bytes of a field's reference and table */ };

typedef struct reading {
    arena *a;
    uint64_t left;      /* fields that may still come */
    uint64_t text_left; /* and bytes of texts */
    int depth;
} reading;

static nrw_status keep_text(reading *r, span text, const char **out, nrw_error *err)
{
    char *copy;

    CHECK(text.len <= r->text_left);
    r->text_left -= text.len;
    CHECK(utf8_valid(text.data, text.len) && !(text.len && memchr(text.data, 0, text.len)));
    TRY(arena_strndup(r->a, (const char *)text.data, text.len, &copy, err));
    *out = copy;
    return NRW_OK;
}

/* ---- types ---- */

/* The field at hand. */
typedef struct one {
    flat_table table, type;
    uint8_t id;
    flat_vector children;
    field *f;
    field_note note;
} one;

static time_unit unit_of(int16_t arrow)
{
    static const uint8_t units[] = {UNIT_S, UNIT_MS, UNIT_US, UNIT_NS};

    return arrow >= 0 && arrow < 4 ? (time_unit)units[arrow] : UNIT_NONE;
}

static void unknown(one *o)
{
    o->f->type = type_of(TYPE_NULL);
    o->note.form = ARROW_UNKNOWN;
}

static nrw_status read_int(const flat_table *t, int32_t *bits, bool *is_signed, nrw_error *err)
{
    uint8_t sign;

    CHECK(flat_i32(t, 0, 0, bits) && flat_u8(t, 1, 0, &sign));
    *is_signed = sign != 0;
    CHECK(*bits == 8 || *bits == 16 || *bits == 32 || *bits == 64);
    return NRW_OK;
}

static nrw_status type_int(one *o, nrw_error *err)
{
    int32_t bits;
    bool sign;

    TRY(read_int(&o->type, &bits, &sign, err));
    int step = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;
    o->f->type = type_of((type_id)((sign ? TYPE_INT8 : TYPE_UINT8) + step));
    return NRW_OK;
}

static nrw_status type_float(one *o, nrw_error *err)
{
    int16_t precision;

    CHECK(flat_i16(&o->type, 0, 0, &precision) && precision >= 0 && precision <= 2);
    o->f->type = type_of((type_id)(TYPE_FLOAT16 + precision));
    return NRW_OK;
}

static nrw_status type_decimals(one *o, nrw_error *err)
{
    int32_t precision, scale, bits;

    CHECK(flat_i32(&o->type, 0, 0, &precision) && flat_i32(&o->type, 1, 0, &scale) &&
          flat_i32(&o->type, 2, 128, &bits));
    if (precision < 1 || precision > 76 || scale < 0 || scale > precision) {
        unknown(o);
        return NRW_OK;
    }
    o->f->type = type_decimal(precision, scale);
    o->note.form = bits == 32                      ? ARROW_DECIMAL_32
                   : bits == 64                    ? ARROW_DECIMAL_64
                   : bits == 256 && precision < 39 ? ARROW_LARGE
                                                   : ARROW_PLAIN;
    return NRW_OK;
}

static nrw_status type_date(one *o, nrw_error *err)
{
    int16_t unit;

    CHECK(flat_i16(&o->type, 0, 1, &unit));
    o->f->type = type_of(TYPE_DATE);
    o->note.form = unit == 0 ? ARROW_PLAIN : ARROW_MILLIS;
    return NRW_OK;
}

/* Time and duration count milliseconds unless told, timestamps seconds. */
static nrw_status type_units(one *o, nrw_error *err)
{
    int16_t unit;

    CHECK(flat_i16(&o->type, 0, o->id == ARROW_TIMESTAMP ? 0 : 1, &unit) && unit_of(unit));
    o->f->type = o->id == ARROW_TIME       ? type_time(unit_of(unit), false)
                 : o->id == ARROW_DURATION ? type_duration(unit_of(unit))
                                           : type_timestamp(unit_of(unit), false);
    return NRW_OK;
}

static nrw_status type_instant(reading *r, one *o, nrw_error *err)
{
    span zone;
    bool has;

    TRY(type_units(o, err));
    CHECK(flat_string(&o->type, 1, &has, &zone));
    o->f->type.utc = zone.len > 0;
    if (zone.len && !(zone.len == 3 && memcmp(zone.data, "UTC", 3) == 0))
        TRY(keep_text(r, zone, &o->note.zone, err));
    return NRW_OK;
}

static nrw_status type_fixed_bytes(one *o, nrw_error *err)
{
    int32_t width;

    CHECK(flat_i32(&o->type, 0, 0, &width) && width >= 0);
    if (width == 0)
        unknown(o);
    else
        o->f->type = type_fixed((uint32_t)width);
    return NRW_OK;
}

static nrw_status read_field(reading *r, const flat_table *t, field *out, nrw_error *err);

static nrw_status read_children(reading *r, const flat_vector *v, field **out, nrw_error *err)
{
    flat_table t;
    schema s;

    CHECK(v->n <= r->left);
    TRY(schema_new(r->a, v->n, &s, err));
    for (uint32_t i = 0; i < v->n; i++) {
        CHECK(flat_element(v, i, &t));
        TRY(read_field(r, &t, &s.fields[i], err));
    }
    *out = s.fields;
    return NRW_OK;
}

static nrw_status type_list(reading *r, one *o, nrw_error *err)
{
    field *element;

    CHECK(o->children.n == 1);
    if (o->id == ARROW_FIXED_LIST)
        CHECK(flat_i32(&o->type, 0, 0, &o->note.list_size) && o->note.list_size >= 0);
    o->note.form = o->id == ARROW_FIXED_LIST        ? ARROW_FIXED
                   : o->id == ARROW_LARGE_LIST      ? ARROW_LARGE
                   : o->id == ARROW_LIST_VIEW       ? ARROW_VIEW
                   : o->id == ARROW_LARGE_LIST_VIEW ? ARROW_LARGE_VIEW
                                                    : ARROW_PLAIN;
    TRY(read_children(r, &o->children, &element, err));
    o->f->type = type_nested(TYPE_LIST, element, 1);
    return NRW_OK;
}

static nrw_status type_struct(reading *r, one *o, nrw_error *err)
{
    field *fields;

    TRY(read_children(r, &o->children, &fields, err));
    o->f->type = type_nested(TYPE_STRUCT, fields, o->children.n);
    return NRW_OK;
}

/* A map's one child is the struct of key and value. */
static nrw_status type_map(reading *r, one *o, nrw_error *err)
{
    field *entries;
    uint8_t sorted;

    CHECK(o->children.n == 1 && flat_u8(&o->type, 0, 0, &sorted));
    TRY(read_children(r, &o->children, &entries, err));
    CHECK(entries->type.id == TYPE_STRUCT && entries->type.n_children == 2);
    o->note.keys_sorted = sorted != 0;
    o->f->type = type_nested(TYPE_MAP, entries->type.children, 2);
    return NRW_OK;
}

/* Runs are the values, however they lie. */
static nrw_status type_runs(reading *r, one *o, nrw_error *err)
{
    field *parts;

    CHECK(o->children.n == 2);
    TRY(read_children(r, &o->children, &parts, err));
    o->f->type = parts[1].type;
    if (parts[1].note)
        o->note = *parts[1].note;
    return NRW_OK;
}

static nrw_status read_type(reading *r, one *o, nrw_error *err)
{
    static const struct {
        type_id id;
        arrow_form form;
    } plain[] = {
        [ARROW_NULL] = {TYPE_NULL, ARROW_PLAIN},
        [ARROW_BINARY] = {TYPE_BINARY, ARROW_PLAIN},
        [ARROW_UTF8] = {TYPE_UTF8, ARROW_PLAIN},
        [ARROW_BOOL] = {TYPE_BOOL, ARROW_PLAIN},
        [ARROW_LARGE_BINARY] = {TYPE_BINARY, ARROW_LARGE},
        [ARROW_LARGE_UTF8] = {TYPE_UTF8, ARROW_LARGE},
        [ARROW_BINARY_VIEW] = {TYPE_BINARY, ARROW_VIEW},
        [ARROW_UTF8_VIEW] = {TYPE_UTF8, ARROW_VIEW},
    };

    switch (o->id) {
    case ARROW_INT: return type_int(o, err);
    case ARROW_FLOAT: return type_float(o, err);
    case ARROW_DECIMAL: return type_decimals(o, err);
    case ARROW_DATE: return type_date(o, err);
    case ARROW_TIME:
    case ARROW_DURATION: return type_units(o, err);
    case ARROW_TIMESTAMP: return type_instant(r, o, err);
    case ARROW_FIXED_BINARY: return type_fixed_bytes(o, err);
    case ARROW_LIST:
    case ARROW_LARGE_LIST:
    case ARROW_FIXED_LIST:
    case ARROW_LIST_VIEW:
    case ARROW_LARGE_LIST_VIEW: return type_list(r, o, err);
    case ARROW_STRUCT: return type_struct(r, o, err);
    case ARROW_MAP: return type_map(r, o, err);
    case ARROW_RUN_ENDS: return type_runs(r, o, err);
    case ARROW_INTERVAL: o->f->type = type_interval(UNIT_US); return NRW_OK;
    case ARROW_NULL:
    case ARROW_BINARY:
    case ARROW_UTF8:
    case ARROW_BOOL:
    case ARROW_LARGE_BINARY:
    case ARROW_LARGE_UTF8:
    case ARROW_BINARY_VIEW:
    case ARROW_UTF8_VIEW:
        o->f->type = type_of(plain[o->id].id);
        o->note.form = plain[o->id].form;
        return NRW_OK;
    default: unknown(o); return NRW_OK;
    }
}

/* ---- the rest of a field ---- */

static nrw_status read_dictionary(one *o, nrw_error *err)
{
    flat_table dictionary, index;
    int32_t bits = 32;
    uint8_t ordered;
    bool has;

    CHECK(flat_child(&o->table, ARROW_FIELD_DICTIONARY, &has, &dictionary));
    if (!has)
        return NRW_OK;
    o->note.dictionary = o->note.index_signed = true;
    CHECK(flat_u8(&dictionary, 2, 0, &ordered) && flat_child(&dictionary, 1, &has, &index));
    if (has)
        TRY(read_int(&index, &bits, &o->note.index_signed, err));
    o->note.ordered = ordered != 0;
    o->note.index_bits = (uint8_t)bits;
    return NRW_OK;
}

/* Keys that Parquet has a place of its own for are left out. */
static nrw_status read_pairs(reading *r, const flat_table *t, int id, note_pair **out, uint32_t *n,
                             nrw_error *err)
{
    flat_vector v;
    flat_table pair;

    *n = 0;
    CHECK(flat_refs(t, id, &v) && v.n <= r->left);
    r->left -= v.n;
    TRY(arena_alloc(r->a, v.n * sizeof **out + 1, (void **)out, err));
    for (uint32_t i = 0; i < v.n; i++) {
        note_pair *to = *out + *n;
        span key, value;
        bool has;
        char *copy;
        CHECK(flat_element(&v, i, &pair) && flat_string(&pair, 0, &has, &key) &&
              flat_string(&pair, 1, &has, &value));
        TRY(keep_text(r, key, &to->key, err));
        if (strcmp(to->key, "PARQUET:field_id") == 0)
            continue;
        CHECK(value.len <= r->text_left);
        r->text_left -= value.len;
        TRY(arena_strndup(r->a, value.len ? (const char *)value.data : "", value.len, &copy, err));
        to->value = copy;
        to->value_len = value.len;
        ++*n;
    }
    return NRW_OK;
}

static nrw_status read_metadata(reading *r, one *o, nrw_error *err)
{
    note_pair *pairs;

    TRY(read_pairs(r, &o->table, ARROW_FIELD_METADATA, &pairs, &o->note.n_pairs, err));
    o->note.pairs = pairs;
    return NRW_OK;
}

/* Extension types that are types of ours. */
static void name_extension(one *o)
{
    const type *t = &o->f->type;

    for (uint32_t i = 0; i < o->note.n_pairs; i++) {
        const note_pair *p = &o->note.pairs[i];
        if (strcmp(p->key, ARROW_EXTENSION) != 0)
            continue;
        if (strcmp(p->value, ARROW_UUID) == 0 && t->id == TYPE_FIXED && t->width == 16)
            o->f->type = type_of(TYPE_UUID);
        else if (strcmp(p->value, ARROW_JSON) == 0 && t->id == TYPE_UTF8)
            o->f->type = type_of(TYPE_JSON);
    }
}

static bool says_something(const field_note *n)
{
    return n->form || n->dictionary || n->keys_sorted || n->zone || n->n_pairs;
}

static nrw_status keep_note(reading *r, one *o, nrw_error *err)
{
    void *note;

    if (!says_something(&o->note))
        return NRW_OK;
    TRY(arena_alloc(r->a, sizeof o->note, &note, err));
    *(field_note *)note = o->note;
    o->f->note = note;
    return NRW_OK;
}

static nrw_status read_parts(reading *r, one *o, nrw_error *err)
{
    uint8_t nullable;
    span name;
    bool has;

    CHECK(flat_string(&o->table, ARROW_FIELD_NAME, &has, &name));
    TRY(keep_text(r, name, &o->f->name, err));
    CHECK(flat_u8(&o->table, ARROW_FIELD_NULLABLE, 0, &nullable));
    o->f->nullable = nullable != 0;
    CHECK(flat_u8(&o->table, ARROW_FIELD_TYPE_ID, 0, &o->id));
    CHECK(flat_child(&o->table, ARROW_FIELD_TYPE, &has, &o->type) && has);
    CHECK(flat_refs(&o->table, ARROW_FIELD_CHILDREN, &o->children));
    TRY(read_type(r, o, err));
    TRY(read_dictionary(o, err));
    TRY(read_metadata(r, o, err));
    name_extension(o);
    return keep_note(r, o, err);
}

static nrw_status read_field(reading *r, const flat_table *t, field *out, nrw_error *err)
{
    one o = {.table = *t, .f = out, .note = {.edges = -1, .version = -1}};
    nrw_status st;

    CHECK(r->left && r->depth < DEPTH);
    r->left--;
    r->depth++;
    st = read_parts(r, &o, err);
    r->depth--;
    return st;
}

/* ---- the message ---- */

/* Behind a length, which new writers put behind a mark. */
static bool strip_length(span *message)
{
    const uint32_t mark = UINT32_MAX;
    size_t at = 0;
    uint32_t len;

    if (message->len >= 8 && load_u32(message->data) == mark)
        at = 4;
    if (message->len < at + 4)
        return false;
    len = load_u32(message->data + at);
    if (len > message->len - at - 4)
        return false;
    *message = (span){message->data + at + 4, len};
    return true;
}

nrw_status arrow_schema_table(span message, flat_table *out, nrw_error *err)
{
    flat_table root;
    uint8_t kind;
    bool has;

    CHECK(strip_length(&message));
    CHECK(flat_root(message, &root) && flat_u8(&root, ARROW_MESSAGE_HEADER_ID, 0, &kind));
    if (kind != ARROW_HEADER_SCHEMA)
        return err_set(err, NRW_E_CORRUPT, "the Arrow message is of kind %d, not a schema", kind);
    CHECK(flat_child(&root, ARROW_MESSAGE_HEADER, &has, out) && has);
    return NRW_OK;
}

nrw_status arrow_schema_fields(span message, flat_vector *out, nrw_error *err)
{
    flat_table header;

    TRY(arrow_schema_table(message, &header, err));
    CHECK(flat_refs(&header, ARROW_SCHEMA_FIELDS, out));
    return NRW_OK;
}

nrw_status arrow_fields_read(const flat_vector *fields, arena *a, schema *out, nrw_error *err)
{
    reading r = {.a = a, .left = fields->all.len / FIELD_LEAST, .text_left = fields->all.len};

    *out = (schema){.n_fields = fields->n};
    return read_children(&r, fields, &out->fields, err);
}

nrw_status arrow_pairs_read(const flat_table *t, arena *a, note_pair **out, uint32_t *n,
                            nrw_error *err)
{
    reading r = {.a = a, .left = t->all.len / FIELD_LEAST, .text_left = t->all.len};

    return read_pairs(&r, t, ARROW_SCHEMA_METADATA, out, n, err);
}

nrw_status arrow_schema_read(span message, arena *a, schema *out, nrw_error *err)
{
    flat_vector fields;

    *out = (schema){0};
    TRY(arrow_schema_fields(message, &fields, err));
    return arrow_fields_read(&fields, a, out, err);
}
