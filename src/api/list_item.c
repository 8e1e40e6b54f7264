#include "api/list_item.h"

static bool is_name_char(uint8_t c)
{
    return c == '_' || c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

static span trimmed(const uint8_t *s, size_t n)
{
    while (n && *s == ' ') {
        s++;
        n--;
    }
    while (n && s[n - 1] == ' ')
        n--;
    return (span){s, n};
}

bool list_item_next(const char **list, span *item)
{
    const char *s = *list, *p;
    int depth = 0;

    while (*s == ' ')
        s++;
    if (!*s)
        return false;
    for (p = s; *p && !(*p == ',' && depth <= 0); p++) {
        if (*p == '\'' || *p == '"') {
            const char *end = strchr(p + 1, *p);
            p = end ? end : p + strlen(p) - 1;
        }
        depth += *p == '(' || *p == '[' || *p == '{';
        depth -= *p == ')' || *p == ']' || *p == '}';
    }
    *item = trimmed((const uint8_t *)s, (size_t)(p - s));
    *list = *p ? p + 1 : p;
    return true;
}

bool list_item_is_word(span item)
{
    for (size_t i = 0; i < item.len; i++)
        if (!is_name_char(item.data[i]))
            return false;
    return item.len > 0;
}

static bool is_quoted(span item)
{
    if (item.len < 2 || item.data[0] != '"' || item.data[item.len - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < item.len; i++)
        if (item.data[i] == '"' && (i + 2 >= item.len || item.data[++i] != '"'))
            return false;
    return true;
}

bool list_item_is_path(span item)
{
    if (is_quoted(item))
        return true;
    for (size_t i = 0; i < item.len; i++)
        if (!is_name_char(item.data[i]) && item.data[i] != '.')
            return false;
    return item.len > 0;
}

static nrw_status unquote(arena *a, span item, span *out, nrw_error *err)
{
    uint8_t *text;
    size_t n = 0;

    TRY(arena_alloc(a, item.len, (void **)&text, err));
    for (size_t i = 1; i + 1 < item.len; i++) {
        i += item.data[i] == '"';
        text[n++] = item.data[i];
    }
    text[n] = '\0';
    *out = (span){text, n};
    return NRW_OK;
}

nrw_status list_item_column(arena *a, span item, const char **name, nrw_error *err)
{
    char *copy;
    span bare;

    *name = NULL;
    if (is_quoted(item)) {
        TRY(unquote(a, item, &bare, err));
        *name = (const char *)bare.data;
        return NRW_OK;
    }
    if (item.len && item.data[0] == '"')
        return NRW_OK;
    TRY(arena_strndup(a, (const char *)item.data, item.len, &copy, err));
    *name = copy;
    return NRW_OK;
}

/* Where the name behind the last AS begins; the item's length: there is none. */
static size_t behind_as(span item)
{
    size_t i = item.len;

    if (i && item.data[i - 1] == '"')
        for (i--; i > 0 && item.data[i - 1] != '"'; i--)
            ;
    else
        while (i > 0 && is_name_char(item.data[i - 1]))
            i--;
    size_t name = i - (i > 0 && item.data[i - 1] == '"');
    span before = trimmed(item.data, name);
    if (name == before.len || before.len < 3 || before.data[before.len - 3] != ' ' ||
        !span_is_word((span){before.data + before.len - 2, 2}, "as"))
        return item.len;
    return name;
}

nrw_status list_item_name(arena *a, span item, span *out, nrw_error *err)
{
    size_t at = list_item_is_word(item) || is_quoted(item) ? 0 : behind_as(item);
    span name = {item.data + at, item.len - at};

    *out = name;
    return is_quoted(name) ? unquote(a, name, out, err) : NRW_OK;
}
