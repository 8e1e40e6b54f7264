#include "format/avro/json_tree.h"

#include "base/text.h"
#include "base/utf8.h"

#include <stdlib.h>

#define MOST_DEEP 256

typedef struct parser {
    arena *a;
    const uint8_t *start, *p, *end;
    int depth;
} parser;

static nrw_status wrong(const parser *s, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "the schema is not valid JSON at character %zu",
                   (size_t)(s->p - s->start) + 1);
}

static void skip_blank(parser *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool hex4(const parser *s, const uint8_t *p, uint32_t *out)
{
    uint32_t x = 0;

    if (s->end - p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = text_hex_digit(p[i]);
        if (digit < 0)
            return false;
        x = x << 4 | (uint32_t)digit;
    }
    *out = x;
    return true;
}

/* Behind "\u": one character, or a surrogate pair that makes one. */
static bool escaped_unicode(parser *s, char **to)
{
    uint32_t c, low;

    if (!hex4(s, s->p, &c) || c == 0 || (c >= 0xDC00 && c < 0xE000))
        return false;
    s->p += 4;
    if (c >= 0xD800 && c < 0xDC00) {
        if (s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u' || !hex4(s, s->p + 2, &low) ||
            low < 0xDC00 || low > 0xDFFF)
            return false;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        s->p += 6;
    }
    *to += utf8_put(c, (uint8_t *)*to);
    return true;
}

static bool escaped(parser *s, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";

    if (s->p == s->end)
        return false;
    if (*s->p == 'u') {
        s->p++;
        return escaped_unicode(s, to);
    }
    for (int i = 0; from[i]; i++) {
        if ((char)*s->p != from[i])
            continue;
        *(*to)++ = into[i];
        s->p++;
        return true;
    }
    return false;
}

/* At the opening quote. */
static nrw_status parse_string(parser *s, const char **out, nrw_error *err)
{
    const uint8_t *close = s->p + 1;
    void *room;
    char *to;

    while (close < s->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= s->end)
        return wrong(s, err);
    TRY(arena_alloc(s->a, (size_t)(close - s->p), &room, err));
    to = room;
    for (s->p++; s->p < close;) {
        if (*s->p < 0x20)
            return wrong(s, err);
        if (*s->p != '\\') {
            *to++ = (char)*s->p++;
            continue;
        }
        s->p++;
        if (!escaped(s, &to))
            return wrong(s, err);
    }
    s->p++;
    *to = '\0';
    *out = room;
    return NRW_OK;
}

static size_t digits(const parser *s, const uint8_t *p)
{
    size_t n = 0;

    while (p + n < s->end && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

static nrw_status parse_number(parser *s, json_node *n, nrw_error *err)
{
    const uint8_t *p = s->p + (*s->p == '-');
    size_t len = digits(s, p);
    char *text;

    if (len == 0 || (len > 1 && *p == '0'))
        return wrong(s, err);
    p += len;
    if (p < s->end && *p == '.') {
        len = digits(s, ++p);
        p += len;
    }
    if (len > 0 && p < s->end && (*p | 0x20) == 'e') {
        p++;
        p += p < s->end && (*p == '+' || *p == '-');
        len = digits(s, p);
        p += len;
    }
    if (len == 0)
        return wrong(s, err);
    TRY(arena_strndup(s->a, (const char *)s->p, (size_t)(p - s->p), &text, err));
    n->kind = JSON_NUMBER;
    n->text = text;
    s->p = p;
    return NRW_OK;
}

static nrw_status parse_value(parser *s, json_node **out, nrw_error *err);

static nrw_status parse_key(parser *s, const char **key, nrw_error *err)
{
    skip_blank(s);
    if (s->p == s->end || *s->p != '"')
        return wrong(s, err);
    TRY(parse_string(s, key, err));
    skip_blank(s);
    if (s->p == s->end || *s->p != ':')
        return wrong(s, err);
    s->p++;
    return NRW_OK;
}

static nrw_status parse_members(parser *s, json_node *n, nrw_error *err)
{
    const uint8_t close = *s->p == '{' ? '}' : ']';
    json_node **last = &n->first;

    n->kind = close == '}' ? JSON_OBJECT : JSON_ARRAY;
    if (++s->depth > MOST_DEEP)
        return err_set(err, NRW_E_UNSUPPORTED, "the schema is nested more than %d deep", MOST_DEEP);
    s->p++;
    skip_blank(s);
    if (s->p < s->end && *s->p == close) {
        s->p++;
        s->depth--;
        return NRW_OK;
    }
    for (;;) {
        const char *key = NULL;
        if (close == '}')
            TRY(parse_key(s, &key, err));
        TRY(parse_value(s, last, err));
        (*last)->key = key;
        last = &(*last)->next;
        skip_blank(s);
        if (s->p == s->end || (*s->p != ',' && *s->p != close))
            return wrong(s, err);
        if (*s->p++ == close)
            break;
    }
    s->depth--;
    return NRW_OK;
}

static nrw_status parse_word(parser *s, json_node *n, nrw_error *err)
{
    static const struct {
        const char *word;
        size_t len;
        json_kind kind;
    } words[] = {{"null", 4, JSON_NULL}, {"false", 5, JSON_FALSE}, {"true", 4, JSON_TRUE}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if ((size_t)(s->end - s->p) < words[i].len ||
            memcmp(s->p, words[i].word, words[i].len) != 0)
            continue;
        n->kind = words[i].kind;
        s->p += words[i].len;
        return NRW_OK;
    }
    return wrong(s, err);
}

static nrw_status parse_value(parser *s, json_node **out, nrw_error *err)
{
    void *p;
    json_node *n;

    skip_blank(s);
    if (s->p == s->end)
        return wrong(s, err);
    TRY(arena_alloc(s->a, sizeof *n, &p, err));
    *out = n = p;
    switch (*s->p) {
    case '{':
    case '[': return parse_members(s, n, err);
    case '"': n->kind = JSON_STRING; return parse_string(s, &n->text, err);
    case 'n':
    case 'f':
    case 't': return parse_word(s, n, err);
    default: return parse_number(s, n, err);
    }
}

nrw_status json_tree_parse(arena *a, span text, const json_node **root, nrw_error *err)
{
    parser s = {a, text.data, text.data, span_end(text), 0};
    size_t good = utf8_valid_prefix(text.data, text.len);
    json_node *n;

    *root = NULL;
    if (good < text.len || memchr(text.data, 0, text.len)) {
        const uint8_t *zero = memchr(text.data, 0, text.len);
        s.p += zero && (size_t)(zero - text.data) < good ? (size_t)(zero - text.data) : good;
        return wrong(&s, err);
    }
    TRY(parse_value(&s, &n, err));
    skip_blank(&s);
    if (s.p != s.end)
        return wrong(&s, err);
    *root = n;
    return NRW_OK;
}

const json_node *json_member(const json_node *object, const char *key)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (const json_node *n = object->first; n; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

const char *json_member_text(const json_node *object, const char *key)
{
    const json_node *n = json_member(object, key);

    return n && n->kind == JSON_STRING ? n->text : NULL;
}

bool json_whole(const json_node *n, int64_t *out)
{
    char *end;
    double x;

    if (!n || n->kind != JSON_NUMBER)
        return false;
    x = strtod(n->text, &end); /* some writers put 2.0 */
    if (*end || x < -9e15 || x > 9e15 || x != (double)(int64_t)x)
        return false;
    *out = (int64_t)x;
    return true;
}
