#include "dataset/hive_name.h"

#include "base/text.h"

static bool stays(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static nrw_status escape_byte(bytes *to, uint8_t c, nrw_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};

    return bytes_append(to, escaped, sizeof escaped, err);
}

static nrw_status escape(bytes *to, span text, nrw_error *err)
{
    size_t i = 0;

    while (i < text.len) {
        size_t n = i;
        while (n < text.len && stays(text.data[n]))
            n++;
        if (n > i)
            TRY(bytes_append(to, text.data + i, n - i, err));
        if (n < text.len)
            TRY(escape_byte(to, text.data[n++], err));
        i = n;
    }
    return NRW_OK;
}

bool hive_is_null(span escaped)
{
    return escaped.len == sizeof HIVE_NULL - 1 && !memcmp(escaped.data, HIVE_NULL, escaped.len);
}

static nrw_status append_value(bytes *to, const span *value, nrw_error *err)
{
    span rest;

    if (!value)
        return bytes_append(to, HIVE_NULL, sizeof HIVE_NULL - 1, err);
    rest = *value;
    if (hive_is_null(rest)) {
        TRY(escape_byte(to, rest.data[0], err));
        rest = (span){rest.data + 1, rest.len - 1};
    }
    return escape(to, rest, err);
}

static nrw_status append_name(bytes *to, const char *key, const span *value, nrw_error *err)
{
    TRY(escape(to, (span){(const uint8_t *)key, strlen(key)}, err));
    TRY(bytes_append(to, "=", 1, err));
    return append_value(to, value, err);
}

nrw_status hive_name_append(bytes *to, const char *key, const span *value, nrw_error *err)
{
    size_t from = to->len, len;
    nrw_status st = append_name(to, key, value, err);

    len = to->len - from;
    if (st == NRW_OK && len > HIVE_NAME_MAX) {
        err_at_column(err, key);
        err_next(err, "partition by a shorter value, such as left(column, 60) or a hash of it");
        st = err_set(err, NRW_E_VALUE,
                     "a value gives a folder name of %zu bytes, file systems take %d", len,
                     HIVE_NAME_MAX);
    }
    if (st < 0)
        to->len = from;
    return st;
}

size_t hive_unescape(span escaped, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < escaped.len; i++) {
        const uint8_t *p = escaped.data + i;
        int high = *p == '%' && escaped.len - i > 2 ? text_hex_digit(p[1]) : -1;
        int low = high >= 0 ? text_hex_digit(p[2]) : -1;
        out[n++] = low >= 0 ? (uint8_t)(high << 4 | low) : *p;
        i += low >= 0 ? 2 : 0;
    }
    return n;
}

bool hive_next(const char **at, hive_folder *out)
{
    const char *slash;

    for (const char *p = *at; (slash = strchr(p, '/')); p = slash + 1) {
        const char *equals = memchr(p, '=', (size_t)(slash - p));
        if (!equals || equals == p)
            continue;
        out->key = (span){(const uint8_t *)p, (size_t)(equals - p)};
        out->value = (span){(const uint8_t *)equals + 1, (size_t)(slash - equals - 1)};
        *at = slash + 1;
        return true;
    }
    return false;
}
