#include "io/braces.h"

#include "base/span.h"

/* Each alternative costs memory of the arena's account, but time as well. */
#define ALTERNATIVES_MAX 100000

nrw_status path_list_add(arena *a, path_list *list, char *path, nrw_error *err)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        void *p;
        TRY(arena_alloc(a, cap * sizeof *list->at, &p, err));
        if (list->n)
            memcpy(p, list->at, list->n * sizeof *list->at);
        list->at = p;
        list->cap = cap;
    }
    list->at[list->n++] = path;
    return NRW_OK;
}

/* The end of the group that opens at `open`: its closing brace, or NULL where there is none or no
 * comma of its own stands inside. */
static const char *group_end(const char *open)
{
    bool comma = false;
    int depth = 0;

    for (const char *at = open; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == '{')
            depth++;
        else if (*at == ',' && depth == 1)
            comma = true;
        else if (*at == '}' && --depth == 0)
            return comma ? at : NULL;
    }
    return NULL;
}

static const char *first_group(const char *pattern, const char **end)
{
    for (const char *at = pattern; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == '{' && (*end = group_end(at)) != NULL)
            return at;
    }
    return NULL;
}

/* The comma or the closing brace behind the alternative that starts at `at`. */
static const char *alternative_end(const char *at, const char *end)
{
    int depth = 0;

    for (; at < end; at++) {
        if (*at == '\\' && at + 1 < end)
            at++;
        else if (*at == '{')
            depth++;
        else if (*at == '}')
            depth--;
        else if (*at == ',' && depth == 0)
            return at;
    }
    return end;
}

static nrw_status join(arena *a, span head, span middle, const char *tail, char **out,
                       nrw_error *err)
{
    size_t tail_len = strlen(tail);
    void *p;

    TRY(arena_alloc(a, head.len + middle.len + tail_len + 1, &p, err));
    *out = p;
    memcpy(*out, head.data, head.len);
    memcpy(*out + head.len, middle.data, middle.len);
    memcpy(*out + head.len + middle.len, tail, tail_len);
    return NRW_OK;
}

/* Opens the first group of each pattern until no pattern has one; order is kept since the first
 * group varies slowest. */
nrw_status braces_expand(arena *a, const char *pattern, path_list *out, nrw_error *err)
{
    path_list now = {0}, next;
    char *copy;
    bool open = true;

    TRY(arena_strndup(a, pattern, strlen(pattern), &copy, err));
    TRY(path_list_add(a, &now, copy, err));
    while (open) {
        open = false;
        next = (path_list){0};
        for (size_t i = 0; i < now.n; i++) {
            const char *end = NULL, *from = first_group(now.at[i], &end);
            if (!from) {
                TRY(path_list_add(a, &next, now.at[i], err));
                continue;
            }
            open = true;
            for (const char *at = from + 1, *stop; at <= end; at = stop + 1) {
                span head = {(const uint8_t *)now.at[i], (size_t)(from - now.at[i])};
                char *text;
                stop = alternative_end(at, end);
                TRY(join(a, head, (span){(const uint8_t *)at, (size_t)(stop - at)}, end + 1, &text,
                         err));
                TRY(path_list_add(a, &next, text, err));
            }
            if (next.n > ALTERNATIVES_MAX)
                return err_set(err, NRW_E_ARG, "the braces stand for more than %d names",
                               ALTERNATIVES_MAX);
        }
        now = next;
    }
    for (size_t i = 0; i < now.n; i++)
        TRY(path_list_add(a, out, now.at[i], err));
    return NRW_OK;
}
