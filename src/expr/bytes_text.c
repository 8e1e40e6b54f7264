#include "expr/bytes_text.h"

#include "base/text.h"

bool read_uuid(span s, uint8_t out[16])
{
    int n = 0, digit;

    memset(out, 0, 16);
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '-' && n && n % 4 == 0)
            continue;
        digit = text_hex_digit(s.data[i]);
        if (digit < 0 || n == 32)
            return false;
        out[n / 2] = (uint8_t)(out[n / 2] << 4 | digit);
        n++;
    }
    return n == 32;
}

bool read_blob(span s, uint8_t *out, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c >= 128)
            return false;
        if (c == '\\') {
            int high, low;
            if (s.len - i < 4 || s.data[i + 1] != 'x' ||
                (high = text_hex_digit(s.data[i + 2])) < 0 ||
                (low = text_hex_digit(s.data[i + 3])) < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 3;
        }
        out[(*n)++] = c;
    }
    return true;
}
