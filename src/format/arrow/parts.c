#include "format/arrow/parts.h"

/* The way from a column to a part of it. */
typedef struct way {
    const arrow_layout *at;
    const struct way *up; /* NULL: it is the column */
    uint8_t depth;        /* structs down to it, with itself */
} way;

typedef struct parts {
    arena *a;
    schema *s;
    arrow_layout *layouts; /* NULL: they are only counted */
    uint8_t *depths;
    const char **paths;
    uint32_t n;
} parts;

static bool is_open(const arrow_layout *l)
{
    return l->kind == LAID_STRUCT && !l->dictionary && l->change == CHANGE_NONE;
}

/* The layout of all around, with `inner` as its only field. */
static nrw_status put_around(arena *a, const way *w, const arrow_layout *inner, arrow_layout *out,
                             nrw_error *err)
{
    arrow_layout *child = NULL;
    field *f = NULL, *only = NULL;
    void *p;

    TRY(arena_alloc(a, sizeof *child, &p, err));
    child = p;
    *child = *inner;
    TRY(arena_alloc(a, 2 * sizeof *f, &p, err));
    f = p;
    only = f + 1;
    *only = *inner->f;
    only->nullable = true; /* where a struct around it is null */
    *f = *w->at->f;
    f->type = type_nested(TYPE_STRUCT, only, 1);
    *out = *w->at;
    out->f = f;
    out->children = child;
    out->n_children = 1;
    return w->up ? put_around(a, w->up, out, out, err) : NRW_OK;
}

static nrw_status path_of(arena *a, const char *path, const char *name, const char **out,
                          nrw_error *err)
{
    size_t n = strlen(path), m = strlen(name);
    void *p;

    TRY(arena_alloc(a, n + m + 2, &p, err));
    memcpy(p, path, n);
    ((char *)p)[n] = '.';
    memcpy((char *)p + n + 1, name, m + 1);
    *out = p;
    return NRW_OK;
}

static nrw_status add_fields(parts *k, const char *path, const way *w, bool nullable,
                             nrw_error *err);

static nrw_status add_part(parts *k, const char *path, const way *w, const arrow_layout *l,
                           bool nullable, nrw_error *err)
{
    uint32_t i = k->n++, c = k->s->n_fields + i;
    const char *full = NULL;

    if (k->layouts) {
        TRY(path_of(k->a, path, l->f->name, &full, err));
        k->paths[i] = full;
        k->s->fields[c] = *l->f;
        k->s->fields[c].nullable = nullable;
        k->depths[c] = w->depth;
        TRY(put_around(k->a, w, l, &k->layouts[c], err));
    }
    return add_fields(k, full, &(way){l, w, (uint8_t)(w->depth + 1)}, nullable, err);
}

static nrw_status add_fields(parts *k, const char *path, const way *w, bool nullable,
                             nrw_error *err)
{
    for (uint32_t i = 0; is_open(w->at) && i < w->at->n_children; i++) {
        const arrow_layout *l = &w->at->children[i];
        TRY(add_part(k, path, w, l, nullable || l->f->nullable, err));
    }
    return NRW_OK;
}

static nrw_status add_all(parts *k, const arrow_layout *layouts, nrw_error *err)
{
    k->n = 0;
    for (uint32_t i = 0; i < k->s->n_fields; i++) {
        const field *f = layouts[i].f;
        TRY(add_fields(k, f->name, &(way){&layouts[i], NULL, 1}, f->nullable, err));
    }
    return NRW_OK;
}

nrw_status ipc_parts_add(arena *a, schema *s, arrow_layout **layouts, uint8_t **depths,
                         nrw_error *err)
{
    parts k = {.a = a, .s = s};
    uint32_t n = s->n_fields;
    schema all;
    void *p;

    TRY(add_all(&k, *layouts, err));
    TRY(schema_new(a, n + k.n, &all, err));
    TRY(arena_alloc(a, (n + k.n) * sizeof *k.layouts + 1, &p, err));
    k.layouts = p;
    TRY(arena_alloc(a, k.n * sizeof *k.paths + 1, &p, err));
    k.paths = p;
    TRY(arena_alloc(a, n + k.n + 1, &p, err));
    *depths = k.depths = p;
    for (uint32_t i = 0; i < n; i++) {
        all.fields[i] = s->fields[i];
        k.layouts[i] = (*layouts)[i];
        k.depths[i] = 0;
    }
    *s = all;
    s->n_fields = n;
    s->n_parts = k.n;
    s->part_paths = k.paths;
    TRY(add_all(&k, *layouts, err));
    *layouts = k.layouts;
    return NRW_OK;
}

void ipc_part_take(vector *v, uint32_t depth)
{
    for (; depth; depth--) {
        vector part = v->children[0];
        v->children[0] = (vector){0};
        vector_release(v);
        *v = part;
    }
}
