#include "dataset/hive.h"

#include "base/text.h"

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

size_t hive_unescape(span text, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        int high = -1, low = -1;
        if (text.data[i] == '%' && i + 2 < text.len) {
            high = text_hex_digit(text.data[i + 1]);
            low = text_hex_digit(text.data[i + 2]);
        }
        if (high < 0 || low < 0) {
            out[n++] = (char)text.data[i];
            continue;
        }
        out[n++] = (char)(high << 4 | low);
        i += 2;
    }
    return n;
}
