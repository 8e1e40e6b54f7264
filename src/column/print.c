#include "column/print.h"

#include "base/civil.h"

/* ---- dates and times ---- */

static size_t put2(char *out, unsigned x)
{
    out[0] = (char)('0' + x / 10);
    out[1] = (char)('0' + x % 10);
    return 2;
}

/* At least four digits. */
static size_t put_year(char *out, int64_t year)
{
    if (year < 10000) {
        put2(out, (unsigned)(year / 100));
        put2(out + 2, (unsigned)(year % 100));
        return 4;
    }
    return print_u64((uint64_t)year, out);
}

static size_t put_date(int64_t days, char *out)
{
    civil c = civil_of_days(days);
    bool before = c.year <= 0; /* there is no year 0: 1 BC comes before 1 */
    size_t at = put_year(out, before ? 1 - c.year : c.year);
    out[at++] = '-';
    at += put2(out + at, (unsigned)c.month);
    out[at++] = '-';
    at += put2(out + at, (unsigned)c.day);
    if (before) {
        memcpy(out + at, " (BC)", 5);
        at += 5;
    }
    return at;
}

static size_t put_text(char *out, const char *text)
{
    size_t n = strlen(text);
    memcpy(out, text, n);
    return n;
}

size_t print_date(int32_t days, char *out)
{
    if (days == INT32_MAX)
        return put_text(out, "infinity");
    if (days == -INT32_MAX)
        return put_text(out, "-infinity");
    return put_date(days, out);
}

/* .5, .000001: a fraction of `per` without zeros at its end; nothing for 0. */
static size_t put_fraction(char *out, uint64_t x, int64_t per)
{
    size_t at = 0, last = 0;
    if (x == 0)
        return 0;
    out[at++] = '.';
    for (uint64_t place = (uint64_t)per / 10; place; place /= 10) {
        char digit = (char)(x / place % 10);
        out[at++] = (char)('0' + digit);
        if (digit)
            last = at;
    }
    return last;
}

/* Time since midnight; hours may be many. */
static size_t put_time(char *out, uint64_t x, time_unit unit)
{
    int64_t per = units_per_second(unit);
    uint64_t seconds = x / (uint64_t)per, hours = seconds / 3600;
    unsigned rest = (unsigned)(seconds % 3600);
    size_t at = hours < 100 ? put2(out, (unsigned)hours) : print_u64(hours, out);
    out[at++] = ':';
    at += put2(out + at, rest / 60);
    out[at++] = ':';
    at += put2(out + at, rest % 60);
    return at + put_fraction(out + at, x % (uint64_t)per, per);
}

/* A time before midnight is one of the day before. */
static size_t print_time(const type *t, int64_t x, char *out)
{
    int64_t per_day = units_per_second(t->unit) * 86400;
    if (x < 0)
        x = x % per_day + (x % per_day < 0 ? per_day : 0);
    size_t at = put_time(out, (uint64_t)x, t->unit);
    return t->utc ? at + put_text(out + at, "+00") : at;
}

static size_t print_timestamp(const type *t, int64_t x, char *out)
{
    if (x == INT64_MAX)
        return put_text(out, "infinity");
    if (x == -INT64_MAX)
        return put_text(out, "-infinity");
    int64_t per_day = units_per_second(t->unit) * 86400;
    int64_t days = x / per_day, rest = x % per_day;
    if (rest < 0) {
        rest += per_day;
        days--;
    }
    size_t at = put_date(days, out);
    out[at++] = ' ';
    at += put_time(out + at, (uint64_t)rest, t->unit);
    return t->utc ? at + put_text(out + at, "+00") : at;
}

/* Hours, minutes, seconds: as DuckDB's intervals without days, so any length has one form. */
static size_t print_duration(const type *t, int64_t x, char *out)
{
    size_t at = x < 0 ? put_text(out, "-") : 0;
    return at + put_time(out + at, x < 0 ? 0 - (uint64_t)x : (uint64_t)x, t->unit);
}

static size_t put_count(char *out, size_t at, int64_t n, const char *unit)
{
    if (n == 0)
        return at;
    if (at)
        out[at++] = ' ';
    at += print_i64(n, out + at);
    at += put_text(out + at, unit);
    if (n != 1 && n != -1)
        out[at++] = 's';
    return at;
}

/* Months, days and microseconds, each with its sign. */
static size_t print_interval_us(const uint8_t *value, char *out)
{
    int32_t months = (int32_t)load_u32(value), days = (int32_t)load_u32(value + 4);
    int64_t us = (int64_t)load_u64(value + 8);
    size_t at = put_count(out, 0, months / 12, " year");
    at = put_count(out, at, months % 12, " month");
    at = put_count(out, at, days, " day");
    if (us || at == 0) {
        if (at)
            out[at++] = ' ';
        if (us < 0)
            out[at++] = '-';
        at += put_time(out + at, us < 0 ? 0 - (uint64_t)us : (uint64_t)us, UNIT_US);
    }
    return at;
}

/* Months, days and milliseconds, all without sign. */
static size_t print_interval(const uint8_t *value, char *out)
{
    uint32_t months = load_u32(value), days = load_u32(value + 4), ms = load_u32(value + 8);
    size_t at = put_count(out, 0, months / 12, " year");
    at = put_count(out, at, months % 12, " month");
    at = put_count(out, at, days, " day");
    if (ms || at == 0) {
        if (at)
            out[at++] = ' ';
        at += put_time(out + at, ms, UNIT_MS);
    }
    return at;
}

/* ---- bytes ---- */

static size_t print_uuid(const uint8_t *value, char *out)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = hex[value[i] >> 4];
        out[at++] = hex[value[i] & 15];
    }
    return at;
}

size_t print_blob(const uint8_t *p, size_t n, char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i];
        if (c >= ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\') {
            out[at++] = (char)c;
            continue;
        }
        out[at++] = '\\';
        out[at++] = 'x';
        out[at++] = hex[c >> 4];
        out[at++] = hex[c & 15];
    }
    return at;
}

/* ---- any value ---- */

static int64_t load_int(const uint8_t *p, uint32_t width)
{
    int8_t a;
    int16_t b;
    int32_t c;
    int64_t d;
    switch (width) {
    case 1: memcpy(&a, p, 1); return a;
    case 2: memcpy(&b, p, 2); return b;
    case 4: memcpy(&c, p, 4); return c;
    default: memcpy(&d, p, 8); return d;
    }
}

/* A decimal whose digits are all behind the point has no zero before it: .500 */
static size_t print_typed_decimal(const type *t, const uint8_t *value, char *out)
{
    size_t n = print_decimal(value, t->width, t->scale, out);
    size_t sign = out[0] == '-';
    if (t->scale > 0 && t->scale == t->precision && out[sign] == '0') {
        memmove(out + sign, out + sign + 1, n - sign - 1);
        n--;
    }
    return n;
}

size_t print_fixed(const type *t, const uint8_t *value, char *out)
{
    uint64_t u = 0;
    float f;
    double d;
    switch (t->id) {
    case TYPE_NULL: return put_text(out, "NULL");
    case TYPE_BOOL: return put_text(out, *value ? "true" : "false");
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64: return print_i64(load_int(value, t->width), out);
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64: memcpy(&u, value, t->width); return print_u64(u, out);
    case TYPE_INT128: return print_decimal(value, 16, 0, out);
    case TYPE_UINT128: return print_u128(value, out);
    case TYPE_FLOAT16:
        memcpy(&u, value, 2);
        return print_f32(print_half_to_float((uint16_t)u), out);
    case TYPE_FLOAT32: memcpy(&f, value, 4); return print_f32(f, out);
    case TYPE_FLOAT64: memcpy(&d, value, 8); return print_f64(d, out);
    case TYPE_DECIMAL: return print_typed_decimal(t, value, out);
    case TYPE_DATE: return print_date((int32_t)load_int(value, 4), out);
    case TYPE_TIME: return print_time(t, load_int(value, 8), out);
    case TYPE_TIMESTAMP: return print_timestamp(t, load_int(value, 8), out);
    case TYPE_DURATION: return print_duration(t, load_int(value, 8), out);
    case TYPE_INTERVAL:
        return t->unit == UNIT_US ? print_interval_us(value, out) : print_interval(value, out);
    case TYPE_UUID: return print_uuid(value, out);
    default: return 0;
    }
}

static bool is_text(const type *t)
{
    return t->id == TYPE_UTF8 || t->id == TYPE_JSON || t->id == TYPE_ENUM;
}

static bool is_bytes(const type *t)
{
    return t->id == TYPE_BINARY || t->id == TYPE_BSON || t->id == TYPE_FIXED;
}

nrw_status print_value(const type *t, span value, bytes *out, nrw_error *err)
{
    if (is_text(t))
        return bytes_append(out, value.data, value.len, err);
    if (!is_bytes(t)) {
        TRY(bytes_reserve(out, PRINT_MAX, err));
        out->len += print_fixed(t, value.data, (char *)out->data + out->len);
        return NRW_OK;
    }
    for (size_t at = 0; at < value.len;) {
        size_t n = size_min(value.len - at, 4096);
        TRY(bytes_reserve(out, 4 * n, err));
        out->len += print_blob(value.data + at, n, (char *)out->data + out->len);
        at += n;
    }
    return NRW_OK;
}

/* Up to cap - 1 bytes of text; what does not fit ends in "..." at a character. */
static size_t put_short(const char *text, size_t n, bool more, char *out, size_t cap)
{
    if (n < cap && !more) {
        memcpy(out, text, n);
        out[n] = 0;
        return n;
    }
    n = size_min(n, cap - 4);
    while (n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(out, text, n);
    memcpy(out + n, "...", 4);
    return n + 3;
}

size_t print_short(const type *t, span value, char *out, size_t cap)
{
    char text[1024];
    if (is_text(t))
        return put_short((const char *)value.data, value.len, false, out, cap);
    if (!is_bytes(t))
        return put_short(text, print_fixed(t, value.data, text), false, out, cap);
    size_t n = size_min(value.len, sizeof text / 4);
    return put_short(text, print_blob(value.data, n, text), n < value.len, out, cap);
}
