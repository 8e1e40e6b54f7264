/* Bytes as text and back: hexadecimal, binary, base 64, URLs; digests. */
#include "base/base64.h"
#include "base/text.h"
#include "base/utf8.h"
#include "expr/digest.h"
#include "expr/function_sets.h"
#include "expr/text.h"

#include <ctype.h>

/* ---- digits of bytes and numbers ---- */

static nrw_status put_hex(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                          nrw_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    span s = TEXT(0);
    uint8_t *at;

    (void)e;
    TRY(text_room(t, 2 * s.len, &at, err));
    for (size_t k = 0; k < s.len; k++) {
        at[2 * k] = (uint8_t)digits[s.data[k] >> 4];
        at[2 * k + 1] = (uint8_t)digits[s.data[k] & 15];
    }
    text_done(t, i, 2 * s.len);
    return NRW_OK;
}
PUT_FUNCTION(hex_eval, put_hex)

static nrw_status put_binary(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                             nrw_error *err)
{
    span s = TEXT(0);
    uint8_t *at;

    (void)e;
    TRY(text_room(t, 8 * s.len, &at, err));
    for (size_t k = 0; k < 8 * s.len; k++)
        at[k] = (uint8_t)('0' + (s.data[k / 8] >> (7 - k % 8) & 1));
    text_done(t, i, 8 * s.len);
    return NRW_OK;
}
PUT_FUNCTION(binary_eval, put_binary)

/* x in a base of 2 to 36, at least `least` digits; returns where it begins in out[130]. */
static size_t digits_of(u128 x, unsigned base, size_t least, char out[130])
{
    size_t at = 130;

    do {
        unsigned digit = (unsigned)(x % base);
        out[--at] = (char)(digit < 10 ? '0' + digit : 'A' + digit - 10);
        x /= base;
    } while (x > 0 || 130 - at < least);
    return at;
}

/* A number in its own width: -1::BIGINT is 64 ones. */
static nrw_status put_number(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                             nrw_error *err)
{
    unsigned base = strchr(e->f->name, 'b') ? 2 : 16;
    char text[130];
    u128 x = 0;
    size_t at;

    memcpy(&x, args->at[0]->data + (size_t)ROW(args, 0, i) * args->at[0]->type.width,
           args->at[0]->type.width);
    at = digits_of(x, base, 1, text);
    return text_put(t, i, text + at, 130 - at, err);
}
PUT_FUNCTION(number_eval, put_number)

static nrw_status put_base(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                           nrw_error *err)
{
    int32_t base = ARG(int32_t, args, 1)[ROW(args, 1, i)];
    int32_t least = args->n > 2 ? ARG(int32_t, args, 2)[ROW(args, 2, i)] : 1;
    char text[130];
    size_t at;

    (void)e;
    if (BIG(0) < 0 || base < 2 || base > 36 || least < 0 || least > 64)
        return err_set(err, NRW_E_VALUE,
                       "to_base: a number of at least 0 in base 2 to 36, with at "
                       "most 64 digits asked for");
    at = digits_of((u128)BIG(0), (unsigned)base, (size_t)least, text);
    return text_put(t, i, text + at, 130 - at, err);
}
PUT_FUNCTION(base_eval, put_base)

static nrw_status put_unhex(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                            nrw_error *err)
{
    span s = TEXT(0);
    uint8_t *at;
    size_t n = 0, k = 0;

    (void)e;
    TRY(text_room(t, s.len / 2 + 1, &at, err));
    for (int high = 0; k < s.len; k++) { /* an odd first digit stands alone */
        int d = text_hex_digit(s.data[k]);
        if (d < 0)
            return err_set(err, NRW_E_VALUE, "unhex: '%c' is no hexadecimal digit", s.data[k]);
        if ((s.len - k) % 2 == 0) {
            high = d;
        } else {
            at[n++] = (uint8_t)(high << 4 | d);
            high = 0;
        }
    }
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(unhex_eval, put_unhex)

static nrw_status put_unbin(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                            nrw_error *err)
{
    span s = TEXT(0);
    uint8_t *at;
    size_t n = (s.len + 7) / 8, lead = 8 * n - s.len;

    (void)e;
    TRY(text_room(t, n, &at, err));
    memset(at, 0, n);
    for (size_t k = 0; k < s.len; k++) {
        if (s.data[k] != '0' && s.data[k] != '1')
            return err_set(err, NRW_E_VALUE, "unbin: '%c' is no binary digit", s.data[k]);
        at[(k + lead) / 8] |= (uint8_t)((s.data[k] - '0') << (7 - (k + lead) % 8));
    }
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(unbin_eval, put_unbin)

/* ---- base 64 ---- */

static nrw_status put_base64(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                             nrw_error *err)
{
    bytes text = bytes_init(args->m, UINT32_MAX);
    nrw_status st = base64_encode(TEXT(0), &text, err);

    (void)e;
    if (st >= 0)
        st = text_put(t, i, text.data, text.len, err);
    bytes_release(&text);
    return st;
}
PUT_FUNCTION(base64_eval, put_base64)

static nrw_status put_unbase64(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                               nrw_error *err)
{
    span s = TEXT(0);
    uint8_t *at;
    size_t n = 0;

    (void)e;
    TRY(text_room(t, s.len / 4 * 3 + 3, &at, err));
    if (s.len % 4 || !base64_decode(s, at, &n))
        return err_set(err, NRW_E_VALUE, "from_base64: the text is not base 64");
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(unbase64_eval, put_unbase64)

/* ---- URLs ---- */

static nrw_status put_url(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                          nrw_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    span s = TEXT(0);
    uint8_t *at;
    size_t n = 0;

    (void)e;
    TRY(text_room(t, 3 * s.len, &at, err));
    for (size_t k = 0; k < s.len; k++) {
        uint8_t c = s.data[k];
        if (c < 128 && (isalnum(c) || strchr("-._~", c)) && c) {
            at[n++] = c;
            continue;
        }
        at[n++] = '%';
        at[n++] = (uint8_t)digits[c >> 4];
        at[n++] = (uint8_t)digits[c & 15];
    }
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(url_eval, put_url)

static nrw_status put_unurl(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                            nrw_error *err)
{
    span s = TEXT(0);
    uint8_t *at;
    size_t n = 0;

    (void)e;
    TRY(text_room(t, s.len, &at, err));
    for (size_t k = 0; k < s.len; k++) {
        int high = -1, low = -1;
        if (s.data[k] == '%' && k + 2 < s.len) {
            high = text_hex_digit(s.data[k + 1]);
            low = text_hex_digit(s.data[k + 2]);
        }
        if (high >= 0 && low >= 0) {
            at[n++] = (uint8_t)(high << 4 | low);
            k += 2;
        } else {
            at[n++] = s.data[k];
        }
    }
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(unurl_eval, put_unurl)

/* ---- text and bytes ---- */

static nrw_status same_bytes(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    memcpy(out->data, args->at[0]->data, (size_t)args->rows * sizeof(view));
    vector_share_heaps(args->at[0], out);
    return NRW_OK;
}

static nrw_status decode_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++)
        if (row_valid(out, i) && !utf8_valid(TEXT(0).data, TEXT(0).len))
            return err_set(err, NRW_E_VALUE, "decode: the bytes are not UTF-8");
    return same_bytes(e, args, out, err);
}

/* ---- digests ---- */

static nrw_status put_digest(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                             nrw_error *err)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t raw[DIGEST_MAX], text[2 * DIGEST_MAX];
    uint32_t n;

    TRY(digest(e->f->name, TEXT(0), raw, &n, err));
    for (uint32_t k = 0; k < n; k++) {
        text[2 * k] = (uint8_t)digits[raw[k] >> 4];
        text[2 * k + 1] = (uint8_t)digits[raw[k] & 15];
    }
    return text_put(t, i, text, 2 * (size_t)n, err);
}
PUT_FUNCTION(digest_eval, put_digest)

/* The digest as a number, its first byte the lowest. */
static nrw_status md5_number_eval(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    uint8_t raw[DIGEST_MAX];
    uint32_t n;

    (void)e;
    for (uint32_t i = 0; i < args->rows; i++) {
        if (!row_valid(out, i))
            continue;
        TRY(digest("md5", TEXT(0), raw, &n, err));
        memcpy(out->data + 16 * (size_t)i, raw, 16);
    }
    return NRW_OK;
}

#define OF_NUMBERS(name)                                                                           \
    {name, "8", "s", number_eval, 0, NULL}, {name, "D", "s", number_eval, 0, NULL},                \
        {name, "h", "s", number_eval, 0, NULL},                                                    \
    {                                                                                              \
        name, "H", "s", number_eval, 0, NULL                                                       \
    }

static const function rows[] = {
    OF_NUMBERS("hex"),
    OF_NUMBERS("to_hex"),
    OF_NUMBERS("bin"),
    OF_NUMBERS("to_binary"),
    {"hex", "s", "s", hex_eval, 0, NULL},
    {"hex", "x", "s", hex_eval, 0, NULL},
    {"to_hex", "s", "s", hex_eval, 0, NULL},
    {"to_hex", "x", "s", hex_eval, 0, NULL},
    {"bin", "s", "s", binary_eval, 0, NULL},
    {"to_binary", "s", "s", binary_eval, 0, NULL},
    {"to_base", "844?", "s", base_eval, FAILS, NULL},
    {"unhex", "s", "x", unhex_eval, FAILS, NULL},
    {"from_hex", "s", "x", unhex_eval, FAILS, NULL},
    {"unbin", "s", "x", unbin_eval, FAILS, NULL},
    {"from_binary", "s", "x", unbin_eval, FAILS, NULL},
    {"base64", "x", "s", base64_eval, 0, NULL},
    {"to_base64", "x", "s", base64_eval, 0, NULL},
    {"from_base64", "s", "x", unbase64_eval, FAILS, NULL},
    {"url_encode", "s", "s", url_eval, 0, NULL},
    {"url_decode", "s", "s", unurl_eval, 0, NULL},
    {"encode", "s", "x", same_bytes, 0, NULL},
    {"decode", "x", "s", decode_eval, FAILS, NULL},
    {"md5", "s", "s", digest_eval, 0, NULL},
    {"md5", "x", "s", digest_eval, 0, NULL},
    {"sha1", "s", "s", digest_eval, 0, NULL},
    {"sha1", "x", "s", digest_eval, 0, NULL},
    {"sha256", "s", "s", digest_eval, 0, NULL},
    {"sha256", "x", "s", digest_eval, 0, NULL},
    {"md5_number", "s", "H", md5_number_eval, 0, NULL},
    {"md5_number", "x", "H", md5_number_eval, 0, NULL},
};

const function_set functions_encode = FUNCTION_SET(rows);
