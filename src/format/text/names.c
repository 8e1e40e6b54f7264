/* What stands around the values: header, delimiters, names of JSON members. */
#include "column/json_out.h"
#include "format/text/own.h"

#include <ctype.h>
#include <stdio.h>

/* ---- names that came before ---- */

/* Open addressing over lower-case names; slots hold a field's number + 1. */
typedef struct name_set {
    uint32_t mask;
    uint32_t *slots;
    uint32_t *again; /* per field: the next number to try behind its name */
    const char **names;
} name_set;

static uint32_t hash_name(const char *s)
{
    uint32_t h = 2166136261u;
    for (; *s; s++)
        h = (h ^ (uint8_t)tolower((unsigned char)*s)) * 16777619u;
    return h ^ h >> 15;
}

static bool same_name(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return tolower((unsigned char)*a) == tolower((unsigned char)*b);
}

/* The slot with the name, or the free one where it would go. */
static uint32_t *find(const name_set *s, const char *name)
{
    uint32_t at = hash_name(name) & s->mask;
    while (s->slots[at] && !same_name(s->names[s->slots[at] - 1], name))
        at = (at + 1) & s->mask;
    return &s->slots[at];
}

static nrw_status other_name(const text_writer *w, name_set *s, const char *name, uint32_t first,
                             const char **out, nrw_error *err)
{
    size_t n = strlen(name);
    void *p;
    TRY(arena_alloc(w->arena, n + 12, &p, err));
    do {
        snprintf(p, n + 12, "%s_%u", name, s->again[first]++);
    } while (*find(s, p));
    *out = p;
    return NRW_OK;
}

static nrw_status distinct_names(const text_writer *w, const schema *sch, const char ***out,
                                 nrw_error *err)
{
    name_set s = {.mask = 15};
    void *p;
    while (s.mask < 2 * (uint64_t)w->n)
        s.mask = s.mask * 2 + 1;
    TRY(arena_alloc(w->arena, ((size_t)s.mask + 1) * sizeof *s.slots, &p, err));
    s.slots = p;
    TRY(arena_alloc(w->arena, w->n * sizeof *s.again + 1, &p, err));
    s.again = p;
    TRY(arena_alloc(w->arena, w->n * sizeof *s.names + 1, &p, err));
    s.names = p;
    for (uint32_t c = 0; c < w->n; c++) {
        const char *name = sch->fields[c].name;
        uint32_t *slot = find(&s, name);
        if (*slot) {
            TRY(other_name(w, &s, name, *slot - 1, &name, err));
            slot = find(&s, name);
        }
        s.names[c] = name;
        s.again[c] = 1;
        *slot = c + 1;
    }
    *out = s.names;
    return NRW_OK;
}

/* ---- prefixes ---- */

/* Text with room for wide loads behind it. */
static nrw_status padded(const text_writer *w, const void *text, size_t n, span *out,
                         nrw_error *err)
{
    void *p;
    TRY(arena_alloc(w->arena, n + PAD, &p, err));
    if (n)
        memcpy(p, text, n);
    *out = (span){p, n};
    return NRW_OK;
}

static nrw_status json_prefix(text_writer *w, uint32_t c, const char *name, bytes *b,
                              nrw_error *err)
{
    bytes_clear(b);
    TRY(bytes_append(b, c ? "," : "{", 1, err));
    TRY(json_string(b, name, strlen(name), err));
    TRY(bytes_append(b, ":", 1, err));
    return padded(w, b->data, b->len, &w->fields[c].prefix, err);
}

static nrw_status csv_header(text_writer *w, const char **names, bytes *b, nrw_error *err)
{
    for (uint32_t c = 0; c < w->n; c++) {
        const uint8_t *name = (const uint8_t *)names[c];
        size_t n = strlen(names[c]);
        bytes_clear(b);
        TRY(bytes_reserve(b, 2 * n + 4, err));
        char *out = (char *)b->data;
        size_t at = 0;
        if (c)
            out[at++] = w->delim;
        if (text_csv_quotes(w, name, n)) {
            out[at++] = '"';
            at += text_csv_double(name, n, out + at);
            out[at++] = '"';
        } else {
            memcpy(out + at, name, n);
            at += n;
        }
        if (c + 1 == w->n)
            out[at++] = '\n';
        TRY(target_write(w->target, (span){b->data, at}, err));
    }
    return NRW_OK;
}

/* Can what print_fixed writes need quotes? Every character it uses is in this list. */
static bool prints_need_check(const text_writer *w)
{
    return w->null.len > 0 || isalnum((unsigned char)w->delim) || strchr(" +-.:()", w->delim);
}

static text_how how_of(const text_writer *w, const type *t)
{
    bool json = w->kind == TEXT_JSON;
    switch (t->id) {
    case TYPE_UTF8:
    case TYPE_ENUM: return HOW_TEXT;
    case TYPE_JSON: return json ? HOW_JSON : HOW_TEXT;
    case TYPE_BINARY:
    case TYPE_BSON:
    case TYPE_FIXED: return HOW_BYTES;
    case TYPE_FLOAT16:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
    case TYPE_DECIMAL:
        if (json)
            return HOW_JSON_NUMBER;
        break;
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
    case TYPE_INTERVAL:
    case TYPE_UUID:
        if (json)
            return HOW_PRINT_STRING;
        break;
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP: return HOW_NESTED;
    default: break;
    }
    return !json && prints_need_check(w) ? HOW_PRINT_CHECK : HOW_PRINT;
}

nrw_status text_prepare(text_writer *w, const schema *s, const text_options *opts, nrw_error *err)
{
    const char **names, *null = opts->null ? opts->null : "";
    bytes b = bytes_init(w->m, (size_t)1 << 30);
    nrw_status st;
    w->delim = opts->delim ? opts->delim : ',';
    if (strchr("\"\n\r#", w->delim))
        return err_set(err, NRW_E_ARG, "this character cannot be a delimiter");
    if (w->kind == TEXT_JSON)
        null = "null";
    TRY(padded(w, null, strlen(null), &w->null, err));
    TRY(distinct_names(w, s, &names, err));
    const char *suffix = w->kind != TEXT_JSON ? "\n" : w->n ? "}\n" : "{}\n";
    TRY(padded(w, suffix, strlen(suffix), &w->suffix, err));
    for (uint32_t c = 0; c < w->n; c++) {
        w->fields[c].type = s->fields[c].type;
        w->fields[c].how = how_of(w, &s->fields[c].type);
        if (w->kind == TEXT_JSON)
            TRY_OUT(json_prefix(w, c, names[c], &b, err));
        else
            TRY_OUT(padded(w, &w->delim, c > 0, &w->fields[c].prefix, err));
    }
    st = NRW_OK;
    if (w->kind == TEXT_CSV && !opts->no_header)
        st = csv_header(w, names, &b, err);
out:
    bytes_release(&b);
    return st;
}
