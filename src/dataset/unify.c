#include "dataset/unify.h"

#include "base/hash.h"
#include "dataset/widen.h"

#include <stdio.h>
#include <string.h>

/* ---- which column of the union a file's column is ---- */

static bool is_taken(const unify *u, uint32_t column)
{
    return u->columns[column].taken == u->stamp;
}

static uint64_t hash_of(const char *name)
{
    return hash_bytes(name, strlen(name));
}

/* The slot of a name, or the free one where it would stand. */
static uint32_t *slot_of(const unify *u, const char *name, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (u->n_slots - 1);

    for (;; at = (at + 1) & (u->n_slots - 1)) {
        const union_column *c = &u->columns[u->slots[at] - 1];
        if (u->slots[at] == 0 || (c->hash == hash && strcmp(c->field.name, name) == 0))
            return &u->slots[at];
    }
}

/* The last of exactly that name. */
static int32_t last_named(const unify *u, const char *name, uint64_t hash)
{
    return u->n_slots ? (int32_t)*slot_of(u, name, hash) - 1 : -1;
}

/* Column `c` is the last of its name. Slots are at most half full. */
static nrw_status index_column(unify *u, uint32_t c, nrw_error *err)
{
    uint32_t n = u->n_slots ? u->n_slots * 2 : 32;

    if ((c + 1) * 2 > u->n_slots) {
        TRY(arena_alloc(u->a, n * sizeof *u->slots, (void **)&u->slots, err));
        u->n_slots = n;
        for (uint32_t i = 0; i < c; i++)
            *slot_of(u, u->columns[i].field.name, u->columns[i].hash) = i + 1;
    }
    *slot_of(u, u->columns[c].field.name, u->columns[c].hash) = c + 1;
    return NRW_OK;
}

/* Names that come twice are taken in their order. */
static bool is_free(const unify *u, uint32_t column)
{
    const union_column *c = &u->columns[column];

    return !is_taken(u, column) && (c->twin < 0 || is_taken(u, (uint32_t)c->twin));
}

static int32_t exactly_named(const unify *u, const char *name)
{
    int32_t at = last_named(u, name, hash_of(name));

    while (at >= 0 && !is_free(u, (uint32_t)at))
        at = is_taken(u, (uint32_t)at) ? -1 : u->columns[at].twin;
    return at;
}

/* Without case: where one alone would do, and the file itself does not tell the two apart. */
static int32_t loosely_named(const unify *u, const schema *s, const char *name)
{
    int32_t found = -1;

    for (uint32_t i = 0; i < u->n; i++) {
        if (is_taken(u, i) || strcasecmp(u->columns[i].field.name, name) != 0)
            continue;
        if (found >= 0)
            return -1;
        found = (int32_t)i;
    }
    for (uint32_t i = 0; found >= 0 && i < s->n_fields; i++)
        if (strcmp(s->fields[i].name, u->columns[found].field.name) == 0)
            return -1;
    return found;
}

static int32_t place_of(const unify *u, const schema *s, uint32_t column)
{
    const char *name = s->fields[column].name;
    int32_t at;

    if (column < u->n && is_free(u, column) && strcmp(u->columns[column].field.name, name) == 0)
        return (int32_t)column;
    at = exactly_named(u, name);
    return at >= 0 ? at : loosely_named(u, s, name);
}

static nrw_status find_places(unify *u, const schema *s, nrw_error *err)
{
    if (s->n_fields > u->cap_places) {
        TRY(arena_alloc(u->a, s->n_fields * sizeof *u->places, (void **)&u->places, err));
        u->cap_places = s->n_fields;
    }
    u->stamp++;
    for (uint32_t i = 0; i < s->n_fields; i++) {
        u->places[i] = u->n ? place_of(u, s, i) : -1;
        if (u->places[i] >= 0)
            u->columns[u->places[i]].taken = u->stamp;
    }
    return NRW_OK;
}

/* ---- taking a file in ---- */

static const char *file_name(const unify *u, size_t file)
{
    return u->name(u->self, file);
}

static nrw_status types_clash(const unify *u, const union_column *c, const field *f, nrw_error *err)
{
    const char *first = file_name(u, c->from), *name = file_name(u, u->files);
    char a[256], b[256];

    type_print(&c->field.type, a, sizeof a);
    type_print(&f->type, b, sizeof b);
    err_next(err, "narrows schema %.100s %.100s tells all of it", first, name);
    return err_set(err, NRW_E_SCHEMA, "column %s is %s in %s and %s in %s%s", c->field.name, a,
                   first, b, name, u->change == SCHEMA_WIDEN ? ", and no type holds both" : "");
}

static nrw_status take_column(unify *u, union_column *c, const field *f, nrw_error *err)
{
    field kept;
    type wide;
    bool good;

    c->files++;
    c->field.nullable |= f->nullable;
    if (c->added >= 0 || type_equal(&c->field.type, &f->type))
        return NRW_OK;
    if (u->change != SCHEMA_WIDEN)
        return types_clash(u, c, f, err);
    TRY(type_widen(u->a, &c->field.type, &f->type, &wide, &good, err));
    if (!good)
        return types_clash(u, c, f, err);
    c->widened = true;
    if (type_equal(&wide, &c->field.type))
        return NRW_OK;
    c->from = u->files;
    c->field.type = wide;
    c->field.note = NULL;
    TRY(field_copy(u->a, &c->field, &kept, err));
    c->field = kept;
    return NRW_OK;
}

/* The column of `added` that stands where the files have one of that name. */
static int32_t added_named(const unify *u, const char *name)
{
    for (uint32_t i = 0; u->added && i < u->added->n_fields; i++)
        if (strcasecmp(u->added->fields[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

static nrw_status add_column(unify *u, const field *f, nrw_error *err)
{
    union_column *c;

    TRY(arena_grow(u->a, (void **)&u->columns, u->n, &u->cap, sizeof *c, err));
    c = &u->columns[u->n];
    *c = (union_column){.from = u->files, .first = u->files, .files = 1};
    TRY(field_copy(u->a, f, &c->field, err));
    c->added = added_named(u, f->name);
    c->hash = hash_of(f->name);
    c->twin = last_named(u, f->name, c->hash);
    return index_column(u, u->n++, err);
}

/* A part that the files so far have, too. */
static nrw_status take_part(unify *u, union_part *p, const field *f, nrw_error *err)
{
    bool fits;
    type wide;

    p->files++;
    p->field.nullable |= f->nullable;
    if (type_equal(&p->field.type, &f->type))
        return NRW_OK;
    TRY(type_widen(u->a, &p->field.type, &f->type, &wide, &fits, err));
    p->differs |= !fits;
    p->field.type = fits ? wide : p->field.type;
    p->field.note = NULL;
    return field_copy(u->a, &p->field, &p->field, err);
}

static nrw_status take_parts(unify *u, const schema *s, nrw_error *err)
{
    for (uint32_t i = 0; i < s->n_parts; i++) {
        const field *f = &s->fields[s->n_fields + i];
        const char *path = s->part_paths[i];
        char *kept;
        uint32_t k = i < u->n_parts && strcmp(u->parts[i].path, path) == 0 ? i : 0;
        k = u->files ? k : u->n_parts; /* the first file's are all new */
        while (k < u->n_parts && strcmp(u->parts[k].path, path) != 0)
            k++;
        if (k < u->n_parts) {
            TRY(take_part(u, &u->parts[k], f, err));
            continue;
        }
        TRY(arena_grow(u->a, (void **)&u->parts, u->n_parts, &u->cap_parts, sizeof *u->parts, err));
        TRY(arena_strndup(u->a, path, strlen(path), &kept, err));
        u->parts[k] = (union_part){.path = kept, .files = 1, .first = u->files};
        TRY(field_copy(u->a, f, &u->parts[k].field, err));
        u->n_parts++;
    }
    return NRW_OK;
}

/* --on-schema-change fail: what differs first, in a sentence that names both files. */
static nrw_status check_same(const unify *u, const schema *s, nrw_error *err)
{
    const char *first = file_name(u, 0), *name = file_name(u, u->files);

    err_next(err, "narrows schema %.100s %.100s tells all of it", first, name);
    for (uint32_t c = 0; c < u->n && c < s->n_fields; c++) {
        const field *x = &u->columns[c].field, *y = &s->fields[c];
        if (strcmp(x->name, y->name) != 0)
            return err_set(err, NRW_E_SCHEMA, "column %u is %s in %s and %s in %s", c + 1, x->name,
                           first, y->name, name);
        if (!type_equal(&x->type, &y->type))
            return types_clash(u, &u->columns[c], y, err);
    }
    if (u->n == s->n_fields)
        return NRW_OK;
    return err_set(err, NRW_E_SCHEMA, "%s has %u columns and %s has %u", first, u->n, name,
                   s->n_fields);
}

nrw_status unify_add(unify *u, const schema *s, nrw_error *err)
{
    uint32_t had = u->n;

    TRY(find_places(u, s, err));
    if (u->files && u->change == SCHEMA_FAIL)
        TRY(check_same(u, s, err));
    for (uint32_t i = 0; i < s->n_fields; i++)
        TRY(u->places[i] >= 0 ? take_column(u, &u->columns[u->places[i]], &s->fields[i], err)
                              : add_column(u, &s->fields[i], err));
    TRY(take_parts(u, s, err));
    for (uint32_t c = had; u->files && c < u->n; c++)
        u->columns[c].field.nullable = true; /* earlier files lack it */
    u->files++;
    return NRW_OK;
}

/* ---- the whole ---- */

/* The column that a part's path begins with. */
static const union_column *root_of(const unify *u, const char *path)
{
    const union_column *best = NULL;
    size_t longest = 0;

    for (uint32_t i = 0; i < u->n; i++) {
        const char *name = u->columns[i].field.name;
        size_t len = strlen(name);
        if (len < longest || strncmp(path, name, len) != 0 || path[len] != '.')
            continue;
        best = &u->columns[i];
        longest = len;
    }
    return best;
}

static bool is_only_spelling(const unify *u, const union_part *p)
{
    for (uint32_t i = 0; i < u->n_parts; i++)
        if (&u->parts[i] != p && strcasecmp(u->parts[i].path, p->path) == 0)
            return false;
    return true;
}

/* Files that have the column but not the part give nulls, which lists around it would not be. */
static bool keeps_part(const unify *u, const union_part *p)
{
    const union_column *root = root_of(u, p->path);

    if (!root || root->added >= 0 || p->differs)
        return false;
    return p->files == root->files || (p->field.type.id != TYPE_LIST &&
                                       p->field.type.id != TYPE_MAP && is_only_spelling(u, p));
}

static bool stands_in(const unify *u, uint32_t added)
{
    for (uint32_t i = 0; i < u->n; i++)
        if (u->columns[i].added == (int32_t)added)
            return true;
    return false;
}

nrw_status unify_end(unify *u, schema *out, nrw_error *err)
{
    uint32_t n = 0, more = u->added ? u->added->n_fields : 0;
    const char **paths;

    TRY(arena_alloc(u->a, (u->n + more + u->n_parts) * sizeof *out->fields + 1,
                    (void **)&out->fields, err));
    for (uint32_t i = 0; i < u->n; i++) {
        union_column *c = &u->columns[i];
        c->field.nullable |= c->files < u->files;
        if (c->added >= 0) {
            const field *stand_in = &u->added->fields[c->added];
            c->field.type = stand_in->type;
            c->field.nullable = stand_in->nullable;
            c->field.note = NULL;
            c->widened = false;
        }
        out->fields[n++] = c->field;
    }
    for (uint32_t i = 0; i < more; i++)
        if (!stands_in(u, i))
            out->fields[n++] = u->added->fields[i];
    out->n_fields = n;
    TRY(arena_alloc(u->a, u->n_parts * sizeof *paths + 1, (void **)&paths, err));
    out->n_parts = 0;
    for (uint32_t i = 0; i < u->n_parts; i++) {
        if (!keeps_part(u, &u->parts[i]))
            continue;
        paths[out->n_parts++] = u->parts[i].path;
        out->fields[n] = u->parts[i].field;
        out->fields[n++].nullable |= u->parts[i].files < u->files;
    }
    out->part_paths = paths;
    return NRW_OK;
}

size_t unify_first(const unify *u, const schema *all, uint32_t column)
{
    if (column < u->n)
        return u->columns[column].added < 0 ? u->columns[column].first : 0;
    for (uint32_t i = 0; column >= all->n_fields && i < u->n_parts; i++)
        if (strcmp(u->parts[i].path, all->part_paths[column - all->n_fields]) == 0)
            return u->parts[i].first;
    return 0;
}

/* ---- one file ---- */

/* A cast is never to a type that holds less. */
static nrw_status map_column(arena *a, const field *to, const field *from, uint32_t column,
                             map_entry *out, bool *fits, nrw_error *err)
{
    type wide;
    bool good;

    *out = (map_entry){MAP_FILE, column};
    if (type_equal(&to->type, &from->type))
        return NRW_OK;
    out->kind = MAP_CAST;
    TRY(type_widen(a, &to->type, &from->type, &wide, &good, err));
    *fits &= good && type_equal(&wide, &to->type);
    return NRW_OK;
}

/* Parts of files that are alike have the same numbers; so are those told apart whose paths are
 * equal (of fields that are named alike). */
static nrw_status map_part(arena *a, const schema *all, uint32_t part, const schema *s,
                           map_entry *out, bool *fits, nrw_error *err)
{
    const char *path = all->part_paths[part];
    uint32_t k = part < s->n_parts && strcmp(s->part_paths[part], path) == 0 ? part : 0;

    while (k < s->n_parts && strcmp(s->part_paths[k], path) != 0)
        k++;
    *out = (map_entry){MAP_NULL, 0};
    if (k == s->n_parts)
        return NRW_OK;
    return map_column(a, &all->fields[all->n_fields + part], &s->fields[s->n_fields + k],
                      s->n_fields + k, out, fits, err);
}

static void map_added(const unify *u, map_entry *map)
{
    uint32_t n = u->n;

    for (uint32_t i = 0; i < u->n; i++)
        if (u->columns[i].added >= 0)
            map[i] = (map_entry){MAP_ADDED, (uint32_t)u->columns[i].added};
    for (uint32_t i = 0; u->added && i < u->added->n_fields; i++)
        if (!stands_in(u, i))
            map[n++] = (map_entry){MAP_ADDED, i};
}

nrw_status unify_map(unify *u, arena *a, const schema *all, const schema *s, map_entry *map,
                     bool *same, bool *fits, nrw_error *err)
{
    *fits = true;
    TRY(find_places(u, s, err));
    for (uint32_t i = 0; i < all->n_fields; i++)
        map[i] = (map_entry){MAP_NULL, 0};
    for (uint32_t i = 0; i < s->n_fields && *fits; i++) {
        int32_t at = u->places[i];
        *fits = at >= 0;
        if (at >= 0 && u->columns[at].added < 0)
            TRY(map_column(a, &all->fields[at], &s->fields[i], i, &map[at], fits, err));
    }
    map_added(u, map);
    for (uint32_t i = 0; i < all->n_parts && *fits; i++)
        TRY(map_part(a, all, i, s, &map[all->n_fields + i], fits, err));
    *same = all->n_fields == s->n_fields && all->n_parts == s->n_parts;
    for (uint32_t i = 0; i < all->n_fields + all->n_parts; i++)
        *same &= map[i].kind == MAP_FILE && map[i].column == i;
    return NRW_OK;
}
