#include "column/json_out.h"

#include "column/print.h"

#include <math.h>

/* Sixteen bytes at once: the compiler's vectors, whatever the machine has. */
typedef uint8_t lanes __attribute__((vector_size(16)));

static bool any(lanes x)
{
    uint64_t halves[2];
    memcpy(halves, &x, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

static bool special(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

size_t json_plain_prefix(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        lanes x;
        memcpy(&x, p + i, 16);
        if (any((lanes)(x < 0x20) | (lanes)(x == '"') | (lanes)(x == '\\')))
            break;
    }
    while (i < n && !special(p[i]))
        i++;
    return i;
}

static size_t escape_one(uint8_t c, char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    out[0] = '\\';
    switch (c) {
    case '"': out[1] = '"'; return 2;
    case '\\': out[1] = '\\'; return 2;
    case '\b': out[1] = 'b'; return 2;
    case '\f': out[1] = 'f'; return 2;
    case '\n': out[1] = 'n'; return 2;
    case '\r': out[1] = 'r'; return 2;
    case '\t': out[1] = 't'; return 2;
    default:
        memcpy(out + 1, "u00", 3);
        out[4] = hex[c >> 4];
        out[5] = hex[c & 15];
        return 6;
    }
}

size_t json_escape(const uint8_t *p, size_t n, char *out)
{
    size_t at = 0, i = 0;
    while (i < n) {
        size_t plain = json_plain_prefix(p + i, n - i);
        memcpy(out + at, p + i, plain);
        at += plain;
        i += plain;
        if (i < n)
            at += escape_one(p[i++], out + at);
    }
    return at;
}

nrw_status json_string(bytes *out, const char *s, size_t n, nrw_error *err)
{
    TRY(bytes_append(out, "\"", 1, err));
    for (size_t at = 0; at < n;) {
        size_t step = size_min(n - at, 4096);
        TRY(bytes_reserve(out, 6 * step, err));
        out->len += json_escape((const uint8_t *)s + at, step, (char *)out->data + out->len);
        at += step;
    }
    return bytes_append(out, "\"", 1, err);
}

nrw_status json_i64(bytes *out, int64_t x, nrw_error *err)
{
    char text[PRINT_MAX];
    return bytes_append(out, text, print_i64(x, text), err);
}

nrw_status json_u64(bytes *out, uint64_t x, nrw_error *err)
{
    char text[PRINT_MAX];
    return bytes_append(out, text, print_u64(x, text), err);
}

nrw_status json_f64(bytes *out, double x, nrw_error *err)
{
    char text[PRINT_MAX];
    if (!isfinite(x))
        return bytes_append(out, "null", 4, err);
    return bytes_append(out, text, print_json_f64(x, text), err);
}
