/* IPC's schemas to C's. Fields may be moved out of their parents, so each has its own memory, in
 * books that all of them hold. */
#include "column/arrow_c_array.h"
#include "column/arrow_c_formats.h"
#include "column/arrow_c_schema.h"
#include "column/arrow_schema.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct exported {
    arrow_books *books;
    char *format, *name, *metadata;
    size_t metadata_len;
    uint32_t n; /* of fields and children there is room for */
    struct ArrowSchema *fields, **children, dictionary;
} exported;

static void free_text(mem *m, char *text)
{
    mem_free(m, text, text ? strlen(text) + 1 : 0);
}

static void release(struct ArrowSchema *s)
{
    exported *e = s->private_data;
    arrow_books *books = e->books;
    mem *m = arrow_books_mem(books);

    for (int64_t i = 0; i < s->n_children; i++)
        if (s->children[i]->release)
            s->children[i]->release(s->children[i]);
    if (e->dictionary.release)
        e->dictionary.release(&e->dictionary);
    free_text(m, e->format);
    free_text(m, e->name);
    mem_free(m, e->metadata, e->metadata_len);
    mem_free(m, e->fields, e->n * sizeof *e->fields);
    mem_free(m, e->children, e->n * sizeof *e->children);
    mem_free(m, e, sizeof *e);
    arrow_books_unref(books);
    s->release = NULL;
}

static nrw_status copy_text(exported *e, span text, char **out, nrw_error *err)
{
    size_t len = text.len ? strnlen((const char *)text.data, text.len) : 0;
    void *p;

    TRY(mem_zalloc(arrow_books_mem(e->books), len + 1, &p, err));
    if (len)
        memcpy(p, text.data, len);
    *out = p;
    return NRW_OK;
}

/* ---- formats ---- */

static bool same(const flat_table *t, const c_format *c)
{
    for (int i = 0; i < c->n; i++) {
        int32_t v = 0;
        int16_t narrow = 0;
        uint8_t byte = 0;
        bool read = c->f[i].bytes == 4   ? flat_i32(t, i, c->f[i].initial, &v)
                    : c->f[i].bytes == 2 ? flat_i16(t, i, (int16_t)c->f[i].initial, &narrow)
                                         : flat_u8(t, i, (uint8_t)c->f[i].initial, &byte);
        v = c->f[i].bytes == 2 ? narrow : c->f[i].bytes == 1 ? byte : v;
        if (!read || v != c->f[i].value)
            return false;
    }
    return true;
}

static nrw_status decimal_format(const flat_table *t, char *out, size_t cap, nrw_error *err)
{
    int32_t precision, scale, bits;

    CHECK(flat_i32(t, 0, 0, &precision) && flat_i32(t, 1, 0, &scale) && flat_i32(t, 2, 128, &bits));
    if (bits == 128)
        snprintf(out, cap, "d:%" PRId32 ",%" PRId32, precision, scale);
    else
        snprintf(out, cap, "d:%" PRId32 ",%" PRId32 ",%" PRId32, precision, scale, bits);
    return NRW_OK;
}

static nrw_status width_format(const flat_table *t, const char *before, char *out, size_t cap,
                               nrw_error *err)
{
    int32_t n;

    CHECK(flat_i32(t, 0, 0, &n));
    snprintf(out, cap, "%s:%" PRId32, before, n);
    return NRW_OK;
}

static nrw_status instant_format(const flat_table *t, char *out, size_t cap, nrw_error *err)
{
    int16_t unit;
    span zone;
    bool has;

    CHECK(flat_i16(t, 0, 0, &unit) && unit >= 0 && unit < 4 && flat_string(t, 1, &has, &zone));
    CHECK(zone.len < cap - 8);
    snprintf(out, cap, "ts%c:%.*s", c_units[unit], (int)zone.len,
             zone.len ? (const char *)zone.data : "");
    return NRW_OK;
}

static nrw_status format_of(uint8_t id, const flat_table *t, char *out, size_t cap, nrw_error *err)
{
    switch (id) {
    case ARROW_DECIMAL: return decimal_format(t, out, cap, err);
    case ARROW_FIXED_BINARY: return width_format(t, "w", out, cap, err);
    case ARROW_FIXED_LIST: return width_format(t, "+w", out, cap, err);
    case ARROW_TIMESTAMP: return instant_format(t, out, cap, err);
    case ARROW_MAP: snprintf(out, cap, "+m"); return NRW_OK;
    default: break;
    }
    for (size_t i = 0; i < C_FORMATS; i++)
        if (c_formats[i].id == id && same(t, &c_formats[i])) {
            snprintf(out, cap, "%s", c_formats[i].text);
            return NRW_OK;
        }
    return arrow_schema_damaged(err);
}

static nrw_status set_format(uint8_t id, const flat_table *t, exported *e, nrw_error *err)
{
    char text[256];

    TRY(format_of(id, t, text, sizeof text, err));
    return copy_text(e, (span){(const uint8_t *)text, strlen(text)}, &e->format, err);
}

/* ---- metadata ---- */

static char *put_part(char *at, span part)
{
    int32_t n = (int32_t)part.len;

    memcpy(at, &n, sizeof n);
    if (part.len)
        memcpy(at + sizeof n, part.data, part.len);
    return at + sizeof n + part.len;
}

static nrw_status set_metadata(const flat_table *t, int id, exported *e, nrw_error *err)
{
    flat_vector pairs;
    size_t size = sizeof(int32_t);
    char *at = NULL;
    void *p;

    CHECK(flat_refs(t, id, &pairs));
    if (!pairs.n)
        return NRW_OK;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < pairs.n; i++) {
            flat_table pair;
            span key, value;
            bool has;
            CHECK(flat_element(&pairs, i, &pair) && flat_string(&pair, 0, &has, &key) &&
                  flat_string(&pair, 1, &has, &value));
            if (pass)
                at = put_part(put_part(at, key), value);
            else
                size += 2 * sizeof(int32_t) + key.len + value.len;
        }
        if (pass)
            break;
        TRY(mem_zalloc(arrow_books_mem(e->books), size, &p, err));
        e->metadata = p;
        e->metadata_len = size;
        memcpy(e->metadata, &(int32_t){(int32_t)pairs.n}, sizeof(int32_t));
        at = e->metadata + sizeof(int32_t);
    }
    return NRW_OK;
}

/* ---- fields ---- */

static nrw_status begin(arrow_books *books, struct ArrowSchema *s, exported **out, nrw_error *err)
{
    void *p;

    *s = (struct ArrowSchema){0};
    TRY(mem_zalloc(arrow_books_mem(books), sizeof(exported), &p, err));
    s->private_data = *out = p;
    (*out)->books = arrow_books_ref(books);
    s->release = release;
    return NRW_OK;
}

static void show(struct ArrowSchema *s, exported *e)
{
    s->format = e->format;
    s->name = e->name ? e->name : "";
    s->metadata = e->metadata;
    s->dictionary = e->dictionary.release ? &e->dictionary : NULL;
}

static nrw_status set_field(const flat_table *t, arrow_books *books, struct ArrowSchema *s,
                            nrw_error *err);

static nrw_status set_children(const flat_vector *v, struct ArrowSchema *s, exported *e,
                               nrw_error *err)
{
    mem *m = arrow_books_mem(e->books);
    void *p;

    TRY(mem_zalloc(m, v->n * sizeof *e->fields, &p, err));
    e->fields = p;
    e->n = v->n;
    TRY(mem_zalloc(m, v->n * sizeof *e->children, &p, err));
    s->children = e->children = p;
    for (uint32_t i = 0; i < v->n; i++) {
        flat_table child;
        CHECK(flat_element(v, i, &child));
        e->children[i] = &e->fields[i];
        s->n_children++;
        TRY(set_field(&child, e->books, &e->fields[i], err));
    }
    return NRW_OK;
}

/* Type and children go to the dictionary, where there is one; the field has the indices' type. */
static nrw_status set_type(const flat_table *t, struct ArrowSchema *s, exported *e, nrw_error *err)
{
    flat_table type, dictionary, index;
    flat_vector children;
    uint8_t id, ordered, sorted;
    exported *to = e;
    bool has, is_dictionary;

    CHECK(flat_u8(t, ARROW_FIELD_TYPE_ID, 0, &id) && flat_child(t, ARROW_FIELD_TYPE, &has, &type) &&
          has && flat_refs(t, ARROW_FIELD_CHILDREN, &children) &&
          flat_child(t, ARROW_FIELD_DICTIONARY, &is_dictionary, &dictionary));
    if (is_dictionary) {
        CHECK(flat_child(&dictionary, 1, &has, &index) && has &&
              flat_u8(&dictionary, 2, 0, &ordered));
        s->flags |= ordered ? ARROW_FLAG_DICTIONARY_ORDERED : 0;
        TRY(set_format(ARROW_INT, &index, e, err));
        TRY(begin(e->books, &e->dictionary, &to, err));
        e->dictionary.flags = ARROW_FLAG_NULLABLE;
        s = &e->dictionary;
    }
    if (id == ARROW_MAP) {
        CHECK(flat_u8(&type, 0, 0, &sorted));
        s->flags |= sorted ? ARROW_FLAG_MAP_KEYS_SORTED : 0;
    }
    TRY(set_format(id, &type, to, err));
    TRY(set_children(&children, s, to, err));
    if (is_dictionary)
        show(s, to);
    return NRW_OK;
}

static nrw_status fill_field(const flat_table *t, struct ArrowSchema *s, exported *e,
                             nrw_error *err)
{
    uint8_t nullable;
    span name;
    bool has;

    CHECK(flat_u8(t, ARROW_FIELD_NULLABLE, 0, &nullable) &&
          flat_string(t, ARROW_FIELD_NAME, &has, &name));
    s->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    TRY(copy_text(e, name, &e->name, err));
    TRY(set_type(t, s, e, err));
    return set_metadata(t, ARROW_FIELD_METADATA, e, err);
}

/* A failure leaves what there is for the release of the root. */
static nrw_status set_field(const flat_table *t, arrow_books *books, struct ArrowSchema *s,
                            nrw_error *err)
{
    exported *e;

    TRY(begin(books, s, &e, err));
    TRY(fill_field(t, s, e, err));
    show(s, e);
    return NRW_OK;
}

static nrw_status fill_root(span message, struct ArrowSchema *s, exported *e, nrw_error *err)
{
    flat_vector fields;
    flat_table header;

    TRY(arrow_schema_table(message, &header, err));
    CHECK(flat_refs(&header, ARROW_SCHEMA_FIELDS, &fields));
    TRY(copy_text(e, (span){(const uint8_t *)"+s", 2}, &e->format, err));
    TRY(set_children(&fields, s, e, err));
    return set_metadata(&header, ARROW_SCHEMA_METADATA, e, err);
}

nrw_status arrow_c_schema_export(span message, struct ArrowSchema *out, nrw_error *err)
{
    arrow_books *books;
    exported *e;
    nrw_status st;

    *out = (struct ArrowSchema){0};
    TRY(arrow_books_new(&books, err));
    st = begin(books, out, &e, err);
    arrow_books_unref(books); /* what was begun holds them */
    TRY(st);
    st = fill_root(message, out, e, err);
    show(out, e);
    if (st < 0)
        release(out);
    return st;
}
