#include "column/note.h"

#include <ctype.h>
#include <strings.h>

nrw_status schema_new(arena *a, uint32_t n_fields, schema *out, nrw_error *err)
{
    void *fields = NULL;
    size_t bytes;
    *out = (schema){0};
    if (!size_mul(n_fields, sizeof(field), &bytes))
        return err_set(err, NRW_E_ARG, "%u columns are too many", n_fields);
    TRY(arena_alloc(a, bytes, &fields, err));
    *out = (schema){.n_fields = n_fields, .fields = fields};
    for (uint32_t i = 0; i < n_fields; i++)
        out->fields[i] = (field){.name = "", .nullable = true, .field_id = -1};
    return NRW_OK;
}

static nrw_status copy_children(arena *a, const type *from, type *to, nrw_error *err)
{
    schema s;
    TRY(schema_new(a, from->n_children, &s, err));
    for (uint32_t i = 0; i < from->n_children; i++)
        TRY(field_copy(a, &from->children[i], &s.fields[i], err));
    to->children = s.fields;
    return NRW_OK;
}

nrw_status field_copy(arena *a, const field *f, field *out, nrw_error *err)
{
    char *name;
    *out = *f;
    TRY(arena_strndup(a, f->name, strlen(f->name), &name, err));
    out->name = name;
    TRY(note_copy(a, f->note, &out->note, err));
    return f->type.n_children ? copy_children(a, &f->type, &out->type, err) : NRW_OK;
}

nrw_status schema_copy(arena *a, const schema *from, schema *out, nrw_error *err)
{
    uint32_t all = from->n_fields + from->n_parts;
    void *paths;
    TRY(schema_new(a, all, out, err));
    for (uint32_t i = 0; i < all; i++)
        TRY(field_copy(a, &from->fields[i], &out->fields[i], err));
    TRY(arena_alloc(a, from->n_parts * sizeof(char *) + 1, &paths, err));
    for (uint32_t i = 0; i < from->n_parts; i++) {
        char *path;
        TRY(arena_strndup(a, from->part_paths[i], strlen(from->part_paths[i]), &path, err));
        ((char **)paths)[i] = path;
    }
    out->n_fields = from->n_fields;
    out->n_parts = from->n_parts;
    out->part_paths = paths;
    return NRW_OK;
}

/* Number `i` of the names: of the columns or, with `parts`, of the paths. */
static const char *name_at(const schema *s, bool parts, uint32_t i)
{
    return parts ? s->part_paths[i] : s->fields[i].name;
}

static int32_t find_among(const schema *s, bool parts, const char *name)
{
    uint32_t n = parts ? s->n_parts : s->n_fields;
    int32_t found = -1;
    for (int exact = 1; exact >= 0 && found == -1; exact--)
        for (uint32_t i = 0; i < n; i++) {
            const char *other = name_at(s, parts, i);
            if (exact ? strcmp(other, name) != 0 : strcasecmp(other, name) != 0)
                continue;
            if (found >= 0)
                return -2;
            found = (int32_t)i;
        }
    return found;
}

int32_t schema_find(const schema *s, const char *name)
{
    int32_t at = find_among(s, false, name);
    return at == -1 ? schema_find_part(s, name) : at;
}

int32_t schema_find_part(const schema *s, const char *path)
{
    int32_t at = find_among(s, true, path);
    return at < 0 ? at : (int32_t)s->n_fields + at;
}

#define NEAREST_MAX 64

/* Edits (insert, drop, change, swap of neighbours) from a to b, without case. */
static uint32_t distance(const char *a, size_t n, const char *b, size_t m)
{
    uint32_t rows[3][NEAREST_MAX + 1];
    uint32_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = (uint32_t)j;
    for (size_t i = 1; i <= n; i++) {
        int x = tolower((unsigned char)a[i - 1]);
        now[0] = (uint32_t)i;
        for (size_t j = 1; j <= m; j++) {
            int y = tolower((unsigned char)b[j - 1]);
            uint32_t best = last[j - 1] + (x != y);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        uint32_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[m];
}

const char *schema_nearest(const schema *s, const char *name)
{
    const char *nearest = NULL;
    size_t n = strlen(name);
    uint32_t least = UINT32_MAX;
    if (n == 0 || n > NEAREST_MAX)
        return NULL;
    for (uint32_t i = 0; i < s->n_fields + s->n_parts; i++) {
        const char *other = i < s->n_fields ? s->fields[i].name : s->part_paths[i - s->n_fields];
        size_t m = strlen(other);
        if (m == 0 || m > NEAREST_MAX)
            continue;
        uint32_t d = distance(name, n, other, m);
        if (d <= (size_max(n, m) + 1) / 3 && d < least) {
            least = d;
            nearest = other;
        }
    }
    return nearest;
}

bool schema_equal(const schema *a, const schema *b)
{
    if (a->n_fields != b->n_fields)
        return false;
    for (uint32_t i = 0; i < a->n_fields; i++) {
        const field *x = &a->fields[i], *y = &b->fields[i];
        if (strcmp(x->name, y->name) != 0 || !type_equal(&x->type, &y->type) ||
            x->nullable != y->nullable)
            return false;
    }
    return true;
}
