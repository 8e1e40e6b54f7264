/* The tables were checked when the schema was read; a second look finds the same in them. */
#include "column/arrow_layout.h"

#include "column/arrow_own.h"
#include "column/arrow_schema.h"

/* References may share tables, so what they expand to is counted. */
typedef struct laying {
    arena *a;
    uint64_t left;
    int depth;
} laying;

enum { DEPTH = 64, FIELD_LEAST = 8 };

static void no_type(arrow_layout *l, const char *why)
{
    l->change = CHANGE_NO_TYPE;
    l->why = why;
}

static void lay(arrow_layout *l, arrow_kind kind, uint8_t buffers)
{
    l->kind = kind;
    l->buffers = buffers;
}

static void lay_fixed(arrow_layout *l, uint32_t width)
{
    lay(l, LAID_FIXED, 2);
    l->width = width;
    if (l->f->type.width != width)
        l->change = CHANGE_WIDTH;
}

static void lay_offsets(arrow_layout *l, arrow_kind kind, uint8_t buffers, uint8_t bytes)
{
    lay(l, kind, buffers);
    l->offset_bytes = bytes;
}

static nrw_status lay_decimal(arrow_layout *l, const flat_table *t, nrw_error *err)
{
    int32_t bits;

    CHECK(flat_i32(t, 2, 128, &bits));
    CHECK(bits == 32 || bits == 64 || bits == 128 || bits == 256);
    lay_fixed(l, (uint32_t)bits / 8);
    if (l->f->type.id != TYPE_DECIMAL)
        no_type(l, "a decimal whose scale is negative or larger than its precision");
    return NRW_OK;
}

static nrw_status lay_interval(arrow_layout *l, const flat_table *t, nrw_error *err)
{
    static const uint8_t widths[] = {4, 8, 16};
    static const arrow_change changes[] = {CHANGE_MONTHS, CHANGE_DAYS_MILLIS, CHANGE_MONTHS_NANOS};
    int16_t unit;

    CHECK(flat_i16(t, 0, 0, &unit) && unit >= 0 && unit <= 2);
    lay_fixed(l, widths[unit]);
    l->change = changes[unit];
    return NRW_OK;
}

static nrw_status lay_union(arrow_layout *l, const flat_table *t, nrw_error *err)
{
    int16_t mode;

    CHECK(flat_i16(t, 0, 0, &mode));
    lay(l, LAID_UNION, mode ? 2 : 1);
    no_type(l, "a union");
    return NRW_OK;
}

/* Times of seconds and milliseconds have 32 bits. */
static nrw_status lay_time(arrow_layout *l, const flat_table *t, nrw_error *err)
{
    int32_t bits;

    CHECK(flat_i32(t, 1, 32, &bits) && (bits == 32 || bits == 64));
    lay_fixed(l, (uint32_t)bits / 8);
    return NRW_OK;
}

static nrw_status lay_date(arrow_layout *l, const flat_table *t, nrw_error *err)
{
    int16_t unit;

    CHECK(flat_i16(t, 0, 1, &unit));
    lay_fixed(l, unit ? 8 : 4);
    if (unit)
        l->change = CHANGE_DATE_MILLIS;
    return NRW_OK;
}

static nrw_status lay_type(arrow_layout *l, uint8_t id, const flat_table *t, nrw_error *err)
{
    switch (id) {
    case ARROW_NULL: lay(l, LAID_NULL, 0); return NRW_OK;
    case ARROW_BOOL: lay(l, LAID_BITS, 2); return NRW_OK;
    case ARROW_INT:
    case ARROW_FLOAT: lay_fixed(l, l->f->type.width); return NRW_OK;
    case ARROW_TIMESTAMP:
    case ARROW_DURATION: lay_fixed(l, 8); return NRW_OK;
    case ARROW_TIME: return lay_time(l, t, err);
    case ARROW_DATE: return lay_date(l, t, err);
    case ARROW_DECIMAL: return lay_decimal(l, t, err);
    case ARROW_INTERVAL: return lay_interval(l, t, err);
    case ARROW_FIXED_BINARY:
        lay_fixed(l, l->f->type.width);
        if (l->f->type.id == TYPE_NULL)
            no_type(l, "binary values of no bytes");
        return NRW_OK;
    case ARROW_UTF8:
    case ARROW_BINARY: lay_offsets(l, LAID_BYTES, 3, 4); return NRW_OK;
    case ARROW_LARGE_UTF8:
    case ARROW_LARGE_BINARY: lay_offsets(l, LAID_BYTES, 3, 8); return NRW_OK;
    case ARROW_UTF8_VIEW:
    case ARROW_BINARY_VIEW: lay(l, LAID_VIEWS, 2); return NRW_OK;
    case ARROW_MAP:
    case ARROW_LIST: lay_offsets(l, LAID_LIST, 2, 4); return NRW_OK;
    case ARROW_LARGE_LIST: lay_offsets(l, LAID_LIST, 2, 8); return NRW_OK;
    case ARROW_LIST_VIEW: lay_offsets(l, LAID_LIST_VIEW, 3, 4); return NRW_OK;
    case ARROW_LARGE_LIST_VIEW: lay_offsets(l, LAID_LIST_VIEW, 3, 8); return NRW_OK;
    case ARROW_FIXED_LIST:
        lay(l, LAID_FIXED_LIST, 1);
        CHECK(flat_i32(t, 0, 0, &l->list_size) && l->list_size >= 0);
        return NRW_OK;
    case ARROW_STRUCT: lay(l, LAID_STRUCT, 1); return NRW_OK;
    case ARROW_RUN_ENDS: lay(l, LAID_RUNS, 0); return NRW_OK;
    case ARROW_UNION: return lay_union(l, t, err);
    default: break;
    }
    err_next(err, "write it with another type");
    return err_set(err, NRW_E_UNSUPPORTED, "column %s is of Arrow's type %d, which is not known",
                   l->f->name, id);
}

static nrw_status lay_field(const flat_table *t, const field *f, laying *g, arrow_layout *l,
                            nrw_error *err);

static nrw_status lay_children(const flat_vector *v, const field *fields, laying *g,
                               arrow_layout *l, nrw_error *err)
{
    void *p;

    TRY(arena_alloc(g->a, v->n * sizeof *l->children + 1, &p, err));
    l->children = p;
    l->n_children = v->n;
    for (uint32_t i = 0; i < v->n; i++) {
        flat_table child;
        CHECK(flat_element(v, i, &child));
        TRY(lay_field(&child, &fields[i], g, &l->children[i], err));
    }
    return NRW_OK;
}

/* Fields that stand for children without a type of ours, or whose type is gone: unions, runs. */
static nrw_status lay_hidden(const flat_vector *v, laying *g, arrow_layout *l, nrw_error *err)
{
    schema s;

    TRY(arrow_fields_read(v, g->a, &s, err));
    return lay_children(v, s.fields, g, l, err);
}

static nrw_status lay_nested(const flat_vector *v, const field *f, laying *g, arrow_layout *l,
                             nrw_error *err)
{
    if (l->kind == LAID_RUNS || l->kind == LAID_UNION)
        TRY(lay_hidden(v, g, l, err));
    else if (f->type.id == TYPE_MAP) {
        field *entries;
        TRY(arena_alloc(g->a, sizeof *entries, (void **)&entries, err));
        *entries = (field){.name = "entries",
                           .type = type_nested(TYPE_STRUCT, f->type.children, 2),
                           .field_id = -1};
        TRY(lay_children(v, entries, g, l, err));
    } else
        TRY(lay_children(v, f->type.children, g, l, err));
    if (l->kind != LAID_RUNS)
        return NRW_OK;
    const arrow_layout *ends = l->children;
    CHECK(l->n_children == 2 && ends->kind == LAID_FIXED && ends->change == CHANGE_NONE &&
          !ends->dictionary && ends->f->type.id >= TYPE_INT16 && ends->f->type.id <= TYPE_INT64);
    return NRW_OK;
}

static nrw_status lay_dictionary(const flat_table *t, arrow_layout *l, nrw_error *err)
{
    flat_table dictionary, index;
    int32_t bits = 32;
    uint8_t sign = 1;
    bool has;

    CHECK(flat_child(t, ARROW_FIELD_DICTIONARY, &l->dictionary, &dictionary));
    if (!l->dictionary)
        return NRW_OK;
    CHECK(flat_i64(&dictionary, 0, 0, &l->dictionary_id));
    CHECK(flat_child(&dictionary, 1, &has, &index));
    if (has)
        CHECK(flat_i32(&index, 0, 0, &bits) && flat_u8(&index, 1, 0, &sign));
    CHECK(bits == 8 || bits == 16 || bits == 32 || bits == 64);
    l->index_bytes = (uint8_t)(bits / 8);
    l->index_signed = sign != 0;
    return NRW_OK;
}

static nrw_status lay_field(const flat_table *t, const field *f, laying *g, arrow_layout *l,
                            nrw_error *err)
{
    flat_table type;
    flat_vector children;
    uint8_t id;
    bool has;

    CHECK(g->left && g->depth < DEPTH);
    g->left--;
    l->f = f;
    CHECK(flat_u8(t, ARROW_FIELD_TYPE_ID, 0, &id));
    CHECK(flat_child(t, ARROW_FIELD_TYPE, &has, &type) && has);
    CHECK(flat_refs(t, ARROW_FIELD_CHILDREN, &children));
    TRY(lay_type(l, id, &type, err));
    g->depth++;
    if (l->kind >= LAID_LIST)
        TRY(lay_nested(&children, f, g, l, err));
    g->depth--;
    return lay_dictionary(t, l, err);
}

nrw_status arrow_layout_read(const flat_vector *fields, const schema *s, arena *a,
                             arrow_layout **out, nrw_error *err)
{
    laying g = {.a = a, .left = fields->all.len / FIELD_LEAST};
    arrow_layout all = {0};

    *out = NULL;
    CHECK(fields->n == s->n_fields);
    TRY(lay_children(fields, s->fields, &g, &all, err));
    *out = all.children;
    return NRW_OK;
}

/* ---- places ---- */

static void place(arrow_layout *l, arrow_places *p);

static void place_values(arrow_layout *l, arrow_places *p)
{
    l->node = p->nodes++;
    l->buffer = p->buffers;
    l->views = p->views;
    p->buffers += l->buffers;
    p->views += l->kind == LAID_VIEWS;
    for (uint32_t i = 0; i < l->n_children; i++)
        place(&l->children[i], p);
}

static void place(arrow_layout *l, arrow_places *p)
{
    arrow_places own = {0};

    if (!l->dictionary) {
        place_values(l, p);
        return;
    }
    l->index_node = p->nodes++;
    l->index_buffer = p->buffers;
    l->index_views = p->views;
    p->buffers += 2;
    place_values(l, &own);
}

arrow_places arrow_layout_place(arrow_layout *at, uint32_t n)
{
    arrow_places p = {0};

    for (uint32_t i = 0; i < n; i++)
        place(&at[i], &p);
    return p;
}

const char *arrow_layout_refusal(const arrow_layout *l)
{
    const char *why = l->change == CHANGE_NO_TYPE ? l->why : NULL;

    for (uint32_t i = 0; !why && i < l->n_children; i++)
        why = arrow_layout_refusal(&l->children[i]);
    return why;
}

bool arrow_layout_has_dictionary(const arrow_layout *l)
{
    bool has = l->dictionary;

    for (uint32_t i = 0; !has && i < l->n_children; i++)
        has = arrow_layout_has_dictionary(&l->children[i]);
    return has;
}

uint64_t arrow_layout_own(const arrow_layout *l)
{
    return l->dictionary           ? l->index_bytes
           : l->kind == LAID_FIXED ? size_max(l->width, l->f->type.width)
           : l->kind == LAID_VIEWS ? 16
                                   : 4u + l->offset_bytes;
}

uint64_t arrow_layout_row(const arrow_layout *l)
{
    uint64_t bytes = arrow_layout_own(l);

    for (uint32_t i = 0; !l->dictionary && i < l->n_children; i++)
        bytes += arrow_layout_row(&l->children[i]);
    return bytes;
}
