#include "format/parquet/leaf_write.h"

enum { PATH_MOST = 250 }; /* names in a path, and levels */

/* Where the walk is: names down to here, and levels of what stands here. */
typedef struct walk {
    const char *path[PATH_MOST];
    uint32_t route[PATH_MOST];
    uint32_t n_path, n_route, def, rep, column;
    pq_leaf_visit visit;
    void *self;
} walk;

static nrw_status walk_child(walk *w, const type *t, uint32_t child, const char *name,
                             bool nullable, nrw_error *err);

static nrw_status enter(walk *w, const char *name, nrw_error *err)
{
    if (w->n_path == PATH_MOST)
        return err_set(err, NRW_E_UNSUPPORTED, "nested more than %d deep", PATH_MOST);
    w->path[w->n_path++] = name;
    return NRW_OK;
}

/* The repeated group of a list or a map. */
static nrw_status walk_repeated(walk *w, const type *t, nrw_error *err)
{
    bool map = t->id == TYPE_MAP;
    TRY(enter(w, map ? PQ_ENTRY_NAME : PQ_LIST_NAME, err));
    w->def++;
    w->rep++;
    if (map) {
        TRY(walk_child(w, t, 0, PQ_KEY_NAME, false, err));
        TRY(walk_child(w, t, 1, PQ_VALUE_NAME, t->children[1].nullable, err));
    } else {
        TRY(walk_child(w, t, 0, PQ_ELEMENT_NAME, t->children[0].nullable, err));
    }
    w->n_path--;
    w->def--;
    w->rep--;
    return NRW_OK;
}

static nrw_status walk_struct(walk *w, const type *t, nrw_error *err)
{
    if (!t->n_children)
        return err_set(err, NRW_E_UNSUPPORTED, "a struct without fields has no form in Parquet");
    for (uint32_t i = 0; i < t->n_children; i++)
        TRY(walk_child(w, t, i, t->children[i].name, t->children[i].nullable, err));
    return NRW_OK;
}

static nrw_status visit_leaf(walk *w, const field *f, nrw_error *err)
{
    pq_wleaf leaf = {.field = f,
                     .column = w->column,
                     .max_def = (uint8_t)w->def,
                     .max_rep = (uint8_t)w->rep,
                     .n_path = w->n_path > 1 ? (uint8_t)w->n_path : 0,
                     .n_route = (uint8_t)w->n_route,
                     .path = w->path,
                     .route = w->route};
    return w->visit(w->self, &leaf, err);
}

static nrw_status walk_field(walk *w, const field *f, const char *name, bool nullable,
                             nrw_error *err)
{
    TRY(enter(w, name, err));
    w->def += nullable;
    if (f->type.id == TYPE_LIST || f->type.id == TYPE_MAP)
        TRY(walk_repeated(w, &f->type, err));
    else if (f->type.id == TYPE_STRUCT)
        TRY(walk_struct(w, &f->type, err));
    else
        TRY(visit_leaf(w, f, err));
    w->def -= nullable;
    w->n_path--;
    return NRW_OK;
}

static nrw_status walk_child(walk *w, const type *t, uint32_t child, const char *name,
                             bool nullable, nrw_error *err)
{
    w->route[w->n_route++] = child; /* no more of them than names in the path */
    TRY(walk_field(w, &t->children[child], name, nullable, err));
    w->n_route--;
    return NRW_OK;
}

nrw_status pq_leaves_walk(const schema *s, pq_leaf_visit visit, void *self, nrw_error *err)
{
    walk w = {.visit = visit, .self = self};
    for (uint32_t i = 0; i < s->n_fields; i++) {
        const field *f = &s->fields[i];
        w.column = i;
        nrw_status st = walk_field(&w, f, f->name, f->nullable, err);
        if (st < 0) {
            err_at_column(err, f->name);
            return st;
        }
    }
    return NRW_OK;
}

/* ---- all of them ---- */

static nrw_status count_leaf(void *self, const pq_wleaf *leaf, nrw_error *err)
{
    uint32_t *n = self;
    (void)leaf;
    (void)err;
    ++*n;
    return NRW_OK;
}

typedef struct fill {
    pq_leaves *leaves;
    arena *a;
} fill;

/* Of the path with dots, its end included. */
static size_t path_len(const pq_wleaf *leaf)
{
    size_t len = 0;
    for (uint32_t i = 0; i < leaf->n_path; i++)
        len += strlen(leaf->path[i]) + 1;
    return len;
}

size_t pq_leaf_names(const pq_wleaf *leaf)
{
    const size_t round = 3 * 16; /* each starts at a multiple of 16 */
    return leaf->n_path * sizeof *leaf->path + leaf->n_route * sizeof *leaf->route +
           path_len(leaf) + round;
}

static nrw_status join_path(arena *a, const pq_wleaf *leaf, const char **out, nrw_error *err)
{
    void *p = NULL;
    TRY(arena_alloc(a, path_len(leaf), &p, err));
    char *to = p;
    for (uint32_t i = 0; i < leaf->n_path; i++) {
        size_t n = strlen(leaf->path[i]);
        memcpy(to, leaf->path[i], n);
        to[n] = i + 1 < leaf->n_path ? '.' : 0;
        to += n + 1;
    }
    *out = p;
    return NRW_OK;
}

static nrw_status add_leaf(void *self, const pq_wleaf *leaf, nrw_error *err)
{
    fill *f = self;
    pq_wleaf *to = &f->leaves->at[f->leaves->n++];
    void *p = NULL;
    *to = *leaf;
    to->name = leaf->field->name;
    to->path = NULL;
    to->route = NULL;
    if (!leaf->n_path)
        return NRW_OK;
    TRY(arena_alloc(f->a, leaf->n_path * sizeof *leaf->path, &p, err));
    memcpy(p, leaf->path, leaf->n_path * sizeof *leaf->path);
    to->path = p;
    TRY(arena_alloc(f->a, leaf->n_route * sizeof *leaf->route, &p, err));
    memcpy(p, leaf->route, leaf->n_route * sizeof *leaf->route);
    to->route = p;
    return join_path(f->a, leaf, &to->name, err);
}

nrw_status pq_leaves_of(const schema *s, arena *a, pq_leaves *out, nrw_error *err)
{
    uint32_t n = 0, column = 0;
    void *p = NULL;
    *out = (pq_leaves){0};
    TRY(pq_leaves_walk(s, count_leaf, &n, err));
    TRY(arena_alloc(a, n * sizeof *out->at + 1, &p, err));
    out->at = p;
    TRY(arena_alloc(a, ((size_t)s->n_fields + 1) * sizeof *out->first, &p, err));
    out->first = p;
    fill f = {out, a};
    TRY(pq_leaves_walk(s, add_leaf, &f, err));
    for (uint32_t i = 0; i < n; i++) /* every column has at least one */
        if (i == 0 || out->at[i].column != out->at[i - 1].column)
            out->first[column++] = i;
    out->first[column] = n;
    return NRW_OK;
}
