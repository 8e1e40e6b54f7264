#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

nrw_status base64_encode(span data, bytes *out, nrw_error *err)
{
    TRY(bytes_reserve(out, (data.len / 3 + 1) * 4, err));
    for (size_t i = 0; i < data.len; i += 3) {
        size_t n = size_min(data.len - i, 3);
        uint32_t v = (uint32_t)data.data[i] << 16;
        v |= n > 1 ? (uint32_t)data.data[i + 1] << 8 : 0;
        v |= n > 2 ? data.data[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            out->data[out->len++] = k <= n ? (uint8_t)digits[v >> (18 - 6 * k) & 63] : '=';
    }
    return NRW_OK;
}

static int digit_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(span text, uint8_t *out, size_t *len)
{
    uint32_t v = 0, n = 0, padding = 0;

    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        int digit = digit_value(c);
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        padding += c == '=';
        if (c == '=')
            continue;
        if (digit < 0 || padding)
            return false;
        v = v << 6 | (uint32_t)digit;
        if (++n % 4 == 0) {
            out[(*len)++] = (uint8_t)(v >> 16);
            out[(*len)++] = (uint8_t)(v >> 8);
            out[(*len)++] = (uint8_t)v;
        }
    }
    if (n % 4 == 1 || padding > 2)
        return false;
    if (n % 4 >= 2)
        out[(*len)++] = (uint8_t)(n % 4 == 2 ? v >> 4 : v >> 10);
    if (n % 4 == 3)
        out[(*len)++] = (uint8_t)(v >> 2);
    return true;
}
