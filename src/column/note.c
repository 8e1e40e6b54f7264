#include "column/note.h"

static nrw_status copy_text(arena *a, const char **text, size_t len, nrw_error *err)
{
    char *copy;

    if (!*text)
        return NRW_OK;
    TRY(arena_strndup(a, *text, len, &copy, err));
    *text = copy;
    return NRW_OK;
}

static nrw_status copy_string(arena *a, const char **text, nrw_error *err)
{
    return copy_text(a, text, *text ? strlen(*text) : 0, err);
}

nrw_status note_copy(arena *a, const field_note *n, const field_note **out, nrw_error *err)
{
    void *p, *pairs;
    field_note *copy;

    *out = NULL;
    if (!n)
        return NRW_OK;
    TRY(arena_alloc(a, sizeof *n, &p, err));
    copy = p;
    *copy = *n;
    TRY(copy_string(a, &copy->zone, err));
    TRY(copy_string(a, &copy->crs, err));
    TRY(arena_alloc(a, n->n_pairs * sizeof *n->pairs + 1, &pairs, err));
    for (uint32_t i = 0; i < n->n_pairs; i++) {
        note_pair *pair = (note_pair *)pairs + i;
        *pair = n->pairs[i];
        TRY(copy_string(a, &pair->key, err));
        TRY(copy_text(a, &pair->value, pair->value_len, err));
    }
    copy->pairs = pairs;
    *out = copy;
    return NRW_OK;
}
