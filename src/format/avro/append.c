/* Rows added to a file. They are encoded as the writer encodes any; so the file's schema must be,
 * in what decides about bytes, the one that the writer would give them. Who may be null is the
 * file's to say. */
#include "format/avro/avro.h"
#include "format/avro/container.h"
#include "format/avro/schema.h"
#include "format/avro/write_schema.h"

#include <stdio.h>
#include <string.h>

/* ---- who may be null ---- */

static nrw_status adopt(arena *a, const av_type *t, field *f, nrw_error *err);

/* Those below f, each of which `types` says of. */
static nrw_status adopt_children(arena *a, const av_type *const *types, uint32_t n, field *f,
                                 nrw_error *err)
{
    field *children;

    if (n != f->type.n_children)
        return NRW_OK; /* told when the types are compared */
    TRY(arena_alloc(a, n * sizeof *children + 1, (void **)&children, err));
    for (uint32_t i = 0; i < n; i++) {
        children[i] = f->type.children[i];
        if (types[i])
            TRY(adopt(a, types[i], &children[i], err));
    }
    f->type.children = children;
    return NRW_OK;
}

static nrw_status adopt(arena *a, const av_type *t, field *f, nrw_error *err)
{
    const bool is_union = t->kind == AV_UNION && t->n == 2;
    const av_type *map[2] = {NULL, NULL};

    f->nullable = is_union && (t->types[0]->kind == AV_NULL || t->types[1]->kind == AV_NULL);
    if (f->nullable)
        t = t->types[t->types[0]->kind == AV_NULL];
    if (t->kind == AV_ARRAY && f->type.id == TYPE_LIST)
        return adopt_children(a, t->types, 1, f, err);
    if (t->kind == AV_RECORD && f->type.id == TYPE_STRUCT)
        return adopt_children(a, t->types, t->n, f, err);
    if (f->type.id != TYPE_MAP)
        return NRW_OK;
    if (t->kind == AV_ARRAY && t->types[0]->kind == AV_RECORD)
        return adopt_children(a, t->types[0]->types, t->types[0]->n, f, err);
    map[1] = t->kind == AV_MAP ? t->types[0] : NULL;
    return adopt_children(a, map, 2, f, err);
}

/* ---- the schemas ---- */

/* Where two types differ first. */
typedef struct difference {
    char path[128];
    const av_type *file, *rows;        /* the types; NULL: that side has no such field */
    const char *file_name, *rows_name; /* of fields that are called differently */
} difference;

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_alone(const av_type *f, const av_type *r)
{
    return f->kind == r->kind && f->logical == r->logical && f->unit == r->unit &&
           f->utc == r->utc && f->precision == r->precision && f->scale == r->scale &&
           f->size == r->size && same_text(f->spelled, r->spelled);
}

static bool same(const av_type *f, const av_type *r, const char *path, difference *d);

static bool same_fields(const av_type *f, const av_type *r, const char *path, difference *d)
{
    for (uint32_t i = 0; i < f->n || i < r->n; i++) {
        const char *a = i < f->n ? f->names[i] : NULL, *b = i < r->n ? r->names[i] : NULL;
        char at[sizeof d->path];
        snprintf(at, sizeof at, "%.60s%s%.60s", path, *path ? "." : "", a ? a : b);
        if (same_text(a, b) && same(f->types[i], r->types[i], at, d))
            continue;
        if (!same_text(a, b)) {
            *d = (difference){.file_name = a, .rows_name = b};
            snprintf(d->path, sizeof d->path, "%s", at);
        }
        return false;
    }
    return true;
}

/* The schema of the rows has no type inside of itself, so this ends. */
static bool same(const av_type *f, const av_type *r, const char *path, difference *d)
{
    bool alike = same_alone(f, r) && (f->kind == AV_RECORD || f->n == r->n);

    if (alike && f->kind == AV_UNION) /* else the values' types would be told apart */
        for (uint32_t i = 0; i < f->n; i++)
            alike &= f->types[i]->kind == r->types[i]->kind;
    if (!alike) {
        *d = (difference){.file = f, .rows = r};
        snprintf(d->path, sizeof d->path, "%s", path);
        return false;
    }
    if (f->kind == AV_RECORD)
        return same_fields(f, r, path, d);
    if (f->kind == AV_UNION || f->kind == AV_ARRAY || f->kind == AV_MAP)
        for (uint32_t i = 0; i < f->n; i++)
            if (!same(f->types[i], r->types[i], path, d))
                return false;
    return true;
}

/* "int", "decimal(9,2) on bytes", "a union of null and string". */
static void put_type(const av_type *t, char *out, size_t cap)
{
    const char *kind = av_kind_name(t->kind);

    if (t->kind == AV_UNION && t->n == 2)
        snprintf(out, cap, "a union of %.40s and %.40s", t->types[0]->name, t->types[1]->name);
    else if (t->logical == AV_DECIMAL)
        snprintf(out, cap, "decimal(%d,%d) on %s", t->precision, t->scale, kind);
    else if (t->kind == AV_FIXED)
        snprintf(out, cap, "%.40s%sfixed of %u bytes", t->spelled ? t->spelled : "",
                 t->spelled ? " on " : "", t->size);
    else
        snprintf(out, cap, "%.40s%s%s", t->spelled ? t->spelled : "", t->spelled ? " on " : "",
                 kind);
}

static nrw_status tell(const difference *d, nrw_error *err)
{
    char file[128], rows[128];

    err_next(err, "--on-exists append takes equal columns; narrows schema FILE tells them");
    if (d->path[0])
        err_at_column(err, d->path);
    if (d->file) {
        put_type(d->file, file, sizeof file);
        put_type(d->rows, rows, sizeof rows);
        return err_set(err, NRW_E_SCHEMA, "the file has %s, the rows would be %s", file, rows);
    }
    if (!d->rows_name)
        return err_set(err, NRW_E_SCHEMA, "the file has it, the rows have not");
    if (!d->file_name)
        return err_set(err, NRW_E_SCHEMA, "the rows have it, the file has not");
    return err_set(err, NRW_E_SCHEMA, "the rows have %.100s in its place", d->rows_name);
}

static nrw_status compare(arena *a, const av_type *file, const schema *s, nrw_error *err)
{
    bytes text = bytes_init(arena_mem(a), INT32_MAX);
    nrw_status st = av_schema_write(arena_mem(a), s, &text, err);
    difference d = {.path = ""};
    const av_type *rows;

    if (st >= 0)
        st = av_schema_parse(a, (span){text.data, text.len}, &rows, err);
    bytes_release(&text);
    TRY(st);
    return same(file, rows, "", &d) ? NRW_OK : tell(&d, err);
}

/* ---- the file ---- */

static nrw_status check_end(io_file *f, const av_header *h, nrw_error *err)
{
    uint8_t end[AV_SYNC];

    TRY(file_read(f, f->size - AV_SYNC, end, AV_SYNC, err));
    if (memcmp(end, h->sync, AV_SYNC) == 0)
        return NRW_OK;
    err_next(err, "narrows verify lists all damage");
    return err_set(err, NRW_E_CORRUPT, "does not end with its sync marker: it was cut off");
}

static nrw_status take_metadata(arena *a, const av_header *h, avro_append *out, nrw_error *err)
{
    TRY(arena_alloc(a, h->n * sizeof *out->key_values + 1, (void **)&out->key_values, err));
    out->n_key_values = h->n;
    for (uint32_t i = 0; i < h->n; i++)
        out->key_values[i] =
            (key_value){h->at[i].key, (const char *)h->at[i].value.data, h->at[i].value.len};
    return NRW_OK;
}

static nrw_status look(arena *a, io_file *f, const schema *s, avro_append *out, nrw_error *err)
{
    const av_type *type;
    av_header h;
    schema *own;

    TRY(av_header_read(a, f, &h, err));
    TRY(check_end(f, &h, err));
    TRY(av_schema_parse(a, h.schema, &type, err));
    if (type->kind != AV_RECORD)
        return err_set(err, NRW_E_SCHEMA, "its values are of type %.100s, rows are records",
                       type->name);
    TRY(arena_alloc(a, sizeof *own, (void **)&own, err));
    TRY(schema_copy(a, s, own, err));
    for (uint32_t i = 0; i < own->n_fields && i < type->n; i++)
        TRY(adopt(a, type->types[i], &own->fields[i], err));
    *out = (avro_append){.codec = h.codec, .header = h.end, .schema = own};
    memcpy(out->sync, h.sync, AV_SYNC);
    TRY(take_metadata(a, &h, out, err));
    return compare(a, type, own, err);
}

nrw_status avro_append_look(arena *a, io_file *f, const schema *s, avro_append *out, nrw_error *err)
{
    nrw_status st = look(a, f, s, out, err);

    if (st < 0)
        err_at_object(err, f->name);
    return st;
}
