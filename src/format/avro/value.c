#include "format/avro/value.h"

#include "base/text.h"
#include "format/avro/cursor.h"

#include <stdio.h>

bool av_decimal(span from, uint32_t width, uint8_t *to)
{
    const uint8_t *p = from.data;
    uint32_t len;
    uint8_t sign = from.len && p[0] & 0x80 ? 0xFF : 0;

    while (from.len > width) {
        if (*p != sign)
            return false;
        p++;
        from.len--;
    }
    len = (uint32_t)from.len;
    if (len == width && ((p[0] ^ sign) & 0x80))
        return false;
    for (uint32_t i = 0; i < len; i++)
        to[i] = p[len - 1 - i];
    memset(to + len, sign, width - len);
    return true;
}

bool av_uuid(span text, uint8_t to[16])
{
    const uint8_t *p = text.data;

    if (text.len != 36 && text.len != 32)
        return false;
    for (int i = 0; i < 16; i++) {
        int high, low;
        if (text.len == 36 && (i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
            return false;
        high = text_hex_digit(p[0]);
        low = text_hex_digit(p[1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    return true;
}

/* ---- big decimals ---- */

#define BIG_BYTES 416
#define BIG_WORDS (BIG_BYTES / 4)

/* The magnitude of a two's complement big-endian number as words, lowest first. */
static bool magnitude(span from, uint32_t words[BIG_WORDS], bool *negative)
{
    uint64_t carry;

    if (from.len > BIG_BYTES)
        return false;
    *negative = from.len && from.data[0] & 0x80;
    memset(words, *negative ? 0xFF : 0, BIG_WORDS * sizeof *words);
    for (size_t i = 0; i < from.len; i++) {
        size_t at = from.len - 1 - i;
        uint32_t shift = (uint32_t)(i % 4) * 8;
        words[i / 4] = (words[i / 4] & ~(0xFFu << shift)) | (uint32_t)from.data[at] << shift;
    }
    carry = *negative;
    for (int i = 0; *negative && i < BIG_WORDS; i++) {
        carry += (uint32_t)~words[i];
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return true;
}

/* Digits of the number, highest first; words are used up. */
static size_t to_digits(uint32_t words[BIG_WORDS], char *out)
{
    char room[BIG_WORDS * 10];
    size_t at = sizeof room;
    int top = BIG_WORDS;

    while (top > 0) {
        uint64_t rest = 0;
        for (int i = top - 1; i >= 0; i--) {
            rest = rest << 32 | words[i];
            words[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        for (int i = 0; i < 9; i++, rest /= 10)
            room[--at] = (char)('0' + rest % 10);
        while (top > 0 && words[top - 1] == 0)
            top--;
    }
    while (at < sizeof room - 1 && room[at] == '0')
        at++;
    memcpy(out, room + at, sizeof room - at);
    return sizeof room - at;
}

size_t av_big_decimal(span from, char to[AV_BIG_DECIMAL_MAX])
{
    const uint8_t *p = from.data, *end = p + from.len;
    uint32_t words[BIG_WORDS];
    char digits[BIG_WORDS * 10];
    int64_t len, scale;
    size_t n, at = 0;
    bool negative;

    if (av_varint(&p, end, &len) != 1 || len < 0 || len > end - p)
        return 0;
    if (!magnitude((span){p, (size_t)len}, words, &negative))
        return 0;
    p += len;
    if (av_varint(&p, end, &scale) != 1 || p != end || scale > 1000 || scale < -1000)
        return 0;
    n = to_digits(words, digits);
    if (negative)
        to[at++] = '-';
    if (scale <= 0 || (int64_t)n > scale) {
        size_t whole = scale > 0 ? n - (size_t)scale : n;
        memcpy(to + at, digits, whole);
        at += whole;
        for (int64_t i = scale; i < 0 && !(n == 1 && digits[0] == '0'); i++)
            to[at++] = '0';
        n -= whole;
        memmove(digits, digits + whole, n);
    } else {
        to[at++] = '0';
    }
    if (scale <= 0)
        return at;
    to[at++] = '.';
    for (int64_t i = (int64_t)n; i < scale; i++)
        to[at++] = '0';
    memcpy(to + at, digits, n);
    return at + n;
}
